//! What README and the chapters show is what the program does.
//!
//! Console blocks are run, and what they print is compared; rule files and job files are read; links
//! lead somewhere; tables of keys and of limits say what the code says. Whatever else is shown is run
//! by `tests/tensorflow/test_documents.py`, or [`ELSEWHERE`] says where.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;

use ckptmap::batch::{self, JobFile};
use ckptmap::mapping::{self, Files, Mapping};
use serde_json::Value;

/// Blocks that are not run as they stand, by document and first line, and what is done instead.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    (
        "README.md",
        "cargo run --release -- convert testdata/conv3/model.ckpt --map \
         testdata/conv3/rules-keras2.yaml -o target/readme/conv3",
        "`the_first_command` finds it in a console block",
    ),
    ("README.md", "pip install .", "`tests/wheel` builds the same and installs it"),
    ("README.md", "tests/run", "it runs this test"),
    (
        "CONTRIBUTING.md",
        "cargo build --release",
        "`xyz` is still to be written; `tests/run` runs it for all mappings",
    ),
    (
        "src/guide/inspecting.md",
        "ckptmap verify new/ckpt --against old/model.ckpt --map rules.yaml --like fresh/ckpt \
         --tensorflow",
        "`tests/tensorflow/test_judge.py`, with a program that has the feature",
    ),
    ("src/guide/batch.md", "#!/bin/bash", "`tests/cluster/test_slurm.py`, in a Slurm of its own"),
    (
        "src/guide/batch.md",
        "sbatch --wait convert.sbatch",
        "`tests/cluster/test_slurm.py` hands it in and merges the reports",
    ),
    (
        "src/guide/batch.md",
        "apiVersion: batch/v1",
        "`tests/cluster/test_kubernetes.py` checks it, and runs what it would start",
    ),
    (
        "src/guide/buckets.md",
        "cargo install --path . --features cloud",
        "`tests/cloud/` runs such a program on buckets of a server that it starts",
    ),
    (
        "src/guide/buckets.md",
        "cat >lifecycle.json <<'END'",
        "needs an account; `tests/cloud/test_s3.py` finds the parts that the rule removes",
    ),
];

/// Chapters in which `test_documents.py` runs everything, consoles and files too.
const WHOLE: &[&str] =
    &["src/guide/comparison.md", "src/guide/cookbook.md", "src/guide/outputs.md"];

/// The Python test of documents, which runs the rest.
const PYTHON: &str = "tests/tensorflow/test_documents.py";

/// Files that rule files of the chapters name.
const BESIDE: &[(&str, &str)] = &[
    ("more.yaml", "version: 1\n"),
    ("rows.txt", "1\n0\n"),
    ("old_vocab.txt", "a\nb\n"),
    ("new_vocab.txt", "b\nc\n"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Chapters, by path from the root.
fn chapters() -> Vec<String> {
    let folder = fs::read_dir(root().join("src/guide")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut chapters: Vec<String> = names
        .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "md"))
        .map(|name| format!("src/guide/{name}"))
        .collect();
    chapters.sort();
    chapters
}

fn documents() -> Vec<String> {
    let mut documents = vec!["README.md".to_owned(), "CONTRIBUTING.md".to_owned()];
    documents.extend(chapters());
    documents
}

/// A block of code.
struct Block {
    document: String,
    line: usize,
    language: String,
    text: String,
}

impl Block {
    fn place(&self) -> String {
        format!("{}:{}", self.document, self.line)
    }

    /// Where it is run instead, if it is in that table.
    fn elsewhere(&self) -> Option<&'static str> {
        let first = self.text.lines().next().unwrap_or_default();
        let mut rows = ELSEWHERE.iter();
        rows.find(|(document, line, _)| self.document == *document && first == *line)
            .map(|row| row.2)
    }

    /// Who runs it; `None` where nobody does.
    fn runner(&self) -> Option<&'static str> {
        if self.elsewhere().is_some() {
            return Some("elsewhere");
        }
        let contributing = self.document == "CONTRIBUTING.md";
        match self.language.as_str() {
            _ if WHOLE.contains(&self.document.as_str()) => Some(PYTHON),
            "console" => Some("trycmd"),
            "yaml" => Some("read"),
            "python" | "sh" if !contributing => Some(PYTHON),
            _ => None,
        }
    }
}

