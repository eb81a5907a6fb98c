//! Who talks to a bucket.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use object_store::list::PaginatedListStore;
use object_store::path::Path;
use object_store::{Error, ObjectMeta, ObjectStore, ObjectStoreExt};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

use super::error::refused;
use super::settings;
use crate::files::{Action, FileError, Identity, Location, Status, Url};

/// Requests with data that are under way at a time, in all.
pub(super) static AT_A_TIME: Semaphore = Semaphore::const_new(8);

/// What can be asked of one bucket.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) objects: Arc<dyn ObjectStore>,
    /// Listing by the start of names; `None` where there is no such thing.
    pub(super) pages: Option<Pages>,
    /// Objects of more bytes cannot be copied by the server.
    pub(super) copy_limit: u64,
}

/// What lists by the start of names.
pub(super) struct Pages(pub(super) Arc<dyn PaginatedListStore>);

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pages")
    }
}

/// By the names of their buckets. A client keeps connections and credentials, so there is one only.
static CLIENTS: Mutex<BTreeMap<String, Arc<Client>>> = Mutex::new(BTreeMap::new());

fn clients() -> MutexGuard<'static, BTreeMap<String, Arc<Client>>> {
    CLIENTS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Client {
    /// The one for `at`'s bucket.
    pub(super) fn of(at: &Location) -> io::Result<Arc<Self>> {
        let Location::Bucket(url) = at else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is in no bucket"));
        };
        let mut clients = clients();
        if let Some(known) = clients.get(url.root()) {
            return Ok(Arc::clone(known));
        }
        let client = Arc::new(settings::connect(url)?);
        clients.insert(url.root().to_owned(), Arc::clone(&client));
        Ok(client)
    }

    /// Lets a client speak for a bucket that there is not.
    #[cfg(test)]
    pub(super) fn pretend(root: &str, client: Self) {
        clients().insert(root.to_owned(), Arc::new(client));
    }

    /// What stands at `at`.
    pub(super) async fn status(&self, at: &Location) -> Result<Option<Status>, Error> {
        if !at.is_directory_like() {
            match self.objects.head(&key(at)?).await {
                Ok(found) => return Ok(Some(status(at, &found))),
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let is_root = at.url().is_some_and(|url| url.key().is_empty());
        let is_dir = self.is_directory(at).await? || is_root;
        let directory = Status { is_dir, len: 0, identity: None, links: 1, version: None };
        Ok(is_dir.then_some(directory))
    }

    /// Takes an object away.
    pub(super) async fn remove(&self, at: &Location) -> Result<(), Error> {
        match self.objects.delete(&key(at)?).await {
            Err(Error::NotFound { .. }) => Ok(()),
            removed => removed,
        }
    }
}

fn status(at: &Location, found: &ObjectMeta) -> Status {
    let version = version(found);
    let identity = Some(Identity { device: hash(&at.to_string()), inode: version });
    Status { is_dir: false, len: found.size, identity, links: 1, version: Some(version) }
}

/// Another number for another content.
pub(super) fn version(found: &ObjectMeta) -> u64 {
    hash(found.e_tag.as_ref().unwrap_or(&found.last_modified.to_rfc3339()))
}

/// The name in its bucket as object stores have it.
pub(super) fn key(at: &Location) -> Result<Path, Error> {
    Ok(Path::parse(at.url().map_or("", Url::key))?)
}

/// FNV-1a: the same number with every version of the program.
pub(super) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Does the asking and waits for the answer.
pub(super) fn wait<T>(
    action: Action,
    at: &Location,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, FileError> {
    // Started with the first request, and kept for the last.
    static RUNTIME: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
        Builder::new_multi_thread().worker_threads(2).thread_name("buckets").enable_all().build()
    });
    match &*RUNTIME {
        Ok(runtime) => runtime.block_on(work).map_err(|error| refused(action, at, &error)),
        Err(error) => {
            Err(FileError::new(action, at)(io::Error::new(error.kind(), error.to_string())))
        }
    }
}
