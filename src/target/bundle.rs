//! The V2 format: tensors back to back in data files, and an index of where each lies.
//!
//! ```text
//! P.data-00000-of-0000N   | bytes of a tensor | bytes of the next | ...
//! P.index                 "" → header;  key → dtype, shape, shard, offset, size, checksum
//! ```
//! Data files of another checkpoint that are shared come first, then those that are written.

use std::collections::BTreeMap;

use crate::crc::Crc;
use crate::files::{Blob, FileError, Share, Shared};
use crate::object::{OBJECT_GRAPH_KEY, ObjectGraph, Target};
use crate::tensor::{Tensor, TensorSpec};

use super::commit::Commit;
use super::draft::Draft;
use super::index::{self, Piece};
use super::{CheckpointWriter, Committed, Place, Proceed, SharedFile, Sharing, TargetError, graph};

/// A bundle that is being written.
#[derive(Debug)]
pub(super) struct BundleWriter {
    shared: Vec<Draft>,
    /// Those that are written; the last one grows.
    own: Vec<Draft>,
    /// Whether the last one has a tensor, be it of no bytes.
    begun: bool,
    tensors: BTreeMap<Target, Listed>,
    /// Dropped last: only when all drafts are gone can it remove their directory.
    commit: Commit,
}

/// A tensor that has a place.
#[derive(Debug, Clone)]
struct Listed {
    spec: TensorSpec,
    file: File,
    offset: u64,
    len: u64,
    /// `None` while bytes are still coming.
    crc: Option<Crc>,
}

/// Which data file; what number it gets is known when there are no more.
#[derive(Debug, Clone, Copy)]
enum File {
    Shared(usize),
    Own(usize),
}

impl BundleWriter {
    /// Begins the first data file, so that a directory which takes none is found out about at
    /// once.
    pub(super) fn new(commit: Commit) -> Result<Self, TargetError> {
        let own = vec![commit.draft()?];
        let (shared, tensors) = (Vec::new(), BTreeMap::new());
        Ok(Self { shared, own, begun: false, tensors, commit })
    }

    /// Whether there may be a tensor called `target` that is not there yet.
    fn admit(&self, target: &Target) -> Result<(), TargetError> {
        if target.key().is_empty() {
            return Err(TargetError::Unnamed);
        }
        if self.tensors.contains_key(target) {
            return Err(TargetError::Duplicate(target.clone()));
        }
        Ok(())
    }

    /// Whether so many bytes more would be too many for the data file that grows.
    fn is_full_for(&self, bytes: u64) -> bool {
        let len = self.own.last().map_or(0, Draft::len);
        let fits = |limit| len.saturating_add(bytes) <= limit;
        len > 0 && bytes > 0 && !self.commit.shard_size().is_none_or(fits)
    }

    fn shards(&self) -> usize {
        self.shared.len() + self.own.len()
    }

    /// Whether there may not be so many data files.
    fn is_taken(&self, count: usize) -> bool {
        self.commit.shards_for(count) > count
    }

    fn next_shard(&mut self) -> Result<(), TargetError> {
        self.own.push(self.commit.draft()?);
        self.begun = false;
        Ok(())
    }

    /// The data file that grows; there always is one.
    fn current(&mut self) -> Result<(usize, &mut Draft), TargetError> {
        if self.own.is_empty() {
            self.next_shard()?;
        }
        let number = self.own.len() - 1;
        self.own.last_mut().map(|draft| (number, draft)).ok_or(TargetError::Unnamed)
    }
}

impl CheckpointWriter for BundleWriter {
    fn put(&mut self, target: &Target, tensor: &Tensor<'_>) -> Result<(), TargetError> {
        let place = self.reserve(target, tensor.spec(), tensor.data().len() as u64)?;
        self.write(place, tensor.data())?;
        self.seal(target, tensor.checksum())
    }

    fn reserve(
        &mut self,
        target: &Target,
        spec: &TensorSpec,
        len: u64,
    ) -> Result<Place, TargetError> {
        self.admit(target)?;
        if let Some(needed) = spec.bytes().filter(|&needed| needed != len) {
            return Err(TargetError::wrong_length(target, spec, needed, len));
        }
        // While there may not be so many data files, the next tensor begins another one. The object
        // graph is the last: rather than that, its file becomes too large.
        let is_last = target.key() == OBJECT_GRAPH_KEY && self.is_taken(self.shards() + 1);
        if (self.begun && self.is_taken(self.shards())) || (self.is_full_for(len) && !is_last) {
            self.next_shard()?;
        }
        let (file, draft) = self.current()?;
        let offset = draft.reserve(len);
        self.begun = true;
        let spec = spec.clone();
        let listed = Listed { spec, file: File::Own(file), offset, len, crc: None };
        self.tensors.insert(target.clone(), listed);
        Ok(Place { file, offset })
    }

