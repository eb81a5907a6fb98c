//! The same elements in the same order under another shape.

use std::fmt;
use std::ops::Range;

use super::error::reshaped;
use super::view::{View, number};
use super::walk::Walk;
use super::{Along, Op, Regions, Transform, TransformError, block};
use crate::tensor::{Region, Shape, TensorSpec};

/// `reshape: [4, -1]`, as `numpy.reshape`: one size may be -1 and is then worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reshape {
    /// `None` is the size to be worked out.
    dims: Vec<Option<u64>>,
}

impl Reshape {
    /// The error says why a list is no shape.
    pub fn new(dims: &[i64]) -> Result<Self, String> {
        let dims: Vec<Option<u64>> = dims
            .iter()
            .map(|&dim| match dim {
                -1 => Ok(None),
                _ => u64::try_from(dim)
                    .map(Some)
                    .map_err(|_| format!("{dim} is no size; only -1 has a meaning below zero")),
            })
            .collect::<Result<_, _>>()?;
        match dims.iter().filter(|dim| dim.is_none()).count() {
            0 | 1 => Ok(Self { dims }),
            _ => Err("only one size can be -1".to_owned()),
        }
    }
}

impl Reshape {
    /// Under exactly this shape.
    pub(super) fn to(shape: &Shape) -> Self {
        Self { dims: shape.dims().iter().map(|&dim| Some(dim)).collect() }
    }

    /// Whether `to` comes of `from` only by splitting and merging neighbouring axes; axes of size 1
    /// may come and go. Any other shape of as many elements tears rows apart.
    pub fn keeps_order(from: &Shape, to: &Shape) -> bool {
        if from.elements() == 0 || to.elements() == 0 {
            return from == to;
        }
        let axes = |shape: &Shape| -> Vec<u64> {
            shape.dims().iter().copied().filter(|&dim| dim != 1).collect()
        };
        let (from, to) = (axes(from), axes(to));
        let (mut from, mut to) = (from.into_iter(), to.into_iter());
        // Each round takes the fewest axes of both that are as many elements.
        loop {
            let (mut old, mut new) = match (from.next(), to.next()) {
                (Some(old), Some(new)) => (old, new),
                (old, new) => return old == new,
            };
            let (mut merged, mut split) = (false, false);
            while old != new {
                let (less, more, several) = if old < new {
                    (&mut old, from.next(), &mut merged)
                } else {
                    (&mut new, to.next(), &mut split)
                };
                let Some(more) = more else { return false };
                *less = less.saturating_mul(more);
                *several = true;
            }
            if merged && split {
                return false;
            }
        }
    }

    /// The sizes worked out for so many elements, or why they cannot be.
    pub(super) fn sizes(&self, input: &Shape) -> Result<Vec<u64>, String> {
        let elements = input.elements();
        let known = Shape::new(self.dims.iter().flatten().copied().collect::<Vec<_>>())
            .map_err(|error| error.to_string())?
            .elements();
        let free = match self.dims.contains(&None) {
            true if known == 0 => return Err("-1 cannot be worked out beside a 0".to_owned()),
            true if !elements.is_multiple_of(known) => {
                return Err(format!("{elements} elements are no multiple of {known}"));
            }
            true => elements / known,
            false if elements != known => {
                return Err(format!("{elements} elements do not become {known}"));
            }
            false => 1,
        };
        Ok(self.dims.iter().map(|dim| dim.unwrap_or(free)).collect())
    }
}

impl fmt::Display for Reshape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dims: Vec<String> = self
            .dims
            .iter()
            .map(|dim| dim.map_or_else(|| "-1".to_owned(), |dim| dim.to_string()))
            .collect();
        write!(f, "reshape: [{}]", dims.join(", "))
    }
}

impl Op for Reshape {
    fn infer(&self, input: &TensorSpec) -> Result<TensorSpec, TransformError> {
        block::size(self, input)?;
        let sizes = self.sizes(input.shape());
        reshaped(self, input, sizes.map_err(|reason| TransformError::fit(self, input, reason))?)
    }

