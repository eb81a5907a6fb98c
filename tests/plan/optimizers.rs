//! Optimizer state before there is a place for it: `drop`, `plain`, or the question.

use crate::harness::check;

const ASK: &str = "write `optimizer: {to: optimizer}` to convert it for a template's optimizer, `optimizer: drop` to leave it behind, or `optimizer: plain` to let rules treat it as ordinary variables";

/// The state is found, asked about once, dropped in one word, and left alone in another.
#[track_caller]
fn state(variables: &str, state: &[&str], summary: &str) {
    let rules = "rules: [{from: '.*w', to: w}]";
    check(
        rules,
        variables,
        &format!("optimizer: the checkpoint holds optimizer state: {summary} | {ASK}"),
    );
    let owner = variables.split([';', ' ']).next().unwrap();
    let mut fates: Vec<String> = state.iter().map(|name| format!("{name}: optimizer")).collect();
    fates.sort();
    check(
        &format!("optimizer: drop\n{rules}"),
        variables,
        &format!("w <- {owner}\n{}", fates.join("\n")),
    );
    fates = state.iter().map(|name| format!("{name}: unmatched, dropped")).collect();
    fates.sort();
    check(
        &format!("optimizer: plain\nunmatched: drop\n{rules}"),
        variables,
        &format!("w <- {owner}\n{}", fates.join("\n")),
    );
}

#[test]
fn adam() {
    state(
        "a/w; a/w/Adam; a/w/Adam_1; beta1_power float32 -; beta2_power float32 -",
        &["a/w/Adam", "a/w/Adam_1", "beta1_power", "beta2_power"],
        "2 Adam slots of 1 variable and 2 powers of beta",
    );
}

#[test]
fn a_second_adam_goes_on_counting() {
    state(
        "a/w; a/w/Adam; a/w/Adam_1; a/w/Adam_2; a/w/Adam_3; train/beta1_power_1 float32 -",
        &["a/w/Adam", "a/w/Adam_1", "a/w/Adam_2", "a/w/Adam_3", "train/beta1_power_1"],
        "4 Adam slots of 1 variable and 1 power of beta",
    );
}

#[test]
fn other_optimizers() {
    state("a/w; a/w/Momentum", &["a/w/Momentum"], "1 Momentum slot of 1 variable");
    state(
        "a/w; a/w/RMSProp; a/w/RMSProp_1; a/w/RMSProp_2",
        &["a/w/RMSProp", "a/w/RMSProp_1", "a/w/RMSProp_2"],
        "3 RMSProp slots of 1 variable",
    );
    for slot in [
        "Adadelta",
        "Adagrad",
        "AdagradDA",
        "AdaMax",
        "AdamW",
        "Ftrl",
        "MomentumW",
        "ProximalAdagrad",
    ] {
        let name = format!("a/w/{slot}");
        state(&format!("a/w; {name}"), &[&name], &format!("1 {slot} slot of 1 variable"));
    }
}

#[test]
fn berts_own_adam() {
    check(
        "optimizer: drop\nrules: [{from: a/w, to: w}]",
        "a/w; a/w/adam_m; a/w/adam_v",
        "w <- a/w
         a/w/adam_m: optimizer
         a/w/adam_v: optimizer",
    );
}

#[test]
fn several_kinds_in_one_sentence() {
    state(
        "a/w; a/w/Ftrl; a/w/Adam; a/w/Momentum; beta1_power float32 -",
        &["a/w/Ftrl", "a/w/Adam", "a/w/Momentum", "beta1_power"],
        "1 Adam slot of 1 variable, 1 Ftrl slot of 1 variable, 1 Momentum slot of 1 variable and 1 power of beta",
    );
}

#[test]
fn a_scope_around_minimize() {
    state(
        "a/w; opt/a/w/Adam; opt/a/w/Adam_1",
        &["opt/a/w/Adam", "opt/a/w/Adam_1"],
        "2 Adam slots of 1 variable",
    );
}

#[test]
fn estimators_put_something_between() {
    state("dnn/w; dnn/w/t_0/Adagrad", &["dnn/w/t_0/Adagrad"], "1 Adagrad slot of 1 variable");
    state(
        "dnn/w; dnn/w/part_0/Adam; dnn/w/part_0/Adam_1",
        &["dnn/w/part_0/Adam", "dnn/w/part_0/Adam_1"],
        "2 Adam slots of 1 variable",
    );
    state(
        "dnn/w; dnn/dnn/w/part_0/Adagrad",
        &["dnn/dnn/w/part_0/Adagrad"],
        "1 Adagrad slot of 1 variable",
    );
}

#[test]
fn what_only_looks_like_state() {
    // Another shape, no variable, no slot beside a power, no number.
    let variables =
        "a/w; a/w/Adam float32 3; b/Adam; beta1_power float32 -; c/w; c/w/Adam_x; c/Adamant";
    check(
        "rules: [{from: '(.+)', to: {labels: ['$1']}}]",
        variables,
        "a.Sw <- a/w
         a.Sw.SAdam <- a/w/Adam
         b.SAdam <- b/Adam
         beta1_power <- beta1_power
         c.SAdamant <- c/Adamant
         c.Sw <- c/w
         c.Sw.SAdam_x <- c/w/Adam_x",
    );
}

#[test]
fn plain_slots_are_ordinary() {
    check(
        "optimizer: plain\nrules: [{from: '(.+)/Adam', to: 'm/$1'}, {from: '(.+)', to: '$1'}]",
        "w; w/Adam",
        "m/w <- w/Adam\nw <- w",
    );
}

#[test]
fn without_state_the_key_does_no_harm() {
    for word in ["drop", "plain"] {
        check(&format!("optimizer: {word}\nrules: [{{from: w, to: w}}]"), "w", "w <- w");
    }
}
