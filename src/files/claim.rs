//! Work that one process does and others leave to it.
//!
//! A claim is a scratch file with a name that follows from what is claimed, locked by whoever has
//! it. The lock dies with its owner, so nothing that a killed run claimed stays claimed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::local::is_one;
use super::{Action, Directory, FileError, Location, scratch};
use crate::digest::sha256;

/// Files that were locked just as their owner removed them.
const ATTEMPTS: usize = 16;

/// While it lives, nobody else gets the same one.
#[derive(Debug)]
#[must_use = "dropped at once, it protects nothing"]
pub struct Claim {
    /// `None` where there are no locks at all.
    path: Option<PathBuf>,
    /// `None` where the file system has none: then nobody is kept from anything.
    _lock: Option<File>,
    /// Dropped after the file is gone, or it would not be empty.
    _directory: Directory,
}

impl Claim {
    /// Claims what is to stand at `at`, unless somebody has it.
    pub(super) fn take(at: &Location, directory: Directory) -> Result<Option<Self>, FileError> {
        let name = sha256(at.name().as_bytes());
        let name = format!("{}claim-{name:.16}{}", scratch::START, scratch::END);
        let path = at.parent().path().join(name);
        Ok(match lock(&path).map_err(FileError::new(Action::Create, at))? {
            Lock::Elsewhere => None,
            Lock::Ours(file) => Some(Self::of(Some(path), Some(file), directory)),
            Lock::Unknown => Some(Self::of(Some(path), None, directory)),
        })
    }

    /// One that keeps nobody from anything.
    #[cfg(feature = "cloud")]
    pub(super) fn without_locks() -> Self {
        Self::of(None, None, Directory::default())
    }

    fn of(path: Option<PathBuf>, lock: Option<File>, directory: Directory) -> Self {
        Self { path, _lock: lock, _directory: directory }
    }
}

/// What came of an attempt to lock a file.
enum Lock {
    Ours(File),
    Elsewhere,
    /// The file system has no locks.
    Unknown,
}

/// Locks the file at `path`, which is made if need be.
fn lock(path: &Path) -> io::Result<Lock> {
    for _ in 0..ATTEMPTS {
        let file = match fs::symlink_metadata(path) {
            Ok(found) if !found.is_file() => {
                let what = format!("`{}` is no file of ours", path.display());
                return Err(io::Error::new(ErrorKind::InvalidInput, what));
            }
            // Somebody else's can be locked all the same.
            Ok(_) => match OpenOptions::new().write(true).open(path) {
                Err(error) if scratch::is_protected(&error) => File::open(path),
                opened => opened,
            },
            Err(_) => OpenOptions::new().create_new(true).write(true).open(path),
        };
        let file = match file {
            // It came or went in between.
            Err(error)
                if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) =>
            {
                if path.parent().is_some_and(|directory| !directory.exists()) {
                    return Err(error);
                }
                continue;
            }
            file => file?,
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Lock::Elsewhere),
            Err(TryLockError::Error(_)) => return Ok(Lock::Unknown),
        }
        // Its last owner may have removed it in between: then it is a lock on nothing.
        match fs::metadata(path) {
            Ok(found) if is_one(&found, &file.metadata()?) => {
                return Ok(Lock::Ours(file));
            }
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(Lock::Elsewhere)
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Still locked, so that whoever opened it meanwhile notices.
        let _ = self.path.as_ref().map(fs::remove_file);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::files::store;

    #[test]
    fn there_is_one_claim_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let at = Location::from(dir.path().join("new/ckpt-1").as_path());
        let claim = || store(&at).claim(&at).unwrap();
        let first = claim().unwrap();
        assert!(claim().is_none());
        assert!(store(&at).claim(&at.with_suffix("0")).unwrap().is_some());
        assert_eq!(store(&at).abandoned(&at).unwrap(), []);
        drop(first);
        assert!(claim().is_some());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_no_claim() {
        let dir = tempfile::tempdir().unwrap();
        let at = Location::from(dir.path().join("ckpt-1").as_path());
        let claim = store(&at).claim(&at).unwrap().unwrap();
        let path = claim.path.clone().unwrap();
        drop(claim);
        std::os::unix::fs::symlink("elsewhere", &path).unwrap();
        let error = store(&at).claim(&at).unwrap_err();
        assert!(error.source.to_string().ends_with("is no file of ours"), "{error:?}");
        assert!(!dir.path().join("elsewhere").exists());
    }

    #[test]
    fn a_directory_may_go_in_between() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for number in 0..4 {
                let at = Location::from(dir.path().join(format!("new/ckpt-{number}")).as_path());
                scope.spawn(move || {
                    for _ in 0..300 {
                        drop(store(&at).claim(&at).unwrap());
                    }
                });
            }
        });
    }

    #[test]
    fn many_never_have_the_same_one() {
        let dir = tempfile::tempdir().unwrap();
        let at = Location::from(dir.path().join("ckpt-1").as_path());
        let (inside, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while taken.load(Ordering::SeqCst) < 200 {
                        let Some(_claim) = store(&at).claim(&at).unwrap() else { continue };
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        taken.fetch_add(1, Ordering::SeqCst);
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
    }
}
