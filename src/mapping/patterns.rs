//! Many patterns at once: one pass over a name tells which of them may match it.
//!
//! Asking every pattern about every name takes time by the product of both. Here patterns share
//! automata, so that a name is read once for each [`TOGETHER`] of them, and only as far as one of
//! them can still match.

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::{Anchored, Input, MatchKind, PatternSet};

use super::Pattern;

/// So many patterns share an automaton. More make its states large and many, fewer mean more passes
/// over each name.
pub(crate) const TOGETHER: usize = 128;

/// Bytes of states that an automaton keeps; one that needs more gives up.
const MAX_STATES: usize = 8 << 20;

/// Bytes of what an automaton is made from.
const MAX_PROGRAM: usize = 32 << 20;

/// As the `regex` crate has it: an automaton gives up that has forgotten its states so often…
const MIN_CLEARED: usize = 3;

/// … and has read fewer bytes than this for each of them.
const MIN_BYTES_PER_STATE: usize = 10;

/// Patterns that are asked together.
#[derive(Debug)]
pub(crate) struct Patterns<'p> {
    parts: Vec<Part<'p>>,
    found: Vec<usize>,
}

/// Patterns that share an automaton.
#[derive(Debug)]
struct Part<'p> {
    /// The number of the first of them.
    first: usize,
    patterns: Vec<&'p Pattern>,
    /// `None` where each is asked by itself: there is but one, or they are too large together.
    automaton: Option<Automaton>,
}

#[derive(Debug)]
struct Automaton {
    dfa: DFA,
    cache: Cache,
    found: PatternSet,
    anchored: Anchored,
}

impl<'p> Patterns<'p> {
    /// Patterns, numbered in this order.
    pub(crate) fn new(patterns: &[&'p Pattern]) -> Self {
        let mut parts = Vec::new();
        for (number, patterns) in patterns.chunks(TOGETHER).enumerate() {
            Part::add(number * TOGETHER, patterns, &mut parts);
        }
        Self { parts, found: Vec::new() }
    }

    /// The numbers of all that may match, in order. A pattern that is not among them does not.
    pub(crate) fn find(&mut self, name: &str) -> &[usize] {
        self.found.clear();
        for part in &mut self.parts {
            part.find(name, &mut self.found);
        }
        &self.found
    }
}

impl<'p> Part<'p> {
    /// Puts patterns into as few parts as hold them.
    fn add(first: usize, patterns: &[&'p Pattern], parts: &mut Vec<Self>) {
        let automaton = Automaton::new(patterns);
        let (one, other) = patterns.split_at(patterns.len() / 2);
        if automaton.is_none() && !one.is_empty() {
            Self::add(first, one, parts);
            Self::add(first + one.len(), other, parts);
        } else {
            parts.push(Self { first, patterns: patterns.to_vec(), automaton });
        }
    }

    fn find(&mut self, name: &str, found: &mut Vec<usize>) {
        let first = self.first;
        match self.automaton.as_mut().and_then(|automaton| automaton.find(name)) {
            Some(set) => found.extend(set.iter().map(|number| first + number.as_usize())),
            None => {
                let numbered = (first..).zip(&self.patterns);
                found.extend(numbered.filter(|(_, one)| one.is_match(name)).map(|(at, _)| at));
            }
        }
    }
}

impl Automaton {
    /// `None` where it would be too large, or would save nothing.
    fn new(patterns: &[&Pattern]) -> Option<Self> {
        if patterns.len() < 2 {
            return None;
        }
        let texts: Vec<&str> = patterns.iter().map(|pattern| pattern.regex_text()).collect();
        let config = DFA::config()
            .match_kind(MatchKind::All)
            // On names beyond ASCII it gives up.
            .unicode_word_boundary(true)
            .cache_capacity(MAX_STATES)
            .minimum_cache_clear_count(Some(MIN_CLEARED))
            .minimum_bytes_per_state(Some(MIN_BYTES_PER_STATE));
        let program = thompson::Config::new()
            .which_captures(WhichCaptures::None)
            .nfa_size_limit(Some(MAX_PROGRAM));
        let dfa = DFA::builder().configure(config).thompson(program).build_many(&texts).ok()?;
        let (cache, found) = (dfa.create_cache(), PatternSet::new(dfa.pattern_len()));
        // What can only begin at the first byte is given up at the first that does not fit.
        let whole = patterns.iter().all(|pattern| pattern.is_whole());
        let anchored = if whole { Anchored::Yes } else { Anchored::No };
        Some(Self { dfa, cache, found, anchored })
    }

