//! Files of this machine: the store behind [`Location::Local`].
//!
//! Links are followed where files are read and never where they are written: a link that has the
//! name of a file to be published is replaced, and what it leads to stays as it is. It may be a
//! content store's object, or the very source.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::blob::{LocalBlob, regular};
use super::scratch::{self, Scratch};
use super::{
    Action, Blob, Claim, Directory, FileError, Identity, Location, Mapped, Share, Shared, Staged,
    Status, Store, Turn, share,
};

/// Directories that are removed just as something is to stand in them.
const ATTEMPTS: usize = 16;

/// The local file system.
#[derive(Debug, Clone, Copy)]
pub struct Local;

impl Store for Local {
    fn status(&self, at: &Location) -> Result<Option<Status>, FileError> {
        match fs::metadata(at.path()) {
            Ok(found) => Ok(Some(Status {
                is_dir: found.is_dir(),
                len: if found.is_dir() { 0 } else { found.len() },
                identity: identity(&found),
                links: links(&found),
                version: version(&found),
            })),
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(FileError::new(Action::Look, at)(error)),
        }
    }

    fn open(&self, at: &Location) -> Result<Arc<dyn Blob>, FileError> {
        Ok(Arc::new(LocalBlob::open(at)?))
    }

    fn map(&self, at: &Location) -> Result<Mapped, FileError> {
        regular(at).and_then(|file| Mapped::new(&file)).map_err(FileError::new(Action::Open, at))
    }

    fn list(&self, prefix: &Location) -> Result<Vec<Location>, FileError> {
        let (directory, start) = split(prefix);
        match names(directory, start) {
            Ok(mut found) => {
                found.sort();
                Ok(found)
            }
            Err(error) if is_absence(&error) => Ok(Vec::new()),
            Err(error) => Err(FileError::new(Action::List, prefix)(error)),
        }
    }

    fn directory(&self, at: &Location) -> Result<Directory, FileError> {
        let mut made = Directory::default();
        let directory = at.parent();
        let missing: Vec<&Path> = directory
            .path()
            .ancestors()
            .take_while(|path| !path.as_os_str().is_empty() && !path.exists())
            .collect();
        for path in missing.into_iter().rev() {
            match fs::create_dir(path) {
                Ok(()) => {
                    made.push(path.to_owned());
                    // A file in it is only as safe as it is itself.
                    let above = Location::from(path);
                    self.settle(&above)?;
                }
                // Somebody else was faster, or it is a link that leads nowhere: staging will tell.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(FileError::new(Action::MakeDirectory, &Location::from(path))(
                        error,
                    ));
                }
            }
        }
        Ok(made)
    }

    fn stage(&self, near: &Location) -> Result<Box<dyn Staged>, FileError> {
        let directory = self.directory(near)?;
        Ok(Box::new(Scratch::create(near, directory)?))
    }

    fn share(&self, blob: &dyn Blob, near: &Location, how: Share) -> Result<Shared, FileError> {
        let directory = self.directory(near)?;
        match Scratch::share(near, directory, blob, how) {
            Ok(shared) => Ok(Shared::Staged(Box::new(shared))),
            Err(error) => {
                let refused = share::is_refusal(&error);
                let error = FileError::new(how.action(), blob.at())(error);
                if refused { Ok(Shared::Refused(error)) } else { Err(error) }
            }
        }
    }

    fn settle(&self, at: &Location) -> Result<(), FileError> {
        let directory = at.parent();
        settle(directory.path()).map_err(FileError::new(Action::Sync, &directory))
    }

    fn turn(&self, at: &Location) -> Option<Turn> {
        Turn::take(at.parent().path())
    }

    fn claim(&self, at: &Location) -> Result<Option<Claim>, FileError> {
        for _ in 0..ATTEMPTS {
            match Claim::take(at, self.directory(at)?) {
                // Somebody else was the last in the directory, and has just removed it.
                Err(error) if error.source.kind() == ErrorKind::NotFound => {}
                taken => return taken,
            }
        }
        Claim::take(at, self.directory(at)?)
    }

    fn remove(&self, at: &Location) -> Result<(), FileError> {
        let removed = if scratch::is_scratch(&at.name()) {
            scratch::remove_abandoned(at.path())
        } else {
            fs::remove_file(at.path())
        };
        match removed {
            Err(error) if !is_absence(&error) => Err(FileError::new(Action::Remove, at)(error)),
            _ => Ok(()),
        }
    }

    fn abandoned(&self, near: &Location) -> Result<Vec<Location>, FileError> {
        let directory = split(near).0;
        let mut found = self.list(&Location::Local(directory.join(scratch::START)))?;
        found.retain(|at| scratch::is_scratch(&at.name()) && scratch::is_abandoned(at.path()));
        Ok(found)
    }
}

