//! Stretches of files read once, by several threads, each summed by itself.
//!
//! ```text
//! stretches   |  a  | b |         c          |      | d |     of a file
//! jobs        [·····1·········][······2······]      [·3·]     neighbours in one, large ones in several
//! blocks      [··][··][··][··]                                read, seen, summed
//! ```
//! What goes over several jobs has its sum joined of theirs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::crc::Crc;
use crate::files::{Extent, FileError};
use crate::workers;

/// Bytes of a file that one thread reads after another: long enough for disks that read ahead.
const JOB: u64 = 4 << 20;

/// What becomes of the bytes and their sums.
pub(crate) trait Reader: Sync {
    /// What stops everything.
    type Error: Send;

    /// Whether anybody wants to know the sums; else they are not worked out.
    fn wants_sums(&self) -> bool {
        true
    }

    /// Hears of every byte once: `bytes` are those of `stretch` from `at` on, and go on into the
    /// stretches behind it.
    fn block(&self, stretch: usize, at: u64, bytes: &[u8]) -> Result<(), Self::Error>;

    /// Hears of every stretch once, as soon as all of it has been read.
    fn sum(&self, stretch: usize, sum: Result<Crc, FileError>) -> Result<(), Self::Error>;
}

/// Reads all `stretches`, which are best sorted as they lie in their files.
pub(crate) fn read<R: Reader>(stretches: &[Extent], reader: &R) -> Result<(), R::Error> {
    for (number, _) in stretches.iter().enumerate().filter(|(_, stretch)| stretch.len == 0) {
        reader.sum(number, Ok(Crc::default()))?;
    }
    let jobs = jobs(stretches);
    let reading = Reading { stretches, reader, parts: Mutex::default() };
    workers::each(jobs.len(), Vec::new, |buffer, job| match jobs.get(job) {
        Some(job) => reading.run(buffer, job),
        None => Ok(()),
    })
}

/// A part of a file that one thread reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Job {
    /// Number of the stretch that it begins in.
    stretch: usize,
    /// Where in that.
    at: u64,
    len: u64,
}

/// Cuts `stretches` into jobs: neighbours go together, and none is longer than [`JOB`], unless that
/// is less than what is best read at a time.
fn jobs(stretches: &[Extent]) -> Vec<Job> {
    let mut jobs: Vec<Job> = Vec::new();
    let mut before: Option<&Extent> = None;
    for (number, stretch) in stretches.iter().enumerate().filter(|(_, stretch)| stretch.len > 0) {
        let follows = before.is_some_and(|before| {
            Arc::ptr_eq(&before.blob, &stretch.blob)
                && before.offset.checked_add(before.len) == Some(stretch.offset)
        });
        let most = JOB.max(stretch.blob.grain() as u64);
        let mut at = 0;
        if let Some(job) = jobs.last_mut().filter(|_| follows) {
            at = stretch.len.min(most.saturating_sub(job.len));
            job.len += at;
        }
        while at < stretch.len {
            let len = most.min(stretch.len - at);
            jobs.push(Job { stretch: number, at, len });
            at += len;
        }
        before = Some(stretch);
    }
    jobs
}

/// Sums of parts of a stretch by where they begin, with their lengths.
type Parts = BTreeMap<u64, (u64, Crc)>;

struct Reading<'r, R> {
    stretches: &'r [Extent],
    reader: &'r R,
    /// What is known of stretches that several jobs read; `None` where one could not.
    parts: Mutex<BTreeMap<usize, Option<Parts>>>,
}

/// How far a job has come.
struct Walk<'r> {
    number: usize,
    stretch: &'r Extent,
    at: u64,
    /// Where in this stretch the job began.
    from: u64,
    /// Of what it has read of this stretch; `None` where it could not.
    crc: Option<Crc>,
}

impl<'r, R: Reader> Reading<'r, R> {
    fn run(&self, buffer: &mut Vec<u8>, job: &Job) -> Result<(), R::Error> {
        let Some(stretch) = self.stretches.get(job.stretch) else { return Ok(()) };
        let (number, at) = (job.stretch, job.at);
        let mut walk = Walk { number, stretch, at, from: at, crc: Some(Crc::default()) };
        let block = stretch.blob.grain().max(1);
        let mut left = job.len;
        while left > 0 {
            let len = usize::try_from(left).map_or(block, |left| left.min(block));
            buffer.resize(len, 0);
            self.enter(&mut walk)?;
            match walk.fetch(buffer) {
                Ok(()) => {
                    self.reader.block(walk.number, walk.at, buffer)?;
                    self.walk(&mut walk, len as u64, Some(buffer))?;
                }
                Err(error) => self.one_by_one(&mut walk, buffer, error)?,
            }
            left -= len as u64;
        }
        self.leave(&walk)
    }

