//! Random choices, tensors in memory, and what every transform must do alike.

use std::fmt;

use ckptmap::tensor::{DType, Region, Shape, TensorSpec};
use ckptmap::transform::{Regions, Transform, TransformError};
use proptest::collection::vec;
use proptest::prelude::*;

/// Types whose elements are 1, 2, 4, 8 and 16 bytes.
pub(crate) const WIDTHS: [DType; 6] = [
    DType::UInt8,
    DType::BFloat16,
    DType::Float,
    DType::Int64,
    DType::Complex64,
    DType::Complex128,
];

/// Random choices; an exhausted one always takes the first.
#[derive(Clone)]
pub(crate) struct Draw(std::vec::IntoIter<u32>);

impl fmt::Debug for Draw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0.as_slice())
    }
}

impl Draw {
    pub(crate) fn any(&mut self) -> u64 {
        u64::from(self.0.next().unwrap_or(0))
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.any() % end.max(1)
    }

    pub(crate) fn index(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).unwrap()
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 1
    }

    pub(crate) fn dims(&mut self, least: usize) -> Vec<u64> {
        let rank = least + self.index(5 - least);
        // Seldom 0: there is nothing to see in an empty tensor.
        (0..rank).map(|_| [3, 2, 1, 4, 5, 6, 0, 7][self.index(8)]).collect()
    }

    pub(crate) fn permutation(&mut self, len: usize) -> Vec<usize> {
        let mut left: Vec<usize> = (0..len).collect();
        (0..len).map(|_| left.remove(self.index(left.len()))).collect()
    }

    /// An axis as one may name it.
    pub(crate) fn axis(&mut self, axis: usize, rank: usize) -> i64 {
        let (axis, rank) = (i64::try_from(axis).unwrap(), i64::try_from(rank).unwrap());
        if self.coin() { axis - rank } else { axis }
    }

    /// Axes out of so many, at least one.
    pub(crate) fn axes(&mut self, rank: usize) -> Vec<usize> {
        let count = 1 + self.index(rank);
        self.permutation(rank).into_iter().take(count).collect()
    }

    pub(crate) fn named(&mut self, axes: &[usize], rank: usize) -> Vec<i64> {
        axes.iter().map(|&axis| self.axis(axis, rank)).collect()
    }
}

pub(crate) fn draws() -> impl Strategy<Value = Draw> {
    vec(any::<u32>(), 120).prop_map(|choices| Draw(choices.into_iter()))
}

pub(crate) fn spec(dtype: DType, dims: &[u64]) -> TensorSpec {
    TensorSpec::new(dtype, Shape::new(dims).unwrap()).unwrap()
}

pub(crate) fn size(dtype: DType) -> usize {
    usize::try_from(dtype.size().unwrap()).unwrap()
}

/// Every index vector of a shape, row by row.
pub(crate) fn indices(dims: &[u64]) -> Vec<Vec<u64>> {
    dims.iter().fold(vec![vec![]], |all, &dim| {
        all.iter().flat_map(|i| (0..dim).map(|at| [i.as_slice(), &[at]].concat())).collect()
    })
}

pub(crate) fn flat(dims: &[u64], index: &[u64]) -> usize {
    assert!(index.len() == dims.len() && index.iter().zip(dims).all(|(at, dim)| at < dim));
    let at = index.iter().zip(dims).fold(0, |sum, (at, dim)| sum * dim + at);
    usize::try_from(at).unwrap()
}

pub(crate) fn unflat(dims: &[u64], mut at: u64) -> Vec<u64> {
    let mut index = vec![0; dims.len()];
    for (place, &dim) in index.iter_mut().zip(dims).rev() {
        (*place, at) = (at % dim, at / dim);
    }
    index
}

/// A tensor in memory, which remembers the largest part it was asked for.
pub(crate) struct Held {
    pub(crate) spec: TensorSpec,
    data: Vec<u8>,
    largest: usize,
    /// Whether transforms may look at all of it.
    open: bool,
}

impl Held {
    pub(crate) fn new(spec: TensorSpec, data: Vec<u8>) -> Self {
        assert_eq!(spec.bytes().unwrap(), data.len() as u64);
        Self { spec, data, largest: 0, open: false }
    }

