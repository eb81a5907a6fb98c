//! What is fuzzed: each target takes any bytes, and promises more than not to panic.
//!
//! `tests/corpus.rs` includes this file and gives it everything that fuzzing ever found, so that
//! an ordinary `cargo test` goes over it as well.

mod build;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;
use std::{fs, path::PathBuf};

use ckptmap::catalog::{Catalog, Variable, VariableName};
use ckptmap::check::check;
use ckptmap::files::Location;
use ckptmap::mapping::{Mapping, NoFiles, Problem};
use ckptmap::object::ObjectGraph;
use ckptmap::plan::{self, Options};
use ckptmap::source::{self, CheckpointReader, decode_graph};
use ckptmap::table::{Table, TableBuilder, TableError};
use ckptmap::tensor::{Region, Tensor};
use tempfile::TempDir;

use build::Input;

/// A region or a copy of more bytes than this is not asked for.
const MAX_COPY: u64 = 1 << 20;

/// Any bytes as a table: keys in order, looked up where they were seen, written and read again.
pub fn table(data: &[u8]) {
    let Ok(table) = Table::parse(data) else { return };
    let mut damage = 0;
    table.check(&mut |_| damage += 1);
    let mut copied = BTreeMap::new();
    let (mut size, mut previous) = (0, None);
    let done = table.for_each(|key, value| {
        assert!(previous.as_deref().is_none_or(|previous| previous < key), "keys out of order");
        previous = Some(key.to_vec());
        size += key.len() + value.len();
        if size < 1 << 16 {
            copied.insert(key.to_vec(), value.to_vec());
        }
        Ok::<_, TableError>(())
    });
    assert_eq!(done.is_ok(), damage == 0, "{done:?}, but {damage} findings");
    for (key, value) in copied.iter().take(32) {
        let got = table.get(key);
        // A lookup reads less, so damage elsewhere may lead it astray.
        if done.is_ok() {
            assert_eq!(got.as_ref(), Ok(&Some(value.clone())));
        }
    }
    let _ = table.get(data);
    let again = build::table(&copied);
    let mut left = copied.iter();
    let done = Table::parse(&again).unwrap().for_each(|key, value| {
        assert_eq!(left.next(), Some((&key.to_vec(), &value.to_vec())));
        Ok::<_, TableError>(())
    });
    assert!(done.is_ok() && left.next().is_none());
}

/// A bundle: an index and data files. The first byte says how the rest is to be taken.
pub fn bundle(data: &[u8]) {
    let mut input = Input(data);
    let made = if input.byte() % 2 == 0 {
        let len = input.word();
        build::Bundle { index: input.bytes(len).to_vec(), data: input.rest().to_vec(), shards: 1 }
    } else {
        build::bundle(&mut input)
    };
    let dir = Dir::new();
    dir.write("m.index", &made.index);
    for shard in 0..made.shards {
        dir.write(&format!("m.data-{shard:05}-of-{:05}", made.shards), &made.data);
    }
    examine(&dir.at("m"));
}

/// A checkpoint in a single file. The first byte says how the rest is to be taken.
pub fn v1(data: &[u8]) {
    let mut input = Input(data);
    let file = if input.byte() % 2 == 0 { input.rest().to_vec() } else { build::v1(&mut input) };
    let dir = Dir::new();
    dir.write("m", &file);
    examine(&dir.at("m"));
}

/// The message of an object graph.
pub fn object_graph(data: &[u8]) {
    let Ok(graph) = decode_graph(data) else { return };
    assert_eq!(ObjectGraph::new(graph.nodes().to_vec()).as_ref(), Ok(&graph));
    // Ways through a graph may be many and long: a hostile one only has to be read.
    if data.len() < 4096 {
        for (node, path) in graph.reachable(0) {
            assert_eq!(graph.walk(&path), Ok(node), "{path:?}");
        }
    }
}

/// A rule file, planned for with and without a template.
pub fn rules(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mapping = match Mapping::parse("rules.yaml", &text, &BTreeMap::new(), &NoFiles) {
        Ok(mapping) => mapping,
        Err(problems) => return placed(&text, problems.iter()),
    };
    placed(&text, mapping.problems.iter());
    let Known { source, template, .. } = &*KNOWN;
    for template in [None, Some(template)] {
        match plan::plan(source, &mapping, template, &Options::default()) {
            Ok(plan) => {
                assert!(mapping.problems.is_empty(), "planned in spite of {:?}", mapping.problems);
                assert_eq!(plan.fates.len(), source.variables.len(), "a variable is forgotten");
                placed(&text, plan.warnings.iter());
            }
            Err(problems) => placed(&text, problems.iter()),
        }
    }
}

