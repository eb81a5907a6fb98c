//! What stands in `to` and is filled in.

use crate::harness::{check, is, places, planned_with, read};

#[track_caller]
fn goes(from: &str, to: &str, variable: &str, path: &str) {
    check(
        &format!("params: {{heads: 12, s: text}}\nrules: [{{from: '{from}', to: '{to}'}}]"),
        variable,
        &format!("{path} <- {variable}"),
    );
}

#[track_caller]
fn fails(from: &str, to: &str, variable: &str, problem: &str) {
    check(
        &format!("params: {{heads: 12, s: text}}\nrules: [{{from: '{from}', to: '{to}'}}]"),
        variable,
        problem,
    );
}

#[test]
fn groups_by_number() {
    goes("(a)(b)", "$1_x$2", "ab", "a_xb");
    goes("(a)(b)", "${1}1$2", "ab", "a1b");
    goes("ab", "$0/$0", "ab", "ab/ab");
    goes("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)", "$10", "abcdefghij", "j");
    goes("(?<x>a)(b)", "$1$2", "ab", "ab");
}

#[test]
fn groups_and_parameters_by_name() {
    goes(r"(?<i>\d+)/w", "l${i}_dense/w", "7/w", "l7_dense/w");
    goes(r"(?<i>\d+)/w", "$i/$s$heads", "7/w", "7/text12");
    goes(r"(?P<i>\d+)/w", "$i", "7/w", "7");
}

#[test]
fn dollars() {
    goes("a", "x$$", "a", "x$");
    goes("a", "$$1$$$$", "a", "$1$$");
}

#[test]
fn arithmetic() {
    let from = r"(?<i>\d+)/w";
    goes(from, "${i+1}", "07/w", "8");
    goes(from, "$i", "07/w", "07");
    goes(from, "${i}", "07/w", "07");
    goes(from, "${heads*2 - (i+1) % 5}", "7/w", "21");
    goes(from, "${i/2}/${-i+7}", "7/w", "3/0");
    // A bare integer is a group alone and a number in arithmetic.
    goes("(a)b", "${1}/${1+1}", "ab", "a/2");
}

#[test]
fn automatic_numbers() {
    let from = r"conv_(?<i>\d+)/w";
    goes(from, "conv${i:auto}/w", "conv_0/w", "conv/w");
    goes(from, "conv${i:auto}/w", "conv_10/w", "conv_10/w");
    goes(from, "conv${i-1:auto}/w", "conv_1/w", "conv/w");
    goes(from, "conv${i:auto}/w", "conv_03/w", "conv_3/w");
}

#[test]
fn numbers_that_are_none() {
    let from = r"(?<i>\w+)/w";
    let at = |reason: &str| format!("template: no target for `7/w`: {reason}");
    fails(from, "${i/0}", "7/w", &at("it divides by zero"));
    fails(from, "${i%0}", "7/w", &at("it divides by zero"));
    fails(from, "${i-8}", "7/w", &at("the number is -1, which is below zero"));
    fails(from, "${i*9223372036854775807}", "7/w", &at("the number is too large"));
    fails(from, "${i+1}", "x/w", "template: no target for `x/w`: `i` is `x`, which is no integer");
    fails(from, "${s+1}", "7/w", &at("`s` is `text`, which is no integer"));
}

#[test]
fn a_group_without_a_match_has_no_value() {
    let reason = "took no part in the match, so it has no value to use";
    fails("a(b)?", "x$1", "a", &format!("template: no target for `a`: group `$1` {reason}"));
    fails("a(?<i>b)?", "x$i", "a", &format!("template: no target for `a`: group `i` {reason}"));
    fails("a(?<i>1)?", "x${i+1}", "a", &format!("template: no target for `a`: group `i` {reason}"));
    // Unused, it does no harm; matching nothing is not the same.
    goes("(a)(b)?", "$1", "a", "a");
    goes("a(b*)", "x$1", "a", "x");
}

#[test]
fn names_that_do_not_exist() {
    let unknown = |name: &str, help: &str| {
        format!("template: `{name}` is neither a named group nor a parameter | {help}")
    };
    let from = r"(?<i>\d+)/w";
    fails(from, "$i_dense", "7/w", &unknown("i_dense", "did you mean `${i}_dense`?"));
    fails(from, "$head", "7/w", &unknown("head", "did you mean `$heads`?"));
    fails(from, "$q", "7/w", &unknown("q", "known here: i, heads, s"));
    fails(from, "${q+1}", "7/w", &unknown("q", "known here: i, heads, s"));
    check(
        "rules: [{from: a, to: $q}]",
        "a",
        &unknown("q", "name a group with `(?<name>…)`, or give a parameter under `params`"),
    );
}

