//! A checkpoint with one byte changed, or cut off anywhere, is refused or reads as before.
//!
//! Every file of every small fixture that is not damaged yet, of whatever format, is spoiled at
//! every place. Nothing here knows how a checkpoint is stored: it is opened and read, and what
//! comes out is compared. Almost every byte is summed, so almost every change is refused. The
//! others are harmless because nobody reads what they change:
//!
//! - a table's metaindex, its handle in the footer, and the padding behind the two handles there;
//! - bytes between or behind those that the index of a table or of a bundle refers to.

#![expect(clippy::print_stdout, reason = "a count that shrinks should be seen")]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ckptmap::catalog::{Catalog, VariableName};
use ckptmap::check::check;
use ckptmap::files::Location;
use ckptmap::object::ObjectGraph;
use ckptmap::source::open;
use ckptmap::table::is_table;
use ckptmap::tensor::{Tensor, TensorSpec};
use tempfile::TempDir;

/// Files of a fixture together: larger ones are not spoiled byte by byte.
const SMALL: usize = 2000;

/// So many bytes of each format are spoiled in an ordinary run, which is not optimized.
const FEW: usize = 8000;

/// Places that one thread spoils at a time.
const CHUNK: usize = 32;

/// Nothing small takes longer.
const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn bits_of_the_smallest_fixtures() {
    let mut of_format = BTreeMap::new();
    let mut fixtures = fixtures();
    fixtures.retain(|fixture| {
        let bytes = of_format.entry(fixture.format).or_insert(0);
        // The smallest of a format is taken whatever its size.
        let taken = *bytes == 0 || *bytes + fixture.size() <= FEW;
        *bytes += fixture.size();
        taken
    });
    spoil(&fixtures, |byte| (0..8).map(|bit| byte ^ (1 << bit)).collect());
}

/// Each bit of every byte, and every fourth of the changes of several; with the variable `CKPTMAP_DAMAGE`
/// all there is to change, which takes four times as long. Run it optimized.
#[test]
#[ignore = "a million changes; tests/run makes them"]
fn values_of_every_byte() {
    let fixtures: Vec<_> =
        fixtures().into_iter().filter(|fixture| fixture.size() <= SMALL).collect();
    assert!(fixtures.len() >= 20, "{}", fixtures.len());
    let all = |byte: u8| (1..=u8::MAX).map(|mask| byte ^ mask).collect();
    let some = |byte: u8| {
        let masks = (1..=u8::MAX).filter(|mask| mask.is_power_of_two() || mask % 4 == 3);
        masks.map(|mask| byte ^ mask).collect()
    };
    spoil(&fixtures, if env::var_os("CKPTMAP_DAMAGE").is_some() { all } else { some });
}

/// A checkpoint and the truth about it.
struct Fixture {
    /// What the fixture is called in messages.
    name: String,
    format: &'static str,
    /// What its prefix is called, without a directory.
    prefix: String,
    /// Its files by name.
    files: Vec<(String, Vec<u8>)>,
    truth: Content,
}

