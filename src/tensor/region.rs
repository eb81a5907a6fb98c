//! A rectangular part of a tensor.

#![expect(clippy::indexing_slicing, reason = "axes lie below the rank, which `fits` proves")]
#![cfg_attr(test, allow(clippy::single_range_in_vec_init, reason = "ranges of one axis"))]

use std::ops::Range;

use super::{Shape, ShapeError};

/// A box inside a shape: where it starts and how far it reaches along each axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    start: Vec<u64>,
    size: Vec<u64>,
}

impl Region {
    /// The part of `of` that `ranges` names, one range per axis; `None` where it sticks out.
    pub fn new(of: &Shape, ranges: &[Range<u64>]) -> Option<Self> {
        let inside =
            |(range, &size): (&Range<u64>, &u64)| range.start <= range.end && range.end <= size;
        (ranges.len() == of.rank() && ranges.iter().zip(of.dims()).all(inside)).then(|| Self {
            start: ranges.iter().map(|range| range.start).collect(),
            size: ranges.iter().map(|range| range.end - range.start).collect(),
        })
    }

    /// All of `shape`.
    pub fn whole(shape: &Shape) -> Self {
        Self { start: vec![0; shape.rank()], size: shape.dims().to_vec() }
    }

    /// Boxes of at most `limit` elements (but at least one) that, one after the other, are all of
    /// `shape` in row-major order.
    pub fn blocks(shape: &Shape, limit: u64) -> impl Iterator<Item = Self> {
        // Blocks are cut along one axis: the first below which a whole step fits the limit.
        let strides = shape.strides();
        let axis = strides.iter().position(|&stride| stride <= limit).unwrap_or(shape.rank());
        let step = strides.get(axis).map_or(1, |stride| (limit / stride).max(1));
        let dims = shape.dims().to_vec();
        let along = dims.get(axis).copied().unwrap_or(1);
        let per_outer = along.div_ceil(step);
        let outer: u64 = dims.iter().take(axis).product();
        let count = if shape.elements() == 0 { 0 } else { outer * per_outer };
        (0..count).map(move |block| {
            let mut rest = block / per_outer;
            let first = block % per_outer * step;
            let mut start = vec![0; dims.len()];
            let mut size = dims.clone();
            for i in (0..axis.min(dims.len())).rev() {
                start[i] = rest % dims[i];
                size[i] = 1;
                rest /= dims[i];
            }
            if let (Some(start), Some(size)) = (start.get_mut(axis), size.get_mut(axis)) {
                *start = first;
                *size = step.min(along - first);
            }
            Self { start, size }
        })
    }

    /// First element along each axis.
    pub fn start(&self) -> &[u64] {
        &self.start
    }

    /// Elements along each axis.
    pub fn size(&self) -> &[u64] {
        &self.size
    }

    /// Number of elements inside.
    pub fn elements(&self) -> u64 {
        self.size.iter().product()
    }

    /// Whether it lies inside `shape`, which need not be the one it was made for.
    pub fn fits(&self, shape: &Shape) -> bool {
        let mut axes = self.start.iter().zip(&self.size).zip(shape.dims());
        self.start.len() == shape.rank()
            && axes
                .all(|((start, size), dim)| start.checked_add(*size).is_some_and(|end| end <= *dim))
    }

    /// Whether they share an element. Both must be regions of one shape.
    pub fn overlaps(&self, other: &Self) -> bool {
        let axes = self.start.iter().zip(&self.size).zip(other.start.iter().zip(&other.size));
        axes.into_iter().all(|((start, size), (other_start, other_size))| {
            *start.max(other_start) < (start + size).min(other_start + other_size)
        })
    }

