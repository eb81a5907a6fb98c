//! Single keys of a table that is too large to be read.
//!
//! ```text
//! key ─► index, read once: last key, handle ─► block ─┬─► summed at its first use
//!                                                     └─► listed, kept among the last used
//! ```
//! Looking up keys in their order takes time linear in the file. A value is a stretch of the file
//! wherever its block is not compressed: nothing is copied, however large it is.

use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::block::{Block, Located, MAX_INFLATED, misordered};
use super::footer::{self, Handle};
use super::input::Input;
use super::list::{Keys, List};
use super::{Damage, TableError};
use crate::recent::Recent;

/// Blocks whose keys are kept.
const MAX_BLOCKS: usize = 1024;

/// Bytes of keys, of decompressed blocks, and of blocks of the file that are kept in memory.
const MAX_WEIGHT: usize = 1 << 26;

/// A stretch of the file of more bytes is let go as soon as it has been looked at.
const LARGE: usize = 1 << 24;

/// A table that is open for lookups. `D` holds the bytes of the whole file.
#[derive(Debug)]
pub struct Lookup<D> {
    data: D,
    /// Told of bytes of the file that are not needed for now.
    release: fn(&D, Range<usize>),
    /// The key each block is listed under.
    keys: Keys,
    handles: Vec<Handle>,
    sums: Vec<OnceLock<Result<(), TableError>>>,
    lists: Mutex<Recent<usize, Result<Arc<List>, TableError>>>,
}

/// A value that was found.
#[derive(Debug)]
pub struct Found<'t, D> {
    table: &'t Lookup<D>,
    list: Arc<List>,
    value: Range<usize>,
}

impl<D: AsRef<[u8]>> Lookup<D> {
    /// Reads the index of a table. `release` hears of bytes that are not needed for now.
    pub fn open(data: D, release: fn(&D, Range<usize>)) -> Result<Self, TableError> {
        let file = data.as_ref();
        let index = Block::load(file, footer::read(file)?)?;
        let (mut keys, mut handles) = (Keys::for_block(index.len()), Vec::<Handle>::new());
        let mut end = 0;
        let mut listed = index.entries()?;
        while let Some(entry) = listed.advance()? {
            keys.push(entry.key, entry.offset)?;
            let handle = Handle::read(&mut Input::new(entry.value, entry.offset))?;
            if handle.offset < end {
                let what = Damage::Overlap { previous_end: end };
                return Err(TableError { offset: handle.offset, what });
            }
            end = handle.offset.saturating_add(handle.size);
            handles.push(handle);
        }
        let sums = handles.iter().map(|_| OnceLock::new()).collect();
        let lists = Mutex::new(Recent::new(MAX_BLOCKS, MAX_WEIGHT));
        Ok(Self { data, release, keys, handles, sums, lists })
    }

