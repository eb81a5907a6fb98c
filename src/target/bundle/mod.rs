//! The V2 format: tensors back to back in data files, and an index of where each lies.
//!
//! ```text
//! P.data-00000-of-0000N   | bytes of a tensor | bytes of the next | ...
//! P.index                 "" → header;  key → dtype, shape, shard, offset, size, checksum
//! ```

mod copy;
mod sink;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::crc::Crc;
use crate::files::Extent;
use crate::object::{OBJECT_GRAPH_KEY, ObjectGraph, Target};
use crate::tensor::{DataError, Tensor, TensorSpec};

use super::commit::Commit;
use super::draft::Draft;
use super::index::{self, Piece};
use super::{CheckpointWriter, Committed, Proceed, TargetError, TensorSink, graph};
use sink::Sink;

/// A bundle that is being written.
#[derive(Debug)]
pub(super) struct BundleWriter {
    full: Vec<Draft>,
    current: Draft,
    /// `None` while a tensor's bytes are still coming.
    pieces: BTreeMap<Target, Option<Piece>>,
    block: Vec<u8>,
    /// Dropped last: only when all drafts are gone can it remove their directory.
    commit: Commit,
}

impl BundleWriter {
    /// Begins the first data file, so that a directory which takes none is found out about at
    /// once.
    pub(super) fn new(commit: Commit) -> Result<Self, TargetError> {
        let current = commit.draft()?;
        Ok(Self { full: Vec::new(), current, pieces: BTreeMap::new(), block: Vec::new(), commit })
    }

    /// Reserves a key, and a place for so many bytes at the end of the data files.
    fn open(
        &mut self,
        target: &Target,
        spec: &TensorSpec,
        bytes: u64,
    ) -> Result<Piece, TargetError> {
        if target.key().is_empty() {
            return Err(TargetError::Unnamed);
        }
        if self.pieces.contains_key(target) {
            return Err(TargetError::Duplicate(target.clone()));
        }
        // As many data files as there must be at least are begun with the first tensors, one
        // each: a data file that no entry refers to breaks TensorFlow's `MergeV2Checkpoints`.
        let wanted = !self.pieces.is_empty() && self.shards() < self.commit.least_shards();
        if wanted || self.is_full_for(bytes) {
            self.next_shard()?;
        }
        self.pieces.insert(target.clone(), None);
        let (shard, offset) = (self.full.len(), self.current.len());
        Ok(Piece { spec: spec.clone(), shard, offset, len: 0, crc: Crc::default() })
    }

    fn close(&mut self, target: &Target, piece: Piece) {
        self.pieces.insert(target.clone(), Some(piece));
    }

    /// Whether so many bytes more would be too many for the current data file.
    fn is_full_for(&self, bytes: u64) -> bool {
        let len = self.current.len();
        let fits = |limit| len.saturating_add(bytes) <= limit;
        len > 0 && bytes > 0 && !self.commit.shard_size().is_none_or(fits)
    }

    fn shards(&self) -> usize {
        self.full.len() + 1
    }

    fn next_shard(&mut self) -> Result<(), TargetError> {
        let next = self.commit.draft()?;
        self.full.push(std::mem::replace(&mut self.current, next));
        Ok(())
    }
}

impl CheckpointWriter for BundleWriter {
    fn begin(
        &mut self,
        target: &Target,
        spec: &TensorSpec,
    ) -> Result<Box<dyn TensorSink + '_>, TargetError> {
        let needed = spec.bytes().ok_or_else(|| TargetError::Unstreamable(target.clone()))?;
        let piece = self.open(target, spec, needed)?;
        Ok(Box::new(Sink { writer: self, target: target.clone(), piece, needed }))
    }

    fn put(&mut self, target: &Target, tensor: &Tensor<'_>) -> Result<(), TargetError> {
        let mut piece = self.open(target, tensor.spec(), tensor.data().len() as u64)?;
        self.current.write(tensor.data())?;
        piece.len = tensor.data().len() as u64;
        piece.crc = tensor.checksum();
        self.close(target, piece);
        Ok(())
    }

    fn adopt(
        &mut self,
        target: &Target,
        spec: &TensorSpec,
        extent: &Extent,
        crc: Crc,
        advance: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<(), TargetError> {
        let len = extent.blob.len();
        let end = extent.offset.saturating_add(extent.len);
        // No bytes may stand anywhere, beyond the end too.
        if extent.len > 0 && end > len {
            return Err(TargetError::Beyond { target: target.clone(), end, len });
        }
        let mut piece = self.open(target, spec, extent.len)?;
        let computed = match spec.bytes() {
            Some(needed) if needed != extent.len => {
                return Err(wrong_length(target, spec, needed, extent.len));
            }
            Some(_) => self.copy(target, extent, advance)?,
            None => self.copy_whole(target, spec, extent, advance)?,
        };
        if computed != crc {
            return Err(TargetError::Checksum { target: target.clone(), stored: crc, computed });
        }
        piece.len = extent.len;
        piece.crc = crc;
        self.close(target, piece);
        Ok(())
    }

    fn alias(&mut self, name: &Target, of: &Target) -> Result<(), TargetError> {
        let Some(Some(piece)) = self.pieces.get(of).cloned() else {
            return Err(TargetError::Unknown { name: name.clone(), of: of.clone() });
        };
        if name.key().is_empty() {
            return Err(TargetError::Unnamed);
        }
        if self.pieces.contains_key(name) {
            return Err(TargetError::Duplicate(name.clone()));
        }
        self.close(name, piece);
        Ok(())
    }

    fn sync(&mut self, proceed: Proceed<'_>) -> Result<(), TargetError> {
        for draft in self.full.iter_mut().chain([&mut self.current]) {
            self.commit.sync(draft)?;
            copy::proceed(proceed())?;
        }
        Ok(())
    }

    fn finish(
        mut self: Box<Self>,
        graph: Option<&ObjectGraph>,
        proceed: Proceed<'_>,
    ) -> Result<Committed, TargetError> {
        if let Some(graph) = graph {
            let string = Tensor::string(&graph::encode(graph));
            // One more data file than there are is often a number that is free.
            if self.shards() < self.commit.shards_for(self.shards()) && self.current.len() > 0 {
                self.next_shard()?;
            }
            self.put(&Target::named(OBJECT_GRAPH_KEY), &string)?;
        }
        // Only where fewer tensors came than data files are needed: these stay empty.
        while self.shards() < self.commit.shards_for(self.shards()) {
            self.next_shard()?;
        }
        let Self { full: mut shards, current, pieces, commit, .. } = *self;
        shards.push(current);
        if let Some((target, _)) = pieces.iter().find(|(_, piece)| piece.is_none()) {
            return Err(TargetError::Unfinished(target.clone()));
        }
        let complete =
            pieces.iter().filter_map(|(target, piece)| Some((target.key(), piece.as_ref()?)));
        let index = index::encode(shards.len(), complete)?;
        commit.publish(shards, &index, proceed)
    }
}

fn damaged(target: &Target) -> impl FnOnce(DataError) -> TargetError {
    move |source| TargetError::Data { target: target.clone(), source }
}

fn wrong_length(target: &Target, spec: &TensorSpec, needed: u64, got: u64) -> TargetError {
    damaged(target)(DataError::Length { spec: Box::new(spec.clone()), needed, got })
}
