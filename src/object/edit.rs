//! Changes to a graph that was taken over: as few as asked for, everything else stays.

use super::{Attribute, Edge, Node, NodeId, ObjectGraph};

impl ObjectGraph {
    /// Hangs a new object under the root.
    pub fn add_child(&mut self, label: &str, node: Node) {
        let id = self.nodes.len();
        self.nodes.push(node);
        if let Some(root) = self.nodes.first_mut() {
            root.children.push(Edge { label: label.to_owned(), node: id });
        }
        *self = Self::of(std::mem::take(&mut self.nodes));
    }

    /// Takes an object out, with every edge and slot that refers to it; later ones move up.
    pub fn remove(&mut self, gone: NodeId) {
        if gone == 0 || gone >= self.nodes.len() {
            return;
        }
        self.nodes.remove(gone);
        let moved = |node: &mut NodeId| *node -= usize::from(*node > gone);
        for node in &mut self.nodes {
            node.children.retain(|edge| edge.node != gone);
            node.slots.retain(|slot| slot.node != gone && slot.variable != gone);
            node.children.iter_mut().for_each(|edge| moved(&mut edge.node));
            for slot in &mut node.slots {
                moved(&mut slot.node);
                moved(&mut slot.variable);
            }
        }
        *self = Self::of(std::mem::take(&mut self.nodes));
    }

    /// Keeps only the attributes that `keep` accepts.
    pub fn retain_attributes(&mut self, mut keep: impl FnMut(&Attribute) -> bool) {
        for node in &mut self.nodes {
            node.attributes.retain(&mut keep);
        }
    }

    /// Every attribute, to be changed.
    pub fn attributes_mut(&mut self) -> impl Iterator<Item = &mut Attribute> {
        self.nodes.iter_mut().flat_map(|node| &mut node.attributes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{GraphBuilder, ObjectPath};

    #[test]
    fn what_is_taken_out_leaves_no_trace() {
        let mut builder = GraphBuilder::default();
        for path in ["a/x", "gone", "b/y"] {
            builder.insert(&ObjectPath::parse(path).unwrap(), "").unwrap();
        }
        let mut graph = builder.finish();
        graph.remove(graph.child(0, "gone").unwrap());
        assert_eq!(graph.child(0, "gone"), None);
        for path in ["a/x", "b/y"] {
            let labels: Vec<String> = path.split('/').map(str::to_owned).collect();
            let node = graph.walk(&labels).unwrap();
            assert!(graph.nodes()[node].attributes[0].key.starts_with(path), "{path}");
        }
        assert!(ObjectGraph::new(graph.nodes().to_vec()).is_ok());
    }

    #[test]
    fn a_child_is_added_at_the_end() {
        let mut graph = GraphBuilder::default().finish();
        graph.add_child("save_counter", Node::default());
        assert_eq!(graph.child(0, "save_counter"), Some(1));
    }
}
