//! What `--json` writes is what `src/guide/json.md` says, key by key, both ways.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::harness::Place;
use crate::rewrite::rewrite;

/// Keys of each section with their types, as the guide has them.
fn documented() -> BTreeMap<String, Vec<(String, String)>> {
    let guide = include_str!("../../src/guide/json.md");
    let mut sections: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut section = String::new();
    for line in guide.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            // Commands keep their quotes, which tells them from pieces.
            title.clone_into(&mut section);
        } else if let Some(row) = line.strip_prefix("| ").filter(|row| !row.starts_with("key ")) {
            let cells: Vec<&str> = row.split(" |").map(str::trim).collect();
            let key = cells[0].trim_matches('`').to_owned();
            let kind = cells[1].trim_start_matches('|').trim();
            let kind =
                kind.strip_prefix("list of ").map_or(kind.to_owned(), |of| format!("[]{of}"));
            sections.entry(section.clone()).or_default().push((key, kind));
        }
    }
    sections
}

/// All keys of a section, those of its pieces included.
fn keys(sections: &BTreeMap<String, Vec<(String, String)>>, section: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (key, kind) in &sections[section] {
        let (list, kind) = kind.strip_prefix("[]").map_or(("", kind.as_str()), |kind| ("[]", kind));
        if key == "…" {
            all.extend(keys(sections, kind));
            continue;
        }
        all.insert(key.clone());
        // A piece, or a section that stands inside another.
        if sections.contains_key(kind) && kind != section {
            all.extend(
                keys(sections, kind).into_iter().map(|inner| format!("{key}{list}.{inner}")),
            );
        }
    }
    all
}

/// All keys of a document.
fn written(value: &Value, at: &str, all: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                written(value, &at, all);
                all.insert(at);
            }
        }
        Value::Array(items) => {
            items.iter().filter(|item| item.is_object()).for_each(|item| {
                written(item, &format!("{at}[]"), all);
            });
        }
        _ => {}
    }
}

#[test]
fn every_key_is_documented_and_every_documented_key_exists() {
    const ADAM: &str = "testdata/optimizers/adam --map testdata/optimizers/adam/rules.yaml --like \
                        testdata/templates/keras3_adam";
    const KERAS2: &str = "testdata/conv3 --map testdata/conv3/rules-keras2.yaml";
    const SWAPPED: &str = "--map testdata/conv3/rules-swapped.yaml";
    let place = Place::new();
    place.ok(&format!("convert {KERAS2} -o new/ckpt --quiet"));
    place.ok(&format!("convert testdata/conv3 {SWAPPED} -o swapped/ckpt --quiet"));
    place.copy("conv3", "hurt");
    place.edit("hurt/model.ckpt.data-00000-of-00001", |bytes| bytes[0] ^= 1);
    rewrite(&place, "testdata/conv3", "less/ckpt", |new| {
        new.tensors.remove("model/conv2d/bias");
    });
    let jobs = "version: 1\ndefaults: {map: testdata/conv3/rules-typo.yaml, output: no}\n\
                jobs: [{input: testdata/conv3}]\n";
    place.write("jobs.yaml", jobs);
    let runs: &[(&str, &[&str])] = &[
        (
            "list",
            &["testdata/optimizers/adam --stats", "testdata/partitioned/saver", "hurt --stats"],
        ),
        ("show", &["testdata/conv3 model/conv2d/kernel[0]"]),
        ("show --hash", &["testdata/conv3 model/conv2d/bias"]),
        ("show --npy", &["testdata/conv3 model/conv2d/bias"]),
        ("graph", &["testdata/templates/legacy_adam", "testdata/tf2_keras3"]),
        ("scopes", &["testdata/conv_bn_dense"]),
        ("plan", &[ADAM, "testdata/conv3 --map testdata/conv3/rules-typo.yaml"]),
        ("convert", &["testdata/conv3 --map testdata/conv3/rules-keras3.yaml -o other/ckpt"]),
        ("check", &["testdata/conv3 hurt"]),
        (
            "diff",
            &[
                "new/ckpt swapped/ckpt",
                "testdata/conv3 new/ckpt --by-content",
                "hurt testdata/conv3",
                "testdata/conv3 less/ckpt",
            ],
        ),
        (
            "verify",
            &[
                "new/ckpt --against testdata/conv3 --map testdata/conv3/rules-swapped.yaml",
                "diff: testdata/conv3 new/ckpt --map testdata/conv3/rules-keras2.yaml",
            ],
        ),
        ("batch", &["jobs.yaml --shard 0/1"]),
        ("mappings", &["", "bert-hf"]),
        (
            "suggest",
            &[
                "testdata/optimizers/adam --like testdata/templates/keras3_adam",
                "testdata/recurrent/lstm --like testdata/templates/keras3_lstm",
            ],
        ),
        (
            "suggest --explain",
            &["suggest: testdata/optimizers/adam --like testdata/templates/keras3_adam \
               --explain model/hidden_1/kernel"],
        ),
    ];
    let sections = documented();
    // What no fixture has: a template that is not one, two places in one problem.
    let rare = [
        "problems[].related.place",
        "problems[].related.message",
        "warnings[].",
        "name_in_b",
        "plan.",
        "tensorflow",
        "unreadable[]",
        "problems",
        "fills[].",
        "dropped[].",
    ];
    for (command, all) in runs {
        let mut seen = BTreeSet::new();
        for arguments in *all {
            let command =
                if *command == "show --npy" { "show --npy it.npy --force" } else { command };
            // Another command that writes the same.
            let (command, arguments) = arguments.split_once(": ").unwrap_or((command, arguments));
            let said = place.run(&format!("{command} {arguments} --json"));
            let document: Value =
                serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said}"));
            assert_eq!(document["schema"], 1);
            written(&document, "", &mut seen);
        }
        let told = keys(&sections, &format!("`{command}`"));
        let secret: Vec<_> = seen.difference(&told).collect();
        assert!(secret.is_empty(), "{command}: {secret:?} are not documented");
        let gone = told.difference(&seen);
        let gone: Vec<_> = gone.filter(|key| !rare.iter().any(|rare| key.contains(rare))).collect();
        assert!(gone.is_empty(), "{command}: {gone:?} are documented");
    }
}

