//! Slots of partitioned variables whose names TensorFlow spoiled.
//!
//! `minimize` inside a scope takes the name of each part's slot for longer than it is, by the
//! scope and a slash, and keeps too much of its end. Instead of one variable in slices there is
//! then one per part, each of full shape with a single slice, which TensorFlow itself cannot read:
//!
//! ```text
//! part of V   its slot             saved as V/ and the last 4 characters before the slot
//! V/part_0    opt/V/part_0/Adam    V/t_0/Adam     rows 0..5 of 20 ┐
//! …                                                               ├► V/Adam
//! V/part_10   opt/V/part_10/Adam   V/_10/Adam     rows 19..20     ┘
//! ```
//! Where two parts end alike they share a name. What is joined here is proved to be exactly one
//! variable, cut as V is.

use std::collections::{BTreeMap, BTreeSet};

use super::stitch::{Numbering, Stitched};
use crate::catalog::{Facts, VariableName};

/// Longer names are nobody's: each of their components may be where the variable's ends.
const MAX_NAME: usize = 4096;

/// What was joined: the old name, and the one it goes by now.
pub(super) type Joined = BTreeMap<VariableName, VariableName>;

/// Joins what belongs together. `taken` says whether a name is another variable's.
pub(super) fn join<P>(
    variables: &mut BTreeMap<VariableName, Stitched<P>>,
    taken: impl Fn(&VariableName) -> bool,
) -> Joined {
    // By the name they are to have, and by how much too long the end was.
    let mut groups: BTreeMap<(VariableName, usize), Vec<VariableName>> = BTreeMap::new();
    let mut owners = Owners { variables, numberings: BTreeMap::new() };
    for (name, spoiled) in variables.iter().filter(|(_, variable)| variable.has_gaps()) {
        if let Some(group) = owners.read(name, spoiled) {
            groups.entry(group).or_default().push(name.clone());
        }
    }
    let mut joined = Joined::new();
    for ((whole, _), members) in groups {
        let found: Vec<&Stitched<P>> =
            members.iter().filter_map(|name| variables.get(name)).collect();
        // Another group may have taken the name, or a member.
        let all_there = found.len() == members.len();
        if !all_there || variables.contains_key(&whole) || taken(&whole) || !Stitched::fit(&found) {
            continue;
        }
        let parts = members.iter().filter_map(|name| variables.remove(name)).collect();
        variables.extend(Stitched::joined(parts).map(|variable| (whole.clone(), variable)));
        joined.extend(members.into_iter().map(|name| (name, whole.clone())));
    }
    joined
}

/// Variables that slots may belong to.
struct Owners<'v, P> {
    variables: &'v BTreeMap<VariableName, Stitched<P>>,
    /// Of those that were asked for: a variable may have very many parts, and very many slots.
    numberings: BTreeMap<&'v str, Numbering<'v>>,
}

impl<'v, P> Owners<'v, P> {
    /// The name that parts of a slot should have had, and the length of the end that was kept.
    fn read(
        &mut self,
        name: &'v VariableName,
        spoiled: &Stitched<P>,
    ) -> Option<(VariableName, usize)> {
        let (before, slot) = name.as_str().rsplit_once('/')?;
        if before.len() > MAX_NAME {
            return None;
        }
        before.rmatch_indices('/').find_map(|(at, _)| {
            let owner = before.get(..at)?;
            let end = name.as_str().get(at + 1..=before.len())?;
            let whole = self.variables.get(owner)?;
            // A slot is what its variable is, in type and shape.
            if whole.spec != spoiled.spec {
                return None;
            }
            let numbering = self.numberings.entry(owner).or_insert_with(|| whole.numbering());
            let numbers = spoiled.numbers_in(numbering)?;
            let kept = |number: &usize| {
                let full = format!("{owner}/part_{number}/");
                full.ends_with(end) || end.ends_with(&format!("/{full}"))
            };
            let whole = VariableName::new(format!("{owner}/{slot}"))?;
            numbers.iter().all(kept).then_some((whole, end.len()))
        })
    }
}

