//! Optimizer state in TF1 checkpoints: slots, powers of beta, and whose they are.
//!
//! TF1 keeps state in variables beside the model's, told apart by their names only: a slot of
//! `a/kernel` is `a/kernel/<optimizer>`, then `a/kernel/<optimizer>_1`, …, and has its shape.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, Variable, VariableName};

/// Last components that name a slot, with what the optimizer is called. A number may follow:
/// `Adam_1`.
const SLOTS: &[(&str, &str)] = &[
    ("Adadelta", "Adadelta"),
    ("Adagrad", "Adagrad"),
    ("AdagradDA", "AdagradDA"),
    ("Adam", "Adam"),
    ("AdaMax", "AdaMax"),
    ("AdamW", "AdamW"),
    ("AdamWeightDecayOptimizer", "AdamWeightDecay"),
    ("BERTAdam", "BERTAdam"),
    ("Ftrl", "Ftrl"),
    ("LARSOptimizer", "LARS"),
    ("Momentum", "Momentum"),
    ("MomentumW", "MomentumW"),
    ("ProximalAdagrad", "ProximalAdagrad"),
    ("RMSProp", "RMSProp"),
    ("adam_m", "AdamWeightDecay"),
    ("adam_v", "AdamWeightDecay"),
];

/// Optimizer state that a checkpoint holds.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Every slot with its variable.
    pub slots: BTreeMap<VariableName, Slot>,
    /// Powers of beta: `beta1_power`, `beta2_power`, also below a name scope.
    pub powers: BTreeSet<VariableName>,
}

/// A slot variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The variable it belongs to.
    pub variable: VariableName,
    /// The optimizer, as its name tells.
    pub optimizer: &'static str,
}

/// Finds the state by name and shape; `None` where there is none.
pub fn detect(catalog: &Catalog) -> Option<State> {
    let mut state = State::default();
    for (name, variable) in &catalog.variables {
        if let Some(optimizer) = optimizer(name.as_str())
            && let Some(owner) = owner(catalog, name.as_str(), variable)
        {
            let slot = Slot { variable: owner.clone(), optimizer };
            state.slots.insert(name.clone(), slot);
        }
    }
    let scalar = |variable: &Variable| variable.spec.shape().rank() == 0;
    state.powers = catalog
        .variables
        .iter()
        .filter(|(name, variable)| scalar(variable) && is_power(name.as_str()))
        .map(|(name, _)| name.clone())
        .collect();
    // A power alone may be anything; beside slots it is Adam's.
    (!state.slots.is_empty()).then_some(state)
}

impl State {
    /// Whether `name` is part of the state.
    pub fn holds(&self, name: &VariableName) -> bool {
        self.slots.contains_key(name) || self.powers.contains(name)
    }

    /// What there is, in a few words: `8 Adam slots of 4 variables, beta1_power and beta2_power`.
    pub fn summary(&self) -> String {
        let mut kinds: BTreeMap<&str, (usize, BTreeSet<&VariableName>)> = BTreeMap::new();
        for slot in self.slots.values() {
            let (count, variables) = kinds.entry(slot.optimizer).or_default();
            *count += 1;
            variables.insert(&slot.variable);
        }
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        let mut parts: Vec<String> = kinds
            .into_iter()
            .map(|(kind, (count, variables))| {
                let of = variables.len();
                format!("{count} {kind} slot{} of {of} variable{}", plural(count), plural(of))
            })
            .collect();
        match self.powers.len() {
            0 => {}
            n => parts.push(format!("{n} power{} of beta", plural(n))),
        }
        match parts.pop() {
            Some(last) if parts.is_empty() => last,
            Some(last) => format!("{} and {last}", parts.join(", ")),
            None => String::new(),
        }
    }
}

fn optimizer(name: &str) -> Option<&'static str> {
    let leaf = name.rsplit('/').next()?;
    let known = |leaf: &str| SLOTS.iter().find(|(slot, _)| *slot == leaf).map(|(_, kind)| *kind);
    known(leaf).or_else(|| {
        let (stem, number) = leaf.rsplit_once('_')?;
        let numbered = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
        numbered.then(|| known(stem)).flatten()
    })
}

fn is_power(name: &str) -> bool {
    let leaf = name.rsplit('/').next().unwrap_or_default();
    ["beta1_power", "beta2_power"].iter().any(|power| {
        leaf.strip_prefix(power).is_some_and(|rest| {
            rest.strip_prefix('_').map_or(rest.is_empty(), |number| number.parse::<u32>().is_ok())
        })
    })
}

/// The variable a slot called `name` belongs to: the longest existing name that it begins with,
/// after the scope that `minimize` may have put in front, and that has the slot's shape.
fn owner<'c>(catalog: &'c Catalog, name: &str, slot: &Variable) -> Option<&'c VariableName> {
    let starts = std::iter::once(0).chain(name.match_indices('/').map(|(at, _)| at + 1));
    let ends: Vec<usize> = name.match_indices('/').map(|(at, _)| at).rev().collect();
    for start in starts {
        for &end in ends.iter().take_while(|end| **end > start) {
            let Some(candidate) = name.get(start..end) else { continue };
            if let Some((owner, variable)) = catalog.variables.get_key_value(candidate)
                && variable.spec.shape() == slot.spec.shape()
            {
                return Some(owner);
            }
        }
    }
    None
}
