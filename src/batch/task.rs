//! One conversion of a batch.

use std::sync::Arc;
use std::time::Instant;

use serde_json::json;

use super::budget::Budget;
use super::record::{Author, FileIdentity, Origin, RESULTS, Standing, identity, index, standing};
use super::shared::Shared;
use super::summary::{Ending, Outcome, Trouble};
use super::{Data, Job, Options};
use crate::catalog::VariableName;
use crate::causes::in_one_line;
use crate::convert::{self, Conversion, ConvertError, Inputs, convert};
use crate::files::{Entry, FileError, Location, entries, store};
use crate::mapping::{Mapping, Problems};
use crate::plan::{self, Plan, plan};
use crate::progress::Progress;
use crate::reverse::{by_full_name, plan_back};
use crate::rules::RulesError;
use crate::source::{CheckpointReader, SourceError, open};
use crate::target::{self, TargetError, check_destination, create};

/// The least memory that a conversion takes.
const LEAST: u64 = 1 << 20;

/// Why a conversion failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum TaskError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Rules(#[from] RulesError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Convert(#[from] ConvertError),
    #[error(transparent)]
    Problems(#[from] Problems),
    #[error("`reverse` with rules needs the TF1 checkpoint: `like: old/model.ckpt`")]
    NoWayBack,
    #[error("`{0}` changes while it is read; run again when nobody writes to it")]
    Unstable(String),
    #[error("a checkpoint stands at `{0}`, and {1}; `--force` replaces it")]
    Stranger(String, &'static str),
}

/// What came of it, if nobody else is at it.
pub(super) enum Done {
    Ended(Ending),
    /// Another run does it.
    Elsewhere,
}

/// What all conversions of a batch have in common.
pub(super) struct Bench<'b> {
    pub(super) options: &'b Options,
    pub(super) shared: Shared,
    pub(super) budget: Budget,
}

