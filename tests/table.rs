//! Every index that TensorFlow wrote into `testdata/` comes out of our writer byte for byte.

use std::fs;
use std::path::{Path, PathBuf};

use ckptmap::table::{Table, TableBuilder, TableError};

#[test]
#[allow(clippy::print_stdout, reason = "a count that shrinks should be seen")]
fn every_index_is_written_again_byte_for_byte() {
    let mut indexes = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata"), &mut indexes);
    indexes.sort();
    for path in &indexes {
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
    println!("{} indexes written again", indexes.len());
    assert!(indexes.len() >= 10, "only {} found", indexes.len());
}

/// Every `.index` below `directory`, but for those that are damaged on purpose.
fn collect(directory: &Path, indexes: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("damaged") {
            collect(&path, indexes);
        } else if path.extension().is_some_and(|extension| extension == "index") {
            indexes.push(path);
        }
    }
}
