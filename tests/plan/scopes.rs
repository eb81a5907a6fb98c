//! Auto-scope recording.

use crate::harness::{check, is, places, planned_with, read};

/// Plans with the layers of one recording.
#[track_caller]
fn recorded(layers: &str, variables: &str, expected: &str) {
    check(&format!("scopes: [{{layers: [{layers}]}}]"), variables, expected);
}

#[track_caller]
fn within(scope: &str, layers: &str, variables: &str, expected: &str) {
    check(&format!("scopes: [{{within: {scope}, layers: [{layers}]}}]"), variables, expected);
}

// What TensorFlow named each program's variables was run in TensorFlow.

#[test]
fn a_counter_per_base_name() {
    recorded(
        "{dense: d1}, {conv2d: c1}, {dense: d2}, {conv2d: c2}",
        "conv2d/w; conv2d_1/w; dense/w; dense_1/w",
        "c1/w <- conv2d/w
         c2/w <- conv2d_1/w
         d1/w <- dense/w
         d2/w <- dense_1/w",
    );
}

#[test]
fn a_counter_per_parent_scope() {
    check(
        "scopes:
  - {within: a, layers: [{dense: a1}, {dense: a2}]}
  - {within: b, layers: [{dense: b1}]}
  - {layers: [{dense: r1}]}",
        "a/dense/w; a/dense_1/w; b/dense/w; dense/w",
        "a1/w <- a/dense/w
         a2/w <- a/dense_1/w
         b1/w <- b/dense/w
         r1/w <- dense/w",
    );
}

#[test]
fn a_scope_opened_again_shares() {
    recorded(
        "{scope: a, layers: [{dense: x}, {dense: y}]}, {scope: a, layers: [dense, dense]}",
        "a/dense/w; a/dense_1/w",
        "x/w <- a/dense/w
         y/w <- a/dense_1/w",
    );
    recorded(
        "{scope: a, layers: [{dense: x}]}, {scope: a, layers: [{dense: y}]}",
        "a/dense/w",
        "scope: `a/dense` is recorded twice | layers that share their variables are recorded once",
    );
}

#[test]
fn an_open_scope_occupies_its_name() {
    recorded("dense, {dense: x}", "dense_1/w", "x/w <- dense_1/w");
    recorded("{scope: dense, layers: []}, {dense: x}", "dense_1/w", "x/w <- dense_1/w");
    recorded(
        "{scope: dense, layers: []}, {scope: dense, layers: []}, {dense: x}",
        "dense_1/w",
        "x/w <- dense_1/w",
    );
}

#[test]
fn explicit_names_occupy_numbers() {
    recorded(
        "{dense: named}, {dense: x}",
        "dense/w; dense_1/w",
        "named/w <- dense/w
         x/w <- dense_1/w",
    );
    recorded(
        "{dense: x}, {dense_1: named}, {dense: y}",
        "dense/w; dense_1/w; dense_2/w",
        "named/w <- dense_1/w
         x/w <- dense/w
         y/w <- dense_2/w",
    );
    recorded(
        "dense_1, {dense: x}, {dense: y}, {dense: z}",
        "dense/w; dense_2/w; dense_3/w",
        "x/w <- dense/w
         y/w <- dense_2/w
         z/w <- dense_3/w",
    );
    recorded(
        "{foo: named}, {dense: x}",
        "foo/w; dense/w",
        "named/w <- foo/w
         x/w <- dense/w",
    );
}

#[test]
fn scopes_opened_in_one_call() {
    recorded(
        "{scope: a/dense, layers: []}, {scope: a, layers: [{dense: x}]}",
        "a/dense_1/w",
        "x/w <- a/dense_1/w",
    );
    recorded(
        "{scope: a, layers: [{scope: dense, layers: []}]}, {scope: a, layers: [{dense: x}]}",
        "a/dense/w",
        "x/w <- a/dense/w",
    );
}

#[test]
fn a_variable_of_get_variable_occupies_nothing() {
    check(
        "unmatched: drop\nscopes: [{layers: [{conv2d: x}]}]",
        "conv2d/w; conv2d_5/w",
        "scope: 1 `conv2d` are recorded in `/`, the checkpoint has 2: `conv2d_5` is left over \
         | record it in its place, as a bare entry to leave it to the rules, or `rename` it if no layer made it",
    );
    check(
        "rename: [{find: '^conv2d_5/', replace: 'lone/'}]
scopes: [{layers: [{conv2d: x}, {lone: y}]}]",
        "conv2d/w; conv2d_5/w",
        "x/w <- conv2d/w
         y/w <- conv2d_5/w",
    );
}

