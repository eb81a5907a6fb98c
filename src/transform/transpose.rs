//! Axes in another order.

use std::fmt;
use std::ops::Range;

use super::error::reshaped;
use super::{Op, Regions, Transform, TransformError};
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
        if input.dtype().size().is_none() {
            return Err(TransformError::fit(self, input, "its elements have no fixed size"));
        }
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
        let misfit = || TransformError::fit(self, &spec, "the block lies outside");
        let from = Region::new(spec.shape(), &ranges).ok_or_else(misfit)?;
        let mut staged = vec![0; into.len()];
        input.read(&from, &mut staged)?;
        let size = spec.dtype().size().and_then(|size| usize::try_from(size).ok());
        permute(from.size(), &axes, size.ok_or_else(misfit)?, &staged, into);
        Ok(())
    }

    fn memory(&self, input: &TensorSpec, rows: u64) -> u64 {
        let row = self.infer(input).ok().and_then(|out| {
            let rows = out.shape().dims().first().copied().unwrap_or(1).max(1);
            out.bytes().map(|bytes| bytes / rows)
        });
        row.unwrap_or_default().saturating_mul(rows)
    }

    fn invert(&self, _: &TensorSpec) -> Option<Transform> {
        let permutation = self.permutation.as_ref().map(|axes| {
            let mut inverse: Vec<usize> = (0..axes.len()).collect();
            inverse.sort_by_key(|&axis| axes.get(axis).copied());
            inverse
        });
        Some(Transform::Transpose(Self { permutation }))
    }
}

/// Copies `from`, a row-major block of `dims`, into `into` with its axes in the order `axes`.
fn permute(dims: &[u64], axes: &[usize], size: usize, from: &[u8], into: &mut [u8]) {
    let dims: Vec<usize> =
        dims.iter().map(|&dim| usize::try_from(dim).unwrap_or(usize::MAX)).collect();
    let mut strides = vec![size; dims.len()];
    for axis in (1..dims.len()).rev() {
        if let (Some(&stride), Some(&dim)) = (strides.get(axis), dims.get(axis))
            && let Some(outer) = strides.get_mut(axis - 1)
        {
            *outer = stride.saturating_mul(dim);
        }
    }
    // Sizes and input strides along the output's axes, outermost first.
    let walk: Vec<(usize, usize)> =
        axes.iter().filter_map(|&axis| Some((*dims.get(axis)?, *strides.get(axis)?))).collect();
    let mut index = vec![0_usize; walk.len()];
    let mut offset = 0_usize;
    for element in into.chunks_exact_mut(size) {
        let range: Range<usize> = offset..offset + size;
        if let Some(bytes) = from.get(range) {
            element.copy_from_slice(bytes);
        }
        // Counts up like an odometer, keeping the input's offset in step.
        for (at, &(dim, stride)) in index.iter_mut().zip(&walk).rev() {
            *at += 1;
            offset += stride;
            if *at < dim {
                break;
            }
            offset -= stride * dim;
            *at = 0;
        }
    }
}