#[test]
fn a_file_for_programs_beside_the_answer() {
    let place = Place::new();
    let rules = |name: &str| format!("plan testdata/conv3 --map testdata/conv3/{name}.yaml");
    for command in [
        "list testdata/conv3".to_owned(),
        "diff testdata/conv3 testdata/conv_bn_dense".to_owned(),
        "suggest testdata/optimizers/adam --like testdata/templates/keras3_adam".to_owned(),
        rules("rules-keras2"),
        rules("rules-typo"),
    ] {
        let alone = place.run(&command);
        let beside = place.run(&format!("{command} --json-file kept.json"));
        assert_eq!(
            (beside.code, beside.out, beside.err),
            (alone.code, alone.out, alone.err),
            "{command}"
        );
        let kept = std::fs::read_to_string(place.path("kept.json")).unwrap();
        assert_eq!(kept, place.run(&format!("{command} --json")).out, "{command}");
    }
    // Quiet or not, and where the answer goes to a file of its own.
    place.ok(
        "convert testdata/conv3 --map testdata/conv3/rules-keras2.yaml -o new -q --json-file c",
    );
    place.ok(
        "suggest testdata/optimizers/adam --like testdata/templates/keras3_adam -o r.yaml --json-file s",
    );
    for (file, key) in [("c", "written"), ("s", "pairings")] {
        let kept = std::fs::read_to_string(place.path(file)).unwrap();
        assert!(!serde_json::from_str::<Value>(&kept).unwrap()[key].is_null(), "{kept}");
    }
    let said = place.run("list testdata/conv3 --json-file no/such/directory/kept.json/");
    assert_eq!(said.code, 2, "{said}");
    assert!(said.err.contains("--json-file"), "{said}");
}

/// Neither what a command reads nor what it writes.
#[test]
fn a_file_for_programs_replaces_nothing_else() {
    let place = Place::new();
    place.copy("conv3", "old");
    let before = place.files("old");
    for there in ["old/model.ckpt.index", "old/rules-keras2.yaml", "old", "/dev/null"] {
        let said = place.run(&format!("list old --json-file {there}"));
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{said}");
        assert!(said.err.contains("is no answer of ckptmap's; give `--json-file`"), "{said}");
    }
    assert!(place.files("old") == before);
    let convert = "convert old --map old/rules-keras2.yaml -o new --json-file new.index";
    let said = place.run(convert);
    assert_eq!(said.code, 2, "{said}");
    assert!(said.err.contains("the checkpoint is complete, but its report is not"), "{said}");
    place.ok("check new");
    // An earlier answer is.
    place.ok("list old --json-file kept.json");
    place.ok("check old --json-file kept.json");
}
