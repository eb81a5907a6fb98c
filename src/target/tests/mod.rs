//! The promises of a whole write; here is what the tests share.

mod commit;
mod values;

use std::collections::BTreeMap;

use prost::Message;

use super::*;
use crate::files::{Action, read_all, store};
use crate::object::{GraphBuilder, OBJECT_GRAPH_KEY, ObjectPath};
use crate::proto::{BundleEntryProto, BundleHeaderProto, TrackableObjectGraph};
use crate::table::{Table, TableError};
use crate::tensor::{DType, Shape, strings};

const FORCE: Options =
    Options { overwrite: true, sync: false, update_state: false, shard_size: None, record: None };

/// A directory for one test, with the names of all files in it.
struct Place {
    _guard: tempfile::TempDir,
    directory: Location,
}

impl Place {
    fn new() -> Self {
        let guard = tempfile::tempdir().unwrap();
        Self { directory: Location::from(guard.path()), _guard: guard }
    }

    fn at(&self, name: &str) -> Location {
        self.directory.join(name)
    }

    fn files(&self) -> Vec<String> {
        let all = self.at("");
        store(&all).list(&all).unwrap().iter().map(Location::name).collect()
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Location {
        let at = self.at(name);
        let mut draft = draft::Draft::new(&at).unwrap();
        draft.append(bytes).unwrap();
        draft.publish(at.clone()).unwrap();
        at
    }

    fn entry(&self, name: &str) -> Entry {
        Entry::of(&self.at(name)).unwrap().unwrap()
    }
}

/// What a bundle says of a tensor, and its bytes, whose sum has been checked.
#[derive(Debug, PartialEq)]
struct Stored {
    entry: BundleEntryProto,
    bytes: Vec<u8>,
}

fn read(to: &Location) -> (BundleHeaderProto, BTreeMap<String, Stored>) {
    let table = Table::parse(read_all(&names::index(to), 1 << 20).unwrap()).unwrap();
    let header = table.get(b"").unwrap().unwrap();
    let header = BundleHeaderProto::decode(header.as_slice()).unwrap();
    let count = usize::try_from(header.num_shards).unwrap();
    let mut found = BTreeMap::new();
    table
        .for_each(|key, value| {
            if !key.is_empty() {
                let entry = BundleEntryProto::decode(value).unwrap();
                let shard = usize::try_from(entry.shard_id).unwrap();
                let data = read_all(&names::shard(to, shard, count), 1 << 20).unwrap();
                let start = usize::try_from(entry.offset).unwrap();
                let len = usize::try_from(entry.size).unwrap();
                let bytes = data[start..start + len].to_vec();
                if DType::from_number(entry.dtype) != Some(DType::String) {
                    assert_eq!(Crc::of(&bytes).masked(), entry.crc32c);
                }
                found.insert(String::from_utf8(key.to_vec()).unwrap(), Stored { entry, bytes });
            }
            Ok::<(), TableError>(())
        })
        .unwrap();
    (header, found)
}

fn spec(dtype: DType, dims: &[u64]) -> TensorSpec {
    TensorSpec::new(dtype, Shape::new(dims).unwrap()).unwrap()
}

fn name(key: &str) -> Target {
    Target::named(key)
}

/// Writes one tensor of bytes called `a`.
fn write(to: &Location, options: &Options, value: &[u8]) -> Result<Committed, TargetError> {
    let mut writer = create(to, options, &[])?;
    let tensor = Tensor::new(spec(DType::UInt8, &[value.len() as u64]), value).unwrap();
    writer.put(&name("a"), &tensor)?;
    writer.finish(None, &always)
}
