//! What transforms refuse, and odd shapes.

use std::sync::Arc;

use ckptmap::tensor::{DType, MAX_RANK, Number, Region, Shape, TensorSpec};
use ckptmap::transform::{
    Add, Along, Cast, ExpandDims, Flip, Gates, Gather, MergeAxes, Pad, Pieces, Regions, Reshape,
    Scale, Slice, Split, SplitAxis, Squeeze, Transform, TransformError, Transpose, Unpartition,
    Unstack,
};
use half::f16;

use crate::harness::{all, spec};

/// Why a transform cannot be applied.
fn misfit(transform: &Transform, spec: &TensorSpec) -> String {
    match transform.op().infer(spec).unwrap_err() {
        TransformError::Fit { reason, .. } => reason,
        error => panic!("{transform} of {spec}: {error}"),
    }
}

fn rows(rows: &[Option<u64>], axis: i64) -> Transform {
    let gather = Gather::new(axis, rows.into(), Number::Integer(0), "rows.txt".to_owned());
    Transform::Gather(gather.unwrap())
}

#[test]
fn transforms_are_displayed_as_rules_write_them() {
    let zero = Number::Integer(0);
    let slice = |text| Transform::Slice(Slice::parse(text).unwrap());
    let split = |pieces| Transform::Split(Split::new(-1, pieces, 1).unwrap());
    let gates = |axis, add| Transform::Gates(Gates::new(axis, vec![0, 2, 1, 3], add).unwrap());
    let pad = |with| Transform::Pad(Pad::new(vec![(1, 0), (0, 2)], with).unwrap());
    for (transform, text) in [
        (Transform::Transpose(Transpose::signed(&[0, -1, 1]).unwrap()), "transpose: [0, 2, 1]"),
        (Transform::Squeeze(Squeeze::new(vec![-1]).unwrap()), "squeeze: -1"),
        (Transform::Squeeze(Squeeze::new(vec![0, 1]).unwrap()), "squeeze: [0, 1]"),
        (Transform::ExpandDims(ExpandDims::new(vec![0]).unwrap()), "expand_dims: 0"),
        (Transform::Flip(Flip::new(vec![0, -1]).unwrap()), "flip: [0, -1]"),
        (slice("...,1:"), "slice: '..., 1:'"),
        (slice(" : , 2:10:2,-3:-1:1"), "slice: ':, 2:10:2, -3:-1'"),
        (split(Pieces::Equal(3)), "split: -1 (2 of 3)"),
        (split(Pieces::Sizes([2, 3].into())), "split: {axis: -1, sizes: [2, 3]} (2 of 2)"),
        (Transform::Unstack(Unstack::new(0, 4, 0).unwrap()), "unstack: 0 (1 of 4)"),
        (pad(zero), "pad: [[1, 0], [0, 2]]"),
        (pad(Number::Float(0.5)), "pad: {by: [[1, 0], [0, 2]], with: 0.5}"),
        (rows(&[Some(1)], 0), "gather: rows.txt"),
        (
            Transform::Unpartition(Unpartition::new(3).unwrap()),
            "unpartition: {strategy: mod, parts: 3}",
        ),
        (
            Transform::SplitAxis(SplitAxis::new(-1, vec![4, -1]).unwrap()),
            "split_axis: {axis: -1, into: [4, -1]}",
        ),
        (Transform::MergeAxes(MergeAxes::new(vec![0, 1]).unwrap()), "merge_axes: [0, 1]"),
        (Transform::Cast(Cast::new(DType::Half).unwrap()), "cast: float16"),
        (Transform::Add(Add::new(1.0)), "add: 1"),
        (gates(-1, vec![]), "gates: {order: [0, 2, 1, 3]}"),
        (
            gates(0, vec![0.0, 1.0, 0.0, 0.0]),
            "gates: {axis: 0, order: [0, 2, 1, 3], add: [0, 1, 0, 0]}",
        ),
    ] {
        assert_eq!(transform.to_string(), text);
    }
}

