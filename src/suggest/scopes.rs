//! Which layers TF1 counted, so that they are recorded rather than named.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::judge::Confidence;
use super::rules::{Action, Move};
use crate::mapping::Counter;
use crate::names::{natural, unnumbered};

/// A recording.
#[derive(Debug, Clone)]
pub(super) struct Recorded {
    /// The scope that was open.
    pub(super) within: String,
    /// Whether targets are full names.
    pub(super) by_name: bool,
    /// Layers in order: base and target.
    pub(super) layers: Vec<Layer>,
}

/// A recorded layer.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// What TF1 counted.
    pub(super) base: String,
    /// Where its variables go.
    pub(super) to: String,
    /// How sure that is.
    pub(super) confidence: Confidence,
    /// Why.
    pub(super) reason: String,
    /// What it stands for.
    pub(super) moves: Vec<Move>,
}

/// A layer and whether its target is a full name.
type Whole = (bool, Layer);

/// A layer with its place in the order of creation, and its name.
type Placed = (usize, String, Layer);

/// Takes layers out of `moves` that TF1 counted from the first on, all of whose variables go to one
/// object under their own names. `names` are all variables the rules see.
pub(super) fn record(
    moves: &mut Vec<Move>,
    names: &BTreeSet<String>,
    creation: &HashMap<String, usize>,
) -> Vec<Recorded> {
    let mut layers: BTreeMap<&str, Vec<&Move>> = BTreeMap::new();
    for one in moves.iter() {
        if let Some((layer, _)) = one.old.rsplit_once('/') {
            layers.entry(layer).or_default().push(one);
        }
    }
    let mut found: BTreeMap<(String, bool), Vec<Placed>> = BTreeMap::new();
    let mut bases: BTreeMap<String, Vec<(&str, Option<Whole>)>> = BTreeMap::new();
    for (layer, members) in &layers {
        bases
            .entry(unnumbered(layer).to_owned())
            .or_default()
            .push((layer, whole(layer, members, names)));
    }
    for (base, mut members) in bases {
        let (within, own) = base.rsplit_once('/').unwrap_or(("", &base));
        members.sort_by(|a, b| natural(a.0, b.0));
        // Every one of them, in the order of their numbers.
        let mut counter = Counter::default();
        let counted = members.len() > 1
            && members.iter().all(|(layer, _)| counter.layer(within, own) == *layer)
            && all_below(&base, members.len(), names);
        let whole: Option<Vec<Whole>> = members.iter().map(|(_, whole)| whole.clone()).collect();
        let Some(whole) = whole.filter(|_| counted) else { continue };
        let by_name = whole.iter().all(|(by_name, _)| *by_name);
        if !by_name && whole.iter().any(|(by_name, _)| *by_name) {
            continue;
        }
        for ((_, layer), (name, _)) in whole.into_iter().zip(&members) {
            let first = layer.moves.iter().filter_map(|one| creation.get(&one.old)).min();
            let place = first.copied().unwrap_or(usize::MAX);
            let entry = found.entry((within.to_owned(), by_name)).or_default();
            entry.push((place, (*name).to_owned(), layer));
        }
    }
    let mut recorded: Vec<Recorded> = Vec::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for ((within, by_name), mut layers) in found {
        // A scope is recorded once.
        if !known.insert(within.clone()) {
            continue;
        }
        layers.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| natural(&a.1, &b.1)));
        let layers = layers.into_iter().map(|(.., layer)| layer).collect();
        recorded.push(Recorded { within, by_name, layers });
    }
    let taken: BTreeSet<String> = recorded
        .iter()
        .flat_map(|scope| scope.layers.iter().flat_map(|layer| &layer.moves))
        .map(|one| one.old.clone())
        .collect();
    moves.retain(|one| !taken.contains(&one.old));
    recorded
}

/// Whether no further layer has that base.
fn all_below(base: &str, count: usize, names: &BTreeSet<String>) -> bool {
    let scopes: BTreeSet<&str> = names
        .iter()
        .filter_map(|name| {
            let rest = name.strip_prefix(base)?;
            let end = base.len() + rest.find('/')?;
            let scope = name.get(..end)?;
            (unnumbered(scope) == base).then_some(scope)
        })
        .collect();
    scopes.len() == count
}

/// The layer as an entry, if all of it goes to one object as it is.
fn whole(layer: &str, members: &[&Move], names: &BTreeSet<String>) -> Option<Whole> {
    let below = format!("{layer}/");
    let all = names.range(below.clone()..).take_while(|name| name.starts_with(&below)).count();
    if all != members.len() {
        return None;
    }
    let mut to: Option<&str> = None;
    for one in members {
        let [new] = one.new.as_slice() else { return None };
        let (object, leaf) = new.rsplit_once('/')?;
        let same = one.old.rsplit('/').next() == Some(leaf);
        if !same || one.action != Action::Map(&[]) || to.is_some_and(|to| to != object) {
            return None;
        }
        to = Some(object);
    }
    let confidence = members.iter().map(|one| one.confidence).max()?;
    let reason = members.iter().find(|one| one.confidence == confidence)?.reason.clone();
    let moves: Vec<Move> = members.iter().map(|one| (*one).clone()).collect();
    let by_name = members.first()?.by_name;
    let base = unnumbered(layer.rsplit('/').next()?).to_owned();
    Some((by_name, Layer { base, to: to?.to_owned(), confidence, reason, moves }))
}
