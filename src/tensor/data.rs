//! A tensor: what it is and its bytes.

use std::borrow::Cow;
use std::fmt;

use super::{DType, Shape, ShapeError, strings, variants};
use crate::crc::Crc;

/// Element type and shape.
///
/// Invariant: the size in bytes of a tensor of a fixed-size type fits 63 bits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TensorSpec {
    dtype: DType,
    shape: Shape,
}

impl TensorSpec {
    /// Proves the invariant.
    pub fn new(dtype: DType, shape: Shape) -> Result<Self, ShapeError> {
        let spec = Self { dtype, shape };
        match spec.checked_bytes() {
            Some(bytes) if bytes >= 1 << 63 => Err(ShapeError::Overflow),
            None if dtype.size().is_some() => Err(ShapeError::Overflow),
            _ => Ok(spec),
        }
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Shape.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Size in bytes; `None` where only the checkpoint tells it: strings, variants, unknown types.
    pub fn bytes(&self) -> Option<u64> {
        self.checked_bytes()
    }

    fn checked_bytes(&self) -> Option<u64> {
        self.shape.elements().checked_mul(self.dtype.size()?)
    }
}

impl fmt::Display for TensorSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {}", self.dtype, self.shape))
    }
}

/// Why bytes are no tensor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The wrong number of bytes for dtype and shape.
    #[error("{got} bytes stand where {spec} needs {needed}")]
    Length {
        /// What the tensor is said to be.
        spec: Box<TensorSpec>,
        /// Bytes it needs.
        needed: u64,
        /// Bytes there are.
        got: u64,
    },
    /// Elements with lengths of their own do not add up.
    #[error("element {element} of {of} is damaged: {what}")]
    Element {
        /// Which one, counted from 0.
        element: u64,
        /// How many there should be.
        of: u64,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// A tensor in storage form, borrowed or owned.
///
/// Invariant: the bytes are exactly those `spec` needs; strings and variants have been walked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor<'a> {
    spec: TensorSpec,
    data: Cow<'a, [u8]>,
}

impl<'a> Tensor<'a> {
    /// Proves the invariant.
    pub fn new(spec: TensorSpec, data: impl Into<Cow<'a, [u8]>>) -> Result<Self, DataError> {
        Self::summed(spec, data).map(|(tensor, _)| tensor)
    }

    /// Proves the invariant, and gives the checksum that was found on the way.
    pub fn summed(
        spec: TensorSpec,
        data: impl Into<Cow<'a, [u8]>>,
    ) -> Result<(Self, Crc), DataError> {
        let data = data.into();
        let sum = checksum(&spec, &data)?;
        Ok((Self { spec, data }, sum))
    }

    /// A string tensor of rank 0.
    pub fn string(value: &[u8]) -> Tensor<'static> {
        let spec = TensorSpec { dtype: DType::String, shape: Shape::scalar() };
        Tensor { spec, data: Cow::Owned(strings::encode(&[value])) }
    }

    /// Element type and shape.
    pub fn spec(&self) -> &TensorSpec {
        &self.spec
    }

    /// The bytes, in storage form.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The bytes alone.
    pub fn into_data(self) -> Vec<u8> {
        self.data.into_owned()
    }

    /// The value of a single real number, as far as `f64` can hold it.
    pub fn number(&self) -> Option<f64> {
        macro_rules! read {
            ($kind:ty) => {
                <$kind>::from_le_bytes(self.data.as_ref().try_into().ok()?)
            };
        }
        #[allow(clippy::cast_precision_loss, reason = "as far as `f64` can hold it")]
        Some(match self.spec.dtype() {
            DType::Float => f64::from(read!(f32)),
            DType::Double => read!(f64),
            DType::Int8 => f64::from(read!(i8)),
            DType::Int16 => f64::from(read!(i16)),
            DType::Int32 => f64::from(read!(i32)),
            DType::Int64 => read!(i64) as f64,
            DType::UInt8 => f64::from(read!(u8)),
            DType::UInt16 => f64::from(read!(u16)),
            DType::UInt32 => f64::from(read!(u32)),
            DType::UInt64 => read!(u64) as f64,
            _ => return None,
        })
    }

    /// The checksum an index holds for this tensor.
    pub fn checksum(&self) -> Crc {
        checksum(&self.spec, &self.data).unwrap_or_default()
    }

    /// The same tensor with bytes of its own.
    pub fn into_owned(self) -> Tensor<'static> {
        Tensor { spec: self.spec, data: Cow::Owned(self.data.into_owned()) }
    }
}

/// The checksum an index holds for `data`, which is proved to be a tensor of `spec` on the way:
/// strings and variants are not summed byte by byte.
pub fn checksum(spec: &TensorSpec, data: &[u8]) -> Result<Crc, DataError> {
    let elements = spec.shape().elements();
    match spec.bytes() {
        Some(needed) if needed == data.len() as u64 => Ok(Crc::of(data)),
        Some(needed) => {
            Err(DataError::Length { spec: Box::new(spec.clone()), needed, got: data.len() as u64 })
        }
        None => match spec.dtype() {
            DType::String => strings::checksum(data, elements),
            DType::Variant => variants::checksum(data, elements),
            _ => Ok(Crc::of(data)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_proved_once() {
        let spec = TensorSpec::new(DType::Float, Shape::new([2, 3]).unwrap()).unwrap();
        assert!(Tensor::new(spec.clone(), vec![0; 24]).is_ok());
        let error = Tensor::new(spec, vec![0; 23]).unwrap_err();
        assert_eq!(error.to_string(), "23 bytes stand where float32 [2, 3] needs 24");
    }

    #[test]
    fn byte_counts_that_overflow_are_refused() {
        let shape = Shape::new([1 << 62]).unwrap();
        assert_eq!(TensorSpec::new(DType::Complex128, shape), Err(ShapeError::Overflow));
    }
}
