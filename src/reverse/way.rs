//! The way back from targets to one source variable.
//!
//! A target may hold all of a variable or a part of it, alone or among others. On the way from a
//! target to the variable everything must have an inverse, up to a step that kept only a part;
//! parts that make up the whole are put together again.

use std::ops::Range;

use crate::catalog::{Catalog, VariableName};
use crate::mapping::RuleId;
use crate::plan::{Assignment, Value, joined};
use crate::tensor::{Region, TensorSpec};
use crate::transform::{Reshape, Slice, Transform};

/// One step from the variable towards a target.
#[derive(Debug, Clone)]
pub(super) enum Step<'v> {
    /// Through this, from a value of this spec.
    Apply(&'v Transform, TensorSpec),
    /// Into this box of a longer value.
    Among(Vec<Range<u64>>),
}

/// A part of what the variable is after some steps: where it lies, and what gives it.
#[derive(Debug)]
struct Part {
    /// The steps before a part was cut out, which all parts must share.
    before: Vec<Transform>,
    /// What is cut.
    whole: TensorSpec,
    region: Region,
    value: Value,
    rule: Option<RuleId>,
    key: VariableName,
}

/// A value that a variable went into, with its way there; `None` where that cannot be followed.
pub(super) type Became<'v> = (&'v Assignment, Option<Vec<Step<'v>>>);

/// How a variable is had back.
#[derive(Debug)]
pub(super) struct Way {
    /// From what.
    pub(super) value: Value,
    /// By the rule that led there.
    pub(super) rule: Option<RuleId>,
    /// What of the new checkpoint is used.
    pub(super) keys: Vec<VariableName>,
    /// What holds the same and may have changed since.
    pub(super) others: Vec<VariableName>,
}

/// What gives a variable of `spec` back from the targets its value went to.
pub(super) fn way_back(spec: &TensorSpec, candidates: &[Became<'_>], new: &Catalog) -> Option<Way> {
    let parts: Vec<Part> = candidates
        .iter()
        .filter_map(|(assignment, steps)| {
            let (key, _) = new.variables.get_key_value(assignment.target.key())?;
            part(steps.as_deref()?, spec, key, assignment.rule)
        })
        .collect();
    let (empty, parts): (Vec<Part>, Vec<Part>) =
        parts.into_iter().partition(|part| part.region.elements() == 0);
    let is_whole = |part: &&Part| part.region == Region::whole(part.whole.shape());
    let wholes: Vec<&Part> = parts.iter().chain(&empty).filter(is_whole).collect();
    if let Some(part) = wholes.first() {
        let value = undo(&part.before, spec, part.value.clone())?;
        let others = wholes.iter().skip(1).map(|part| part.key.clone()).collect();
        return Some(Way { value, rule: part.rule, keys: vec![part.key.clone()], others });
    }
    let first = parts.first()?;
    let mut same: Vec<&Part> = parts
        .iter()
        .filter(|part| part.before == first.before && part.whole == first.whole)
        .collect();
    let axis =
        first.region.size().iter().zip(first.whole.shape().dims()).position(|(a, b)| a != b)?;
    let start = |part: &Part| part.region.start().get(axis).copied();
    same.sort_by_key(|part| start(part));
    let mut others = Vec::new();
    same.dedup_by(|next, kept| {
        let again = start(next) == start(kept);
        others.extend(again.then(|| next.key.clone()));
        again
    });
    let mut at = 0;
    for part in &same {
        let across = |(i, (size, dim)): (usize, (&u64, &u64))| i == axis || size == dim;
        let wide =
            part.region.size().iter().zip(first.whole.shape().dims()).enumerate().all(across);
        if start(part)? != at || !wide {
            return None;
        }
        at += part.region.size().get(axis)?;
    }
    if at != *first.whole.shape().dims().get(axis)? {
        return None;
    }
    let joined = same.iter().map(|part| part.value.clone()).collect();
    let value = undo(&first.before, spec, Value::Concat { axis, parts: joined })?;
    let keys = same.iter().map(|part| part.key.clone()).collect();
    Some(Way { value, rule: first.rule, keys, others })
}

/// Whether something is calculated on the way, so that last bits, or what is small beside what is
/// subtracted, do not come back.
pub(super) fn rounds(value: &Value) -> bool {
    match value {
        Value::Apply(Transform::Add(_) | Transform::Scale(_), _) => true,
        Value::Apply(Transform::Gates(gates), of) => gates.adds() || rounds(of),
        Value::Apply(_, of) => rounds(of),
        Value::Concat { parts, .. } => parts.iter().any(rounds),
        _ => false,
    }
}

/// A variable, and the steps from it to a value, first to last.
type Leaf<'v> = (&'v VariableName, Vec<Step<'v>>);

/// Every variable that a value is made of, with its way there, and what the value is.
pub(super) fn ways<'v>(value: &'v Value, old: &Catalog) -> Option<(TensorSpec, Vec<Leaf<'v>>)> {
    match value {
        Value::Variable(name) => {
            let spec = old.variables.get(name)?.spec.clone();
            Some((spec, vec![(name, Vec::new())]))
        }
        Value::Constant(constant) => Some((constant.spec().clone(), Vec::new())),
        Value::Template(_) => None,
        Value::Apply(transform, of) => {
            let (input, mut leaves) = ways(of, old)?;
            let spec = transform.op().infer(&input).ok()?;
            for (_, steps) in &mut leaves {
                steps.push(Step::Apply(transform, input.clone()));
            }
            Some((spec, leaves))
        }
        Value::Concat { axis, parts } => {
            let parts: Option<Vec<_>> = parts.iter().map(|part| ways(part, old)).collect();
            let parts = parts?;
            let specs: Vec<TensorSpec> = parts.iter().map(|(spec, _)| spec.clone()).collect();
            let whole = joined(*axis, &specs).ok()?;
            let mut at = 0;
            let mut leaves = Vec::new();
            for (spec, inner) in parts {
                let mut ranges: Vec<_> = spec.shape().dims().iter().map(|&dim| 0..dim).collect();
                let range = ranges.get_mut(*axis)?;
                *range = at..at + range.end;
                at = range.end;
                for (name, mut steps) in inner {
                    steps.push(Step::Among(ranges.clone()));
                    leaves.push((name, steps));
                }
            }
            Some((whole, leaves))
        }
    }
}

