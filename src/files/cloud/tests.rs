//! Buckets in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::path::Path;

use super::blob::CloudBlob;
use super::client::{Client, wait};
use crate::convert::{Inputs, Options, Sharing, convert};
use crate::files::{
    Action, Blob, Entry, Location, Share, Shared, entries, lies_below, read_all, store,
};
use crate::mapping::{Mapping, NoFiles};
use crate::plan::{self, plan};
use crate::target::WrittenFile;
use crate::{progress, source, target};

/// A bucket of that name in which nothing is.
fn bucket(name: &str) -> (Location, Arc<InMemory>) {
    limited(name, u64::MAX)
}

/// One whose server copies no more than so many bytes.
fn limited(name: &str, copy_limit: u64) -> (Location, Arc<InMemory>) {
    let root = format!("s3://{name}/");
    let objects = Arc::new(InMemory::new());
    let client = Client { objects: Arc::clone(&objects) as _, pages: None, copy_limit };
    Client::pretend(&root, client);
    (at(&root), objects)
}

fn at(text: &str) -> Location {
    let Ok(location) = text.parse();
    location
}

fn write(to: &Location, bytes: &[u8]) {
    let staged = store(to).stage(to).unwrap();
    staged.write_at(0, bytes).unwrap();
    staged.sync().unwrap();
    staged.publish(to).unwrap();
}

fn names(prefix: &Location) -> Vec<String> {
    store(prefix).list(prefix).unwrap().iter().map(ToString::to_string).collect()
}

#[test]
fn nothing_is_seen_before_it_is_published() {
    let (root, _) = bucket("published");
    let m = root.join("runs/m.index");
    let staged = store(&m).stage(&m).unwrap();
    staged.write_at(1, b"ew").unwrap();
    staged.write_at(0, b"n").unwrap();
    assert_eq!(names(&root), [""; 0]);
    staged.publish(&m).unwrap();
    assert_eq!(read_all(&m, 3).unwrap(), b"new");
    assert!(read_all(&m, 2).is_err());
    drop(store(&m).stage(&m).unwrap());
    assert_eq!(names(&root.join("")), ["s3://published/runs"]);
    store(&m).remove(&m).unwrap();
    store(&m).remove(&m).unwrap();
    assert_eq!(names(&root), [""; 0]);
}

#[test]
fn large_ones_go_in_parts_and_come_in_ranges() {
    let (root, _) = bucket("large");
    let m = root.join("m");
    let bytes: Vec<u8> = (0..9_000_000_u32).flat_map(u32::to_le_bytes).collect();
    write(&m, &bytes);
    let blob = store(&m).open(&m).unwrap();
    assert_eq!(blob.len(), bytes.len() as u64);
    for (offset, len) in
        [(0, 0), (0, 7), ((1 << 20) - 3, 7), (123, 1 << 20), (7, 33 << 20), (35_999_990, 10)]
    {
        let mut out = vec![0; len];
        blob.read_at(offset as u64, &mut out).unwrap();
        assert!(out == bytes[offset..offset + len], "{offset} {len}");
    }
    let error = blob.read_at(35_999_990, &mut [0; 11]).unwrap_err();
    assert_eq!(error.source.to_string(), "it ends before the 11 bytes from 35999990 on do");
    assert!(store(&m).map(&m).unwrap().as_ref() == bytes);
}

#[test]
fn files_and_directories_are_told_apart() {
    let (root, _) = bucket("status");
    write(&root.join("runs/m.index"), b"12345");
    let status = |name: &str| {
        let at = root.join(name);
        store(&at).status(&at).unwrap().map(|status| (status.is_dir, status.len))
    };
    assert_eq!(status("runs/m.index"), Some((false, 5)));
    for directory in ["runs", "runs/", ""] {
        assert_eq!(status(directory), Some((true, 0)), "{directory}");
    }
    for nothing in ["run", "runs/m", "runs/m.index/", "other/"] {
        assert_eq!(status(nothing), None, "{nothing}");
    }
    let error = store(&root).open(&root.join("runs")).unwrap_err();
    assert_eq!(error.source.to_string(), "it is a directory");
    let error = store(&root).open(&root.join("run")).unwrap_err();
    assert_eq!(error.source.kind(), std::io::ErrorKind::NotFound);
    let error = store(&root).status(&root.join("a//b")).unwrap_err();
    assert!(error.source.to_string().starts_with("no object can be called so"), "{error:?}");
}

