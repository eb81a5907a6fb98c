//! One block: keys with values, each key continuing the one before it.
//!
//! ```text
//! entry     varint shared | varint unshared | varint value length | unshared key bytes | value
//! …         a key is the first `shared` bytes of the previous key, then the unshared bytes
//! restarts  u32 offset of each entry whose key is stored whole
//! count     u32 number of restarts
//! ---------------------------------------------------------------------- trailer, not counted
//! type      u8: 0 as it is, 1 Snappy
//! checksum  u32 masked CRC of the stored block and the type
//! ```
//! Compressed or not, every block has its trailer checked before a byte of it is believed.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use super::footer::Handle;
use super::input::Input;
use super::{Damage, TableError};
use crate::crc::Crc;

/// No block decompresses to more: TensorFlow puts at most 2 GiB into one.
pub(super) const MAX_INFLATED: u64 = 1 << 31;

/// Nor does one of a table that is read whole, where TensorFlow begins another after 256 KiB.
const MAX_LOADED: u64 = 1 << 26;

/// Snappy's densest element turns 3 bytes into 64, so no honest block grows by more than this.
const MAX_GROWTH: u64 = 22;

/// The keys of one block add up to no more. A few bytes can stand for a long key, so a small block
/// could otherwise keep whoever copies its keys busy for hours.
const MAX_KEYS: u64 = 1 << 30;

/// A block as it lies in the file; nothing of it is believed yet.
#[derive(Debug)]
pub(super) struct Located<'a> {
    stored: &'a [u8],
    kind: &'a [u8],
    sum: Crc,
    offset: u64,
}

impl<'a> Located<'a> {
    /// The block of `file` at `handle`.
    pub(super) fn at(file: &'a [u8], handle: Handle) -> Result<Self, TableError> {
        let offset = handle.offset;
        let damaged = |what| TableError { offset, what };
        let mut input = Input::new(file, 0);
        input.take(offset, "the file up to this block").map_err(|error| damaged(error.what))?;
        let stored = input.take(handle.size, "a block")?;
        let kind = input.take(1, "the type of a block")?;
        let sum = Crc::from_masked(input.u32("the checksum of a block")?);
        Ok(Self { stored, kind, sum, offset })
    }

    /// Where in the file it lies.
    pub(super) fn range(&self) -> Range<usize> {
        // It lies in memory, so this fits.
        let start = usize::try_from(self.offset).unwrap_or(usize::MAX);
        start..start.saturating_add(self.stored.len())
    }

    /// Checks its sum, `step` bytes at a time; `passed` hears which bytes of the file they were.
    pub(super) fn verify(
        &self,
        step: usize,
        mut passed: impl FnMut(Range<usize>),
    ) -> Result<(), TableError> {
        let (mut computed, mut at) = (Crc::default(), self.range().start);
        for part in self.stored.chunks(step.max(1)) {
            computed = computed.extend(part);
            passed(at..at + part.len());
            at += part.len();
        }
        let (stored, computed) = (self.sum, computed.extend(self.kind));
        if stored.agrees(computed) {
            return Ok(());
        }
        Err(TableError { offset: self.offset, what: Damage::Checksum { stored, computed } })
    }

    /// The block that it is, once its sum has been checked; it decompresses to at most `limit`
    /// bytes.
    pub(super) fn open(&self, limit: u64) -> Result<Block<'a>, TableError> {
        let offset = self.offset;
        let damaged = |what| TableError { offset, what };
        let bytes = match self.kind {
            [0] => Cow::Borrowed(self.stored),
            [1] => Cow::Owned(inflate(self.stored, limit).map_err(damaged)?),
            other => {
                return Err(damaged(Damage::BlockType(other.first().copied().unwrap_or_default())));
            }
        };
        Ok(Block { bytes, offset })
    }
}

/// A block whose checksum is right.
#[derive(Debug)]
pub(super) struct Block<'a> {
    bytes: Cow<'a, [u8]>,
    offset: u64,
}

/// An entry; the key is gone when the next one is asked for.
#[derive(Debug)]
pub(super) struct Entry<'e> {
    /// Where it begins.
    pub(super) offset: u64,
    pub(super) key: &'e [u8],
    pub(super) value: &'e [u8],
    /// Where in the block the value begins.
    pub(super) value_at: usize,
}

impl<'a> Block<'a> {
    /// The block of `file` at `handle`.
    pub(super) fn load(file: &'a [u8], handle: Handle) -> Result<Self, TableError> {
        let located = Located::at(file, handle)?;
        located.verify(usize::MAX, |_| ())?;
        located.open(MAX_LOADED)
    }

    /// Bytes it has, decompressed.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it was compressed.
    pub(super) fn is_inflated(&self) -> bool {
        matches!(self.bytes, Cow::Owned(_))
    }

