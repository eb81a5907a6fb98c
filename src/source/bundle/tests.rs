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
        for (name, variable) in variables {
            let tensor = bundle.read(name).unwrap();
            assert_eq!(tensor.spec(), &variable.spec);
            if let Some((extent, crc)) = bundle.extent(name).unwrap() {
                assert_eq!((extent.len, crc), (variable.bytes(), tensor.checksum()));
            }
            bundle.verify(name, &|_| ()).unwrap();
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
    let by_tensorflow = |prefix: &Location| !prefix.to_string().contains("testdata/odd/");
    for prefix in fixtures().into_iter().filter(by_tensorflow) {
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
    assert!(matches!(bundle.read(&named("step")), Err(SourceError::Unrecognized { .. })));
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

/// `w`, float32 [4, 2], in two slices of three and one rows.
const SLICED: &[u8] = b"\x08\x01\x12\x08\x12\x02\x08\x04\x12\x02\x08\x02\x3a\x06\x0a\x02\
    \x10\x03\x0a\x00\x3a\x0a\x0a\x04\x08\x03\x10\x01\x0a\x02\x10\x02";
const FIRST: &[u8] = b"\0w\0\x01\x01\x02\x80\x83\x80\x7f";
const SECOND: &[u8] = b"\0w\0\x01\x01\x02\x83\x81\x80\x82";

#[test]
fn slices_are_put_together() {
    let (first, second) = (floats(&[3, 2], [0., 1., 2., 3., 4., 5.]), floats(&[1, 2], [6., 7.]));
    let made = Made::new().with(SECOND, &second).with(FIRST, &first).with_entry(b"w", SLICED);
    let (made, prefix) = made.with(b"\xff", &first).written();
    let bundle = open(&prefix).unwrap();
    let catalog = bundle.catalog();
    assert_eq!(catalog.variables.len(), 1);
    assert_eq!(catalog.unnamable, [b"\xff"]);
    assert_eq!(catalog.variables[&named("w")].storage, Storage::Slices(2));
    let whole = floats(&[4, 2], [0., 1., 2., 3., 4., 5., 6., 7.]);
    assert_eq!(bundle.read(&named("w")).unwrap(), whole);
    assert!(bundle.extent(&named("w")).unwrap().is_none());
    let column = Region::new(whole.spec().shape(), &[1..4, 1..2]).unwrap();
    let mut out = [0; 12];
    bundle.read_region(&named("w"), &column, &mut out).unwrap();
    assert_eq!(out, *floats(&[3], [3., 5., 7.]).data());
    assert!(bundle.read_region(&named("w"), &column, &mut [0; 8]).is_err());
    assert!(findings(&prefix).is_empty());
    fs::write(made.path(".data-00000-of-00001"), [1; 56]).unwrap();
    let found = findings(&prefix);
    assert_eq!(found[0].variable.as_deref(), Some("w"));
    assert!(bundle.read(&named("w")).is_err() && bundle.verify(&named("w"), &|_| ()).is_err());
}

#[test]
fn slices_that_are_not_the_whole() {
    let refused = |made: Made, reason: &str| {
        let (_made, prefix) = made.written();
        let bundle = open(&prefix).unwrap();
        assert_eq!(bundle.catalog().variables[&named("w")].storage, Storage::Slices(2));
        for error in [
            bundle.read(&named("w")).unwrap_err(),
            bundle.verify(&named("w"), &|_| ()).unwrap_err(),
            findings(&prefix).remove(0).error,
        ] {
            let SourceError::Slices { source, .. } = error else { panic!("{error}") };
            assert!(source.to_string().starts_with(reason), "{source}");
        }
        assert!(bundle.catalog().facts.notes[0].contains(reason));
    };
    let first = floats(&[3, 2], [0.0; 6]);
    let with_first = || Made::new().with(FIRST, &first).with_entry(b"w", SLICED);
    refused(with_first(), "slice `3,1:0,2` is listed but missing");
    let other = floats(&[2], [0.0; 2]);
    refused(with_first().with(SECOND, &other), "slice `3,1:0,2` holds float32 [2] where");
    let overlap = [&SLICED[..24], b"\x08\x02\x10\x02\x0a\x02\x10\x02"].concat();
    let key = b"\0w\0\x01\x01\x02\x82\x82\x80\x82";
    let made = with_first().with(key, &floats(&[2, 2], [0.0; 4])).with_entry(b"w", &overlap);
    refused(made, "slices overlap");
    // A piece without a whole is found, and stands in nobody's way but a conversion's.
    let (_made, prefix) = Made::new().with(FIRST, &first).written();
    assert_eq!(open(&prefix).unwrap().catalog().unnamable, [FIRST]);
    assert_eq!(findings(&prefix).len(), 1);
}

#[test]
fn numbers_of_big_endian_machines_are_turned() {
    let mut value = floats(&[2], [1.0, -2.0]).data().to_vec();
    value.chunks_mut(4).for_each(<[u8]>::reverse);
    let stored = Tensor::new(floats(&[2], [0.0; 2]).spec().clone(), value).unwrap();
    let made = Made::new().with(b"w", &stored).with_entry(b"", b"\x08\x01\x10\x01");
    let (_made, prefix) = made.written();
    let bundle = open(&prefix).unwrap();
    assert_eq!(bundle.read(&named("w")).unwrap(), floats(&[2], [1.0, -2.0]));
    assert!(bundle.extent(&named("w")).unwrap().is_none());
    let mut out = [0; 4];
    let last = Region::new(stored.spec().shape(), std::slice::from_ref(&(1..2))).unwrap();
    bundle.read_region(&named("w"), &last, &mut out).unwrap();
    assert_eq!(out, (-2.0_f32).to_le_bytes());
    assert!(findings(&prefix).is_empty());
}

#[test]
fn indexes_that_cannot_be_used() {
    let fails = |made: Made| open(&made.written().1).unwrap_err();
    let newer = Made::new().with_entry(b"", b"\x08\x01\x1a\x02\x10\x02");
    assert!(matches!(fails(newer), SourceError::Header { .. }));
    let mut headless = Made::new().with(b"a", &floats(&[], [1.0]));
    headless.entries.remove(&b""[..]);
    assert!(matches!(fails(headless), SourceError::Header { .. }));
    let unknown = Made::new().with_entry(b"a", b"\x08\x65");
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
