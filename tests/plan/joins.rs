//! Several variables that become one, one that becomes several, and both at once.

use crate::fresh::{Around, fits, template};
use crate::harness::{catalog, check, is, places, planned, render};

#[track_caller]
fn rule(rule: &str, variables: &str, expected: &str) {
    check(&format!("params: {{n: 2, from: 1}}\nrules: [{rule}]"), variables, expected);
}

#[test]
fn two_patterns_are_joined_on_their_groups() {
    let qk = r"{from: ['l(?<i>\d+)/q', 'l(?<i>\d+)/k'], to: 'layer_$i/qk', apply: [{concat: -1}]}";
    rule(
        qk,
        "l0/q float32 2,3; l0/k float32 2,4; l1/k float32 2,1; l1/q float32 2,1",
        "layer_0/qk <- l0/q + l0/k [concat: 1] as float32 [2, 7]
         layer_1/qk <- l1/q + l1/k [concat: 1] as float32 [2, 2]",
    );
    // The order is the patterns', not the names'.
    rule(
        r"{from: ['(?<s>.+)/z', '(?<s>.+)/a'], to: '$s', apply: [{stack: 0}]}",
        "m/a; m/z",
        "m <- m/z + m/a [expand_dims: 0; concat: 0] as float32 [2, 2]",
    );
    // All groups belong to the key, in whatever order they stand.
    rule(
        r"{from: ['(?<a>\w)/(?<b>\w)/x', 'y/(?<b>\w)/(?<a>\w)'], to: '$a$b', apply: [{concat: 0}]}",
        "p/q/x; y/q/p; q/p/x; y/p/q",
        "pq <- p/q/x + y/q/p [concat: 0] as float32 [4]
         qp <- q/p/x + y/p/q [concat: 0] as float32 [4]",
    );
}

#[test]
fn each_key_needs_one_variable_for_each_pattern() {
    let qk = r"{from: ['l(?<i>\d+)/q', 'l(?<i>\d+)/k'], to: 'layer_$i/qk', apply: [{concat: -1}]}";
    rule(
        qk,
        "l0/q; l0/k; l1/q",
        r"unused: `l(?<i>\d+)/k` matches no variables where i is `1`, and one is needed | is one of the patterns too narrow, or too wide?",
    );

    rule(
        qk,
        "x",
        r"unused: `l(?<i>\d+)/q` matches no variable
         unused: `l(?<i>\d+)/k` matches no variable
         unmatched: `x` float32 [2] is claimed by no rule | give it a rule, `drop` it, or write `unmatched: drop` for all that is left",
    );
    rule(
        r"{from: ['l(?<i>\d+)/(q|r)', 'l(?<i>\d+)/k'], to: 'layer_$i', apply: [{concat: -1}]}",
        "l0/q; l0/r; l0/k",
        r"unused: `l(?<i>\d+)/(q|r)` matches 2 variables where i is `0`, and one is needed | is one of the patterns too narrow, or too wide?",
    );
}

#[test]
fn joins_that_may_be_absent() {
    let rule = |rules: &str, variables, expected| {
        rule(
            &format!(
                "{{from: ['a', 'b'], to: x, optional: true, apply: [{{concat: 0}}]}}, {rules}"
            ),
            variables,
            expected,
        );
    };
    rule("{from: c, to: c}", "c", "c <- c");
    // Half of it is not none of it.
    rule(
        "{from: c, to: c}",
        "a; c",
        "unused: `b` matches no variables, and one is needed | is one of the patterns too narrow, or too wide?",
    );
}

