//! What TensorFlow wrote, compared with the programs it ran.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::{catalog, meta, testdata, wire};
use crate::catalog::{Catalog, Hyperparameter, Update, VariableName};
use crate::source::meta::{Content, content};

/// The prefixes of all checkpoints below `directory` that have a graph beside them.
fn with_graph(directory: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let found = paths.flat_map(|path| match path.extension() {
        _ if path.is_dir() => with_graph(&path),
        Some(extension) if extension == "meta" => vec![path.with_extension("")],
        _ => Vec::new(),
    });
    found.collect()
}

#[test]
fn the_order_names_every_variable_as_the_checkpoint_does() {
    let prefixes = with_graph(&testdata(""));
    assert!(prefixes.len() >= 20);
    for prefix in prefixes {
        let Catalog { variables, facts, .. } = catalog(&prefix);
        let joined = |note: &String| note.contains("TensorFlow spoiled");
        assert!(facts.notes.iter().all(joined), "{}: {:?}", prefix.display(), facts.notes);
        let known: BTreeSet<_> = variables.keys().map(VariableName::as_str).collect();
        let order: BTreeSet<_> = facts.creation_order.iter().map(String::as_str).collect();
        assert_eq!(order, known, "{}", prefix.display());
        assert_eq!(order.len(), facts.creation_order.len(), "{}", prefix.display());
        for update in &facts.updates {
            let names = update.slots.iter().chain(&update.powers).chain([&update.variable]);
            assert!(names.into_iter().all(|name| known.contains(name.as_str())), "{update:?}");
        }
    }
}

#[test]
fn the_order_is_that_of_the_program() {
    let order = |name: &str| catalog(&testdata(name).join("model.ckpt")).facts.creation_order;
    let layers = ["hidden", "out", "dense"];
    let expected = layers.map(|layer| [format!("net/{layer}/kernel"), format!("net/{layer}/bias")]);
    assert_eq!(order("nested_keras"), expected.concat());
    assert_eq!(
        order("optimizers/adam")[4..10],
        [
            "model/dense_2/kernel",
            "model/dense_2/bias",
            "global_step",
            "beta1_power",
            "beta2_power",
            "model/dense/kernel/Adam",
        ]
    );
}

