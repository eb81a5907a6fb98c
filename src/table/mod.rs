//! The sorted-string table that an index and a V1 checkpoint are: bytes in, keys with values out.
//! It has never heard of tensors.
//!
//! ```text
//! ┌──────────────────────┐
//! │ data block │ trailer │  sorted keys with values, each key continuing the one before it
//! ├──────────────────────┤
//! │ …                    │
//! ├──────────────────────┤
//! │ metaindex  │ trailer │  empty; never read
//! ├──────────────────────┤
//! │ index      │ trailer │  for each data block a key from its last one on, and its handle
//! ├──────────────────────┤
//! │ footer, 48 bytes     │  handles of metaindex and index, magic
//! └──────────────────────┘
//! ```
//!
//! A reader starts at the footer. Whatever TensorFlow tolerates is tolerated (gaps, padding,
//! bytes after a handle, keys stored whole as often as one likes); whatever makes TensorFlow miss
//! a key (wrong order, a wrong restart point, a wrong index key) is damage here. Two things keep
//! hostile files cheap: blocks must lie in the order they are listed in, so that none is visited
//! twice, and a compressed block cannot claim to grow beyond what its compression can do.

mod block;
mod block_builder;
mod build;
mod error;
mod footer;
mod input;
mod list;
mod lookup;

use block::{Block, misordered};
use footer::Handle;
use input::Input;

pub use build::TableBuilder;
pub use error::{BuildError, Damage, TableError};
pub use lookup::{Found, Lookup};

/// A table held in memory.
///
/// Parsing reads the footer only; each block is checked when it is used.
#[derive(Debug, Clone)]
pub struct Table<D> {
    data: D,
    index: Handle,
}

/// Whether a file whose last bytes are `tail` claims to be a table.
pub fn is_table(tail: &[u8]) -> bool {
    footer::is_table(tail)
}

impl<D: AsRef<[u8]>> Table<D> {
    /// Finds the index block of `data`, the bytes of a whole file.
    pub fn parse(data: D) -> Result<Self, TableError> {
        let index = footer::read(data.as_ref())?;
        Ok(Self { data, index })
    }

    /// The value of `key`. Reads the index and one block; for all keys there is
    /// [`for_each`](Self::for_each), for many of them [`Lookup`].
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TableError> {
        let file = self.data.as_ref();
        let index = Block::load(file, self.index)?;
        let mut listed = index.entries()?;
        while let Some(entry) = listed.advance()? {
            if entry.key < key {
                continue;
            }
            let handle = Handle::read(&mut Input::new(entry.value, entry.offset))?;
            let block = Block::load(file, handle)?;
            let mut entries = block.entries()?;
            while let Some(entry) = entries.advance()? {
                if entry.key >= key {
                    return Ok((entry.key == key).then(|| entry.value.to_vec()));
                }
            }
            return Ok(None);
        }
        Ok(None)
    }

    /// Visits every entry in stored order, which is that of the keys; stops at the first damage.
    pub fn for_each<E: From<TableError>>(
        &self,
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.survey(|found| {
            let (key, value) = found?;
            visit(key, value)
        })
    }

    /// Reports everything that is damaged.
    pub fn check(&self, report: &mut dyn FnMut(TableError)) {
        let done: Result<(), std::convert::Infallible> = self.survey(|found| {
            found.map_or_else(&mut *report, |_| ());
            Ok(())
        });
        let Ok(()) = done;
    }

    /// Visits every entry that can be read and all damage between them; only the visitor ends it
    /// early. A damaged block costs the rest of its entries, a damaged index all that follow.
    pub fn survey<E>(
        &self,
        mut visit: impl FnMut(Result<(&[u8], &[u8]), TableError>) -> Result<(), E>,
    ) -> Result<(), E> {
        let file = self.data.as_ref();
        let index = match Block::load(file, self.index) {
            Ok(index) => index,
            Err(error) => return visit(Err(error)),
        };
        let mut listed = match index.entries() {
            Ok(listed) => listed,
            Err(error) => return visit(Err(error)),
        };
        let mut state = Walk { end: 0, previous: None };
        loop {
            match listed.advance() {
                Ok(None) => return Ok(()),
                Ok(Some(entry)) => {
                    let mut input = Input::new(entry.value, entry.offset);
                    match Handle::read(&mut input) {
                        Ok(handle) => state.block(file, handle, &mut visit)?,
                        Err(error) => visit(Err(error))?,
                    }
                    state.separate(entry.key, entry.offset, &mut visit)?;
                }
                Err(error) => return visit(Err(error)),
            }
        }
    }
}

/// What a walk over the blocks remembers from one to the next.
struct Walk {
    /// Where the block before ends.
    end: u64,
    /// The last key seen, in a block or in the index.
    previous: Option<Vec<u8>>,
}

/// What a walk calls.
type Visit<'v, E> = &'v mut dyn FnMut(Result<(&[u8], &[u8]), TableError>) -> Result<(), E>;

