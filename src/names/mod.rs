//! Names of variables and keys, as text: which one was meant, and what several have in common.

mod order;

use std::cell::Cell;

pub(crate) use order::{natural, pieces, text};

/// Below this similarity a suggestion confuses more than it helps.
const NEAR: f64 = 0.75;

/// All comparisons of one [`Guesses`] together look at so many pairs of letters: a few seconds' work.
/// Who has thousands of misspelt names among hundreds of thousands reads the first hints.
const MAX_PAIRS: u64 = 1 << 32;

/// What it costs to see that two names have too little in common.
const GLANCE: u64 = 64;

/// The candidate that looks most like `wanted`, if any does.
pub(crate) fn nearest<'c>(
    wanted: &str,
    candidates: impl Iterator<Item = &'c str>,
) -> Option<&'c str> {
    Guesses::default().nearest(wanted, candidates)
}

/// Guesses at what was meant, which come to an end where there are too many.
#[derive(Debug)]
pub(crate) struct Guesses {
    left: Cell<u64>,
}

impl Default for Guesses {
    fn default() -> Self {
        Self { left: Cell::new(MAX_PAIRS) }
    }
}

impl Guesses {
    /// The candidate that looks most like `wanted`, if any does.
    pub(crate) fn nearest<'c>(
        &self,
        wanted: &str,
        candidates: impl Iterator<Item = &'c str>,
    ) -> Option<&'c str> {
        let letters = Letters::of(wanted);
        let mut best: Option<(f64, &str)> = None;
        for candidate in candidates {
            // The first of equals, so that the answer does not depend on who asks.
            let better = |likeness: f64| match best {
                Some((best, _)) => likeness > best,
                None => likeness >= NEAR,
            };
            let close = letters.as_ref().is_none_or(|letters| better(letters.at_most(candidate)));
            let pairs = (wanted.len() as u64).saturating_mul(candidate.len() as u64);
            let cost = if close { GLANCE.saturating_add(pairs) } else { GLANCE };
            self.left.set(self.left.get().checked_sub(cost)?);
            if close {
                let likeness = strsim::jaro_winkler(wanted, candidate);
                best = if better(likeness) { Some((likeness, candidate)) } else { best };
            }
        }
        best.map(|(_, candidate)| candidate)
    }
}

/// How often each letter stands in a name of ASCII that is not too long.
struct Letters<'n> {
    name: &'n str,
    counts: [u8; 128],
}

impl<'n> Letters<'n> {
    fn of(name: &'n str) -> Option<Self> {
        let mut counts = [0_u8; 128];
        for byte in name.bytes() {
            let count = counts.get_mut(usize::from(byte))?;
            *count = count.checked_add(1)?;
        }
        (!name.is_empty()).then_some(Self { name, counts })
    }

    /// No less than the likeness of another name: what both have of each letter might stand in the
    /// same places.
    fn at_most(&self, other: &str) -> f64 {
        if !other.is_ascii() || other.is_empty() {
            return 1.0;
        }
        let mut left = self.counts;
        let shared = other.bytes().filter(|byte| {
            let count = left.get_mut(usize::from(*byte)).filter(|count| **count > 0);
            count.map(|count| *count -= 1).is_some()
        });
        let number = |count: usize| u32::try_from(count).map_or(f64::MAX, f64::from);
        let shared = number(shared.count());
        let of = |len: usize| shared / number(len);
        let likeness = (of(self.name.len()) + of(other.len()) + 1.0) / 3.0;
        let start = self.name.bytes().zip(other.bytes()).take(4).take_while(|(a, b)| a == b);
        // Rounding must not make it less.
        likeness + 0.1 * number(start.count()) * (1.0 - likeness) + 1e-9
    }
}

/// `1 value`, `2 values`.
pub(crate) fn counted(n: usize, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

/// `conv2d_1` without its number: `conv2d`.
pub(crate) fn unnumbered(name: &str) -> &str {
    match name.rsplit_once('_') {
        Some((stem, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => stem,
        _ => name,
    }
}

/// The leading components that all of these names share, their last ones not counted.
pub(crate) fn shared_components<'n>(mut names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut shared: Vec<&str> = names.next().unwrap_or_default().split('/').collect();
    shared.pop();
    for name in names {
        let same = shared.iter().zip(name.split('/')).take_while(|(a, b)| **a == *b);
        let same = same.count();
        shared.truncate(same);
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn near_and_far() {
        let keys = ["rules", "rename", "root"];
        assert_eq!(nearest("ruels", keys.into_iter()), Some("rules"));
        assert_eq!(nearest("xyz", keys.into_iter()), None);
    }

    /// Without any glances.
    fn naive<'c>(wanted: &str, candidates: &'c [String]) -> Option<&'c str> {
        let likeness = |one: &'c String| (strsim::jaro_winkler(wanted, one), one.as_str());
        let near = candidates.iter().map(likeness).filter(|(likeness, _)| *likeness >= NEAR);
        near.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, name)| name)
    }

    proptest! {
        #[test]
        fn a_glance_rules_out_nothing_that_is_nearest(
            wanted in "[a-c/_0é]{0,9}",
            candidates in prop::collection::vec("[a-c/_0é]{0,9}", 0..20),
        ) {
            let found = nearest(&wanted, candidates.iter().map(String::as_str));
            prop_assert_eq!(found, naive(&wanted, &candidates));
        }
    }

    #[test]
    fn guessing_comes_to_an_end() {
        let guesses = Guesses { left: Cell::new(1000) };
        let ask = || guesses.nearest("ruels", ["rules"; 3].into_iter());
        let answers: Vec<Option<&str>> = (0..5).map(|_| ask()).collect();
        assert_eq!(answers, [Some("rules"), Some("rules"), Some("rules"), None, None]);
    }

    #[test]
    fn parts_of_names() {
        assert_eq!(unnumbered("conv2d_10"), "conv2d");
        assert_eq!(unnumbered("adam_m"), "adam_m");
        assert_eq!(shared_components(["a/b/c", "a/b/d/e"].into_iter()), ["a", "b"]);
        assert_eq!(shared_components(["kernel"].into_iter()), [""; 0]);
        assert_eq!(shared_components([].into_iter()), [""; 0]);
    }
}
