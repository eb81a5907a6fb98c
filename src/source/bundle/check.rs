//! Reading all of a bundle to find all that is wrong with it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};

use super::content::Content;
use super::entry::{Entry, Stored};
use super::index::{self, Index};
use super::read_graph;
use super::shards::Shards;
use crate::catalog::VariableName;
use crate::crc::Crc;
use crate::files::{FileError, Location};
use crate::object::OBJECT_GRAPH_KEY;
use crate::source::slice::owner;
use crate::source::{Finding, IndexError, SourceError};
use crate::sums;
use crate::workers;

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
    let stored = in_file_order(&index);
    for (number, error) in Damage::find(&shards, &stored, index.graph.as_ref()) {
        let variable = number.and_then(|number| stored.get(number));
        report(Finding { variable: variable.map(|(name, _)| name.as_str().to_owned()), error });
    }
    Ok(())
}

/// What is wrong with tensors, by their numbers; with a data file as a whole, without one.
struct Damage<'s> {
    shards: &'s Shards,
    stored: &'s [(VariableName, &'s Stored)],
    /// Tensors whose bytes are summed as they lie there, in this order.
    plain: Vec<usize>,
    found: Mutex<BTreeMap<usize, SourceError>>,
}

impl<'s> Damage<'s> {
    /// Reads everything, in the order of the files, several threads at a time.
    fn find(
        shards: &'s Shards,
        stored: &'s [(VariableName, &'s Stored)],
        graph: Option<&Entry>,
    ) -> impl Iterator<Item = (Option<usize>, SourceError)> {
        let mut damage = Self { shards, stored, plain: Vec::new(), found: Mutex::default() };
        let mut missing = BTreeMap::new();
        let (mut extents, mut others) = (Vec::new(), Vec::new());
        for (number, (name, stored)) in stored.iter().enumerate() {
            if missing.contains_key(&stored.shard) {
                continue;
            }
            if let Err(error) = shards.blob(stored.shard) {
                // Said once, not for every tensor in it.
                missing.insert(stored.shard, error);
                continue;
            }
            match shards.extent(name, stored) {
                Err(error) => damage.add(number, error),
                Ok(_) if stored.spec.bytes().is_none() || name.as_str() == OBJECT_GRAPH_KEY => {
                    others.push(number);
                }
                Ok(extent) => {
                    extents.push(extent);
                    damage.plain.push(number);
                }
            }
        }
        let Ok(()) = sums::read(&extents, &damage);
        let Ok(()) = workers::each(
            others.len(),
            || (),
            |(), job| {
                others.get(job).into_iter().for_each(|&number| damage.verify(number, graph));
                Ok::<(), Infallible>(())
            },
        );
        let found = damage.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        let missing = missing.into_values().map(|error| (None, error));
        missing.chain(found.into_iter().map(|(number, error)| (Some(number), error)))
    }

    /// Checks a tensor that is not summed byte by byte, and the object graph for its content.
    fn verify(&self, number: usize, graph: Option<&Entry>) {
        let Some((name, stored)) = self.stored.get(number) else { return };
        let graph = graph.filter(|_| name.as_str() == OBJECT_GRAPH_KEY);
        let sound = self.shards.verify(name, stored, &|_| ());
        let sound = sound.and_then(|()| match graph {
            Some(graph) => read_graph(self.shards, graph).map(drop),
            None => Ok(()),
        });
        if let Err(error) = sound {
            self.add(number, error);
        }
    }

    fn add(&self, number: usize, error: SourceError) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.insert(number, error);
    }
}

impl sums::Reader for Damage<'_> {
    type Error = Infallible;

    fn block(&self, _: usize, _: u64, _: &[u8]) -> Result<(), Infallible> {
        Ok(())
    }

    fn sum(&self, plain: usize, sum: Result<Crc, FileError>) -> Result<(), Infallible> {
        let Some(&number) = self.plain.get(plain) else { return Ok(()) };
        let Some((name, stored)) = self.stored.get(number) else { return Ok(()) };
        match sum {
            Err(error) => self.add(number, error.into()),
            Ok(sum) => {
                if let Err(error) = self.shards.compare(name, stored, sum) {
                    self.add(number, error);
                }
            }
        }
        Ok(())
    }
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
