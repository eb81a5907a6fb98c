//! The first rule that matches a variable takes it, however many rules are looked for at once.

use std::fmt::Write;

use ckptmap::mapping::{Mapping, NoFiles};
use ckptmap::plan::{Fate, plan};
use proptest::prelude::*;
use regex::Regex;

use crate::harness::{catalog, read};

/// Rules are asked in batches of no more patterns than this.
const BATCH: usize = 128;

fn name() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec!["enc", "ENC", "dec", "_", "/", "layer", "1", "17", "é"]);
    prop::collection::vec(part, 1..8).prop_map(|parts| parts.concat())
}

fn pattern() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "enc",
        "(enc)",
        "(?:enc|dec)",
        "enc|dec",
        "(?i)e",
        "(?i:ENC)",
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
        "[^/]+",
        r"\w+",
        r"\b",
        "^",
        "$",
        "é",
    ]);
    prop::collection::vec(part, 1..6).prop_map(|parts| parts.concat())
}

/// Whose a name is, and whether it is dropped, asked one after the other.
fn naive(rules: &[(String, bool)], name: &str) -> Option<usize> {
    let matches = |text: &str| Regex::new(&format!(r"\A(?:{text})\z")).unwrap().is_match(name);
    rules.iter().position(|(text, _)| matches(text))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn as_if_asked_one_after_the_other(
        above in prop::collection::vec((pattern(), any::<bool>()), 0..12),
        below in prop::collection::vec((pattern(), any::<bool>()), 0..12),
        between in prop::sample::select(vec![0, BATCH - 6, 2 * BATCH]),
        names in prop::collection::btree_set(name(), 1..12),
    ) {
        let between = (0..between).map(|number| (format!("never{number}"), true));
        let last = [("never".to_owned(), true)];
        let rules = above.into_iter().chain(between).chain(below).chain(last);
        let rules: Vec<(String, bool)> =
            rules.filter(|(text, _)| Regex::new(text).is_ok()).collect();
        let mut text = "version: 1\nunmatched: drop\nrules:\n".to_owned();
        for (number, (pattern, drop)) in rules.iter().enumerate() {
            let rule = if *drop {
                format!("- {{drop: '{pattern}'}}")
            } else {
                format!("- {{from: '{pattern}', to: {{labels: [r{number}, $0]}}, optional: true}}")
            };
            writeln!(text, "{rule}").unwrap();
        }
        let names: Vec<String> = names.into_iter().collect();
        let catalog = catalog(&names.join("\n"));
        let mapping = Mapping::parse("rules.yaml", &text, &[].into(), &NoFiles).unwrap();
        let plan = plan(&catalog, &mapping, None, &read()).unwrap();
        for name in &names {
            let expected = naive(&rules, name).map(|rule| (rule, rules[rule].1));
            let fate = plan.fates[name.as_str()];
            let line = |rule| mapping.place(rule).unwrap().line() - 4;
            let found = match fate {
                Fate::Mapped(rule) => Some((line(rule), false)),
                Fate::Dropped(rule) => Some((line(rule), true)),
                Fate::UnmatchedDropped => None,
                other => panic!("{other:?}"),
            };
            prop_assert_eq!(found, expected, "{} by\n{}", name, text);
        }
    }
}

#[test]
fn what_an_early_rule_takes_a_late_one_does_not_see() {
    let mut text = "version: 1\nrules:\n".to_owned();
    for number in 0..3 * BATCH {
        writeln!(text, "- {{from: 'a/(.*)_{number}|b', to: {{labels: [x, $0]}}}}").unwrap();
    }
    let names: Vec<String> = (0..3 * BATCH).map(|number| format!("a/x_{number}")).collect();
    let mapping = Mapping::parse("rules.yaml", &text, &[].into(), &NoFiles).unwrap();
    assert!(plan(&catalog(&names.join("\n")), &mapping, None, &read()).is_ok());
    let lacking = [&names[..200], &names[201..], &["b".to_owned()]].concat();
    let problems = plan(&catalog(&lacking.join("\n")), &mapping, None, &read()).unwrap_err();
    let messages: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(messages, ["rules.yaml:203:3: `a/(.*)_200|b` matches only what is claimed above"]);
}
