//! A file under another name for a while, for whoever looks for it by that.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};
use std::process;

use super::{Action, FileError, Location};

/// A link in a folder of its own; both are gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Linked {
    folder: PathBuf,
    link: PathBuf,
}

impl Linked {
    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Lets `target` be called `name` in a folder that nobody else can write into.
pub(crate) fn linked(name: &str, target: &Location) -> Result<Linked, FileError> {
    let number = RandomState::new().hash_one(process::id());
    let folder = std::env::temp_dir().join(format!("ckptmap-{number:016x}"));
    // One that is there is somebody else's, and an error.
    fs::DirBuilder::new().mode(0o700).create(&folder).map_err(|error| refused(&folder, error))?;
    let linked = Linked { link: folder.join(name), folder };
    symlink(target.absolute().path(), &linked.link)
        .map_err(|error| refused(&linked.link, error))?;
    Ok(linked)
}

fn refused(at: &Path, error: io::Error) -> FileError {
    FileError::new(Action::Create, &Location::from(at))(error)
}

impl Drop for Linked {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.link);
        let _ = fs::remove_dir(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_there_for_a_while() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "x").unwrap();
        let linked = linked("other", &Location::from(file.as_path())).unwrap();
        let folder = linked.folder().to_owned();
        assert_eq!(fs::read(folder.join("other")).unwrap(), b"x");
        drop(linked);
        assert!(!folder.exists() && file.exists());
    }
}
