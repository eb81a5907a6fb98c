//! Several threads for work that falls into jobs.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

/// More threads than this only stand in each other's way at one disk.
const MOST: usize = 8;

/// How many threads work at a time. Two even on a single processor: one reads while the other is
/// waiting.
pub(crate) fn count() -> usize {
    // The system opens files to find out.
    static COUNT: OnceLock<usize> = OnceLock::new();
    *COUNT.get_or_init(|| thread::available_parallelism().map_or(2, NonZero::get).clamp(2, MOST))
}

/// Threads that may be at work beside those who asked for help: where many conversions run at a
/// time, each does its own work, and they share the rest.
static SPARE: OnceLock<AtomicUsize> = OnceLock::new();

/// Helpers, until they are given back.
struct Helpers(usize);

impl Helpers {
    /// As many as are free, but no more than `wanted`.
    fn take(wanted: usize) -> Self {
        let spare = SPARE.get_or_init(|| AtomicUsize::new(count() - 1));
        let take = |free: usize| Some(free - free.min(wanted));
        let free = spare.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        Self(free.unwrap_or_default().min(wanted))
    }
}

impl Drop for Helpers {
    fn drop(&mut self) {
        if let Some(spare) = SPARE.get() {
            spare.fetch_add(self.0, Ordering::Relaxed);
        }
    }
}

/// Does the jobs from 0 up to `jobs`, several at a time, each in the `state` of its thread. The
/// error of the first job that fails is the result, and jobs that have not begun by then never do.
pub(crate) fn each<S, E: Send>(
    jobs: usize,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let helpers = Helpers::take(jobs.saturating_sub(1));
    if helpers.0 == 0 {
        let mut state = state();
        return (0..jobs).try_for_each(|job| work(&mut state, job));
    }
    let next = AtomicUsize::new(0);
    // Jobs are begun in order, so all before the first that fails have been begun when it does.
    let failed: Mutex<Option<(usize, E)>> = Mutex::new(None);
    let lock = || failed.lock().unwrap_or_else(PoisonError::into_inner);
    let run = || {
        let mut state = state();
        loop {
            let job = next.fetch_add(1, Ordering::Relaxed);
            if job >= jobs {
                return;
            }
            if let Err(error) = work(&mut state, job) {
                next.store(jobs, Ordering::Relaxed);
                let mut failed = lock();
                if failed.as_ref().is_none_or(|(before, _)| job < *before) {
                    *failed = Some((job, error));
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..helpers.0 {
            // Where no thread can be had, the others do its jobs.
            let _ = thread::Builder::new().spawn_scoped(scope, run);
        }
        run();
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    failed.map_or(Ok(()), |(_, error)| Err(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_done_once() {
        for jobs in [0, 1, 2, 1000] {
            let done: Vec<AtomicUsize> = (0..jobs).map(|_| AtomicUsize::new(0)).collect();
            let work = |(): &mut (), job: usize| {
                done[job].fetch_add(1, Ordering::Relaxed);
                Ok::<(), ()>(())
            };
            each(jobs, || (), work).unwrap();
            assert!(done.iter().all(|count| count.load(Ordering::Relaxed) == 1));
        }
    }

    #[test]
    fn the_first_error_is_told_and_the_rest_is_left() {
        for _ in 0..50 {
            let begun = AtomicUsize::new(0);
            let work = |(): &mut (), job: usize| {
                begun.fetch_add(1, Ordering::Relaxed);
                if job >= 7 { Err(job) } else { Ok(()) }
            };
            assert_eq!(each(100_000, || (), work), Err(7));
            assert!(begun.load(Ordering::Relaxed) < 100_000);
        }
    }
}
