//! `rename` and `leaves`.

use crate::harness::{check, is, places, planned_with, read};

const ALL: &str = "rules: [{from: '(.+)', to: '$1'}]";

fn renamed(rename: &str, variables: &str, expected: &str) {
    check(&format!("rename: [{rename}]\n{ALL}"), variables, expected);
}

#[test]
fn a_search_that_finds_all_occurrences() {
    renamed("{find: 'tower_', replace: t}", "tower_1/tower_2/w", "t1/t2/w <- tower_1/tower_2/w");
    renamed("{find: '^tower', replace: t}", "tower/tower/w", "t/tower/w <- tower/tower/w");
    renamed("{find: 'a|b', replace: '<$0>'}", "ab/w", "<a><b>/w <- ab/w");
    renamed("{find: '(\\w)/(\\w)', replace: '$2-$1'}", "a/b/c/d", "b-a/d-c <- a/b/c/d");
}

#[test]
fn what_was_put_in_place_is_not_searched_again() {
    renamed("{find: aa, replace: a}", "aaaa", "aa <- aaaa");
}

#[test]
fn an_empty_find_is_found_everywhere() {
    renamed("{find: 'x*', replace: '-'}", "axb", "-a-b- <- axb");
    renamed("{find: '$', replace: '/kernel'}", "é", "é/kernel <- é");
}

#[test]
fn each_step_sees_the_one_before() {
    renamed("{find: a, replace: b}, {find: b, replace: c}", "ab", "cc <- ab");
    renamed("{find: b, replace: c}, {find: a, replace: b}", "ab", "bc <- ab");
}

#[test]
fn a_step_without_a_find_is_a_problem() {
    renamed(
        "{find: z, replace: b}",
        "a",
        "unused: `z` is found in no variable's name | correct it, leave it out, or say `optional: true`",
    );
    // The first step took away what the second one looks for.
    renamed(
        "{find: a, replace: b}, {find: a, replace: c}",
        "a",
        "unused: `a` is found in no variable's name | correct it, leave it out, or say `optional: true`",
    );
}

#[test]
fn parameters_and_dollars() {
    is(
        &planned_with(
            &format!(
                "params: {{to: x}}\nrename: [{{find: '(?<i>\\d)', replace: '$to$$${{i+1}}'}}]\n{ALL}"
            ),
            "l1/w",
            &[("to", "y")],
            &read(),
        ),
        "ly$2/w <- l1/w",
    );
}

#[test]
fn a_group_without_a_match_leaves_the_name_alone() {
    renamed(
        "{find: 'a(b)?', replace: 'x$1'}",
        "ab; ac",
        "template: `ac` cannot be renamed: group `$1` took no part in the match, so it has no value to use",
    );
}

#[test]
fn two_variables_with_one_name() {
    check(
        &format!("unmatched: drop\nrename: [{{find: 'x|y', replace: z}}]\n{ALL}"),
        "x/w; y/w",
        "name: `x/w` and `y/w` are both called `z/w` after `rename` and `leaves` | keep in `replace` what tells them apart",
    );
    check(
        &format!("unmatched: drop\nleaves: {{weights: kernel}}\n{ALL}"),
        "a/weights; a/kernel",
        "name: `a/kernel` and `a/weights` are both called `a/kernel` after `rename` and `leaves` | keep in `replace` what tells them apart",
    );
}

#[test]
fn messages_show_the_name_in_the_checkpoint() {
    check(
        "rename: [{find: old, replace: new}]
rules: [{from: 'new/a', to: x, apply: {transpose: [1, 0]}}, {from: 'new/b', to: x/}]",
        "old/a; old/b; old/c",
        "shape: `old/a`: `transpose: [1, 0]` cannot be applied to float32 [2]: it has 1 axes, the permutation 2
         template: no target for `old/b`: label 2 of the path is empty; is there a `/` too many?
         unmatched: `old/c` float32 [2] is claimed by no rule | give it a rule, `drop` it, or write `unmatched: drop` for all that is left",
    );
}

#[test]
fn leaves_are_last_components() {
    check(
        &format!("leaves: {{weights: kernel, biases: bias}}\n{ALL}"),
        "a/weights; a/biases; weights; weights/x; a/my_weights",
        "a/bias <- a/biases
         a/kernel <- a/weights
         a/my_weights <- a/my_weights
         kernel <- weights
         weights/x <- weights/x",
    );
}

#[test]
fn leaves_are_renamed_at_once() {
    check(
        &format!("leaves: {{a: b, b: a}}\n{ALL}"),
        "x/a; x/b",
        "x/a <- x/b
         x/b <- x/a",
    );
}

#[test]
fn leaves_may_be_numbers_and_parameters() {
    check(&format!("params: {{k: kernel}}\nleaves: {{0: $k}}\n{ALL}"), "x/0", "x/kernel <- x/0");
}

#[test]
fn the_step_is_pointed_at() {
    is(
        &places(&format!("rename:\n  - {{find: z, replace: 'b'}}  # why\n{ALL}"), "a"),
        "unused «{find: z, replace: 'b'}»",
    );
}