#[test]
fn arguments_that_make_no_sense_are_refused_before_a_tensor_is_known() {
    for (text, why) in [
        ("1", "`1` would drop the axis; write `1:2` and `squeeze`"),
        (":, -1", "`-1` would drop the axis; write `-1:` and `squeeze`"),
        ("", "nothing stands for an axis; write `:` for all of it"),
        ("1:,", "nothing stands for an axis; write `:` for all of it"),
        ("..., ...", "`...` can stand only once"),
        ("::-1", "a step must be above 0; use `flip` to go backwards"),
        ("::0", "a step of 0 leads nowhere"),
        ("a:", "`a` is no whole number; write a slice as NumPy does, `..., 1:`"),
        (
            "9223372036854775808:",
            "`9223372036854775808` is no whole number; write a slice as NumPy does, `..., 1:`",
        ),
        ("None", "`None` is no whole number; write a slice as NumPy does, `..., 1:`"),
        ("1:2:3:4", "`1:2:3:4` is no `start:stop:step`"),
    ] {
        assert_eq!(Slice::parse(text).unwrap_err(), why, "{text}");
    }
    let text = Slice::parse("9223372036854775807").unwrap_err();
    assert!(text.contains("`9223372036854775807:`"), "{text}");
    assert!(Squeeze::new(vec![]).is_err() && Flip::new(vec![1, 1]).is_err());
    assert!(Split::new(0, Pieces::Equal(0), 0).is_err());
    assert!(Split::new(0, Pieces::Sizes([1].into()), 1).is_err());
    assert!(Unstack::new(0, 2, 2).is_err() && Unpartition::new(0).is_err());
    assert!(Pad::new(vec![], Number::Integer(0)).is_err());
    assert!(SplitAxis::new(0, vec![]).is_err() && SplitAxis::new(0, vec![-1, -1]).is_err());
    assert!(MergeAxes::new(vec![0]).is_err());
    assert!(Gates::new(-1, vec![0, 2], vec![]).is_err());
    assert!(Gates::new(-1, vec![1, 0], vec![1.0]).is_err());
    assert!(Gates::new(-1, vec![0], vec![f64::NAN]).is_err());
    assert!(Transpose::signed(&[0, -2]).is_err() && Transpose::signed(&[0, 2]).is_err());
    for dtype in [DType::String, DType::Float8E5M2, DType::QInt8, DType::Int4] {
        assert!(Cast::new(dtype).is_err(), "{dtype}");
    }
}

#[test]
fn scalars_have_no_axes() {
    let scalar = spec(DType::Float, &[]);
    for transform in [
        Transform::Squeeze(Squeeze::new(vec![-1]).unwrap()),
        Transform::Flip(Flip::new(vec![0]).unwrap()),
        Transform::Split(Split::new(0, Pieces::Equal(1), 0).unwrap()),
        Transform::Unstack(Unstack::new(0, 1, 0).unwrap()),
        Transform::Unpartition(Unpartition::new(2).unwrap()),
        Transform::SplitAxis(SplitAxis::new(0, vec![1]).unwrap()),
        Transform::Gates(Gates::new(-1, vec![0], vec![]).unwrap()),
        rows(&[], 0),
    ] {
        let reason = misfit(&transform, &scalar);
        assert!(
            reason.starts_with("there is no axis") && reason.ends_with("it has none"),
            "{reason}"
        );
        assert_eq!(transform.op().keeps(&scalar), None);
    }
    let slice = Transform::Slice(Slice::parse(":").unwrap());
    assert_eq!(misfit(&slice, &scalar), "1 axes are named and it has 0");
}

