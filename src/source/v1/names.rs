//! What the files of a V1 checkpoint are called.
//!
//! ```text
//! P                        one file
//! P-00000-of-00002 ┐       several, together called
//! P-00001-of-00002 ┘       P-?????-of-00002
//! ```

use std::collections::{BTreeMap, BTreeSet};

use crate::files::{FileError, Location, store};
use crate::source::sniff::{Found, sniff};

/// What stands for the number of a file in the name of all of them.
const ANY: &str = "?????";

/// Their numbers have five digits, so there are no more files.
const MAX_FILES: u32 = 100_000;

/// What a name says that has the form of one of several files, or of all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::source) struct Sharded {
    /// What the checkpoint is called beside its number of files.
    pub(in crate::source) prefix: Location,
    /// How many files there are.
    pub(in crate::source) count: u32,
    /// Whether it is the name of all of them.
    pub(in crate::source) all: bool,
}

impl Sharded {
    /// What the name `at` says; `None` where it has another form.
    pub(in crate::source) fn of(at: &Location) -> Option<Self> {
        let name = at.name();
        let (rest, count) = name.rsplit_once("-of-")?;
        let (prefix, number) = rest.rsplit_once('-')?;
        // So are the data files of a bundle called.
        if prefix.is_empty() || prefix.strip_suffix(".data").is_some() {
            return None;
        }
        let (all, count) = (number == ANY, counted(count)?);
        if !all && counted(number)? >= count || !(1..=MAX_FILES).contains(&count) {
            return None;
        }
        let suffix = name.get(prefix.len()..)?;
        Some(Self { prefix: at.strip_suffix(suffix)?, count, all })
    }

    /// The name of all files together.
    pub(in crate::source) fn name(&self) -> Location {
        self.prefix.with_suffix(&format!("-{ANY}-of-{:05}", self.count))
    }

    /// The files.
    pub(super) fn files(&self) -> impl Iterator<Item = Location> {
        let Self { prefix, count, .. } = self.clone();
        (0..count).map(move |number| prefix.with_suffix(&format!("-{number:05}-of-{count:05}")))
    }
}

/// A number as it stands in such names: in five digits, or more if it needs them.
fn counted(text: &str) -> Option<u32> {
    let number = text.parse().ok()?;
    (format!("{number:05}") == text).then_some(number)
}

/// Whether a file is there and a table.
pub(in crate::source) fn is_table(at: &Location) -> Result<bool, FileError> {
    let is_file = store(at).status(at)?.is_some_and(|status| !status.is_dir);
    Ok(is_file && sniff(at)? == Found::Table)
}

/// The names of all checkpoints in several files that are called `prefix` beside the number of
/// those.
pub(in crate::source) fn sets(prefix: &Location) -> Result<Vec<Location>, FileError> {
    if prefix.is_directory_like() {
        return Ok(Vec::new());
    }
    let files = store(prefix).list(&prefix.with_suffix("-"))?;
    let found = files.iter().filter_map(Sharded::of);
    let found = found.filter(|sharded| !sharded.all && sharded.prefix == *prefix);
    let mut names: BTreeMap<Location, Vec<Location>> = BTreeMap::new();
    for sharded in found {
        names.entry(sharded.name()).or_insert_with(|| sharded.files().collect());
    }
    // Data sets are called so too: the first file that is there tells.
    let is_checkpoint = |files: &[Location]| {
        let there = files.iter().find(|at| store(at).status(at).is_ok_and(|at| at.is_some()));
        there.is_some_and(|at| is_table(at).unwrap_or_default())
    };
    names.retain(|_, files| is_checkpoint(files));
    Ok(names.into_keys().collect())
}

/// Every V1 checkpoint in a directory: tables that are no index. Files that cannot be looked at
/// are none.
pub(in crate::source) fn checkpoints(directory: &Location) -> Result<Vec<Location>, FileError> {
    let files = store(directory).list(&directory.join(""))?;
    let tables = files
        .into_iter()
        .filter(|file| file.strip_suffix(".index").is_none() && is_table(file).unwrap_or_default());
    let named = tables.map(|file| match Sharded::of(&file) {
        Some(sharded) if !sharded.all => sharded.name(),
        _ => file,
    });
    Ok(named.collect::<BTreeSet<_>>().into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Option<Sharded> {
        let Ok(at) = name.parse();
        Sharded::of(&at)
    }

    #[test]
    fn names_say_how_many_files_there_are() {
        let one = of("run/m-7-00001-of-00002").unwrap();
        assert_eq!((one.prefix.to_string().as_str(), one.count, one.all), ("run/m-7", 2, false));
        assert_eq!(one.name().to_string(), "run/m-7-?????-of-00002");
        let all = of("run/m-7-?????-of-00002").unwrap();
        assert!(all.all);
        let files: Vec<String> = all.files().map(|file| file.to_string()).collect();
        assert_eq!(files, ["run/m-7-00000-of-00002", "run/m-7-00001-of-00002"]);
        assert_eq!(of("m-00000-of-100000").unwrap().count, 100_000);
        assert_eq!(of("m-a-of-b-00000-of-00001").unwrap().prefix.to_string(), "m-a-of-b");
    }

    #[test]
    fn other_names_say_nothing() {
        for name in [
            "m",
            "m-0-of-2",
            "m-00002-of-00002",
            "m-00000-of-00000",
            "m-?????-of-00000",
            "m-000000-of-00002",
            "m-00000-of-100001",
            "m-0000?-of-00002",
            "m-+0000-of-00002",
            "m.data-00000-of-00002",
            "-00000-of-00002",
            "m-00000-of-00002/x",
        ] {
            assert_eq!(of(name), None, "{name}");
        }
    }
}