#[test]
fn a_new_content_is_another_version() {
    let (root, _) = bucket("version");
    let m = root.join("m");
    let status = || store(&m).status(&m).unwrap().unwrap();
    write(&m, b"1");
    let first = status();
    assert_eq!(first, status());
    write(&m, b"2");
    assert_ne!(first.version, status().version);
    assert_ne!(first.identity, status().identity);
}

#[test]
fn lists_by_the_start_of_the_name() {
    let (root, objects) = bucket("list");
    for name in ["a/m.index", "a/m.data-00000-of-00001", "a/n", "a/m/x", "a/mm/x/y", "m"] {
        write(&root.join(name), b"");
    }
    // Some programs leave a mark for the directory itself.
    let mark = Path::from("a");
    wait(Action::Write, &root, objects.put(&mark, Vec::new().into())).unwrap();
    let expected = ["m", "m.data-00000-of-00001", "m.index", "mm"];
    assert_eq!(names(&root.join("a/m")), expected.map(|name| format!("s3://list/a/{name}")));
    assert_eq!(names(&root.join("a/")).len(), 5);
    assert_eq!(names(&root.join("nowhere/m")), [""; 0]);
    assert_eq!(names(&root), ["s3://list/a", "s3://list/m"]);
}

#[test]
fn parts_of_two_versions_are_never_mixed() {
    let (root, _) = bucket("replaced");
    let m = root.join("m");
    write(&m, &vec![1; 3 << 20]);
    let blob = store(&m).open(&m).unwrap();
    blob.read_at(0, &mut [0; 5]).unwrap();
    let Shared::Staged(copy) = store(&m).share(blob.as_ref(), &m, Share::Server).unwrap() else {
        panic!("refused");
    };
    write(&m, &vec![2; 3 << 20]);
    for (offset, len) in [(1 << 20, 5), (0, 3 << 20)] {
        let error = blob.read_at(offset, &mut vec![0; len]).unwrap_err();
        assert!(error.source.to_string().starts_with("it was replaced meanwhile"), "{error:?}");
    }
    let error = copy.publish(&root.join("new")).unwrap_err();
    assert!(error.source.to_string().starts_with("it was replaced meanwhile"), "{error:?}");
    assert_eq!(names(&root), ["s3://replaced/m"]);
}

#[test]
fn copies_stay_in_their_bucket_and_below_a_limit() {
    let (root, _) = limited("limit", 3);
    let (other, _) = bucket("limit-other");
    for (name, bytes) in [("small", &b"123"[..]), ("large", b"1234")] {
        write(&root.join(name), bytes);
    }
    let share = |name: &str, near: &Location| {
        let from = root.join(name);
        store(near).share(store(&from).open(&from).unwrap().as_ref(), near, Share::Server).unwrap()
    };
    let new = root.join("new");
    let Shared::Staged(copy) = share("small", &new) else { panic!("refused") };
    assert!(store(&new).status(&new).unwrap().is_none());
    copy.publish(&new).unwrap();
    assert_eq!(read_all(&new, 3).unwrap(), b"123");
    let local = tempfile::tempdir().unwrap();
    let local = Location::from(local.path()).join("m");
    for (name, near, why) in [
        ("large", &new, "it has 4 bytes, and the server copies no more than 3 at a time"),
        ("small", &other.join("m"), "`s3://limit-other/m` is not in the same bucket"),
        ("small", &local, "no server makes copies on this machine"),
    ] {
        let Shared::Refused(error) = share(name, near) else { panic!("{why}") };
        assert_eq!(error.source.to_string(), why);
    }
}