#[test]
fn what_does_not_fit_is_said_with_its_size() {
    let table = spec(DType::Int32, &[4, 6]);
    let max = i64::MAX;
    for (transform, why) in [
        (
            Transform::Squeeze(Squeeze::new(vec![-1]).unwrap()),
            "axis 1 has size 6, only 1 can be left out",
        ),
        (Transform::Squeeze(Squeeze::new(vec![0, -2]).unwrap()), "axis 0 is named twice"),
        (
            Transform::Flip(Flip::new(vec![i64::MIN]).unwrap()),
            "there is no axis -9223372036854775808, they go from 0 to 1",
        ),
        (Transform::Slice(Slice::parse("5:").unwrap()), "5 lies beyond axis 0, which has size 4"),
        (
            Transform::Slice(Slice::parse("..., -7:").unwrap()),
            "-7 lies beyond axis 1, which has size 6",
        ),
        (
            Transform::Slice(Slice::parse(&format!(":{max}")).unwrap()),
            "9223372036854775807 lies beyond axis 0, which has size 4",
        ),
        (Transform::Slice(Slice::parse(":, :, ..., :").unwrap()), "3 axes are named and it has 2"),
        (
            Transform::Split(Split::new(1, Pieces::Equal(4), 0).unwrap()),
            "axis 1 has size 6, no multiple of 4",
        ),
        (
            Transform::Split(Split::new(1, Pieces::Equal(usize::MAX), 0).unwrap()),
            "axis 1 has size 6, no multiple of 18446744073709551615",
        ),
        (
            Transform::Split(Split::new(0, Pieces::Sizes([u64::MAX, 5].into()), 1).unwrap()),
            "axis 0 has size 4, and the pieces do not add up to it",
        ),
        (Transform::Unstack(Unstack::new(0, 3, 0).unwrap()), "axis 0 has size 4, not 3"),
        (
            Transform::Pad(Pad::new(vec![(1, 1)], Number::Integer(0)).unwrap()),
            "its 2 axes need a pair each, not 1",
        ),
        (
            Transform::Pad(Pad::new(vec![(0, 1), (0, 0)], Number::Float(0.5)).unwrap()),
            "int32 cannot hold 0.5",
        ),
        (
            rows(&[Some(3), None, Some(u64::MAX), Some(4)], 0),
            "position 2 names row 18446744073709551615, and axis 0 has 4 of them, counted from 0",
        ),
        (
            Transform::SplitAxis(SplitAxis::new(1, vec![4, -1]).unwrap()),
            "axis 1 has size 6: 6 elements are no multiple of 4",
        ),
        (
            Transform::MergeAxes(MergeAxes::new(vec![1, 0]).unwrap()),
            "only neighbours in their order can be merged; `transpose` them first",
        ),
        (
            Transform::Gates(Gates::new(-1, vec![0, 1, 2, 3], vec![]).unwrap()),
            "axis 1 has size 6, no multiple of 4 gates",
        ),
        (
            Transform::Gates(Gates::new(0, vec![0, 1], vec![0.0, 1.0]).unwrap()),
            "1 cannot be added to int32",
        ),
        (Transform::Add(Add::new(0.5)), "0.5 cannot be added to int32"),
        (
            Transform::Cast(Cast::new(DType::Complex64).unwrap()),
            "complex numbers can only become complex numbers, and no others can",
        ),
    ] {
        assert_eq!(misfit(&transform, &table), why, "{transform}");
    }
}

#[test]
fn sizes_that_cannot_be_counted_are_refused() {
    let large = spec(DType::UInt8, &[1 << 40, 2]);
    let all = Number::Integer(0);
    for transform in [
        Transform::Pad(Pad::new(vec![(u64::MAX, u64::MAX), (0, 0)], all).unwrap()),
        Transform::Pad(Pad::new(vec![(0, 0), (0, 1 << 40)], all).unwrap()),
        Transform::Cast(Cast::new(DType::Double).unwrap()),
    ] {
        let large = match transform {
            Transform::Cast(_) => spec(DType::UInt8, &[1 << 60]),
            _ => large.clone(),
        };
        let error = transform.op().infer(&large).unwrap_err();
        assert!(matches!(error, TransformError::Shape { .. }), "{transform}: {error}");
        assert_eq!(transform.op().invert(&large), None, "{transform}");
        assert_eq!(transform.op().cost(&large, u64::MAX).asked, large.bytes().unwrap());
    }
    let deep = spec(DType::UInt8, &[1; MAX_RANK]);
    let expand = Transform::ExpandDims(ExpandDims::new(vec![0]).unwrap());
    assert!(matches!(expand.op().infer(&deep), Err(TransformError::Shape { .. })));
    // Nothing is merged into something that overflows beside a zero.
    let empty = spec(DType::UInt8, &[1 << 40, 0, 1 << 20]);
    let merge = Transform::MergeAxes(MergeAxes::new(vec![0, 1, 2]).unwrap());
    assert_eq!(merge.op().infer(&empty).unwrap(), spec(DType::UInt8, &[0]));
}

