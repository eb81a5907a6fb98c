//! What the values of variables are like: their range, mean and deviation, and how many are no
//! numbers. Every byte is read once, several blocks at a time, and summed on the way, so that
//! damage is found where it lies.

mod moments;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::catalog::VariableName;
use crate::crc::Crc;
use crate::files::Extent;
use crate::progress::Progress;
use crate::source::{CheckpointReader, Finding, SourceError};
use crate::tensor::{DType, Region, is_real, reals};
use crate::workers;

pub use moments::Moments;

/// Bytes that one thread takes at a time; no element lies in two.
const JOB: u64 = 4 << 20;

/// Bytes that are read at a time: they and the numbers they stand for fit into a processor's cache.
const BLOCK: u64 = 64 << 10;

/// What the values of variables are like.
#[derive(Debug, Default)]
pub struct Statistics {
    /// Variables of real numbers.
    pub moments: BTreeMap<VariableName, Moments>,
    /// Variables that could not be read.
    pub unreadable: Vec<Finding>,
}

/// Why there are no statistics.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatsError {
    /// A file that cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The user wants no more.
    #[error("interrupted")]
    Interrupted,
}

/// Goes through the values of `names`; those of other types than numbers are left out.
pub fn statistics(
    reader: &dyn CheckpointReader,
    names: &[&VariableName],
    progress: &dyn Progress,
) -> Result<Statistics, StatsError> {
    let variables = &reader.catalog().variables;
    let mut tasks = Vec::new();
    for &name in names {
        let Some(variable) = variables.get(name) else { continue };
        let dtype = variable.spec.dtype();
        if is_real(dtype) {
            // What cannot be reached is told when it is read.
            let stored = reader.extent(name).ok().flatten();
            let jobs = stored.as_ref().map_or(1, |(extent, _)| extent.len.div_ceil(JOB).max(1));
            tasks.push(Task { name, dtype, stored, first: 0, jobs, position: variable.position() });
        }
    }
    tasks.sort_by_key(|task| task.position);
    let mut jobs = 0_u64;
    for task in &mut tasks {
        task.first = jobs;
        jobs = jobs.saturating_add(task.jobs);
    }
    let bytes = tasks.iter().filter_map(|task| variables.get(task.name)?.spec.bytes());
    progress.begin(bytes.fold(0, u64::saturating_add));
    let work = Work { reader, progress, tasks, done: Mutex::default() };
    let jobs = usize::try_from(jobs).unwrap_or(usize::MAX);
    workers::each(jobs, Buffers::default, |buffers, job| work.job(job as u64, buffers))?;
    Ok(work.finish())
}

/// A variable to go through.
struct Task<'t> {
    name: &'t VariableName,
    dtype: DType,
    /// Where its bytes lie as they are; in pieces or swapped, the reader puts them together.
    stored: Option<(Extent, Crc)>,
    /// Number of its first job.
    first: u64,
    jobs: u64,
    position: (u32, u64),
}

/// What a thread reads into.
#[derive(Default)]
struct Buffers {
    bytes: Vec<u8>,
    numbers: Vec<f64>,
}

/// What is known of a variable so far.
#[derive(Default)]
struct Known {
    moments: Moments,
    sum: Crc,
    /// How many jobs are in that.
    jobs: u64,
    /// Jobs that were done before the ones in front of them.
    ahead: BTreeMap<u64, Part>,
    error: Option<SourceError>,
}

/// What came of one job.
struct Part {
    moments: Moments,
    sum: Crc,
    bytes: u64,
}

struct Work<'w> {
    reader: &'w dyn CheckpointReader,
    progress: &'w dyn Progress,
    tasks: Vec<Task<'w>>,
    done: Mutex<BTreeMap<usize, Known>>,
}