    /// The value of `key`, out of a block whose sum is right.
    pub fn find(&self, key: &[u8]) -> Result<Option<Found<'_, D>>, TableError> {
        let number = self.keys.first_from(key);
        if number >= self.handles.len() {
            return Ok(None);
        }
        let list = self.list(number)?;
        let value = list.value(key);
        Ok(value.map(|value| Found { table: self, list, value }))
    }

    /// Reads every block and reports those that are damaged.
    pub fn check(&self, report: &mut dyn FnMut(TableError)) {
        (0..self.handles.len()).filter_map(|number| self.list(number).err()).for_each(report);
    }

    /// The keys of a block, which is summed if nobody did yet.
    fn list(&self, number: usize) -> Result<Arc<List>, TableError> {
        let lock = || self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(list) = lock().get(&number) {
            return list;
        }
        let made = self.make(number).map(Arc::new);
        let weight = made.as_ref().map_or(0, |list| list.weight(LARGE));
        let gone = lock().keep(&number, made.clone(), weight);
        for list in gone.into_iter().flatten() {
            (self.release)(&self.data, list.in_file());
        }
        made
    }

    fn make(&self, number: usize) -> Result<List, TableError> {
        let (Some(&handle), Some(sum)) = (self.handles.get(number), self.sums.get(number)) else {
            return Ok(List::default());
        };
        let located = Located::at(self.data.as_ref(), handle)?;
        sum.get_or_init(|| self.sum(&located)).clone()?;
        let list = List::of(located.open(MAX_INFLATED)?, handle)?;
        self.separate(number, handle, &list)?;
        Ok(list)
    }

    fn sum(&self, located: &Located<'_>) -> Result<(), TableError> {
        located.verify(LARGE, |part| {
            if located.range().len() > LARGE {
                (self.release)(&self.data, part);
            }
        })
    }

    /// Checks that lookups reach the keys of a block: that they lie between the key it is listed
    /// under and the one before.
    fn separate(&self, number: usize, handle: Handle, list: &List) -> Result<(), TableError> {
        let before = number.checked_sub(1).and_then(|before| self.keys.get(before));
        let own = self.keys.get(number);
        let mut order = [before, list.keys.first(), list.keys.last(), own].into_iter().flatten();
        let Some(mut previous) = order.next() else { return Ok(()) };
        for (place, key) in order.enumerate() {
            // One key may be the first and the last, and a block may be listed under its last.
            let same = previous == key && (place > 0 || before.is_none());
            if previous >= key && !same {
                let what = misordered(previous.to_vec(), key);
                return Err(TableError { offset: handle.offset, what });
            }
            previous = key;
        }
        Ok(())
    }
}

