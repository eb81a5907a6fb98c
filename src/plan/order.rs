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
    let mut pairs = a.split('/').zip(b.split('/'));
    let first = pairs.find_map(|(a, b)| Some(compare(a, b)).filter(|order| order.is_ne()));
    first.unwrap_or_else(|| a.split('/').count().cmp(&b.split('/').count()).then(a.cmp(b)))
}

/// `w_1`, where `w_2` follows on `w`: TensorFlow's own numbers leave out the first.
fn skipped(one: &str, next: &str) -> Option<String> {
    let same = one.bytes().zip(next.bytes()).take_while(|(a, b)| a == b).count();
    let (stem, rest) = one.split_at_checked(same)?;
    let number = next.get(same..)?.strip_prefix('_')?.strip_suffix(rest)?;
    (number.parse::<u64>().ok()? > 1).then(|| format!("{stem}_1{rest}"))
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

/// The first name that is missing in a series, in natural order: `w_2` of `w_1`, `w_3`, `w_4`.
/// Names that differ in more than one number are no series, and nothing is missing among them.
pub(super) fn gap(names: &[&str]) -> Option<String> {
    let split: Vec<Vec<&str>> = names.iter().map(|name| pieces(name).collect()).collect();
    let mut missing = None;
    let mut place = None;
    for (pair, names) in split.windows(2).zip(names.windows(2)) {
        let ([before, after], [one, next]) = (pair, names) else { continue };
        if before.len() != after.len() {
            return skipped(one, next);
        }
        let mut differing =
            before.iter().zip(after).enumerate().filter(|(_, (one, next))| one != next);
        let (at, (from, to)) = differing.next()?;
        let elsewhere = place.replace(at).is_some_and(|place| place != at);
        if elsewhere || differing.next().is_some() {
            return None;
        }
        let (next, to) = (from.parse::<u64>().ok()?.checked_add(1)?, to.parse::<u64>().ok()?);
        if next < to && missing.is_none() {
            let width = if from.starts_with('0') { from.len() } else { 0 };
            let next = format!("{next:0width$}");
            let pieces = before.iter().enumerate();
            missing = Some(pieces.map(|(i, piece)| if i == at { &next } else { *piece }).collect());
        }
    }
    missing
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
        assert_eq!(gap(&["w_1/k", "w_2/k", "w_4/k", "w_9/k"]).unwrap(), "w_3/k");
        assert_eq!(gap(&["w_08", "w_10"]).unwrap(), "w_09");
        assert_eq!(gap(&["w/k", "w_2/k"]).unwrap(), "w_1/k");
        for names in [
            &["w_1", "w_2"][..],
            &["w", "w_1"],
            &["a_1/b_1", "a_3/b_3"],
            &["a_1", "a_3", "b_3"],
            &["age", "x2", "x10"],
        ] {
            assert_eq!(gap(names), None, "{names:?}");
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
