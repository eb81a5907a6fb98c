//! Buckets: the store behind [`Location::Bucket`]. The only place that knows of object stores and
//! of the runtime they need; everything above stays synchronous.
//!
//! ```text
//!  Buckets ──► client   one for each bucket, with credentials from the environment
//!                │
//!                ├──► list     what stands in a directory: the start of its names
//!                ├──► blob     ranged reads, each of the version that was opened
//!                ├──► upload   spooled here, sent when the name is known; parts of large ones
//!                └──► copy     by the server
//! ```
//! A bucket has no directories, no locks and no renames: an object is there, whole, or it is not.

mod blob;
mod chunks;
mod client;
mod copy;
mod error;
mod list;
mod settings;
#[cfg(test)]
mod tests;
mod upload;

use std::io::ErrorKind;
use std::sync::Arc;

use super::blob::write_all_at;
use super::spool::{no_room, spool};
use super::{
    Action, Blob, Claim, Directory, FileError, Location, Mapped, Share, Shared, Staged, Status,
    Store, Turn,
};
use blob::{CloudBlob, GRAIN};
use client::{Client, wait};
use copy::ServerCopy;
use upload::Upload;

/// All buckets there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Buckets;

impl Store for Buckets {
    fn status(&self, at: &Location) -> Result<Option<Status>, FileError> {
        let client = Client::of(at).map_err(FileError::new(Action::Look, at))?;
        wait(Action::Look, at, client.status(at))
    }

    fn open(&self, at: &Location) -> Result<Arc<dyn Blob>, FileError> {
        let client = Client::of(at).map_err(FileError::new(Action::Open, at))?;
        Ok(Arc::new(CloudBlob::open(&client, at)?))
    }

    fn map(&self, at: &Location) -> Result<Mapped, FileError> {
        let blob = self.open(at)?;
        let file = spool().map_err(FileError::new(Action::Create, at))?;
        let mut buffer = Vec::new();
        let mut offset = 0;
        while offset < blob.len() {
            buffer.resize(usize::try_from(blob.len() - offset).map_or(GRAIN, |n| n.min(GRAIN)), 0);
            blob.read_at(offset, &mut buffer)?;
            let written = write_all_at(&file, offset, &buffer).map_err(|error| no_room(&error));
            written.map_err(FileError::new(Action::Read, at))?;
            offset += buffer.len() as u64;
        }
        Mapped::new(&file).map_err(FileError::new(Action::Open, at))
    }

    fn list(&self, prefix: &Location) -> Result<Vec<Location>, FileError> {
        let client = Client::of(prefix).map_err(FileError::new(Action::List, prefix))?;
        wait(Action::List, prefix, client.list(prefix))
    }

    fn directory(&self, _: &Location) -> Result<Directory, FileError> {
        Ok(Directory::default())
    }

    fn stage(&self, near: &Location) -> Result<Box<dyn Staged>, FileError> {
        Client::of(near).map_err(FileError::new(Action::Create, near))?;
        Ok(Box::new(Upload::new(near)?))
    }

    fn share(&self, blob: &dyn Blob, near: &Location, _: Share) -> Result<Shared, FileError> {
        let refused = |why: String| {
            let error = std::io::Error::new(ErrorKind::Unsupported, why);
            Ok(Shared::Refused(FileError::new(Action::Copy, blob.at())(error)))
        };
        if !blob.at().shares_bucket(near) {
            return refused(format!("`{near}` is not in the same bucket"));
        }
        let client = Client::of(near).map_err(FileError::new(Action::Copy, near))?;
        if blob.len() > client.copy_limit {
            return refused(format!(
                "it has {} bytes, and the server copies no more than {} at a time",
                blob.len(),
                client.copy_limit
            ));
        }
        Ok(Shared::Staged(Box::new(ServerCopy::new(client, blob))))
    }

    fn settle(&self, _: &Location) -> Result<(), FileError> {
        Ok(())
    }

    fn turn(&self, at: &Location) -> Option<Turn> {
        // Of the checkpoint alone: with the bytes it takes long, and others may do the same.
        Turn::among_threads(at.path())
    }

    fn claim(&self, _: &Location) -> Result<Option<Claim>, FileError> {
        Ok(Some(Claim::without_locks()))
    }

    fn remove(&self, at: &Location) -> Result<(), FileError> {
        let client = Client::of(at).map_err(FileError::new(Action::Remove, at))?;
        wait(Action::Remove, at, client.remove(at))
    }

    /// What was never published has no name, and what a killed run sent of a large object is no
    /// object.
    fn abandoned(&self, _: &Location) -> Result<Vec<Location>, FileError> {
        Ok(Vec::new())
    }
}