#[test]
fn one_pattern_joins_in_the_order_of_numbers() {
    let all = r"{from: 'w_\d+', to: w, apply: [{concat: 0}]}";
    rule(
        all,
        "w_10; w_2; w_9 float32 3; w_3; w_4; w_5; w_6; w_7; w_8; w_1",
        "w <- w_1 + w_2 + w_3 + w_4 + w_5 + w_6 + w_7 + w_8 + w_9 + w_10 [concat: 0] as float32 [21]",
    );
    rule(
        r"{from: 'w(_\d+)?', to: w, apply: [{stack: 0}]}",
        "w_1; w; w_2",
        "w <- w + w_1 + w_2 [expand_dims: 0; concat: 0] as float32 [3, 2]",
    );
    rule(
        r"{from: '(?<s>.+)/w_\d+', to: '$s', apply: [{stack: -1}]}",
        "a/w_0; b/w_1; a/w_1; b/w_0",
        "a <- a/w_0 + a/w_1 [expand_dims: -1; concat: 1] as float32 [2, 2]
         b <- b/w_0 + b/w_1 [expand_dims: -1; concat: 1] as float32 [2, 2]",
    );
    // One is a join too.
    rule(all, "w_0", "w <- w_0");
}

#[test]
fn what_is_joined_must_be_complete() {
    let all = r"{from: 'w(_\d+)?', to: w, apply: [{concat: 0}]}";
    rule(
        all,
        "w_0; w_1; w_3",
        "missing: `w_2` is missing among the 3 that are joined | is the pattern too narrow, or too wide? where it is meant so, say it: `concat: {axis: 0, gaps: true}`",
    );
    rule(
        all,
        "w_06; w_09",
        "missing: `w_07` is missing among the 2 that are joined | is the pattern too narrow, or too wide? where it is meant so, say it: `concat: {axis: 0, gaps: true}`",
    );
    rule(all, "w_1; w_2", "w <- w_1 + w_2 [concat: 0] as float32 [4]");
    rule(
        r"{from: 'a(\d)/w_\d+', to: w, apply: [{concat: {axis: 0, gaps: true}}]}",
        "a0/w_0; a0/w_1; a1/w_0; a1/w_1",
        "w <- a0/w_0 + a0/w_1 + a1/w_0 + a1/w_1 [concat: 0] as float32 [8]",
    );
    // TF1 numbers the first one not at all.
    let found = planned(&format!("rules: [{all}]"), "w; w_2");
    assert!(found.starts_with("missing: `w_1` is missing"), "{found}");
}

#[test]
fn what_belongs_together_is_said_by_names() {
    rule(
        "{from: ['(a)/q', '(a)/k'], to: '$1', apply: [{concat: 0}]}",
        "a/q; a/k",
        "template: capture group `$1` does not exist in this rule | only `$parameters` can be used",
    );
    rule(
        r"{from: '(.)_\d', to: '$1', apply: [{concat: 0}]}",
        "a_0; a_1",
        "template: capture group `$1` does not exist in this rule | only `$parameters` can be used",
    );
    rule(
        r"{from: '(.)_\d', to: 'x/$0', apply: [{concat: 0}]}",
        "a_0; a_1",
        "template: capture group `$0` does not exist in this rule | only `$parameters` can be used",
    );
    rule(
        "{from: ['(?<i>.)/q', '(?<j>.)/k'], to: x, apply: [{concat: 0}]}",
        "a/q; a/k",
        "pattern: not every pattern of this rule has the group `i` | named groups say which variables belong together: give each pattern the same",
    );
    rule(
        "{from: ['(?<i>.)/q', './k'], to: x, apply: [{concat: 0}]}",
        "a/q; a/k",
        "pattern: not every pattern of this rule has the group `i` | named groups say which variables belong together: give each pattern the same",
    );
    rule(
        "{from: ['(?<n>.)/q', '(?<n>.)/k'], to: x, apply: [{concat: 0}]}",
        "a/q; a/k",
        "pattern: `n` is a parameter and a group of this pattern | give one of them another name",
    );
    is(
        &places(
            "rules:\n  - from: ['(?<i>.)/q', '(?<j>.)/k']\n    to: x\n    apply: [{concat: 0}]",
            "a/q; a/k",
        ),
        "pattern «'(?<j>.)/k'»",
    );
    rule(
        "{from: [], to: x}",
        "a",
        "value: a rule needs at least one pattern | leave the rule out if it is for nothing",
    );
}

