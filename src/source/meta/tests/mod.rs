//! Files written by TensorFlow, files made here, and files that something happened to.

mod damage;
mod fixtures;
mod graphs;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::wire::Wire;
use crate::catalog::Catalog;
use crate::files::{Action, Blob, FileError, Identity, Location};
use crate::source::open;

/// A file in memory that counts what is read of it.
#[derive(Debug)]
struct Bytes {
    at: Location,
    content: Vec<u8>,
    read: AtomicU64,
}

impl Bytes {
    fn of(content: Vec<u8>) -> Self {
        Self { at: Location::Local("bytes".into()), content, read: AtomicU64::new(0) }
    }
}

impl Blob for Bytes {
    fn at(&self) -> &Location {
        &self.at
    }

    fn identity(&self) -> Option<Identity> {
        None
    }

    fn len(&self) -> u64 {
        self.content.len() as u64
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<(), FileError> {
        let start = usize::try_from(offset).unwrap();
        let bytes = self.content.get(start..start + out.len()).ok_or_else(|| {
            FileError::new(Action::Read, &self.at)(std::io::ErrorKind::UnexpectedEof.into())
        })?;
        self.read.fetch_add(out.len() as u64, Ordering::Relaxed);
        out.copy_from_slice(bytes);
        Ok(())
    }
}

/// These bytes as a file.
pub(super) fn wire(bytes: &[u8]) -> Wire {
    Wire::new(Arc::new(Bytes::of(bytes.to_vec())))
}

/// A field of a message.
pub(super) fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    prost::encoding::encode_varint(content.len() as u64, &mut bytes);
    bytes.extend_from_slice(content);
    bytes
}

/// A place among the fixtures.
fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

/// The graph of a fixture.
fn meta(name: &str) -> Vec<u8> {
    fs::read(testdata(name).join("model.ckpt.meta")).unwrap()
}

fn catalog(prefix: &Path) -> Catalog {
    open(&Location::from(prefix)).unwrap().catalog().clone()
}
