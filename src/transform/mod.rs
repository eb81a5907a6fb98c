//! What can be done to a value on its way: each transform in a file of its own.
//!
//! A transform states the shape it yields before any data is read, fills its output block by block
//! by asking for the input it needs, and knows its inverse if it has one. It never changes the
//! dtype or the order of anything silently.

mod error;
mod reshape;
mod scale;
mod transpose;

use std::fmt;

use crate::tensor::{Region, TensorSpec};

pub use error::TransformError;
pub use reshape::Reshape;
pub use scale::Scale;
pub use transpose::Transpose;

/// A value that can be read in parts.
pub trait Regions {
    /// What it is.
    fn spec(&self) -> &TensorSpec;

    /// Fills `out` with the elements of `region`, row-major.
    fn read(&mut self, region: &Region, out: &mut [u8]) -> Result<(), TransformError>;
}

/// A way to make one tensor of another.
pub trait Op {
    /// What comes out, or why it cannot.
    fn infer(&self, input: &TensorSpec) -> Result<TensorSpec, TransformError>;

    /// Fills a block of the output, asking for the input it needs.
    fn pull(
        &self,
        out: &Region,
        input: &mut dyn Regions,
        into: &mut [u8],
    ) -> Result<(), TransformError>;

    /// Bytes needed beside a block of so many output rows.
    fn memory(&self, input: &TensorSpec, rows: u64) -> u64;

    /// What undoes it for an input of this spec, if anything does.
    fn invert(&self, input: &TensorSpec) -> Option<Transform>;
}

/// Every transform.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Transform {
    /// Axes in another order.
    Transpose(Transpose),
    /// The same elements in the same order under another shape.
    Reshape(Reshape),
    /// Every element times a number.
    Scale(Scale),
}

impl Transform {
    /// The transform as an operation.
    pub fn op(&self) -> &dyn Op {
        match self {
            Self::Transpose(op) => op,
            Self::Reshape(op) => op,
            Self::Scale(op) => op,
        }
    }
}

impl fmt::Display for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transpose(op) => op.fmt(f),
            Self::Reshape(op) => op.fmt(f),
            Self::Scale(op) => op.fmt(f),
        }
    }
}
