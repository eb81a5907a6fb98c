//! V1 checkpoints made by hand.

mod any;
mod cases;

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;

use prost::Message;

use super::wire::Kind;
use super::*;
use crate::proto::tensor_slice_proto::{Extent, extent::HasLength};
use crate::proto::{SavedSliceMeta, TensorShapeProto, TensorSliceProto, tensor_shape_proto::Dim};
use crate::source::slice::Slice;
use crate::source::{Finding, resolve};
use crate::table::TableBuilder;
use crate::tensor::{DType, Shape, TensorSpec};
use crate::varint;

/// A field with bytes.
fn field(number: u64, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    varint::write(number << 3 | 2, &mut out);
    varint::write(content.len() as u64, &mut out);
    out.extend(content);
    out
}

/// A slice by its ranges; all of an axis where there is none.
fn slice(ranges: &[Option<Range<u64>>]) -> TensorSliceProto {
    let extent = ranges.iter().map(|range| match range {
        None => Extent::default(),
        Some(range) => Extent {
            start: range.start.cast_signed(),
            has_length: Some(HasLength::Length((range.end - range.start).cast_signed())),
        },
    });
    TensorSliceProto { extent: extent.collect() }
}

/// A record as TensorFlow writes it, of values in storage form.
fn record(name: &[u8], at: &TensorSliceProto, dtype: DType, data: &[u8]) -> Vec<u8> {
    let encoding = Encoding::of(dtype).unwrap();
    let tensor = match encoding.kind {
        Kind::Fixed(_) => field(encoding.field, data),
        Kind::Bytes => {
            let count = crate::tensor::strings::decode(data, 2).unwrap();
            count.iter().flat_map(|text| field(encoding.field, text)).collect()
        }
        Kind::Varint => {
            let size = usize::try_from(dtype.size().unwrap()).unwrap();
            let signed = !matches!(
                dtype,
                DType::UInt8 | DType::UInt16 | DType::QUInt8 | DType::Half | DType::Bool
            );
            let mut packed = Vec::new();
            for value in data.chunks_exact(size) {
                let negative = signed && value.last().unwrap() & 0x80 != 0;
                let mut wide = if negative { [0xff; 8] } else { [0; 8] };
                wide[..size].copy_from_slice(value);
                varint::write(u64::from_le_bytes(wide), &mut packed);
            }
            field(encoding.field, &packed)
        }
    };
    let saved = [field(1, name), field(2, &at.encode_to_vec()), field(3, &tensor)];
    field(2, &saved.concat())
}

/// One file.
#[derive(Debug, Default, Clone)]
struct File {
    listed: BTreeMap<Vec<u8>, SavedSliceMeta>,
    records: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Fields of the list besides the variables.
    more: Vec<u8>,
}

impl File {
    fn list(&mut self, name: &[u8], spec: &TensorSpec, at: &TensorSliceProto) {
        let listed = self.listed.entry(name.to_vec()).or_default();
        listed.name = name.to_vec();
        listed.r#type = spec.dtype().number();
        let dim = spec.shape().dims().iter().map(|dim| dim.cast_signed());
        let dim = dim.map(|size| Dim { size, name: String::new() }).collect();
        listed.shape = Some(TensorShapeProto { dim, unknown_rank: false });
        listed.slice.push(at.clone());
    }

    /// A slice of a variable with these values.
    fn with(mut self, name: &str, spec: &TensorSpec, at: &TensorSliceProto, data: &[u8]) -> Self {
        let name = name.as_bytes();
        self.list(name, spec, at);
        let value = record(name, at, spec.dtype(), data);
        self.records.insert(Slice::new(at).key(name), value);
        self
    }

    /// A variable in one piece.
    fn whole(self, name: &str, tensor: &Tensor<'_>) -> Self {
        let all = slice(&vec![None; tensor.spec().shape().rank()]);
        self.with(name, tensor.spec(), &all, tensor.data())
    }

    fn table(&self) -> Vec<u8> {
        let listed = self.listed.values().flat_map(|one| field(1, &one.encode_to_vec()));
        let meta: Vec<u8> = listed.chain(b"\x12\x02\x08\x01".to_vec()).collect();
        let mut table = TableBuilder::new(Vec::new());
        table.insert(b"", &field(1, &[meta, self.more.clone()].concat())).unwrap();
        self.records.iter().for_each(|(key, value)| table.insert(key, value).unwrap());
        table.finish().unwrap()
    }
}

/// Files in a directory of their own; more than one are parts of one checkpoint.
fn written(files: &[File]) -> (tempfile::TempDir, Location) {
    let dir = tempfile::tempdir().unwrap();
    for (number, file) in files.iter().enumerate() {
        let name = match files.len() {
            1 => "m".to_owned(),
            count => format!("m-{number:05}-of-{count:05}"),
        };
        fs::write(dir.path().join(name), file.table()).unwrap();
    }
    let at = Location::from(dir.path().join("m").as_path());
    let name = resolve(&at).unwrap();
    (dir, name)
}

fn opened(files: &[File]) -> (tempfile::TempDir, Box<dyn CheckpointReader>) {
    let (dir, name) = written(files);
    (dir, open(&name).unwrap())
}

fn findings(name: &Location) -> Vec<Finding> {
    let mut found = Vec::new();
    (FORMAT.check)(name, &mut |finding| found.push(finding)).unwrap();
    found
}

fn floats<const N: usize>(shape: &[u64], values: [f32; N]) -> Tensor<'static> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Tensor::new(spec(DType::Float, shape), bytes).unwrap()
}

fn spec(dtype: DType, shape: &[u64]) -> TensorSpec {
    TensorSpec::new(dtype, Shape::new(shape).unwrap()).unwrap()
}

fn named(name: &str) -> VariableName {
    VariableName::new(name).unwrap()
}

/// An error with its causes, in one line.
fn told(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", told(source)),
        None => error.to_string(),
    }
}
