//! What was decided as moves: from what name to what name.

use std::collections::{BTreeMap, BTreeSet};

use super::fit::Fit;
use super::judge::Confidence;
use super::new::Place;
use super::old::Origin;
use super::rules::{Action, Move};
use super::write::{Decision, Material};

/// A fused projection taken apart, and the same with each part laid out anew.
const SPLIT: &[&str] = &["{split: -1}"];

const SHAPED: &[&str] = &["{split: -1}", "{reshape: target}"];

/// A place, and what of a cell or of a projection it gets.
type Part<'p> = (usize, &'p Decision, &'p Origin);

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
                    let other = |place: &Place| place.named.views.first() == Some(plain);
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
                Some((_, _, Origin::Cell { kind, .. })) => {
                    (vec![object], Action::Cell(kind.word()))
                }
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
}