#[test]
fn elements_of_no_fixed_size_are_not_moved() {
    let strings = spec(DType::String, &[2, 2]);
    for transform in [
        Transform::Transpose(Transpose::new(None).unwrap()),
        Transform::Reshape(Reshape::new(&[4]).unwrap()),
        Transform::Slice(Slice::parse("1:").unwrap()),
        Transform::Gates(Gates::new(-1, vec![1, 0], vec![]).unwrap()),
        rows(&[Some(0)], 0),
    ] {
        assert_eq!(misfit(&transform, &strings), "its elements have no fixed size");
    }
}

#[test]
fn rows_that_are_new_are_filled() {
    let input = spec(DType::Float, &[2, 1]);
    let data: Vec<u8> = [1.0_f32, 2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let list: Arc<[_]> = [None, Some(1)].into();
    let gather = Gather::new(0, list, Number::Float(0.5), "rows.txt".to_owned()).unwrap();
    let gather = Transform::Gather(gather);
    let made = all(&gather, &input, &data).unwrap();
    assert_eq!(made, [0.5_f32, 2.0].map(f32::to_le_bytes).concat());
    assert!(matches!(gather.op().along(), Along::Never(_)));
    let pad = Transform::Pad(Pad::new(vec![(1, 0), (0, 0)], Number::Float(-1.0)).unwrap());
    assert_eq!(
        all(&pad, &input, &data).unwrap(),
        [-1.0_f32, 1.0, 2.0].map(f32::to_le_bytes).concat()
    );
    assert!(matches!(pad.op().along(), Along::Never(_)));
}

#[test]
fn numbers_without_a_place_are_named() {
    let input = spec(DType::Float, &[2, 2]);
    let data = [1.0_f32, 2.0, 3.5, 4.0].map(f32::to_le_bytes).concat();
    let error = all(&Transform::Cast(Cast::new(DType::Int8).unwrap()), &input, &data).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`cast: int8` comes to 3.5 at element 2, which int8 cannot hold; `cast` to a type that can"
    );
    let input = spec(DType::UInt8, &[3]);
    let error = all(&Transform::Add(Add::new(-2.0)), &input, &[2, 3, 1]).unwrap_err();
    assert!(error.to_string().starts_with("`add: -2` comes to -1 at element 2"), "{error}");
    let input = spec(DType::Double, &[1]);
    let error = all(&Transform::Add(Add::new(f64::MAX)), &input, &f64::MAX.to_le_bytes());
    assert!(matches!(error, Err(TransformError::Range { position: 0, .. })), "{error:?}");
    // In the second block of the second row.
    let input = spec(DType::Half, &[2, 2]);
    let data = [1.0, 1.0, 65504.0, 1.0].map(|value| f16::from_f32(value).to_le_bytes()).concat();
    let gates = Transform::Gates(Gates::new(-1, vec![1, 0], vec![0.0, 100.0]).unwrap());
    let error = all(&gates, &input, &data).unwrap_err();
    assert!(matches!(error, TransformError::Range { position: 3, .. }), "{error}");
    // Complex numbers count as one each.
    let input = spec(DType::Complex128, &[2]);
    let data = [0.0_f64, 1.0, 2.0, 1e300].map(f64::to_le_bytes).concat();
    let error =
        all(&Transform::Cast(Cast::new(DType::Complex64).unwrap()), &input, &data).unwrap_err();
    assert!(error.to_string().contains("1e300 at element 1,"), "{error}");
    let wide = Transform::Cast(Cast::new(DType::Complex128).unwrap());
    let data = [1.0_f32, -2.5].map(f32::to_le_bytes).concat();
    let made = all(&wide, &spec(DType::Complex64, &[1]), &data).unwrap();
    assert_eq!(made, [1.0_f64, -2.5].map(f64::to_le_bytes).concat());
}

#[test]
fn state_follows_where_it_can() {
    let gates = Gates::new(-1, vec![1, 0], vec![1.0, 0.0]).unwrap();
    let plain = Gates::new(-1, vec![1, 0], vec![]).unwrap();
    assert_eq!(Transform::Gates(gates).op().along(), Along::As(Transform::Gates(plain)));
    assert_eq!(Transform::Add(Add::new(1.0)).op().along(), Along::Unchanged);
    for transform in
        [Transform::Scale(Scale::new(2.0)), Transform::Cast(Cast::new(DType::Half).unwrap())]
    {
        assert!(matches!(transform.op().along(), Along::Never(_)));
    }
}

