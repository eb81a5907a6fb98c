//! Built-in mappings that fit.

use std::collections::{BTreeMap, BTreeSet};

use super::file::File;
use super::found::Found;
use super::judge::Confidence;
use super::{Filling, Pairing, Suggestion};
use crate::catalog::{Catalog, VariableName};
use crate::mapping::{Action, BUILTIN_PREFIX, BUILTINS, Builtin, Mapping, NoFiles, Pattern};
use crate::plan::{self, Plan, Value};

/// Leaves out the class that slim calls background.
const BACKGROUND: &str = "first_class: 1";

/// A built-in mapping with the plan it leads to.
struct Fitting {
    /// What follows `builtin:`.
    name: &'static str,
    /// From what to what it leads.
    title: &'static str,
    /// The rule file that includes it.
    file: File,
    /// What it does.
    plan: Plan,
}

/// The mapping that gives every place a value, and most of them one of the old checkpoint's.
/// `file` has what no mapping says: what becomes of averages and optimizers.
fn fitting(source: &Catalog, template: &Catalog, file: &File) -> Option<Fitting> {
    let mut best: Option<(usize, Fitting)> = None;
    let names: Vec<&str> = source.variables.keys().map(VariableName::as_str).collect();
    for builtin in BUILTINS.iter().filter(|builtin| is_about(builtin, &names)) {
        for params in [None, Some(BACKGROUND)] {
            if params.is_some_and(|_| !builtin.text.contains("first_class:")) {
                continue;
            }
            let file = File {
                include: Some(format!("{BUILTIN_PREFIX}{}", builtin.name)),
                params: params.into_iter().map(str::to_owned).collect(),
                policies: file.policies.clone(),
                ..File::default()
            };
            let Some(plan) = planned(source, template, &file.text()) else { continue };
            let mapped = plan.assignments.iter().filter(|one| !one.value.sources().is_empty());
            let mapped = mapped.count();
            if mapped > 0 && best.as_ref().is_none_or(|(most, _)| mapped > *most) {
                let (name, title) = (builtin.name, builtin.title());
                best = Some((mapped, Fitting { name, title, file, plan }));
            }
            break;
        }
    }
    best.map(|(_, fitting)| fitting)
}

/// Whether some rule of a mapping matches some name: most mappings are about others, and need not be
/// planned.
fn is_about(builtin: &Builtin, names: &[&str]) -> bool {
    let set = BTreeMap::new();
    let Ok(mapping) = Mapping::parse(builtin.name, builtin.text, &set, &NoFiles) else {
        return false;
    };
    let matches = |pattern: &Pattern| names.iter().any(|name| pattern.is_match(name));
    // What is renamed before rules see it.
    if mapping.renames.iter().any(|rename| matches(&rename.find)) {
        return true;
    }
    mapping.rules.iter().any(|rule| match &rule.action {
        Action::Map(map) => map.from.iter().any(matches),
        Action::Zip(zip) => matches(&zip.from),
        Action::Cell(cell) => names.iter().any(|name| {
            let mut scopes = name.match_indices('/').filter_map(|(at, _)| name.get(..at));
            scopes.any(|scope| cell.from.is_match(scope))
        }),
        Action::Drop(_) => false,
    })
}

/// The plan that a rule file leads to, if nothing is wrong with it.
fn planned(source: &Catalog, template: &Catalog, text: &str) -> Option<Plan> {
    let mapping = Mapping::parse("rules.yaml", text, &BTreeMap::new(), &NoFiles).ok()?;
    plan::plan(source, &mapping, Some(template), &plan::Options::default()).ok()
}

impl Found<'_> {
    /// Puts a built-in mapping that fits in place of the rules; pairs that were worked out otherwise
    /// are likely only.
    pub(super) fn prefer_builtin(&self, suggestion: &mut Suggestion, file: &File) {
        let Some(fitting) = fitting(self.material.source, self.material.template, file) else {
            return;
        };
        let given: BTreeMap<&str, &Value> =
            fitting.plan.assignments.iter().map(|one| (one.target.key(), &one.value)).collect();
        let mut pairings = Vec::new();
        let mut fills = Vec::new();
        let mut used: BTreeSet<VariableName> = BTreeSet::new();
        for (at, place) in self.material.new.places.iter().enumerate() {
            let value = given.get(place.target.key());
            let raw =
                |name: &VariableName| self.material.left.raw.get(name).unwrap_or(name).clone();
            let sources: Vec<VariableName> = value
                .map(|value| value.sources().into_iter().map(raw).collect())
                .unwrap_or_default();
            used.extend(sources.iter().cloned());
            if sources.is_empty() {
                fills.push(Filling {
                    target: place.target.clone(),
                    path: place.shown.clone(),
                    with: "template",
                    reason: format!("builtin:{} says so", fitting.name),
                });
                continue;
            }
            let own = self.solution.chosen.get(at).copied().flatten();
            let own =
                own.and_then(|old| self.material.old.get(old)).map(|old| old.origin.sources());
            let set = |names: &Vec<VariableName>| names.iter().cloned().collect::<BTreeSet<_>>();
            let agrees = own.as_ref().is_none_or(|own| set(own) == set(&sources));
            let mut reasons = vec![format!("builtin:{} fits", fitting.name)];
            let others = own.filter(|_| !agrees).unwrap_or_default();
            if !agrees {
                reasons.push("by itself, something else would have seemed likelier".to_owned());
            }
            pairings.push(Pairing {
                target: place.target.clone(),
                path: place.shown.clone(),
                spec: place.named.spec.clone(),
                sources,
                confidence: if agrees { Confidence::Certain } else { Confidence::Likely },
                reasons,
                alternatives: others.iter().map(|name| name.as_str().to_owned()).collect(),
            });
        }
        suggestion.dropped.retain(|(name, _)| !used.contains(name));
        suggestion.builtin = Some(fitting.name);
        suggestion.pairings = pairings;
        suggestion.fills = fills;
        suggestion.questions.clear();
        suggestion.complete = true;
        let mut title = Self::title(suggestion);
        title.push(format!("builtin:{} fits: {}", fitting.name, fitting.title));
        suggestion.rules = File { title, ..fitting.file }.text();
    }
}