#[test]
fn what_cannot_be_joined() {
    let joined = |apply: &str, variables, expected| {
        rule(&format!("{{from: ['a', 'b'], to: x, apply: [{apply}]}}"), variables, expected);
    };
    joined(
        "{concat: 0}",
        "a float32 2,3; b float32 2,4",
        "shape: `a`, `b`: float32 [2, 3] and float32 [2, 4] cannot be joined",
    );
    joined(
        "{concat: 0}",
        "a float32 2; b float64 2",
        "shape: `a`, `b`: float32 [2] and float64 [2] cannot be joined",
    );
    joined(
        "{concat: 0}",
        "a float32 2; b float32 2,1",
        "shape: `a`, `b`: float32 [2] and float32 [2, 1] cannot be joined",
    );
    joined("{concat: 1}", "a; b", "shape: `a`, `b`: float32 [2] has no axis 1 to be joined along");
    joined(
        "{concat: -2}",
        "a; b",
        "shape: `a`, `b`: float32 [2] has no axis -2 to be joined along",
    );
    joined(
        "{concat: 0}",
        "a float32 -; b float32 -",
        "shape: `a`, `b`: float32 [] has no axis 0 to be joined along",
    );
    joined(
        "{stack: 0}",
        "a float32 -; b float32 -",
        "x <- a + b [expand_dims: 0; concat: 0] as float32 [2]",
    );
    joined("{stack: -1}", "a; b", "x <- a + b [expand_dims: -1; concat: 1] as float32 [2, 2]");
    joined(
        "{stack: 2}",
        "a; b",
        "shape: `a`, `b`: `expand_dims: 2` cannot be applied to float32 [2]: there is no axis 2, they go from 0 to 1",
    );
    joined(
        "{stack: 0}",
        "a float32 2; b float32 3",
        "shape: `a`, `b`: float32 [1, 2] and float32 [1, 3] cannot be joined",
    );
    joined("{concat: x}", "a; b", "value: `x` is no integer");
    joined("concat", "a; b", "value: `concat` needs more: `concat: -1`");
    joined(
        "{concat: 9223372036854775807}",
        "a; b",
        "shape: `a`, `b`: float32 [2] has no axis 9223372036854775807 to be joined along",
    );
    joined(
        "{concat: -9223372036854775808}",
        "a; b",
        "shape: `a`, `b`: float32 [2] has no axis -9223372036854775808 to be joined along",
    );
    joined("{concat: 0}, {concat: 0}", "a; b", "x <- a + b [concat: 0] as float32 [4]");
    joined(
        "{concat: 0}",
        "a float32 4611686018427387904,0; b float32 4611686018427387904,0",
        "shape: `a`, `b`: the shape has more elements than can be counted",
    );
}

/// Their elements have no fixed size: the plan says so, not the conversion.
#[test]
fn strings_are_not_joined() {
    let found = planned(
        "rules: [{from: ['a', 'b'], to: x, apply: [{concat: 0}]}]",
        "a string 2; b string 2",
    );
    assert!(found.starts_with("shape: `a`, `b`: "), "{found}");
    rule(
        "{from: ['a', 'b'], to: x, apply: [{stack: 0}]}",
        "a string 2; b string 2",
        "shape: `a`, `b`: `expand_dims: 0` cannot be applied to string [2]: its elements have no fixed size",
    );
    rule(
        "{from: a, to: [x, y], apply: [{split: 0}]}",
        "a string 2",
        "shape: `a`: `split: 0 (1 of 2)` cannot be applied to string [2]: its elements have no fixed size",
    );
}

#[test]
fn steps_before_and_behind_a_join() {
    rule(
        "{from: ['a', 'b'], to: x, apply: [transpose, {concat: 0}, {reshape: [-1]}]}",
        "a float32 2,3; b float32 2,1",
        "x <- a + b [transpose; concat: 0; reshape: [-1]] as float32 [8]",
    );
}

