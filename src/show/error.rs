//! Why values cannot be shown.

use super::slice::SliceError;
use crate::files::{FileError, Location};
use crate::source::SourceError;
use crate::tensor::{DType, Shape};

/// Values that cannot be shown or saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShowError {
    /// No variable is called so.
    #[error("`{origin}` has no variable `{}`; {help}", name.escape_debug())]
    NoVariable {
        /// The checkpoint.
        origin: String,
        /// What was asked for.
        name: String,
        /// What to do.
        help: String,
    },
    /// A slice that makes no sense, or not for this tensor.
    #[error("`{slice}` is no part of `{}`, which has the shape {shape}", name.escape_debug())]
    Slice {
        /// The variable.
        name: String,
        /// Its shape.
        shape: Shape,
        /// What was typed.
        slice: String,
        /// What is wrong with it.
        source: SliceError,
    },
    /// A type whose elements only TensorFlow understands.
    #[error("elements of type {0} cannot be shown; `--hash` checks them")]
    Opaque(DType),
    /// More than can be shown at once.
    #[error(
        "{elements} elements are too many to show at once; take a slice, such as \
         `NAME[0:3]`, or write them to a file with `--npy`"
    )]
    Many {
        /// How many there are.
        elements: u64,
    },
    /// A checksum of less than there is one for.
    #[error("a checksum is that of a whole tensor; leave out the slice `{0}`")]
    HashOfSlice(String),
    /// A type that `.npy` files cannot hold.
    #[error("a `.npy` file cannot hold elements of type {0}; {help}", help = instead(*.0))]
    NoNpy(DType),
    /// A destination that is taken.
    #[error("`{at}` is {what}; {help}")]
    Exists {
        /// The destination.
        at: Location,
        /// What stands there.
        what: &'static str,
        /// What to do.
        help: &'static str,
    },
    /// A destination that is read from.
    #[error("`{0}` is a file of the checkpoint itself; choose another name")]
    OwnSource(Location),
    /// Bytes that were others when they were read again.
    #[error("`{}` changed while it was read; run again when nobody writes to it", .0.escape_debug())]
    Changed(String),
    /// The checkpoint cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The caller asked to stop.
    #[error("interrupted; nothing was written")]
    Interrupted,
}

fn instead(dtype: DType) -> &'static str {
    match dtype {
        DType::String => "`--json` gives strings",
        _ => "only TensorFlow understands them",
    }
}
