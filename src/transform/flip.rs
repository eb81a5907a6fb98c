//! Axes the other way round.

use std::fmt;

use super::view::number;
use super::{Along, Op, Regions, Transform, TransformError, axis, block};
use crate::tensor::{Region, TensorSpec};

/// `flip: 0` or `flip: [0, 1]`, as `numpy.flip`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flip {
    axes: Vec<i64>,
}

impl Flip {
    /// The error says why a list of axes makes no sense.
    pub fn new(axes: Vec<i64>) -> Result<Self, String> {
        axis::check(&axes)?;
        Ok(Self { axes })
    }

    fn axes(&self, input: &TensorSpec) -> Result<Vec<usize>, TransformError> {
        axis::several(self, input, &self.axes, input.shape().rank())
    }
}

impl fmt::Display for Flip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "flip: {}", axis::Written(&self.axes))
    }
}

impl Op for Flip {
    fn infer(&self, input: &TensorSpec) -> Result<TensorSpec, TransformError> {
        block::size(self, input)?;
        self.axes(input)?;
        Ok(input.clone())
    }

    fn pull(
        &self,
        out: &Region,
        input: &mut dyn Regions,
        into: &mut [u8],
    ) -> Result<(), TransformError> {
        let spec = input.spec().clone();
        let (axes, size) = (self.axes(&spec)?, block::size(self, &spec)?);
        let mut ranges = block::ranges(out);
        for (axis, (range, &dim)) in ranges.iter_mut().zip(spec.shape().dims()).enumerate() {
            if axes.contains(&axis) && range.end <= dim {
                *range = dim - range.end..dim - range.start;
            }
        }
        input.read(&block::region(self, &spec, &ranges)?, into)?;
        // Neighbours that are both turned round are as one axis.
        let mut inner = size;
        let mut turned = 1;
        for (axis, &steps) in out.size().iter().enumerate().rev() {
            let steps = number(steps);
            if axes.contains(&axis) {
                turned = steps.saturating_mul(turned);
                continue;
            }
            turn(into, inner, turned);
            inner = inner.saturating_mul(turned).saturating_mul(steps);
            turned = 1;
        }
        turn(into, inner, turned);
        Ok(())
    }

    fn invert(&self, _: &TensorSpec) -> Option<Transform> {
        Some(Transform::Flip(self.clone()))
    }

    fn along(&self) -> Along {
        Along::As(Transform::Flip(self.clone()))
    }
}

/// Turns every so many steps of so many bytes round.
fn turn(into: &mut [u8], step: usize, steps: usize) {
    let stretch = step.saturating_mul(steps);
    if stretch > 0 && steps > 1 {
        into.chunks_exact_mut(stretch).for_each(|stretch| reverse(stretch, step));
    }
}

/// Turns the order of steps of so many bytes round, in place.
fn reverse(mut bytes: &mut [u8], step: usize) {
    // Quicker where the compiler knows how many.
    match step {
        1 => return bytes.reverse(),
        2 => return bytes.as_chunks_mut::<2>().0.reverse(),
        4 => return bytes.as_chunks_mut::<4>().0.reverse(),
        8 => return bytes.as_chunks_mut::<8>().0.reverse(),
        16 => return bytes.as_chunks_mut::<16>().0.reverse(),
        _ => {}
    }
    while bytes.len() >= step.saturating_mul(2) {
        let (first, rest) = bytes.split_at_mut(step);
        let (between, last) = rest.split_at_mut(rest.len() - step);
        first.swap_with_slice(last);
        bytes = between;
    }
}
