//! Series on both sides that run alike: as many members, of the same sizes in the same order.

use std::collections::HashMap;

use super::series::{DOUBTFUL, Series, Sizes, sizes};
use super::side::Side;

/// What is said of a series that lies beside another one, before that one's name.
pub(super) const BESIDE: &str = "what lies in the layers of ";

/// Two series that run alike.
#[derive(Debug, Clone)]
pub(super) struct Alike {
    /// That of the old side.
    pub(super) old: String,
    /// That of the new side.
    pub(super) new: String,
    /// Members.
    pub(super) length: usize,
    /// How much that is worth.
    pub(super) trust: f64,
}

/// Series with the same members but for earlier numbers that one is laid along.
const MOST_LOCAL: usize = 4;

/// Places that are noted: names with very many numbers have very many series that run alike, and the
/// first of them tell enough.
const MOST_NOTES: usize = 4_000_000;

/// All pairs of series, and for each item of both sides its places in them.
#[derive(Debug, Default)]
pub(super) struct Alikes {
    /// Every pair.
    pub(super) pairs: Vec<Alike>,
    /// By item of the old side: pair and member.
    old: Vec<Vec<(usize, usize)>>,
    /// By item of the new side.
    new: Vec<Vec<(usize, usize)>>,
    /// How many places are noted.
    notes: usize,
}

impl Alikes {
    fn empty(old: &Side, new: &Side) -> Self {
        let none = |side: &Side| vec![Vec::new(); side.items.len()];
        Self { pairs: Vec::new(), old: none(old), new: none(new), notes: 0 }
    }

    /// Lays every series of one side along those of the other.
    pub(super) fn new(
        (old_side, old): (&Side, &[Series]),
        (new_side, new): (&Side, &[Series]),
    ) -> Self {
        let mut by_sizes: HashMap<&[Sizes], Vec<&Series>> = HashMap::new();
        for series in old {
            by_sizes.entry(&series.sizes).or_default().push(series);
        }
        let mut alikes = Self::empty(old_side, new_side);
        for new in new {
            let along = by_sizes.get(new.sizes.as_slice()).map(Vec::as_slice).unwrap_or_default();
            let rigid = new.is_rigid();
            let local = along.iter().filter(|old| old.local).count();
            // Very many that are alike do not tell which is which.
            let many = new.local && local > MOST_LOCAL;
            for old in along.iter().filter(|old| !(many && old.local)) {
                let loose =
                    old.loose || new.loose || old.numbers != new.numbers || old.local != new.local;
                if rigid || !loose {
                    let members = (0..new.members.len()).map(|at| (at, at));
                    alikes.add(old, new, members);
                }
            }
            if rigid && new.partial {
                let longer =
                    old.iter().filter(|old| old.partial && old.members.len() > new.members.len());
                for old in longer {
                    if let Some(forced) = forced(&old.sizes, &new.sizes) {
                        alikes.add(old, new, forced.into_iter());
                    }
                }
            }
        }
        alikes
    }

    /// Lays series beside others that are decided: where `conv2d_7` has become of a layer, what lies
    /// below that layer may become `batch_normalization_7`. `partner` tells what became an item of
    /// the new side.
    pub(super) fn beside(
        old_side: &Side,
        (new_side, new): (&Side, &[Series]),
        partner: &dyn Fn(usize) -> Option<usize>,
    ) -> Self {
        let mut alikes = Self::empty(old_side, new_side);
        for decided in new.iter().filter(|series| series.counted) {
            // The layer that each member came from.
            let layers: Option<Vec<u32>> = decided
                .members
                .iter()
                .map(|items| {
                    let old = items.iter().find_map(|item| partner(*item))?;
                    old_side.items.get(old)?.layers.first().copied()
                })
                .collect();
            let Some(layers) = layers else { continue };
            for series in new.iter().filter(|series| series.counted) {
                if series.called == decided.called || series.members.len() != layers.len() {
                    continue;
                }
                let below = |layer: &u32| -> Vec<usize> {
                    let items = old_side.below.get(layer).map(Vec::as_slice).unwrap_or_default();
                    let lies_in = |item: usize| old_side.items.get(item)?.layers.first().copied();
                    items.iter().copied().filter(|item| lies_in(*item) != Some(*layer)).collect()
                };
                let members: Vec<Vec<usize>> = layers.iter().map(below).collect();
                if members
                    .iter()
                    .map(|items| sizes(old_side, items))
                    .eq(series.sizes.iter().cloned())
                {
                    let old = Self::beside_series(decided, members, series);
                    alikes.add(&old, series, (0..layers.len()).map(|at| (at, at)));
                }
            }
        }
        alikes
    }

