//! Values that are worked out, several at a time: what they are made of is read into memory where
//! that fits, and else they are made in blocks.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::error::agree;
use super::layout::Fill;
use super::loaded::Loaded;
use super::memory::{self, Way};
use super::{ConvertError, Inputs, Options, pull};
use crate::catalog::VariableName;
use crate::crc::Crc;
use crate::plan::Assignment;
use crate::progress::Progress;
use crate::source::CheckpointReader;
use crate::target::CheckpointWriter;
use crate::tensor::Region;
use crate::workers;

/// Bytes that are summed at a time, where nothing else is done with them.
const SUMMED: usize = 512 << 10;

/// No value is worked out in more parts at a time.
const PARTS: usize = 32;

/// Works out all values and writes them. Their sums come in the order of `fills`.
pub(super) fn fill<'p>(
    fills: &[Fill<'p>],
    inputs: &Inputs<'p>,
    writer: &dyn CheckpointWriter,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Vec<Crc>, ConvertError> {
    let jobs = jobs(fills, inputs, options)?;
    let work = Work { inputs, writer, verify: options.verify, progress };
    // Of parts of values, by value and first block.
    let parts = Mutex::new(BTreeMap::new());
    workers::each(jobs.len(), State::default, |state, number| match jobs.get(number) {
        Some(Job::Sum { fill, reader, name }) => work.sum(state, fill, *reader, name),
        Some(Job::Make { fill, number, way, blocks }) => {
            let part = work.make(state, fill, *way, blocks)?;
            let mut parts = parts.lock().unwrap_or_else(PoisonError::into_inner);
            parts.insert((*number, blocks.start), part);
            Ok(())
        }
        None => Ok(()),
    })?;
    let mut sums = vec![Crc::default(); fills.len()];
    for ((fill, _), part) in parts.into_inner().unwrap_or_else(PoisonError::into_inner) {
        if let Some(sum) = sums.get_mut(fill) {
            *sum = sum.join(part.crc, part.len);
        }
    }
    Ok(sums)
}

/// What one thread does at a time.
enum Job<'j, 'p> {
    /// Checks the sum of a variable that is read in parts, for the first value that needs it.
    Sum { fill: &'j Fill<'p>, reader: &'p dyn CheckpointReader, name: &'p VariableName },
    /// Makes some of a value's blocks.
    Make { fill: &'j Fill<'p>, number: usize, way: Way, blocks: Range<usize> },
}

fn jobs<'j, 'p>(
    fills: &'j [Fill<'p>],
    inputs: &Inputs<'p>,
    options: &Options,
) -> Result<Vec<Job<'j, 'p>>, ConvertError> {
    let share = memory::share(options.memory);
    let mut jobs = Vec::new();
    let mut summed = BTreeSet::new();
    for (number, fill) in fills.iter().enumerate() {
        let way = memory::way(fill.assignment, inputs, share)?;
        let count = blocks(fill, way).count();
        let each = match way {
            Way::Loaded(_) => count,
            Way::Streamed(_) => {
                for (reader, name) in inputs.all_stored(&fill.assignment.value) {
                    if options.verify && summed.insert((inputs.is_source(reader), name)) {
                        jobs.push(Job::Sum { fill, reader, name });
                    }
                }
                count.div_ceil(PARTS)
            }
        };
        let starts = (0..count).step_by(each.max(1));
        jobs.extend(starts.map(|start| Job::Make {
            fill,
            number,
            way,
            blocks: start..start + each,
        }));
    }
    Ok(jobs)
}

/// The blocks that a value is made in.
fn blocks(fill: &Fill<'_>, way: Way) -> impl Iterator<Item = Region> {
    let spec = &fill.assignment.spec;
    let (Way::Loaded(bytes) | Way::Streamed(bytes)) = way;
    // At least an element, whatever its size.
    Region::blocks(spec.shape(), bytes / spec.dtype().size().unwrap_or(1))
}

/// What a thread keeps from one job to the next.
#[derive(Default)]
struct State<'p> {
    loaded: Loaded<'p>,
    block: Vec<u8>,
}

/// Bytes of a value that follow each other.
#[derive(Clone, Copy, Default)]
struct Part {
    len: u64,
    crc: Crc,
}

struct Work<'w, 'p> {
    inputs: &'w Inputs<'p>,
    writer: &'w dyn CheckpointWriter,
    verify: bool,
    progress: &'w dyn Progress,
}

impl<'p> Work<'_, 'p> {
    fn sum(
        &self,
        state: &mut State<'_>,
        fill: &Fill<'_>,
        reader: &dyn CheckpointReader,
        name: &VariableName,
    ) -> Result<(), ConvertError> {
        let read = || ConvertError::read(&fill.assignment.target, name);
        self.proceed()?;
        let Some((extent, crc)) = reader.extent(name).map_err(read())? else {
            return reader.verify(name, &|_| ()).map_err(read());
        };
        memory::room(&mut state.block, SUMMED);
        let (mut at, end) = (extent.offset, extent.offset.saturating_add(extent.len));
        let mut sum = Crc::default();
        while at < end {
            self.proceed()?;
            let len = usize::try_from(end - at).map_or(SUMMED, |left| left.min(SUMMED));
            let block = state.block.get_mut(..len).unwrap_or_default();
            extent
                .blob
                .read_at(at, block)
                .map_err(ConvertError::read(&fill.assignment.target, name))?;
            sum = sum.extend(block);
            at += len as u64;
        }
        agree(&fill.assignment.target, (reader, name), crc, sum)
    }

    fn make(
        &self,
        state: &mut State<'p>,
        fill: &Fill<'p>,
        way: Way,
        range: &Range<usize>,
    ) -> Result<Part, ConvertError> {
        let Assignment { target, spec, value, .. } = fill.assignment;
        self.proceed()?;
        let State { loaded, block } = state;
        let stored = match way {
            Way::Loaded(_) => self.inputs.all_stored(value),
            Way::Streamed(_) => Vec::new(),
        };
        let (Way::Loaded(bytes) | Way::Streamed(bytes)) = way;
        let bytes = bytes.min(spec.bytes().unwrap_or_default());
        memory::room(block, usize::try_from(bytes).unwrap_or(usize::MAX));
        loaded.load(target, &stored, self.inputs, self.verify)?;
        let transform = || ConvertError::transform(target);
        let mut regions = pull::regions(value, self.inputs, loaded).map_err(transform())?;
        let size = spec.dtype().size().unwrap_or(1);
        let strides = spec.shape().strides();
        let mut part = Part::default();
        for region in blocks(fill, way).skip(range.start).take(range.len()) {
            self.proceed()?;
            let first: u64 = region.start().iter().zip(&strides).map(|(at, step)| at * step).sum();
            // At most a block, or one element.
            let len = usize::try_from(region.elements() * size).unwrap_or(usize::MAX);
            let in_memory = regions.whole().and_then(|whole| {
                let start = usize::try_from(first * size).ok()?;
                whole.get(start..start.checked_add(len)?)
            });
            let bytes = match in_memory {
                Some(bytes) => bytes,
                None => {
                    block.resize(len, 0);
                    regions.read(&region, block).map_err(transform())?;
                    block.as_slice()
                }
            };
            part = Part { len: part.len + len as u64, crc: part.crc.extend(bytes) };
            let written = self.writer.write(fill.to.after(first * size), bytes);
            written.map_err(ConvertError::write(target))?;
            self.progress.advance(len as u64);
        }
        Ok(part)
    }

    fn proceed(&self) -> Result<(), ConvertError> {
        if self.progress.cancelled() { Err(ConvertError::Interrupted) } else { Ok(()) }
    }
}
