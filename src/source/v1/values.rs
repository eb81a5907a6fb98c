//! The values of one record, any part of which can be read.
//!
//! ```text
//! segments   [ packed            ] [ t v t v t v ]  [ packed ]
//! starts       0                     5               8           first number of each
//! marks        ^ 0        ^ 1024 …                               integers: places of every 1024th
//! ```
//! Floating-point numbers have a width, so the place of each is known. Integers are written in as
//! many bytes as they need: a record of them is walked through once, and from then on a part of
//! it is found from the mark before.

use std::ops::Range;

use super::encoding::{Bytes, Encoding};
use super::record::{Segment, Segments};
use super::wire::Kind;
use crate::source::error::Broken;
use crate::source::error::RecordError;
use crate::tensor::{DType, Region, Shape};
use crate::varint;

/// Every so many integers one is marked.
const STEP: u64 = 1024;

/// Bytes of a record that are walked through before they are given back.
const WINDOW: usize = 1 << 24;

/// Where the values of a record are.
#[derive(Debug)]
pub(super) struct Values {
    encoding: Encoding,
    segments: Vec<Segment>,
    /// The first number in each segment.
    starts: Vec<u64>,
    /// Places of every [`STEP`]th number, where numbers have lengths of their own.
    marks: Vec<Place>,
}

/// Where in a record a number begins, its tag included.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    segment: usize,
    at: usize,
}

impl Values {
    /// Finds the values of a record, proves that there are `elements` of them and that the type
    /// has each. `passed` hears of stretches of the record that have been walked through.
    pub(super) fn parse(
        record: &[u8],
        dtype: DType,
        elements: u64,
        mut passed: impl FnMut(Range<usize>),
    ) -> Result<Self, RecordError> {
        let encoding = Encoding::of(dtype).ok_or(RecordError::DType(dtype))?;
        let Segments { list: segments, content } = Segments::find(record, encoding)?;
        let mut values = Self { encoding, segments, starts: Vec::new(), marks: Vec::new() };
        let mut numbers = 0;
        for number in 0..values.segments.len() {
            values.starts.push(numbers);
            numbers = values.count(record, number, numbers, &mut passed)?;
        }
        // Raw bytes besides are passed over, as long as nobody needs them.
        let needed = elements.saturating_mul(encoding.numbers);
        if numbers == needed {
            return Ok(values);
        }
        let raw = content && numbers == 0;
        Err(if raw { RecordError::Content } else { RecordError::Count { needed, got: numbers } })
    }

    /// Counts the numbers of a segment, of which `before` come before.
    fn count(
        &mut self,
        record: &[u8],
        number: usize,
        before: u64,
        passed: &mut impl FnMut(Range<usize>),
    ) -> Result<u64, RecordError> {
        let Some(segment) = self.segments.get(number).cloned() else { return Ok(before) };
        if let Kind::Fixed(width) = self.encoding.kind {
            let stride = segment.tag + width;
            let len = segment.bytes.len();
            if !len.is_multiple_of(stride) {
                return Err(Broken(segment.bytes.start).into());
            }
            return Ok(before + (len / stride) as u64);
        }
        let (mut count, mut at, mut begun) = (before, segment.bytes.start, segment.bytes.start);
        while at < segment.bytes.end {
            if count.is_multiple_of(STEP) && self.encoding.kind == Kind::Varint {
                self.marks.push(Place { segment: number, at });
            }
            let (written, body) = self.step(record, &segment, at)?;
            if self.encoding.kind == Kind::Varint {
                self.value(written, count)?;
            }
            at = body.end;
            count += 1;
            if at - begun >= WINDOW {
                passed(begun..at);
                begun = at;
            }
        }
        passed(begun..at);
        Ok(count)
    }

    /// The number at `at`, or the length of a string, and where the content lies.
    fn step(
        &self,
        record: &[u8],
        segment: &Segment,
        at: usize,
    ) -> Result<(u64, Range<usize>), RecordError> {
        let start = at + segment.tag;
        let found = record.get(start..segment.bytes.end).and_then(varint::read);
        let (value, rest) = found.ok_or(Broken(at))?;
        let after = segment.bytes.end - rest.len();
        if self.encoding.kind != Kind::Bytes {
            return Ok((value, start..after));
        }
        let len = usize::try_from(value).ok().filter(|&len| len <= rest.len()).ok_or(Broken(at))?;
        Ok((value, after..after + len))
    }

    /// The value of number `place`, which is written like this.
    fn value(&self, written: u64, place: u64) -> Result<Bytes, RecordError> {
        let dtype = self.encoding.dtype;
        let value = self.encoding.value(written);
        value.map_err(|value| RecordError::Value { place, value, dtype })
    }

