//! Names of variables and keys, as text: which one was meant, and what several have in common.

/// Below this similarity a suggestion confuses more than it helps.
const NEAR: f64 = 0.75;

/// The candidate that looks most like `wanted`, if any does.
pub(crate) fn nearest<'c>(
    wanted: &str,
    candidates: impl Iterator<Item = &'c str>,
) -> Option<&'c str> {
    candidates
        .map(|candidate| (strsim::jaro_winkler(wanted, candidate), candidate))
        .filter(|(similarity, _)| *similarity >= NEAR)
        // The first of equals, so that the answer does not depend on who asks.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, candidate)| candidate)
}

/// `1 value`, `2 values`.
pub(crate) fn counted(n: usize, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

/// `conv2d_1` without its number: `conv2d`.
pub(crate) fn unnumbered(name: &str) -> &str {
    match name.rsplit_once('_') {
        Some((stem, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => stem,
        _ => name,
    }
}

/// The leading components that all of these names share, their last ones not counted.
pub(crate) fn shared_components<'n>(mut names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut shared: Vec<&str> = names.next().unwrap_or_default().split('/').collect();
    shared.pop();
    for name in names {
        let same = shared.iter().zip(name.split('/')).take_while(|(a, b)| **a == *b);
        let same = same.count();
        shared.truncate(same);
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_and_far() {
        let keys = ["rules", "rename", "root"];
        assert_eq!(nearest("ruels", keys.into_iter()), Some("rules"));
        assert_eq!(nearest("xyz", keys.into_iter()), None);
    }

    #[test]
    fn parts_of_names() {
        assert_eq!(unnumbered("conv2d_10"), "conv2d");
        assert_eq!(unnumbered("adam_m"), "adam_m");
        assert_eq!(shared_components(["a/b/c", "a/b/d/e"].into_iter()), ["a", "b"]);
        assert_eq!(shared_components(["kernel"].into_iter()), [""; 0]);
        assert_eq!(shared_components([].into_iter()), [""; 0]);
    }
}
