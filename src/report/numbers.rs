//! Numbers and sizes as people want to see many of them: with few digits.

use crate::tensor::DType;

/// Digits of a number that is not whole.
const DIGITS: i32 = 4;

/// A few digits of a number, all of them where it is a type of whole numbers.
#[expect(clippy::float_cmp, reason = "whole numbers are exact")]
pub(super) fn short(number: f64, dtype: DType) -> String {
    let whole = dtype.name().contains("int") || dtype == DType::Bool;
    if number == 0.0 || (whole && number == number.trunc() && number.abs() < 1e15) {
        return format!("{number:.0}").replace("-0", "0");
    }
    if !number.is_finite() {
        return number.to_string();
    }
    let scientific = format!("{number:.3e}");
    let Some((digits, power)) = scientific.split_once('e') else { return scientific };
    match power.parse::<i32>() {
        Ok(power @ -3..6) => {
            let behind = usize::try_from(DIGITS - 1 - power).unwrap_or_default();
            let text = format!("{number:.behind$}");
            if text.contains('.') {
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            } else {
                text
            }
        }
        _ if digits.contains('.') => {
            format!("{}e{power}", digits.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => scientific,
    }
}

/// A size in the largest unit that keeps it above 1: `1.3 GiB`.
pub(super) fn human(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    #[allow(clippy::cast_precision_loss, reason = "two digits are shown")]
    let mut size = bytes as f64;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    if unit == 0 { format!("{bytes} {name}") } else { format!("{size:.1} {name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers() {
        let float = |number| short(number, DType::Float);
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-0.123_456, "-0.1235"),
            (0.001_234_56, "0.001235"),
            (0.000_123_4, "1.234e-4"),
            (1234.56, "1235"),
            (-123_456.0, "-123456"),
            (1_234_567.0, "1.235e6"),
            (1e300, "1e300"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(float(number), text);
        }
        assert_eq!(short(1_234_567.0, DType::Int64), "1234567");
        assert_eq!(short(-1.0, DType::Int8), "-1");
    }
}
