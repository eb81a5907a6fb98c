//! Files that share their bytes with another one: a second name for it, or a file of its own whose
//! blocks are the other's until one of them is written to.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::local::identity;
use super::{Action, Blob, FileError, Location, Staged};

/// How a file gets its bytes without a copy of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// A hard link: what is written into one is written into the other. Replacing or removing one
    /// leaves the other as it is.
    Link,
    /// Shared blocks, copied when one of the two is written to: file systems such as XFS, Btrfs,
    /// bcachefs and APFS can.
    Reflink,
    /// A copy made inside the bucket, by the server: no byte comes to this machine.
    Server,
}

impl Share {
    /// What it comes to at a place: inside a bucket there is but one way.
    #[must_use]
    pub fn at(self, place: &Location) -> Self {
        if place.url().is_some() { Self::Server } else { self }
    }

    /// The word that `--json` shows.
    pub fn word(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Reflink => "reflink",
            Self::Server => "server",
        }
    }

    pub(super) fn action(self) -> Action {
        match self {
            Self::Link => Action::Link,
            Self::Reflink => Action::Reflink,
            Self::Server => Action::Copy,
        }
    }
}

/// What came of an attempt to share.
#[derive(Debug)]
pub enum Shared {
    /// The new file, which nobody sees yet.
    Staged(Box<dyn Staged>),
    /// It cannot be done here, which says nothing against copying.
    Refused(FileError),
}

/// The file that was opened, if it is the one that `blob` reads: its name may have been given to
/// another one since.
pub(super) fn same(opened: io::Result<File>, blob: &dyn Blob) -> io::Result<File> {
    let file = opened?;
    // What cannot be told is copied.
    let found = identity(&file.metadata()?).ok_or(ErrorKind::Unsupported)?;
    if Some(found) == blob.identity() {
        return Ok(file);
    }
    Err(io::Error::new(ErrorKind::StaleNetworkFileHandle, "another file has its name by now"))
}

/// Refuses a link that could be made and then neither be renamed nor removed: in a directory such as
/// `/tmp` only the owner of a file, or of the directory, may do that.
#[cfg(unix)]
pub(super) fn may_be_moved(file: &Path, directory: &Path) -> io::Result<()> {
    use std::fs::metadata;
    use std::os::unix::fs::MetadataExt;
    const STICKY: u32 = 0o1000;
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let (file, directory) = (metadata(file)?, metadata(directory)?);
    let user = rustix::process::geteuid();
    let may = user.is_root() || [file.uid(), directory.uid()].contains(&user.as_raw());
    if directory.mode() & STICKY == 0 || may {
        return Ok(());
    }
    let why = "the directory is sticky, and the file somebody else's";
    Err(io::Error::new(ErrorKind::PermissionDenied, why))
}

/// Elsewhere it cannot be told whether a link is one to the file that was read.
#[cfg(not(unix))]
pub(super) fn may_be_moved(_file: &Path, _directory: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Whether an error means that this file cannot be shared to that place, as opposed to something
/// that would fail a copy as well.
pub(super) fn is_refusal(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        // Another file system.
        ErrorKind::CrossesDevices
            // A file that others own (`fs.protected_hardlinks`), one that is immutable, or a file
            // system without links.
            | ErrorKind::PermissionDenied
            | ErrorKind::TooManyLinks
            | ErrorKind::Unsupported
            // What file systems without shared blocks answer, some of them with ENOTTY, which has
            // no kind.
            | ErrorKind::InvalidInput
    ) || is_no_such_request(error)
}

#[cfg(unix)]
fn is_no_such_request(error: &io::Error) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::NOTTY)
}

#[cfg(not(unix))]
fn is_no_such_request(_error: &io::Error) -> bool {
    false
}

/// Makes a file at `path`, where none may be, with the blocks of `from`.
#[cfg(target_os = "linux")]
pub(super) fn reflink(from: &File, path: &Path) -> io::Result<File> {
    let file = File::options().write(true).create_new(true).open(path)?;
    match rustix::fs::ioctl_ficlone(&file, from) {
        Ok(()) => Ok(file),
        Err(error) => {
            let _ = std::fs::remove_file(path);
            Err(error.into())
        }
    }
}