impl Walk {
    /// Visits the entries of one block.
    fn block<E>(&mut self, file: &[u8], handle: Handle, visit: Visit<'_, E>) -> Result<(), E> {
        let offset = handle.offset;
        if offset < self.end {
            let what = Damage::Overlap { previous_end: self.end };
            return visit(Err(TableError { offset, what }));
        }
        let block = match Block::load(file, handle) {
            Ok(block) => block,
            Err(error) => return visit(Err(error)),
        };
        self.end = offset.saturating_add(handle.size);
        let mut entries = match block.entries() {
            Ok(entries) => entries,
            Err(error) => return visit(Err(error)),
        };
        loop {
            match entries.advance() {
                Ok(Some(entry)) => {
                    // Only a block's first key needs comparing here: a block proves its own order.
                    match self.previous.take() {
                        Some(previous) if previous[..] >= *entry.key => {
                            let what = misordered(previous, entry.key);
                            visit(Err(TableError { offset: entry.offset, what }))?;
                        }
                        _ => visit(Ok((entry.key, entry.value)))?,
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    visit(Err(error))?;
                    break;
                }
            }
        }
        self.previous = entries.into_last_key().or(self.previous.take());
        Ok(())
    }

    /// Checks that the index key of a block lies behind its last key.
    fn separate<E>(&mut self, key: &[u8], offset: u64, visit: Visit<'_, E>) -> Result<(), E> {
        match self.previous.replace(key.to_vec()) {
            Some(previous) if *previous > *key => {
                visit(Err(TableError { offset, what: misordered(previous, key) }))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three data blocks.
    fn table() -> Vec<u8> {
        let mut builder = TableBuilder::new(Vec::new());
        for key in ["a", "b", "c"] {
            builder.insert(key.as_bytes(), &vec![key.as_bytes()[0]; 300_000]).unwrap();
        }
        builder.finish().unwrap()
    }

    fn survey(file: &[u8]) -> (Vec<Vec<u8>>, Vec<TableError>) {
        let (mut keys, mut errors) = (Vec::new(), Vec::new());
        let done = Table::parse(file).unwrap().survey(|found| {
            match found {
                Ok((key, _)) => keys.push(key.to_vec()),
                Err(error) => errors.push(error),
            }
            Ok::<_, std::convert::Infallible>(())
        });
        done.unwrap();
        (keys, errors)
    }

    #[test]
    fn single_keys_are_found() {
        let table = Table::parse(table()).unwrap();
        for key in ["a", "b", "c"] {
            let value = table.get(key.as_bytes()).unwrap().unwrap();
            assert_eq!((value.len(), value[0]), (300_000, key.as_bytes()[0]));
        }
        for key in ["", "aa", "d"] {
            assert_eq!(table.get(key.as_bytes()).unwrap(), None);
        }
    }

    #[test]
    fn all_damage_is_reported_and_the_rest_is_read() {
        let mut file = table();
        file[100] ^= 1;
        file[700_000] ^= 1;
        let (keys, errors) = survey(&file);
        assert_eq!(keys, [b"b"]);
        assert_eq!(errors.iter().map(|error| error.offset).collect::<Vec<_>>(), [0, 600_038]);
        let mut checked = Vec::new();
        Table::parse(&file).unwrap().check(&mut |error| checked.push(error));
        assert_eq!(checked, errors);
        let stopped = Table::parse(&file).unwrap().for_each(|_, _| Ok::<_, TableError>(()));
        assert_eq!(stopped, Err(errors[0].clone()));
    }

    #[test]
    fn a_damaged_index_is_one_error() {
        let mut file = table();
        let at = file.len() - 60;
        file[at] ^= 1;
        let (keys, errors) = survey(&file);
        assert!(keys.is_empty());
        assert!(matches!(errors[..], [TableError { what: Damage::Checksum { .. }, .. }]));
    }

    /// A table whose index lists `blocks`, made of these entries, under these keys; all of them at
    /// the first one if `again`.
    pub(super) fn listed(blocks: &[(&[&str], &str)], again: bool, compressed: bool) -> Vec<u8> {
        let mut file = Vec::new();
        let mut index = block_builder::BlockBuilder::new(1);
        for (keys, listed) in blocks {
            let mut block = block_builder::BlockBuilder::new(16);
            keys.iter().for_each(|key| block.insert(key.as_bytes(), b""));
            let (mut bytes, mut size) = block.finish();
            if compressed {
                bytes.truncate(usize::try_from(size).unwrap());
                bytes = snap::raw::Encoder::new().compress_vec(&bytes).unwrap();
                size = bytes.len() as u64;
                bytes.push(1);
                let sum = crate::crc::Crc::of(&bytes).masked();
                bytes.extend(sum.to_le_bytes());
            }
            let offset = if again { 0 } else { file.len() as u64 };
            let mut handle = Vec::new();
            Handle { offset, size }.write(&mut handle);
            handle.extend(b"ignored");
            index.insert(listed.as_bytes(), &handle);
            file.extend(bytes);
            file.extend(b"a gap");
        }
        let offset = file.len() as u64;
        let (bytes, size) = index.finish();
        file.extend(bytes);
        file.extend(footer::encode(Handle { offset: 0, size: 0 }, Handle { offset, size }));
        file
    }

    #[test]
    fn gaps_and_bytes_after_a_handle_do_not_matter() {
        let (keys, errors) = survey(&listed(&[(&["a", "b"], "b"), (&["c"], "c")], false, false));
        assert_eq!((keys.len(), errors), (3, vec![]));
    }

    #[test]
    fn order_holds_across_blocks() {
        let what = |blocks: &[(&[&str], &str)], again| {
            let (_, errors) = survey(&listed(blocks, again, false));
            errors.into_iter().map(|error| error.what).collect::<Vec<_>>()
        };
        let wrong = |previous: &str, got: &str| {
            vec![Damage::OutOfOrder { previous: previous.into(), got: got.into() }]
        };
        assert_eq!(what(&[(&["a", "c"], "d"), (&["b"], "e")], false), wrong("d", "b"));
        assert_eq!(what(&[(&["a", "c"], "b")], false), wrong("c", "b"));
        let twice = what(&[(&["a"], "a"), (&["a"], "b")], false);
        assert_eq!(twice, [Damage::Duplicate(b"a".into())]);
        let overlap = what(&[(&["a"], "a"), (&["b"], "b")], true);
        assert_eq!(overlap, [Damage::Overlap { previous_end: 12 }]);
    }
}
