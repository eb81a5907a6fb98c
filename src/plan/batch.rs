//! Which variables rules may mean, found for many rules at once: asking each rule about each name
//! takes minutes where there are many of both.
//!
//! Rules still have their turns from top to bottom. What is found here is what a pattern may match,
//! whoever claims it in the meantime, so a rule looks again at what is left of it.

use std::collections::BTreeSet;

use super::sources::Sources;
use crate::mapping::{Action, Pattern, Patterns, Rule, TOGETHER};

/// Rules that follow on each other, and what their patterns may match.
#[derive(Debug)]
pub(super) struct Batch<'m> {
    rules: &'m [Rule],
    names: Side<'m>,
    /// Patterns of cells match scopes.
    scopes: Side<'m>,
    /// By rule: numbers of variables, sorted by name.
    wanted: Vec<Vec<usize>>,
    /// By rule: scopes.
    wanted_scopes: Vec<BTreeSet<String>>,
}

/// Patterns that match the same sort of text.
#[derive(Debug)]
struct Side<'m> {
    all: Vec<&'m Pattern>,
    together: Patterns<'m>,
    /// The rule of each pattern, by its place in the batch.
    rules: Vec<usize>,
    /// By pattern: the first variable that it matches, claimed or not. Found when asked for.
    firsts: Option<Vec<Option<usize>>>,
}

/// A rule that has its turn.
#[derive(Debug)]
pub(super) struct Turn<'b, 'm> {
    batch: &'b mut Batch<'m>,
    at: usize,
}

fn patterns(rule: &Rule) -> &[Pattern] {
    match &rule.action {
        Action::Map(map) => &map.from,
        Action::Cell(cell) => std::slice::from_ref(&cell.from),
        Action::Zip(zip) => std::slice::from_ref(&zip.from),
        Action::Drop(patterns) => patterns,
    }
}

impl<'m> Side<'m> {
    fn new(rules: &'m [Rule], wanted: impl Fn(&Action) -> bool) -> Self {
        let mine = rules.iter().enumerate().filter(|(_, rule)| wanted(&rule.action));
        let (rules, all): (Vec<usize>, Vec<&Pattern>) =
            mine.flat_map(|(at, rule)| patterns(rule).iter().map(move |one| (at, one))).unzip();
        Self { together: Patterns::new(&all), all, rules, firsts: None }
    }

    /// The first variable that a pattern matches, by the number of the pattern.
    fn first<'s>(
        &mut self,
        pattern: usize,
        texts: impl Iterator<Item = (usize, &'s str)>,
    ) -> Option<usize> {
        if self.firsts.is_none() {
            let mut firsts = vec![None; self.all.len()];
            let mut left = firsts.len();
            for (i, text) in texts {
                for &at in self.together.find(text) {
                    let known = firsts.get_mut(at).filter(|known| known.is_none());
                    let pattern = self.all.get(at).filter(|pattern| pattern.is_match(text));
                    if let (Some(known), Some(_)) = (known, pattern) {
                        *known = Some(i);
                        left -= 1;
                    }
                }
                if left == 0 {
                    break;
                }
            }
            self.firsts = Some(firsts);
        }
        self.firsts.as_ref()?.get(pattern).copied().flatten()
    }
}

impl<'m> Batch<'m> {
    /// How many of these rules are asked together.
    pub(super) fn size(rules: &[Rule]) -> usize {
        let mut count = 0;
        let full = rules.iter().position(|rule| {
            count += patterns(rule).len();
            count > TOGETHER
        });
        full.unwrap_or(rules.len()).max(1)
    }

    /// Finds what is left for rules that come now.
    pub(super) fn new(rules: &'m [Rule], sources: &Sources<'_>) -> Self {
        let is_cell = |action: &Action| matches!(action, Action::Cell(_));
        let mut batch = Self {
            rules,
            names: Side::new(rules, |action| !is_cell(action)),
            scopes: Side::new(rules, is_cell),
            wanted: vec![Vec::new(); rules.len()],
            wanted_scopes: vec![BTreeSet::new(); rules.len()],
        };
        let Self { names, scopes, wanted, wanted_scopes, .. } = &mut batch;
        if !names.all.is_empty() {
            for (i, source) in sources.free() {
                for name in source.names() {
                    let found =
                        names.together.find(name).iter().filter_map(|at| names.rules.get(*at));
                    for &rule in found {
                        let wanted = wanted.get_mut(rule);
                        // Several patterns of a rule, or both names of a variable, may match.
                        if let Some(wanted) = wanted.filter(|wanted| wanted.last() != Some(&i)) {
                            wanted.push(i);
                        }
                    }
                }
            }
        }
        if !scopes.all.is_empty() {
            let free = sources.free().map(|(i, source)| (i, source.current.as_str()));
            for (_, scope) in scopes_of(free) {
                let found =
                    scopes.together.find(scope).iter().filter_map(|at| scopes.rules.get(*at));
                for &rule in found {
                    if let Some(wanted) = wanted_scopes.get_mut(rule) {
                        wanted.insert(scope.to_owned());
                    }
                }
            }
        }
        batch
    }

    /// The rules, one after the other.
    pub(super) fn turn(&mut self, at: usize) -> Turn<'_, 'm> {
        Turn { batch: self, at }
    }
}

impl Turn<'_, '_> {
    /// Numbers of unclaimed variables among which are all that the rule matches, sorted by name.
    pub(super) fn wanted(&self, sources: &Sources<'_>) -> Vec<usize> {
        let wanted = self.batch.wanted.get(self.at).into_iter().flatten().copied();
        wanted.filter(|&i| sources.is_free(i)).collect()
    }

    /// Scopes with unclaimed variables below them among which are all that the rule matches.
    pub(super) fn wanted_scopes(&self, sources: &Sources<'_>) -> BTreeSet<String> {
        let wanted = self.batch.wanted_scopes.get(self.at).into_iter().flatten();
        let has_free = |scope: &&String| sources.below(scope).iter().any(|&i| sources.is_free(i));
        wanted.filter(has_free).cloned().collect()
    }

    /// The first variable in the checkpoint that the rule's pattern number so-and-so matches,
    /// claimed or not.
    pub(super) fn first(&mut self, pattern: usize, sources: &Sources<'_>) -> Option<usize> {
        let names = sources.all.iter().enumerate().map(|(i, one)| (i, one.current.as_str()));
        let rule = self.batch.rules.get(self.at)?;
        let is_cell = matches!(rule.action, Action::Cell(_));
        let side = if is_cell { &mut self.batch.scopes } else { &mut self.batch.names };
        let number = side.rules.iter().position(|rule| *rule == self.at)? + pattern;
        if is_cell { side.first(number, scopes_of(names)) } else { side.first(number, names) }
    }
}

/// Every scope that names lie in. Those that a name shares with the one before it come once.
fn scopes_of<'n>(
    names: impl Iterator<Item = (usize, &'n str)>,
) -> impl Iterator<Item = (usize, &'n str)> {
    let mut before = "";
    names.flat_map(move |(i, name)| {
        let shared = name.bytes().zip(before.bytes()).take_while(|(a, b)| a == b).count();
        before = name;
        let new = name.match_indices('/').filter(move |(at, _)| *at >= shared);
        new.filter_map(move |(at, _)| Some((i, name.get(..at)?)))
    })
}
