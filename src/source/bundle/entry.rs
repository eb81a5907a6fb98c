//! One entry of an index: its message, and what it says once it is believed.

use prost::Message;

use crate::catalog::{Storage, Variable};
use crate::crc::Crc;
use crate::proto::{BundleEntryProto, BundleHeaderProto};
use crate::source::error::IndexError;
use crate::source::slice::Slice;
use crate::source::version;
use crate::tensor::{ByteOrder, DType, Shape, TensorSpec};

/// The header of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Header {
    /// Number of data files; part of their names.
    pub(super) shards: u32,
    /// How numbers stand in the data files.
    pub(super) order: ByteOrder,
}

impl Header {
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, IndexError> {
        let header = BundleHeaderProto::decode(bytes)?;
        version::check(&header.version.unwrap_or_default())?;
        let shards = unsigned("number of data files", header.num_shards.into())?;
        Ok(Self {
            shards: u32::try_from(shards).unwrap_or(u32::MAX),
            // Any other number is little-endian to TensorFlow too.
            order: if header.endianness == 1 { ByteOrder::Big } else { ByteOrder::Little },
        })
    }
}

/// Entries of more bytes are not read: a million slices have as many. A short message can stand
/// for a large value, so its length is bounded before it is decoded.
const MAX_ENTRY: usize = 1 << 24;

/// What stands under the key of a tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// A tensor in one piece.
    Whole(Stored),
    /// A partitioned one, whose pieces have entries of their own.
    Sliced(TensorSpec, Vec<Slice>),
}

/// A tensor, or a piece of one, whose bytes lie together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    /// What it is.
    pub(super) spec: TensorSpec,
    /// The data file.
    pub(super) shard: u32,
    /// First byte in it.
    pub(super) offset: u64,
    /// Bytes there.
    pub(super) bytes: u64,
    /// Their sum.
    pub(super) crc: Crc,
}

impl Stored {
    /// As the catalog has it.
    pub(super) fn variable(&self) -> Variable {
        let &Self { shard, offset, bytes, .. } = self;
        let storage = Storage::Whole { shard, offset, bytes };
        Variable { spec: self.spec.clone(), storage, parts: Vec::new() }
    }
}

impl Entry {
    pub(super) fn decode(message: &[u8]) -> Result<Self, IndexError> {
        if message.len() > MAX_ENTRY {
            return Err(IndexError::Large { len: message.len(), limit: MAX_ENTRY });
        }
        let entry = BundleEntryProto::decode(message)?;
        let dtype = DType::from_number(entry.dtype).ok_or(IndexError::DType(entry.dtype))?;
        // No shape, and an unknown one, are a scalar's to TensorFlow.
        let shape = entry.shape.filter(|shape| !shape.unknown_rank).unwrap_or_default();
        let dims: Vec<i64> = shape.dim.iter().map(|dim| dim.size).collect();
        let spec = TensorSpec::new(dtype, Shape::from_stored(&dims)?)?;
        if !entry.slices.is_empty() {
            return Ok(Self::Sliced(spec, entry.slices.iter().map(Slice::new).collect()));
        }
        let shard = unsigned("data file", entry.shard_id.into())?;
        let offset = unsigned("offset", entry.offset)?;
        let bytes = unsigned("size", entry.size)?;
        if let Some(needed) = spec.bytes().filter(|&needed| needed != bytes) {
            return Err(IndexError::Size { spec: spec.to_string(), needed, got: bytes });
        }
        let shard = u32::try_from(shard).map_err(|_| IndexError::Range)?;
        let crc = Crc::from_masked(entry.crc32c);
        Ok(Self::Whole(Stored { spec, shard, offset, bytes, crc }))
    }
}

fn unsigned(field: &'static str, value: i64) -> Result<u64, IndexError> {
    u64::try_from(value).map_err(|_| IndexError::Negative { field, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let header = |bytes: &[u8]| Header::decode(bytes);
        let one = header(b"\x08\x01\x1a\x02\x08\x01").unwrap();
        assert_eq!(one, Header { shards: 1, order: ByteOrder::Little });
        // Producer 2 alone, no version, an unknown byte order, unknown fields: all are read.
        assert!(header(b"\x08\x01\x1a\x02\x08\x02").is_ok());
        assert_eq!(header(b"").unwrap().shards, 0);
        assert_eq!(header(b"\x10\x07\x08\x01\x50\x01").unwrap().order, ByteOrder::Little);
        assert_eq!(header(b"\x08\x01\x10\x01").unwrap().order, ByteOrder::Big);
        let refused = |bytes| matches!(header(bytes), Err(IndexError::Version { needed: 2, .. }));
        assert!(refused(b"\x1a\x02\x10\x02"));
        assert!(refused(b"\x1a\x02\x18\x01"));
        assert!(matches!(header(b"\x08"), Err(IndexError::Message(_))));
        let below = b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        assert!(matches!(header(below), Err(IndexError::Negative { value: -1, .. })));
    }

    #[test]
    fn entries_in_any_field_order() {
        let stored = b"\x35\x59\x3c\xe5\x35\x28\x08\x12\x04\x12\x02\x08\x02\x08\x01";
        let Entry::Whole(stored) = Entry::decode(stored).unwrap() else { panic!("it is sliced") };
        assert_eq!(stored.spec.to_string(), "float32 [2]");
        assert_eq!((stored.shard, stored.offset, stored.bytes), (0, 0, 8));
        assert_eq!(stored.crc.masked(), 0x35e5_3c59);
        let scalar = Entry::decode(b"\x08\x09\x28\x08").unwrap();
        assert!(matches!(scalar, Entry::Whole(stored) if stored.spec.to_string() == "int64 []"));
        let sliced = b"\x08\x01\x12\x04\x12\x02\x08\x04\x3a\x02\x0a\x00\x3a\x02\x0a\x00";
        let Entry::Sliced(spec, slices) = Entry::decode(sliced).unwrap() else { panic!("whole") };
        assert_eq!((spec.to_string().as_str(), slices.len()), ("float32 [4]", 2));
    }

    #[test]
    fn types_of_the_future_have_the_size_they_are_said_to_have() {
        let later = Entry::decode(b"\x08\x22\x28\x07").unwrap();
        assert!(matches!(later, Entry::Whole(stored) if stored.bytes == 7));
    }

    #[test]
    fn entries_that_cannot_be() {
        let error = |bytes: &[u8]| Entry::decode(bytes).unwrap_err();
        for (number, bytes) in [(0, &b""[..]), (20, b"\x08\x14"), (101, b"\x08\x65")] {
            assert!(matches!(error(bytes), IndexError::DType(found) if found == number));
        }
        assert!(matches!(error(b"\x08\x01\x28\x05"), IndexError::Size { needed: 4, got: 5, .. }));
        let minus = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        let negative = |field: &[u8]| error(&[b"\x08\x01\x28\x04", field, &minus[..]].concat());
        assert!(matches!(negative(b"\x20"), IndexError::Negative { field: "offset", .. }));
        assert!(matches!(negative(b"\x18"), IndexError::Negative { field: "data file", .. }));
        let dim = [b"\x08\x01\x12\x0d\x12\x0b\x08", &minus[..]].concat();
        assert!(matches!(error(&dim), IndexError::Shape(_)));
        let rank = [&b"\x08\x01\x12\xfe\x03"[..], &[0x12, 0].repeat(255)].concat();
        assert!(matches!(error(&rank), IndexError::Shape(_)));
    }
}
