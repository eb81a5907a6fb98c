//! Finding one's way in an object graph.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{NodeId, ObjectGraph, ObjectPath};

impl ObjectGraph {
    /// The object that the edge `label` of `node` leads to; the first one counts, as in TensorFlow.
    pub fn child(&self, node: NodeId, label: &str) -> Option<NodeId> {
        let children = &self.nodes().get(node)?.children;
        let order = self.by_label.get(node)?;
        let edge = |place: &usize| children.get(*place);
        let before = |place: &usize| edge(place).is_some_and(|edge| edge.label.as_str() < label);
        let found = edge(order.get(order.partition_point(before))?)?;
        (found.label == label).then_some(found.node)
    }

    /// The object that `labels` lead to from the root; on failure, how many of them could be
    /// followed and where they led.
    pub fn walk(&self, labels: &[String]) -> Result<NodeId, (usize, NodeId)> {
        let mut at = 0;
        for (done, label) in labels.iter().enumerate() {
            at = self.child(at, label).ok_or((done, at))?;
        }
        Ok(at)
    }

    /// Every object that can be reached from `from` along edges, with the labels of the shortest
    /// way there (the first of equals), nearest first.
    pub fn reachable(&self, from: NodeId) -> Vec<(NodeId, Vec<String>)> {
        let mut ways: BTreeMap<NodeId, Vec<String>> = BTreeMap::from([(from, Vec::new())]);
        let mut order = vec![from];
        let mut queue = VecDeque::from([from]);
        while let Some(node) = queue.pop_front() {
            let way = ways.get(&node).cloned().unwrap_or_default();
            let mut labels = BTreeSet::new();
            for edge in self.nodes().get(node).map(|node| &node.children[..]).unwrap_or_default() {
                // No path leads along an edge that stands behind another one of its label.
                let first = labels.insert(edge.label.as_str());
                if let (true, Entry::Vacant(entry)) = (first, ways.entry(edge.node)) {
                    entry.insert(way.iter().chain([&edge.label]).cloned().collect());
                    order.push(edge.node);
                    queue.push_back(edge.node);
                }
            }
        }
        order.into_iter().map(|node| (node, ways.remove(&node).unwrap_or_default())).collect()
    }

    /// The path to `node`, if it is reachable and not the root.
    pub fn path_to(&self, node: NodeId) -> Option<ObjectPath> {
        let (_, labels) = self.reachable(0).into_iter().find(|(found, _)| *found == node)?;
        ObjectPath::new(labels).ok()
    }
}
