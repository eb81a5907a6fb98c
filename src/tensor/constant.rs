//! A tensor of one value throughout, which needs no memory however large it is.

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
    /// floats are rounded.
    pub fn new(spec: TensorSpec, number: f64) -> Option<Self> {
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

fn element(dtype: DType, number: f64) -> Option<Vec<u8>> {
    macro_rules! integer {
        ($kind:ty) => {{
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_lossless,
                clippy::cast_precision_loss,
                clippy::float_cmp,
                reason = "the way back shows whether the value was kept"
            )]
            let kept = (number as $kind) as f64 == number;
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "proved above"
            )]
            kept.then(|| (number as $kind).to_le_bytes().to_vec())
        }};
    }
    match dtype {
        #[allow(clippy::cast_possible_truncation, reason = "rounding is what a float does")]
        DType::Float => Some((number as f32).to_le_bytes().to_vec()),
        DType::Double => Some(number.to_le_bytes().to_vec()),
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
        assert_eq!(element(DType::Float, 0.5).unwrap(), 0.5_f32.to_le_bytes());
        assert_eq!(element(DType::UInt8, 255.0).unwrap(), [255]);
        assert_eq!(element(DType::UInt8, 256.0), None);
        assert_eq!(element(DType::Int32, 0.5), None);
        assert_eq!(element(DType::String, 0.0), None);
    }
}
