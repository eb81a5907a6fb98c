//! Blocks of elements: what every transform does with them.

use std::ops::Range;

use super::{Regions, TransformError};
use crate::tensor::{Region, Shape, TensorSpec};

/// Bytes of one element; only elements of one size can be moved about.
pub(super) fn size(op: &impl ToString, spec: &TensorSpec) -> Result<usize, TransformError> {
    spec.dtype()
        .size()
        .and_then(|size| usize::try_from(size).ok())
        .filter(|&size| size > 0)
        .ok_or_else(|| TransformError::fit(op, spec, "its elements have no fixed size"))
}

/// Where a region lies along each axis.
pub(super) fn ranges(region: &Region) -> Vec<Range<u64>> {
    region.start().iter().zip(region.size()).map(|(&start, &size)| start..start + size).collect()
}

/// The box of `spec` that `ranges` names.
pub(super) fn region(
    op: &impl ToString,
    spec: &TensorSpec,
    ranges: &[Range<u64>],
) -> Result<Region, TransformError> {
    Region::new(spec.shape(), ranges)
        .ok_or_else(|| TransformError::fit(op, spec, "the block lies outside"))
}

/// `out` with another range along one axis, as a box of `spec`.
pub(super) fn moved(
    op: &impl ToString,
    spec: &TensorSpec,
    out: &Region,
    axis: usize,
    to: Range<u64>,
) -> Result<Region, TransformError> {
    let mut ranges = ranges(out);
    if let Some(range) = ranges.get_mut(axis) {
        *range = to;
    }
    region(op, spec, &ranges)
}

/// Reads a box into memory of its own, which `staged` keeps from one box to the next.
pub(super) fn stage(
    op: &impl ToString,
    region: &Region,
    input: &mut dyn Regions,
    staged: &mut Vec<u8>,
) -> Result<(), TransformError> {
    let bytes = usize::try_from(region.elements())
        .ok()
        .and_then(|elements| elements.checked_mul(size(op, input.spec()).ok()?));
    let Some(bytes) = bytes else {
        return Err(TransformError::fit(op, input.spec(), "the block is too large for memory"));
    };
    staged.resize(bytes, 0);
    input.read(region, staged)
}

/// Elements one step along `axis` is worth in a block of the size of `region`.
pub(super) fn inner(region: &Region, axis: usize) -> usize {
    let inner: u64 = region.size().iter().skip(axis.saturating_add(1)).product();
    usize::try_from(inner).unwrap_or(usize::MAX)
}

/// Boxes of at most `limit` elements that, one after the other, are `region` of `spec`.
pub(super) fn parts(
    op: &impl ToString,
    spec: &TensorSpec,
    whole: &Region,
    limit: u64,
) -> Result<Vec<Region>, TransformError> {
    let shape = whole
        .shape()
        .map_err(|source| TransformError::Shape { transform: op.to_string(), source })?;
    let within = |part: Region| {
        let starts = whole.start().iter().zip(ranges(&part));
        let ranges: Vec<_> =
            starts.map(|(&start, part)| start + part.start..start + part.end).collect();
        region(op, spec, &ranges)
    };
    Region::blocks(&shape, limit).map(within).collect()
}

/// Where in `of`, counted row by row, the element stands that is number `index` of `region`.
pub(super) fn position(of: &Shape, region: &Region, index: u64) -> u64 {
    let mut rest = index;
    let axes = region.start().iter().zip(region.size()).zip(of.strides());
    axes.rev()
        .map(|((&start, &size), stride)| {
            let at = start + rest % size.max(1);
            rest /= size.max(1);
            at * stride
        })
        .sum()
}

/// Bytes of so many rows of what comes out: as much as a transform that holds a copy of its block
/// needs beside it.
pub(super) fn copy(out: Result<TensorSpec, TransformError>, rows: u64) -> u64 {
    let row = out.ok().and_then(|out| {
        let all = out.shape().dims().first().copied().unwrap_or(1).max(1);
        Some(out.bytes()? / all)
    });
    row.unwrap_or_default().saturating_mul(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_row_by_row() {
        let shape = Shape::new([3, 4, 5]).unwrap();
        let region = Region::new(&shape, &[1..3, 2..4, 0..3]).unwrap();
        let mut positions = Vec::new();
        region
            .for_each_run(&shape, |offset, len| {
                positions.extend(offset..offset + len);
                Ok::<(), ()>(())
            })
            .unwrap();
        let found: Vec<u64> = (0..12).map(|index| position(&shape, &region, index)).collect();
        assert_eq!(found, positions);
        assert_eq!(position(&Shape::scalar(), &Region::whole(&Shape::scalar()), 0), 0);
    }
}
