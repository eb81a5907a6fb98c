//! What was found out, put into a rule file and into words.

use std::collections::{BTreeMap, BTreeSet};

use super::file::File;
use super::fills::Neutral;
use super::judge::{self, Confidence};
use super::old::Origin;
use super::reasons::reasons;
use super::side::size;
use super::solve::{Solution, Solver};
use super::write::{Decision, Material};
use super::{Filling, Options, Pairing, Suggestion};
use crate::catalog::VariableName;
use crate::mapping::CellKind;
use crate::names::counted;

/// What is said of every LSTM.
const FORGET_BIAS: &str =
    "with TF1's default `forget_bias: 1.0`, which is in no checkpoint: was it another one?";
/// Candidates that are looked at more closely.
const MOST_RANKED: usize = 16;
/// Candidates that are named.
const MOST_CANDIDATES: usize = 4;
/// By how much less may speak for a candidate that is still named.
const NEAR: f64 = 0.6;

/// What was found out, to be put into words.
pub(super) struct Found<'f> {
    pub(super) solver: &'f Solver<'f>,
    pub(super) solution: &'f Solution,
    pub(super) material: &'f Material<'f>,
}

/// Items of the old side that have a place.
fn given(decisions: &[Option<Decision>]) -> BTreeSet<usize> {
    decisions.iter().flatten().map(|one| one.old).collect()
}

