//! Floating-point types of 16 bits and fewer.
//!
//! ```text
//! sign | exponent | fraction        ± 1.fraction × 2^(exponent − bias); 0.fraction below the first
//! ```
//! They differ in how many bits each part has, and in what the largest patterns mean.

use super::DType;

/// How the bits of a small floating-point type are read.
#[derive(Debug, Clone, Copy)]
pub struct SmallFloat {
    exponent: u16,
    fraction: u16,
    bias: i32,
    specials: Specials,
}

/// Which patterns are no numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Specials {
    /// The largest exponent: infinity, and NaN.
    Ieee,
    /// The largest pattern of either sign: NaN. No infinity.
    Largest,
    /// What would be −0: NaN. No infinity.
    NegativeZero,
    /// None.
    Nothing,
}

impl SmallFloat {
    /// That of `dtype`; `None` for every other type.
    pub fn of(dtype: DType) -> Option<Self> {
        use Specials::{Ieee, Largest, NegativeZero, Nothing};
        let (exponent, fraction, bias, specials) = match dtype {
            DType::Half => (5, 10, 15, Ieee),
            DType::BFloat16 => (8, 7, 127, Ieee),
            DType::Float8E5M2 => (5, 2, 15, Ieee),
            DType::Float8E4M3Fn => (4, 3, 7, Largest),
            DType::Float8E4M3FnUz => (4, 3, 8, NegativeZero),
            DType::Float8E4M3B11FnUz => (4, 3, 11, NegativeZero),
            DType::Float8E5M2FnUz => (5, 2, 16, NegativeZero),
            DType::Float4E2M1Fn => (2, 1, 1, Nothing),
            _ => return None,
        };
        Some(Self { exponent, fraction, bias, specials })
    }

    /// The number `bits` stand for. Bits beyond the type's are passed over.
    pub fn value(self, bits: u16) -> f64 {
        let largest = self.largest();
        let (negative, magnitude) = (bits & (largest + 1) != 0, bits & largest);
        let (exponent, fraction) = (magnitude >> self.fraction, magnitude & self.fractions());
        let number = match self.specials {
            Specials::Ieee if exponent == largest >> self.fraction && fraction == 0 => {
                f64::INFINITY
            }
            Specials::Ieee if exponent == largest >> self.fraction => f64::NAN,
            Specials::Largest if magnitude == largest => f64::NAN,
            Specials::NegativeZero if negative && magnitude == 0 => f64::NAN,
            _ => {
                let hidden = if exponent == 0 { 0 } else { self.fractions() + 1 };
                let scale = i32::from(exponent.max(1)) - self.bias - i32::from(self.fraction);
                f64::from(hidden + fraction) * 2_f64.powi(scale)
            }
        };
        if negative { -number } else { number }
    }

    /// The finite numbers next to the magnitude of `bits`: nearer to zero and further away. Where
    /// there is none, the step on the other side is made again.
    pub fn neighbours(self, bits: u16) -> (f64, f64) {
        let magnitude = bits & self.largest();
        let here = self.value(magnitude);
        let below = magnitude.checked_sub(1).map_or(0.0, |bits| self.value(bits));
        let above = self.value(magnitude.saturating_add(1).min(self.largest()));
        let is_step = above.is_finite() && above > here;
        (below, if is_step { above } else { here + (here - below) })
    }

    /// The largest magnitude, as bits.
    fn largest(self) -> u16 {
        (1 << (self.exponent + self.fraction)) - 1
    }

    /// The largest fraction.
    fn fractions(self) -> u16 {
        (1 << self.fraction) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(dtype: DType, bits: u16) -> f64 {
        SmallFloat::of(dtype).unwrap().value(bits)
    }

    /// Against another implementation, bit for bit.
    #[test]
    fn halves_are_what_they_are_elsewhere() {
        for bits in 0..=u16::MAX {
            let half = half::f16::from_bits(bits).to_f64();
            let brain = half::bf16::from_bits(bits).to_f64();
            for (dtype, expected) in [(DType::Half, half), (DType::BFloat16, brain)] {
                let found = value(dtype, bits);
                assert!(
                    found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan()
                );
            }
        }
    }

    /// As `ml_dtypes` has them.
    #[test]
    fn the_largest_and_the_smallest() {
        for (dtype, largest, smallest, bits) in [
            (DType::Float8E5M2, 57344.0, 2_f64.powi(-16), 0x7b),
            (DType::Float8E4M3Fn, 448.0, 2_f64.powi(-9), 0x7e),
            (DType::Float8E4M3FnUz, 240.0, 2_f64.powi(-10), 0x7f),
            (DType::Float8E4M3B11FnUz, 30.0, 2_f64.powi(-13), 0x7f),
            (DType::Float8E5M2FnUz, 57344.0, 2_f64.powi(-17), 0x7f),
            (DType::Float4E2M1Fn, 6.0, 0.5, 0x07),
        ] {
            assert_eq!((value(dtype, bits), value(dtype, 1)), (largest, smallest), "{dtype}");
        }
        assert!(value(DType::Float8E4M3Fn, 0xff).is_nan());
        assert!(value(DType::Float8E5M2FnUz, 0x80).is_nan());
        let is = |dtype, bits, number: f64| value(dtype, bits).to_bits() == number.to_bits();
        assert!(is(DType::Float8E5M2, 0xfc, f64::NEG_INFINITY));
        assert!(is(DType::Float4E2M1Fn, 0x0f, -6.0));
    }
}