impl Bench<'_> {
    /// Does a conversion; `None` where another run is at it.
    pub(super) fn work(&self, job: &Job, progress: &dyn Progress) -> Option<Outcome> {
        let begun = Instant::now();
        let mut outcome = Outcome::of(job);
        match self.attempt(job, &mut outcome, progress) {
            Ok(Done::Ended(ending)) => outcome.outcome = ending,
            Ok(Done::Elsewhere) => return None,
            Err(TaskError::Convert(ConvertError::Interrupted)) => {}
            Err(error) => {
                outcome.outcome = Ending::Failed;
                match &error {
                    TaskError::Problems(problems) => {
                        outcome.problems = problems.iter().map(Trouble::from).collect();
                    }
                    error => outcome.error = Some(in_one_line(error)),
                }
            }
        }
        outcome.seconds = begun.elapsed().as_secs_f64();
        Some(outcome)
    }

    fn attempt(
        &self,
        job: &Job,
        outcome: &mut Outcome,
        progress: &dyn Progress,
    ) -> Result<Done, TaskError> {
        let source = open(&job.input)?;
        outcome.variables = source.catalog().variables.len();
        let template = job.like.as_ref().map(|like| self.shared.template(like)).transpose()?;
        let rules = job.rules.as_ref().map(|rules| self.shared.rules(rules, &job.how.set));
        let rules = rules.transpose()?;
        let origin = Origin {
            source: identity(source.as_ref())?,
            rules: rules.as_ref().map_or(String::new(), |read| read.sha256.clone()),
            template: template.as_ref().map_or(Vec::new(), |like| like.identity.clone()),
            options: options(job),
            save_counter: job.how.plan.save_counter,
            results: RESULTS,
        };
        let Some(way) = self.way(job, Some(&origin))? else {
            outcome.reason = Some("made of the same before".to_owned());
            return Ok(Done::Ended(Ending::Unchanged));
        };
        let found = |source| Found {
            source,
            like: template.as_ref().map(|like| like.reader.as_ref()),
            mapping: rules.as_ref().map(|read| read.mapping.as_ref()),
        };
        if self.options.is_dry() {
            let found = found(source);
            found.plan(job, outcome)?;
            let overwrite = way.overwrite || !way.leftovers.is_empty();
            check_destination(&job.output, overwrite, &found.files()?)?;
            return Ok(Done::Ended(Ending::Planned));
        }
        let Some(_claim) = store(&job.output).claim(&job.output)? else {
            return Ok(Done::Elsewhere);
        };
        // Whoever had it before may have done everything.
        let Some(way) = self.way(job, Some(&origin))? else {
            outcome.reason = Some("another run has done it".to_owned());
            return Ok(Done::Ended(Ending::Unchanged));
        };
        outcome.reason.clone_from(&way.reason);
        let found = found(open_same(&job.input, &origin.source)?);
        let plan = found.plan(job, outcome)?;
        match self.convert(job, &found, &plan, (&way, origin), progress) {
            // Somebody was faster, and had no claim: where there are no locks there are none.
            Err(error) if is_taken(&error) && self.way(job, None)?.is_none_or(|now| now != way) => {
                Ok(Done::Elsewhere)
            }
            Err(error) => Err(error),
            Ok(done) => {
                outcome.bytes = done.bytes;
                outcome.notes.extend(done.written.notes);
                Ok(Done::Ended(Ending::Converted))
            }
        }
    }

    /// How it is to be done; `None` where it has been, of `origin`.
    fn way(&self, job: &Job, origin: Option<&Origin>) -> Result<Option<Way>, TaskError> {
        Ok(Some(match standing(&job.output)? {
            Standing::Done(done) => {
                let differs = origin.map(|origin| origin.differs(&done.origin));
                if differs.as_ref().is_some_and(Vec::is_empty) && !self.options.redo {
                    if !self.options.is_dry() {
                        // A run that was killed just after its commit had no time to.
                        for at in &done.leftovers {
                            let _ = store(at).remove(at);
                        }
                    }
                    return Ok(None);
                }
                let reason = match &differs.unwrap_or_default()[..] {
                    [] => "it was asked for again".to_owned(),
                    what => format!("{} changed", what.join(" and ")),
                };
                Way::over(reason, done.index, done.data)
            }
            Standing::Broken { index, data } => {
                Way::over("data files of the result were gone".to_owned(), index, data)
            }
            Standing::Replacing(index) => {
                Way::over("a run was killed before it was done".to_owned(), index, Vec::new())
            }
            Standing::Unfinished(leftovers) => {
                let reason = Some("it was not finished, or removed since".to_owned());
                Way { reason, leftovers, ..Way::default() }
            }
            Standing::Nothing => Way { overwrite: self.options.force, ..Way::default() },
            Standing::Stranger(_) if self.options.force => {
                let index = index(&job.output)?;
                let reason = Some("replaced by force".to_owned());
                Way { reason, index, overwrite: true, ..Way::default() }
            }
            Standing::Stranger(why) => {
                return Err(TaskError::Stranger(job.output.to_string(), why));
            }
        }))
    }

    /// Carries the plan out with a share of the memory, or with as much as it takes.
    fn convert(
        &self,
        job: &Job,
        found: &Found<'_>,
        plan: &Plan,
        (way, origin): (&Way, Origin),
        progress: &dyn Progress,
    ) -> Result<Conversion, TaskError> {
        let never = found.files()?;
        way.clear(&never)?;
        let Data { verify, share, sync, shard_size } = job.how.data;
        let author = Author {
            input: job.input.to_string(),
            origin,
            replaces: way.index.clone(),
            replaced: way.data.iter().map(Location::name).collect(),
        };
        let options = target::Options {
            overwrite: way.overwrite,
            sync,
            update_state: false,
            shard_size,
            record: Some(Arc::new(author)),
        };
        let inputs = Inputs { source: found.source.as_ref(), template: found.like };
        let all = self.options.memory;
        // Less than the least is taken for that.
        let mut wanted = (all / self.options.at_once.max(1) as u64).max(LEAST);
        loop {
            let Some(memory) = self.budget.take(wanted, &|| progress.cancelled()) else {
                return Err(ConvertError::Interrupted.into());
            };
            let how = convert::Options { memory: memory.bytes, verify, share };
            let writer = create(&job.output, &options, &never)?;
            // What it found there is what it will replace; it must still be what was decided about.
            if index(&job.output)? != way.index {
                let to = job.output.clone();
                return Err(ConvertError::Commit(TargetError::Changed { to }).into());
            }
            match convert(plan, &inputs, writer, &how, progress) {
                Err(ConvertError::Memory { pass, .. }) if pass > memory.bytes && pass <= all => {
                    wanted = pass;
                }
                done => return Ok(done?),
            }
        }
    }
}