/// Everything that was read. A variable that nobody can read, TensorFlow neither, has no tensor.
#[derive(PartialEq)]
struct Content {
    variables: BTreeMap<VariableName, (TensorSpec, Option<Tensor<'static>>)>,
    scalars: BTreeMap<VariableName, Tensor<'static>>,
    unnamable: Vec<Vec<u8>>,
    graph: Option<ObjectGraph>,
}

impl Fixture {
    fn size(&self) -> usize {
        self.files.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// The checkpoint that is typed as `typed`.
    fn read(typed: &Path) -> Self {
        let reader = open(&Location::from(typed)).unwrap();
        let name = |at: &Location| at.name();
        let files = reader.files();
        let files = files.iter().map(|file| (name(file), fs::read(file.path()).unwrap())).collect();
        let catalog = reader.catalog();
        let variables = catalog.variables.iter().map(|(variable, described)| {
            (variable.clone(), (described.spec.clone(), reader.read(variable).ok()))
        });
        let truth = Content {
            variables: variables.collect(),
            scalars: catalog.facts.scalars.clone(),
            unnamable: catalog.unnamable.clone(),
            graph: catalog.graph.clone(),
        };
        let below = typed.strip_prefix(testdata()).unwrap().display().to_string();
        Self { name: below, format: catalog.format, prefix: name(reader.prefix()), files, truth }
    }
}

impl Content {
    /// Whether `catalog` says the same, as far as it goes without reading tensors.
    fn is_told_by(&self, catalog: &Catalog) -> bool {
        let specs = catalog.variables.iter().map(|(name, variable)| (name, &variable.spec));
        // A value that cannot be read is missing; that is no lie.
        let scalars = &mut catalog.facts.scalars.iter();
        specs.eq(self.variables.iter().map(|(name, (spec, _))| (name, spec)))
            && scalars.all(|(name, value)| self.scalars.get(name) == Some(value))
            && catalog.unnamable == self.unnamable
            && catalog.graph == self.graph
    }
}

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

/// Every checkpoint that nobody damaged yet, small ones first.
fn fixtures() -> Vec<Fixture> {
    let mut typed = BTreeSet::new();
    collect(&testdata(), &mut typed);
    let mut found: Vec<Fixture> = typed.iter().map(|path| Fixture::read(path)).collect();
    found.sort_by_key(Fixture::size);
    // A checkpoint of several files is found by each of them.
    let mut seen = BTreeSet::new();
    found.retain(|fixture| {
        let directory = Path::new(&fixture.name).with_file_name("");
        seen.insert((directory, fixture.prefix.clone()))
    });
    assert!(found.len() >= 50, "{}", found.len());
    let tensors: Vec<_> =
        found.iter().flat_map(|fixture| fixture.truth.variables.values()).collect();
    let unreadable = tensors.iter().filter(|(_, tensor)| tensor.is_none()).count();
    assert!(unreadable * 100 < tensors.len(), "{unreadable} of {}", tensors.len());
    found
}

/// Everything below `directory` that names a checkpoint: files that are tables.
fn collect(directory: &Path, typed: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("damaged") {
                collect(&path, typed);
            }
        } else if is_table(&fs::read(&path).unwrap()) {
            typed.insert(path);
        }
    }
}

/// What became of a spoiled checkpoint.
enum Outcome {
    Refused,
    Harmless,
    /// Something else was read without a word.
    Lie(String),
}

/// A copy of a fixture in a directory of its own, in memory where that is possible.
struct Copy<'f> {
    of: &'f Fixture,
    _dir: TempDir,
    at: Location,
    file: File,
}

impl<'f> Copy<'f> {
    /// With the file of number `which` open.
    fn new(of: &'f Fixture, which: usize) -> Self {
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let dir = dir.unwrap();
        for (name, bytes) in &of.files {
            fs::write(dir.path().join(name), bytes).unwrap();
        }
        let file = dir.path().join(&of.files[which].0);
        let file = File::options().write(true).open(file).unwrap();
        Self { of, at: Location::from(dir.path()).join(&of.prefix), _dir: dir, file }
    }

    fn put(&mut self, at: usize, byte: u8) {
        self.file.seek(SeekFrom::Start(at as u64)).unwrap();
        self.file.write_all(&[byte]).unwrap();
    }

    /// Reads it all. A `thorough` look demands that a check finds what a reader refuses.
    fn outcome(&self, thorough: bool) -> Outcome {
        let begun = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| self.read()))
            .unwrap_or_else(|_| Outcome::Lie("it panics".to_owned()));
        if begun.elapsed() > PATIENCE {
            return Outcome::Lie(format!("it takes {:?}", begun.elapsed()));
        }
        if thorough && matches!(outcome, Outcome::Refused) {
            match catch_unwind(|| check(&self.at)) {
                Ok(Ok(checked)) if checked.findings.is_empty() => {
                    return Outcome::Lie("a check finds nothing".to_owned());
                }
                Ok(_) => {}
                Err(_) => return Outcome::Lie("a check panics".to_owned()),
            }
        }
        outcome
    }

    fn read(&self) -> Outcome {
        let Ok(reader) = open(&self.at) else { return Outcome::Refused };
        let truth = &self.of.truth;
        if !truth.is_told_by(reader.catalog()) {
            return Outcome::Lie("it opens as another checkpoint".to_owned());
        }
        let mut outcome = Outcome::Harmless;
        for (name, (_, tensor)) in &truth.variables {
            match (reader.read(name), tensor) {
                (Err(_), None) => {}
                (Err(_), Some(_)) => outcome = Outcome::Refused,
                (Ok(read), Some(tensor)) if read == *tensor => {}
                (Ok(_), _) => return Outcome::Lie(format!("`{name}` has another value")),
            }
        }
        outcome
    }
}