/// The directory a location's files stand in, as it was typed and so possibly empty, and the
/// start of their names.
fn split(prefix: &Location) -> (&Path, &[u8]) {
    let path = prefix.path();
    if prefix.is_directory_like() {
        return (path, b"");
    }
    let start = path.file_name().unwrap_or_default().as_encoded_bytes();
    (path.parent().unwrap_or(Path::new("")), start)
}

/// What stands in `directory` under names that begin with `start`.
fn names(directory: &Path, start: &[u8]) -> io::Result<Vec<Location>> {
    let looked_at = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let mut found = Vec::new();
    for entry in fs::read_dir(looked_at)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let name = entry.file_name();
        let fits = name.as_encoded_bytes().starts_with(start);
        if fits && (kind.is_file() || kind.is_dir() || kind.is_symlink()) {
            found.push(Location::Local(directory.join(name)));
        }
    }
    Ok(found)
}

/// Whether an error only says that nothing is there.
pub(super) fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(unix)]
fn settle(directory: &Path) -> io::Result<()> {
    match fs::File::open(directory)?.sync_all() {
        // File systems that keep no such promise say so, and nothing better can be done on them.
        Err(e) if matches!(e.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        result => result,
    }
}

/// Other systems cannot open directories; their journals keep names in order.
#[cfg(not(unix))]
fn settle(_directory: &Path) -> io::Result<()> {
    Ok(())
}

/// The time of the last change, in nanoseconds since 1970.
fn version(found: &Metadata) -> Option<u64> {
    let since = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok()
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there is nothing to wrap")]
pub(super) fn identity(found: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    Some(Identity { device: found.dev(), inode: found.ino() })
}

#[cfg(not(unix))]
pub(super) fn identity(_found: &Metadata) -> Option<Identity> {
    None
}

/// Whether both are of one file. Where files have no numbers, one that is as long and was written at
/// the same instant passes for it.
pub(super) fn is_one(one: &Metadata, other: &Metadata) -> bool {
    match (identity(one), identity(other)) {
        (Some(one), Some(other)) => one == other,
        _ => looks_like(one, other),
    }
}

fn looks_like(one: &Metadata, other: &Metadata) -> bool {
    (one.len(), version(one)) == (other.len(), version(other))
}

#[cfg(unix)]
pub(super) fn links(found: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(found)
}

#[cfg(not(unix))]
pub(super) fn links(_found: &Metadata) -> u64 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::read_all;

    fn names_in(directory: &Location) -> Vec<String> {
        Local.list(&directory.join("")).unwrap().iter().map(Location::name).collect()
    }

    fn fresh() -> (tempfile::TempDir, Location) {
        let directory = tempfile::tempdir().unwrap();
        let at = Location::from(directory.path());
        (directory, at)
    }

    fn write(at: &Location, bytes: &[u8]) {
        let staged = Local.stage(at).unwrap();
        staged.write_at(0, bytes).unwrap();
        staged.sync().unwrap();
        staged.publish(at).unwrap();
    }

    #[test]
    fn nothing_is_seen_before_it_is_published() {
        let (_guard, directory) = fresh();
        let at = directory.join("a/b/model.index");
        let staged = Local.stage(&at).unwrap();
        staged.write_at(1, b"ew").unwrap();
        staged.write_at(0, b"n").unwrap();
        assert_eq!(Local.status(&at).unwrap(), None);
        staged.publish(&at).unwrap();
        assert_eq!(read_all(&at, 3).unwrap(), b"new");
        assert!(read_all(&at, 2).is_err());
        assert_eq!(names_in(&directory.join("a/b")), ["model.index"]);
    }

    #[test]
    fn what_is_not_published_leaves_no_trace() {
        let (_guard, directory) = fresh();
        let staged = Local.stage(&directory.join("a/b/model.index")).unwrap();
        staged.write_at(0, &vec![7; 1 << 20]).unwrap();
        drop(staged);
        assert_eq!(names_in(&directory), [""; 0]);
    }

    #[test]
    fn directories_stay_for_what_stands_in_them() {
        let (_guard, directory) = fresh();
        let made = Local.directory(&directory.join("a/b/c/model")).unwrap();
        write(&directory.join("a/other"), b"");
        drop(made);
        assert_eq!(names_in(&directory.join("a")), ["other"]);
    }

    #[test]
    fn lists_by_the_start_of_the_name() {
        let (_guard, directory) = fresh();
        for name in ["m.index", "m.data-00000-of-00001", "n.index", "m"] {
            write(&directory.join(name), b"");
        }
        let found = Local.list(&directory.join("m.")).unwrap();
        assert_eq!(found, [directory.join("m.data-00000-of-00001"), directory.join("m.index")]);
        assert_eq!(names_in(&directory).len(), 4);
        assert_eq!(Local.list(&directory.join("nowhere/m")).unwrap(), []);
    }

    #[test]
    fn only_scratch_without_an_owner_is_abandoned() {
        let (_guard, directory) = fresh();
        let near = directory.join("model.index");
        let alive = Local.stage(&near).unwrap();
        let dead = directory.join(".ckptmap-1-0123456789abcdef.scratch");
        fs::write(dead.path(), b"half").unwrap();
        assert_eq!(Local.abandoned(&near).unwrap(), std::slice::from_ref(&dead));
        let in_use = Local.list(&directory.join(scratch::START)).unwrap();
        assert_eq!(in_use.len(), 2);
        let refused: Vec<bool> = in_use.iter().map(|at| Local.remove(at).is_err()).collect();
        assert_eq!(refused.iter().filter(|&&refused| refused).count(), 1);
        alive.publish(&near).unwrap();
        assert_eq!(names_in(&directory), ["model.index"]);
    }

    #[test]
    fn reading_past_the_end_is_an_error() {
        let (_guard, directory) = fresh();
        let at = directory.join("model.index");
        write(&at, b"0123456789");
        let blob = Local.open(&at).unwrap();
        let mut out = [0; 4];
        blob.read_at(6, &mut out).unwrap();
        assert_eq!(&out, b"6789");
        let error = blob.read_at(7, &mut out).unwrap_err();
        assert_eq!(error.source.to_string(), "it ends before the 4 bytes from 7 on do");
        let error = Local.open(&directory).unwrap_err();
        assert_eq!(error.source.to_string(), "it is a directory");
        Local.remove(&at).unwrap();
        Local.remove(&at).unwrap();
    }

    #[test]
    fn a_file_written_at_another_time_does_not_look_like_the_one_before() {
        let (_guard, directory) = fresh();
        let (at, new) = (directory.join("claim"), directory.join("new"));
        let file = fs::File::create(at.path()).unwrap();
        let looks = |at: &Location| {
            looks_like(&fs::metadata(at.path()).unwrap(), &file.metadata().unwrap())
        };
        assert!(looks(&at));
        let written = file.metadata().unwrap().modified().unwrap();
        let other = fs::File::create(new.path()).unwrap();
        other.set_modified(written).unwrap();
        assert!(looks(&new));
        other.set_modified(written + std::time::Duration::from_secs(2)).unwrap();
        fs::rename(new.path(), at.path()).unwrap();
        assert!(!looks(&at));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_replaced_and_not_written_through() {
        let (_guard, directory) = fresh();
        let (object, link) = (directory.join("object"), directory.join("model.index"));
        write(&object, b"kept");
        std::os::unix::fs::symlink(object.path(), link.path()).unwrap();
        assert_eq!(Local.status(&link).unwrap(), Local.status(&object).unwrap());
        write(&link, b"new");
        assert_eq!(read_all(&object, 9).unwrap(), b"kept");
        assert_eq!(read_all(&link, 9).unwrap(), b"new");
    }
}
