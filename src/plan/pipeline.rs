//! `apply` at work: what a pipeline makes of values, as far as their specs tell.

use std::sync::Arc;

use super::Value;
use super::value::joined;
use crate::catalog::Catalog;
use crate::mapping::Step;
use crate::tensor::{Constant, TensorSpec};
use crate::transform::{
    ExpandDims, Pieces, Reshape, Split, Transform, Unpartition, Unstack, resolve_axis,
};

/// A value on its way.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    pub(super) value: Value,
    pub(super) spec: TensorSpec,
}

/// Why a pipeline yields nothing.
#[derive(Debug)]
pub(super) struct Unfit {
    pub(super) reason: String,
    /// The value is right, and the target is for another number of elements.
    pub(super) other_size: bool,
}

impl From<String> for Unfit {
    fn from(reason: String) -> Self {
        Self { reason, other_size: false }
    }
}

impl Flow {
    /// The variable as it is stored.
    pub(super) fn variable(catalog: &Catalog, name: &str) -> Option<Self> {
        let (name, variable) = catalog.variables.get_key_value(name)?;
        Some(Self { value: Value::Variable(name.clone()), spec: variable.spec.clone() })
    }

    /// The same element throughout.
    pub(super) fn constant(constant: Constant) -> Self {
        Self { spec: constant.spec().clone(), value: Value::Constant(constant) }
    }

    /// Through one transform.
    pub(super) fn apply(self, transform: Transform) -> Result<Self, String> {
        let spec = transform.op().infer(&self.spec).map_err(|error| error.to_string())?;
        Ok(Self { value: Value::Apply(transform, Box::new(self.value)), spec })
    }

    /// Values one after the other along `axis`, which may be counted from the end.
    pub(super) fn concat(axis: i64, parts: Vec<Self>) -> Result<Self, String> {
        let Some((first, rest)) = parts.split_first() else {
            return Err("there is nothing to join".to_owned());
        };
        let axis = resolve_axis(axis, first.spec.shape().rank())
            .ok_or_else(|| format!("{} has no axis {axis} to be joined along", first.spec))?;
        let specs: Vec<TensorSpec> = parts.iter().map(|part| part.spec.clone()).collect();
        let spec = joined(axis, &specs)?;
        if rest.is_empty() {
            return Ok(first.clone());
        }
        let parts = parts.into_iter().map(|part| part.value).collect();
        Ok(Self { value: Value::Concat { axis, parts }, spec })
    }

    /// Values one behind the other along a new axis.
    pub(super) fn stack(axis: i64, parts: Vec<Self>) -> Result<Self, String> {
        let expand = ExpandDims::new(vec![axis])?;
        let expanded: Result<Vec<Self>, String> = parts
            .into_iter()
            .map(|part| part.apply(Transform::ExpandDims(expand.clone())))
            .collect();
        Self::concat(axis, expanded?)
    }
}

/// What `steps` make of `flows`: one value, or one for each of the targets, of which each may want
/// something.
pub(super) fn run(
    steps: &[Step],
    mut flows: Vec<Flow>,
    targets: &[Option<&TensorSpec>],
    catalog: &Catalog,
) -> Result<Vec<Flow>, Unfit> {
    for step in steps {
        flows = match step {
            Step::Each(transform) => flows
                .into_iter()
                .map(|flow| flow.apply(transform.clone()))
                .collect::<Result<_, String>>()?,
            Step::Unpartition(parts) => flows
                .into_iter()
                .map(|flow| {
                    let parts = match parts {
                        Some(parts) => agreed(*parts, &flow, catalog)?,
                        None => stored_parts(&flow, catalog)?,
                    };
                    flow.apply(Transform::Unpartition(Unpartition::new(parts)?))
                })
                .collect::<Result<_, String>>()?,
            Step::Concat { axis, .. } => vec![Flow::concat(*axis, flows)?],
            Step::Stack { axis, .. } => vec![Flow::stack(*axis, flows)?],
            Step::Split { axis, sizes } => {
                let flow = single(flows)?;
                let pieces = match sizes {
                    Some(sizes) if sizes.len() != targets.len() => {
                        let (pieces, targets) = (sizes.len(), targets.len());
                        return Err(
                            format!("{pieces} pieces do not go to {targets} targets").into()
                        );
                    }
                    Some(sizes) => Pieces::Sizes(Arc::clone(sizes)),
                    None => Pieces::Equal(targets.len()),
                };
                let piece = |index| {
                    let split = Split::new(*axis, pieces.clone(), index)?;
                    flow.clone().apply(Transform::Split(split))
                };
                (0..targets.len()).map(piece).collect::<Result<_, String>>()?
            }
            Step::Unstack(axis) => {
                let flow = single(flows)?;
                let piece = |index| {
                    let unstack = Unstack::new(*axis, targets.len(), index)?;
                    flow.clone().apply(Transform::Unstack(unstack))
                };
                (0..targets.len()).map(piece).collect::<Result<_, String>>()?
            }
            Step::ReshapeTarget => {
                let flows = for_each(flows, targets.len())?;
                let pairs = flows.into_iter().zip(targets);
                pairs.map(|(flow, wants)| reshaped(flow, *wants)).collect::<Result<_, Unfit>>()?
            }
        };
    }
    for_each(flows, targets.len())
}