/// What a conversion is made of.
struct Found<'f> {
    source: Box<dyn CheckpointReader>,
    like: Option<&'f dyn CheckpointReader>,
    mapping: Option<&'f Result<Mapping, Problems>>,
}

impl Found<'_> {
    /// The files that must not be written to.
    fn files(&self) -> Result<Vec<Entry>, FileError> {
        let mut files = self.source.files();
        files.extend(self.like.iter().flat_map(|like| like.files()));
        entries(&files)
    }

    /// What the rules make of it.
    fn plan(&self, job: &Job, outcome: &mut Outcome) -> Result<Plan, TaskError> {
        let source = self.source.catalog();
        let mapping = self.mapping.map(Result::as_ref).transpose().map_err(Clone::clone)?;
        let plan = match (mapping, self.like) {
            (Some(mapping), Some(old)) if job.how.reverse => {
                let has_data = |name: &VariableName| old.extent(name).is_ok();
                plan_back(old.catalog(), source, mapping, &job.how.plan, &has_data)
            }
            (Some(_), None) if job.how.reverse => return Err(TaskError::NoWayBack),
            (Some(mapping), like) => {
                plan(source, mapping, like.map(CheckpointReader::catalog), &job.how.plan)
            }
            (None, _) => by_full_name(source),
        }?;
        outcome.notes.extend(source.facts.notes.iter().cloned());
        outcome.notes.extend(plan.warnings.iter().map(ToString::to_string));
        Ok(plan)
    }
}

/// Opens the checkpoint whose files were `identity`, and still are: one that is replaced in between
/// must not pass for the one that is read.
pub(super) fn open_same(
    at: &Location,
    identity: &[FileIdentity],
) -> Result<Box<dyn CheckpointReader>, TaskError> {
    let reader = open(at)?;
    if super::record::identity(reader.as_ref())? == identity {
        return Ok(reader);
    }
    Err(TaskError::Unstable(at.to_string()))
}

/// Whether something stands there that did not before.
fn is_taken(error: &TaskError) -> bool {
    matches!(
        error,
        TaskError::Target(TargetError::Exists { .. })
            | TaskError::Convert(ConvertError::Commit(
                TargetError::Exists { .. } | TargetError::Changed { .. }
            ))
    )
}

/// How a conversion is done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Way {
    reason: Option<String>,
    overwrite: bool,
    /// SHA-256 of the index that it replaces.
    index: Option<String>,
    /// Data files of that.
    data: Vec<Location>,
    /// Data files that a killed run left, of no use to anybody.
    leftovers: Vec<Location>,
}

impl Way {
    /// Over a result that is ours.
    fn over(reason: String, index: String, data: Vec<Location>) -> Self {
        let (reason, index) = (Some(reason), Some(index));
        Self { reason, overwrite: true, index, data, leftovers: Vec::new() }
    }

    /// Removes what a killed run left, but nothing of the source's.
    fn clear(&self, never: &[Entry]) -> Result<(), FileError> {
        for at in &self.leftovers {
            let entry = Entry::of(at)?;
            if !entry.is_some_and(|entry| never.iter().any(|other| entry.is_same_name(other))) {
                store(at).remove(at)?;
            }
        }
        Ok(())
    }
}

/// What a job says beside its files, as far as the result depends on it.
fn options(job: &Job) -> String {
    let plan::Options { purpose, keep_names, save_counter: _, keep_missing, backwards: _ } =
        &job.how.plan;
    let share = job.how.data.share.map(|sharing| sharing.how.word());
    let purpose = match purpose {
        plan::Purpose::Restore => "restore",
        plan::Purpose::Read => "read",
    };
    json!({
        "reverse": job.how.reverse,
        "for": purpose,
        "keep_names": keep_names,
        "share": share,
        "keep_missing": keep_missing,
        "shard_size": job.how.data.shard_size,
        "verify": job.how.data.verify,
    })
    .to_string()
}
