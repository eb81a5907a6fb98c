//! Two tensors of one dtype and shape, element by element, by their bytes: −0 is not 0, and a NaN
//! is equal to itself if it has the same payload.

use super::CompareError;
use crate::catalog::VariableName;
use crate::progress::Progress;
use crate::source::CheckpointReader;
use crate::tensor::{DType, Region, Shape, Tensor, TensorSpec, strings};

/// Bytes of each side that are in memory at a time.
const BLOCK: u64 = 4 << 20;

/// How the values of two tensors differ.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unequal {
    /// dtype and shape of both.
    pub spec: TensorSpec,
    /// How many elements differ; `None` where they cannot be told apart, as in variants.
    pub elements: Option<u64>,
    /// Index of the first one that does.
    pub first: Option<Vec<u64>>,
}

/// Compares a variable of each of two checkpoints, both of `spec` and both sound.
pub(super) fn compare(
    spec: &TensorSpec,
    left: (&dyn CheckpointReader, &VariableName),
    right: (&dyn CheckpointReader, &VariableName),
    progress: &dyn Progress,
) -> Result<Option<Unequal>, CompareError> {
    if spec.bytes().is_none() {
        let (left, right) = (left.0.read(left.1)?, right.0.read(right.1)?);
        progress.advance((left.data().len() + right.data().len()) as u64);
        return Ok(compare_whole(&left, &right));
    }
    let read = |(reader, name): (&dyn CheckpointReader, &VariableName),
                region: &Region,
                out: &mut [u8]| Ok(reader.read_region(name, region, out)?);
    compare_blocks(
        spec,
        |region, out| read(left, region, out),
        |region, out| read(right, region, out),
        progress,
    )
}

/// Compares two values of `spec`, a fixed-size type, that can be read in parts.
pub(crate) fn compare_blocks(
    spec: &TensorSpec,
    mut left: impl FnMut(&Region, &mut [u8]) -> Result<(), CompareError>,
    mut right: impl FnMut(&Region, &mut [u8]) -> Result<(), CompareError>,
    progress: &dyn Progress,
) -> Result<Option<Unequal>, CompareError> {
    let size = spec.dtype().size().unwrap_or(1);
    let (mut one, mut other) = (Vec::new(), Vec::new());
    let mut tally = Tally::default();
    for region in Region::blocks(spec.shape(), BLOCK / size) {
        if progress.cancelled() {
            return Err(CompareError::Interrupted);
        }
        let bytes = region.elements() * size;
        // At most `BLOCK`, or one element.
        let len = usize::try_from(bytes).unwrap_or(usize::MAX);
        one.resize(len, 0);
        other.resize(len, 0);
        left(&region, &mut one)?;
        right(&region, &mut other)?;
        let width = usize::try_from(size).unwrap_or(1);
        // Nearly always equal, and then a block is compared at once.
        if one == other {
            tally.seen += region.elements();
        } else {
            tally.add(one.chunks_exact(width).zip(other.chunks_exact(width)));
        }
        progress.advance(2 * bytes);
    }
    Ok(tally.result(spec))
}

/// Compares two tensors of one spec that are there as a whole.
pub(crate) fn compare_whole(left: &Tensor<'_>, right: &Tensor<'_>) -> Option<Unequal> {
    if left.data() == right.data() {
        return None;
    }
    let spec = left.spec();
    let elements = spec.shape().elements();
    let mut tally = Tally::default();
    match elements_of(left).zip(elements_of(right)) {
        Some((left, right)) => tally.add(left.into_iter().zip(right)),
        None if elements == 1 => tally.add([(left.data(), right.data())].into_iter()),
        None => return Some(Unequal { spec: spec.clone(), elements: None, first: None }),
    }
    tally.result(spec)
}

/// The elements of a tensor of strings.
fn elements_of<'t>(tensor: &'t Tensor<'_>) -> Option<Vec<&'t [u8]>> {
    let spec = tensor.spec();
    let is_string = spec.dtype() == DType::String;
    is_string.then(|| strings::decode(tensor.data(), spec.shape().elements()).ok())?
}

/// Differences as they are counted.
#[derive(Debug, Default)]
struct Tally {
    seen: u64,
    different: u64,
    first: Option<u64>,
}

impl Tally {
    fn add<'e>(&mut self, pairs: impl Iterator<Item = (&'e [u8], &'e [u8])>) {
        for (left, right) in pairs {
            if left != right {
                self.different += 1;
                self.first.get_or_insert(self.seen);
            }
            self.seen += 1;
        }
    }

    fn result(&self, spec: &TensorSpec) -> Option<Unequal> {
        let first = Some(index(self.first?, spec.shape()));
        Some(Unequal { spec: spec.clone(), elements: Some(self.different), first })
    }
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
mod tests {
    use super::*;
    use crate::progress::Silent;

    fn unequal(dims: &[u64], left: &[u8], right: &[u8]) -> Option<(u64, Vec<u64>)> {
        let spec = TensorSpec::new(DType::Half, Shape::new(dims).unwrap()).unwrap();
        let read = |bytes: Vec<u8>| {
            let mut at = 0;
            move |_: &Region, out: &mut [u8]| {
                out.copy_from_slice(&bytes[at..at + out.len()]);
                at += out.len();
                Ok(())
            }
        };
        let unequal =
            compare_blocks(&spec, read(left.to_vec()), read(right.to_vec()), &Silent).unwrap()?;
        Some((unequal.elements?, unequal.first?))
    }

    #[test]
    fn elements_are_counted_and_the_first_is_named() {
        let left = [0; 24];
        let mut right = left;
        assert_eq!(unequal(&[3, 4], &left, &right), None);
        right[13] = 1;
        right[14] = 1;
        right[15] = 1;
        assert_eq!(unequal(&[3, 4], &left, &right), Some((2, vec![1, 2])));
        assert_eq!(unequal(&[], &[0, 0], &[0, 0x80]), Some((1, vec![])));
        assert_eq!(unequal(&[0, 4], &[], &[]), None);
    }

    #[test]
    fn blocks_count_on() {
        let elements = 5 << 20;
        let left = vec![0; 2 * elements];
        let mut right = left.clone();
        right[2 * elements - 1] = 1;
        let last = elements as u64 - 1;
        assert_eq!(unequal(&[elements as u64], &left, &right), Some((1, vec![last])));
    }

    #[test]
    fn strings_are_elements() {
        let tensor = |elements: &[&str]| {
            let shape = Shape::new([elements.len() as u64]).unwrap();
            let spec = TensorSpec::new(DType::String, shape).unwrap();
            Tensor::new(spec, strings::encode(elements)).unwrap()
        };
        let unequal = compare_whole(&tensor(&["a", "b", "c"]), &tensor(&["a", "bb", ""])).unwrap();
        assert_eq!((unequal.elements, unequal.first), (Some(2), Some(vec![1])));
        assert_eq!(compare_whole(&tensor(&["a"]), &tensor(&["a"])), None);
    }
}
