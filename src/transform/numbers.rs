//! Numbers in and out of their stored form.

use std::cmp::Ordering;

use half::{bf16, f16};

use crate::tensor::DType;

/// A number exactly as its element type holds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    /// Of a type of whole numbers; a `bool` is 0 or 1.
    Whole(i128),
    /// Of a floating-point type.
    Real(f64),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(number) => number.fmt(f),
            // 1e300 and not all of its digits.
            Self::Real(number) => write!(f, "{number:?}"),
        }
    }
}

impl Value {
    fn whole(self) -> Option<i128> {
        match self {
            Self::Whole(number) => Some(number),
            #[allow(clippy::cast_possible_truncation, reason = "whole, and far within 127 bits")]
            Self::Real(number) => {
                (number.fract() == 0.0 && number.abs() < 1e30).then_some(number as i128)
            }
        }
    }

    /// The sum of two numbers of one type; `None` where finite ones have none.
    pub(super) fn plus(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => a.checked_add(b).map(Self::Whole),
            (a, b) => {
                let sum = a.real() + b.real();
                (sum.is_finite() || !a.real().is_finite() || !b.real().is_finite())
                    .then_some(Self::Real(sum))
            }
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "rounding is what a float does")]
    fn real(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Real(number) => number,
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "rounding is what a float does")]
    #[allow(clippy::cast_possible_truncation, reason = "rounding is what a float does")]
    fn single(self) -> f32 {
        match self {
            Self::Whole(number) => number as f32,
            Self::Real(number) => number as f32,
        }
    }

    /// The number on its way to a type that is narrower than `f32`. Of two roundings the second
    /// could go wrong, so the first leaves a trace of what it cut off in the last bit.
    fn narrowing(self) -> f32 {
        let near = self.single();
        if near.to_bits() % 2 == 1 {
            return near;
        }
        let cut = match self {
            // As an `f64` it might be rounded already.
            #[allow(clippy::cast_possible_truncation, reason = "it was whole before")]
            Self::Whole(number) => Some((near as i128).abs().cmp(&number.abs())),
            Self::Real(number) => f64::from(near).abs().partial_cmp(&number.abs()),
        };
        match cut {
            Some(Ordering::Less) => f32::from_bits(near.to_bits() + 1),
            Some(Ordering::Greater) => f32::from_bits(near.to_bits() - 1),
            Some(Ordering::Equal) | None => near,
        }
    }
}

/// [`Value::narrowing`] of a floating-point number, without a branch.
#[allow(clippy::cast_possible_truncation, reason = "rounding is what a float does")]
pub(super) fn narrowed(number: f64) -> f32 {
    let near = number as f32;
    let (found, wanted) = (f64::from(near).abs(), number.abs());
    let even = 1 - near.to_bits() % 2;
    let (up, down) = (u32::from(found < wanted) * even, u32::from(found > wanted) * even);
    f32::from_bits(near.to_bits().wrapping_add(up).wrapping_sub(down))
}

/// Whether [`read`] and [`write`] know the type.
pub(super) fn known(dtype: DType) -> bool {
    floating(dtype) || whole(dtype) || dtype == DType::Bool
}

/// Whether it is a floating-point type that [`read`] and [`write`] know.
pub(super) fn floating(dtype: DType) -> bool {
    matches!(dtype, DType::Float | DType::Double | DType::Half | DType::BFloat16)
}

/// Whether it is a type of whole numbers that [`read`] and [`write`] know.
pub(super) fn whole(dtype: DType) -> bool {
    bits(dtype).is_some()
}

/// What a type makes of a number that is added to its elements, so that the sum has no other
/// rounding than its own. A type of whole numbers need not hold it: a byte can be made less by one.
pub(super) fn summand(dtype: DType, number: f64) -> Option<Value> {
    let number = Some(Value::Real(number)).filter(|_| number.is_finite())?;
    if whole(dtype) {
        return number.whole().map(Value::Whole);
    }
    let mut element = vec![0; usize::try_from(dtype.size()?).ok()?];
    floating(dtype).then(|| write(dtype, number, &mut element))??;
    read(dtype, &element)
}

/// Width of a type of whole numbers, and whether it has a sign.
pub(super) fn bits(dtype: DType) -> Option<(u32, bool)> {
    Some(match dtype {
        DType::Int8 => (8, true),
        DType::Int16 => (16, true),
        DType::Int32 => (32, true),
        DType::Int64 => (64, true),
        DType::UInt8 => (8, false),
        DType::UInt16 => (16, false),
        DType::UInt32 => (32, false),
        DType::UInt64 => (64, false),
        _ => return None,
    })
}