/// The blocks of a document, and the text without them.
fn taken_apart(document: &str) -> (Vec<Block>, String) {
    let (mut blocks, mut rest) = (Vec::<Block>::new(), String::new());
    // How far the fence is indented, inside a block.
    let mut inside: Option<usize> = None;
    for (at, line) in read(document).lines().enumerate() {
        let trimmed = line.trim_start();
        match (inside, trimmed.strip_prefix("```")) {
            (None, Some(language)) => {
                inside = Some(line.len() - trimmed.len());
                let language = language.to_owned();
                let document = document.to_owned();
                blocks.push(Block { document, line: at + 2, language, text: String::new() });
            }
            (Some(_), Some("")) => inside = None,
            (Some(indent), _) => {
                let block = blocks.last_mut().unwrap();
                block.text += line.get(indent..).unwrap_or_default();
                block.text.push('\n');
            }
            (None, None) => {
                rest += line;
                rest.push('\n');
            }
        }
    }
    assert!(inside.is_none(), "{document}: a block has no end");
    (blocks, rest)
}

fn blocks() -> Vec<Block> {
    documents().iter().flat_map(|document| taken_apart(document).0).collect()
}

/// Runs console blocks and compares what they print; `TRYCMD=overwrite` takes it over.
#[test]
fn console_blocks() {
    let out = root().join("target/readme");
    let consoles = |document: &String| {
        let (blocks, _) = taken_apart(document);
        blocks.iter().any(|block| block.runner() == Some("trycmd"))
    };
    let failed: Vec<String> = documents()
        .into_iter()
        .filter(consoles)
        .filter(|document| {
            // Commands do not overwrite, and shall work again afterwards.
            let _ = fs::remove_dir_all(&out);
            catch_unwind(|| trycmd::TestCases::new().case(document).run()).is_err()
        })
        .collect();
    let _ = fs::remove_dir_all(out);
    assert!(failed.is_empty(), "these show something else: {failed:?}");
}

/// The first command is one of those blocks, run through cargo.
#[test]
fn the_first_command() {
    let (blocks, _) = taken_apart("README.md");
    let mut lines = blocks.iter().filter(|block| block.language == "sh").map(|block| &block.text);
    let command = lines.find_map(|text| text.strip_prefix("cargo run --release -- ")).unwrap();
    let command = command.trim_end();
    let shown = format!("$ ckptmap {command}\n");
    let mut consoles = blocks.iter().filter(|block| block.language == "console");
    assert!(consoles.any(|block| block.text.contains(&shown)), "no console runs `{command}`");
}

/// What a command prints.
fn ckptmap(arguments: &[&str]) -> String {
    let program = env!("CARGO_BIN_EXE_ckptmap");
    let done = Command::new(program).args(arguments).current_dir(root()).output().unwrap();
    assert!(done.status.success(), "{arguments:?}");
    String::from_utf8(done.stdout).unwrap()
}

/// The rule files that README shows are what `suggest` wrote and what is run.
#[test]
fn the_rule_files() {
    const SUGGEST: &str =
        "suggest testdata/optimizers/adam --like testdata/templates/keras3_adam --quiet";
    let (blocks, _) = taken_apart("README.md");
    let shown: Vec<&str> =
        blocks.iter().filter(|block| block.language == "yaml").map(|block| &*block.text).collect();
    let suggested = ckptmap(&SUGGEST.split(' ').collect::<Vec<_>>());
    assert_eq!(shown, [&*suggested, &*read("testdata/conv_bn_dense/rules-keras2.yaml")]);
}

/// README's table has every command.
#[test]
fn every_command_is_in_the_table() {
    let help = ckptmap(&["--help"]);
    let commands = help.split("Commands:\n").nth(1).unwrap();
    // What is said of a command may go on in further lines, which begin with more spaces.
    let lines = commands.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let readme = read("README.md");
    let mut count = 0;
    for name in names.filter(|name| !matches!(*name, "" | "help")) {
        let row = readme.lines().find(|line| line.starts_with(&format!("| `{name} ")));
        assert!(row.is_some(), "README has no row for `{name}`");
        count += 1;
    }
    assert!(count > 10, "{count} commands");
}

