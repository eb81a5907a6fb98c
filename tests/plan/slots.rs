//! Optimizer state goes where its variable goes, or says why it cannot.

use crate::fresh::{Around, trained};
use crate::harness::{catalog, is, render};

const ADAM: &[&str] = &["_momentums", "_velocities"];
const ADAGRAD: &[&str] = &["_accumulators"];

/// What became of slots: assignments of the optimizer's lists, problems and warnings.
fn followed(lists: &[&str], leaves: &str, rules: &str, variables: &str) -> String {
    let around = Around { template: Some(trained(leaves, lists)), ..Around::default() };
    let variables = format!("{variables}; global_step int64 -");
    let all = render(around.plan(rules, &catalog(&variables)));
    let about = |line: &&str| {
        let quiet = ["_iterations", "_learning_rate", "global_step"];
        !quiet.iter().any(|part| line.contains(part))
            && (!line.contains(" <- ") || line.starts_with("optimizer/"))
    };
    all.lines().filter(about).collect::<Vec<_>>().join("\n")
}

/// `a` and its Adam slots through `apply` into `x`.
#[track_caller]
fn adam(apply: &str, a: &str, x: &str, expected: &str) {
    let rules = format!(
        "rules: [{{from: a, to: x, apply: [{apply}]}}]\noptimizer: {{to: optimizer, learning_rate: 0.1}}"
    );
    let variables = format!("a float32 {a}; a/Adam float32 {a}; a/Adam_1 float32 {a}");
    is(&followed(ADAM, &format!("x float32 {x}"), &rules, &variables), expected);
}

