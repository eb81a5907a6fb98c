//! Why checkpoints cannot be compared.

use crate::object::Target;
use crate::source::SourceError;
use crate::transform::TransformError;

/// A comparison that could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// A checkpoint cannot be read: more than a damaged tensor, which is a finding.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// An expected value cannot be worked out.
    #[error("cannot work out what `{target}` should be")]
    Transform {
        /// What it is the value of.
        target: Target,
        /// Why not.
        source: TransformError,
    },
    /// The caller asked to stop.
    #[error("interrupted; not everything was compared")]
    Interrupted,
}
