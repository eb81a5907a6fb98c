//! Numbers many at a time: loops without a way out, which the compiler makes wide.
//!
//! What comes out is to the last bit what [`numbers`](super::numbers) says of each alone. Where it
//! says of one that it has no place, the caller asks there which.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::numbers;
use crate::tensor::DType;

/// How many at a time.
pub(super) const LANES: usize = 64;

/// Numbers on their way from one type to another.
pub(super) type Lanes = [f64; LANES];

/// Reads up to [`LANES`] elements; false for types whose numbers an `f64` might round.
pub(super) fn load(dtype: DType, from: &[u8], lanes: &mut Lanes) -> bool {
    macro_rules! plain {
        ($kind:ty) => {
            for (lane, element) in lanes.iter_mut().zip(from.as_chunks().0) {
                *lane = <$kind>::from_le_bytes(*element).into();
            }
        };
    }
    macro_rules! half {
        ($kind:ty) => {{
            let mut halves = [<$kind>::ZERO; LANES];
            for (half, element) in halves.iter_mut().zip(from.as_chunks().0) {
                *half = <$kind>::from_le_bytes(*element);
            }
            halves.convert_to_f64_slice(lanes);
        }};
    }
    match dtype {
        DType::Float => plain!(f32),
        DType::Double => plain!(f64),
        DType::Half => half!(f16),
        DType::BFloat16 => half!(bf16),
        DType::Int8 => plain!(i8),
        DType::Int16 => plain!(i16),
        DType::Int32 => plain!(i32),
        DType::UInt8 => plain!(u8),
        DType::UInt16 => plain!(u16),
        DType::UInt32 => plain!(u32),
        _ => return false,
    }
    true
}

/// Writes as many elements as there is room for; false if there is one that does not fit, or for
/// types of whole numbers.
#[allow(clippy::cast_possible_truncation, reason = "rounding is what a float does")]
pub(super) fn store(dtype: DType, lanes: &Lanes, into: &mut [u8]) -> bool {
    let mut kept = true;
    macro_rules! half {
        ($kind:ty) => {{
            let mut halves = [<$kind>::ZERO; LANES];
            halves.convert_from_f32_slice(&lanes.map(numbers::narrowed));
            let halves = halves.iter().zip(lanes);
            for (element, (half, lane)) in into.as_chunks_mut().0.iter_mut().zip(halves) {
                kept &= half.is_finite() | !lane.is_finite();
                *element = half.to_le_bytes();
            }
        }};
    }
    match dtype {
        DType::Float => {
            for (element, lane) in into.as_chunks_mut().0.iter_mut().zip(lanes) {
                let single = *lane as f32;
                kept &= single.is_finite() | !lane.is_finite();
                *element = single.to_le_bytes();
            }
        }
        DType::Double => {
            for (element, lane) in into.as_chunks_mut().0.iter_mut().zip(lanes) {
                *element = lane.to_le_bytes();
            }
        }
        DType::Half => half!(f16),
        DType::BFloat16 => half!(bf16),
        _ => return false,
    }
    kept
}

/// Changes each element; the error is the number of the first that was not kept.
pub(super) fn each<const N: usize>(
    bytes: &mut [u8],
    change: impl Fn([u8; N]) -> ([u8; N], bool),
) -> Result<(), usize> {
    let mut done = 0;
    for block in bytes.as_chunks_mut::<N>().0.chunks_mut(LANES) {
        let mut before = [[0; N]; LANES];
        let mut all = true;
        for (before, element) in before.iter_mut().zip(block.iter_mut()) {
            *before = *element;
        }
        for (element, before) in block.iter_mut().zip(&before) {
            let (changed, kept) = change(*before);
            *element = changed;
            all &= kept;
        }
        if !all {
            let lost = before.iter().position(|element| !change(*element).1);
            return Err(done + lost.unwrap_or_default());
        }
        done += block.len();
    }
    Ok(())
}

