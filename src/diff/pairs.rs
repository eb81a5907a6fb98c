//! Which variable of one checkpoint is which of the other.
//!
//! Equal keys belong together. What is left over goes by the path that people know an object's
//! value by, so that `model/kernel` of a TF1 checkpoint meets
//! `model/kernel/.ATTRIBUTES/VARIABLE_VALUE`.

use std::collections::BTreeMap;

use super::{Difference, What};
use crate::catalog::{Catalog, Variable, VariableName};
use crate::object::VARIABLE_VALUE;
use crate::tensor::TensorSpec;

/// A variable with its name.
pub(super) type Named<'c> = (&'c VariableName, &'c Variable);

/// Every variable of two checkpoints.
#[derive(Debug)]
pub(super) struct Pairs<'c> {
    /// Those that both have.
    pub(super) both: Vec<Both<'c>>,
    /// Those that one of them has.
    pub(super) lonely: Vec<Difference>,
}

/// A variable that both have.
#[derive(Debug)]
pub(super) struct Both<'c> {
    pub(super) left: Named<'c>,
    pub(super) right: Named<'c>,
}

impl<'c> Both<'c> {
    /// dtype and shape, if they have them in common.
    pub(super) fn equal_spec(&self) -> Option<&'c TensorSpec> {
        Some(&self.left.1.spec).filter(|spec| **spec == self.right.1.spec)
    }
}

/// Pairs the variables of two checkpoints.
pub(super) fn pairs<'c>(left: &'c Catalog, right: &'c Catalog) -> Pairs<'c> {
    let mut both: Vec<Both<'c>> = left
        .variables
        .iter()
        .filter_map(|left| Some(Both { left, right: right.variables.get_key_value(left.0)? }))
        .collect();
    let mut lefts = left_over(left, right);
    let mut rights = left_over(right, left);
    for (path, lefts) in &mut lefts {
        // A path that two keys of one side stand for says nothing about which of them is meant.
        let Some(rights) = rights.get_mut(path).filter(|rights| rights.len() == 1) else {
            continue;
        };
        if lefts.len() == 1 {
            both.extend(lefts.pop().zip(rights.pop()).map(|(left, right)| Both { left, right }));
        }
    }
    let lonely = |what: fn(TensorSpec) -> What| {
        move |(name, variable): Named<'c>| Difference {
            name: name.clone(),
            right: None,
            what: what(variable.spec.clone()),
        }
    };
    let lefts = lefts.into_values().flatten().map(lonely(What::OnlyLeft));
    let rights = rights.into_values().flatten().map(lonely(What::OnlyRight));
    Pairs { both, lonely: lefts.chain(rights).collect() }
}

/// What `of` has under keys that `other` has not, by path.
fn left_over<'c>(of: &'c Catalog, other: &Catalog) -> BTreeMap<&'c str, Vec<Named<'c>>> {
    let mut by_path: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (name, variable) in &of.variables {
        if !other.variables.contains_key(name) {
            by_path.entry(path(name.as_str())).or_default().push((name, variable));
        }
    }
    by_path
}

/// The path of an object's value, without what marks it as one.
fn path(key: &str) -> &str {
    key.strip_suffix(VARIABLE_VALUE)
        .and_then(|key| key.strip_suffix("/.ATTRIBUTES/"))
        .unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Facts, Storage};
    use crate::tensor::{DType, Shape};

    fn catalog(names: &[&str]) -> Catalog {
        let spec = TensorSpec::new(DType::Float, Shape::scalar()).unwrap();
        let storage = Storage::Whole { shard: 0, offset: 0, bytes: 4 };
        let variable = Variable { spec, storage, parts: Vec::new() };
        Catalog {
            origin: String::new(),
            format: "",
            shards: 1,
            variables: names
                .iter()
                .map(|name| (VariableName::new(*name).unwrap(), variable.clone()))
                .collect(),
            unnamable: Vec::new(),
            graph: None,
            facts: Facts::default(),
        }
    }

    #[test]
    fn paths_meet_only_where_they_are_clear() {
        const KEY: &str = "a/.ATTRIBUTES/VARIABLE_VALUE";
        let counts = |left: &[&str], right: &[&str]| {
            let (left, right) = (catalog(left), catalog(right));
            let pairs = pairs(&left, &right);
            (pairs.both.len(), pairs.lonely.len())
        };
        assert_eq!(counts(&["a", "b"], &["a", "c"]), (1, 2));
        assert_eq!(counts(&["a"], &[KEY]), (1, 0));
        assert_eq!(counts(&["a", KEY], &[KEY]), (1, 1));
        assert_eq!(counts(&["a", KEY], &["b"]), (0, 3));
    }
}
