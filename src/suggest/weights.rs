//! How much words tell.

use std::collections::HashMap;

use super::side::Side;

/// Words that only one side has say little against a pair.
const FOREIGN: f64 = 0.25;

/// How much words tell.
#[derive(Debug, Default)]
pub(super) struct Weights {
    pub(super) of: HashMap<u32, f64>,
}

impl Weights {
    /// Rare words tell more; those that one side does not know, little.
    pub(super) fn new(old: &Side, new: &Side) -> Self {
        let counted = |side: &Side| {
            let mut counts: HashMap<u32, usize> = HashMap::new();
            for item in &side.items {
                let mut said: Vec<u32> = item.words.concat();
                said.sort_unstable();
                said.dedup();
                for word in said {
                    *counts.entry(word).or_default() += 1;
                }
            }
            (counts, count(side.items.len().max(1)))
        };
        let ((old, of_old), (new, of_new)) = (counted(old), counted(new));
        let mut weights = Self::default();
        for (word, times) in &old {
            let rare = |times: usize, of: f64| (1.0 + of / count(times)).ln();
            let weight = match new.get(word) {
                Some(others) => f64::midpoint(rare(*times, of_old), rare(*others, of_new)),
                None => FOREIGN * rare(*times, of_old),
            };
            weights.of.insert(*word, weight);
        }
        for (word, times) in &new {
            let weight = FOREIGN * (1.0 + of_new / count(*times)).ln();
            weights.of.entry(*word).or_insert(weight);
        }
        weights
    }

    /// The share of what two names say that both say.
    pub(super) fn shared(&self, a: &[u32], b: &[u32]) -> f64 {
        let weight = |word: &u32| self.of.get(word).copied().unwrap_or_default();
        let both: f64 = a.iter().filter(|word| b.contains(word)).map(weight).sum();
        let all: f64 = a.iter().chain(b).map(weight).sum::<f64>() - both;
        if all > 0.0 { both / all } else { 0.0 }
    }
}

/// For shares and means.
pub(super) fn count(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::MAX, f64::from)
}