/// What lies beside the rule files of the chapters.
#[derive(Debug)]
struct Beside;

impl Files for Beside {
    fn read(&self, path: &str) -> Result<String, String> {
        let file = BESIDE.iter().find(|(name, _)| *name == path);
        file.map(|(_, text)| (*text).to_owned()).ok_or_else(|| "it is not there".to_owned())
    }
}

#[test]
fn rule_files_and_job_files_are_read_without_a_problem() {
    for block in blocks().iter().filter(|block| block.runner() == Some("read")) {
        let place = block.place();
        let jobs = block.text.lines().any(|line| line.starts_with("jobs:"));
        // What editors say of it.
        let schema =
            serde_json::from_str(if jobs { batch::SCHEMA } else { mapping::SCHEMA }).unwrap();
        let document: Value = serde_yaml::from_str(&block.text).unwrap();
        let wrong = jsonschema::validate(&schema, &document);
        wrong.unwrap_or_else(|wrong| panic!("{place}: {wrong} at {}", wrong.instance_path()));
        if jobs {
            JobFile::parse(&place, &block.text)
                .unwrap_or_else(|wrong| panic!("{place}: {wrong:?}"));
            continue;
        }
        let mapping = Mapping::parse(&place, &block.text, &BTreeMap::new(), &Beside)
            .unwrap_or_else(|wrong| panic!("{place}: {wrong:?}"));
        assert!(mapping.problems.is_empty(), "{place}: {:?}", mapping.problems);
    }
}

/// Counts them, and names those that nobody runs.
#[allow(clippy::print_stdout, reason = "with `--nocapture`, the counts are what is asked for")]
#[test]
fn every_block_is_run() {
    let blocks = blocks();
    let mut counts: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    let mut left = Vec::new();
    for block in &blocks {
        match block.runner() {
            Some(by) => {
                *counts.entry((&block.document, &block.language, by)).or_default() += 1;
            }
            None => left.push(format!("{} ({})", block.place(), block.language)),
        }
    }
    for ((document, language, by), count) in &counts {
        println!("{document:<25} {language:<8} {count:>3}  {by}");
    }
    for block in &blocks {
        if let Some(why) = block.elsewhere() {
            println!("{}: {why}", block.place());
        }
    }
    assert!(left.is_empty(), "nothing runs these: {left:?}");
    assert!(root().join(PYTHON).exists(), "{PYTHON} is not there");
    for (document, first, _) in ELSEWHERE {
        let found = blocks.iter().filter(|block| {
            block.document == *document && block.text.lines().next() == Some(*first)
        });
        assert_eq!(found.count(), 1, "{document}: blocks that begin with `{first}`");
    }
}

/// Links of a text without blocks: what is clicked leads to, and at the end what labels stand for.
struct Links {
    inline: Vec<String>,
    labels: Vec<String>,
    definitions: Vec<(String, String)>,
}

fn links(text: &str) -> Links {
    let mut links = Links { inline: Vec::new(), labels: Vec::new(), definitions: Vec::new() };
    for line in text.lines() {
        if let Some((label, to)) = definition(line) {
            links.definitions.push((label, to));
            continue;
        }
        // What stands in code is no link.
        let plain: String = line.split('`').step_by(2).collect();
        for (open, close, found) in [("](", ')', &mut links.inline), ("][", ']', &mut links.labels)]
        {
            let ends = plain.split(open).skip(1).filter_map(|rest| rest.split_once(close));
            found.extend(ends.map(|(inside, _)| inside.to_owned()));
        }
    }
    links
}

fn definition(line: &str) -> Option<(String, String)> {
    let (label, to) = line.strip_prefix('[')?.split_once("]: ")?;
    Some((label.to_owned(), to.to_owned()))
}

