//! The order of steps, which the order of keys has no say in.

use crate::harness::{check, planned};

const KEYS: [&str; 8] = [
    "root: m",
    "rename: [{find: 'net_', replace: net}]",
    "leaves: {weights: kernel}",
    "scopes: [{within: net1, layers: [{dense: first}]}]",
    "rules: [{from: 'net1/(.+)/kernel', to: 'rest/$1/w'}, {drop: '.+'}]",
    "fill: [{leaf: extra, shape: [], with: 1}]",
    "unmatched: warn",
    "optimizer: drop",
];

const VARIABLES: &str = "
    net_1/dense/weights; net_1/dense/weights/Adam; net_1/dense/weights/Adam_1
    beta1_power float32 -; net_1/other/weights; lost";

const PLAN: &str = "
    m/extra <- 1 as float32 []
    m/first/kernel <- net_1/dense/weights
    m/rest/other/w <- net_1/other/weights
    beta1_power: optimizer
    lost: dropped
    net_1/dense/weights/Adam: optimizer
    net_1/dense/weights/Adam_1: optimizer";

#[test]
fn keys_may_stand_in_any_order() {
    for turn in 0..KEYS.len() {
        let mut keys = KEYS;
        keys.rotate_left(turn);
        check(&keys.join("\n"), VARIABLES, PLAN);
        keys.reverse();
        check(&keys.join("\n"), VARIABLES, PLAN);
    }
}

#[test]
fn optimizer_state_is_taken_before_anything_is_renamed() {
    check(
        "optimizer: drop
rename: [{find: 'Adam', replace: x}]
rules: [{from: '(.+)', to: '$1'}]",
        "w; w/Adam; w/Adam_1",
        "unused: `Adam` is found in no variable's name | correct it, leave it out, or say `optional: true`",
    );
}

#[test]
fn leaves_see_what_rename_left() {
    check(
        "rename: [{find: 'W$', replace: weights}]
leaves: {weights: kernel}
rules: [{from: '(.+)/kernel', to: '$1/k'}]",
        "a/W; b/weights",
        "a/k <- a/W
         b/k <- b/weights",
    );
}

#[test]
fn recordings_come_before_rules() {
    check(
        "rules: [{from: '(.+)', to: 'rule/$1'}]
scopes: [{layers: [{dense: scope}]}]",
        "dense/kernel; other/kernel",
        "rule/other/kernel <- other/kernel
         scope/kernel <- dense/kernel",
    );
}

#[test]
fn a_fill_does_not_yield_to_a_rule_and_no_rule_to_a_fill() {
    check(
        "rules: [{from: '(.+)', to: '$1'}]
fill: [{leaf: a, shape: [2], with: zeros}]",
        "a",
        "collision: `a` gets two values: `a` and a constant | give one of them another target, or `drop` it",
    );
}

#[test]
fn the_same_twice() {
    let rules = KEYS.join("\n");
    assert_eq!(planned(&rules, VARIABLES), planned(&rules, VARIABLES));
}
