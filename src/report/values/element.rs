//! What the bytes of an element stand for.

use crate::tensor::{DType, SmallFloat};

/// One element of a numeric type.
#[derive(Debug, Clone, Copy)]
pub(super) enum Element {
    Bool(bool),
    Whole(i128),
    Real(Float),
    Complex(Float, Float),
}

/// A number of a floating-point type, which says how many digits tell it from its neighbours.
#[derive(Debug, Clone, Copy)]
pub(super) enum Float {
    Double(f64),
    Single(f32),
    /// Of a type of 16 bits.
    Small(SmallFloat, u16),
}

impl Float {
    /// The same number as the widest type has it.
    pub(super) fn value(self) -> f64 {
        match self {
            Self::Double(number) => number,
            Self::Single(number) => number.into(),
            Self::Small(kind, bits) => kind.value(bits),
        }
    }
}

impl Element {
    /// `None` for types without numbers, and for too few bytes.
    pub(super) fn of(dtype: DType, bytes: &[u8]) -> Option<Self> {
        macro_rules! whole {
            ($kind:ty) => {
                Self::Whole(<$kind>::from_le_bytes(bytes.try_into().ok()?).into())
            };
        }
        // In storage form these have a byte to themselves.
        let low = |bits: u32| bytes.first().map(|byte| i128::from(byte & ((1 << bits) - 1)));
        let signed = |bits: u32| {
            low(bits).map(|low| if low >> (bits - 1) == 0 { low } else { low - (1 << bits) })
        };
        Some(match dtype {
            DType::Bool => Self::Bool(bytes.iter().any(|&byte| byte != 0)),
            DType::Int8 | DType::QInt8 => whole!(i8),
            DType::Int16 | DType::QInt16 => whole!(i16),
            DType::Int32 | DType::QInt32 => whole!(i32),
            DType::Int64 => whole!(i64),
            DType::UInt8 | DType::QUInt8 => whole!(u8),
            DType::UInt16 | DType::QUInt16 => whole!(u16),
            DType::UInt32 => whole!(u32),
            DType::UInt64 => whole!(u64),
            DType::Int4 => Self::Whole(signed(4)?),
            DType::Int2 => Self::Whole(signed(2)?),
            DType::UInt4 => Self::Whole(low(4)?),
            DType::UInt2 => Self::Whole(low(2)?),
            DType::Complex64 => {
                let (real, imaginary) = bytes.split_first_chunk::<4>()?;
                Self::Complex(single(real)?, single(imaginary)?)
            }
            DType::Complex128 => {
                let (real, imaginary) = bytes.split_first_chunk::<8>()?;
                Self::Complex(double(real)?, double(imaginary)?)
            }
            DType::Float => Self::Real(single(bytes)?),
            DType::Double => Self::Real(double(bytes)?),
            dtype => {
                let kind = SmallFloat::of(dtype)?;
                match *bytes {
                    // There are so few that 448 could be told from its neighbours as 450: these
                    // are spelled as the wider type has them.
                    #[expect(clippy::cast_possible_truncation, reason = "it holds all of them")]
                    [bits] => Self::Real(Float::Single(kind.value(bits.into()) as f32)),
                    [low, high] => Self::Real(Float::Small(kind, u16::from_le_bytes([low, high]))),
                    _ => return None,
                }
            }
        })
    }
}

fn single(bytes: &[u8]) -> Option<Float> {
    Some(Float::Single(f32::from_le_bytes(bytes.try_into().ok()?)))
}

fn double(bytes: &[u8]) -> Option<Float> {
    Some(Float::Double(f64::from_le_bytes(bytes.try_into().ok()?)))
}
