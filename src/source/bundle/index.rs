//! The `.index` of a bundle: every entry, sorted by what it is.

use std::collections::BTreeMap;

use super::entry::{Entry, Header, Stored};
use crate::catalog::VariableName;
use crate::files::{Location, read_all};
use crate::object::OBJECT_GRAPH_KEY;
use crate::source::error::{IndexError, SourceError};
use crate::table::Table;

/// An index larger than this (thirty million variables) is none.
const MAX_INDEX: u64 = 1 << 31;

/// Names add up to no more. A few bytes of a block can stand for a long key, so the size of the
/// file alone is no bound.
const MAX_NAMES: usize = 1 << 27;

/// The content of an index.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// `None` if it is damaged, which only [`Index::read`] with a patient `stumble` sees.
    pub(super) header: Option<Header>,
    /// Every tensor that has a name.
    pub(super) variables: BTreeMap<VariableName, Entry>,
    /// The tensor that holds the object graph.
    pub(super) graph: Option<Entry>,
    /// Pieces of partitioned variables.
    pub(super) pieces: Pieces,
    /// Tensors whose keys are no text.
    pub(super) unnamable: Vec<(Vec<u8>, Entry)>,
    begun: bool,
    names: usize,
}

/// Pieces of partitioned variables by encoded key, in its order.
#[derive(Debug, Default)]
pub(super) struct Pieces(pub(super) Vec<(Vec<u8>, Entry)>);

impl Pieces {
    /// The piece with this key, and its place among them.
    pub(super) fn find(&self, key: &[u8]) -> Option<(usize, &Entry)> {
        let at = self.0.binary_search_by(|(other, _)| other.as_slice().cmp(key)).ok()?;
        self.0.get(at).map(|(_, piece)| (at, piece))
    }
}

/// The index file of the checkpoint called `prefix`.
pub(super) fn location(prefix: &Location) -> Location {
    prefix.with_suffix(".index")
}

impl Index {
    /// Reads the file at `path`. `stumble` hears of all damage; what it returns ends the reading
    /// or lets it go on.
    pub(super) fn read(
        path: &Location,
        stumble: &mut dyn FnMut(SourceError) -> Result<(), SourceError>,
    ) -> Result<Self, SourceError> {
        let mut index = Self::default();
        let damaged = |error| SourceError::Table { path: path.clone(), source: Box::new(error) };
        let bytes = read_all(path, MAX_INDEX)?;
        match Table::parse(bytes) {
            Err(error) => stumble(damaged(error))?,
            Ok(table) => table.survey(|found| {
                let added = found.map_err(damaged).and_then(|(key, value)| {
                    index.add(key, value).map_err(|error| {
                        let (path, key) = (path.clone(), key.to_vec());
                        let header = key.is_empty() || matches!(error, IndexError::NoHeader);
                        let source = Box::new(error);
                        if header {
                            return SourceError::Header { path, source };
                        }
                        SourceError::Index { path, key, source }
                    })
                });
                added.or_else(&mut *stumble)
            })?,
        }
        if !index.begun {
            // An index without any entry has no header either.
            let (path, source) = (path.clone(), Box::new(IndexError::NoHeader));
            stumble(SourceError::Header { path, source })?;
        }
        Ok(index)
    }

    /// Every tensor and every piece that has bytes.
    pub(super) fn stored(&self) -> impl Iterator<Item = &Stored> {
        let others = self.pieces.0.iter().chain(&self.unnamable).map(|(_, entry)| entry);
        self.variables.values().chain(&self.graph).chain(others).filter_map(|entry| match entry {
            Entry::Whole(stored) => Some(stored),
            Entry::Sliced(..) => None,
        })
    }

    fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), IndexError> {
        if !std::mem::replace(&mut self.begun, true) {
            // TensorFlow takes whatever comes first for the header and loses a tensor over it.
            if !key.is_empty() {
                return Err(IndexError::NoHeader);
            }
            self.header = Some(Header::decode(value)?);
            return Ok(());
        }
        let full = self.names > MAX_NAMES;
        self.names = self.names.saturating_add(key.len());
        if self.names > MAX_NAMES {
            // Said once; what comes after is passed over.
            return if full { Ok(()) } else { Err(IndexError::Names { limit: MAX_NAMES }) };
        }
        let entry = Entry::decode(value)?;
        if key.first() == Some(&0) {
            self.pieces.0.push((key.to_vec(), entry));
            return Ok(());
        }
        match str::from_utf8(key).ok().and_then(VariableName::new) {
            Some(name) if name.as_str() == OBJECT_GRAPH_KEY => self.graph = Some(entry),
            Some(name) => drop(self.variables.insert(name, entry)),
            None => self.unnamable.push((key.to_vec(), entry)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_told_apart_by_their_keys() {
        let mut index = Index::default();
        let float = b"\x08\x01\x28\x04";
        index.add(b"", b"\x08\x01").unwrap();
        for key in [&b"\0w\0\x01\0"[..], b"\xff", b"w", b"_CHECKPOINTABLE_OBJECT_GRAPH"] {
            index.add(key, float).unwrap();
        }
        assert_eq!((index.pieces.0.len(), index.unnamable.len()), (1, 1));
        assert!(index.graph.is_some());
        assert_eq!(index.variables.keys().map(VariableName::as_str).collect::<Vec<_>>(), ["w"]);
        assert!(matches!(Index::default().add(b"w", float), Err(IndexError::NoHeader)));
    }
}