#[test]
fn one_becomes_several() {
    rule(
        "{from: qkv, to: [q, k, v], apply: [{split: -1}]}",
        "qkv float32 2,6",
        "k <- qkv [split: -1 (2 of 3)] as float32 [2, 2]
         q <- qkv [split: -1 (1 of 3)] as float32 [2, 2]
         v <- qkv [split: -1 (3 of 3)] as float32 [2, 2]",
    );
    rule(
        "{from: a, to: [x, y], apply: [{split: {axis: 0, sizes: [1, $n]}}]}",
        "a float32 3",
        "x <- a [split: {axis: 0, sizes: [1, 2]} (1 of 2)] as float32 [1]
         y <- a [split: {axis: 0, sizes: [1, 2]} (2 of 2)] as float32 [2]",
    );
    rule(
        "{from: a, to: [x, y, z], apply: [{unstack: 0}]}",
        "a float32 3,2",
        "x <- a [unstack: 0 (1 of 3)] as float32 [2]
         y <- a [unstack: 0 (2 of 3)] as float32 [2]
         z <- a [unstack: 0 (3 of 3)] as float32 [2]",
    );
    rule(
        "{from: a, to: [x, y], apply: [{unstack: -1}]}",
        "a float32 3,2",
        "x <- a [unstack: -1 (1 of 2)] as float32 [3]
         y <- a [unstack: -1 (2 of 2)] as float32 [3]",
    );
    rule(
        "{from: a, to: [x], apply: [{split: 0}]}",
        "a float32 3",
        "x <- a [split: 0 (1 of 1)] as float32 [3]",
    );
    rule(
        "{from: '(.)', to: ['$1/x', '$1/y'], apply: [{split: 0}, transpose]}",
        "a; b",
        "a/x <- a [split: 0 (1 of 2); transpose] as float32 [1]
         a/y <- a [split: 0 (2 of 2); transpose] as float32 [1]
         b/x <- b [split: 0 (1 of 2); transpose] as float32 [1]
         b/y <- b [split: 0 (2 of 2); transpose] as float32 [1]",
    );
}

#[test]
fn more_or_fewer_targets_than_pieces() {
    rule(
        "{from: a, to: [x, y], apply: [{split: {axis: 0, sizes: [1, 1, 1]}}]}",
        "a float32 3",
        "shape: `a`: 3 pieces do not go to 2 targets",
    );
    rule(
        "{from: a, to: [x, y, z], apply: [{split: {axis: 0, sizes: [1, 2]}}]}",
        "a float32 3",
        "shape: `a`: 2 pieces do not go to 3 targets",
    );
    rule(
        "{from: a, to: [x, y], apply: [{split: {axis: 0, sizes: [3]}}]}",
        "a float32 3",
        "shape: `a`: 1 pieces do not go to 2 targets",
    );
    rule(
        "{from: a, to: [x, y], apply: [{split: 0}]}",
        "a float32 3",
        "shape: `a`: `split: 0 (1 of 2)` cannot be applied to float32 [3]: axis 0 has size 3, no multiple of 2",
    );
    rule(
        "{from: a, to: [x, y], apply: [{unstack: 0}]}",
        "a float32 3,2",
        "shape: `a`: `unstack: 0 (1 of 2)` cannot be applied to float32 [3, 2]: axis 0 has size 3, not 2",
    );
    rule(
        "{from: a, to: x, apply: [{unstack: 0}]}",
        "a float32 1,2",
        "x <- a [unstack: 0 (1 of 1)] as float32 [2]",
    );
    rule(
        "{from: a, to: [x, y], apply: [{split: {axis: 0, sizes: [1, 1]}}]}",
        "a float32 3",
        "shape: `a`: `split: {axis: 0, sizes: [1, 1]} (1 of 2)` cannot be applied to float32 [3]: axis 0 has size 3, and the pieces do not add up to it",
    );
    rule(
        "{from: a, to: [x, y], apply: [{split: {axis: 0, sizes: []}}]}",
        "a float32 3",
        "shape: `a`: 0 pieces do not go to 2 targets",
    );
    rule(
        "{from: a, to: [x, y], apply: [{split: {axis: 0, sizes: [-1, 4]}}]}",
        "a float32 3",
        "value: a piece has no size below zero",
    );
    rule(
        "{from: a, to: [x, y], apply: [{split: {axis: 0, size: [1, 2]}}]}",
        "a float32 3",
        "key: the key `sizes` is missing here
         key: there is no key `size` here | did you mean `sizes`?",
    );
    rule(
        "{from: a, to: [x, y], apply: [{split: 1}]}",
        "a float32 3",
        "shape: `a`: `split: 1 (1 of 2)` cannot be applied to float32 [3]: there is no axis 1, only axis 0",
    );
    rule(
        "{from: a, to: [x, y], apply: [{split: 0}, {split: 0}]}",
        "a float32 4",
        "shape: `a`: one value can be split, not 2",
    );
    rule(
        "{from: a, to: [x, y], apply: [{split: {axis: 0, sizes: [9223372036854775807, 9223372036854775807, 5]}}]}",
        "a float32 3",
        "shape: `a`: 3 pieces do not go to 2 targets",
    );
}

