//! A single number, with all of its digits: what Python's `str` makes of a NumPy scalar.

use super::digits::{Digits, power};
use super::element::{Element, Float};

/// From here on, and below its counterpart, powers of ten are used.
const LARGE: f64 = 1e16;
const SMALL: f64 = 1e-4;

pub(super) fn scalar(element: Element) -> String {
    match element {
        Element::Bool(true) => "True".to_owned(),
        Element::Bool(false) => "False".to_owned(),
        Element::Whole(number) => number.to_string(),
        Element::Real(number) => real(number, ".0"),
        Element::Complex(re, im) => {
            let has_sign = im.value().is_sign_negative() && !im.value().is_nan();
            let im_text = real(im, "");
            if re.value() == 0.0 && re.value().is_sign_positive() {
                return format!("{im_text}j");
            }
            format!("({}{}{im_text}j)", real(re, ""), if has_sign { "" } else { "+" })
        }
    }
}

/// `whole` stands behind numbers without a fraction.
fn real(number: Float, whole: &str) -> String {
    let value = number.value();
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return format!("{sign}inf");
    }
    if value == 0.0 || (SMALL..LARGE).contains(&value.abs()) {
        let (before, behind) = Digits::positional(number, None);
        let behind = if behind.is_empty() { whole.to_owned() } else { format!(".{behind}") };
        return format!("{sign}{before}{behind}");
    }
    let (first, behind, exponent) = Digits::scientific(number, usize::MAX - 1);
    let point = if behind.is_empty() { "" } else { "." };
    format!("{sign}{first}{point}{behind}{}", power(exponent, 2))
}
