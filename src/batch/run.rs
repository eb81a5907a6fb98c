//! Several conversions at a time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::budget::Budget;
use super::record::stands;
use super::shard::divide;
use super::shared::{Shared, lock};
use super::summary::{Ending, Outcome, Summary};
use super::task::Bench;
use super::{Batch, Job, Series, Shard};
use crate::causes::in_one_line;
use crate::files::{Location, store};
use crate::progress::Progress;
use crate::source::open;
use crate::target::{Listing, list_series, unless};

/// How often it is looked whether another run is done.
const PATIENCE: Duration = Duration::from_millis(200);

/// It is said that others are waited for when it was looked so often.
const ROUNDS: usize = 10;

/// How a batch is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Conversions at a time.
    pub at_once: usize,
    /// Bytes of values that may be in memory at a time, of all conversions together.
    pub memory: u64,
    /// Whether none is begun after one that failed.
    pub fail_fast: bool,
    /// Whether what was made of the same before is made again.
    pub redo: bool,
    /// Whether checkpoints are replaced that no batch wrote.
    pub force: bool,
    /// What is done.
    pub mode: Mode,
    /// Which share of the batch; all of it if absent.
    pub shard: Option<Shard>,
}

/// What is done with a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is converted.
    Convert,
    /// Its conversion is planned.
    Plan,
}

impl Options {
    /// Whether nothing is written.
    pub(super) fn is_dry(&self) -> bool {
        self.mode == Mode::Plan
    }
}

/// Hears of conversions as they begin and end.
pub trait Watch: Sync {
    /// So many lie ahead.
    fn ahead(&self, jobs: usize);

    /// One begins; it is told how far it has come for as long as it is at work.
    fn begin(&self, job: &Job) -> Box<dyn Progress + '_>;

    /// One has ended.
    fn end(&self, outcome: &Outcome);

    /// Something worth knowing about the batch as a whole.
    fn note(&self, note: String);

    /// Whether no other one should be begun.
    fn cancelled(&self) -> bool;
}

/// Runs a batch, or a share of it.
pub fn run(batch: &Batch, options: &Options, watch: &dyn Watch) -> Summary {
    let begun = Instant::now();
    let (jobs, sizes) = share(batch, options.shard);
    let options = &Options { at_once: options.at_once.min(jobs.len()).max(1), ..options.clone() };
    watch.ahead(jobs.len());
    if !options.is_dry() {
        sweep(&jobs, watch);
    }
    let bench = Bench { options, shared: Shared::new(), budget: Budget::new(options.memory) };
    let crew = Crew {
        bench: &bench,
        watch,
        waiting: Mutex::new(jobs.iter().copied().collect()),
        ended: Mutex::new(Vec::with_capacity(jobs.len())),
        stopped: AtomicBool::new(false),
    };
    thread::scope(|scope| {
        for _ in 1..options.at_once.min(jobs.len()) {
            // Where no thread can be had, the others do its work.
            let _ = thread::Builder::new().spawn_scoped(scope, || crew.work());
        }
        crew.work();
    });
    let mut ended = crew.ended.into_inner().unwrap_or_else(PoisonError::into_inner);
    let known: BTreeSet<usize> = ended.iter().map(|outcome| outcome.number).collect();
    ended
        .extend(jobs.iter().filter(|job| !known.contains(&job.number)).map(|job| Outcome::of(job)));
    ended.sort_by_key(|outcome| outcome.number);
    let mut errors = batch.troubles.clone();
    if !options.is_dry() {
        errors.extend(list(batch, &ended, watch));
    }
    let share = options.shard.map(|shard| (shard, sizes));
    Summary::new(batch, share, ended, (errors, begun.elapsed().as_secs_f64()))
}

/// The jobs of a share, or all; with the sizes that decided about it.
fn share(batch: &Batch, shard: Option<Shard>) -> (Vec<&Job>, Vec<u64>) {
    let Some(shard) = shard else { return (batch.jobs.iter().collect(), Vec::new()) };
    let sizes: Vec<u64> = batch.jobs.iter().map(|job| size(&job.input)).collect();
    let shares = divide(&sizes, shard.count);
    let own = batch.jobs.iter().zip(shares).filter(|(_, share)| *share == shard.index);
    (own.map(|(job, _)| job).collect(), sizes)
}

