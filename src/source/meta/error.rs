//! Why a `.meta` tells nothing.

use crate::files::FileError;

/// A file that is no graph that can be used; as it reads after the file's name.
#[derive(Debug, thiserror::Error)]
pub(super) enum MetaError {
    /// The file cannot be read.
    #[error("cannot be read ({})", .0.source)]
    File(#[from] FileError),
    /// Something else, as it reads after the file's name.
    #[error("{0}")]
    Other(&'static str),
    /// Fields that do not fit into each other.
    #[error("is damaged or cut off at byte {0}")]
    Damaged(u64),
    /// A message inside that is none.
    #[error("is damaged")]
    Message(#[from] prost::DecodeError),
    /// More than can be believed.
    #[error("has more than {limit} {what}")]
    Many {
        /// Of what.
        what: &'static str,
        /// How many may be.
        limit: u64,
    },
}
