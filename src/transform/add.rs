//! Every element plus a number.

use std::fmt;

use super::{Along, Op, Regions, Transform, TransformError, block, numbers};
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
    for (index, element) in (0_u64..).zip(elements.chunks_exact_mut(size.max(1))) {
        let value = numbers::read(dtype, element).zip(number).map(|(a, b)| a.plus(b));
        let written = value.and_then(|sum| numbers::write(dtype, sum?, element));
        if written.is_none() {
            let value = value.flatten().map(|value| value.to_string());
            return Err((index, value.unwrap_or_else(|| "infinity".to_owned())));
        }
    }
    Ok(())
}
