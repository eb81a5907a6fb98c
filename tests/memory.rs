//! What transforms say they take in memory, against what they take.

#![expect(unsafe_code, reason = "an allocator cannot count without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ops::Range;

use ckptmap::tensor::{DType, Number, Region, Shape, TensorSpec};
use ckptmap::transform::{
    Add, Cast, ExpandDims, Flip, Gates, Gather, MergeAxes, Pad, Pieces, Regions, Reshape, Scale,
    Slice, Split, SplitAxis, Squeeze, Transform, TransformError, Transpose, Unpartition, Unstack,
};

thread_local! {
    /// Bytes that are allocated, and the most that ever were.
    static COUNT: Cell<(i64, i64)> = const { Cell::new((0, 0)) };
}

struct Counting;

fn count(bytes: usize, sign: i64) {
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    // A thread that ends allocates where nobody counts.
    let _ = COUNT.try_with(|count| {
        let now = count.get().0 + sign * bytes;
        count.set((now, count.get().1.max(now)));
    });
}

// SAFETY: all of it is the system's allocator. `realloc` is the default: both pieces count.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: as we were called.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: as we were called.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The most that is allocated at a time beside what was before.
fn peak(work: impl FnOnce()) -> u64 {
    let before = COUNT.get().0;
    COUNT.set((before, before));
    work();
    u64::try_from(COUNT.get().1 - before).unwrap()
}

/// Ones, which remember the largest part that was asked for; reading them allocates nothing.
struct Ones {
    spec: TensorSpec,
    data: Vec<u8>,
    open: bool,
    largest: u64,
}

impl Regions for Ones {
    fn spec(&self) -> &TensorSpec {
        &self.spec
    }

    fn read(&mut self, _: &Region, out: &mut [u8]) -> Result<(), TransformError> {
        out.fill(1);
        self.largest = self.largest.max(out.len() as u64);
        Ok(())
    }

    fn whole(&self) -> Option<&[u8]> {
        self.open.then_some(&self.data)
    }
}

fn spec(dtype: DType, dims: &[u64]) -> TensorSpec {
    TensorSpec::new(dtype, Shape::new(dims).unwrap()).unwrap()
}

/// Every transform that has something to do on `[rows, columns]`, rows a multiple of 4.
fn transforms(input: &TensorSpec) -> Vec<Transform> {
    let dims = input.shape().dims();
    let [rows, columns] = *dims else { panic!("{input}") };
    let gather = |axis: i64, list: Vec<Option<u64>>| {
        Transform::Gather(
            Gather::new(axis, list.into(), Number::Integer(1), "rows.txt".into()).unwrap(),
        )
    };
    let slice = |text: &str| Transform::Slice(Slice::parse(text).unwrap());
    let pad = |pads: [(u64, u64); 2]| {
        Transform::Pad(Pad::new(pads.to_vec(), Number::Integer(1)).unwrap())
    };
    let cast = |to| Transform::Cast(Cast::new(to).unwrap());
    let halves = i64::try_from(rows / 2).unwrap();
    let unpartition = Transform::Unpartition(Unpartition::new(3).unwrap());
    let mut all = vec![
        Transform::Transpose(Transpose::new(None).unwrap()),
        Transform::Reshape(Reshape::new(&[-1, halves]).unwrap()),
        Transform::Reshape(Reshape::new(&[2, -1, 2, 1]).unwrap()),
        Transform::SplitAxis(SplitAxis::new(0, vec![2, -1]).unwrap()),
        Transform::MergeAxes(MergeAxes::new(vec![0, 1]).unwrap()),
        Transform::ExpandDims(ExpandDims::new((0..40).collect()).unwrap()),
        Transform::Flip(Flip::new(vec![0, 1]).unwrap()),
        slice("1:"),
        slice("::3"),
        slice("..., ::2"),
        slice("1::2, ::5"),
        Transform::Split(Split::new(0, Pieces::Equal(4), 1).unwrap()),
        Transform::Split(Split::new(1, Pieces::Equal(1), 0).unwrap()),
        pad([(1, 2), (0, 0)]),
        pad([(1, 2), (3, 1)]),
        gather(0, (0..rows).rev().map(Some).collect()),
        // As far apart as makes one strip of them, and farther.
        gather(0, (0..rows).step_by(2).map(Some).collect()),
        gather(0, (0..2 * rows).map(|row| (row % 7 > 0).then_some(row * 37 % rows)).collect()),
        gather(-1, (0..columns).map(|column| Some(column * 5 % columns)).collect()),
        unpartition.op().invert(input).unwrap(),
        unpartition,
        cast(DType::Half),
        cast(DType::Double),
        cast(DType::Int8),
        cast(DType::UInt64),
        cast(input.dtype()),
        Transform::Scale(Scale::new(1.0)),
        Transform::Add(Add::new(0.0)),
        Transform::Gates(Gates::new(0, vec![1, 0, 2, 3], vec![]).unwrap()),
        Transform::Gates(Gates::new(0, vec![1, 0, 2, 3], vec![0.0, 1.0, 0.0, 0.0]).unwrap()),
    ];
    if rows == 4 {
        all.push(Transform::Unstack(Unstack::new(0, 4, 2).unwrap()));
    }
    if columns == 1 {
        all.push(Transform::Squeeze(Squeeze::new(vec![1]).unwrap()));
    }
    all
}

