//! A tensor of one value throughout, which needs no memory however large it is.

use std::fmt;

use super::{DType, TensorSpec};

/// A tensor whose elements are all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constant {
    spec: TensorSpec,
    element: Vec<u8>,
    text: String,
}

impl Constant {
    /// `number` in every place; `None` where the dtype cannot hold it. Integers must be exact,
    /// floats are rounded and must stay finite.
    pub fn new(spec: TensorSpec, number: impl Into<Number>) -> Option<Self> {
        let number = number.into();
        let element = element(spec.dtype(), number)?;
        Some(Self { spec, element, text: number.to_string() })
    }

    /// dtype and shape.
    pub fn spec(&self) -> &TensorSpec {
        &self.spec
    }

    /// One element, in storage form.
    pub fn element(&self) -> &[u8] {
        &self.element
    }

    /// The value as people write it.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// A number as people write it: an integer is not a float that happens to be whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number.
    Integer(i64),
    /// Any other.
    Float(f64),
}

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => number.fmt(f),
            Self::Float(number) => number.fmt(f),
        }
    }
}

impl Number {
    #[allow(clippy::cast_precision_loss, reason = "rounding is what a float does")]
    fn float(self) -> f64 {
        match self {
            Self::Integer(number) => number as f64,
            Self::Float(number) => number,
        }
    }

    /// The number as an integer, if it is one: beyond 2^53 a float no longer says which.
    fn integer(self) -> Option<i64> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match self {
            Self::Integer(number) => Some(number),
            #[allow(clippy::cast_possible_truncation, reason = "whole, and within 2^53")]
            Self::Float(number) => {
                (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
            }
        }
    }
}

fn element(dtype: DType, number: Number) -> Option<Vec<u8>> {
    macro_rules! integer {
        ($kind:ty) => {
            <$kind>::try_from(number.integer()?).ok().map(|value| value.to_le_bytes().to_vec())
        };
    }
    let wide = number.float();
    #[allow(clippy::cast_possible_truncation, reason = "rounding is what a float does")]
    let single = wide as f32;
    let kept = |rounded: bool| rounded || !wide.is_finite();
    match dtype {
        DType::Float => kept(single.is_finite()).then(|| single.to_le_bytes().to_vec()),
        DType::Double => Some(wide.to_le_bytes().to_vec()),
        DType::Half => {
            let half = half::f16::from_f64(wide);
            kept(half.is_finite()).then(|| half.to_le_bytes().to_vec())
        }
        DType::BFloat16 => {
            let half = half::bf16::from_f64(wide);
            kept(half.is_finite()).then(|| half.to_le_bytes().to_vec())
        }
        DType::Bool => {
            number.integer().filter(|bit| (0..=1).contains(bit)).map(|bit| vec![u8::from(bit == 1)])
        }
        DType::Int8 => integer!(i8),
        DType::Int16 => integer!(i16),
        DType::Int32 => integer!(i32),
        DType::Int64 => integer!(i64),
        DType::UInt8 => integer!(u8),
        DType::UInt16 => integer!(u16),
        DType::UInt32 => integer!(u32),
        DType::UInt64 => integer!(u64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_kept_or_refused() {
        let element = |dtype, number: Number| element(dtype, number);
        assert_eq!(element(DType::Float, 0.5.into()).unwrap(), 0.5_f32.to_le_bytes());
        assert_eq!(element(DType::Float, 1e300.into()), None);
        assert_eq!(element(DType::Half, 1e5.into()), None);
        assert_eq!(element(DType::UInt8, 255.0.into()).unwrap(), [255]);
        assert_eq!(element(DType::UInt8, 256.into()), None);
        assert_eq!(element(DType::Int32, 0.5.into()), None);
        assert_eq!(element(DType::Int64, (2.0_f64.powi(63)).into()), None);
        let odd = 9_007_199_254_740_993_i64;
        assert_eq!(element(DType::Int64, odd.into()).unwrap(), odd.to_le_bytes());
        assert_eq!(element(DType::Bool, 1.into()).unwrap(), [1]);
        assert_eq!(element(DType::String, 0.into()), None);
    }
}