#[test]
fn names_are_files_of_their_own() {
    let (root, _) = bucket("entries");
    let [one, other] = ["a/one", "a/other"].map(|name| root.join(name));
    write(&one, b"same");
    write(&other, b"same");
    let entry = |at: &Location| Entry::of(at).unwrap().unwrap();
    assert!(entry(&one).is_same_name(&entry(&at("s3://entries/a/one"))));
    assert!(!entry(&one).is_same_file(&entry(&other)));
    let before = entry(&one);
    write(&one, b"other");
    assert!(before.is_same_file(&entry(&one)));
    assert_eq!(entries(&[root.join("none"), one.clone()]).unwrap().len(), 1);
    assert!(lies_below(&one, &root.join("a")).unwrap());
    assert!(lies_below(&one, &root).unwrap());
    assert!(!lies_below(&root.join("ab/one"), &root.join("a")).unwrap());
}

#[test]
fn neighbours_come_with_one_request() {
    let (root, objects) = bucket("neighbours");
    let m = root.join("m");
    write(&m, &vec![7; 2 << 20]);
    let blob = CloudBlob::open(&Client::of(&m).unwrap(), &m).unwrap();
    let mut out = [0; 100];
    blob.read_at(0, &mut out).unwrap();
    wait(Action::Remove, &m, objects.delete(&Path::from("m"))).unwrap();
    blob.read_at(1 << 19, &mut out).unwrap();
    assert_eq!(out, [7; 100]);
    assert!(blob.read_at(1 << 20, &mut out).is_err());
}

/// Converts `old` into `new` by the rules of a test checkpoint.
fn converted(
    old: &Location,
    new: &Location,
    share: Option<Sharing>,
) -> (Vec<WrittenFile>, Vec<String>) {
    let rules = include_str!("../../../testdata/conv3/rules-keras2.yaml");
    let mapping = Mapping::parse("rules", rules, &BTreeMap::new(), &NoFiles).unwrap();
    let old = source::open(old).unwrap();
    let plan = plan(old.catalog(), &mapping, None, &plan::Options::default()).unwrap();
    let never = entries(&old.files()).unwrap();
    let writer = target::create(new, &target::Options::default(), &never).unwrap();
    let inputs = Inputs { source: old.as_ref(), template: None };
    let how = Options { share, ..Options::default() };
    let done = convert(&plan, &inputs, writer, &how, &progress::Silent).unwrap().written;
    (done.files, done.notes)
}

/// Puts the test checkpoint into a bucket.
fn fill(root: &Location) -> Location {
    let old = at(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/conv3/model.ckpt"));
    for suffix in [".index", ".data-00000-of-00001"] {
        let bytes = read_all(&old.with_suffix(suffix), 1 << 20).unwrap();
        write(&root.join("old/m").with_suffix(suffix), &bytes);
    }
    root.join("old/m")
}

#[test]
fn a_conversion_into_and_out_of_a_bucket() {
    let (one, _) = bucket("convert-one");
    let (other, _) = bucket("convert-other");
    let old = fill(&one);
    let local = tempfile::tempdir().unwrap();
    let local = Location::from(local.path()).join("new");
    let (into, notes) = converted(&old, &other.join("new"), None);
    assert!(notes.is_empty() && into.iter().all(|file| file.shared.is_none()));
    let (out, _) = converted(&old, &local, None);
    for (into, out) in into.iter().zip(&out) {
        assert_eq!(read_all(&into.at, 9999).unwrap(), read_all(&out.at, 9999).unwrap());
    }
}

#[test]
fn inside_a_bucket_the_server_copies() {
    let (root, _) = bucket("convert-inside");
    let old = fill(&root);
    let (files, notes) = converted(&old, &root.join("new"), None);
    let shared: Vec<_> = files.iter().map(|file| file.shared).collect();
    assert_eq!(shared, [Some(Share::Server), None, None]);
    assert!(notes[0].starts_with("1 data file was copied inside the bucket"), "{notes:?}");
    let link = Some(Sharing { how: Share::Link, required: true });
    let (files, _) = converted(&old, &root.join("linked"), link);
    assert_eq!(files[0].shared, Some(Share::Server));
}

#[test]
fn what_the_server_cannot_copy_comes_here_and_that_is_said() {
    let (root, _) = limited("convert-limited", 1000);
    let old = fill(&root);
    let (files, notes) = converted(&old, &root.join("new"), None);
    assert!(files.iter().all(|file| file.shared.is_none()));
    assert!(notes[0].ends_with("its bytes go through this machine instead"), "{notes:?}");
}
