//! Entries of `fill`: values for leaves that no source has.

use super::file::Compiler;
use super::node::Node;
use super::problem::{Problem, ProblemKind};
use super::rules;
use super::yaml::Yaml;
use super::{RuleId, TargetTemplate, apply};
use crate::tensor::{DType, Shape, TensorSpec};

/// `{leaf: path, shape: [..], with: ones}`.
#[derive(Debug, Clone)]
pub struct Fill {
    /// Where it stands.
    pub id: RuleId,
    /// The leaf.
    pub leaf: TargetTemplate,
    /// Its value.
    pub value: Constant,
}

/// A tensor of one value throughout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constant {
    /// dtype and shape.
    pub spec: TensorSpec,
    /// One element, in storage form.
    pub element: Vec<u8>,
    /// The value as written.
    pub text: String,
}

/// Reads one entry.
pub(super) fn read(node: &Node<'_>, compiler: &mut Compiler<'_>) -> Option<Fill> {
    let fields = node.fields(&["leaf", "shape", "dtype", "with"])?;
    let (leaf, shape) = (fields.require("leaf"), fields.require("shape"));
    let (with, dtype) = (fields.require("with"), fields.get("dtype"));
    let leaf = rules::target(leaf?, &compiler.names(None))?;
    let dtype = match dtype {
        Some(node) => {
            let name = node.text()?;
            let dtype = DType::from_name(name);
            if dtype.is_none() {
                let message = format!("`{name}` is no dtype");
                node.report(Problem::new(ProblemKind::Value, message), None);
            }
            dtype?
        }
        None => DType::Float,
    };
    let shape = shape?;
    let dims = apply::integers(shape, compiler)?;
    let spec = Shape::from_stored(&dims).and_then(|shape| TensorSpec::new(dtype, shape));
    let spec = spec
        .map_err(|error| shape.report(Problem::new(ProblemKind::Value, error.to_string()), None))
        .ok()?;
    let with = with?;
    let text = with.scalar()?;
    let number = match (text.as_str(), with.yaml) {
        ("zeros", _) => 0.0,
        ("ones", _) => 1.0,
        #[allow(clippy::cast_precision_loss, reason = "exactness is checked by `element`")]
        (_, Yaml::Integer(number)) => *number as f64,
        (_, Yaml::Float(number)) => *number,
        _ => {
            let problem = Problem::new(ProblemKind::Value, format!("`{text}` is no value to fill with"));
            with.report(problem.help("write `ones`, `zeros` or a number"), None);
            return None;
        }
    };
    let element = element(dtype, number);
    if element.is_none() {
        let message = format!("{text} cannot be written as {dtype}");
        with.report(Problem::new(ProblemKind::Value, message), None);
    }
    let value = Constant { spec, element: element?, text };
    Some(Fill { id: compiler.id(node), leaf, value })
}

/// `number` as one element, if the dtype can hold it: integers exactly, floats rounded.
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
