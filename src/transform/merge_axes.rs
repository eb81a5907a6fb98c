//! Neighbouring axes become one.

use std::fmt;
use std::ops::Range;

use super::error::reshaped;
use super::{Along, Op, Regions, Reshape, Transform, TransformError, axis, block};
use crate::tensor::{Region, TensorSpec};

/// `merge_axes: [0, 1]`: axes that stand next to each other, in their order, so that the elements
/// stay in theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeAxes {
    axes: Vec<i64>,
}

impl MergeAxes {
    /// The error says why a list of axes makes no sense.
    pub fn new(axes: Vec<i64>) -> Result<Self, String> {
        axis::check(&axes)?;
        match axes.len() {
            1 => Err("one axis is merged with nothing; name its neighbour, too".to_owned()),
            _ => Ok(Self { axes }),
        }
    }
}

impl fmt::Display for MergeAxes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "merge_axes: {}", axis::Written(&self.axes))
    }
}

impl Op for MergeAxes {
    fn infer(&self, input: &TensorSpec) -> Result<TensorSpec, TransformError> {
        block::size(self, input)?;
        let axes = axis::several(self, input, &self.axes, input.shape().rank())?;
        let first = axes.first().copied().unwrap_or_default();
        if axes.iter().copied().ne(first..first + axes.len()) {
            let reason = "only neighbours in their order can be merged; `transpose` them first";
            return Err(TransformError::fit(self, input, reason));
        }
        let mut dims = input.shape().dims().to_vec();
        let merged = dims.splice(first..first + axes.len(), []).product();
        dims.insert(first, merged);
        reshaped(self, input, dims)
    }

    fn pull(
        &self,
        out: &Region,
        input: &mut dyn Regions,
        into: &mut [u8],
    ) -> Result<(), TransformError> {
        Reshape::to(self.infer(input.spec())?.shape()).pull(out, input, into)
    }

    fn stretch(&self, input: &TensorSpec) -> Option<Range<u64>> {
        self.infer(input).ok().and_then(|_| block::all(input))
    }

    fn invert(&self, input: &TensorSpec) -> Option<Transform> {
        Some(Transform::Reshape(Reshape::to(input.shape())))
    }

    fn along(&self) -> Along {
        Along::As(Transform::MergeAxes(self.clone()))
    }
}
