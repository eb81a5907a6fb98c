//! The import table of `src/lib.rs` is true: data flows one way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

type Table = BTreeMap<String, BTreeSet<String>>;

/// Names that belong to one place.
const OWNED: &[(&str, &[&str])] = &[
    ("std::fs", &["files"]),
    ("memmap2", &["files"]),
    ("object_store", &["files"]),
    ("tokio", &["files"]),
    ("serde_yaml", &["yaml"]),
    ("prost", &["proto", "source", "target"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("indicatif", &["cli"]),
    ("anyhow", &["cli"]),
    ("annotate_snippets", &["cli"]),
    ("libloading", &["source"]),
    ("tensorflow::Graph", &["source"]),
];

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = entry_name(&path);
        if name == "tests" || name == "tests.rs" {
            continue;
        }
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn entry_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The first component below `src`, without `.rs`.
fn module(path: &Path) -> String {
    let below = path.strip_prefix(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap();
    let first = below.iter().next().unwrap().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// The table as the crate's documentation states it.
fn table() -> Table {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs")).unwrap();
    let names = |cell: &str| -> BTreeSet<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | `"));
    rows.flat_map(|row| {
        let (modules, imports) = row.split_once(" | ").unwrap();
        let imports = names(imports);
        names(&format!("`{modules}")).into_iter().map(move |module| (module, imports.clone()))
    })
    .collect()
}

/// Code without comments and without the tests at a file's end.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// Modules named behind `crate::`.
fn imports(code: &str) -> BTreeSet<String> {
    code.split("crate::")
        .skip(1)
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .collect()
}

#[test]
fn imports_follow_the_table() {
    let table = table();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for path in sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))) {
        let module = module(&path);
        if ["lib", "main", "cli"].contains(&module.as_str()) {
            continue;
        }
        let allowed =
            table.get(&module).unwrap_or_else(|| panic!("`{module}` is not in the table"));
        seen.insert(module.clone());
        for import in imports(&code(&path)) {
            if import != module && !allowed.contains(&import) {
                wrong.push(format!("{}: `{module}` may not import `{import}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let stale: Vec<_> = table.keys().filter(|m| *m != "cli" && !seen.contains(*m)).collect();
    assert!(stale.is_empty(), "the table names modules that do not exist: {stale:?}");
}

#[test]
fn names_are_used_only_by_their_owners() {
    let mut wrong = Vec::new();
    for path in sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))) {
        let (module, code) = (module(&path), code(&path));
        for (name, owners) in OWNED {
            if code.contains(&format!("{name}::")) && !owners.contains(&module.as_str()) {
                wrong.push(format!("{}: `{name}` belongs to {owners:?}", path.display()));
            }
        }
        if code.contains("println!") || code.contains("eprintln!") {
            wrong.push(format!("{}: printing belongs to cli/ui.rs", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
