//! Every element times a number.

use std::fmt;

use half::{bf16, f16};

use super::{Along, Op, Regions, Transform, TransformError, block, lanes, numbers};
use crate::tensor::{DType, Region, TensorSpec};

/// `scale: 0.5`: each element times a number, in the element's own precision. Its inverse divides,
/// so that the way there and back loses no more than the last bit.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    by: f64,
    divide: bool,
}

impl Scale {
    /// Multiplies by `by`.
    pub fn new(by: f64) -> Self {
        Self { by, divide: false }
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.divide {
            write!(f, "scale: 1/{}", self.by)
        } else {
            write!(f, "scale: {}", self.by)
        }
    }
}

impl Op for Scale {
    fn infer(&self, input: &TensorSpec) -> Result<TensorSpec, TransformError> {
        let dtype = input.dtype();
        if !numbers::floating(dtype) {
            let reason = "its elements are no floating-point numbers";
            return Err(TransformError::fit(self, input, reason));
        }
        let by = if dtype == DType::Double { self.by } else { f64::from(self.factor()) };
        if !by.is_finite() || (by == 0.0 && self.by != 0.0) {
            let reason = format!("{:e} is no factor that {dtype} can hold", self.by);
            return Err(TransformError::fit(self, input, reason));
        }
        Ok(input.clone())
    }

    fn pull(
        &self,
        out: &Region,
        input: &mut dyn Regions,
        into: &mut [u8],
    ) -> Result<(), TransformError> {
        let spec = input.spec().clone();
        self.infer(&spec)?;
        input.read(out, into)?;
        let dtype = spec.dtype();
        // A finite number must stay one.
        let kept = |from: f64, to: f64| to.is_finite() || !from.is_finite();
        let scaled = match dtype {
            DType::Float => lanes::each(into, |bytes| {
                let value = f32::from_le_bytes(bytes);
                let scaled = self.single(value);
                (scaled.to_le_bytes(), kept(value.into(), scaled.into()))
            }),
            DType::Double => lanes::each(into, |bytes| {
                let value = f64::from_le_bytes(bytes);
                let scaled = if self.divide { value / self.by } else { value * self.by };
                (scaled.to_le_bytes(), kept(value, scaled))
            }),
            DType::Half => lanes::halves::<f16>(into, |value| self.single(value)),
            DType::BFloat16 => lanes::halves::<bf16>(into, |value| self.single(value)),
            _ => return Err(TransformError::fit(self, &spec, "its elements are no floats")),
        };
        scaled.map_err(|index| TransformError::Range {
            transform: self.to_string(),
            value: "a product too large".to_owned(),
            dtype,
            position: block::position(spec.shape(), out, u64::try_from(index).unwrap_or(u64::MAX)),
        })
    }

    fn invert(&self, _: &TensorSpec) -> Option<Transform> {
        (self.by != 0.0).then_some(Transform::Scale(Self { by: self.by, divide: !self.divide }))
    }

    fn along(&self) -> Along {
        Along::Never("scaling a variable changes what its state means")
    }
}

impl Scale {
    #[allow(clippy::cast_possible_truncation, reason = "as narrow types are calculated with")]
    fn factor(&self) -> f32 {
        self.by as f32
    }

    fn single(&self, value: f32) -> f32 {
        let by = self.factor();
        if self.divide { value / by } else { value * by }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{Shape, TensorSpec};

    struct Held(TensorSpec, Vec<u8>);

    impl Regions for Held {
        fn spec(&self) -> &TensorSpec {
            &self.0
        }

        fn read(&mut self, _: &Region, out: &mut [u8]) -> Result<(), TransformError> {
            out.copy_from_slice(&self.1);
            Ok(())
        }
    }

    #[test]
    fn there_and_back() {
        let spec = TensorSpec::new(DType::Float, Shape::new([3]).unwrap()).unwrap();
        let values = [1.5_f32, -2.0, 1e-3];
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let scale = Scale::new(-0.1);
        let mut scaled = vec![0; 12];
        let all = Region::whole(spec.shape());
        scale.pull(&all, &mut Held(spec.clone(), bytes), &mut scaled).unwrap();
        assert_eq!(scaled[..4], (1.5_f32 * -0.1_f32).to_le_bytes());
        let back = scale.invert(&spec).unwrap();
        let mut again = vec![0; 12];
        back.op().pull(&all, &mut Held(spec, scaled), &mut again).unwrap();
        for (value, bytes) in values.iter().zip(again.as_chunks::<4>().0) {
            let off = f32::from_le_bytes(*bytes).to_bits().abs_diff(value.to_bits());
            assert!(off <= 1, "{value} is off by {off}");
        }
    }
}
