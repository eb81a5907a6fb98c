//! What was read lately of all objects that are open, for short reads that follow each other.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of a chunk.
pub(super) const CHUNK: u64 = 1 << 20;

/// Chunks that are fetched at once where one follows another: up to the next multiple of so many.
const AHEAD: u64 = 4;

/// Chunks that are kept, of all objects together.
const MOST: usize = 48;

type Bytes = Arc<Vec<u8>>;

/// Whose, which, and what it holds; latest in front.
static KEPT: Mutex<VecDeque<(u64, u64, Bytes)>> = Mutex::new(VecDeque::new());

fn kept() -> MutexGuard<'static, VecDeque<(u64, u64, Bytes)>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The chunks of one object. Dropped, they are gone.
#[derive(Debug)]
pub(super) struct Chunks {
    owner: u64,
}

impl Chunks {
    /// None is known yet.
    pub(super) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { owner: NEXT.fetch_add(1, Ordering::Relaxed) }
    }

    /// A chunk that is kept.
    pub(super) fn get(&self, number: u64) -> Option<Bytes> {
        let kept = kept();
        let mut all = kept.iter();
        all.find(|one| (one.0, one.1) == (self.owner, number)).map(|(.., bytes)| Arc::clone(bytes))
    }

    /// How many should be fetched, from a missing one on: whoever has read the one before goes on.
    pub(super) fn wanted(&self, number: u64) -> u64 {
        let follows = number.checked_sub(1).is_some_and(|before| self.get(before).is_some());
        if follows { AHEAD - number % AHEAD } else { 1 }
    }

    /// Keeps what was fetched from a chunk on, and hands out that one.
    pub(super) fn keep(&self, number: u64, bytes: &[u8]) -> Bytes {
        let size = usize::try_from(CHUNK).unwrap_or(usize::MAX);
        let mut kept = kept();
        let mut first = None;
        for (number, chunk) in (number..).zip(bytes.chunks(size)) {
            let chunk = Arc::new(chunk.to_vec());
            first.get_or_insert_with(|| Arc::clone(&chunk));
            kept.push_front((self.owner, number, chunk));
        }
        kept.truncate(MOST);
        first.unwrap_or_default()
    }
}

impl Drop for Chunks {
    fn drop(&mut self) {
        kept().retain(|(owner, ..)| *owner != self.owner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_goes_on_gets_more_at_once() {
        let (one, other) = (Chunks::new(), Chunks::new());
        assert_eq!(one.wanted(5), 1);
        one.keep(5, &[5; 3]);
        assert_eq!((one.wanted(6), other.wanted(6), one.wanted(5)), (2, 1, 1));
        let two = [vec![6; 1 << 20], vec![7; 2]].concat();
        assert_eq!(one.keep(6, &two).len() as u64, CHUNK);
        assert_eq!((*one.get(7).unwrap()).as_slice(), [7; 2]);
        assert_eq!((one.wanted(8), other.get(7)), (4, None));
        let owner = one.owner;
        drop(one);
        assert!(kept().iter().all(|kept| kept.0 != owner));
    }
}
