//! Recurrent cells: what they are made of, and what they cannot be made of.

use crate::fresh::{Around, fits, template};
use crate::harness::{catalog, check, planned, render};

/// A cell in `c` becomes the object `x`.
#[track_caller]
fn cell(kind: &str, variables: &str, expected: &str) {
    check(
        &format!("params: {{f: 0.5}}\nrules: [{{cell: {kind}, from: c, to: x}}]"),
        variables,
        expected,
    );
}

const LSTM: &str = "c/kernel float32 5,8; c/bias float32 8";
const GRU: &str = "c/gates/kernel float32 5,4; c/gates/bias float32 4; c/candidate/kernel float32 5,2; c/candidate/bias float32 2";
const CUDNN_GRU: &str = "c/gates/kernel float32 5,4; c/gates/bias float32 4; \
    c/candidate/input_projection/kernel float32 3,2; c/candidate/input_projection/bias float32 2; \
    c/candidate/hidden_projection/kernel float32 2,2; c/candidate/hidden_projection/bias float32 2";

#[test]
fn each_kind() {
    cell("basic_rnn_cell", "c/kernel float32 5,2; c/bias float32 2", "x/bias <- c/bias
         x/kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (1 of 2)] as float32 [3, 2]
         x/recurrent_kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (2 of 2)] as float32 [2, 2]");
    cell("basic_lstm_cell", LSTM, "x/bias <- c/bias [gates: {order: [0, 2, 1, 3], add: [0, 1, 0, 0]}] as float32 [8]
         x/kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (1 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [3, 8]
         x/recurrent_kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (2 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [2, 8]");
    cell("lstm_cell", LSTM, "x/bias <- c/bias [gates: {order: [0, 2, 1, 3], add: [0, 1, 0, 0]}] as float32 [8]
         x/kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (1 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [3, 8]
         x/recurrent_kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (2 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [2, 8]");
    cell("gru_cell", GRU, "x/bias <- c/gates/bias + c/candidate/bias [concat: 0 of bias (gates: {order: [1, 0]}) and bias] as float32 [6]
         x/kernel <- c/gates/kernel + c/candidate/kernel [concat: 1 of kernel (split: {axis: 0, sizes: [3, 2]} (1 of 2), gates: {order: [1, 0]}) and kernel (split: {axis: 0, sizes: [3, 2]} (1 of 2))] as float32 [3, 6]
         x/recurrent_kernel <- c/gates/kernel + c/candidate/kernel [concat: 1 of kernel (split: {axis: 0, sizes: [3, 2]} (2 of 2), gates: {order: [1, 0]}) and kernel (split: {axis: 0, sizes: [3, 2]} (2 of 2))] as float32 [2, 6]");
    cell("cudnn_lstm", LSTM, "x/bias <- c/bias [gates: {order: [0, 2, 1, 3]}] as float32 [8]
         x/kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (1 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [3, 8]
         x/recurrent_kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (2 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [2, 8]");
    cell("cudnn_gru", CUDNN_GRU, "x/bias <- c/gates/bias + c/candidate/input_projection/bias + c/candidate/hidden_projection/bias [concat: 0 of bias (concat: 0 of bias (gates: {order: [1, 0]}) and bias, expand_dims: 0) and bias (concat: 0, expand_dims: 0)] as float32 [2, 6]
         x/kernel <- c/gates/kernel + c/candidate/input_projection/kernel [concat: 1 of kernel (split: {axis: 0, sizes: [3, 2]} (1 of 2), gates: {order: [1, 0]}) and kernel] as float32 [3, 6]
         x/recurrent_kernel <- c/gates/kernel + c/candidate/hidden_projection/kernel [concat: 1 of kernel (split: {axis: 0, sizes: [3, 2]} (2 of 2), gates: {order: [1, 0]}) and kernel] as float32 [2, 6]");
    cell("lstm", LSTM, "value: `lstm` is not known here | did you mean `lstm_cell`?");
    cell("[lstm_cell]", LSTM, "value: text should stand here, not a list");
}

/// Versions of TF1 called the same variables otherwise: only the sources' names differ.
#[test]
fn old_names() {
    let with = |rule: &str, variables: &str| planned(&format!("rules: [{rule}]"), variables);
    let lstm = "{cell: lstm_cell, from: c, to: x}";
    let wanted = with(lstm, LSTM);
    for (kernel, bias) in [("weights", "biases"), ("Linear/Matrix", "Linear/Bias")] {
        let spelled = |text: &str| {
            text.replace("kernel ", &format!("{kernel} ")).replace("bias ", &format!("{bias} "))
        };
        let found = with(lstm, &spelled(LSTM));
        let back = found
            .replace(&format!("c/{kernel}"), "c/kernel")
            .replace(&format!("c/{bias}"), "c/bias");
        assert_eq!(back, wanted, "{found}");
    }
    let gru = "{cell: gru_cell, from: c, to: x}";
    let spelled = GRU
        .replace("gates/", "Gates/")
        .replace("candidate/", "Candidate/")
        .replace("kernel", "Linear/Matrix")
        .replace("bias", "Linear/Bias");
    let found = with(gru, &spelled);
    let back = found
        .replace("Gates/", "gates/")
        .replace("Candidate/", "candidate/")
        .replace("Linear/Matrix", "kernel")
        .replace("Linear/Bias", "bias");
    // The leaves' names show up in the steps as well.
    assert_eq!(back.replace("Matrix", "kernel").replace("Bias", "bias"), with(gru, GRU), "{found}");
    cell(
        "lstm_cell",
        "c/kernel float32 5,8; c/weights float32 5,8; c/bias float32 8",
        "shape: the cell `c`: it has its `kernel` twice",
    );
}

#[test]
fn the_forget_gate() {
    let biased = |bias: &str| {
        format!("params: {{f: 0.5}}\nrules: [{{cell: lstm_cell, from: c, to: x{bias}}}]")
    };
    for (bias, expected) in [
        ("", "x/bias <- c/bias [gates: {order: [0, 2, 1, 3], add: [0, 1, 0, 0]}] as float32 [8]
         x/kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (1 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [3, 8]
         x/recurrent_kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (2 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [2, 8]"),
        (", forget_bias: 0", "x/bias <- c/bias [gates: {order: [0, 2, 1, 3]}] as float32 [8]
         x/kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (1 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [3, 8]
         x/recurrent_kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (2 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [2, 8]"),
        (", forget_bias: 0.0", "x/bias <- c/bias [gates: {order: [0, 2, 1, 3]}] as float32 [8]
         x/kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (1 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [3, 8]
         x/recurrent_kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (2 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [2, 8]"),
        (", forget_bias: 2.5", "x/bias <- c/bias [gates: {order: [0, 2, 1, 3], add: [0, 2.5, 0, 0]}] as float32 [8]
         x/kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (1 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [3, 8]
         x/recurrent_kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (2 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [2, 8]"),
        (", forget_bias: $f", "x/bias <- c/bias [gates: {order: [0, 2, 1, 3], add: [0, 0.5, 0, 0]}] as float32 [8]
         x/kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (1 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [3, 8]
         x/recurrent_kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (2 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [2, 8]"),
        (", forget_bias: x", "value: `x` is no number"),
        (", forget_bias: .nan", "shape: the cell `c`: NaN cannot be added"),
    ] {
        check(&biased(bias), LSTM, expected);
    }
    check(
        "rules: [{cell: gru_cell, from: c, to: x, forget_bias: 1.0}]",
        GRU,
        "key: only LSTM cells have a forget gate | leave it out",
    );
    check(
        "rules: [{from: '(.+)', to: '$1', forget_bias: 1.0}]",
        "a",
        "key: `forget_bias` belongs beside `cell`",
    );
}

#[test]
fn what_no_keras_cell_has() {
    for more in [
        "w_f_diag float32 2",
        "w_i_diag float32 2",
        "w_o_diag float32 2",
        "projection/kernel float32 2,3",
        "opaque_kernel float32 9",
        "other",
    ] {
        let found =
            planned("rules: [{cell: lstm_cell, from: c, to: x}]", &format!("{LSTM}; c/{more}"));
        assert_eq!(found.lines().count(), 1, "{more}: {found}");
        let reason = match more.split(['_', '/']).next() {
            Some("w") => "it has peepholes",
            Some("projection") => "its output is projected",
            Some("opaque") => "it was saved as cuDNN keeps it",
            _ => "it has no place for `other`",
        };
        assert!(found.starts_with(&format!("shape: the cell `c`: {reason}")), "{more}: {found}");
    }
    cell(
        "cudnn_lstm",
        "c/opaque_kernel float32 9",
        "shape: the cell `c`: it was saved as cuDNN keeps it, and only cuDNN can read that",
    );
}

#[test]
fn sizes_that_do_not_go_together() {
    cell(
        "lstm_cell",
        "c/kernel float32 5,8; c/bias float32 12",
        "shape: the cell `c`: its kernel is float32 [5, 8], its bias has 3 units",
    );
    cell(
        "lstm_cell",
        "c/kernel float32 5,6; c/bias float32 6",
        "shape: the cell `c`: its bias is float32 [6], which is no multiple of 4 units",
    );
    cell(
        "lstm_cell",
        "c/kernel float32 1,8; c/bias float32 8",
        "shape: the cell `c`: its kernel is float32 [1, 8], which is less than 2 units need",
    );
    cell("lstm_cell", "c/kernel float32 2,8; c/bias float32 8", "x/bias <- c/bias [gates: {order: [0, 2, 1, 3], add: [0, 1, 0, 0]}] as float32 [8]
         x/kernel <- c/kernel [split: {axis: 0, sizes: [0, 2]} (1 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [0, 8]
         x/recurrent_kernel <- c/kernel [split: {axis: 0, sizes: [0, 2]} (2 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [2, 8]");
    cell(
        "lstm_cell",
        "c/kernel float32 40; c/bias float32 8",
        "shape: the cell `c`: its kernel is float32 [40], its bias has 2 units",
    );
    cell(
        "lstm_cell",
        "c/kernel float32 5,8; c/bias float32 8,1",
        "shape: the cell `c`: its bias is float32 [8, 1], which is no multiple of 4 units",
    );
    cell(
        "lstm_cell",
        "c/kernel float32 5,0; c/bias float32 0",
        "shape: the cell `c`: its bias is float32 [0], which is no multiple of 4 units",
    );
    cell("lstm_cell", "c/kernel float32 5,8", "shape: the cell `c`: it has no `bias`");
    cell("lstm_cell", "c/bias float32 8", "shape: the cell `c`: it has no `kernel`");
    cell(
        "lstm_cell",
        "c/kernel int32 5,8; c/bias int32 8",
        "shape: the cell `c`: `gates: {order: [0, 2, 1, 3], add: [0, 1, 0, 0]}` cannot be applied to int32 [8]: 1 cannot be added to int32",
    );
    cell(
        "lstm_cell",
        "c/kernel string 5,8; c/bias string 8",
        "shape: the cell `c`: `split: {axis: 0, sizes: [3, 2]} (1 of 2)` cannot be applied to string [5, 8]: its elements have no fixed size",
    );
    cell(
        "gru_cell",
        &GRU.replace("candidate/kernel float32 5,2", "candidate/kernel float32 5,3"),
        "shape: the cell `c`: its kernel is float32 [5, 3], its bias has 2 units",
    );
    cell(
        "gru_cell",
        &GRU.replace("candidate/kernel float32 5,2", "candidate/kernel float32 6,2"),
        "shape: the cell `c`: float32 [3, 4] and float32 [4, 2] cannot be joined",
    );
    let odd = [
        ("gru_cell", GRU.replace("candidate/bias float32 2", "candidate/bias float32 3")),
        (
            "cudnn_gru",
            CUDNN_GRU.replace("input_projection/bias float32 2", "input_projection/bias float32 3"),
        ),
        (
            "cudnn_gru",
            CUDNN_GRU.replace(
                "input_projection/kernel float32 3,2",
                "input_projection/kernel float32 3,3",
            ),
        ),
    ];
    for (kind, variables) in odd {
        let found = planned(&format!("rules: [{{cell: {kind}, from: c, to: x}}]"), &variables);
        assert!(found.starts_with("shape: the cell `c`: "), "{kind} of {variables}: {found}");
    }
    cell(
        "gru_cell",
        &GRU.replace("; c/candidate/bias float32 2", ""),
        "shape: the cell `c`: it has no `candidate/bias`",
    );
    cell("cudnn_gru", GRU, "shape: the cell `c`: it has no place for `candidate/bias`");
    cell("gru_cell", LSTM, "shape: the cell `c`: it has no place for `bias`");
    cell(
        "basic_rnn_cell",
        LSTM,
        "shape: the cell `c`: its kernel is float32 [5, 8], which is less than 8 units need",
    );
    cell(
        "cudnn_gru",
        &CUDNN_GRU.replace(
            "hidden_projection/kernel float32 2,2",
            "hidden_projection/kernel float32 3,2",
        ),
        "shape: the cell `c`: a kernel over its state is float32 [3, 2]",
    );
}

#[test]
fn many_cells_with_one_rule() {
    check(
        r"rules: [{cell: lstm_cell, from: 'rnn/cell_(?<i>\d+)/lstm', to: 'lstm_${i+1}/cell'}]",
        "rnn/cell_0/lstm/kernel float32 3,4; rnn/cell_0/lstm/bias float32 4; rnn/cell_1/lstm/kernel float32 2,4; rnn/cell_1/lstm/bias float32 4",
        "lstm_1/cell/bias <- rnn/cell_0/lstm/bias [gates: {order: [0, 2, 1, 3], add: [0, 1, 0, 0]}] as float32 [4]
         lstm_1/cell/kernel <- rnn/cell_0/lstm/kernel [split: {axis: 0, sizes: [2, 1]} (1 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [2, 4]
         lstm_1/cell/recurrent_kernel <- rnn/cell_0/lstm/kernel [split: {axis: 0, sizes: [2, 1]} (2 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [1, 4]
         lstm_2/cell/bias <- rnn/cell_1/lstm/bias [gates: {order: [0, 2, 1, 3], add: [0, 1, 0, 0]}] as float32 [4]
         lstm_2/cell/kernel <- rnn/cell_1/lstm/kernel [split: {axis: 0, sizes: [1, 1]} (1 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [1, 4]
         lstm_2/cell/recurrent_kernel <- rnn/cell_1/lstm/kernel [split: {axis: 0, sizes: [1, 1]} (2 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [1, 4]",
    );
    check(
        r"rules: [{cell: lstm_cell, from: 'rnn/cell_(\d+)', to: x}]",
        "rnn/cell/kernel",
        r"unused: `rnn/cell_(\d+)` matches no variable | the nearest name that exists is `rnn/cell/kernel`
         unmatched: `rnn/cell/kernel` float32 [2] is claimed by no rule | give it a rule, `drop` it, or write `unmatched: drop` for all that is left",
    );
    check(
        r"rules: [{cell: lstm_cell, from: 'rnn/cell_(\d+)', to: x, optional: true}, {from: '(.+)', to: '$1'}]",
        "rnn/cell/kernel",
        "rnn/cell/kernel <- rnn/cell/kernel",
    );
}

#[test]
fn two_targets() {
    check(
        "rules: [{cell: basic_rnn_cell, from: c, to: [x, y/cell]}]",
        "c/kernel float32 5,2; c/bias float32 2",
        "x/bias <- c/bias
         x/kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (1 of 2)] as float32 [3, 2]
         x/recurrent_kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (2 of 2)] as float32 [2, 2]
         y/cell/bias <- c/bias
         y/cell/kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (1 of 2)] as float32 [3, 2]
         y/cell/recurrent_kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (2 of 2)] as float32 [2, 2]",
    );
}

#[test]
fn names_of_one_name_space() {
    check(
        "params: {i: 7}\nrules: [{cell: basic_rnn_cell, from: '(?<i>c)', to: 'x_$i'}]",
        "c/kernel float32 5,2; c/bias float32 2",
        "pattern: `i` is a parameter and a group of this pattern | give one of them another name",
    );
}

#[test]
fn what_was_taken_above_is_not_there() {
    check(
        "rules: [{from: 'c/extra', to: extra}, {cell: basic_rnn_cell, from: c, to: x}]",
        "c/kernel float32 5,2; c/bias float32 2; c/extra",
        "extra <- c/extra
         x/bias <- c/bias
         x/kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (1 of 2)] as float32 [3, 2]
         x/recurrent_kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (2 of 2)] as float32 [2, 2]",
    );
    let found = planned(
        "rules: [{from: '(.+)', to: '$1'}, {cell: basic_rnn_cell, from: c, to: x}]",
        "c/kernel float32 5,2; c/bias float32 2",
    );
    assert!(found.starts_with("unused: ") && found.contains("claimed above"), "{found}");
}

const KERAS_LSTM: &str = "x/kernel float32 3,8; x/recurrent_kernel float32 2,8; x/bias float32 8";

#[test]
fn into_a_template() {
    let rules = "rules: [{cell: lstm_cell, from: c, to: x}]";
    fits(KERAS_LSTM, rules, LSTM, "x/bias <- c/bias [gates: {order: [0, 2, 1, 3], add: [0, 1, 0, 0]}] as float32 [8]
         x/kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (1 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [3, 8]
         x/recurrent_kernel <- c/kernel [split: {axis: 0, sizes: [3, 2]} (2 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [2, 8]");
    fits(
        "x/kernel float32 4,8; x/recurrent_kernel float32 2,8; x/bias float32 8",
        rules,
        LSTM,
        "shape: the cell `c` does not fit `x/kernel`: it is float32 [3, 8] there, and the template has float32 [4, 8]",
    );
    fits("x/kernel float32 3,8; x/bias float32 8", rules, LSTM, "template: no target for the cell `c`: `x` has no `recurrent_kernel`; it has bias, kernel
         missing: `x/kernel` float32 [3, 8] of the template gets no value | give it a rule or a `fill`, or keep the template's own values with `--keep-missing`
         missing: `x/bias` float32 [8] of the template gets no value | give it a rule or a `fill`, or keep the template's own values with `--keep-missing`");
    let gru = "rules: [{cell: gru_cell, from: c, to: x}]";
    fits(
        "x/kernel float32 3,6; x/recurrent_kernel float32 2,6; x/bias float32 2,6",
        gru,
        GRU,
        "shape: the cell `c` does not fit `x/bias`: its target was built with `reset_after=True`, which computes another function than TF1's cell: build it with `reset_after=False`",
    );
    let cudnn = "rules: [{cell: cudnn_gru, from: c, to: x}]";
    fits(
        "x/kernel float32 3,6; x/recurrent_kernel float32 2,6; x/bias float32 6",
        cudnn,
        CUDNN_GRU,
        "shape: the cell `c` does not fit `x/bias`: its target was built with `reset_after=False`, which computes another function than cuDNN's cell: build it with `reset_after=True`",
    );
    fits(
        "x/kernel float32 3,6; x/recurrent_kernel float32 2,6; x/bias float32 2,6",
        cudnn,
        CUDNN_GRU,
        "x/bias <- c/gates/bias + c/candidate/input_projection/bias + c/candidate/hidden_projection/bias [concat: 0 of bias (concat: 0 of bias (gates: {order: [1, 0]}) and bias, expand_dims: 0) and bias (concat: 0, expand_dims: 0)] as float32 [2, 6]
         x/kernel <- c/gates/kernel + c/candidate/input_projection/kernel [concat: 1 of kernel (split: {axis: 0, sizes: [3, 2]} (1 of 2), gates: {order: [1, 0]}) and kernel] as float32 [3, 6]
         x/recurrent_kernel <- c/gates/kernel + c/candidate/hidden_projection/kernel [concat: 1 of kernel (split: {axis: 0, sizes: [3, 2]} (2 of 2), gates: {order: [1, 0]}) and kernel] as float32 [2, 6]",
    );
}

/// A cell that has one of its places has a place.
#[test]
fn one_place_of_two() {
    let rules = "rules: [{cell: lstm_cell, from: c, to: [x, y], optional: true}]";
    let around = Around { template: Some(template(KERAS_LSTM)), ..Around::default() };
    let found = render(around.plan(rules, &catalog(LSTM)));
    assert!(found.contains("x/bias <- c/bias") && !found.contains("NoTarget"), "{found}");
    fits(
        "z",
        &format!("{rules}\nfill: [{{match: z, with: 1}}]"),
        LSTM,
        "z <- 1 as float32 [2]
         c/bias: NoTarget(RuleId(0))
         c/kernel: NoTarget(RuleId(0))",
    );
}

#[test]
fn averages_inside_a_cell() {
    check(
        "ema: prefer\nrules: [{cell: basic_rnn_cell, from: c, to: x}]",
        "c/kernel float32 5,2; c/bias float32 2; c/kernel/ExponentialMovingAverage float32 5,2; \
         c/kernel/ExponentialMovingAverage/biased float32 5,2; c/kernel/ExponentialMovingAverage/local_step float32 -",
        "x/bias <- c/bias
         x/kernel <- c/kernel/ExponentialMovingAverage [split: {axis: 0, sizes: [3, 2]} (1 of 2)] as float32 [3, 2]
         x/recurrent_kernel <- c/kernel/ExponentialMovingAverage [split: {axis: 0, sizes: [3, 2]} (2 of 2)] as float32 [2, 2]
         c/kernel: Averaged
         c/kernel/ExponentialMovingAverage/biased: AverageDropped
         c/kernel/ExponentialMovingAverage/local_step: AverageDropped",
    );
}

/// The same name space wherever a pattern and a template stand together.
#[test]
fn names_of_one_name_space_elsewhere() {
    check(
        "params: {i: 7}\nrename: [{find: '(?<i>a)', replace: 'b$i'}]",
        "a",
        "pattern: `i` is a parameter and a group of this pattern | give one of them another name",
    );
}
