//! One conversion of a batch.

use std::sync::Arc;
use std::time::Instant;

use serde_json::json;

use super::budget::Budget;
use super::record::{Author, Origin, Standing, identity, standing};
use super::shared::{Shared, Template};
use super::summary::{Ending, Outcome, Trouble};
use super::{Job, Options};
use crate::catalog::VariableName;
use crate::causes::in_one_line;
use crate::convert::{self, Conversion, ConvertError, Inputs, convert};
use crate::files::{FileError, entries, store};
use crate::mapping::Problems;
use crate::plan::{self, Plan, plan};
use crate::progress::Progress;
use crate::reverse::{by_full_name, plan_back};
use crate::rules::RulesError;
use crate::source::{CheckpointReader, SourceError, open};
use crate::target::{self, TargetError, create};

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
            // Where there are no claims, it is noticed at the end only.
            Err(TaskError::Convert(ConvertError::Commit(TargetError::Changed { .. }))) => {
                return None;
            }
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
        };
        let store = store(&job.output);
        let Some(mut way) = self.way(job, &origin)? else {
            outcome.reason = Some("made of the same before".to_owned());
            return Ok(Done::Ended(Ending::Unchanged));
        };
        let _claim = if self.options.is_dry() {
            None
        } else {
            let Some(claim) = store.claim(&job.output)? else { return Ok(Done::Elsewhere) };
            // Whoever had it before may have done everything.
            match self.way(job, &origin)? {
                Some(now) => way = now,
                None => {
                    outcome.reason = Some("another run has done it".to_owned());
                    return Ok(Done::Ended(Ending::Unchanged));
                }
            }
            Some(claim)
        };
        outcome.reason = way.reason;
        let like = template.as_ref().map(|like| like.reader.as_ref());
        let mapping = rules.as_ref().map(|read| read.mapping.as_ref());
        let mapping = match mapping {
            Some(Err(problems)) => return Err(problems.clone().into()),
            Some(Ok(mapping)) => Some(mapping),
            None => None,
        };
        let plan = match (mapping, like) {
            (Some(mapping), Some(old)) if job.how.reverse => {
                let has_data = |name: &VariableName| old.extent(name).is_ok();
                plan_back(old.catalog(), source.catalog(), mapping, &job.how.plan, &has_data)
            }
            (Some(mapping), like) => {
                let like = like.map(CheckpointReader::catalog);
                plan(source.catalog(), mapping, like, &job.how.plan)
            }
            (None, _) => by_full_name(source.catalog()),
        }?;
        outcome.notes.extend(source.catalog().facts.notes.iter().cloned());
        outcome.notes.extend(plan.warnings.iter().map(ToString::to_string));
        if self.options.is_dry() {
            return Ok(Done::Ended(Ending::Planned));
        }
        if way.is_unfinished {
            // Data files without an index: of nobody but the run that was killed.
            for at in store.list(&job.output.with_suffix(".data-"))? {
                store.remove(&at)?;
            }
        }
        let author = Author { input: outcome.input.clone(), origin, replaces: way.replaces };
        let options = target::Options {
            overwrite: way.overwrite,
            sync: job.how.data.sync,
            update_state: false,
            shard_size: job.how.data.shard_size,
            record: Some(Arc::new(author)),
        };
        let parts = Parts { source: source.as_ref(), template: template.as_deref(), plan: &plan };
        let done = self.convert(job, &parts, &options, progress)?;
        outcome.bytes = done.bytes;
        outcome.notes.extend(done.written.notes);
        Ok(Done::Ended(Ending::Converted))
    }

    /// How it is to be done; `None` where it has been, of the same.
    fn way(&self, job: &Job, origin: &Origin) -> Result<Option<Way>, TaskError> {
        let way = |reason: Option<String>, replaces: Option<String>| Way {
            reason,
            overwrite: replaces.is_some(),
            replaces,
            is_unfinished: false,
        };
        Ok(Some(match standing(&job.output)? {
            Standing::Done { origin: was, index } => {
                let differs = origin.differs(&was);
                if differs.is_empty() && !self.options.redo {
                    return Ok(None);
                }
                let reason = match &differs[..] {
                    [] => "it was asked for again".to_owned(),
                    what => format!("{} changed", what.join(" and ")),
                };
                way(Some(reason), Some(index))
            }
            Standing::Broken { index } => {
                way(Some("data files of the result were gone".to_owned()), Some(index))
            }
            Standing::Unfinished { index } => Way {
                is_unfinished: index.is_none(),
                ..way(Some("a run was killed before it was done".to_owned()), index)
            },
            Standing::Nothing => Way { overwrite: self.options.force, ..way(None, None) },
            Standing::Stranger(_) if self.options.force => {
                let reason = "replaced by force".to_owned();
                Way { overwrite: true, ..way(Some(reason), None) }
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
        parts: &Parts<'_>,
        options: &target::Options,
        progress: &dyn Progress,
    ) -> Result<Conversion, TaskError> {
        let like = parts.template.map(|template| template.reader.as_ref());
        let inputs = Inputs { source: parts.source, template: like };
        let mut files = parts.source.files();
        files.extend(like.into_iter().flat_map(CheckpointReader::files));
        let never = entries(&files)?;
        let mut wanted = self.options.memory / self.options.at_once.max(1) as u64;
        loop {
            let Some(memory) = self.budget.take(wanted, &|| progress.cancelled()) else {
                return Err(ConvertError::Interrupted.into());
            };
            let how = convert::Options {
                memory: memory.bytes,
                verify: job.how.data.verify,
                share: job.how.data.share,
            };
            let writer = create(&job.output, options, &never)?;
            match convert(parts.plan, &inputs, writer, &how, progress) {
                Err(ConvertError::Memory { pass, .. })
                    if pass > memory.bytes && pass <= self.options.memory =>
                {
                    wanted = pass;
                }
                done => return Ok(done?),
            }
        }
    }
}

/// How a conversion is done.
struct Way {
    reason: Option<String>,
    overwrite: bool,
    /// The index that it replaces.
    replaces: Option<String>,
    is_unfinished: bool,
}

/// What a conversion is made of.
struct Parts<'p> {
    source: &'p dyn CheckpointReader,
    template: Option<&'p Template>,
    plan: &'p Plan,
}

/// What a job says beside its files, as far as the result depends on it.
fn options(job: &Job) -> String {
    let plan::Options { purpose, keep_names, save_counter, keep_missing, backwards: _ } =
        &job.how.plan;
    let purpose = match purpose {
        plan::Purpose::Restore => "restore",
        plan::Purpose::Read => "read",
    };
    json!({
        "reverse": job.how.reverse,
        "for": purpose,
        "keep_names": keep_names,
        "save_counter": save_counter,
        "keep_missing": keep_missing,
        "shard_size": job.how.data.shard_size,
        "verify": job.how.data.verify,
    })
    .to_string()
}
