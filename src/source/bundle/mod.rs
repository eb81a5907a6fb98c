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
mod content;
mod entry;
mod index;
mod shards;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use content::Content;
use entry::{Entry, Stored};
use index::Index;
use shards::Shards;

use super::error::{ObjectGraphError, SourceError, TensorError};
use super::graph::decode_graph;
use super::sniff::disguised;
use super::spoiled;
use super::stitch::{self, Layout, Stitched};
use super::{CheckpointReader, Format, meta};
use crate::catalog::{Catalog, Facts, Storage, Variable, VariableName};
use crate::crc::Crc;
use crate::files::{Extent, Location, store};
use crate::object::{OBJECT_GRAPH_KEY, ObjectGraph};
use crate::tensor::{DType, DataError, Region, Tensor, strings};

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
    whole: BTreeMap<VariableName, Stored>,
    parted: BTreeMap<VariableName, Stitched<Stored>>,
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
    let header = index.header.unwrap_or_default();
    let shards = Shards::new(prefix.clone(), header);
    let graph = index.graph.as_ref().map(|entry| read_graph(&shards, entry)).transpose()?;
    let used = index.stored().map(|stored| stored.shard).collect();
    let Content { whole, parted, joined, orphans } = Content::of(index.variables, &index.pieces);
    let named = whole.iter().map(|(name, stored)| (name.clone(), stored.variable()));
    let in_parts = parted.iter().map(|(name, parted)| {
        let storage = Storage::Slices(parted.slices());
        (name.clone(), Variable { spec: parted.spec.clone(), storage, parts: parted.rows() })
    });
    let unnamable = index.unnamable.into_iter().map(|(key, _)| key);
    let mut facts = Facts::default();
    meta::read(prefix, &mut facts);
    spoiled::rename(&joined, &mut facts);
    facts.notes.extend(stitch::flaws(&parted));
    let catalog = Catalog {
        origin: prefix.to_string(),
        format: FORMAT.name,
        shards: header.shards,
        variables: named.chain(in_parts).collect(),
        unnamable: unnamable.chain(orphans).collect(),
        graph,
        facts,
    };
    let mut bundle = Bundle { prefix: prefix.clone(), catalog, whole, parted, shards, used };
    bundle.catalog.facts.scalars = bundle.scalars();
    Ok(Box::new(bundle))
}

/// The object graph out of the tensor at `entry`.
fn read_graph(shards: &Shards, entry: &Entry) -> Result<ObjectGraph, SourceError> {
    let failed = |shard| {
        let path = shards.path(shard);
        move |source| SourceError::Graph { path, source }
    };
    let stored = match entry {
        Entry::Whole(stored) => stored,
        Entry::Sliced(spec, _) => {
            return Err(failed(0)(ObjectGraphError::Spec(format!("{spec} in slices"))));
        }
    };
    let Stored { spec, shard, bytes: len, .. } = stored;
    let Some(name) = VariableName::new(OBJECT_GRAPH_KEY)
        .filter(|_| spec.dtype() == DType::String && spec.shape().rank() == 0)
    else {
        return Err(failed(*shard)(ObjectGraphError::Spec(spec.to_string())));
    };
    if *len > MAX_GRAPH {
        return Err(failed(*shard)(ObjectGraphError::Large { len: *len, limit: MAX_GRAPH }));
    }
    let tensor = shards.read(&name, stored)?;
    let message = strings::decode(tensor.data(), 1).unwrap_or_default();
    decode_graph(message.first().copied().unwrap_or_default()).map_err(failed(*shard))
}

