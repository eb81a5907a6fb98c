//! `batch`: many conversions, as a job file says.

use std::collections::BTreeMap;
use std::env;
use std::num::NonZero;
use std::thread;

use anyhow::{anyhow, bail};

use super::bars::Bars;
use super::interrupt::Interrupt;
use super::ui::Ui;
use super::values::at_once;
use super::{Answer, explain, page};
use ckptmap::batch::{
    Batch, BatchError, JobFile, MergeError, Mode, Options, ShardSource, Summary, run as run_batch,
};
use ckptmap::files::{Location, store, write_all};
use ckptmap::report::Report;
use ckptmap::size::size;

/// More notes than these are counted.
const NOTES: usize = 10;

/// Convert many checkpoints, as a job file says
///
/// What was converted before, of the same source by the same rules, is left as it is. Whatever
/// fails is told of, and the rest goes on. Exit status: 0 all is done, 1 something failed, 2 nothing
/// could be begun.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The job file
    #[arg(value_name = "JOBS", required_unless_present = "merge_reports")]
    jobs: Option<Location>,
    /// Conversions at a time [default: one for each processor, but two at the least]
    #[arg(short = 'j', long = "jobs", value_name = "N", value_parser = at_once)]
    at_once: Option<NonZero<usize>>,
    /// Plan everything and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Begin no other conversion after one that failed
    #[arg(long)]
    fail_fast: bool,
    #[command(flatten)]
    again: Again,
    /// Do a share only: `I/N` (the first of four is `0/4`), `slurm` in the tasks of a Slurm array,
    /// `kubernetes` in the pods of an indexed Job that sets `JOB_COMPLETIONS`
    #[arg(long, value_name = "SHARE")]
    shard: Option<ShardSource>,
    /// Memory for values that are transformed, of all conversions together
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "256MiB")]
    memory: u64,
    /// Put the reports of all shares together, instead of converting anything
    #[arg(
        long, value_name = "REPORT", num_args = 1..,
        conflicts_with_all = ["jobs", "at_once", "dry_run", "fail_fast", "redo", "force", "shard"]
    )]
    merge_reports: Vec<Location>,
    #[command(flatten)]
    told: Told,
}

/// What is done though something stands there.
#[derive(Debug, clap::Args)]
struct Again {
    /// Convert again what has been converted of the same
    #[arg(long)]
    redo: bool,
    /// Replace checkpoints that no batch wrote, or that were written again since
    #[arg(long)]
    force: bool,
}

/// How it is told what became of everything.
#[derive(Debug, clap::Args)]
struct Told {
    /// Write what became of each checkpoint to a file, in JSON
    #[arg(long, value_name = "FILE")]
    report: Option<Location>,
    /// Write it as a page to look through as well
    #[arg(long, value_name = "FILE")]
    html: Option<Location>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Answer> {
    args.told.check()?;
    let Some(jobs) = &args.jobs else {
        let read = |at: &Location| Ok((at.clone(), Summary::read(at)?));
        let parts: Result<Vec<_>, MergeError> = args.merge_reports.iter().map(read).collect();
        return args.told.tell(&Summary::merge(parts?)?, ui);
    };
    let shard = args.shard.map(|source| source.shard(&|name| env::var(name).ok())).transpose()?;
    let batch = JobFile::read(jobs).and_then(|file| Batch::expand(&file, &jobs.parent()));
    let batch = match batch {
        Err(BatchError::Problems(problems)) => {
            explain::refuse(&problems, args.told.json, ui)?;
            return Ok(Answer::Unknown);
        }
        batch => batch?,
    };
    // Not before: nothing has been written, and looking for checkpoints may take long.
    let interrupt = Interrupt::listen()?;
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let processors = thread::available_parallelism().map_or(2, NonZero::get).max(2);
    let options = Options {
        at_once: args.at_once.map_or(processors, NonZero::get),
        memory: args.memory,
        fail_fast: args.fail_fast,
        redo: args.again.redo,
        force: args.again.force,
        mode: if args.dry_run { Mode::Plan } else { Mode::Convert },
        shard,
    };
    let bars = Bars::new(ui, interrupt.clone());
    let summary = run_batch(&batch, &options, &bars);
    drop(bars);
    let told = args.told.tell(&summary, ui);
    match interrupt.signal() {
        Some(signal) => {
            if let Err(error) = told {
                ui.error(&error);
            }
            Ok(Answer::Interrupted(signal))
        }
        None => told,
    }
}

impl Told {
    /// Hours of work should not end in a report that cannot be written.
    fn check(&self) -> anyhow::Result<()> {
        if let Some(at) = &self.report {
            may_report(at)?;
        }
        if let Some(at) = &self.html {
            page::may_write(at)?;
        }
        if self.report.is_some() && self.report == self.html {
            bail!("`--report` and `--html` name the same file; give one of them another name");
        }
        for at in [&self.report, &self.html].into_iter().flatten() {
            if at.is_directory_like() {
                bail!("`{at}` names a directory; add a name for the file in it");
            }
            // Gone at once, and its directory with it.
            drop(store(at).stage(at)?);
        }
        Ok(())
    }

    /// Says what became of everything, wherever that is wanted.
    fn tell(&self, summary: &Summary, ui: &Ui) -> anyhow::Result<Answer> {
        if let Some(at) = &self.report {
            may_report(at)?;
            write_all(at, &summary.document()?)?;
        }
        if let Some(at) = &self.html {
            page::write(at, &Report::Overview(summary))?;
        }
        if self.json || !ui.is_quiet() {
            ui.answer(&Report::Batch(summary), self.json)?;
        } else {
            ui.keep(&Report::Batch(summary))?;
        }
        for error in &summary.errors {
            ui.error(&anyhow!("{error}"));
        }
        for note in notes(summary) {
            ui.note(note);
        }
        Ok(if summary.is_complete() { Answer::Yes } else { Answer::No })
    }
}

/// What is worth knowing, each once; `--report` says of which checkpoint.
fn notes(summary: &Summary) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for note in summary.jobs.iter().flat_map(|job| &job.notes) {
        *counts.entry(note).or_default() += 1;
    }
    let more = counts.len().saturating_sub(NOTES);
    let told = counts.into_iter().take(NOTES).map(|(note, count)| match count {
        1 => note.to_owned(),
        count => format!("{note} (so it is with {count} checkpoints)"),
    });
    let more = (more > 0).then(|| format!("and {more} more; `--report` has all"));
    told.chain(more).collect()
}

/// Whether a report may be put there: nothing but an earlier one is replaced.
fn may_report(at: &Location) -> anyhow::Result<()> {
    if store(at).status(at)?.is_some() && Summary::read(at).is_err() {
        bail!("`{at}` is there, and is no report of a batch; give `--report` another name");
    }
    Ok(())
}
