//! Partitions and what is none, and regions read from them.

use std::ops::Range;

use proptest::prelude::*;

use super::*;

fn regions(shape: &Shape, parts: &[&[Range<u64>]]) -> Vec<Region> {
    parts.iter().map(|ranges| Region::new(shape, ranges).unwrap()).collect()
}

/// The whole, where each part holds its elements' places in the whole.
fn read(regions: &[Region], shape: &Shape, wanted: &Region) -> Vec<u8> {
    let mut out = vec![0xaa; usize::try_from(wanted.elements()).unwrap()];
    let read = |part: usize, region: &Region, out: &mut [u8]| {
        let mut content = Vec::new();
        let place = |at: u64, len: u64| {
            content.extend((at..at + len).map(|at| u8::try_from(at).unwrap()));
            Ok::<_, ()>(())
        };
        regions[part].for_each_run(shape, place).unwrap();
        let mut done = 0;
        region.for_each_run(&regions[part].shape().unwrap(), |at, len| {
            let (at, len) = (usize::try_from(at).unwrap(), usize::try_from(len).unwrap());
            out[done..done + len].copy_from_slice(&content[at..at + len]);
            done += len;
            Ok::<_, ()>(())
        })
    };
    Layout { regions }.read(wanted, 1, &mut out, read).unwrap();
    out
}

#[test]
fn what_is_no_partition() {
    let shape = Shape::new([4, 2]).unwrap();
    let error = |parts: &[&[Range<u64>]]| partition(&shape, &regions(&shape, parts)).unwrap_err();
    let gap = SliceError::Gap { missing: 2, elements: 8 };
    assert_eq!(error(&[&[0..1, 0..2], &[2..4, 0..2]]), gap);
    assert_eq!(error(&[&[0..3, 0..2], &[2..4, 0..2]]), SliceError::Overlap);
    assert_eq!(error(&[&[0..4, 0..2], &[0..4, 0..2]]), SliceError::Overlap);
    // As many elements as there should be, but not all of them.
    let crossing: [&[Range<u64>]; 3] = [&[0..2, 0..2], &[1..3, 0..1], &[2..3, 1..2]];
    assert_eq!(error(&crossing), SliceError::Overlap);
    let whole = regions(&shape, &[&[0..3, 0..2], &[3..4, 0..2], &[2..2, 0..2]]);
    assert!(partition(&shape, &whole).is_ok());
    assert!(partition(&Shape::new([0, 2]).unwrap(), &[]).is_ok());
    assert!(partition(&Shape::scalar(), &regions(&Shape::scalar(), &[&[]])).is_ok());
}

/// Five parts around a middle one: no plane cuts through none of them.
#[test]
fn a_pinwheel_is_a_partition() {
    let shape = Shape::new([3, 3]).unwrap();
    let parts: [&[Range<u64>]; 5] =
        [&[0..1, 0..2], &[0..2, 2..3], &[2..3, 1..3], &[1..3, 0..1], &[1..2, 1..2]];
    let parts = regions(&shape, &parts);
    partition(&shape, &parts).unwrap();
    assert_eq!(read(&parts, &shape, &Region::whole(&shape)), (0..9).collect::<Vec<u8>>());
}

#[test]
fn many_slices_are_told_apart_quickly_or_refused() {
    let rows = Shape::new([1 << 18, 2]).unwrap();
    let row = |row: u64| Region::new(&rows, &[row..row + 1, 0..2]).unwrap();
    let mut parts: Vec<Region> = (0..1 << 18).map(row).collect();
    assert!(partition(&rows, &parts).is_ok());
    parts.push(Region::whole(&rows));
    let error = partition(&rows, &parts).unwrap_err();
    assert_eq!(error, SliceError::Tangled((1 << 18) + 1));
}

/// A box cut at random: which axis, and where.
fn cuts() -> impl Strategy<Value = (Vec<u64>, Vec<(usize, usize, u64)>)> {
    let dims = proptest::collection::vec(1..6_u64, 1..4);
    dims.prop_flat_map(|dims| {
        let rank = dims.len();
        (Just(dims), proptest::collection::vec((0..16_usize, 0..rank, 0..6_u64), 0..8))
    })
}

proptest! {
    #[test]
    fn any_region_of_any_partition((dims, cuts) in cuts(), corner in any::<[u64; 6]>()) {
        let shape = Shape::new(dims.clone()).unwrap();
        let mut parts: Vec<Vec<Range<u64>>> = vec![dims.iter().map(|&dim| 0..dim).collect()];
        for (which, axis, at) in cuts {
            let which = which % parts.len();
            let range = parts[which][axis].clone();
            let at = range.start + at.min(range.end - range.start);
            let mut other = parts[which].clone();
            other[axis] = at..range.end;
            parts[which][axis] = range.start..at;
            parts.push(other);
        }
        let slices: Vec<&[Range<u64>]> = parts.iter().map(Vec::as_slice).collect();
        let mut regions = regions(&shape, &slices);
        partition(&shape, &regions).unwrap();
        let ranges: Vec<Range<u64>> = dims.iter().enumerate().map(|(axis, &dim)| {
            let start = corner[axis] % dim;
            start..start + 1 + corner[axis + 3] % (dim - start)
        }).collect();
        let wanted = Region::new(&shape, &ranges).unwrap();
        let mut expected = Vec::new();
        wanted.for_each_run(&shape, |at, len| {
            expected.extend((at..at + len).map(|at| u8::try_from(at).unwrap()));
            Ok::<_, ()>(())
        }).unwrap();
        prop_assert_eq!(read(&regions, &shape, &wanted), expected);
        regions.push(wanted);
        prop_assert_eq!(partition(&shape, &regions).unwrap_err(), SliceError::Overlap);
    }
}
