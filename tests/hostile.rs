//! Files that mean harm, or that a disk, an editor or a bad copy has spoiled: nothing panics,
//! nothing hangs, every problem points into the file, and no value is wrong without a word.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use ckptmap::catalog::{Catalog, VariableName};
use ckptmap::check::check;
use ckptmap::convert::{self, Inputs, convert};
use ckptmap::files::Location;
use ckptmap::mapping::{Mapping, NoFiles, Problem, Problems};
use ckptmap::object::{OBJECT_GRAPH_KEY, ObjectGraph, Target};
use ckptmap::plan::{self, Plan};
use ckptmap::progress::Silent;
use ckptmap::source::{decode_graph, open};
use ckptmap::table::{Table, TableBuilder, TableError};
use ckptmap::target::{self, always, create};
use ckptmap::tensor::{DType, Shape, Tensor, TensorSpec};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

// Rule files.

/// Every rule file there is, with the checkpoint it is for.
static RULES: LazyLock<Vec<(String, Catalog)>> = LazyLock::new(|| {
    let mut files = Vec::new();
    for dir in fs::read_dir(testdata("")).unwrap().map(|dir| dir.unwrap().path()) {
        let prefix = Location::from(dir.join("model.ckpt").as_path());
        let Ok(reader) = open(&prefix) else { continue };
        for file in fs::read_dir(&dir).unwrap().map(|file| file.unwrap().path()) {
            if file.extension().is_some_and(|ending| ending == "yaml") {
                files.push((file, reader.catalog().clone()));
            }
        }
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    let all: Vec<_> =
        files.into_iter().map(|(file, of)| (fs::read_to_string(file).unwrap(), of)).collect();
    assert!(all.len() >= 20, "{}", all.len());
    all
});

/// The checkpoint with the fewest variables.
fn small() -> &'static Catalog {
    RULES.iter().map(|(_, catalog)| catalog).min_by_key(|catalog| catalog.variables.len()).unwrap()
}

/// The only place that knows how planning is called.
fn make(catalog: &Catalog, mapping: &Mapping) -> Result<Plan, Problems> {
    plan::plan(catalog, mapping, None, &plan::Options::default())
}

/// Reads and plans; every place lies inside the text.
fn survives(text: &str, catalog: &Catalog) {
    let begun = Instant::now();
    match Mapping::parse("rules.yaml", text, &BTreeMap::new(), &NoFiles) {
        Err(problems) => problems.iter().for_each(|problem| placed(problem, text)),
        Ok(mapping) => match make(catalog, &mapping) {
            Err(problems) => problems.iter().for_each(|problem| placed(problem, text)),
            Ok(plan) => {
                assert!(mapping.problems.is_empty(), "planned in spite of {:?}", mapping.problems);
                plan.warnings.iter().for_each(|problem| placed(problem, text));
                assert_eq!(plan.fates.len(), catalog.variables.len(), "a variable is forgotten");
            }
        },
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?} for\n{text}", begun.elapsed());
}

fn placed(problem: &Problem, text: &str) {
    // An editor's mark is no part of the text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    assert!(!problem.message.is_empty());
    let related = problem.related.as_ref().map(|(place, _)| place);
    for place in problem.place.iter().chain(related) {
        // An included file has places of its own.
        let included = place.source.name.starts_with("builtin:");
        let text = if included { place.source.text.as_str() } else { text };
        assert_eq!(place.source.text, text);
        let span = place.span.clone();
        assert!(text.get(span.clone()).is_some(), "{span:?} of\n{text}\n{problem:?}");
        assert!(place.line() <= text.matches('\n').count() + 1 && place.column() > 0);
    }
    let _ = problem.to_string();
}

