//! Every table that TensorFlow wrote into `testdata/` comes out of our writer byte for byte: tables
//! of bundles, and V1 checkpoints.

use std::fs;
use std::path::{Path, PathBuf};

use ckptmap::table::{Table, TableBuilder, TableError, is_table};

#[test]
#[allow(clippy::print_stdout, reason = "a count that shrinks should be seen")]
fn every_table_is_written_again_byte_for_byte() {
    let mut tables = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata"), &mut tables);
    tables.sort();
    for path in &tables {
        let stored = fs::read(path).unwrap();
        let table = Table::parse(&stored).unwrap();
        let mut builder = TableBuilder::new(Vec::new());
        let mut entries = 0;
        table
            .for_each(|key, value| {
                builder.insert(key, value).unwrap();
                entries += 1;
                Ok::<_, TableError>(())
            })
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(entries > 1, "{} has no entries", path.display());
        assert!(builder.finish().unwrap() == stored, "{} differs", path.display());
    }
    println!("{} tables written again", tables.len());
    assert!(tables.len() >= 80, "only {} found", tables.len());
}

/// Written by hand, as TensorFlow would not.
const BY_HAND: &[&str] = &["odd", "v1/snappy", "v1/messages"];

/// Every table below `directory` that TensorFlow wrote.
fn collect(directory: &Path, tables: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && is_table(&fs::read(&path).unwrap()) {
            tables.push(path);
        } else if path.is_dir() && !BY_HAND.iter().any(|name| path.ends_with(name)) {
            collect(&path, tables);
        }
    }
}
