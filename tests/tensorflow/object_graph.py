"""The object graph of a checkpoint, as TensorFlow's own protocol buffers show it."""

from pathlib import Path

import tensorflow as tf
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
COUNTER = "save_counter/.ATTRIBUTES/VARIABLE_VALUE"


def object_graph(prefix: Path) -> TrackableObjectGraph:
    return TrackableObjectGraph.FromString(tf.train.load_checkpoint(str(prefix)).get_tensor(KEY))


def without_save_counter(graph: TrackableObjectGraph) -> TrackableObjectGraph:
    """Wherever among the nodes it is: those behind it move up."""
    root = graph.nodes[0]
    (edge,) = [child for child in root.children if child.local_name == "save_counter"]
    root.children.remove(edge)
    del graph.nodes[edge.node_id]
    for node in graph.nodes:
        for child in node.children:
            child.node_id -= child.node_id > edge.node_id
        for slot in node.slot_variables:
            slot.original_variable_node_id -= slot.original_variable_node_id > edge.node_id
            slot.slot_variable_node_id -= slot.slot_variable_node_id > edge.node_id
    return graph
