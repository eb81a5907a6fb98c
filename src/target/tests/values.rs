//! What goes in is found again, and what must not go in is refused.

use super::*;

#[test]
fn what_goes_in_is_found() {
    let place = Place::new();
    let to = place.at("new/model.ckpt");
    let mut writer = create(&to, &Options::default(), &[]).unwrap();

    let place_of_two = writer.reserve(&name("streamed"), &spec(DType::Float, &[2, 1]), 8).unwrap();
    writer.put(&name("text"), &Tensor::string(b"hello")).unwrap();
    // In any order, and after others have got their places.
    writer.write(place_of_two.after(3), &[4, 5, 6, 7, 8]).unwrap();
    writer.write(place_of_two, &[1, 2, 3]).unwrap();
    writer.seal(&name("streamed"), Crc::of(&[1, 2, 3, 4, 5, 6, 7, 8])).unwrap();
    let words = Tensor::new(spec(DType::String, &[2]), strings::encode(&["x", "yz"])).unwrap();
    writer.put(&name("words"), &words).unwrap();
    writer.put(&name("none"), &Tensor::new(spec(DType::Float, &[0, 3]), vec![]).unwrap()).unwrap();
    writer.alias(&name("again"), &name("streamed")).unwrap();

    let mut graph = GraphBuilder::default();
    graph.insert(&ObjectPath::parse("model/kernel").unwrap(), "streamed").unwrap();
    let graph = graph.finish();
    let done = writer.finish(Some(&graph), &always).unwrap();
    assert_eq!(done.notes, [""; 0]);
    let names: Vec<String> = done.files.iter().map(|file| file.at.name()).collect();
    assert_eq!(names, ["model.ckpt.data-00000-of-00001", "model.ckpt.index"]);
    for file in &done.files {
        assert_eq!(store(&to).status(&file.at).unwrap().unwrap().len, file.bytes);
    }

    let table = Table::parse(read_all(&names::index(&to), 1 << 20).unwrap()).unwrap();
    assert_eq!(table.get(b"").unwrap().unwrap(), b"\x08\x01\x1a\x02\x08\x01");
    // dtype, shape [0, 3], offset; no size; the sum of nothing.
    let none = table.get(b"none").unwrap().unwrap();
    assert_eq!(none[..10], *b"\x08\x01\x12\x06\x12\x00\x12\x02\x08\x03");
    assert_eq!(none[none.len() - 5..], *b"\x35\xd8\xea\x82\xa2");

    let place_of = |key: &str| {
        let entry =
            BundleEntryProto::decode(table.get(key.as_bytes()).unwrap().unwrap().as_slice());
        let entry = entry.unwrap();
        (entry.shard_id, entry.offset, entry.size, entry.crc32c)
    };
    assert_eq!(place_of("streamed"), (0, 0, 8, Crc::of(&[1, 2, 3, 4, 5, 6, 7, 8]).masked()));
    assert_eq!(place_of("again"), place_of("streamed"));
    assert_eq!(place_of("text").1, 8);
    assert_eq!(place_of("words").3, words.checksum().masked());

    let data = read_all(&names::shard(&to, 0, 1), 8 << 20).unwrap();
    let (_, offset, size, _) = place_of(OBJECT_GRAPH_KEY);
    let (start, size) = (usize::try_from(offset).unwrap(), usize::try_from(size).unwrap());
    let string = strings::decode(&data[start..start + size], 1).unwrap();
    let stored = TrackableObjectGraph::decode(string[0]).unwrap();
    assert_eq!(stored.nodes.len(), 3);
    assert_eq!(stored.nodes[2].attributes[0].full_name, "streamed");
    assert_eq!(stored.nodes[2].has_checkpoint_values, Some(true));
}

