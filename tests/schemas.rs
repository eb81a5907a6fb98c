//! The JSON schemas say of rule files and job files what their readers say.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ckptmap::batch::{self, JobFile};
use ckptmap::mapping::{self, Mapping, NoFiles, Problem, ProblemKind};
use jsonschema::Validator;
use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What a reader and a schema say of one text.
#[derive(Debug)]
struct Said {
    problems: Vec<Problem>,
    refused: bool,
}

impl Said {
    /// Whether the reader knows of a key that is wrong, missing or superfluous.
    fn about_keys(&self) -> bool {
        self.problems.iter().any(|problem| problem.kind == ProblemKind::Key)
    }
}

struct Schema {
    validator: Validator,
    read: fn(&str) -> Vec<Problem>,
}

impl Schema {
    fn new(text: &str, read: fn(&str) -> Vec<Problem>) -> Self {
        let schema: Value = serde_json::from_str(text).unwrap();
        jsonschema::meta::validate(&schema).unwrap();
        Self { validator: jsonschema::validator_for(&schema).unwrap(), read }
    }

    fn rules() -> Self {
        Self::new(mapping::SCHEMA, |text| {
            match Mapping::parse("rules.yaml", text, &BTreeMap::new(), &NoFiles) {
                Ok(mapping) => mapping.problems,
                Err(problems) => problems.iter().cloned().collect(),
            }
        })
    }

    fn jobs() -> Self {
        Self::new(batch::SCHEMA, |text| match JobFile::parse("jobs.yaml", text) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().cloned().collect(),
        })
    }

    fn ask(&self, document: &Value) -> Said {
        let problems = (self.read)(&serde_yaml::to_string(document).unwrap());
        let refused = !self.validator.is_valid(document);
        Said { problems, refused }
    }
}

fn yaml_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            yaml_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
}

/// Every rule file, or every job file, that can be read as YAML.
fn documents(jobs: bool) -> Vec<(PathBuf, Value)> {
    let mut files = Vec::new();
    for folder in ["mappings", "testdata", "tests/cli"] {
        yaml_files(&Path::new(ROOT).join(folder), &mut files);
    }
    files.sort();
    files
        .into_iter()
        .filter_map(|path| {
            let document: Value = serde_yaml::from_str(&fs::read_to_string(&path).unwrap()).ok()?;
            document.get("version")?;
            (document.get("jobs").is_some() == jobs).then_some((path, document))
        })
        .collect()
}

/// The same document in many ways that are wrong, or may be: each key written wrong, each left out,
/// each value of another kind.
fn variants(value: &Value, put: &mut dyn FnMut(Value)) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let without = || {
                    let mut map = map.clone();
                    map.remove(key);
                    map
                };
                put(without().into());
                let mut wrong = without();
                wrong.insert(format!("{key}x"), inner.clone());
                put(wrong.into());
                variants(inner, &mut |changed| {
                    let mut map = map.clone();
                    map.insert(key.clone(), changed);
                    put(map.into());
                });
            }
        }
        Value::Array(items) => {
            for (at, inner) in items.iter().enumerate() {
                variants(inner, &mut |changed| {
                    let mut items = items.clone();
                    items[at] = changed;
                    put(items.into());
                });
            }
        }
        _ => {}
    }
    for other in [Value::from(7), Value::from("word"), true.into(), vec![1].into(), Value::Null] {
        if kind(&other) != kind(value) {
            put(other);
        }
    }
}

fn kind(value: &Value) -> std::mem::Discriminant<Value> {
    std::mem::discriminant(value)
}

#[expect(clippy::print_stdout, reason = "how much has been looked at")]
fn compare(schema: &Schema, jobs: bool) {
    let documents = documents(jobs);
    let (mut count, mut wrong) = (0, 0);
    for (path, document) in &documents {
        let name = path.strip_prefix(ROOT).unwrap().display();
        let said = schema.ask(document);
        assert_eq!(said.refused, said.about_keys(), "{name}: {said:?}");
        // Long lists have the same in every entry.
        let mut at = 0;
        let stride = document.to_string().len() / 120 + 1;
        variants(document, &mut |changed| {
            at += 1;
            if at % stride != 0 {
                return;
            }
            count += 1;
            let said = schema.ask(&changed);
            wrong += usize::from(said.refused);
            if said.about_keys() {
                assert!(said.refused, "{name}: {changed}: the schema takes {said:?}");
            }
            if said.refused {
                assert!(!said.problems.is_empty(), "{name}: {changed}: the reader takes {said:?}");
            }
        });
    }
    println!("{} files, {count} variants of them, {wrong} wrong", documents.len());
    assert!(!documents.is_empty() && wrong > 0);
}

#[test]
fn rule_files() {
    compare(&Schema::rules(), false);
}

/// What no file here has: keys that are right, and do not go together.
#[test]
fn keys_that_do_not_go_together() {
    let schema = Schema::rules();
    for entry in [
        "rules: [{from: a, to: x, forget_bias: 1}]",
        "rules: [{zip: {from: a, onto: b}, forget_bias: 1}]",
        "rules: [{cell: lstm_cell, from: a, to: x, apply: [transpose]}]",
        "rules: [{cell: lstm_cell, from: a, to: x, skip_mismatch: true}]",
        "rules: [{cell: lstm_cell, from: [a, b], to: x}]",
        "rules: [{from: a, to: {path: []}}]",
        "rules: [{from: a, to: {name: []}}]",
        "fill: [{match: x, shape: [2], with: ones}]",
        "fill: [{match: x, dtype: int32, with: ones}]",
        "fill: [{match: x, leaf: y, with: ones}]",
        "fill: [{match: x, leaf: y, shape: [2], with: ones}]",
    ] {
        let document: Value = serde_yaml::from_str(&format!("version: 1\n{entry}\n")).unwrap();
        let said = schema.ask(&document);
        assert!(said.refused && !said.problems.is_empty(), "{entry}: {said:?}");
    }
    let said = schema.ask(&serde_yaml::from_str("{version: 1, rules: [{drop: []}]}").unwrap());
    assert!(!said.refused && said.problems.is_empty(), "{said:?}");
}

#[test]
fn job_files() {
    compare(&Schema::jobs(), true);
}

/// Editors find the schema by this line, where the two files lie side by side.
#[test]
fn mappings_name_their_schema() {
    for builtin in mapping::BUILTINS {
        let line = "\n# yaml-language-server: $schema=rules.schema.json\n";
        assert!(builtin.text.contains(line), "{}", builtin.name);
    }
}
