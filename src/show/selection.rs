//! Which elements of a tensor are wanted, and how they are read.

use std::convert::Infallible;

use crate::source::SourceError;
use crate::tensor::{Region, Shape};

/// What is read at once where only every so-manieth element is wanted: what lies between them
/// comes along up to this many bytes, beyond them it is left out.
const COVER: u64 = 1 << 20;

/// Elements along one axis: `count` of them from `start` on, `step` apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    pub(super) start: u64,
    pub(super) step: u64,
    pub(super) count: u64,
    /// Whether it is an axis of the result: an index takes its axis away.
    pub(super) kept: bool,
}

/// Elements of a tensor. It fits the shape it was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection(Vec<Axis>);

/// Reads a region of a tensor.
pub(super) type Read<'r> = dyn FnMut(&Region, &mut [u8]) -> Result<(), SourceError> + 'r;

impl Selection {
    pub(super) fn new(axes: Vec<Axis>) -> Self {
        Self(axes)
    }

    /// All of a tensor of this shape.
    pub fn all(shape: &Shape) -> Self {
        let axis = |&count: &u64| Axis { start: 0, step: 1, count, kept: true };
        Self(shape.dims().iter().map(axis).collect())
    }

    /// How many elements along each axis of the result, as NumPy has it.
    pub fn shape(&self) -> Shape {
        shape(self.0.iter().filter(|axis| axis.kept).map(|axis| axis.count))
    }

    /// The same with the axes that an index took away, which have one element each.
    pub(super) fn full_shape(&self) -> Shape {
        shape(self.0.iter().map(|axis| axis.count))
    }

    /// Places in row-major order of a tensor of shape `of`, of elements in the order of the result.
    pub(super) fn places(&self, of: &Shape) -> Vec<u64> {
        let size: Vec<u64> = self.0.iter().map(|axis| axis.count).collect();
        let first: u64 = self.0.iter().zip(of.strides()).map(|(axis, by)| axis.start * by).sum();
        let strides =
            self.0.iter().zip(of.strides()).map(|(axis, by)| axis.step.saturating_mul(by));
        let mut places = offsets(&size, &strides.collect::<Vec<_>>());
        for place in &mut places {
            *place += first;
        }
        places
    }

    /// Reads the elements `part` of the result, whose shape is [`full_shape`](Self::full_shape),
    /// into the `place` of `out` that is as large; `out` has the shape `room` and elements of
    /// `width` bytes.
    pub(super) fn read(
        &self,
        part: &Region,
        place: &Region,
        (room, width): (&Shape, u64),
        out: &mut [u8],
        read: &mut Read<'_>,
    ) -> Result<(), SourceError> {
        let Some(cover) = self.cover(part) else { return Ok(()) };
        let bytes = cover.elements().saturating_mul(width);
        let stepped = self.0.iter().zip(part.size()).position(|(axis, n)| axis.step > 1 && *n > 1);
        if let Some(axis) = stepped.filter(|_| bytes > COVER)
            && let (Some([one, other]), Some([here, there])) =
                (halves(part, axis), halves(place, axis))
        {
            self.read(&one, &here, (room, width), out, read)?;
            return self.read(&other, &there, (room, width), out, read);
        }
        if stepped.is_none() && *place == Region::whole(room) {
            return read(&cover, out);
        }
        let width = usize::try_from(width).unwrap_or(1);
        let mut bytes = vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)];
        read(&cover, &mut bytes)?;
        let strides = cover.shape().unwrap_or_default().strides();
        let strides = strides.iter().zip(&self.0).map(|(by, axis)| by.saturating_mul(axis.step));
        let from = offsets(part.size(), &strides.collect::<Vec<_>>());
        let mut from = from.into_iter();
        let at =
            |element: u64| usize::try_from(element).unwrap_or(usize::MAX).saturating_mul(width);
        let Ok(()) = place.for_each_run(room, |start, len| {
            let stretch = out.get_mut(at(start)..at(start + len)).unwrap_or_default();
            for (element, from) in stretch.chunks_exact_mut(width).zip(from.by_ref()) {
                if let Some(bytes) = bytes.get(at(from)..at(from) + width) {
                    element.copy_from_slice(bytes);
                }
            }
            Ok::<(), Infallible>(())
        });
        Ok(())
    }

    /// The smallest region of the tensor with all elements of `part` in it; `None` for none.
    fn cover(&self, part: &Region) -> Option<Region> {
        if part.elements() == 0 {
            return None;
        }
        let along = |((axis, start), size): ((&Axis, &u64), &u64)| {
            let first = axis.start + start * axis.step;
            first..first + (size - 1) * axis.step + 1
        };
        let ranges: Vec<_> = self.0.iter().zip(part.start()).zip(part.size()).map(along).collect();
        let end = shape(ranges.iter().map(|range| range.end));
        Region::new(&end, &ranges)
    }
}

/// A shape no larger than that of a tensor, which has been proved to be one.
fn shape(dims: impl Iterator<Item = u64>) -> Shape {
    Shape::new(dims.collect::<Vec<_>>()).unwrap_or_default()
}

/// A region cut in two along an axis.
fn halves(region: &Region, axis: usize) -> Option<[Region; 2]> {
    let ranges = || region.start().iter().zip(region.size()).map(|(at, size)| *at..at + size);
    let (mut one, mut other) = (ranges().collect::<Vec<_>>(), ranges().collect::<Vec<_>>());
    let end = shape(ranges().map(|range| range.end));
    let (first, second) = (one.get_mut(axis)?, other.get_mut(axis)?);
    let middle = first.start + (first.end - first.start) / 2;
    (first.end, second.start) = (middle, middle);
    Some([Region::new(&end, &one)?, Region::new(&end, &other)?])
}

/// Where elements lie that are so many along each axis, and so far apart; in row-major order.
fn offsets(size: &[u64], strides: &[u64]) -> Vec<u64> {
    if size.contains(&0) {
        return Vec::new();
    }
    let mut offsets = vec![0];
    for (&count, &stride) in size.iter().zip(strides) {
        let along = |from: &u64| {
            let from = *from;
            (0..count).map(move |i| from + i * stride)
        };
        offsets = offsets.iter().flat_map(along).collect();
    }
    offsets
}
