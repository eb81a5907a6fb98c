//! Names as the file system sees them: whatever was typed, and however many links lead there.

use std::ffi::OsString;
use std::fs;
use std::io;

use super::local::{identity, is_absence, links};
use super::{Action, FileError, Identity, Location};

/// A file under one of its names, symbolic links followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The file; `None` where the system cannot tell.
    file: Option<Identity>,
    /// How many names it has.
    links: u64,
    /// `None` where it cannot be told.
    directory: Option<Identity>,
    name: OsString,
}

impl Entry {
    /// The file that `at` leads to; `None` where there is none.
    pub fn of(at: &Location) -> Result<Option<Self>, FileError> {
        match find(at) {
            Ok(found) => Ok(Some(found)),
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(FileError::new(Action::Look, at)(error)),
        }
    }

    /// Whether both are one file.
    pub fn is_same_file(&self, other: &Self) -> bool {
        self.file.is_some() && self.file == other.file
    }

    /// Whether both are one name of one file: taking it away from one takes it from the other.
    pub fn is_same_name(&self, other: &Self) -> bool {
        let unknown = self.directory.is_none() || other.directory.is_none();
        let named_alike = self.directory == other.directory && self.name == other.name;
        self.is_same_file(other) && (self.links <= 1 || unknown || named_alike)
    }
}

fn find(at: &Location) -> io::Result<Entry> {
    let real = fs::canonicalize(at.path())?;
    let found = fs::metadata(&real)?;
    let directory = real.parent().and_then(|directory| fs::metadata(directory).ok());
    Ok(Entry {
        file: identity(&found),
        links: links(&found),
        directory: directory.as_ref().and_then(identity),
        name: real.file_name().unwrap_or_default().to_owned(),
    })
}

/// These files, as far as they exist.
pub fn entries(files: &[Location]) -> Result<Vec<Entry>, FileError> {
    files.iter().filter_map(|at| Entry::of(at).transpose()).collect()
}
