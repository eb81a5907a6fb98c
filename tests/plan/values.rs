//! `apply` and `fill`: what a value becomes, and values from nowhere.

use ckptmap::plan::Options;

use crate::harness::{check, is, places, planned_with, read};

#[track_caller]
fn applied(apply: &str, variable: &str, expected: &str) {
    let name = variable.split(' ').next().unwrap();
    check(
        &format!("params: {{n: 2}}\nrules: [{{from: {name}, to: x, apply: {apply}}}]"),
        variable,
        expected,
    );
}

#[test]
fn transpose() {
    applied("transpose", "a float32 2,3", "x <- a [transpose] as float32 [3, 2]");
    applied("[transpose]", "a float32 -", "x <- a [transpose] as float32 []");
    applied(
        "{transpose: [2, 0, 1]}",
        "a int8 2,3,4",
        "x <- a [transpose: [2, 0, 1]] as int8 [4, 2, 3]",
    );
    applied(
        "{transpose: [0]}",
        "a float32 2,3",
        "shape: `a`: `transpose: [0]` cannot be applied to float32 [2, 3]: it has 2 axes, the permutation 1",
    );
    applied(
        "{transpose: [0, 0]}",
        "a float32 2,3",
        "value: every axis from 0 to 1 must stand here once",
    );
    applied("{transpose: [1, 2]}", "a float32 2,3", "value: there is no axis 2: 2 axes stand here");
    applied(
        "{transpose: [-1, 0]}",
        "a float32 2,3",
        "x <- a [transpose: [1, 0]] as float32 [3, 2]",
    );
    applied(
        "transpose",
        "a string 2,3",
        "shape: `a`: `transpose` cannot be applied to string [2, 3]: its elements have no fixed size",
    );
}

#[test]
fn reshape() {
    applied("{reshape: [3, -1]}", "a float32 2,3", "x <- a [reshape: [3, -1]] as float32 [3, 2]");
    applied("{reshape: [$n, 3]}", "a float32 6", "x <- a [reshape: [2, 3]] as float32 [2, 3]");
    applied("{reshape: []}", "a float32 1", "x <- a [reshape: []] as float32 []");
    applied("{reshape: [0]}", "a float32 3,0", "x <- a [reshape: [0]] as float32 [0]");
    applied(
        "{reshape: [4, -1]}",
        "a float32 6",
        "shape: `a`: `reshape: [4, -1]` cannot be applied to float32 [6]: 6 elements are no multiple of 4",
    );
    applied(
        "{reshape: [4]}",
        "a float32 6",
        "shape: `a`: `reshape: [4]` cannot be applied to float32 [6]: 6 elements do not become 4",
    );
    applied(
        "{reshape: [0, -1]}",
        "a float32 0",
        "shape: `a`: `reshape: [0, -1]` cannot be applied to float32 [0]: -1 cannot be worked out beside a 0",
    );
    applied("{reshape: [-1, -1]}", "a", "value: only one size can be -1");
    applied("{reshape: [-2]}", "a", "value: -2 is no size; only -1 has a meaning below zero");
    applied("reshape", "a", "value: `reshape` needs more: `reshape: [4, -1]` or `reshape: target`");
    applied(
        "{reshape: [4294967296, 4294967296]}",
        "a",
        "shape: `a`: `reshape: [4294967296, 4294967296]` cannot be applied to float32 [2]: the shape has more elements than can be counted",
    );
    applied("{reshape: 4}", "a", "value: a list should stand here, not a number");
}

#[test]
fn a_pipeline_goes_from_left_to_right() {
    applied(
        "[{reshape: [2, 3]}, transpose, {reshape: [6]}]",
        "a float32 6",
        "x <- a [reshape: [2, 3]; transpose; reshape: [6]] as float32 [6]",
    );
    applied("[]", "a", "x <- a");
}

#[test]
fn what_is_no_transform() {
    applied(
        "[transposed]",
        "a",
        "value: there is no transform `transposed` | did you mean `transpose`?",
    );
    applied(
        "[{zzz: 1}]",
        "a",
        "value: there is no transform `zzz` | known: add, cast, concat, expand_dims, flip, gates, gather, merge_axes, pad, reshape, scale, slice, split, split_axis, squeeze, stack, transpose, unpartition, unstack",
    );
    applied(
        "[{transpose: [0], reshape: [2]}]",
        "a",
        "value: one transform should stand here | write each transform as an item of its own",
    );
    applied(
        "[{}]",
        "a",
        "value: one transform should stand here | write each transform as an item of its own",
    );
    applied("[1]", "a", "value: a map should stand here, not a number");
    applied("[[transpose]]", "a", "value: a map should stand here, not a list");
    is(
        &places("rules: [{from: a, to: a, apply: [{reshape: [2]}, {reshape: [-2]}]}]", "a"),
        "value «[-2]»",
    );
}

#[test]
fn a_value_that_does_not_fit_is_claimed_all_the_same() {
    check(
        "rules: [{from: a, to: x, apply: {reshape: [3]}}, {from: b, to: x}]",
        "a; b",
        "shape: `a`: `reshape: [3]` cannot be applied to float32 [2]: 2 elements do not become 3",
    );
}

#[track_caller]
fn filled(fill: &str, expected: &str) {
    check(&format!("params: {{n: 2}}\nroot: m\nfill: [{fill}]"), "", expected);
}

