//! What the values of variables are like: their range, mean and deviation, and how many are no
//! numbers. Every byte is read once, several blocks at a time, and summed on the way, so that
//! damage is found where it lies.

mod moments;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::catalog::VariableName;
use crate::crc::Crc;
use crate::files::Extent;
use crate::pieces;
use crate::progress::Progress;
use crate::source::{CheckpointReader, Finding, SourceError};
use crate::tensor::{DType, Region, is_real, reals};

pub use moments::Moments;

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
            tasks.push(Task { name, dtype, stored, position: variable.position() });
        }
    }
    tasks.sort_by_key(|task| task.position);
    let bytes = tasks.iter().filter_map(|task| variables.get(task.name)?.spec.bytes());
    progress.begin(bytes.fold(0, u64::saturating_add));
    let lens: Vec<u64> = tasks.iter().map(Task::len).collect();
    let work = Work { reader, progress };
    let mut known: Vec<Known> = tasks.iter().map(|_| Known::default()).collect();
    pieces::each(
        &lens,
        Buffers::default,
        |buffers, at, piece| match tasks.get(at) {
            Some(task) => work.piece(task, piece, buffers),
            None => Ok(Ok(Part::default())),
        },
        |at, part| {
            if let Some(known) = known.get_mut(at) {
                known.add(part);
            }
        },
    )?;
    let mut found = Statistics::default();
    for (task, known) in tasks.iter().zip(known) {
        match task.judge(reader, known) {
            Ok(moments) => drop(found.moments.insert(task.name.clone(), moments)),
            Err(error) => {
                let variable = Some(task.name.as_str().to_owned());
                found.unreadable.push(Finding { variable, error });
            }
        }
    }
    Ok(found)
}

/// A variable to go through.
struct Task<'t> {
    name: &'t VariableName,
    dtype: DType,
    /// Where its bytes lie as they are; in pieces or swapped, the reader puts them together.
    stored: Option<(Extent, Crc)>,
    position: (u32, u64),
}

/// What a thread reads into.
#[derive(Default)]
struct Buffers {
    bytes: Vec<u8>,
    numbers: Vec<f64>,
}

/// What is known of a variable so far, and what came of one piece.
#[derive(Default)]
struct Part {
    moments: Moments,
    sum: Crc,
    bytes: u64,
}

#[derive(Default)]
struct Known {
    all: Part,
    error: Option<SourceError>,
}

impl Task<'_> {
    fn len(&self) -> u64 {
        self.stored.as_ref().map_or(0, |(extent, _)| extent.len)
    }

    /// What the values are like, if the bytes are what they were.
    fn judge(&self, reader: &dyn CheckpointReader, known: Known) -> Result<Moments, SourceError> {
        if let Some(error) = known.error {
            return Err(error);
        }
        if self.stored.as_ref().is_some_and(|(_, stored)| !stored.agrees(known.all.sum)) {
            // Read once more, so that the error is the one that everybody gives.
            reader.verify(self.name, &|_| {})?;
        }
        Ok(known.all.moments)
    }
}

impl Known {
    /// Takes the next piece in. They come in order, so that rounding is always the same.
    fn add(&mut self, part: Result<Part, SourceError>) {
        match part {
            Ok(part) => {
                self.all.moments.join(&part.moments);
                self.all.sum = self.all.sum.join(part.sum, part.bytes);
            }
            Err(error) => drop(self.error.get_or_insert(error)),
        }
    }
}

struct Work<'w> {
    reader: &'w dyn CheckpointReader,
    progress: &'w dyn Progress,
}

impl Work<'_> {
    /// The inner error is about this variable, and the others go on.
    fn piece(
        &self,
        task: &Task<'_>,
        piece: Range<u64>,
        buffers: &mut Buffers,
    ) -> Result<Result<Part, SourceError>, StatsError> {
        let part = match &task.stored {
            Some((extent, _)) => self.stretch(task, extent, piece, buffers),
            None => self.whole(task, buffers),
        };
        match part {
            Err(StatsError::Source(error)) if error.is_about_one_variable() => Ok(Err(error)),
            part => part.map(Ok),
        }
    }

    /// A part of what lies together.
    fn stretch(
        &self,
        task: &Task<'_>,
        extent: &Extent,
        piece: Range<u64>,
        buffers: &mut Buffers,
    ) -> Result<Part, StatsError> {
        let mut part = Part { bytes: piece.end - piece.start, ..Part::default() };
        let mut at = piece.start;
        while at < piece.end {
            let len = BLOCK.min(piece.end - at);
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
        let mut part = Part::default();
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
