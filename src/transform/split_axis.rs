//! One axis becomes several.

use std::fmt;
use std::ops::Range;

use super::error::reshaped;
use super::{Along, Op, Regions, Reshape, Transform, TransformError, axis, block};
use crate::tensor::{Region, Shape, TensorSpec};

/// `split_axis: {axis: -1, into: [12, -1]}`: one size may be -1 and is then worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitAxis {
    axis: i64,
    into: Vec<i64>,
    sizes: Reshape,
}

impl SplitAxis {
    /// The error says why a list is no list of sizes.
    pub fn new(axis: i64, into: Vec<i64>) -> Result<Self, String> {
        if into.is_empty() {
            return Err("the sizes it becomes must stand here".to_owned());
        }
        let sizes = Reshape::new(&into)?;
        Ok(Self { axis, into, sizes })
    }
}

impl fmt::Display for SplitAxis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "split_axis: {{axis: {}, into: {:?}}}", self.axis, self.into)
    }
}

impl Op for SplitAxis {
    fn infer(&self, input: &TensorSpec) -> Result<TensorSpec, TransformError> {
        block::size(self, input)?;
        let (axis, size) = axis::one(self, input, self.axis)?;
        let alone = Shape::new([size])
            .map_err(|source| TransformError::Shape { transform: self.to_string(), source })?;
        let into = self.sizes.sizes(&alone).map_err(|reason| {
            TransformError::fit(self, input, format!("axis {axis} has size {size}: {reason}"))
        })?;
        let mut dims = input.shape().dims().to_vec();
        dims.splice(axis..=axis, into);
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
        Along::As(Transform::SplitAxis(self.clone()))
    }
}
