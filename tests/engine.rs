//! Conversions large enough for several threads, jobs and blocks, proved by `verify`.

use std::collections::BTreeMap;

use ckptmap::convert::{Conversion, ConvertError, Inputs, Options, Sharing, convert};
use ckptmap::files::{Location, Share};
use ckptmap::mapping::{Mapping, NoFiles};
use ckptmap::object::Target;
use ckptmap::plan::{self, Plan, plan};
use ckptmap::progress::{Progress, Silent};
use ckptmap::source::{CheckpointReader, open};
use ckptmap::target::{self, always, create};
use ckptmap::tensor::{DType, Shape, Tensor, TensorSpec};
use ckptmap::verify::verify;

const RULES: &str = "version: 1
rules:
  - {from: 't/(.+)', to: 'turned/$1', apply: [transpose]}
  - {from: 'r/(.+)', to: 'reshaped/$1', apply: [{reshape: [-1]}]}
  - {from: '(.+)', to: 'kept/$1'}
";

/// Matrices of floats: some of many jobs, some of a few bytes, some empty.
fn shapes() -> Vec<(String, [u64; 2])> {
    let mut shapes = vec![
        ("a/large".to_owned(), [1500, 1001]),
        ("r/large".to_owned(), [900, 1700]),
        ("t/large".to_owned(), [1100, 1300]),
        ("t/wide".to_owned(), [3, 200_000]),
        ("z/large".to_owned(), [1 << 10, 1 << 11]),
    ];
    for number in 0..600 {
        let kind = ["b", "r", "t"][number % 3];
        shapes.push((format!("{kind}/{number:03}"), [number as u64 % 7, number as u64 % 50]));
    }
    shapes
}

/// One place with a source in it.
struct Place {
    dir: tempfile::TempDir,
    source: Box<dyn CheckpointReader>,
    plan: Plan,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = Location::from(dir.path()).join("old");
        let options =
            target::Options { sync: false, shard_size: Some(20 << 20), ..Default::default() };
        let mut writer = create(&at, &options, &[]).unwrap();
        for (seed, (name, dims)) in shapes().into_iter().enumerate() {
            let spec = TensorSpec::new(DType::Float, Shape::new(dims).unwrap()).unwrap();
            let count = usize::try_from(spec.shape().elements()).unwrap();
            let value = |at: usize| (at.wrapping_mul(2_654_435_761) ^ seed).to_le_bytes();
            let data: Vec<u8> = (0..4 * count).map(|at| value(at / 4)[at % 4]).collect();
            writer.put(&Target::named(&*name), &Tensor::new(spec, data).unwrap()).unwrap();
        }
        writer.finish(None, &always).unwrap();
        let source = open(&at).unwrap();
        let mapping = Mapping::parse("rules.yaml", RULES, &BTreeMap::new(), &NoFiles).unwrap();
        let plan = plan(source.catalog(), &mapping, None, &plan::Options::default()).unwrap();
        Self { dir, source, plan }
    }

    fn at(&self, name: &str) -> Location {
        Location::from(self.dir.path()).join(name)
    }

    fn inputs(&self) -> Inputs<'_> {
        Inputs { source: self.source.as_ref(), template: None }
    }

    fn convert(
        &self,
        to: &str,
        options: &Options,
        progress: &dyn Progress,
    ) -> Result<Conversion, ConvertError> {
        let how = target::Options { sync: false, overwrite: true, ..Default::default() };
        let writer = create(&self.at(to), &how, &[]).unwrap();
        convert(&self.plan, &self.inputs(), writer, options, progress)
    }

    /// Converts, and proves that every value is what it should be.
    fn proved(&self, options: &Options) {
        self.convert("new", options, &Silent).unwrap();
        let new = open(&self.at("new")).unwrap();
        let proved = verify(new.as_ref(), &self.plan, &self.inputs(), &Silent).unwrap();
        assert!(proved.is_equal() && proved.is_complete(), "{options:?}: {proved:?}");
        let checked = ckptmap::check::check(&self.at("new")).unwrap();
        assert_eq!(checked.findings, [""; 0], "{options:?}");
    }
}

#[test]
fn every_way_gives_the_same_values() {
    let place = Place::new();
    let link = Some(Sharing { how: Share::Link, required: true });
    // Loaded and streamed, down to blocks of a few rows.
    for memory in [1 << 30, 16 << 20, 2 << 20] {
        place.proved(&Options { memory, ..Options::default() });
    }
    place.proved(&Options { share: link, ..Options::default() });
    place.proved(&Options { share: link, verify: false, memory: 4 << 20 });
    place.proved(&Options { verify: false, ..Options::default() });
}