/// One value for each target.
fn for_each(mut flows: Vec<Flow>, targets: usize) -> Result<Vec<Flow>, Unfit> {
    match (flows.len(), targets) {
        (have, want) if have == want => Ok(flows),
        (1, want) => {
            let flow = flows.remove(0);
            Ok(vec![flow; want])
        }
        (have, want) => Err(format!("{have} values do not go to {want} targets").into()),
    }
}

fn single(flows: Vec<Flow>) -> Result<Flow, String> {
    let count = flows.len();
    let only = flows.into_iter().next().filter(|_| count == 1);
    only.ok_or_else(|| format!("one value can be split, not {count}"))
}

/// `reshape: target`: the value takes the shape that is wanted, if the order of its elements can be
/// meant.
fn reshaped(flow: Flow, wants: Option<&TensorSpec>) -> Result<Flow, Unfit> {
    let Some(wants) = wants else {
        let reason = "`reshape: target` needs a template (`--like`), which knows shapes";
        return Err(reason.to_owned().into());
    };
    let (from, to) = (flow.spec.shape(), wants.shape());
    if from.elements() != to.elements() {
        let reason = format!("{} has not as many elements as {to}", flow.spec);
        return Err(Unfit { reason, other_size: flow.spec.dtype() == wants.dtype() });
    }
    if !Reshape::keeps_order(from, to) {
        let reason = format!(
            "{} becomes {to} by more than splitting or merging neighbouring axes; \
             did you forget `transpose`?",
            flow.spec
        );
        return Err(reason.into());
    }
    if from == to {
        return Ok(flow);
    }
    let dims: Result<Vec<i64>, _> = to.dims().iter().map(|&dim| i64::try_from(dim)).collect();
    let dims = dims.map_err(|_| "the shape is too large".to_owned())?;
    Ok(flow.apply(Transform::Reshape(Reshape::new(&dims)?))?)
}

/// The number of parts that a rule file says; the file must not know better.
fn agreed(parts: u64, flow: &Flow, catalog: &Catalog) -> Result<u64, String> {
    let sources = flow.value.sources();
    let stored = sources.first().and_then(|name| catalog.variables.get(*name));
    let stored = stored.map_or(0, |variable| variable.parts.len() as u64);
    if stored != 0 && stored != parts {
        return Err(format!("the file holds it in {stored} parts, and the rule says {parts}"));
    }
    Ok(parts)
}

/// The number of parts a table is stored in, which must be as `mod` makes them.
fn stored_parts(flow: &Flow, catalog: &Catalog) -> Result<u64, String> {
    let whole = "its parts are not in the file: say how many, as \
                 `unpartition: {strategy: mod, parts: 3}`";
    let Value::Variable(name) = &flow.value else {
        return Err("`unpartition: mod` stands first, or says how many parts there are".to_owned());
    };
    let parts = catalog.variables.get(name).map(|variable| variable.parts.as_slice());
    let parts = parts.filter(|parts| !parts.is_empty()).ok_or(whole)?;
    let (count, rows) = (parts.len() as u64, parts.iter().sum::<u64>());
    let even = |(at, size): (u64, &u64)| *size == rows / count + u64::from(at < rows % count);
    if !(0..count).zip(parts).all(even) {
        return Err(format!("its parts of {parts:?} rows are not those of `mod`"));
    }
    Ok(count)
}