/// Fixture, op, slots of the variable `{}`, powers, settings in the order of their names.
type Expected = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static [(&'static str, f64)],
);

const ADAM: [(&str, f64); 4] = [("beta1", 0.83), ("beta2", 0.97), ("epsilon", 1e-8), ("lr", 0.013)];
const MOMENTUM: [(&str, f64); 2] = [("lr", 0.03), ("momentum", 0.8)];
const MOMENTS: [&str; 2] = ["{}/Adam", "{}/Adam_1"];
const POWERS: [&str; 2] = ["beta1_power", "beta2_power"];
const SQUARES: [&str; 2] = ["{}/RMSProp", "{}/RMSProp_1"];
/// The op takes the mean before the mean square, which is made first.
const CENTERED: [&str; 3] = ["{}/RMSProp_1", "{}/RMSProp", "{}/RMSProp_2"];

const fn rmsprop(epsilon: f64, momentum: f64) -> [(&'static str, f64); 4] {
    [("epsilon", epsilon), ("lr", 0.011), ("momentum", momentum), ("rho", 0.8)]
}

/// As `testdata/generate/optimizers.py` has it; epsilon is TF1's default where it is 1e-8 or 1e-10.
const EXPECTED: &[Expected] = &[
    ("gradient_descent", "ApplyGradientDescent", &[], &[], &[("alpha", 0.07)]),
    ("momentum", "ApplyMomentum", &["{}/Momentum"], &[], &MOMENTUM),
    ("nesterov", "ApplyMomentum", &["{}/Momentum"], &[], &MOMENTUM),
    ("adam", "ApplyAdam", &MOMENTS, &POWERS, &ADAM),
    ("adam_powers", "ApplyAdam", &MOMENTS, &POWERS, &ADAM),
    ("adam_named", "ApplyAdam", &["{}/trainer", "{}/trainer_1"], &POWERS, &ADAM),
    (
        "adam_scoped",
        "ApplyAdam",
        &["opt/{}/Adam", "opt/{}/Adam_1"],
        &["opt/beta1_power", "opt/beta2_power"],
        &ADAM,
    ),
    ("nadam", "ApplyAdam", &MOMENTS, &POWERS, &ADAM),
    ("adamax", "ApplyAdaMax", &["{}/AdaMax", "{}/AdaMax_1"], &["beta1_power"], &ADAM),
    ("rmsprop", "ApplyRMSProp", &SQUARES, &[], &rmsprop(1e-10, 0.7)),
    ("rmsprop_no_momentum", "ApplyRMSProp", &SQUARES, &[], &rmsprop(1e-3, 0.0)),
    ("rmsprop_centered", "ApplyCenteredRMSProp", &CENTERED, &[], &rmsprop(1e-10, 0.7)),
    (
        "adadelta",
        "ApplyAdadelta",
        &["{}/Adadelta", "{}/Adadelta_1"],
        &[],
        &[("epsilon", 1e-5), ("lr", 1.7), ("rho", 0.9)],
    ),
    ("adagrad", "ApplyAdagrad", &["{}/Adagrad"], &[], &[("lr", 0.09)]),
    (
        "ftrl",
        "ApplyFtrl",
        &["{}/Ftrl", "{}/Ftrl_1"],
        &[],
        &[("l1", 0.002), ("l2", 0.003), ("lr", 0.09), ("lr_power", -0.4)],
    ),
];

#[test]
fn updates_are_those_of_the_program() {
    let weights = ["dense", "dense_1", "dense_2"]
        .map(|layer| [format!("model/{layer}/kernel"), format!("model/{layer}/bias")])
        .concat();
    for &(name, op, slots, powers, settings) in EXPECTED {
        let value = |&(name, value): &(&'static str, f64)| (name, Hyperparameter::Value(value));
        let expected = weights.iter().map(|variable| Update {
            op,
            variable: variable.clone(),
            slots: slots.iter().map(|slot| slot.replace("{}", variable)).collect(),
            powers: powers.iter().map(|&power| power.to_owned()).collect(),
            hyperparameters: settings.iter().map(value).collect(),
            nesterov: ["nesterov", "nadam"].contains(&name),
        });
        let updates = content(&mut wire(&meta(&format!("optimizers/{name}")))).unwrap().updates;
        assert_eq!(updates, expected.collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn two_optimizers_are_told_apart() {
    let updates = content(&mut wire(&meta("optimizers/two_adams"))).unwrap().updates;
    let [body @ .., kernel, bias] = updates.as_slice() else { panic!("{updates:?}") };
    assert_eq!(body.len(), 4);
    for update in body {
        assert_eq!(update.powers, POWERS);
        assert_eq!(update.hyperparameters["lr"], Hyperparameter::Value(0.013));
    }
    for (update, variable) in [(kernel, "model/dense_2/kernel"), (bias, "model/dense_2/bias")] {
        assert_eq!(update.variable, variable);
        assert_eq!(update.powers, POWERS.map(|power| format!("{power}_1")));
        let settings = [("beta1", 0.7), ("beta2", 0.9), ("epsilon", 1e-8), ("lr", 0.02)];
        let settings = settings.map(|(name, value)| (name, Hyperparameter::Value(value)));
        assert_eq!(update.hyperparameters, BTreeMap::from(settings));
    }
}

#[test]
fn a_schedule_is_named() {
    let updates = content(&mut wire(&meta("optimizers/momentum_schedule"))).unwrap().updates;
    let rate = Hyperparameter::Computed("ExponentialDecay".to_owned());
    assert_eq!(updates[0].hyperparameters["lr"], rate);
    assert_eq!(updates[0].hyperparameters["momentum"], Hyperparameter::Value(0.8));
}

#[test]
fn optimizers_of_assignments_are_not_seen() {
    let Content { order, updates, .. } = content(&mut wire(&meta("optimizers/bert_adam"))).unwrap();
    assert_eq!((order.len(), updates.len()), (19, 0));
}
