//! Transposing through a buffer that stays in the nearest cache.
//!
//! What lies side by side in the input lies far apart in the output, and the other way round.
//! Walking along either wastes the other's cache lines, and where distances are powers of two, few
//! of them can be held at a time. So a tile of whole lines of the input is read into a buffer
//! without gaps, and written from there as long runs of the output.

use super::walk::{Axis, Odometer};

/// Bytes of a cache line.
const LINE: usize = 64;

/// Lines of a tile at most.
const LINES: usize = 64;

/// Fills `into` with the elements of `W` bytes that a walk along `axes` meets, where axis `nearest`
/// is the one with the shortest steps through `from`, and not the last.
pub(super) fn copy<const W: usize>(
    axes: &[Axis],
    nearest: usize,
    (from, start): (&[u8], usize),
    into: &mut [u8],
) {
    let (outer, rest) = axes.split_at_checked(nearest).unwrap_or((axes, &[]));
    let Some((&columns, inner)) = rest.split_first() else { return };
    let run = inner.iter().fold(W, |bytes, axis| bytes.saturating_mul(axis.steps));
    let mut at = Odometer::new(outer, start);
    let mut buffer = [0; LINE * LINES];
    for slab in into.chunks_exact_mut(run.saturating_mul(columns.steps).max(1)) {
        let mut rows = Odometer::new(inner, at.offset);
        let mut done = 0;
        while done < run {
            // Longer runs of wide elements gain nothing, and more of the input competes for a place.
            let count = ((run - done) / W).min((256 / W).clamp(32, LINES));
            let mut offsets = [0; LINES];
            for offset in offsets.iter_mut().take(count) {
                *offset = rows.offset;
                rows.advance();
            }
            let offsets = offsets.get(..count).unwrap_or(&[]);
            stripe::<W>(columns, (from, offsets), (slab, run, done), &mut buffer);
            done += (count * W).max(1);
        }
        at.advance();
    }
}

/// The elements that begin at `offsets`, and along `columns` from there: each column becomes a
/// stretch of a run of `slab`, from byte `done` on.
fn stripe<const W: usize>(
    columns: Axis,
    (from, offsets): (&[u8], &[usize]),
    (slab, run, done): (&mut [u8], usize, usize),
    buffer: &mut [u8; LINE * LINES],
) {
    let mut runs = slab.chunks_exact_mut(run);
    let mut column = 0;
    while column < columns.steps {
        let wide = (columns.steps - column).min(width::<W>(columns, from, offsets, column));
        let along = column * columns.stride;
        for (line, &offset) in buffer.as_chunks_mut::<LINE>().0.iter_mut().zip(offsets) {
            read::<W>(line, wide, columns.stride, from, offset + along);
        }
        for (i, run) in runs.by_ref().take(wide).enumerate() {
            let Some(run) = run.get_mut(done..done + offsets.len() * W) else { continue };
            let lines = buffer.as_chunks::<LINE>().0;
            for (to, line) in run.as_chunks_mut::<W>().0.iter_mut().zip(lines) {
                if let Some(element) = line.as_chunks::<W>().0.get(i) {
                    *to = *element;
                }
            }
        }
        column += wide;
    }
}

/// How many columns make up a tile: as many as a line has elements; at first fewer, so that all
/// others begin where a line of memory does.
fn width<const W: usize>(columns: Axis, from: &[u8], offsets: &[usize], column: usize) -> usize {
    let first = offsets.first().copied().unwrap_or_default();
    let past = (from.as_ptr().addr() + first) % LINE;
    if column == 0 && columns.stride == W { ((LINE - past) / W).max(1) } else { LINE / W }
}

/// Fills a line with `wide` elements.
fn read<const W: usize>(
    line: &mut [u8; LINE],
    wide: usize,
    stride: usize,
    from: &[u8],
    offset: usize,
) {
    let Some(rest) = from.get(offset..) else { return };
    if stride != W {
        let elements = line.as_chunks_mut::<W>().0.iter_mut().take(wide);
        for (to, at) in elements.zip((0..).step_by(stride.max(1))) {
            if let Some(element) = rest.get(at..).and_then(<[u8]>::first_chunk) {
                *to = *element;
            }
        }
    } else if let Some(whole) = rest.first_chunk() {
        // More than is needed at times, but of a size that is known.
        *line = *whole;
    } else {
        let len = (wide * W).min(rest.len());
        if let (Some(line), Some(rest)) = (line.get_mut(..len), rest.get(..len)) {
            line.copy_from_slice(rest);
        }
    }
}