#[test]
fn fills() {
    filled("{leaf: a, shape: [2, $n], with: ones}", "m/a <- 1 as float32 [2, 2]");
    filled("{leaf: /a, shape: [], with: zeros, dtype: int64}", "a <- 0 as int64 []");
    filled(
        "{leaf: {labels: ['a/b']}, shape: [0], with: 0.5, dtype: float64}",
        "m/a.Sb <- 0.5 as float64 [0]",
    );
    filled("{leaf: 'a$n', shape: [1], with: -1, dtype: int8}", "m/a2 <- -1 as int8 [1]");
}

#[test]
fn fills_that_cannot_be() {
    filled(
        "{leaf: a, shape: [], with: 0.5, dtype: int32}",
        "value: 0.5 cannot be written as int32 | say which type it has: `dtype: float32`",
    );
    filled(
        "{leaf: a, shape: [], with: 256, dtype: uint8}",
        "value: 256 cannot be written as uint8 | say which type it has: `dtype: float32`",
    );
    filled(
        "{leaf: a, shape: [], with: 1, dtype: string}",
        "value: 1 cannot be written as string | say which type it has: `dtype: float32`",
    );
    filled(
        "{leaf: a, shape: [], with: two}",
        "value: `two` is no value to fill with | write `ones`, `zeros`, `template` or a number",
    );
    filled(
        "{leaf: a, shape: [], with: 1, dtype: float}",
        "value: `float` is no dtype | did you mean `float32`?",
    );
    filled("{leaf: a, shape: [-1], with: 1}", "value: dimension 0 is -1, which is below zero");
    filled(
        "{leaf: a, shape: [4611686018427387904], with: 1}",
        "value: the shape has more elements than can be counted",
    );
    filled(
        "{leaf: '', shape: [], with: 1}",
        "template: not a leaf to fill: label 2 of the path is empty; is there a `/` too many?",
    );
    filled(
        "{leaf: a, shape: [], with: 1}, {leaf: /m/a, shape: [], with: 1}",
        "collision: `m/a` gets two values: a constant and a constant | give one of them another target, or `drop` it",
    );
    filled("{shape: [], with: [1]}", "key: the key `leaf` is missing here");
}

/// Options of `tf.train.Checkpoint.restore`.
fn restore() -> Options {
    Options::default()
}

#[test]
fn the_save_counter() {
    let rules = "rules: [{from: a, to: a}]";
    is(&planned_with(rules, "a", &[], &read()), "a <- a");
    is(&planned_with(rules, "a", &[], &restore()), "a <- a\nsave_counter <- 1 as int64 []");
    is(
        &planned_with(rules, "a", &[], &Options { save_counter: Some(7), ..restore() }),
        "a <- a\nsave_counter <- 7 as int64 []",
    );
    is(&planned_with(rules, "a", &[], &Options { save_counter: Some(7), ..read() }), "a <- a");
}

#[test]
fn a_save_counter_that_rules_give() {
    let rules = "root: m\nrules: [{from: global_step, to: /save_counter}]";
    for options in [restore(), read()] {
        is(
            &planned_with(rules, "global_step int64 -", &[], &options),
            "save_counter <- global_step",
        );
    }
    // Below the root it is another object.
    is(
        &planned_with(
            "root: m\nrules: [{from: c, to: save_counter}]",
            "c int64 -",
            &[],
            &restore(),
        ),
        "m/save_counter <- c\nsave_counter <- 1 as int64 []",
    );
    is(
        &planned_with("rules: [{from: c, to: save_counter/x}]", "c", &[], &restore()),
        "collision: `save_counter` is a variable, so `save_counter/x` cannot lie below it | give one of them another target",
    );
}

#[test]
fn names_are_kept_for_what_nobody_touched() {
    let names = Options { keep_names: true, ..read() };
    is(
        &planned_with(
            "rules: [{from: a, to: [x, y]}, {from: b, to: z, apply: transpose}, {from: c, to: c}, {drop: d}]
fill: [{leaf: f, shape: [], with: 1}]",
            "a; b; c; d",
            &[],
            &names,
        ),
        "c <- c
         f <- 1 as float32 []
         x <- a
         y <- a
         z <- b [transpose] as float32 [2]
         a = x/.ATTRIBUTES/VARIABLE_VALUE
         c = c/.ATTRIBUTES/VARIABLE_VALUE
         d: dropped",
    );
}

#[test]
fn factors_and_picks() {
    applied(
        "{scale: 1e39}",
        "a float32 2",
        "shape: `a`: `scale: 1000000000000000000000000000000000000000` cannot be applied to float32 [2]: 1e39 is no factor that float32 can hold",
    );
    applied(
        "{scale: 1e39}",
        "a float64 2",
        "x <- a [scale: 1000000000000000000000000000000000000000] as float64 [2]",
    );
    applied(
        "{add: 9007199254740993}",
        "a int64 2",
        "value: 9007199254740993 has more digits than are calculated with",
    );
    let slices = ["{slice: '::2'}"; 9].join(", ");
    applied(
        &format!("[{slices}]"),
        "a float32 2",
        "value: more than 8 steps pick elements | one `gather` or `slice` can do what several do",
    );
}

#[test]
fn a_choice_of_no_targets() {
    check(
        "rules: [{from: a, to: {name: []}, optional: true}]",
        "a",
        "value: at least one of several targets must stand here",
    );
}
