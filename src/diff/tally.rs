//! Differences of two tensors, element by element, as they are counted.

use super::Tolerance;
use crate::tensor::{DType, Shape, TensorSpec, is_real, reals};

/// How the values of two tensors differ.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Unequal {
    /// dtype and shape of both.
    pub spec: TensorSpec,
    /// How many elements differ; `None` where they cannot be told apart, as in variants.
    pub elements: Option<u64>,
    /// Index of the first one that does.
    pub first: Option<Vec<u64>>,
    /// How many of these are a NaN on one side only, or NaNs of other bits; they are in no gap.
    pub nan: u64,
    /// The largest `|a − b|`; `None` for what are no numbers.
    pub absolute: Option<Gap>,
    /// The largest `|a − b| / |b|` where b is not 0.
    pub relative: Option<Gap>,
}

/// Two numbers at the same place that are apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Gap {
    /// How far.
    pub size: f64,
    /// Index of the place.
    pub at: Vec<u64>,
    /// The first tensor's number: its real and its imaginary part.
    pub left: [f64; 2],
    /// The second one's.
    pub right: [f64; 2],
}

/// A gap at a place counted in row-major order.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Wide {
    size: f64,
    at: u64,
    left: [f64; 2],
    right: [f64; 2],
}

/// What is known of a stretch of two tensors. Stretches can be joined.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    seen: u64,
    different: u64,
    first: Option<u64>,
    nan: u64,
    absolute: Option<Wide>,
    relative: Option<Wide>,
}

/// Bytes whose numbers are worked out at a time; no element lies in two.
const STRETCH: usize = 32 << 10;

/// Numbers of both sides, kept so that memory is asked for once.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    left: Vec<f64>,
    right: Vec<f64>,
}

impl Tally {
    /// Elements without a fixed size.
    pub(super) fn words<'e>(&mut self, pairs: impl Iterator<Item = (&'e [u8], &'e [u8])>) {
        for (left, right) in pairs {
            if left != right {
                self.differs();
            }
            self.seen += 1;
        }
    }

    /// Elements of a fixed size; `width` is that of one.
    pub(super) fn elements(
        &mut self,
        (dtype, width): (DType, usize),
        left: &[u8],
        right: &[u8],
        tolerance: Tolerance,
        numbers: &mut Numbers,
    ) {
        // Nearly always equal, and then a block is compared at once.
        if left == right {
            self.seen += (left.len() / width.max(1)) as u64;
            return;
        }
        let part = match dtype {
            DType::Complex64 => DType::Float,
            DType::Complex128 => DType::Double,
            // A tolerance is for numbers, and whether something is true is none.
            dtype if is_real(dtype) && dtype != DType::Bool => dtype,
            _ => return self.words(left.chunks_exact(width).zip(right.chunks_exact(width))),
        };
        // Numbers take up to eight times as much as what they are made of.
        for (left, right) in left.chunks(STRETCH).zip(right.chunks(STRETCH)) {
            self.numbers((dtype, part, width), left, right, tolerance, numbers);
        }
    }

    /// The same of a stretch; `part` is the type of an element, or of its real part.
    fn numbers(
        &mut self,
        (dtype, part, width): (DType, DType, usize),
        left: &[u8],
        right: &[u8],
        tolerance: Tolerance,
        numbers: &mut Numbers,
    ) {
        let pairs = left.chunks_exact(width).zip(right.chunks_exact(width));
        reals(part, left, &mut numbers.left);
        reals(part, right, &mut numbers.right);
        let each = if part == dtype { 1 } else { 2 };
        let (lefts, rights) = (numbers.left.chunks(each), numbers.right.chunks(each));
        for ((a, b), (left, right)) in pairs.zip(lefts.zip(rights)) {
            if a != b {
                let [left, right] = [left, right].map(|parts| {
                    [parts.first(), parts.get(1)].map(|part| part.copied().unwrap_or(0.0))
                });
                self.number((dtype, a, b), left, right, tolerance);
            }
            self.seen += 1;
        }
    }

    /// Two numbers whose bits differ.
    fn number(
        &mut self,
        (dtype, a, b): (DType, &[u8], &[u8]),
        left: [f64; 2],
        right: [f64; 2],
        tolerance: Tolerance,
    ) {
        let is_nan = |number: [f64; 2]| number.iter().any(|part| part.is_nan());
        if is_nan(left) || is_nan(right) {
            if tolerance.is_exact() || is_nan(left) != is_nan(right) {
                self.nan += 1;
                self.differs();
            }
            return;
        }
        let apart = whole(dtype, a)
            .zip(whole(dtype, b))
            .map_or_else(|| distance(left, right), |(a, b)| float(a.abs_diff(b)));
        let size = right.iter().fold(0.0, |size: f64, part| size.hypot(*part));
        if tolerance.covers(apart, size) {
            return;
        }
        self.differs();
        let wide = Wide { size: apart, at: self.seen, left, right };
        widen(&mut self.absolute, Some(wide));
        if size > 0.0 {
            // Infinity is as far from a number as can be, in either way.
            let relative = if apart.is_finite() { apart / size } else { apart };
            widen(&mut self.relative, Some(Wide { size: relative, ..wide }));
        }
    }

    fn differs(&mut self) {
        self.different += 1;
        self.first.get_or_insert(self.seen);
    }

    /// Takes in what comes behind.
    pub(super) fn join(&mut self, next: &Self) {
        let moved = |wide: Option<Wide>| wide.map(|wide| Wide { at: wide.at + self.seen, ..wide });
        self.first = self.first.or(next.first.map(|first| first + self.seen));
        let (absolute, relative) = (moved(next.absolute), moved(next.relative));
        widen(&mut self.absolute, absolute);
        widen(&mut self.relative, relative);
        self.different += next.different;
        self.nan += next.nan;
        self.seen += next.seen;
    }

    pub(super) fn result(&self, spec: &TensorSpec) -> Option<Unequal> {
        let gap = |wide: Option<Wide>| {
            let Wide { size, at, left, right } = wide?;
            Some(Gap { size, at: index(at, spec.shape()), left, right })
        };
        Some(Unequal {
            spec: spec.clone(),
            elements: Some(self.different),
            first: Some(index(self.first?, spec.shape())),
            nan: self.nan,
            absolute: gap(self.absolute),
            relative: gap(self.relative),
        })
    }
}