/// A floating-point type of two bytes.
pub(super) trait Half: Copy {
    const ZERO: Self;
    fn of(element: [u8; 2]) -> Self;
    fn element(self) -> [u8; 2];
    fn finite(self) -> bool;
    fn widen(from: &[Self; LANES], to: &mut [f32; LANES]);
    fn narrow(from: &[f32; LANES], to: &mut [Self; LANES]);
}

macro_rules! half {
    ($kind:ty) => {
        impl Half for $kind {
            const ZERO: Self = <$kind>::ZERO;
            fn of(element: [u8; 2]) -> Self {
                Self::from_le_bytes(element)
            }
            fn element(self) -> [u8; 2] {
                self.to_le_bytes()
            }
            fn finite(self) -> bool {
                self.is_finite()
            }
            fn widen(from: &[Self; LANES], to: &mut [f32; LANES]) {
                from.convert_to_f32_slice(to);
            }
            fn narrow(from: &[f32; LANES], to: &mut [Self; LANES]) {
                to.convert_from_f32_slice(from);
            }
        }
    };
}

half!(f16);
half!(bf16);

/// Changes each element as an `f32`; the error is the number of the first that was finite and is
/// no longer.
pub(super) fn halves<H: Half>(bytes: &mut [u8], change: impl Fn(f32) -> f32) -> Result<(), usize> {
    let (mut before, mut after, mut wide) = ([H::ZERO; LANES], [H::ZERO; LANES], [0.0; LANES]);
    let mut done = 0;
    for block in bytes.as_chunks_mut().0.chunks_mut(LANES) {
        for (half, element) in before.iter_mut().zip(block.iter()) {
            *half = H::of(*element);
        }
        H::widen(&before, &mut wide);
        for number in &mut wide {
            *number = change(*number);
        }
        H::narrow(&wide, &mut after);
        let mut all = true;
        for ((element, new), old) in block.iter_mut().zip(&after).zip(&before) {
            all &= new.finite() | !old.finite();
            *element = new.element();
        }
        if !all {
            let mut pairs = after.iter().zip(&before);
            let lost = pairs.position(|(new, old)| !new.finite() && old.finite());
            return Err(done + lost.unwrap_or_default());
        }
        done += block.len();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: [DType; 10] = [
        DType::Float,
        DType::Double,
        DType::Half,
        DType::BFloat16,
        DType::Int8,
        DType::Int16,
        DType::Int32,
        DType::UInt8,
        DType::UInt16,
        DType::UInt32,
    ];

    /// Every half there is, and the same bits spread over wider numbers, in all types.
    #[test]
    fn many_are_what_each_is_alone() {
        for from in TYPES {
            let size = usize::try_from(from.size().unwrap()).unwrap();
            for first in (0..=u16::MAX).step_by(LANES) {
                let bits = (first..=u16::MAX).take(LANES - usize::from(first % 128 / 64));
                let spread = |bits: u16| (u64::from(bits) * 0x0001_0000_8000_4001).to_be_bytes();
                let elements: Vec<u8> = bits
                    .flat_map(|bits| match size {
                        2 => bits.to_le_bytes().to_vec(),
                        _ => spread(bits)[..size].iter().rev().copied().collect(),
                    })
                    .collect();
                let mut lanes = [0.0; LANES];
                assert!(load(from, &elements, &mut lanes));
                for to in TYPES.iter().take(4) {
                    agree(from, *to, size, &elements, &lanes);
                }
            }
        }
    }

    fn agree(from: DType, to: DType, size: usize, elements: &[u8], lanes: &Lanes) {
        let wide = usize::try_from(to.size().unwrap()).unwrap();
        let mut into = vec![0; elements.len() / size * wide];
        let mut alone = into.clone();
        let kept = store(to, lanes, &mut into);
        let mut each = elements.chunks(size).zip(alone.chunks_mut(wide));
        let fits = each.all(|(old, new)| {
            numbers::read(from, old).and_then(|value| numbers::write(to, value, new)).is_some()
        });
        assert_eq!(kept, fits, "{from} to {to}: {elements:x?}");
        assert!(!fits || into == alone, "{from} to {to}: {elements:x?}");
    }
}
