//! Bytes that travel from one file into another without being understood, summed on the way.

use std::ops::ControlFlow;

use crate::crc::Crc;
use crate::files::Extent;
use crate::object::Target;
use crate::tensor::{TensorSpec, checksum};

use super::super::TargetError;
use super::{BundleWriter, damaged};

/// How much is copied at once: large for a disk, small for a processor's cache.
const BLOCK: usize = 1 << 20;

impl BundleWriter {
    /// Copies an extent block by block; its sum is that of its bytes.
    pub(super) fn copy(
        &mut self,
        target: &Target,
        extent: &Extent,
        advance: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Crc, TargetError> {
        let mut crc = Crc::default();
        let mut done = 0;
        while done < extent.len {
            let len = usize::try_from(extent.len - done).map_or(BLOCK, |left| left.min(BLOCK));
            self.block.resize(len, 0);
            let read = extent.blob.read_at(extent.offset + done, &mut self.block);
            read.map_err(|source| TargetError::Read { target: target.clone(), source })?;
            crc = crc.extend(&self.block);
            self.current.write(&self.block)?;
            done += len as u64;
            proceed(advance(len as u64))?;
        }
        Ok(crc)
    }

    /// Copies an extent whose sum can only be told from all of it.
    pub(super) fn copy_whole(
        &mut self,
        target: &Target,
        spec: &TensorSpec,
        extent: &Extent,
        advance: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Crc, TargetError> {
        // It lies inside a file that exists, so nobody can make this as large as they like.
        let mut bytes = vec![0; usize::try_from(extent.len).unwrap_or(usize::MAX)];
        let read = extent.blob.read_at(extent.offset, &mut bytes);
        read.map_err(|source| TargetError::Read { target: target.clone(), source })?;
        let crc = checksum(spec, &bytes).map_err(damaged(target))?;
        self.current.write(&bytes)?;
        proceed(advance(extent.len))?;
        Ok(crc)
    }
}

pub(super) fn proceed(answer: ControlFlow<()>) -> Result<(), TargetError> {
    if answer.is_break() { Err(TargetError::Interrupted) } else { Ok(()) }
}