#[test]
fn misuse_is_refused() {
    let place = Place::new();
    let mut writer = create(&place.at("m"), &FORCE, &[]).unwrap();
    let text = Tensor::string(b"text");
    writer.put(&name("a"), &text).unwrap();
    assert!(matches!(writer.put(&name("a"), &text), Err(TargetError::Duplicate(_))));
    assert!(matches!(writer.put(&name(""), &text), Err(TargetError::Unnamed)));
    assert!(matches!(writer.alias(&name("a"), &name("a")), Err(TargetError::Duplicate(_))));
    let unknown = writer.alias(&name("b"), &name("c")).unwrap_err();
    assert_eq!(unknown.to_string(), "`b` cannot share the bytes of `c`, which is not written");
    let bytes = spec(DType::UInt8, &[3]);
    let long = writer.reserve(&name("long"), &bytes, 4).unwrap_err();
    assert!(matches!(long, TargetError::Data { .. }));
    let at = writer.reserve(&name("short"), &bytes, 3).unwrap();
    assert!(matches!(writer.write(at, b"abcd"), Err(TargetError::Nowhere)));
    writer.write(at, b"ab").unwrap();
    assert!(matches!(writer.alias(&name("d"), &name("short")), Err(TargetError::Unknown { .. })));
    assert!(matches!(writer.seal(&name("c"), Crc::default()), Err(TargetError::Unfinished(_))));
    let error = writer.finish(None, &always).unwrap_err();
    assert_eq!(error.to_string(), "`short` was begun and never finished");
    assert_eq!(place.files(), [""; 0]);
}

#[test]
fn bytes_that_never_came_are_noticed() {
    let place = Place::new();
    let mut writer = create(&place.at("m"), &FORCE, &[]).unwrap();
    let at = writer.reserve(&name("a"), &spec(DType::UInt8, &[3]), 3).unwrap();
    writer.write(at, b"ab").unwrap();
    writer.seal(&name("a"), Crc::of(b"abc")).unwrap();
    assert!(matches!(writer.finish(None, &always), Err(TargetError::Nowhere)));
    assert_eq!(place.files(), [""; 0]);
}

#[cfg(unix)]
#[test]
fn tensors_stand_in_data_files_of_others() {
    let place = Place::new();
    let old = place.file("old", b"..value..");
    let blob = store(&old).open(&old).unwrap();
    let shared = |to: &Location, with_own: bool| {
        let mut writer = create(to, &FORCE, &[]).unwrap();
        let Sharing::Done(file) = writer.share(blob.as_ref(), Share::Link).unwrap() else {
            panic!("links are refused here");
        };
        let five = spec(DType::UInt8, &[5]);
        writer.refer(&name("a"), &five, (file, 2, 5), Crc::of(b"value")).unwrap();
        let beyond = writer.refer(&name("b"), &five, (file, 5, 5), Crc::default()).unwrap_err();
        assert!(matches!(beyond, TargetError::Beyond { end: 10, len: 9, .. }));
        writer.alias(&name("z"), &name("a")).unwrap();
        if with_own {
            writer.put(&name("own"), &Tensor::string(b"own")).unwrap();
        }
        writer.finish(None, &always).unwrap()
    };
    let to = place.at("new/m");
    for with_own in [true, false, false] {
        let done = shared(&to, with_own);
        let (header, found) = read(&to);
        assert_eq!(found["a"].bytes, b"value");
        assert_eq!(found["z"].entry, found["a"].entry);
        assert_eq!(found.contains_key("own"), with_own);
        assert_eq!(usize::try_from(header.num_shards).unwrap() + 1, done.files.len());
        assert_eq!(done.files[0].shared, Some(Share::Link));
        assert_eq!(done.files[0].bytes, 9);
        assert_eq!(store(&old).status(&old).unwrap().unwrap().links, 2);
    }
    // Where nothing has to be written, no file of its own is there; but the number of files must
    // change when it replaces one.
    assert_eq!(read(&to).0.num_shards, 2);
    assert_eq!(read_all(&old, 9).unwrap(), b"..value..");
}

