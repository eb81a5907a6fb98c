//! Transforms that only move elements.

use std::sync::Arc;

use ckptmap::tensor::{DType, Number};
use ckptmap::transform::{
    Along, ExpandDims, Flip, Gates, Gather, MergeAxes, Pad, Pieces, Reshape, Slice, Split,
    SplitAxis, Squeeze, Transform, Transpose, Unpartition, Unstack,
};
use proptest::prelude::*;
use proptest::sample::select;

use crate::harness::{
    Draw, WIDTHS, agrees, config, draws, flat, indices, part, size, spec, unflat,
};

/// The input's index vector for one of the output.
type Source = Box<dyn Fn(&[u64]) -> Option<Vec<u64>>>;

/// A transform and where the element at each place of the result comes from: an index vector of the
/// input, or `None` where it is `fill`.
struct Case {
    transform: Transform,
    from: Vec<u64>,
    to: Vec<u64>,
    source: Source,
    invertible: bool,
    keeps: bool,
}

fn case(
    transform: Transform,
    (from, to): (&[u64], &[u64]),
    source: impl Fn(&[u64]) -> Option<Vec<u64>> + 'static,
) -> Case {
    let (from, to) = (from.to_vec(), to.to_vec());
    let keeps = matches!(transform, Transform::Split(_) | Transform::Unstack(_));
    let lossy =
        matches!(transform, Transform::Split(_) | Transform::Unstack(_) | Transform::Slice(_));
    Case { transform, from, to, source: Box::new(source), invertible: !lossy, keeps }
}

/// Element `k` of one shape is element `k` of the other.
fn reshaped(transform: Transform, from: &[u64], to: &[u64]) -> Case {
    let (old, new) = (from.to_vec(), to.to_vec());
    case(transform, (from, to), move |index| Some(unflat(&old, flat(&new, index) as u64)))
}

/// A case whose axis `axis` alone is touched, and becomes one of `rows` rows.
fn along(
    transform: Transform,
    from: &[u64],
    axis: usize,
    rows: u64,
    row: impl Fn(u64) -> Option<u64> + 'static,
) -> Case {
    let mut to = from.to_vec();
    to[axis] = rows;
    case(transform, (from, &to), move |index| {
        let mut index = index.to_vec();
        index[axis] = row(index[axis])?;
        Some(index)
    })
}

fn transpose(draw: &mut Draw) -> Case {
    let mut from = draw.dims(0);
    // Seldom some that fill cache lines, and tiles of them.
    for _ in 0..draw.below(4) / 2 * 2 {
        let axis = draw.index(from.len());
        if let Some(dim) = from.get_mut(axis) {
            *dim = [1, 16, 64, 65, 33, 100, 70][draw.index(7)];
        }
    }
    while from.iter().product::<u64>() > 5000 {
        from.pop();
    }
    let mut axes = draw.permutation(from.len());
    let transform = match draw.below(3) {
        0 => Transpose::new(Some(axes.clone())),
        1 => Transpose::signed(&draw.named(&axes, from.len())),
        _ => {
            axes = (0..from.len()).rev().collect();
            Transpose::new(None)
        }
    };
    let to: Vec<u64> = axes.iter().map(|&axis| from[axis]).collect();
    case(Transform::Transpose(transform.unwrap()), (&from, &to), move |index| {
        let mut source = vec![0; axes.len()];
        axes.iter().zip(index).for_each(|(&axis, &at)| source[axis] = at);
        Some(source)
    })
}

fn reshape(draw: &mut Draw) -> Case {
    let from = draw.dims(0);
    // Any order of any factors has as many elements.
    let mut to: Vec<u64> = draw.permutation(from.len()).into_iter().map(|i| from[i]).collect();
    if to.len() > 1 && draw.coin() {
        let last = to.pop().unwrap();
        to[0] *= last;
    }
    if draw.coin() {
        to.insert(draw.index(to.len() + 1), 1);
    }
    let mut named: Vec<i64> = to.iter().map(|&dim| i64::try_from(dim).unwrap()).collect();
    if !to.is_empty() && !to.contains(&0) && draw.coin() {
        let free = draw.index(to.len());
        named[free] = -1;
    }
    reshaped(Transform::Reshape(Reshape::new(&named).unwrap()), &from, &to)
}

