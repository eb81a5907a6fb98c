//! One of the tensors that are stacked along an axis.

use std::fmt;

use super::error::reshaped;
use super::{Along, Op, Regions, Transform, TransformError, axis, block};
use crate::tensor::{Region, TensorSpec};

/// One piece of `unstack: 0`, as `tf.unstack`: the axis is gone; which piece follows from the
/// target it goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unstack {
    axis: i64,
    of: usize,
    index: usize,
}

impl Unstack {
    /// Piece `index`, counted from 0, of an axis of size `of`; the error says why there is none.
    pub fn new(axis: i64, of: usize, index: usize) -> Result<Self, String> {
        if index >= of {
            return Err(format!("there is no piece {index} of {of}"));
        }
        Ok(Self { axis, of, index })
    }

    /// The axis, and where along it the piece lies.
    fn piece(&self, input: &TensorSpec) -> Result<(usize, u64), TransformError> {
        let (axis, size) = axis::one(self, input, self.axis)?;
        match u64::try_from(self.index) {
            Ok(index) if u64::try_from(self.of) == Ok(size) => Ok((axis, index)),
            _ => {
                let reason = format!("axis {axis} has size {size}, not {}", self.of);
                Err(TransformError::fit(self, input, reason))
            }
        }
    }
}

impl fmt::Display for Unstack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unstack: {} ({} of {})", self.axis, self.index + 1, self.of)
    }
}

impl Op for Unstack {
    fn infer(&self, input: &TensorSpec) -> Result<TensorSpec, TransformError> {
        block::size(self, input)?;
        let (axis, _) = self.piece(input)?;
        let mut dims = input.shape().dims().to_vec();
        dims.remove(axis);
        reshaped(self, input, dims)
    }

    fn pull(
        &self,
        out: &Region,
        input: &mut dyn Regions,
        into: &mut [u8],
    ) -> Result<(), TransformError> {
        let (axis, index) = self.piece(input.spec())?;
        let mut ranges = block::ranges(out);
        if axis <= ranges.len() {
            ranges.insert(axis, index..index + 1);
        }
        let from = block::region(self, input.spec(), &ranges)?;
        input.read(&from, into)
    }

    fn invert(&self, _: &TensorSpec) -> Option<Transform> {
        None
    }

    fn keeps(&self, input: &TensorSpec) -> Option<Region> {
        let (axis, index) = self.piece(input).ok()?;
        block::moved(self, input, &Region::whole(input.shape()), axis, index..index + 1).ok()
    }

    fn along(&self) -> Along {
        Along::As(Transform::Unstack(self.clone()))
    }
}
