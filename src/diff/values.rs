//! Two tensors of one dtype and shape. Without a tolerance it is their bytes that count: −0 is not
//! 0, and a NaN is equal to itself if it has the same payload.

use super::tally::{Numbers, Tally, Unequal};
use super::{CompareError, Tolerance};
use crate::catalog::VariableName;
use crate::progress::Progress;
use crate::source::CheckpointReader;
use crate::tensor::{DType, Region, Tensor, TensorSpec, strings};

/// Bytes of each side that are in memory at a time, where several threads compare.
const BLOCK: u64 = 512 << 10;

/// Compares a variable of each of two checkpoints, both of `spec` and both sound.
pub(super) fn compare(
    spec: &TensorSpec,
    left: (&dyn CheckpointReader, &VariableName),
    right: (&dyn CheckpointReader, &VariableName),
    tolerance: Tolerance,
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
        BLOCK,
        tolerance,
        progress,
    )
}

/// Compares two values of `spec`, a fixed-size type, that can be read in parts of `block` bytes.
pub(crate) fn compare_blocks(
    spec: &TensorSpec,
    mut left: impl FnMut(&Region, &mut [u8]) -> Result<(), CompareError>,
    mut right: impl FnMut(&Region, &mut [u8]) -> Result<(), CompareError>,
    block: u64,
    tolerance: Tolerance,
    progress: &dyn Progress,
) -> Result<Option<Unequal>, CompareError> {
    let size = spec.dtype().size().unwrap_or(1);
    let (mut one, mut other, mut numbers) = (Vec::new(), Vec::new(), Numbers::default());
    let mut tally = Tally::default();
    for region in Region::blocks(spec.shape(), block / size) {
        if progress.cancelled() {
            return Err(CompareError::Interrupted);
        }
        let bytes = region.elements() * size;
        // At most a block, or one element.
        let len = usize::try_from(bytes).unwrap_or(usize::MAX);
        one.resize(len, 0);
        other.resize(len, 0);
        left(&region, &mut one)?;
        right(&region, &mut other)?;
        let width = usize::try_from(size).unwrap_or(1);
        tally.elements((spec.dtype(), width), &one, &other, tolerance, &mut numbers);
        progress.advance(2 * bytes);
    }
    Ok(tally.result(spec))
}

/// Compares two tensors of one dtype and as many elements that are there as a whole.
pub(crate) fn compare_whole(left: &Tensor<'_>, right: &Tensor<'_>) -> Option<Unequal> {
    if left.data() == right.data() {
        return None;
    }
    let spec = left.spec();
    let elements = spec.shape().elements();
    let mut tally = Tally::default();
    match elements_of(left).zip(elements_of(right)) {
        Some((left, right)) => tally.words(left.into_iter().zip(right)),
        None if elements == 1 => tally.words([(left.data(), right.data())].into_iter()),
        None => return Some(Unequal::opaque(spec)),
    }
    tally.result(spec)
}

/// The elements of a tensor of strings.
fn elements_of<'t>(tensor: &'t Tensor<'_>) -> Option<Vec<&'t [u8]>> {
    let spec = tensor.spec();
    let is_string = spec.dtype() == DType::String;
    is_string.then(|| strings::decode(tensor.data(), spec.shape().elements()).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;
    use crate::tensor::Shape;

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
        let unequal = compare_blocks(
            &spec,
            read(left.to_vec()),
            read(right.to_vec()),
            BLOCK,
            Tolerance::EXACT,
            &Silent,
        )
        .unwrap()?;
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
