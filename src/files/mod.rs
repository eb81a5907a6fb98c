//! Where bytes live: the only user of the file system, and of what speaks to buckets.
//!
//! Everything above names files by [`Location`] and reaches them through a [`Store`]; it knows
//! nothing of directories, descriptors or locks.

mod blob;
mod claim;
#[cfg(feature = "cloud")]
mod cloud;
mod directory;
mod entry;
mod error;
#[cfg(all(unix, feature = "tensorflow"))]
mod hush;
#[cfg(all(unix, feature = "tensorflow"))]
mod linked;
mod local;
mod location;
mod map;
mod scratch;
mod share;
#[cfg(feature = "cloud")]
mod spool;
mod turn;
mod url;
#[cfg(not(feature = "cloud"))]
mod without;

use std::fmt;
use std::io::ErrorKind;
use std::sync::Arc;

pub use claim::Claim;
pub use directory::Directory;
pub use entry::{Entry, entries, lies_below, real_directory};
pub use error::{Action, FileError};
pub use local::Local;
pub use location::Location;
pub use map::Mapped;
pub use share::{Share, Shared};
pub use turn::Turn;
pub use url::Url;
#[cfg(all(unix, feature = "tensorflow"))]
pub(crate) use {hush::Hush, linked::linked};

/// A file that is read.
pub trait Blob: Send + Sync + fmt::Debug {
    /// What it was opened as.
    fn at(&self) -> &Location;

    /// Which file it is, whatever has its name by now; `None` where the store cannot tell.
    fn identity(&self) -> Option<Identity>;

    /// Its length in bytes when it was opened.
    fn len(&self) -> u64;

    /// Whether it holds nothing.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `out` from `offset` on; a file that ends before is an error.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<(), FileError>;

    /// Bytes that are best read at a time, where there is a choice. With what else there is, these
    /// fit into a processor's cache.
    fn grain(&self) -> usize {
        512 << 10
    }
}

/// A file that is being written and that nobody sees before [`publish`](Staged::publish); dropped
/// earlier, it leaves nothing behind.
pub trait Staged: Send + Sync + fmt::Debug {
    /// Writes all of `bytes` from `offset` on; any number of threads may do so at once.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), FileError>;

    /// Makes the content survive a loss of power.
    fn sync(&self) -> Result<(), FileError>;

    /// Gives the file its name, replacing at once whatever had it.
    fn publish(self: Box<Self>, to: &Location) -> Result<(), FileError>;
}

/// What makes two names the same file, whatever they look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The file system.
    pub device: u64,
    /// The file in it.
    pub inode: u64,
}

/// What stands at a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// A directory rather than a file.
    pub is_dir: bool,
    /// Length of a file; 0 for a directory.
    pub len: u64,
    /// Which file it is; `None` where the store cannot tell.
    pub identity: Option<Identity>,
    /// How many names the file has, as far as the store can tell.
    pub links: u64,
    /// Another number after the content was written again, as far as the store can tell.
    pub version: Option<u64>,
}

/// A place that holds files.
pub trait Store: Send + Sync + fmt::Debug {
    /// What stands at `at`, links followed; `None` for nothing.
    fn status(&self, at: &Location) -> Result<Option<Status>, FileError>;

    /// Opens a file for reading.
    fn open(&self, at: &Location) -> Result<Arc<dyn Blob>, FileError>;

    /// Makes a whole file's bytes readable as memory.
    fn map(&self, at: &Location) -> Result<Mapped, FileError>;

    /// What stands in `prefix`'s directory under names that begin with `prefix`'s last component,
    /// sorted: files, directories, and links wherever they lead. All of it where `prefix` is
    /// [directory-like](Location::is_directory_like); nothing where there is no such directory.
    fn list(&self, prefix: &Location) -> Result<Vec<Location>, FileError>;

    /// Makes `at`'s directory and those above it where they are missing, for as long as something
    /// comes to stand in them.
    fn directory(&self, at: &Location) -> Result<Directory, FileError>;

    /// Begins a file that will be published beside `near`; its directory is made if need be.
    fn stage(&self, near: &Location) -> Result<Box<dyn Staged>, FileError>;

    /// Begins a file that is `blob` under another name, or has the same bytes without a copy of
    /// them, and that will be published beside `near`.
    fn share(&self, blob: &dyn Blob, near: &Location, how: Share) -> Result<Shared, FileError>;

    /// Makes names given and taken away in `at`'s directory survive a loss of power.
    fn settle(&self, at: &Location) -> Result<(), FileError>;

    /// The turn to give and take names in `at`'s directory, unless somebody else has it, as far as
    /// the store can tell.
    fn turn(&self, at: &Location) -> Option<Turn>;

    /// The sole right to make what is to stand at `at`, unless somebody else has it, as far as the
    /// store can tell.
    fn claim(&self, at: &Location) -> Result<Option<Claim>, FileError>;

    /// Takes a file away; one that is not there is no error, one that is staged by somebody alive
    /// is.
    fn remove(&self, at: &Location) -> Result<(), FileError>;

    /// Files that earlier runs staged beside `near` and never published, because they were
    /// killed: their owners are gone.
    fn abandoned(&self, near: &Location) -> Result<Vec<Location>, FileError>;
}

/// The store that holds `at`.
pub fn store(at: &Location) -> &'static dyn Store {
    match at {
        Location::Local(_) => &Local,
        #[cfg(feature = "cloud")]
        Location::Bucket(_) => &cloud::Buckets,
        #[cfg(not(feature = "cloud"))]
        Location::Bucket(_) => &without::WithoutBuckets,
    }
}

/// A stretch of a file that holds one tensor in storage form.
#[derive(Debug, Clone)]
pub struct Extent {
    /// The file.
    pub blob: Arc<dyn Blob>,
    /// First byte.
    pub offset: u64,
    /// Number of bytes.
    pub len: u64,
}

/// Writes a whole small file; whoever opens it finds the old one or the new one.
pub fn write_all(at: &Location, bytes: &[u8]) -> Result<(), FileError> {
    let staged = store(at).stage(at)?;
    staged.write_at(0, bytes)?;
    staged.publish(at)
}

/// Reads a whole small file; `limit` says how small.
pub fn read_all(at: &Location, limit: u64) -> Result<Vec<u8>, FileError> {
    let blob = store(at).open(at)?;
    let len = blob.len();
    let size = usize::try_from(len).ok().filter(|_| len <= limit);
    let Some(size) = size else {
        return Err(FileError::too_large(at, len, limit));
    };
    let mut bytes = Vec::new();
    let no_room = |_| FileError::new(Action::Read, at)(ErrorKind::OutOfMemory.into());
    bytes.try_reserve_exact(size).map_err(no_room)?;
    bytes.resize(size, 0);
    blob.read_at(0, &mut bytes)?;
    Ok(bytes)
}
