//! Elements as real numbers, many at a time.

use super::{DType, SmallFloat};

/// Whether the elements of a type are real numbers; truth values are 0 and 1.
pub fn is_real(dtype: DType) -> bool {
    !matches!(
        dtype,
        DType::String | DType::Variant | DType::Complex64 | DType::Complex128 | DType::Unknown(_)
    )
}

/// Puts the numbers that `bytes` stand for into `out`, in place of what is there; nothing for types
/// without real numbers. Whole numbers beyond 2^53 are rounded.
pub fn reals(dtype: DType, bytes: &[u8], out: &mut Vec<f64>) {
    out.clear();
    macro_rules! each {
        ($kind:ty, $value:expr) => {{
            let (elements, _) = bytes.as_chunks::<{ size_of::<$kind>() }>();
            out.extend(elements.iter().map(|bytes| $value(<$kind>::from_le_bytes(*bytes))));
        }};
    }
    #[expect(clippy::cast_precision_loss, reason = "said above")]
    match dtype {
        DType::Float => each!(f32, f64::from),
        DType::Double => each!(f64, f64::from),
        DType::Int8 | DType::QInt8 => each!(i8, f64::from),
        DType::Int16 | DType::QInt16 => each!(i16, f64::from),
        DType::Int32 | DType::QInt32 => each!(i32, f64::from),
        DType::Int64 => each!(i64, |number| number as f64),
        DType::UInt8 | DType::QUInt8 => each!(u8, f64::from),
        DType::UInt16 | DType::QUInt16 => each!(u16, f64::from),
        DType::UInt32 => each!(u32, f64::from),
        DType::UInt64 => each!(u64, |number| number as f64),
        DType::Half => each!(u16, |bits| f64::from(half::f16::from_bits(bits))),
        DType::BFloat16 => each!(u16, |bits| f64::from(half::bf16::from_bits(bits))),
        dtype => {
            // There are so few that each is worked out once.
            let values: Option<Vec<f64>> = (0..=u8::MAX).map(|bits| small(dtype, bits)).collect();
            if let Some(values) = values {
                out.extend(bytes.iter().filter_map(|byte| values.get(usize::from(*byte))));
            }
        }
    }
}

/// What a byte is in a type that has no more of them.
fn small(dtype: DType, bits: u8) -> Option<f64> {
    // In storage form these have a byte to themselves.
    let low = |width: u32| bits & ((1 << width) - 1);
    let signed = |width: u32| {
        let sign = 1 << (width - 1);
        f64::from(low(width) & (sign - 1)) - f64::from(low(width) & sign)
    };
    match dtype {
        DType::Bool => Some(f64::from(bits != 0)),
        DType::Int4 => Some(signed(4)),
        DType::Int2 => Some(signed(2)),
        DType::UInt4 => Some(f64::from(low(4))),
        DType::UInt2 => Some(f64::from(low(2))),
        dtype if dtype.size() == Some(1) => Some(SmallFloat::of(dtype)?.value(bits.into())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(dtype: DType, bytes: &[u8]) -> Vec<f64> {
        let mut out = vec![7.0];
        reals(dtype, bytes, &mut out);
        out
    }

    #[test]
    fn numbers_of_every_type() {
        assert_eq!(of(DType::Float, &1.5_f32.to_le_bytes()), [1.5]);
        assert_eq!(of(DType::Int64, &(-3_i64).to_le_bytes()), [-3.0]);
        assert_eq!(of(DType::UInt16, &[1, 2, 3]), [513.0]);
        assert_eq!(of(DType::Half, &[0x00, 0xc0]), [-2.0]);
        assert_eq!(of(DType::BFloat16, &[0x40, 0x40]), [3.0]);
        assert_eq!(of(DType::Int4, &[0x0e, 0xfe, 0x07]), [-2.0, -2.0, 7.0]);
        assert_eq!(of(DType::UInt4, &[0xf3]), [3.0]);
        assert_eq!(of(DType::Int2, &[0b10, 0b01]), [-2.0, 1.0]);
        assert_eq!(of(DType::Bool, &[0, 1, 9]), [0.0, 1.0, 1.0]);
        assert_eq!(of(DType::Float8E4M3Fn, &[0x7e]), [448.0]);
        for &dtype in DType::ALL {
            let size = usize::try_from(dtype.size().unwrap_or(1)).unwrap();
            assert_eq!(of(dtype, &vec![0; 3 * size]).len() == 3, is_real(dtype), "{dtype:?}");
        }
    }
}
