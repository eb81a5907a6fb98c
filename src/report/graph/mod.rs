//! Object graphs, for people, for machines, and for Graphviz.

mod dot;
mod json;
mod text;

use std::collections::BTreeSet;
use std::ops::Bound;

use super::escape;
use crate::catalog::Catalog;
use crate::object::{self, Attribute, Edge, Node, NodeId, ObjectGraph, Place, Slot, Tree};
use crate::tensor::TensorSpec;

pub(super) use dot::dot;
pub(super) use json::json;
pub(super) use text::text;

/// Objects with longer paths go by their numbers: a million aliases of one object far down must not
/// each repeat the way there.
const LONGEST: usize = 160;

/// Keys of longer paths are always shown, and in JSON such paths are left out: those of a deep
/// graph together take the square of its size.
const LONGEST_KEY: usize = 1000;

/// Values have two parts; a million values of one key must not each list a million.
const MOST_PARTS: usize = 4;

/// A graph that is being shown.
pub(super) struct View<'c> {
    catalog: &'c Catalog,
    tree: Tree<'c>,
    /// Objects that something refers to from elsewhere, and so need a name.
    referred: BTreeSet<NodeId>,
}

impl<'c> View<'c> {
    pub(super) fn new(catalog: &'c Catalog, graph: &'c ObjectGraph) -> Self {
        let tree = Tree::new(graph);
        let mut view = Self { catalog, tree, referred: BTreeSet::new() };
        let edges =
            view.edges().filter(|(from, at, e)| view.role(*from, *at, e.node) != Role::Tree);
        let slots = view.slots().filter(|(from, at, slot)| !view.is_here(*from, *at, slot.node));
        let variables = view.slots().map(|(_, _, slot)| slot.variable);
        let referred = edges.map(|(_, _, edge)| edge.node);
        let referred = referred.chain(slots.map(|(_, _, slot)| slot.node)).chain(variables);
        view.referred = referred.collect();
        view
    }

    fn nodes(&self) -> &'c [Node] {
        self.tree.graph().nodes()
    }

    fn node(&self, id: NodeId) -> Option<&'c Node> {
        self.nodes().get(id)
    }

    /// Every edge, with the object it leads from and its place there.
    fn edges(&self) -> impl Iterator<Item = (NodeId, usize, &'c Edge)> {
        let nodes = self.nodes().iter().enumerate();
        nodes
            .flat_map(|(id, node)| node.children.iter().enumerate().map(move |(at, e)| (id, at, e)))
    }

    /// Every slot, with its optimizer and its place there.
    fn slots(&self) -> impl Iterator<Item = (NodeId, usize, &'c Slot)> {
        let nodes = self.nodes().iter().enumerate();
        nodes.flat_map(|(id, node)| node.slots.iter().enumerate().map(move |(at, s)| (id, at, s)))
    }

    /// What an edge is to the tree.
    pub(super) fn role(&self, parent: NodeId, edge: usize, to: NodeId) -> Role {
        if self.tree.is_shadowed(parent, edge) {
            Role::Shadowed
        } else if self.tree.place(to) == (Place::Child { parent, edge }) {
            Role::Tree
        } else if self.tree.is_cycle(parent, to) {
            Role::Cycle
        } else {
            Role::Alias
        }
    }

    /// Whether the object is shown below the slot.
    pub(super) fn is_here(&self, optimizer: NodeId, slot: usize, to: NodeId) -> bool {
        self.tree.place(to) == (Place::Slot { optimizer, slot })
    }

    /// What an object goes by: its path, or its number.
    pub(super) fn name(&self, node: NodeId) -> String {
        match self.tree.path(node, LONGEST) {
            Some(_) if node == 0 => "(root)".to_owned(),
            Some(path) => escape(&path).into_owned(),
            None => format!("#{node}"),
        }
    }

    /// Its number, if something refers to it by that.
    fn number(&self, node: NodeId) -> Option<String> {
        let needed = self.referred.contains(&node) && self.tree.path(node, LONGEST).is_none();
        needed.then(|| format!("#{node}"))
    }

    fn spec(&self, attribute: &Attribute) -> Option<&'c TensorSpec> {
        self.catalog.variables.get(attribute.key.as_str()).map(|variable| &variable.spec)
    }

    /// What a value is made of if it is no single tensor: tables store `key-keys` and `key-values`.
    fn parts(&self, attribute: &Attribute) -> Vec<(&'c str, &'c TensorSpec)> {
        let key = attribute.key.as_str();
        if self.spec(attribute).is_some() {
            return Vec::new();
        }
        let start = format!("{key}-");
        let later =
            self.catalog.variables.range::<str, _>((Bound::Included(&*start), Bound::Unbounded));
        let parts = later.map_while(|(name, variable)| {
            let part = name.as_str().strip_prefix(&start)?;
            Some((part, &variable.spec))
        });
        parts.take(MOST_PARTS).collect()
    }

    /// The key that TensorFlow would give to a value of `node` today.
    fn usual_key(&self, node: NodeId, value: &str) -> Option<String> {
        let path = |node| self.tree.path(node, LONGEST_KEY);
        let place = match self.tree.place(node) {
            Place::Slot { optimizer, slot } => {
                let Slot { variable, name, .. } = self.node(optimizer)?.slots.get(slot)?;
                let (variable, optimizer) = (path(*variable)?, path(optimizer)?);
                format!("{variable}/.OPTIMIZER_SLOT/{optimizer}/{}", object::escape(name))
            }
            Place::Child { .. } | Place::Top => path(node)?,
        };
        Some(format!("{place}/.ATTRIBUTES/{}", object::escape(value)))
    }
}

/// What an edge is to the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A part of it.
    Tree,
    /// It leads to an object that stands elsewhere.
    Alias,
    /// The same, and from there back.
    Cycle,
    /// It stands behind another edge of its label.
    Shadowed,
}

/// A label as paths spell it.
pub(super) fn label(label: &str) -> String {
    match label {
        "" => "\"\"".to_owned(),
        label => escape(&object::escape(label)).into_owned(),
    }
}
