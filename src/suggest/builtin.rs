//! Built-in mappings that fit.

use std::collections::BTreeMap;

use super::file::File;
use crate::catalog::Catalog;
use crate::mapping::{BUILTIN_PREFIX, BUILTINS, Mapping, NoFiles};
use crate::plan::{self, Plan};

/// Leaves out the class that slim calls background.
const BACKGROUND: &str = "first_class: 1";

/// A built-in mapping with the plan it leads to.
pub(super) struct Fitting {
    /// What follows `builtin:`.
    pub(super) name: &'static str,
    /// From what to what it leads.
    pub(super) title: &'static str,
    /// The rule file that includes it.
    pub(super) file: File,
    /// What it does.
    pub(super) plan: Plan,
}

/// The mapping that gives every place a value, and most of them one of the old checkpoint's.
/// `file` has what no mapping says: what becomes of averages and optimizers.
pub(super) fn fitting(source: &Catalog, template: &Catalog, file: &File) -> Option<Fitting> {
    let mut best: Option<(usize, Fitting)> = None;
    for builtin in BUILTINS {
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

/// The plan that a rule file leads to, if nothing is wrong with it.
pub(super) fn planned(source: &Catalog, template: &Catalog, text: &str) -> Option<Plan> {
    let mapping = Mapping::parse("rules.yaml", text, &BTreeMap::new(), &NoFiles).ok()?;
    plan::plan(source, &mapping, Some(template), &plan::Options::default()).ok()
}
