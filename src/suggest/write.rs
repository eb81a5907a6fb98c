//! From what was decided to a rule file, and back: what the file does is planned and compared with
//! what it should do.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::drops::drops;
use super::file::{File, MOST_DROPS, Question};
use super::judge::Confidence;
use super::new::New;
use super::old::{Left, Old, Origin};
use super::rules::{self, Action, Move, Rule};
use super::scopes;
use super::tokens::is_usual;
use crate::catalog::{Catalog, VariableName};
use crate::mapping::Pattern;
use crate::suggest::fit::Fit;

/// What was decided of a place.
#[derive(Debug, Clone)]
pub(super) struct Decision {
    /// The item of the old side.
    pub(super) old: usize,
    /// How it fits.
    pub(super) fit: Fit,
    /// How sure that is.
    pub(super) confidence: Confidence,
    /// Why.
    pub(super) reason: String,
}

/// Everything that a file is written from.
pub(super) struct Material<'m> {
    pub(super) source: &'m Catalog,
    pub(super) template: &'m Catalog,
    pub(super) old: &'m [Old],
    pub(super) left: &'m Left,
    pub(super) new: &'m New,
    /// The order in which TF1 made variables, by name.
    pub(super) creation: &'m HashMap<String, usize>,
}

impl Material<'_> {
    /// Writes everything that was decided. Moves of which a place is in `plain` are not generalized.
    pub(super) fn write(
        &self,
        file: &mut File,
        mut moves: Vec<Move>,
        plain: &BTreeSet<usize>,
        open: &BTreeSet<usize>,
    ) {
        file.leaves = if plain.is_empty() { self.leaves(&moves) } else { Vec::new() };
        let renamed: HashMap<&str, &str> =
            file.leaves.iter().map(|(old, new)| (old.as_str(), new.as_str())).collect();
        let rename = |name: &str| match name.rsplit_once('/') {
            Some((scope, leaf)) => match renamed.get(leaf) {
                Some(new) => format!("{scope}/{new}"),
                None => name.to_owned(),
            },
            None => renamed.get(name).map_or(name, |new| *new).to_owned(),
        };
        let mut names: BTreeSet<String> = BTreeSet::new();
        for name in self.free() {
            names.insert(rename(&self.left.called(&name)));
        }
        let mut creation: HashMap<String, usize> = HashMap::new();
        creation.extend(self.creation.iter().map(|(name, at)| (rename(name), *at)));
        for one in &mut moves {
            if matches!(one.action, Action::Map(_)) {
                one.old = rename(&one.old);
            }
        }
        let (mut lines, mut moves): (Vec<Move>, Vec<Move>) =
            moves.into_iter().partition(|one| one.places.iter().any(|place| plain.contains(place)));
        file.scopes = scopes::record(&mut moves, &names, &creation);
        let kept: BTreeSet<String> = lines
            .iter()
            .chain(&moves)
            .flat_map(|one| Self::claimed(one, &names))
            .chain(file.scopes.iter().flat_map(|scope| {
                scope.layers.iter().flat_map(|layer| layer.moves.iter().map(|one| one.old.clone()))
            }))
            .collect();
        let unused: BTreeSet<&String> = names.iter().filter(|name| !kept.contains(*name)).collect();
        let wanted = self.candidates_of(open, &rename);
        file.drops = drops(&names, &unused, &wanted);
        // Those that stand in front of the rules that pair series.
        let listed = if file.drops.len() <= MOST_DROPS { file.drops.as_slice() } else { &[] };
        let dropped: Vec<Pattern> =
            listed.iter().filter_map(|(pattern, _)| Pattern::whole(pattern).ok()).collect();
        let free = |pattern: &str, own: &BTreeSet<&str>| {
            let Ok(pattern) = Pattern::whole(pattern) else { return false };
            names.iter().filter(|name| pattern.is_match(name)).all(|name| {
                own.contains(name.as_str())
                    || dropped.iter().any(|drop| drop.is_match(name))
                    || (kept.contains(name) && !wanted.contains(name))
            })
        };
        let scopes: BTreeSet<String> = names
            .iter()
            .flat_map(|name| name.match_indices('/').filter_map(|(at, _)| name.get(..at)))
            .map(str::to_owned)
            .collect();
        let exact = |rule: &Rule| {
            let Ok(pattern) = Pattern::whole(&rule.pattern()) else {
                return false;
            };
            let own: BTreeSet<&str> = rule.moves.iter().map(|one| one.old.as_str()).collect();
            let all = match rule.action() {
                Action::Map(_) => &names,
                Action::Cell(_) => &scopes,
            };
            own.iter().all(|name| pattern.is_match(name))
                && all
                    .iter()
                    .filter(|name| pattern.is_match(name))
                    .all(|name| own.contains(name.as_str()))
        };
        file.zips = rules::zips(&mut moves, &creation, &free);
        let (cells, moves): (Vec<Move>, Vec<Move>) =
            moves.into_iter().partition(|one| matches!(one.action, Action::Cell(_)));
        let mut all = rules::generalize(cells, &exact);
        all.extend(rules::generalize(moves, &exact));
        let mut all = rules::merge(all, &exact);
        lines.sort_by(|a, b| a.places.cmp(&b.places));
        all.extend(lines.into_iter().map(Rule::literal));
        // Cells first: they take whole scopes. Then in the order of the new model.
        all.sort_by_key(|rule| {
            let place = rule.moves.iter().filter_map(|one| one.places.first()).min().copied();
            (!matches!(rule.action(), Action::Cell(_)), place)
        });
        file.rules = all;
    }

    /// Questions about places that stay open, each with items of the old side that may go there.
    pub(super) fn questions(&self, open: &BTreeMap<usize, Vec<usize>>) -> Vec<Question> {
        let mut questions: Vec<Question> = Vec::new();
        for (place, candidates) in open {
            let spec = self.new.places.get(*place).map(|place| place.named.spec.to_string());
            let (name, by_name) = self.spelled(*place);
            let mut items = candidates.iter().filter_map(|at| self.old.get(*at)).peekable();
            let kind = items.peek().and_then(|item| match &item.origin {
                Origin::Cell { kind, .. } => Some(Action::Cell(kind.word())),
                _ => None,
            });
            // A cell goes as a whole.
            let place = match (kind, name.rsplit_once('/')) {
                (Some(_), Some((object, _))) => object.to_owned(),
                _ => name,
            };
            let mut candidates: Vec<String> = Vec::new();
            for item in items {
                let called = match &item.origin {
                    Origin::Cell { scope, .. } => scope.clone(),
                    Origin::Part(name, _) => name.as_str().to_owned(),
                    Origin::Whole(name) => self.left.called(name),
                };
                if !candidates.contains(&called) {
                    candidates.push(called);
                }
            }
            let question = Question {
                place: (place, by_name),
                action: kind.unwrap_or(Action::Map(&[])),
                spec: if kind.is_some() { String::new() } else { spec.unwrap_or_default() },
                candidates,
            };
            if questions.iter().all(|known| known.place != question.place) {
                questions.push(question);
            }
        }
        questions
    }

    /// Variables that rules see.
    pub(super) fn free(&self) -> Vec<VariableName> {
        let seen = |name: &&VariableName| {
            !self.left.hidden.contains(*name)
                && !self.left.averages.contains(*name)
                && is_usual(&self.left.called(name))
        };
        self.source.variables.keys().filter(seen).cloned().collect()
    }

    /// Names that a move takes.
    fn claimed(one: &Move, names: &BTreeSet<String>) -> Vec<String> {
        match one.action {
            Action::Map(_) => vec![one.old.clone()],
            Action::Cell(_) => {
                let below = format!("{}/", one.old);
                let all = names.range(below.clone()..).take_while(|name| name.starts_with(&below));
                all.cloned().collect()
            }
        }
    }

    /// Names that may still go to an open place.
    fn candidates_of(
        &self,
        open: &BTreeSet<usize>,
        rename: &dyn Fn(&str) -> String,
    ) -> BTreeSet<String> {
        let places = open.iter().filter_map(|place| self.new.places.get(*place));
        let specs: Vec<_> = places.map(|place| &place.named.spec).collect();
        let fits = |old: &&Old| specs.iter().any(|spec| Fit::of(&old.named.spec, spec).is_some());
        let sources = self.old.iter().filter(fits).flat_map(|old| old.origin.sources());
        sources.map(|name| rename(&self.left.called(&name))).collect()
    }

    /// Last components that always become the same other one.
    fn leaves(&self, moves: &[Move]) -> Vec<(String, String)> {
        fn leaf(name: &str) -> &str {
            name.rsplit('/').next().unwrap_or(name)
        }
        let mut becomes: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
        for one in moves.iter().filter(|one| matches!(one.action, Action::Map(_))) {
            for new in &one.new {
                *becomes.entry(leaf(&one.old)).or_default().entry(leaf(new)).or_default() += 1;
            }
        }
        let single = becomes.into_iter().filter_map(|(old, new)| {
            let mut new = new.into_iter();
            let (to, times) = new.next().filter(|_| new.next().is_none())?;
            let plain = |leaf: &str| leaf.chars().all(|c| c == '_' || c.is_ascii_alphabetic());
            (old != to && times > 1 && plain(old) && plain(to)).then_some((old, to))
        });
        let single: Vec<(&str, &str)> = single.collect();
        // Two of one name afterwards would be a problem.
        let names: BTreeSet<String> =
            self.source.variables.keys().map(|name| self.left.called(name)).collect();
        let clashes = |old: &str, new: &str| {
            names.iter().any(|name| {
                let other = |leaf: &str| match name.rsplit_once('/') {
                    Some((scope, own)) if own == old => Some(format!("{scope}/{leaf}")),
                    None if name == old => Some(leaf.to_owned()),
                    _ => None,
                };
                other(new).is_some_and(|other| names.contains(&other))
                    || single.iter().any(|(old, to)| {
                        *to == new && other(old).is_some_and(|o| o != *name && names.contains(&o))
                    })
            })
        };
        let kept = single.iter().filter(|(old, new)| !clashes(old, new));
        kept.map(|(old, new)| ((*old).to_owned(), (*new).to_owned())).collect()
    }
}