/// Parts of all sizes: those an engine asks for, and boxes of every proportion.
fn parts(shape: &Shape, limit: u64) -> Vec<Region> {
    // The first, the last, and some between.
    let every = usize::try_from(shape.elements() / limit / 16).unwrap() | 1;
    let mut parts: Vec<Region> = Region::blocks(shape, limit).step_by(every).collect();
    let middle = |part: u64| -> Vec<Range<u64>> {
        shape.dims().iter().map(|&dim| dim / part..dim - dim / part).collect()
    };
    parts.extend((2..5).filter_map(|part| Region::new(shape, &middle(part))));
    parts
}

#[test]
fn no_transform_takes_more_than_it_says() {
    for dims in [[4, 1], [4, 700], [64, 64], [600, 1], [60, 33], [2000, 2], [0, 5], [8, 0]] {
        for dtype in [DType::Float, DType::Half, DType::Double, DType::UInt8, DType::Int64] {
            let input = spec(dtype, &dims);
            // One in every type of whole numbers, and next to nothing in every other.
            let data: Vec<u8> = vec![1; usize::try_from(input.bytes().unwrap()).unwrap()];
            let mut held = Ones { spec: input.clone(), data, open: false, largest: 0 };
            for transform in transforms(&input) {
                costs(&transform, &mut held);
            }
        }
    }
}

/// Blocks of many sizes, with the input out of reach and in memory.
fn costs(transform: &Transform, held: &mut Ones) {
    let op = transform.op();
    let Ok(out) = op.infer(&held.spec) else { return };
    let size = out.dtype().size().unwrap();
    for limit in [1, 5, 64, 700, 4096, u64::MAX / 64] {
        for region in parts(out.shape(), limit) {
            let bytes = region.elements() * size;
            let cost = op.cost(&held.spec, bytes);
            let mut block = vec![0; usize::try_from(bytes).unwrap()];
            for open in [false, true] {
                (held.open, held.largest) = (open, 0);
                let mut done = None;
                let took = peak(|| done = Some(op.pull(&region, held, &mut block)));
                // A number that is too large for the new type has to be said.
                if done.unwrap().is_err() {
                    continue;
                }
                let what = || format!("{transform} of {}, {region:?}, {open}", held.spec);
                assert!(took <= cost.own, "{took} bytes and not {}: {}", cost.own, what());
                let asked = held.largest;
                assert!(asked <= cost.asked, "{asked} bytes and not {}: {}", cost.asked, what());
                // Nor is it said to be more than it can be.
                assert!(cost.asked <= (2 * bytes).max(8), "{cost:?} for {bytes}: {}", what());
            }
        }
    }
}
