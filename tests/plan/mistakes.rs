//! What people get wrong, all of it in one run and each in its place.

use std::fmt::Write;

use crate::harness::{check, is, mapping_with, places, planned};

/// The problems of a rule file by itself, `version` not added.
fn file(text: &str) -> String {
    match mapping_with(text, &[]) {
        Ok(mapping) => crate::harness::render(Err(ckptmap::mapping::Problems::new(
            mapping.problems,
        )
        .expect("no problems"))),
        Err(problems) => crate::harness::render(Err(problems)),
    }
}

#[test]
fn versions() {
    let unknown =
        "value: this version of rule files is not known | this program reads `version: 1`";
    is(&file("rules: []"), "key: the key `version` is missing here");
    for version in ["2", "'1'", "1.0", "[1]", "", "-1", "true"] {
        is(&file(&format!("version: {version}")), unknown);
    }
}

#[test]
fn files_that_are_no_map() {
    is(&file("- version: 1\n"), "value: a map should stand here, not a list");
    is(&file("version"), "value: a map should stand here, not text");
    is(&file("1"), "value: a map should stand here, not a number");
}

#[test]
fn several_documents() {
    let text = file("version: 1\n---\nversion: 1\n");
    assert!(text.starts_with("yaml: not YAML: "), "{text}");
}

#[test]
fn unknown_keys_and_their_nearest() {
    check("ruels: []", "", "key: there is no key `ruels` here | did you mean `rules`?");
    check(
        "zzz: []",
        "",
        "key: there is no key `zzz` here | known here: version, params, include, refuse, root, target, rename, leaves, scopes, rules, fill, unmatched, optimizer, ema",
    );
    check(
        "rules: [{form: a, to: b}]",
        "a",
        "
        key: a rule needs one of `from`, `cell`, `zip` and `drop`
        key: there is no key `form` here | did you mean `from`?",
    );
    check(
        "rename: [{find: a, repalce: b}]",
        "a",
        "
        key: the key `replace` is missing here
        key: there is no key `repalce` here | did you mean `replace`?",
    );
    check(
        "fill: [{leaf: a, shape: [], with: 1, dtyp: int8}]",
        "",
        "key: there is no key `dtyp` here | did you mean `dtype`?",
    );
    check(
        "scopes: [{withni: a, layers: []}]",
        "",
        "key: there is no key `withni` here | did you mean `within`?",
    );
}

#[test]
fn duplicate_keys() {
    check(
        "root: a\nroot: b",
        "",
        "key: the key `root` stands here a second time | leave one of them out",
    );
    let found = places("rules:\n  - {from: a, to: b, from: c}\nrules: []", "a");
    let places: Vec<&str> = found.lines().map(|line| line.split(" ~ ").next().unwrap()).collect();
    assert_eq!(places, ["key «from»", "key «rules»"]);
    assert_eq!(found.matches(" ~ the first time «").count(), 2, "{found}");
}

#[test]
fn missing_keys() {
    check("rules: [{from: a}]", "a", "key: the key `to` is missing here");
    check("rules: [{to: a}]", "a", "key: a rule needs one of `from`, `cell`, `zip` and `drop`");
    check("rules: [{}]", "a", "key: a rule needs one of `from`, `cell`, `zip` and `drop`");
    check(
        "rename: [{}]",
        "",
        "key: the key `find` is missing here\nkey: the key `replace` is missing here",
    );
    check("scopes: [{within: a}]", "", "key: the key `layers` is missing here");
    check(
        "fill: [{}]",
        "",
        "
        key: the key `leaf` is missing here
        key: the key `shape` is missing here
        key: the key `with` is missing here",
    );
    check("scopes: [{layers: [{repeat: 2}]}]", "", "key: the key `layers` is missing here");
}

#[test]
fn keys_that_exclude_each_other() {
    check(
        "rules: [{from: a, drop: b}]",
        "a",
        "key: a rule has only one of `from`, `cell`, `zip` and `drop` | make a rule of each",
    );
    check(
        "rules: [{drop: a, to: b, apply: c, optional: d}]",
        "a",
        "key: `to` has no meaning beside `drop` | leave it out
         key: `apply` has no meaning beside `drop` | leave it out
         key: `optional` has no meaning beside `drop` | leave it out",
    );
}

