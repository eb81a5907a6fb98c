//! `src/proto/generated.rs` is what `proto/*.proto` become; `UPDATE=1` makes it so.

use std::fs;
use std::path::Path;

#[test]
fn generated_code_is_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let checked_in = root.join("src/proto/generated.rs");
    let fresh = generate(&root.join("proto"));
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&checked_in, &fresh).unwrap();
    }
    let found = fs::read_to_string(&checked_in).unwrap_or_default();
    assert!(
        found == fresh,
        "src/proto/generated.rs does not match proto/*.proto; run\n  \
         UPDATE=1 cargo test --test proto_is_fresh\nand look at the difference"
    );
}

fn generate(sources: &Path) -> String {
    let mut files: Vec<_> = fs::read_dir(sources)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "proto"))
        .collect();
    files.sort();
    let descriptors = protox::compile(&files, [sources]).unwrap();
    let out = tempfile::tempdir().unwrap();
    prost_build::Config::new().out_dir(out.path()).compile_fds(descriptors).unwrap();
    fs::read_to_string(out.path().join("tensorflow.rs")).unwrap()
}
