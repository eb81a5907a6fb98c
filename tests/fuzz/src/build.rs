//! Tables whose entries are anything, but which are tables: a fuzzer that had to make them out of
//! bytes would not often get to see what is behind them.

use std::collections::BTreeMap;

use ckptmap::tensor::{DType, Shape, Tensor, TensorSpec};

use super::TableBuilder;

/// Bytes that decide what is built; when they run out, zeros do.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    pub fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or_default()
    }

    pub fn word(&mut self) -> usize {
        usize::from(u16::from_le_bytes([self.byte(), self.byte()]))
    }

    pub fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// Bytes behind their number.
    fn counted(&mut self) -> &'a [u8] {
        let len = self.byte();
        self.bytes(len.into())
    }

    /// A size: mostly small, sometimes beyond reason.
    fn size(&mut self) -> u64 {
        match self.byte() {
            large @ 0xf0.. => 1 << ((large & 15) * 4),
            small => small.into(),
        }
    }

    fn sizes(&mut self) -> Vec<u64> {
        let rank = self.byte() % 9;
        (0..rank).map(|_| self.size()).collect()
    }
}

/// Keys and values.
type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

/// A table of these entries.
pub fn table(entries: &Entries) -> Vec<u8> {
    let mut table = TableBuilder::new(Vec::new());
    for (key, value) in entries {
        table.insert(key, value).unwrap();
    }
    table.finish().unwrap()
}

/// The files of a bundle; all data files are the same.
pub struct Bundle {
    pub index: Vec<u8>,
    pub data: Vec<u8>,
    pub shards: u8,
}

/// A bundle by instructions: a byte each, what it needs, and a zero before the data.
pub fn bundle(input: &mut Input<'_>) -> Bundle {
    let flags = input.byte();
    let shards = flags / 2 % 4;
    let mut header = Vec::new();
    number(&mut header, 1, shards.into());
    number(&mut header, 2, (flags % 2).into());
    message(&mut header, 3, b"\x08\x01");
    header.extend(input.counted());
    let mut raw = Vec::new();
    let mut whole = Vec::new();
    let mut sliced = Vec::new();
    loop {
        match input.byte() % 4 {
            0 => break,
            1 => raw.push((input.counted(), input.counted())),
            2 => whole.push((input.counted(), Stored::read(input), input.counted())),
            _ => {
                let name = input.counted();
                let full = Stored::read(input);
                let slices = Slice::some(input, full.dims.len());
                let slices = slices.into_iter().map(|slice| {
                    let dims = slice.dims(&full.dims);
                    let at = Stored { dims, offset: input.size(), size: input.byte(), ..full };
                    (slice, at, input.counted())
                });
                sliced.push((name, slices.collect::<Vec<_>>(), full, input.counted()));
            }
        }
    }
    let data = input.rest();
    let mut entries = Entries::from([(Vec::new(), header)]);
    for (name, stored, extra) in whole {
        entries.insert(name.to_vec(), stored.entry(data, extra));
    }
    for (name, slices, full, extra) in sliced {
        let mut entry = Vec::new();
        for (slice, stored, extra) in slices {
            message(&mut entry, 7, &slice.message());
            entries.insert(slice.key(name), stored.entry(data, extra));
        }
        number(&mut entry, 1, full.dtype.into());
        message(&mut entry, 2, &shape(&full.dims));
        entry.extend(extra);
        entries.insert(name.to_vec(), entry);
    }
    entries.extend(raw.into_iter().map(|(key, value)| (key.to_vec(), value.to_vec())));
    Bundle { index: table(&entries), data: data.to_vec(), shards }
}

/// A V1 file by instructions.
pub fn v1(input: &mut Input<'_>) -> Vec<u8> {
    let mut entries = Entries::new();
    let mut tensors = Vec::new();
    loop {
        match input.byte() % 4 {
            0 => break,
            1 => drop(entries.insert(input.counted().to_vec(), input.counted().to_vec())),
            2 => tensors.extend(input.counted()),
            _ => {
                let (name, dtype, dims) = (input.counted(), input.byte(), input.sizes());
                let mut listed = Vec::new();
                message(&mut listed, 1, name);
                message(&mut listed, 2, &shape(&dims));
                number(&mut listed, 3, dtype.into());
                for slice in Slice::some(input, dims.len()) {
                    message(&mut listed, 4, &slice.message());
                    let mut values = Vec::new();
                    number(&mut values, 1, dtype.into());
                    let field = input.byte() % 32;
                    message(&mut values, field, input.counted());
                    values.extend(input.counted());
                    let mut part = Vec::new();
                    message(&mut part, 1, name);
                    message(&mut part, 2, &slice.message());
                    message(&mut part, 3, &values);
                    let mut record = Vec::new();
                    message(&mut record, 2, &part);
                    entries.insert(slice.key(name), record);
                }
                listed.extend(input.counted());
                message(&mut tensors, 1, &listed);
            }
        }
    }
    message(&mut tensors, 2, b"\x08\x01");
    let mut meta = Vec::new();
    message(&mut meta, 1, &tensors);
    entries.entry(Vec::new()).or_insert(meta);
    table(&entries)
}

