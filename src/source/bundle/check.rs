//! Reading all of a bundle to find all that is wrong with it.

use std::collections::BTreeSet;

use super::entry::Entry;
use super::index::{self, Index, owner};
use super::{read_graph, usable_shards};
use crate::catalog::{Storage, VariableName};
use crate::files::Location;
use crate::object::OBJECT_GRAPH_KEY;
use crate::source::{Finding, SourceError};

/// Reports all damage: blocks and entries of the index, data files that are missing or too short,
/// every tensor whose sum is wrong, pieces of partitioned ones included, and the object graph.
pub(super) fn check(prefix: &Location, report: &mut dyn FnMut(Finding)) -> Result<(), SourceError> {
    let path = index::location(prefix);
    let index = Index::read(&path, &mut |error| {
        let variable = match &error {
            SourceError::Index { key, .. } => Some(called(key)),
            _ => None,
        };
        report(Finding { variable, error });
        Ok(())
    })?;
    // Without a header the names of the data files are unknown.
    if index.header.is_none() {
        return Ok(());
    }
    let shards = usable_shards(&path, prefix, &index)?;
    let mut missing = BTreeSet::new();
    for (name, entry) in in_file_order(&index) {
        let Storage::Whole { shard, .. } = entry.variable.storage else { continue };
        if missing.contains(&shard) {
            continue;
        }
        if let Err(error) = shards.blob(shard) {
            // Said once, not for every tensor in it.
            missing.insert(shard);
            report(Finding { variable: None, error });
            continue;
        }
        let checked = if name.as_str() == OBJECT_GRAPH_KEY {
            read_graph(&shards, entry).map(drop)
        } else {
            shards.verify(&name, entry, &|_| ())
        };
        if let Err(error) = checked {
            report(Finding { variable: Some(name.as_str().to_owned()), error });
        }
    }
    Ok(())
}

/// Every tensor with what to call it, as they lie in the files, so that those are read in order.
fn in_file_order(index: &Index) -> Vec<(VariableName, &Entry)> {
    let named = index.variables.iter().map(|(name, entry)| (name.as_str().to_owned(), entry));
    let graph = index.graph.iter().map(|entry| (OBJECT_GRAPH_KEY.to_owned(), entry));
    let others = index.pieces.iter().chain(&index.unnamable);
    let others = others.map(|(key, entry)| (called(key), entry));
    let all = named.chain(graph).chain(others);
    let mut all: Vec<_> =
        all.filter_map(|(name, entry)| Some((VariableName::new(name)?, entry))).collect();
    all.sort_by_key(|(_, entry)| match entry.variable.storage {
        Storage::Whole { shard, offset, .. } => (shard, offset),
        Storage::Slices(_) => (0, 0),
    });
    all
}

/// What messages call the tensor under `key`.
fn called(key: &[u8]) -> String {
    match key.first() {
        Some(0) => owner(key),
        _ => String::from_utf8_lossy(key).into_owned(),
    }
}
