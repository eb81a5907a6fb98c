//! The element types of `tensorflow/core/framework/types.proto`.

use std::borrow::Cow;
use std::fmt;

/// From here on numbers stand for references to values, which are never stored.
const REFERENCES: i32 = 100;

macro_rules! dtypes {
    ($($variant:ident = $number:literal, $name:literal, $size:expr;)*) => {
        /// An element type that a checkpoint can hold. Numbers are TensorFlow's.
        #[allow(missing_docs, reason = "the names are TensorFlow's own")]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum DType {
            $($variant,)*
            /// A type that came later than this code: its number. Its bytes are opaque, and a
            /// checkpoint says how many there are.
            Unknown(u8),
        }

        impl DType {
            /// Every known element type, by number.
            pub const ALL: &'static [DType] = &[$(DType::$variant,)*];

            /// The name Python shows: `tf.float32.name` is `float32`.
            pub fn name(self) -> Cow<'static, str> {
                match self {
                    $(DType::$variant => $name.into(),)*
                    DType::Unknown(number) => format!("dtype_{number}").into(),
                }
            }

            /// TensorFlow's number, as stored.
            pub fn number(self) -> i32 {
                match self {
                    $(DType::$variant => $number,)*
                    DType::Unknown(number) => number.into(),
                }
            }

            /// Bytes of one stored element; `None` where each element has a length of its own.
            pub fn size(self) -> Option<u64> {
                match self {
                    $(DType::$variant => $size,)*
                    DType::Unknown(_) => None,
                }
            }

            /// The type with TensorFlow's number `number`.
            pub fn from_number(number: i32) -> Option<DType> {
                match number {
                    $($number => Some(DType::$variant),)*
                    34..REFERENCES => u8::try_from(number).ok().map(DType::Unknown),
                    _ => None,
                }
            }
        }
    };
}

dtypes! {
    Float = 1, "float32", Some(4);
    Double = 2, "float64", Some(8);
    Int32 = 3, "int32", Some(4);
    UInt8 = 4, "uint8", Some(1);
    Int16 = 5, "int16", Some(2);
    Int8 = 6, "int8", Some(1);
    String = 7, "string", None;
    Complex64 = 8, "complex64", Some(8);
    Int64 = 9, "int64", Some(8);
    Bool = 10, "bool", Some(1);
    QInt8 = 11, "qint8", Some(1);
    QUInt8 = 12, "quint8", Some(1);
    QInt32 = 13, "qint32", Some(4);
    BFloat16 = 14, "bfloat16", Some(2);
    QInt16 = 15, "qint16", Some(2);
    QUInt16 = 16, "quint16", Some(2);
    UInt16 = 17, "uint16", Some(2);
    Complex128 = 18, "complex128", Some(16);
    Half = 19, "float16", Some(2);
    Variant = 21, "variant", None;
    UInt32 = 22, "uint32", Some(4);
    UInt64 = 23, "uint64", Some(8);
    Float8E5M2 = 24, "float8_e5m2", Some(1);
    Float8E4M3Fn = 25, "float8_e4m3fn", Some(1);
    Float8E4M3FnUz = 26, "float8_e4m3fnuz", Some(1);
    Float8E4M3B11FnUz = 27, "float8_e4m3b11fnuz", Some(1);
    Float8E5M2FnUz = 28, "float8_e5m2fnuz", Some(1);
    Int4 = 29, "int4", Some(1);
    UInt4 = 30, "uint4", Some(1);
    Int2 = 31, "int2", Some(1);
    UInt2 = 32, "uint2", Some(1);
    Float4E2M1Fn = 33, "float4_e2m1fn", Some(1);
}

impl DType {
    /// The type Python calls `name`.
    pub fn from_name(name: &str) -> Option<DType> {
        Self::ALL.iter().copied().find(|dtype| dtype.name() == name)
    }

    /// Bytes that change places when a big-endian element is swapped: a complex number is two.
    pub fn swap_unit(self) -> Option<u64> {
        match self {
            DType::Complex64 | DType::Complex128 => self.size().map(|size| size / 2),
            _ => self.size(),
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_lead_back() {
        for &dtype in DType::ALL {
            assert_eq!(DType::from_number(dtype.number()), Some(dtype));
            assert_eq!(DType::from_name(&dtype.name()), Some(dtype));
        }
        // INVALID, RESOURCE and the REF types are never stored.
        for number in [0, 20, 100, 101, -1] {
            assert_eq!(DType::from_number(number), None);
        }
        let later = DType::from_number(34).unwrap();
        assert_eq!((later.number(), later.size(), later.name().as_ref()), (34, None, "dtype_34"));
    }
}
