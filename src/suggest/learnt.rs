//! What decided pairs say of others.

use std::collections::{BTreeMap, HashMap};

use super::side::Item;
use super::solve::Solver;
use super::weights::count;

/// Neighbours whose names are looked at.
const NEAREST: usize = 32;

/// What decided pairs say of others.
#[derive(Debug, Default)]
pub(super) struct Learnt {
    /// Decided items below each name.
    old: HashMap<u32, u32>,
    new: HashMap<u32, u32>,
    /// What the items below each name of the old side became.
    partners: HashMap<u32, Vec<usize>>,
    /// Decided pairs below each two names.
    pairs: HashMap<u32, HashMap<u32, u32>>,
    /// Decided pairs by what is left of their names without numbers.
    rules: HashMap<(u32, u32), u32>,
    ruled: HashMap<u32, u32>,
}

/// What decided neighbours of an item say: how much for whatever lies below which name.
pub(super) struct Near {
    towards: HashMap<u32, f64>,
    /// Words of what the nearest ones became, with how many of them have each; in an order, so that
    /// sums of them come out the same every time.
    words: BTreeMap<u32, f64>,
}

impl Near {
    pub(super) fn towards(&self, prefixes: &[u32]) -> f64 {
        prefixes.iter().filter_map(|prefix| self.towards.get(prefix)).copied().fold(0.0, f64::max)
    }

    /// How much of what neighbours are called the item is called too.
    pub(super) fn kin(&self, solver: &Solver<'_>, item: &Item) -> f64 {
        let weight = |word: &u32| solver.weights.of.get(word).copied().unwrap_or_default();
        let all: f64 = self.words.iter().map(|(word, share)| weight(word) * share).sum();
        if all <= 0.0 {
            return 0.0;
        }
        let views = item.words.iter().map(|words| {
            let shared =
                |word: &u32| self.words.get(word).map_or(0.0, |share| weight(word) * share);
            words.iter().map(shared).sum::<f64>()
        });
        views.fold(0.0, f64::max) / all
    }
}

impl Learnt {
    pub(super) fn add(&mut self, solver: &Solver<'_>, old: usize, new: usize) {
        let partner = new;
        let (Some(old), Some(new)) = (solver.old.items.get(old), solver.new.items.get(new)) else {
            return;
        };
        old.prefixes.iter().for_each(|prefix| *self.old.entry(*prefix).or_default() += 1);
        new.prefixes.iter().for_each(|prefix| *self.new.entry(*prefix).or_default() += 1);
        for a in &old.prefixes {
            self.partners.entry(*a).or_default().push(partner);
            let towards = self.pairs.entry(*a).or_default();
            new.prefixes.iter().for_each(|b| *towards.entry(*b).or_default() += 1);
        }
        for a in &old.skeletons {
            *self.ruled.entry(*a).or_default() += 1;
            for b in &new.skeletons {
                *self.rules.entry((*a, *b)).or_default() += 1;
            }
        }
    }

    pub(super) fn near(&self, solver: &Solver<'_>, old: usize) -> Near {
        let mut towards: HashMap<u32, f64> = HashMap::new();
        let prefixes = solver.old.items.get(old).map(|item| item.prefixes.as_slice());
        for prefix in prefixes.unwrap_or_default() {
            let Some(partners) = self.pairs.get(prefix) else { continue };
            let decided = self.old.get(prefix).copied().unwrap_or_default();
            let wide = solver.old.below.get(prefix).map_or(1, Vec::len);
            // The nearer the neighbours, the more they say.
            let weight = 1.0 / count(wide + 1).ln().max(1.0);
            for (partner, times) in partners {
                let of = decided.max(self.new.get(partner).copied().unwrap_or_default()).max(1);
                let says = weight * f64::from(*times) / f64::from(of);
                let known = towards.entry(*partner).or_default();
                *known = known.max(says);
            }
        }
        let nearest = prefixes
            .unwrap_or_default()
            .iter()
            .find_map(|prefix| self.partners.get(prefix).filter(|partners| !partners.is_empty()));
        let mut words: BTreeMap<u32, f64> = BTreeMap::new();
        let partners = nearest.map(Vec::as_slice).unwrap_or_default();
        let partners = partners.get(..partners.len().min(NEAREST)).unwrap_or_default();
        for partner in partners.iter().filter_map(|at| solver.new.items.get(*at)) {
            let mut said = partner.words.concat();
            said.sort_unstable();
            said.dedup();
            for word in said {
                *words.entry(word).or_default() += 1.0;
            }
        }
        let of = count(partners.len().max(1));
        for share in words.values_mut() {
            *share /= of;
        }
        Near { towards, words }
    }

    pub(super) fn rule(&self, solver: &Solver<'_>, old: usize, new: usize) -> f64 {
        let (Some(old), Some(new)) = (solver.old.items.get(old), solver.new.items.get(new)) else {
            return 0.0;
        };
        let mut best = 0.0_f64;
        for a in &old.skeletons {
            let Some(of) = self.ruled.get(a) else { continue };
            for b in &new.skeletons {
                if let Some(times) = self.rules.get(&(*a, *b)) {
                    best = best.max(f64::from(*times) / f64::from(*of));
                }
            }
        }
        best
    }
}
