//! Axes of size 1 left out.

use std::fmt;
use std::ops::Range;

use super::error::reshaped;
use super::{Along, ExpandDims, Op, Regions, Transform, TransformError, axis, block};
use crate::tensor::{Region, TensorSpec};

/// `squeeze: 0` or `squeeze: [0, 1]`, as `numpy.squeeze`. The axes must be named: which of them
/// happen to be 1 is no property of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Squeeze {
    axes: Vec<i64>,
}

impl Squeeze {
    /// The error says why a list of axes makes no sense.
    pub fn new(axes: Vec<i64>) -> Result<Self, String> {
        axis::check(&axes)?;
        Ok(Self { axes })
    }

    fn axes(&self, input: &TensorSpec) -> Result<Vec<usize>, TransformError> {
        let axes = axis::several(self, input, &self.axes, input.shape().rank())?;
        let size = |axis: usize| input.shape().dims().get(axis).copied().unwrap_or(1);
        match axes.iter().find(|&&axis| size(axis) != 1) {
            Some(&axis) => {
                let reason = format!("axis {axis} has size {}, only 1 can be left out", size(axis));
                Err(TransformError::fit(self, input, reason))
            }
            None => Ok(axes),
        }
    }
}

impl fmt::Display for Squeeze {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "squeeze: {}", axis::Written(&self.axes))
    }
}

impl Op for Squeeze {
    fn infer(&self, input: &TensorSpec) -> Result<TensorSpec, TransformError> {
        block::size(self, input)?;
        let axes = self.axes(input)?;
        let dims = input.shape().dims().iter().enumerate();
        let kept = dims.filter(|(axis, _)| !axes.contains(axis)).map(|(_, &size)| size);
        reshaped(self, input, kept.collect())
    }

    fn pull(
        &self,
        out: &Region,
        input: &mut dyn Regions,
        into: &mut [u8],
    ) -> Result<(), TransformError> {
        let axes = self.axes(input.spec())?;
        let mut kept = block::ranges(out).into_iter();
        let ranges: Vec<_> = (0..input.spec().shape().rank())
            .map(|axis| if axes.contains(&axis) { 0..1 } else { kept.next().unwrap_or(0..0) })
            .collect();
        let from = block::region(self, input.spec(), &ranges)?;
        input.read(&from, into)
    }

    fn stretch(&self, input: &TensorSpec) -> Option<Range<u64>> {
        self.infer(input).ok().and_then(|_| block::all(input))
    }

    fn invert(&self, input: &TensorSpec) -> Option<Transform> {
        let axes = self.axes(input).ok()?.into_iter().map(i64::try_from);
        ExpandDims::new(axes.collect::<Result<_, _>>().ok()?).ok().map(Transform::ExpandDims)
    }

    fn along(&self) -> Along {
        Along::As(Transform::Squeeze(self.clone()))
    }
}