    /// Its bytes, if it was compressed; otherwise they are the file's.
    pub(super) fn into_inflated(self) -> Option<Vec<u8>> {
        match self.bytes {
            Cow::Owned(bytes) => Some(bytes),
            Cow::Borrowed(_) => None,
        }
    }

    /// Its entries, from the first one on.
    pub(super) fn entries(&self) -> Result<Entries<'_>, TableError> {
        let mut input = match &self.bytes {
            Cow::Borrowed(bytes) => Input::new(bytes, self.offset),
            Cow::Owned(bytes) => Input::inflated(bytes, self.offset),
        };
        let what = "the list of restart points";
        let len = input.len() as u64;
        let mut tail = input.clone();
        tail.take(len.saturating_sub(4), what)?;
        let needed = u64::from(tail.u32(what)?) * 4 + 4;
        let Some(len) = len.checked_sub(needed) else {
            return Err(input.damaged(Damage::Truncated { what, needed, left: len }));
        };
        let entries = input.split(len, "the entries of a block")?;
        let restarts = input.split(needed - 4, what)?;
        Ok(Entries {
            len: entries.len(),
            input: entries,
            restarts,
            passed: 0,
            key: Vec::new(),
            keys: 0,
        })
    }
}

/// The entries of a block, which prove themselves in order as they go by.
#[derive(Debug)]
pub(super) struct Entries<'b> {
    input: Input<'b>,
    /// Bytes of all entries.
    len: usize,
    /// Restart points ahead.
    restarts: Input<'b>,
    /// Restart points behind.
    passed: usize,
    key: Vec<u8>,
    /// Bytes of all keys so far.
    keys: u64,
}

impl Entries<'_> {
    /// The next entry; `None` at the end.
    pub(super) fn advance(&mut self) -> Result<Option<Entry<'_>>, TableError> {
        let at = self.input.clone();
        let position = self.len - at.len();
        if at.len() == 0 {
            // An empty block has a restart point all the same, which leads nowhere.
            let unused = self.restarts.len() > 0 && self.len > 0;
            return if unused { Err(at.damaged(Damage::Restart(self.passed))) } else { Ok(None) };
        }
        let shared = self.input.varint32("the shared length of a key")?;
        let unshared = self.input.varint32("the length of a key")?;
        let value = self.input.varint32("the length of a value")?;
        let unshared = self.input.take(unshared, "a key")?;
        let value = self.input.take(value, "a value")?;
        let value_at = self.len - self.input.len() - value.len();

        self.pass_restart(position as u64, shared).map_err(|what| at.damaged(what))?;
        let len = self.key.len() as u64;
        let rest = usize::try_from(shared).ok().and_then(|shared| self.key.get(shared..));
        let rest = rest.ok_or_else(|| at.damaged(Damage::Shared { shared, len }))?;
        let order = if position == 0 { Ordering::Less } else { rest.cmp(unshared) };
        let keep = self.key.len() - rest.len();
        let previous = (order != Ordering::Less).then(|| self.key.clone());
        self.key.truncate(keep);
        self.key.extend(unshared);
        if let Some(previous) = previous {
            return Err(at.damaged(misordered(previous, &self.key)));
        }
        self.keys += self.key.len() as u64;
        if self.keys > MAX_KEYS {
            return Err(at.damaged(Damage::Keys { limit: MAX_KEYS }));
        }
        Ok(Some(Entry { offset: at.offset(), key: &self.key, value, value_at }))
    }

    /// The last key that was read; `None` if there was none.
    pub(super) fn into_last_key(self) -> Option<Vec<u8>> {
        (self.passed > 0).then_some(self.key)
    }

    /// Checks the restart point ahead against the entry at `position`.
    fn pass_restart(&mut self, position: u64, shared: u64) -> Result<(), Damage> {
        let wrong = Damage::Restart(self.passed);
        let mut ahead = self.restarts.clone();
        let restart = match ahead.u32("a restart point") {
            Ok(restart) => u64::from(restart),
            // The first entry is found by a restart point or not at all.
            Err(_) if position > 0 => return Ok(()),
            Err(_) => return Err(wrong),
        };
        match restart.cmp(&position) {
            Ordering::Greater if position > 0 => Ok(()),
            Ordering::Equal if shared == 0 => {
                self.restarts = ahead;
                self.passed += 1;
                Ok(())
            }
            _ => Err(wrong),
        }
    }
}

/// What is wrong with `got` coming after `previous`.
pub(super) fn misordered(previous: Vec<u8>, got: &[u8]) -> Damage {
    let got = got.to_vec();
    if previous == got { Damage::Duplicate(got) } else { Damage::OutOfOrder { previous, got } }
}

