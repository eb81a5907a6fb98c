//! Entries of `fill`: values for leaves that no source has.

use super::compiler::Compiler;
use super::dtype::dtype;
use super::target::target;
use super::zip::{Onto, onto_leaves};
use super::{RuleId, TargetTemplate, numbers};
use crate::tensor::{Constant, DType, Number, Shape, TensorSpec};
use crate::yaml::{Fields, Node, Problem, ProblemKind, Yaml};

/// One entry of `fill`.
#[derive(Debug, Clone)]
pub enum Fill {
    /// `{leaf: path, shape: [..], with: ones}`: a leaf that only the rule file knows of.
    Leaf {
        /// Where it stands.
        id: RuleId,
        /// The leaf.
        leaf: TargetTemplate,
        /// Its value.
        value: Constant,
    },
    /// `{match: pattern, with: ones}`: leaves of the template that nobody gave a value.
    Match {
        /// Where it stands.
        id: RuleId,
        /// Which leaves.
        leaves: Onto,
        /// Their value.
        value: FillValue,
    },
}

/// What a leaf is filled with.
#[derive(Debug, Clone, PartialEq)]
pub enum FillValue {
    /// What the template has there.
    Template,
    /// This number throughout.
    Number(Number),
}

/// What may stand under `with`.
const WORDS: &str = "write `ones`, `zeros`, `template` or a number";

/// Reads one entry.
pub(super) fn read(node: &Node<'_>, compiler: &mut Compiler<'_>) -> Option<Fill> {
    let fields = node.fields(&["match", "leaf", "shape", "dtype", "with"])?;
    match fields.get("match") {
        Some(leaves) => matching(node, leaves, &fields, compiler),
        None => leaf(node, &fields, compiler),
    }
}

fn matching(
    node: &Node<'_>,
    leaves: &Node<'_>,
    fields: &Fields<'_>,
    compiler: &mut Compiler<'_>,
) -> Option<Fill> {
    for key in ["leaf", "shape", "dtype"] {
        if let Some(node) = fields.get(key) {
            let message = format!("`{key}` has no meaning beside `match`");
            let problem = Problem::new(ProblemKind::Key, message);
            node.report_key(problem.help("the template knows its leaves"), key);
        }
    }
    let leaves = onto_leaves(leaves, compiler);
    let with = fields.require("with")?;
    let value = match with.yaml {
        Yaml::Text(word) if word == "template" => FillValue::Template,
        _ => FillValue::Number(numbers::constant(with, compiler, WORDS)?),
    };
    Some(Fill::Match { leaves: leaves?, value, id: compiler.id(node) })
}

fn leaf(node: &Node<'_>, fields: &Fields<'_>, compiler: &mut Compiler<'_>) -> Option<Fill> {
    let (leaf, shape) = (fields.require("leaf"), fields.require("shape"));
    let (with, dtype) = (fields.require("with"), fields.get("dtype"));
    let leaf = target(leaf?, &compiler.names(None))?;
    let dtype = match dtype {
        Some(node) => self::dtype(node)?,
        None => DType::Float,
    };
    let shape = shape?;
    let dims = numbers::integers(shape, compiler)?;
    let spec = Shape::from_stored(&dims).and_then(|shape| TensorSpec::new(dtype, shape));
    let spec = spec
        .map_err(|error| shape.report(Problem::new(ProblemKind::Value, error.to_string()), None))
        .ok()?;
    let with = with?;
    let number = numbers::constant(with, compiler, WORDS)?;
    let value = Constant::new(spec, number);
    if value.is_none() {
        let message = format!("{number} cannot be written as {dtype}");
        let problem = Problem::new(ProblemKind::Value, message);
        with.report(problem.help("say which type it has: `dtype: float32`"), None);
    }
    Some(Fill::Leaf { id: compiler.id(node), leaf, value: value? })
}
