//! Walks through memory: what lies apart in one piece of it is put together in another.

use super::tile;

/// Steps of so many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    pub(super) steps: usize,
    pub(super) stride: usize,
}

/// A walk along axes, innermost last, which meets one element after the other.
#[derive(Debug)]
pub(super) struct Walk {
    axes: Vec<Axis>,
    /// Bytes that lie together at each place.
    unit: usize,
}

impl Walk {
    /// As few axes and as long steps as lead to the same elements of `size` bytes: what lies
    /// together here and there is one, and neighbours that can be walked as one axis are one.
    pub(super) fn new(axes: impl DoubleEndedIterator<Item = Axis>, size: usize) -> Self {
        let mut walk = Self { axes: Vec::new(), unit: size };
        // Innermost first.
        for axis in axes.rev() {
            match walk.axes.last_mut() {
                _ if axis.steps == 0 => return Self { axes: Vec::new(), unit: 0 },
                _ if axis.steps == 1 => {}
                None if axis.stride == walk.unit => {
                    walk.unit = walk.unit.saturating_mul(axis.steps);
                }
                Some(inner) if inner.stride.checked_mul(inner.steps) == Some(axis.stride) => {
                    inner.steps = inner.steps.saturating_mul(axis.steps);
                }
                _ => walk.axes.push(axis),
            }
        }
        walk.axes.reverse();
        walk
    }

    /// Whether everything it meets lies together.
    pub(super) fn straight(&self) -> bool {
        self.axes.is_empty()
    }

    /// Fills `into` with what it meets in `from` when it sets out at `start`. Places of elements
    /// that would lie outside are left alone.
    pub(super) fn copy(&self, (from, start): (&[u8], usize), into: &mut [u8]) {
        match self.unit {
            0 => {}
            1 => elements::<1>(&self.axes, (from, start), into),
            2 => elements::<2>(&self.axes, (from, start), into),
            4 => elements::<4>(&self.axes, (from, start), into),
            8 => elements::<8>(&self.axes, (from, start), into),
            16 => elements::<16>(&self.axes, (from, start), into),
            unit => runs(&self.axes, unit, (from, start), into),
        }
    }
}

/// Elements of `W` bytes none of which lies beside the next.
fn elements<const W: usize>(axes: &[Axis], (from, start): (&[u8], usize), into: &mut [u8]) {
    let nearest = axes.iter().enumerate().min_by_key(|(_, axis)| axis.stride);
    let (Some((nearest, _)), Some((last, outer))) = (nearest, axes.split_last()) else {
        return gather::<W>((from, start), 0, into);
    };
    if nearest < outer.len() {
        return tile::copy::<W>(axes, nearest, (from, start), into);
    }
    let mut at = Odometer::new(outer, start);
    for line in into.chunks_exact_mut(last.steps.saturating_mul(W).max(1)) {
        gather::<W>((from, at.offset), last.stride, line);
        at.advance();
    }
}

/// Elements of `W` bytes that are so many bytes apart.
fn gather<const W: usize>((from, start): (&[u8], usize), stride: usize, into: &mut [u8]) {
    let offsets = (start..).step_by(stride.max(1));
    for (to, offset) in into.as_chunks_mut::<W>().0.iter_mut().zip(offsets) {
        if let Some(element) = from.get(offset..).and_then(<[u8]>::first_chunk) {
            *to = *element;
        }
    }
}

/// Runs of `unit` bytes each.
fn runs(axes: &[Axis], unit: usize, (from, start): (&[u8], usize), into: &mut [u8]) {
    let mut at = Odometer::new(axes, start);
    for run in into.chunks_exact_mut(unit) {
        if let Some(bytes) = from.get(at.offset..at.offset.saturating_add(unit)) {
            run.copy_from_slice(bytes);
        }
        at.advance();
    }
}

/// Counts up along axes, the last one first, keeping an offset in step.
pub(super) struct Odometer<'a> {
    axes: &'a [Axis],
    index: Vec<usize>,
    pub(super) offset: usize,
}

impl<'a> Odometer<'a> {
    /// At the beginning of a walk that sets out at `start`.
    pub(super) fn new(axes: &'a [Axis], start: usize) -> Self {
        Self { axes, index: vec![0; axes.len()], offset: start }
    }

    /// On to the next place; after the last comes the first.
    pub(super) fn advance(&mut self) {
        for (at, axis) in self.index.iter_mut().zip(self.axes).rev() {
            *at += 1;
            self.offset += axis.stride;
            if *at < axis.steps {
                break;
            }
            self.offset -= axis.stride * *at;
            *at = 0;
        }
    }
}
