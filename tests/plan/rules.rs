//! Rules: who takes what, and where it goes.

use crate::harness::{check, is, places};

const UNMATCHED: &str =
    "give it a rule, `drop` it, or write `unmatched: drop` for all that is left";

#[track_caller]
fn rules(rules: &str, variables: &str, expected: &str) {
    check(&format!("rules: [{rules}]"), variables, expected);
}

#[test]
fn the_first_match_wins() {
    rules(
        "{from: 'a/(.+)', to: 'first/$1'}, {from: '(.+)', to: 'second/$1'}",
        "a/w; b/w",
        "first/w <- a/w
         second/b/w <- b/w",
    );
}

#[test]
fn exceptions_stand_above() {
    rules(
        "{drop: '(a|b)/kernel'}, {from: '(.+)/kernel', to: '$1/k'}",
        "a/kernel; b/kernel; c/kernel",
        "c/k <- c/kernel
         a/kernel: dropped
         b/kernel: dropped",
    );
}

#[test]
fn patterns_match_whole_names() {
    rules(
        "{from: 'a|ab', to: x}",
        "ab; abc",
        &format!("unmatched: `abc` float32 [2] is claimed by no rule | {UNMATCHED}"),
    );
    rules("{from: '(?i)A', to: x}", "a", "x <- a");
}

#[test]
fn each_match_of_a_pattern_is_converted() {
    rules(
        r"{from: 'layer_(\d+)/(\w+)', to: 'layers/$1/$2'}",
        "layer_0/w; layer_1/w; layer_10/b",
        "layers/0/w <- layer_0/w
         layers/1/w <- layer_1/w
         layers/10/b <- layer_10/b",
    );
}

#[test]
fn several_targets_each_get_the_value() {
    rules(
        "{from: a, to: [x, y/z, {labels: [l]}, /abs], apply: {reshape: [1, 2]}}",
        "a",
        "abs <- a [reshape: [1, 2]] as float32 [1, 2]
         l <- a [reshape: [1, 2]] as float32 [1, 2]
         x <- a [reshape: [1, 2]] as float32 [1, 2]
         y/z <- a [reshape: [1, 2]] as float32 [1, 2]",
    );
}

#[test]
fn labels_may_hold_slashes_and_dots() {
    rules(
        "{from: '(.+)', to: {labels: [vars, '$1', 'b.S', 'c..d']}}",
        "a/x.y",
        "vars/a.Sx..y/b..S/c....d <- a/x.y",
    );
}

#[test]
fn escapes_count_where_they_are_written_and_not_in_what_a_group_brings() {
    rules("{from: 'a', to: 'b.Sc/d..e/f.g'}", "a", "b.Sc/d..e/f..g <- a");
    rules("{from: '(.+)/w', to: 'x/$1'}", "conv.Stem/w", "x/conv..Stem <- conv.Stem/w");
    rules("{from: '(.+)/w', to: 'x/$1'}", "a..b/w", "x/a....b <- a..b/w");
    // A dot the author wrote and an S a group brings are no escape together.
    rules("{from: '(.+)', to: 'x.$1'}", "S", "x..S <- S");
}

#[test]
fn groups_may_bring_slashes() {
    rules("{from: '(.+)', to: 'x/$1'}", "a/b/c", "x/a/b/c <- a/b/c");
}

#[test]
fn root_is_put_in_front_of_relative_targets() {
    check(
        "root: 'a/b.Sc/d.e'\nrules: [{from: x, to: x}, {from: y, to: /y}, {from: z, to: {labels: [z]}}]",
        "x; y; z",
        "a/b.Sc/d..e/x <- x
         a/b.Sc/d..e/z <- z
         y <- y",
    );
    check("params: {net: n}\nroot: '/$net/'\nrules: [{from: x, to: x}]", "x", "n/x <- x");
}

#[test]
fn paths_with_empty_labels() {
    rules(
        "{from: a, to: ''}",
        "a",
        "template: no target for `a`: label 1 of the path is empty; is there a `/` too many?",
    );
    rules(
        "{from: a, to: /}",
        "a",
        "template: no target for `a`: label 1 of the path is empty; is there a `/` too many?",
    );
    rules(
        "{from: a, to: x//y}",
        "a",
        "template: no target for `a`: label 2 of the path is empty; is there a `/` too many?",
    );
    rules("{from: a, to: {labels: []}}", "a", "template: no target for `a`: the path is empty");
    rules(
        "{from: '(x?)a', to: 'b/$1'}",
        "a",
        "template: no target for `a`: label 2 of the path is empty; is there a `/` too many?",
    );
}

#[test]
fn optional_rules_may_match_nothing() {
    rules("{from: a, to: a}, {from: b, to: b, optional: true}", "a", "a <- a");
    rules(
        "{from: a, to: a}, {from: b, to: b, optional: false}",
        "a",
        "unused: `b` matches no variable",
    );
}

#[test]
fn drop_takes_lists_and_need_not_match() {
    rules(
        "{drop: ['a/.+', 'b/.+', nothing]}, {from: '(.+)', to: '$1'}",
        "a/w; b/w; c/w",
        "c/w <- c/w
         a/w: dropped
         b/w: dropped",
    );
}

