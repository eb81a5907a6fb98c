//! Tensors as the bytes they are, one after the other, whatever their shape.

use super::content::Keyed;
use super::together::Together;
use super::{CompareError, compare_whole};
use crate::crc::Crc;
use crate::progress::Progress;
use crate::source::CheckpointReader;
use crate::tensor::Region;

/// Bytes that are read at once.
const BLOCK: u64 = 256 << 10;

/// Whether two tensors of one dtype and as many elements have the same ones, read in step.
pub(super) fn equal(
    together: &Together<'_>,
    left: &Keyed,
    right: &Keyed,
) -> Result<bool, CompareError> {
    if left.spec.bytes().is_none() {
        // Elements with lengths of their own cannot be asked for by region.
        let (left, right) = (together.left.read(&left.name)?, together.right.read(&right.name)?);
        return Ok(compare_whole(&left, &right).is_none());
    }
    let mut one = Stream::new(together.left, left, together.progress);
    let mut other = Stream::new(together.right, right, together.progress);
    loop {
        one.fill()?;
        other.fill()?;
        let len = one.bytes.len().min(other.bytes.len());
        if len == 0 {
            return Ok(one.bytes.len() == other.bytes.len());
        }
        if one.bytes.get(..len) != other.bytes.get(..len) {
            return Ok(false);
        }
        one.bytes.drain(..len);
        other.bytes.drain(..len);
    }
}

/// What the bytes of a sound tensor add up to in storage form.
pub(super) fn sum(
    reader: &dyn CheckpointReader,
    tensor: &Keyed,
    progress: &dyn Progress,
) -> Result<Crc, CompareError> {
    if tensor.spec.shape().elements() == 0 {
        // No strings at all are stored in more ways than one.
        return Ok(Crc::default());
    }
    if let Some((_, stored)) = reader.extent(&tensor.name)? {
        return Ok(stored);
    }
    if tensor.spec.bytes().is_none() {
        return Ok(reader.read(&tensor.name)?.checksum());
    }
    let mut stream = Stream::new(reader, tensor, progress);
    let mut sum = Crc::default();
    loop {
        stream.fill()?;
        if stream.bytes.is_empty() {
            return Ok(sum);
        }
        sum = sum.extend(&stream.bytes);
        stream.bytes.clear();
    }
}

/// The bytes of a tensor of a fixed-size type, one block after the other.
struct Stream<'s> {
    reader: &'s dyn CheckpointReader,
    tensor: &'s Keyed,
    progress: &'s dyn Progress,
    blocks: Box<dyn Iterator<Item = Region> + 's>,
    bytes: Vec<u8>,
}

impl<'s> Stream<'s> {
    fn new(
        reader: &'s dyn CheckpointReader,
        tensor: &'s Keyed,
        progress: &'s dyn Progress,
    ) -> Self {
        let size = tensor.spec.dtype().size().unwrap_or(1);
        let blocks = Box::new(Region::blocks(tensor.spec.shape(), BLOCK / size));
        Self { reader, tensor, progress, blocks, bytes: Vec::new() }
    }

    /// Reads on where nothing is left.
    fn fill(&mut self) -> Result<(), CompareError> {
        if self.progress.cancelled() {
            return Err(CompareError::Interrupted);
        }
        if self.bytes.is_empty()
            && let Some(region) = self.blocks.next()
        {
            let size = self.tensor.spec.dtype().size().unwrap_or(1);
            let len = region.elements().saturating_mul(size);
            self.bytes.resize(usize::try_from(len).unwrap_or_default(), 0);
            self.reader.read_region(&self.tensor.name, &region, &mut self.bytes)?;
        }
        Ok(())
    }
}
