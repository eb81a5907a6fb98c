//! Averages beside variables: which of the two values is taken, and what follows.

use ckptmap::plan::Options;

use crate::fresh::{Around, created, template};
use crate::harness::{catalog, check, is, planned, planned_with, read, render};

const RULES: &str = "rules: [{from: '(.+)', to: '$1'}]";
const W: &str = "w; w/ExponentialMovingAverage; b";

#[track_caller]
fn ema(ema: &str, variables: &str, expected: &str) {
    check(&format!("ema: {ema}\n{RULES}"), variables, expected);
}

#[test]
fn the_three_choices() {
    ema(
        "prefer",
        W,
        "b <- b
         w <- w/ExponentialMovingAverage
         w: Averaged",
    );
    ema(
        "only",
        W,
        "unmatched: `ema: only`: `b` has no average | `ema: prefer` takes its own value",
    );
    ema(
        "only",
        "w; w/ExponentialMovingAverage; bn/moving_mean",
        "bn/moving_mean <- bn/moving_mean
         w <- w/ExponentialMovingAverage
         w: Averaged",
    );
    ema(
        "ignore",
        W,
        "b <- b
         w <- w
         w/ExponentialMovingAverage: AverageDropped",
    );
    check(
        RULES,
        W,
        "unmatched: the checkpoint holds averages of 1 variable: `w/ExponentialMovingAverage` | write `ema: prefer` for averages where there are some, `ema: only` if every trainable variable must have one, or `ema: ignore` for raw values",
    );
    ema("prefered", W, "value: `prefered` is not known here | did you mean `prefer`?
         unmatched: the checkpoint holds averages of 1 variable: `w/ExponentialMovingAverage` | write `ema: prefer` for averages where there are some, `ema: only` if every trainable variable must have one, or `ema: ignore` for raw values");
    ema(
        "{use: prefer}",
        W,
        "b <- b
         w <- w/ExponentialMovingAverage
         w: Averaged",
    );
    ema("{suffix: x}", W, "key: the key `use` is missing here
         unmatched: the checkpoint holds averages of 1 variable: `w/ExponentialMovingAverage` | write `ema: prefer` for averages where there are some, `ema: only` if every trainable variable must have one, or `ema: ignore` for raw values");
}

#[test]
fn a_checkpoint_without_averages() {
    for word in ["prefer", "ignore"] {
        ema(word, "w", "w <- w");
    }
    ema(
        "only",
        "w",
        "unmatched: `ema: only`: the checkpoint has no averages | their names end in something else? say it: `{use: only, suffix: …}`",
    );
}

#[test]
fn other_spellings() {
    let rules = |suffix: &str| format!("{{use: prefer, suffix: '{suffix}'}}");
    ema(
        &rules(r"ema_0\.9999"),
        "w; w/ema_0.9999",
        "w <- w/ema_0.9999
         w: Averaged",
    );
    ema(
        &rules(r"ema_[0-9.]+"),
        "w; w/ema_0.9999",
        "w <- w/ema_0.9999
         w: Averaged",
    );
    // A suffix matches as a whole, and may have several components.

    ema(
        &rules("shadow/v"),
        "w; w/shadow/v",
        "w <- w/shadow/v
         w: Averaged",
    );
    ema(
        &rules("("),
        "w",
        "pattern: not a pattern: unclosed group | close what is open; a parenthesis itself is `\\(` or `\\)`",
    );
    // Two averages of one variable.
    ema(
        &rules("ema_."),
        "w; w/ema_1; w/ema_2",
        "name: `w/ema_1` and `w/ema_2` are both called `w` after `rename` and `leaves` | keep in `replace` what tells them apart",
    );
}

/// Raw values would be taken in silence.
#[test]
fn a_suffix_that_nothing_has() {
    for word in ["prefer", "ignore"] {
        let rules = format!(
            "ema: {{use: {word}, suffix: 'ema'}}\nrules: [{{drop: '.+/ema_1'}}, {{from: w, to: w}}]"
        );
        let found = planned(&rules, "w; w/ema_1");
        assert!(found.contains("/ema`"), "{word}: {found}");
    }
}

#[test]
fn averages_alone() {
    for word in ["prefer", "only"] {
        ema(word, "w/ExponentialMovingAverage", "w <- w/ExponentialMovingAverage");
    }
    ema("ignore", "w/ExponentialMovingAverage", "unused: `(.+)` matches no variable");
}

#[test]
fn what_only_looks_like_an_average() {
    for word in ["prefer", "ignore"] {
        check(
            &format!("ema: {word}\nrules: [{{from: '(.+)', to: {{labels: ['$1']}}}}]"),
            "w float32 2; w/ExponentialMovingAverage float32 3; v float32 2; v/ExponentialMovingAverage float64 2; ExponentialMovingAverage",
            "ExponentialMovingAverage <- ExponentialMovingAverage
         v <- v
         v.SExponentialMovingAverage <- v/ExponentialMovingAverage
         w <- w
         w.SExponentialMovingAverage <- w/ExponentialMovingAverage",
        );
    }
}

#[test]
fn what_lies_beside_an_average() {
    let variables = "w; w/ExponentialMovingAverage; w/ExponentialMovingAverage/biased; w/ExponentialMovingAverage/local_step float32 -";
    ema(
        "prefer",
        variables,
        "w <- w/ExponentialMovingAverage
         w: Averaged
         w/ExponentialMovingAverage/biased: AverageDropped
         w/ExponentialMovingAverage/local_step: AverageDropped",
    );
    ema(
        "ignore",
        variables,
        "w <- w
         w/ExponentialMovingAverage: AverageDropped
         w/ExponentialMovingAverage/biased: AverageDropped
         w/ExponentialMovingAverage/local_step: AverageDropped",
    );
}

#[test]
fn rules_see_one_name() {
    check(
        "ema: prefer\nrename: [{find: '^w', replace: v}]\nleaves: {kernel: k}\nrules: [{from: '(.+)', to: '$1'}]",
        "w/kernel; w/kernel/ExponentialMovingAverage",
        "v/k <- w/kernel/ExponentialMovingAverage
         w/kernel: Averaged",
    );
    check(
        "ema: prefer\nscopes: [{layers: [{dense: x}]}]",
        "dense/kernel; dense/bias; dense/kernel/ExponentialMovingAverage; dense/bias/ExponentialMovingAverage",
        "x/bias <- dense/bias/ExponentialMovingAverage
         x/kernel <- dense/kernel/ExponentialMovingAverage
         dense/bias: Averaged
         dense/kernel: Averaged",
    );
    check(
        "ema: prefer\nrules: [{drop: w}]",
        "w; w/ExponentialMovingAverage",
        "w: Averaged
         w/ExponentialMovingAverage: dropped",
    );
    check(
        "ema: prefer\nrules: [{from: '.+/Exp.+', to: x}, {drop: w}]",
        "w; w/ExponentialMovingAverage",
        "unused: `.+/Exp.+` matches no variable",
    );
    check(
        "ema: prefer\nrules: [{from: ['a', 'b'], to: x, apply: [{concat: 0}]}]",
        "a; a/ExponentialMovingAverage; b; b/ExponentialMovingAverage",
        "x <- a/ExponentialMovingAverage + b/ExponentialMovingAverage [concat: 0] as float32 [4]
         a: Averaged
         b: Averaged",
    );
}

/// The raw value is dropped for its average only where the average goes somewhere.
#[test]
fn an_average_that_no_rule_claims() {
    check(
        "ema: prefer\nrules: [{from: b, to: b}]",
        W,
        "unmatched: `w/ExponentialMovingAverage` float32 [2] is claimed by no rule | give it a rule, `drop` it, or write `unmatched: drop` for all that is left",
    );
    check(
        "ema: prefer\nunmatched: drop\nrules: [{from: b, to: b}]",
        W,
        "b <- b
         w: Averaged
         w/ExponentialMovingAverage: unmatched, dropped",
    );
}

#[test]
fn what_is_trained_must_have_one() {
    check(
        "ema: only\nrules: [{from: w, to: w}, {drop: b}]",
        W,
        "w <- w/ExponentialMovingAverage
         b: dropped
         w: Averaged",
    );
    check(
        "ema: only\nunmatched: drop\nrules: [{from: w, to: w}]",
        W,
        "w <- w/ExponentialMovingAverage
         b: unmatched, dropped
         w: Averaged",
    );
    check(
        "ema: only\nrules: [{cell: basic_rnn_cell, from: c, to: x}]",
        "c/kernel float32 5,2; c/bias float32 2; c/kernel/ExponentialMovingAverage float32 5,2",
        "unmatched: `ema: only`: `c/bias` has no average | `ema: prefer` takes its own value",
    );
    ema(
        "only",
        "w; w/ExponentialMovingAverage; global_step int64 -; bn/renorm_stddev",
        "bn/renorm_stddev <- bn/renorm_stddev
         global_step <- global_step
         w <- w/ExponentialMovingAverage
         w: Averaged",
    );
}

/// TF1's Saver finds values by names: an average never goes by its variable's.
#[test]
fn an_average_keeps_its_name() {
    let names = Options { keep_names: true, ..read() };
    let rules = format!("ema: prefer\n{RULES}");
    is(
        &planned_with(&rules, W, &[], &names),
        "b <- b
         w <- w/ExponentialMovingAverage
         b = b/.ATTRIBUTES/VARIABLE_VALUE
         w/ExponentialMovingAverage = w/.ATTRIBUTES/VARIABLE_VALUE
         w: Averaged",
    );
    let full_names = |around: &Around<'_>, rules: &str, variables: &str| -> Vec<String> {
        let plan = around.plan(rules, &catalog(variables)).unwrap();
        plan.graph.unwrap().attributes().map(|(_, value)| value.full_name.clone()).collect()
    };
    assert_eq!(full_names(&Around::default(), &rules, W), ["b", "w/ExponentialMovingAverage"]);
    let like = || Around { template: Some(template("w as w; b as b")), ..Around::default() };
    assert_eq!(full_names(&like(), &rules, W), ["", "b"]);
    assert_eq!(full_names(&like(), &rules.replace("prefer", "ignore"), W), ["w", "b"]);
    // Averages alone: nothing else is called so, but its own name is another all the same.
    assert_eq!(full_names(&like(), &rules, "w/ExponentialMovingAverage; b"), ["", "b"]);
}

/// Averages were created behind all variables, but take the place of theirs.
#[test]
fn averages_in_the_order_of_creation() {
    let source = created(
        "z/k; y/k; x/k; z/k/ExponentialMovingAverage; x/k/ExponentialMovingAverage",
        &["z/k", "y/k", "x/k", "z/k/ExponentialMovingAverage", "x/k/ExponentialMovingAverage"],
    );
    let around = Around { template: Some(template("l0/k; l1/k; l2/k")), ..Around::default() };
    let rules = "rules: [{zip: {from: '.+/k', onto: '.+/k', order: creation}}]";
    is(
        &render(around.plan(&format!("ema: ignore\n{rules}"), &source)),
        "l0/k <- z/k
         l1/k <- y/k
         l2/k <- x/k
         x/k/ExponentialMovingAverage: AverageDropped
         z/k/ExponentialMovingAverage: AverageDropped",
    );
    is(
        &render(around.plan(&format!("ema: prefer\n{rules}"), &source)),
        "l0/k <- z/k/ExponentialMovingAverage
         l1/k <- y/k
         l2/k <- x/k/ExponentialMovingAverage
         x/k: Averaged
         z/k: Averaged",
    );
}

#[test]
fn partitioned_averages() {
    check(
        "ema: prefer\nrules: [{from: t, to: t, apply: [{unpartition: mod}]}]",
        "t float32 8,2 in 3,3,2; t/ExponentialMovingAverage float32 8,2 in 3,3,2",
        "t <- t/ExponentialMovingAverage [unpartition: {strategy: mod, parts: 3}] as float32 [8, 2]
         t: Averaged",
    );
}

/// An average of an average: nothing of the variable is lost for it.
#[test]
fn averages_of_averages() {
    let shadow = "ExponentialMovingAverage";
    let rules = "ema: prefer\nunmatched: drop\nrules: [{from: w, to: w}]";
    let found = planned(rules, &format!("w; w/{shadow}; w/{shadow}/{shadow}"));
    assert!(found.contains(&format!("w <- w/{shadow}\n")), "{found}");
}

/// A scope stands in front of all of them, or of none: what one variable has lost is not given the
/// average of another.
#[test]
fn scopes_of_averages() {
    let (rules, shadow) =
        ("ema: prefer\nrules: [{from: '(.+)', to: 'm/$1'}]", "ExponentialMovingAverage");
    check(
        rules,
        &format!("a/w; b/w; train/a/w/{shadow}; train/b/w/{shadow}"),
        &format!(
            "m/a/w <- train/a/w/{shadow}
             m/b/w <- train/b/w/{shadow}
             a/w: Averaged
             b/w: Averaged"
        ),
    );
    check(
        rules,
        &format!("block_0/k/{shadow}; k; other; other/{shadow}"),
        &format!(
            "m/block_0/k <- block_0/k/{shadow}
             m/k <- k
             m/other <- other/{shadow}
             other: Averaged"
        ),
    );
}
