//! Names as the file system sees them: whatever was typed, and however many links lead there.

use std::ffi::OsString;
use std::fs::{self, Metadata};

use super::local::{identity, is_absence, links};
use super::{Action, FileError, Identity, Location};

/// A file under one of its names, symbolic links followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The file; `None` where the system cannot tell.
    file: Option<Identity>,
    /// How many names it has.
    links: u64,
    directory: Option<Identity>,
    name: OsString,
}

impl Entry {
    /// The file that `at` leads to; `None` where there is none.
    pub fn of(at: &Location) -> Result<Option<Self>, FileError> {
        let real = match fs::canonicalize(at.path()) {
            Err(error) if is_absence(&error) => return Ok(None),
            real => Location::from(real.map_err(FileError::new(Action::Look, at))?.as_path()),
        };
        let found = look(at, &real)?;
        let directory = real.parent();
        Ok(Some(Self {
            file: identity(&found),
            links: links(&found),
            directory: identity(&look(&directory, &directory)?),
            name: real.path().file_name().unwrap_or_default().to_owned(),
        }))
    }

    /// Whether both are one file.
    pub fn is_same_file(&self, other: &Self) -> bool {
        self.file.is_some() && self.file == other.file
    }

    /// Whether both are one name of one file: taking it away from one takes it from the other.
    pub fn is_same_name(&self, other: &Self) -> bool {
        let named_alike = || self.directory == other.directory && self.name == other.name;
        self.is_same_file(other) && (self.links <= 1 || named_alike())
    }
}

/// What stands at `real`, which messages call `at`.
fn look(at: &Location, real: &Location) -> Result<Metadata, FileError> {
    fs::metadata(real.path()).map_err(FileError::new(Action::Look, at))
}

/// These files, as far as they exist.
pub fn entries(files: &[Location]) -> Result<Vec<Entry>, FileError> {
    files.iter().filter_map(|at| Entry::of(at).transpose()).collect()
}