#[test]
fn a_rule_that_nothing_matches_names_the_nearest() {
    rules(
        r"{drop: '.+'}, {from: 'modle/conv2d_(\d+)/kernel', to: '$1'}",
        "model/conv2d_0/kernel; model/conv2d_0/bias",
        r"unused: `modle/conv2d_(\d+)/kernel` matches no variable | the nearest name that exists is `model/conv2d_0/kernel`",
    );
    rules("{drop: '.+'}, {from: zzz, to: x}", "a/b", "unused: `zzz` matches no variable");
}

#[test]
fn a_rule_that_stands_too_low_is_told_who_was_first() {
    rules(
        "{from: '(.+)', to: '$1'}, {from: 'a/w', to: x}",
        "a/w",
        "unused: `a/w` matches only what is claimed above | the first rule that matches a variable takes it: move this rule up",
    );
    is(
        &places("rules:\n  - {drop: '.+'} # all\n  - {from: 'a/w', to: x}", "a/w"),
        "unused «{from: 'a/w', to: x}» ~ this takes `a/w` «{drop: '.+'}»",
    );
    is(
        &places("scopes: [{layers: [{a: x}]}]\nrules:\n  - from: 'a/w'\n    to: x", "a/w"),
        "unused «from: 'a/w'» ~ this takes `a/w` «{a: x}»",
    );
}

#[test]
fn a_rule_that_wants_optimizer_state_is_told_who_has_it() {
    check(
        "optimizer: drop\nrules: [{from: 'w', to: w}, {from: '(.+)/Adam', to: 'm/$1'}]",
        "w; w/Adam; w/Adam_1",
        "unused: `(.+)/Adam` matches no variable | `w/Adam` is optimizer state, which `optimizer` takes before any rule",
    );
}

#[test]
fn two_rules_for_one_target() {
    rules(
        "{from: a, to: x}, {from: b, to: x}",
        "a; b",
        "collision: `x` gets two values: `a` and `b` | give one of them another target, or `drop` it",
    );
    is(
        &places("rules:\n  - {from: a, to: x}\n  - {from: b, to: x}", "a; b"),
        "collision «{from: b, to: x}» ~ the first value comes from here «{from: a, to: x}»",
    );
}

#[test]
fn one_rule_for_one_target() {
    rules(
        "{from: '(.)', to: x}",
        "a; b",
        "collision: `x` gets two values: `a` and `b` | one rule sends both there: use a group of the pattern in `to`",
    );
}

#[test]
fn different_spellings_of_one_target_collide() {
    check(
        "root: m\nrules: [{from: a, to: x.Sy}, {from: b, to: {labels: ['x/y']}}, {from: c, to: /m/x.Sy}]",
        "a; b; c",
        "collision: `m/x.Sy` gets two values: `a` and `b` | give one of them another target, or `drop` it
         collision: `m/x.Sy` gets two values: `a` and `c` | give one of them another target, or `drop` it",
    );
}

#[test]
fn a_variable_is_no_folder() {
    rules(
        "{from: a, to: x}, {from: b, to: x/y}",
        "a; b",
        "collision: `x` is a variable, so `x/y` cannot lie below it | give one of them another target",
    );
    is(
        &places("rules:\n  - {from: a, to: x/y}\n  - {from: b, to: x}", "a; b"),
        "collision «{from: a, to: x/y}» ~ the other one comes from here «{from: b, to: x}»",
    );
}

#[test]
fn what_no_rule_claims() {
    let variables = "a float32 2,3; b int64 -";
    check(
        "rules: []",
        variables,
        &format!(
            "unmatched: `a` float32 [2, 3] is claimed by no rule | {UNMATCHED}
             unmatched: `b` int64 [] is claimed by no rule | {UNMATCHED}"
        ),
    );
    check(
        "unmatched: error",
        "a",
        &format!("unmatched: `a` float32 [2] is claimed by no rule | {UNMATCHED}"),
    );
    check(
        "unmatched: warn",
        variables,
        &format!(
            "a: unmatched
             b: unmatched
             warning: unmatched: `a` float32 [2, 3] is claimed by no rule | {UNMATCHED}
             warning: unmatched: `b` int64 [] is claimed by no rule | {UNMATCHED}"
        ),
    );
    check("unmatched: drop", variables, "a: unmatched, dropped\nb: unmatched, dropped");
}

#[test]
fn a_lone_global_step_needs_no_rule() {
    for unmatched in ["error", "warn", "drop"] {
        check(
            &format!("unmatched: {unmatched}\nrules: [{{from: a, to: a}}]"),
            "a; global_step int64 -",
            "a <- a\nglobal_step: not needed",
        );
    }
    rules("{from: global_step, to: step}", "global_step int64 -", "step <- global_step");
    rules("{drop: global_step}", "global_step int64 -", "global_step: dropped");
}

/// Slices are the reader's business: to a rule it is one variable.
#[test]
fn partitioned_variables() {
    let all = "{drop: b}, {from: '(.+)', to: '$1'}";
    rules(all, "a float32 8,2 in 3,3,2; b float32 8,2 in 3,3,2", "a <- a\nb: dropped");
}

#[test]
fn a_checkpoint_without_variables() {
    check("rules: []", "", "");
    rules("{from: a, to: a}", "", "unused: `a` matches no variable");
}