    fn pull(
        &self,
        out: &Region,
        input: &mut dyn Regions,
        into: &mut [u8],
    ) -> Result<(), TransformError> {
        let from = input.spec().clone();
        let to = self.infer(&from)?;
        let misfit = || TransformError::fit(self, &from, "its elements have no fixed size");
        let size = from.dtype().size().ok_or_else(misfit)?;
        let mut rest = into;
        let mut next = move |elements: u64| {
            let bytes = usize::try_from(elements * size).map_err(|_| misfit())?;
            let (block, after) =
                std::mem::take(&mut rest).split_at_mut_checked(bytes).ok_or_else(misfit)?;
            rest = after;
            Ok(block)
        };
        if let Some(whole) = View::whole(input) {
            return out.for_each_run(to.shape(), |offset, len| {
                Walk::new(std::iter::empty(), number(len * size))
                    .copy((whole.origin().0, number(offset * size)), next(len)?);
                Ok(())
            });
        }
        out.for_each_run(to.shape(), |offset, len| {
            boxes(from.shape(), offset, len)
                .try_for_each(|region| input.read(&region, next(region.elements())?))
        })
    }

    fn stretch(&self, input: &TensorSpec) -> Option<Range<u64>> {
        self.infer(input).ok().and_then(|_| block::all(input))
    }

    fn invert(&self, input: &TensorSpec) -> Option<Transform> {
        Some(Transform::Reshape(Self::to(input.shape())))
    }

    fn along(&self) -> Along {
        Along::As(Transform::Reshape(self.clone()))
    }
}

/// Boxes that, one after the other, are the elements `offset..offset + len` of a tensor.
fn boxes(shape: &Shape, offset: u64, len: u64) -> impl Iterator<Item = Region> {
    let strides = shape.strides();
    let (mut at, end) = (offset, offset + len);
    std::iter::from_fn(move || {
        if at >= end {
            return None;
        }
        // The outermost axis along which a whole step fits and `at` is aligned.
        let axis = strides
            .iter()
            .position(|&stride| at % stride == 0 && end - at >= stride)
            .unwrap_or(strides.len());
        let axes = strides.iter().zip(shape.dims()).enumerate();
        let mut taken = 1;
        let ranges: Vec<_> = axes
            .map(|(i, (&stride, &dim))| {
                let start = at / stride % dim;
                let steps = match i.cmp(&axis) {
                    std::cmp::Ordering::Less => 1,
                    std::cmp::Ordering::Equal => ((end - at) / stride).min(dim - start),
                    std::cmp::Ordering::Greater => dim,
                };
                taken *= steps;
                start..start + steps
            })
            .collect();
        at += taken;
        Region::new(shape, &ranges)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_cover_a_stretch_in_order() {
        let shape = Shape::new([2, 3, 4]).unwrap();
        for offset in 0..24 {
            for len in 0..=24 - offset {
                let mut covered = Vec::new();
                for region in boxes(&shape, offset, len) {
                    region
                        .for_each_run(&shape, |at, len| {
                            covered.extend(at..at + len);
                            Ok::<(), ()>(())
                        })
                        .unwrap();
                }
                assert!(covered.into_iter().eq(offset..offset + len), "{offset}+{len}");
            }
        }
        assert_eq!(boxes(&Shape::scalar(), 0, 1).count(), 1);
    }

    #[test]
    fn sizes_are_worked_out() {
        let spec = |dims: &[u64]| {
            TensorSpec::new(crate::tensor::DType::Float, Shape::new(dims).unwrap()).unwrap()
        };
        let reshape = Reshape::new(&[4, -1]).unwrap();
        assert_eq!(reshape.infer(&spec(&[2, 6])).unwrap(), spec(&[4, 3]));
        assert!(reshape.infer(&spec(&[5])).is_err());
        assert!(Reshape::new(&[-1, -1]).is_err());
        assert!(Reshape::new(&[0, -1]).unwrap().infer(&spec(&[0])).is_err());
    }
}