impl Found<'_> {
    pub(super) fn suggestion(&self, options: &Options) -> Suggestion {
        let whys = judge::certain(self.solver, self.solution);
        let mut decisions: Vec<Option<Decision>> = Vec::new();
        let mut said: Vec<Vec<String>> = Vec::new();
        for (place, chosen) in self.solution.chosen.iter().enumerate() {
            let why = whys.get(place).copied().flatten();
            let found = chosen.and_then(|old| {
                let candidates = self.solution.candidates.get(place)?;
                let fit = candidates.iter().find(|candidate| candidate.old == old)?.fit;
                let mut reasons = reasons(self.solver, self.solution, why, (old, place));
                reasons.extend(self.adds_to_gates(old).then(|| FORGET_BIAS.to_owned()));
                Some((old, fit, reasons))
            });
            // What TF1 adds to a gate when it runs is in no checkpoint.
            let adds = found.as_ref().is_some_and(|(old, ..)| self.adds_to_gates(*old));
            let why = why.filter(|_| !adds);
            let confidence = if why.is_some() { Confidence::Certain } else { Confidence::Likely };
            decisions.push(found.as_ref().map(|(old, fit, reasons)| Decision {
                old: *old,
                fit: *fit,
                confidence,
                reason: reasons.join("; "),
            }));
            said.push(found.map(|(_, _, reasons)| reasons).unwrap_or_default());
        }
        let mut file = self.policies();
        let (neutral, open) = self.settle(&mut file, &mut decisions);
        let problems = self.material.problems(&file.text());
        let asked = self.ask_about_optimizers(&mut file, &problems);
        // Nothing is called complete that cannot be converted.
        let mut questions = file.open_policies();
        if open.is_empty() && !asked {
            questions.extend(problems.into_iter().map(|problem| problem.message));
        }
        let complete = open.is_empty() && questions.is_empty();
        let mut suggestion = Suggestion {
            old: self.material.source.origin.clone(),
            like: self.material.template.origin.clone(),
            builtin: None,
            rules: String::new(),
            pairings: self.pairings(&decisions, &said, &neutral),
            fills: self.fillings(&neutral),
            dropped: self.dropped(&decisions),
            questions,
            complete,
            explanations: self.explanations(options, &decisions),
        };
        file.title = Self::title(&suggestion);
        suggestion.rules = file.text();
        if !options.no_builtin && options.hints.is_empty() {
            self.prefer_builtin(&mut suggestion, &file);
        }
        suggestion
    }

    /// Whether it is a part of a cell whose forget gate TF1 adds to.
    fn adds_to_gates(&self, old: usize) -> bool {
        self.material.old.get(old).is_some_and(|item| {
            matches!(item.origin, Origin::Cell { kind: CellKind::Lstm | CellKind::CudnnLstm, .. })
        })
    }

    /// Writes the file until it does what was decided; what it cannot do stays open.
    pub(super) fn settle(
        &self,
        file: &mut File,
        decisions: &mut [Option<Decision>],
    ) -> (BTreeMap<usize, (Neutral, String)>, BTreeSet<usize>) {
        let mut plain: BTreeSet<usize> = BTreeSet::new();
        for last in [false, false, true] {
            let (moves, lost) = self.material.moves(decisions);
            for place in lost {
                if let Some(decision) = decisions.get_mut(place) {
                    *decision = None;
                }
            }
            let mut neutral = BTreeMap::new();
            let mut open = BTreeSet::new();
            let given = given(decisions);
            let decided = |place: usize| decisions.get(place).is_some_and(Option::is_some);
            for place in (0..decisions.len()).filter(|place| !decided(*place)) {
                // Where something might still go, nothing is filled in.
                let value = self.material.neutral(place, decisions);
                match value.filter(|_| self.candidates(place, &given).is_empty()) {
                    Some(value) => drop(neutral.insert(place, value)),
                    None => drop(open.insert(place)),
                }
            }
            self.material.write(file, moves, &plain, &open);
            file.fills = self.material.fills(&neutral, &open);
            let questions = open.iter().map(|place| (*place, self.candidates(*place, &given)));
            file.questions = self.material.questions(&questions.collect());
            let differs = self.material.differs(&file.text(), decisions);
            let all = || (0..decisions.len()).collect::<BTreeSet<usize>>();
            let differs = differs.unwrap_or_else(all);
            if differs.is_empty() {
                return (neutral, open);
            }
            if last || differs.iter().all(|place| plain.contains(place)) {
                for place in &differs {
                    decisions.iter_mut().skip(*place).take(1).for_each(|decision| *decision = None);
                }
            }
            plain.extend(differs);
        }
        let (moves, _) = self.material.moves(decisions);
        let decided = |place: &usize| decisions.get(*place).is_some_and(Option::is_some);
        let open: BTreeSet<usize> = (0..decisions.len()).filter(|place| !decided(place)).collect();
        self.material.write(file, moves, &plain, &open);
        file.fills.clear();
        let given = given(decisions);
        let questions = open.iter().map(|place| (*place, self.candidates(*place, &given)));
        file.questions = self.material.questions(&questions.collect());
        (BTreeMap::new(), open)
    }

    /// What has no place and might go here, the likeliest first.
    fn candidates(&self, place: usize, given: &BTreeSet<usize>) -> Vec<usize> {
        let ranked = self.ranked(place, &|old| !given.contains(&old));
        ranked.into_iter().take(MOST_CANDIDATES).map(|(_, old)| old).collect()
    }

    /// All that fits a place and is wanted, by what speaks for it; of very many, those that names
    /// and series speak for.
    pub(super) fn ranked(&self, place: usize, wanted: &dyn Fn(usize) -> bool) -> Vec<(f64, usize)> {
        let candidates = self.solution.candidates.get(place).map(Vec::as_slice).unwrap_or_default();
        let mut fixed: Vec<(f64, usize)> = candidates
            .iter()
            .filter(|one| wanted(one.old))
            .map(|one| (one.fixed.sum(), one.old))
            .collect();
        let falling = |a: &(f64, usize), b: &(f64, usize)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        fixed.sort_by(falling);
        let weight = |old: usize| self.solver.evidence(self.solution, old, place).sum();
        let mut ranked: Vec<(f64, usize)> =
            fixed.iter().take(MOST_RANKED).map(|(_, old)| (weight(*old), *old)).collect();
        ranked.sort_by(falling);
        ranked
    }

    pub(super) fn name_of(&self, old: usize) -> Option<String> {
        self.material.old.get(old).and_then(|item| item.named.views.first().cloned())
    }

    pub(super) fn title(suggestion: &Suggestion) -> Vec<String> {
        let of = |confidence| suggestion.count(confidence);
        let mut title = vec![format!(
            "{} to {}, as `ckptmap suggest` proposes it",
            suggestion.old, suggestion.like
        )];
        let mut parts = vec![
            format!("{} certain", of(Confidence::Certain)),
            format!("{} likely", of(Confidence::Likely)),
        ];
        let open = of(Confidence::Open);
        parts.extend((open > 0).then(|| format!("{open} open")));
        let all = counted(suggestion.pairings.len(), "variable");
        title.push(format!("{all} of the new model: {}", parts.join(", ")));
        title
    }

    pub(super) fn pairings(
        &self,
        decisions: &[Option<Decision>],
        said: &[Vec<String>],
        neutral: &BTreeMap<usize, (Neutral, String)>,
    ) -> Vec<Pairing> {
        let given = given(decisions);
        let mut pairings = Vec::new();
        for (at, place) in self.material.new.places.iter().enumerate() {
            if neutral.contains_key(&at) {
                continue;
            }
            let decision = decisions.get(at).and_then(Option::as_ref);
            // Where a place is open, what has another one is no candidate.
            let open = decision.is_none();
            let ranked = self.ranked(at, &|old| !open || !given.contains(&old));
            let own = decision.map(|one| self.solver.evidence(self.solution, one.old, at).sum());
            let others = ranked.iter().filter(|(weight, old)| {
                let near = own.is_none_or(|own| *weight >= own - NEAR);
                near && decision.is_none_or(|one| one.old != *old)
            });
            let certain = decision.is_some_and(|one| one.confidence == Confidence::Certain);
            let alternatives = others.take(if certain { 0 } else { MOST_CANDIDATES });
            let old = decision.and_then(|one| self.material.old.get(one.old));
            pairings.push(Pairing {
                target: place.target.clone(),
                path: place.shown.clone(),
                spec: place.named.spec.clone(),
                sources: old.map(|old| old.origin.sources()).unwrap_or_default(),
                confidence: decision.map_or(Confidence::Open, |one| one.confidence),
                reasons: match decision {
                    Some(_) => said.get(at).cloned().unwrap_or_default(),
                    None if ranked.is_empty() => vec!["nothing fits".to_owned()],
                    None => vec!["nothing tells its candidates apart".to_owned()],
                },
                alternatives: alternatives.filter_map(|(_, old)| self.name_of(*old)).collect(),
            });
        }
        pairings
    }

    pub(super) fn fillings(&self, neutral: &BTreeMap<usize, (Neutral, String)>) -> Vec<Filling> {
        let filling = |(at, (value, reason)): (&usize, &(Neutral, String))| {
            let place = self.material.new.places.get(*at)?;
            Some(Filling {
                target: place.target.clone(),
                path: place.shown.clone(),
                with: value.word(),
                reason: reason.clone(),
            })
        };
        neutral.iter().filter_map(filling).collect()
    }

    pub(super) fn dropped(&self, decisions: &[Option<Decision>]) -> Vec<(VariableName, String)> {
        let used: BTreeSet<VariableName> = decisions
            .iter()
            .flatten()
            .filter_map(|one| self.material.old.get(one.old))
            .flat_map(|old| old.origin.sources())
            .collect();
        let sizes: BTreeSet<(i32, u64)> =
            self.material.new.places.iter().map(|place| size(&place.named.spec)).collect();
        let variables = &self.material.source.variables;
        let fits = |name: &VariableName| {
            variables.get(name).is_some_and(|variable| sizes.contains(&size(&variable.spec)))
        };
        let reason = |name: &VariableName| {
            if fits(name) {
                "everything of its size has another source"
            } else {
                "the new model has nothing of its size"
            }
        };
        let free = self.material.free().into_iter().filter(|name| !used.contains(name));
        free.map(|name| (name.clone(), reason(&name).to_owned())).collect()
    }
}