impl Bundle {
    fn part(&self, name: &VariableName) -> Result<Part<'_>, SourceError> {
        let whole = self.whole.get(name).map(Part::Whole);
        let part = whole.or_else(|| self.parted.get(name).map(Part::Parts));
        let absent = || SourceError::NoVariable { path: self.prefix.clone(), name: name.clone() };
        part.ok_or_else(absent)
    }

    /// An error about a variable in parts as a whole.
    fn unfit(&self, name: &VariableName, error: TensorError) -> SourceError {
        SourceError::whole(&self.prefix, name, error)
    }

    /// Where the parts of a partitioned variable lie.
    fn layout<'p>(
        &self,
        name: &VariableName,
        parted: &'p Stitched<Stored>,
    ) -> Result<Layout<'p>, SourceError> {
        parted.layout().map_err(|flaw| SourceError::slices(&self.prefix, name, flaw))
    }

    /// A partitioned variable of strings: each part is read whole.
    fn strings(
        &self,
        name: &VariableName,
        parted: &Stitched<Stored>,
    ) -> Result<Vec<u8>, SourceError> {
        let layout = self.layout(name, parted)?;
        let read = |stored| self.shards.read(name, stored);
        let tensors = parted.parts.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let elements = tensors.iter().zip(&parted.parts).map(|(tensor, stored)| {
            let count = tensor.spec().shape().elements();
            let damaged = |error: DataError| self.shards.damaged(name, stored, error.into());
            strings::decode(tensor.data(), count).map_err(damaged)
        });
        let elements = elements.collect::<Result<Vec<_>, _>>()?;
        Ok(strings::encode(&layout.elements(parted.spec.shape(), &elements)))
    }

    /// The values of small variables, as far as they can be read: planning needs no data files.
    fn scalars(&self) -> BTreeMap<VariableName, Tensor<'static>> {
        let small = self.whole.iter().filter(|(_, stored)| {
            stored.spec.shape().rank() == 0
                && stored.spec.bytes().is_some_and(|bytes| bytes <= MAX_SCALAR)
        });
        let mut missing = BTreeSet::new();
        let mut scalars = BTreeMap::new();
        for (name, stored) in small.take(MAX_SCALARS) {
            // A file that is not there is not looked for again.
            if missing.contains(&stored.shard) || self.shards.blob(stored.shard).is_err() {
                missing.insert(stored.shard);
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
        let parted = match self.part(name)? {
            Part::Whole(stored) => return self.shards.read(name, stored),
            Part::Parts(parted) => parted,
        };
        let bytes = match parted.spec.bytes() {
            Some(len) => stitch::whole(self, name, &parted.spec, len)?,
            None => self.strings(name, parted)?,
        };
        Tensor::new(parted.spec.clone(), bytes).map_err(|error| self.unfit(name, error.into()))
    }

    fn read_region(
        &self,
        name: &VariableName,
        region: &Region,
        out: &mut [u8],
    ) -> Result<(), SourceError> {
        let parted = match self.part(name)? {
            Part::Whole(stored) => return self.shards.read_region(name, stored, region, out),
            Part::Parts(parted) => parted,
        };
        let layout = self.layout(name, parted)?;
        let unfit = || self.unfit(name, TensorError::Region);
        let width = parted.width(region, out).ok_or_else(unfit)?;
        layout.read(region, width, out, |part, region, out| match parted.parts.get(part) {
            Some(stored) => self.shards.read_region(name, stored, region, out),
            None => Ok(()),
        })
    }

    fn verify(&self, name: &VariableName, advance: &dyn Fn(u64)) -> Result<(), SourceError> {
        match self.part(name)? {
            Part::Whole(stored) => self.shards.verify(name, stored, advance),
            Part::Parts(parted) => {
                self.layout(name, parted)?;
                let mut parts = parted.parts.iter();
                parts.try_for_each(|stored| self.shards.verify(name, stored, advance))
            }
        }
    }

    fn extent(&self, name: &VariableName) -> Result<Option<(Extent, Crc)>, SourceError> {
        match self.part(name)? {
            Part::Whole(stored) if self.shards.is_native(stored) => {
                Ok(Some((self.shards.extent(name, stored)?, stored.crc)))
            }
            _ => Ok(None),
        }
    }
}

/// One variable of a bundle.
#[derive(Debug, Clone, Copy)]
enum Part<'b> {
    Whole(&'b Stored),
    Parts(&'b Stitched<Stored>),
}
