//! Bundles written by TensorFlow, and bundles that something happened to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use prost::Message;

use super::*;
use crate::proto::{BundleEntryProto, BundleHeaderProto};
use crate::source::{Finding, resolve};
use crate::table::{Table, TableBuilder};
use crate::tensor::{Shape, TensorSpec};

/// The prefix of every checkpoint in `testdata/` that nobody damaged.
fn fixtures() -> Vec<Location> {
    fn collect(directory: &Path, found: &mut Vec<Location>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("damaged") {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "index") {
                found.push(Location::from(path.with_extension("").as_path()));
            }
        }
    }
    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata"), &mut found);
    assert!(found.len() >= 10);
    found
}

fn findings(prefix: &Location) -> Vec<Finding> {
    let mut found = Vec::new();
    (FORMAT.check)(prefix, &mut |finding| found.push(finding)).unwrap();
    found
}

/// A bundle in a directory of its own: entries by key, and one data file.
struct Made {
    dir: tempfile::TempDir,
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
    data: Vec<u8>,
}

impl Made {
    fn new() -> Self {
        let header = b"\x08\x01\x1a\x02\x08\x01".to_vec();
        let entries = BTreeMap::from([(Vec::new(), header)]);
        Self { dir: tempfile::tempdir().unwrap(), entries, data: Vec::new() }
    }

    fn with(mut self, key: &[u8], tensor: &Tensor<'_>) -> Self {
        let dims = tensor.spec().shape().dims().iter().map(|&size| {
            crate::proto::tensor_shape_proto::Dim { size: size.cast_signed(), name: String::new() }
        });
        let entry = BundleEntryProto {
            dtype: tensor.spec().dtype().number(),
            shape: Some(crate::proto::TensorShapeProto {
                dim: dims.collect(),
                unknown_rank: false,
            }),
            offset: i64::try_from(self.data.len()).unwrap(),
            size: i64::try_from(tensor.data().len()).unwrap(),
            crc32c: tensor.checksum().masked(),
            ..Default::default()
        };
        self.data.extend(tensor.data());
        self.with_entry(key, &entry.encode_to_vec())
    }

    fn with_entry(mut self, key: &[u8], entry: &[u8]) -> Self {
        self.entries.insert(key.to_vec(), entry.to_vec());
        self
    }

    fn path(&self, suffix: &str) -> PathBuf {
        self.dir.path().join(format!("m{suffix}"))
    }

    fn written(self) -> (Self, Location) {
        let mut index = TableBuilder::new(Vec::new());
        self.entries.iter().for_each(|(key, value)| index.insert(key, value).unwrap());
        fs::write(self.path(".index"), index.finish().unwrap()).unwrap();
        fs::write(self.path(".data-00000-of-00001"), &self.data).unwrap();
        let prefix = Location::from(self.path("").as_path());
        (self, prefix)
    }
}

fn floats<const N: usize>(shape: &[u64], values: [f32; N]) -> Tensor<'static> {
    let spec = TensorSpec::new(DType::Float, Shape::new(shape).unwrap()).unwrap();
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Tensor::new(spec, bytes).unwrap()
}

fn named(name: &str) -> VariableName {
    VariableName::new(name).unwrap()
}

#[test]
fn every_fixture_is_read_and_sound() {
    for prefix in fixtures() {
        let bundle = open(&prefix).unwrap();
        let variables = &bundle.catalog().variables;
        assert!(!variables.is_empty(), "{prefix}");
        for (name, variable) in variables {
            if matches!(variable.storage, Storage::Whole { .. }) {
                let tensor = bundle.read(name).unwrap();
                assert_eq!(tensor.spec(), &variable.spec);
                let (extent, crc) = bundle.extent(name).unwrap().unwrap();
                assert_eq!((extent.len, crc), (variable.bytes(), tensor.checksum()));
                bundle.verify(name, &|_| ()).unwrap();
            }
        }
        let found = findings(&prefix);
        assert!(found.is_empty(), "{prefix}: {found:?}");
        assert_eq!(resolve(&prefix.with_suffix(".index")).unwrap(), prefix);
        assert!(bundle.files().iter().all(|file| file.path().is_file()));
    }
}

/// Nothing that TensorFlow writes into an index is lost on us.
#[test]
fn messages_are_written_again_byte_for_byte() {
    for prefix in fixtures() {
        let file = fs::read(index::location(&prefix).path()).unwrap();
        let done = Table::parse(file).unwrap().for_each(|key, value| {
            let again = if key.is_empty() {
                BundleHeaderProto::decode(value).unwrap().encode_to_vec()
            } else {
                BundleEntryProto::decode(value).unwrap().encode_to_vec()
            };
            assert_eq!(again, value, "{prefix}: {}", key.escape_ascii());
            Ok::<_, crate::table::TableError>(())
        });
        done.unwrap();
    }
}