#[test]
fn several_become_several() {
    // One each, in order.
    rule(
        r"{from: ['(?<i>\d)/a', '(?<i>\d)/b'], to: ['$i/x', '$i/y'], apply: [transpose]}",
        "0/a; 0/b int32",
        "0/x <- 0/a [transpose] as float32 [2]
         0/y <- 0/b [transpose] as int32 [2]",
    );
    // All in one, and in other pieces.
    rule(
        "{from: ['a', 'b'], to: [x, y, z], apply: [{concat: 0}, {split: 0}]}",
        "a float32 4; b float32 2",
        "x <- a + b [concat: 0; split: 0 (1 of 3)] as float32 [2]
         y <- a + b [concat: 0; split: 0 (2 of 3)] as float32 [2]
         z <- a + b [concat: 0; split: 0 (3 of 3)] as float32 [2]",
    );
    rule(
        "{from: ['a', 'b'], to: [x, y, z]}",
        "a; b",
        "value: several patterns need `concat` or `stack` under `apply`, or as many targets",
    );
    rule(
        "{from: ['a', 'b'], to: x}",
        "a; b",
        "value: several patterns need `concat` or `stack` under `apply`, or as many targets",
    );
    rule(
        "{from: ['a', 'b'], to: [x, y], apply: [{concat: 0}]}",
        "a; b",
        "x <- a + b [concat: 0] as float32 [4]
         y <- a + b [concat: 0] as float32 [4]",
    );
    rule(
        "{from: ['a', 'b'], to: [x, y], apply: [{split: 0}]}",
        "a; b",
        "shape: `a`, `b`: one value can be split, not 2",
    );
}

#[test]
fn pieces_take_their_places_shapes() {
    let six =
        "{from: 'h/(.)', to: ['q/$1', 'k/$1', 'v/$1'], apply: [{split: -1}, {reshape: target}]}";
    let template = "q/w float32 2,3,1; k/w float32 2,3; v/w float32 2,1,3";
    fits(
        template,
        &format!("rules: [{six}]"),
        "h/w float32 2,9",
        "k/w <- h/w [split: -1 (2 of 3)] as float32 [2, 3]
         q/w <- h/w [split: -1 (1 of 3); reshape: [2, 3, 1]] as float32 [2, 3, 1]
         v/w <- h/w [split: -1 (3 of 3); reshape: [2, 1, 3]] as float32 [2, 1, 3]",
    );
    rule(
        six,
        "h/w float32 2,9",
        "shape: `h/w`: `reshape: target` needs a template (`--like`), which knows shapes",
    );
}

#[test]
fn a_variable_is_joined_once() {
    // The first of the patterns that match a variable has it.
    rule(
        r"{from: ['a.', '.b'], to: x, apply: [{concat: 0}]}",
        "ab; xb",
        "x <- ab + xb [concat: 0] as float32 [4]",
    );

    rule(
        "{from: ['a', 'b'], to: x, apply: [{concat: 0}]}, {from: 'b', to: y}",
        "a; b",
        "unused: `b` matches only what is claimed above | the first rule that matches a variable takes it: move this rule up",
    );
}

