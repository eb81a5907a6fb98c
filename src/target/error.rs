//! Why a checkpoint cannot be written.

use std::error::Error;

use crate::files::{FileError, Location};
use crate::object::Target;
use crate::table::BuildError;
use crate::tensor::{DataError, TensorSpec};

/// Why a checkpoint cannot be written. Unless a variant says otherwise, the destination is as it
/// was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// TensorFlow could not open a checkpoint of this name.
    #[error("`{to}` cannot be the name of a checkpoint: {why}")]
    Unfindable {
        /// The name.
        to: Location,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// Something stands there and may not be overwritten.
    #[error("{what} stands at `{at}`; {help}")]
    Exists {
        /// Where.
        at: Location,
        /// What.
        what: &'static str,
        /// What to do.
        help: &'static str,
    },
    /// The destination is the source under this or another name.
    #[error("`{at}` is a file of the source, which is never touched; choose another destination")]
    OwnSource {
        /// The file.
        at: Location,
    },
    /// Somebody else writes there too.
    #[error("what stands at `{to}` changed while the new checkpoint was written; run again")]
    Changed {
        /// The destination.
        to: Location,
    },
    /// The `checkpoint` file beside the destination cannot be continued.
    #[error(
        "`{at}` is no list of checkpoints ({why}); correct it or remove it, or convert without \
         `--update-state` (`state: false` in a job file)"
    )]
    State {
        /// The file.
        at: Location,
        /// What is wrong with it.
        why: String,
    },
    /// The `checkpoint` file could not be continued, though **the checkpoint itself is complete**.
    #[error("`{to}` is complete, but the `checkpoint` file beside it does not list it")]
    Unlisted {
        /// The checkpoint.
        to: Location,
        /// Why not.
        source: Box<TargetError>,
    },
    /// The empty key belongs to the bundle's header.
    #[error("a tensor must have a name")]
    Unnamed,
    /// A second tensor for one target.
    #[error("`{0}` is written twice")]
    Duplicate(Target),
    /// A tensor that was begun and not finished.
    #[error("`{0}` was begun and never finished")]
    Unfinished(Target),
    /// An alias of nothing.
    #[error("`{name}` cannot share the bytes of `{of}`, which is not written")]
    Unknown {
        /// The alias.
        name: Target,
        /// What it should be the same as.
        of: Target,
    },
    /// Bytes that are not the tensor they should be.
    #[error("what came for `{target}` is not its value")]
    Data {
        /// The tensor.
        target: Target,
        /// What is wrong.
        source: DataError,
    },
    /// A source tensor that reaches beyond its file.
    #[error("the bytes for `{target}` end at {end}, but their file has only {len}")]
    Beyond {
        /// The tensor.
        target: Target,
        /// Where its bytes should end.
        end: u64,
        /// Length of the file.
        len: u64,
    },
    /// Bytes came for no tensor, or not all bytes came.
    #[error("the bytes that were written are not those for which there is room")]
    Nowhere,
    /// The destination's file system refused.
    #[error("cannot write the checkpoint")]
    File(#[from] FileError),
    /// The index cannot be built.
    #[error("cannot build the index")]
    Table(#[from] BuildError),
    /// Somebody keeps others out of the destination's directory.
    #[error(
        "`{directory}` has been locked by another process for a minute (`flock` on the directory \
         itself?); nothing was changed"
    )]
    Locked {
        /// The directory.
        directory: Location,
    },
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl TargetError {
    /// A `checkpoint` file that is not what it should be; for `map_err`.
    pub(super) fn state<E: Error>(at: &Location) -> impl FnOnce(E) -> Self {
        move |why| Self::State { at: at.clone(), why: why.to_string() }
    }

    /// A tensor that has another number of bytes than it needs.
    pub(super) fn wrong_length(target: &Target, spec: &TensorSpec, needed: u64, got: u64) -> Self {
        let source = DataError::Length { spec: Box::new(spec.clone()), needed, got };
        Self::Data { target: target.clone(), source }
    }
}
