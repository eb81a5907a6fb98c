//! New axes of size 1.

use std::fmt;
use std::ops::Range;

use super::error::reshaped;
use super::{Along, Op, Regions, Squeeze, Transform, TransformError, axis, block};
use crate::tensor::{Region, TensorSpec};

/// `expand_dims: 0` or `expand_dims: [0, -1]`, as `numpy.expand_dims`: the axes are those of the
/// result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpandDims {
    axes: Vec<i64>,
}

impl ExpandDims {
    /// The error says why a list of axes makes no sense.
    pub fn new(axes: Vec<i64>) -> Result<Self, String> {
        axis::check(&axes)?;
        Ok(Self { axes })
    }

    /// The new axes among those of the result.
    fn axes(&self, input: &TensorSpec) -> Result<Vec<usize>, TransformError> {
        axis::several(self, input, &self.axes, self.rank(input))
    }

    fn rank(&self, input: &TensorSpec) -> usize {
        input.shape().rank() + self.axes.len()
    }
}

impl fmt::Display for ExpandDims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expand_dims: {}", axis::Written(&self.axes))
    }
}

impl Op for ExpandDims {
    fn infer(&self, input: &TensorSpec) -> Result<TensorSpec, TransformError> {
        block::size(self, input)?;
        let axes = self.axes(input)?;
        let mut sizes = input.shape().dims().iter().copied();
        let dims = (0..self.rank(input))
            .map(|axis| if axes.contains(&axis) { 1 } else { sizes.next().unwrap_or(1) });
        reshaped(self, input, dims.collect())
    }

    fn pull(
        &self,
        out: &Region,
        input: &mut dyn Regions,
        into: &mut [u8],
    ) -> Result<(), TransformError> {
        // Along a new axis, too, a block can be empty.
        if out.elements() == 0 {
            return Ok(());
        }
        let axes = self.axes(input.spec())?;
        let ranges = block::ranges(out).into_iter().enumerate();
        let kept: Vec<_> =
            ranges.filter(|(axis, _)| !axes.contains(axis)).map(|(_, range)| range).collect();
        let from = block::region(self, input.spec(), &kept)?;
        input.read(&from, into)
    }

    fn stretch(&self, input: &TensorSpec) -> Option<Range<u64>> {
        self.infer(input).ok().and_then(|_| block::all(input))
    }

    fn invert(&self, input: &TensorSpec) -> Option<Transform> {
        let axes = self.axes(input).ok()?.into_iter().map(i64::try_from);
        Squeeze::new(axes.collect::<Result<_, _>>().ok()?).ok().map(Transform::Squeeze)
    }

    fn along(&self) -> Along {
        Along::As(Transform::ExpandDims(self.clone()))
    }
}
