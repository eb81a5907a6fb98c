//! What all files of a V1 checkpoint hold together: a variable may have slices in each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::string::FromUtf8Error;
use std::sync::Arc;

use super::meta::{self, Holds, Listed};
use super::shards::{Shards, damaged};
use crate::catalog::VariableName;
use crate::files::Location;
use crate::source::SourceError;
use crate::source::error::IndexError;
use crate::source::slice::{Cost, Slice};
use crate::source::spoiled::{self, Joined};
use crate::source::stitch::Stitched;
use crate::table::Found;
use crate::tensor::TensorSpec;

/// Names add up to no more.
const MAX_NAMES: usize = 1 << 27;

/// Where the values of one slice are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Number of the file.
    pub(super) file: usize,
    /// The variable's name there; it may go by another.
    pub(super) name: Arc<str>,
    /// Which part it is.
    pub(super) slice: Slice,
}

/// Slices of a variable, by file.
type Slices = Vec<(usize, Slice)>;

/// What the files list.
#[derive(Debug, Default)]
pub(super) struct Content {
    named: BTreeMap<VariableName, (TensorSpec, Slices)>,
    unnamable: BTreeSet<Vec<u8>>,
    names: usize,
    cost: Cost,
    full: bool,
}

/// The variables put together.
#[derive(Debug)]
pub(super) struct United {
    pub(super) variables: BTreeMap<VariableName, Stitched<Piece>>,
    pub(super) unnamable: Vec<Vec<u8>>,
    pub(super) joined: Joined,
}

impl Content {
    /// Reads the lists of all files. `stumble` hears of all damage; what it returns ends the
    /// reading or lets it go on.
    pub(super) fn read(
        shards: &Shards,
        stumble: &mut dyn FnMut(SourceError) -> Result<(), SourceError>,
    ) -> Result<Self, SourceError> {
        let mut content = Self::default();
        for (file, (path, table)) in shards.all().enumerate() {
            let entry = match table.find(b"").map_err(damaged(path)) {
                Ok(entry) => entry,
                Err(error) => {
                    stumble(error)?;
                    continue;
                }
            };
            let bytes = entry.as_ref().map(Found::bytes).unwrap_or_default();
            let holds = meta::list(bytes, &mut |listed| {
                let added = listed.and_then(|listed| content.add(file, listed));
                added.or_else(|(key, source)| stumble(unusable(path, key, source)))
            })?;
            if holds != Holds::Values {
                stumble(other(path, holds))?;
            }
        }
        Ok(content)
    }

    fn add(&mut self, file: usize, listed: Listed) -> Result<(), (Vec<u8>, IndexError)> {
        let Listed { name, spec, slices } = listed;
        self.names = self.names.saturating_add(name.len());
        let affordable = self.cost.add(&name, slices.len()).map_err(IndexError::from);
        let too_long = (self.names > MAX_NAMES).then_some(IndexError::Names { limit: MAX_NAMES });
        if let Some(error) = too_long.or(affordable.err()) {
            // Said once; what comes after is passed over.
            let full = std::mem::replace(&mut self.full, true);
            return if full { Ok(()) } else { Err((Vec::new(), error)) };
        }
        let slices = slices.into_iter().map(|slice| (file, slice));
        let text = String::from_utf8(name).map_err(FromUtf8Error::into_bytes);
        let name = match text.map(VariableName::new) {
            Ok(Some(name)) => name,
            Ok(None) => return Err((Vec::new(), IndexError::Nameless)),
            Err(name) => {
                self.unnamable.insert(name);
                return Ok(());
            }
        };
        match self.named.get_mut(&name) {
            None => drop(self.named.insert(name, (spec, slices.collect()))),
            Some((before, all)) if *before == spec => all.extend(slices),
            Some((before, _)) => {
                let (now, before) = (spec.to_string(), before.to_string());
                return Err((name.as_str().into(), IndexError::Conflict { now, before }));
            }
        }
        Ok(())
    }

    /// Puts every variable together of its slices.
    pub(super) fn unite(self) -> United {
        let united = self.named.into_iter().map(|(name, (spec, mut slices))| {
            // In the order of their keys, so that no block has to be read twice.
            slices.sort();
            let text: Arc<str> = name.as_str().into();
            let pieces = slices.into_iter().map(|(file, slice)| {
                Ok((slice.region(&spec)?, Piece { file, name: Arc::clone(&text), slice }))
            });
            let stitched = Stitched::new(&spec, pieces);
            (name, stitched)
        });
        let mut variables: BTreeMap<_, _> = united.collect();
        let joined = spoiled::join(&mut variables, |_| false);
        United { variables, unnamable: self.unnamable.into_iter().collect(), joined }
    }
}

fn unusable(path: &Location, key: Vec<u8>, source: IndexError) -> SourceError {
    let (path, source) = (path.clone(), Box::new(source));
    if key.is_empty() {
        return SourceError::Header { path, source };
    }
    SourceError::Index { path, key, source }
}

/// The error for a table that is no V1 checkpoint.
fn other(path: &Location, holds: Holds) -> SourceError {
    let (what, help) = match holds {
        Holds::Index => (
            "is the index of a checkpoint under another name",
            "give it its name back, `x.index`, beside the data files of `x`",
        ),
        _ => (
            "is a table, but not that of a checkpoint",
            "name a checkpoint by its prefix: `x` where `x.index` stands",
        ),
    };
    SourceError::Unrecognized { at: path.clone(), what: what.to_owned(), help: help.to_owned() }
}
