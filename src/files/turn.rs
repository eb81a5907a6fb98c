//! Taking turns at a directory.

use std::fs::File;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Threads of one process take turns even where the file system has no locks.
static THREADS: Mutex<()> = Mutex::new(());

/// While it lives, nobody else who asks for a turn gets one.
#[derive(Debug)]
#[must_use = "dropped at once, it protects nothing"]
pub struct Turn {
    /// A lock on the directory itself, so that it needs no file and dies with its owner; `None`
    /// where there is no such thing.
    _lock: Option<File>,
    _threads: MutexGuard<'static, ()>,
}

impl Turn {
    /// Waits for a turn at `directory`.
    pub(super) fn take(directory: &Path) -> Self {
        let threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        let lock = File::open(directory).and_then(|file| file.lock().map(|()| file));
        Self { _lock: lock.ok(), _threads: threads }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_second_waits() {
        let directory = tempfile::tempdir().unwrap();
        let other = File::open(directory.path()).unwrap();
        let turn = Turn::take(directory.path());
        assert!(other.try_lock().is_err());
        drop(turn);
        other.try_lock().unwrap();
    }
}
