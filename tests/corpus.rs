//! Everything that fuzzing found worth keeping goes through the fuzz targets again.

#![expect(clippy::print_stdout, reason = "a count that shrinks should be seen")]

#[path = "fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "public where it is a crate")]
mod targets;

use std::fs;
use std::path::{Path, PathBuf};

/// Runs all files kept for the target `name`: what covers its code, and what once made it fail.
fn replay(name: &str, target: fn(&[u8])) {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz");
    let files = |kind: &str| -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(fuzz.join(kind).join(name)) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let (corpus, crashes) = (files("corpus"), files("crashes"));
    assert!(!corpus.is_empty(), "nothing is kept for {name}");
    for file in corpus.iter().chain(&crashes) {
        // Shown only if it fails.
        println!("{}", file.display());
        target(&fs::read(file).unwrap());
    }
    println!("{name}: {} files, {} of them once made it fail", corpus.len(), crashes.len());
}

/// A test for each target.
macro_rules! targets {
    ($($name:ident)*) => { $(
        #[test]
        fn $name() {
            replay(stringify!($name), targets::$name);
        }
    )* };
}

targets! { table bundle v1 object_graph rules meta }
