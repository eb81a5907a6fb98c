//! Names that differ in numbers only.

use std::collections::BTreeMap;

use super::{Action, Move, Piece, Rule, Shape};
use crate::suggest::tokens::{Around, around_numbers};

/// Names of this shape, and what they become.
type Key = (Vec<String>, Vec<Vec<String>>, bool, Action);

/// Rules for moves whose names differ in numbers only, where these follow from one another.
/// `exact` tells whether a pattern matches what the moves are about and nothing else.
pub(in crate::suggest) fn generalize(moves: Vec<Move>, exact: &dyn Fn(&Rule) -> bool) -> Vec<Rule> {
    let mut alike: BTreeMap<Key, Vec<Move>> = BTreeMap::new();
    for one in moves {
        let texts = |name: &str| -> Vec<String> {
            around_numbers(name).texts.into_iter().map(str::to_owned).collect()
        };
        let new = one.new.iter().map(|name| texts(name)).collect();
        alike.entry((texts(&one.old), new, one.by_name, one.action)).or_default().push(one);
    }
    let mut rules = Vec::new();
    for (_, moves) in alike {
        match rule(&moves).filter(|rule| moves.len() > 1 && exact(rule)) {
            Some(rule) => rules.push(rule),
            None => rules.extend(split(moves, exact)),
        }
    }
    rules
}

/// Rules for groups of which one number is the same throughout; at last, one for each.
fn split(moves: Vec<Move>, exact: &dyn Fn(&Rule) -> bool) -> Vec<Rule> {
    let columns = moves.first().map_or(0, |one| around_numbers(&one.old).numbers.len());
    if moves.len() > 2 {
        for column in 0..columns {
            let mut parts: BTreeMap<String, Vec<Move>> = BTreeMap::new();
            for one in &moves {
                let number =
                    around_numbers(&one.old).numbers.get(column).map(|number| (*number).to_owned());
                parts.entry(number.unwrap_or_default()).or_default().push(one.clone());
            }
            if parts.len() < 2 || parts.len() * 2 > moves.len() {
                continue;
            }
            let rules: Option<Vec<Rule>> =
                parts.into_values().map(|part| rule(&part).filter(|rule| exact(rule))).collect();
            if let Some(rules) = rules {
                return rules;
            }
        }
    }
    moves.into_iter().map(Rule::literal).collect()
}

fn rule(moves: &[Move]) -> Option<Rule> {
    let first = moves.first()?;
    let old: Vec<Around<'_>> = moves.iter().map(|one| around_numbers(&one.old)).collect();
    let column = |cuts: &[Around<'_>], at: usize| -> Option<Vec<String>> {
        cuts.iter().map(|cut| cut.numbers.get(at).map(|number| (*number).to_owned())).collect()
    };
    let count = around_numbers(&first.old).numbers.len();
    let columns: Vec<Vec<String>> = (0..count).map(|at| column(&old, at)).collect::<Option<_>>()?;
    let varies = |column: &Vec<String>| column.iter().any(|number| Some(number) != column.first());
    // Groups in the order in which the pattern has them.
    let mut used = vec![false; count];
    let mut wanted: Vec<Vec<(Vec<String>, Source)>> = Vec::new();
    for target in 0..first.new.len() {
        let new: Option<Vec<Around<'_>>> =
            moves.iter().map(|one| one.new.get(target).map(|name| around_numbers(name))).collect();
        let new = new?;
        let numbers = new.first()?.numbers.len();
        let mut sources = Vec::new();
        for at in 0..numbers {
            let values = column(&new, at)?;
            let source =
                if varies(&values) { source(&values, &columns, at)? } else { Source::Fixed };
            if let Source::Of(from, _) = source {
                *used.get_mut(from)? = true;
            }
            sources.push((values, source));
        }
        wanted.push(sources);
    }
    let mut groups = 0;
    let mut of: BTreeMap<usize, usize> = BTreeMap::new();
    let mut pieces = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        pieces.push(if used.get(at) == Some(&true) {
            of.insert(at, groups);
            groups += 1;
            Piece::Number(groups - 1)
        } else if varies(column) {
            Piece::AnyNumber
        } else {
            Piece::Text(column.first()?.clone())
        });
    }
    let from = shape(&around_numbers(&first.old), pieces);
    let mut to = Vec::new();
    for (name, sources) in first.new.iter().zip(wanted) {
        let pieces: Option<Vec<Piece>> = sources
            .into_iter()
            .map(|(values, source)| match source {
                Source::Fixed => values.first().cloned().map(Piece::Text),
                Source::Of(at, more) => Some(Piece::Reference(*of.get(&at)?, more)),
            })
            .collect();
        to.push(shape(&around_numbers(name), pieces?));
    }
    Some(Rule { from, to, moves: moves.to_vec() })
}

/// Where a number comes from.
enum Source {
    /// It is the same everywhere.
    Fixed,
    /// That number of the old name, with so much added; `None` copies its digits.
    Of(usize, Option<i64>),
}

/// The number of the old names that gives these; the one at the same place is asked first.
fn source(values: &[String], columns: &[Vec<String>], at: usize) -> Option<Source> {
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by_key(|column| column.abs_diff(at));
    let copied = |column: &&usize| columns.get(**column).is_some_and(|old| old == values);
    if let Some(column) = order.iter().find(copied) {
        return Some(Source::Of(*column, None));
    }
    order.into_iter().find_map(|column| {
        let old = columns.get(column)?;
        let number = |text: &String| text.parse::<i64>().ok();
        let mut steps = old.iter().zip(values).map(|(old, new)| {
            // Nobody calculates zeros in front.
            let plain = !new.starts_with('0') || new == "0";
            plain.then_some(())?;
            number(new)?.checked_sub(number(old)?)
        });
        let first = steps.next()??;
        steps.all(|step| step == Some(first)).then_some(Source::Of(column, Some(first)))
    })
}

/// A name's text with pieces for its numbers, component by component.
fn shape(cut: &Around<'_>, numbers: Vec<Piece>) -> Shape {
    let mut shape: Shape = vec![Vec::new()];
    let mut numbers = numbers.into_iter();
    for text in &cut.texts {
        for (at, part) in text.split('/').enumerate() {
            if at > 0 {
                shape.push(Vec::new());
            }
            push(&mut shape, Piece::Text(part.to_owned()));
        }
        if let Some(number) = numbers.next() {
            push(&mut shape, number);
        }
    }
    shape
}

/// Adds a piece to the last component; text behind text is one piece.
fn push(shape: &mut Shape, piece: Piece) {
    let Some(component) = shape.last_mut() else { return };
    match (component.last_mut(), piece) {
        (_, Piece::Text(text)) if text.is_empty() => {}
        (Some(Piece::Text(known)), Piece::Text(text)) => known.push_str(&text),
        (_, piece) => component.push(piece),
    }
}
