//! The data files of a bundle, opened when they are needed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::entry::Entry;
use crate::catalog::{Storage, VariableName};
use crate::crc::Crc;
use crate::files::{Blob, Extent, Location, store};
use crate::source::error::{SourceError, TensorError};
use crate::tensor::Tensor;

/// Bytes that are read and summed at once.
const BLOCK: u64 = 1 << 20;

/// The data files of one bundle.
#[derive(Debug)]
pub(super) struct Shards {
    prefix: Location,
    count: u32,
    open: Mutex<BTreeMap<u32, Arc<dyn Blob>>>,
}

impl Shards {
    /// None of the `count` files is opened yet.
    pub(super) fn new(prefix: Location, count: u32) -> Self {
        Self { prefix, count, open: Mutex::default() }
    }

    /// The name of a data file. The number of files in it is the header's, whatever there is.
    pub(super) fn path(&self, shard: u32) -> Location {
        self.prefix.with_suffix(&format!(".data-{shard:05}-of-{:05}", self.count))
    }

    /// A data file.
    pub(super) fn blob(&self, shard: u32) -> Result<Arc<dyn Blob>, SourceError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(blob) = open.get(&shard) {
            return Ok(Arc::clone(blob));
        }
        let path = self.path(shard);
        let blob = store(&path).open(&path)?;
        open.insert(shard, Arc::clone(&blob));
        Ok(blob)
    }

    /// Where the bytes of `entry` lie; proved to be there.
    pub(super) fn extent(&self, name: &VariableName, entry: &Entry) -> Result<Extent, SourceError> {
        let Storage::Whole { shard, offset, bytes } = entry.variable.storage else {
            let what = format!("holds `{name}` in slices, which this version does not read yet");
            return Err(SourceError::Unsupported { path: self.prefix.clone(), what });
        };
        let blob = self.blob(shard)?;
        let (end, len) = (offset.saturating_add(bytes), blob.len());
        // No bytes may stand anywhere, beyond the end too.
        if bytes > 0 && end > len {
            return Err(self.damaged(name, entry, TensorError::Truncated { end, len }));
        }
        Ok(Extent { blob, offset, len: bytes })
    }

    /// The tensor that `entry` describes, summed.
    pub(super) fn read(
        &self,
        name: &VariableName,
        entry: &Entry,
    ) -> Result<Tensor<'static>, SourceError> {
        let extent = self.extent(name, entry)?;
        let damaged = |error| self.damaged(name, entry, error);
        let len = usize::try_from(extent.len).map_err(|_| {
            damaged(TensorError::Truncated { end: extent.len, len: usize::MAX as u64 })
        })?;
        let mut bytes = vec![0; len];
        if len > 0 {
            extent.blob.read_at(extent.offset, &mut bytes)?;
        }
        let summed = Tensor::summed(entry.variable.spec.clone(), bytes);
        let (tensor, computed) = summed.map_err(|error| damaged(error.into()))?;
        compare(entry.crc, computed).map_err(damaged)?;
        Ok(tensor)
    }

    /// Sums the bytes of `entry` block by block; strings and variants are summed whole.
    pub(super) fn verify(
        &self,
        name: &VariableName,
        entry: &Entry,
        advance: &dyn Fn(u64),
    ) -> Result<(), SourceError> {
        if entry.variable.spec.bytes().is_none() {
            let bytes = self.read(name, entry)?.data().len();
            advance(bytes as u64);
            return Ok(());
        }
        let Extent { blob, mut offset, len: mut left } = self.extent(name, entry)?;
        let mut buffer = vec![0; usize::try_from(BLOCK.min(left)).unwrap_or_default()];
        let mut computed = Crc::default();
        while left > 0 {
            let len = BLOCK.min(left);
            buffer.truncate(usize::try_from(len).unwrap_or_default());
            blob.read_at(offset, &mut buffer)?;
            computed = computed.extend(&buffer);
            (offset, left) = (offset + len, left - len);
            advance(len);
        }
        compare(entry.crc, computed).map_err(|error| self.damaged(name, entry, error))
    }

    /// An error about the bytes of `name`.
    pub(super) fn damaged(
        &self,
        name: &VariableName,
        entry: &Entry,
        error: TensorError,
    ) -> SourceError {
        let (path, offset) = match entry.variable.storage {
            Storage::Whole { shard, offset, .. } => (self.path(shard), offset),
            Storage::Slices(_) => (self.prefix.clone(), 0),
        };
        SourceError::Tensor { path, offset, name: name.clone(), source: Box::new(error) }
    }
}

fn compare(stored: Crc, computed: Crc) -> Result<(), TensorError> {
    if stored == computed { Ok(()) } else { Err(TensorError::Checksum { stored, computed }) }
}
