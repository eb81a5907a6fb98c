//! A graph laid out as a tree: each object once, at its nearest place.

#![expect(
    clippy::indexing_slicing,
    reason = "edges and slots lead to nodes that exist, and there is an entry for each node"
)]

use std::collections::{BTreeSet, VecDeque};

use super::cycles::components;
use super::{Edge, Node, NodeId, ObjectGraph, escape};

/// What an object's place in the tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The top: the root, or an object that nothing at a place leads to.
    Top,
    /// Below the object that has it as an attribute.
    Child {
        /// That object.
        parent: NodeId,
        /// The edge's place among its children.
        edge: usize,
    },
    /// Below an optimizer, because no path of attributes leads to it.
    Slot {
        /// The optimizer.
        optimizer: NodeId,
        /// The slot's place among the optimizer's.
        slot: usize,
    },
}

/// A graph with a place for each of its objects.
#[derive(Debug)]
pub struct Tree<'g> {
    graph: &'g ObjectGraph,
    places: Vec<Place>,
    shadowed: BTreeSet<(NodeId, usize)>,
    unreachable: Vec<NodeId>,
    tops: Vec<NodeId>,
    components: Vec<usize>,
}

impl<'g> Tree<'g> {
    /// Lays out `graph`, nearest objects first; in time and memory of the graph's own size.
    pub fn new(graph: &'g ObjectGraph) -> Self {
        let nodes = graph.nodes();
        let mut layout = Layout {
            graph,
            places: vec![None; nodes.len()],
            shadowed: BTreeSet::new(),
            near: VecDeque::new(),
            slots: VecDeque::new(),
        };
        layout.grow(0);
        let left = |layout: &Layout<'_>| -> Vec<NodeId> {
            (0..nodes.len()).filter(|node| layout.places[*node].is_none()).collect()
        };
        let unreachable = left(&layout);
        let led_to: BTreeSet<NodeId> =
            unreachable.iter().flat_map(|node| references(&nodes[*node])).collect();
        let mut tops = Vec::new();
        // First those that nothing leads to; what is left then lies on or behind cycles.
        let heads = unreachable.iter().filter(|node| !led_to.contains(node));
        for top in heads.chain(&unreachable) {
            if layout.places[*top].is_none() {
                layout.grow(*top);
                tops.push(*top);
            }
        }
        Self {
            graph,
            places: layout.places.into_iter().map(|place| place.unwrap_or(Place::Top)).collect(),
            shadowed: layout.shadowed,
            unreachable,
            tops,
            components: components(graph),
        }
    }

    /// The graph.
    pub fn graph(&self) -> &'g ObjectGraph {
        self.graph
    }

    /// Where `node` stands.
    pub fn place(&self, node: NodeId) -> Place {
        self.places.get(node).copied().unwrap_or(Place::Top)
    }

    /// Objects that no attributes and slots lead to from the root.
    pub fn unreachable(&self) -> &[NodeId] {
        &self.unreachable
    }

    /// Those of them below which all of them stand.
    pub fn tops(&self) -> &[NodeId] {
        &self.tops
    }

    /// Whether an edge of `node` stands behind another one of its label: no path leads along it.
    pub fn is_shadowed(&self, node: NodeId, edge: usize) -> bool {
        self.shadowed.contains(&(node, edge))
    }

    /// Whether `from` and `to`, which an edge leads from and to, lie on a cycle.
    pub fn is_cycle(&self, from: NodeId, to: NodeId) -> bool {
        self.components.get(from) == self.components.get(to)
    }

    /// The path of `node` as keys spell it, the root's being empty; `None` if it has none, or one of
    /// more than `longest` bytes. So paths of all objects of a deep graph stay in proportion to it.
    pub fn path(&self, node: NodeId, longest: usize) -> Option<String> {
        let (mut at, mut length, mut labels) = (node, 0, Vec::new());
        while at != 0 {
            let Place::Child { parent, edge } = self.place(at) else { return None };
            let label = &self.graph.nodes().get(parent)?.children.get(edge)?.label;
            length += label.len() + 1;
            if length > longest + 1 {
                return None;
            }
            labels.push(escape(label));
            at = parent;
        }
        labels.reverse();
        Some(labels.join("/"))
    }
}

/// Every object that `node` refers to.
fn references(node: &Node) -> impl Iterator<Item = NodeId> {
    let children = node.children.iter().map(|edge| edge.node);
    children.chain(node.slots.iter().map(|slot| slot.node))
}

struct Layout<'g> {
    graph: &'g ObjectGraph,
    places: Vec<Option<Place>>,
    shadowed: BTreeSet<(NodeId, usize)>,
    near: VecDeque<NodeId>,
    slots: VecDeque<NodeId>,
}