/// The number an element is; `None` for other types than [`known`] ones.
pub(super) fn read(dtype: DType, element: &[u8]) -> Option<Value> {
    macro_rules! whole {
        ($kind:ty) => {
            Value::Whole(<$kind>::from_le_bytes(element.try_into().ok()?).into())
        };
    }
    Some(match dtype {
        DType::Float => Value::Real(f32::from_le_bytes(element.try_into().ok()?).into()),
        DType::Double => Value::Real(f64::from_le_bytes(element.try_into().ok()?)),
        DType::Half => Value::Real(f16::from_le_bytes(element.try_into().ok()?).into()),
        DType::BFloat16 => Value::Real(bf16::from_le_bytes(element.try_into().ok()?).into()),
        DType::Bool => Value::Whole(element.iter().any(|&byte| byte != 0).into()),
        DType::Int8 => whole!(i8),
        DType::Int16 => whole!(i16),
        DType::Int32 => whole!(i32),
        DType::Int64 => whole!(i64),
        DType::UInt8 => whole!(u8),
        DType::UInt16 => whole!(u16),
        DType::UInt32 => whole!(u32),
        DType::UInt64 => whole!(u64),
        _ => return None,
    })
}

/// Makes a number an element; `None` where it does not fit: whole numbers must be exact, floats are
/// rounded, but what is finite stays so.
pub(super) fn write(dtype: DType, value: Value, element: &mut [u8]) -> Option<()> {
    macro_rules! whole {
        ($kind:ty) => {
            put(element, <$kind>::try_from(value.whole()?).ok()?.to_le_bytes())
        };
    }
    let kept = |rounded: bool| (rounded || !value.real().is_finite()).then_some(());
    match dtype {
        DType::Float => {
            let single = value.single();
            kept(single.is_finite()).and_then(|()| put(element, single.to_le_bytes()))
        }
        DType::Double => put(element, value.real().to_le_bytes()),
        DType::Half => {
            let half = f16::from_f32(value.narrowing());
            kept(half.is_finite()).and_then(|()| put(element, half.to_le_bytes()))
        }
        DType::BFloat16 => {
            let half = bf16::from_f32(value.narrowing());
            kept(half.is_finite()).and_then(|()| put(element, half.to_le_bytes()))
        }
        DType::Bool => {
            let bit = u8::try_from(value.whole()?).ok().filter(|&bit| bit <= 1)?;
            put(element, [bit])
        }
        DType::Int8 => whole!(i8),
        DType::Int16 => whole!(i16),
        DType::Int32 => whole!(i32),
        DType::Int64 => whole!(i64),
        DType::UInt8 => whole!(u8),
        DType::UInt16 => whole!(u16),
        DType::UInt32 => whole!(u32),
        DType::UInt64 => whole!(u64),
        _ => None,
    }
}

fn put<const N: usize>(element: &mut [u8], bytes: [u8; N]) -> Option<()> {
    *<&mut [u8; N]>::try_from(element).ok()? = bytes;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_rounded_once() {
        let half = |value: f64| {
            let mut element = [0; 2];
            write(DType::Half, Value::Real(value), &mut element)
                .map(|()| f16::from_le_bytes(element))
        };
        // A tie but for what an f32 cannot hold: 1 + 2^-11 lies between two halves.
        let tie = 1.0 + 2_f64.powi(-11);
        assert_eq!(half(tie), Some(f16::from_f32(1.0)));
        assert_eq!(half(tie + 2_f64.powi(-40)), Some(f16::from_f32(1.0 + 2_f32.powi(-10))));
        assert_eq!(half(-tie - 2_f64.powi(-40)), Some(f16::from_f32(-1.0 - 2_f32.powi(-10))));
        assert_eq!(half(65519.0), Some(f16::MAX));
        assert_eq!(half(65520.0), None);
        assert_eq!(half(f64::MAX), None);
        assert_eq!(half(f64::INFINITY), Some(f16::INFINITY));
        assert_eq!(half(1e-300), Some(f16::from_f32(0.0)));
    }

    #[test]
    fn whole_numbers_are_exact_or_refused() {
        let long = |value| {
            let mut element = [0; 8];
            write(DType::UInt64, value, &mut element).map(|()| u64::from_le_bytes(element))
        };
        assert_eq!(long(Value::Whole(u64::MAX.into())), Some(u64::MAX));
        assert_eq!(long(Value::Whole(i128::from(u64::MAX) + 1)), None);
        assert_eq!(long(Value::Whole(-1)), None);
        assert_eq!(long(Value::Real(2_f64.powi(63))), Some(1 << 63));
        for value in [2_f64.powi(64), 0.5, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(long(Value::Real(value)), None, "{value}");
        }
    }
}
