//! Many conversions: from a job file to what came of each.
//!
//! ```text
//!  job file ──► JobFile ──► Batch ──► share ──► run ──► Summary ──► merge
//!   patterns     entries     jobs,     a part    │       one job a line
//!                            series    of them   ├──► task      open, plan, convert: one at a time
//!                                                ├──► record    what is done already, and how it is known
//!                                                └──► budget    memory that all have together
//! ```
//! A batch knows `convert`, and nothing of how that works.

mod budget;
mod file;
mod find;
mod job;
mod pattern;
mod record;
mod run;
mod shard;
mod shared;
mod summary;
mod task;

use crate::rules::RulesError;
use crate::yaml::Problems;

pub use file::{Data, How, JobFile};
pub use job::{Batch, Job, Series};
pub use run::{Mode, Options, Watch, run};
pub use shard::{Shard, ShardError, ShardSource};
pub use summary::{Counts, Ending, MergeError, Outcome, Summary, Trouble};

/// The JSON schema of job files.
pub const SCHEMA: &str = include_str!("jobs.schema.json");

/// Why there is no batch to be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// The job file is wrong.
    #[error(transparent)]
    Problems(#[from] Problems),
    /// There is no job file.
    #[error(transparent)]
    Text(#[from] RulesError),
}
