//! The object graph of a checkpoint, out of its message.

use prost::Message;

use super::error::ObjectGraphError;
use crate::object::{
    Attribute, Edge, GraphError, Node, NodeId, ObjectGraph, RegisteredSaver, Slot,
};
use crate::proto::{
    TrackableObjectGraph,
    trackable_object_graph::{TrackableObject, trackable_object::ObjectReference},
};

/// The graph that `bytes` are the serialized form of, kept whole.
pub fn decode_graph(bytes: &[u8]) -> Result<ObjectGraph, ObjectGraphError> {
    let message = TrackableObjectGraph::decode(bytes)?;
    let nodes = message.nodes.len();
    let objects = message.nodes.into_iter().enumerate();
    let objects = objects.map(|(node, object)| object_of(object, References { node, nodes }));
    Ok(ObjectGraph::new(objects.collect::<Result<_, _>>()?)?)
}

/// Where references stand, so that one below zero can be reported.
#[derive(Clone, Copy)]
struct References {
    node: NodeId,
    nodes: usize,
}

impl References {
    fn to(self, id: i32) -> Result<NodeId, GraphError> {
        let Self { node, nodes } = self;
        usize::try_from(id).map_err(|_| GraphError::Dangling { node, to: id.into(), nodes })
    }
}

fn object_of(object: TrackableObject, references: References) -> Result<Node, GraphError> {
    let edge = |child: ObjectReference| {
        Ok(Edge { label: child.local_name, node: references.to(child.node_id)? })
    };
    Ok(Node {
        children: object.children.into_iter().map(edge).collect::<Result<_, _>>()?,
        attributes: object
            .attributes
            .into_iter()
            .map(|tensor| Attribute {
                name: tensor.name,
                full_name: tensor.full_name,
                key: tensor.checkpoint_key,
            })
            .collect(),
        slots: object
            .slot_variables
            .into_iter()
            .map(|slot| {
                Ok(Slot {
                    variable: references.to(slot.original_variable_node_id)?,
                    name: slot.slot_name,
                    node: references.to(slot.slot_variable_node_id)?,
                })
            })
            .collect::<Result<_, _>>()?,
        saver: object
            .registered_saver
            .map(|saver| RegisteredSaver { name: saver.name, object: saver.object_name }),
        has_values: object.has_checkpoint_values,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The graph of `tf.train.Checkpoint(k=tf.Variable([1., 2.], name="d/k"))`.
    const GRAPH: &[u8] = b"\x0a\x0b\x0a\x05\x08\x01\x12\x01k\x2a\x02\x08\x01\
        \x0a\x39\x12\x33\x0a\x0eVARIABLE_VALUE\x12\x03d/k\x1a\x1ck/.ATTRIBUTES/VARIABLE_VALUE\
        \x2a\x02\x08\x01";

    #[test]
    fn a_graph_written_by_tensorflow() {
        let graph = decode_graph(GRAPH).unwrap();
        let [root, variable] = graph.nodes() else { panic!("{graph:?}") };
        assert_eq!(root.children, [Edge { label: "k".into(), node: 1 }]);
        assert_eq!(variable.attributes[0].full_name, "d/k");
        assert_eq!((root.has_values, variable.has_values), (Some(true), Some(true)));
    }

    #[test]
    fn what_is_no_graph_is_refused() {
        assert!(matches!(decode_graph(&GRAPH[..20]), Err(ObjectGraphError::Message(_))));
        let nodes = |bytes: &[u8]| match decode_graph(bytes) {
            Err(ObjectGraphError::Nodes(error)) => error,
            other => panic!("{other:?}"),
        };
        assert_eq!(nodes(b""), GraphError::Empty);
        let dangling = |to| GraphError::Dangling { node: 0, to, nodes: 1 };
        assert_eq!(nodes(b"\x0a\x04\x0a\x02\x08\x01"), dangling(1));
        let below = b"\x0a\x0d\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        assert_eq!(nodes(below), dangling(-1));
    }
}
