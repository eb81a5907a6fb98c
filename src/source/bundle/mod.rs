//! The V2 format, a "tensor bundle": what TensorFlow has written since 0.12.
//!
//! ```text
//! P.index                   a table: "" → header, each key → dtype, shape, shard, offset, size, CRC
//! P.data-00000-of-00002 ┐   raw bytes of tensors, wherever the index says
//! P.data-00001-of-00002 ┘
//! ```
//! Opening reads the index, the object graph, the small scalars and the `.meta`. A data file is
//! opened when a tensor in it is wanted, so a checkpoint can be planned for with its index alone,
//! unless it has an object graph, which lies in a data file.

mod check;
mod entry;
mod index;
mod shards;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use entry::Entry;
use index::Index;
use shards::Shards;

use super::error::{ObjectGraphError, SourceError, TensorError};
use super::graph::decode_graph;
use super::sniff::disguised;
use super::{CheckpointReader, Format, meta};
use crate::catalog::{Catalog, Facts, Storage, VariableName};
use crate::crc::Crc;
use crate::files::{Extent, Location, store};
use crate::object::{OBJECT_GRAPH_KEY, ObjectGraph};
use crate::tensor::{DType, Region, Tensor, strings};

/// Tensor bundles.
pub(super) const FORMAT: Format = Format { name: "V2 bundle", detect, open, check: check::check };

/// At most so many scalars are read when a checkpoint is opened.
const MAX_SCALARS: usize = 4096;

/// A scalar of more bytes than this is none: the largest element type has as many.
const MAX_SCALAR: u64 = 16;

/// No program has an object graph of more bytes than this; a million objects need a tenth.
const MAX_GRAPH: u64 = 1 << 28;

/// An open bundle.
#[derive(Debug)]
struct Bundle {
    prefix: Location,
    catalog: Catalog,
    sums: BTreeMap<VariableName, Crc>,
    shards: Shards,
    /// Data files that entries refer to; what the header claims may be beyond counting.
    used: BTreeSet<u32>,
}

fn detect(prefix: &Location) -> Result<bool, SourceError> {
    let index = index::location(prefix);
    Ok(store(&index).status(&index)?.is_some_and(|status| !status.is_dir))
}

fn open(prefix: &Location) -> Result<Box<dyn CheckpointReader>, SourceError> {
    let path = index::location(prefix);
    let index = Index::read(&path, &mut Err).map_err(|error| match &error {
        SourceError::Table { source, .. } if source.what.is_no_table() => disguised(&path, error),
        _ => error,
    })?;
    let shards = usable_shards(&path, prefix, &index)?;
    let graph = index.graph.as_ref().map(|entry| read_graph(&shards, entry)).transpose()?;
    let used = index.entries().filter_map(Entry::shard).collect();
    let mut sums = BTreeMap::new();
    let mut variables = BTreeMap::new();
    for (name, entry) in index.variables {
        sums.insert(name.clone(), entry.crc);
        variables.insert(name, entry.variable);
    }
    let catalog = Catalog {
        origin: prefix.to_string(),
        format: FORMAT.name,
        shards: index.header.map_or(0, |header| header.shards),
        variables,
        unnamable: index.unnamable.into_iter().map(|(key, _)| key).collect(),
        graph,
        facts: Facts::default(),
    };
    let mut bundle = Bundle { prefix: prefix.clone(), catalog, sums, shards, used };
    bundle.catalog.facts.scalars = bundle.scalars();
    meta::read(prefix, &mut bundle.catalog.facts);
    Ok(Box::new(bundle))
}

/// The data files, if their numbers can be read as they stand.
fn usable_shards(path: &Location, prefix: &Location, index: &Index) -> Result<Shards, SourceError> {
    let header = index.header.unwrap_or(entry::Header { shards: 0, big_endian: false });
    if header.big_endian {
        let what = "was written on a big-endian machine, which this version does not read yet";
        return Err(SourceError::Unsupported { path: path.clone(), what: what.into() });
    }
    Ok(Shards::new(prefix.clone(), header.shards))
}

