//! `apply`: the transforms of a rule, as written.

use super::file::Compiler;
use super::node::Node;
use super::problem::{Problem, ProblemKind};
use super::yaml::Yaml;
use crate::names::nearest;
use crate::transform::{Reshape, Transform, Transpose};

const KNOWN: &[&str] = &["reshape", "transpose"];

/// Reads a pipeline: a list of transforms, or one alone.
pub(super) fn read(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<Vec<Transform>> {
    node.one_or_many().iter().map(|step| transform(step, compiler)).collect()
}

fn transform(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<Transform> {
    let (name, argument) = match node.yaml {
        Yaml::Text(name) => (name.as_str(), None),
        _ => match node.entries()?.as_slice() {
            [(name, argument)] => (*name, Some(argument.clone())),
            _ => {
                let problem = Problem::new(ProblemKind::Value, "one transform should stand here");
                node.report(problem.help("write each transform as an item of its own"), None);
                return None;
            }
        },
    };
    let made = match (name, &argument) {
        ("transpose", None) => Transpose::new(None).map(Transform::Transpose),
        ("transpose", Some(argument)) => {
            let axes: Option<Vec<usize>> = integers(argument, compiler)?
                .into_iter()
                .map(|axis| usize::try_from(axis).ok())
                .collect();
            match axes {
                Some(axes) => Transpose::new(Some(axes)).map(Transform::Transpose),
                None => Err("axes are counted from 0".to_owned()),
            }
        }
        ("reshape", Some(argument)) => {
            Reshape::new(&integers(argument, compiler)?).map(Transform::Reshape)
        }
        ("reshape", None) => Err("`reshape` needs the new shape: `reshape: [4, -1]`".to_owned()),
        _ => {
            let help = nearest(name, KNOWN.iter().copied()).map_or_else(
                || format!("known: {}", KNOWN.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            let message = format!("there is no transform `{name}`");
            node.report(Problem::new(ProblemKind::Value, message).help(help), None);
            return None;
        }
    };
    let at = argument.as_ref().unwrap_or(node);
    made.map_err(|message| at.report(Problem::new(ProblemKind::Value, message), None)).ok()
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