    /// Fills `out` with a part of the slice, whose shape is `of`. Not for strings.
    pub(super) fn read(
        &self,
        record: &[u8],
        of: &Shape,
        region: &Region,
        out: &mut [u8],
    ) -> Result<(), RecordError> {
        let per = self.encoding.numbers;
        let width = match self.encoding.kind {
            Kind::Fixed(width) => width,
            _ => self.encoding.dtype.size().and_then(|n| usize::try_from(n).ok()).unwrap_or(1),
        };
        let mut rest = out;
        let mut last = (0, Place::default());
        region.for_each_run(of, |first, count| {
            let len = usize::try_from(count * per).unwrap_or(usize::MAX).saturating_mul(width);
            let len = len.min(rest.len());
            let (run, after) = std::mem::take(&mut rest).split_at_mut(len);
            rest = after;
            match self.encoding.kind {
                Kind::Fixed(width) => self.copy(record, first * per, width, run),
                _ => self.decode(record, first, &mut last, run.chunks_exact_mut(width)),
            }
        })
    }

    /// Fills `out` with numbers of a fixed width, from number `first` on.
    fn copy(
        &self,
        record: &[u8],
        first: u64,
        width: usize,
        out: &mut [u8],
    ) -> Result<(), RecordError> {
        let mut number = self.starts.partition_point(|&start| start <= first).saturating_sub(1);
        let start = self.starts.get(number).copied().unwrap_or_default();
        let mut skip = usize::try_from(first - start).unwrap_or(usize::MAX);
        let mut rest = out;
        while !rest.is_empty() {
            let Some(segment) = self.segments.get(number) else {
                return Err(Broken(record.len()).into());
            };
            let from = segment.bytes.start.saturating_add(skip.saturating_mul(segment.tag + width));
            let stored = record.get(from..segment.bytes.end).unwrap_or_default();
            let len = (stored.len() / (segment.tag + width)).saturating_mul(width).min(rest.len());
            let (now, later) = std::mem::take(&mut rest).split_at_mut(len);
            if segment.tag == 0 {
                now.copy_from_slice(stored.get(..len).unwrap_or_default());
            } else {
                let numbers = stored.chunks_exact(segment.tag + width);
                for (into, from) in now.chunks_exact_mut(width).zip(numbers) {
                    into.copy_from_slice(from.get(segment.tag..).unwrap_or_default());
                }
            }
            (rest, number, skip) = (later, number + 1, 0);
        }
        Ok(())
    }

    /// Decodes integers from number `first` on. `last` is where the run before ended: mostly that
    /// is nearer than the mark.
    fn decode<'o>(
        &self,
        record: &[u8],
        first: u64,
        last: &mut (u64, Place),
        out: impl Iterator<Item = &'o mut [u8]>,
    ) -> Result<(), RecordError> {
        let marked = first / STEP;
        let mark = usize::try_from(marked).ok().and_then(|number| self.marks.get(number));
        let near = last.0 <= first && last.0 >= marked * STEP && last.0 > 0;
        let (mut number, mut place) = match mark {
            Some(mark) if !near => (marked * STEP, *mark),
            _ => *last,
        };
        let mut out = out.peekable();
        while out.peek().is_some() {
            let segment = self.segments.get(place.segment).ok_or(Broken(place.at))?;
            if place.at >= segment.bytes.end {
                place.segment += 1;
                let next = self.segments.get(place.segment).ok_or(Broken(place.at))?;
                place.at = next.bytes.start;
                continue;
            }
            let (written, body) = self.step(record, segment, place.at)?;
            if number >= first
                && let Some(into) = out.next()
            {
                let value = self.value(written, number)?;
                into.copy_from_slice(value.get(..into.len()).unwrap_or_default());
            }
            (number, place.at) = (number + 1, body.end);
        }
        *last = (number, place);
        Ok(())
    }

    /// All strings, in order.
    pub(super) fn strings<'r>(&self, record: &'r [u8]) -> Result<Vec<&'r [u8]>, RecordError> {
        let mut found = Vec::new();
        for segment in &self.segments {
            let mut at = segment.bytes.start;
            while at < segment.bytes.end {
                let (_, body) = self.step(record, segment, at)?;
                at = body.end;
                found.extend(record.get(body));
            }
        }
        Ok(found)
    }

    /// Bytes of memory it takes.
    pub(super) fn weight(&self) -> usize {
        let segment = size_of::<Segment>() + size_of::<u64>();
        size_of::<Self>() + self.segments.len() * segment + self.marks.len() * size_of::<Place>()
    }
}

#[cfg(test)]
mod tests;
