//! Rules that differ in a word which both sides have.

use std::collections::BTreeMap;

use super::{Action, Piece, Rule, Shape};

/// What rules must have in common to become one: all but a component of the pattern and of the
/// target.
type Frame = (Shape, Vec<Shape>, (usize, usize), bool, Action);

/// Joins rules until no two can be joined.
pub(in crate::suggest) fn merge(mut rules: Vec<Rule>, exact: &dyn Fn(&Rule) -> bool) -> Vec<Rule> {
    loop {
        let mut frames: BTreeMap<Frame, Vec<usize>> = BTreeMap::new();
        for (at, rule) in rules.iter().enumerate() {
            for frame in frames_of(rule) {
                frames.entry(frame).or_default().push(at);
            }
        }
        let mut several: Vec<(Frame, Vec<usize>)> =
            frames.into_iter().filter(|(_, rules)| rules.len() > 1).collect();
        // Of frames that hold as much, the one whose word stands last.
        several.sort_by_key(|(frame, rules)| std::cmp::Reverse((rules.len(), frame.2)));
        let mut taken = vec![false; rules.len()];
        let mut joined: BTreeMap<usize, Rule> = BTreeMap::new();
        for (frame, members) in several {
            if members.iter().any(|at| taken.get(*at) != Some(&false)) {
                continue;
            }
            let parts: Vec<&Rule> = members.iter().filter_map(|at| rules.get(*at)).collect();
            let Some(rule) = join(&frame, &parts).filter(|rule| exact(rule)) else { continue };
            for at in &members {
                if let Some(taken) = taken.get_mut(*at) {
                    *taken = true;
                }
            }
            joined.extend(members.first().map(|at| (*at, rule)));
        }
        if joined.is_empty() {
            return rules;
        }
        let mut next = Vec::new();
        for (at, rule) in rules.into_iter().enumerate() {
            match joined.remove(&at) {
                Some(joined) => next.push(joined),
                None if taken.get(at) == Some(&true) => {}
                None => next.push(rule),
            }
        }
        rules = next;
    }
}

/// Every way to leave out a word that pattern and target have.
fn frames_of(rule: &Rule) -> Vec<Frame> {
    let [to] = rule.to.as_slice() else { return Vec::new() };
    let mut found = Vec::new();
    for (in_from, component) in rule.from.iter().enumerate() {
        let [Piece::Text(_)] = component.as_slice() else { continue };
        for (in_to, target) in to.iter().enumerate() {
            if target != component {
                continue;
            }
            let (mut from, mut to) = (rule.from.clone(), to.clone());
            if let (Some(from), Some(to)) = (from.get_mut(in_from), to.get_mut(in_to)) {
                from.clear();
                to.clear();
            }
            found.push((from, vec![to], (in_from, in_to), rule.by_name(), rule.action()));
        }
    }
    found
}

fn join(frame: &Frame, members: &[&Rule]) -> Option<Rule> {
    let (from, to, (in_from, in_to), ..) = frame;
    let word = |rule: &&Rule| match rule.from.get(*in_from).map(Vec::as_slice) {
        Some([Piece::Text(word)]) => Some(word.clone()),
        _ => None,
    };
    let words: Vec<String> = members.iter().map(word).collect::<Option<_>>()?;
    // Groups are counted from left to right.
    let before = from.iter().take(*in_from).flatten();
    let at = before.filter(|piece| matches!(piece, Piece::Number(_) | Piece::OneOf(..))).count();
    let moved = |shape: &Shape| -> Shape {
        let piece = |piece: &Piece| match piece {
            Piece::Number(group) if *group >= at => Piece::Number(group + 1),
            Piece::OneOf(group, words) if *group >= at => Piece::OneOf(group + 1, words.clone()),
            Piece::Reference(group, more) if *group >= at => Piece::Reference(group + 1, *more),
            other => other.clone(),
        };
        shape.iter().map(|component| component.iter().map(piece).collect()).collect()
    };
    let mut from = moved(from);
    let mut to: Vec<Shape> = to.iter().map(moved).collect();
    *from.get_mut(*in_from)? = vec![Piece::OneOf(at, words)];
    *to.first_mut()?.get_mut(*in_to)? = vec![Piece::Reference(at, None)];
    let moves = members.iter().flat_map(|rule| rule.moves.clone()).collect();
    Some(Rule { from, to, moves })
}
