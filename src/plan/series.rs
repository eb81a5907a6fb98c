//! Whether names are a complete series.

use crate::names::pieces;

/// What names in natural order are together.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Series {
    /// Numbers from 0 or 1 on, or TensorFlow's own: `w`, `w_1`, `w_2`.
    Whole,
    /// This one is missing.
    Lacks(String),
    /// These two do not differ in one number alone.
    Not(String, String),
}

/// Whether names are a series, and complete.
pub(super) fn series(names: &[&str]) -> Series {
    let mut place = None;
    for pair in names.windows(2) {
        let [one, next] = pair else { continue };
        let not = || Series::Not((*one).to_owned(), (*next).to_owned());
        let Some(step) = numbered(one, next) else {
            match first_number(one, next) {
                // The first of TensorFlow's own numbers is left out.
                Some((1, _)) if place.is_none() => continue,
                Some((_, first)) if place.is_none() => return Series::Lacks(first),
                _ => return not(),
            }
        };
        if place.replace(step.prefix).is_some_and(|place| place != step.prefix) {
            return not();
        }
        if step.from.checked_add(1).is_none_or(|expected| expected != step.to) {
            return Series::Lacks(step.name(one, step.from.saturating_add(1)));
        }
    }
    // Where a series begins shows in its first two.
    if let [one, next, ..] = names
        && let Some(step) = numbered(one, next)
        && step.from > 1
    {
        return Series::Lacks(step.name(one, step.from - 1));
    }
    Series::Whole
}

/// Two names that differ in one number.
#[derive(Debug)]
struct Step {
    /// Bytes before it.
    prefix: usize,
    /// Its digits in the first name.
    width: usize,
    from: u64,
    to: u64,
}

impl Step {
    /// The first name with another number.
    fn name(&self, one: &str, number: u64) -> String {
        let (before, rest) = one.split_at_checked(self.prefix).unwrap_or((one, ""));
        let (digits, after) = rest.split_at_checked(self.width).unwrap_or((rest, ""));
        let width = if digits.starts_with('0') { digits.len() } else { 0 };
        format!("{before}{number:0width$}{after}")
    }
}

fn numbered(one: &str, next: &str) -> Option<Step> {
    let (before, after): (Vec<&str>, Vec<&str>) = (pieces(one).collect(), pieces(next).collect());
    let mut differing = before.iter().zip(&after).enumerate().filter(|(_, (a, b))| a != b);
    let (at, (from, to)) = differing.next()?;
    if differing.next().is_some() || before.len() != after.len() {
        return None;
    }
    let prefix = before.iter().take(at).map(|piece| piece.len()).sum();
    Some(Step { prefix, width: from.len(), from: from.parse().ok()?, to: to.parse().ok()? })
}

/// The number of `w_2` where it follows on `w`, and what the first of such a series is called.
fn first_number(one: &str, next: &str) -> Option<(u64, String)> {
    let same = one.bytes().zip(next.bytes()).take_while(|(a, b)| a == b).count();
    let (stem, rest) = one.split_at_checked(same)?;
    let number = next.get(same..)?.strip_prefix('_')?.strip_suffix(rest)?;
    Some((number.parse().ok()?, format!("{stem}_1{rest}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps() {
        let lacks = |names: &[&str]| match series(names) {
            Series::Lacks(name) => name,
            other => panic!("{names:?}: {other:?}"),
        };
        assert_eq!(lacks(&["w_1/k", "w_2/k", "w_4/k", "w_9/k"]), "w_3/k");
        assert_eq!(lacks(&["w_08", "w_10"]), "w_09");
        assert_eq!(lacks(&["w/k", "w_2/k"]), "w_1/k");
        assert_eq!(lacks(&["w_2", "w_3"]), "w_1");
        assert_eq!(lacks(&["w_0", "w_2", "w_2_extra"]), "w_1");
        for names in [&["w"][..], &["w_5"], &["w_0", "w_1"], &["w_1", "w_2"], &["w", "w_1", "w_2"]]
        {
            assert_eq!(series(names), Series::Whole, "{names:?}");
        }
        for names in [&["a_1/b_1", "a_3/b_3"][..], &["a_1", "a_2", "b_3"], &["age", "x2", "x10"]] {
            assert!(matches!(series(names), Series::Not(..)), "{names:?}");
        }
    }
}
