//! Places that get a value without a source.

use std::collections::{BTreeMap, BTreeSet};

use super::file::Filled;
use super::role::Role;
use super::rules;
use super::tokens::around_numbers;
use super::write::{Decision, Material};
use crate::mapping::Pattern;

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
            let whole = Pattern::whole(&pattern).ok();
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
}

/// A component as a pattern, any number for each number.
fn numberless(component: &str) -> String {
    let around = around_numbers(component);
    around.texts.iter().map(|text| rules::escaped(text)).collect::<Vec<_>>().join(r"\d+")
}
