//! The switch from what stood at a destination to what is to stand there.
//!
//! Data files and index cannot be replaced together, but the number of data files is a part of
//! every data file's name, and the index chooses it. So the new checkpoint gets a number that no
//! file there has:
//!
//! ```text
//! 1  drafts      scratch files, synced           ┐
//!    record      renamed, if there is to be one  │
//! 2  shards      renamed to P.data-*-of-N        │ the old checkpoint is whole
//! 3  index       renamed to P.index              ┘ ← the only commit point
//! 4  checkpoint  renamed, if asked for           ┐ the new checkpoint is whole
//! 5  leftovers   P.data-*-of-M, dead scratch     ┘
//! ```
//! Killed before 3, the old checkpoint is what is found; afterwards the new one. An error before 3
//! takes the shards away again. From 2 to 5 it is this run's turn at the directory: another one
//! that ends there too waits, and then finds that the destination has changed.

use std::thread;
use std::time::{Duration, Instant};

use crate::causes::in_one_line;
use crate::files::{
    Blob, Directory, Entry, FileError, Location, Share, Shared, Store, Turn, store,
};

use super::draft::Draft;
use super::standing::Standing;
use super::state;
use super::{Committed, Options, Proceed, TargetError, WrittenFile, names};

/// How long a run waits for its turn.
const PATIENCE: Duration = Duration::from_secs(60);

/// A destination that has been found fit to be written to.
#[derive(Debug)]
pub(super) struct Commit {
    to: Location,
    options: Options,
    never: Vec<Entry>,
    standing: Standing,
    /// Held from the first draft to the last name, so that an error at any time leaves no empty
    /// directory.
    _directory: Directory,
}

impl Commit {
    /// Refuses destinations that cannot or must not be written to.
    pub(super) fn begin(
        to: &Location,
        options: &Options,
        never: &[Entry],
    ) -> Result<Self, TargetError> {
        let standing = check(to, options, never)?;
        if options.update_state {
            state::read(to)?;
        }
        Ok(Self {
            to: to.clone(),
            options: options.clone(),
            never: never.to_vec(),
            standing,
            _directory: store(to).directory(to)?,
        })
    }

    /// Begins a file.
    pub(super) fn draft(&self) -> Result<Draft, TargetError> {
        Draft::new(&self.to)
    }

    /// Begins a file that has the bytes of another one.
    pub(super) fn share(&self, blob: &dyn Blob, how: Share) -> Result<Shared, FileError> {
        store(&self.to).share(blob, &self.to, how)
    }

    /// What sharing in some way comes to at the destination.
    pub(super) fn way(&self, how: Share) -> Share {
        how.at(&self.to)
    }

    /// Whether a file is in the bucket of the destination.
    pub(super) fn is_beside(&self, blob: &dyn Blob) -> bool {
        self.to.shares_bucket(blob.at())
    }

    /// The size from which on another data file is begun.
    pub(super) fn shard_size(&self) -> Option<u64> {
        self.options.shard_size
    }

    /// Makes a file survive a loss of power, if that is wanted.
    pub(super) fn sync(&self, draft: &Draft) -> Result<(), TargetError> {
        if self.options.sync { draft.sync() } else { Ok(()) }
    }

    /// How many data files there must be where there are `shards` already.
    pub(super) fn shards_for(&self, shards: usize) -> usize {
        self.standing.free_count(shards)
    }

