//! Building a graph from nothing but the paths of its variables.

#![expect(
    clippy::indexing_slicing,
    reason = "indices are places in `objects`: made here, never removed"
)]

use std::collections::{BTreeMap, VecDeque};

use super::{Attribute, Edge, Node, NodeId, ObjectGraph, ObjectPath, VARIABLE_VALUE};

/// So many children are searched faster than they are sorted.
const FEW: usize = 8;

/// Two paths that no object graph can hold together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{variable}` is a variable, so `{below}` cannot lie below it")]
pub struct GraphConflict {
    /// The shorter path.
    pub variable: ObjectPath,
    /// The longer path.
    pub below: ObjectPath,
}

/// Collects variables by path, then numbers the objects breadth-first as TensorFlow does.
#[derive(Debug)]
pub struct GraphBuilder {
    objects: Vec<Object>,
}

#[derive(Debug, Default)]
struct Object {
    /// In order of insertion, which becomes the order of the edges.
    children: Vec<(String, usize)>,
    /// The same by label, once there are more than a few: wide objects (a shim's store of 200,000
    /// names) must not be searched.
    by_label: BTreeMap<String, usize>,
    variable: Option<(ObjectPath, String)>,
}

impl Default for GraphBuilder {
    fn default() -> Self {
        Self { objects: vec![Object::default()] }
    }
}

impl GraphBuilder {
    /// Adds the variable at `path`; a second one at the same path replaces the first.
    pub fn insert(&mut self, path: &ObjectPath, full_name: &str) -> Result<(), GraphConflict> {
        let mut at = 0;
        for label in path.labels() {
            if let Some((variable, _)) = &self.objects[at].variable {
                return Err(GraphConflict { variable: variable.clone(), below: path.clone() });
            }
            at = self.child(at, label);
        }
        if let Some(below) = self.first_variable_below(at) {
            return Err(GraphConflict { variable: path.clone(), below });
        }
        self.objects[at].variable = Some((path.clone(), full_name.to_owned()));
        Ok(())
    }

    fn child(&mut self, parent: usize, label: &str) -> usize {
        let object = &self.objects[parent];
        let known = if object.by_label.is_empty() {
            object.children.iter().find(|(known, _)| known == label).map(|(_, child)| *child)
        } else {
            object.by_label.get(label).copied()
        };
        if let Some(child) = known {
            return child;
        }
        let child = self.objects.len();
        self.objects.push(Object::default());
        let Object { children, by_label, .. } = &mut self.objects[parent];
        children.push((label.to_owned(), child));
        if children.len() > FEW && by_label.is_empty() {
            by_label.extend(children.iter().cloned());
        } else if children.len() > FEW {
            by_label.insert(label.to_owned(), child);
        }
        child
    }

    fn first_variable_below(&self, at: usize) -> Option<ObjectPath> {
        let mut child = self.objects[at].children.first()?.1;
        // Every object without a variable of its own has a child, so this ends at a variable.
        while let Some((_, next)) = self.objects[child].children.first() {
            child = *next;
        }
        self.objects[child].variable.as_ref().map(|(path, _)| path.clone())
    }

    /// The finished graph.
    pub fn finish(self) -> ObjectGraph {
        let mut order: Vec<usize> = Vec::with_capacity(self.objects.len());
        let mut ids: Vec<NodeId> = vec![0; self.objects.len()];
        let mut queue = VecDeque::from([0]);
        while let Some(object) = queue.pop_front() {
            ids[object] = order.len();
            order.push(object);
            queue.extend(self.objects[object].children.iter().map(|&(_, child)| child));
        }
        let node = |&object: &usize| {
            let Object { children, variable, .. } = &self.objects[object];
            Node {
                children: children
                    .iter()
                    .map(|(label, child)| Edge { label: label.clone(), node: ids[*child] })
                    .collect(),
                attributes: variable
                    .iter()
                    .map(|(path, full_name)| Attribute {
                        name: VARIABLE_VALUE.to_owned(),
                        full_name: full_name.clone(),
                        key: path.key(),
                    })
                    .collect(),
                has_values: Some(true),
                ..Node::default()
            }
        };
        ObjectGraph::of(order.iter().map(node).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ObjectPath {
        ObjectPath::parse(text).unwrap()
    }

    #[test]
    fn objects_are_numbered_breadth_first() {
        let mut builder = GraphBuilder::default();
        builder.insert(&path("model/conv_1/kernel"), "model/conv2d/kernel").unwrap();
        builder.insert(&path("model/conv_2/kernel"), "").unwrap();
        builder.insert(&path("save_counter"), "save_counter").unwrap();
        let graph = builder.finish();
        let labels: Vec<Vec<(&str, NodeId)>> = graph
            .nodes()
            .iter()
            .map(|node| node.children.iter().map(|e| (e.label.as_str(), e.node)).collect())
            .collect();
        assert_eq!(labels[0], [("model", 1), ("save_counter", 2)]);
        assert_eq!(labels[1], [("conv_1", 3), ("conv_2", 4)]);
        assert_eq!(labels[3], [("kernel", 5)]);
        assert_eq!(graph.nodes()[5].attributes[0].full_name, "model/conv2d/kernel");
        assert_eq!(
            graph.nodes()[5].attributes[0].key,
            "model/conv_1/kernel/.ATTRIBUTES/VARIABLE_VALUE"
        );
    }

    #[test]
    fn a_variable_is_no_folder() {
        let mut builder = GraphBuilder::default();
        builder.insert(&path("a/b"), "").unwrap();
        assert!(builder.insert(&path("a/b/c"), "").is_err());
        let conflict = builder.insert(&path("a"), "").unwrap_err();
        assert_eq!(conflict.to_string(), "`a` is a variable, so `a/b` cannot lie below it");
    }
}
