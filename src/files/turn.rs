//! Taking turns at a directory.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Directories whose turn a thread of this process has: threads take turns even where the file
/// system has no locks.
static TAKEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// While it lives, nobody else who asks for a turn gets one.
#[derive(Debug)]
#[must_use = "dropped at once, it protects nothing"]
pub struct Turn {
    directory: PathBuf,
    /// A lock on the directory itself, so that it needs no file and dies with its owner; `None`
    /// where there is no such thing.
    lock: Option<File>,
}

impl Turn {
    /// Takes the turn at `directory`, unless somebody has it.
    pub(super) fn take(directory: &Path) -> Option<Self> {
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
        // From here on dropping gives the turn back.
        let mut turn = Self::among_threads(&directory)?;
        if let Ok(file) = File::open(&turn.directory) {
            match file.try_lock() {
                Ok(()) => turn.lock = Some(file),
                Err(TryLockError::WouldBlock) => return None,
                // There are file systems without locks.
                Err(TryLockError::Error(_)) => {}
            }
        }
        Some(turn)
    }

    /// Takes the turn at a directory that has no locks: only this process heeds it.
    pub(super) fn among_threads(directory: &Path) -> Option<Self> {
        let directory = directory.to_owned();
        let is_free = taken().insert(directory.clone());
        // Not made where it is not free: it would give away somebody else's.
        is_free.then(|| Self { directory, lock: None })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        drop(self.lock.take());
        taken().remove(&self.directory);
    }
}

fn taken() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_turn_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let turn = Turn::take(directory.path()).unwrap();
        assert!(Turn::take(directory.path()).is_none());
        assert!(Turn::take(tempfile::tempdir().unwrap().path()).is_some());
        drop(turn);
        assert!(Turn::take(directory.path()).is_some());
    }

    #[cfg(unix)]
    #[test]
    fn other_processes_are_heeded() {
        let directory = tempfile::tempdir().unwrap();
        let other = File::open(directory.path()).unwrap();
        other.lock().unwrap();
        assert!(Turn::take(directory.path()).is_none());
        other.unlock().unwrap();
        let turn = Turn::take(directory.path()).unwrap();
        assert!(other.try_lock().is_err());
        drop(turn);
        other.try_lock().unwrap();
    }
}