/// Where a tensor lies.
struct Stored {
    dtype: u8,
    dims: Vec<u64>,
    shard: u8,
    offset: u64,
    /// Its size if its type does not tell.
    size: u8,
}

impl Stored {
    fn read(input: &mut Input<'_>) -> Self {
        let (dtype, shard) = (input.byte(), input.byte());
        let (dims, offset) = (input.sizes(), input.size());
        Self { dtype, dims, shard, offset, size: input.byte() }
    }

    /// Its entry, with the sum of its bytes, and `extra` fields that may overrule the others.
    fn entry(&self, data: &[u8], extra: &[u8]) -> Vec<u8> {
        let mut entry = Vec::new();
        number(&mut entry, 1, self.dtype.into());
        message(&mut entry, 2, &shape(&self.dims));
        number(&mut entry, 3, self.shard.into());
        number(&mut entry, 4, self.offset);
        let spec = DType::from_number(self.dtype.into())
            .zip(Shape::new(self.dims.clone()).ok())
            .and_then(|(dtype, shape)| TensorSpec::new(dtype, shape).ok());
        let size = spec.as_ref().and_then(TensorSpec::bytes).unwrap_or(self.size.into());
        number(&mut entry, 5, size);
        let range = usize::try_from(self.offset).ok().zip(usize::try_from(size).ok());
        let bytes = range.and_then(|(offset, len)| data.get(offset..)?.get(..len));
        let summed = spec.zip(bytes).and_then(|(spec, bytes)| Tensor::summed(spec, bytes).ok());
        if let Some((_, crc)) = summed {
            entry.push((6 << 3) | 5);
            entry.extend(crc.masked().to_le_bytes());
        }
        entry.extend(extra);
        entry
    }
}

/// A part of a tensor: start and length in each dimension, `None` for all of it.
struct Slice(Vec<Option<(u64, u64)>>);

impl Slice {
    fn some(input: &mut Input<'_>, rank: usize) -> Vec<Self> {
        let count = input.byte() % 9;
        let extent = |input: &mut Input<'_>| match (input.byte(), input.byte()) {
            (_, 0xff) => None,
            (start, len) => Some((start.into(), len.into())),
        };
        (0..count).map(|_| Self((0..rank).map(|_| extent(input)).collect())).collect()
    }

    fn dims(&self, full: &[u64]) -> Vec<u64> {
        let extents = self.0.iter().zip(full);
        extents.map(|(extent, &full)| extent.map_or(full, |(_, len)| len)).collect()
    }

    fn message(&self) -> Vec<u8> {
        let mut slice = Vec::new();
        for extent in &self.0 {
            let mut one = Vec::new();
            if let &Some((start, len)) = extent {
                number(&mut one, 1, start);
                number(&mut one, 2, len);
            }
            message(&mut slice, 1, &one);
        }
        slice
    }

    /// The key of a piece, in an encoding that keeps order.
    fn key(&self, name: &[u8]) -> Vec<u8> {
        let mut key = vec![0];
        for &byte in name {
            match byte {
                0 => key.extend([0, 0xff]),
                0xff => key.extend([0xff, 0]),
                byte => key.push(byte),
            }
        }
        key.extend([0, 1]);
        match self.0.len() {
            0 => key.push(0),
            rank => key.extend([1, u8::try_from(rank).unwrap()]),
        }
        for extent in &self.0 {
            match *extent {
                Some((start, len)) => [start, len].map(|number| signed(&mut key, number)),
                None => {
                    key.extend([0x80, 0x7f]);
                    continue;
                }
            };
        }
        key
    }
}

/// A number from 0 to 255 in the order-preserving encoding.
fn signed(key: &mut Vec<u8>, number: u64) {
    match u8::try_from(number).unwrap_or(u8::MAX) {
        small @ ..64 => key.push(0x80 | small),
        large => key.extend([0xc0, large]),
    }
}

fn shape(dims: &[u64]) -> Vec<u8> {
    let mut shape = Vec::new();
    for &dim in dims {
        let mut one = Vec::new();
        number(&mut one, 1, dim);
        message(&mut shape, 2, &one);
    }
    shape
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

fn number(out: &mut Vec<u8>, field: u8, value: u64) {
    varint(out, u64::from(field) << 3);
    varint(out, value);
}

fn message(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    varint(out, (u64::from(field) << 3) | 2);
    varint(out, bytes.len() as u64);
    out.extend(bytes);
}
