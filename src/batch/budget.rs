//! Memory that all conversions have together.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often somebody who waits is asked whether he still wants to.
const PATIENCE: Duration = Duration::from_millis(100);

/// So many bytes; who comes first is served first, however much others would be content with.
#[derive(Debug)]
pub(super) struct Budget {
    total: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    free: u64,
    /// The next number to be given out, and the one whose turn it is.
    next: u64,
    turn: u64,
    /// Numbers of those who have gone away.
    gone: Vec<u64>,
}

/// Bytes that somebody has.
#[derive(Debug)]
pub(super) struct Taken<'b> {
    budget: &'b Budget,
    pub(super) bytes: u64,
}

impl Budget {
    pub(super) fn new(total: u64) -> Self {
        let state = State { free: total, next: 0, turn: 0, gone: Vec::new() };
        Self { total, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Waits for `bytes`, or for all that there are; `None` if `cancelled` says so first.
    pub(super) fn take(&self, bytes: u64, cancelled: &dyn Fn() -> bool) -> Option<Taken<'_>> {
        let bytes = bytes.min(self.total);
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        loop {
            if state.turn == number && state.free >= bytes {
                state.free -= bytes;
                state.advance();
                self.changed.notify_all();
                return Some(Taken { budget: self, bytes });
            }
            if cancelled() {
                if state.turn == number {
                    state.advance();
                } else {
                    state.gone.push(number);
                }
                self.changed.notify_all();
                return None;
            }
            let waited = self.changed.wait_timeout(state, PATIENCE);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn advance(&mut self) {
        self.turn += 1;
        while let Some(at) = self.gone.iter().position(|gone| *gone == self.turn) {
            self.gone.swap_remove(at);
            self.turn += 1;
        }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.budget.lock().free += self.bytes;
        self.budget.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn never_more_than_there_is() {
        let (budget, held) = (Budget::new(100), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for bytes in [10, 40, 100, 70, 1000] {
                let (budget, held) = (&budget, &held);
                scope.spawn(move || {
                    for _ in 0..50 {
                        let taken = budget.take(bytes, &|| false).unwrap();
                        let now = held.fetch_add(taken.bytes, Ordering::SeqCst) + taken.bytes;
                        assert!(now <= 100, "{now}");
                        held.fetch_sub(taken.bytes, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(budget.lock().free, 100);
    }

    #[test]
    fn who_gives_up_keeps_nobody_waiting() {
        let budget = Budget::new(10);
        let first = budget.take(10, &|| false).unwrap();
        assert!(budget.take(5, &|| true).is_none());
        drop(first);
        assert!(budget.take(10, &|| false).is_some());
    }
}