/// Bytes of a checkpoint's files; 0 where it cannot be read, which is told of later.
fn size(input: &Location) -> u64 {
    let Ok(reader) = open(input) else { return 0 };
    let sizes = reader.files().into_iter().filter_map(|at| store(&at).status(&at).ok().flatten());
    sizes.fold(0, |sum, status| sum.saturating_add(status.len))
}

/// Removes what runs that were killed left where this one will write.
fn sweep(jobs: &[&Job], watch: &dyn Watch) {
    let mut removed = 0;
    let mut seen = BTreeSet::new();
    for job in jobs.iter().filter(|job| seen.insert(job.output.parent())) {
        let store = store(&job.output);
        let abandoned = store.abandoned(&job.output).unwrap_or_default();
        // One that cannot be removed harms nobody.
        removed += abandoned.iter().filter(|at| store.remove(at).is_ok()).count();
    }
    match removed {
        0 => {}
        1 => watch.note("removed a file that a killed run had left".to_owned()),
        n => watch.note(format!("removed {n} files that killed runs had left")),
    }
}

/// Lists series in the `checkpoint` files of their directories; what could not be listed.
fn list(batch: &Batch, ended: &[Outcome], watch: &dyn Watch) -> Vec<String> {
    let own: BTreeMap<usize, Ending> =
        ended.iter().map(|outcome| (outcome.number, outcome.outcome)).collect();
    let mut troubles = Vec::new();
    for Series { jobs, sync } in &batch.series {
        if !jobs.iter().any(|job| own.contains_key(job)) {
            continue;
        }
        let jobs: Vec<&Job> = jobs.iter().filter_map(|job| batch.jobs.get(*job)).collect();
        let outputs: Vec<Location> = jobs.iter().map(|job| job.output.clone()).collect();
        let ending = |number: usize| own.get(&jobs.get(number)?.number);
        let listing = |number: usize, output: &Location| match ending(number) {
            Some(Ending::Converted | Ending::Unchanged) => Listing::Add,
            // Another share's.
            None if stands(output) => Listing::Add,
            // Whatever it is, it is nobody's business here.
            _ => match store(output).status(&output.with_suffix(".index")) {
                Ok(None) => Listing::Remove,
                _ => Listing::Keep,
            },
        };
        let proceed = || unless(watch.cancelled());
        if let Err(error) = list_series(&outputs, &listing, *sync, &proceed) {
            let directory = outputs.first().map_or_else(String::new, |at| at.parent().to_string());
            let why = in_one_line(&error);
            troubles.push(format!("the checkpoints in `{directory}` could not be listed: {why}"));
        }
    }
    troubles
}

/// Those who work on a batch.
struct Crew<'c> {
    bench: &'c Bench<'c>,
    watch: &'c dyn Watch,
    waiting: Mutex<VecDeque<&'c Job>>,
    ended: Mutex<Vec<Outcome>>,
    stopped: AtomicBool,
}

impl Crew<'_> {
    /// Takes one job after another, for as long as there are some.
    fn work(&self) {
        // Jobs in a row that other runs are at, and how often all were.
        let (mut elsewhere, mut rounds) = (0, 0);
        while !self.is_over() {
            let next = lock(&self.waiting).pop_front();
            let Some(job) = next else { return };
            let progress = self.watch.begin(job);
            let outcome = self.bench.work(job, progress.as_ref());
            drop(progress);
            let Some(outcome) = outcome else {
                let mut waiting = lock(&self.waiting);
                waiting.push_back(job);
                elsewhere += 1;
                let all = elsewhere >= waiting.len();
                drop(waiting);
                if all {
                    rounds += 1;
                    if rounds == ROUNDS {
                        let input = &job.input;
                        self.watch.note(format!("waiting for another run that converts `{input}`"));
                    }
                    thread::sleep(PATIENCE);
                    elsewhere = 0;
                }
                continue;
            };
            (elsewhere, rounds) = (0, 0);
            if outcome.outcome == Ending::Failed && self.bench.options.fail_fast {
                self.stopped.store(true, Ordering::Relaxed);
            }
            self.watch.end(&outcome);
            lock(&self.ended).push(outcome);
        }
    }

    fn is_over(&self) -> bool {
        self.stopped.load(Ordering::Relaxed) || self.watch.cancelled()
    }
}
