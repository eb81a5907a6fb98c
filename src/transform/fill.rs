//! One number in the form of every element type that can hold it.

use crate::tensor::{Constant, DType, Number, Shape, TensorSpec};

/// One element; `None` where the type cannot hold the number. Zero is zero in every type.
pub(super) fn element(dtype: DType, number: Number) -> Option<Vec<u8>> {
    if zero(number) {
        return Some(vec![0; usize::try_from(dtype.size()?).ok()?]);
    }
    let scalar = TensorSpec::new(dtype, Shape::scalar()).ok()?;
    Some(Constant::new(scalar, number)?.element().to_vec())
}

/// Whether it is zero, and not the one below zero.
pub(super) fn zero(number: Number) -> bool {
    match number {
        Number::Integer(number) => number == 0,
        Number::Float(number) => number == 0.0 && number.is_sign_positive(),
    }
}

/// `element` everywhere.
pub(super) fn fill(into: &mut [u8], element: &[u8]) {
    let Some(&first) = element.first() else { return };
    if element.iter().all(|byte| *byte == first) {
        return into.fill(first);
    }
    for place in into.chunks_exact_mut(element.len()) {
        place.copy_from_slice(element);
    }
}
