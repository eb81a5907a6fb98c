//! `apply`: what is done to values on their way, as written.

use std::sync::Arc;

use super::compiler::Compiler;
use super::dtype::dtype;
use super::numbers::{NUMBERS, constant, integer, integers, number, one_or_more, optional_integer};
use super::rows;
use crate::names::nearest;
use crate::tensor::Number;
use crate::transform::{
    Add, Cast, ExpandDims, Flip, Gates, MergeAxes, Pad, Reshape, Scale, Slice, SplitAxis, Squeeze,
    Transform, Transpose,
};
use crate::yaml::{Node, Problem, ProblemKind, Yaml};

/// One step of a pipeline.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// Done to each tensor by itself.
    Each(Transform),
    /// To the shape that the template's leaf has.
    ReshapeTarget,
    /// The rows of a table back in the order of their ids; `None` takes the parts the file has.
    Unpartition(Option<u64>),
    /// All tensors become one, along an axis they have.
    Concat {
        /// Which axis.
        axis: i64,
        /// Whether numbers may be missing in the names of what is joined.
        gaps: bool,
    },
    /// All tensors become one, along a new axis.
    Stack {
        /// Which axis.
        axis: i64,
        /// Whether numbers may be missing in the names of what is joined.
        gaps: bool,
    },
    /// One tensor becomes as many as there are targets, of these sizes or of equal ones.
    Split {
        /// Along which axis.
        axis: i64,
        /// How long each piece is.
        sizes: Option<Arc<[u64]>>,
    },
    /// One tensor becomes as many as its axis is long, without that axis.
    Unstack(i64),
}

impl Step {
    /// Whether it makes one tensor of several.
    pub fn joins(&self) -> bool {
        matches!(self, Self::Concat { .. } | Self::Stack { .. })
    }

    /// Whether it joins whatever matches, rather than a series without gaps.
    pub fn allows_gaps(&self) -> bool {
        matches!(self, Self::Concat { gaps: true, .. } | Self::Stack { gaps: true, .. })
    }

    /// Whether it makes several tensors of one.
    pub fn parts(&self) -> bool {
        matches!(self, Self::Split { .. } | Self::Unstack(_))
    }
}

/// A pipeline is an expression as deep as it is long, for each variable that goes through it.
const MAX_STEPS: usize = 64;

/// Steps that pick elements may each ask for about twice what they yield.
const MAX_PICKS: usize = 8;

type Made = Result<Step, String>;

/// Reads the argument of a word; `None` where a problem was reported.
type Reader = fn(&Node<'_>, &Compiler<'_>) -> Option<Made>;

/// Every transform by its word; the text shows what stands behind it.
const WORDS: &[(&str, &str, Reader)] = &[
    ("add", "`add: 1.0`", |node, compiler| {
        Some(each(Ok(Transform::Add(Add::new(number(node, compiler)?)))))
    }),
    ("cast", "`cast: float32`", cast),
    ("concat", "`concat: -1`", concat),
    ("expand_dims", "`expand_dims: 0`", |node, compiler| {
        Some(each(ExpandDims::new(one_or_more(node, compiler)?).map(Transform::ExpandDims)))
    }),
    ("flip", "`flip: -1`", |node, compiler| {
        Some(each(Flip::new(one_or_more(node, compiler)?).map(Transform::Flip)))
    }),
    ("gates", "`gates: [0, 2, 1, 3]`", gates),
    ("gather", "`gather: rows.txt`", |node, compiler| {
        Some(each(rows::read(node, compiler)?.map(Transform::Gather)))
    }),
    ("merge_axes", "`merge_axes: [0, 1]`", |node, compiler| {
        Some(each(MergeAxes::new(integers(node, compiler)?).map(Transform::MergeAxes)))
    }),
    ("pad", "`pad: [[0, 0], [0, 8]]`", pad),
    ("reshape", "`reshape: [4, -1]` or `reshape: target`", reshape),
    ("scale", "`scale: 0.5`", |node, compiler| {
        Some(each(Ok(Transform::Scale(Scale::new(number(node, compiler)?)))))
    }),
    ("slice", "`slice: '..., 1:'`", |node, compiler| {
        Some(each(Slice::parse(&compiler.text(node)?).map(Transform::Slice)))
    }),
    ("split", "`split: -1` or `split: {axis: -1, sizes: [2, 4]}`", split),
    ("split_axis", "`split_axis: {axis: -1, into: [12, -1]}`", split_axis),
    ("squeeze", "`squeeze: 0`", |node, compiler| {
        Some(each(Squeeze::new(one_or_more(node, compiler)?).map(Transform::Squeeze)))
    }),
    ("stack", "`stack: 0`", stack),
    ("transpose", "`transpose: [1, 0]`", |node, compiler| {
        Some(each(Transpose::signed(&integers(node, compiler)?).map(Transform::Transpose)))
    }),
    ("unpartition", "`unpartition: mod`", unpartition),
    ("unstack", "`unstack: 0`", |node, compiler| Some(Ok(Step::Unstack(integer(node, compiler)?)))),
];

