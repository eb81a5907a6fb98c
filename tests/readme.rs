//! What the README shows is what the program does.

use std::fs;
use std::path::Path;

const README: &str = include_str!("../README.md");

/// Runs the console blocks and compares what they print.
#[test]
fn console_blocks() {
    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/readme");
    // The README's commands do not overwrite, and shall work again afterwards.
    let _ = fs::remove_dir_all(&out);
    trycmd::TestCases::new().case("README.md").run();
    let _ = fs::remove_dir_all(out);
}

/// The first command is one of those blocks, run through cargo.
#[test]
fn the_first_command() {
    let first = README.split("```sh\n").nth(1).unwrap().lines().next().unwrap();
    let command = first.strip_prefix("cargo run --release -- ").unwrap();
    let block = format!("$ ckptmap {command}\n");
    assert!(README.contains(&block), "`{command}` stands in no console block");
}

/// The rule file it shows is the one it runs.
#[test]
fn the_rule_file() {
    let shown = README.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let stored = include_str!("../testdata/conv_bn_dense/rules-keras2.yaml");
    assert_eq!(shown, stored);
}
