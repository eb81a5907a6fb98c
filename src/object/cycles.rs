//! Which objects lie on cycles together: the strongly connected components, as Gabow finds them.

#![expect(
    clippy::indexing_slicing,
    reason = "edges lead to nodes that exist, and there is an entry for each node"
)]

use super::{NodeId, ObjectGraph};

/// No component yet.
const NONE: usize = usize::MAX;

/// A number for each object; two objects have the same one if each leads to the other. Without
/// recursion: a chain may be as long as the graph.
pub(super) fn components(graph: &ObjectGraph) -> Vec<usize> {
    let nodes = graph.nodes();
    let mut search = Search {
        // 0: not seen.
        order: vec![0; nodes.len()],
        component: vec![NONE; nodes.len()],
        ..Search::default()
    };
    for start in 0..nodes.len() {
        let mut way = Vec::new();
        if search.order[start] == 0 {
            search.enter(start);
            way.push((start, nodes[start].children.iter()));
        }
        while let Some((node, edges)) = way.last_mut() {
            let Some(edge) = edges.next() else {
                search.leave(*node);
                way.pop();
                continue;
            };
            if search.order[edge.node] == 0 {
                search.enter(edge.node);
                way.push((edge.node, nodes[edge.node].children.iter()));
            } else if search.component[edge.node] == NONE {
                search.close(edge.node);
            }
        }
    }
    search.component
}

#[derive(Default)]
struct Search {
    seen: usize,
    order: Vec<usize>,
    component: Vec<usize>,
    /// Objects without a component, in the order in which they were seen.
    open: Vec<NodeId>,
    /// The first of each part of them that is known to hang together.
    firsts: Vec<NodeId>,
}

impl Search {
    fn enter(&mut self, node: NodeId) {
        self.seen += 1;
        self.order[node] = self.seen;
        self.open.push(node);
        self.firsts.push(node);
    }

    /// An edge leads back to `node`: everything seen since hangs together with it.
    fn close(&mut self, node: NodeId) {
        while self.firsts.last().is_some_and(|first| self.order[*first] > self.order[node]) {
            self.firsts.pop();
        }
    }

    /// All edges of `node` have been followed.
    fn leave(&mut self, node: NodeId) {
        if self.firsts.last() != Some(&node) {
            return;
        }
        self.firsts.pop();
        while let Some(member) = self.open.pop() {
            self.component[member] = node;
            if member == node {
                break;
            }
        }
    }
}
