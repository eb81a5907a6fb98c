//! Which old value goes where: what is clearest is decided first, and speaks for its neighbours.
//!
//! A pair is looked at only if the value fits. Five things speak for it, each worth between 0 and 1
//! before its weight: the words both names have in common; series that run alike and have both in
//! the same member (against it, if in others); neighbours that were decided, below names as near as
//! possible; decided pairs whose names differ from these in numbers only, which one rule would map;
//! and what TF1 created next to it (against it, if that was something else). A pair is decided if
//! both sides prefer it by a margin, wide ones first.

use std::collections::{BTreeMap, HashMap};

use super::alike::Alikes;
use super::beside::{Beside, Partners};
use super::fit::Fit;
use super::learnt::{Learnt, Near};
use super::side::{Item, Side};
use super::weights::{Weights, count};

/// By how much a pair must be preferred on both sides; the next only when the one before yields
/// nothing more.
const MARGINS: &[f64] = &[0.8, 0.5, 0.3, 0.18, 0.1, 0.06];

const WORDS: f64 = 1.0;
const SERIES: f64 = 1.2;
const NEIGHBOURS: f64 = 0.8;
const KIN: f64 = 0.4;
const RULE: f64 = 0.6;
const NUMBERS: f64 = 0.2;
const BESIDE: f64 = 0.8;

/// What speaks for a pair.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Evidence {
    /// Words in common, of all the two have.
    pub(super) words: f64,
    /// Numbers in common, with the words in front of them.
    pub(super) numbers: f64,
    /// What its layout costs.
    pub(super) layout: f64,
    /// Series that have both in the same member.
    pub(super) same: f64,
    /// Series that have both, in different members.
    pub(super) other: f64,
    /// Decided neighbours.
    pub(super) neighbours: f64,
    /// Words in common with what neighbours became.
    pub(super) kin: f64,
    /// Decided pairs of the same rule.
    pub(super) rule: f64,
    /// Whether TF1 created it next to what its neighbour became: 1, or -1 if it did not.
    pub(super) beside: f64,
}

impl Evidence {
    /// All of it in one number.
    pub(super) fn sum(&self) -> f64 {
        let near = NEIGHBOURS * self.neighbours + KIN * self.kin;
        self.fixed() + near + RULE * self.rule + BESIDE * self.beside
    }

    fn fixed(&self) -> f64 {
        let of = self.same + self.other;
        let series = if of > 0.0 { (self.same - self.other) / of } else { 0.0 };
        WORDS * self.words + NUMBERS * self.numbers + SERIES * series - self.layout
    }
}

/// The size of what has one more of the last axis.
fn one_more(item: &Item) -> Option<(i32, u64)> {
    let (dtype, elements) = super::side::size(&item.spec);
    let last = item.dims().last().copied().filter(|last| *last > 0)?;
    Some((dtype, elements.checked_add(elements / last)?))
}

/// Pairs that are looked at; a model with more variables of equal shapes is none.
const MOST_PAIRS: usize = 8_000_000;

/// What decided pairs can add to a pair at most, and a bit.
const MOST_LEARNT: f64 = 2.0;

/// A pair that is possible.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    /// The item of the old side.
    pub(super) old: usize,
    /// How it fits.
    pub(super) fit: Fit,
    /// What names and series say.
    pub(super) fixed: Evidence,
}

/// What was decided, and what could have been.
#[derive(Debug)]
pub(super) struct Solution {
    /// By item of the new side.
    pub(super) chosen: Vec<Option<usize>>,
    /// By item of the old side, whether it has a place.
    pub(super) given: Vec<bool>,
    /// By item of the new side: everything that fits.
    pub(super) candidates: Vec<Vec<Candidate>>,
    learnt: Learnt,
    /// Norms that go with kernels that are decided.
    partners: Partners,
}

/// Finds series that run alike among those items of both sides that are wanted; at last what became
/// which item of the new side.
pub(super) type Lay<'l> = dyn Fn(&dyn Fn(usize) -> bool, &dyn Fn(usize) -> bool, &dyn Fn(usize) -> Option<usize>) -> Alikes
    + 'l;

/// The two sides and what is known of both.
pub(super) struct Solver<'s> {
    pub(super) old: &'s Side,
    pub(super) new: &'s Side,
    /// Series that run alike, at first and among what was left at each later turn.
    pub(super) alikes: Vec<Alikes>,
    /// What is said: by item of the new side.
    pub(super) hints: &'s BTreeMap<usize, usize>,
    pub(super) weights: Weights,
    /// What TF1 created next to what.
    pub(super) beside: Beside,
    /// Words by their numbers.
    pub(super) vocabulary: HashMap<u32, String>,
    /// The word for the last layer of a classifier.
    pub(super) logits: u32,
}

