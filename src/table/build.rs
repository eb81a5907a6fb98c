//! Writing a table exactly as TensorFlow does, down to where a block ends and how an index key is
//! shortened: the same entries give the same bytes.

use std::io::Write;

use super::BuildError;
use super::block_builder::BlockBuilder;
use super::footer::{Handle, encode};

/// A data block is closed once it has this many bytes.
const BLOCK_LEN: usize = 262_144;

/// An entry of this many bytes gets a block of its own, apart from what came before.
const LARGE_ENTRY: usize = 2 * BLOCK_LEN;

/// Every so many keys one is stored whole.
const RESTART_INTERVAL: usize = 16;

/// Lengths are 32-bit numbers; with entries below this no offset in a block exceeds one either.
const MAX_ENTRY: usize = 1 << 31;

/// Writes a table to a sink, in one pass.
///
/// Entries must come in ascending order of their keys; one that does not is refused, and the
/// table goes on without it. Memory holds one block and the index.
#[derive(Debug)]
pub struct TableBuilder<W> {
    out: W,
    /// Bytes written.
    offset: u64,
    data: BlockBuilder,
    index: BlockBuilder,
    last_key: Option<Vec<u8>>,
    /// A block that is written but not listed: its index key depends on the key that comes next.
    pending: Option<Handle>,
}

impl<W: Write> TableBuilder<W> {
    /// A table without entries.
    pub fn new(out: W) -> Self {
        Self {
            out,
            offset: 0,
            data: BlockBuilder::new(RESTART_INTERVAL),
            index: BlockBuilder::new(1),
            last_key: None,
            pending: None,
        }
    }

