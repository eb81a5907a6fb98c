//! Output that is put together of strips along one axis.

use std::ops::Range;

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

/// Reads the rows `strip` of axis `axis`, along the other axes what `out` covers.
pub(super) fn read(
    op: &impl ToString,
    out: &Region,
    axis: usize,
    strip: Range<u64>,
    input: &mut dyn Regions,
    staged: &mut Vec<u8>,
) -> Result<(), TransformError> {
    let from = block::moved(op, input.spec(), out, axis, strip)?;
    block::stage(op, &from, input, staged)
}

/// Copies rows of axis `axis` out of a strip of `rows` rows into the block `out`.
pub(super) fn place(
    out: &Region,
    axis: usize,
    size: usize,
    (strip, rows): (&[u8], u64),
    into: &mut [u8],
    moves: &(impl Iterator<Item = Move> + Clone),
) {
    let row = block::inner(out, axis).saturating_mul(size);
    let bytes = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX).saturating_mul(row);
    let across = out.size().get(axis).copied().unwrap_or(1);
    if row == 0 || across == 0 || rows == 0 {
        return;
    }
    for (from, to) in strip.chunks_exact(bytes(rows)).zip(into.chunks_exact_mut(bytes(across))) {
        for step in moves.clone() {
            let span = |first: u64| bytes(first)..bytes(first.saturating_add(step.rows));
            if let (Some(from), Some(to)) = (from.get(span(step.from)), to.get_mut(span(step.to))) {
                to.copy_from_slice(from);
            }
        }
    }
}
