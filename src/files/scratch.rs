//! Files that are being written: hidden, locked by whoever writes them, gone unless published.
//!
//! A scratch file stands in its destination's own directory, because only there can a rename put
//! it in place at once. Its lock dies with its owner, so one whose lock can be taken was left
//! behind by a run that was killed. On file systems without locks nothing is ever taken for
//! abandoned.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process;

use super::local::identity;
use super::{Action, Blob, Directory, FileError, Location, Share, Staged, blob, share};

/// How the names of all scratch files begin.
pub(super) const START: &str = ".ckptmap-";

/// How they end.
pub(super) const END: &str = ".scratch";

/// Names tried before it is somebody's intention that none works.
const ATTEMPTS: usize = 16;

/// Whether a file was named by [`Scratch::create`].
pub(super) fn is_scratch(name: &str) -> bool {
    name.starts_with(START) && name.ends_with(END)
}

/// Whether nobody holds the lock of the scratch file at `path`.
pub(super) fn is_abandoned(path: &Path) -> bool {
    take(path).is_ok_and(|file| file.is_some())
}

/// Removes a scratch file whose owner is gone; one that is in use is an error.
pub(super) fn remove_abandoned(path: &Path) -> io::Result<()> {
    match take(path)? {
        // Still locked here, so that an owner who has just made the file and not locked it yet
        // notices.
        Some(_locked) => fs::remove_file(path),
        None => Err(io::Error::new(ErrorKind::ResourceBusy, "another process is writing it")),
    }
}

/// Opens and locks a scratch file; `None` where somebody else has the lock.
fn take(path: &Path) -> io::Result<Option<File>> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"));
    }
    // For writing, because network file systems lock nothing exclusively otherwise. A link to a
    // file that nobody may write into can be locked elsewhere all the same.
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if is_protected(&error) => File::open(path)?,
        opened => opened?,
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

pub(super) fn is_protected(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
}

/// A file that nobody sees yet.
#[derive(Debug)]
pub(super) struct Scratch {
    /// What it will be published beside; what messages call it.
    near: Location,
    path: PathBuf,
    file: File,
    published: bool,
    /// Dropped after the file is gone, or the directories would not be empty.
    _directory: Directory,
}

impl Scratch {
    /// Makes and locks a file in `near`'s directory.
    pub(super) fn create(near: &Location, directory: Directory) -> Result<Self, FileError> {
        let claimed = claim(near.parent().path(), |path| {
            let file = OpenOptions::new().write(true).create_new(true).open(path)?;
            let locked = file.try_lock();
            Ok((file, locked))
        });
        let claimed = claimed.map_err(FileError::new(Action::Create, near))?;
        Ok(Self::of(near, directory, claimed))
    }

    /// Makes another name for `blob`'s file, or a file with the same blocks, in `near`'s directory.
    pub(super) fn share(
        near: &Location,
        directory: Directory,
        blob: &dyn Blob,
        how: Share,
    ) -> io::Result<Self> {
        let claimed = match how {
            Share::Link => {
                // A link to a symbolic link would not be one to the file.
                let real = fs::canonicalize(blob.at().path())?;
                share::may_be_moved(&real, near.parent().path())?;
                let mut patience = ATTEMPTS / 2;
                claim(near.parent().path(), |path| {
                    fs::hard_link(&real, path)?;
                    let file = share::same(File::open(path), blob).inspect_err(|_| {
                        let _ = fs::remove_file(path);
                    })?;
                    // Others may link the same file at the same time. Whoever locks it for long
                    // is none of us, and cannot take the link for abandoned.
                    let locked = match file.try_lock_shared() {
                        Err(TryLockError::WouldBlock) if patience == 0 => Ok(()),
                        locked => locked,
                    };
                    patience = patience.saturating_sub(1);
                    Ok((file, locked))
                })?
            }
            Share::Server => {
                let why = "no server makes copies on this machine";
                return Err(io::Error::new(ErrorKind::Unsupported, why));
            }
            Share::Reflink => {
                let from = share::same(File::open(blob.at().path()), blob)?;
                claim(near.parent().path(), |path| {
                    let file = share::reflink(&from, path)?;
                    let locked = file.try_lock();
                    Ok((file, locked))
                })?
            }
        };
        Ok(Self::of(near, directory, claimed))
    }

    fn of(near: &Location, directory: Directory, (path, file): (PathBuf, File)) -> Self {
        Self { near: near.clone(), path, file, published: false, _directory: directory }
    }
}

/// A new name of our own in `directory`, for a file that `make` makes and locks if the file system
/// can.
fn claim(
    directory: &Path,
    mut make: impl FnMut(&Path) -> io::Result<(File, Result<(), TryLockError>)>,
) -> io::Result<(PathBuf, File)> {
    let mut refused = ErrorKind::AlreadyExists;
    for _ in 0..ATTEMPTS {
        let random = RandomState::new().hash_one(process::id());
        let path = directory.join(format!("{START}{}-{random:016x}{END}", process::id()));
        let (file, locked) = match make(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            made => made?,
        };
        match locked {
            Ok(()) if is_still(&path, &file) => return Ok((path, file)),
            Err(TryLockError::Error(_)) => return Ok((path, file)),
            // Another run took it for abandoned before it was locked, and removes it; or nobody
            // can tell, and then it must not stay.
            Ok(()) | Err(TryLockError::WouldBlock) => {
                let _ = fs::remove_file(&path);
                refused = ErrorKind::ResourceBusy;
            }
        }
    }
    Err(refused.into())
}

/// Whether `path` still names `file`. Where files have no numbers it is enough that one is there:
/// nobody else gives one this name.
fn is_still(path: &Path, file: &File) -> bool {
    match (fs::symlink_metadata(path), file.metadata()) {
        (Ok(there), Ok(ours)) => identity(&there) == identity(&ours),
        _ => false,
    }
}

impl Staged for Scratch {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), FileError> {
        let written = blob::write_all_at(&self.file, offset, bytes);
        written.map_err(FileError::new(Action::Write, &self.near))
    }

    fn sync(&self) -> Result<(), FileError> {
        self.file.sync_all().map_err(FileError::new(Action::Sync, &self.near))
    }

    fn publish(mut self: Box<Self>, to: &Location) -> Result<(), FileError> {
        fs::rename(&self.path, to.path()).map_err(FileError::new(Action::Rename, to))?;
        self.published = true;
        Ok(())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.published {
            // Nobody is left to tell; a later run finds it abandoned.
            let _ = fs::remove_file(&self.path);
        }
    }
}
