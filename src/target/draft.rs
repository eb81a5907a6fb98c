//! A file of the new checkpoint that nobody sees yet.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::files::{Location, Share, Staged, store};

use super::{TargetError, WrittenFile};

/// A data file or the index on its way.
#[derive(Debug)]
pub(super) struct Draft {
    file: Box<dyn Staged>,
    /// Bytes it is to have.
    len: u64,
    /// Bytes that have been written.
    written: AtomicU64,
    shared: Option<Share>,
}

impl Draft {
    /// Begins one in `near`'s directory.
    pub(super) fn new(near: &Location) -> Result<Self, TargetError> {
        let file = store(near).stage(near)?;
        Ok(Self { file, len: 0, written: AtomicU64::new(0), shared: None })
    }

    /// One of `len` bytes that are another file's.
    pub(super) fn shared(file: Box<dyn Staged>, len: u64, how: Share) -> Self {
        Self { file, len, written: AtomicU64::new(len), shared: Some(how) }
    }

    /// Bytes it is to have, as far as that is known.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Makes room for so many bytes at the end, and says where they belong.
    pub(super) fn reserve(&mut self, bytes: u64) -> u64 {
        let offset = self.len;
        self.len = self.len.saturating_add(bytes);
        offset
    }

    /// Writes bytes for which there is room.
    pub(super) fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), TargetError> {
        if offset.saturating_add(bytes.len() as u64) > self.len {
            return Err(TargetError::Nowhere);
        }
        if bytes.is_empty() {
            return Ok(());
        }
        self.file.write_at(offset, bytes)?;
        self.written.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Whether as many bytes were written as there is room for.
    pub(super) fn is_complete(&self) -> bool {
        self.written.load(Ordering::Relaxed) == self.len
    }

    /// Appends.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), TargetError> {
        let offset = self.reserve(bytes.len() as u64);
        self.write(offset, bytes)
    }

    /// Makes the bytes survive a loss of power.
    pub(super) fn sync(&self) -> Result<(), TargetError> {
        Ok(self.file.sync()?)
    }

    /// Gives it its name.
    pub(super) fn publish(self, at: Location) -> Result<WrittenFile, TargetError> {
        self.file.publish(&at)?;
        Ok(WrittenFile { at, bytes: self.len, shared: self.shared })
    }
}
