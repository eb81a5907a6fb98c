//! An object graph as TensorFlow serializes it.

use prost::Message;

use crate::object::{Node, NodeId, ObjectGraph};
use crate::proto::trackable_object_graph::TrackableObject;
use crate::proto::trackable_object_graph::trackable_object::{
    ObjectReference, SerializedTensor, SlotVariableReference,
};
use crate::proto::{RegisteredSaver, TrackableObjectGraph};

/// The bytes that stand in the checkpoint's object-graph string.
pub(super) fn encode(graph: &ObjectGraph) -> Vec<u8> {
    TrackableObjectGraph { nodes: graph.nodes().iter().map(object).collect() }.encode_to_vec()
}

fn object(node: &Node) -> TrackableObject {
    TrackableObject {
        children: node
            .children
            .iter()
            .map(|edge| ObjectReference { node_id: id(edge.node), local_name: edge.label.clone() })
            .collect(),
        attributes: node
            .attributes
            .iter()
            .map(|attribute| SerializedTensor {
                name: attribute.name.clone(),
                full_name: attribute.full_name.clone(),
                checkpoint_key: attribute.key.clone(),
            })
            .collect(),
        slot_variables: node
            .slots
            .iter()
            .map(|slot| SlotVariableReference {
                original_variable_node_id: id(slot.variable),
                slot_name: slot.name.clone(),
                slot_variable_node_id: id(slot.node),
            })
            .collect(),
        registered_saver: node.saver.as_ref().map(|saver| RegisteredSaver {
            name: saver.name.clone(),
            object_name: saver.object.clone(),
        }),
        has_checkpoint_values: node.has_values,
    }
}

/// Nodes are held in memory, so their number is far from the limit of 31 bits.
fn id(node: NodeId) -> i32 {
    i32::try_from(node).unwrap_or(i32::MAX)
}