/// Makes a file at `path`, where none may be, with the blocks of `from`.
#[cfg(target_vendor = "apple")]
pub(super) fn reflink(from: &File, path: &Path) -> io::Result<File> {
    let flags = rustix::fs::CloneFlags::empty();
    rustix::fs::fclonefileat(from, rustix::fs::CWD, path, flags)?;
    File::options().write(true).open(path)
}

/// Other systems have no way that every file system answers to.
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub(super) fn reflink(_from: &File, _path: &Path) -> io::Result<File> {
    Err(ErrorKind::Unsupported.into())
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;

    use super::*;
    use crate::files::{read_all, store};

    fn shared(at: &Location, near: &Location, how: Share) -> Shared {
        store(at).share(store(at).open(at).unwrap().as_ref(), near, how).unwrap()
    }

    #[test]
    fn a_link_is_the_same_file_wherever_symbolic_links_lead() {
        let place = tempfile::tempdir().unwrap();
        let [file, link, new] = ["file", "link", "sub/new"].map(|name| place.path().join(name));
        fs::write(&file, b"content").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        let [file, link, new] = [file, link, new].map(|path| Location::from(path.as_path()));
        let Shared::Staged(staged) = shared(&link, &new, Share::Link) else {
            panic!("links are refused here");
        };
        assert_eq!(store(&new).status(&new).unwrap(), None);
        staged.sync().unwrap();
        staged.publish(&new).unwrap();
        let (one, other) = (store(&file).status(&file).unwrap(), store(&new).status(&new).unwrap());
        assert_eq!(one, other);
        assert_eq!(one.unwrap().links, 2);
        assert!(fs::symlink_metadata(new.path()).unwrap().is_file());
    }

    #[test]
    fn a_link_that_is_not_published_is_gone_and_the_file_is_not() {
        let place = tempfile::tempdir().unwrap();
        let file = Location::from(place.path().join("file").as_path());
        fs::write(file.path(), b"content").unwrap();
        drop(shared(&file, &file, Share::Link));
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
        assert_eq!(read_all(&file, 7).unwrap(), b"content");
    }

    #[test]
    fn a_link_in_use_is_not_abandoned_and_one_of_the_dead_is() {
        let place = tempfile::tempdir().unwrap();
        let file = Location::from(place.path().join("file").as_path());
        fs::write(file.path(), b"content").unwrap();
        let alive = shared(&file, &file, Share::Link);
        let again = shared(&file, &file, Share::Link);
        assert_eq!(store(&file).abandoned(&file).unwrap(), []);
        drop((alive, again));
        let dead = file.parent().join(".ckptmap-1-0123456789abcdef.scratch");
        fs::hard_link(file.path(), dead.path()).unwrap();
        assert_eq!(store(&file).abandoned(&file).unwrap(), std::slice::from_ref(&dead));
        store(&dead).remove(&dead).unwrap();
        assert_eq!(read_all(&file, 7).unwrap(), b"content");
    }

    #[test]
    fn a_file_that_somebody_locks_is_linked_all_the_same() {
        let place = tempfile::tempdir().unwrap();
        let file = Location::from(place.path().join("file").as_path());
        fs::write(file.path(), b"content").unwrap();
        let locked = File::open(file.path()).unwrap();
        locked.lock().unwrap();
        let link = shared(&file, &file, Share::Link);
        assert!(matches!(link, Shared::Staged(_)));
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_that_lost_its_name_is_not_taken_for_the_one_that_has_it() {
        let place = tempfile::tempdir().unwrap();
        let file = Location::from(place.path().join("file").as_path());
        fs::write(file.path(), b"content").unwrap();
        let blob = store(&file).open(&file).unwrap();
        fs::write(place.path().join("other"), b"other").unwrap();
        fs::rename(place.path().join("other"), file.path()).unwrap();
        for how in [Share::Link, Share::Reflink] {
            let error = store(&file).share(blob.as_ref(), &file, how).unwrap_err();
            assert_eq!(error.source.to_string(), "another file has its name by now");
        }
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn shared_blocks_or_a_refusal() {
        let place = tempfile::tempdir().unwrap();
        let file = Location::from(place.path().join("file").as_path());
        fs::write(file.path(), b"content").unwrap();
        let new = file.with_suffix("-new");
        match shared(&file, &new, Share::Reflink) {
            Shared::Staged(staged) => {
                staged.publish(&new).unwrap();
                assert_eq!(read_all(&new, 7).unwrap(), b"content");
            }
            Shared::Refused(_) => assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1),
        }
    }
}
