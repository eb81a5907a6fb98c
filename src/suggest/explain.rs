//! What speaks for and against the candidates of a place.

use std::collections::HashMap;

use super::found::Found;
use super::judge::Confidence;
use super::reasons::weighed;
use super::write::Decision;
use super::{Candidate, Explanation, Options};

impl Found<'_> {
    pub(super) fn explanations(
        &self,
        options: &Options,
        decisions: &[Option<Decision>],
    ) -> Vec<Explanation> {
        let Some(wanted) = &options.explain else { return Vec::new() };
        let goes: HashMap<usize, usize> = decisions
            .iter()
            .enumerate()
            .filter_map(|(place, one)| Some((one.as_ref()?.old, place)))
            .collect();
        let mut explanations = Vec::new();
        for (at, place) in self.material.new.places.iter().enumerate() {
            let ranked = self.ranked(at, &|_| true);
            let is_meant = |old: &usize| self.name_of(*old).as_ref() == Some(wanted);
            let about = ranked.iter().any(|(_, old)| is_meant(old));
            if !place.is_called(wanted) && !about {
                continue;
            }
            let decision = decisions.get(at).and_then(Option::as_ref);
            let candidates = ranked.into_iter().filter_map(|(weight, old)| {
                let evidence = self.solver.evidence(self.solution, old, at);
                let elsewhere = goes.get(&old).filter(|place| **place != at);
                Some(Candidate {
                    name: self.name_of(old)?,
                    chosen: decision.is_some_and(|one| one.old == old),
                    instead: elsewhere
                        .and_then(|place| self.material.new.places.get(*place))
                        .map(|place| place.shown.clone()),
                    weight,
                    evidence: weighed(self.solver, &evidence, (old, at)),
                })
            });
            explanations.push(Explanation {
                path: place.shown.clone(),
                name: place.name.clone(),
                spec: place.named.spec.clone(),
                confidence: decision.map_or(Confidence::Open, |one| one.confidence),
                candidates: candidates.collect(),
            });
        }
        explanations
    }
}
