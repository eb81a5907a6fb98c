//! What can be wrong with the values of a V1 checkpoint.

use super::wire::Broken;
use crate::tensor::DType;

/// What can be wrong with a record of values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Bytes that are no message.
    #[error(transparent)]
    Message(#[from] Broken),
    /// Values that are scattered beyond reason.
    #[error("its values lie in more than {limit} pieces")]
    Pieces {
        /// Pieces there may be.
        limit: usize,
    },
    /// Values in a form that no version of TensorFlow reads there.
    #[error("its values are raw bytes (`tensor_content`), which no TensorFlow reads there")]
    Content,
    /// A type that V1 checkpoints do not have.
    #[error("there are no {0} in V1 checkpoints")]
    DType(DType),
    /// Too few or too many values.
    #[error("it has {got} values where {needed} belong")]
    Count {
        /// Values that belong there.
        needed: u64,
        /// Values that are there.
        got: u64,
    },
    /// A value that the type does not have.
    #[error("value {place} is {value}, which is no {dtype}")]
    Value {
        /// Which one, counted from 0.
        place: u64,
        /// What it is.
        value: i64,
        /// What it should be.
        dtype: DType,
    },
}