/// The graph beside a checkpoint that is sound: values never depend on it.
pub fn meta(data: &[u8]) {
    let dir = Dir::new();
    dir.write("m.index", SOURCE.0);
    dir.write("m.data-00000-of-00001", SOURCE.1);
    dir.write("m.meta", data);
    let reader = source::open(&dir.at("m")).unwrap();
    let Known { source, template, mapping } = &*KNOWN;
    assert_eq!(reader.catalog().variables, source.variables);
    // Optimizer state is placed by what the graph says of it, or not at all.
    let _ = plan::plan(reader.catalog(), mapping, Some(template), &Options::default());
}

/// A checkpoint of Adam: index and data.
const SOURCE: (&[u8], &[u8]) = (
    include_bytes!("../../../testdata/optimizers/adam/model.ckpt.index"),
    include_bytes!("../../../testdata/optimizers/adam/model.ckpt.data-00000-of-00001"),
);

/// What fits it: the same model in Keras 2.
const TEMPLATE: (&[u8], &[u8]) = (
    include_bytes!("../../../testdata/templates/keras2_adam/model.ckpt.index"),
    include_bytes!("../../../testdata/templates/keras2_adam/model.ckpt.data-00000-of-00001"),
);

/// What a rule file or a `.meta` is tried on.
struct Known {
    source: Catalog,
    template: Catalog,
    mapping: Mapping,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let catalog = |(index, data)| {
        let dir = Dir::new();
        dir.write("m.index", index);
        dir.write("m.data-00000-of-00001", data);
        source::open(&dir.at("m")).unwrap().catalog().clone()
    };
    let rules = include_str!("../../../testdata/optimizers/adam/rules.yaml");
    Known {
        source: catalog(SOURCE),
        template: catalog(TEMPLATE),
        mapping: Mapping::parse("rules.yaml", rules, &BTreeMap::new(), &NoFiles).unwrap(),
    }
});

/// Every place lies inside the text.
fn placed<'p>(text: &str, problems: impl Iterator<Item = &'p Problem>) {
    // An editor's mark is no part of it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for problem in problems {
        assert!(!problem.message.is_empty());
        let related = problem.related.as_ref().map(|(place, _)| place);
        for place in problem.place.iter().chain(related) {
            // An included file has places of its own.
            let included = place.source.name.starts_with("builtin:");
            let text = if included { place.source.text.as_str() } else { text };
            assert!(text.get(place.span.clone()).is_some(), "{problem:?}");
        }
        let _ = problem.to_string();
    }
}

/// Reads a checkpoint in every way there is, and compares them.
fn examine(at: &Location) {
    let sound = check(at).is_ok_and(|checked| checked.findings.is_empty());
    let reader = match source::open(at) {
        Ok(reader) => reader,
        Err(error) => return assert!(!sound, "no finding, but {error:?}"),
    };
    for (name, variable) in &reader.catalog().variables {
        let whole = reader.read(name);
        let verified = reader.verify(name, &|_| ());
        match (&whole, &verified) {
            (Ok(tensor), Ok(())) => assert_eq!(tensor.spec(), &variable.spec),
            (Err(error), Err(_)) => assert!(!sound, "no finding, but {error:?}"),
            _ => panic!("{name} is read: {:?}, and verified: {verified:?}", whole.map(|_| ())),
        }
        let extent = reader.extent(name);
        if let Ok(Some((extent, _))) = extent {
            assert_eq!(extent.len, variable.bytes());
        }
        regions(reader.as_ref(), name, variable, whole.as_ref().ok());
    }
}

/// Parts of a variable are parts of the whole.
fn regions(
    reader: &dyn CheckpointReader,
    name: &VariableName,
    variable: &Variable,
    whole: Option<&Tensor<'_>>,
) {
    let shape = variable.spec.shape();
    let Some(width) = variable.spec.dtype().size() else { return };
    if variable.spec.bytes().is_none_or(|bytes| bytes > MAX_COPY) {
        return;
    }
    let inner = shape.dims().iter().map(|&dim| dim / 3..dim.div_ceil(2).max(dim / 3));
    let inner = Region::new(shape, &inner.collect::<Vec<_>>()).unwrap();
    for region in [Region::whole(shape), inner] {
        let mut part = vec![0; usize::try_from(region.elements() * width).unwrap()];
        let read = reader.read_region(name, &region, &mut part);
        let Some(whole) = whole else { continue };
        read.unwrap();
        let mut expected: Vec<u8> = Vec::new();
        let cut = region.for_each_run(shape, |start, count| {
            let bytes = start * width..(start + count) * width;
            let range = usize::try_from(bytes.start)?..usize::try_from(bytes.end)?;
            expected.extend(&whole.data()[range]);
            Ok::<_, std::num::TryFromIntError>(())
        });
        cut.unwrap();
        assert!(part == expected, "{region:?} of {name}");
    }
}

/// A directory for one input, in memory where that is possible.
struct Dir(TempDir);

impl Dir {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self(dir.unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn at(&self, name: &str) -> Location {
        Location::from(self.path(name).as_path())
    }
}
