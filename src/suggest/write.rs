//! From what was decided to a rule file, and back: what the file does is planned and compared with
//! what it should do.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use regex::Regex;

use super::file::{File, Filled, Question};
use super::judge::Confidence;
use super::new::New;
use super::old::{Left, Old, Origin};
use super::rules::{self, Action, Move, Rule};
use super::scopes;
use super::words::Role;
use crate::catalog::{Catalog, VariableName};
use crate::mapping::{Mapping, NoFiles, Problem, Problems};
use crate::plan;
use crate::suggest::fit::Fit;

/// A fused projection taken apart, and the same with each part laid out anew.
const SPLIT: &[&str] = &["{split: -1}"];
const SHAPED: &[&str] = &["{split: -1}", "{reshape: target}"];

/// A place, and what of a cell or of a projection it gets.
type Part<'p> = (usize, &'p Decision, &'p Origin);

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

/// A value without a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Neutral {
    Ones,
    Zeros,
    Template,
}

impl Neutral {
    /// The word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ones => "ones",
            Self::Zeros => "zeros",
            Self::Template => "template",
        }
    }
}

impl Material<'_> {
    /// What a place is called in rules, and whether that is its full name.
    pub(super) fn spelled(&self, place: usize) -> (String, bool) {
        let Some(place) = self.new.places.get(place) else { return Default::default() };
        match &place.name {
            Some(name) if place.opaque => (name.clone(), true),
            _ => {
                let path = place.named.views.first().cloned().unwrap_or_default();
                // Keras 3 hides most of its weights behind an underscore, which rules need not say.
                let plain = path.rsplit_once('/').and_then(|(object, leaf)| {
                    leaf.strip_prefix('_').map(|leaf| format!("{object}/{leaf}"))
                });
                let hidden = |plain: &String| {
                    let other =
                        |place: &super::new::Place| place.named.views.first() == Some(plain);
                    !self.new.places.iter().any(other)
                };
                (plain.filter(|plain| place.hidden && hidden(plain)).unwrap_or(path), false)
            }
        }
    }

    /// All moves, cells and fused projections as one each; and the places of those that could not be
    /// written.
    pub(super) fn moves(&self, decisions: &[Option<Decision>]) -> (Vec<Move>, BTreeSet<usize>) {
        let mut moves = Vec::new();
        let mut joined: BTreeMap<(String, String), Vec<Part<'_>>> = BTreeMap::new();
        for (place, decision) in decisions.iter().enumerate() {
            let Some(decision) = decision else { continue };
            let Some(old) = self.old.get(decision.old) else { continue };
            let (new, by_name) = self.spelled(place);
            match &old.origin {
                Origin::Whole(_) => moves.push(Move {
                    old: old.named.views.first().cloned().unwrap_or_default(),
                    new: vec![new],
                    by_name,
                    action: Action::Map(decision.fit.steps()),
                    places: vec![place],
                    confidence: decision.confidence,
                    reason: decision.reason.clone(),
                }),
                origin @ Origin::Part(name, _) => {
                    let key = (name.as_str().to_owned(), String::new());
                    joined.entry(key).or_default().push((place, decision, origin));
                }
                origin @ Origin::Cell { scope, .. } => {
                    let object = new.rsplit_once('/').map_or("", |(object, _)| object);
                    let key = (scope.clone(), object.to_owned());
                    joined.entry(key).or_default().push((place, decision, origin));
                }
            }
        }
        let mut lost = BTreeSet::new();
        for ((old, object), mut members) in joined {
            let places: Vec<usize> = members.iter().map(|(place, ..)| *place).collect();
            // A cell or a projection goes as a whole or not at all.
            if members.len() != 3 {
                lost.extend(places);
                continue;
            }
            let part = |origin: &Origin| match origin {
                Origin::Part(_, part) => *part,
                _ => 0,
            };
            members.sort_by_key(|(_, _, origin)| part(origin));
            let confidence = members.iter().map(|(_, one, _)| one.confidence).max();
            let reason = members.iter().find(|(_, one, _)| Some(one.confidence) == confidence);
            let reason = reason.map(|(_, one, _)| one.reason.clone()).unwrap_or_default();
            let named: Vec<(String, bool)> =
                members.iter().map(|(place, ..)| self.spelled(*place)).collect();
            let by_name = named.iter().all(|(_, by_name)| *by_name);
            if !by_name && named.iter().any(|(_, by_name)| *by_name) {
                lost.extend(places);
                continue;
            }
            let (new, action) = match members.first() {
                Some((_, _, Origin::Cell { kind, .. })) => (vec![object], Action::cell(*kind)),
                _ => {
                    let new = named.into_iter().map(|(new, _)| new).collect();
                    let same = members.iter().all(|(_, one, _)| one.fit == Fit::Same);
                    (new, Action::Map(if same { SPLIT } else { SHAPED }))
                }
            };
            let places = members.iter().map(|(place, ..)| *place).collect();
            let confidence = confidence.unwrap_or(Confidence::Open);
            moves.push(Move { old, new, by_name, action, places, confidence, reason });
        }
        (moves, lost)
    }

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
        let dropped: Vec<Regex> = file
            .drops
            .iter()
            .filter_map(|(pattern, _)| Regex::new(&format!("^(?:{pattern})$")).ok())
            .collect();
        let free = |pattern: &str, own: &BTreeSet<&str>| {
            let Ok(pattern) = Regex::new(&format!("^(?:{pattern})$")) else { return false };
            names.iter().filter(|name| pattern.is_match(name)).all(|name| {
                own.contains(name.as_str())
                    || dropped.iter().any(|drop| drop.is_match(name))
                    || (kept.contains(name) && !wanted.contains(name))
            })
        };
        file.zips = rules::zips(&mut moves, &creation, &free);
        let scopes: BTreeSet<String> = names
            .iter()
            .flat_map(|name| name.match_indices('/').filter_map(|(at, _)| name.get(..at)))
            .map(str::to_owned)
            .collect();
        let exact = |rule: &Rule| {
            let Ok(pattern) = Regex::new(&format!("^(?:{})$", rule.pattern())) else {
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

    /// Variables that rules see.
    pub(super) fn free(&self) -> Vec<VariableName> {
        let state = |name: &&VariableName| {
            !self.left.hidden.contains(*name) && !self.left.averages.contains(*name)
        };
        self.source.variables.keys().filter(state).cloned().collect()
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

    /// Places that need no source: what a layer has here and not there, at the value that changes
    /// nothing; what never came from TF1.
    pub(super) fn neutral(
        &self,
        place: usize,
        decisions: &[Option<Decision>],
    ) -> Option<(Neutral, String)> {
        let own = self.new.places.get(place)?;
        let path = own.named.views.first()?;
        let (object, leaf) = path.rsplit_once('/')?;
        let called = |word: &str| own.named.views.iter().any(|name| name.contains(word));
        if called("seed_generator") || called("random_generator") {
            return Some((Neutral::Template, "the state of a random generator".to_owned()));
        }
        let preprocessing = ["mean", "variance", "count"].contains(&leaf)
            && own.named.views.iter().any(|name| {
                let above = name.rsplit('/').nth(1).unwrap_or_default();
                crate::names::unnumbered(above) == "normalization"
            });
        if preprocessing {
            return Some((
                Neutral::Template,
                "it prepares the inputs, which TF1 programs did elsewhere".to_owned(),
            ));
        }
        let beside = |other: &usize| {
            let views = self.new.places.get(*other).map(|place| &place.named.views);
            let path = views.and_then(|views| views.first());
            path.and_then(|path| path.rsplit_once('/')).is_some_and(|(other, _)| other == object)
        };
        let role = Role::of(path, own.named.spec.shape().rank());
        let mut layers = (0..self.new.places.len())
            .filter(beside)
            .filter_map(|other| decisions.get(other)?.as_ref())
            .filter_map(|decision| self.old.get(decision.old)?.named.views.first())
            .filter_map(|name| name.rsplit_once('/').map(|(layer, _)| layer))
            .peekable();
        layers.peek()?;
        // What the old layer has, though it does not fit, is not replaced without a word.
        let has = |layer: &str| {
            self.old.iter().filter_map(|old| old.named.views.first()).any(|name| {
                let own = name.rsplit_once('/').filter(|(scope, _)| *scope == layer);
                own.is_some_and(|_| Role::of(name, 1) == role)
            })
        };
        if layers.any(has) {
            return None;
        }
        let (value, does) = match role {
            Role::Gamma => (Neutral::Ones, "ones change nothing"),
            Role::Bias | Role::Beta => (Neutral::Zeros, "zeros change nothing"),
            _ => return None,
        };
        Some((value, format!("the old layers have no {leaf}, and {does}")))
    }

    /// Entries of `fill`: as few patterns as match these places and no other that is not filled.
    pub(super) fn fills(
        &self,
        neutral: &BTreeMap<usize, (Neutral, String)>,
        open: &BTreeSet<usize>,
    ) -> Vec<Filled> {
        let mut groups: BTreeMap<(String, bool, &str, &str), Vec<usize>> = BTreeMap::new();
        for (place, (value, reason)) in neutral {
            let (name, by_name) = self.spelled_whole(*place);
            let marked: Vec<String> = name.split('/').map(numberless).collect();
            groups
                .entry((marked.join("/"), by_name, value.word(), reason))
                .or_default()
                .push(*place);
        }
        let mut fills = Vec::new();
        for ((pattern, by_name, with, reason), places) in groups {
            let own: BTreeSet<usize> = places.iter().copied().collect();
            let whole = Regex::new(&format!("^(?:{pattern})$")).ok();
            let alone = open.iter().all(|place| {
                let (name, _) = self.spelled_whole(*place);
                !whole.as_ref().is_some_and(|pattern| pattern.is_match(&name))
            });
            let patterns = if alone {
                vec![pattern]
            } else {
                own.iter().map(|place| rules::escaped(&self.spelled_whole(*place).0)).collect()
            };
            fills.extend(patterns.into_iter().map(|pattern| Filled {
                pattern,
                by_name,
                with,
                reason: reason.to_owned(),
            }));
        }
        fills
    }

    /// As `spelled`, with all that patterns see.
    fn spelled_whole(&self, place: usize) -> (String, bool) {
        let Some(found) = self.new.places.get(place) else { return Default::default() };
        match self.spelled(place) {
            (name, true) => (name, true),
            (_, false) => (found.named.views.first().cloned().unwrap_or_default(), false),
        }
    }

    /// Questions about places that stay open.
    pub(super) fn questions(&self, open: &BTreeMap<usize, Vec<String>>) -> Vec<Question> {
        let question = |(place, candidates): (&usize, &Vec<String>)| {
            let spec = self.new.places.get(*place).map(|place| place.named.spec.to_string());
            Question {
                place: self.spelled(*place),
                spec: spec.unwrap_or_default(),
                candidates: candidates.clone(),
            }
        };
        open.iter().map(question).collect()
    }

    /// Everything that is wrong with a file.
    pub(super) fn problems(&self, text: &str) -> Vec<Problem> {
        let all = |problems: Problems| problems.iter().cloned().collect();
        match Mapping::parse("rules.yaml", text, &BTreeMap::new(), &NoFiles) {
            Ok(mapping) => {
                let options = plan::Options::default();
                match plan::draft(self.source, &mapping, Some(self.template), &options) {
                    Ok(draft) => draft.problems.map_or(Vec::new(), all),
                    Err(problems) => all(problems),
                }
            }
            Err(problems) => all(problems),
        }
    }

    /// Places that the file does not treat as was decided.
    pub(super) fn differs(
        &self,
        text: &str,
        decisions: &[Option<Decision>],
    ) -> Option<BTreeSet<usize>> {
        let mapping = Mapping::parse("rules.yaml", text, &BTreeMap::new(), &NoFiles).ok()?;
        if !mapping.problems.is_empty() {
            return None;
        }
        let options = plan::Options { keep_missing: true, ..plan::Options::default() };
        let draft = plan::draft(self.source, &mapping, Some(self.template), &options).ok()?;
        let given: BTreeMap<&str, BTreeSet<&VariableName>> = draft
            .plan
            .assignments
            .iter()
            .map(|one| {
                let raw = one.value.sources().into_iter();
                let raw = raw.map(|name| self.left.raw.get(name).unwrap_or(name));
                (one.target.key(), raw.collect())
            })
            .collect();
        let mut differs = BTreeSet::new();
        for (at, place) in self.new.places.iter().enumerate() {
            let decision = decisions.get(at).and_then(Option::as_ref);
            let wanted: Vec<VariableName> = decision
                .and_then(|decision| self.old.get(decision.old))
                .map(|old| old.origin.sources())
                .unwrap_or_default();
            let wanted: BTreeSet<&VariableName> = wanted.iter().collect();
            if given.get(place.target.key()).cloned().unwrap_or_default() != wanted {
                differs.insert(at);
            }
        }
        Some(differs)
    }
}

/// A component as a pattern, any number for each number.
fn numberless(component: &str) -> String {
    let mut pattern = String::new();
    let mut done = 0;
    for token in super::words::tokens(component).into_iter().filter(|token| token.is_number) {
        pattern.push_str(&rules::escaped(component.get(done..token.start).unwrap_or_default()));
        pattern.push_str(r"\d+");
        done = token.end();
    }
    pattern.push_str(&rules::escaped(component.get(done..).unwrap_or_default()));
    pattern
}

/// Patterns for what goes nowhere, as wide as they can be.
fn drops(
    names: &BTreeSet<String>,
    unused: &BTreeSet<&String>,
    wanted: &BTreeSet<String>,
) -> Vec<(String, String)> {
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    let goes = |name: &String| unused.contains(name) && !wanted.contains(name);
    for name in unused.iter().filter(|name| goes(name)) {
        if name.as_str() == "global_step" {
            continue;
        }
        // What Mesh TensorFlow's optimizer keeps lies beside the variables.
        if let Some((_, kind)) =
            name.rsplit_once("_slot_").filter(|(owner, _)| names.contains(*owner))
        {
            let _ = kind;
            *groups.entry(r".+_slot_\w+".to_owned()).or_default() += 1;
            continue;
        }
        let scopes = name.match_indices('/').filter_map(|(at, _)| name.get(..=at));
        let whole = scopes.into_iter().find(|scope| {
            let scope = (*scope).to_owned();
            names.range(scope.clone()..).take_while(|name| name.starts_with(&scope)).all(&goes)
        });
        let pattern = match whole {
            Some(scope) => format!("{}.+", rules::escaped(scope)),
            None => rules::escaped(name),
        };
        *groups.entry(pattern).or_default() += 1;
    }
    let reason = |count: usize| {
        format!("{}: the new model has no place left", crate::names::counted(count, "variable"))
    };
    groups.into_iter().map(|(pattern, count)| (pattern, reason(count))).collect()
}