/// Some work for one thread.
struct Job<'f> {
    fixture: &'f Fixture,
    /// The file that is spoiled.
    file: usize,
    /// Which of its bytes are changed; `None`: it is cut off everywhere instead.
    bytes: Option<Range<usize>>,
}

/// How it went with one format.
#[derive(Default, Clone, Copy)]
struct Counts {
    fixtures: usize,
    changed: usize,
    cut: usize,
    refused: usize,
    harmless: usize,
}

/// Everything that was found.
#[derive(Default)]
struct Findings {
    counts: BTreeMap<&'static str, Counts>,
    lies: Vec<String>,
}

impl Job<'_> {
    /// Does it, with each byte as each of its `others` in turn.
    fn run(&self, others: fn(u8) -> Vec<u8>, findings: &Mutex<Findings>) {
        let mut copy = Copy::new(self.fixture, self.file);
        let (name, bytes) = &self.fixture.files[self.file];
        let mut counts = Counts::default();
        let mut lies = Vec::new();
        let mut count = |outcome, what: &dyn Fn() -> String| match outcome {
            Outcome::Refused => counts.refused += 1,
            Outcome::Harmless => counts.harmless += 1,
            Outcome::Lie(why) => {
                lies.push(format!("{}: {name} {}: {why}", self.fixture.name, what()));
            }
        };
        match self.bytes.clone() {
            Some(range) => {
                for at in range {
                    for (n, other) in others(bytes[at]).into_iter().enumerate() {
                        copy.put(at, other);
                        count(copy.outcome(n == 0), &|| {
                            format!("with byte {at} {other:#04x} instead of {:#04x}", bytes[at])
                        });
                    }
                    copy.put(at, bytes[at]);
                }
            }
            None => {
                for len in (0..bytes.len()).rev() {
                    copy.file.set_len(len as u64).unwrap();
                    count(copy.outcome(true), &|| format!("cut off at {len}"));
                }
            }
        }
        let sum = counts.refused + counts.harmless + lies.len();
        let mut findings = findings.lock().unwrap();
        findings.lies.append(&mut lies);
        let total = findings.counts.entry(self.fixture.format).or_default();
        *if self.bytes.is_some() { &mut total.changed } else { &mut total.cut } += sum;
        total.refused += counts.refused;
        total.harmless += counts.harmless;
    }
}

/// Spoils every file of every fixture: each byte becomes each of its `others`, and each length.
fn spoil(fixtures: &[Fixture], others: fn(u8) -> Vec<u8>) {
    let findings = Mutex::new(Findings::default());
    let mut jobs = Vec::new();
    for fixture in fixtures {
        findings.lock().unwrap().counts.entry(fixture.format).or_default().fixtures += 1;
        for (file, (_, bytes)) in fixture.files.iter().enumerate() {
            jobs.push(Job { fixture, file, bytes: None });
            let starts = (0..bytes.len()).step_by(CHUNK);
            jobs.extend(starts.map(|start| {
                let bytes = Some(start..bytes.len().min(start + CHUNK));
                Job { fixture, file, bytes }
            }));
        }
    }
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    job.run(others, &findings);
                }
            });
        }
    });
    let Findings { counts, lies } = findings.into_inner().unwrap();
    for (format, Counts { fixtures, changed, cut, refused, harmless }) in counts {
        println!(
            "{format}: {fixtures} checkpoints, {changed} bytes changed, {cut} times cut off; \
             {refused} refused, {harmless} harmless"
        );
        assert!(refused > harmless, "{format} is hardly checked");
    }
    let shown = lies.iter().take(20).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(lies.is_empty(), "{} changes go unnoticed:\n{shown}", lies.len());
}