/// That a pattern matches nothing is said once, and not for every key as well.
#[test]
fn one_mistake_is_said_once() {
    for (rules, variables) in [
        (
            r"{from: ['l(?<i>\d+)/q', 'l(?<i>\d+)/k'], to: '$i', apply: [{concat: -1}]}",
            "l0/q; l1/q",
        ),
        ("{from: ['a', 'b'], to: x, apply: [{concat: 0}]}", "a"),
        ("{drop: b}, {from: ['a', 'b'], to: x, apply: [{concat: 0}]}", "a; b"),
    ] {
        let found = planned(&format!("rules: [{rules}]"), variables);
        assert!(found.starts_with("unused: ") && found.lines().count() == 1, "{rules}: {found}");
        // A name that is there is not what is missing.
        assert!(!found.ends_with("that exists is `a`"), "{rules}: {found}");
    }
}

#[test]
fn what_zip_and_scopes_do_not_do() {
    for apply in ["{concat: 0}", "{split: 0}", "{unstack: 0}", "{stack: 0}"] {
        check(
            &format!("rules: [{{zip: {{from: a, onto: b}}, apply: [{apply}]}}]"),
            "a",
            "value: only rules with `from` and `to` join and split values",
        );
    }
    check(
        "scopes: [{layers: [{dense: {to: x, apply: {kernel: [{split: 0}]}}}]}]",
        "dense/kernel",
        "value: only rules with `from` and `to` join and split values",
    );
}

#[test]
fn a_piece_without_a_place() {
    // An optional rule lets a target be absent; a piece that is lost is still told.
    let rules = "rules: [{from: a, to: [x, y], optional: true, apply: [{split: 0}]}]";
    let around = Around { template: Some(template("x float32 1")), ..Around::default() };
    let found = render(around.plan(rules, &catalog("a")));
    assert!(found.contains("`y`"), "{found}");
    fits(
        "z float32 1",
        &format!("{rules}\nfill: [{{match: z, with: 0}}]"),
        "a",
        "z <- 0 as float32 [1]
         a: NoTarget(RuleId(0))",
    );
    fits("x float32 1; z float32 1", &rules.replace("optional: true, ", ""), "a", "template: no target for `a`: the template has no `y`; it has x, z
         missing: `z` float32 [1] of the template gets no value | give it a rule or a `fill`, or keep the template's own values with `--keep-missing`");
    let around = Around { template: Some(template("x; y")), ..Around::default() };
    around.check("rules: [{from: a, to: [x, y], apply: [{split: 0}]}]", "a", "shape: `a` float32 [1] does not fit `x` float32 [2] | is it another layer, or a model of another size?
         shape: `a` float32 [1] does not fit `y` float32 [2] | is it another layer, or a model of another size?");
}

/// Where numbers are missing on purpose, the rule says so.
#[test]
fn gaps_that_are_meant() {
    let all =
        |more: &str| format!(r"{{from: 'w_\d+', to: w, apply: [{{concat: {{axis: 0{more}}}}}]}}");
    rule(&all(", gaps: true"), "w_0; w_3", "w <- w_0 + w_3 [concat: 0] as float32 [4]");
    let found = planned(&format!("rules: [{}]", all("")), "w_0; w_3");
    assert!(found.starts_with("missing: `w_1` is missing"), "{found}");
}

/// What begins late has lost its beginning; what is no series was not meant.
#[test]
fn what_is_joined_is_a_series() {
    let all = r"{from: 'e/.+', to: e, apply: [{concat: 0}]}";
    let meant = "is the pattern too narrow, or too wide? where it is meant so, say it: `concat: {axis: 0, gaps: true}`";
    rule(
        all,
        "e/part_2; e/part_3",
        &format!("missing: `e/part_1` is missing among the 2 that are joined | {meant}"),
    );
    rule(
        all,
        "e/city; e/age",
        &format!(
            "missing: `e/age` and `e/city` are joined, and are no series of numbers | {meant}"
        ),
    );
    for join in ["concat", "stack"] {
        let gaps = format!("{{from: 'e/.+', to: e, apply: [{{{join}: {{axis: 0, gaps: true}}}}]}}");
        assert!(
            planned(&format!("rules: [{gaps}]"), "e/city; e/age")
                .starts_with("e <- e/age + e/city")
        );
    }
}
