//! Constants, the counter, and the finished plan.

use std::collections::{BTreeMap, BTreeSet};

use super::claim::{Planner, misfit};
use super::spot::Spot;
use super::{Assignment, Draft, Fate, Plan, Purpose, Value};
use crate::catalog::VariableName;
use crate::mapping::{Fill, FillValue, Onto, Problem, ProblemKind, Problems, RuleId};
use crate::names::natural;
use crate::object::{ObjectGraph, ObjectPath, SAVE_COUNTER, Target};
use crate::tensor::{Constant, DType, Shape, TensorSpec};

impl Planner<'_> {
    /// Values for leaves that no source has.
    pub(super) fn fills(&mut self) {
        for fill in &self.mapping.fills {
            match fill {
                Fill::Leaf { id, leaf, value } => match self.spots(leaf, None, &[]) {
                    Ok(spots) => {
                        for spot in spots {
                            if let Some(problem) = misfit("the constant", value.spec(), &spot) {
                                self.report(*id, problem);
                            }
                            let constant = Value::Constant(value.clone());
                            self.assign(spot, value.spec().clone(), constant, Some(*id));
                        }
                    }
                    Err(none) => {
                        let message = format!("not a leaf to fill: {}", self.why(&none));
                        self.report(*id, Problem::new(ProblemKind::Template, message));
                    }
                },
                Fill::Match { id, leaves, value } => self.fill_matching(*id, leaves, value),
            }
        }
    }

    fn fill_matching(&mut self, id: RuleId, leaves: &Onto, value: &FillValue) {
        if self.template.is_none() {
            let message = "`match` fills leaves of a template, and there is none";
            let help =
                "give one with `--like`, or name the leaf: `{leaf: path, shape: [..], with: ones}`";
            return self.report(id, Problem::new(ProblemKind::Template, message).help(help));
        }
        let mut wanted: Vec<Spot> = self.bare(leaves).map(|(spot, _)| spot).collect();
        // A leaf that two ways lead to is there twice.
        let mut seen = BTreeSet::new();
        wanted.retain(|spot| seen.insert(spot.target.clone()));
        if wanted.is_empty() {
            let pattern = leaves.pattern().text();
            let message = format!("`{pattern}` matches no leaf that still needs a value");
            let help = "what rules give a value needs none; correct the pattern, or leave it out";
            return self.report(id, Problem::new(ProblemKind::Unused, message).help(help));
        }
        for spot in wanted {
            let Some(spec) = spot.wants.clone() else { continue };
            let value = match value {
                FillValue::Template => VariableName::new(spot.target.key()).map(Value::Template),
                FillValue::Number(number) => {
                    Constant::new(spec.clone(), *number).map(Value::Constant)
                }
            };
            match value {
                Some(value) => self.assign(spot, spec, value, Some(id)),
                None => {
                    let message =
                        format!("`{}` is {spec}, which cannot hold this number", spot.shown);
                    self.report(id, Problem::new(ProblemKind::Value, message));
                }
            }
        }
    }

    /// The counter that `restore` asks for and `read` must not find.
    pub(super) fn save_counter(&mut self) {
        let Ok(path) = ObjectPath::new([SAVE_COUNTER.to_owned()]) else { return };
        if self.options.purpose == Purpose::Read {
            return;
        }
        let Ok(spec) = TensorSpec::new(DType::Int64, Shape::scalar()) else { return };
        let templates = self
            .template
            .as_ref()
            .and_then(|template| template.by_path(path.labels()))
            .and_then(|leaf| self.leaf(leaf));
        let spot = templates.clone().unwrap_or_else(|| Spot::made(path));
        if self.values.contains_key(&spot.target) {
            return;
        }
        let kept = templates.and_then(|spot| VariableName::new(spot.target.key()));
        let count = self.options.save_counter;
        let value = match (kept, count) {
            (Some(key), None) => Value::Template(key),
            (_, count) => {
                let number = i64::from(count.unwrap_or(1));
                let Some(constant) = Constant::new(spec.clone(), number) else { return };
                Value::Constant(constant)
            }
        };
        self.assign(spot, spec, value, None);
    }

    /// The plan, and everything that is wrong.
    pub(super) fn finish(self, fates: BTreeMap<VariableName, Fate>, graph: ObjectGraph) -> Draft {
        let problems = Problems::new(self.problems);
        let assignments = in_order(self.values.into_values().collect());
        let mut aliases = BTreeMap::new();
        if self.options.keep_names && self.catalog.graph.is_none() {
            for assignment in &assignments {
                if let Some(name) = assignment.value.untouched() {
                    let alias = Target::named(name.as_str());
                    aliases.entry(alias).or_insert_with(|| assignment.target.clone());
                }
            }
        }
        let plan = Plan {
            origin: self.catalog.origin.clone(),
            assignments,
            fates,
            aliases: aliases.into_iter().collect(),
            graph: Some(graph),
            warnings: self.warnings,
            powers: self.powers,
            counters: self.counters,
            averages: self.averages,
            advice: self.advice,
        };
        Draft { plan, problems }
    }
}

/// Sorted by path. Their places are sorted first: values are large to be moved about.
fn in_order(assignments: Vec<Assignment>) -> Vec<Assignment> {
    let mut order: Vec<usize> = (0..assignments.len()).collect();
    let path = |at: &usize| assignments.get(*at).map_or("", |one| one.path.as_str());
    order.sort_by(|a, b| natural(path(a), path(b)));
    let mut assignments: Vec<Option<Assignment>> = assignments.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| assignments.get_mut(at)?.take()).collect()
}