    /// One that transforms may look at where it lies.
    pub(crate) fn open(spec: TensorSpec, data: Vec<u8>) -> Self {
        Self { open: true, ..Self::new(spec, data) }
    }
}

impl Regions for Held {
    fn spec(&self) -> &TensorSpec {
        &self.spec
    }

    fn read(&mut self, region: &Region, out: &mut [u8]) -> Result<(), TransformError> {
        assert!(region.fits(self.spec.shape()));
        out.copy_from_slice(&part(&self.spec, &self.data, region));
        self.largest = self.largest.max(out.len());
        Ok(())
    }

    fn whole(&self) -> Option<&[u8]> {
        self.open.then_some(&self.data)
    }
}

/// The bytes of a part, taken one by one.
pub(crate) fn part(spec: &TensorSpec, data: &[u8], region: &Region) -> Vec<u8> {
    let size = size(spec.dtype());
    let inside = indices(region.size()).into_iter().flat_map(|index| {
        let index: Vec<u64> =
            index.iter().zip(region.start()).map(|(i, start)| i + start).collect();
        let at = flat(spec.shape().dims(), &index) * size;
        data[at..at + size].to_vec()
    });
    inside.collect()
}

pub(crate) fn pull(
    transform: &Transform,
    held: &mut Held,
    region: &Region,
) -> Result<Vec<u8>, TransformError> {
    let out = transform.op().infer(&held.spec)?;
    let bytes = usize::try_from(region.elements()).unwrap() * size(out.dtype());
    // What was there before must not shine through.
    let mut into = vec![0xa5; bytes];
    transform.op().pull(region, held, &mut into)?;
    Ok(into)
}

pub(crate) fn all(
    transform: &Transform,
    spec: &TensorSpec,
    data: &[u8],
) -> Result<Vec<u8>, TransformError> {
    let out = Region::whole(transform.op().infer(spec)?.shape());
    let made = pull(transform, &mut Held::new(spec.clone(), data.to_vec()), &out);
    let open = pull(transform, &mut Held::open(spec.clone(), data.to_vec()), &out);
    assert_eq!(format!("{open:?}"), format!("{made:?}"), "{transform} of {spec} in memory");
    made
}

/// The transform makes `wanted` of `data`, in one go as in parts of any size, and asks for little
/// more than it was asked for.
pub(crate) fn agrees(
    transform: &Transform,
    from: (&TensorSpec, &[u8]),
    to: (&TensorSpec, &[u8]),
    draw: &mut Draw,
) {
    assert_eq!(&transform.op().infer(from.0).unwrap(), to.0, "{transform} of {}", from.0);
    assert_eq!(all(transform, from.0, from.1).unwrap(), to.1, "{transform} of {}", from.0);
    let shape = to.0.shape();
    let limit = 1 + draw.below(shape.elements() + 2);
    let any: Vec<_> = shape
        .dims()
        .iter()
        .map(|&dim| {
            let start = draw.below(dim + 1);
            start..start + draw.below(dim - start + 1)
        })
        .collect();
    let parts = Region::blocks(shape, limit).chain(Region::new(shape, &any));
    for region in parts {
        let mut open = Held::open(from.0.clone(), from.1.to_vec());
        let block = pull(transform, &mut open, &region).unwrap();
        assert_eq!(block, part(to.0, to.1, &region), "{transform} of {}: {region:?}", from.0);
        let mut held = Held::new(from.0.clone(), from.1.to_vec());
        let block = pull(transform, &mut held, &region).unwrap();
        assert_eq!(block, part(to.0, to.1, &region), "{transform} of {}: {region:?}", from.0);
        let most = (2 * block.len()).max(size(from.0.dtype()));
        assert!(held.largest <= most, "{transform} reads {} for {}", held.largest, block.len());
        let asked = transform.op().cost(from.0, block.len() as u64).asked;
        assert!(held.largest as u64 <= asked, "{transform} reads {}, not {asked}", held.largest);
    }
    // Where it says that all of it lies in the input, it does.
    if let Some(lies) = transform.op().stretch(from.0) {
        let lies = usize::try_from(lies.start).unwrap()..usize::try_from(lies.end).unwrap();
        assert_eq!(&from.1[lies], to.1, "{transform} of {}", from.0);
    }
}

pub(crate) fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}