/// `Checkpoint(k=Variable([1., 2.], name='d/k')).write(...)`, as TensorFlow writes it.
#[test]
fn bytes_are_tensorflows_own() {
    let place = Place::new();
    let key = ObjectPath::parse("k").unwrap();
    let value = [1.0_f32, 2.0].map(f32::to_le_bytes).concat();
    let mut writer = create(&place.at("m"), &FORCE, &[]).unwrap();
    let tensor = Tensor::new(spec(DType::Float, &[2]), value).unwrap();
    writer.put(&Target::variable(&key), &tensor).unwrap();
    let mut graph = GraphBuilder::default();
    graph.insert(&key, "d/k").unwrap();
    writer.finish(Some(&graph.finish()), &always).unwrap();

    let data = read_all(&place.at("m.data-00000-of-00001"), 100).unwrap();
    let expected = [
        b"\x00\x00\x80\x3f\x00\x00\x00\x40\x48\xe2\x15\x0f\x92".as_slice(),
        b"\x0a\x0b\x0a\x05\x08\x01\x12\x01k\x2a\x02\x08\x01",
        b"\x0a\x39\x12\x33\x0a\x0eVARIABLE_VALUE\x12\x03d/k",
        b"\x1a\x1ck/.ATTRIBUTES/VARIABLE_VALUE\x2a\x02\x08\x01",
    ];
    assert_eq!(data, expected.concat());
    let index = read_all(&place.at("m.index"), 200).unwrap();
    let expected = [
        b"\x00\x00\x06\x08\x01\x1a\x02\x08\x01".as_slice(),
        b"\x00\x1c\x0d_CHECKPOINTABLE_OBJECT_GRAPH",
        b"\x08\x07\x12\x00\x20\x08\x28\x4d\x35\xf4\xbc\x00\xaa",
        b"\x00\x1c\x0fk/.ATTRIBUTES/VARIABLE_VALUE",
        b"\x08\x01\x12\x04\x12\x02\x08\x02\x28\x08\x35\x59\x3c\xe5\x35",
        b"\x00\x00\x00\x00\x01\x00\x00\x00\x00\xf4\x62\xcc\xd4",
        b"\x00\x00\x00\x00\x01\x00\x00\x00\x00\xc0\xf2\xa1\xb0",
        b"\x00\x01\x02l\x00\x6b\x00\x00\x00\x00\x01\x00\x00\x00\x00\x2b\xe8\xc3\x11",
        b"\x70\x08\x7d\x0e",
        &[0; 36],
        b"\x57\xfb\x80\x8b\x24\x75\x47\xdb",
    ];
    assert_eq!(index, expected.concat());
}

#[test]
fn the_graph_does_not_leave_an_empty_file_behind() {
    let place = Place::new();
    let to = place.at("m");
    let mut graph = GraphBuilder::default();
    graph.insert(&ObjectPath::parse("a").unwrap(), "a").unwrap();
    let graph = graph.finish();
    let options = Options { shard_size: Some(10), ..FORCE };
    for _ in 0..6 {
        let mut writer = create(&to, &options, &[]).unwrap();
        for key in ["a", "b", "c"] {
            let tensor = Tensor::new(spec(DType::UInt8, &[8]), vec![1; 8]).unwrap();
            writer.put(&name(key), &tensor).unwrap();
        }
        let done = writer.finish(Some(&graph), &always).unwrap();
        assert!(done.files.iter().all(|file| file.bytes > 0), "{:?}", done.files);
    }
}

#[test]
fn a_data_file_that_is_full_is_followed_by_another() {
    let place = Place::new();
    let sharded = |to: &Location, options: &Options| {
        let mut writer = create(to, options, &[]).unwrap();
        for (key, len) in [("a", 6), ("b", 4), ("c", 1), ("d", 25), ("e", 0), ("f", 9)] {
            let tensor = Tensor::new(spec(DType::UInt8, &[len as u64]), vec![1; len]).unwrap();
            writer.put(&name(key), &tensor).unwrap();
        }
        let mut graph = GraphBuilder::default();
        graph.insert(&ObjectPath::parse("a").unwrap(), "a").unwrap();
        let done = writer.finish(Some(&graph.finish()), &always).unwrap();
        let (header, found) = read(to);
        let shards: Vec<i32> = found.values().map(|stored| stored.entry.shard_id).collect();
        (header.num_shards, shards, done.files.iter().map(|file| file.bytes).collect::<Vec<_>>())
    };
    let to = place.at("m");
    let options = Options { shard_size: Some(10), ..FORCE };
    let (count, shards, sizes) = sharded(&to, &options);
    // The object graph is first in the index and last in the files.
    assert_eq!((count, shards), (5, vec![4, 0, 0, 1, 2, 2, 3]));
    assert_eq!(sizes[..4], [10, 1, 25, 9]);
    // Over itself it must have another number of them, and none may be empty.
    let (count, _, sizes) = sharded(&to, &Options { shard_size: Some(100), ..FORCE });
    assert_eq!((count, sizes.len()), (2, 3));
    let (count, _, sizes) = sharded(&to, &Options { shard_size: Some(1000), ..FORCE });
    assert_eq!((count, sizes.len()), (1, 2));
    let (count, _, sizes) = sharded(&to, &Options { shard_size: Some(1000), ..FORCE });
    assert!(count == 2 && sizes.iter().all(|&size| size > 0), "{sizes:?}");
}
