//! What came of a batch, as a value and as a document that can be read again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Batch, Job, Shard};
use crate::digest::sha256;
use crate::files::{FileError, Location, read_all};
use crate::yaml::Problem;

/// A summary larger than this is none.
const LIMIT: u64 = 1 << 30;

/// The number that tells readers how to understand the rest.
const SCHEMA: u32 = 1;

/// What became of a conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It was done.
    Converted,
    /// It had been done before, of the same.
    Unchanged,
    /// It would be done.
    Planned,
    /// It could not be done.
    Failed,
    /// It was not begun, or was given up: the batch was interrupted, or ended at a failure.
    NotDone,
}

impl Ending {
    /// What people call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Converted => "converted",
            Self::Unchanged => "unchanged",
            Self::Planned => "planned",
            Self::Failed => "failed",
            Self::NotDone => "not done",
        }
    }
}

/// A conversion, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Its place in the batch, counted from 0.
    pub number: usize,
    /// What was to be converted.
    pub input: String,
    /// What was to be written.
    pub output: String,
    /// What became of it.
    pub outcome: Ending,
    /// Why it was done, or was not, in a few words.
    pub reason: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// What is wrong with its plan.
    pub problems: Vec<Trouble>,
    /// Variables of the input.
    pub variables: usize,
    /// Bytes of values that were written.
    pub bytes: u64,
    /// How long it took.
    pub seconds: f64,
    /// What is worth knowing.
    pub notes: Vec<String>,
}

/// One thing that is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// What sort.
    pub kind: String,
    /// Where in which rule file.
    pub place: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl From<&Problem> for Trouble {
    fn from(problem: &Problem) -> Self {
        Self {
            kind: problem.kind.word().to_owned(),
            place: problem.place.as_ref().map(ToString::to_string),
            message: problem.message.clone(),
            help: problem.help.clone(),
        }
    }
}

impl Outcome {
    /// A conversion that has not been begun.
    pub(super) fn of(job: &Job) -> Self {
        Self {
            number: job.number,
            input: job.input.to_string(),
            output: job.output.to_string(),
            outcome: Ending::NotDone,
            reason: None,
            error: None,
            problems: Vec::new(),
            variables: 0,
            bytes: 0,
            seconds: 0.0,
            notes: Vec::new(),
        }
    }

    /// Why it failed, and what to do if it is known, in one line.
    pub fn failure(&self) -> Option<String> {
        if self.outcome != Ending::Failed {
            return None;
        }
        let Some(first) = self.problems.first() else { return self.error.clone() };
        let place = first.place.as_ref().map_or(String::new(), |place| format!("{place}: "));
        let more = match self.problems.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        let help = first.help.as_ref().map_or(String::new(), |help| format!("; {help}"));
        Some(format!("{place}{}{help}{more}", first.message))
    }
}

/// What came of a batch, or of a share of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    schema: u32,
    /// SHA-256 of all inputs and outputs, for shares with their sizes: those of one batch have the
    /// same.
    pub batch: String,
    /// Conversions of the whole batch.
    pub total: usize,
    /// Which share it is; `None` for all of it.
    pub shard: Option<Shard>,
    /// How many there are of each sort.
    pub counts: Counts,
    /// What went wrong beside conversions: directories that could not be looked through, series
    /// that could not be listed.
    pub errors: Vec<String>,
    /// How long it took; of several shares, the longest.
    pub seconds: f64,
    /// The conversions, in the order of the batch.
    pub jobs: Vec<Outcome>,
}

/// How many conversions ended in which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the words are those of `Ending`")]
pub struct Counts {
    pub converted: usize,
    pub unchanged: usize,
    pub planned: usize,
    pub failed: usize,
    pub not_done: usize,
}

impl Counts {
    fn of(jobs: &[Outcome]) -> Self {
        let count = |ending| jobs.iter().filter(|job| job.outcome == ending).count();
        Self {
            converted: count(Ending::Converted),
            unchanged: count(Ending::Unchanged),
            planned: count(Ending::Planned),
            failed: count(Ending::Failed),
            not_done: count(Ending::NotDone),
        }
    }
}

