//! Every fixture, every tensor: what is read is what TensorFlow reads.
//!
//! `manifest.json` beside each fixture holds what TensorFlow itself found there.

#![expect(clippy::print_stdout, reason = "the counts are shown")]

use std::fs;
use std::path::{Path, PathBuf};

use ckptmap::catalog::{Storage, VariableName};
use ckptmap::crc::Crc;
use ckptmap::files::Location;
use ckptmap::object::OBJECT_GRAPH_KEY;
use ckptmap::source::open;
use ckptmap::tensor::{DType, Tensor, strings};
use serde_json::Value;

/// Every directory below `dir` that has a manifest.
fn fixtures(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.join("manifest.json").exists() {
            found.push(path);
        } else if path.is_dir() {
            found.extend(fixtures(&path));
        }
    }
    found.sort();
    found
}

/// What the manifest says of a string tensor: size and sum of each element.
fn string_elements(tensor: &Tensor<'_>) -> Vec<(u64, String)> {
    let count = tensor.spec().shape().elements();
    let elements = strings::decode(tensor.data(), count).unwrap();
    elements.iter().map(|bytes| (bytes.len() as u64, Crc::of(bytes).to_string())).collect()
}

fn compare(at: &str, name: &str, tensor: &Tensor<'_>, expected: &Value) {
    let place = format!("{at}: {name}");
    assert_eq!(tensor.spec().dtype().name(), expected["dtype"], "{place}");
    let shape: Vec<u64> =
        expected["shape"].as_array().unwrap().iter().map(|dim| dim.as_u64().unwrap()).collect();
    assert_eq!(tensor.spec().shape().dims(), shape, "{place}");
    if tensor.spec().dtype() == DType::String {
        let elements: Vec<(u64, String)> = expected["strings"]
            .as_array()
            .unwrap_or_else(|| panic!("{place}: {expected}"))
            .iter()
            .map(|one| (one["size"].as_u64().unwrap(), one["crc32c"].as_str().unwrap().to_owned()))
            .collect();
        assert_eq!(string_elements(tensor), elements, "{place}");
    } else {
        assert_eq!(tensor.checksum().to_string(), expected["crc32c"], "{place}");
    }
}

#[test]
fn every_tensor_is_what_tensorflow_reads() {
    let (mut checkpoints, mut tensors, mut sliced) = (0, 0, 0);
    for dir in fixtures(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")) {
        let manifest: Value =
            serde_json::from_str(&fs::read_to_string(dir.join("manifest.json")).unwrap()).unwrap();
        for (prefix, checkpoint) in manifest["checkpoints"].as_object().unwrap() {
            let at = dir.join(prefix);
            let reader = open(&Location::from(at.as_path())).unwrap();
            let expected = checkpoint["tensors"].as_object().unwrap();
            let named = |name: &&VariableName| name.as_str() != OBJECT_GRAPH_KEY;
            let found: Vec<&VariableName> =
                reader.catalog().variables.keys().filter(named).collect();
            let wanted = expected.keys().filter(|name| *name != OBJECT_GRAPH_KEY);
            let missing: Vec<_> = wanted
                .filter(|name| !reader.catalog().variables.contains_key(name.as_str()))
                .collect();
            assert!(missing.is_empty(), "{}: {missing:?} are not found", at.display());
            for name in found {
                let expected = expected
                    .get(name.as_str())
                    .unwrap_or_else(|| panic!("{}: TensorFlow sees no {name}", at.display()));
                let variable = &reader.catalog().variables[name];
                if matches!(variable.storage, Storage::Slices(_)) {
                    // Known, and refused rather than misread.
                    assert!(reader.read(name).is_err(), "{name}");
                    assert_eq!(variable.spec.dtype().name(), expected["dtype"], "{name}");
                    sliced += 1;
                    continue;
                }
                let tensor = reader.read(name).unwrap();
                compare(&at.display().to_string(), name.as_str(), &tensor, expected);
                reader.verify(name, &|_| ()).unwrap();
                tensors += 1;
            }
            checkpoints += 1;
        }
    }
    println!("{checkpoints} checkpoints, {tensors} tensors are what TensorFlow reads");
    println!("{sliced} tensors in slices are known and refused");
    assert!(checkpoints >= 50 && tensors >= 5000, "{checkpoints} checkpoints, {tensors} tensors");
}
