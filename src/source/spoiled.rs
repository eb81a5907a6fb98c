//! Slots of partitioned variables whose names TensorFlow spoiled.
//!
//! `minimize` inside a scope cuts too many characters off the names of parts. Instead of one
//! variable in slices there is then one per part, each of full shape with a single slice, which
//! TensorFlow itself cannot read:
//!
//! ```text
//! train/V/part_0/Adam ─► V/art_0/Adam  rows 0..5 of 10 ┐
//! train/V/part_1/Adam ─► V/art_1/Adam  rows 5..10      ┴► V/Adam
//! ```
//! Those that together are exactly one variable are joined under the name without that component.

use std::collections::{BTreeMap, BTreeSet};

use super::stitch::Stitched;
use crate::catalog::{Facts, VariableName};

/// What was joined: the old name, and the one it goes by now.
pub(super) type Joined = BTreeMap<VariableName, VariableName>;

/// A name without one of its components, and the number that component ended with.
struct Reading {
    joined: String,
    stem: String,
    number: u64,
}

/// Joins what belongs together. `taken` says whether a name is another variable's.
pub(super) fn join<P>(
    variables: &mut BTreeMap<VariableName, Stitched<P>>,
    taken: impl Fn(&VariableName) -> bool,
) -> Joined {
    let mut groups: BTreeMap<(String, String), Vec<(u64, VariableName)>> = BTreeMap::new();
    for (name, _) in variables.iter().filter(|(_, variable)| variable.has_gaps()) {
        for Reading { joined, stem, number } in readings(name.as_str()) {
            groups.entry((joined, stem)).or_default().push((number, name.clone()));
        }
    }
    let mut done = Joined::new();
    for ((joined, _), mut members) in groups {
        members.sort();
        let Some(name) = VariableName::new(joined) else { continue };
        let free = !variables.contains_key(&name) && !taken(&name);
        let fresh = members.iter().all(|(_, member)| !done.contains_key(member));
        let numbers: BTreeSet<u64> = members.iter().map(|(number, _)| *number).collect();
        if !free || !fresh || members.len() < 2 || numbers.len() < members.len() {
            continue;
        }
        let found: Vec<&Stitched<P>> =
            members.iter().filter_map(|(_, member)| variables.get(member)).collect();
        let [first, ..] = found.as_slice() else { continue };
        if found.iter().any(|other| other.spec != first.spec) || !Stitched::fit(&found) {
            continue;
        }
        let parts: Vec<Stitched<P>> =
            members.iter().filter_map(|(_, member)| variables.remove(member)).collect();
        variables.extend(Stitched::joined(parts).map(|joined| (name.clone(), joined)));
        done.extend(members.into_iter().map(|(_, member)| (member, name.clone())));
    }
    done
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

/// Every way to read a name as that of a part: one component, not the last, that ends with a
/// number.
fn readings(name: &str) -> impl Iterator<Item = Reading> {
    let components: Vec<&str> = name.split('/').collect();
    (0..components.len().saturating_sub(1)).filter_map(move |at| {
        let component = components.get(at)?;
        let digits =
            component.len() - component.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let (stem, number) = component.split_at(component.len() - digits);
        let number = number.parse().ok()?;
        let others = components.iter().enumerate().filter(|(other, _)| *other != at);
        let joined: Vec<&str> = others.map(|(_, component)| *component).collect();
        Some(Reading { joined: joined.join("/"), stem: format!("{at}/{stem}"), number })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{DType, Region, Shape, TensorSpec};

    /// Variables of ten rows, with the rows that are there.
    fn join_all(variables: &[(&str, std::ops::Range<u64>)]) -> Vec<String> {
        let shape = Shape::new([10]).unwrap();
        let spec = TensorSpec::new(DType::Float, shape.clone()).unwrap();
        let mut all = BTreeMap::new();
        for (name, rows) in variables {
            let part = (Region::new(&shape, std::slice::from_ref(rows)).unwrap(), ());
            all.insert(VariableName::new(*name).unwrap(), Stitched::new(&spec, [Ok(part)]));
        }
        let joined = join(&mut all, |name| name.as_str() == "taken/Adam");
        assert_eq!(
            all.len() + joined.len(),
            variables.len() + joined.values().collect::<BTreeSet<_>>().len()
        );
        let shown = |(name, variable): (&VariableName, &Stitched<()>)| {
            let whole = if variable.has_gaps() { "" } else { " whole" };
            format!("{name}{whole}")
        };
        all.iter().map(shown).collect()
    }

    #[test]
    fn parts_that_are_one_variable_become_one() {
        let of = [
            ("v/art_0/Adam", 0..5),
            ("v/art_1/Adam", 5..10),
            ("v/art_0/Adam_1", 0..5),
            ("v/art_1/Adam_1", 5..10),
        ];
        assert_eq!(join_all(&of), ["v/Adam whole", "v/Adam_1 whole"]);
        let odd = [
            ("m/k//k/part_0/Adam", 0..4),
            ("m/k//k/part_10/Adam", 8..10),
            ("m/k//k/part_9/Adam", 4..8),
        ];
        assert_eq!(join_all(&odd), ["m/k//k/Adam whole"]);
        // Layers with numbers are no parts of each other.
        let layers = [
            ("d_0/k/t_0/Adam", 0..5),
            ("d_0/k/t_1/Adam", 5..10),
            ("d_1/k/t_0/Adam", 0..5),
            ("d_1/k/t_1/Adam", 5..10),
        ];
        assert_eq!(join_all(&layers), ["d_0/k/Adam whole", "d_1/k/Adam whole"]);
    }

    #[test]
    fn what_is_not_exactly_one_variable_stays() {
        let gap = [("v/t_0/Adam", 0..5), ("v/t_1/Adam", 6..10)];
        assert_eq!(join_all(&gap), ["v/t_0/Adam", "v/t_1/Adam"]);
        let overlap = [("v/t_0/Adam", 0..5), ("v/t_1/Adam", 0..5)];
        assert_eq!(join_all(&overlap), ["v/t_0/Adam", "v/t_1/Adam"]);
        let other_stems = [("v/t_0/Adam", 0..5), ("v/s_1/Adam", 5..10)];
        assert_eq!(join_all(&other_stems), ["v/s_1/Adam", "v/t_0/Adam"]);
        let taken = [("taken/t_0/Adam", 0..5), ("taken/t_1/Adam", 5..10)];
        assert_eq!(join_all(&taken), ["taken/t_0/Adam", "taken/t_1/Adam"]);
    }
}