    /// The part that both have; `None` where they share no element.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        if self.start.len() != other.start.len() {
            return None;
        }
        let axes = self.start.iter().zip(&self.size).zip(other.start.iter().zip(&other.size));
        let mut shared = Self { start: Vec::new(), size: Vec::new() };
        for ((&start, &size), (&other_start, &other_size)) in axes {
            let from = start.max(other_start);
            let to = (start + size).min(other_start + other_size);
            shared.start.push(from);
            shared.size.push(to.checked_sub(from).filter(|&size| size > 0)?);
        }
        Some(shared)
    }

    /// The same part counted from where `origin` starts; `None` where it begins before.
    pub fn relative_to(&self, origin: &Self) -> Option<Self> {
        let start = self.start.iter().zip(&origin.start).map(|(at, base)| at.checked_sub(*base));
        Some(Self { start: start.collect::<Option<_>>()?, size: self.size.clone() })
    }

    /// A shape as large as it.
    pub fn shape(&self) -> Result<Shape, ShapeError> {
        Shape::new(self.size.clone())
    }

    /// Calls `visit` with offset and length, in elements of `of`, of each stretch that lies
    /// together in row-major order; stretches come in the region's own row-major order. A region
    /// that does not fit `of` has none.
    pub fn for_each_run<E>(
        &self,
        of: &Shape,
        mut visit: impl FnMut(u64, u64) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.elements() == 0 || !self.fits(of) {
            return Ok(());
        }
        let strides = of.strides();
        let at = |axis: usize| self.start[axis] * strides[axis];
        // Axes from `inner` on are covered wholly, so one run spans them and a part of the next.
        let mut inner = of.rank();
        while inner > 0 && self.size[inner - 1] == of.dims()[inner - 1] {
            inner -= 1;
        }
        let outer = inner.saturating_sub(1);
        let run: u64 = self.size[outer..].iter().product();
        let base: u64 = (0..of.rank()).map(at).sum();

        let mut index = vec![0_u64; outer];
        loop {
            let offset: u64 = index.iter().zip(&strides).map(|(i, stride)| i * stride).sum();
            visit(base + offset, run)?;
            let Some(axis) = (0..outer).rev().find(|&axis| index[axis] + 1 < self.size[axis])
            else {
                return Ok(());
            };
            index[axis] += 1;
            index[axis + 1..].fill(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(dims: &[u64], ranges: &[Range<u64>]) -> Vec<(u64, u64)> {
        let shape = Shape::new(dims).unwrap();
        let mut runs = Vec::new();
        Region::new(&shape, ranges)
            .unwrap()
            .for_each_run(&shape, |offset, len| {
                runs.push((offset, len));
                Ok::<(), ()>(())
            })
            .unwrap();
        runs
    }

    #[test]
    fn runs_are_as_long_as_they_can_be() {
        assert_eq!(runs(&[], &[]), [(0, 1)]);
        assert_eq!(runs(&[4], &[1..3]), [(1, 2)]);
        assert_eq!(runs(&[4, 3], &[1..3, 0..3]), [(3, 6)]);
        assert_eq!(runs(&[4, 3], &[1..3, 1..2]), [(4, 1), (7, 1)]);
        assert_eq!(runs(&[2, 3, 2], &[0..2, 1..3, 0..2]), [(2, 4), (8, 4)]);
        assert_eq!(runs(&[2, 3], &[0..2, 1..1]), []);
    }

    #[test]
    fn blocks_are_all_of_a_shape_in_order() {
        for dims in [&[][..], &[7], &[2, 3, 5], &[4, 1, 6], &[3, 0]] {
            let shape = Shape::new(dims).unwrap();
            for limit in 1..40 {
                let mut covered = Vec::new();
                for block in Region::blocks(&shape, limit) {
                    assert!(block.elements() <= limit, "{dims:?} by {limit}");
                    let visit = |at, len| {
                        covered.extend(at..at + len);
                        Ok::<(), ()>(())
                    };
                    block.for_each_run(&shape, visit).unwrap();
                }
                assert!(covered.into_iter().eq(0..shape.elements()), "{dims:?} by {limit}");
            }
        }
    }

    #[test]
    fn parts_that_overlap_share_a_part() {
        let shape = Shape::new([6, 4]).unwrap();
        let region = |ranges: [Range<u64>; 2]| Region::new(&shape, &ranges).unwrap();
        let (a, b) = (region([0..4, 1..3]), region([2..6, 2..4]));
        assert_eq!(a.intersection(&b), Some(region([2..4, 2..3])));
        assert_eq!(region([2..4, 2..3]).relative_to(&b), Some(region([0..2, 0..1])));
        assert_eq!(a.relative_to(&b), None);
        assert!(a.overlaps(&b) && !a.overlaps(&region([4..6, 0..4])));
        // Neighbours share no element.
        assert_eq!(a.intersection(&region([4..6, 0..4])), None);
        assert_eq!(a.intersection(&region([2..2, 0..4])), None);
    }

    #[test]
    fn what_sticks_out_is_no_region() {
        let shape = Shape::new([4]).unwrap();
        assert_eq!(Region::new(&shape, &[2..5]), None);
        assert_eq!(Region::new(&shape, &[]), None);
    }
}