impl Solver<'_> {
    /// Decides as much as can be. `lay` finds series that run alike among items of both sides.
    ///
    /// Fails with the number of pairs that would have to be looked at, if that is too large.
    pub(super) fn solve(&mut self, lay: &Lay<'_>) -> Result<Solution, usize> {
        self.alikes.push(lay(&|_| true, &|_| true, &|_| None));
        let mut solution = Solution {
            chosen: vec![None; self.new.items.len()],
            given: vec![false; self.old.items.len()],
            candidates: self.candidates()?,
            learnt: Learnt::default(),
            partners: Partners::default(),
        };
        for (new, old) in self.hints {
            solution.decide(self, *old, *new);
        }
        loop {
            let before = solution.open();
            self.turn(&mut solution);
            let open = solution.open();
            // What is left may run alike where the whole did not.
            if open == 0 || (open == before && self.alikes.len() > 1) {
                return Ok(solution);
            }
            let left = lay(
                &|old| solution.given.get(old) == Some(&false),
                &|new| solution.chosen.get(new) == Some(&None),
                &|new| solution.chosen.get(new).copied().flatten(),
            );
            self.alikes.push(left);
            for (new, candidates) in solution.candidates.iter_mut().enumerate() {
                if solution.chosen.get(new) != Some(&None) {
                    continue;
                }
                for candidate in candidates {
                    let (same, other) = self.votes(candidate.old, new);
                    candidate.fixed = Evidence { same, other, ..candidate.fixed };
                }
            }
        }
    }

    /// How much series say for and against a pair.
    pub(super) fn votes(&self, old: usize, new: usize) -> (f64, f64) {
        let votes = self.alikes.iter().map(|alikes| alikes.votes(old, new));
        votes.fold((0.0, 0.0), |(same, other), (a, b)| (same + a, other + b))
    }

    /// Decides what is clear, until nothing is.
    fn turn(&self, solution: &mut Solution) {
        loop {
            solution.partners = self.beside.partners(solution.layers(self));
            // What was learnt may have made other things clear, by the widest margin again.
            let preferred = solution.preferred(self);
            let wide = |margin: &&f64| preferred.iter().any(|(_, by)| by >= *margin);
            let Some(margin) = MARGINS.iter().find(wide) else { return };
            for ((old, new), _) in preferred.iter().filter(|(_, by)| by >= margin) {
                solution.decide(self, *old, *new);
            }
        }
    }

    /// All pairs that fit, or how many there are if they are too many.
    fn candidates(&self) -> Result<Vec<Vec<Candidate>>, usize> {
        let sizes = self.old.sizes();
        let mut words: HashMap<(u32, u32), f64> = HashMap::new();
        let mut all = Vec::with_capacity(self.new.items.len());
        let mut count = 0;
        for (at, new) in self.new.items.iter().enumerate() {
            let same = sizes.get(&super::side::size(&new.spec));
            // A class more, which slim calls background.
            let more = one_more(new).and_then(|size| sizes.get(&size));
            let more = more.filter(|_| new.says(self.logits));
            count += same.map_or(0, Vec::len) + more.map_or(0, Vec::len);
            if count > MOST_PAIRS {
                return Err(count);
            }
            let mut found: Vec<Candidate> = Vec::new();
            for &old_at in same.into_iter().flatten().chain(more.into_iter().flatten()) {
                let Some(old) = self.old.items.get(old_at) else { continue };
                let fit = Fit::of(&old.spec, &new.spec);
                let Some(fit) = fit.filter(|_| old.role.suits(new.role)) else { continue };
                let mut shared = 0.0_f64;
                for (a, a_words) in old.sets.iter().zip(&old.words) {
                    for (b, b_words) in new.sets.iter().zip(&new.words) {
                        let of = words.entry((*a, *b));
                        shared = shared
                            .max(*of.or_insert_with(|| self.weights.shared(a_words, b_words)));
                    }
                }
                let evidence = Evidence { layout: fit.penalty(), ..self.fixed(old_at, at, shared) };
                found.push(Candidate { old: old_at, fit, fixed: evidence });
            }
            all.push(found);
        }
        Ok(all)
    }

    fn fixed(&self, old: usize, new: usize, words: f64) -> Evidence {
        let (same, other) = self.votes(old, new);
        let numbers = match (self.old.items.get(old), self.new.items.get(new)) {
            (Some(a), Some(b)) => {
                let both = a.numbers.iter().filter(|number| b.numbers.contains(number)).count();
                let all = a.numbers.len() + b.numbers.len() - both;
                if all == 0 { 0.0 } else { count(both) / count(all) }
            }
            _ => 0.0,
        };
        Evidence { words, numbers, same, other, ..Evidence::default() }
    }

    /// Words that both names have, the likeliest of their names compared.
    pub(super) fn common_words(&self, old: usize, new: usize) -> Vec<&str> {
        let (Some(a), Some(b)) = (self.old.items.get(old), self.new.items.get(new)) else {
            return Vec::new();
        };
        let a_item = a;
        let pairs = a.words.iter().flat_map(|a| b.words.iter().map(move |b| (a, b)));
        let best = pairs
            .max_by(|x, y| self.weights.shared(x.0, x.1).total_cmp(&self.weights.shared(y.0, y.1)));
        let Some((a, b)) = best else { return Vec::new() };
        // In the order of the old name.
        let said = a_item.views.first().map(|name| super::words::words(name)).unwrap_or_default();
        let both = a.iter().filter(|word| b.contains(word));
        let mut both: Vec<&str> =
            both.filter_map(|word| self.vocabulary.get(word).map(String::as_str)).collect();
        both.sort_by_key(|word| said.iter().position(|said| said == word));
        both
    }

    /// Everything that speaks for a pair.
    pub(super) fn evidence(&self, solution: &Solution, old: usize, new: usize) -> Evidence {
        let (Some(a), Some(b)) = (self.old.items.get(old), self.new.items.get(new)) else {
            return Evidence::default();
        };
        let pairs = a.words.iter().flat_map(|a| b.words.iter().map(move |b| (a, b)));
        let words = pairs.map(|(a, b)| self.weights.shared(a, b)).fold(0.0, f64::max);
        let near = solution.learnt.near(self, old);
        Evidence {
            neighbours: near.towards(&b.prefixes),
            kin: near.kin(self, b),
            rule: solution.learnt.rule(self, old, new),
            beside: solution.partners.speak(a.layers.first(), b.layers.first()),
            layout: Fit::of(&a.spec, &b.spec).map_or(0.0, Fit::penalty),
            ..self.fixed(old, new, words)
        }
    }
}