#[test]
fn regions_are_cut_out() {
    let matrix = floats(&[2, 3], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    let (_made, prefix) = Made::new().with(b"a", &floats(&[], [7.0])).with(b"w", &matrix).written();
    let bundle = open(&prefix).unwrap();
    let region = Region::new(matrix.spec().shape(), &[0..2, 1..3]).unwrap();
    let mut out = [0; 16];
    bundle.read_region(&named("w"), &region, &mut out).unwrap();
    assert_eq!(out, *floats(&[4], [1.0, 2.0, 4.0, 5.0]).data());
    assert!(bundle.read_region(&named("w"), &region, &mut [0; 15]).is_err());
    assert!(bundle.read_region(&named("a"), &region, &mut out).is_err());
    assert!(matches!(bundle.read(&named("x")), Err(SourceError::NoVariable { .. })));
    assert_eq!(bundle.catalog().facts.scalars[&named("a")], floats(&[], [7.0]));
}

#[test]
fn an_index_is_enough_to_open_a_checkpoint() {
    let (made, prefix) = Made::new().with(b"step", &floats(&[], [7.0])).written();
    fs::remove_file(made.path(".data-00000-of-00001")).unwrap();
    let bundle = open(&prefix).unwrap();
    assert!(bundle.catalog().facts.scalars.is_empty());
    assert!(matches!(bundle.read(&named("step")), Err(SourceError::File(_))));
    assert!(matches!(findings(&prefix)[..], [Finding { variable: None, .. }]));
}

#[test]
fn damaged_data_is_found_and_named() {
    let tensor = floats(&[2], [1.0, 2.0]);
    let (made, prefix) = Made::new().with(b"a", &tensor).with(b"b", &tensor).written();
    let mut data = made.data.clone();
    data[1] ^= 1;
    data.pop();
    fs::write(made.path(".data-00000-of-00001"), data).unwrap();
    let bundle = open(&prefix).unwrap();
    for (name, bad) in [("a", "its checksum is"), ("b", "it reaches to byte 16")] {
        let errors = [
            bundle.read(&named(name)).unwrap_err(),
            bundle.verify(&named(name), &|_| ()).unwrap_err(),
        ];
        for error in errors {
            let SourceError::Tensor { source, .. } = error else { panic!("{error}") };
            assert!(source.to_string().starts_with(bad), "{source}");
        }
    }
    let found: Vec<_> = findings(&prefix).into_iter().map(|finding| finding.variable).collect();
    assert_eq!(found, [Some("a".to_owned()), Some("b".to_owned())]);
}

#[test]
fn slices_are_listed_but_not_read() {
    let piece = floats(&[3, 2], [0.0; 6]);
    let full = b"\x08\x01\x12\x08\x12\x02\x08\x04\x12\x02\x08\x02\x3a\x06\x0a\x02\x10\x03\x0a\x00\
        \x3a\x0a\x0a\x04\x08\x03\x10\x01\x0a\x02\x10\x02";
    let made = Made::new().with(b"\0w\0\x01\x01\x02\x80\x83\x80\x7f", &piece);
    let made = made.with(b"\xff", &piece).with_entry(b"w", full);
    let (made, prefix) = made.written();
    let bundle = open(&prefix).unwrap();
    let catalog = bundle.catalog();
    assert_eq!(catalog.variables.len(), 1);
    assert_eq!(catalog.unnamable, [b"\xff"]);
    assert_eq!(catalog.variables[&named("w")].storage, Storage::Slices(2));
    assert!(matches!(bundle.read(&named("w")), Err(SourceError::Unsupported { .. })));
    assert!(bundle.extent(&named("w")).unwrap().is_none());
    fs::write(made.path(".data-00000-of-00001"), [1; 24]).unwrap();
    let found = findings(&prefix);
    assert_eq!(found[0].variable.as_deref(), Some("w"));
}

#[test]
fn indexes_that_cannot_be_used() {
    let fails = |made: Made| open(&made.written().1).unwrap_err();
    let big = Made::new().with_entry(b"", b"\x08\x01\x10\x01");
    assert!(matches!(fails(big), SourceError::Unsupported { .. }));
    let newer = Made::new().with_entry(b"", b"\x08\x01\x1a\x02\x10\x02");
    assert!(matches!(fails(newer), SourceError::Header { .. }));
    let mut headless = Made::new().with(b"a", &floats(&[], [1.0]));
    headless.entries.remove(&b""[..]);
    assert!(matches!(fails(headless), SourceError::Header { .. }));
    let unknown = Made::new().with_entry(b"a", b"\x08\x63");
    assert!(matches!(fails(unknown), SourceError::Index { key, .. } if key == b"a"));
    let graph = Made::new().with(OBJECT_GRAPH_KEY.as_bytes(), &floats(&[], [1.0]));
    assert!(matches!(fails(graph), SourceError::Graph { .. }));
    let graph = Made::new().with(OBJECT_GRAPH_KEY.as_bytes(), &Tensor::string(b""));
    assert!(matches!(fails(graph), SourceError::Graph { .. }));
    let (_dir, prefix) = {
        let (made, prefix) = Made::new().written();
        fs::write(made.path(".index"), b"").unwrap();
        (made, prefix)
    };
    assert!(matches!(open(&prefix), Err(SourceError::Unrecognized { .. })));
}