    /// Reads a block that could not be read stretch by stretch, to find whose fault it is. Where
    /// that goes well, it is the first one's: what fails once is not to be relied on.
    fn one_by_one(
        &self,
        walk: &mut Walk<'r>,
        block: &mut [u8],
        error: FileError,
    ) -> Result<(), R::Error> {
        let mut errors = Vec::new();
        let (mut at, mut rest) = (walk.at, &mut *block);
        let stretches = self.stretches.iter().enumerate().skip(walk.number);
        for (number, stretch) in stretches {
            let inside =
                usize::try_from(stretch.len - at).map_or(rest.len(), |n| n.min(rest.len()));
            let (part, after) = std::mem::take(&mut rest).split_at_mut(inside);
            let read = stretch.blob.read_at(stretch.offset.saturating_add(at), part);
            errors.extend(read.err().map(|error| (number, error)));
            (at, rest) = (0, after);
            if rest.is_empty() {
                break;
            }
        }
        if errors.is_empty() {
            errors.push((walk.number, error));
        }
        let mut errors = errors.into_iter().peekable();
        let mut rest = &*block;
        while !rest.is_empty() {
            self.enter(walk)?;
            let inside = usize::try_from(walk.stretch.len - walk.at).unwrap_or(usize::MAX);
            let (part, after) = rest.split_at(inside.min(rest.len()));
            let bytes = match errors.next_if(|(number, _)| *number == walk.number) {
                None => {
                    self.reader.block(walk.number, walk.at, part)?;
                    Some(part)
                }
                Some((number, error)) => {
                    walk.crc = None;
                    let known = self.lock().insert(number, None);
                    if !matches!(known, Some(None)) {
                        self.reader.sum(number, Err(error))?;
                    }
                    None
                }
            };
            self.walk(walk, part.len() as u64, bytes)?;
            rest = after;
        }
        Ok(())
    }

    /// Goes on by `len` bytes, which were read unless they could not be.
    fn walk(
        &self,
        walk: &mut Walk<'r>,
        mut len: u64,
        mut bytes: Option<&[u8]>,
    ) -> Result<(), R::Error> {
        loop {
            let inside = len.min(walk.stretch.len - walk.at);
            let cut = usize::try_from(inside).unwrap_or(usize::MAX);
            if self.reader.wants_sums()
                && let Some((now, later)) = bytes.and_then(|bytes| bytes.split_at_checked(cut))
            {
                walk.crc = walk.crc.map(|crc| crc.extend(now));
                bytes = Some(later);
            }
            walk.at += inside;
            len -= inside;
            if len == 0 {
                return Ok(());
            }
            self.enter(walk)?;
        }
    }

    /// Goes over to the next stretch where one is at its end. There is one, or the job would be.
    fn enter(&self, walk: &mut Walk<'r>) -> Result<(), R::Error> {
        if walk.at < walk.stretch.len {
            return Ok(());
        }
        self.leave(walk)?;
        let mut next = self.stretches.iter().enumerate().skip(walk.number + 1);
        if let Some((number, stretch)) = next.find(|(_, next)| next.len > 0) {
            *walk = Walk { number, stretch, at: 0, from: 0, crc: Some(Crc::default()) };
        }
        Ok(())
    }

    /// Takes down what a job knows of the stretch that it leaves.
    fn leave(&self, walk: &Walk<'_>) -> Result<(), R::Error> {
        let &Walk { number, stretch, at, from, crc: Some(crc) } = walk else { return Ok(()) };
        if at - from == stretch.len {
            return self.reader.sum(number, Ok(crc));
        }
        let mut all = self.lock();
        let Some(parts) = all.entry(number).or_insert_with(|| Some(Parts::new())) else {
            return Ok(());
        };
        parts.insert(from, (at - from, crc));
        if parts.values().map(|(len, _)| len).sum::<u64>() < stretch.len {
            return Ok(());
        }
        let joined = parts.values().fold(Crc::default(), |sum, &(len, crc)| sum.join(crc, len));
        all.remove(&number);
        drop(all);
        self.reader.sum(number, Ok(joined))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, Option<Parts>>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Walk<'_> {
    /// Fills `out` from here on.
    fn fetch(&self, out: &mut [u8]) -> Result<(), FileError> {
        self.stretch.blob.read_at(self.stretch.offset.saturating_add(self.at), out)
    }
}

#[cfg(test)]
mod tests;
