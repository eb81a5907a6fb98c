//! Two object graphs, node by node, up to where they part.

use crate::object::{Attribute, Edge, Node, NodeId, ObjectGraph, RegisteredSaver, Slot};

/// Where two object graphs part.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GraphDifference {
    /// The second checkpoint has none.
    OnlyLeft,
    /// The first checkpoint has none.
    OnlyRight,
    /// The first difference between two graphs.
    Node {
        /// The first object that differs.
        node: NodeId,
        /// A path to it, if there is one; empty for the root.
        path: String,
        /// What of it differs.
        part: &'static str,
        /// How that is in the first graph.
        left: String,
        /// How that is in the second graph.
        right: String,
    },
}

/// Where two graphs part, objects in the order in which they are numbered.
pub(crate) fn compare(
    left: Option<&ObjectGraph>,
    right: Option<&ObjectGraph>,
) -> Option<GraphDifference> {
    let (left, right) = match (left, right) {
        (None, None) => return None,
        (Some(_), None) => return Some(GraphDifference::OnlyLeft),
        (None, Some(_)) => return Some(GraphDifference::OnlyRight),
        (Some(left), Some(right)) => (left, right),
    };
    let part_of = |node, (part, one, other): (&'static str, String, String)| {
        let path = left.path_to(node).or_else(|| right.path_to(node));
        let path = path.map(|path| path.to_string()).unwrap_or_default();
        GraphDifference::Node { node, path, part, left: one, right: other }
    };
    let both = left.nodes().iter().zip(right.nodes());
    let first = both.enumerate().find_map(|(node, (left, right))| {
        nodes(left, right).map(|difference| part_of(node, difference))
    });
    let (one, other) = (left.nodes().len(), right.nodes().len());
    let counts = || ("number of objects", one.to_string(), other.to_string());
    first.or_else(|| (one != other).then(|| part_of(one.min(other), counts())))
}

/// What differs between two objects, and how it is in each.
fn nodes(left: &Node, right: &Node) -> Option<(&'static str, String, String)> {
    if left == right {
        return None;
    }
    let lists = [
        ("child", first(&left.children, &right.children, edge)),
        ("full name of the value", full_names(left, right)),
        ("value", first(&left.attributes, &right.attributes, attribute)),
        ("slot", first(&left.slots, &right.slots, slot)),
        ("saver", first(left.saver.as_slice(), right.saver.as_slice(), saver)),
    ];
    let found = lists.into_iter().find_map(|(part, found)| Some((part, found?)));
    let (part, (left, right)) = found.unwrap_or_else(|| {
        let said = |node: &Node| node.has_values.map_or("unsaid".to_owned(), |has| has.to_string());
        ("mark of having values", (said(left), said(right)))
    });
    Some((part, left, right))
}

/// The first entry in which two lists differ, as each has it.
fn first<T: PartialEq>(
    left: &[T],
    right: &[T],
    show: impl Fn(&T) -> String,
) -> Option<(String, String)> {
    let at = (0..left.len().max(right.len())).find(|&at| left.get(at) != right.get(at))?;
    let shown = |entry: Option<&T>| entry.map_or("none".to_owned(), &show);
    Some((shown(left.get(at)), shown(right.get(at))))
}

fn edge(edge: &Edge) -> String {
    format!("`{}`, which is object {}", edge.label, edge.node)
}

fn attribute(attribute: &Attribute) -> String {
    format!("`{}` under `{}`", attribute.name, attribute.key)
}

/// Full names, where nothing else of the first value that differs does.
fn full_names(left: &Node, right: &Node) -> Option<(String, String)> {
    let mut both = left.attributes.iter().zip(&right.attributes);
    let (left, right) = both.find(|(left, right)| left != right)?;
    let rest = |attribute: &Attribute| (attribute.name.clone(), attribute.key.clone());
    let quoted = |attribute: &Attribute| format!("`{}`", attribute.full_name);
    (rest(left) == rest(right)).then(|| (quoted(left), quoted(right)))
}

fn slot(slot: &Slot) -> String {
    format!("`{}` of object {}, which is object {}", slot.name, slot.variable, slot.node)
}

fn saver(saver: &RegisteredSaver) -> String {
    format!("`{}` for `{}`", saver.name, saver.object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{GraphBuilder, ObjectPath};

    fn graph(variables: &[(&str, &str)]) -> ObjectGraph {
        let mut builder = GraphBuilder::default();
        for (path, full_name) in variables {
            builder.insert(&ObjectPath::parse(path).unwrap(), full_name).unwrap();
        }
        builder.finish()
    }

    fn said(
        left: &[(&str, &str)],
        right: &[(&str, &str)],
    ) -> (String, &'static str, String, String) {
        match compare(Some(&graph(left)), Some(&graph(right))) {
            Some(GraphDifference::Node { path, part, left, right, .. }) => {
                (path, part, left, right)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_first_difference_is_named() {
        let both = [("a/x", "one"), ("a/y", "two")];
        assert_eq!(compare(Some(&graph(&both)), Some(&graph(&both))), None);
        let swapped = [("a/x", "two"), ("a/y", "one")];
        let (path, part, left, right) = said(&both, &swapped);
        assert_eq!((path.as_str(), part), ("a/x", "full name of the value"));
        assert_eq!((left.as_str(), right.as_str()), ("`one`", "`two`"));
        let (path, part, left, right) = said(&both, &both[..1]);
        assert_eq!((path.as_str(), part), ("a", "child"));
        assert_eq!((left.as_str(), right.as_str()), ("`y`, which is object 3", "none"));
        assert_eq!(compare(None, Some(&graph(&both))), Some(GraphDifference::OnlyRight));
    }
}
