//! Copies that a server makes.

use std::io;
use std::sync::Arc;

use object_store::path::Path;
use object_store::{Error, ObjectStoreExt};

use super::client::{Client, hash, key, version, wait};
use super::error::Missing;
use crate::files::{Action, Blob, FileError, Identity, Location, Staged};

/// An object that will be a copy of another one. Nothing happens before its name is known.
#[derive(Debug)]
pub(super) struct ServerCopy {
    client: Arc<Client>,
    from: Location,
    len: u64,
    identity: Option<Identity>,
}

impl ServerCopy {
    /// One of what `blob` reads.
    pub(super) fn new(client: Arc<Client>, blob: &dyn Blob) -> Self {
        let (from, len, identity) = (blob.at().clone(), blob.len(), blob.identity());
        Self { client, from, len, identity }
    }

    async fn copy(&self, to: &Path) -> Result<(), Error> {
        let from = key(&self.from)?;
        self.client.objects.copy(&from, to).await?;
        // The server was asked for a name and not for a version. Where that still is the one that
        // was opened, it was when it was copied.
        let source = self.client.objects.head(&from).await?;
        let device = hash(&self.from.to_string());
        let is_same = self.identity == Some(Identity { device, inode: version(&source) });
        let copied = self.client.objects.head(to).await?;
        if is_same && copied.size == self.len {
            return Ok(());
        }
        self.client.objects.delete(to).await?;
        Err(if is_same { Missing::cut(copied.size, self.len) } else { Missing::replaced() })
    }
}

impl Staged for ServerCopy {
    fn write_at(&self, _: u64, _: &[u8]) -> Result<(), FileError> {
        let error = io::Error::new(io::ErrorKind::Unsupported, "it is a copy of another one");
        Err(FileError::new(Action::Write, &self.from)(error))
    }

    fn sync(&self) -> Result<(), FileError> {
        Ok(())
    }

    fn publish(self: Box<Self>, to: &Location) -> Result<(), FileError> {
        wait(Action::Copy, &self.from, async { self.copy(&key(to)?).await })
    }
}
