//! Rule files that include others.

use crate::fresh::Around;
use crate::harness::{check, is};

#[track_caller]
fn with(files: &[(&str, &str)], rules: &str, variables: &str, expected: &str) {
    Around { files, ..Around::default() }.check(rules, variables, expected);
}

const COMMON: &str = "version: 1\nrules: [{from: '(.+)', to: 'common/$1'}]";

#[test]
fn ones_own_rules_come_first() {
    with(
        &[("a.yaml", COMMON)],
        "include: [a.yaml]\nrules: [{from: w, to: mine}]",
        "w; v",
        "common/v <- v
         mine <- w",
    );
    // The order of keys means nothing, and one file needs no list.
    with(
        &[("a.yaml", COMMON)],
        "rules: [{from: w, to: mine}]\ninclude: a.yaml",
        "w; v",
        "common/v <- v
         mine <- w",
    );
    let files = [
        ("a.yaml", "version: 1\nrules: [{from: '(w|v)', to: 'a/$1'}]"),
        ("b.yaml", "version: 1\nrules: [{from: '(w|v|u)', to: 'b/$1'}]"),
    ];
    with(
        &files,
        "include: [a.yaml, b.yaml]\nrules: [{from: w, to: mine}]",
        "w; v; u",
        "a/v <- v
         b/u <- u
         mine <- w",
    );
}

#[test]
fn each_file_behind_the_one_that_includes_it() {
    let files = [
        ("a.yaml", "version: 1\ninclude: [c.yaml]\nrules: [{from: w, to: a/w}]"),
        ("b.yaml", "version: 1\nrules: [{from: '(.+)', to: 'b/$1'}]"),
        ("c.yaml", "version: 1\nrules: [{from: '(w|v)', to: 'c/$1'}]"),
    ];
    with(
        &files,
        "include: [a.yaml, b.yaml]",
        "w; v; u",
        "a/w <- w
         b/u <- u
         c/v <- v",
    );
}

#[test]
fn folders() {
    let files = [
        (
            "in/a.yaml",
            "version: 1\ninclude: [deep/b.yaml]\nrules: [{from: w, to: w, apply: [{gather: rows.txt}]}]",
        ),
        ("in/deep/b.yaml", "version: 1\nrules: [{from: v, to: v, apply: [{gather: rows.txt}]}]"),
        ("in/rows.txt", "0\n"),
        ("in/deep/rows.txt", "1\n1\n1\n"),
        ("rows.txt", "0\n1\n0\n1\n"),
    ];
    with(
        &files,
        "include: in/a.yaml\nrules: [{from: u, to: u, apply: [{gather: rows.txt}]}]",
        "w; v; u",
        "u <- u [gather: rows.txt] as float32 [4]
         v <- v [gather: rows.txt] as float32 [3]
         w <- w [gather: rows.txt] as float32 [1]",
    );
}

#[test]
fn files_that_include_each_other() {
    with(
        &[("rules.yaml", COMMON)],
        "include: [rules.yaml]\nrules: [{from: w, to: w}]",
        "w",
        "w <- w",
    );
    let files = [
        ("a.yaml", "version: 1\ninclude: [b.yaml]\nrules: [{from: w, to: w}]"),
        ("b.yaml", "version: 1\ninclude: [a.yaml, rules.yaml]\nrules: [{from: v, to: v}]"),
    ];
    with(
        &files,
        "include: [a.yaml, b.yaml, a.yaml]",
        "w; v",
        "value: `rules.yaml` cannot be read: there is no such file | such files lie in the rule file's own folder, or below it",
    );
}

#[test]
fn a_diamond() {
    let files = [
        ("a.yaml", "version: 1\ninclude: [c.yaml]"),
        ("b.yaml", "version: 1\ninclude: [c.yaml]"),
        ("c.yaml", "version: 1\nrules: [{from: w, to: w}]"),
    ];
    with(&files, "include: [a.yaml, b.yaml]", "w", "w <- w");
}

const SIZED: &str =
    "version: 1\nparams: {n: 2, s: x}\nrules: [{from: w, to: '$s', apply: [{reshape: [$n, -1]}]}]";

