//! Which keys stand for which tensor: all those for the same bytes of a file are keys of one.

use std::collections::{BTreeMap, BTreeSet};

use super::content::{Keyed, Same, Side};
use super::together::{Pair, Together};
use super::{Difference, What};
use crate::catalog::{Catalog, Storage, Variable, VariableName};
use crate::tensor::DType;

/// The tensors that differences speak of, each once.
#[derive(Debug, Default)]
pub(super) struct Tensors {
    /// Those that have an equal of their name under another one of their keys, with it.
    pub(super) found: Vec<Same>,
    /// The others.
    pub(super) open: Vec<(Side, Keyed)>,
}

/// Gathers the tensors that `differences` speaks of and that can be read. `equal` are all pairs
/// that are equal under one name.
pub(super) fn tensors(
    together: &Together<'_>,
    equal: &[Pair<'_>],
    differences: &[Difference],
    unreadable: &BTreeSet<VariableName>,
) -> Tensors {
    let left = Keys::of(together.left.catalog(), equal, |pair| pair.left);
    let right = Keys::of(together.right.catalog(), equal, |pair| pair.right);
    let mut tensors = Tensors::default();
    let (mut seen, mut settled) = (BTreeSet::new(), BTreeSet::new());
    for difference in differences {
        let sides: &[Side] = match difference.what {
            What::OnlyLeft(_) => &[Side::Left],
            What::OnlyRight(_) => &[Side::Right],
            What::Spec { .. } | What::Values(_) => &[Side::Left, Side::Right],
        };
        let (of_left, of_right) = difference.names();
        for &side in sides {
            let (keys, name) = match side {
                Side::Left => (&left, of_left),
                Side::Right => (&right, of_right),
            };
            let Some(place) = keys.place(name).filter(|place| seen.insert((side, *place))) else {
                continue;
            };
            let all = keys.all(&place);
            if all.iter().any(|key| unreadable.contains(*key)) {
                continue;
            }
            match all.iter().find_map(|key| keys.equal.get(*key)) {
                Some(pair) => drop(settled.insert((pair.left, pair.right))),
                None => tensors.open.extend(keys.tensor(name).map(|tensor| (side, tensor))),
            }
        }
    }
    for (one, other) in settled {
        let side = |keys: &Keys<'_>, name| keys.tensor(name).into_iter().collect();
        tensors.found.push(Same { left: side(&left, one), right: side(&right, other) });
    }
    tensors
}

/// Where a tensor lies, and as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place<'c> {
    Bytes {
        at: (u32, u64),
        len: u64,
        dtype: DType,
        dims: &'c [u64],
    },
    /// In several pieces, or nowhere: what has no bytes has a place that is another one's too.
    Apart(&'c VariableName),
}

impl<'c> Place<'c> {
    fn of(name: &'c VariableName, variable: &'c Variable) -> Self {
        match variable.storage {
            Storage::Whole { bytes: len @ 1.., .. } => {
                let (dtype, dims) = (variable.spec.dtype(), variable.spec.shape().dims());
                Self::Bytes { at: variable.position(), len, dtype, dims }
            }
            _ => Self::Apart(name),
        }
    }
}

/// The keys of a checkpoint.
struct Keys<'c> {
    catalog: &'c Catalog,
    by_place: BTreeMap<Place<'c>, Vec<&'c VariableName>>,
    /// Those that have an equal of their name.
    equal: BTreeMap<&'c VariableName, Pair<'c>>,
}

impl<'c> Keys<'c> {
    fn of(
        catalog: &'c Catalog,
        equal: &[Pair<'c>],
        name: fn(&Pair<'c>) -> &'c VariableName,
    ) -> Self {
        let mut by_place: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (name, variable) in &catalog.variables {
            by_place.entry(Place::of(name, variable)).or_default().push(name);
        }
        let equal = equal.iter().map(|pair| (name(pair), *pair)).collect();
        Self { catalog, by_place, equal }
    }

    fn place(&self, name: &VariableName) -> Option<Place<'c>> {
        let (name, variable) = self.catalog.variables.get_key_value(name)?;
        Some(Place::of(name, variable))
    }

    /// All keys for what lies there, in order.
    fn all(&self, place: &Place<'c>) -> &[&'c VariableName] {
        self.by_place.get(place).map_or(&[], Vec::as_slice)
    }

    /// What goes by this name, with all of its other keys.
    fn tensor(&self, name: &VariableName) -> Option<Keyed> {
        let all = self.all(&self.place(name)?).iter();
        let further = all.filter(|key| **key != name).map(|key| (*key).clone()).collect();
        let spec = self.catalog.variables.get(name)?.spec.clone();
        Some(Keyed { name: name.clone(), further, spec })
    }
}
