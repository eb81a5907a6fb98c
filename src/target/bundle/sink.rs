//! One tensor that comes in blocks.

use crate::object::Target;

use super::super::index::Piece;
use super::super::{TargetError, TensorSink};
use super::{BundleWriter, wrong_length};

/// Appends one tensor's blocks to the current data file and sums them.
#[derive(Debug)]
pub(super) struct Sink<'a> {
    pub(super) writer: &'a mut BundleWriter,
    pub(super) target: Target,
    pub(super) piece: Piece,
    /// Bytes of the whole tensor.
    pub(super) needed: u64,
}

impl TensorSink for Sink<'_> {
    fn write(&mut self, block: &[u8]) -> Result<(), TargetError> {
        let len = self.piece.len + block.len() as u64;
        if len > self.needed {
            return Err(wrong_length(&self.target, &self.piece.spec, self.needed, len));
        }
        self.writer.current.write(block)?;
        self.piece.len = len;
        self.piece.crc = self.piece.crc.extend(block);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), TargetError> {
        let Self { writer, target, piece, needed } = *self;
        if piece.len != needed {
            return Err(wrong_length(&target, &piece.spec, needed, piece.len));
        }
        writer.close(&target, piece);
        Ok(())
    }
}
