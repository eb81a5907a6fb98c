//! Numbers as written: plain ones, and parameters that are numbers.

use super::compiler::Compiler;
use crate::tensor::Number;
use crate::yaml::{Fields, Node, Problem, ProblemKind, Yaml};

/// An integer, or a list of them.
pub(super) fn one_or_more(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<Vec<i64>> {
    node.one_or_many().iter().map(|item| integer(item, compiler)).collect()
}

/// A list of integers, or of parameters that are integers.
pub(super) fn integers(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<Vec<i64>> {
    node.list()?.iter().map(|item| integer(item, compiler)).collect()
}

/// An integer, or a parameter that is one.
pub(super) fn integer(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<i64> {
    if let Yaml::Integer(number) = node.yaml {
        return Some(*number);
    }
    let text = compiler.text(node)?;
    let number = text.parse().ok();
    if number.is_none() {
        let message = format!("`{text}` is no integer");
        node.report(Problem::new(ProblemKind::Value, message), None);
    }
    number
}

pub(super) fn optional_integer(
    fields: &Fields<'_>,
    key: &str,
    default: i64,
    compiler: &Compiler<'_>,
) -> Option<i64> {
    fields.get(key).map_or(Some(default), |node| integer(node, compiler))
}

/// Integers up to here are floats of double precision without loss.
const EXACT: u64 = 1 << 53;

/// A number, or a parameter that is one.
#[allow(clippy::cast_precision_loss, reason = "larger ones are refused")]
pub(super) fn number(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<f64> {
    match node.yaml {
        Yaml::Integer(number) if number.unsigned_abs() > EXACT => {
            let message = format!("{number} has more digits than are calculated with");
            node.report(Problem::new(ProblemKind::Value, message), None);
            None
        }
        Yaml::Integer(number) => Some(*number as f64),
        Yaml::Float(number) => Some(*number),
        _ => {
            // `1e-3` is text to YAML, and parameters are text too.
            let text = compiler.text(node)?;
            let number = text.parse().ok();
            if number.is_none() {
                let message = format!("`{text}` is no number");
                node.report(Problem::new(ProblemKind::Value, message), None);
            }
            number
        }
    }
}

/// What may stand where new elements are described.
pub(super) const NUMBERS: &str = "write `ones`, `zeros` or a number";

/// `ones`, `zeros`, a number, or a parameter that is one of them.
pub(super) fn constant(node: &Node<'_>, compiler: &Compiler<'_>, help: &str) -> Option<Number> {
    let text = match node.yaml {
        Yaml::Integer(number) => return Some(Number::Integer(*number)),
        Yaml::Text(_) => compiler.text(node)?,
        _ => node.scalar()?,
    };
    let integer = || text.parse().ok().map(Number::Integer);
    let number = match text.as_str() {
        "zeros" => Some(Number::Integer(0)),
        "ones" => Some(Number::Integer(1)),
        text => integer().or_else(|| text.parse().ok().map(Number::Float)),
    };
    if number.is_none() {
        let problem =
            Problem::new(ProblemKind::Value, format!("`{text}` is no value to fill with"));
        node.report(problem.help(help), None);
    }
    number
}