fn split_axis(draw: &mut Draw) -> Case {
    let mut from = draw.dims(1);
    let axis = draw.index(from.len());
    let into: Vec<u64> = (0..=draw.index(3)).map(|_| 1 + draw.below(3)).collect();
    from[axis] = into.iter().product();
    let mut named: Vec<i64> = into.iter().map(|&dim| i64::try_from(dim).unwrap()).collect();
    if draw.coin() {
        let free = draw.index(named.len());
        named[free] = -1;
    }
    let mut to = from.clone();
    to.splice(axis..=axis, into);
    let split = SplitAxis::new(draw.axis(axis, from.len()), named).unwrap();
    reshaped(Transform::SplitAxis(split), &from, &to)
}

fn merge_axes(draw: &mut Draw) -> Case {
    let from = draw.dims(2);
    let first = draw.index(from.len() - 1);
    let last = first + 1 + draw.index(from.len() - first - 1);
    let axes: Vec<usize> = (first..=last).collect();
    let mut to = from.clone();
    to.splice(first..=last, [from[first..=last].iter().product()]);
    let merge = MergeAxes::new(draw.named(&axes, from.len())).unwrap();
    reshaped(Transform::MergeAxes(merge), &from, &to)
}

fn squeeze(draw: &mut Draw) -> Case {
    let mut from = draw.dims(1);
    let axes = draw.axes(from.len());
    for &axis in &axes {
        from[axis] = 1;
    }
    let kept = |(i, &dim): (usize, &u64)| (!axes.contains(&i)).then_some(dim);
    let to: Vec<u64> = from.iter().enumerate().filter_map(kept).collect();
    let squeeze = Squeeze::new(draw.named(&axes, from.len())).unwrap();
    reshaped(Transform::Squeeze(squeeze), &from, &to)
}

fn expand_dims(draw: &mut Draw) -> Case {
    let from = draw.dims(0);
    let rank = from.len() + 1 + draw.index(2);
    let axes: Vec<usize> = draw.permutation(rank).into_iter().take(rank - from.len()).collect();
    let mut old = from.iter();
    let to: Vec<u64> =
        (0..rank).map(|i| if axes.contains(&i) { 1 } else { *old.next().unwrap() }).collect();
    let expand = ExpandDims::new(draw.named(&axes, rank)).unwrap();
    reshaped(Transform::ExpandDims(expand), &from, &to)
}

fn flip(draw: &mut Draw) -> Case {
    let from = draw.dims(1);
    let axes = draw.axes(from.len());
    let flip = Flip::new(draw.named(&axes, from.len())).unwrap();
    let dims = from.clone();
    case(Transform::Flip(flip), (&from, &from), move |index| {
        let mut index = index.to_vec();
        for &axis in &axes {
            index[axis] = dims[axis] - 1 - index[axis];
        }
        Some(index)
    })
}