    fn beside_series(decided: &Series, members: Vec<Vec<usize>>, series: &Series) -> Series {
        let called = format!("{BESIDE}{}", decided.called);
        Series { called, members, trust: DOUBTFUL, ..series.clone() }
    }

    /// Takes over the pairs of another one of the same sides.
    pub(super) fn append(&mut self, more: Self) {
        let first = self.pairs.len();
        self.pairs.extend(more.pairs);
        for (mine, theirs) in [(&mut self.old, more.old), (&mut self.new, more.new)] {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                mine.extend(theirs.into_iter().map(|(pair, member)| (pair + first, member)));
            }
        }
    }

    fn add(&mut self, old: &Series, new: &Series, members: impl Iterator<Item = (usize, usize)>) {
        let items = new.members.iter().chain(&old.members).map(Vec::len).sum::<usize>();
        self.notes = self.notes.saturating_add(items);
        if self.notes > MOST_NOTES {
            return;
        }
        let pair = self.pairs.len();
        self.pairs.push(Alike {
            old: old.called.clone(),
            new: new.called.clone(),
            length: new.members.len(),
            trust: old.trust * new.trust,
        });
        for (member, (in_old, in_new)) in members.enumerate() {
            note(&mut self.old, old.members.get(in_old), (pair, member));
            note(&mut self.new, new.members.get(in_new), (pair, member));
        }
    }

    /// How much speaks for the same member, and how much for others.
    pub(super) fn votes(&self, old: usize, new: usize) -> (f64, f64) {
        let (mut same, mut other) = (0.0, 0.0);
        self.each(
            old,
            new,
            |alike, is_same| {
                if is_same { same += alike.trust } else { other += alike.trust }
            },
        );
        (same, other)
    }

    /// Every pair of series that has both, and whether in the same member.
    pub(super) fn each(&self, old: usize, new: usize, mut say: impl FnMut(&Alike, bool)) {
        let (Some(old), Some(new)) = (self.old.get(old), self.new.get(new)) else { return };
        let (mut old, mut new) = (old.as_slice(), new.as_slice());
        // Both are sorted by pair.
        while let ([(a, place), old_rest @ ..], [(b, at), new_rest @ ..]) = (old, new) {
            if a == b
                && let Some(alike) = self.pairs.get(*a)
            {
                say(alike, at == place);
            }
            if a <= b {
                old = old_rest;
            }
            if b <= a {
                new = new_rest;
            }
        }
    }
}

fn note(places: &mut [Vec<(usize, usize)>], items: Option<&Vec<usize>>, place: (usize, usize)) {
    for item in items.into_iter().flatten() {
        if let Some(places) = places.get_mut(*item) {
            places.push(place);
        }
    }
}

/// Where a shorter series must lie in a longer one: members that every way of laying it along puts
/// into the same place, by their places in both.
fn forced<T: PartialEq>(long: &[T], short: &[T]) -> Option<Vec<(usize, usize)>> {
    let mut first = Vec::new();
    let mut places = long.iter().enumerate();
    for wanted in short {
        first.push(places.by_ref().find(|(_, size)| *size == wanted)?.0);
    }
    let mut last = Vec::new();
    let mut places = long.iter().enumerate().rev();
    for wanted in short.iter().rev() {
        last.push(places.by_ref().find(|(_, size)| *size == wanted)?.0);
    }
    last.reverse();
    let same = first.iter().zip(&last).enumerate().filter(|(_, (first, last))| first == last);
    Some(same.map(|(at, (place, _))| (*place, at)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_forced() {
        assert_eq!(forced(b"abcd", b"abd"), Some(vec![(0, 0), (1, 1), (3, 2)]));
        assert_eq!(forced(b"abbd", b"abd"), Some(vec![(0, 0), (3, 2)]));
        assert_eq!(forced(b"abd", b"adb"), None);
    }
}