/// Reads a pipeline: a list of transforms, or one alone.
pub(super) fn read(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<Vec<Step>> {
    let steps = node.one_or_many();
    if steps.len() > MAX_STEPS {
        let message = format!("{} steps are more than {MAX_STEPS}", steps.len());
        node.report(Problem::new(ProblemKind::Value, message), None);
        return None;
    }
    let steps: Vec<Step> =
        steps.iter().map(|step| self::step(step, compiler)).collect::<Option<_>>()?;
    let picks = |step: &&Step| {
        matches!(
            step,
            Step::Each(Transform::Gather(_) | Transform::Slice(_)) | Step::Unpartition(_)
        )
    };
    if steps.iter().filter(picks).count() > MAX_PICKS {
        let message = format!("more than {MAX_PICKS} steps pick elements");
        let help = "one `gather` or `slice` can do what several do";
        node.report(Problem::new(ProblemKind::Value, message).help(help), None);
        return None;
    }
    let parted = steps.iter().position(Step::parts);
    if parted.is_some_and(|at| steps.iter().skip(at).any(Step::joins)) {
        let problem = Problem::new(ProblemKind::Value, "what was split is not joined again");
        node.report(problem.help("`gates` puts blocks into another order"), None);
        return None;
    }
    Some(steps)
}

/// Reads a pipeline for one tensor that stays one.
pub(super) fn read_single(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<Vec<Step>> {
    let steps = read(node, compiler)?;
    if let Some(step) = steps.iter().position(|step| step.joins() || step.parts()) {
        let message = "only rules with `from` and `to` join and split values";
        let at = node.one_or_many().get(step).cloned();
        at.as_ref().unwrap_or(node).report(Problem::new(ProblemKind::Value, message), None);
        return None;
    }
    Some(steps)
}

fn step(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<Step> {
    let (word, argument) = match node.yaml {
        Yaml::Text(word) => (word.as_str(), None),
        _ => match node.entries()?.as_slice() {
            [(word, argument)] => (*word, Some(argument.clone())),
            _ => {
                let problem = Problem::new(ProblemKind::Value, "one transform should stand here");
                node.report(problem.help("write each transform as an item of its own"), None);
                return None;
            }
        },
    };
    let Some((_, example, read)) = WORDS.iter().find(|(known, ..)| *known == word) else {
        let words = || WORDS.iter().map(|(word, ..)| *word);
        let help = nearest(word, words()).map_or_else(
            || format!("known: {}", words().collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        let message = format!("there is no transform `{word}`");
        node.report(Problem::new(ProblemKind::Value, message).help(help), None);
        return None;
    };
    let at = argument.as_ref().unwrap_or(node);
    let made = match &argument {
        Some(argument) => read(argument, compiler)?,
        // Its bare form reverses the axes.
        None if word == "transpose" => each(Transpose::new(None).map(Transform::Transpose)),
        None => Err(format!("`{word}` needs more: {example}")),
    };
    made.map_err(|message| at.report(Problem::new(ProblemKind::Value, message), None)).ok()
}

fn each(made: Result<Transform, String>) -> Made {
    made.map(Step::Each)
}

fn reshape(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<Made> {
    if let Yaml::Text(word) = node.yaml
        && word == "target"
    {
        return Some(Ok(Step::ReshapeTarget));
    }
    Some(each(Reshape::new(&integers(node, compiler)?).map(Transform::Reshape)))
}

fn cast(node: &Node<'_>, _: &Compiler<'_>) -> Option<Made> {
    Some(each(Cast::new(dtype(node)?).map(Transform::Cast)))
}

fn concat(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<Made> {
    let (axis, gaps) = join(node, compiler)?;
    Some(Ok(Step::Concat { axis, gaps }))
}

fn stack(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<Made> {
    let (axis, gaps) = join(node, compiler)?;
    Some(Ok(Step::Stack { axis, gaps }))
}

/// An axis, or a map with `axis` and `gaps`.
fn join(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<(i64, bool)> {
    let Yaml::Map(_) = node.yaml else { return Some((integer(node, compiler)?, false)) };
    let fields = node.fields(&["axis", "gaps"])?;
    Some((integer(fields.require("axis")?, compiler)?, fields.truth("gaps")?))
}

/// `gates: [0, 2, 1, 3]`, or a map with `axis` and what is added to each block.
fn gates(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<Made> {
    let (axis, order, add) = match node.yaml {
        Yaml::List(_) => (-1, integers(node, compiler)?, Vec::new()),
        _ => {
            let fields = node.fields(&["axis", "order", "add"])?;
            let add = match fields.get("add") {
                Some(add) => add.list()?.iter().map(|one| number(one, compiler)).collect(),
                None => Some(Vec::new()),
            };
            let order = integers(fields.require("order")?, compiler)?;
            (optional_integer(&fields, "axis", -1, compiler)?, order, add?)
        }
    };
    let order: Result<Vec<usize>, _> = order.into_iter().map(usize::try_from).collect();
    Some(match order {
        Ok(order) => each(Gates::new(axis, order, add).map(Transform::Gates)),
        Err(_) => Err("blocks are counted from 0".to_owned()),
    })
}

/// `pad: [[before, after], …]`, or a map with the pairs under `by` and the value under `with`.
fn pad(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<Made> {
    let (by, with) = match node.yaml {
        Yaml::List(_) => (node.clone(), Number::Integer(0)),
        _ => {
            let fields = node.fields(&["by", "with"])?;
            let with = match fields.get("with") {
                Some(with) => constant(with, compiler, NUMBERS)?,
                None => Number::Integer(0),
            };
            (fields.require("by")?.clone(), with)
        }
    };
    let mut pairs = Vec::new();
    for pair in by.list()? {
        match integers(&pair, compiler)?.as_slice() {
            [before, after] => match (u64::try_from(*before), u64::try_from(*after)) {
                (Ok(before), Ok(after)) => pairs.push((before, after)),
                _ => {
                    return Some(Err(
                        "a padding has a number from 0 on; `slice` takes away".to_owned()
                    ));
                }
            },
            _ => return Some(Err("each axis has two numbers: before and after".to_owned())),
        }
    }
    Some(each(Pad::new(pairs, with).map(Transform::Pad)))
}

fn split(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<Made> {
    let Yaml::Map(_) = node.yaml else {
        return Some(Ok(Step::Split { axis: integer(node, compiler)?, sizes: None }));
    };
    let fields = node.fields(&["axis", "sizes"])?;
    let axis = integer(fields.require("axis")?, compiler)?;
    let sizes = integers(fields.require("sizes")?, compiler)?;
    let sizes: Result<Vec<u64>, _> = sizes.into_iter().map(u64::try_from).collect();
    Some(match sizes {
        Ok(sizes) => Ok(Step::Split { axis, sizes: Some(sizes.into()) }),
        Err(_) => Err("a piece has no size below zero".to_owned()),
    })
}

fn split_axis(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<Made> {
    let fields = node.fields(&["axis", "into"])?;
    let axis = integer(fields.require("axis")?, compiler)?;
    let into = integers(fields.require("into")?, compiler)?;
    Some(each(SplitAxis::new(axis, into).map(Transform::SplitAxis)))
}

fn unpartition(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<Made> {
    let (strategy, parts) = match node.yaml {
        Yaml::Map(_) => {
            let fields = node.fields(&["strategy", "parts"])?;
            let parts = match fields.get("parts") {
                Some(parts) => Some(integer(parts, compiler)?),
                None => None,
            };
            (fields.require("strategy")?.text()?, parts)
        }
        _ => (node.text()?, None),
    };
    Some(match (strategy, parts.map(u64::try_from)) {
        ("mod", None) => Ok(Step::Unpartition(None)),
        ("mod", Some(Ok(parts))) if parts > 0 => Ok(Step::Unpartition(Some(parts))),
        ("mod", _) => Err("a table has at least one part".to_owned()),
        ("div", _) => Err("with `div` rows lie in the order of their ids: leave it out".to_owned()),
        _ => Err(format!("`{strategy}` is no way to partition; TensorFlow has `mod` and `div`")),
    })
}