/// What gets into a rule file: YAML's signs, ours, and what no editor shows.
const TOKENS: &[&str] = &[
    "$",
    "${",
    "}",
    "$$",
    "$0",
    "$9",
    "${i+1}",
    "${i:auto}",
    "${1/0}",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    "(?<i>",
    "(?x)",
    "\\",
    "\\d+",
    "'",
    "''",
    "\"",
    "\"\\x41\\u00e9\"",
    ":",
    ": ",
    "- ",
    "\n- ",
    "? ",
    ", ",
    "#",
    " # ",
    "&a ",
    "*a",
    "<<: *a",
    "!!str ",
    "!x ",
    "~",
    "null",
    "true",
    "-1",
    "0",
    "1e999",
    ".nan",
    "0x7f",
    "99999999999999999999",
    "|\n",
    ">-\n  ",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "  ",
    "é",
    "漢字",
    "🦀",
    "\u{feff}",
    "\u{0}",
    "\u{85}",
    "\u{2028}",
    "/",
    "//",
    "from",
    "to",
    "drop",
    "labels",
    "apply",
    "reshape",
    "transpose",
    "optional",
    "scopes",
    "within",
    "layers",
    "scope",
    "as",
    "rules",
    "rename",
    "find",
    "replace",
    "leaves",
    "fill",
    "leaf",
    "shape",
    "with",
    "dtype",
    "root",
    "target",
    "keras3",
    "unmatched",
    "warn",
    "optimizer",
    "plain",
    "params",
    "version: 1\n",
    "include",
    "builtin:vgg-keras",
    "refuse",
    "say",
    "has",
    "template_lacks",
    "ema",
    "prefer",
    "only",
    "{use: ignore, suffix: '.*'}",
    "cell",
    "lstm_cell",
    "cudnn_gru",
    "forget_bias",
    "skip_mismatch",
    "concat",
    "stack",
    "split",
    "{axis: -1, sizes: [1, 2]}",
    "unstack",
    "unpartition",
    "mod",
    "gather",
    "missing",
    "slice",
    "'..., 1:'",
    "pad",
    "cast",
    "float16",
    "scale",
    "gates",
    "squeeze",
    "expand_dims",
    "flip",
    "split_axis",
    "merge_axes",
    "[{concat: 0}]",
    "['(.+)/kernel', '(.+)/bias']",
];

#[derive(Debug, Clone)]
enum Edit {
    Delete(Index, usize),
    Insert(Index, &'static str),
    Replace(Index, u8),
    Double(Index, usize),
    Splice(Index, Index, Index, usize),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        2 => (any::<Index>(), 1..40_usize).prop_map(|(at, len)| Edit::Delete(at, len)),
        4 => (any::<Index>(), select(TOKENS)).prop_map(|(at, token)| Edit::Insert(at, token)),
        2 => any::<(Index, u8)>().prop_map(|(at, byte)| Edit::Replace(at, byte)),
        1 => (any::<Index>(), 1..80_usize).prop_map(|(at, len)| Edit::Double(at, len)),
        1 => (any::<[Index; 3]>(), 1..80_usize)
            .prop_map(|([at, file, from], len)| Edit::Splice(at, file, from, len)),
    ];
    vec(edit, 1..6)
}

