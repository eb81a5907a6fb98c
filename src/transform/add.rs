//! Every element plus a number.

use std::fmt;

use super::lanes::{self, LANES};
use super::numbers::{self, Value};
use super::{Along, Op, Regions, Transform, TransformError, block};
use crate::tensor::{DType, Region, TensorSpec};

/// `add: 1`: each element plus a number, in the element's own precision. Its inverse subtracts:
/// exact for whole numbers; floats lose what the sum had no digits for.
#[derive(Debug, Clone, PartialEq)]
pub struct Add {
    number: f64,
}

impl Add {
    /// Adds `number`.
    pub fn new(number: f64) -> Self {
        Self { number }
    }
}

impl fmt::Display for Add {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "add: {}", self.number)
    }
}

impl Op for Add {
    fn infer(&self, input: &TensorSpec) -> Result<TensorSpec, TransformError> {
        if numbers::summand(input.dtype(), self.number).is_none() {
            let reason = format!("{} cannot be added to {}", self.number, input.dtype());
            return Err(TransformError::fit(self, input, reason));
        }
        Ok(input.clone())
    }

    fn pull(
        &self,
        out: &Region,
        input: &mut dyn Regions,
        into: &mut [u8],
    ) -> Result<(), TransformError> {
        let spec = input.spec().clone();
        self.infer(&spec)?;
        input.read(out, into)?;
        let size = block::size(self, &spec)?;
        add(spec.dtype(), size, self.number, into).map_err(|(index, value)| TransformError::Range {
            transform: self.to_string(),
            value,
            dtype: spec.dtype(),
            position: block::position(spec.shape(), out, index),
        })
    }

    fn invert(&self, _: &TensorSpec) -> Option<Transform> {
        Some(Transform::Add(Self { number: -self.number }))
    }

    fn along(&self) -> Along {
        Along::Unchanged
    }
}

/// Adds to each element; the error is the first whose sum the type cannot hold, and the sum.
pub(super) fn add(
    dtype: DType,
    size: usize,
    number: f64,
    elements: &mut [u8],
) -> Result<(), (u64, String)> {
    let number = numbers::summand(dtype, number);
    let mut done = 0;
    for elements in elements.chunks_mut(size.max(1) * LANES) {
        if !many(dtype, number, elements) {
            for (index, element) in (done..).zip(elements.chunks_exact_mut(size.max(1))) {
                let value = numbers::read(dtype, element).zip(number).map(|(a, b)| a.plus(b));
                let written = value.and_then(|sum| numbers::write(dtype, sum?, element));
                if written.is_none() {
                    let value = value.flatten().map(|value| value.to_string());
                    return Err((index, value.unwrap_or_else(|| "infinity".to_owned())));
                }
            }
        }
        done += u64::try_from(LANES).unwrap_or_default();
    }
    Ok(())
}

/// Adds to up to [`LANES`] floats at once; false, and nothing has changed, where each has to be
/// looked at.
fn many(dtype: DType, number: Option<Value>, elements: &mut [u8]) -> bool {
    let Some(Value::Real(number)) = number else { return false };
    let (mut lanes, mut before) = ([0.0; LANES], [0; LANES * 8]);
    let Some(before) = before.get_mut(..elements.len()) else { return false };
    if !numbers::floating(dtype) || !lanes::load(dtype, elements, &mut lanes) {
        return false;
    }
    before.copy_from_slice(elements);
    let mut kept = true;
    for lane in &mut lanes {
        let sum = *lane + number;
        kept &= sum.is_finite() | !lane.is_finite();
        *lane = sum;
    }
    kept = kept && lanes::store(dtype, &lanes, elements);
    if !kept {
        elements.copy_from_slice(before);
    }
    kept
}