    /// Those that match; `None` where it gave up.
    fn find(&mut self, name: &str) -> Option<&PatternSet> {
        self.found.clear();
        let input = Input::new(name).anchored(self.anchored);
        self.dfa.try_which_overlapping_matches(&mut self.cache, &input, &mut self.found).ok()?;
        Some(&self.found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Compile = fn(&str) -> Result<Pattern, crate::mapping::pattern::PatternError>;

    fn naive(patterns: &[Pattern], name: &str) -> Vec<usize> {
        let numbered = patterns.iter().enumerate();
        numbered.filter(|(_, one)| one.is_match(name)).map(|(at, _)| at).collect()
    }

    fn agree(compile: Compile, texts: &[String], names: &[String]) {
        let patterns: Vec<Pattern> = texts.iter().filter_map(|text| compile(text).ok()).collect();
        let mut together = Patterns::new(&patterns.iter().collect::<Vec<_>>());
        for name in names {
            assert_eq!(together.find(name), naive(&patterns, name), "{name:?} of {texts:?}");
        }
    }

    /// Parts of names, and of patterns that mean them.
    fn name() -> impl Strategy<Value = String> {
        let part = prop::sample::select(vec![
            "enc", "ENC", "dec", "_", "/", "layer", "1", "17", "é", "K", "\u{212a}", "\n", " ", ".",
        ]);
        prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
    }

    fn pattern() -> impl Strategy<Value = String> {
        let part = prop::sample::select(vec![
            "enc",
            "(enc)",
            "(?:enc|dec)",
            "(?<k>e)nc",
            "enc|dec",
            "(?i)k",
            "(?i:enc)",
            "_",
            "/",
            "layer",
            r"(\d+)",
            r"\d",
            "1",
            "17",
            "(1)?",
            "(?:/layer)?",
            ".+",
            "(.*)",
            ".*?",
            "[^/]+",
            r"\w+",
            r"\b",
            r"\B",
            "^",
            "$",
            r"\A",
            r"\z",
            "(?m)",
            "(?s)",
            "(?x) ",
            "(?-u)",
            "é",
            r"\pL",
            "[é-ü]",
            r"\.",
            "",
            "(?:)",
            "{2}",
            "+",
            "|",
            "#",
        ]);
        prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn all_at_once_is_one_after_the_other(
            texts in prop::collection::vec(pattern(), 0..40),
            names in prop::collection::vec(name(), 1..12),
        ) {
            agree(Pattern::whole, &texts, &names);
            agree(Pattern::search, &texts, &names);
        }
    }

    #[test]
    fn more_than_one_automaton_holds() {
        let texts: Vec<String> = (0..3 * TOGETHER).map(|n| format!(r"(.+)/a_{n}\d?")).collect();
        let names: Vec<String> = (0..400).map(|n| format!("x/a_{n}")).collect();
        agree(Pattern::whole, &texts, &names);
    }

    #[test]
    fn what_is_too_large_together_is_cut_up() {
        // Each is allowed by itself.
        let texts: Vec<String> = (0..8).map(|n| format!(r"(\pL{{60}}){{8}}x{n}|a{n}")).collect();
        let names = ["a1".to_owned(), "a7".to_owned(), "é".to_owned()];
        agree(Pattern::whole, &texts, &names);
    }

    #[test]
    fn automata_that_need_too_many_states_give_up() {
        let texts: Vec<String> = (4..40).map(|n| format!(r".*[ab].{{{n}}}[a-f/].*/x{n}")).collect();
        let names: Vec<String> = (0..3000_u64)
            .map(|n| {
                let bits = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let letter = |at: u32| if bits >> at & 1 == 1 { 'a' } else { 'g' };
                format!("{}/x{}", (0..60_u32).map(letter).collect::<String>(), n % 50)
            })
            .collect();
        agree(Pattern::whole, &texts, &names);
    }
}
