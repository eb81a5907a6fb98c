//! Long things gone through in pieces, by several threads, and put together in their order.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use crate::workers;

/// Bytes of a piece. No element lies in two: all sizes of elements divide it.
pub(crate) const PIECE: u64 = 4 << 20;

/// Pieces of a thing that were done before the ones in front of them.
struct Ahead<P> {
    next: u64,
    done: BTreeMap<u64, P>,
}

/// Does `work` for every piece of things that have `lens` bytes, each in the `state` of its thread,
/// and then `join` for each, those of one thing in the order of their bytes. A thing without bytes
/// has one piece. The first error ends it.
pub(crate) fn each<S, P: Send, E: Send>(
    lens: &[u64],
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize, Range<u64>) -> Result<P, E> + Sync,
    join: impl FnMut(usize, P) + Send,
) -> Result<(), E> {
    // The number of the first job of each thing, and that of all.
    let mut firsts = Vec::with_capacity(lens.len());
    let mut jobs = 0_u64;
    for len in lens {
        firsts.push(jobs);
        jobs = jobs.saturating_add(len.div_ceil(PIECE).max(1));
    }
    let joined: Mutex<(HashMap<usize, Ahead<P>>, _)> = Mutex::new((HashMap::new(), join));
    let jobs = usize::try_from(jobs).unwrap_or(usize::MAX);
    workers::each(jobs, state, |state, job| {
        let job = job as u64;
        let thing = firsts.partition_point(|first| *first <= job).saturating_sub(1);
        let (Some(first), Some(&len)) = (firsts.get(thing), lens.get(thing)) else {
            return Ok(());
        };
        let number = job - first;
        let start = number * PIECE;
        let end = len.min(start.saturating_add(PIECE));
        let piece = work(state, thing, start..end)?;
        let mut joined = joined.lock().unwrap_or_else(PoisonError::into_inner);
        let (ahead, join) = &mut *joined;
        let of = ahead.entry(thing).or_insert_with(|| Ahead { next: 0, done: BTreeMap::new() });
        of.done.insert(number, piece);
        while let Some(piece) = of.done.remove(&of.next) {
            join(thing, piece);
            of.next += 1;
        }
        if of.next >= len.div_ceil(PIECE).max(1) {
            ahead.remove(&thing);
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_in_order_and_are_all_of_it() {
        let lens = [0, 1, PIECE, PIECE + 1, 5 * PIECE];
        let mut seen = vec![Vec::new(); lens.len()];
        let work = |(): &mut (), _, piece: Range<u64>| Ok::<_, ()>(piece);
        each(&lens, || (), work, |thing: usize, piece| seen[thing].push(piece)).unwrap();
        for (len, pieces) in lens.into_iter().zip(seen) {
            let (first, last) = (pieces.first().unwrap(), pieces.last().unwrap());
            assert_eq!((first.start, last.end), (0, len));
            assert!(pieces.windows(2).all(|pair| pair[0].end == pair[1].start), "{pieces:?}");
        }
    }

    #[test]
    fn an_error_ends_it() {
        let work = |(): &mut (), thing, _| if thing == 1 { Err("stop") } else { Ok(()) };
        assert_eq!(each(&[1; 3], || (), work, |_, ()| ()), Err("stop"));
    }
}