impl Layout<'_> {
    /// Gives a place to everything that `top` leads to. Attributes come before slots, however far
    /// away they are: they are what an object is known by.
    fn grow(&mut self, top: NodeId) {
        self.put(top, Place::Top);
        loop {
            if let Some(node) = self.near.pop_front() {
                self.children(node);
                self.slots.push_back(node);
            } else if let Some(optimizer) = self.slots.pop_front() {
                for (slot, state) in self.graph.nodes()[optimizer].slots.iter().enumerate() {
                    self.put(state.node, Place::Slot { optimizer, slot });
                }
            } else {
                return;
            }
        }
    }

    fn children(&mut self, parent: NodeId) {
        let children: &[Edge] = &self.graph.nodes()[parent].children;
        let mut labels = BTreeSet::new();
        for (edge, child) in children.iter().enumerate() {
            if labels.insert(child.label.as_str()) {
                self.put(child.node, Place::Child { parent, edge });
            } else {
                self.shadowed.insert((parent, edge));
            }
        }
    }

    fn put(&mut self, node: NodeId, place: Place) {
        if self.places[node].is_none() {
            self.places[node] = Some(place);
            self.near.push_back(node);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::Slot;
    use proptest::prelude::*;

    /// Objects with these edges; the label tells where an edge leads.
    fn graph(edges: &[&[NodeId]]) -> ObjectGraph {
        let edge = |&node: &NodeId| Edge { label: format!("to{node}"), node };
        let node = |edges: &&[NodeId]| Node {
            children: edges.iter().map(edge).collect(),
            ..Node::default()
        };
        ObjectGraph::new(edges.iter().map(node).collect()).unwrap()
    }

    #[test]
    fn objects_stand_where_they_are_nearest() {
        let graph = graph(&[&[1, 2], &[3], &[4, 1], &[4], &[]]);
        let tree = Tree::new(&graph);
        assert_eq!(tree.place(4), Place::Child { parent: 2, edge: 0 });
        assert_eq!(tree.path(4, 100).as_deref(), Some("to2/to4"));
        assert_eq!(tree.path(4, 7).as_deref(), Some("to2/to4"));
        assert_eq!(tree.path(4, 6), None);
        assert_eq!(tree.path(0, 0).as_deref(), Some(""));
    }

    #[test]
    fn cycles_are_known_and_nothing_else() {
        let graph = graph(&[&[1, 2], &[2], &[1, 3], &[3], &[5], &[4]]);
        let tree = Tree::new(&graph);
        let cycles = [(1, 2), (2, 1), (3, 3), (4, 5)];
        assert!(cycles.iter().all(|&(from, to)| tree.is_cycle(from, to)));
        assert!(![(0, 1), (0, 2), (2, 3)].iter().any(|&(from, to)| tree.is_cycle(from, to)));
    }

    #[test]
    fn what_cannot_be_reached_is_told_from_its_tops() {
        let graph = graph(&[&[], &[], &[1], &[4], &[3], &[3]]);
        let tree = Tree::new(&graph);
        assert_eq!(tree.unreachable(), [1, 2, 3, 4, 5]);
        assert_eq!(tree.tops(), [2, 5]);
        assert_eq!(tree.place(1), Place::Child { parent: 2, edge: 0 });
        assert_eq!(tree.path(1, 100), None);
    }

    #[test]
    fn attributes_come_before_slots() {
        let slot = |node| Slot { variable: 1, name: "m".to_owned(), node };
        let edge = |label: &str, node| Edge { label: label.to_owned(), node };
        let nodes = vec![
            Node {
                children: vec![edge("a", 1), edge("a", 3)],
                slots: vec![slot(2), slot(3)],
                ..Node::default()
            },
            Node { children: vec![edge("b", 2)], ..Node::default() },
            Node::default(),
            Node::default(),
        ];
        let graph = ObjectGraph::new(nodes).unwrap();
        let tree = Tree::new(&graph);
        assert_eq!(tree.place(2), Place::Child { parent: 1, edge: 0 });
        assert_eq!(tree.place(3), Place::Slot { optimizer: 0, slot: 1 });
        assert!(tree.is_shadowed(0, 1) && !tree.is_shadowed(0, 0));
        assert_eq!(tree.path(3, 100), None);
    }

    proptest! {
        /// Against the definitions: ways as [`ObjectGraph::reachable`] finds them, and cycles by
        /// whether each end of an edge reaches the other.
        #[test]
        fn any_graph(edges in prop::collection::vec(prop::collection::vec(0..8_usize, 0..4), 8)) {
            let edges: Vec<&[NodeId]> = edges.iter().map(Vec::as_slice).collect();
            let graph = graph(&edges);
            let tree = Tree::new(&graph);
            let ways = graph.reachable(0);
            for (node, way) in &ways {
                prop_assert_eq!(tree.path(*node, 1000), Some(way.join("/")));
            }
            prop_assert_eq!(ways.len() + tree.unreachable().len(), 8);
            let reaches = |from, to| graph.reachable(from).iter().any(|(node, _)| *node == to);
            for (from, to) in (0..8).flat_map(|from| (0..8).map(move |to| (from, to))) {
                prop_assert_eq!(tree.is_cycle(from, to), reaches(from, to) && reaches(to, from));
            }
        }
    }
}
