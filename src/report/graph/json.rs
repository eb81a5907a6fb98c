//! The graph, as machines read it; written piece by piece, since it may be large.

use std::io::{self, Write};

use serde::{Serialize, Serializer};

use super::{LONGEST_KEY, Role, View};
use crate::catalog::Catalog;
use crate::object::{self, Node, NodeId, ObjectGraph};
use crate::report::document::SCHEMA;
use crate::tensor::TensorSpec;

#[derive(Serialize)]
struct Document<'c, N: Serialize, E: Serialize, S: Serialize> {
    schema: u32,
    checkpoint: &'c str,
    nodes: N,
    edges: E,
    slots: S,
    /// Nodes that neither edges nor slots lead to from node 0.
    unreachable: &'c [NodeId],
}

#[derive(Serialize)]
struct Object<'c> {
    id: NodeId,
    /// `None` if no attributes lead there, or too many; edges of the kind `tree` do.
    path: Option<String>,
    values: Vec<Value<'c>>,
    saver: Option<Saver<'c>>,
    has_values: Option<bool>,
}

#[derive(Serialize)]
struct Value<'c> {
    name: &'c str,
    full_name: &'c str,
    key: &'c str,
    dtype: Option<String>,
    shape: Option<&'c [u64]>,
    /// Tensors behind `key-…`, the first few, where none is called `key`.
    parts: Vec<Part<'c>>,
}

#[derive(Serialize)]
struct Part<'c> {
    suffix: &'c str,
    dtype: String,
    shape: &'c [u64],
}

#[derive(Serialize)]
struct Saver<'c> {
    name: &'c str,
    object: &'c str,
}

#[derive(Serialize)]
struct Edge<'c> {
    from: NodeId,
    label: &'c str,
    to: NodeId,
    /// Which way the edge counts: `tree`, `alias`, or `shadowed` by another one of its label.
    kind: &'static str,
    /// Whether it is an alias from where it leads back.
    cycle: bool,
}

#[derive(Serialize)]
struct Slot<'c> {
    optimizer: NodeId,
    name: &'c str,
    variable: NodeId,
    node: NodeId,
}

/// A sequence that is not held.
struct Each<F>(F);

impl<I: Iterator<Item: Serialize>, F: Fn() -> I> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// Nodes, edges and slots.
pub(in crate::report) fn json(
    catalog: &Catalog,
    graph: &ObjectGraph,
    out: &mut dyn Write,
) -> io::Result<()> {
    let view = &View::new(catalog, graph);
    let document = Document {
        schema: SCHEMA,
        checkpoint: &catalog.origin,
        nodes: Each(|| view.nodes().iter().enumerate().map(|(id, node)| object_of(view, id, node))),
        edges: Each(|| view.edges().map(|(from, at, edge)| edge_of(view, from, at, edge))),
        slots: Each(|| view.slots().map(|(optimizer, _, slot)| slot_of(optimizer, slot))),
        unreachable: view.tree.unreachable(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn object_of<'c>(view: &View<'c>, id: NodeId, node: &'c Node) -> Object<'c> {
    let values = node.attributes.iter().map(|value| {
        let spec = view.spec(value);
        Value {
            name: &value.name,
            full_name: &value.full_name,
            key: &value.key,
            dtype: spec.map(|spec| spec.dtype().name().into_owned()),
            shape: spec.map(|spec| spec.shape().dims()),
            parts: view.parts(value).into_iter().map(part_of).collect(),
        }
    });
    let saver = node.saver.as_ref();
    Object {
        id,
        path: view.tree.path(id, LONGEST_KEY),
        values: values.collect(),
        saver: saver.map(|saver| Saver { name: &saver.name, object: &saver.object }),
        has_values: node.has_values,
    }
}

fn part_of<'c>((suffix, spec): (&'c str, &'c TensorSpec)) -> Part<'c> {
    Part { suffix, dtype: spec.dtype().name().into_owned(), shape: spec.shape().dims() }
}

fn edge_of<'c>(view: &View<'c>, from: NodeId, at: usize, edge: &'c object::Edge) -> Edge<'c> {
    let role = view.role(from, at, edge.node);
    let kind = match role {
        Role::Tree => "tree",
        Role::Alias | Role::Cycle => "alias",
        Role::Shadowed => "shadowed",
    };
    Edge { from, label: &edge.label, to: edge.node, kind, cycle: role == Role::Cycle }
}

fn slot_of(optimizer: NodeId, slot: &object::Slot) -> Slot<'_> {
    Slot { optimizer, name: &slot.name, variable: slot.variable, node: slot.node }
}
