//! Why a transform cannot be done.

use std::error::Error;

use crate::tensor::{DType, Shape, ShapeError, TensorSpec};

/// A transform that does not fit its input, or whose input cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransformError {
    /// The rule's fault: the transform and the tensor do not go together.
    #[error("`{transform}` cannot be applied to {input}: {reason}")]
    Fit {
        /// The transform as written.
        transform: String,
        /// What it met.
        input: TensorSpec,
        /// Why not.
        reason: String,
    },
    /// The result would be no tensor.
    #[error("`{transform}` yields no tensor")]
    Shape {
        /// The transform as written.
        transform: String,
        /// Why not.
        source: ShapeError,
    },
    /// The numbers' fault: one of them has no place in the type it should be of.
    #[error(
        "`{transform}` comes to {value} at element {position}, which {dtype} cannot hold; `cast` to \
         a type that can"
    )]
    Range {
        /// The transform as written.
        transform: String,
        /// What it comes to.
        value: String,
        /// The type that cannot hold it.
        dtype: DType,
        /// Which element of the result, counted from 0 row by row.
        position: u64,
    },
    /// The file's fault: the input could not be read.
    #[error("the input of a transform cannot be read")]
    Input(#[source] Box<dyn Error + Send + Sync>),
}

/// What `transform` yields: the input's elements under another shape.
pub(super) fn reshaped(
    transform: &impl ToString,
    input: &TensorSpec,
    dims: Vec<u64>,
) -> Result<TensorSpec, TransformError> {
    Shape::new(dims)
        .and_then(|shape| TensorSpec::new(input.dtype(), shape))
        .map_err(|source| TransformError::Shape { transform: transform.to_string(), source })
}

impl TransformError {
    /// A transform that does not fit.
    pub(super) fn fit(
        transform: &impl ToString,
        input: &TensorSpec,
        reason: impl Into<String>,
    ) -> Self {
        Self::Fit { transform: transform.to_string(), input: input.clone(), reason: reason.into() }
    }
}