#[test]
fn wrong_types() {
    for (rules, wanted) in [
        ("params: [1]", "a map should stand here, not a list"),
        ("params: {n: [1]}", "text or a number should stand here, not a list"),
        ("params: {n: }", "text or a number should stand here, not nothing"),
        ("params: {n: true}", "text or a number should stand here, not a truth value"),
        ("root: [a]", "text should stand here, not a list"),
        ("root: 1", "text should stand here, not a number"),
        ("root:", "text should stand here, not nothing"),
        ("target: [keras3]", "text should stand here, not a list"),
        ("target: keras", "`keras` is not known here"),
        ("unmatched: true", "text should stand here, not a truth value"),
        ("unmatched: ignore", "`ignore` is not known here"),
        ("optimizer: 1", "a map should stand here, not a number"),
        ("optimizer: keeps", "`keeps` is not known here"),
        ("rename: {find: a, replace: b}", "a list should stand here, not a map"),
        ("rename: [a]", "a map should stand here, not text"),
        ("rename: [{find: 1, replace: b}]", "text should stand here, not a number"),
        ("rename: [{find: a, replace: [b]}]", "text should stand here, not a list"),
        ("leaves: [a]", "a map should stand here, not a list"),
        ("leaves: {a: [b]}", "text should stand here, not a list"),
        ("scopes: a", "a list should stand here, not text"),
        ("scopes: [a]", "a map should stand here, not text"),
        ("scopes: [{layers: {dense: x}}]", "a list should stand here, not a map"),
        ("scopes: [{within: [a], layers: []}]", "text should stand here, not a list"),
        ("scopes: [{layers: [1]}]", "a map should stand here, not a number"),
        (
            "scopes: [{layers: [{dense: {to: a, apply: [transpose]}}]}]",
            "a map should stand here, not a list",
        ),
        ("rules: {from: a, to: b}", "a list should stand here, not a map"),
        ("rules: a", "a list should stand here, not text"),
        ("rules: [a]", "a map should stand here, not text"),
        ("rules: [[a]]", "a map should stand here, not a list"),
        ("rules: [{from: 1, to: b}]", "text should stand here, not a number"),
        ("rules: [{from: {a: b}, to: b}]", "text should stand here, not a map"),
        (
            "rules: [{from: [a, b], to: b}]",
            "several patterns need `concat` or `stack` under `apply`, or as many targets",
        ),
        ("rules: [{from: a, to: 1}]", "text should stand here, not a number"),
        ("rules: [{from: a, to: [[b]]}]", "text should stand here, not a list"),
        ("rules: [{from: a, to: {labels: b}}]", "a list should stand here, not text"),
        ("rules: [{from: a, to: {labels: [1]}}]", "text should stand here, not a number"),
        (
            "rules: [{from: a, to: b, optional: 'yes'}]",
            "`true` or `false` should stand here, not text",
        ),
        ("rules: [{from: a, to: b, apply: 1}]", "a map should stand here, not a number"),
        ("rules: [{drop: 1}]", "text should stand here, not a number"),
        ("rules: [{drop: [[a]]}]", "text should stand here, not a list"),
        ("fill: {leaf: a}", "a list should stand here, not a map"),
        ("fill: [{leaf: 1, shape: [], with: 1}]", "text should stand here, not a number"),
        ("fill: [{leaf: a, shape: 1, with: 1}]", "a list should stand here, not a number"),
        (
            "fill: [{leaf: a, shape: [], with: [1]}]",
            "text or a number should stand here, not a list",
        ),
        ("fill: [{leaf: a, shape: [], with: 1, dtype: 1}]", "text should stand here, not a number"),
    ] {
        let found = planned(rules, "dense/w");
        // A mistake is said once, and what it leaves undone is not said at all.
        assert_eq!(found.lines().count(), 1, "{rules}:\n{found}");
        assert!(found.starts_with(&format!("value: {wanted}")), "{rules}:\n{found}");
    }
}

#[test]
fn values_are_pointed_at() {
    for (rules, place) in [
        ("root: [a, b]  # why", "[a, b]"),
        ("root:\n  - a\n  - b", "- a"),
        ("unmatched: ignore # why", "ignore"),
        ("unmatched: 'ignore' # why", "'ignore'"),
        ("rules: [{drop: b}, {drop: a, from: c}]", "{drop: a, from: c}"),
        ("rules:\n- drop: a\n  too: b", "too"),
        ("é: 1", "é"),
        ("'root': 1", "1"),
        ("\"ruels\": 1", "\"ruels\""),
    ] {
        let found = places(rules, "");
        let first = found.lines().next().unwrap();
        assert!(first.ends_with(&format!("«{place}»")), "{rules}:\n{found}");
    }
}

#[test]
fn broken_yaml_ends_it_at_once() {
    is(
        &file("version: 1\nrules: [{from: \"a\\d\"}]\nroot: 1"),
        "yaml: not YAML: found unknown escape character | in double quotes `\\` begins an escape; write patterns in single quotes",
    );
    for text in ["a: [", "a: b: c", "{", "\t- a", "a: 'x", "%", "@", "a: *x", "\u{0}"] {
        let found = file(text);
        assert!(found.starts_with("yaml: not YAML: "), "{text:?}:\n{found}");
        assert_eq!(found.lines().count(), 1, "{text:?}:\n{found}");
    }
}

#[test]
fn problems_come_in_the_order_of_the_file() {
    is(
        &places(
            "rules:\n  - {from: a, to: $x}\n  - {from: b, to: b}\nunmatched: maybe\nroot: 1\nzzz: 2",
            "",
        ),
        "template «$x»
         unused «{from: b, to: b}»
         value «maybe»
         value «1»
         key «zzz»",
    );
}

#[test]
fn what_a_broken_rule_would_have_claimed_is_no_second_problem() {
    check(
        "rules: [{from: '(.+)', to: $2}]",
        "a; b",
        "template: capture group `$2` does not exist in this rule | groups are numbered from 1",
    );
    check(
        "unmatched: warn\nrules: [{from: '(.+)', to: $2}]",
        "a; b",
        "template: capture group `$2` does not exist in this rule | groups are numbered from 1",
    );
}

#[test]
fn a_thousand_problems() {
    let mut rules = String::from("rules:\n");
    for i in 0..1000 {
        writeln!(rules, "  - {{from: 'x{i}', to: '$y'}}").unwrap();
    }
    let found = places(&rules, "a");
    assert_eq!(found.lines().count(), 1000, "{found}");
    assert!(found.lines().all(|line| line == "template «$y»"), "{found}");
}

#[test]
fn a_thousand_rules_for_a_thousand_variables() {
    let mut rules = String::from("rules:\n");
    let mut variables = String::new();
    for i in 0..1000 {
        writeln!(rules, "  - {{from: 'x{i}', to: 'y{i}'}}").unwrap();
        writeln!(variables, "x{i}").unwrap();
    }
    assert_eq!(planned(&rules, &variables).lines().count(), 1000);
}
