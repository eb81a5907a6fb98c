//! Axes in another order.

use std::fmt;

use super::error::reshaped;
use super::view::View;
use super::walk::Walk;
use super::{Along, Cost, Op, Regions, Transform, TransformError, axis, block};
use crate::tensor::{Region, TensorSpec};

/// `transpose: [1, 0]`, as `numpy.transpose`: axis i of the output is axis `permutation[i]` of the
/// input. Without a permutation the axes are reversed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transpose {
    permutation: Option<Vec<usize>>,
}

impl Transpose {
    /// `None` reverses the axes; the error says why a list is no permutation.
    pub fn new(permutation: Option<Vec<usize>>) -> Result<Self, String> {
        if let Some(axes) = &permutation {
            let mut sorted = axes.clone();
            sorted.sort_unstable();
            if sorted.into_iter().ne(0..axes.len()) {
                return Err(format!(
                    "every axis from 0 to {} must stand here once",
                    axes.len().saturating_sub(1)
                ));
            }
        }
        Ok(Self { permutation })
    }

    /// As [`new`](Self::new), with axes that may be counted from the end.
    pub fn signed(permutation: &[i64]) -> Result<Self, String> {
        let rank = permutation.len();
        let axes = permutation.iter().map(|&axis| {
            axis::resolve(axis, rank)
                .ok_or_else(|| format!("there is no axis {axis}: {rank} axes stand here"))
        });
        Self::new(Some(axes.collect::<Result<_, _>>()?))
    }

    fn axes(&self, input: &TensorSpec) -> Result<Vec<usize>, TransformError> {
        let rank = input.shape().rank();
        match &self.permutation {
            None => Ok((0..rank).rev().collect()),
            Some(axes) if axes.len() == rank => Ok(axes.clone()),
            Some(axes) => {
                let reason = format!("it has {rank} axes, the permutation {}", axes.len());
                Err(TransformError::fit(self, input, reason))
            }
        }
    }
}

impl fmt::Display for Transpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.permutation {
            None => f.write_str("transpose"),
            Some(axes) => write!(f, "transpose: {axes:?}"),
        }
    }
}

impl Op for Transpose {
    fn infer(&self, input: &TensorSpec) -> Result<TensorSpec, TransformError> {
        let axes = self.axes(input)?;
        block::size(self, input)?;
        let dims: Vec<u64> =
            axes.iter().filter_map(|&axis| input.shape().dims().get(axis).copied()).collect();
        reshaped(self, input, dims)
    }

    fn pull(
        &self,
        out: &Region,
        input: &mut dyn Regions,
        into: &mut [u8],
    ) -> Result<(), TransformError> {
        let spec = input.spec().clone();
        let axes = self.axes(&spec)?;
        // Where the block comes from: each axis of the output back on its axis of the input.
        let mut ranges = vec![0..0; axes.len()];
        for ((&axis, &start), &size) in axes.iter().zip(out.start()).zip(out.size()) {
            if let Some(range) = ranges.get_mut(axis) {
                *range = start..start + size;
            }
        }
        let from = block::region(self, &spec, &ranges)?;
        let mut staged = Vec::new();
        let view = View::read(self, &from, input, &mut staged)?;
        // Along the output's axes, as far apart as they are in the input.
        let along = view.axes(from.size());
        let walk = axes.iter().filter_map(|&axis| along.get(axis).copied());
        Walk::new(walk, block::size(self, &spec)?).copy(view.origin(), into);
        Ok(())
    }

    fn cost(&self, input: &TensorSpec, block: u64) -> Cost {
        Cost::staged(input, block)
    }

    fn invert(&self, _: &TensorSpec) -> Option<Transform> {
        let permutation = self.permutation.as_ref().map(|axes| {
            let mut inverse: Vec<usize> = (0..axes.len()).collect();
            inverse.sort_by_key(|&axis| axes.get(axis).copied());
            inverse
        });
        Some(Transform::Transpose(Self { permutation }))
    }

    fn along(&self) -> Along {
        Along::As(Transform::Transpose(self.clone()))
    }
}
