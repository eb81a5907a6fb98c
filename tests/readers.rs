//! Every fixture, every tensor: what is read is what TensorFlow reads.
//!
//! `manifest.json` beside each fixture holds what TensorFlow itself found there.

#![expect(clippy::print_stdout, reason = "the counts are shown")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ckptmap::catalog::Storage;
use ckptmap::crc::Crc;
use ckptmap::files::Location;
use ckptmap::object::OBJECT_GRAPH_KEY;
use ckptmap::source::open;
use ckptmap::tensor::{DType, Region, Tensor, strings};
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

/// What counts of a byte: TensorFlow reads the low bits of the smallest types, and the others
/// travel along.
fn used_bits(tensor: &Tensor<'_>) -> u8 {
    match tensor.spec().dtype() {
        DType::Int4 | DType::UInt4 | DType::Float4E2M1Fn => 0x0f,
        DType::Int2 | DType::UInt2 => 0x03,
        _ => 0xff,
    }
}

fn compare(at: &str, name: &str, tensor: &Tensor<'_>, expected: &Value) {
    let place = format!("{at}: {name}");
    assert_eq!(tensor.spec().dtype().name().as_ref(), expected["dtype"], "{place}");
    let shape: Vec<u64> =
        expected["shape"].as_array().unwrap().iter().map(|dim| dim.as_u64().unwrap()).collect();
    assert_eq!(tensor.spec().shape().dims(), shape, "{place}");
    if expected["variant"] == true {
        return;
    }
    if tensor.spec().dtype() == DType::String {
        let elements: Vec<(u64, String)> = expected["strings"]
            .as_array()
            .unwrap_or_else(|| panic!("{place}: {expected}"))
            .iter()
            .map(|one| (one["size"].as_u64().unwrap(), one["crc32c"].as_str().unwrap().to_owned()))
            .collect();
        assert_eq!(string_elements(tensor), elements, "{place}");
    } else {
        let data: Vec<u8> = tensor.data().iter().map(|byte| byte & used_bits(tensor)).collect();
        assert_eq!(Crc::of(&data).to_string(), expected["crc32c"], "{place}");
    }
}

/// What the checkpoints of one fixture came to.
#[derive(Default)]
struct Counts {
    checkpoints: usize,
    tensors: usize,
    sliced: usize,
    joined: usize,
    refused: usize,
    formats: BTreeMap<&'static str, usize>,
    versions: BTreeMap<String, usize>,
    dtypes: BTreeSet<String>,
}

/// Whether a value does not fit its type. TensorFlow drops its high bits in silence; to us it is
/// damage.
fn is_cut_off(name: &str) -> bool {
    name.ends_with("/too_large")
}

/// One checkpoint against its part of a manifest.
fn check(at: &Path, manifest: &Value, counts: &mut Counts) {
    let reader = open(&Location::from(at)).unwrap();
    let catalog = reader.catalog();
    let place = at.display().to_string();
    let tensors = manifest["tensors"].as_object().unwrap();
    let joined = manifest["joined"].as_object();
    let parts: BTreeSet<&str> = joined
        .into_iter()
        .flat_map(|joined| joined.values())
        .flat_map(|one| one["from"].as_array().unwrap())
        .map(|name| name.as_str().unwrap())
        .collect();
    let mut expected: BTreeMap<&str, &Value> = tensors
        .iter()
        .chain(joined.into_iter().flatten())
        .map(|(name, tensor)| (name.as_str(), tensor))
        .filter(|(name, _)| *name != OBJECT_GRAPH_KEY && !parts.contains(name))
        .collect();
    for (name, variable) in &catalog.variables {
        let expected = expected
            .remove(name.as_str())
            .unwrap_or_else(|| panic!("{place}: TensorFlow sees no {name}"));
        if is_cut_off(name.as_str()) {
            assert!(reader.read(name).is_err() && reader.verify(name, &|_| ()).is_err(), "{name}");
            counts.refused += 1;
            continue;
        }
        let tensor = reader.read(name).unwrap_or_else(|error| panic!("{place}: {error:?}"));
        compare(&place, name.as_str(), &tensor, expected);
        reader.verify(name, &|_| ()).unwrap();
        if tensor.spec().bytes().is_some() {
            let mut whole = vec![0; tensor.data().len()];
            let region = Region::whole(tensor.spec().shape());
            reader.read_region(name, &region, &mut whole).unwrap();
            assert_eq!(whole, tensor.data(), "{place}: {name}, by region");
        }
        counts.tensors += 1;
        counts.dtypes.insert(tensor.spec().dtype().to_string());
        match variable.storage {
            Storage::Slices(n) | Storage::Records(n) if n > 1 => counts.sliced += 1,
            _ => {}
        }
    }
    assert!(expected.is_empty(), "{place}: not found: {:?}", expected.keys());
    counts.joined += joined.map_or(0, serde_json::Map::len);
    counts.checkpoints += 1;
    *counts.formats.entry(catalog.format).or_default() += 1;
    let found = ckptmap::check::check(&Location::from(at)).unwrap();
    // A part with a spoiled name is whole again, and nothing is wrong with it.
    let cut_off = catalog.variables.keys().filter(|name| is_cut_off(name.as_str())).count();
    assert_eq!(found.findings.len(), cut_off, "{place}: {:?}", found.findings);
}

#[test]
fn every_tensor_is_what_tensorflow_reads() {
    let mut counts = Counts::default();
    for dir in fixtures(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")) {
        let manifest: Value =
            serde_json::from_str(&fs::read_to_string(dir.join("manifest.json")).unwrap()).unwrap();
        let version = manifest["tensorflow"].as_str().unwrap().to_owned();
        for (prefix, checkpoint) in manifest["checkpoints"].as_object().unwrap() {
            check(&dir.join(prefix), checkpoint, &mut counts);
            *counts.versions.entry(version.clone()).or_default() += 1;
        }
    }
    let Counts { checkpoints, tensors, sliced, joined, refused, formats, versions, dtypes } =
        counts;
    println!("{checkpoints} checkpoints, {tensors} tensors are what TensorFlow reads");
    println!("by format {formats:?}, by TensorFlow {versions:?}");
    println!("{sliced} tensors put together of slices, {joined} of parts with spoiled names");
    println!("{refused} refused whose values do not fit their type");
    println!("{} element types: {dtypes:?}", dtypes.len());
    assert!(checkpoints >= 120 && tensors >= 7000, "{checkpoints} checkpoints, {tensors} tensors");
}
