//! How sure a pair is.
//!
//! Certain is what leaves no other consistent choice: the value is the only one that fits this place
//! and fits no other; or both are called the same, by a name that somebody gave; or the rest of its
//! layer is certain. What only order, likeness or neighbours tell is likely, however much of it there
//! is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::fit::Fit;
use super::role::Role;
use super::side::{Item, Side};
use super::solve::{Solution, Solver};
use super::tokens::tokens;
use super::words::{is_automatic, words};
use crate::names::{shared_components, unnumbered};

/// How sure something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Nothing else is consistent.
    Certain,
    /// Evidence speaks for it, and there are others.
    Likely,
    /// It cannot be told.
    Open,
}

impl Confidence {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
            Self::Open => "open",
        }
    }
}

/// Why something is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The user said so.
    Said,
    /// Nothing else has its shape.
    Alone,
    /// Both have the same name.
    Named,
    /// The rest of its layer is certain.
    Layer,
}

/// By item of the new side: why its pair is certain.
pub(super) fn certain(solver: &Solver<'_>, solution: &Solution) -> Vec<Option<Why>> {
    let mut fits: HashMap<usize, usize> = HashMap::new();
    for candidate in solution.candidates.iter().flatten() {
        *fits.entry(candidate.old).or_default() += 1;
    }
    let named = named(solver);
    let mut whys: Vec<Option<Why>> = Vec::new();
    for (new, chosen) in solution.chosen.iter().enumerate() {
        let candidates = solution.candidates.get(new).map(Vec::as_slice).unwrap_or_default();
        let why = chosen.and_then(|old| {
            if solver.hints.get(&new) == Some(&old) {
                return Some(Why::Said);
            }
            let fit = candidates.iter().find(|candidate| candidate.old == old)?.fit;
            if !matches!(fit, Fit::Same | Fit::Reshaped) {
                return None;
            }
            let tells =
                solver.old.items.get(old).is_some_and(|item| item.tells() && item.rank() > 1);
            let alone = tells && candidates.len() == 1 && fits.get(&old) == Some(&1);
            if alone {
                return Some(Why::Alone);
            }
            let (_, other) = solver.votes(old, new);
            (other <= 0.0 && named.get(&new) == Some(&old)).then_some(Why::Named)
        });
        whys.push(why);
    }
    layers(solver, solution, &mut whys);
    whys
}

/// Whole layers move together: what is certain of one of its variables says where the others go.
fn layers(solver: &Solver<'_>, solution: &Solution, whys: &mut [Option<Why>]) {
    let mut certain: BTreeSet<(u32, u32)> = BTreeSet::new();
    let both = |old: usize, new: usize| {
        let (old, new) = (solver.old.items.get(old)?, solver.new.items.get(new)?);
        Some((old, new, (*old.layers.first()?, *new.layers.first()?)))
    };
    for (new, chosen) in solution.chosen.iter().enumerate() {
        if let (Some(old), Some(Some(_))) = (chosen, whys.get(new)) {
            certain.extend(both(*old, new).map(|(_, _, layers)| layers));
        }
    }
    let roles = |side: &Side| {
        let mut roles: HashMap<(u32, Role), usize> = HashMap::new();
        for item in &side.items {
            if let Some(layer) = item.layers.first() {
                *roles.entry((*layer, item.role)).or_default() += 1;
            }
        }
        roles
    };
    let (of_old, of_new) = (roles(solver.old), roles(solver.new));
    for (new, chosen) in solution.chosen.iter().enumerate() {
        let Some((old, item, layers)) = chosen.and_then(|old| both(old, new)) else { continue };
        let only = of_old.get(&(layers.0, old.role)) == Some(&1)
            && of_new.get(&(layers.1, item.role)) == Some(&1);
        let known = old.role == item.role && old.role != Role::Unknown;
        if only
            && known
            && certain.contains(&layers)
            && let Some(why @ None) = whys.get_mut(new)
        {
            *why = Some(Why::Layer);
        }
    }
}

/// Words and numbers of a name, without what all names of its side begin with.
type Said = (Vec<String>, Vec<u64>);

/// Pairs with the same name, which nothing else has, and which no program gave: by item of the new
/// side.
fn named(solver: &Solver<'_>) -> HashMap<usize, usize> {
    let mut old: BTreeMap<Said, Vec<usize>> = BTreeMap::new();
    for (said, at, _) in said(solver.old, 0) {
        old.entry(said).or_default().push(at);
    }
    let mut pairs = HashMap::new();
    let mut contradicted = BTreeSet::new();
    for view in 0..2 {
        let mut new: BTreeMap<Said, Vec<usize>> = BTreeMap::new();
        for (said, at, automatic) in said(solver.new, view) {
            if !automatic {
                new.entry(said).or_default().push(at);
            }
        }
        for (said, at) in new {
            let ([new], Some([old])) = (at.as_slice(), old.get(&said).map(Vec::as_slice)) else {
                continue;
            };
            let item = |side: &Side, at: usize| side.items.get(at).map(is_counted);
            if item(solver.old, *old) != Some(false) {
                continue;
            }
            // Numbers may begin at another one: only series that run alike tell that they do not.
            let (same, _) = solver.votes(*old, *new);
            if !said.1.is_empty() && same <= 0.0 {
                continue;
            }
            if pairs.insert(*new, *old).is_some_and(|known| known != *old) {
                contradicted.insert(*new);
            }
        }
    }
    pairs.retain(|new, _| !contradicted.contains(new));
    pairs
}

/// What each item of a side is called, and whether a program gave that name.
fn said(side: &Side, view: usize) -> Vec<(Said, usize, bool)> {
    let names = || side.items.iter().filter_map(|item| item.views.get(view));
    let common = shared_components(names().map(String::as_str)).len();
    let mut all = Vec::new();
    for (at, item) in side.items.iter().enumerate() {
        let Some(name) = item.views.get(view) else { continue };
        let rest: Vec<&str> = name.split('/').skip(common).collect();
        let name = rest.join("/");
        let numbers = tokens(&name).into_iter().filter(|token| token.is_number);
        let numbers = numbers.filter_map(|token| token.text.parse().ok()).collect();
        all.push(((words(&name), numbers), at, is_counted(item)));
    }
    all
}

/// Whether a program gave some part of its name: a number that counts layers of its sort.
fn is_counted(item: &Item) -> bool {
    let components = item.views.iter().flat_map(|name| name.split('/'));
    let mut bases = components.map(|component| (component, unnumbered(component)));
    item.cuts.iter().any(|cut| cut.counted)
        || bases.any(|(component, base)| base.len() < component.len() && is_automatic(base))
}
