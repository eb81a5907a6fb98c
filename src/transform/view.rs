//! Elements in memory: a box that was read, or all of an input that lies there anyway.

use super::walk::{Axis, Odometer, Walk};
use super::{Regions, TransformError, block};
use crate::tensor::{Region, Shape};

/// A box of elements, and how far they are apart.
#[derive(Debug)]
pub(super) struct View<'a> {
    bytes: &'a [u8],
    /// Byte of the first element.
    start: usize,
    /// Bytes from one element to the next along each axis.
    strides: Vec<usize>,
}

impl<'a> View<'a> {
    /// All of the input, if it lies in memory.
    pub(super) fn whole(input: &'a dyn Regions) -> Option<Self> {
        let (spec, bytes) = (input.spec(), input.whole()?);
        // Only what is as long as it should be can be walked along.
        let complete = u64::try_from(bytes.len()).ok() == spec.bytes();
        let size = usize::try_from(spec.dtype().size()?).ok()?;
        complete.then(|| Self { bytes, start: 0, strides: strides(spec.shape(), size) })
    }

    /// A box of the input: where it lies, or in memory of its own.
    pub(super) fn read(
        op: &impl ToString,
        region: &Region,
        input: &'a mut dyn Regions,
        staged: &'a mut Vec<u8>,
    ) -> Result<Self, TransformError> {
        if View::whole(&*input).is_none() {
            let size = block::size(op, input.spec())?;
            let shape = block::shape(op, region)?;
            block::stage(op, region, input, staged)?;
            return Ok(Self { bytes: staged, start: 0, strides: strides(&shape, size) });
        }
        let whole = Self::whole(input).filter(|_| region.fits(input.spec().shape()));
        let misfit = || TransformError::fit(op, input.spec(), "the block lies outside");
        Ok(whole.ok_or_else(misfit)?.at(region.start()))
    }

    /// From this element on.
    pub(super) fn at(self, first: &[u64]) -> Self {
        let steps = first.iter().zip(&self.strides);
        let start = steps.fold(self.start, |start, (&at, &stride)| {
            start.saturating_add(number(at).saturating_mul(stride))
        });
        Self { start, ..self }
    }

    /// Where to set out on a walk.
    pub(super) fn origin(&self) -> (&'a [u8], usize) {
        (self.bytes, self.start)
    }

    /// So many elements along each axis, one after the other: where they lie, or in `gathered`.
    pub(super) fn together<'b>(
        &self,
        counts: &[u64],
        size: usize,
        gathered: &'b mut Vec<u8>,
    ) -> &'b [u8]
    where
        'a: 'b,
    {
        let axes = self.axes(counts);
        let bytes = axes.iter().fold(size, |bytes, axis| bytes.saturating_mul(axis.steps));
        let walk = Walk::new(axes.into_iter(), size);
        let end = self.start.saturating_add(bytes);
        if let Some(bytes) = self.bytes.get(self.start..end).filter(|_| walk.straight()) {
            return bytes;
        }
        block::room(gathered, bytes);
        walk.copy(self.origin(), gathered);
        gathered
    }

    /// So many elements along each axis.
    pub(super) fn axes(&self, counts: &[u64]) -> Vec<Axis> {
        let counts = counts.iter().zip(&self.strides);
        counts.map(|(&steps, &stride)| Axis { steps: number(steps), stride }).collect()
    }

    /// Copies all of it into the box `region` of a block of `shape`.
    pub(super) fn put(&self, size: usize, shape: &Shape, region: &Region, into: &mut [u8]) {
        // Axes that are covered wholly, and a part of the next, lie together in the block.
        let covered = region.size().iter().zip(shape.dims()).rev().take_while(|(a, b)| a == b);
        let outer = shape.rank().saturating_sub(covered.count() + 1);
        let block = Self { bytes: &[], start: 0, strides: strides(shape, size) };
        let block = block.at(region.start());
        let (from, to) = (self.axes(region.size()), block.axes(region.size()));
        let (before, within) = from.split_at_checked(outer).unwrap_or((&from, &[]));
        let stretch = within.iter().fold(size, |bytes, axis| bytes.saturating_mul(axis.steps));
        let within = Walk::new(within.iter().copied(), size);
        let before = before.iter().zip(&to).map(|(from, to)| (*from, *to));
        let (from, to): (Vec<_>, Vec<_>) = before.unzip();
        let stretches = to.iter().fold(1_usize, |all, axis| all.saturating_mul(axis.steps));
        let (mut from, mut to) =
            (Odometer::new(&from, self.start), Odometer::new(&to, block.start));
        for _ in 0..stretches {
            if let Some(place) = into.get_mut(to.offset..to.offset.saturating_add(stretch)) {
                within.copy((self.bytes, from.offset), place);
            }
            from.advance();
            to.advance();
        }
    }
}

fn strides(shape: &Shape, size: usize) -> Vec<usize> {
    shape.strides().into_iter().map(|stride| number(stride).saturating_mul(size)).collect()
}

/// What counts elements in memory fits.
pub(super) fn number(elements: u64) -> usize {
    usize::try_from(elements).unwrap_or(usize::MAX)
}
