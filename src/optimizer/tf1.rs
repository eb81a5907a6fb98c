//! State in name-based checkpoints, by name and shape, and by the graph beside them if it is there.
//!
//! A slot of `a/kernel` is `a/kernel/<optimizer>`, then `a/kernel/<optimizer>_1`, …, and has its
//! shape; a scope open in `minimize` stands in front, and parts of names may stand between.

use std::collections::{BTreeMap, BTreeSet};

use super::Kind;
use crate::catalog::{Catalog, Variable, VariableName};
use crate::names::{counted, unnumbered};

/// The step counter of TF1's training loops.
const GLOBAL_STEP: &str = "global_step";

/// Bytes and components of the name of a slot: every stretch of a longer one might be a variable's
/// name, and there would be too many.
const MAX_NAME: usize = 4096;
const MAX_COMPONENTS: usize = 128;

/// Optimizer state that a checkpoint holds.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Every slot.
    pub slots: BTreeMap<VariableName, Slot>,
    /// Powers of beta: `beta1_power`, `beta2_power`, also below a name scope.
    pub powers: BTreeSet<VariableName>,
    /// The step counter.
    pub step: Option<VariableName>,
}

/// A slot variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The variable it belongs to.
    pub variable: VariableName,
    /// The optimizer's name.
    pub optimizer: String,
    /// Which of the optimizer's slots, counted from 0.
    pub number: usize,
}

/// Finds the state. `names` are optimizers that were given names of their own.
pub fn detect(catalog: &Catalog, names: &[&str]) -> State {
    let mut state = State::default();
    // The graph knows its slots, whatever the optimizer was called.
    let drawn = catalog.facts.updates.iter().flat_map(|update| &update.slots);
    let leaves = drawn.filter_map(|slot| slot.rsplit('/').next());
    let names: BTreeSet<&str> = names.iter().copied().chain(leaves.map(unnumbered)).collect();
    for (name, variable) in &catalog.variables {
        if let Some((optimizer, number)) = slot_name(name.as_str(), &names)
            && let Some(owner) = owner(catalog, name.as_str(), variable)
        {
            let optimizer = optimizer.to_owned();
            state.slots.insert(name.clone(), Slot { variable: owner.clone(), optimizer, number });
        }
    }
    let scalar = |variable: &Variable| variable.spec.shape().rank() == 0;
    let powers = catalog
        .variables
        .iter()
        .filter(|(name, variable)| scalar(variable) && is_power(name.as_str()))
        .map(|(name, _)| name.clone());
    state.powers = powers.collect();
    let step = catalog.variables.get_key_value(GLOBAL_STEP);
    state.step = step.filter(|(_, variable)| scalar(variable)).map(|(name, _)| name.clone());
    state
}

impl State {
    /// Whether there is any: a power alone may be anything, beside slots it is Adam's.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// What there is, in a few words: `8 Adam slots of 4 variables and 2 powers of beta`.
    pub fn summary(&self) -> String {
        let mut kinds: BTreeMap<&str, (usize, BTreeSet<&VariableName>)> = BTreeMap::new();
        for slot in self.slots.values() {
            let (count, variables) = kinds.entry(&slot.optimizer).or_default();
            *count += 1;
            variables.insert(&slot.variable);
        }
        let mut parts: Vec<String> = kinds
            .into_iter()
            .map(|(kind, (count, variables))| {
                let slots = counted(count, &format!("{kind} slot"));
                format!("{slots} of {}", counted(variables.len(), "variable"))
            })
            .collect();
        let powers = self.powers.len();
        parts.extend((powers > 0).then(|| format!("{} of beta", counted(powers, "power"))));
        match parts.pop() {
            Some(last) if parts.is_empty() => last,
            Some(last) => format!("{} and {last}", parts.join(", ")),
            None => String::new(),
        }
    }
}

/// The optimizer and the slot's number, if the last component is a slot's.
fn slot_name<'n>(name: &'n str, names: &BTreeSet<&str>) -> Option<(&'n str, usize)> {
    let leaf = name.rsplit('/').next()?;
    match leaf {
        "adam_m" => return Some(("adam", 0)),
        "adam_v" => return Some(("adam", 1)),
        _ => {}
    }
    let known = |leaf: &str| names.contains(leaf) || Kind::slot_names().any(|name| name == leaf);
    if known(leaf) {
        return Some((leaf, 0));
    }
    let (stem, number) = leaf.rsplit_once('_')?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (digits && known(stem)).then(|| Some((stem, number.parse().ok()?)))?
}

/// Whether a name is that of a power of beta.
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
    if name.len() > MAX_NAME || name.matches('/').count() > MAX_COMPONENTS {
        return None;
    }
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