#[test]
fn groups_that_do_not_exist() {
    let no = |group: &str, help: &str| {
        format!("template: capture group `{group}` does not exist in this rule | {help}")
    };
    fails("a", "$1", "a", &no("$1", "put `( )` around a part of it"));
    fails("(a)", "$2", "a", &no("$2", "groups are numbered from 1"));
    fails("(a)", "${2}", "a", &no("$2", "groups are numbered from 1"));
    fails(
        "(a)",
        "$99999999999999999999",
        "a",
        &no("$99999999999999999999", "groups are numbered from 1"),
    );
}

#[test]
fn what_is_no_template() {
    fails("a", "$", "a", "template: `$` stands alone here | write `$$` for a dollar");
    fails("a", "x$ y", "a", "template: `$` stands alone here | write `$$` for a dollar");
    fails("a", "${i", "a", "template: `${` is never closed | write `$$` for a dollar");
    fails("a", "${}", "a", "template: a number or a name is missing here");
    fails("a", "${1+}", "a", "template: a number or a name is missing here");
    fails(
        "a",
        "${heads:x}",
        "a",
        "template: there is no such way to write a number | `:auto` is the only one there is",
    );
    fails("a", "${1 1}", "a", "template: an operator is missing here");
    fails("a", "${(1}", "a", "template: a `)` is missing here");
}

#[test]
fn mistakes_are_pointed_at_to_the_byte() {
    let place = |rules: &str| places(rules, "a");
    is(&place("rules: [{from: '(a)', to: 'é/$2/x'}]"), "template «$2»");
    is(&place("rules: [{from: '(a)', to: \"é/$2/x\"}]"), "template «$2»");
    is(&place("rules: [{from: '(a)', to: é/$2/x}]"), "template «$2»");
    is(&place("rules: [{from: '(a)', to: /é/$2/x}]"), "template «$2»");
    is(&place("rules: [{from: '(a)', to: '/é/$2/x'}]"), "template «$2»");
    is(&place("rules: [{from: '(?<i>a)', to: ['it''s', 'it''s/$i_x']}]"), "template «$i_x»");
    is(&place("rules: [{from: '(?<i>a)', to: 'x${i+}'}]"), "template «}»");
    is(&place("rules: [{from: '(?<i>a)', to: 'x${i+k}'}]"), "template «k»");
    is(&place("rules: [{from: 'é(?!a)', to: x}]"), "pattern «(?!»");
    is(&place("rules:\n- from: é(a\n  to: x"), "pattern «(»");
    is(&place("rules: [{from: \"\\t(\", to: x}]"), "pattern «(»");
}

#[test]
fn patterns_that_cannot_be() {
    fails(
        "x(?!y)",
        "a",
        "a",
        "pattern: not a pattern: look-around, including look-ahead and look-behind, is not supported | there is no look-around; put a rule for the exceptions above this one",
    );
    fails(
        r"(a)\1",
        "a",
        "a",
        "pattern: not a pattern: backreferences are not supported | there are no backreferences in patterns; `$1` belongs into `to`",
    );
    fails(
        "a)(b",
        "a",
        "a",
        "pattern: not a pattern: unopened group | close what is open; a parenthesis itself is `\\(` or `\\)`",
    );
    fails(
        "(?<heads>a)",
        "x",
        "a",
        "pattern: `heads` is a parameter and a group of this pattern | give one of them another name",
    );
}

#[test]
fn parameters_are_set_from_outside() {
    let rules =
        "params: {n: 3, net: a}\nrules: [{from: a, to: '$net/${n+1}', apply: {reshape: [$n, -1]}}]";
    is(
        &planned_with(rules, "a float32 6", &[("n", "2")], &read()),
        "a/3 <- a [reshape: [2, -1]] as float32 [2, 3]",
    );
    is(
        &planned_with(rules, "a float32 6", &[("m", "2"), ("nett", "x")], &read()),
        "key: `--set m=…` sets a parameter that the rule file does not have | declare it: `params: {m: …}`
         key: `--set nett=…` sets a parameter that the rule file does not have | did you mean `net`?",
    );
    is(&planned_with(rules, "a float32 6", &[("n", "x")], &read()), "value: `x` is no integer");
}