#[test]
fn parameters_of_an_included_file() {
    let files = [("a.yaml", SIZED)];
    with(&files, "include: [a.yaml]", "w float32 6", "x <- w [reshape: [2, -1]] as float32 [2, 3]");
    with(
        &files,
        "include: [a.yaml]\nparams: {n: 3}",
        "w float32 6",
        "x <- w [reshape: [3, -1]] as float32 [3, 2]",
    );
    // What a file does not declare it does not have.
    with(
        &[("a.yaml", "version: 1\nrules: [{from: w, to: '$s'}]")],
        "include: [a.yaml]\nparams: {s: x}",
        "w",
        "template: `s` is neither a named group nor a parameter | name a group with `(?<name>…)`, or give a parameter under `params`",
    );
    let around = Around { files: &files, set: &[("n", "1")], ..Around::default() };
    around.check(
        "include: [a.yaml]\nparams: {n: 3}",
        "w float32 6",
        "x <- w [reshape: [1, -1]] as float32 [1, 6]",
    );
    around.check("include: [a.yaml]", "w float32 6", "x <- w [reshape: [1, -1]] as float32 [1, 6]");
    let around = Around { files: &files, set: &[("m", "1")], ..Around::default() };
    around.check("include: [a.yaml]", "w float32 6", "key: `--set m=…` sets a parameter that the rule file does not have | declare it: `params: {m: …}`");
}

/// Two files that know nothing of each other have parameters of their own.
#[test]
fn parameters_of_neighbours() {
    let files = [
        (
            "a.yaml",
            "version: 1\nparams: {n: 2}\nrules: [{from: w, to: w, apply: [{reshape: [$n, -1]}]}]",
        ),
        (
            "b.yaml",
            "version: 1\nparams: {n: 3}\nrules: [{from: v, to: v, apply: [{reshape: [$n, -1]}]}]",
        ),
    ];
    with(
        &files,
        "include: [a.yaml, b.yaml]",
        "w float32 6; v float32 6",
        "v <- v [reshape: [3, -1]] as float32 [3, 2]
         w <- w [reshape: [2, -1]] as float32 [2, 3]",
    );
    with(
        &files,
        "include: [a.yaml, b.yaml]\nparams: {n: 1}",
        "w float32 6; v float32 6",
        "v <- v [reshape: [1, -1]] as float32 [1, 6]
         w <- w [reshape: [1, -1]] as float32 [1, 6]",
    );
}

#[test]
fn what_can_be_said_once_is_the_outer_files() {
    let inner = "version: 1\nroot: inner\nema: ignore\nunmatched: drop\noptimizer: plain\ntarget: keras3\nleaves: {w: v, x: y}\nrules: [{from: '(a/.+)', to: '$1'}]";
    let files = [("a.yaml", inner)];
    let variables = "a/w; a/x; a/x/ExponentialMovingAverage; a/w/Adam; a/w/Adam_1; b";
    with(
        &files,
        "include: [a.yaml]",
        variables,
        "inner/a/v <- a/w
         inner/a/w/Adam <- a/w/Adam
         inner/a/w/Adam_1 <- a/w/Adam_1
         inner/a/y <- a/x
         a/x/ExponentialMovingAverage: AverageDropped
         b: unmatched, dropped",
    );
    with(
        &files,
        "include: [a.yaml]\nroot: outer\nema: prefer\nunmatched: warn\noptimizer: drop\nleaves: {w: u}",
        variables,
        "outer/a/u <- a/w
         outer/a/y <- a/x/ExponentialMovingAverage
         a/w/Adam: optimizer
         a/w/Adam_1: optimizer
         a/x: Averaged
         b: unmatched
         warning: unmatched: `b` float32 [2] is claimed by no rule | give it a rule, `drop` it, or write `unmatched: drop` for all that is left",
    );
}

/// Said with nothing is said as well.
#[test]
fn an_empty_root_is_a_root() {
    let files = [("a.yaml", "version: 1\nroot: inner\nrules: [{from: w, to: w}]")];
    with(&files, "include: [a.yaml]", "w", "inner/w <- w");
    with(&files, "include: [a.yaml]\nroot: ''", "w", "w <- w");
}

#[test]
fn refusals_and_fills_and_scopes_add_up() {
    let inner = "version: 1\nrefuse: [{has: x, say: inner}]\nfill: [{leaf: f, shape: [], with: 1}]\nscopes: [{layers: [{dense: d}]}]\nrename: [{find: b, replace: c}]";
    let files = [("a.yaml", inner)];
    with(
        &files,
        "include: [a.yaml]\nfill: [{leaf: g, shape: [], with: 2}]\nrename: [{find: '^a', replace: b}]\nrules: [{from: c, to: c}]",
        "dense/w; a",
        "c <- a
         d/w <- dense/w
         f <- 1 as float32 []
         g <- 2 as float32 []",
    );
    with(
        &files,
        "include: [a.yaml]\nrefuse: [{has: x, say: outer}]\nrename: [{find: '^a', replace: b}]\nrules: [{from: '[cx]', to: c}]",
        "dense/w; a; x",
        "fit: inner
         fit: outer
         collision: `c` gets two values: `a` and `x` | one rule sends both there: use a group of the pattern in `to`",
    );
}