#[test]
fn default_name_scopes_and_templates() {
    recorded(
        "{scope: blk, layers: [{dense: x}]}, {scope: blk_1, layers: [{dense: y}]}, {scope: tpl, layers: [{dense: t}]}",
        "blk/dense/w; blk_1/dense/w; tpl/dense/w",
        "t/w <- tpl/dense/w
         x/w <- blk/dense/w
         y/w <- blk_1/dense/w",
    );
}

#[test]
fn whatever_leaves_exist_go_along() {
    within(
        "m",
        "{batch_normalization: bn}, {rnn: enc}",
        "m/batch_normalization/gamma; m/batch_normalization/moving_mean; m/rnn/cell/kernel",
        "bn/gamma <- m/batch_normalization/gamma
         bn/moving_mean <- m/batch_normalization/moving_mean
         enc/cell/kernel <- m/rnn/cell/kernel",
    );
}

#[test]
fn one_scope_is_no_beginning_of_another() {
    within("m", "{conv: x}", "m/conv/w; m/conv2d/w; m2/conv/w; m/convx", "unmatched: `m/conv2d/w` float32 [2] is claimed by no rule | give it a rule, `drop` it, or write `unmatched: drop` for all that is left
        unmatched: `m/convx` float32 [2] is claimed by no rule | give it a rule, `drop` it, or write `unmatched: drop` for all that is left
        unmatched: `m2/conv/w` float32 [2] is claimed by no rule | give it a rule, `drop` it, or write `unmatched: drop` for all that is left");
}

#[test]
fn a_bare_entry_counts_and_leaves_its_variables_to_the_rules() {
    check(
        "scopes: [{within: m, layers: [{conv2d: x}, conv2d, {conv2d: z}]}]
rules: [{from: 'm/(.+)', to: 'rule/$1'}]",
        "m/conv2d/w; m/conv2d_1/w; m/conv2d_2/w",
        "rule/conv2d_1/w <- m/conv2d_1/w
         x/w <- m/conv2d/w
         z/w <- m/conv2d_2/w",
    );
}

#[test]
fn repeat_counts_from_0_and_nests() {
    within(
        "m",
        "{repeat: 2, as: i, layers: [{conv2d: 'b/$i/conv'}, {repeat: 2, as: j, layers: [{dense: 'b/$i/${j+1}'}]}]}",
        "m/conv2d/w; m/conv2d_1/w; m/dense/w; m/dense_1/w; m/dense_2/w; m/dense_3/w",
        "b/0/1/w <- m/dense/w
         b/0/2/w <- m/dense_1/w
         b/0/conv/w <- m/conv2d/w
         b/1/1/w <- m/dense_2/w
         b/1/2/w <- m/dense_3/w
         b/1/conv/w <- m/conv2d_1/w",
    );
}

#[test]
fn repeat_without_a_name_and_not_at_all() {
    within(
        "m",
        "{repeat: 2, layers: [conv2d]}, {conv2d: x}, {repeat: 0, layers: [{conv2d: y}]}",
        "m/conv2d_2/w",
        "x/w <- m/conv2d_2/w",
    );
    within(
        "m",
        "{repeat: 2, as: i, layers: [{dense: a$i}]}, {repeat: 1, as: i, layers: [{dense: b$i}]}",
        "m/dense/w; m/dense_1/w; m/dense_2/w",
        "a0/w <- m/dense/w
        a1/w <- m/dense_1/w
        b0/w <- m/dense_2/w",
    );
}

#[test]
fn parameters_everywhere() {
    let rules = "params: {net: m, n: 1, base: dense}
scopes: [{within: '$net/$net', layers: [{repeat: $n, as: i, layers: [{scope: 'block_$i', layers: [{$base: 'x/${i:auto}y'}]}]}]}]";
    let variables = "k/k/block_0/dense/w; k/k/block_1/dense/w";
    is(
        &planned_with(rules, variables, &[("net", "k"), ("n", "2")], &read()),
        "x/_1y/w <- k/k/block_1/dense/w
         x/y/w <- k/k/block_0/dense/w",
    );
}

#[test]
fn a_name_for_the_count_that_is_taken() {
    let message = "`i` is already a parameter or an outer repetition | give it another name";
    check(
        "params: {i: 1}\nscopes: [{layers: [{repeat: 1, as: i, layers: [dense]}]}]",
        "",
        &format!("scope: {message}"),
    );
    recorded(
        "{repeat: 1, as: i, layers: [{repeat: 1, as: i, layers: [dense]}]}",
        "",
        &format!("scope: {message}"),
    );
}

#[test]
fn counts_that_are_none() {
    let message = "value: a recording has between 0 and 100000 layers";
    recorded("{repeat: -1, layers: [dense]}", "", message);
    recorded("{repeat: 9000000000000000000, layers: [dense]}", "", message);
    recorded(
        "{repeat: 1001, layers: [{repeat: 1000, layers: [{scope: a, layers: [dense]}]}]}",
        "",
        message,
    );
    recorded("{repeat: x, layers: [dense]}", "", "value: `x` is no integer");
    recorded("{repeat: 1.5, layers: [dense]}", "", "value: text should stand here, not a number");
}

#[test]
fn transforms_of_some_leaves() {
    recorded(
        "{dense: {to: head, apply: {kernel: [transpose, {reshape: [6]}], bias: {reshape: [1, 2]}}}}",
        "dense/kernel float32 2,3; dense/bias; dense/other",
        "head/bias <- dense/bias [reshape: [1, 2]] as float32 [1, 2]
         head/kernel <- dense/kernel [transpose; reshape: [6]] as float32 [6]
         head/other <- dense/other",
    );
    recorded(
        "{dense: {to: head, apply: {kernal: transpose}}}",
        "dense/kernel float32 2,3",
        "scope: `dense` has no leaf `kernal` to transform | did you mean `kernel`?",
    );
}

#[test]
fn targets_of_layers() {
    check(
        "root: m
scopes: [{layers: [{a: /x}, {b: {labels: [l, 'c/d']}}, {c: {to: {labels: ['e.S']}}}, {d: 'f.Sg'}]}]",
        "a/w; b/w; c/w; d/w",
        "m/e..S/w <- c/w
         m/f.Sg/w <- d/w
         m/l/c.Sd/w <- b/w
         x/w <- a/w",
    );
}

#[test]
fn leftovers_of_a_recorded_base() {
    check(
        "unmatched: drop
scopes: [{within: m, layers: [{conv2d: a}, {conv2d: b}, {conv2d: c}]}]",
        "m/conv2d/w; m/conv2d_1/w; m/conv2d_2/w; m/conv2d_3/w; m/conv2d_03/w; m/conv2d_x/w; x/conv2d_9/w",
        "scope: 3 `conv2d` are recorded in `m`, the checkpoint has 4: `m/conv2d_3` is left over \
         | record it in its place, as a bare entry to leave it to the rules, or `rename` it if no layer made it",
    );
}

#[test]
fn leftovers_are_a_problem_though_rules_would_take_them() {
    check(
        "scopes: [{layers: [{dense: a}]}]\nrules: [{from: '(.+)', to: 'x/$1'}]",
        "dense/w; dense_1/w",
        "scope: 1 `dense` are recorded in `/`, the checkpoint has 2: `dense_1` is left over \
         | record it in its place, as a bare entry to leave it to the rules, or `rename` it if no layer made it",
    );
}

#[test]
fn a_recorded_layer_without_variables() {
    within(
        "model",
        "{conv2d: a}, {conv2d: b}, {flatten: c}",
        "model/conv2d/w",
        "scope: the checkpoint has no variables below `model/conv2d_1` | the nearest scope that has some is `model/conv2d`
         scope: the checkpoint has no variables below `model/flatten` | the nearest scope that has some is `model/conv2d`",
    );
    recorded("{conv2d: a}", "x", "
        scope: the checkpoint has no variables below `conv2d` | a layer without variables needs no entry
        unmatched: `x` float32 [2] is claimed by no rule | give it a rule, `drop` it, or write `unmatched: drop` for all that is left");
}

#[test]
fn a_bare_entry_needs_no_variables() {
    recorded("flatten, {dense: x}, flatten", "dense/w", "x/w <- dense/w");
}

#[test]
fn the_same_scope_twice() {
    check(
        "scopes: [{within: m, layers: [{dense: a}]}, {within: m/, layers: [{conv2d: b}]}]",
        "m/dense/w; m/conv2d/w",
        "scope: the scope `m` is recorded a second time | record all its layers in one list, in creation order",
    );
    is(
        &places(
            "scopes:\n  - layers: [{dense: a}]\n  - layers: [{conv2d: b}]",
            "dense/w; conv2d/w",
        ),
        "scope «layers: [{conv2d: b}]» ~ the first recording «layers: [{dense: a}]»",
    );
    recorded("{scope: a, layers: [{dense: x}]}", "a/dense/w", "x/w <- a/dense/w");
    check(
        "scopes: [{layers: [{scope: a, layers: [{dense: x}]}]}, {within: a, layers: [{dense: y}]}]",
        "a/dense/w",
        "scope: `a/dense` is recorded twice | layers that share their variables are recorded once",
    );
}

#[test]
fn leaf_names_of_keras_3() {
    let layers = "{conv2d: c}, {conv2d: c1}, {embedding: e}, {basic_lstm_cell: r}, {gru_cell: g}, \
                  {depthwise_conv2d: d}, {batch_normalization: b}";
    let variables =
        "conv2d/kernel; conv2d/bias; conv2d_1/kernel; embedding/embeddings; basic_lstm_cell/kernel
        gru_cell/gates/kernel; depthwise_conv2d/kernel; batch_normalization/gamma";
    let plain = "b/gamma <- batch_normalization/gamma
        c/bias <- conv2d/bias
        c/kernel <- conv2d/kernel
        c1/kernel <- conv2d_1/kernel
        d/kernel <- depthwise_conv2d/kernel
        e/embeddings <- embedding/embeddings
        g/gates/kernel <- gru_cell/gates/kernel
        r/kernel <- basic_lstm_cell/kernel";
    recorded(layers, variables, plain);
    check(&format!("target: keras2\nscopes: [{{layers: [{layers}]}}]"), variables, plain);
    check(&format!("target: module\nscopes: [{{layers: [{layers}]}}]"), variables, plain);
    check(
        &format!("target: keras3\nscopes: [{{layers: [{layers}]}}]"),
        variables,
        "b/gamma <- batch_normalization/gamma
         c/_kernel <- conv2d/kernel
         c/bias <- conv2d/bias
         c1/_kernel <- conv2d_1/kernel
         d/kernel <- depthwise_conv2d/kernel
         e/_embeddings <- embedding/embeddings
         g/gates/kernel <- gru_cell/gates/kernel
         r/kernel <- basic_lstm_cell/kernel",
    );
}

#[test]
fn a_dialect_renames_nothing_that_rules_write() {
    check(
        "target: keras3\nrules: [{from: '(.+)', to: '$1'}]",
        "dense/kernel",
        "dense/kernel <- dense/kernel",
    );
}

#[test]
fn recordings_leave_slots_alone() {
    check(
        "optimizer: drop\nscopes: [{layers: [{dense: x}]}]",
        "dense/w; dense/w/Adam; dense/w/Adam_1",
        "x/w <- dense/w
         dense/w/Adam: optimizer
         dense/w/Adam_1: optimizer",
    );
    check(
        "optimizer: plain\nscopes: [{layers: [{dense: x}]}]",
        "dense/w; dense/w/Adam",
        "collision: `x/w` is a variable, so `x/w/Adam` cannot lie below it | give one of them another target",
    );
}

#[test]
fn what_is_no_layer() {
    recorded(
        "{dense: x, conv2d: y}",
        "",
        "scope: one layer should stand here | a layer is `base_name: target`, `base_name` alone, a `repeat` or a `scope`",
    );
    recorded(
        "{}",
        "",
        "scope: one layer should stand here | a layer is `base_name: target`, `base_name` alone, a `repeat` or a `scope`",
    );
    recorded("[dense]", "", "value: a map should stand here, not a list");
    recorded("''", "", "scope: a layer needs a name");
    recorded("{dense: [a, b]}", "", "value: text should stand here, not a list");
    recorded("{dense: {to: [a, b]}}", "", "value: text should stand here, not a list");
    recorded(
        "{dense: {to: a, aply: {}}}",
        "dense/w",
        "key: there is no key `aply` here | did you mean `apply`?",
    );
    recorded(
        "{dense: $x}",
        "",
        "template: `x` is neither a named group nor a parameter | name a group with `(?<name>…)`, or give a parameter under `params`",
    );
    recorded(
        "{dense: $1}",
        "",
        "template: capture group `$1` does not exist in this rule | only `$parameters` can be used",
    );
}

#[test]
fn a_layer_that_cannot_be_read_still_counts() {
    // Not counted, `b` would take `dense/w` and `dense_1` would be left over.
    recorded(
        "dense, {dense: $nobody}, {dense: b}",
        "dense_2/w",
        "template: `nobody` is neither a named group nor a parameter | name a group with `(?<name>…)`, or give a parameter under `params`",
    );
}

#[test]
fn targets_are_paths_unless_said_otherwise() {
    check(
        "scopes: [{target: leaves, layers: []}]",
        "",
        "value: `leaves` is not known here | known: paths, names",
    );
    check("scopes: [{target: paths, layers: [{a: b}]}]", "a/w", "b/w <- a/w");
}
