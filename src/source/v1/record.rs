//! The values of one slice as they lie in its record.
//!
//! ```text
//! SavedTensorSlices ── 2 SavedSlice ── 3 TensorProto ─┬─ field of the type, packed ─┐
//!                                                     ├─ the same, one by one ──────┴► segments
//!                                                     └─ other fields ──► passed over
//! ```
//! A message may come in several pieces, which count as one. Writers put all values of a slice
//! into a single packed field; others are allowed not to.

use std::ops::Range;

use super::encoding::Encoding;
use super::wire::{Field, Kind, fields, messages};
use crate::source::error::RecordError;

/// Values may lie in so many pieces.
const MAX_SEGMENTS: usize = 1 << 20;

/// The field of a `TensorProto` with raw bytes.
const TENSOR_CONTENT: u64 = 4;

/// Numbers or strings that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    /// Where in the record they lie, tags included.
    pub(super) bytes: Range<usize>,
    /// Bytes of the tag in front of each of them; none where they are packed.
    pub(super) tag: usize,
}

/// Where the values of a record lie.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Segments {
    pub(super) list: Vec<Segment>,
    /// Whether there are raw bytes besides.
    pub(super) content: bool,
}

impl Segments {
    /// Steps through a record.
    pub(super) fn find(record: &[u8], encoding: Encoding) -> Result<Self, RecordError> {
        let mut found = Self::default();
        for slice in messages(record, 0..record.len(), 2) {
            for tensor in messages(record, slice?, 3) {
                for field in fields(record, tensor?) {
                    found.add(field?, encoding)?;
                }
            }
        }
        Ok(found)
    }

    fn add(&mut self, field: Field, encoding: Encoding) -> Result<(), RecordError> {
        if field.number == TENSOR_CONTENT && field.kind == Kind::Bytes {
            self.content |= !field.body.is_empty();
        }
        if field.number != encoding.field {
            return Ok(());
        }
        let packed = field.kind == Kind::Bytes && encoding.kind != Kind::Bytes;
        let segment = match packed {
            true if field.body.is_empty() => return Ok(()),
            true => Segment { bytes: field.body, tag: 0 },
            false if field.kind == encoding.kind => {
                Segment { bytes: field.start..field.body.end, tag: field.tag }
            }
            // A field of this number and another type is an unknown field.
            false => return Ok(()),
        };
        // Values with tags are many: those that follow each other are told apart when they are read.
        if let Some(last) = self.list.last_mut()
            && segment.tag > 0
            && (last.tag, last.bytes.end) == (segment.tag, segment.bytes.start)
        {
            last.bytes.end = segment.bytes.end;
            return Ok(());
        }
        if self.list.len() >= MAX_SEGMENTS {
            return Err(RecordError::Pieces { limit: MAX_SEGMENTS });
        }
        self.list.push(segment);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::error::Broken;
    use crate::tensor::DType;

    fn find(record: &[u8], dtype: DType) -> Result<Vec<(Range<usize>, usize)>, RecordError> {
        let found = Segments::find(record, Encoding::of(dtype).unwrap())?;
        Ok(found.list.into_iter().map(|segment| (segment.bytes, segment.tag)).collect())
    }

    /// A record that TensorFlow wrote.
    #[test]
    fn a_packed_record() {
        let record = b"\x12\x1d\x0a\x01a\x12\x04\x0a\0\x0a\0\x1a\x12\x2a\x10\0\0\x80\x3f\0\0\0\x40\
            \0\0\x40\x40\0\0\x80\x40";
        assert_eq!(find(record, DType::Float).unwrap(), [(15..31, 0)]);
        assert_eq!(find(record, DType::Double).unwrap(), []);
        assert_eq!(find(&record[..30], DType::Float), Err(Broken(0).into()));
    }

    #[test]
    fn values_that_come_one_by_one_and_in_pieces() {
        // Three with a tag, unknown fields and a number of another type, two that are packed.
        let tensor = b"\x38\x01\x38\x80\x01\x38\x03\xa0\x06\x07\x3d\0\0\0\0\x3a\x02\x04\x05\x3a\0";
        let piece = [&[0x1a, 21], &tensor[..]].concat();
        let slice = [&piece[..], b"\x1a\x02\x38\x06"].concat();
        let record = [&[0x12, 27], &slice[..], b"\x12\x04\x1a\x02\x38\x07\x22\x01!"].concat();
        let found = find(&record, DType::Int32).unwrap();
        assert_eq!(found, [(4..11, 1), (21..23, 0), (27..29, 1), (33..35, 1)]);
        let texts = b"\x12\x09\x1a\x07\x42\x01a\x42\0\x42\0";
        assert_eq!(find(texts, DType::String).unwrap(), [(4..11, 1)]);
    }

    #[test]
    fn raw_bytes_are_noticed() {
        let encoding = Encoding::of(DType::Float).unwrap();
        assert!(Segments::find(b"\x12\x05\x1a\x03\x22\x01!", encoding).unwrap().content);
        assert!(!Segments::find(b"\x12\x04\x1a\x02\x22\0", encoding).unwrap().content);
    }

    #[test]
    fn scattered_values_are_refused() {
        let scattered = b"\x38\x01\x3a\x01\x01".repeat(MAX_SEGMENTS);
        let mut record = Vec::new();
        for (tag, size) in [(0x12, scattered.len() + 5), (0x1a, scattered.len())] {
            record.push(tag);
            crate::varint::write(size as u64, &mut record);
        }
        record.extend(scattered);
        assert_eq!(find(&record, DType::Int8), Err(RecordError::Pieces { limit: MAX_SEGMENTS }));
    }
}