impl Solution {
    /// How many items of the new side have nothing yet.
    fn open(&self) -> usize {
        self.chosen.iter().filter(|chosen| chosen.is_none()).count()
    }

    /// Layers that decided pairs lie in, that of the old side first.
    fn layers<'s>(&'s self, solver: &'s Solver<'_>) -> impl Iterator<Item = (u32, u32)> + 's {
        let pairs = self.chosen.iter().zip(&solver.new.items);
        pairs.filter_map(|(old, new)| {
            let old = solver.old.items.get((*old)?)?;
            Some((*old.layers.first()?, *new.layers.first()?))
        })
    }

    fn decide(&mut self, solver: &Solver<'_>, old: usize, new: usize) {
        if let (Some(chosen), Some(given)) = (self.chosen.get_mut(new), self.given.get_mut(old)) {
            *chosen = Some(old);
            *given = true;
            self.learnt.add(solver, old, new);
        }
    }

    /// Undecided pairs that both sides prefer, and by how much.
    fn preferred<'s>(&self, solver: &Solver<'s>) -> Vec<((usize, usize), f64)> {
        #[derive(Clone, Copy)]
        struct Best {
            sum: f64,
            second: f64,
            partner: usize,
        }
        fn see(best: &mut Option<Best>, sum: f64, partner: usize) {
            *best = Some(match *best {
                None => Best { sum, second: f64::NEG_INFINITY, partner },
                Some(known) if sum > known.sum => Best { sum, second: known.sum, partner },
                Some(known) => Best { second: known.second.max(sum), ..known },
            });
        }
        let layer = |side: &'s Side, at: usize| side.items.get(at)?.layers.first();
        let mut of_old: Vec<Option<Best>> = vec![None; solver.old.items.len()];
        let mut of_new: Vec<Option<Best>> = vec![None; solver.new.items.len()];
        let mut nears: HashMap<usize, Near> = HashMap::new();
        for (new, candidates) in self.candidates.iter().enumerate() {
            if self.chosen.get(new).is_some_and(Option::is_some) {
                continue;
            }
            let Some(item) = solver.new.items.get(new) else { continue };
            let own_layer = item.layers.first();
            let free = candidates.iter().filter(|one| self.given.get(one.old) == Some(&false));
            let beside = |one: &Candidate| {
                BESIDE * self.partners.speak(layer(solver.old, one.old), own_layer)
            };
            let free = free.map(|one| (one, one.fixed.fixed() + beside(one)));
            let most = free.clone().map(|(_, known)| known).fold(f64::NEG_INFINITY, f64::max);
            // Whatever is learnt of the others, the best one stays so.
            for (candidate, known) in free.filter(|(_, known)| *known >= most - MOST_LEARNT) {
                let near = nears
                    .entry(candidate.old)
                    .or_insert_with(|| self.learnt.near(solver, candidate.old));
                let sum = known
                    + NEIGHBOURS * near.towards(&item.prefixes)
                    + KIN * near.kin(solver, item)
                    + RULE * self.learnt.rule(solver, candidate.old, new);
                if let (Some(a), Some(b)) = (of_old.get_mut(candidate.old), of_new.get_mut(new)) {
                    see(a, sum, new);
                    see(b, sum, candidate.old);
                }
            }
        }
        let mut decided = Vec::new();
        for (new, best) in of_new.iter().enumerate() {
            let Some(best) = best else { continue };
            let back = of_old.get(best.partner).copied().flatten();
            let Some(back) = back.filter(|back| back.partner == new) else { continue };
            let alone = best.second.is_infinite() && back.second.is_infinite();
            // The only one that fits need not be the right one if nothing else speaks for it.
            if best.sum >= 0.15 || (alone && best.sum > 0.0) {
                decided.push(((best.partner, new), best.sum - best.second.max(back.second)));
            }
        }
        decided
    }
}
