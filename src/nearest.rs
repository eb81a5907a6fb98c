//! "Did you mean": the nearest of the names that exist. Messages of every layer end with it.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_and_far() {
        let keys = ["rules", "rename", "root"];
        assert_eq!(nearest("ruels", keys.into_iter()), Some("rules"));
        assert_eq!(nearest("xyz", keys.into_iter()), None);
    }
}
