//! The way back from targets to one source variable.
//!
//! A target may hold all of a variable or a part of it, alone or among others. On the way from a
//! target to the variable everything must have an inverse, up to a step that kept only a part;
//! parts that make up the whole are put together again.

use crate::catalog::{Catalog, VariableName};
use crate::mapping::RuleId;
use crate::plan::{Assignment, Value};
use crate::tensor::{Region, Shape, TensorSpec};
use crate::transform::{Reshape, Slice, Transform};

/// One step from the variable towards a target.
#[derive(Debug, Clone)]
enum Step<'v> {
    /// Through this, from a value of this spec.
    Apply(&'v Transform, TensorSpec),
    /// Into this box of a longer value.
    Among(Region, TensorSpec),
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

type Way = (Value, Option<RuleId>, Vec<VariableName>);

/// What gives `name`, a variable of `spec`, back from the targets its value went to.
pub(super) fn way_back(
    name: &VariableName,
    spec: &TensorSpec,
    candidates: &[&Assignment],
    old: &Catalog,
    new: &Catalog,
) -> Option<Way> {
    let mut parts: Vec<Part> = Vec::new();
    for assignment in candidates {
        let Some((key, _)) = new.variables.get_key_value(assignment.target.key()) else { continue };
        let mut steps = Vec::new();
        if trace(&assignment.value, name, old, &mut steps).is_none() {
            continue;
        }
        let part = part(&steps, spec, key, assignment.rule);
        parts.extend(part);
    }
    let whole = parts.iter().find(|part| part.region == Region::whole(part.whole.shape()));
    if let Some(part) = whole {
        let value = undo(&part.before, spec, part.value.clone())?;
        return Some((value, part.rule, vec![part.key.clone()]));
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
    same.dedup_by_key(|part| start(part));
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
    Some((value, first.rule, same.iter().map(|part| part.key.clone()).collect()))
}

/// Whether something is subtracted on the way, which loses what is smaller than it by far.
pub(super) fn adds(value: &Value) -> bool {
    match value {
        Value::Apply(Transform::Add(_), _) => true,
        Value::Apply(Transform::Gates(gates), of) => gates.adds() || adds(of),
        Value::Apply(_, of) => adds(of),
        Value::Concat { parts, .. } => parts.iter().any(adds),
        _ => false,
    }
}

/// The steps from `name` to the value, first to last; gives the value's spec.
fn trace<'v>(
    value: &'v Value,
    name: &VariableName,
    old: &Catalog,
    steps: &mut Vec<Step<'v>>,
) -> Option<TensorSpec> {
    match value {
        Value::Variable(found) if found == name => Some(old.variables.get(name)?.spec.clone()),
        Value::Apply(transform, of) => {
            let input = trace(of, name, old, steps)?;
            let spec = transform.op().infer(&input).ok()?;
            steps.push(Step::Apply(transform, input));
            Some(spec)
        }
        Value::Concat { axis, parts } => {
            let mut at = 0;
            let mut found = None;
            for part in parts {
                let mut inner = Vec::new();
                let traced = trace(part, name, old, &mut inner).filter(|_| found.is_none());
                let size = match &traced {
                    Some(spec) => spec.clone(),
                    None => spec_of(part, old)?,
                };
                let length = *size.shape().dims().get(*axis)?;
                if traced.is_some() {
                    steps.extend(inner);
                    found = Some((size, at, length));
                }
                at += length;
            }
            let (part, start, length) = found?;
            let mut dims = part.shape().dims().to_vec();
            *dims.get_mut(*axis)? = at;
            let whole = TensorSpec::new(part.dtype(), Shape::new(dims).ok()?).ok()?;
            let mut ranges: Vec<_> = whole.shape().dims().iter().map(|&dim| 0..dim).collect();
            *ranges.get_mut(*axis)? = start..start + length;
            steps.push(Step::Among(Region::new(whole.shape(), &ranges)?, whole.clone()));
            Some(whole)
        }
        _ => None,
    }
}

fn spec_of(value: &Value, old: &Catalog) -> Option<TensorSpec> {
    match value {
        Value::Variable(name) => Some(old.variables.get(name)?.spec.clone()),
        Value::Constant(constant) => Some(constant.spec().clone()),
        Value::Apply(transform, of) => transform.op().infer(&spec_of(of, old)?).ok(),
        Value::Concat { axis, parts } => {
            let specs: Option<Vec<TensorSpec>> =
                parts.iter().map(|part| spec_of(part, old)).collect();
            let specs = specs?;
            let mut dims = specs.first()?.shape().dims().to_vec();
            let lengths = specs.iter().map(|spec| spec.shape().dims().get(*axis).copied());
            *dims.get_mut(*axis)? = lengths.sum::<Option<u64>>()?;
            TensorSpec::new(specs.first()?.dtype(), Shape::new(dims).ok()?).ok()
        }
        _ => None,
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
        Step::Among(..) => None,
    });
    let first = cut.as_ref().map_or(0, |(at, ..)| at + 1);
    let mut value = Value::Variable(key.clone());
    for step in steps.get(first..)?.iter().rev() {
        value = match step {
            Step::Apply(transform, input) => {
                Value::Apply(transform.op().invert(input)?, Box::new(value))
            }
            Step::Among(region, whole) => {
                let ranges: Vec<String> = region
                    .start()
                    .iter()
                    .zip(region.size())
                    .map(|(start, size)| format!("{start}:{}", start + size))
                    .collect();
                let slice = Slice::parse(&ranges.join(", ")).ok()?;
                let _ = whole;
                Value::Apply(Transform::Slice(slice), Box::new(value))
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
                Step::Among(..) => None,
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
