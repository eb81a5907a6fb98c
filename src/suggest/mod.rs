//! Proposes a rule file: which variable of an old checkpoint becomes which of a new model's, with
//! the reason and with how sure it is. A pure function of what the two checkpoints hold.
//!
//! Names, shapes, the order of series and the structure of both sides each tell a part. Nothing is
//! guessed in silence: what leaves another choice is marked, and what cannot be told stays open.

mod fit;
mod index;
mod judge;
mod new;
mod old;
mod series;
mod side;
mod solve;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, VariableName};
use crate::object::Target;
use crate::tensor::TensorSpec;

pub use judge::Confidence;
use series::{Alikes, Order, Series};
use side::{Names, Side};
use solve::{Solver, Weights};

/// What the user knows.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Pairs that are so: a variable of the old checkpoint, a path or name in the new one.
    pub hints: Vec<(String, String)>,
    /// Whether built-in mappings are left aside.
    pub no_builtin: bool,
}

/// A proposal.
#[derive(Debug, Clone)]
pub struct Suggestion {
    /// One for each variable of the new model.
    pub pairings: Vec<Pairing>,
    /// What of the old checkpoint goes nowhere, and why.
    pub dropped: Vec<(VariableName, String)>,
}

/// What becomes a variable of the new model.
#[derive(Debug, Clone)]
pub struct Pairing {
    /// The key it stands under.
    pub target: Target,
    /// A way to it, as people write it.
    pub path: String,
    /// What it must be.
    pub spec: TensorSpec,
    /// What it is made of; nothing if that is open.
    pub sources: Vec<VariableName>,
    /// How sure that is.
    pub confidence: Confidence,
    /// What speaks for it.
    pub reasons: Vec<String>,
    /// What else it might be.
    pub alternatives: Vec<String>,
}

/// Why there is no proposal.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SuggestError {
    /// The template has no objects.
    #[error("the template is no object-based checkpoint: save one of the new model, `tf.train.Checkpoint(model=model).save(…)`")]
    Template,
}

/// Works out a proposal.
pub fn suggest(
    source: &Catalog,
    template: &Catalog,
    options: &Options,
) -> Result<Suggestion, SuggestError> {
    let _ = options;
    let new = new::read(template).ok_or(SuggestError::Template)?;
    let wanted: BTreeSet<Vec<u64>> =
        new.places.iter().map(|place| place.named.spec.shape().dims().to_vec()).collect();
    let left = old::left(source);
    let mut old = old::items(source, &left, &wanted);
    let has_aside = new.places.iter().any(|place| place.named.views.iter().any(|name| old::is_aside(name)));
    if !has_aside {
        old.retain(|item| !item.named.views.iter().any(|name| old::is_aside(name)));
    }
    let mut names = Names::default();
    let old_side = Side::new(old.iter().map(|item| item.named.clone()).collect(), &mut names);
    let new_side = Side::new(new.places.iter().map(|place| place.named.clone()).collect(), &mut names);
    let created = created(source, &old);
    let mut natural: Vec<usize> = (0..old.len()).collect();
    natural.sort_by(|a, b| {
        let name = |at: &usize| old.get(*at).and_then(|item| item.named.views.first());
        match (name(a), name(b)) {
            (Some(a), Some(b)) => crate::names::natural(a, b),
            _ => std::cmp::Ordering::Equal,
        }
    });
    let objects: Vec<usize> = (0..new.places.len()).collect();
    let mut orders = vec![Order { called: "natural", items: &natural }];
    if !created.is_empty() {
        orders = vec![Order { called: "creation", items: &created }];
    }
    let all = Series::of(&new_side, &|_| true);
    let lay = |of_old: &dyn Fn(usize) -> bool, of_new: &dyn Fn(usize) -> bool, partner: &dyn Fn(usize) -> Option<usize>| {
        let mut old = Series::of(&old_side, of_old);
        for order in &orders {
            old.extend(Series::ordered(&old_side, order, of_old));
        }
        let mut new = Series::of(&new_side, of_new);
        new.extend(Series::ordered(&new_side, &Order { called: "objects", items: &objects }, of_new));
        let mut alikes = Alikes::new((&old_side, &old), (&new_side, &new));
        alikes.append(Alikes::beside(&old_side, (&new_side, &all), partner));
        alikes
    };
    let hints = BTreeMap::new();
    let mut solver = Solver {
        old: &old_side,
        new: &new_side,
        alikes: Vec::new(),
        hints: &hints,
        weights: Weights::new(&old_side, &new_side),
        logits: names.word("logits"),
    };
    let solution = solver.solve(&lay);
    let whys = judge::certain(&solver, &solution);
    let mut pairings = Vec::new();
    for (at, place) in new.places.iter().enumerate() {
        let chosen = solution.chosen.get(at).copied().flatten();
        let confidence = match (chosen, whys.get(at).copied().flatten()) {
            (None, _) => Confidence::Open,
            (_, Some(_)) => Confidence::Certain,
            _ => Confidence::Likely,
        };
        let candidates = solution.candidates.get(at).map(Vec::as_slice).unwrap_or_default();
        let mut ranked: Vec<(f64, usize)> = candidates
            .iter()
            .map(|candidate| (solver.evidence(&solution, candidate.old, at).sum(), candidate.old))
            .collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        pairings.push(Pairing {
            target: place.target.clone(),
            path: place.shown.clone(),
            spec: place.named.spec.clone(),
            sources: chosen
                .and_then(|old_at| old.get(old_at))
                .map(|item| item.origin.sources())
                .unwrap_or_default(),
            confidence,
            reasons: vec![{let mut t=format!("{:?} {:?}", chosen.map(|c| solver.evidence(&solution, c, at)), whys.get(at)); if let Some(c)=chosen.or(ranked.first().map(|r|r.1)) { for (n,a) in solver.alikes.iter().enumerate() { a.each(c, at, |p,s| t.push_str(&format!(" [{n} {} ~ {} {} {s}]", p.old,p.new,p.length))); } } t}],
            alternatives: ranked.iter().take(6).filter_map(|(sum, at)| Some(format!("{sum:.2} {} {:?}", old.get(*at)?.named.views.first()?, solver.evidence(&solution, *at, 0).words))).collect(),
        });
    }
    Ok(Suggestion { pairings, dropped: Vec::new() })
}

/// Items in the order in which TF1 made them, where that is known.
fn created(source: &Catalog, old: &[old::Old]) -> Vec<usize> {
    let places: BTreeMap<&str, usize> =
        source.facts.creation_order.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    if places.is_empty() {
        return Vec::new();
    }
    let mut order: Vec<(usize, usize)> = old
        .iter()
        .enumerate()
        .filter_map(|(at, item)| {
            let first = item.origin.sources().first()?.as_str().to_owned();
            Some((*places.get(first.as_str())?, at))
        })
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(_, at)| at).collect()
}