fn slice(draw: &mut Draw) -> Case {
    // Long enough for steps to be told from what lies between.
    let rank = draw.index(4);
    let from: Vec<u64> = (0..rank).map(|_| [5, 2, 1, 0, 19, 11, 7, 3][draw.index(8)]).collect();
    let (mut items, mut taken) = (Vec::new(), Vec::new());
    for &dim in &from {
        let (start, end) = (draw.below(dim + 1), draw.below(dim + 1));
        let stop = if draw.coin() { end } else { dim };
        let step = 1 + draw.below(2) * draw.below(7);
        let mut bound = |at: u64, left_out: u64| match draw.below(3) {
            1 if at == left_out => String::new(),
            // From the end; -0 is 0.
            2 if at < dim => format!("-{}", dim - at),
            _ => format!(" {at}"),
        };
        let item = format!("{}:{}", bound(start, 0), bound(stop, dim));
        let named = step > 1 || draw.coin();
        items.push(if named { format!("{item}:{step}") } else { item });
        let mut positions = Vec::new();
        let mut at = start;
        while at < stop {
            positions.push(at);
            at += step;
        }
        taken.push(positions);
    }
    // Whole axes need not be named.
    let (first, last) = (draw.index(from.len() + 1), draw.index(from.len() + 1));
    if first <= last && draw.coin() || from.is_empty() {
        for i in first..last {
            taken[i] = (0..from[i]).collect();
        }
        items.splice(first..last, ["...".to_owned()]);
    }
    let keeps = taken.iter().all(|t: &Vec<u64>| t.windows(2).all(|pair| pair[1] == pair[0] + 1));
    let slice = Slice::parse(&items.join(",")).unwrap();
    let to: Vec<u64> = taken.iter().map(|positions| positions.len() as u64).collect();
    let source = move |index: &[u64]| {
        Some(index.iter().zip(&taken).map(|(&i, t)| t[usize::try_from(i).unwrap()]).collect())
    };
    let case = case(Transform::Slice(slice), (&from, &to), source);
    Case { keeps, ..case }
}

fn split(draw: &mut Draw) -> Case {
    let mut from = draw.dims(1);
    let axis = draw.index(from.len());
    let count = 1 + draw.index(4);
    let index = draw.index(count);
    let (sizes, pieces) = if draw.coin() {
        let each = draw.below(4);
        (vec![each; count], Pieces::Equal(count))
    } else {
        let sizes: Vec<u64> = (0..count).map(|_| draw.below(4)).collect();
        (sizes.clone(), Pieces::Sizes(sizes.into()))
    };
    from[axis] = sizes.iter().sum();
    let before: u64 = sizes[..index].iter().sum();
    let split = Split::new(draw.axis(axis, from.len()), pieces, index).unwrap();
    along(Transform::Split(split), &from, axis, sizes[index], move |row| Some(before + row))
}

fn unstack(draw: &mut Draw) -> Case {
    let mut from = draw.dims(1);
    let axis = draw.index(from.len());
    let count = 1 + draw.index(4);
    from[axis] = count as u64;
    let index = draw.index(count);
    let mut to = from.clone();
    to.remove(axis);
    let unstack = Unstack::new(draw.axis(axis, from.len()), count, index).unwrap();
    case(Transform::Unstack(unstack), (&from, &to), move |at| {
        let mut at = at.to_vec();
        at.insert(axis, index as u64);
        Some(at)
    })
}

fn pad(draw: &mut Draw) -> Case {
    let from = draw.dims(1);
    let pads: Vec<(u64, u64)> = from.iter().map(|_| (draw.below(3), draw.below(3))).collect();
    let to: Vec<u64> = from.iter().zip(&pads).map(|(dim, pad)| pad.0 + dim + pad.1).collect();
    let dims = from.clone();
    let pad = Pad::new(pads.clone(), Number::Integer(0)).unwrap();
    case(Transform::Pad(pad), (&from, &to), move |index| {
        let inside = index.iter().zip(&pads).map(|(at, pad)| at.checked_sub(pad.0));
        let index: Vec<u64> = inside.collect::<Option<_>>()?;
        index.iter().zip(&dims).all(|(at, dim)| at < dim).then_some(index)
    })
}

