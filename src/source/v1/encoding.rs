//! In which field of a `TensorProto` the values of a type stand, and how.

use super::wire::Kind;
use crate::tensor::DType;

/// How the values of a type are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoding {
    pub(super) dtype: DType,
    /// The number of the field.
    pub(super) field: u64,
    /// How one number is written. Strings are bytes, and never packed.
    pub(super) kind: Kind,
    /// Numbers in one value.
    pub(super) numbers: u64,
}

/// Bytes of a value of an integral type; the rest is zero.
pub(super) type Bytes = [u8; 8];

impl Encoding {
    /// How a type is written; `None` for those that V1 checkpoints do not have.
    pub(super) fn of(dtype: DType) -> Option<Self> {
        let (field, kind, numbers) = match dtype {
            DType::Float => (5, Kind::Fixed(4), 1),
            DType::Double => (6, Kind::Fixed(8), 1),
            DType::Int32
            | DType::Int16
            | DType::Int8
            | DType::UInt8
            | DType::UInt16
            | DType::QInt8
            | DType::QUInt8
            | DType::QInt32 => (7, Kind::Varint, 1),
            DType::String => (8, Kind::Bytes, 1),
            DType::Complex64 => (9, Kind::Fixed(4), 2),
            DType::Int64 => (10, Kind::Varint, 1),
            DType::Bool => (11, Kind::Varint, 1),
            DType::Complex128 => (12, Kind::Fixed(8), 2),
            DType::Half => (13, Kind::Varint, 1),
            _ => return None,
        };
        Some(Self { dtype, field, kind, numbers })
    }

    /// A value in storage form, of a type that is written as a varint. What the type does not have
    /// comes back as an error.
    ///
    /// Up to the field's own type the rules of Protocol Buffers hold: of an `int32` the upper bits
    /// do not count, and a `bool` is true unless it is zero.
    pub(super) fn value(self, written: u64) -> Result<Bytes, i64> {
        let [a, b, c, d, ..] = written.to_le_bytes();
        let small = i32::from_le_bytes([a, b, c, d]);
        let fits = match self.dtype {
            DType::Int64 => return Ok(written.to_le_bytes()),
            DType::Bool => return Ok(u64::from(written != 0).to_le_bytes()),
            DType::Int16 => i16::try_from(small).is_ok(),
            DType::Int8 | DType::QInt8 => i8::try_from(small).is_ok(),
            DType::UInt8 | DType::QUInt8 => u8::try_from(small).is_ok(),
            DType::UInt16 | DType::Half => u16::try_from(small).is_ok(),
            _ => true,
        };
        if fits { Ok(i64::from(small).to_le_bytes()) } else { Err(small.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_kept_or_refused() {
        let value = |dtype, written: i64| {
            Encoding::of(dtype).unwrap().value(written.cast_unsigned()).map(i64::from_le_bytes)
        };
        for (dtype, low, high) in [
            (DType::Int32, i64::from(i32::MIN), i64::from(i32::MAX)),
            (DType::QInt32, i64::from(i32::MIN), i64::from(i32::MAX)),
            (DType::Int16, -32768, 32767),
            (DType::Int8, -128, 127),
            (DType::QInt8, -128, 127),
            (DType::UInt8, 0, 255),
            (DType::QUInt8, 0, 255),
            (DType::UInt16, 0, 65535),
            (DType::Half, 0, 65535),
            (DType::Int64, i64::MIN, i64::MAX),
        ] {
            assert_eq!((value(dtype, low), value(dtype, high)), (Ok(low), Ok(high)), "{dtype}");
            if !matches!(dtype, DType::Int32 | DType::QInt32 | DType::Int64) {
                let beyond = (value(dtype, low - 1), value(dtype, high + 1));
                assert_eq!(beyond, (Err(low - 1), Err(high + 1)), "{dtype}");
            }
        }
        assert_eq!(value(DType::Int32, i64::from(u32::MAX)), Ok(-1));
        assert_eq!((value(DType::Bool, 0), value(DType::Bool, 300)), (Ok(0), Ok(1)));
        assert_eq!(Encoding::of(DType::BFloat16), None);
    }
}
