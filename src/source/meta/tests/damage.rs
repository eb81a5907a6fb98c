//! Nothing in a file may break anything.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use proptest::prelude::*;

use super::{Bytes, catalog, field, meta, testdata, wire};
use crate::source::meta::wire::Wire;
use crate::source::meta::{Content, MAX_NODES, content};

#[test]
fn a_damaged_graph_is_a_note() {
    let dir = tempfile::tempdir().unwrap();
    for file in fs::read_dir(testdata("trained_adam")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), dir.path().join(file.file_name())).unwrap();
    }
    let prefix = dir.path().join("model.ckpt");
    let path = dir.path().join("model.ckpt.meta");
    let half = meta("trained_adam").len() / 2;
    for (content, what) in [
        (b"version https://git-lfs.github.com/spec/v1\n".to_vec(), "is a Git LFS pointer"),
        (Vec::new(), "is empty"),
        (meta("trained_adam")[..half].to_vec(), "is damaged or cut off at byte "),
    ] {
        fs::write(&path, content).unwrap();
        let facts = catalog(&prefix).facts;
        let [note] = facts.notes.as_slice() else { panic!("{:?}", facts.notes) };
        assert!(note.starts_with(&format!("`{}` {what}", path.display())), "{note}");
        assert!(facts.creation_order.is_empty() && facts.updates.is_empty());
        assert!(!facts.scalars.is_empty());
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(catalog(&prefix).facts.notes, [""; 0]);
}

#[test]
fn cut_off_anywhere_nothing_breaks() {
    for name in ["trained_adam", "optimizers/ftrl"] {
        let whole = meta(name);
        for end in (0..whole.len()).step_by(97) {
            // Between two fields nothing shows that something is missing.
            if let Ok(Content { order, updates, .. }) = content(&mut wire(&whole[..end])) {
                assert!(order.is_empty() || updates.len() >= 4, "{name} {end}");
            }
        }
    }
}

#[test]
fn changed_anywhere_nothing_breaks() {
    let whole = meta("trained_momentum");
    for at in (0..whole.len()).step_by(53) {
        for byte in [0, 0x7f, 0xff, whole[at] ^ 1] {
            let mut changed = whole.clone();
            changed[at] = byte;
            let _ = content(&mut wire(&changed));
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_graph_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = content(&mut wire(&bytes));
        let _ = content(&mut wire(&field(2, &field(1, &bytes))));
        let collection = [field(1, b"variables"), field(2, &field(2, &field(1, &bytes)))].concat();
        let _ = content(&mut wire(&field(4, &collection)));
    }
}

#[test]
fn large_constants_are_stepped_over() {
    let head = [field(1, b"table"), field(2, b"Const")].concat();
    let node = field(1, &[head, field(5, &vec![1; 8 << 20])].concat());
    let graph = field(2, &[node.clone(), node].concat());
    let small = meta("trained_adam");
    let file = Arc::new(Bytes::of([graph, small].concat()));
    let updates = content(&mut Wire::new(file.clone())).unwrap().updates;
    assert_eq!(updates.len(), 4);
    assert!(file.read.load(Ordering::Relaxed) < 1 << 20);
}

#[test]
fn beyond_belief_is_an_error() {
    let count = usize::try_from(MAX_NODES).unwrap();
    let graph = field(2, &b"\x0a\0".repeat(count + 1));
    let error = content(&mut wire(&graph)).unwrap_err();
    assert_eq!(error.to_string(), "has more than 1048576 nodes");
}