#[test]
fn what_needs_more_than_there_may_be_is_refused_before_anything_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let at = Location::from(dir.path()).join("old");
    let fast = target::Options { sync: false, ..Default::default() };
    let mut writer = create(&at, &fast, &[]).unwrap();
    // Strings are read whole, and cost as much again in storage form.
    for (name, len) in [("short", 10), ("long", 3 << 20), ("longer", 5 << 20)] {
        writer.put(&Target::named(name), &Tensor::string(&vec![b'x'; len])).unwrap();
    }
    writer.finish(None, &always).unwrap();
    let source = open(&at).unwrap();
    let rules = "version: 1\nrules: [{from: '(.+)', to: 'new/$1'}]";
    let mapping = Mapping::parse("rules.yaml", rules, &BTreeMap::new(), &NoFiles).unwrap();
    let plan = plan(source.catalog(), &mapping, None, &plan::Options::default()).unwrap();
    let inputs = Inputs { source: source.as_ref(), template: None };
    let to = Location::from(dir.path()).join("new/ckpt");
    let with = |memory| {
        let writer = create(&to, &fast, &[]).unwrap();
        convert(&plan, &inputs, writer, &Options { memory, ..Options::default() }, &Silent)
    };
    let error = with(8 << 20).unwrap_err();
    let ConvertError::Memory { target, needed, pass, .. } = &error else { panic!("{error:?}") };
    assert!(target.key().contains("new/long"), "{target}");
    assert!(*needed > 8 << 20 && pass >= needed, "{error}");
    assert!(!dir.path().join("new").exists());
    with(pass - 1).unwrap_err();
    with(*pass).unwrap();
    let new = open(&to).unwrap();
    assert!(verify(new.as_ref(), &plan, &inputs, &Silent).unwrap().is_equal());
}

#[test]
fn damage_anywhere_is_named_and_nothing_is_left() {
    let place = Place::new();
    let link = Some(Sharing { how: Share::Link, required: true });
    for name in ["a/large", "r/large", "t/large", "t/wide", "z/large", "t/599"] {
        let variable =
            place.source.catalog().variables.keys().find(|n| n.as_str() == name).unwrap();
        let (extent, _) = place.source.extent(variable).unwrap().unwrap();
        let path = extent.blob.at().path();
        let middle = usize::try_from(extent.offset + extent.len * 2 / 3).unwrap();
        let flip = || {
            let mut bytes = std::fs::read(path).unwrap();
            bytes[middle] ^= 4;
            std::fs::write(path, bytes).unwrap();
        };
        flip();
        for options in [
            Options::default(),
            Options { share: link, ..Options::default() },
            Options { memory: 2 << 20, ..Options::default() },
        ] {
            let error = place.convert("damaged/new", &options, &Silent).unwrap_err();
            let ConvertError::Source { variable, .. } = &error else {
                panic!("{name}: {error:?}");
            };
            assert_eq!(variable.as_str(), name);
            assert!(!place.dir.path().join("damaged").exists());
        }
        flip();
    }
}

/// Counts, and has enough at some time.
struct Patience {
    seen: std::sync::atomic::AtomicU64,
    total: std::sync::atomic::AtomicU64,
    enough: u64,
}

impl Patience {
    fn new(enough: u64) -> Self {
        Self { seen: 0.into(), total: 0.into(), enough }
    }
}

impl Progress for Patience {
    fn begin(&self, bytes: u64) {
        self.total.store(bytes, std::sync::atomic::Ordering::Relaxed);
    }

    fn advance(&self, bytes: u64) {
        self.seen.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
    }

    fn cancelled(&self) -> bool {
        self.seen.load(std::sync::atomic::Ordering::Relaxed) >= self.enough
    }
}

#[test]
fn progress_ends_where_it_was_said_to() {
    let place = Place::new();
    let link = Some(Sharing { how: Share::Link, required: true });
    for options in [
        Options::default(),
        Options { memory: 2 << 20, ..Options::default() },
        Options { share: link, ..Options::default() },
        Options { share: link, verify: false, ..Options::default() },
    ] {
        let patience = Patience::new(u64::MAX);
        place.convert("new", &options, &patience).unwrap();
        assert_eq!(patience.seen.into_inner(), patience.total.into_inner(), "{options:?}");
    }
}

#[test]
fn who_has_enough_gets_nothing_and_keeps_what_was() {
    let place = Place::new();
    place.convert("kept", &Options::default(), &Silent).unwrap();
    let names = || {
        let mut names: Vec<_> =
            std::fs::read_dir(place.dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    for enough in [0, 1, 5 << 20, 20 << 20, 27 << 20] {
        for memory in [1 << 30, 2 << 20] {
            let options = Options { memory, ..Options::default() };
            let stopped = place.convert("kept", &options, &Patience::new(enough)).unwrap_err();
            assert!(matches!(stopped, ConvertError::Interrupted), "{stopped:?}");
            assert_eq!(names(), before);
        }
    }
    let kept = open(&place.at("kept")).unwrap();
    assert!(verify(kept.as_ref(), &place.plan, &place.inputs(), &Silent).unwrap().is_equal());
}