#[test]
fn steps_of_layout() {
    adam(
        "transpose",
        "2,3",
        "3,2",
        "optimizer/_momentums/0 <- a/Adam [transpose] as float32 [3, 2]
         optimizer/_velocities/0 <- a/Adam_1 [transpose] as float32 [3, 2]
         a/Adam: Consumed(RuleId(0))
         a/Adam_1: Consumed(RuleId(0))",
    );
    adam(
        "{reshape: target}",
        "2,3",
        "6",
        "optimizer/_momentums/0 <- a/Adam [reshape: [6]] as float32 [6]
         optimizer/_velocities/0 <- a/Adam_1 [reshape: [6]] as float32 [6]
         a/Adam: Consumed(RuleId(0))
         a/Adam_1: Consumed(RuleId(0))",
    );
    adam(
        "{slice: '1:'}",
        "3,2",
        "2,2",
        "optimizer/_momentums/0 <- a/Adam [slice: '1:'] as float32 [2, 2]
         optimizer/_velocities/0 <- a/Adam_1 [slice: '1:'] as float32 [2, 2]
         a/Adam: Consumed(RuleId(0))
         a/Adam_1: Consumed(RuleId(0))",
    );
    adam(
        "{flip: 0}",
        "3,2",
        "3,2",
        "optimizer/_momentums/0 <- a/Adam [flip: 0] as float32 [3, 2]
         optimizer/_velocities/0 <- a/Adam_1 [flip: 0] as float32 [3, 2]
         a/Adam: Consumed(RuleId(0))
         a/Adam_1: Consumed(RuleId(0))",
    );
    adam(
        "{expand_dims: 0}, {squeeze: 0}",
        "3",
        "3",
        "optimizer/_momentums/0 <- a/Adam [expand_dims: 0; squeeze: 0] as float32 [3]
         optimizer/_velocities/0 <- a/Adam_1 [expand_dims: 0; squeeze: 0] as float32 [3]
         a/Adam: Consumed(RuleId(0))
         a/Adam_1: Consumed(RuleId(0))",
    );
    adam(
        "{gates: {order: [1, 0], add: [0, 1.0]}}",
        "4",
        "4",
        "optimizer/_momentums/0 <- a/Adam [gates: {order: [1, 0]}] as float32 [4]
         optimizer/_velocities/0 <- a/Adam_1 [gates: {order: [1, 0]}] as float32 [4]
         a/Adam: Consumed(RuleId(0))
         a/Adam_1: Consumed(RuleId(0))",
    );
    adam("{unpartition: {strategy: mod, parts: 2}}", "4,2", "4,2", "optimizer/_momentums/0 <- a/Adam [unpartition: {strategy: mod, parts: 2}] as float32 [4, 2]
         optimizer/_velocities/0 <- a/Adam_1 [unpartition: {strategy: mod, parts: 2}] as float32 [4, 2]
         a/Adam: Consumed(RuleId(0))
         a/Adam_1: Consumed(RuleId(0))");
    adam(
        "{pad: [[0, 1]]}",
        "3",
        "4",
        "optimizer/_momentums/0 <- a/Adam [pad: [[0, 1]]] as float32 [4]
         optimizer/_velocities/0 <- a/Adam_1 [pad: [[0, 1]]] as float32 [4]
         a/Adam: Consumed(RuleId(0))
         a/Adam_1: Consumed(RuleId(0))",
    );
    adam(
        "{add: 1.0}",
        "3",
        "3",
        "optimizer/_momentums/0 <- a/Adam
         optimizer/_velocities/0 <- a/Adam_1
         a/Adam: Consumed(RuleId(0))
         a/Adam_1: Consumed(RuleId(0))",
    );
    adam(
        "transpose, {add: 1.0}, {reshape: [6]}",
        "2,3",
        "6",
        "optimizer/_momentums/0 <- a/Adam [transpose; reshape: [6]] as float32 [6]
         optimizer/_velocities/0 <- a/Adam_1 [transpose; reshape: [6]] as float32 [6]
         a/Adam: Consumed(RuleId(0))
         a/Adam_1: Consumed(RuleId(0))",
    );
}

#[test]
fn steps_that_state_cannot_follow() {
    adam(
        "{scale: 2.0}",
        "3",
        "3",
        "optimizer: the first moment of `x` (and 1 more) cannot follow its variable: scaling a variable changes what its state means | `optimizer: drop` leaves state behind, `optimizer: keep` keeps the template's",
    );
    adam(
        "{cast: float32}",
        "3",
        "3",
        "optimizer: the first moment of `x` (and 1 more) cannot follow its variable: optimizer state has a precision of its own | `optimizer: drop` leaves state behind, `optimizer: keep` keeps the template's",
    );
    adam(
        "{pad: {by: [[0, 1]], with: 0.5}}",
        "3",
        "4",
        "optimizer: the first moment of `x` (and 1 more) cannot follow its variable: what is padded with a number has no state of its own | `optimizer: drop` leaves state behind, `optimizer: keep` keeps the template's",
    );
}

#[test]
fn sums_do_not_begin_at_zero() {
    let rows = |gather: &str, x: &str| {
        let around = Around {
            template: Some(trained(&format!("x float32 {x}"), ADAGRAD)),
            files: &[("more.txt", "1\n-1\n"), ("rows.txt", "2\n0\n1\n")],
            ..Around::default()
        };
        let rules = format!(
            "rules: [{{from: a, to: x, apply: [{gather}]}}]\noptimizer: {{to: optimizer, learning_rate: 0.1}}"
        );
        render(
            around.plan(&rules, &catalog("a float32 3; a/Adagrad float32 3; global_step int64 -")),
        )
    };
    is(
        &rows("{gather: {rows: more.txt, missing: zeros}}", "2"),
        "optimizer: the accumulator of `x` cannot follow its variable: the accumulator of new elements must not be zero | `optimizer: drop` leaves state behind, `optimizer: keep` keeps the template's",
    );
    is(
        &rows("{pad: [[0, 1]]}", "4"),
        "optimizer: the accumulator of `x` cannot follow its variable: the accumulator of new elements must not be zero | `optimizer: drop` leaves state behind, `optimizer: keep` keeps the template's",
    );
    // Rows in another order are no new ones.
    is(
        &rows("{gather: rows.txt}", "3"),
        "optimizer/_accumulators/0 <- a/Adagrad [gather: rows.txt] as float32 [3]
         optimizer/_iterations <- global_step
         optimizer/_learning_rate <- 0.1 as float32 []
         x <- a [gather: rows.txt] as float32 [3]
         a/Adagrad: Consumed(RuleId(0))
         global_step: Consumed(RuleId(0))",
    );
    is(
        &rows("{pad: [[0, 0]]}", "3"),
        "optimizer/_accumulators/0 <- a/Adagrad [pad: [[0, 0]]] as float32 [3]
         optimizer/_iterations <- global_step
         optimizer/_learning_rate <- 0.1 as float32 []
         x <- a [pad: [[0, 0]]] as float32 [3]
         a/Adagrad: Consumed(RuleId(0))
         global_step: Consumed(RuleId(0))",
    );
}

#[test]
fn rows_from_a_file() {
    let around = Around {
        template: Some(trained("x float32 2", ADAM)),
        files: &[("more.txt", "1\n-1\n")],
        ..Around::default()
    };
    let rules = |missing: &str| {
        format!(
            "rules: [{{from: a, to: x, apply: [{{gather: {{rows: more.txt, missing: {missing}}}}}]}}]\noptimizer: {{to: optimizer, learning_rate: 0.1}}"
        )
    };
    let source = "a float32 3; a/Adam float32 3; a/Adam_1 float32 3; global_step int64 -";
    around.check(
        &rules("zeros"),
        source,
        "optimizer/_iterations <- global_step
         optimizer/_learning_rate <- 0.1 as float32 []
         optimizer/_momentums/0 <- a/Adam [gather: more.txt] as float32 [2]
         optimizer/_velocities/0 <- a/Adam_1 [gather: more.txt] as float32 [2]
         x <- a [gather: more.txt] as float32 [2]
         a/Adam: Consumed(RuleId(0))
         a/Adam_1: Consumed(RuleId(0))
         global_step: Consumed(RuleId(0))",
    );
    around.check(&rules("ones"), source, "optimizer: the first moment of `x` (and 1 more) cannot follow its variable: rows that are filled with a number have no state of their own | `optimizer: drop` leaves state behind, `optimizer: keep` keeps the template's");
}

#[test]
fn joined_and_parted() {
    let rules = "rules: [{from: ['a', 'b'], to: x, apply: [{concat: 0}]}]\noptimizer: {to: optimizer, learning_rate: 0.1}";
    let both = "a; a/Adam; a/Adam_1; b; b/Adam; b/Adam_1";
    is(
        &followed(ADAM, "x float32 4", rules, both),
        "optimizer/_momentums/0 <- a/Adam + b/Adam [concat: 0] as float32 [4]
         optimizer/_velocities/0 <- a/Adam_1 + b/Adam_1 [concat: 0] as float32 [4]
         a/Adam: Consumed(RuleId(0))
         a/Adam_1: Consumed(RuleId(0))
         b/Adam: Consumed(RuleId(0))
         b/Adam_1: Consumed(RuleId(0))",
    );
    is(&followed(ADAM, "x float32 4", rules, "a; a/Adam; a/Adam_1; b"), "optimizer: the first moment of `x` cannot follow its variable: it is joined with `b`, which has no first moment | `optimizer: drop` leaves state behind, `optimizer: keep` keeps the template's
         optimizer: the second moment of `x` cannot follow its variable: it is joined with `b`, which has no second moment | `optimizer: drop` leaves state behind, `optimizer: keep` keeps the template's");
    let rules = "rules: [{from: a, to: [x, y], apply: [{split: 0}]}]\noptimizer: {to: optimizer, learning_rate: 0.1}";
    is(
        &followed(ADAM, "x float32 1; y float32 1", rules, "a; a/Adam; a/Adam_1"),
        "optimizer/_momentums/0 <- a/Adam [split: 0 (1 of 2)] as float32 [1]
         optimizer/_momentums/1 <- a/Adam [split: 0 (2 of 2)] as float32 [1]
         optimizer/_velocities/0 <- a/Adam_1 [split: 0 (1 of 2)] as float32 [1]
         optimizer/_velocities/1 <- a/Adam_1 [split: 0 (2 of 2)] as float32 [1]
         a/Adam: Consumed(RuleId(0))
         a/Adam_1: Consumed(RuleId(0))",
    );
    let rules = "rules: [{from: a, to: [x, y]}]\noptimizer: {to: optimizer, learning_rate: 0.1}";
    is(
        &followed(ADAM, "x; y", rules, "a; a/Adam; a/Adam_1"),
        "optimizer/_momentums/0 <- a/Adam
         optimizer/_momentums/1 <- a/Adam
         optimizer/_velocities/0 <- a/Adam_1
         optimizer/_velocities/1 <- a/Adam_1
         a/Adam: Consumed(RuleId(0))
         a/Adam_1: Consumed(RuleId(0))",
    );
}

#[test]
fn dropped_with_their_variables() {
    let rules =
        "rules: [{drop: b}, {from: a, to: x}]\noptimizer: {to: optimizer, learning_rate: 0.1}";
    is(
        &followed(ADAM, "x", rules, "a; a/Adam; a/Adam_1; b; b/Adam; b/Adam_1"),
        "optimizer/_momentums/0 <- a/Adam
         optimizer/_velocities/0 <- a/Adam_1
         a/Adam: Consumed(RuleId(0))
         a/Adam_1: Consumed(RuleId(0))
         b: dropped
         b/Adam: optimizer
         b/Adam_1: optimizer",
    );
}

#[test]
fn momentum_is_scaled_behind_its_way() {
    let rules = "rules: [{from: a, to: x, apply: [transpose]}]\noptimizer: {to: optimizer, learning_rate: 0.5}";
    is(
        &followed(&["momentums"], "x float32 3,2", rules, "a float32 2,3; a/Momentum float32 2,3"),
        "optimizer/momentums/0 <- a/Momentum [transpose; scale: -0.5] as float32 [3, 2]
         a/Momentum: Consumed(RuleId(0))",
    );
}

#[test]
fn a_skipped_heads_slots_keep_the_templates() {
    let rules = "rules: [{from: 'head/(.+)', to: 'head/$1', skip_mismatch: true}, {from: a, to: a}]\noptimizer: {to: optimizer, learning_rate: 0.1}";
    let variables = "a; a/Adam; a/Adam_1; head/kernel float32 2,3; head/kernel/Adam float32 2,3; head/kernel/Adam_1 float32 2,3; head/bias float32 3; head/bias/Adam float32 3; head/bias/Adam_1 float32 3";
    is(
        &followed(ADAM, "head/kernel float32 2,5; head/bias float32 5; a", rules, variables),
        "optimizer/_momentums/0 <- the template's
         optimizer/_momentums/1 <- the template's
         optimizer/_momentums/2 <- a/Adam
         optimizer/_velocities/0 <- the template's
         optimizer/_velocities/1 <- the template's
         optimizer/_velocities/2 <- a/Adam_1
         a/Adam: Consumed(RuleId(0))
         a/Adam_1: Consumed(RuleId(0))
         head/bias: Skipped(RuleId(1))
         head/bias/Adam: optimizer
         head/bias/Adam_1: optimizer
         head/kernel: Skipped(RuleId(1))
         head/kernel/Adam: optimizer
         head/kernel/Adam_1: optimizer
         warning: shape: skipped: `head/bias` float32 [3] does not fit `head/bias` float32 [5]; the template's value is kept
         warning: shape: skipped: `head/kernel` float32 [2, 3] does not fit `head/kernel` float32 [2, 5]; the template's value is kept",
    );
}

#[test]
fn cells() {
    let rules = "rules: [{cell: lstm_cell, from: c, to: x}]\noptimizer: {to: optimizer, learning_rate: 0.1}";
    let with_slots = |variables: &str| {
        let each = variables.split("; ").map(|v| {
            let (name, spec) = v.split_once(' ').unwrap();
            format!("{v}; {name}/Adam {spec}; {name}/Adam_1 {spec}")
        });
        each.collect::<Vec<_>>().join("; ")
    };
    is(
        &followed(
            ADAM,
            "x/kernel float32 3,8; x/recurrent_kernel float32 2,8; x/bias float32 8",
            rules,
            &with_slots("c/kernel float32 5,8; c/bias float32 8"),
        ),
        "optimizer/_momentums/0 <- c/kernel/Adam [split: {axis: 0, sizes: [3, 2]} (1 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [3, 8]
         optimizer/_momentums/1 <- c/kernel/Adam [split: {axis: 0, sizes: [3, 2]} (2 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [2, 8]
         optimizer/_momentums/2 <- c/bias/Adam [gates: {order: [0, 2, 1, 3]}] as float32 [8]
         optimizer/_velocities/0 <- c/kernel/Adam_1 [split: {axis: 0, sizes: [3, 2]} (1 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [3, 8]
         optimizer/_velocities/1 <- c/kernel/Adam_1 [split: {axis: 0, sizes: [3, 2]} (2 of 2); gates: {order: [0, 2, 1, 3]}] as float32 [2, 8]
         optimizer/_velocities/2 <- c/bias/Adam_1 [gates: {order: [0, 2, 1, 3]}] as float32 [8]
         c/bias/Adam: Consumed(RuleId(0))
         c/bias/Adam_1: Consumed(RuleId(0))
         c/kernel/Adam: Consumed(RuleId(0))
         c/kernel/Adam_1: Consumed(RuleId(0))",
    );
    is(
        &followed(
            ADAM,
            "x/kernel float32 3,6; x/recurrent_kernel float32 2,6; x/bias float32 6",
            &rules.replace("lstm", "gru"),
            &with_slots(
                "c/gates/kernel float32 5,4; c/gates/bias float32 4; c/candidate/kernel float32 5,2; c/candidate/bias float32 2",
            ),
        ),
        "optimizer/_momentums/0 <- c/gates/kernel/Adam + c/candidate/kernel/Adam [concat: 1 of Adam (split: {axis: 0, sizes: [3, 2]} (1 of 2), gates: {order: [1, 0]}) and Adam (split: {axis: 0, sizes: [3, 2]} (1 of 2))] as float32 [3, 6]
         optimizer/_momentums/1 <- c/gates/kernel/Adam + c/candidate/kernel/Adam [concat: 1 of Adam (split: {axis: 0, sizes: [3, 2]} (2 of 2), gates: {order: [1, 0]}) and Adam (split: {axis: 0, sizes: [3, 2]} (2 of 2))] as float32 [2, 6]
         optimizer/_momentums/2 <- c/gates/bias/Adam + c/candidate/bias/Adam [concat: 0 of Adam (gates: {order: [1, 0]}) and Adam] as float32 [6]
         optimizer/_velocities/0 <- c/gates/kernel/Adam_1 + c/candidate/kernel/Adam_1 [concat: 1 of Adam_1 (split: {axis: 0, sizes: [3, 2]} (1 of 2), gates: {order: [1, 0]}) and Adam_1 (split: {axis: 0, sizes: [3, 2]} (1 of 2))] as float32 [3, 6]
         optimizer/_velocities/1 <- c/gates/kernel/Adam_1 + c/candidate/kernel/Adam_1 [concat: 1 of Adam_1 (split: {axis: 0, sizes: [3, 2]} (2 of 2), gates: {order: [1, 0]}) and Adam_1 (split: {axis: 0, sizes: [3, 2]} (2 of 2))] as float32 [2, 6]
         optimizer/_velocities/2 <- c/gates/bias/Adam_1 + c/candidate/bias/Adam_1 [concat: 0 of Adam_1 (gates: {order: [1, 0]}) and Adam_1] as float32 [6]
         c/candidate/bias/Adam: Consumed(RuleId(0))
         c/candidate/bias/Adam_1: Consumed(RuleId(0))
         c/candidate/kernel/Adam: Consumed(RuleId(0))
         c/candidate/kernel/Adam_1: Consumed(RuleId(0))
         c/gates/bias/Adam: Consumed(RuleId(0))
         c/gates/bias/Adam_1: Consumed(RuleId(0))
         c/gates/kernel/Adam: Consumed(RuleId(0))
         c/gates/kernel/Adam_1: Consumed(RuleId(0))",
    );
}

/// Slots are of the raw variable, wherever its value comes from.
#[test]
fn averages() {
    for (word, left) in
        [("prefer", "a: Averaged"), ("ignore", "a/ExponentialMovingAverage: AverageDropped")]
    {
        let rules = format!(
            "ema: {word}\nrules: [{{from: a, to: x}}]\noptimizer: {{to: optimizer, learning_rate: 0.1}}"
        );
        let variables = "a; a/ExponentialMovingAverage; a/Adam; a/Adam_1";
        let found = followed(ADAM, "x", &rules, variables);
        assert!(found.lines().any(|line| line == left), "{found}");
        let slots: Vec<&str> = found.lines().filter(|line| line.contains(" <- ")).collect();
        assert_eq!(
            slots,
            ["optimizer/_momentums/0 <- a/Adam", "optimizer/_velocities/0 <- a/Adam_1"]
        );
    }
    let rules = "ema: prefer\nrename: [{find: '^a', replace: b}]\nrules: [{from: b, to: x, apply: [transpose]}]\noptimizer: {to: optimizer, learning_rate: 0.1}";
    is(
        &followed(
            ADAM,
            "x float32 3,2",
            rules,
            "a float32 2,3; a/ExponentialMovingAverage float32 2,3; a/Adam float32 2,3; a/Adam_1 float32 2,3",
        ),
        "optimizer/_momentums/0 <- a/Adam [transpose] as float32 [3, 2]
         optimizer/_velocities/0 <- a/Adam_1 [transpose] as float32 [3, 2]
         a: Averaged
         a/Adam: Consumed(RuleId(0))
         a/Adam_1: Consumed(RuleId(0))",
    );
}

/// Slots that no block asked for are a mistake, of averaged variables as of others.
#[test]
fn slots_that_no_block_asks_for() {
    let rules = |ema: &str| {
        format!(
            "ema: {ema}\nrules: [{{from: '(.)', to: '$1'}}]\noptimizer: [{{to: optimizer, variables: a, learning_rate: 0.1}}]"
        )
    };
    let variables = "a; a/Adam; a/Adam_1; b; b/Adam; b/Adam_1; b/ExponentialMovingAverage";
    for word in ["ignore", "prefer"] {
        let found = followed(ADAM, "a; ~b", &rules(word), variables);
        assert!(
            found.starts_with("optimizer: 2 slots belong to no block: `b/Adam`"),
            "{word}: {found}"
        );
    }
}
