//! CRC-32C (Castagnoli), the checksum of every block and every tensor, and the mask TensorFlow
//! stores it under.
//!
//! A sum is masked where it is stored beside the bytes it covers, so that summing a file which
//! contains sums stays meaningful. In memory a [`Crc`] is always the plain sum.

use std::fmt;

/// Added after the rotation by 15 bits; the constant of the table format.
const MASK_DELTA: u32 = 0xa282_ead8;

/// A plain (unmasked) CRC-32C.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Crc(u32);

impl Crc {
    /// The sum of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(crc32c::crc32c(bytes))
    }

    /// The sum of everything summed so far followed by `bytes`.
    #[must_use]
    pub fn extend(self, bytes: &[u8]) -> Self {
        Self(crc32c::crc32c_append(self.0, bytes))
    }

    /// The sum of two neighbouring pieces of which the second has `len` bytes.
    #[must_use]
    pub fn join(self, second: Self, mut len: u64) -> Self {
        let mut first = self.0;
        let last = loop {
            match usize::try_from(len) {
                Ok(len) => break len,
                // Sums are linear: in steps it is the same.
                Err(_) => first = crc32c::crc32c_combine(first, 0, usize::MAX),
            }
            len -= usize::MAX as u64;
        };
        Self(crc32c::crc32c_combine(first, second.0, last))
    }

    /// Takes off the mask of a stored sum.
    pub fn from_masked(stored: u32) -> Self {
        let rotated = stored.wrapping_sub(MASK_DELTA);
        Self(rotated.rotate_left(15))
    }

    /// Whether a stored sum is the one that was computed. Every one is to a fuzzer, which could
    /// not get past it otherwise.
    pub fn agrees(self, computed: Self) -> bool {
        self == computed || cfg!(fuzzing)
    }

    /// The sum in the form it is stored in.
    pub fn masked(self) -> u32 {
        self.0.rotate_right(15).wrapping_add(MASK_DELTA)
    }
}

impl fmt::Display for Crc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Debug for Crc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crc({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_sums() {
        assert_eq!(Crc::of(b"123456789").to_string(), "e3069283");
        assert_eq!(Crc::of(b"").masked(), 0xa282_ead8);
    }

    #[test]
    fn only_equal_sums_agree() {
        assert!(Crc::of(b"a").agrees(Crc::of(b"a")));
        assert!(!Crc::of(b"a").agrees(Crc::of(b"b")));
    }

    #[test]
    fn a_mask_comes_off_again() {
        for bytes in [&b""[..], b"a", b"checkpoint"] {
            let crc = Crc::of(bytes);
            assert_eq!(Crc::from_masked(crc.masked()), crc);
        }
    }

    #[test]
    fn pieces_join() {
        let whole = Crc::of(b"kernel and bias");
        assert_eq!(Crc::of(b"kernel").extend(b" and bias"), whole);
        assert_eq!(Crc::of(b"kernel").join(Crc::of(b" and bias"), 9), whole);
        // Zeros in between, in two steps, are what one step over both is.
        let far = Crc::of(b"kernel").join(Crc(0), 5).join(Crc::of(b"bias"), 4);
        assert_eq!(far, Crc::of(b"kernel").join(Crc::of(b"bias"), 9));
    }
}
