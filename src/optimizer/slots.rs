//! Which variables are slots of which, in any checkpoint: for whoever wants to see them together.

use std::collections::BTreeMap;

use super::{State, detect, optimizers};
use crate::catalog::{Catalog, VariableName};
use crate::object::{NodeId, ObjectGraph};

/// What a slot variable is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotOf {
    /// The variable whose state it is.
    pub variable: VariableName,
    /// What its optimizer calls it: `Adam_1`, `momentums`.
    pub name: String,
}

/// Every slot variable, as far as names, shapes and objects tell.
pub fn slots(catalog: &Catalog) -> BTreeMap<VariableName, SlotOf> {
    match &catalog.graph {
        Some(graph) => of_objects(catalog, graph),
        None => of_names(detect(catalog, &[])),
    }
}

fn of_names(state: State) -> BTreeMap<VariableName, SlotOf> {
    let slots = state.slots.into_iter();
    slots
        .map(|(name, slot)| {
            let leaf = name.as_str().rsplit('/').next().unwrap_or_default().to_owned();
            (name, SlotOf { variable: slot.variable, name: leaf })
        })
        .collect()
}

fn of_objects(catalog: &Catalog, graph: &ObjectGraph) -> BTreeMap<VariableName, SlotOf> {
    let key = |node: NodeId| {
        let value = graph.nodes().get(node)?.attributes.first()?;
        catalog.variables.get_key_value(value.key.as_str()).map(|(name, _)| name.clone())
    };
    let mut slots = BTreeMap::new();
    let mut add = |node, variable, name: String| {
        if let (Some(slot), Some(variable)) = (key(node), key(variable)) {
            slots.insert(slot, SlotOf { variable, name });
        }
    };
    for slot in graph.nodes().iter().flat_map(|node| &node.slots) {
        add(slot.node, slot.variable, slot.name.clone());
    }
    for found in optimizers(graph) {
        let Some(kind) = found.kind(graph) else { continue };
        for (node, value) in graph.attributes().filter(|(node, _)| !found.owned.contains(node)) {
            for role in kind.roles() {
                // Names that two layers share do not tell whose state it is.
                let Ok(Some(slot)) = found.slot(graph, role, node, &value.full_name) else {
                    continue;
                };
                add(slot, node, found.role_name(role).to_owned());
            }
        }
    }
    slots
}
