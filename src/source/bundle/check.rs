//! Reading all of a bundle to find all that is wrong with it.

use std::collections::BTreeSet;

use super::content::Content;
use super::entry::{Entry, Stored};
use super::index::{self, Index};
use super::read_graph;
use super::shards::Shards;
use crate::catalog::VariableName;
use crate::files::Location;
use crate::object::OBJECT_GRAPH_KEY;
use crate::source::slice::owner;
use crate::source::{Finding, IndexError, SourceError};

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
    let Some(header) = index.header else { return Ok(()) };
    let shards = Shards::new(prefix.clone(), header);
    let content = Content::of(index.variables.clone(), &index.pieces);
    // Parts with spoiled names have been joined by now, so whoever has gaps still lacks something.
    for (name, parted) in &content.parted {
        if let Err(flaw) = parted.layout() {
            let error = SourceError::slices(&path, name, flaw);
            report(Finding { variable: Some(name.as_str().to_owned()), error });
        }
    }
    for key in content.orphans {
        let variable = Some(owner(&key));
        let source = Box::new(IndexError::Orphan);
        report(Finding { variable, error: SourceError::Index { path: path.clone(), key, source } });
    }
    let mut missing = BTreeSet::new();
    for (name, stored) in in_file_order(&index) {
        if missing.contains(&stored.shard) {
            continue;
        }
        if let Err(error) = shards.blob(stored.shard) {
            // Said once, not for every tensor in it.
            missing.insert(stored.shard);
            report(Finding { variable: None, error });
            continue;
        }
        if let Err(error) = shards.verify(&name, stored, &|_| ()) {
            report(Finding { variable: Some(name.as_str().to_owned()), error });
        } else if let Some(graph) =
            index.graph.as_ref().filter(|_| name.as_str() == OBJECT_GRAPH_KEY)
            && let Err(error) = read_graph(&shards, graph)
        {
            report(Finding { variable: Some(name.as_str().to_owned()), error });
        }
    }
    Ok(())
}

/// Every tensor with what to call it, as they lie in the files, so that those are read in order.
fn in_file_order(index: &Index) -> Vec<(VariableName, &Stored)> {
    let named = index.variables.iter().map(|(name, entry)| (name.as_str().to_owned(), entry));
    let graph = index.graph.iter().map(|entry| (OBJECT_GRAPH_KEY.to_owned(), entry));
    let others = index.pieces.0.iter().chain(&index.unnamable);
    let others = others.map(|(key, entry)| (called(key), entry));
    let all = named.chain(graph).chain(others).filter_map(|(name, entry)| match entry {
        Entry::Whole(stored) => Some((VariableName::new(name)?, stored)),
        Entry::Sliced(..) => None,
    });
    let mut all: Vec<_> = all.collect();
    all.sort_by_key(|(_, stored)| (stored.shard, stored.offset));
    all
}

/// What messages call the tensor under `key`.
fn called(key: &[u8]) -> String {
    match key.first() {
        Some(0) => owner(key),
        _ => String::from_utf8_lossy(key).into_owned(),
    }
}