/// What a target gives back of the variable: everything from its end to the first step that keeps
/// a part must be undone.
fn part(
    steps: &[Step<'_>],
    spec: &TensorSpec,
    key: &VariableName,
    rule: Option<RuleId>,
) -> Option<Part> {
    let cut = steps.iter().enumerate().find_map(|(at, step)| match step {
        Step::Apply(transform, input) => {
            // What has an inverse by itself needs no other parts.
            let lossy = transform.op().invert(input).is_none();
            transform.op().keeps(input).filter(|_| lossy).map(|region| (at, region, input.clone()))
        }
        Step::Among(_) => None,
    });
    let first = cut.as_ref().map_or(0, |(at, ..)| at + 1);
    let mut value = Value::Variable(key.clone());
    for step in steps.get(first..)?.iter().rev() {
        value = match step {
            Step::Apply(transform, input) => {
                Value::Apply(transform.op().invert(input)?, Box::new(value))
            }
            Step::Among(ranges) => {
                Value::Apply(Transform::Slice(Slice::of(ranges)?), Box::new(value))
            }
        };
    }
    let part = match cut {
        None => {
            let whole = spec.clone();
            let region = Region::whole(whole.shape());
            Part { before: Vec::new(), region, whole, value, rule, key: key.clone() }
        }
        Some((at, region, whole)) => {
            let before = steps.get(..at)?.iter().map(|step| match step {
                Step::Apply(transform, _) => Some((*transform).clone()),
                // Cut out of a joined value: what lies around it is another variable's.
                Step::Among(_) => None,
            });
            // A piece without its axis gets it back.
            let dims: Result<Vec<i64>, _> =
                region.size().iter().map(|&size| i64::try_from(size)).collect();
            let reshape = Reshape::new(&dims.ok()?).ok()?;
            let value = Value::Apply(Transform::Reshape(reshape), Box::new(value));
            let before = before.collect::<Option<Vec<_>>>()?;
            Part { before, region, whole, value, rule, key: key.clone() }
        }
    };
    Some(part)
}

/// Undoes the steps before the cut.
fn undo(before: &[Transform], spec: &TensorSpec, value: Value) -> Option<Value> {
    let mut arrives = spec.clone();
    let mut inverses = Vec::new();
    for transform in before {
        inverses.push(transform.op().invert(&arrives)?);
        arrives = transform.op().infer(&arrives).ok()?;
    }
    let undo = |value, inverse| Value::Apply(inverse, Box::new(value));
    Some(inverses.into_iter().rev().fold(value, undo))
}
