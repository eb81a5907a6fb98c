//! A file of the new checkpoint that nobody sees yet.

use crate::files::{Location, Staged, store};

use super::{TargetError, WrittenFile};

/// Bytes on their way to becoming a data file or the index.
#[derive(Debug)]
pub(super) struct Draft {
    /// What messages call it: the checkpoint it is for.
    near: Location,
    file: Box<dyn Staged>,
    len: u64,
}

impl Draft {
    /// Begins one in `near`'s directory.
    pub(super) fn new(near: &Location) -> Result<Self, TargetError> {
        Ok(Self { near: near.clone(), file: store(near).stage(near)?, len: 0 })
    }

    /// Bytes so far.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Appends.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), TargetError> {
        self.file.write_all(bytes).map_err(TargetError::write(&self.near))?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Makes the bytes survive a loss of power.
    pub(super) fn sync(&mut self) -> Result<(), TargetError> {
        Ok(self.file.sync()?)
    }

    /// Gives it its name.
    pub(super) fn publish(self, at: Location) -> Result<WrittenFile, TargetError> {
        self.file.publish(&at)?;
        Ok(WrittenFile { at, bytes: self.len })
    }
}
