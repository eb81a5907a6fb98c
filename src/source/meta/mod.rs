//! `P.meta`, the graph of the program that wrote a checkpoint `P`, as far as it says what the
//! checkpoint itself does not: in which order variables were made, and how optimizers update them.
//!
//! ```text
//! MetaGraphDef ─┬─ graph_def ─────── node: name, op, inputs, attributes
//!               └─ collection_def ── "variables" ── VariableDef: name, what it is a part of
//! ```
//! Values never depend on it, so whatever is wrong with it is a note. The file may be far larger
//! than what it says (constants lie in it): it is stepped through, and nodes are read when a value
//! is followed to them.
//!
//! Not known here:
//! - optimizers written with `Assign`: BERT's, and Adam for variables with sparse gradients;
//! - updates inside functions;
//! - names that a `Saver` was told to use instead of the variables' own;
//! - which variables are partitioned, where a program registered none of them.

mod collections;
mod constant;
mod error;
mod nodes;
mod ops;
#[cfg(test)]
mod tests;
mod updates;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use collections::Collections;
use error::MetaError;
use nodes::{Graph, Nodes};
use wire::Wire;

use super::sniff::{Found, sniff};
use crate::catalog::{Facts, Update};
use crate::files::{Location, store};

/// No message of Protocol Buffers is larger, so no `.meta` is.
const MAX_META: u64 = 1 << 31;

/// Nodes of a graph at most: the name of each is kept for as long as the file is read.
const MAX_NODES: u64 = 1 << 20;

/// A longer name is none that is looked for.
const MAX_NAME: u64 = 512;

/// A node or the definition of a variable of more bytes is not looked into: only constants have
/// as many, and those are no settings.
const MAX_MESSAGE: u64 = 1 << 14;

/// What a `MetaGraphDef` begins with: the field that says how it was made.
const META_INFO: u8 = 0x0a;

/// Completes `facts` by what stands beside the checkpoint called `prefix`, if anything does.
pub(super) fn read(prefix: &Location, facts: &mut Facts) {
    let at = prefix.with_suffix(".meta");
    match look(&at) {
        Ok(None) => {}
        Ok(Some(content)) => {
            facts.creation_order = content.order;
            facts.collections = content.collections;
            facts.updates = content.updates;
        }
        Err(error) => facts.notes.push(format!(
            "`{at}` {error}, so it does not tell the order of variables and the settings of \
             optimizers"
        )),
    }
}

/// What is known then.
#[derive(Debug)]
struct Content {
    /// The order in which variables were made.
    order: Vec<String>,
    /// Which of them stand in which collection.
    collections: BTreeMap<String, BTreeSet<String>>,
    /// How they are updated.
    updates: Vec<Update>,
}

fn look(at: &Location) -> Result<Option<Content>, MetaError> {
    if store(at).status(at)?.is_none_or(|status| status.is_dir) {
        return Ok(None);
    }
    let blob = store(at).open(at)?;
    let mut first = [0];
    if !blob.is_empty() {
        blob.read_at(0, &mut first)?;
    }
    if first != [META_INFO] {
        return Err(MetaError::Other(match sniff(at)? {
            Found::Table => "is a table",
            Found::Other { what, .. } => what,
        }));
    }
    if blob.len() > MAX_META {
        return Err(MetaError::Many { what: "bytes", limit: MAX_META });
    }
    content(&mut Wire::new(blob)).map(Some)
}

fn content(wire: &mut Wire) -> Result<Content, MetaError> {
    let (mut nodes, mut collections) = (Nodes::default(), Collections::default());
    let mut all = wire.all();
    while let Some((field, span)) = wire.next(&mut all)? {
        match field {
            2 => nodes.scan(wire, span)?,
            4 => collections.scan(wire, span)?,
            _ => {}
        }
    }
    let order = collections.order(&nodes.variables);
    let updates = updates::updates(&mut Graph::new(wire, &nodes, &collections), &nodes)?;
    Ok(Content { order, collections: collections.members(&nodes.variables), updates })
}
