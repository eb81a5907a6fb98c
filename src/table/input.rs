//! A cursor over bytes that knows where in the file it stands, so that every error does too.

use super::{Damage, TableError};
use crate::varint;

/// Bytes that are read from front to back.
#[derive(Debug, Clone)]
pub(super) struct Input<'a> {
    rest: &'a [u8],
    offset: u64,
    /// Whether bytes taken here are bytes of the file; not so once a block was decompressed.
    moves: bool,
}

impl<'a> Input<'a> {
    /// Bytes that stand at `offset` of the file.
    pub(super) fn new(bytes: &'a [u8], offset: u64) -> Self {
        Self { rest: bytes, offset, moves: true }
    }

    /// Bytes that came out of a compressed block at `offset`.
    pub(super) fn inflated(bytes: &'a [u8], offset: u64) -> Self {
        Self { rest: bytes, offset, moves: false }
    }

    /// Where the next byte stands in the file.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes not yet taken.
    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }

    /// An error about what comes next.
    pub(super) fn damaged(&self, what: Damage) -> TableError {
        TableError { offset: self.offset, what }
    }

    /// Takes `len` bytes.
    pub(super) fn take(&mut self, len: u64, what: &'static str) -> Result<&'a [u8], TableError> {
        let split = usize::try_from(len).ok().and_then(|len| self.rest.split_at_checked(len));
        let Some((taken, rest)) = split else {
            let left = self.rest.len() as u64;
            return Err(self.damaged(Damage::Truncated { what, needed: len, left }));
        };
        self.rest = rest;
        self.offset += if self.moves { len } else { 0 };
        Ok(taken)
    }

    /// Takes `len` bytes, to be read on their own.
    pub(super) fn split(&mut self, len: u64, what: &'static str) -> Result<Self, TableError> {
        let (offset, moves) = (self.offset, self.moves);
        let rest = self.take(len, what)?;
        Ok(Self { rest, offset, moves })
    }

    /// Takes a 32-bit little-endian number.
    pub(super) fn u32(&mut self, what: &'static str) -> Result<u32, TableError> {
        Ok(self.take(4, what)?.iter().rev().fold(0, |sum, &byte| sum << 8 | u32::from(byte)))
    }

    /// Takes a number in base 128, little end first.
    pub(super) fn varint(&mut self, what: &'static str) -> Result<u64, TableError> {
        let found = varint::read(self.rest).ok_or_else(|| self.damaged(Damage::Varint(what)));
        let (value, after) = found?;
        self.take((self.rest.len() - after.len()) as u64, what)?;
        Ok(value)
    }

    /// Takes a number in base 128 that must fit 32 bits.
    pub(super) fn varint32(&mut self, what: &'static str) -> Result<u64, TableError> {
        let at = self.clone();
        let value = self.varint(what)?;
        if value > u64::from(u32::MAX) { Err(at.damaged(Damage::Varint(what))) } else { Ok(value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            varint::write(value, &mut bytes);
            let mut input = Input::new(&bytes, 7);
            assert_eq!(input.varint("it"), Ok(value));
            assert_eq!((input.len(), input.offset()), (0, 7 + bytes.len() as u64));
        }
    }

    #[test]
    fn errors_say_where() {
        let mut input = Input::new(&[1, 0x80, 0x80], 40);
        assert_eq!(input.varint("a length"), Ok(1));
        let error = input.varint("a length").unwrap_err();
        assert_eq!(error.to_string(), "at byte 41: a length is no number");
        let error = input.take(u64::MAX, "a key").unwrap_err();
        let text = "at byte 41: a key needs 18446744073709551615 bytes where only 2 are left";
        assert_eq!(error.to_string(), text);
        let six = [0xff, 0xff, 0xff, 0xff, 0x1f];
        assert!(Input::new(&six, 0).varint32("a length").is_err());
        assert!(Input::new(&[0xff; 11], 0).varint("a length").is_err());
    }
}