fn edited(text: &str, edits: &[Edit]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for edit in edits {
        let place = |at: &Index, len: usize| {
            let start = at.index(bytes.len() + 1);
            start..(start + len).min(bytes.len())
        };
        match edit {
            Edit::Delete(at, len) => drop(bytes.drain(place(at, *len))),
            Edit::Insert(at, token) => {
                let at = place(at, 0);
                bytes.splice(at, token.bytes());
            }
            Edit::Replace(at, byte) => {
                let at = place(at, 1);
                bytes[at].fill(*byte);
            }
            Edit::Double(at, len) => {
                let range = place(at, *len);
                let copy = bytes[range.clone()].to_vec();
                bytes.splice(range.start..range.start, copy);
            }
            Edit::Splice(at, file, from, len) => {
                let other = file.get(&RULES).0.as_bytes();
                let start = from.index(other.len());
                let at = place(at, 0);
                bytes.splice(at, other[start..(start + len).min(other.len())].iter().copied());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

proptest! {
    #![proptest_config(config(3000))]

    #[test]
    fn spoiled_rule_files(file in any::<Index>(), edits in edits()) {
        let (text, catalog) = file.get(&RULES);
        let text = edited(text, &edits);
        survives(&text, catalog);
    }

    #[test]
    fn heaps_of_tokens(tokens in vec(select(TOKENS), 0..40), blanks in any::<bool>()) {
        let text = tokens.join(if blanks { " " } else { "" });
        survives(&text, small());
        survives(&format!("version: 1\n{text}"), small());
    }
}

proptest! {
    #![proptest_config(config(400))]

    /// Whatever stands where a pattern and a template should.
    #[test]
    fn any_pattern_and_any_template(
        from in prop_oneof![any::<String>(), vec(select(TOKENS), 0..8).prop_map(|t| t.concat())],
        to in prop_oneof![any::<String>(), vec(select(TOKENS), 0..8).prop_map(|t| t.concat())],
    ) {
        for quote in [single, double] {
            let (from, to) = (quote(&from), quote(&to));
            let text = format!(
                "version: 1\nparams: {{n: 2}}\nrename: [{{find: {from}, replace: {to}}}]\nrules: [{{from: {from}, to: {to}}}, \
                 {{from: '(.+)/(?<i>.+)', to: [{to}, {{labels: [{to}]}}]}}]\nfill: [{{leaf: {to}, shape: [], with: 1}}]\n\
                 scopes: [{{within: {to}, layers: [{to}, {{{from}: {to}}}]}}]\n"
            );
            survives(&text, small());
        }
    }
}

fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn double(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric() => quoted.push(c),
            c => write!(quoted, "\\U{:08x}", u32::from(c)).unwrap(),
        }
    }
    quoted + "\""
}

/// Cut off anywhere, and with every character in turn taken out.
#[test]
fn every_rule_file_cut_off() {
    for (text, catalog) in RULES.iter().filter(|(text, _)| text.len() < 500) {
        for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            survives(&text[..at], catalog);
            survives(
                &format!("{}{}", &text[..at], text.get(at + 1..).unwrap_or_default()),
                catalog,
            );
        }
    }
}

/// The same rules as other editors save them.
#[test]
fn other_line_ends_and_marks() {
    let mistakes = |text: &str| {
        Mapping::parse("rules.yaml", text, &BTreeMap::new(), &NoFiles).unwrap().problems.len()
    };
    for (text, catalog) in RULES.iter() {
        let before = mistakes(text);
        for text in [
            text.replace('\n', "\r\n"),
            text.replace('\n', "\r"),
            format!("\u{feff}# marked\n{text}"),
            text.trim_end().to_owned(),
        ] {
            survives(&text, catalog);
            assert_eq!(mistakes(&text), before, "{text}");
            // With a mistake in it, in a place that has to be found.
            survives(&text.replace("version: 1", "versoin: 1"), catalog);
            survives(&text.replace("to", "ot"), catalog);
            survives(&text.replace('$', "$é"), catalog);
        }
    }
}

/// Items of a list in YAML.
fn listed(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

#[test]
fn deep_wide_and_large() {
    let catalog = small();
    let nested = |open: &str, close: &str, n: usize| open.repeat(n) + &close.repeat(n);
    let targets = |n: usize| listed((0..n).map(|i| format!("t{i}")));
    let bomb = |n: usize| {
        let mut text = String::from("version: 1\na: &a0 [x, x]\n");
        for i in 1..n {
            let list = vec![format!("*a{}", i - 1); 10].join(", ");
            writeln!(text, "a{i}: &a{i} [{list}]").unwrap();
        }
        text
    };
    let files = [
        nested("[", "]", 100),
        nested("[", "]", 20_000),
        nested("{a: ", "}", 3000),
        "[".repeat(20_000),
        "- ".repeat(100_000),
        "? ".repeat(10_000),
        nested("rules: [", "]", 50),
        format!("version: 1\nrules: {}\n", nested("[", "]", 100)),
        format!("version: 1\nrules: [{{from: a, to: {}}}]\n", nested("{labels: [", "]}", 50)),
        format!("version: 1\nscopes: [{{layers: {}}}]\n", nested("[{scope: a, layers: ", "}]", 50)),
        bomb(4),
        bomb(20),
        "version: 1\nrules: &r [*r]\n".to_owned(),
        "version: 1\nrules: &r [{from: a, to: *r}]\n".to_owned(),
        format!("version: 1\nroot: {}\n", "x/".repeat(100_000)),
        format!("version: 1\nroot: '{}'\n", "$n".repeat(10_000)),
        format!("version: 1\nrules: [{{from: a, to: '{}'}}]\n", "${".repeat(100_000)),
        format!("version: 1\nrules: [{{from: a, to: '${{{}}}'}}]\n", nested("(", ")", 100_000)),
        format!("version: 1\nrules: [{{from: a, to: '${{{}1}}'}}]\n", "-".repeat(100_000)),
        format!("version: 1\nrules: [{{from: '{}', to: a}}]\n", nested("(", ")", 100_000)),
        format!(
            "version: 1\nrules: [{{from: '{}a{}', to: a}}]\n",
            "(".repeat(60),
            "){9}".repeat(60)
        ),
        format!("version: 1\nrules: [{{from: '{}', to: a}}]\n", "a|".repeat(3000)),
        format!("version: 1\nrules: [{{from: '{}', to: a}}]\n", "(a*)*".repeat(1000)),
        format!(
            "version: 1\nrules: [{{from: a, to: a, apply: [{}]}}]\n",
            "transpose, ".repeat(10_000)
        ),
        format!(
            "version: 1\nrules: [{{from: a, to: a, apply: {{reshape: [{}]}}}}]\n",
            "2, ".repeat(10_000)
        ),
        format!("version: 1\nfill: [{{leaf: a, shape: [{}], with: 1}}]\n", "1, ".repeat(300)),
        format!("version: 1\nrules: [{{from: '.+', to: [{}], apply: [{{unstack: 0}}]}}]\n", targets(2000)),
        format!("version: 1\nrules: [{{from: '.+', to: [{}], apply: [{{split: 0}}]}}]\n", targets(2000)),
        format!(
            "version: 1\nrules: [{{from: '.+', to: [{}], apply: [{{split: {{axis: 0, sizes: [{}]}}}}]}}]\n",
            targets(1000),
            "1, ".repeat(20_000)
        ),
        format!(
            "version: 1\nrules: [{{from: '.+', to: x, apply: [{{concat: 0}}, {}]}}]\n",
            "{concat: 0}, {stack: 0}, ".repeat(100)
        ),
        format!(
            "version: 1\nrules: [{{from: '(.+)/kernel', to: '$1', apply: [{}]}}]\n",
            "{add: 1}, {scale: 2}, {flip: 0}, ".repeat(30_000)
        ),
        format!(
            "version: 1\nrules: [{{from: [{}], to: x, apply: [{{concat: 0}}]}}]\n",
            "'(?<i>.+)/kernel', ".repeat(2000)
        ),
        format!("version: 1\nrefuse: [{}]\n", "{has: '.+/x', say: x}, ".repeat(5000)),
        format!("version: 1\nema: {{use: prefer, suffix: '{}'}}\n", "(.*)*".repeat(100)),
        format!("version: 1\nrules: [{}]\n", "{cell: gru_cell, from: '.*', to: x}, ".repeat(300)),
        format!(
            "version: 1\nrules: [{{from: '.+', to: x, apply: [{{pad: [{}]}}]}}]\n",
            "[9223372036854775807, 9223372036854775807], ".repeat(300)
        ),
        "version: 1\nrules: [{from: '(.+)', to: '$1', apply: [{expand_dims: [9223372036854775807, -9223372036854775808]}]}]\n".to_owned(),
        "version: 1\nrules: [{from: '(.+)', to: '$1', apply: [{unpartition: {strategy: mod, parts: 9223372036854775807}}]}]\n".to_owned(),
        "version: 1\nrules: [{from: '(.+)', to: '$1', apply: [{gates: {order: [0], axis: -9223372036854775808}}]}]\n".to_owned(),
        "version: 1\nrules: [{from: '(.+)', to: '$1', apply: [{slice: '-9223372036854775808:9223372036854775807:9223372036854775807'}]}]\n".to_owned(),
        format!("version: 1\nrules: [{{from: '(.+)', to: '$1', apply: [{{gates: [{}]}}]}}]\n", listed((0..20_000).map(|i: u32| i.to_string()))),
        format!("version: 1\ninclude: [{}]\n", "'builtin:vgg-keras', ".repeat(10_000)),
        format!(
            "version: 1\nparams: {{{}}}\n",
            (0..2000).fold(String::new(), |s, i| s + &format!("n{i}: {i}, "))
        ),
        "\n".repeat(1_000_000),
        format!("# {}\nversion: 1\n", "é".repeat(1_000_000)),
    ];
    for text in files {
        survives(&text, catalog);
    }
}

/// What can stand in rules, put together as chance has it.
fn any_rules() -> impl Strategy<Value = String> {
    let step = select(
        &[
            "transpose",
            "{reshape: [-1]}",
            "{reshape: target}",
            "{squeeze: 0}",
            "{expand_dims: -1}",
            "{flip: 0}",
            "{slice: '1:'}",
            "{slice: '..., :2'}",
            "{pad: [[0, 1]]}",
            "{pad: [[1, 0], [0, 2]]}",
            "{concat: 0}",
            "{concat: -1}",
            "{stack: 0}",
            "{split: 0}",
            "{split: -1}",
            "{split: {axis: 0, sizes: [1, 2]}}",
            "{unstack: 0}",
            "{unstack: -1}",
            "{cast: float16}",
            "{cast: int8}",
            "{scale: 0}",
            "{add: 1}",
            "{gates: [1, 0]}",
            "{gates: [0, 2, 1, 3]}",
            "{unpartition: mod}",
            "{unpartition: {strategy: mod, parts: 2}}",
            "{gather: rows.txt}",
            "{split_axis: {axis: 0, into: [-1, 1]}}",
            "{merge_axes: [0, 1]}",
        ][..],
    );
    let from = select(
        &[
            "'(.+)'",
            "'(?<s>.+)/kernel'",
            "'(?<s>.+)/bias'",
            "['(?<s>.+)/kernel', '(?<s>.+)/bias']",
            "'.+'",
            r"'.*_(\d+)/.*'",
            "['(?<a>.)(?<s>.+)', '(?<s>.+)(?<a>.)']",
            "'c'",
            "'(?<s>.+)'",
        ][..],
    );
    let to =
        select(&["x", "'$s'", "'$1'", "[x, y]", "['$s/a', '$s/b']", "[a, b, c, d]", "'$s/k'"][..]);
    let rule = (
        select(
            &[
                "from",
                "from",
                "cell: lstm_cell, from",
                "cell: gru_cell, from",
                "cell: cudnn_gru, from",
                "cell: basic_rnn_cell, from",
            ][..],
        ),
        from,
        to,
        vec(step, 0..4),
        any::<[bool; 2]>(),
    );
    let rule = rule.prop_map(|(kind, from, to, steps, [optional, skip])| {
        let apply = if steps.is_empty() {
            String::new()
        } else {
            format!(", apply: [{}]", steps.join(", "))
        };
        format!("{{{kind}: {from}, to: {to}{apply}, optional: {optional}, skip_mismatch: {skip}}}")
    });
    let top = select(
        &[
            "",
            "unmatched: drop\n",
            "ema: prefer\n",
            "ema: {use: only, suffix: '.'}\n",
            "optimizer: drop\n",
            "ema: {use: prefer, suffix: 'bias'}\nunmatched: warn\noptimizer: plain\n",
            "rename: [{find: '[0-9]', replace: ''}]\n",
            "refuse: [{lacks: x, say: no}]\n",
            "optimizer: {to: o}\n",
        ][..],
    );
    (top, vec(rule, 1..4)).prop_map(|(top, rules)| {
        format!("version: 1\nunmatched: drop\n{top}rules: [{}]\n", rules.join(", ")).replacen(
            "unmatched: drop\n",
            if top.contains("unmatched") { "" } else { "unmatched: drop\n" },
            1,
        )
    })
}

proptest! {
    #![proptest_config(config(1500))]

    /// Whatever is planned without a problem can be carried out.
    #[test]
    fn what_is_planned_can_be_done(rules in any_rules(), file in any::<Index>()) {
        let fixtures = ["conv3", "dtypes_tf221", "recurrent/lstm", "recurrent/gru", "optimizers/cnn_adam", "get_variable", "partitioned/layouts_tf221"];
        let at = testdata(fixtures[file.index(fixtures.len())]).join("model.ckpt");
        let Ok(old) = open(&Location::from(at.as_path())) else { panic!("{at:?}") };
        survives(&rules, old.catalog());
        let mapping = Mapping::parse("rules.yaml", &rules, &BTreeMap::new(), &NoFiles);
        let Some(plan) = mapping.ok().and_then(|mapping| make(old.catalog(), &mapping).ok()) else {
            return Ok(());
        };
        let dir = tempfile::tempdir().unwrap();
        let to = Location::from(dir.path().join("new").as_path());
        let writer = create(&to, &target::Options { sync: false, ..target::Options::default() }, &[]).unwrap();
        let inputs = Inputs { source: old.as_ref(), template: None };
        match convert(&plan, &inputs, writer, &convert::Options::default(), &Silent) {
            Ok(_) => {
                let new = open(&to).unwrap();
                for assignment in &plan.assignments {
                    let name = VariableName::new(assignment.target.key()).unwrap();
                    prop_assert_eq!(&new.catalog().variables[&name].spec, &assignment.spec);
                }
            }
            // Only a value can be in the way then, and a value is named.
            Err(error) => {
                let mut text = error.to_string();
                let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(&error);
                while let Some(next) = cause {
                    text = format!("{text}: {next}");
                    cause = next.source();
                }
                let value = text.contains("at element") && text.contains("cannot hold");
                prop_assert!(value, "{}\n{}", text, rules);
            }
        }
    }
}

#[test]
fn a_problem_far_down_in_other_alphabets_is_found() {
    for text in ["漢字", "🦀", "é\u{301}", "\u{2028}", "ا"] {
        let comment = format!("# {}\n", text.repeat(50)).repeat(20);
        let text = format!(
            "{comment}version: 1\nroot: '{text}'\nrules: [{{from: '{text}', to: '{text}$1'}}]\n"
        );
        let mapping = Mapping::parse("rules.yaml", &text, &BTreeMap::new(), &NoFiles).unwrap();
        let [problem] = &mapping.problems[..] else { panic!("{:?}", mapping.problems) };
        assert_eq!(&text[problem.place.as_ref().unwrap().span.clone()], "$1");
    }
}

// Checkpoints.

const CHECKPOINTS: [&str; 2] = ["conv3", "tf2_keras2"];
const INDEX: &str = "model.ckpt.index";
const DATA: &str = "model.ckpt.data-00000-of-00001";

/// A checkpoint to spoil, and what is in it.
struct Victim {
    dir: tempfile::TempDir,
    index: Vec<u8>,
    data: Vec<u8>,
    tensors: BTreeMap<VariableName, Tensor<'static>>,
    graph: Option<ObjectGraph>,
}

impl Victim {
    fn new(fixture: &str) -> Self {
        let from = testdata(fixture);
        let reader = open(&Location::from(from.join("model.ckpt").as_path())).unwrap();
        let names = reader.catalog().variables.keys();
        Self {
            dir: tempfile::tempdir().unwrap(),
            index: fs::read(from.join(INDEX)).unwrap(),
            data: fs::read(from.join(DATA)).unwrap(),
            tensors: names.map(|name| (name.clone(), reader.read(name).unwrap())).collect(),
            graph: reader.catalog().graph.clone(),
        }
    }

    fn at(&self) -> Location {
        Location::from(self.dir.path().join("model.ckpt").as_path())
    }

    fn write(&self, index: &[u8], data: &[u8]) {
        fs::write(self.dir.path().join(INDEX), index).unwrap();
        fs::write(self.dir.path().join(DATA), data).unwrap();
    }

    /// Opens and reads all there is, by every way there is, without believing any of it.
    fn read_all(&self) {
        let at = self.at();
        if let Ok(reader) = open(&at) {
            for (name, variable) in &reader.catalog().variables {
                let read = reader.read(name);
                let verified = reader.verify(name, &|_| ());
                assert_eq!(read.is_ok(), verified.is_ok(), "{name}: {read:?} {verified:?}");
                if let Ok(tensor) = read {
                    assert_eq!(tensor.spec(), &variable.spec);
                }
                let _ = reader.extent(name);
            }
        }
        let _ = check(&at);
    }

    /// What the spoiled checkpoint says is an error or the truth.
    fn no_lies(&self, what: &str) {
        let at = self.at();
        let Ok(reader) = open(&at) else {
            // Nor does a check find it sound.
            assert!(
                check(&at).is_ok_and(|checked| !checked.findings.is_empty()) || check(&at).is_err(),
                "{what}"
            );
            return;
        };
        let mut sound = true;
        let catalog = reader.catalog();
        assert!(catalog.variables.keys().eq(self.tensors.keys()), "{what}: other names");
        assert!(catalog.unnamable.is_empty(), "{what}");
        assert_eq!(catalog.graph, self.graph, "{what}: another graph");
        for (name, truth) in &self.tensors {
            match reader.read(name) {
                Ok(tensor) => assert_eq!(&tensor, truth, "{what}: {name} is wrong"),
                Err(_) => sound = false,
            }
            if let Some(scalar) = catalog.facts.scalars.get(name) {
                assert_eq!(scalar, truth, "{what}: {name} is wrong");
            }
        }
        assert_eq!(check(&at).unwrap().findings.is_empty(), sound, "{what}");
    }
}

#[test]
fn index_and_data_of_different_checkpoints() {
    let [one, other] = CHECKPOINTS.map(Victim::new);
    one.write(&one.index, &other.data);
    one.no_lies("foreign data");
    one.write(&one.index, &one.index);
    one.no_lies("the index as data");
    one.write(&one.data, &one.data);
    one.no_lies("data as the index");
}

/// The entries of an index by key, the header's first.
fn entries(index: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut entries = Vec::new();
    let table = Table::parse(index).unwrap();
    table
        .for_each(|key, value| {
            entries.push((key.to_vec(), value.to_vec()));
            Ok::<(), TableError>(())
        })
        .unwrap();
    entries
}

/// An index whose checksums are right, whatever is in it.
fn index_of(entries: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut table = TableBuilder::new(&mut bytes);
    for (key, value) in entries {
        table.insert(key, value).unwrap();
    }
    table.finish().unwrap();
    bytes
}

fn splices() -> impl Strategy<Value = Vec<(Index, Index, usize, Vec<u8>)>> {
    let bytes = prop_oneof![
        vec(any::<u8>(), 0..6),
        Just(b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f".to_vec()),
        Just(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01".to_vec()),
        Just(b"\x12\x0b\x12\x09\x08\x80\x80\x80\x80\x80\x80\x80\x40".to_vec()),
        Just(b"\x3a\x02\x0a\x00".to_vec()),
    ];
    vec((any::<Index>(), any::<Index>(), 0..4_usize, bytes), 1..4)
}

fn spliced(bytes: &mut Vec<u8>, at: Index, len: usize, with: &[u8]) {
    let start = at.index(bytes.len() + 1);
    let end = (start + len).min(bytes.len());
    bytes.splice(start..end, with.iter().copied());
}

proptest! {
    #![proptest_config(config(1500))]

    /// Many bytes at once, anywhere.
    #[test]
    fn random_damage(
        fixture in select(&CHECKPOINTS[..]),
        hits in vec(any::<(bool, Index, u8)>(), 1..12),
        cut in any::<Option<Index>>(),
    ) {
        let victim = Victim::new(fixture);
        let (mut index, mut data) = (victim.index.clone(), victim.data.clone());
        for (first, at, byte) in hits {
            let bytes = if first { &mut index } else { &mut data };
            let at = at.index(bytes.len());
            bytes[at] ^= byte;
        }
        if let Some(cut) = cut {
            data.truncate(cut.index(data.len()));
        }
        victim.write(&index, &data);
        victim.no_lies("random damage");
    }

    /// Lies that no checksum gives away: the entries say anything, in a table that is sound.
    #[test]
    fn an_index_that_lies(fixture in select(&CHECKPOINTS[..]), splices in splices()) {
        let victim = Victim::new(fixture);
        let mut stored = entries(&victim.index);
        for (entry, at, len, with) in splices {
            let entry = entry.index(stored.len() * 2);
            let which = entry / 2;
            let bytes = if entry % 2 == 1 || which == 0 { &mut stored[which].1 } else { &mut stored[which].0 };
            spliced(bytes, at, len, &with);
        }
        victim.write(&index_of(&stored.into_iter().collect()), &victim.data);
        victim.read_all();
    }

    /// A graph that lies.
    #[test]
    fn a_graph_that_lies(splices in splices()) {
        let victim = Victim::new("tf2_keras2");
        // The message is what the data file ends with; its root's first edge leads to `model`.
        let edge = b"\x12\x05model";
        let begin = victim.data.windows(edge.len()).position(|bytes| bytes == edge).unwrap() - 6;
        let mut graph = victim.data[begin..].to_vec();
        prop_assert!(victim.graph == Some(decode_graph(&graph).unwrap()));
        for (_, at, len, with) in splices {
            spliced(&mut graph, at, len, &with);
        }
        let at = victim.at();
        let options = target::Options { overwrite: true, sync: false, ..target::Options::default() };
        let mut writer = create(&at, &options, &[]).unwrap();
        writer.put(&Target::named(OBJECT_GRAPH_KEY), &Tensor::string(&graph)).unwrap();
        writer.finish(None, &always).unwrap();
        victim.read_all();
    }
}

/// Whoever opens it is refused, so `check` must not call it sound.
#[test]
fn a_graph_that_is_no_string() {
    let dir = tempfile::tempdir().unwrap();
    let at = Location::from(dir.path().join("ckpt").as_path());
    let mut writer = create(&at, &target::Options::default(), &[]).unwrap();
    let spec = TensorSpec::new(DType::Float, Shape::new([2]).unwrap()).unwrap();
    let tensor = Tensor::new(spec, vec![0; 8]).unwrap();
    writer.put(&Target::named(OBJECT_GRAPH_KEY), &tensor).unwrap();
    writer.finish(None, &always).unwrap();
    assert!(open(&at).is_err());
    assert_eq!(ckptmap::check::check(&at).unwrap().findings.len(), 1);
}
