//! What the new model wants: the variables of the template, without what belongs to optimizers.

use std::collections::{BTreeMap, BTreeSet};

use super::side::Named;
use super::tokens::is_usual;
use crate::catalog::Catalog;
use crate::names::shared_components;
use crate::object::{NodeId, ObjectGraph, Target, VARIABLE_VALUE, escape};
use crate::optimizer::{Found, optimizers, ways};

/// The template as a whole.
#[derive(Debug)]
pub(super) struct New {
    /// The label that all variables lie below, if there is one.
    pub(super) root: Option<String>,
    /// Every variable of the model, in the order of the objects.
    pub(super) places: Vec<Place>,
    /// Its optimizers.
    pub(super) optimizers: Vec<Found>,
}

/// A variable of the template.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// How it is called, and what it is.
    pub(super) named: Named,
    /// The key its value stands under.
    pub(super) target: Target,
    /// A way to it, from the root of the whole checkpoint.
    pub(super) shown: String,
    /// Its full name without what all have in common, if no other has it.
    pub(super) name: Option<String>,
    /// Whether its path is no more than places in a graph.
    pub(super) opaque: bool,
    /// Whether its last label begins with an underscore.
    pub(super) hidden: bool,
}

impl Place {
    /// Whether somebody who says so means it: a path from anywhere, a full name.
    pub(super) fn is_called(&self, said: &str) -> bool {
        let said = said.trim_end_matches("/.ATTRIBUTES/VARIABLE_VALUE");
        self.names().any(|name| {
            name == said || (self.hidden && name.replace("/_", "/") == said.replace("/_", "/"))
        })
    }

    /// Everything it may be called.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.shown.as_str()).chain(self.named.views.iter().map(String::as_str))
    }
}

/// Reads the template; `None` where it is no object-based checkpoint.
pub(super) fn read(catalog: &Catalog) -> Option<New> {
    let graph = catalog.graph.as_ref()?;
    let optimizers = optimizers(graph);
    let owned: BTreeSet<NodeId> =
        optimizers.iter().flat_map(|found| found.owned.iter().copied()).collect();
    let slots: BTreeSet<NodeId> =
        graph.nodes().iter().flat_map(|node| &node.slots).map(|slot| slot.node).collect();
    let mut wanted: BTreeMap<NodeId, (&str, &str)> = BTreeMap::new();
    for (node, attribute) in graph.attributes() {
        let counts = attribute.key.starts_with("save_counter/");
        let is_variable = attribute.name == VARIABLE_VALUE && !counts;
        if is_variable && !owned.contains(&node) && !slots.contains(&node) {
            wanted.insert(node, (&attribute.key, &attribute.full_name));
        }
    }
    let root = root(graph, &wanted, &optimizers);
    let start = root.as_ref().and_then(|label| graph.child(0, label)).unwrap_or(0);
    let names = || wanted.values().map(|(_, name)| *name).filter(|name| !name.is_empty());
    let common = shared_components(names()).len();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in names() {
        *counts.entry(name).or_default() += 1;
    }
    let mut places = Vec::new();
    for (node, labels) in ways(graph, start, &optimizers) {
        let Some((key, full_name)) = wanted.get(&node) else { continue };
        let Some(variable) = catalog.variables.get(*key) else { continue };
        let labels: Vec<String> = labels.iter().map(|label| escape(label)).collect();
        let path = labels.join("/");
        // What has no usual name stays open, as the plan of the proposal will tell.
        if !is_usual(&path) || !is_usual(full_name) {
            continue;
        }
        let short: Vec<&str> = full_name.split('/').skip(common).collect();
        let name = (counts.get(full_name) == Some(&1)).then(|| short.join("/"));
        let mut views = vec![path.clone()];
        views.extend(name.clone().or_else(|| (!full_name.is_empty()).then(|| short.join("/"))));
        let shown = root.iter().cloned().chain([path]).collect::<Vec<_>>().join("/");
        places.push(Place {
            named: Named { views, spec: variable.spec.clone() },
            target: Target::named(*key),
            shown,
            name,
            opaque: labels.iter().any(|label| is_place(label)),
            hidden: labels.last().is_some_and(|label| label.starts_with('_')),
        });
    }
    Some(New { root, places, optimizers })
}

/// Whether a label tells no more than where in its graph Keras found an object.
fn is_place(label: &str) -> bool {
    matches!(label, "_operations" | "_layers")
        || ["layer_with_weights-", "layer-"]
            .iter()
            .any(|start| label.strip_prefix(start).is_some_and(|rest| rest.parse::<u32>().is_ok()))
}

/// The one label that leads to all variables.
fn root(
    graph: &ObjectGraph,
    wanted: &BTreeMap<NodeId, (&str, &str)>,
    optimizers: &[Found],
) -> Option<String> {
    let edges = graph.nodes().first().map(|node| node.children.as_slice()).unwrap_or_default();
    let others: BTreeSet<NodeId> = optimizers.iter().map(|found| found.node).collect();
    let leads = |node: NodeId| {
        let reached: BTreeSet<NodeId> =
            graph.reachable(node).into_iter().map(|(node, _)| node).collect();
        wanted.keys().all(|node| reached.contains(node))
    };
    let edges = edges.iter().filter(|edge| !others.contains(&edge.node));
    // A template that is a model itself has many such ways, and none that is the model's name.
    let mut ways = edges.filter(|edge| edge.label != "save_counter" && leads(edge.node));
    let first = ways.next()?;
    ways.next().is_none().then(|| first.label.clone())
}