fn gather(draw: &mut Draw) -> Case {
    let from = draw.dims(1);
    let axis = draw.index(from.len());
    let dim = from[axis];
    let rows: Vec<Option<u64>> = if draw.coin() {
        let rows = draw.permutation(usize::try_from(dim).unwrap());
        rows.into_iter().map(|row| Some(row as u64)).collect()
    } else {
        (0..draw.below(9))
            .map(|_| (dim > 0 && draw.below(4) > 0).then(|| draw.below(dim)))
            .collect()
    };
    let mut distinct = rows.clone();
    distinct.sort_unstable();
    let invertible = distinct.into_iter().eq((0..dim).map(Some));
    let named = draw.axis(axis, from.len());
    let list: Arc<[_]> = rows.clone().into();
    let gather = Gather::new(named, list, Number::Integer(0), "rows.txt".to_owned()).unwrap();
    let count = rows.len() as u64;
    let row = move |row: u64| rows[usize::try_from(row).unwrap()];
    let case = along(Transform::Gather(gather), &from, axis, count, row);
    Case { invertible, ..case }
}

fn unpartition(draw: &mut Draw) -> Case {
    let mut from = draw.dims(1);
    from[0] = draw.below(20);
    let parts = 1 + draw.below(6);
    // Stored: all rows of part 0, then those of part 1.
    let stored: Vec<u64> =
        (0..parts).flat_map(|p| (0..from[0]).filter(move |r| r % parts == p)).collect();
    let unpartition = Transform::Unpartition(Unpartition::new(parts).unwrap());
    let rows = from[0];
    along(unpartition, &from, 0, rows, move |row| {
        Some(stored.iter().position(|&r| r == row).unwrap() as u64)
    })
}

fn gates(draw: &mut Draw) -> Case {
    let mut from = draw.dims(1);
    let axis = draw.index(from.len());
    let count = 1 + draw.index(4);
    let order = draw.permutation(count);
    let each = draw.below(4);
    from[axis] = each * count as u64;
    let gates = Gates::new(draw.axis(axis, from.len()), order.clone(), vec![]).unwrap();
    let rows = from[axis];
    along(Transform::Gates(gates), &from, axis, rows, move |row| {
        Some(order[usize::try_from(row / each).unwrap()] as u64 * each + row % each)
    })
}

const LAYOUT: [fn(&mut Draw) -> Case; 14] = [
    transpose,
    reshape,
    split_axis,
    merge_axes,
    squeeze,
    expand_dims,
    flip,
    slice,
    split,
    unstack,
    pad,
    gather,
    unpartition,
    gates,
];

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn layouts_are_the_reference(draw in draws(), dtype in select(&WIDTHS)) {
        for make in LAYOUT {
            layout(make, draw.clone(), dtype);
        }
    }
}

fn layout(make: fn(&mut Draw) -> Case, mut draw: Draw, dtype: DType) {
    let Case { transform, from, to, source, invertible, keeps } = make(&mut draw);
    let (input, output, size) = (spec(dtype, &from), spec(dtype, &to), size(dtype));
    // No two elements are alike, as far as a byte can tell.
    let bytes = 0..input.bytes().unwrap();
    let data: Vec<u8> = bytes.map(|i| (i * 7 + i / 251 + 1) as u8).collect();
    let element = |index: &Vec<u64>| {
        source(index).map_or(vec![0; size], |index| {
            let at = flat(&from, &index) * size;
            data[at..at + size].to_vec()
        })
    };
    let wanted: Vec<u8> = indices(&to).iter().flat_map(element).collect();
    agrees(&transform, (&input, &data), (&output, &wanted), &mut draw);

    let inverse = transform.op().invert(&input);
    assert_eq!(inverse.is_some(), invertible, "{transform} of {input}");
    if let Some(inverse) = inverse {
        agrees(&inverse, (&output, &wanted), (&input, &data), &mut draw);
    }
    let kept = transform.op().keeps(&input);
    assert_eq!(kept.is_some(), keeps, "{transform} of {input}");
    if let Some(kept) = kept {
        assert_eq!(part(&input, &data, &kept), wanted, "{transform} of {input}");
    }
    assert!(!matches!(transform.op().along(), Along::Never(_)));
}
