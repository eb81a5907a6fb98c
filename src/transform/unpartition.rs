//! Tables that a partitioner of strategy `mod` took apart.

use std::fmt;
use std::ops::Range;

use super::strided::{self, Steps};
use super::strip::{self, Move};
use super::{Along, Cost, Op, Regions, Transform, TransformError, axis, block};
use crate::tensor::{Region, TensorSpec};

/// `unpartition: {strategy: mod, parts: 3}`: `tf.nn.embedding_lookup` looks row i up in part
/// i mod 3, and the parts lie one after the other. Rows are worked out and never listed: there can
/// be more of them than memory holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpartition {
    parts: u64,
    back: bool,
}

impl Unpartition {
    /// Of so many parts.
    pub fn new(parts: u64) -> Result<Self, String> {
        match parts {
            0 => Err("there is at least one part".to_owned()),
            _ => Ok(Self { parts, back: false }),
        }
    }

    /// First stored row of a part of a table of so many rows: the first `rows % parts` parts have
    /// one row more than the others.
    fn start(&self, part: u64, rows: u64) -> u64 {
        let (each, more) = (rows / self.parts, rows % self.parts);
        part.saturating_mul(each).saturating_add(part.min(more))
    }

    /// The part that holds a stored row.
    fn part(&self, stored: u64, rows: u64) -> u64 {
        let (each, more) = (rows / self.parts, rows % self.parts);
        let longer = more * (each + 1);
        match stored.checked_sub(longer) {
            Some(beyond) => more + beyond.checked_div(each).unwrap_or_default(),
            None => stored / (each + 1),
        }
    }

    /// Rows of the table out of the parts.
    fn join(
        &self,
        (out, taken, rows): (&Region, Range<u64>, u64),
        size: usize,
        input: &mut dyn Regions,
        into: &mut [u8],
    ) -> Result<(), TransformError> {
        let mut staged = Vec::new();
        // The first row of each part that the block meets.
        for first in taken.start..taken.end.min(taken.start.saturating_add(self.parts)) {
            let count = (taken.end - first).div_ceil(self.parts);
            let start = self.start(first % self.parts, rows) + first / self.parts;
            let view = strip::read(self, out, 0, start..start + count, input, &mut staged)?;
            let to = first - taken.start;
            let moves = (0..count).map(|i| Move { from: i, to: to + i * self.parts, rows: 1 });
            strip::place(out, 0, size, &view, into, &moves);
        }
        Ok(())
    }

    /// Rows of the parts out of the table.
    fn part_again(
        &self,
        (out, taken, rows): (&Region, Range<u64>, u64),
        size: usize,
        input: &mut dyn Regions,
        into: &mut [u8],
    ) -> Result<(), TransformError> {
        let row = block::inner(out, 0).saturating_mul(size);
        let (mut rest, mut at) = (into, taken.start);
        while at < taken.end {
            let part = self.part(at, rows);
            let count = self.start(part + 1, rows).min(taken.end).saturating_sub(at).max(1);
            let start = (at - self.start(part, rows)) * self.parts + part;
            let others = block::ranges(out).into_iter().skip(1);
            let others = others.map(|range| Steps {
                start: range.start,
                count: range.end - range.start,
                step: 1,
            });
            let taken = Steps { start, count, step: self.parts };
            let axes: Vec<_> = std::iter::once(taken).chain(others).collect();
            let bytes = usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(row);
            let Some((block, after)) = std::mem::take(&mut rest).split_at_mut_checked(bytes) else {
                return Err(TransformError::fit(self, input.spec(), "the block is too small"));
            };
            strided::read(self, &axes, input, block)?;
            rest = after;
            at += count;
        }
        Ok(())
    }
}

impl fmt::Display for Unpartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.back { "partition" } else { "unpartition" };
        write!(f, "{name}: {{strategy: mod, parts: {}}}", self.parts)
    }
}

impl Op for Unpartition {
    fn infer(&self, input: &TensorSpec) -> Result<TensorSpec, TransformError> {
        block::size(self, input)?;
        axis::one(self, input, 0)?;
        Ok(input.clone())
    }

    fn pull(
        &self,
        out: &Region,
        input: &mut dyn Regions,
        into: &mut [u8],
    ) -> Result<(), TransformError> {
        if out.elements() == 0 {
            return Ok(());
        }
        let spec = input.spec().clone();
        let (size, (_, rows)) = (block::size(self, &spec)?, axis::one(self, &spec, 0)?);
        let taken = block::ranges(out).first().cloned().unwrap_or_default();
        if taken.end > rows {
            return Err(TransformError::fit(self, &spec, "the block lies outside"));
        }
        if self.back {
            self.part_again((out, taken, rows), size, input, into)
        } else {
            self.join((out, taken, rows), size, input, into)
        }
    }

    fn cost(&self, input: &TensorSpec, block: u64) -> Cost {
        Cost::staged(input, block)
    }

    fn invert(&self, _: &TensorSpec) -> Option<Transform> {
        Some(Transform::Unpartition(Self { back: !self.back, ..self.clone() }))
    }

    fn along(&self) -> Along {
        Along::As(Transform::Unpartition(self.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_one_after_the_other() {
        for (parts, rows) in [(1, 4), (3, 8), (3, 9), (5, 3), (4, 1)] {
            let unpartition = Unpartition::new(parts).unwrap();
            let mut stored = Vec::new();
            for part in 0..parts {
                assert_eq!(unpartition.start(part, rows), u64::try_from(stored.len()).unwrap());
                stored.extend((0..rows).filter(|row| row % parts == part).map(|_| part));
            }
            let found: Vec<u64> = (0..rows).map(|at| unpartition.part(at, rows)).collect();
            assert_eq!(found, stored, "{rows} rows in {parts}");
        }
        let many = Unpartition::new(u64::MAX).unwrap();
        assert_eq!((many.start(7, 3), many.part(2, 3)), (3, 2));
    }
}