#[test]
fn files_that_cannot_be_included() {
    with(
        &[],
        "include: [gone.yaml]",
        "",
        "value: `gone.yaml` cannot be read: there is no such file | such files lie in the rule file's own folder, or below it",
    );
    with(
        &[],
        "include: [../a.yaml]",
        "",
        "value: `../a.yaml` cannot be read: that leads out of the rule file's folder | such files lie in the rule file's own folder, or below it",
    );
    with(
        &[],
        "include: ['/a.yaml']",
        "",
        "value: `/a.yaml` cannot be read: that leads out of the rule file's folder | such files lie in the rule file's own folder, or below it",
    );
    with(&[], "include: [1]", "", "value: text should stand here, not a number");
    with(&[], "include: {a: b}", "", "value: text should stand here, not a map");
    with(
        &[("a.yaml", "rules: []")],
        "include: [a.yaml]",
        "",
        "key: the key `version` is missing here",
    );
    with(
        &[("a.yaml", "version: 1\nruels: []")],
        "include: [a.yaml]",
        "",
        "key: there is no key `ruels` here | did you mean `rules`?",
    );
    with(
        &[("a.yaml", "- 1")],
        "include: [a.yaml]",
        "",
        "value: a map should stand here, not a list",
    );
    check(
        "include: [a.yaml]",
        "",
        "value: `a.yaml` cannot be read: these rules are in no folder | such files lie in the rule file's own folder, or below it",
    );
    check(
        "include: ['builtin:bert-hg']",
        "",
        "value: there is no built-in mapping `bert-hg` | did you mean `builtin:bert-hf`?",
    );
    check(
        "include: ['builtin:zzz']",
        "",
        "value: there is no built-in mapping `zzz` | `ckptmap mappings` lists all of them",
    );
    check(
        "include: ['builtin:']",
        "",
        "value: there is no built-in mapping `` | `ckptmap mappings` lists all of them",
    );
}

#[test]
fn places_are_in_the_file_that_is_wrong() {
    let around =
        |files: &'static [(&'static str, &'static str)]| Around { files, ..Around::default() };
    let broken: &[_] = &[("in/a.yaml", "version: 1\nrules:\n  - {from: \"a\\d\", to: b}\n")];
    is(&around(broken).places("include: [in/a.yaml]", ""), "in/a.yaml:3:14 yaml «»");
    let wrong: &[_] = &[("a.yaml", "version: 1\nrules: [{from: '(', to: x}]\nfill: [{leaf: a}]")];
    is(
        &around(wrong).places("include: [a.yaml]\nrules: [{from: ')', to: y}]", ""),
        "a.yaml:2:17 pattern «(»
         a.yaml:3:8 key «{leaf: a}»
         a.yaml:3:8 key «{leaf: a}»
         rules.yaml:3:17 pattern «)»",
    );
    let unused: &[_] =
        &[("a.yaml", "version: 1\nrefuse: [{lacks: q, say: no}]\nrules: [{from: w, to: x}]")];
    is(
        &around(unused).places("include: [a.yaml]\nrules: [{from: v, to: y}]", "u"),
        "a.yaml:2:10 fit «{lacks: q, say: no}»
         a.yaml:3:9 unused «{from: w, to: x}»
         rules.yaml:3:9 unused «{from: v, to: y}»
         unmatched",
    );
    is(
        &around(&[]).places("include:\n  - builtin:zzz\n  - gone.yaml", ""),
        "rules.yaml:3:5 value «builtin:zzz»
         rules.yaml:4:5 value «gone.yaml»",
    );
}

#[test]
fn a_collision_across_files() {
    let files: &[_] = &[("a.yaml", "version: 1\nrules: [{from: w, to: x}]")];
    let around = Around { files, ..Around::default() };
    around.check(
        "include: [a.yaml]\nrules: [{from: v, to: x}]",
        "w; v",
        "collision: `x` gets two values: `v` and `w` | give one of them another target, or `drop` it",
    );
    is(
        &around.places("include: [a.yaml]\nrules: [{from: v, to: x}]", "w; v"),
        "a.yaml:2:9 collision «{from: w, to: x}»",
    );
}

#[test]
fn a_builtin_with_rules_of_ones_own() {
    check(
        "include: ['builtin:vgg-keras']\noptimizer: drop\nrules: [{drop: '.+/fc8/.+'}]",
        "x/w",
        r"fit: this is no slim VGG-16 or VGG-19: no variable is called `vgg_16/…` or `vgg_19/…`
         unused: `vgg_\d+/conv\d/conv(\d)_(\d)/(.+)` matches no variable
         unmatched: `x/w` float32 [2] is claimed by no rule | give it a rule, `drop` it, or write `unmatched: drop` for all that is left",
    );
}
