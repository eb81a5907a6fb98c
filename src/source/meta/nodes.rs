//! The nodes of a graph: found by name, read one at a time, and followed to where a value comes
//! from.

use std::collections::HashMap;

use prost::Message;

use super::collections::{Collections, node_name};
use super::constant::{folded, value};
use super::error::MetaError;
use super::ops::{Signature, signature};
use super::wire::{Span, Wire};
use super::{MAX_MESSAGE, MAX_NAME, MAX_NODES};
use crate::catalog::Hyperparameter;
use crate::proto::NodeDef;

/// Values pass through no more ops than this between a variable and whoever uses it.
const MAX_DEPTH: usize = 64;

/// Ops that are variables. The ones of resources are known to checkpoints by the names of their
/// nodes too, not by `shared_name`.
const VARIABLES: &[&str] = &["VariableV2", "VarHandleOp", "Variable", "AutoReloadVariable"];

/// Ops that hand on their first input, at most in another type.
const PASSING: &[&str] = &[
    "Identity",
    "ReadVariableOp",
    "Cast",
    "Switch",
    "RefSwitch",
    "Enter",
    "RefEnter",
    "RefIdentity",
    "StopGradient",
    "Snapshot",
];

/// Where the nodes of a graph are.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    spans: HashMap<String, Span>,
    count: u64,
    /// Variables in the order of the file.
    pub(super) variables: Vec<String>,
    /// Nodes that update a variable, likewise: where they are, whether their gradient has indices,
    /// and what their inputs are.
    pub(super) updates: Vec<(Span, bool, &'static Signature)>,
}

impl Nodes {
    /// Takes over the nodes of `graph`; those inside functions are left out.
    pub(super) fn scan(&mut self, wire: &mut Wire, mut graph: Span) -> Result<(), MetaError> {
        while let Some((field, node)) = wire.next(&mut graph)? {
            if field == 1 {
                self.add(wire, node)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, wire: &mut Wire, node: Span) -> Result<(), MetaError> {
        self.count += 1;
        if self.count > MAX_NODES {
            return Err(MetaError::Many { what: "nodes", limit: MAX_NODES });
        }
        let (mut name, mut op) = (None, None);
        let mut rest = node;
        // They come first, so that a constant's content behind them is not looked at.
        while name.is_none() || op.is_none() {
            match wire.next(&mut rest)? {
                Some((1, span)) => name = Some(wire.text(span, MAX_NAME)?),
                Some((2, span)) => op = Some(wire.text(span, MAX_NAME)?),
                Some(_) => {}
                None => return Ok(()),
            }
        }
        let Some((name, op)) = name.flatten().zip(op.flatten()) else { return Ok(()) };
        if let Some((sparse, signature)) = signature(&op) {
            self.updates.push((node, sparse, signature));
        }
        if VARIABLES.contains(&op.as_str()) {
            self.variables.push(name.clone());
        }
        self.spans.insert(name, node);
        Ok(())
    }
}

/// A graph whose values are followed.
#[derive(Debug)]
pub(super) struct Graph<'a> {
    wire: &'a Wire,
    nodes: &'a Nodes,
    collections: &'a Collections,
    /// Nodes that were visited; so none is read twice and no circle is followed.
    visited: HashMap<String, Hyperparameter>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(wire: &'a Wire, nodes: &'a Nodes, collections: &'a Collections) -> Self {
        Self { wire, nodes, collections, visited: HashMap::new() }
    }

    /// The node at `span`; `None` if it holds more than is of interest.
    pub(super) fn node(&self, span: Span) -> Result<Option<NodeDef>, MetaError> {
        let bytes = self.wire.bytes(span, MAX_MESSAGE)?;
        Ok(bytes.map(|bytes| NodeDef::decode(bytes.as_slice())).transpose()?)
    }

    /// Where the value of an op's input comes from.
    pub(super) fn origin(&mut self, input: &str) -> Result<Hyperparameter, MetaError> {
        self.follow(input, MAX_DEPTH)
    }

    fn follow(&mut self, input: &str, depth: usize) -> Result<Hyperparameter, MetaError> {
        let name = node_name(input);
        if let Some(known) = self.visited.get(name) {
            return Ok(known.clone());
        }
        let &span = self
            .nodes
            .spans
            .get(name)
            .ok_or(MetaError::Other("has a node whose input it does not have"))?;
        let computed = Hyperparameter::Computed(name.to_owned());
        self.visited.insert(name.to_owned(), computed.clone());
        let Some(node) = self.node(span)?.filter(|_| depth > 0) else { return Ok(computed) };
        let op = node.op.as_str();
        let origin = match node.input.as_slice() {
            _ if VARIABLES.contains(&op) => Hyperparameter::Variable(self.collections.key(name)),
            _ if op == "Const" => value(&node).map_or(computed, Hyperparameter::Value),
            [first, ..] if PASSING.contains(&op) => self.follow(first, depth - 1)?,
            [a, b, ..] => {
                let fold = |fold| self.fold(fold, [a, b], depth - 1);
                let folded = folded(op).map(fold).transpose()?.flatten();
                folded.map_or(computed, Hyperparameter::Value)
            }
            _ => computed,
        };
        self.visited.insert(name.to_owned(), origin.clone());
        Ok(origin)
    }

    /// What an op makes of two constants.
    fn fold(
        &mut self,
        fold: fn(f64, f64) -> f64,
        [a, b]: [&str; 2],
        depth: usize,
    ) -> Result<Option<f64>, MetaError> {
        Ok(match (self.follow(a, depth)?, self.follow(b, depth)?) {
            (Hyperparameter::Value(a), Hyperparameter::Value(b)) => Some(fold(a, b)),
            _ => None,
        })
    }
}
