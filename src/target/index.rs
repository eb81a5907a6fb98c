//! A bundle's index: the header, then where each tensor lies.

use prost::Message;

use crate::crc::Crc;
use crate::proto::{
    BundleEntryProto, BundleHeaderProto, TensorShapeProto, VersionDef, tensor_shape_proto::Dim,
};
use crate::table::{BuildError, TableBuilder};
use crate::tensor::TensorSpec;

/// Where a tensor lies.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) spec: TensorSpec,
    pub(super) shard: usize,
    pub(super) offset: u64,
    pub(super) len: u64,
    pub(super) crc: Crc,
}

/// The bytes of an index of `pieces`, which come in ascending order of their keys, none empty.
pub(super) fn encode<'a>(
    shards: usize,
    pieces: impl Iterator<Item = (&'a str, Piece)>,
) -> Result<Vec<u8>, BuildError> {
    let header = BundleHeaderProto {
        num_shards: small(shards),
        version: Some(VersionDef { producer: 1, ..VersionDef::default() }),
        ..BundleHeaderProto::default()
    };
    let mut bytes = Vec::new();
    let mut table = TableBuilder::new(&mut bytes);
    table.insert(b"", &header.encode_to_vec())?;
    for (key, piece) in pieces {
        table.insert(key.as_bytes(), &entry(&piece).encode_to_vec())?;
    }
    table.finish()?;
    Ok(bytes)
}

fn entry(piece: &Piece) -> BundleEntryProto {
    let dims = piece.spec.shape().dims().iter();
    BundleEntryProto {
        dtype: piece.spec.dtype().number(),
        // Present for scalars too, where it is empty.
        shape: Some(TensorShapeProto {
            dim: dims.map(|size| Dim { size: size.cast_signed(), ..Dim::default() }).collect(),
            unknown_rank: false,
        }),
        shard_id: small(piece.shard),
        // No file reaches 2^63 bytes.
        offset: piece.offset.cast_signed(),
        size: piece.len.cast_signed(),
        crc32c: piece.crc.masked(),
        slices: Vec::new(),
    }
}

/// There are never more shards than files in a directory.
fn small(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
