#![allow(clippy::single_range_in_vec_init, reason = "stretches of a file, one of them")]

use std::io::ErrorKind;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::files::{Action, Blob, Identity, Location};

/// A file in memory of which some bytes cannot be read.
#[derive(Debug)]
struct Memory {
    at: Location,
    bytes: Vec<u8>,
    broken: Range<u64>,
}

impl Blob for Memory {
    fn at(&self) -> &Location {
        &self.at
    }

    fn identity(&self) -> Option<Identity> {
        None
    }

    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<(), FileError> {
        let end = offset + out.len() as u64;
        if offset < self.broken.end && self.broken.start < end {
            return Err(FileError::new(Action::Read, &self.at)(ErrorKind::Other.into()));
        }
        let start = usize::try_from(offset).unwrap();
        out.copy_from_slice(&self.bytes[start..start + out.len()]);
        Ok(())
    }
}

fn memory(len: u64, broken: Range<u64>) -> Arc<Memory> {
    let bytes = (0..len).map(|at| (at * at % 251).to_le_bytes()[0]).collect();
    let Ok(at) = "memory".parse();
    Arc::new(Memory { at, bytes, broken })
}

/// Takes down what it hears.
#[derive(Default)]
struct Heard {
    sums: Mutex<BTreeMap<usize, Result<Crc, ()>>>,
    blocks: Mutex<Vec<(usize, u64, Vec<u8>)>>,
}

impl Reader for Heard {
    type Error = String;

    fn block(&self, stretch: usize, at: u64, bytes: &[u8]) -> Result<(), String> {
        self.blocks.lock().unwrap().push((stretch, at, bytes.to_vec()));
        Ok(())
    }

    fn sum(&self, stretch: usize, sum: Result<Crc, FileError>) -> Result<(), String> {
        let before = self.sums.lock().unwrap().insert(stretch, sum.map_err(|_| ()));
        before.map_or(Ok(()), |_| Err(format!("{stretch} is told twice")))
    }
}

/// Reads stretches of a file, and checks that every byte was seen once, and every sum is right.
fn check(blob: &Arc<Memory>, ranges: &[Range<u64>]) -> Vec<usize> {
    let stretches: Vec<Extent> = ranges
        .iter()
        .map(|range| {
            let blob = Arc::clone(blob) as Arc<dyn Blob>;
            Extent { blob, offset: range.start, len: range.end - range.start }
        })
        .collect();
    let heard = Heard::default();
    read(&stretches, &heard).unwrap();
    let bytes = |range: Range<u64>| {
        &blob.bytes[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()]
    };
    let mut seen = 0;
    for (stretch, at, block) in heard.blocks.into_inner().unwrap() {
        let start = ranges[stretch].start + at;
        assert!(start < ranges[stretch].end, "it begins where another stretch does");
        assert_eq!(block, bytes(start..start + block.len() as u64));
        seen += block.len() as u64;
    }
    let sums = heard.sums.into_inner().unwrap();
    assert_eq!(sums.len(), ranges.len());
    let mut failed = Vec::new();
    let mut readable = 0;
    for (number, sum) in sums {
        let range = ranges[number].clone();
        match sum {
            Ok(sum) => assert_eq!(sum, Crc::of(bytes(range.clone())), "{number}: {range:?}"),
            Err(()) => failed.push(number),
        }
        readable += range.end - range.start;
    }
    if failed.is_empty() {
        assert_eq!(seen, readable);
    }
    failed
}

