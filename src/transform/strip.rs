//! Output that is put together of strips along one axis.

use std::ops::Range;

use super::view::{View, number};
use super::walk::{Odometer, Walk};
use super::{Regions, TransformError, block};
use crate::tensor::Region;

/// Rows that go together: `from`, where they are read, and to which row of the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Move {
    /// First row, counted from where the strip starts.
    pub(super) from: u64,
    /// First row in the block.
    pub(super) to: u64,
    /// How many.
    pub(super) rows: u64,
}

/// The rows `strip` of axis `axis`, along the other axes what `out` covers.
pub(super) fn read<'a>(
    op: &impl ToString,
    out: &Region,
    axis: usize,
    strip: Range<u64>,
    input: &'a mut dyn Regions,
    staged: &'a mut Vec<u8>,
) -> Result<View<'a>, TransformError> {
    let from = block::moved(op, input.spec(), out, axis, strip)?;
    View::read(op, &from, input, staged)
}

/// Copies rows of axis `axis` out of a strip into the block `out`.
pub(super) fn place(
    out: &Region,
    axis: usize,
    size: usize,
    strip: &View<'_>,
    into: &mut [u8],
    moves: &(impl Iterator<Item = Move> + Clone),
) {
    let axes = strip.axes(out.size());
    let (before, rest) = axes.split_at_checked(axis).unwrap_or((&axes, &[]));
    let Some((rows, others)) = rest.split_first() else { return };
    let row = block::inner(out, axis).saturating_mul(size);
    if row == 0 || rows.steps == 0 {
        return;
    }
    let within = Walk::new(others.iter().copied(), size);
    let (bytes, start) = strip.origin();
    let mut at = Odometer::new(before, start);
    for block in into.chunks_exact_mut(rows.steps.saturating_mul(row)) {
        let source = (bytes, at.offset, rows.stride);
        match row {
            _ if !within.straight() => {
                each(source, row, block, moves, |from, to| within.copy((bytes, from), to));
            }
            1 => single::<1>(source, block, moves),
            2 => single::<2>(source, block, moves),
            4 => single::<4>(source, block, moves),
            8 => single::<8>(source, block, moves),
            16 => single::<16>(source, block, moves),
            _ => each(source, row, block, moves, |from, to| {
                if let Some(from) = bytes.get(from..from.saturating_add(to.len())) {
                    to.copy_from_slice(from);
                }
            }),
        }
        at.advance();
    }
}

/// Rows of `W` bytes, which is quicker where the compiler knows it.
fn single<const W: usize>(
    source: (&[u8], usize, usize),
    block: &mut [u8],
    moves: &(impl Iterator<Item = Move> + Clone),
) {
    let (bytes, start, stride) = source;
    let rows = block.as_chunks_mut::<W>().0;
    for step in moves.clone() {
        let first = number(step.to);
        let from = start.saturating_add(number(step.from).saturating_mul(stride));
        if step.rows == 1 {
            let element = bytes.get(from..).and_then(<[u8]>::first_chunk);
            if let (Some(to), Some(element)) = (rows.get_mut(first), element) {
                *to = *element;
            }
            continue;
        }
        let to = rows.get_mut(first..first.saturating_add(number(step.rows))).unwrap_or_default();
        let together = bytes.get(from..from.saturating_add(to.len().saturating_mul(W)));
        if let Some(together) = together.filter(|_| stride == W) {
            to.as_flattened_mut().copy_from_slice(together);
            continue;
        }
        for (to, from) in to.iter_mut().zip((from..).step_by(stride.max(1))) {
            if let Some(element) = bytes.get(from..).and_then(<[u8]>::first_chunk) {
                *to = *element;
            }
        }
    }
}

/// Rows of `row` bytes, which `copy` puts where they go; several at once if they lie together.
fn each(
    (bytes, start, stride): (&[u8], usize, usize),
    row: usize,
    block: &mut [u8],
    moves: &(impl Iterator<Item = Move> + Clone),
    copy: impl Fn(usize, &mut [u8]),
) {
    for step in moves.clone() {
        let from = start.saturating_add(number(step.from).saturating_mul(stride));
        let first = number(step.to).saturating_mul(row);
        let len = number(step.rows).saturating_mul(row);
        let Some(to) = block.get_mut(first..first.saturating_add(len)) else { continue };
        match bytes.get(from..from.saturating_add(len)) {
            Some(from) if stride == row => to.copy_from_slice(from),
            _ => {
                let offsets = (from..).step_by(stride.max(1));
                to.chunks_exact_mut(row).zip(offsets).for_each(|(to, from)| copy(from, to));
            }
        }
    }
}
