//! What is read, and what happens when something happened to a checkpoint.

use super::*;

#[test]
fn one_file() {
    let matrix = floats(&[2, 3], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    let texts = Tensor::new(spec(DType::String, &[2]), strings::encode(&["a", "\u{ff}"])).unwrap();
    let file = File::default().whole("w", &matrix).whole("s", &floats(&[], [7.0]));
    let (dir, reader) = opened(&[file.whole("t", &texts)]);
    let catalog = reader.catalog();
    assert_eq!((catalog.format, catalog.shards), ("V1 table", 1));
    assert_eq!(catalog.variables[&named("w")].storage, Storage::Records(1));
    assert_eq!(catalog.facts.scalars[&named("s")], floats(&[], [7.0]));
    assert_eq!(catalog.facts.scalars.len(), 1);
    assert_eq!(reader.read(&named("w")).unwrap(), matrix);
    assert_eq!(reader.read(&named("t")).unwrap(), texts);
    assert_eq!(reader.files(), [Location::from(dir.path().join("m").as_path())]);
    assert_eq!(reader.prefix(), &reader.files()[0]);
    let region = Region::new(matrix.spec().shape(), &[0..2, 1..3]).unwrap();
    let mut out = [0; 16];
    reader.read_region(&named("w"), &region, &mut out).unwrap();
    assert_eq!(out, *floats(&[4], [1.0, 2.0, 4.0, 5.0]).data());
    assert!(reader.read_region(&named("w"), &region, &mut [0; 15]).is_err());
    assert!(reader.read_region(&named("t"), &region, &mut out).is_err());
    assert!(matches!(reader.read(&named("x")), Err(SourceError::NoVariable { .. })));
    assert!(reader.extent(&named("w")).unwrap().is_none());
    let seen = std::cell::Cell::new(0);
    reader.verify(&named("w"), &|bytes| seen.set(seen.get() + bytes)).unwrap();
    assert_eq!(seen.get(), 24);
    assert!(findings(reader.prefix()).is_empty());
}

/// Rows of one variable in two files.
fn halves() -> [File; 2] {
    let whole = spec(DType::Int32, &[4, 2]);
    let rows = |rows: Range<u64>| slice(&[Some(rows), None]);
    let data: Vec<u8> = (-4..4_i32).flat_map(i32::to_le_bytes).collect();
    let first = File::default().with("v", &whole, &rows(0..3), &data[..24]);
    let second = File::default().with("v", &whole, &rows(3..4), &data[24..]);
    [first.whole("a", &floats(&[], [1.0])), second.whole("b", &floats(&[], [2.0]))]
}

#[test]
fn several_files_are_one_checkpoint() {
    let (dir, reader) = opened(&halves());
    let root = Location::from(dir.path());
    assert_eq!(reader.prefix(), &root.join("m"));
    assert_eq!(reader.catalog().origin, root.join("m-?????-of-00002").to_string());
    assert_eq!((reader.files().len(), reader.catalog().variables.len()), (2, 3));
    let tensor = reader.read(&named("v")).unwrap();
    let expected: Vec<u8> = (-4..4_i32).flat_map(i32::to_le_bytes).collect();
    assert_eq!(tensor.data(), expected);
    assert_eq!(reader.catalog().variables[&named("v")].storage, Storage::Records(2));
    assert!(findings(&root.join("m-?????-of-00002")).is_empty());
}

#[test]
fn a_file_that_is_missing_is_named() {
    let (dir, name) = written(&halves());
    fs::remove_file(dir.path().join("m-00001-of-00002")).unwrap();
    let error = open(&name).unwrap_err().to_string();
    assert!(error.contains("m-00001-of-00002` is missing, and holds values of"), "{error}");
    let found = findings(&name);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn files_that_contradict_each_other() {
    let mut files = halves();
    files[1] = File::default().whole("v", &floats(&[4, 2], [0.0; 8]));
    let (_dir, name) = written(&files);
    let error = told(&open(&name).unwrap_err());
    assert!(error.ends_with("it is float32 [4, 2] here and int32 [4, 2] elsewhere"), "{error}");
    // The same slice twice spoils one variable, and nothing else.
    let mut files = halves();
    files[1] = files[0].clone();
    let (_dir, reader) = opened(&files);
    assert!(reader.read(&named("a")).is_err());
    let error = told(&reader.read(&named("v")).unwrap_err());
    assert!(error.ends_with("slices overlap"), "{error}");
    let notes = &reader.catalog().facts.notes;
    assert!(notes.iter().any(|note| note.contains("`v` cannot be read")), "{notes:?}");
}

#[test]
fn records_that_are_not_what_is_listed() {
    let tensor = floats(&[2], [1.0, 2.0]);
    let names = ["content", "gone", "long", "short", "sound", "type"];
    let mut file = names.iter().fold(File::default(), |file, name| file.whole(name, &tensor));
    let all = slice(&[None]);
    let key = |name: &str| Slice::new(&all).key(name.as_bytes());
    let of = |values: &[u8]| record(b"", &all, DType::Float, values);
    file.records.insert(key("content"), field(2, &field(3, &field(4, &[0; 8]))));
    file.records.remove(&key("gone"));
    file.records.insert(key("long"), of(&[0; 12]));
    file.records.insert(key("short"), of(&[0; 4]));
    // Nobody lists it, and nobody misses it.
    file.records.insert(key("orphan"), of(&[0; 4]));
    file.listed.get_mut(&b"type"[..]).unwrap().r#type = DType::BFloat16.number();
    let (_dir, reader) = opened(&[file]);
    assert_eq!(reader.read(&named("sound")).unwrap(), tensor);
    for (name, what) in [
        ("content", "its values are raw bytes"),
        ("gone", "lists slice `-` of `gone`, but does not hold it"),
        ("long", "it has 3 values where 2 belong"),
        ("short", "it has 1 values where 2 belong"),
        ("type", "there are no bfloat16 in V1 checkpoints"),
    ] {
        let region = Region::whole(tensor.spec().shape());
        let errors = [
            reader.read(&named(name)).unwrap_err(),
            reader.verify(&named(name), &|_| ()).unwrap_err(),
            reader
                .read_region(&named(name), &region, &mut vec![0; 8 >> u8::from(name == "type")])
                .unwrap_err(),
        ];
        for error in errors {
            assert!(told(&error).contains(what), "{}", told(&error));
        }
    }
    let found: Vec<_> =
        findings(reader.prefix()).into_iter().map(|one| one.variable.unwrap()).collect();
    assert_eq!(found, ["content", "gone", "long", "short", "type"]);
}

#[test]
fn damage_hurts_its_block_only() {
    let large = Tensor::new(spec(DType::UInt8, &[600_000]), vec![7; 600_000]).unwrap();
    let names = ["a", "b", "c"];
    let file = names.iter().fold(File::default(), |file, name| file.whole(name, &large));
    let (_dir, name) = written(&[file]);
    let mut bytes = fs::read(name.path()).unwrap();
    bytes[900_000] ^= 1;
    fs::write(name.path(), bytes).unwrap();
    let reader = open(&name).unwrap();
    assert!(reader.read(&named("a")).is_ok() && reader.read(&named("c")).is_ok());
    let error = told(&reader.read(&named("b")).unwrap_err());
    assert!(error.contains("`b`") && error.contains("the block's checksum"), "{error}");
    let found: Vec<_> = findings(&name).into_iter().map(|one| one.variable).collect();
    assert_eq!(found, [Some("b".to_owned())]);
    // Without the list nobody is known to be hurt.
    let mut bytes = fs::read(name.path()).unwrap();
    bytes[5] ^= 1;
    fs::write(name.path(), bytes).unwrap();
    assert!(matches!(open(&name), Err(SourceError::Table { .. })));
    let found: Vec<_> = findings(&name).into_iter().map(|one| one.variable).collect();
    assert_eq!(found, [None, None]);
}

#[test]
fn lists_that_cannot_be_used() {
    let fails = |file: &File| told(&open(&written(std::slice::from_ref(file)).1).unwrap_err());
    let file = || File::default().whole("w", &floats(&[], [1.0]));
    let mut newer = file();
    newer.more = b"\x12\x02\x10\x02".to_vec();
    assert!(fails(&newer).contains("version 1"), "{}", fails(&newer));
    let mut unknown = file();
    unknown.listed.get_mut(&b"w"[..]).unwrap().r#type = 101;
    assert!(fails(&unknown).contains("the entry of `w`"));
    let mut nameless = file();
    nameless.listed.get_mut(&b"w"[..]).unwrap().name.clear();
    assert!(fails(&nameless).contains("a variable without a name"));
    let mut binary = file();
    binary.listed.get_mut(&b"w"[..]).unwrap().name = b"\xff".to_vec();
    let (_dir, reader) = opened(&[binary]);
    assert_eq!(reader.catalog().unnamable, [b"\xff"]);
    assert!(reader.catalog().variables.is_empty());
}

#[test]
fn other_tables() {
    let dir = tempfile::tempdir().unwrap();
    let at = Location::from(dir.path().join("m").as_path());
    for (key, value, what) in [
        (&b""[..], &b"\x08\x01\x1a\x02\x08\x01"[..], "is the index of a checkpoint"),
        (b"", b"", "is a table, but not that of a checkpoint"),
        (b"key", b"value", "is a table, but not that of a checkpoint"),
    ] {
        let mut table = TableBuilder::new(Vec::new());
        table.insert(key, value).unwrap();
        fs::write(at.path(), table.finish().unwrap()).unwrap();
        assert!((FORMAT.detect)(&at).unwrap());
        let error = open(&at).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
        assert!(!findings(&at).is_empty());
    }
}

/// Slots whose names TensorFlow spoiled, as in bundles.
#[test]
fn parts_of_slots_are_joined() {
    let whole = spec(DType::Float, &[4]);
    let part = |rows: Range<u64>| slice(&[Some(rows)]);
    let data = floats(&[4], [1.0, 2.0, 3.0, 4.0]);
    let (low, high) = data.data().split_at(8);
    let names = [("v", "v"), ("v/t_0/Adam", "v/t_1/Adam")];
    let file = names.iter().fold(File::default(), |file, (first, second)| {
        file.with(first, &whole, &part(0..2), low).with(second, &whole, &part(2..4), high)
    });
    let (_dir, reader) = opened(&[file]);
    assert_eq!(reader.read(&named("v/Adam")).unwrap(), data);
    assert_eq!(reader.catalog().variables.len(), 2);
    assert!(findings(reader.prefix()).is_empty());
}
