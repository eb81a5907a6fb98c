//! One form for all the floating-point numbers of an array, so that their points stand below one
//! another. It is NumPy's `FloatingFormat` with its default options.

use super::digits::{Digits, fixed, power};
use super::element::Float;

/// Digits behind the point at the most.
const PRECISION: usize = 8;

/// How the numbers of an array are written.
#[derive(Debug, Clone, Default)]
pub(super) struct FloatForm {
    /// A sign stands before positive numbers too: imaginary parts.
    signed: bool,
    /// Digits of the power of ten, and those behind the point; `None` without powers.
    scientific: Option<(usize, usize)>,
    left: usize,
    right: usize,
}

impl FloatForm {
    /// That which suits all of `numbers`.
    pub(super) fn of(numbers: impl Iterator<Item = Float> + Clone, signed: bool) -> Self {
        let mut form = Self { signed, ..Self::default() };
        let finite = || numbers.clone().filter(|number| number.value().is_finite());
        if needs_powers(finite()) {
            let (mut digits, mut behind) = (0, 0);
            for number in finite() {
                let (_, fraction, exponent) = Digits::scientific(number, PRECISION);
                // The letter and the sign are no digits.
                digits = digits.max(power(exponent, 2).len() - 2);
                behind = behind.max(fraction.len());
                form.left = form.left.max(form.sign(number).len() + 1);
            }
            form.right = digits + 2 + behind;
            form.scientific = Some((digits, behind));
        } else {
            for number in finite() {
                let (whole, fraction) = Digits::positional(number, Some(PRECISION));
                form.left = form.left.max(form.sign(number).len() + whole.len());
                form.right = form.right.max(fraction.len());
            }
        }
        let words = numbers.filter(|number| !number.value().is_finite());
        let widest = words.map(|number| form.word(number).len().max("nan".len())).max();
        if let Some(widest) = widest {
            form.left = form.left.max(widest.saturating_sub(form.right + 1));
        }
        form
    }

    /// One of the numbers.
    pub(super) fn write(&self, number: Float) -> String {
        let (left, right) = (self.left, self.right);
        if !number.value().is_finite() {
            return format!("{:>width$}", self.word(number), width = left + right + 1);
        }
        let sign = self.sign(number);
        let Some((digits, behind)) = self.scientific else {
            let (whole, fraction) = Digits::positional(number, Some(PRECISION));
            let whole = format!("{sign}{whole}");
            return format!("{whole:>left$}.{fraction:<right$}");
        };
        // As many digits as the longest has, beyond those that are needed too.
        let (mantissa, exponent) = fixed(number, behind);
        let point = if behind == 0 { "." } else { "" };
        let width = left + 1 + behind;
        let mantissa = format!("{sign}{mantissa}{point}");
        format!("{mantissa:>width$}{}", power(exponent, digits))
    }

    fn word(&self, number: Float) -> String {
        let value = number.value();
        if value.is_nan() {
            return if self.signed { "+nan" } else { "nan" }.to_owned();
        }
        format!("{}inf", self.sign(number))
    }

    fn sign(&self, number: Float) -> &'static str {
        match (number.value().is_sign_negative(), self.signed) {
            (true, _) => "-",
            (false, true) => "+",
            (false, false) => "",
        }
    }
}

/// Whether some numbers are so large or small, or so far apart, that powers of ten are needed.
fn needs_powers(finite: impl Iterator<Item = Float>) -> bool {
    let mut ends: Option<(Float, Float)> = None;
    for number in finite.filter(|number| number.value() != 0.0) {
        let magnitude = |number: Float| number.value().abs();
        let (least, most) = ends.unwrap_or((number, number));
        ends = Some((
            if magnitude(number) < magnitude(least) { number } else { least },
            if magnitude(number) > magnitude(most) { number } else { most },
        ));
    }
    let Some((least, most)) = ends else { return false };
    let ratio = match (least, most) {
        // NumPy divides in the type itself.
        (Float::Single(least), Float::Single(most)) => f64::from((most / least).abs()),
        _ => (most.value() / least.value()).abs(),
    };
    most.value().abs() >= 1e8 || least.value().abs() < 1e-4 || ratio > 1000.0
}