impl Work<'_> {
    fn job(&self, job: u64, buffers: &mut Buffers) -> Result<(), StatsError> {
        let number = self.tasks.partition_point(|task| task.first <= job).saturating_sub(1);
        let Some(task) = self.tasks.get(number) else { return Ok(()) };
        let part = match &task.stored {
            Some((extent, _)) => self.stretch(task, extent, job - task.first, buffers),
            None => self.whole(task, buffers),
        };
        let mut done = self.lock();
        let known = done.entry(number).or_default();
        match part {
            Ok(part) => known.add(job - task.first, part),
            Err(StatsError::Source(error)) if error.is_about_one_variable() => {
                known.error.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// A part of what lies together.
    fn stretch(
        &self,
        task: &Task<'_>,
        extent: &Extent,
        job: u64,
        buffers: &mut Buffers,
    ) -> Result<Part, StatsError> {
        let (mut at, end) = (job * JOB, extent.len.min(job.saturating_add(1).saturating_mul(JOB)));
        let mut part = Part { moments: Moments::default(), sum: Crc::default(), bytes: end - at };
        while at < end {
            let len = BLOCK.min(end - at);
            let bytes = buffers.take(len);
            let read = extent.blob.read_at(extent.offset.saturating_add(at), bytes);
            read.map_err(SourceError::from)?;
            part.sum = part.sum.extend(bytes);
            buffers.count(task.dtype, &mut part.moments);
            self.advance(len)?;
            at += len;
        }
        Ok(part)
    }

    /// All of what lies in pieces, or is turned around; its sums are checked before.
    fn whole(&self, task: &Task<'_>, buffers: &mut Buffers) -> Result<Part, StatsError> {
        self.reader.verify(task.name, &|_| {})?;
        let mut part = Part { moments: Moments::default(), sum: Crc::default(), bytes: 0 };
        let Some(variable) = self.reader.catalog().variables.get(task.name) else {
            return Ok(part);
        };
        let size = task.dtype.size().unwrap_or(1);
        for region in Region::blocks(variable.spec.shape(), BLOCK / size) {
            let len = region.elements().saturating_mul(size);
            self.reader.read_region(task.name, &region, buffers.take(len))?;
            buffers.count(task.dtype, &mut part.moments);
            self.advance(len)?;
        }
        Ok(part)
    }

    fn advance(&self, bytes: u64) -> Result<(), StatsError> {
        self.progress.advance(bytes);
        if self.progress.cancelled() { Err(StatsError::Interrupted) } else { Ok(()) }
    }

    fn finish(self) -> Statistics {
        let mut found = Statistics::default();
        let done = self.done.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (number, known) in done {
            let Some(task) = self.tasks.get(number) else { continue };
            let sum = task.stored.as_ref().map(|(_, stored)| *stored);
            let error = known.error.or_else(|| {
                // Read once more, so that the error is the one that everybody gives.
                let wrong = sum.is_some_and(|stored| !stored.agrees(known.sum));
                wrong.then(|| self.reader.verify(task.name, &|_| {}).err()).flatten()
            });
            match error {
                None => {
                    found.moments.insert(task.name.clone(), known.moments);
                }
                Some(error) => {
                    let variable = Some(task.name.as_str().to_owned());
                    found.unreadable.push(Finding { variable, error });
                }
            }
        }
        found
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, Known>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Joins parts in the order of their bytes, so that sums are right and rounding is always the
    /// same.
    fn add(&mut self, job: u64, part: Part) {
        self.ahead.insert(job, part);
        while let Some(part) = self.ahead.remove(&self.jobs) {
            self.moments.join(&part.moments);
            self.sum = self.sum.join(part.sum, part.bytes);
            self.jobs += 1;
        }
    }
}

impl Buffers {
    fn take(&mut self, len: u64) -> &mut [u8] {
        // No block is longer than memory.
        self.bytes.resize(usize::try_from(len).unwrap_or_default(), 0);
        &mut self.bytes
    }

    fn count(&mut self, dtype: DType, moments: &mut Moments) {
        reals(dtype, &self.bytes, &mut self.numbers);
        moments.join(&Moments::of(&self.numbers));
    }
}
