//! Variables of a checkpoint: as a table, a tree, comma-separated values, and for machines.

mod csv;
mod json;
mod text;
mod tree;

use std::collections::BTreeMap;

use crate::catalog::{Catalog, Variable, VariableName};
use crate::names::natural;
use crate::optimizer::SlotOf;
use crate::stats::{Moments, Statistics};

pub(super) use csv::csv;
pub(super) use json::document;
pub(super) use text::text;
pub(super) use tree::text as tree;

/// An order of variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Byte by byte, as TensorFlow stores them.
    Key,
    /// By name, numbers by their value.
    Name,
    /// The largest first, and of equal size by name.
    Size,
}

impl Order {
    /// Puts variables in this order.
    pub fn sort(self, variables: &mut [(&VariableName, &Variable)]) {
        match self {
            Self::Key => variables.sort_by_key(|(name, _)| *name),
            Self::Name => variables.sort_by(|(a, _), (b, _)| natural(a.as_str(), b.as_str())),
            Self::Size => variables.sort_by(|(a, left), (b, right)| {
                let sizes = right.bytes().cmp(&left.bytes());
                sizes.then_with(|| natural(a.as_str(), b.as_str()))
            }),
        }
    }
}

/// Variables that were asked for, and what is known of them.
#[derive(Debug)]
pub struct Listing<'r> {
    /// The checkpoint.
    pub catalog: &'r Catalog,
    /// The variables, in the order in which they are to be shown.
    pub variables: &'r [(&'r VariableName, &'r Variable)],
    /// Which variables are slots of which.
    pub slots: &'r BTreeMap<VariableName, SlotOf>,
    /// Whether slots stand in the rows of their variables, where people read.
    pub folded: bool,
    /// What values are like, if that was asked for.
    pub statistics: Option<&'r Statistics>,
}

/// A variable with the slots that stand in its row.
struct Row<'r> {
    name: &'r VariableName,
    variable: &'r Variable,
    slots: Vec<&'r str>,
}

impl<'r> Listing<'r> {
    /// The variables that have rows of their own, with the slots that have none. A slot has one
    /// where its variable has not.
    fn rows(&self) -> Vec<Row<'r>> {
        let mut owned: BTreeMap<&VariableName, Vec<&str>> = BTreeMap::new();
        if self.folded && !self.slots.is_empty() {
            owned = self.variables.iter().map(|(name, _)| (*name, Vec::new())).collect();
            for SlotOf { variable, name } in self.slots.values() {
                owned.entry(variable).and_modify(|slots| slots.push(name));
            }
        }
        let owner = |name| Some(&self.slots.get(name)?.variable);
        let own = self
            .variables
            .iter()
            .filter(|(name, _)| owner(*name).is_none_or(|owner| !owned.contains_key(owner)));
        own.map(|(name, variable)| {
            let slots = owned.get(*name).cloned().unwrap_or_default();
            Row { name, variable, slots }
        })
        .collect()
    }

    /// Whether a variable is a slot.
    fn is_slot(&self, name: &VariableName) -> bool {
        self.slots.contains_key(name)
    }

    fn moments(&self, name: &VariableName) -> Option<&'r Moments> {
        self.statistics?.moments.get(name)
    }
}

/// `3 slices` of what lies in several.
fn slices(variable: &Variable) -> Option<usize> {
    use crate::catalog::Storage;
    match variable.storage {
        Storage::Slices(n) | Storage::Records(n) if n != 1 => Some(n),
        Storage::Whole { .. } | Storage::Slices(_) | Storage::Records(_) => None,
    }
}

/// Bytes of a variable; `None` where only reading it would tell.
fn bytes(variable: &Variable) -> Option<u64> {
    use crate::catalog::Storage;
    match (variable.storage, variable.spec.bytes()) {
        (Storage::Records(_) | Storage::Slices(_), None) => None,
        _ => Some(variable.bytes()),
    }
}
