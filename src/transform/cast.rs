//! The same numbers in another element type.

use std::fmt;
use std::ops::Range;

use super::lanes::{self, LANES};
use super::view::View;
use super::{Along, Cost, Op, Regions, Transform, TransformError, block, numbers};
use crate::tensor::{DType, Region, TensorSpec};

/// `cast: float32`. Nothing is lost silently: a number that the new type cannot hold is an error,
/// and only what a float rounds is rounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cast {
    to: DType,
}

impl Cast {
    /// The error says why there is nothing to make of numbers.
    pub fn new(to: DType) -> Result<Self, String> {
        if numbers::known(component(to).0) {
            Ok(Self { to })
        } else {
            Err(format!("numbers cannot be made {to}"))
        }
    }
}

/// What an element consists of: a complex number is two.
fn component(dtype: DType) -> (DType, usize) {
    match dtype {
        DType::Complex64 => (DType::Float, 2),
        DType::Complex128 => (DType::Double, 2),
        _ => (dtype, 1),
    }
}

impl fmt::Display for Cast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cast: {}", self.to)
    }
}

impl Op for Cast {
    fn infer(&self, input: &TensorSpec) -> Result<TensorSpec, TransformError> {
        let misfit = |reason| Err(TransformError::fit(self, input, reason));
        let (from, to) = (component(input.dtype()), component(self.to));
        if !numbers::known(from.0) {
            return misfit("its elements are no numbers that can be cast");
        }
        if from.1 != to.1 {
            return misfit("complex numbers can only become complex numbers, and no others can");
        }
        TensorSpec::new(self.to, input.shape().clone())
            .map_err(|source| TransformError::Shape { transform: self.to_string(), source })
    }

    fn pull(
        &self,
        out: &Region,
        input: &mut dyn Regions,
        into: &mut [u8],
    ) -> Result<(), TransformError> {
        let spec = input.spec().clone();
        let made = self.infer(&spec)?;
        if made.dtype() == spec.dtype() {
            return input.read(out, into);
        }
        let ((from, each), (to, _)) = (component(spec.dtype()), component(self.to));
        let (old, new) = (block::size(self, &spec)?, block::size(self, &made)?);
        // As much of the input at a time as the block is long.
        let limit = u64::try_from(into.len() / old).unwrap_or(u64::MAX).max(1);
        let (mut staged, mut gathered) = (Vec::new(), Vec::new());
        let mut rest = into;
        let shape = block::shape(self, out)?;
        for part in block::parts(self, &spec, (out, &shape), limit) {
            let part = part?;
            let view = View::read(self, &part, input, &mut staged)?;
            let bytes = view.together(part.size(), old, &mut gathered);
            let made = (bytes.len() / old).saturating_mul(new).min(rest.len());
            let (block, after) = std::mem::take(&mut rest).split_at_mut(made);
            rest = after;
            convert((from, bytes, old / each), (to, block, new / each)).map_err(
                |(index, value)| {
                    let index = u64::try_from(index / each).unwrap_or(u64::MAX);
                    TransformError::Range {
                        transform: self.to_string(),
                        value,
                        dtype: self.to,
                        position: block::position(spec.shape(), &part, index),
                    }
                },
            )?;
        }
        Ok(())
    }

    fn cost(&self, input: &TensorSpec, block: u64) -> Cost {
        if self.to == input.dtype() {
            Cost::direct(input, block)
        } else {
            Cost::staged(input, block)
        }
    }

    fn stretch(&self, input: &TensorSpec) -> Option<Range<u64>> {
        (self.to == input.dtype()).then(|| block::all(input))?
    }

    fn invert(&self, input: &TensorSpec) -> Option<Transform> {
        let kept = keeps_all(component(input.dtype()).0, component(self.to).0);
        (self.infer(input).is_ok() && kept).then_some(Transform::Cast(Self { to: input.dtype() }))
    }

    fn along(&self) -> Along {
        Along::Never("optimizer state has a precision of its own")
    }
}

/// Makes numbers of one type and size those of another; the error is the first that has no place
/// there, and what it is.
fn convert(
    (from, numbers, old): (DType, &[u8], usize),
    (to, elements, new): (DType, &mut [u8], usize),
) -> Result<(), (usize, String)> {
    let blocks = numbers.chunks(old * LANES).zip(elements.chunks_mut(new * LANES));
    for (done, (numbers, elements)) in blocks.enumerate() {
        let mut lanes = [0.0; LANES];
        if lanes::load(from, numbers, &mut lanes) && lanes::store(to, &lanes, elements) {
            continue;
        }
        let pairs = numbers.chunks_exact(old).zip(elements.chunks_exact_mut(new));
        for (i, (number, element)) in pairs.enumerate() {
            let value = numbers::read(from, number);
            if value.and_then(|value| numbers::write(to, value, element)).is_none() {
                let value = value.map(|value| value.to_string()).unwrap_or_default();
                return Err((done * LANES + i, value));
            }
        }
    }
    Ok(())
}

/// Whether every number of `from` is one of `to`.
fn keeps_all(from: DType, to: DType) -> bool {
    // Digits of a float, in bits.
    let precision = |dtype| match dtype {
        DType::Double => 53,
        DType::Float => 24,
        DType::Half => 11,
        DType::BFloat16 => 8,
        _ => 0,
    };
    match (numbers::bits(from), numbers::bits(to)) {
        _ if from == to || from == DType::Bool => true,
        (Some((old, true)), Some((new, true))) | (Some((old, false)), Some((new, false))) => {
            old <= new
        }
        (Some((old, false)), Some((new, true))) => old < new,
        (Some((old, sign)), None) => old - u32::from(sign) <= precision(to),
        (None, None) => {
            matches!(
                (from, to),
                (DType::Half | DType::BFloat16, DType::Float | DType::Double)
                    | (DType::Float, DType::Double)
            )
        }
        _ => false,
    }
}
