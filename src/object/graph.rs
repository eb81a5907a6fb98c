//! A checkpoint's object graph, kept whole.

/// A node's place in [`ObjectGraph::nodes`]; the root is 0.
pub type NodeId = usize;

/// An edge: `parent.label` is the object `node`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The attribute's name.
    pub label: String,
    /// Where it leads.
    pub node: NodeId,
}

/// A value that belongs to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// `VARIABLE_VALUE` for variables.
    pub name: String,
    /// The variable's name in a TF1 graph; `tf.compat.v1.train.Saver` finds values by it. Empty
    /// matches nothing.
    pub full_name: String,
    /// Key of the tensor in the bundle.
    pub key: String,
}

/// Optimizer state that belongs to a variable and an optimizer together; it hangs on the
/// optimizer's node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The variable.
    pub variable: NodeId,
    /// What the optimizer calls this piece of state.
    pub name: String,
    /// The state.
    pub node: NodeId,
}

/// An object with a saver of its own, which decides on its keys itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredSaver {
    /// The saver's registered name.
    pub name: String,
    /// What it calls this object.
    pub object: String,
}

/// One object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    /// Its attributes that are objects.
    pub children: Vec<Edge>,
    /// Its values.
    pub attributes: Vec<Attribute>,
    /// Slots, if it is an optimizer of the older kind.
    pub slots: Vec<Slot>,
    /// Its saver, if registered.
    pub saver: Option<RegisteredSaver>,
    /// Whether values lie at or below it; absent in old checkpoints.
    pub has_values: Option<bool>,
}

/// Objects and the edges between them; cycles and several edges to one object are normal.
///
/// Invariant: there is a root, and every edge and slot leads to a node that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectGraph {
    pub(super) nodes: Vec<Node>,
    /// The places of each node's edges, by label and then as they stand: a node may have very
    /// many.
    pub(super) by_label: Vec<Vec<usize>>,
}

/// Why nodes are no graph.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// Not even a root.
    #[error("the object graph has no nodes")]
    Empty,
    /// An edge or slot that leads nowhere.
    #[error("node {node} refers to node {to}, but there are only {nodes}")]
    Dangling {
        /// Where the reference stands.
        node: NodeId,
        /// Where it leads.
        to: i64,
        /// How many nodes there are.
        nodes: usize,
    },
}

/// The places of edges, by label.
fn sorted(edges: &[Edge]) -> Vec<usize> {
    let mut labels: Vec<(&str, usize)> =
        edges.iter().enumerate().map(|(place, edge)| (edge.label.as_str(), place)).collect();
    labels.sort_unstable();
    labels.into_iter().map(|(_, place)| place).collect()
}

impl ObjectGraph {
    /// Proves the invariant.
    pub fn new(nodes: Vec<Node>) -> Result<Self, GraphError> {
        if nodes.is_empty() {
            return Err(GraphError::Empty);
        }
        for (node, object) in nodes.iter().enumerate() {
            let edges = object.children.iter().map(|edge| edge.node);
            let slots = object.slots.iter().flat_map(|slot| [slot.variable, slot.node]);
            if let Some(to) = edges.chain(slots).find(|&to| to >= nodes.len()) {
                let to = i64::try_from(to).unwrap_or(i64::MAX);
                return Err(GraphError::Dangling { node, to, nodes: nodes.len() });
            }
        }
        Ok(Self::of(nodes))
    }

    /// The graph of nodes that have been proved to be one.
    pub(super) fn of(nodes: Vec<Node>) -> Self {
        let by_label = nodes.iter().map(|node| sorted(&node.children)).collect();
        Self { nodes, by_label }
    }

    /// All objects; the root first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Every value in the graph with the object it belongs to.
    pub fn attributes(&self) -> impl Iterator<Item = (NodeId, &Attribute)> {
        self.nodes
            .iter()
            .enumerate()
            .flat_map(|(id, node)| node.attributes.iter().map(move |attribute| (id, attribute)))
    }
}