#[test]
fn stretches_of_all_lengths_are_summed() {
    let blob = memory(3 * JOB + 12_345, 0..0);
    let end = blob.len();
    let block = blob.grain() as u64;
    check(&blob, &[]);
    check(&blob, &[0..0, 5..5]);
    check(&blob, &[0..end]);
    check(&blob, &[0..1, 1..1, 1..end]);
    check(&blob, &[0..JOB, JOB..JOB + 1, JOB + 1..end]);
    check(&blob, &[0..JOB - 1, JOB - 1..JOB + 1, JOB + 1..JOB + 1, JOB + 1..2 * JOB + 7]);
    check(&blob, &[7..block, block..block + 3, 2 * block..3 * block, end - 1..end, end..end]);
    // The same bytes twice, and out of order.
    check(&blob, &[0..100, 0..100, 50..JOB + 50, 10..20]);
    let small: Vec<_> = (0..9000).map(|number| number * 700..(number + 1) * 700).collect();
    check(&blob, &small);
    let apart: Vec<_> = (0..900).map(|number| number * 700..number * 700 + 699).collect();
    check(&blob, &apart);
}

#[test]
fn only_what_cannot_be_read_fails() {
    let blob = memory(3 * JOB, 1000..1001);
    assert_eq!(check(&blob, &[0..999, 999..1002, 1002..1003, 1003..2 * JOB]), [1]);
    let blob = memory(3 * JOB, JOB + 5..2 * JOB + 5);
    assert_eq!(check(&blob, &[0..10, 10..3 * JOB]), [1]);
    assert_eq!(check(&blob, &[0..JOB + 5, JOB + 5..2 * JOB + 5, 2 * JOB + 5..3 * JOB]), [1]);
}

#[test]
fn a_read_that_failed_once_is_told() {
    let blob = Arc::new(Once { memory: memory(JOB, 0..0), failed: AtomicBool::new(false) });
    let extent = |offset, len| Extent { blob: Arc::clone(&blob) as Arc<dyn Blob>, offset, len };
    let heard = Heard::default();
    read(&[extent(0, 10), extent(10, 20)], &heard).unwrap();
    let sums = heard.sums.into_inner().unwrap();
    assert_eq!(sums[&0], Err(()));
    assert!(sums[&1].is_ok());
}

/// A file whose first read fails.
#[derive(Debug)]
struct Once {
    memory: Arc<Memory>,
    failed: AtomicBool,
}

impl Blob for Once {
    fn at(&self) -> &Location {
        self.memory.at()
    }

    fn identity(&self) -> Option<Identity> {
        None
    }

    fn len(&self) -> u64 {
        self.memory.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<(), FileError> {
        if !self.failed.swap(true, Ordering::Relaxed) {
            return Err(FileError::new(Action::Read, self.at())(ErrorKind::Other.into()));
        }
        self.memory.read_at(offset, out)
    }
}

#[test]
fn neighbours_are_one_job() {
    let blob = memory(3 * JOB, 0..0) as Arc<dyn Blob>;
    let cut = |ranges: &[Range<u64>]| -> Vec<(usize, u64, u64)> {
        let extents = ranges.iter().map(|range| Extent {
            blob: Arc::clone(&blob),
            offset: range.start,
            len: range.end - range.start,
        });
        let jobs = jobs(&extents.collect::<Vec<_>>());
        jobs.iter().map(|job| (job.stretch, job.at, job.len)).collect()
    };
    assert_eq!(cut(&[0..10, 10..10, 10..30, 31..40]), [(0, 0, 30), (3, 0, 9)]);
    assert_eq!(
        cut(&[0..10, 10..2 * JOB, 2 * JOB..2 * JOB + 9]),
        [(0, 0, JOB), (1, JOB - 10, JOB), (2, 0, 9)]
    );
}

#[test]
fn an_error_ends_it() {
    struct Stop;
    impl Reader for Stop {
        type Error = u64;
        fn block(&self, _: usize, at: u64, _: &[u8]) -> Result<(), u64> {
            Err(at)
        }
        fn sum(&self, _: usize, _: Result<Crc, FileError>) -> Result<(), u64> {
            Ok(())
        }
    }
    let blob = memory(3 * JOB, 0..0);
    let extent = Extent { len: blob.len(), offset: 0, blob };
    assert_eq!(read(&[extent], &Stop), Err(0));
}