/// The object graph out of the tensor at `entry`.
fn read_graph(shards: &Shards, entry: &Entry) -> Result<ObjectGraph, SourceError> {
    let path = match entry.variable.storage {
        Storage::Whole { shard, .. } => shards.path(shard),
        Storage::Slices(_) => shards.path(0),
    };
    let failed = |source| SourceError::Graph { path: path.clone(), source };
    let spec = &entry.variable.spec;
    let Some(name) = VariableName::new(OBJECT_GRAPH_KEY)
        .filter(|_| spec.dtype() == DType::String && spec.shape().rank() == 0)
    else {
        return Err(failed(ObjectGraphError::Spec(spec.to_string())));
    };
    let len = entry.variable.bytes();
    if len > MAX_GRAPH {
        return Err(failed(ObjectGraphError::Large { len, limit: MAX_GRAPH }));
    }
    let tensor = shards.read(&name, entry)?;
    let message = strings::decode(tensor.data(), 1).unwrap_or_default();
    decode_graph(message.first().copied().unwrap_or_default()).map_err(failed)
}

impl Bundle {
    fn entry(&self, name: &VariableName) -> Result<Entry, SourceError> {
        let variable = self.catalog.variables.get(name);
        let both = variable.zip(self.sums.get(name));
        let (variable, &crc) = both.ok_or_else(|| SourceError::NoVariable {
            path: self.prefix.clone(),
            name: name.clone(),
        })?;
        Ok(Entry { variable: variable.clone(), crc })
    }

    /// The values of small variables, as far as they can be read: planning needs no data files.
    fn scalars(&self) -> BTreeMap<VariableName, Tensor<'static>> {
        let small = self.catalog.variables.iter().filter(|(_, variable)| {
            variable.spec.shape().rank() == 0
                && variable.spec.bytes().is_some_and(|bytes| bytes <= MAX_SCALAR)
        });
        let mut missing = BTreeSet::new();
        let mut scalars = BTreeMap::new();
        for (name, variable) in small.take(MAX_SCALARS) {
            let Storage::Whole { shard, .. } = variable.storage else { continue };
            // A file that is not there is not looked for again.
            if missing.contains(&shard) || self.shards.blob(shard).is_err() {
                missing.insert(shard);
            } else if let Ok(tensor) = self.read(name) {
                scalars.insert(name.clone(), tensor);
            }
        }
        scalars
    }
}

impl CheckpointReader for Bundle {
    fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn prefix(&self) -> &Location {
        &self.prefix
    }

    fn files(&self) -> Vec<Location> {
        let data = self.used.iter().map(|&shard| self.shards.path(shard));
        std::iter::once(index::location(&self.prefix)).chain(data).collect()
    }

    fn read(&self, name: &VariableName) -> Result<Tensor<'static>, SourceError> {
        self.shards.read(name, &self.entry(name)?)
    }

    fn read_region(
        &self,
        name: &VariableName,
        region: &Region,
        out: &mut [u8],
    ) -> Result<(), SourceError> {
        let entry = self.entry(name)?;
        let extent = self.shards.extent(name, &entry)?;
        let spec = &entry.variable.spec;
        let unfit = || self.shards.damaged(name, &entry, TensorError::Region);
        let width = spec.dtype().size().ok_or_else(unfit)?;
        if !region.fits(spec.shape()) || region.elements() * width != out.len() as u64 {
            return Err(unfit());
        }
        let mut rest = out;
        region.for_each_run(spec.shape(), |start, count| {
            let len = usize::try_from(count * width).map_err(|_| unfit())?;
            let (run, after) =
                std::mem::take(&mut rest).split_at_mut_checked(len).ok_or_else(unfit)?;
            rest = after;
            Ok(extent.blob.read_at(extent.offset + start * width, run)?)
        })
    }

    fn verify(&self, name: &VariableName, advance: &dyn Fn(u64)) -> Result<(), SourceError> {
        self.shards.verify(name, &self.entry(name)?, advance)
    }

    fn extent(&self, name: &VariableName) -> Result<Option<(Extent, Crc)>, SourceError> {
        let entry = self.entry(name)?;
        if matches!(entry.variable.storage, Storage::Slices(_)) {
            return Ok(None);
        }
        Ok(Some((self.shards.extent(name, &entry)?, entry.crc)))
    }
}
