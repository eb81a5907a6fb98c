//! The end of a table, where reading begins, and the handles that lead from there to the blocks.
//!
//! ```text
//! varint offset, varint size   of the metaindex block, which TensorFlow never reads
//! varint offset, varint size   of the index block
//! padding up to 40 bytes
//! u64 magic
//! ```

use super::input::Input;
use super::{Damage, TableError};
use crate::varint;

/// Length of a footer.
pub(super) const LEN: usize = 48;

/// The number a table ends with.
const MAGIC: u64 = 0xdb47_7524_8b80_fb57;

/// Where a block lies; the trailer behind it is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Handle {
    /// First byte.
    pub(super) offset: u64,
    /// Number of bytes.
    pub(super) size: u64,
}

impl Handle {
    pub(super) fn read(input: &mut Input<'_>) -> Result<Self, TableError> {
        let offset = input.varint("the offset of a block")?;
        let size = input.varint("the size of a block")?;
        Ok(Self { offset, size })
    }

    pub(super) fn write(self, out: &mut Vec<u8>) {
        varint::write(self.offset, out);
        varint::write(self.size, out);
    }
}

/// Whether `tail`, the last bytes of a file, are those of a table.
pub(super) fn is_table(tail: &[u8]) -> bool {
    tail.last_chunk().is_some_and(|&magic| u64::from_le_bytes(magic) == MAGIC)
}

/// The handle of the index block of `file`. What pads the footer does not matter.
pub(super) fn read(file: &[u8]) -> Result<Handle, TableError> {
    let len = file.len() as u64;
    let Some((_, footer)) = file.split_last_chunk::<LEN>() else {
        return Err(TableError { offset: 0, what: Damage::TooShort { len, needed: LEN as u64 } });
    };
    let found = footer.last_chunk().map(|&magic| u64::from_le_bytes(magic)).unwrap_or_default();
    if found != MAGIC {
        return Err(TableError { offset: len - 8, what: Damage::Magic { found } });
    }
    let mut input = Input::new(footer, len - LEN as u64);
    let _metaindex = Handle::read(&mut input)?;
    Handle::read(&mut input)
}

/// A footer.
pub(super) fn encode(metaindex: Handle, index: Handle) -> Vec<u8> {
    let mut footer = Vec::with_capacity(LEN);
    metaindex.write(&mut footer);
    index.write(&mut footer);
    footer.resize(LEN - 8, 0);
    footer.extend(MAGIC.to_le_bytes());
    footer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_come_back_whatever_pads_them() {
        let index = Handle { offset: 125, size: 14 };
        let mut footer = encode(Handle { offset: 112, size: 8 }, index);
        assert_eq!(footer.len(), LEN);
        assert_eq!(footer[..4], [0x70, 0x08, 0x7d, 0x0e]);
        footer[30] = 9;
        assert_eq!(read(&footer), Ok(index));
        footer.push(0);
        assert!(matches!(read(&footer).unwrap_err().what, Damage::Magic { .. }));
        assert!(matches!(read(&footer[..47]).unwrap_err().what, Damage::TooShort { len: 47, .. }));
    }
}
