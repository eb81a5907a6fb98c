//! From pairs to rules that people would write: names that differ in numbers only are one rule, and
//! so are names that differ in a word both sides have.

mod merge;
mod numbers;
mod zip;

use std::collections::BTreeMap;

use super::judge::Confidence;
use crate::mapping::dollars;

pub(super) use merge::merge;
pub(super) use numbers::generalize;
pub(super) use zip::{Zip, zips};

/// One value, or one cell, and where it goes.
#[derive(Debug, Clone)]
pub(super) struct Move {
    /// The variable, or the scope of the cell.
    pub(super) old: String,
    /// What the targets are called.
    pub(super) new: Vec<String>,
    /// Whether that is their full name, and not their path.
    pub(super) by_name: bool,
    /// What is done on the way.
    pub(super) action: Action,
    /// Places of the new model that it fills.
    pub(super) places: Vec<usize>,
    /// How sure that is.
    pub(super) confidence: Confidence,
    /// Why.
    pub(super) reason: String,
}

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Action {
    /// Maps values through these steps.
    Map(&'static [&'static str]),
    /// Maps cells of this sort.
    Cell(&'static str),
}

/// A part of a pattern, and of what it is replaced by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Piece {
    /// As it is.
    Text(String),
    /// In a pattern: a number that nothing refers to.
    AnyNumber,
    /// In a pattern: a number, by its place among the groups.
    Number(usize),
    /// In a target: the group's number, and what is added to it; `None` copies its digits.
    Reference(usize, Option<i64>),
    /// In a pattern: one of several words, by its place among the groups.
    OneOf(usize, Vec<String>),
}

/// Pieces of a name, component by component.
pub(super) type Shape = Vec<Vec<Piece>>;

/// A rule.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// What it matches.
    pub(super) from: Shape,
    /// Where that goes.
    pub(super) to: Vec<Shape>,
    /// What it stands for.
    pub(super) moves: Vec<Move>,
}

impl Rule {
    /// A rule for one name only.
    pub(super) fn literal(one: Move) -> Self {
        Self {
            from: literal(&one.old),
            to: one.new.iter().map(|name| literal(name)).collect(),
            moves: vec![one],
        }
    }

    /// What it does.
    pub(super) fn action(&self) -> Action {
        self.moves.first().map_or(Action::Map(&[]), |one| one.action)
    }

    /// Whether its targets are full names.
    pub(super) fn by_name(&self) -> bool {
        self.moves.first().is_some_and(|one| one.by_name)
    }

    /// Values it fills.
    pub(super) fn values(&self) -> usize {
        self.moves.iter().map(|one| one.places.len()).sum()
    }

    /// How sure the least sure of it is.
    pub(super) fn confidence(&self) -> Confidence {
        let all = self.moves.iter().map(|one| one.confidence);
        all.max().unwrap_or(Confidence::Open)
    }

    /// What most of it rests on, among what is as sure as the whole.
    pub(super) fn reason(&self) -> &str {
        let confidence = self.confidence();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for one in self.moves.iter().filter(|one| one.confidence == confidence) {
            *counts.entry(&one.reason).or_default() += 1;
        }
        let most =
            counts.into_iter().max_by_key(|(reason, count)| (*count, std::cmp::Reverse(*reason)));
        most.map_or("", |(reason, _)| reason)
    }

    /// The pattern, as a regex.
    pub(super) fn pattern(&self) -> String {
        let named = self.has_arithmetic();
        let component = |pieces: &Vec<Piece>| -> String {
            pieces.iter().map(|piece| pattern(piece, named)).collect()
        };
        self.from.iter().map(component).collect::<Vec<_>>().join("/")
    }

    /// What each target is called.
    pub(super) fn targets(&self) -> Vec<String> {
        let named = self.has_arithmetic();
        let text = |shape: &Shape| {
            let mut text = String::new();
            for (at, component) in shape.iter().enumerate() {
                if at > 0 {
                    text.push('/');
                }
                for (place, piece) in component.iter().enumerate() {
                    let next = component.get(place + 1);
                    text.push_str(&reference(piece, next, named));
                }
            }
            text
        };
        self.to.iter().map(text).collect()
    }

    /// Whether numbers are calculated with, so that groups must have names.
    fn has_arithmetic(&self) -> bool {
        let pieces = self.to.iter().flatten().flatten();
        pieces.into_iter().any(|piece| matches!(piece, Piece::Reference(_, Some(_))))
    }
}

