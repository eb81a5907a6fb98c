//! The keys of one block, written out so that one of them is found quickly.

use std::ops::Range;

use super::block::Block;
use super::footer::Handle;
use super::{Damage, TableError};

/// Keys written out take no more than so many times the bytes of their block: in a block each
/// continues the one before, and a few bytes can stand for a long key.
const MAX_GROWTH: usize = 16;

/// Keys of a small block take no more than this.
const FREE: usize = 1 << 16;

/// Sorted keys.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// One after the other.
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    limit: usize,
}

impl Keys {
    /// Room for the keys of a block of `len` bytes.
    pub(super) fn for_block(len: usize) -> Self {
        let limit = len.saturating_mul(MAX_GROWTH).saturating_add(FREE);
        Self { bytes: Vec::new(), ends: Vec::new(), limit }
    }

    /// Appends the next key, that of the entry at `offset`.
    pub(super) fn push(&mut self, key: &[u8], offset: u64) -> Result<(), TableError> {
        if self.bytes.len().saturating_add(key.len()) > self.limit {
            let what = Damage::Keys { limit: self.limit as u64 };
            return Err(TableError { offset, what });
        }
        self.bytes.extend(key);
        self.ends.push(self.bytes.len());
        Ok(())
    }

    /// A key by its number.
    pub(super) fn get(&self, number: usize) -> Option<&[u8]> {
        let before = number.checked_sub(1).and_then(|before| self.ends.get(before));
        let end = *self.ends.get(number)?;
        self.bytes.get(before.copied().unwrap_or_default()..end)
    }

    pub(super) fn first(&self) -> Option<&[u8]> {
        self.get(0)
    }

    pub(super) fn last(&self) -> Option<&[u8]> {
        self.get(self.ends.len().checked_sub(1)?)
    }

    /// The number of the first key that is not below `key`.
    pub(super) fn first_from(&self, key: &[u8]) -> usize {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.get(middle).is_some_and(|found| found < key) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// The entries of a block.
#[derive(Debug, Default)]
pub(super) struct List {
    /// Their keys.
    pub(super) keys: Keys,
    /// Their values: stretches of `inflated`, or of the file.
    values: Vec<Range<usize>>,
    /// The block, if it was compressed.
    pub(super) inflated: Option<Vec<u8>>,
    /// Where it begins in the file.
    pub(super) offset: u64,
    /// Bytes it has there.
    stored: usize,
}

impl List {
    /// Lists what is in the block at `handle`.
    pub(super) fn of(block: Block<'_>, handle: Handle) -> Result<Self, TableError> {
        let fits = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let base = if block.is_inflated() { 0 } else { fits(handle.offset) };
        let (mut keys, mut values) = (Keys::for_block(block.len()), Vec::new());
        let mut entries = block.entries()?;
        while let Some(entry) = entries.advance()? {
            keys.push(entry.key, entry.offset)?;
            let start = base.saturating_add(entry.value_at);
            values.push(start..start.saturating_add(entry.value.len()));
        }
        let (offset, stored) = (handle.offset, fits(handle.size));
        Ok(Self { keys, values, inflated: block.into_inflated(), offset, stored })
    }

    /// The value of `key`.
    pub(super) fn value(&self, key: &[u8]) -> Option<Range<usize>> {
        let number = self.keys.first_from(key);
        self.keys.get(number).filter(|found| *found == key)?;
        self.values.get(number).cloned()
    }

    /// Bytes of memory it holds, those of the file that lie there for it included: unless they are
    /// more than `large`, as those are let go at once.
    pub(super) fn weight(&self, large: usize) -> usize {
        let values =
            self.values.len().saturating_mul(size_of::<Range<usize>>() + size_of::<usize>());
        let held = match &self.inflated {
            Some(bytes) => bytes.len(),
            None if self.stored > large => 0,
            None => self.stored,
        };
        held.saturating_add(values).saturating_add(self.keys.bytes.len())
    }

    /// The bytes of the file that its values lie in.
    pub(super) fn in_file(&self) -> Range<usize> {
        let start = usize::try_from(self.offset).unwrap_or(usize::MAX);
        let len = if self.inflated.is_none() { self.stored } else { 0 };
        start..start.saturating_add(len)
    }
}
