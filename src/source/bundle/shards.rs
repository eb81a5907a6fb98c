//! The data files of a bundle, opened when they are needed.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, PoisonError};

use super::entry::{Header, Stored};
use crate::catalog::VariableName;
use crate::crc::Crc;
use crate::files::{Blob, Extent, Location, store};
use crate::source::error::{SourceError, TensorError};
use crate::source::sniff::pointer;
use crate::tensor::{ByteOrder, DType, Region, Tensor, checksum, strings};

/// Bytes that are read and summed at once.
const BLOCK: u64 = 1 << 20;

/// The data files of one bundle.
#[derive(Debug)]
pub(super) struct Shards {
    prefix: Location,
    count: u32,
    order: ByteOrder,
    open: Mutex<BTreeMap<u32, Arc<dyn Blob>>>,
}

impl Shards {
    /// None of the files is opened yet.
    pub(super) fn new(prefix: Location, header: Header) -> Self {
        Self { prefix, count: header.shards, order: header.order, open: Mutex::default() }
    }

    /// The name of a data file. The number of files in it is the header's, whatever there is.
    pub(super) fn path(&self, shard: u32) -> Location {
        self.prefix.with_suffix(&format!(".data-{shard:05}-of-{:05}", self.count))
    }

    /// A data file.
    pub(super) fn blob(&self, shard: u32) -> Result<Arc<dyn Blob>, SourceError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(blob) = open.get(&shard) {
            return Ok(Arc::clone(blob));
        }
        let path = self.path(shard);
        let blob = store(&path).open(&path).map_err(|error| match error.source.kind() {
            ErrorKind::NotFound => SourceError::missing(&path, &self.prefix),
            _ => error.into(),
        })?;
        open.insert(shard, Arc::clone(&blob));
        Ok(blob)
    }

    /// Where the bytes of `stored` lie; proved to be there.
    pub(super) fn extent(
        &self,
        name: &VariableName,
        stored: &Stored,
    ) -> Result<Extent, SourceError> {
        let &Stored { shard, offset, bytes, .. } = stored;
        let blob = self.blob(shard)?;
        let (end, len) = (offset.saturating_add(bytes), blob.len());
        // No bytes may stand anywhere, beyond the end too.
        if bytes > 0 && end > len {
            return Err(self.damaged(name, stored, TensorError::Truncated { end, len }));
        }
        Ok(Extent { blob, offset, len: bytes })
    }

    /// Whether the bytes of `stored` are in storage form as they lie there.
    pub(super) fn is_native(&self, stored: &Stored) -> bool {
        self.order == ByteOrder::Little || stored.spec.dtype().swap_unit() == Some(1)
    }

    /// The tensor that `stored` describes, summed.
    pub(super) fn read(
        &self,
        name: &VariableName,
        stored: &Stored,
    ) -> Result<Tensor<'static>, SourceError> {
        let bytes = self.bytes(name, stored)?;
        let tensor = match self.order {
            ByteOrder::Little => native(stored, bytes),
            ByteOrder::Big => turned(stored, bytes),
        };
        tensor.map_err(|error| self.damaged(name, stored, error))
    }

    fn bytes(&self, name: &VariableName, stored: &Stored) -> Result<Vec<u8>, SourceError> {
        let extent = self.extent(name, stored)?;
        let len = usize::try_from(extent.len).map_err(|_| {
            let error = TensorError::Truncated { end: extent.len, len: usize::MAX as u64 };
            self.damaged(name, stored, error)
        })?;
        let mut bytes = vec![0; len];
        if len > 0 {
            extent.blob.read_at(extent.offset, &mut bytes)?;
        }
        Ok(bytes)
    }

    /// A part of a tensor of a fixed-size type.
    pub(super) fn read_region(
        &self,
        name: &VariableName,
        stored: &Stored,
        region: &Region,
        out: &mut [u8],
    ) -> Result<(), SourceError> {
        let extent = self.extent(name, stored)?;
        let spec = &stored.spec;
        let unfit = || self.damaged(name, stored, TensorError::Region);
        let width = spec.dtype().size().ok_or_else(unfit)?;
        if !region.fits(spec.shape()) || region.elements() * width != out.len() as u64 {
            return Err(unfit());
        }
        let mut rest = &mut *out;
        region.for_each_run(spec.shape(), |start, count| {
            let len = usize::try_from(count * width).map_err(|_| unfit())?;
            let (run, after) =
                std::mem::take(&mut rest).split_at_mut_checked(len).ok_or_else(unfit)?;
            rest = after;
            Ok::<(), SourceError>(extent.blob.read_at(extent.offset + start * width, run)?)
        })?;
        self.order.into_little(spec.dtype(), out);
        Ok(())
    }

    /// Sums the bytes of `stored` block by block; what is not of a fixed size is summed whole.
    pub(super) fn verify(
        &self,
        name: &VariableName,
        stored: &Stored,
        advance: &dyn Fn(u64),
    ) -> Result<(), SourceError> {
        if stored.spec.bytes().is_none() {
            let bytes = self.read(name, stored)?.data().len();
            advance(bytes as u64);
            return Ok(());
        }
        let Extent { blob, mut offset, len: mut left } = self.extent(name, stored)?;
        let mut buffer = vec![0; usize::try_from(BLOCK.min(left)).unwrap_or_default()];
        let mut computed = Crc::default();
        while left > 0 {
            let len = BLOCK.min(left);
            buffer.truncate(usize::try_from(len).unwrap_or_default());
            blob.read_at(offset, &mut buffer)?;
            computed = computed.extend(&buffer);
            (offset, left) = (offset + len, left - len);
            advance(len);
        }
        self.compare(name, stored, computed)
    }

    /// Whether the bytes of `stored` add up to what they should.
    pub(super) fn compare(
        &self,
        name: &VariableName,
        stored: &Stored,
        computed: Crc,
    ) -> Result<(), SourceError> {
        compare(stored.crc, computed).map_err(|error| self.damaged(name, stored, error))
    }

    /// An error about the bytes of `name`.
    pub(super) fn damaged(
        &self,
        name: &VariableName,
        stored: &Stored,
        error: TensorError,
    ) -> SourceError {
        let &Stored { shard, offset, .. } = stored;
        let (path, name) = (self.path(shard), name.clone());
        if let Some(pointer) = self.blob(shard).ok().and_then(|blob| pointer(&path, &*blob)) {
            return pointer;
        }
        SourceError::Tensor { path, offset, name, source: Box::new(error) }
    }
}

fn native(stored: &Stored, bytes: Vec<u8>) -> Result<Tensor<'static>, TensorError> {
    let (tensor, computed) = Tensor::summed(stored.spec.clone(), bytes)?;
    compare(stored.crc, computed)?;
    Ok(tensor)
}

/// A tensor that was written on a big-endian machine.
fn turned(stored: &Stored, mut bytes: Vec<u8>) -> Result<Tensor<'static>, TensorError> {
    let (spec, order) = (&stored.spec, ByteOrder::Big);
    match spec.dtype() {
        DType::String => {
            let (elements, computed) = strings::read(&bytes, spec.shape().elements(), order)?;
            compare(stored.crc, computed)?;
            bytes = strings::encode(&elements);
        }
        dtype if dtype.size().is_some() => {
            compare(stored.crc, checksum(spec, &bytes)?)?;
            order.into_little(dtype, &mut bytes);
        }
        dtype => return Err(TensorError::Order(dtype)),
    }
    Ok(Tensor::new(spec.clone(), bytes)?)
}

fn compare(stored: Crc, computed: Crc) -> Result<(), TensorError> {
    if stored.agrees(computed) { Ok(()) } else { Err(TensorError::Checksum { stored, computed }) }
}