/// What a group is called where groups have names.
fn group(at: usize) -> String {
    const NAMES: &[u8] = b"ijklmn";
    match NAMES.get(at) {
        Some(name) => char::from(*name).to_string(),
        None => format!("n{at}"),
    }
}

fn pattern(piece: &Piece, named: bool) -> String {
    let open = |at: usize| if named { format!("(?<{}>", group(at)) } else { "(".to_owned() };
    match piece {
        Piece::Text(text) => escaped(text),
        Piece::AnyNumber => r"\d+".to_owned(),
        Piece::Number(at) => format!(r"{}\d+)", open(*at)),
        Piece::OneOf(at, words) => {
            let words: Vec<String> = words.iter().map(|word| escaped(word)).collect();
            format!("{}{})", open(*at), words.join("|"))
        }
        Piece::Reference(..) => String::new(),
    }
}

fn reference(piece: &Piece, next: Option<&Piece>, named: bool) -> String {
    let goes_on = match next {
        Some(Piece::Text(text)) => text.starts_with(|c: char| c == '_' || c.is_alphanumeric()),
        Some(_) => true,
        None => false,
    };
    match piece {
        Piece::Text(text) => dollars(text),
        Piece::Reference(at, None) => {
            let name = if named { group(*at) } else { (at + 1).to_string() };
            if goes_on { format!("${{{name}}}") } else { format!("${name}") }
        }
        Piece::Reference(at, Some(0)) => format!("${{{}+0}}", group(*at)),
        Piece::Reference(at, Some(more)) => format!("${{{}{more:+}}}", group(*at)),
        _ => String::new(),
    }
}

/// Text that a pattern takes as it is.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn literal(name: &str) -> Shape {
    name.split('/').map(|component| vec![Piece::Text(component.to_owned())]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(old: &str, new: &str) -> Move {
        Move {
            old: old.to_owned(),
            new: vec![new.to_owned()],
            by_name: false,
            action: Action::Map(&[]),
            places: vec![0],
            confidence: Confidence::Likely,
            reason: String::new(),
        }
    }

    /// Patterns with their targets.
    fn rules(moves: &[(&str, &str)]) -> Vec<(String, String)> {
        let moves = moves.iter().map(|(old, new)| one(old, new)).collect();
        let all = merge(generalize(moves, &|_| true), &|_| true);
        all.iter().map(|rule| (rule.pattern(), rule.targets().concat())).collect()
    }

    fn rule(pattern: &str, target: &str) -> Vec<(String, String)> {
        vec![(pattern.to_owned(), target.to_owned())]
    }

    #[test]
    fn numbers_are_copied_and_calculated() {
        let copied = rules(&[("a/layer_0/w", "b/0/w"), ("a/layer_1/w", "b/1/w")]);
        assert_eq!(copied, rule(r"a/layer_(\d+)/w", "b/$1/w"));
        let more = rules(&[("x_1/w", "y2_a/w"), ("x_2/w", "y3_a/w")]);
        assert_eq!(more, rule(r"x_(?<i>\d+)/w", "y${i+1}_a/w"));
        let zeros = rules(&[("x_000/w", "y/0/w"), ("x_001/w", "y/1/w")]);
        assert_eq!(zeros, rule(r"x_(?<i>\d+)/w", "y/${i+0}/w"));
        let fixed = rules(&[("v2/x_1/w", "y/1/w"), ("v2/x_3/w", "y/3/w")]);
        assert_eq!(fixed, rule(r"v2/x_(\d+)/w", "y/$1/w"));
        // What does not follow stays as it is.
        assert_eq!(rules(&[("x_1/w", "y_1/w"), ("x_2/w", "y_7/w")]).len(), 2);
    }

    #[test]
    fn words_of_both_sides_are_joined() {
        let both = rules(&[
            ("a/q/k", "b/q/k"),
            ("a/q/b", "b/q/b"),
            ("a/v/k", "b/v/k"),
            ("a/v/b", "b/v/b"),
        ]);
        assert_eq!(both, rule("a/(q|v)/(b|k)", "b/$1/$2"));
        // `$` and dots are themselves.
        assert_eq!(rules(&[("a.b/w", "$x/w")]), rule(r"a\.b/w", "$$x/w"));
    }

    #[test]
    fn nothing_is_joined_that_matches_more() {
        let moves = vec![one("a/layer_0/w", "b/0/w"), one("a/layer_1/w", "b/1/w")];
        assert_eq!(generalize(moves, &|_| false).len(), 2);
    }
}
