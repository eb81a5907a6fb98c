//! Rules that join several variables: which of them belong together, and in what order.

use std::collections::BTreeMap;

use super::batch::Turn;
use super::claim::{Claim, Planner};
use super::series::{Series, series};
use super::sources::Source;
use crate::mapping::{MapRule, Pattern, Problem, ProblemKind, Rule, Step};
use crate::names::natural;

/// The values of a pattern's named groups: what belongs together has the same ones.
type Key = Vec<(String, String)>;

impl Planner<'_> {
    /// Gives variables that belong together a place together.
    pub(super) fn join(&mut self, rule: &Rule, map: &MapRule, mut turn: Turn<'_, '_>) {
        let mut groups: BTreeMap<Key, Vec<Vec<usize>>> = BTreeMap::new();
        let mut taken = vec![false; map.from.len()];
        for i in turn.wanted(&self.sources) {
            let Some(source) = self.sources.all.get(i) else { continue };
            for ((at, pattern), taken) in map.from.iter().enumerate().zip(&mut taken) {
                let Some(key) = key(pattern, source) else { continue };
                *taken = true;
                self.found.insert(rule.id);
                let members = groups.entry(key).or_insert_with(|| vec![Vec::new(); map.from.len()]);
                if let Some(members) = members.get_mut(at) {
                    members.push(i);
                }
                // A variable is one part only; the first pattern that matches it has it.
                break;
            }
        }
        for ((at, pattern), taken) in map.from.iter().enumerate().zip(&taken) {
            if !taken && !map.optional {
                self.unused(rule, pattern, turn.first(at, &self.sources));
            }
        }
        let single = map.from.len() == 1;
        for (key, members) in groups {
            let members = if single {
                members.into_iter().map(|all| self.in_order(all)).next().unwrap_or_default()
            } else {
                match self.one_each(rule, map, &key, &members, &taken) {
                    Some(members) => members,
                    None => continue,
                }
            };
            let gaps = map.apply.iter().any(Step::allows_gaps);
            if let Some(problem) = self.gap(&members).filter(|_| single && !gaps) {
                self.report(rule.id, problem);
            }
            let Some(source) = members.first().and_then(|&i| self.sources.all.get(i)) else {
                continue;
            };
            let Some(pattern) = map.from.first() else { continue };
            let name = source.matched(pattern).map(str::to_owned);
            let captures = name.as_deref().and_then(|name| pattern.captures(name));
            self.claim(&members, Claim::of(rule, map), captures.as_ref(), &[]);
        }
    }

    /// Every pattern must have exactly one variable for each key.
    fn one_each(
        &mut self,
        rule: &Rule,
        map: &MapRule,
        key: &Key,
        members: &[Vec<usize>],
        taken: &[bool],
    ) -> Option<Vec<usize>> {
        let place = if key.is_empty() {
            String::new()
        } else {
            let named: Vec<String> =
                key.iter().map(|(name, value)| format!("{name} is `{value}`")).collect();
            format!(" where {}", named.join(", "))
        };
        let mut chosen = Vec::new();
        let mut whole = true;
        for ((pattern, found), known) in map.from.iter().zip(members).zip(taken) {
            match found.as_slice() {
                [one] => chosen.push(*one),
                found => {
                    whole = false;
                    let message = format!(
                        "`{}` matches {} variables{place}, and one is needed",
                        pattern.text(),
                        if found.is_empty() { "no".to_owned() } else { found.len().to_string() },
                    );
                    // Which one is missing is the message; that others are left over is not.
                    for &i in members.iter().flatten() {
                        if let Some(source) = self.sources.all.get_mut(i) {
                            source.fate = Some(super::Fate::Unmatched);
                        }
                    }
                    // A pattern that matches nothing at all has been talked about.
                    if *known || map.optional {
                        let problem = Problem::new(ProblemKind::Unused, message);
                        let help = "is one of the patterns too narrow, or too wide?";
                        self.report(rule.id, problem.help(help));
                    }
                }
            }
        }
        whole.then_some(chosen)
    }

    /// In the natural order of their names: `weights_2` before `weights_10`.
    fn in_order(&self, mut members: Vec<usize>) -> Vec<usize> {
        let name = |i: &usize| self.sources.all.get(*i).map(|one| one.current.as_str());
        members.sort_by(|a, b| natural(name(a).unwrap_or_default(), name(b).unwrap_or_default()));
        members
    }

    /// `weights_0`, `weights_1`, `weights_3`: what is joined must be a series, and complete.
    fn gap(&self, members: &[usize]) -> Option<Problem> {
        let names: Vec<&str> = members
            .iter()
            .filter_map(|&i| Some(self.sources.all.get(i)?.current.as_str()))
            .collect();
        let help = "is the pattern too narrow, or too wide? where it is meant so, say it: \
                    `concat: {axis: 0, gaps: true}`";
        let message = match series(&names) {
            Series::Whole => return None,
            Series::Lacks(name) => {
                format!("`{name}` is missing among the {} that are joined", names.len())
            }
            Series::Not(one, next) => {
                format!("`{one}` and `{next}` are joined, and are no series of numbers")
            }
        };
        Some(Problem::new(ProblemKind::Missing, message).help(help))
    }
}

/// What says where a variable belongs, if the pattern finds it.
fn key(pattern: &Pattern, source: &Source<'_>) -> Option<Key> {
    let captures = pattern.captures(source.matched(pattern)?)?;
    let value = |name: &str| captures.name(name).map_or("", |found| found.as_str()).to_owned();
    Some(pattern.group_names().into_iter().map(|name| (name.to_owned(), value(name))).collect())
}
