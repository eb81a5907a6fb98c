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

/// Digits and what stands between them.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Chunk<'n> {
    /// Without zeros in front: by length, then by digits, so that no number is too large.
    Number(usize, &'n str),
    Text(&'n str),
}

fn chunks(name: &str) -> impl Iterator<Item = Chunk<'_>> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let digits = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
        let (chunk, after) = rest.split_at_checked(end)?;
        rest = after;
        let number = chunk.trim_start_matches('0');
        Some(if digits { Chunk::Number(number.len(), number) } else { Chunk::Text(chunk) })
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
