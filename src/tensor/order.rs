//! Which byte of a number comes first.

use super::DType;

/// Byte order of numbers in a file. In memory, and in everything that is written, they are
/// little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ByteOrder {
    /// Least significant byte first.
    #[default]
    Little,
    /// Most significant byte first.
    Big,
}

impl ByteOrder {
    /// Turns elements of a fixed-size type that were stored in this order into little-endian ones.
    /// Each component of a complex number is turned by itself.
    pub fn into_little(self, dtype: DType, elements: &mut [u8]) {
        let unit = dtype.swap_unit().and_then(|unit| usize::try_from(unit).ok()).unwrap_or(1);
        if self == Self::Big && unit > 1 {
            elements.chunks_exact_mut(unit).for_each(<[u8]>::reverse);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_turned_by_themselves() {
        let turned = |order: ByteOrder, dtype| {
            let mut bytes = *b"01234567";
            order.into_little(dtype, &mut bytes);
            bytes
        };
        assert_eq!(&turned(ByteOrder::Big, DType::Half), b"10325476");
        assert_eq!(&turned(ByteOrder::Big, DType::Complex64), b"32107654");
        assert_eq!(&turned(ByteOrder::Big, DType::Double), b"76543210");
        assert_eq!(&turned(ByteOrder::Big, DType::Int4), b"01234567");
        assert_eq!(&turned(ByteOrder::Little, DType::Double), b"01234567");
    }
}
