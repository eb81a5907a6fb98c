//! What was used last, kept for as long as there is room.

use std::collections::BTreeMap;

/// Values that took work to make, by what they were made of. Those not used for longest make room
/// for others; the one kept last stays however heavy it is.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    /// How many there may be, and what they may weigh together.
    limits: (usize, usize),
    weight: usize,
    /// Counts uses.
    now: u64,
    kept: BTreeMap<K, Kept<V>>,
    /// Keys by their last use.
    uses: BTreeMap<u64, K>,
}

#[derive(Debug)]
struct Kept<V> {
    value: V,
    weight: usize,
    used: u64,
}

impl<K: Ord + Clone, V: Clone> Recent<K, V> {
    /// Room for `count` values that weigh no more than `weight` together.
    pub(crate) fn new(count: usize, weight: usize) -> Self {
        let (kept, uses) = (BTreeMap::new(), BTreeMap::new());
        Self { limits: (count, weight), weight: 0, now: 0, kept, uses }
    }

    /// The value under `key`, if it is still there.
    pub(crate) fn get(&mut self, key: &K) -> Option<V> {
        let kept = self.kept.get_mut(key)?;
        self.uses.remove(&kept.used);
        self.now += 1;
        kept.used = self.now;
        self.uses.insert(self.now, key.clone());
        Some(kept.value.clone())
    }

    /// Keeps a value; those that had to go for it come back.
    pub(crate) fn keep(&mut self, key: &K, value: V, weight: usize) -> Vec<V> {
        let mut gone: Vec<V> = self.remove(key).into_iter().collect();
        let (count, limit) = self.limits;
        while self.kept.len() >= count.max(1) || self.weight.saturating_add(weight) > limit {
            let Some((_, oldest)) = self.uses.pop_first() else { break };
            gone.extend(self.remove(&oldest));
        }
        self.now += 1;
        self.weight = self.weight.saturating_add(weight);
        self.uses.insert(self.now, key.clone());
        self.kept.insert(key.clone(), Kept { value, weight, used: self.now });
        gone
    }

    fn remove(&mut self, key: &K) -> Option<V> {
        let kept = self.kept.remove(key)?;
        self.uses.remove(&kept.used);
        self.weight = self.weight.saturating_sub(kept.weight);
        Some(kept.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays() {
        let mut recent = Recent::new(3, 10);
        assert_eq!(recent.keep(&1, 'a', 1), [' '; 0]);
        assert_eq!(recent.keep(&2, 'b', 1), [' '; 0]);
        assert_eq!(recent.keep(&3, 'c', 1), [' '; 0]);
        assert_eq!(recent.get(&1), Some('a'));
        assert_eq!(recent.keep(&4, 'd', 1), ['b']);
        assert_eq!((recent.get(&2), recent.get(&3)), (None, Some('c')));
        assert_eq!(recent.keep(&3, 'e', 2), ['c']);
        assert_eq!(recent.get(&3), Some('e'));
    }

    #[test]
    fn the_heaviest_stands_alone() {
        let mut recent = Recent::new(3, 10);
        recent.keep(&1, 'a', 5);
        recent.keep(&2, 'b', 5);
        assert_eq!(recent.keep(&3, 'c', usize::MAX), ['a', 'b']);
        assert_eq!(recent.get(&3), Some('c'));
        assert_eq!(recent.keep(&4, 'd', 10), ['c']);
        assert_eq!(recent.keep(&5, 'e', 0), [' '; 0]);
    }
}
