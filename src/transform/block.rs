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
    room(staged, bytes);
    input.read(region, staged)
}

/// Makes room for exactly so many bytes, never in two places at a time.
pub(super) fn room(staged: &mut Vec<u8>, bytes: usize) {
    if staged.capacity() < bytes {
        *staged = Vec::new();
        staged.reserve_exact(bytes);
    }
    staged.resize(bytes, 0);
}

/// Elements one step along `axis` is worth in a block of the size of `region`.
pub(super) fn inner(region: &Region, axis: usize) -> usize {
    let inner: u64 = region.size().iter().skip(axis.saturating_add(1)).product();
    usize::try_from(inner).unwrap_or(usize::MAX)
}

/// Boxes of at most `limit` elements that, one after the other, are `whole` of `spec`, which has
/// the shape `size`.
pub(super) fn parts<'a>(
    op: &'a impl ToString,
    spec: &'a TensorSpec,
    (whole, size): (&'a Region, &'a Shape),
    limit: u64,
) -> impl Iterator<Item = Result<Region, TransformError>> + 'a {
    Region::blocks(size, limit).map(move |part| {
        let starts = whole.start().iter().zip(ranges(&part));
        let ranges: Vec<_> =
            starts.map(|(&start, part)| start + part.start..start + part.end).collect();
        region(op, spec, &ranges)
    })
}

/// The size of a box as a shape.
pub(super) fn shape(op: &impl ToString, region: &Region) -> Result<Shape, TransformError> {
    region.shape().map_err(|source| TransformError::Shape { transform: op.to_string(), source })
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

/// Where all of `spec` lies in its own bytes.
pub(super) fn all(spec: &TensorSpec) -> Option<Range<u64>> {
    Some(0..spec.bytes()?)
}

/// Where in the bytes of `spec` a box of it lies, if it lies there in one piece.
pub(super) fn stretch(spec: &TensorSpec, region: &Region) -> Option<Range<u64>> {
    let size = spec.dtype().size()?;
    let mut found = Some(0..0);
    let mut runs = 0;
    // The second run ends the search.
    let _ = region.for_each_run(spec.shape(), |offset, len| {
        runs += 1;
        found = (runs == 1).then(|| offset * size..(offset + len) * size);
        found.as_ref().map(|_| ()).ok_or(())
    });
    found
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
