//! An object that is read, part by part. Every part is asked for by the version that was opened, so
//! nobody gets parts of two.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt};
use tokio::task::JoinSet;

use super::chunks::{CHUNK, Chunks};
use super::client::{AT_A_TIME, Client, hash, key, version, wait};
use super::error::Missing;
use crate::files::{Action, Blob, FileError, Identity, Location};

/// Bytes that are best read at a time.
pub(super) const GRAIN: usize = 16 << 20;

/// Bytes of one request; longer reads are several requests at once.
const REQUEST: u64 = 4 << 20;

/// An object that was there when it was opened.
#[derive(Debug)]
pub(super) struct CloudBlob {
    at: Location,
    len: u64,
    identity: Identity,
    object: Object,
    chunks: Chunks,
}

/// One version of an object.
#[derive(Debug, Clone)]
struct Object {
    objects: Arc<dyn ObjectStore>,
    key: Path,
    e_tag: Option<String>,
}

impl Object {
    /// A part of it.
    async fn get(&self, range: Range<u64>) -> Result<Vec<u8>, Error> {
        let _turn = AT_A_TIME.acquire().await;
        let len = range.end - range.start;
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            if_match: self.e_tag.clone(),
            ..Default::default()
        };
        let bytes = self.objects.get_opts(&self.key, options).await?.bytes().await?;
        if bytes.len() as u64 != len {
            let got = bytes.len();
            let source = format!("the server sent {got} bytes instead of {len}").into();
            return Err(Error::Generic { store: "buckets", source });
        }
        Ok(bytes.into())
    }

    /// A long part, by several requests.
    async fn fill(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let end = offset + out.len() as u64;
        let mut requests = JoinSet::new();
        let mut begin = offset;
        while begin < end {
            let range = begin..end.min(begin + REQUEST);
            begin = range.end;
            let object = self.clone();
            requests.spawn(async move { (range.start, object.get(range).await) });
        }
        while let Some(done) = requests.join_next().await {
            let (start, bytes) = done?;
            let bytes = bytes?;
            let at = usize::try_from(start - offset).unwrap_or(usize::MAX);
            if let Some(place) = out.get_mut(at..).and_then(|out| out.get_mut(..bytes.len())) {
                place.copy_from_slice(&bytes);
            }
        }
        Ok(())
    }
}

impl CloudBlob {
    /// Finds out what is there.
    pub(super) fn open(client: &Client, at: &Location) -> Result<Self, FileError> {
        let found = async {
            let key = key(at)?;
            match client.objects.head(&key).await {
                // Without a body nobody says what is missing.
                Err(error @ Error::NotFound { .. }) => {
                    let is_directory = client.is_directory(at).await?;
                    Err(if is_directory { Missing::directory() } else { error })
                }
                found => Ok((key, found?)),
            }
        };
        let (key, found) = wait(Action::Open, at, found)?;
        let identity = Identity { device: hash(&at.to_string()), inode: version(&found) };
        let object = Object { objects: Arc::clone(&client.objects), key, e_tag: found.e_tag };
        Ok(Self { at: at.clone(), len: found.size, identity, object, chunks: Chunks::new() })
    }

    /// A chunk that was read lately, or is now.
    fn chunk(&self, number: u64) -> Result<Arc<Vec<u8>>, FileError> {
        if let Some(chunk) = self.chunks.get(number) {
            return Ok(chunk);
        }
        let begin = number * CHUNK;
        let end = self.len.min(begin + self.chunks.wanted(number) * CHUNK);
        let bytes = wait(Action::Read, &self.at, self.object.get(begin..end))?;
        Ok(self.chunks.keep(number, &bytes))
    }
}

impl Blob for CloudBlob {
    fn at(&self) -> &Location {
        &self.at
    }

    fn identity(&self) -> Option<Identity> {
        Some(self.identity)
    }

    fn len(&self) -> u64 {
        self.len
    }

    fn grain(&self) -> usize {
        GRAIN
    }

    fn read_at(&self, offset: u64, mut out: &mut [u8]) -> Result<(), FileError> {
        let wanted = out.len();
        if offset.checked_add(wanted as u64).is_none_or(|end| end > self.len) {
            let what = format!("it ends before the {wanted} bytes from {offset} on do");
            let error = io::Error::new(io::ErrorKind::UnexpectedEof, what);
            return Err(FileError::new(Action::Read, &self.at)(error));
        }
        // Shorter reads come from chunks, which are kept for their neighbours.
        if wanted as u64 > CHUNK {
            return wait(Action::Read, &self.at, self.object.fill(offset, out));
        }
        let mut at = offset;
        while !out.is_empty() {
            let chunk = self.chunk(at / CHUNK)?;
            let rest = usize::try_from(at % CHUNK).ok().and_then(|skip| chunk.get(skip..));
            let rest = rest.unwrap_or_default();
            let len = rest.len().min(out.len());
            let (now, later) = out.split_at_mut(len);
            now.copy_from_slice(rest.get(..len).unwrap_or_default());
            (at, out) = (at + len as u64, later);
        }
        Ok(())
    }
}
