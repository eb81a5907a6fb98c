//! Values taken over as they are: neighbours travel together, each block is read once, summed, and
//! written as it was read.

use super::error::agree;
use super::layout::Copy;
use super::{ConvertError, Options};
use crate::crc::Crc;
use crate::files::{Extent, FileError};
use crate::progress::Progress;
use crate::sums;
use crate::target::CheckpointWriter;

/// Copies all values whose files are not shared, and checks the sums of all.
pub(super) fn copy(
    copies: &[Copy<'_>],
    writer: &dyn CheckpointWriter,
    options: &Options,
    progress: &dyn Progress,
) -> Result<(), ConvertError> {
    let extents: Vec<Extent> = copies.iter().map(|copy| copy.from.clone()).collect();
    sums::read(&extents, &Copying { copies, writer, verify: options.verify, progress })
}

struct Copying<'c> {
    copies: &'c [Copy<'c>],
    writer: &'c dyn CheckpointWriter,
    verify: bool,
    progress: &'c dyn Progress,
}

impl sums::Reader for Copying<'_> {
    type Error = ConvertError;

    fn wants_sums(&self) -> bool {
        self.verify
    }

    fn block(&self, number: usize, at: u64, bytes: &[u8]) -> Result<(), ConvertError> {
        if self.progress.cancelled() {
            return Err(ConvertError::Interrupted);
        }
        let mut rest = bytes;
        let mut copies = self.copies.iter().skip(number).peekable();
        let mut at = at;
        while let Some(copy) = copies.next().filter(|_| !rest.is_empty()) {
            // As far as what stands together here will stand together there.
            let mut len = copy.from.len - at;
            if let Some(to) = copy.to {
                let to = to.after(at);
                while len < rest.len() as u64
                    && let Some(next) = copies.next_if(|next| next.to == Some(to.after(len)))
                {
                    len += next.from.len;
                }
                let (run, after) = split(rest, len);
                self.writer.write(to, run).map_err(ConvertError::write(copy.target))?;
                rest = after;
            } else {
                rest = split(rest, len).1;
            }
            at = 0;
        }
        self.progress.advance(bytes.len() as u64);
        Ok(())
    }

    fn sum(&self, number: usize, sum: Result<Crc, FileError>) -> Result<(), ConvertError> {
        let Some(&Copy { target, reader, name, crc, .. }) = self.copies.get(number) else {
            return Ok(());
        };
        let sum = sum.map_err(ConvertError::read(target, name))?;
        if self.verify { agree(target, (reader, name), crc, sum) } else { Ok(()) }
    }
}

fn split(bytes: &[u8], len: u64) -> (&[u8], &[u8]) {
    bytes.split_at(usize::try_from(len).map_or(bytes.len(), |len| len.min(bytes.len())))
}
