//! What a file does, compared with what it was meant to do.

use std::collections::{BTreeMap, BTreeSet};

use super::write::{Decision, Material};
use crate::catalog::VariableName;
use crate::mapping::{Mapping, NoFiles, Problem, Problems};
use crate::plan;

impl Material<'_> {
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