fn inflate(stored: &[u8], limit: u64) -> Result<Vec<u8>, Damage> {
    let claimed = snap::raw::decompress_len(stored).map_err(Damage::Snappy)? as u64;
    let len = stored.len() as u64;
    if claimed > limit.min(len.saturating_mul(MAX_GROWTH)) {
        return Err(Damage::Inflated { stored: len, claimed });
    }
    let mut bytes = Vec::new();
    let size = usize::try_from(claimed).unwrap_or(usize::MAX);
    // It may be more than there is room for, though the file is small.
    bytes.try_reserve_exact(size).map_err(|_| Damage::Memory(claimed))?;
    bytes.resize(size, 0);
    let len = snap::raw::Decoder::new().decompress(stored, &mut bytes).map_err(Damage::Snappy)?;
    bytes.truncate(len);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::block_builder::BlockBuilder;
    use super::*;

    /// `content` as a block of type `kind`, trailer included, and its handle.
    fn sealed(content: &[u8], kind: u8) -> (Vec<u8>, Handle) {
        let mut file = content.to_vec();
        file.push(kind);
        file.extend(Crc::of(&file).masked().to_le_bytes());
        (file, Handle { offset: 0, size: content.len() as u64 })
    }

    fn keys(content: &[u8], kind: u8) -> Result<Vec<Vec<u8>>, TableError> {
        let (file, handle) = sealed(content, kind);
        let block = Block::load(&file, handle)?;
        let mut entries = block.entries()?;
        let mut keys = Vec::new();
        while let Some(entry) = entries.advance()? {
            keys.push(entry.key.to_vec());
        }
        Ok(keys)
    }

    fn built(interval: usize) -> Vec<u8> {
        let mut block = BlockBuilder::new(interval);
        for key in ["", "a", "ab", "abc", "b"] {
            block.insert(key.as_bytes(), b"value");
        }
        let (mut bytes, size) = block.finish();
        bytes.truncate(usize::try_from(size).unwrap());
        bytes
    }

    #[test]
    fn entries_come_back_for_every_interval_compressed_or_not() {
        for interval in [1, 2, 16, 1000] {
            let block = built(interval);
            assert_eq!(keys(&block, 0).unwrap(), [&b""[..], b"a", b"ab", b"abc", b"b"]);
            let small = snap::raw::Encoder::new().compress_vec(&block).unwrap();
            assert_eq!(keys(&small, 1).unwrap().len(), 5);
        }
        assert!(keys(&[0, 0, 0, 0, 1, 0, 0, 0], 0).unwrap().is_empty());
    }

    #[test]
    fn what_lookups_would_stumble_over_is_damage() {
        let what = |content: &[u8]| keys(content, 0).unwrap_err().what;
        let entries = b"\0\x01\0b\0\x01\0a";
        let ordered = [&entries[..], &[0, 0, 0, 0, 1, 0, 0, 0]].concat();
        let (previous, got) = (b"b".to_vec(), b"a".to_vec());
        assert_eq!(what(&ordered), Damage::OutOfOrder { previous, got });
        assert_eq!(what(b"\0\x01\0b\x01\0\0\0\0\0\0\x01\0\0\0"), Damage::Duplicate(b"b".into()));
        let endless = what(b"\0\x80\0\0\0\0\x01\0\0\0");
        assert_eq!(endless, Damage::Varint("the length of a key"));
        assert_eq!(what(b"\0\x01\0b\0\0\0\0"), Damage::Restart(0));
        assert_eq!(what(b"\0\x01\0b\0\0\0\0\x01\0\0\0\x02\0\0\0"), Damage::Restart(1));
        assert_eq!(what(b"\x01\x01\0b\0\0\0\0\x01\0\0\0"), Damage::Restart(0));
        assert!(matches!(what(&[1, 0, 0, 0]), Damage::Truncated { needed: 8, left: 4, .. }));
        assert!(matches!(what(&[0, 0]), Damage::Truncated { .. }));
    }

    #[test]
    fn a_block_cannot_claim_to_grow_beyond_reason() {
        let bomb = [0xff, 0xff, 0xff, 0x7f, 0];
        assert!(matches!(keys(&bomb, 1).unwrap_err().what, Damage::Inflated { stored: 5, .. }));
        assert!(matches!(keys(&[9, 1, 1], 1).unwrap_err().what, Damage::Snappy(_)));
        assert_eq!(keys(&[], 2).unwrap_err().what, Damage::BlockType(2));
    }

    proptest! {
        /// The checksum is right here, so nothing but the decoder stands between bytes and keys.
        #[test]
        fn any_bytes_give_ordered_keys_or_an_error(
            content in prop::collection::vec(prop_oneof![0_u8..4, any::<u8>()], 0..64),
            kind in 0_u8..3,
        ) {
            if let Ok(keys) = keys(&content, kind) {
                prop_assert!(keys.is_sorted());
            }
        }
    }
}