    /// Makes the shards and the index the checkpoint that stands at the destination.
    pub(super) fn publish(
        self,
        shards: Vec<Draft>,
        index: &[u8],
        proceed: Proceed<'_>,
    ) -> Result<Committed, TargetError> {
        // All that a full disk can refuse comes before the first name.
        let mut index_draft = self.draft()?;
        index_draft.append(index)?;
        shards.iter().chain([&index_draft]).try_for_each(|draft| self.sync(draft))?;
        let record = self.record(&shards, index)?;
        // Two runs that end here at once would give their files the same names.
        let _turn = turn(&self.to, proceed)?;
        if look(&self.to, &self.options, &self.never)? != self.standing {
            return Err(TargetError::Changed { to: self.to.clone() });
        }
        let count = shards.len();
        let files = Vec::with_capacity(count + 1);
        let mut placed = Placed { store: store(&self.to), files, record: None };
        let record = record.map(|draft| draft.publish(names::record(&self.to))).transpose()?;
        // An earlier checkpoint's is replaced, and stays: it knows of both.
        placed.record = record.filter(|_| !self.standing.is_checkpoint());
        for (shard, draft) in shards.into_iter().enumerate() {
            // Into a bucket it takes as long as the bytes need to get there.
            ask(proceed)?;
            placed.files.push(draft.publish(names::shard(&self.to, shard, count))?);
        }
        self.settle()?;
        // The last time that anybody is asked: what comes next is the commit.
        ask(proceed)?;
        let index = index_draft.publish(names::index(&self.to))?;
        // Committed.
        let mut files = placed.keep();
        files.push(index);
        let mut notes = Vec::new();
        if let Err(error) = self.settle() {
            notes.push(format!(
                "it is in place, but a loss of power may bring back what was there: {}",
                in_one_line(&error)
            ));
        }
        let listed = if self.options.update_state {
            state::make_latest(&self.to, self.options.sync)
        } else {
            Ok(())
        };
        self.tidy(&mut notes);
        match listed {
            Ok(()) => Ok(Committed { files, notes }),
            Err(source) => {
                Err(TargetError::Unlisted { to: self.to.clone(), source: Box::new(source) })
            }
        }
    }

    /// The file that says where the checkpoint comes from, if there is to be one.
    fn record(&self, shards: &[Draft], index: &[u8]) -> Result<Option<Draft>, TargetError> {
        let Some(record) = &self.options.record else { return Ok(None) };
        let name = |number| names::shard(&self.to, number, shards.len()).name();
        let data: Vec<_> =
            shards.iter().enumerate().map(|(number, shard)| (name(number), shard.len())).collect();
        let mut draft = self.draft()?;
        draft.append(&record.content(index, &data))?;
        self.sync(&draft)?;
        Ok(Some(draft))
    }

    fn settle(&self) -> Result<(), TargetError> {
        if self.options.sync {
            store(&self.to).settle(&self.to)?;
        }
        Ok(())
    }

    /// Removes what no reader looks at any more. What remains harms nobody, so it is only noted.
    fn tidy(&self, notes: &mut Vec<String>) {
        let store = store(&self.to);
        let abandoned = store.abandoned(&self.to).unwrap_or_else(|error| {
            notes.push(in_one_line(&error));
            Vec::new()
        });
        if !self.options.overwrite {
            notes.extend(abandoned.iter().map(|at| {
                format!("`{at}` was left behind by a run that was killed; `--force` removes it")
            }));
            return;
        }
        for at in self.standing.data().chain(&abandoned) {
            if let Err(error) = store.remove(at) {
                notes.push(in_one_line(&error));
            }
        }
    }
}

/// Waits for this run's turn at a checkpoint's directory. Others have it for moments only, so
/// whoever keeps it longer is no conversion.
pub(super) fn turn(to: &Location, proceed: Proceed<'_>) -> Result<Turn, TargetError> {
    let begun = Instant::now();
    loop {
        ask(proceed)?;
        if let Some(turn) = store(to).turn(to) {
            return Ok(turn);
        }
        if begun.elapsed() > PATIENCE {
            return Err(TargetError::Locked { directory: to.parent() });
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Goes on, unless the caller asks to stop.
fn ask(proceed: Proceed<'_>) -> Result<(), TargetError> {
    if proceed().is_break() { Err(TargetError::Interrupted) } else { Ok(()) }
}

/// What stands at a destination that may be called so.
pub(super) fn check(
    to: &Location,
    options: &Options,
    never: &[Entry],
) -> Result<Standing, TargetError> {
    names::check(to)?;
    look(to, options, never)
}

/// What stands at a destination that may be written to.
fn look(to: &Location, options: &Options, never: &[Entry]) -> Result<Standing, TargetError> {
    let standing = Standing::at(to)?;
    standing.spare(never)?;
    if !options.overwrite {
        standing.refuse()?;
    }
    Ok(standing)
}

/// Data files that have their names, but no index that refers to them yet.
struct Placed {
    store: &'static dyn Store,
    files: Vec<WrittenFile>,
    /// What says where they come from, where there was no such thing before.
    record: Option<WrittenFile>,
}

impl Placed {
    /// They are referred to.
    fn keep(mut self) -> Vec<WrittenFile> {
        self.record = None;
        std::mem::take(&mut self.files)
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        for file in self.files.iter().chain(&self.record) {
            // The error that led here is the one to tell; a later run removes what remains.
            let _ = self.store.remove(&file.at);
        }
    }
}
