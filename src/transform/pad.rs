//! More of every axis.

use std::fmt;
use std::ops::Range;

use super::error::reshaped;
use super::view::{View, number};
use super::{Along, Cost, Op, Regions, Slice, Transform, TransformError, block, fill};
use crate::tensor::{Number, Region, TensorSpec};

/// `pad: [[1, 0], [0, 2]]`, as `numpy.pad` with a constant: how much comes before and after each
/// axis. `pad: {by: [[0, 24]], with: 0.5}` says what with; else it is zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Pad {
    pads: Vec<(u64, u64)>,
    with: Number,
}

impl Pad {
    /// One pair for each axis.
    pub fn new(pads: Vec<(u64, u64)>, with: Number) -> Result<Self, String> {
        if pads.is_empty() {
            return Err("a pair must stand here for each axis: [before, after]".to_owned());
        }
        Ok(Self { pads, with })
    }

    /// Whether there is anything to put beside the input.
    pub fn has_gaps(&self) -> bool {
        self.pads.iter().any(|pair| *pair != (0, 0))
    }

    fn element(&self, input: &TensorSpec) -> Result<Vec<u8>, TransformError> {
        fill::element(input.dtype(), self.with).ok_or_else(|| {
            let reason = format!("{} cannot hold {}", input.dtype(), self.with);
            TransformError::fit(self, input, reason)
        })
    }

    /// Where along each axis of the result the input lies.
    fn inside(&self, input: &TensorSpec) -> Vec<Range<u64>> {
        let axes = self.pads.iter().zip(input.shape().dims());
        axes.map(|(&(before, _), &size)| before..before.saturating_add(size)).collect()
    }
}

impl fmt::Display for Pad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pads = self.pads.iter().map(|(before, after)| format!("[{before}, {after}]"));
        let pads = pads.collect::<Vec<_>>().join(", ");
        if fill::zero(self.with) {
            write!(f, "pad: [{pads}]")
        } else {
            write!(f, "pad: {{by: [{pads}], with: {}}}", self.with)
        }
    }
}

impl Op for Pad {
    fn infer(&self, input: &TensorSpec) -> Result<TensorSpec, TransformError> {
        let rank = input.shape().rank();
        if rank != self.pads.len() {
            let reason = format!("its {rank} axes need a pair each, not {}", self.pads.len());
            return Err(TransformError::fit(self, input, reason));
        }
        block::size(self, input)?;
        self.element(input)?;
        let axes = self.pads.iter().zip(input.shape().dims());
        // More than can be counted stays more than can be counted.
        let dims =
            axes.map(|(&(before, after), &size)| size.saturating_add(before).saturating_add(after));
        reshaped(self, input, dims.collect())
    }

    fn pull(
        &self,
        out: &Region,
        input: &mut dyn Regions,
        into: &mut [u8],
    ) -> Result<(), TransformError> {
        let spec = input.spec().clone();
        let whole = self.infer(&spec)?;
        let size = block::size(self, &spec)?;
        let inside = block::region(self, &whole, &self.inside(&spec))?;
        let shared = out.intersection(&inside);
        let from = shared.as_ref().and_then(|shared| shared.relative_to(&inside));
        let (Some(from), Some(to)) = (from, shared.and_then(|shared| shared.relative_to(out)))
        else {
            fill::fill(into, &self.element(&spec)?);
            return Ok(());
        };
        if from.elements() == out.elements() {
            return input.read(&from, into);
        }
        fill::fill(into, &self.element(&spec)?);
        let made = reshaped(self, &spec, out.size().to_vec())?;
        if let Some(lies) = block::stretch(&made, &to) {
            let place = into.get_mut(number(lies.start)..number(lies.end));
            let misfit = || TransformError::fit(self, &spec, "the block lies outside");
            return input.read(&from, place.ok_or_else(misfit)?);
        }
        let mut staged = Vec::new();
        let view = View::read(self, &from, input, &mut staged)?;
        view.put(size, made.shape(), &to, into);
        Ok(())
    }

    fn cost(&self, input: &TensorSpec, block: u64) -> Cost {
        Cost::staged(input, block)
    }

    fn invert(&self, input: &TensorSpec) -> Option<Transform> {
        self.infer(input).ok()?;
        Slice::of(&self.inside(input)).map(Transform::Slice)
    }

    fn along(&self) -> Along {
        if fill::zero(self.with) {
            Along::As(Transform::Pad(self.clone()))
        } else {
            Along::Never("what is padded with a number has no state of its own")
        }
    }
}