/// How a heading is called in addresses, on pages of repositories as in rustdoc.
fn anchors(document: &str) -> BTreeSet<String> {
    let (_, text) = taken_apart(document);
    let titles = text.lines().filter(|line| line.starts_with('#'));
    let slug = |title: &str| {
        let title = title.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    titles.map(slug).collect()
}

/// The path that `to` leads to from a document, without what is taken back by `..`.
fn from(document: &str, to: &str) -> String {
    let mut path: PathBuf = Path::new(document).parent().unwrap().to_owned();
    for part in Path::new(to).components() {
        if part.as_os_str() == ".." {
            assert!(path.pop(), "{document}: {to}");
        } else {
            path.push(part);
        }
    }
    path.to_str().unwrap().to_owned()
}

#[test]
fn every_link_leads_somewhere() {
    for document in documents() {
        let links = links(&taken_apart(&document).1);
        let defined: BTreeSet<&String> = links.definitions.iter().map(|(label, _)| label).collect();
        for label in &links.labels {
            assert!(defined.contains(label), "{document}: no `[{label}]: …` at its end");
        }
        for label in defined {
            assert!(links.labels.contains(label), "{document}: nothing uses `[{label}]: …`");
        }
        let targets = links.inline.iter().chain(links.definitions.iter().map(|(_, to)| to));
        for to in targets.filter(|to| !to.contains("://")) {
            let (file, anchor) = to.split_once('#').unwrap_or((to, ""));
            let file = if file.is_empty() { document.clone() } else { from(&document, file) };
            assert!(root().join(&file).exists(), "{document}: `{to}` is not there");
            if !anchor.is_empty() {
                assert!(anchors(&file).contains(anchor), "{document}: no heading for `{to}`");
            }
        }
    }
}

/// Promises say what shows them, and chapters what more there is.
#[test]
fn files_that_are_named_are_there() {
    for document in documents().iter().filter(|document| *document != "CONTRIBUTING.md") {
        let (_, text) = taken_apart(document);
        let folders = ["src/", "testdata/", "tests/"];
        let files =
            code(&text).filter(|file| folders.iter().any(|folder| file.starts_with(folder)));
        for file in files {
            assert!(root().join(file).exists(), "{document}: there is no `{file}`");
        }
    }
}

/// rustdoc has chapters elsewhere: `src/guide/links.txt` stands in front of each there, and of two
/// definitions of a label the first one counts.
#[test]
fn links_between_chapters_work_in_rustdoc() {
    let text = read("src/guide/links.txt");
    let rustdoc: BTreeMap<String, String> = text.lines().filter_map(definition).collect();
    let mut used = BTreeSet::new();
    for chapter in chapters() {
        let links = links(&taken_apart(&chapter).1);
        for to in &links.inline {
            let works = to.starts_with('#') || to.contains("://");
            assert!(works, "{chapter}: for `({to})` write a label, and at the end `[label]: {to}`");
        }
        for (label, to) in links.definitions.into_iter().filter(|(_, to)| !to.contains("://")) {
            let (file, anchor) = to.split_once('#').unwrap_or((&to, ""));
            let item = match file.strip_suffix(".md") {
                Some("../../README") => "crate".to_owned(),
                Some(chapter) => format!("crate::guide::{chapter}"),
                None => panic!("{chapter}: rustdoc has no `{to}`: write it as code"),
            };
            let hash = if anchor.is_empty() { "" } else { "#" };
            let wanted = format!("{item}{hash}{anchor}");
            assert_eq!(rustdoc.get(&label), Some(&wanted), "links.txt: `{label}` of {chapter}");
            used.insert(label);
        }
    }
    for label in rustdoc.keys() {
        assert!(used.contains(label), "links.txt: no chapter has a label `{label}`");
    }
}

#[test]
fn every_chapter_is_in_the_table_and_in_rustdoc() {
    let (readme, lib) = (read("README.md"), read("src/lib.rs"));
    for chapter in chapters() {
        assert!(readme.contains(&format!("]({chapter})")), "README has no link to {chapter}");
        let name = chapter.rsplit('/').next().unwrap();
        assert!(lib.contains(&format!("guide/{name}")), "src/lib.rs does not include {chapter}");
    }
}

/// Rows of the tables whose first heading is `key`, `key of …` or the like.
fn key_cells(document: &str) -> Vec<String> {
    let (_, text) = taken_apart(document);
    let mut cells = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let Some(row) = line.strip_prefix("| ") else {
            inside = inside && line.starts_with('|');
            continue;
        };
        let first = row.split(" |").next().unwrap();
        if first == "key" || first.starts_with("key ") {
            inside = true;
        } else if inside {
            cells.push(first.to_owned());
        }
    }
    cells
}

