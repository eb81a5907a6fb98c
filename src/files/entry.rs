//! Names as the file system sees them: whatever was typed, and however many links lead there.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::path::PathBuf;

use super::local::{identity, is_absence, links};
use super::{Action, FileError, Identity, Location, store};

/// A file under one of its names, symbolic links followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Local(Local),
    /// An object has one name, which stays its own whatever is written there.
    Bucket(Location),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Local {
    /// The file; `None` where the system cannot tell.
    file: Option<Identity>,
    /// How many names it has.
    links: u64,
    directory: Option<Identity>,
    name: OsString,
    /// Where it is, for systems that cannot tell which file it is.
    real: PathBuf,
}

impl Entry {
    /// The file that `at` leads to; `None` where there is none.
    pub fn of(at: &Location) -> Result<Option<Self>, FileError> {
        if at.url().is_some() {
            let found = store(at).status(at)?;
            return Ok(found.map(|_| Self(Kind::Bucket(at.clone()))));
        }
        let real = match fs::canonicalize(at.path()) {
            Err(error) if is_absence(&error) => return Ok(None),
            real => Location::from(real.map_err(FileError::new(Action::Look, at))?.as_path()),
        };
        let found = look(at, &real)?;
        let directory = real.parent();
        Ok(Some(Self(Kind::Local(Local {
            file: identity(&found),
            links: links(&found),
            directory: identity(&look(&directory, &directory)?),
            name: real.path().file_name().unwrap_or_default().to_owned(),
            real: real.path().to_owned(),
        }))))
    }

    /// Whether both are one file.
    pub fn is_same_file(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Kind::Local(one), Kind::Local(other)) => match (one.file, other.file) {
                (Some(one), Some(other)) => one == other,
                _ => one.real == other.real,
            },
            (one, other) => one == other,
        }
    }

    /// Whether both are one name of one file: taking it away from one takes it from the other.
    pub fn is_same_name(&self, other: &Self) -> bool {
        let alike = match (&self.0, &other.0) {
            (Kind::Local(one), Kind::Local(other)) => {
                one.links <= 1 || (one.directory == other.directory && one.name == other.name)
            }
            _ => true,
        };
        alike && self.is_same_file(other)
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

/// The directory that `at` leads to, whatever it was called; what does not exist yet stays as it is.
pub fn real_directory(at: &Location) -> Location {
    if at.url().is_some() {
        return at.normal();
    }
    let normal = at.absolute();
    let mut rest = Vec::new();
    for above in normal.path().ancestors() {
        if let Ok(real) = fs::canonicalize(above) {
            let path = rest.iter().rev().fold(real, |path, name| path.join(name));
            return Location::from(path.as_path()).normal();
        }
        rest.extend(above.components().next_back());
    }
    at.normal()
}

/// Whether a file lies in a folder or below it, wherever links lead.
pub fn lies_below(at: &Location, folder: &Location) -> Result<bool, FileError> {
    if let (Location::Bucket(at), Location::Bucket(folder)) = (at, folder) {
        return Ok(at.plain().as_str().starts_with(folder.plain().join("").as_str()));
    }
    let real =
        |at: &Location| fs::canonicalize(at.path()).map_err(FileError::new(Action::Read, at));
    Ok(real(at)?.starts_with(real(folder)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_itself_even_where_files_have_no_numbers() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| Location::from(directory.path().join(name).as_path());
        let entry = |name: &str| {
            fs::write(directory.path().join(name), "").unwrap();
            let Entry(Kind::Local(local)) = Entry::of(&at(name)).unwrap().unwrap() else {
                panic!("{name} is in a bucket")
            };
            Entry(Kind::Local(Local { file: None, directory: None, links: 1, ..local }))
        };
        assert!(entry("model.index").is_same_name(&entry("model.index")));
        assert!(!entry("model.index").is_same_file(&entry("other.index")));
    }
}