/// A table that no memory holds: each element is worked out from its place.
struct Vast(TensorSpec, u64);

impl Regions for Vast {
    fn spec(&self) -> &TensorSpec {
        &self.0
    }

    fn read(&mut self, region: &Region, out: &mut [u8]) -> Result<(), TransformError> {
        self.1 += 1;
        let mut bytes = out.chunks_mut(8);
        region.for_each_run(self.0.shape(), |offset, len| {
            (offset..offset + len)
                .for_each(|at| bytes.next().unwrap().copy_from_slice(&at.to_le_bytes()));
            Ok(())
        })
    }
}

#[test]
fn tables_larger_than_memory_are_unpartitioned() {
    let (table, parts) = (1_000_000_007_u64, 3);
    let input = spec(DType::UInt64, &[table, 2]);
    let (each, more) = (table / parts, table % parts);
    let unpartition = Transform::Unpartition(Unpartition::new(parts).unwrap());
    let back = unpartition.op().invert(&input).unwrap();
    let block = table - 1000..table;
    let region = Region::new(input.shape(), &[block.clone(), 0..2]).unwrap();
    let mut into = vec![0; 16_000];
    let mut vast = Vast(input.clone(), 0);
    unpartition.op().pull(&region, &mut vast, &mut into).unwrap();
    assert_eq!(vast.1, parts, "one read for each part");
    let numbers = |bytes: &[u8]| -> Vec<u64> {
        bytes.chunks(16).map(|row| u64::from_le_bytes(row[..8].try_into().unwrap()) / 2).collect()
    };
    let stored = |row: u64| (row % parts) * each + more.min(row % parts) + row / parts;
    assert_eq!(numbers(&into), block.clone().map(stored).collect::<Vec<_>>());
    back.op().pull(&region, &mut Vast(input.clone(), 0), &mut into).unwrap();
    assert!(numbers(&into).into_iter().map(stored).eq(block));
    // More parts than rows, and none of them longer than one.
    let many = Transform::Unpartition(Unpartition::new(u64::MAX).unwrap());
    many.op().pull(&region, &mut Vast(input.clone(), 0), &mut into).unwrap();
    many.op().invert(&input).unwrap().op().pull(&region, &mut Vast(input, 0), &mut into).unwrap();
}

#[test]
fn strides_wider_than_memory_read_what_they_need() {
    let input = spec(DType::UInt64, &[1 << 50, 4]);
    let slice = Transform::Slice(Slice::parse("::1099511627776").unwrap());
    let out = slice.op().infer(&input).unwrap();
    assert_eq!(out.shape().dims(), [1024, 4]);
    let mut vast = Vast(input, 0);
    let mut into = vec![0; 1024 * 4 * 8];
    slice.op().pull(&Region::whole(out.shape()), &mut vast, &mut into).unwrap();
    assert_eq!(vast.1, 1024, "one read for each row");
    let last = u64::from_le_bytes(into[into.len() - 8..].try_into().unwrap());
    assert_eq!(last, (1023 << 42) + 3);
}

#[test]
fn only_neighbours_keep_the_order() {
    let shape = |dims: &[u64]| Shape::new(dims).unwrap();
    for (from, to, kept) in [
        (&[][..], &[][..], true),
        (&[], &[1, 1], true),
        (&[6], &[2, 3], true),
        (&[2, 3], &[6], true),
        (&[2, 3], &[3, 2], false),
        (&[2, 3, 4], &[6, 4], true),
        (&[6, 4], &[2, 3, 2, 2], true),
        (&[6, 2, 2], &[2, 3, 4], true),
        (&[2, 3, 4], &[4, 6], false),
        (&[4, 6], &[8, 3], false),
        (&[2, 1, 3], &[1, 2, 3, 1], true),
        (&[2, 3], &[2, 3, 2], false),
        (&[2, 3, 2], &[2, 3], false),
        (&[5], &[], false),
        (&[1 << 31, 1 << 31], &[1 << 62], true),
        (&[0, 2], &[0, 2], true),
        (&[0, 2], &[2, 0], false),
        (&[0, 2], &[0], false),
    ] {
        let (from, to) = (shape(from), shape(to));
        assert_eq!(Reshape::keeps_order(&from, &to), kept, "{from} to {to}");
    }
}