/// What stands in code, a piece at a time.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// Keys, and what else is a word.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// Every property that a schema has, wherever.
fn properties(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(entries) => {
            for (key, value) in entries {
                if key == "properties" {
                    found.extend(value.as_object().unwrap().keys().cloned());
                }
                properties(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| properties(item, found)),
        _ => {}
    }
}

/// Tables tell of every key that a schema has, and of no other.
fn same_keys(document: &str, schema: &str) {
    let mut known = BTreeSet::new();
    properties(&serde_json::from_str(schema).unwrap(), &mut known);
    let cells = key_cells(document);
    let told: BTreeSet<&str> = cells.iter().flat_map(|cell| code(cell)).flat_map(words).collect();
    for key in &known {
        assert!(told.contains(key.as_str()), "{document}: no table tells of `{key}`");
    }
    for key in cells.iter().flat_map(|cell| code(cell)).filter_map(|key| words(key).next()) {
        assert!(known.contains(key), "{document}: `{key}` is no key");
    }
}

#[test]
fn every_key_of_rule_files_is_told_of() {
    same_keys("src/guide/rules.md", mapping::SCHEMA);
}

#[test]
fn every_key_of_job_files_is_told_of() {
    same_keys("src/guide/batch.md", batch::SCHEMA);
}

/// Numbers of a limit as people write them: `2 GiB`, `2^20`, `10 000 characters`, `22 times`.
fn numbers(text: &str) -> Vec<u64> {
    let one = |text: &str| {
        let digits = |c: char| c.is_ascii_digit() || c == ' ' || c == '^';
        let end = text.find(|c| !digits(c)).unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let number = number.replace(' ', "");
        let number: u64 = match number.split_once('^') {
            Some((base, power)) => base.parse::<u64>().ok()?.pow(power.parse().ok()?),
            None => number.parse().ok()?,
        };
        Some(
            number
                << if unit.starts_with("KiB") {
                    10
                } else if unit.starts_with("MiB") {
                    20
                } else if unit.starts_with("GiB") {
                    30
                } else {
                    0
                },
        )
    };
    text.split(", ").filter_map(one).collect()
}

/// The value of a constant in a source file.
fn constant(file: &str, name: &str) -> u64 {
    let text = read(&format!("src/{file}"));
    let (_, rest) = text
        .split_once(&format!("const {name}: "))
        .unwrap_or_else(|| panic!("there is no `{name}` in src/{file}"));
    let value = rest.split_once("= ").unwrap().1.split_once(';').unwrap().0.replace('_', "");
    match value.split_once(" << ") {
        Some((number, by)) => number.parse::<u64>().unwrap() << by.parse::<u32>().unwrap(),
        None => value.parse().unwrap(),
    }
}

/// The table of limits names constants that are there, and their values.
#[test]
fn limits_are_what_they_are_said_to_be() {
    let (_, text) = taken_apart("src/guide/security.md");
    let table = text.split("| limit |").nth(1).unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let mut count = 0;
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        // Constants, then the files that have each of them; perhaps several times.
        let (mut names, mut told) = (Vec::new(), Vec::new());
        let mut complete = false;
        for word in code(cells[2]) {
            if !word.contains('.') {
                if complete {
                    names.clear();
                    complete = false;
                }
                names.push(word);
                continue;
            }
            let values: Vec<u64> = names.iter().map(|name| constant(word, name)).collect();
            if complete {
                assert!(told.ends_with(&values), "{row}: {values:?} in {word}");
            } else {
                told.extend(values);
            }
            complete = true;
        }
        assert_eq!(told, numbers(cells[1]), "{row}");
        count += told.len();
    }
    assert!(count > 20, "{count} limits");
}

/// What README says of all mappings is what the table of the chapter says of each.
#[test]
fn figures_of_mappings() {
    let text = read("src/guide/mappings.md");
    let (mut cases, mut largest) = (0, ("", 0.0));
    for row in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        cases += cells[3].parse::<u32>().unwrap();
        for figure in cells[4..6].iter().filter(|figure| !figure.is_empty()) {
            let value: f64 = figure.parse().unwrap();
            if value > largest.1 {
                largest = (figure, value);
            }
        }
    }
    let promise = format!("outputs within {} of TF1's in all of {cases} cases", largest.0);
    assert!(read("README.md").contains(&promise), "README does not promise: {promise}");
}
