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
        self.reachable_around(from, &BTreeSet::new())
    }

    /// The same with the shortest ways that lead through none of `last`, wherever there is one: what
    /// a model calls its variable says more than the place at which an optimizer lists it.
    pub fn reachable_around(
        &self,
        from: NodeId,
        last: &BTreeSet<NodeId>,
    ) -> Vec<(NodeId, Vec<String>)> {
        let mut ways: BTreeMap<NodeId, Vec<String>> = BTreeMap::from([(from, Vec::new())]);
        let mut order = vec![from];
        let mut queue = VecDeque::from([from]);
        let mut late = VecDeque::new();
        while let Some(node) = queue.pop_front().or_else(|| late.pop_front()) {
            let way = ways.get(&node).cloned().unwrap_or_default();
            let mut labels = BTreeSet::new();
            for edge in self.nodes().get(node).map(|node| &node.children[..]).unwrap_or_default() {
                // No path leads along an edge that stands behind another one of its label.
                let first = labels.insert(edge.label.as_str());
                if let (true, Entry::Vacant(entry)) = (first, ways.entry(edge.node)) {
                    entry.insert(way.iter().chain([&edge.label]).cloned().collect());
                    order.push(edge.node);
                    let queue = if last.contains(&edge.node) { &mut late } else { &mut queue };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{Edge, Node};

    #[test]
    fn ways_around_an_object() {
        let edge = |&(label, node): &(&str, NodeId)| Edge { label: label.to_owned(), node };
        let node = |edges: &[(&str, NodeId)]| Node {
            children: edges.iter().map(edge).collect(),
            ..Node::default()
        };
        let graph = ObjectGraph::new(vec![
            node(&[("model", 1), ("optimizer", 2)]),
            node(&[("unit", 3)]),
            node(&[("0", 5), ("1", 6)]),
            node(&[("layer", 4)]),
            node(&[("kernel", 5)]),
            node(&[]),
            node(&[]),
        ]);
        let graph = graph.unwrap();
        let way = |last: &[NodeId], node| {
            let last = last.iter().copied().collect();
            let ways = graph.reachable_around(0, &last);
            ways.into_iter().find(|(at, _)| *at == node).unwrap().1.join("/")
        };
        assert_eq!(way(&[], 5), "optimizer/0");
        assert_eq!(way(&[2], 5), "model/unit/layer/kernel");
        // Where there is no other one.
        assert_eq!([way(&[2], 2), way(&[2], 6)], ["optimizer", "optimizer/1"]);
        assert_eq!(graph.reachable_around(0, &BTreeSet::from([2])).len(), 7);
    }
}
