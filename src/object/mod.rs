//! The identity of a TF2 value: the path of attribute names that leads to it, and the graph of
//! objects those paths run through. Nothing of files or bytes.

mod build;
mod cycles;
mod edit;
mod graph;
mod path;
mod target;
mod tree;
mod walk;

pub use build::{GraphBuilder, GraphConflict};
pub use graph::{Attribute, Edge, GraphError, Node, NodeId, ObjectGraph, RegisteredSaver, Slot};
pub use path::{ObjectPath, PathError, escape, unescape};
pub use target::Target;
pub use tree::{Place, Tree};

/// Key of the serialized object graph; a checkpoint is object-based if and only if it has one.
pub const OBJECT_GRAPH_KEY: &str = "_CHECKPOINTABLE_OBJECT_GRAPH";

/// Name of the attribute that holds a variable's value.
pub const VARIABLE_VALUE: &str = "VARIABLE_VALUE";

/// Label of the counter that `tf.train.Checkpoint.restore` asks for.
pub const SAVE_COUNTER: &str = "save_counter";
