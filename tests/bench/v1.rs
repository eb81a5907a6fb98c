//! A file as TensorFlow wrote it before 0.12: a table that holds the values themselves.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use ckptmap::table::TableBuilder;

use crate::source::Make;

const MIB: u64 = 1 << 20;

/// So many variables of some 64 MiB, three at the least: one of them of 64-bit integers, one in
/// two slices.
pub(crate) struct V1 {
    pub(crate) variables: usize,
}

impl Make for V1 {
    fn write(&self, at: &Path) {
        let variables: Vec<Variable> = (0..self.variables.max(3)).map(Variable::new).collect();
        let mut table = TableBuilder::new(BufWriter::new(File::create(at).unwrap()));
        let list: Vec<u8> = variables.iter().flat_map(|v| field(1, &v.listed())).collect();
        table.insert(b"", &field(1, &list)).unwrap();
        let (floats, integers) = (floats(), integers());
        for variable in &variables {
            let values = if variable.integers { &integers } else { &floats };
            let parts = values.chunks(values.len() / variable.slices.len());
            for (&slice, part) in variable.slices.iter().zip(parts) {
                table.insert(&variable.key(slice), &variable.record(slice, part)).unwrap();
            }
        }
        table.finish().unwrap().flush().unwrap();
    }

    fn rules(&self) -> Vec<(&'static str, String)> {
        vec![("renamed", "version: 1\nrules: [{from: '(.+)', to: '$1'}]\n".to_owned())]
    }

    fn steps(&self) -> &'static [&'static str] {
        &[
            "list",
            "check",
            "plan renamed",
            "convert renamed",
            "list new",
            "check new",
            "convert renamed --shard-size 500MB",
        ]
    }
}

/// A matrix with a row for every MiB of elements.
struct Variable {
    name: String,
    integers: bool,
    slices: &'static [Slice],
}

/// The row that a slice of eight rows begins with, or everything.
type Slice = Option<u8>;

const ROWS: u8 = 8;
const WHOLE: &[Slice] = &[None];
const HALVES: &[Slice] = &[Some(0), Some(ROWS)];

impl Variable {
    fn new(number: usize) -> Self {
        Self {
            name: format!("layer_{number:03}/kernel"),
            integers: number == 1,
            slices: if number == 2 { HALVES } else { WHOLE },
        }
    }

    /// What the list at the beginning says of it: `SavedSliceMeta`.
    fn listed(&self) -> Vec<u8> {
        const DT_FLOAT: u64 = 1;
        const DT_INT64: u64 = 9;
        let (rows, dtype) = if self.integers { (8, DT_INT64) } else { (16, DT_FLOAT) };
        let shape = [rows, MIB].map(|size| field(2, &number(1, size))).concat();
        let slices = self.slices.iter().flat_map(|&slice| field(4, &extent(slice))).collect();
        let name = field(1, self.name.as_bytes());
        [name, field(2, &shape), number(3, dtype), slices].concat()
    }

    /// `SavedTensorSlices` of one slice.
    fn record(&self, slice: Slice, values: &[u8]) -> Vec<u8> {
        const FLOATS: u8 = 5;
        const INTEGERS: u8 = 10;
        let tensor = field(if self.integers { INTEGERS } else { FLOATS }, values);
        let name = field(1, self.name.as_bytes());
        field(2, &[name, field(2, &extent(slice)), field(3, &tensor)].concat())
    }

    /// A name, a rank of two, and the extents in both directions, in `OrderedCode`.
    fn key(&self, slice: Slice) -> Vec<u8> {
        let rows = match slice {
            None => [0x80, 0x7f],
            Some(start) => [0x80 + start, 0x80 + ROWS],
        };
        [b"\0", self.name.as_bytes(), b"\0\x01\x01\x02", &rows, b"\x80\x7f"].concat()
    }
}

/// `TensorSliceProto`: some of the rows, or all of them, and all columns.
fn extent(rows: Slice) -> Vec<u8> {
    let rows = match rows {
        None => Vec::new(),
        Some(start) => [number(1, start.into()), number(2, ROWS.into())].concat(),
    };
    [field(1, &rows), field(1, &[])].concat()
}

#[allow(clippy::cast_precision_loss, reason = "any values do")]
fn floats() -> Vec<u8> {
    (0..16 * MIB).flat_map(|n| (n as f32).to_le_bytes()).collect()
}

/// Numbers of one byte to five.
fn integers() -> Vec<u8> {
    (0..8 * MIB).flat_map(|n| varint(n * 7919)).collect()
}

/// A field of a message that holds a number.
fn number(field: u8, value: u64) -> Vec<u8> {
    [vec![field << 3], varint(value)].concat()
}

/// A field of a message that holds bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2][..], &varint(content.len() as u64), content].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