    fn write(&self, place: Place, bytes: &[u8]) -> Result<(), TargetError> {
        match self.own.get(place.file) {
            Some(draft) => draft.write(place.offset, bytes),
            None => Err(TargetError::Nowhere),
        }
    }

    fn seal(&mut self, target: &Target, crc: Crc) -> Result<(), TargetError> {
        let listed = self.tensors.get_mut(target).filter(|listed| listed.crc.is_none());
        listed.ok_or_else(|| TargetError::Unfinished(target.clone()))?.crc = Some(crc);
        Ok(())
    }

    fn wants_another_file(&self) -> bool {
        self.is_taken(if self.begun { self.shards() } else { self.shards() - 1 })
    }

    fn is_beside(&self, blob: &dyn Blob) -> bool {
        self.commit.is_beside(blob)
    }

    fn share(&mut self, blob: &dyn Blob, how: Share) -> Result<Sharing, FileError> {
        Ok(match self.commit.share(blob, how)? {
            Shared::Staged(file) => {
                self.shared.push(Draft::shared(file, blob.len(), self.commit.way(how)));
                Sharing::Done(SharedFile(self.shared.len() - 1))
            }
            Shared::Refused(error) => Sharing::Refused(error),
        })
    }

    fn refer(
        &mut self,
        target: &Target,
        spec: &TensorSpec,
        (SharedFile(file), offset, len): (SharedFile, u64, u64),
        crc: Crc,
    ) -> Result<(), TargetError> {
        self.admit(target)?;
        if let Some(needed) = spec.bytes().filter(|&needed| needed != len) {
            return Err(TargetError::wrong_length(target, spec, needed, len));
        }
        let (end, is) = (offset.saturating_add(len), self.shared.get(file).map_or(0, Draft::len));
        // No bytes may stand anywhere, beyond the end too.
        if len > 0 && end > is {
            return Err(TargetError::Beyond { target: target.clone(), end, len: is });
        }
        let (spec, file) = (spec.clone(), File::Shared(file));
        self.tensors.insert(target.clone(), Listed { spec, file, offset, len, crc: Some(crc) });
        Ok(())
    }

    fn alias(&mut self, name: &Target, of: &Target) -> Result<(), TargetError> {
        let Some(listed) = self.tensors.get(of).filter(|listed| listed.crc.is_some()).cloned()
        else {
            return Err(TargetError::Unknown { name: name.clone(), of: of.clone() });
        };
        self.admit(name)?;
        self.tensors.insert(name.clone(), listed);
        Ok(())
    }

    fn sync(&mut self, proceed: Proceed<'_>) -> Result<(), TargetError> {
        for draft in self.shared.iter().chain(&self.own) {
            self.commit.sync(draft)?;
            if proceed().is_break() {
                return Err(TargetError::Interrupted);
            }
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
            self.put(&Target::named(OBJECT_GRAPH_KEY), &string)?;
        }
        // A file of its own is not needed where all bytes are shared.
        if !self.begun && self.shards() > 1 {
            self.own.pop();
        }
        // Only where fewer tensors came than data files are needed: these stay empty.
        while self.is_taken(self.shards()) {
            self.next_shard()?;
        }
        if let Some((target, _)) = self.tensors.iter().find(|(_, listed)| listed.crc.is_none()) {
            return Err(TargetError::Unfinished(target.clone()));
        }
        if !self.own.iter().all(Draft::is_complete) {
            return Err(TargetError::Nowhere);
        }
        let Self { shared, own, tensors, commit, .. } = *self;
        let first = shared.len();
        let piece = |listed: &Listed| {
            let &Listed { offset, len, .. } = listed;
            let shard = match listed.file {
                File::Shared(file) => file,
                File::Own(file) => first + file,
            };
            let crc = listed.crc.unwrap_or_default();
            Piece { spec: listed.spec.clone(), shard, offset, len, crc }
        };
        let pieces = tensors.iter().map(|(target, listed)| (target.key(), piece(listed)));
        let shards: Vec<Draft> = shared.into_iter().chain(own).collect();
        let index = index::encode(shards.len(), pieces)?;
        commit.publish(shards, &index, proceed)
    }
}
