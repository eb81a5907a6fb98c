//! Checkpoints that are none, and those that are damaged.

use ckptmap::crc::Crc;
use ckptmap::tensor::{DType, Shape, Tensor, TensorSpec};

use super::scene::{Scene, scene};
use crate::rewrite::{rewrite, written};

const INDEX: &str = "old/model.ckpt.index";
const DATA: &str = "old/model.ckpt.data-00000-of-00001";

pub(super) fn none() -> Vec<Scene> {
    vec![
        scene("a typo in a name", "list testdata/conv3/modle.ckpt"),
        scene("a typo in a directory", "list testdata/conv/model.ckpt"),
        scene("nothing of that name anywhere", "list nowhere"),
        scene("no name at all", "list"),
        scene("a directory without a checkpoint", "list empty").file("empty/readme.txt", "nothing"),
        scene("the directory above the one with the checkpoint", "list runs")
            .copy("conv3", "runs/a")
            .copy("conv3", "runs/b"),
        scene("a directory of several checkpoints", "list two")
            .copy("conv3", "two")
            .made(|place| rewrite(place, "testdata/conv3", "two/other.ckpt", |_| ())),
        scene("a `checkpoint` file that names what is gone", "list old")
            .file("old/checkpoint", "model_checkpoint_path: \"model.ckpt-30\"\n"),
        scene("the same, and others are there", "list old")
            .copy("state", "old")
            .file("old/checkpoint", "model_checkpoint_path: \"model.ckpt-30\"\n"),
        scene("a `checkpoint` file that is none", "list old")
            .copy("conv3", "old")
            .made(|place| rewrite(place, "testdata/conv3", "old/other.ckpt", |_| ()))
            .file("old/checkpoint", "{{{"),
        scene("an HDF5 file of Keras", "convert testdata/foreign/weights.h5 --map rules.yaml"),
        scene("a frozen graph", "list testdata/foreign/frozen.pb"),
        scene("a pickle", "list testdata/foreign/variables.pkl"),
        scene("a NumPy archive", "list testdata/foreign/variables.npz"),
        scene("a Keras 3 archive", "list model.keras").file("model.keras", zip("config.json")),
        scene("a PyTorch checkpoint", "list model.pt").file("model.pt", zip("model/data.pkl")),
        scene("a tar archive that is compressed", "list old.tar.gz")
            .file("old.tar.gz", b"\x1f\x8b\x08 and more"),
        scene("a pointer of Git LFS", "list old/model.ckpt")
            .file(INDEX, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"),
        scene("a pointer of Git LFS for the data", "check old/model.ckpt")
            .copy("conv3", "old")
            .file(DATA, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
            .no()
            .answers(),
        scene("the graph of a SavedModel", "list testdata/saved_model/saved_model.pb"),
        scene("a SavedModel whose variables were not copied", "list saved")
            .file("saved/saved_model.pb", b"\x08\x01\x12\x00"),
        scene("a data file whose index was not copied", "list old/model.ckpt.data-00000-of-00001")
            .copy("conv3", "old")
            .gone(INDEX),
        scene("nothing but the graph was copied", "list old/model.ckpt")
            .copy("conv3", "old")
            .gone(INDEX)
            .gone(DATA),
        scene("an empty file", "list old/model.ckpt").file(INDEX, ""),
        scene("a text file", "list notes.txt").file("notes.txt", "weights are elsewhere\n"),
        scene("bytes of no kind", "list noise").file("noise", [0x9c; 80]),
        scene("a table that is no checkpoint", "list table")
            .made(|place| place.write("table", table(&[(b"key", b"value")]))),
        scene("a file of V1 shards is missing", "list old/model.ckpt-?????-of-00003")
            .copy("v1/partitioned_sharded", "old")
            .gone("old/model.ckpt-00001-of-00003"),
        scene("a link that leads nowhere", "list old").link("nowhere", "old"),
        scene("a link that leads to itself", "list old")
            .link("old", "old")
            .helpless("the loop is seen by whoever looks at the link"),
        scene("a file in place of a directory", "list notes.txt/model.ckpt").file("notes.txt", ""),
        scene("a file that may not be read", "list old/model.ckpt")
            .copy("conv3", "old")
            .forbidden(INDEX),
        scene("a directory that may not be listed", "list old")
            .copy("conv3", "old")
            .forbidden("old"),
        scene("characters that terminals obey", "list \u{1b}[31mred\u{7}"),
    ]
}

/// A zip archive as far as anybody looks.
fn zip(first: &str) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04".to_vec();
    bytes.resize(26, 0);
    bytes.extend(u16::try_from(first.len()).unwrap().to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend(first.bytes());
    bytes
}

fn table(entries: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut table = ckptmap::table::TableBuilder::new(Vec::new());
    for (key, value) in entries {
        table.insert(key, value).unwrap();
    }
    table.finish().unwrap()
}

/// An entry for two floats in two slices, of which these are the extents.
fn sliced(first: &[u8], second: &[u8]) -> Vec<u8> {
    let mut entry = b"\x08\x01\x12\x04\x12\x02\x08\x02".to_vec();
    for extent in [first, second] {
        let len = u8::try_from(extent.len()).unwrap();
        entry.extend([0x3a, len + 2, 0x0a, len]);
        entry.extend(extent);
    }
    entry
}

pub(super) fn damaged() -> Vec<Scene> {
    let convert = "convert old/model.ckpt --map testdata/conv3/rules-keras2.yaml -o new/ckpt";
    let list = "list old/model.ckpt";
    let show = "show old/model.ckpt model/conv2d/kernel[0,0] --verify";
    let index = |header: &[u8], entries: &[(&[u8], &[u8])]| {
        let all: Vec<_> = [(&b""[..], header)].into_iter().chain(entries.iter().copied()).collect();
        table(&all)
    };
    let header = b"\x08\x01\x1a\x02\x08\x01";
    vec![
        scene("a flipped byte in the data", convert)
            .copy("conv3", "old")
            .edit(DATA, |bytes| bytes[40] ^= 1),
        scene("a data file that was cut off", convert)
            .copy("conv3", "old")
            .edit(DATA, |bytes| bytes.truncate(100)),
        scene("a data file that was not copied", convert).copy("conv3", "old").gone(DATA),
        scene("damage, looked for", "check old")
            .copy("conv3", "old")
            .edit(DATA, |bytes| {
                bytes[0] ^= 1;
                *bytes.last_mut().unwrap() ^= 1;
            })
            .no()
            .answers(),
        scene("damage, shown", show).copy("conv3", "old").edit(DATA, |bytes| bytes[40] ^= 1),
        scene("damage where statistics are wanted", "list old/model.ckpt --stats")
            .no()
            .copy("conv3", "old")
            .edit(DATA, |bytes| bytes[40] ^= 1),
        scene("a flipped byte in the index", list)
            .copy("conv3", "old")
            .edit(INDEX, |bytes| bytes[30] ^= 1),
        scene("an index that was cut off", list)
            .copy("conv3", "old")
            .edit(INDEX, |bytes| bytes.truncate(60)),
        scene("an index to which bytes were added", list)
            .copy("conv3", "old")
            .edit(INDEX, |bytes| bytes.extend(b"\r\n")),
        scene("an index without a header", list).file(INDEX, table(&[(b"w", b"\x08\x01")])),
        scene("an index that is too short for one", list).file(INDEX, [0; 30]),
        scene("an index of a version to come", list)
            .file(INDEX, index(b"\x08\x01\x1a\x04\x08\x09\x10\x09", &[])),
        scene("an index whose header is no message", list).file(INDEX, index(b"\xff", &[])),
        scene("an entry that is no message", list).file(INDEX, index(header, &[(b"w", b"\xff")])),
        scene("an entry of a type that cannot be saved", list)
            .file(INDEX, index(header, &[(b"w", b"\x08\x14\x12\x00")])),
        scene("an entry whose size does not fit", list)
            .file(INDEX, index(header, &[(b"w", b"\x08\x01\x12\x00\x28\x07")])),
        scene("an entry with a shape below zero", list).file(
            INDEX,
            index(
                header,
                &[(b"w", b"\x08\x01\x12\x0d\x12\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")],
            ),
        ),
        scene("slices of which one is missing", "check old/model.ckpt")
            .file(
                INDEX,
                index(
                    header,
                    &[(b"w", b"\x08\x01\x12\x04\x12\x02\x08\x02\x3a\x06\x0a\x04\x08\x01\x10\x01")],
                ),
            )
            .file(DATA, "")
            .no()
            .answers(),
        scene("slices that overlap", "check old/model.ckpt")
            .no()
            .answers()
            .file(INDEX, index(header, &[(b"w", &sliced(b"\x10\x02", b"\x08\x01\x10\x01"))])),
        scene("a slice beyond the variable", "check old/model.ckpt")
            .no()
            .answers()
            .file(INDEX, index(header, &[(b"w", &sliced(b"\x10\x09", b""))])),
        scene("an object graph that is no string", "graph old/model.ckpt")
            .file(
                INDEX,
                index(header, &[(b"_CHECKPOINTABLE_OBJECT_GRAPH", b"\x08\x01\x12\x00\x28\x04")]),
            )
            .file(DATA, [0; 4]),
        scene("an object graph without objects", "graph empty").made(|place| {
            let spec = TensorSpec::new(DType::String, Shape::scalar()).unwrap();
            // The length of the string, which is 0, and the checksum of the length.
            let sum = Crc::of(&[0; 4]).masked().to_le_bytes();
            let graph = Tensor::new(spec, [&[0][..], &sum].concat()).unwrap();
            written(place, "empty", &[("_CHECKPOINTABLE_OBJECT_GRAPH", graph)]);
        }),
        scene("a V1 file that was cut off", "list old/model.ckpt")
            .copy("v1/conv3", "old")
            .edit("old/model.ckpt", |bytes| bytes.truncate(200)),
        scene("a flipped byte in a V1 file", "check old/model.ckpt")
            .copy("v1/conv3", "old")
            .edit("old/model.ckpt", |bytes| bytes[40] ^= 1)
            .no()
            .answers(),
        scene("a `.meta` that was cut off", "scopes old/model.ckpt")
            .copy("conv3", "old")
            .edit("old/model.ckpt.meta", |bytes| bytes.truncate(100)),
    ]
}