/// Why summaries cannot be put together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// A file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file is something else.
    #[error("`{at}` is no report of a batch, as `ckptmap batch --report` writes it")]
    NoSummary {
        /// The file.
        at: Location,
        /// Why not.
        source: serde_json::Error,
    },
    /// A file is of another version.
    #[error(
        "`{at}` has schema {schema}, and this program reads {SCHEMA}; merge it with the `ckptmap` \
         that wrote it"
    )]
    Schema {
        /// The file.
        at: Location,
        /// What it says.
        schema: u32,
    },
    /// Two reports are of different batches.
    #[error(
        "`{other}` is of another batch than `{first}`, or of another number of shares: the job \
         file, its checkpoints or their sizes changed in between; run all shares again"
    )]
    OtherBatch {
        /// The first report.
        first: Location,
        /// The one that does not fit.
        other: Location,
    },
    /// A report is there twice.
    #[error(
        "`{first}` and `{second}` tell of the same conversion, `{input}`; give the report of each \
         share once"
    )]
    Twice {
        /// One.
        first: Location,
        /// The other.
        second: Location,
        /// The conversion.
        input: String,
    },
    /// A part is not there.
    #[error(
        "{missing} of {total} conversions are in none of these reports{which}; give the reports of \
         all shares"
    )]
    Missing {
        /// So many.
        missing: usize,
        /// Of so many.
        total: usize,
        /// Which shares, as far as it can be told; empty or with what leads to it.
        which: String,
    },
    /// There is nothing to put together.
    #[error("no report was given; give those of all shares")]
    Nothing,
}

impl Summary {
    /// `share` comes with the sizes that decided about it.
    pub(super) fn new(
        batch: &Batch,
        share: Option<(Shard, Vec<u64>)>,
        jobs: Vec<Outcome>,
        (errors, seconds): (Vec<String>, f64),
    ) -> Self {
        let names = batch.jobs.iter().map(|job| [job.input.to_string(), job.output.to_string()]);
        let (shard, sizes) = share.unzip();
        let names = serde_json::json!([names.collect::<Vec<_>>(), sizes]);
        Self {
            schema: SCHEMA,
            batch: sha256(names.to_string().as_bytes()),
            total: batch.jobs.len(),
            shard,
            counts: Counts::of(&jobs),
            errors,
            seconds,
            jobs,
        }
    }

    /// Whether everything is as it should be.
    pub fn is_complete(&self) -> bool {
        self.counts.failed == 0 && self.counts.not_done == 0 && self.errors.is_empty()
    }

    /// The document for machines.
    pub fn document(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        Ok(text)
    }

    /// Reads a document.
    pub fn read(at: &Location) -> Result<Self, MergeError> {
        let bytes = read_all(at, LIMIT)?;
        let summary: Result<Self, _> = serde_json::from_slice(&bytes);
        let summary = summary.map_err(|source| MergeError::NoSummary { at: at.clone(), source })?;
        if summary.schema == SCHEMA {
            return Ok(summary);
        }
        Err(MergeError::Schema { at: at.clone(), schema: summary.schema })
    }

    /// Puts the shares of a batch together; all of it must be there, and nothing twice.
    pub fn merge(parts: Vec<(Location, Self)>) -> Result<Self, MergeError> {
        let Some((first, whole)) = parts.first() else { return Err(MergeError::Nothing) };
        let (first, batch, total) = (first.clone(), whole.batch.clone(), whole.total);
        let count = whole.shard.map(|shard| shard.count);
        let mut from: BTreeMap<usize, (Location, Outcome)> = BTreeMap::new();
        let (mut shards, mut errors) = (Vec::new(), Vec::new());
        let mut seconds = 0_f64;
        for (at, part) in parts {
            let is_other = part.batch != batch
                || part.total != total
                || part.shard.map(|shard| shard.count) != count
                || part.jobs.iter().any(|job| job.number >= total);
            if is_other {
                return Err(MergeError::OtherBatch { first, other: at });
            }
            seconds = seconds.max(part.seconds);
            shards.extend(part.shard);
            errors.extend(part.errors);
            for job in part.jobs {
                if let Some((first, before)) = from.insert(job.number, (at.clone(), job)) {
                    let input = before.input;
                    return Err(MergeError::Twice { first, second: at, input });
                }
            }
        }
        if from.len() < total {
            let (missing, which) = (total - from.len(), missing(&shards));
            return Err(MergeError::Missing { missing, total, which });
        }
        errors.sort();
        errors.dedup();
        let jobs: Vec<Outcome> = from.into_values().map(|(_, job)| job).collect();
        let counts = Counts::of(&jobs);
        Ok(Self { schema: SCHEMA, batch, total, shard: None, counts, errors, seconds, jobs })
    }
}

/// Shares that are not there.
fn missing(shards: &[Shard]) -> String {
    let Some(count) = shards.first().map(|shard| shard.count) else { return String::new() };
    let all = (0..count).filter(|index| shards.iter().all(|shard| shard.index != *index));
    let names: Vec<String> = all.take(20).map(|index| format!("{index}/{count}")).collect();
    if names.is_empty() { names.concat() } else { format!(": no share {}", names.join(", ")) }
}
