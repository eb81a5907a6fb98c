//! A file as protobuf fields, one at a time: what is not asked for is stepped over, not read.

use std::sync::Arc;

use super::error::MetaError;
use crate::files::Blob;

/// Bytes read at once where fields follow each other.
const WINDOW: u64 = 1 << 16;

/// Bytes of a varint at most.
const VARINT: u32 = 10;

/// A stretch of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    start: u64,
    end: u64,
}

impl Span {
    /// Its length in bytes.
    pub(super) fn len(self) -> u64 {
        self.end - self.start
    }
}

/// A file and the part of it that was read last.
#[derive(Debug)]
pub(super) struct Wire {
    blob: Arc<dyn Blob>,
    window: Vec<u8>,
    at: u64,
}

impl Wire {
    pub(super) fn new(blob: Arc<dyn Blob>) -> Self {
        Self { blob, window: Vec::new(), at: 0 }
    }

    /// The whole file.
    pub(super) fn all(&self) -> Span {
        Span { start: 0, end: self.blob.len() }
    }

    /// The next field of `message` that has bytes: its number and they. Numbers are passed over.
    pub(super) fn next(&mut self, message: &mut Span) -> Result<Option<(u64, Span)>, MetaError> {
        while message.start < message.end {
            let at = message.start;
            let tag = self.varint(message)?;
            let skip = match tag & 7 {
                0 => {
                    self.varint(message)?;
                    continue;
                }
                1 => 8,
                2 => self.varint(message)?,
                5 => 4,
                _ => return Err(MetaError::Damaged(at)),
            };
            let start = message.start;
            let inside = start.checked_add(skip).filter(|&end| end <= message.end);
            let end = inside.ok_or(MetaError::Damaged(at))?;
            message.start = end;
            if tag & 7 == 2 {
                return Ok(Some((tag >> 3, Span { start, end })));
            }
        }
        Ok(None)
    }

    /// The bytes at `span`; `None` where they are more than `limit`.
    pub(super) fn bytes(&self, span: Span, limit: u64) -> Result<Option<Vec<u8>>, MetaError> {
        let Some(len) = usize::try_from(span.len()).ok().filter(|_| span.len() <= limit) else {
            return Ok(None);
        };
        let mut bytes = vec![0; len];
        self.blob.read_at(span.start, &mut bytes)?;
        Ok(Some(bytes))
    }

    /// The text at `span`; `None` where it is longer than `limit`.
    pub(super) fn text(&mut self, span: Span, limit: u64) -> Result<Option<String>, MetaError> {
        let mut bytes = Vec::new();
        if span.len() > limit {
            return Ok(None);
        }
        // Mostly in the window, as the field it belongs to has just been read.
        for at in span.start..span.end {
            bytes.push(self.byte(at)?);
        }
        String::from_utf8(bytes).map(Some).map_err(|_| MetaError::Damaged(span.start))
    }

    fn varint(&mut self, message: &mut Span) -> Result<u64, MetaError> {
        let begun = message.start;
        let mut value = 0;
        for group in 0..VARINT {
            if message.start == message.end {
                break;
            }
            let byte = self.byte(message.start)?;
            message.start += 1;
            value |= u64::from(byte & 0x7f) << (7 * group);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(MetaError::Damaged(begun))
    }

    fn byte(&mut self, at: u64) -> Result<u8, MetaError> {
        if let Some(byte) = self.seen(at) {
            return Ok(byte);
        }
        let len = self.blob.len().saturating_sub(at).min(WINDOW);
        self.window.resize(usize::try_from(len).unwrap_or_default(), 0);
        self.at = at;
        self.blob.read_at(at, &mut self.window)?;
        self.seen(at).ok_or(MetaError::Damaged(at))
    }

    fn seen(&self, at: u64) -> Option<u8> {
        let place = usize::try_from(at.checked_sub(self.at)?).ok()?;
        self.window.get(place).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::wire;
    use super::*;

    fn fields(bytes: &[u8]) -> Result<Vec<(u64, u64)>, MetaError> {
        let mut wire = wire(bytes);
        let mut all = wire.all();
        let mut found = Vec::new();
        while let Some((number, span)) = wire.next(&mut all)? {
            found.push((number, span.len()));
        }
        Ok(found)
    }

    #[test]
    fn fields_with_bytes_are_found_among_numbers() {
        let bytes = b"\x08\xac\x02\x12\x03abc\x1d\0\0\0\0\x21\0\0\0\0\0\0\0\0\xfa\x01\0";
        assert_eq!(fields(bytes).unwrap(), [(2, 3), (31, 0)]);
        assert_eq!(fields(b"").unwrap(), []);
    }

    #[test]
    fn what_leads_out_of_the_file_is_damage() {
        for (bytes, at) in [
            (&b"\x12\x04abc"[..], 0),
            (b"\x12\0\x12", 3),
            (b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 0),
            (b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 1),
            (b"\x1d\0\0", 0),
            (b"\x0b\x0c", 0),
        ] {
            let found = fields(bytes);
            assert!(matches!(found, Err(MetaError::Damaged(byte)) if byte == at), "{found:?}");
        }
    }

    #[test]
    fn fields_beyond_the_window() {
        let mut bytes = vec![0x0a, 0x80, 0x80, 0x04];
        bytes.resize(bytes.len() + 65536, 7);
        bytes.extend_from_slice(b"\x12\x02hi");
        let mut wire = wire(&bytes);
        let mut all = wire.all();
        let (_, long) = wire.next(&mut all).unwrap().unwrap();
        let (_, short) = wire.next(&mut all).unwrap().unwrap();
        assert_eq!(wire.bytes(long, 65535).unwrap(), None);
        assert_eq!(wire.bytes(long, 65536).unwrap().unwrap().len(), 65536);
        assert_eq!(wire.text(short, 2).unwrap().unwrap(), "hi");
        assert_eq!(wire.text(short, 1).unwrap(), None);
    }
}
