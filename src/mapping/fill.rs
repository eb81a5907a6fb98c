//! Entries of `fill`: values for leaves that no source has.

use super::file::Compiler;
use super::node::Node;
use super::problem::{Problem, ProblemKind};
use super::rules;
use super::yaml::Yaml;
use super::{RuleId, TargetTemplate, apply};
use crate::tensor::{Constant, DType, Shape, TensorSpec};

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
        #[allow(clippy::cast_precision_loss, reason = "exactness is checked by `Constant`")]
        (_, Yaml::Integer(number)) => *number as f64,
        (_, Yaml::Float(number)) => *number,
        _ => {
            let problem =
                Problem::new(ProblemKind::Value, format!("`{text}` is no value to fill with"));
            with.report(problem.help("write `ones`, `zeros` or a number"), None);
            return None;
        }
    };
    let value = Constant::new(spec, number);
    if value.is_none() {
        let message = format!("{text} cannot be written as {dtype}");
        with.report(Problem::new(ProblemKind::Value, message), None);
    }
    Some(Fill { id: compiler.id(node), leaf, value: value? })
}
