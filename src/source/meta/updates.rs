//! How optimizers update variables, out of the ops that do it.

use std::collections::{BTreeMap, HashSet};

use super::error::MetaError;
use super::nodes::{Graph, Nodes};
use super::ops::{GRADIENTS, STEP, Signature};
use crate::catalog::{Hyperparameter, Update};
use crate::proto::{AttrValue, NodeDef, attr_value::Value};

/// Ops that update variables, at most: four parts for each of ten thousand variables.
const MAX_UPDATES: usize = 40_000;

/// All updates in the order of the file. What updates the parts of a variable alike is one.
pub(super) fn updates(graph: &mut Graph<'_>, nodes: &Nodes) -> Result<Vec<Update>, MetaError> {
    if nodes.updates.len() > MAX_UPDATES {
        let limit = MAX_UPDATES as u64;
        return Err(MetaError::Many { what: "ops that update variables", limit });
    }
    let mut seen = HashSet::new();
    let mut updates = Vec::new();
    for &(span, sparse, signature) in &nodes.updates {
        let Some(node) = graph.node(span)? else { continue };
        if let Some(update) = update(graph, &node, sparse, signature)?
            && seen.insert(format!("{update:?}"))
        {
            updates.push(update);
        }
    }
    Ok(updates)
}

/// What `node` does; `None` where that is not done to a variable with slots that are variables.
fn update(
    graph: &mut Graph<'_>,
    node: &NodeDef,
    sparse: bool,
    signature: &'static Signature,
) -> Result<Option<Update>, MetaError> {
    let Some((targets, rest)) = node.input.split_at_checked(1 + signature.slots) else {
        return Ok(None);
    };
    let Some((powers, rest)) = rest.split_at_checked(signature.powers) else { return Ok(None) };
    let mut slots = variables(graph, targets)?;
    if slots.len() != targets.len() {
        return Ok(None);
    }
    let variable = slots.remove(0);
    let powers = variables(graph, powers)?;
    let mut hyperparameters = BTreeMap::new();
    let mut inputs = rest.iter();
    for &name in signature.rest {
        let Some(input) = inputs.next() else { return Ok(None) };
        if GRADIENTS.contains(&name) {
            if sparse {
                // The indices.
                inputs.next();
            }
        } else if name != STEP {
            hyperparameters.insert(name, graph.origin(input)?);
        }
    }
    let nesterov =
        matches!(node.attr.get("use_nesterov"), Some(AttrValue { value: Some(Value::B(true)) }));
    Ok(Some(Update { op: signature.op, variable, slots, powers, hyperparameters, nesterov }))
}

/// Those of the inputs that are variables.
fn variables(graph: &mut Graph<'_>, inputs: &[String]) -> Result<Vec<String>, MetaError> {
    let mut found = Vec::new();
    for input in inputs {
        if let Hyperparameter::Variable(name) = graph.origin(input)? {
            found.push(name);
        }
    }
    Ok(found)
}