impl Unequal {
    /// What cannot be looked into.
    pub(super) fn opaque(spec: &TensorSpec) -> Self {
        let spec = spec.clone();
        Self { spec, elements: None, first: None, nan: 0, absolute: None, relative: None }
    }
}

/// Takes the larger one; the first of equals.
fn widen(known: &mut Option<Wide>, next: Option<Wide>) {
    if next.is_some_and(|next| known.is_none_or(|known| next.size > known.size)) {
        *known = next;
    }
}

/// How far apart two complex numbers are. Parts that are equal are, infinite ones too.
#[expect(clippy::float_cmp, reason = "infinity is infinity")]
fn distance(left: [f64; 2], right: [f64; 2]) -> f64 {
    let apart = |(a, b): (f64, f64)| if a == b { 0.0 } else { (a - b).abs() };
    let [real, imaginary] = [0, 1].map(|part| {
        let of = |number: [f64; 2]| number.get(part).copied().unwrap_or(0.0);
        apart((of(left), of(right)))
    });
    if imaginary == 0.0 { real } else { real.hypot(imaginary) }
}

/// A number of 64 bits, which an `f64` would round.
fn whole(dtype: DType, bytes: &[u8]) -> Option<i128> {
    let bytes = bytes.try_into().ok()?;
    match dtype {
        DType::Int64 => Some(i64::from_le_bytes(bytes).into()),
        DType::UInt64 => Some(u64::from_le_bytes(bytes).into()),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is shown with a few digits")]
fn float(number: u128) -> f64 {
    number as f64
}

/// The index of the element at `place` in row-major order.
fn index(mut place: u64, shape: &Shape) -> Vec<u64> {
    let strides = shape.strides();
    let along = |stride: u64| {
        let stride = stride.max(1);
        let at = place / stride;
        place %= stride;
        at
    };
    strides.into_iter().map(along).collect()
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "nothing is rounded here")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unequal(dtype: DType, left: &[u8], right: &[u8], tolerance: Tolerance) -> Option<Unequal> {
        let width = usize::try_from(dtype.size().unwrap()).unwrap();
        let shape = Shape::new([left.len() as u64 / width as u64]).unwrap();
        let spec = TensorSpec::new(dtype, shape).unwrap();
        let mut tally = Tally::default();
        // In two parts, whatever there is.
        let cut = left.len() / width / 2 * width;
        for (left, right) in [(&left[..cut], &right[..cut]), (&left[cut..], &right[cut..])] {
            let mut part = Tally::default();
            part.elements((dtype, width), left, right, tolerance, &mut Numbers::default());
            tally.join(&part);
        }
        tally.result(&spec)
    }

    fn floats(numbers: &[f32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    #[test]
    fn gaps_and_where_they_are() {
        let left = floats(&[1.0, -2.0, 0.5, 0.0, 8.0]);
        let right = floats(&[1.0, -2.5, 0.25, 1e-3, 8.0]);
        let found = unequal(DType::Float, &left, &right, Tolerance::EXACT).unwrap();
        assert_eq!((found.elements, found.first), (Some(3), Some(vec![1])));
        let absolute = found.absolute.unwrap();
        assert_eq!((absolute.size, absolute.at, absolute.right[0]), (0.5, vec![1], -2.5));
        let relative = found.relative.unwrap();
        assert_eq!((relative.size, relative.at), (1.0, vec![2]));
        let near = Tolerance::new(0.0, 0.3).unwrap();
        assert_eq!(unequal(DType::Float, &left, &right, near).unwrap().elements, Some(1));
        let near = Tolerance::new(1.0, 1e-2).unwrap();
        assert_eq!(unequal(DType::Float, &left, &right, near), None);
    }

    #[test]
    fn what_is_no_number_is_in_no_gap() {
        const INF: f32 = f32::INFINITY;
        let left = floats(&[f32::NAN, 1.0, INF, INF, -f32::NAN]);
        let right = floats(&[0.0, f32::NAN, INF, -INF, f32::NAN]);
        let exact = unequal(DType::Float, &left, &right, Tolerance::EXACT).unwrap();
        assert_eq!((exact.elements, exact.nan), (Some(4), 3));
        assert_eq!(exact.absolute.unwrap().size, f64::INFINITY);
        let near = unequal(DType::Float, &left, &right, Tolerance::new(9.0, 9.0).unwrap()).unwrap();
        assert_eq!((near.elements, near.nan), (Some(3), 2));
    }

    #[test]
    fn large_whole_numbers_are_told_apart() {
        let numbers = |numbers: [i64; 2]| numbers.map(i64::to_le_bytes).concat();
        let (left, right) = (numbers([i64::MAX, i64::MIN]), numbers([i64::MAX - 1, i64::MIN]));
        let found = unequal(DType::Int64, &left, &right, Tolerance::EXACT).unwrap();
        assert_eq!(found.absolute.unwrap().size, 1.0);
        let near = Tolerance::new(0.0, 1.0).unwrap();
        assert_eq!(unequal(DType::Int64, &left, &right, near), None);
    }

    #[test]
    fn complex_numbers_by_their_distance() {
        let (left, right) = (floats(&[1.0, 1.0, 3.0, 4.0]), floats(&[1.0, 1.0, 0.0, 0.0]));
        let found = unequal(DType::Complex64, &left, &right, Tolerance::EXACT).unwrap();
        let absolute = found.absolute.unwrap();
        assert_eq!((absolute.size, absolute.at, absolute.left), (5.0, vec![1], [3.0, 4.0]));
        assert_eq!(found.relative, None);
    }

    proptest! {
        #[test]
        fn as_a_naive_count(
            pairs in prop::collection::vec((-4_i8..4, -4_i8..4), 1..20),
            absolute in 0..4_i32,
        ) {
            let side = |of: fn(&(i8, i8)) -> i8| -> Vec<u8> {
                pairs.iter().map(|pair| of(pair).to_le_bytes()[0]).collect()
            };
            let apart = |(a, b): &(i8, i8)| i32::from(a.abs_diff(*b));
            let near = Tolerance::new(0.0, f64::from(absolute)).unwrap();
            let found = unequal(DType::Int8, &side(|pair| pair.0), &side(|pair| pair.1), near);
            let wide: Vec<i32> = pairs.iter().map(apart).filter(|gap| *gap > absolute).collect();
            prop_assert_eq!(found.is_some(), !wide.is_empty());
            if let Some(found) = found {
                let gap = found.absolute.unwrap();
                let most = *wide.iter().max().unwrap();
                prop_assert_eq!(found.elements, Some(wide.len() as u64));
                prop_assert_eq!(gap.size, f64::from(most));
                let at = pairs.iter().position(|pair| apart(pair) == most).unwrap();
                prop_assert_eq!(gap.at, vec![at as u64]);
            }
        }
    }
}
