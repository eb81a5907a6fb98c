//! How names are put in order.

use std::cmp::Ordering;

/// Component by component, digits as numbers: `conv2d_2` before `conv2d_10`, `a/b` before `a_1`.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    components(a, b, |a, b| chunks(a).cmp(chunks(b)))
}

/// Component by component, byte by byte.
pub(super) fn text(a: &str, b: &str) -> Ordering {
    components(a, b, str::cmp)
}

fn components(a: &str, b: &str, compare: impl Fn(&str, &str) -> Ordering) -> Ordering {
    // Components that are the same, letter by letter, need no closer look.
    let shared = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let start =
        a.as_bytes().iter().take(shared).rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    let (a, b) = (a.get(start..).unwrap_or(a), b.get(start..).unwrap_or(b));
    let mut pairs = a.split('/').zip(b.split('/'));
    let first = pairs.find_map(|(a, b)| Some(compare(a, b)).filter(|order| order.is_ne()));
    first.unwrap_or_else(|| a.split('/').count().cmp(&b.split('/').count()).then(a.cmp(b)))
}

/// Digits and what stands between them.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Chunk<'n> {
    /// Without zeros in front: by length, then by digits, so that no number is too large.
    Number(usize, &'n str),
    Text(&'n str),
}

fn chunks(name: &str) -> impl Iterator<Item = Chunk<'_>> {
    pieces(name).map(|piece| {
        if piece.starts_with(|c: char| c.is_ascii_digit()) {
            let number = piece.trim_start_matches('0');
            Chunk::Number(number.len(), number)
        } else {
            Chunk::Text(piece)
        }
    })
}

/// A name as digits and what stands between them.
fn pieces(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let digits = rest.chars().next()?.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
        let (piece, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(piece)
    })
}

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

    fn sorted(by: fn(&str, &str) -> Ordering, names: &[&'static str]) -> Vec<&'static str> {
        let mut names = names.to_vec();
        names.sort_by(|a, b| by(a, b));
        names
    }

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

    #[test]
    fn orders() {
        let names = ["conv2d_10/k", "conv2d_2/k", "conv2d/k", "conv2d_1/k"];
        assert_eq!(
            sorted(natural, &names),
            ["conv2d/k", "conv2d_1/k", "conv2d_2/k", "conv2d_10/k"]
        );
        assert_eq!(sorted(text, &names), ["conv2d/k", "conv2d_1/k", "conv2d_10/k", "conv2d_2/k"]);
        assert_eq!(sorted(natural, &["a_007", "a_08", "a_1"]), ["a_1", "a_007", "a_08"]);
        assert_eq!(sorted(text, &["a_1", "a/b"]), ["a/b", "a_1"]);
    }
}