    /// Appends an entry.
    pub fn insert(&mut self, key: &[u8], value: &[u8]) -> Result<(), BuildError> {
        let len = key.len().saturating_add(value.len());
        if len >= MAX_ENTRY {
            return Err(BuildError::TooLarge(len));
        }
        if let Some(previous) = self.last_key.as_ref().filter(|&previous| previous[..] >= *key) {
            return Err(BuildError::OutOfOrder { previous: previous.clone(), got: key.to_vec() });
        }
        if len >= LARGE_ENTRY {
            self.flush()?;
        }
        if let Some(handle) = self.pending.take() {
            self.list(&separator(self.last_key.as_deref().unwrap_or_default(), key), handle);
        }
        self.data.insert(key, value);
        let last_key = self.last_key.get_or_insert_default();
        last_key.clear();
        last_key.extend(key);
        if self.data.len() >= BLOCK_LEN {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what is left and hands the sink back.
    pub fn finish(mut self) -> Result<W, BuildError> {
        self.flush()?;
        let metaindex = self.write(BlockBuilder::new(1).finish())?;
        if let Some(handle) = self.pending.take() {
            self.list(&successor(self.last_key.as_deref().unwrap_or_default()), handle);
        }
        let index = self.index.finish();
        let index = self.write(index)?;
        self.out.write_all(&encode(metaindex, index))?;
        Ok(self.out)
    }

    fn flush(&mut self) -> Result<(), BuildError> {
        if !self.data.is_empty() {
            let block = self.data.finish();
            self.pending = Some(self.write(block)?);
        }
        Ok(())
    }

    fn write(&mut self, (block, size): (Vec<u8>, u64)) -> Result<Handle, BuildError> {
        self.out.write_all(&block)?;
        let handle = Handle { offset: self.offset, size };
        self.offset += block.len() as u64;
        Ok(handle)
    }

    fn list(&mut self, key: &[u8], handle: Handle) {
        let mut value = Vec::new();
        handle.write(&mut value);
        self.index.insert(key, &value);
    }
}

/// A short key from `last`, the last of a block, on and before `next`. Only the first byte in
/// which they differ is tried, as TensorFlow does.
fn separator(last: &[u8], next: &[u8]) -> Vec<u8> {
    let common = last.iter().zip(next).take_while(|(a, b)| a == b).count();
    match (last.get(..=common).and_then(<[u8]>::split_last), next.get(common)) {
        (Some((&byte, prefix)), Some(&bound)) if byte.checked_add(1).is_some_and(|b| b < bound) => {
            [prefix, &[byte + 1]].concat()
        }
        _ => last.to_vec(),
    }
}

/// A short key from `last` on; nothing comes after.
fn successor(last: &[u8]) -> Vec<u8> {
    match last.iter().position(|&byte| byte != 0xff) {
        Some(at) => {
            let mut key: Vec<u8> = last.iter().take(at + 1).copied().collect();
            key.iter_mut().skip(at).for_each(|byte| *byte += 1);
            key
        }
        None => last.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Table;
    use super::*;

    /// `tf.train.Checkpoint(k=tf.Variable([1., 2.], name="d/k")).write(…)`, as TensorFlow 2.15 and
    /// 2.21 write its index.
    fn written_by_tensorflow() -> Vec<u8> {
        let parts: [&[u8]; 9] = [
            b"\0\0\x06\x08\x01\x1a\x02\x08\x01",
            b"\0\x1c\x0d_CHECKPOINTABLE_OBJECT_GRAPH\x08\x07\x12\0\x20\x08\x28\x4d\x35\xf4\xbc\0\xaa",
            b"\0\x1c\x0fk/.ATTRIBUTES/VARIABLE_VALUE\x08\x01\x12\x04\x12\x02\x08\x02",
            b"\x28\x08\x35\x59\x3c\xe5\x35\0\0\0\0\x01\0\0\0\0\xf4\x62\xcc\xd4",
            b"\0\0\0\0\x01\0\0\0\0\xc0\xf2\xa1\xb0",
            b"\0\x01\x02l\0\x6b\0\0\0\0\x01\0\0\0\0\x2b\xe8\xc3\x11",
            b"\x70\x08\x7d\x0e",
            &[0; 36],
            b"\x57\xfb\x80\x8b\x24\x75\x47\xdb",
        ];
        parts.concat()
    }

    /// The table that `entries` make.
    fn table(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
        let mut builder = TableBuilder::new(Vec::new());
        for (key, value) in entries {
            builder.insert(key, value).unwrap();
        }
        builder.finish().unwrap()
    }

    fn entries(table: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut entries = Vec::new();
        Table::parse(table)
            .unwrap()
            .for_each(|key, value| {
                entries.push((key.to_vec(), value.to_vec()));
                Ok::<_, super::super::TableError>(())
            })
            .unwrap();
        entries
    }

    #[test]
    fn the_bytes_are_tensorflows() {
        let file = written_by_tensorflow();
        assert_eq!(file.len(), 192);
        assert_eq!(table(&entries(&file)), file);
    }

    #[test]
    fn entries_come_back_across_blocks() {
        let key = |i: u32| format!("layer_{i:06}/kernel").into_bytes();
        let len = |i: u32| if i % 100 == 7 { LARGE_ENTRY } else { 3000 };
        let all: Vec<_> = (0..400).map(|i| (key(i), vec![7; len(i)])).collect();
        assert_eq!(entries(&table(&all)), all);
        assert_eq!(entries(&table(&[])), []);
    }

    #[test]
    fn order_is_enforced_and_a_refused_entry_leaves_no_trace() {
        let mut builder = TableBuilder::new(Vec::new());
        builder.insert(b"b", b"1").unwrap();
        let error = builder.insert(b"a", b"2").unwrap_err();
        assert_eq!(error.to_string(), "key `a` does not come after `b`");
        assert!(builder.insert(b"b", b"3").is_err());
        assert_eq!(entries(&builder.finish().unwrap()), [(b"b".to_vec(), b"1".to_vec())]);
    }

    #[test]
    fn index_keys_are_shortened_as_tensorflow_does() {
        assert_eq!(separator(b"abc", b"abf"), b"abd");
        assert_eq!(separator(b"abcz", b"abfz"), b"abd");
        assert_eq!(separator(b"abc", b"abd"), b"abc");
        assert_eq!(separator(b"ab", b"abc"), b"ab");
        assert_eq!(separator(b"a\xff", b"b"), b"a\xff");
        assert_eq!(successor(b"k/x"), b"l");
        assert_eq!(successor(b"\xff\xffa"), b"\xff\xffb");
        assert_eq!(successor(b"\xff"), b"\xff");
        assert_eq!(successor(b""), b"");
    }
}
