//! Objects on their way into a bucket. A bucket cannot rename, so bytes stay on this machine until
//! the name is known.

use std::fs::File;
use std::io;
use std::ops::Range;

use object_store::{Error, MultipartUpload, ObjectStore, ObjectStoreExt};
use tokio::task::JoinSet;

use super::client::{AT_A_TIME, Client, key, wait};
use crate::files::blob::{read_exact_at, write_all_at};
use crate::files::spool::{no_room, spool};
use crate::files::{Action, FileError, Location, Staged};

/// Bytes that are sent by one request; more of them go in parts of as many.
const PART: u64 = 8 << 20;

/// An object has no more parts than this.
const PARTS: u64 = 10_000;

/// Bytes of parts that are in memory at a time, unless a single one has more.
const IN_MEMORY: u64 = 64 << 20;

/// An object that has no name yet.
#[derive(Debug)]
pub(super) struct Upload {
    near: Location,
    file: File,
}

impl Upload {
    /// One that is empty.
    pub(super) fn new(near: &Location) -> Result<Self, FileError> {
        let file = spool().map_err(FileError::new(Action::Create, near))?;
        Ok(Self { near: near.clone(), file })
    }

    /// Some of its bytes.
    fn read(&self, range: Range<u64>) -> Result<Vec<u8>, Error> {
        let len = usize::try_from(range.end - range.start).unwrap_or_default();
        let mut bytes = vec![0; len];
        match read_exact_at(&self.file, range.start, &mut bytes) {
            Ok(()) => Ok(bytes),
            Err(error) => Err(spoiled(&error)),
        }
    }

    async fn send(&self, objects: &dyn ObjectStore, to: &Location) -> Result<(), Error> {
        let len = self.file.metadata().map_err(|error| spoiled(&error))?.len();
        let key = key(to)?;
        if len <= PART {
            return objects.put(&key, self.read(0..len)?.into()).await.map(drop);
        }
        let mut upload = objects.put_multipart(&key).await?;
        let mut done = self.send_parts(upload.as_mut(), len).await;
        if done.is_ok() {
            done = upload.complete().await.map(drop);
        }
        if done.is_err() {
            // Its parts would be paid for. The error that led here is the one to tell.
            let _ = upload.abort().await;
        }
        done
    }

    async fn send_parts(&self, upload: &mut dyn MultipartUpload, len: u64) -> Result<(), Error> {
        let part = part(len);
        let at_a_time = usize::try_from(IN_MEMORY / part).unwrap_or_default().max(1);
        let mut parts = JoinSet::new();
        let mut begin = 0;
        let mut sent = Ok(());
        while sent.is_ok() && (begin < len || !parts.is_empty()) {
            if begin < len && parts.len() < at_a_time {
                let range = begin..len.min(begin + part);
                begin = range.end;
                match self.read(range) {
                    Ok(bytes) => {
                        let part = upload.put_part(bytes.into());
                        parts.spawn(async move {
                            let _turn = AT_A_TIME.acquire().await;
                            part.await
                        });
                    }
                    Err(error) => sent = Err(error),
                }
            } else if let Some(done) = parts.join_next().await {
                sent = done.map_err(Error::from).and_then(|done| done);
            }
        }
        // None may arrive after the upload has been given up.
        parts.shutdown().await;
        sent
    }
}

/// Bytes of a part, so that there are not too many.
fn part(len: u64) -> u64 {
    len.div_ceil(PARTS).max(PART)
}

fn spoiled(error: &io::Error) -> Error {
    Error::Generic { store: "buckets", source: no_room(error).into() }
}

impl Staged for Upload {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), FileError> {
        let written = write_all_at(&self.file, offset, bytes).map_err(|error| no_room(&error));
        written.map_err(FileError::new(Action::Write, &self.near))
    }

    /// Nothing on this machine is to survive, and what is published has been stored.
    fn sync(&self) -> Result<(), FileError> {
        Ok(())
    }

    fn publish(self: Box<Self>, to: &Location) -> Result<(), FileError> {
        let client = Client::of(to).map_err(FileError::new(Action::Write, to))?;
        wait(Action::Write, to, self.send(client.objects.as_ref(), to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_not_too_many_parts() {
        for len in [PART + 1, PART * PARTS, PART * PARTS + 1, 5 << 40] {
            assert!(len.div_ceil(part(len)) <= PARTS, "{len}");
        }
        assert_eq!(part(PART + 1), PART);
    }
}
