//! What stands at a destination before it is written to.

use std::collections::BTreeSet;

use prost::Message;

use crate::files::{Entry, Identity, Location, Status, read_all, store};
use crate::proto::BundleHeaderProto;
use crate::table::Table;

use super::{TargetError, names};

/// An index larger than this is not read for its header.
const INDEX_LIMIT: u64 = 1 << 30;

/// The files that a new checkpoint called `to` would replace, hide, or mix with. Two looks that
/// are equal saw the same.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Something called as the checkpoint itself: a V1 checkpoint, a directory.
    itself: Option<Found>,
    index: Option<Found>,
    data: Vec<Found>,
    /// Counts of data files that somebody uses: the new checkpoint's must be another, or its data
    /// files would replace some that an index still refers to.
    taken: BTreeSet<usize>,
}

#[derive(Debug, PartialEq, Eq)]
struct Found {
    at: Location,
    is_dir: bool,
    /// Which file, and how long; `None` for a link that leads nowhere. How many names it has may
    /// change: the new checkpoint may be one of them.
    file: Option<(Which, u64)>,
}

/// What tells a file from one that took its name.
#[derive(Debug, PartialEq, Eq)]
enum Which {
    Known(Identity),
    /// Where files have no numbers: when it was written, as far as that is known.
    Written(Option<u64>),
    /// A directory without a number, whose time others change by what they do in it.
    Directory,
}

impl Which {
    fn of(status: &Status) -> Self {
        match status.identity {
            Some(identity) => Self::Known(identity),
            None if status.is_dir => Self::Directory,
            None => Self::Written(status.version),
        }
    }
}

impl Found {
    fn new(at: Location, status: Option<Status>) -> Self {
        let file = status.map(|status| (Which::of(&status), status.len));
        Self { at, is_dir: status.is_some_and(|status| status.is_dir), file }
    }
}

impl Standing {
    /// Looks.
    pub(super) fn at(to: &Location) -> Result<Self, TargetError> {
        let store = store(to);
        let mut standing =
            Self { itself: None, index: None, data: Vec::new(), taken: BTreeSet::new() };
        let prefix = to.name();
        for at in store.list(to)? {
            let name = at.name();
            let suffix = name.strip_prefix(&prefix);
            let count = suffix.and_then(names::shard_count);
            if count.is_none() && !matches!(suffix, Some("" | ".index")) {
                continue;
            }
            let status = store.status(&at)?;
            let found = Found::new(at, status);
            match (count, suffix) {
                (Some(count), _) => {
                    standing.taken.insert(count);
                    standing.data.push(found);
                }
                (None, Some("")) => standing.itself = Some(found),
                (None, _) => {
                    standing.taken.extend(declared_count(&found.at));
                    standing.index = Some(found);
                }
            }
        }
        Ok(standing)
    }

    /// Refuses to go on if a file of the source is among them. A data file that is a link to one of
    /// the source's is not: it loses its name, and the source's keeps its own.
    pub(super) fn spare(&self, never: &[Entry]) -> Result<(), TargetError> {
        let all = self.itself.iter().chain(&self.index).map(|found| (found, false));
        for (found, may_be_linked) in all.chain(self.data.iter().map(|found| (found, true))) {
            let Some(entry) = Entry::of(&found.at)? else { continue };
            let is_source = never.iter().any(|source| {
                if may_be_linked { entry.is_same_name(source) } else { entry.is_same_file(source) }
            });
            if is_source {
                return Err(TargetError::OwnSource { at: found.at.clone() });
            }
        }
        Ok(())
    }

    /// Whether a checkpoint is there.
    pub(super) fn is_checkpoint(&self) -> bool {
        self.index.is_some()
    }

    /// Refuses to go on if anything is there.
    pub(super) fn refuse(&self) -> Result<(), TargetError> {
        let (found, what, help) = if let Some(index) = &self.index {
            (index, "a checkpoint", "`--force` replaces it")
        } else if let Some(data) = self.data.first() {
            (data, "a data file without an index", "`--force` removes it")
        } else if let Some(itself) = &self.itself {
            if itself.is_dir {
                (itself, "a directory", "add a name for the checkpoint in it, or use `--force`")
            } else {
                (
                    itself,
                    "a file",
                    "choose another name; with `--force`, who opens it finds the new one",
                )
            }
        } else {
            return Ok(());
        };
        Err(TargetError::Exists { at: found.at.clone(), what, help })
    }

    /// The smallest free number of data files that is not below `least`.
    pub(super) fn free_count(&self, least: usize) -> usize {
        let least = least.max(1);
        // Among one more numbers than are taken, one is free.
        let mut numbers = least..=least + self.taken.len();
        numbers.find(|number| !self.taken.contains(number)).unwrap_or(least)
    }

    /// Every data file there was.
    pub(super) fn data(&self) -> impl Iterator<Item = &Location> {
        self.data.iter().map(|found| &found.at)
    }
}

/// The number of data files an index declares. An unreadable one declares none: those that exist
/// are counted by name anyway.
fn declared_count(index: &Location) -> Option<usize> {
    let bytes = read_all(index, INDEX_LIMIT).ok()?;
    let table = Table::parse(bytes).ok()?;
    let header = table.get(b"").ok()??;
    let header = BundleHeaderProto::decode(header.as_ref()).ok()?;
    usize::try_from(header.num_shards).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_took_anothers_name_is_another_even_where_files_have_no_numbers() {
        let found = |is_dir, version| {
            let status = Status { is_dir, len: 7, identity: None, links: 1, version };
            Found::new(Location::from(std::path::Path::new("model.index")), Some(status))
        };
        assert_eq!(found(false, Some(1)), found(false, Some(1)));
        assert_ne!(found(false, Some(1)), found(false, Some(2)));
        assert_eq!(found(true, Some(1)), found(true, Some(2)));
    }
}