/// Facts that speak of variables by their old names speak of them by the new ones.
pub(super) fn rename(joined: &Joined, facts: &mut Facts) {
    if joined.is_empty() {
        return;
    }
    let rename = |name: &mut String| {
        if let Some(new) = joined.get(name.as_str()) {
            new.as_str().clone_into(name);
        }
    };
    facts.creation_order.iter_mut().for_each(rename);
    let mut seen = BTreeSet::new();
    facts.creation_order.retain(|name| seen.insert(name.clone()));
    // What updated a part each updates the whole now: one of them says it.
    for update in std::mem::take(&mut facts.updates) {
        let mut update = update;
        rename(&mut update.variable);
        update.slots.iter_mut().for_each(rename);
        if !facts.updates.contains(&update) {
            facts.updates.push(update);
        }
    }
    let wholes: BTreeSet<&VariableName> = joined.values().collect();
    facts.notes.push(format!(
        "{} parts of slots have names that TensorFlow spoiled; they are joined to {}, such as `{}`",
        joined.len(),
        wholes.len(),
        wholes.iter().next().map_or("", |name| name.as_str()),
    ));
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;
    use crate::tensor::{DType, Region, Shape, TensorSpec};

    /// What becomes of spoiled names beside `w`, which is cut into parts of two rows. Each comes
    /// with the parts it holds.
    fn joined(parts: u64, spoiled: &[(&str, &[u64])]) -> Vec<String> {
        let shape = Shape::new([2 * parts]).unwrap();
        let spec = TensorSpec::new(DType::Float, shape.clone()).unwrap();
        let stitched = |rows: &mut dyn Iterator<Item = Range<u64>>| {
            let region =
                |rows: Range<u64>| Region::new(&shape, std::slice::from_ref(&rows)).unwrap();
            Stitched::new(&spec, rows.map(|rows| Ok((region(rows), ()))))
        };
        let name = |name: &str| VariableName::new(name).unwrap();
        let mut all = BTreeMap::new();
        let rows = |part: u64| 2 * part..2 * part + 2;
        all.insert(name("w"), stitched(&mut (0..parts).rev().map(rows)));
        for (of, parts) in spoiled {
            all.insert(name(of), stitched(&mut parts.iter().copied().map(rows)));
        }
        join(&mut all, |name| name.as_str() == "w/taken");
        all.remove("w").unwrap();
        let shown = |(name, variable): (&VariableName, &Stitched<()>)| {
            format!("{name}{}", if variable.has_gaps() { " has gaps" } else { "" })
        };
        all.iter().map(shown).collect()
    }

    /// Eleven parts and one slot, as TensorFlow names them below a scope of this name.
    fn eleven(scope: &str) -> Vec<String> {
        let mut names: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for part in 0..11 {
            let slot = format!("{scope}/w/part_{part}/Adam");
            let cut = format!("w/part_{part}/").len();
            names.entry(format!("w/{}", &slot[cut..])).or_default().push(part);
        }
        let names: Vec<(&str, &[u64])> =
            names.iter().map(|(name, parts)| (name.as_str(), parts.as_slice())).collect();
        joined(11, &names)
    }

    #[test]
    fn parts_are_told_by_what_was_left_of_their_names() {
        for scope in ["a", "ab", "opt", "train", "seventh", "eight_ch", "nine_char", "a/long_scope"]
        {
            assert_eq!(eleven(scope), ["w/Adam"], "{scope}");
        }
        let two = [
            ("w/t_0/Adam", &[0][..]),
            ("w/t_1/Adam", &[1]),
            ("w/t_0/Adam_1", &[0]),
            ("w/t_1/Adam_1", &[1]),
        ];
        assert_eq!(joined(2, &two), ["w/Adam", "w/Adam_1"]);
    }

    #[test]
    fn what_is_not_exactly_one_variable_stays() {
        let gap = [("w/t_0/Adam", &[0][..]), ("w/t_1/Adam", &[1])];
        assert_eq!(joined(3, &gap), ["w/t_0/Adam has gaps", "w/t_1/Adam has gaps"]);
        // The name of one part, the rows of another.
        let crossed = [("w/t_0/Adam", &[1][..]), ("w/t_1/Adam", &[0])];
        assert_eq!(joined(2, &crossed), ["w/t_0/Adam has gaps", "w/t_1/Adam has gaps"]);
        let other_scopes = [("w/t_0/Adam", &[0][..]), ("w/rt_1/Adam", &[1])];
        assert_eq!(joined(2, &other_scopes), ["w/rt_1/Adam has gaps", "w/t_0/Adam has gaps"]);
        let taken = [("w/t_0/taken", &[0][..]), ("w/t_1/taken", &[1])];
        assert_eq!(joined(2, &taken), ["w/t_0/taken has gaps", "w/t_1/taken has gaps"]);
        let ownerless = [("v/t_0/Adam", &[0][..]), ("v/t_1/Adam", &[1])];
        assert_eq!(joined(2, &ownerless), ["v/t_0/Adam has gaps", "v/t_1/Adam has gaps"]);
    }

    #[test]
    fn parts_of_another_type_stay() {
        let shape = Shape::new([4]).unwrap();
        let stitched = |dtype, parts: &[Range<u64>]| {
            let spec = TensorSpec::new(dtype, shape.clone()).unwrap();
            let region = |rows: &Range<u64>| Region::new(&shape, std::slice::from_ref(rows));
            Stitched::new(&spec, parts.iter().map(|rows| Ok((region(rows).unwrap(), ()))))
        };
        let name = |name: &str| VariableName::new(name).unwrap();
        let mut all = BTreeMap::from([
            (name("w"), stitched(DType::Float, &[0..2, 2..4])),
            (name("w/t_0/Adam"), stitched(DType::Float, std::slice::from_ref(&(0..2)))),
            (name("w/t_1/Adam"), stitched(DType::Int32, std::slice::from_ref(&(2..4)))),
        ]);
        assert_eq!(join(&mut all, |_| false), Joined::new());
        assert_eq!(all.len(), 3);
    }
}
