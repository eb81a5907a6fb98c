//! How names are put in order.

use std::cmp::Ordering;

/// Component by component, digits as numbers: `conv2d_2` before `conv2d_10`, `a/b` before `a_1`.
pub(crate) fn natural(a: &str, b: &str) -> Ordering {
    components(a, b, |a, b| chunks(a).cmp(chunks(b)))
}

/// Component by component, byte by byte.
pub(crate) fn text(a: &str, b: &str) -> Ordering {
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
pub(crate) fn pieces(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let digits = rest.chars().next()?.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
        let (piece, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(piece)
    })
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