impl<D: AsRef<[u8]>> Found<'_, D> {
    /// The value.
    pub fn bytes(&self) -> &[u8] {
        let held = self.list.inflated.as_deref();
        let held = held.unwrap_or_else(|| self.table.data.as_ref());
        held.get(self.value.clone()).unwrap_or_default()
    }

    /// Where in the file it begins; where its block begins if that is compressed.
    pub fn offset(&self) -> u64 {
        match self.list.inflated {
            Some(_) => self.list.offset,
            None => self.value.start as u64,
        }
    }

    /// Lets a large value go, or a part of it; it can still be looked at.
    pub fn release(&self, part: Range<usize>) {
        if self.list.inflated.is_none() && self.value.len() > LARGE {
            let start = self.value.start.saturating_add(part.start);
            let end = self.value.start.saturating_add(part.end).min(self.value.end);
            (self.table.release)(&self.table.data, start..end);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::{TableBuilder, tests::listed};
    use super::*;

    fn open(file: Vec<u8>) -> Result<Lookup<Vec<u8>>, TableError> {
        Lookup::open(file, |_, _| ())
    }

    fn key(number: u32) -> Vec<u8> {
        format!("layer_{number:05}/kernel").into_bytes()
    }

    fn built(count: u32, len: usize) -> Vec<u8> {
        let mut builder = TableBuilder::new(Vec::new());
        for number in 0..count {
            builder.insert(&key(number), &number.to_le_bytes().repeat(len)).unwrap();
        }
        builder.finish().unwrap()
    }

    #[test]
    fn every_key_is_found_and_no_other() {
        for (count, len) in [(5000, 40), (3, 200_000), (0, 0)] {
            let table = open(built(count, len)).unwrap();
            for number in (0..count).chain((0..count).rev()) {
                let found = table.find(&key(number)).unwrap().unwrap();
                assert_eq!(found.bytes(), number.to_le_bytes().repeat(len));
                let at = usize::try_from(found.offset()).unwrap();
                assert_eq!(table.data[at..][..4], number.to_le_bytes());
            }
            for other in [&b""[..], b"layer_00001", b"layer_00001/kernel0", b"m"] {
                assert!(table.find(other).unwrap().is_none());
            }
            table.check(&mut |error| panic!("{error}"));
        }
    }

    #[test]
    fn damage_is_found_where_it_is_and_nowhere_else() {
        let mut file = built(3, 200_000);
        file[1_000_000] ^= 1;
        let table = open(file.clone()).unwrap();
        assert!(table.find(&key(0)).unwrap().is_some());
        let error = table.find(&key(1)).unwrap_err();
        assert!(matches!(error.what, Damage::Checksum { .. }));
        assert!(table.find(&key(2)).unwrap().is_some());
        assert_eq!(table.find(&key(1)).unwrap_err(), error);
        let mut found = Vec::new();
        table.check(&mut |damage| found.push(damage));
        assert_eq!(found, [error]);
        let at = file.len() - 60;
        file[at] ^= 1;
        assert!(matches!(open(file).unwrap_err().what, Damage::Checksum { .. }));
    }

    #[test]
    fn a_large_block_is_let_go_piece_by_piece_and_summed_once() {
        static LET_GO: AtomicUsize = AtomicUsize::new(0);
        let file = built(1, 5 << 20);
        let table = Lookup::open(file, |_, range| {
            LET_GO.fetch_add(range.len(), Ordering::Relaxed);
        });
        let table = table.unwrap();
        let size = usize::try_from(table.handles[0].size).unwrap();
        for _ in 0..2 {
            let found = table.find(&key(0)).unwrap().unwrap();
            assert_eq!(found.bytes().len(), 20 << 20);
            assert_eq!(LET_GO.load(Ordering::Relaxed), size);
        }
        table.find(&key(0)).unwrap().unwrap().release(0..100);
        assert_eq!(LET_GO.load(Ordering::Relaxed), size + 100);
    }

    #[test]
    fn compressed_blocks() {
        let file = listed(&[(&["a", "b"], "b"), (&["c"], "d")], false, true);
        let table = open(file).unwrap();
        for key in ["a", "b", "c"] {
            let found = table.find(key.as_bytes()).unwrap().unwrap();
            assert_eq!(found.bytes(), b"");
            found.release(0..1);
        }
        assert!(table.find(b"d").unwrap().is_none());
    }

    #[test]
    fn keys_that_lookups_would_miss_are_damage() {
        let what = |blocks: &[(&[&str], &str)], key: &str| {
            let table = open(listed(blocks, false, false)).unwrap();
            table.find(key.as_bytes()).unwrap_err().what
        };
        let wrong = |previous: &str, got: &str| Damage::OutOfOrder {
            previous: previous.into(),
            got: got.into(),
        };
        assert_eq!(what(&[(&["a", "c"], "d"), (&["b"], "e")], "e"), wrong("d", "b"));
        assert_eq!(what(&[(&["a", "c"], "b")], "a"), wrong("c", "b"));
        let twice = what(&[(&["a"], "a"), (&["a"], "b")], "b");
        assert_eq!(twice, Damage::Duplicate(b"a".into()));
        assert_eq!(what(&[(&["b"], "a")], "a"), wrong("b", "a"));
        let overlap = open(listed(&[(&["a"], "a"), (&["b"], "b")], true, false)).unwrap_err();
        assert_eq!(overlap.what, Damage::Overlap { previous_end: 12 });
        assert!(matches!(open(vec![]).unwrap_err().what, Damage::TooShort { .. }));
    }

    /// Each entry continues almost all of a long key.
    #[test]
    fn keys_that_only_pretend_to_be_long_are_refused() {
        let mut builder = TableBuilder::new(Vec::new());
        let long = vec![b'k'; 100_000];
        for number in 0..1000_u32 {
            builder.insert(&[&long[..], &number.to_be_bytes()].concat(), b"").unwrap();
        }
        let table = open(builder.finish().unwrap()).unwrap();
        assert!(table.find(&long).is_ok_and(|found| found.is_none()));
        let mut bomb = super::super::block_builder::BlockBuilder::new(100_000);
        for number in 0..1000_u32 {
            bomb.insert(&[&long[..], &number.to_be_bytes()].concat(), b"");
        }
        let (bytes, size) = bomb.finish();
        let handle = Handle { offset: 0, size };
        let error = List::of(Block::load(&bytes, handle).unwrap(), handle).unwrap_err();
        assert!(matches!(error.what, Damage::Keys { .. }), "{error}");
    }
}
