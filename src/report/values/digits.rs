//! Decimal digits of a floating-point number: the fewest that tell it from its neighbours, but no
//! more behind the point than wanted.

use super::element::Float;

/// So many digits tell any `f64` from its neighbours.
const MOST: usize = 17;

/// The digits of a finite number's magnitude.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digits {
    /// Without zeros at the end; `0` for zero.
    digits: String,
    /// The power of ten of the first one.
    exponent: i32,
}

impl Digits {
    /// The fewest that tell `number` from others of its type.
    pub(super) fn shortest(number: Float) -> Self {
        match number {
            Float::Double(one) => Self::read(&format!("{:e}", one.abs())).rounded(number),
            Float::Single(one) => Self::read(&format!("{:e}", one.abs())).rounded(number),
            Float::Small(kind, bits) => {
                let magnitude = kind.value(bits).abs();
                let (below, above) = kind.neighbours(bits);
                let (below, above) =
                    (f64::midpoint(below, magnitude), f64::midpoint(magnitude, above));
                let is_told = |text: &String| {
                    let near: f64 = text.parse().unwrap_or_default();
                    // Halfway, the one whose last bit is 0 is taken.
                    if bits % 2 == 0 {
                        below <= near && near <= above
                    } else {
                        below < near && near < above
                    }
                };
                let mut texts = (0..MOST).map(|digits| format!("{magnitude:.digits$e}"));
                Self::read(&texts.find(is_told).unwrap_or_else(|| format!("{magnitude:e}")))
            }
        }
    }

    /// As many digits of `number`. Of two that are equally near, Rust takes the upper one, NumPy
    /// the even one.
    fn rounded(self, number: Float) -> Self {
        Self::read(&format!("{:.*e}", self.digits.len().saturating_sub(1), number.value().abs()))
    }

    /// From `1.25e-7`.
    fn read(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        let trimmed = digits.trim_end_matches('0');
        let digits = if trimmed.is_empty() { "0" } else { trimmed };
        Self { digits: digits.to_owned(), exponent: exponent.parse().unwrap_or_default() }
    }

    /// What stands before and behind the point. In an array, with `most` digits behind it at the
    /// most, and whole numbers with all of their digits, needed or not.
    pub(super) fn positional(number: Float, most: Option<usize>) -> (String, String) {
        let Self { digits, exponent } = Self::shortest(number);
        let before = usize::try_from(exponent + 1).unwrap_or_default();
        let zeros = usize::try_from(-exponent - 1).unwrap_or_default();
        let behind = zeros + digits.len().saturating_sub(before);
        if let Some(most) = most.filter(|most| behind > *most) {
            let rounded = format!("{:.most$}", number.value().abs());
            let (whole, fraction) = rounded.split_once('.').unwrap_or((&rounded, ""));
            return (whole.to_owned(), fraction.trim_end_matches('0').to_owned());
        }
        match digits.split_at_checked(before) {
            Some(("", fraction)) => ("0".to_owned(), "0".repeat(zeros) + fraction),
            Some((whole, fraction)) => (whole.to_owned(), fraction.to_owned()),
            None if most.is_some() => (format!("{:.0}", number.value().abs()), String::new()),
            None => (format!("{digits:0<before$}"), String::new()),
        }
    }

    /// What stands before and behind the point, with `most` digits behind it at the most, and the
    /// power of ten.
    pub(super) fn scientific(number: Float, most: usize) -> (String, String, i32) {
        let mut found = Self::shortest(number);
        if found.digits.len() > most + 1 {
            found = Self::read(&format!("{:.most$e}", number.value().abs()));
        }
        let (first, rest) = found.digits.split_at_checked(1).unwrap_or(("0", ""));
        (first.to_owned(), rest.to_owned(), found.exponent)
    }
}

/// What stands before and behind the point, with exactly so many digits behind it, and the power
/// of ten.
pub(super) fn fixed(number: Float, behind: usize) -> (String, i32) {
    let text = format!("{:.behind$e}", number.value().abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (mantissa.to_owned(), exponent.parse().unwrap_or_default())
}

/// `e-05`: at least `least` digits.
pub(super) fn power(exponent: i32, least: usize) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("e{sign}{:0least$}", exponent.unsigned_abs())
}
