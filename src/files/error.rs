//! What the file system refused.

use std::fmt;
use std::io;

use super::Location;

/// What was being done, as it reads after "cannot".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words say it")]
pub enum Action {
    Look,
    Open,
    Read,
    List,
    MakeDirectory,
    Create,
    Write,
    Sync,
    Rename,
    Remove,
    Link,
    Reflink,
    Copy,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Look => "look at",
            Self::Open => "open",
            Self::Read => "read",
            Self::List => "list",
            Self::MakeDirectory => "make the directory",
            Self::Create => "create a file for",
            Self::Write => "write",
            Self::Sync => "sync",
            Self::Rename => "put in place",
            Self::Remove => "remove",
            Self::Link => "link",
            Self::Reflink => "share the blocks of",
            Self::Copy => "copy inside its bucket",
        })
    }
}

/// A failed operation on a file.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} `{at}`")]
pub struct FileError {
    /// What was being done.
    pub action: Action,
    /// To which file.
    pub at: Location,
    /// Why it failed.
    pub source: io::Error,
}

impl FileError {
    /// Wraps what the operating system said; for `map_err`.
    pub fn new(action: Action, at: &Location) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { action, at: at.clone(), source }
    }

    /// A file that is too large to be what it should be.
    pub(super) fn too_large(at: &Location, len: u64, limit: u64) -> Self {
        let what = format!(
            "it has {len} bytes, more than the {limit} expected here at the most; is it another file than was meant?"
        );
        Self::new(Action::Read, at)(io::Error::new(io::ErrorKind::FileTooLarge, what))
    }
}
