//! The state of planning: who claims which source, who gives which target its value.

use std::collections::BTreeMap;

use regex::Captures;

use super::sources::{Source, Sources};
use super::{Assignment, Fate, Options, Plan, Purpose, Value};
use crate::catalog::{Catalog, Storage, VariableName};
use crate::mapping::{
    Mapping, OptimizerPolicy, Problem, ProblemKind, Problems, RuleId, TargetTemplate,
};
use crate::object::{ObjectGraph, ObjectPath, SAVE_COUNTER, Target};
use crate::optimizer;
use crate::tensor::{Constant, DType, Shape, TensorSpec};
use crate::transform::Transform;

/// A plan being made.
#[derive(Debug)]
pub(super) struct Planner<'p> {
    pub(super) catalog: &'p Catalog,
    pub(super) mapping: &'p Mapping,
    pub(super) sources: Sources<'p>,
    /// Values by target path.
    pub(super) values: BTreeMap<ObjectPath, Assignment>,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

impl<'p> Planner<'p> {
    pub(super) fn new(catalog: &'p Catalog, mapping: &'p Mapping) -> Self {
        Self {
            catalog,
            mapping,
            sources: Sources::new(&catalog.variables),
            values: BTreeMap::new(),
            problems: mapping.problems.clone(),
            warnings: Vec::new(),
        }
    }

    /// Reports a problem about a rule.
    pub(super) fn report(&mut self, rule: RuleId, problem: Problem) {
        let place = self.mapping.place(rule);
        self.problems.push(problem.at(Some(rule), place));
    }

    /// What cannot be converted whatever the rules say.
    pub(super) fn check_source(&mut self) {
        if self.catalog.graph.is_some() {
            let message = format!("`{}` is object-based (TF2) already", self.catalog.origin);
            let problem = Problem::new(ProblemKind::Source, message);
            self.problems.push(problem.help("give a name-based (TF1) checkpoint"));
        }
        for key in &self.catalog.unnamable {
            let message =
                format!("the key `{}` is no text, so no rule can name it", key.escape_ascii());
            self.problems.push(Problem::new(ProblemKind::Source, message));
        }
    }

    /// Takes optimizer state away before any rule sees it.
    pub(super) fn optimizer(&mut self) {
        let Some(state) = optimizer::detect(self.catalog) else { return };
        match self.mapping.optimizer {
            Some(OptimizerPolicy::Plain) => return,
            Some(_) => {}
            None => {
                let message = format!("the checkpoint holds optimizer state: {}", state.summary());
                let help = "write `optimizer: drop` to leave it behind, \
                            or `optimizer: plain` to let rules treat it as ordinary variables";
                self.problems.push(Problem::new(ProblemKind::Optimizer, message).help(help));
            }
        }
        for source in self.sources.all.iter_mut().filter(|source| state.holds(source.name)) {
            source.fate = Some(Fate::OptimizerDropped);
        }
    }

    /// Gives source `i` the place `to`, as `rule` says. Problems are reported, and the source
    /// counts as claimed all the same: one mistake must not become two.
    pub(super) fn claim(
        &mut self,
        i: usize,
        to: &[TargetTemplate],
        captures: Option<&Captures<'_>>,
        below: &[String],
        apply: &[Transform],
        rule: RuleId,
    ) {
        let Some(source) = self.sources.all.get_mut(i) else { return };
        source.fate = Some(Fate::Mapped(rule));
        let (name, variable) = (source.name.clone(), source.variable);
        if let Storage::Slices(slices) = variable.storage {
            let message =
                format!("`{name}` is partitioned into {slices} slices, which cannot be read yet");
            return self.report(rule, Problem::new(ProblemKind::Source, message));
        }
        let mut spec = variable.spec.clone();
        let mut value = Value::Variable(name.clone());
        for transform in apply {
            match transform.op().infer(&spec) {
                Ok(inferred) => spec = inferred,
                Err(error) => {
                    let message = format!("`{name}`: {error}");
                    return self.report(rule, Problem::new(ProblemKind::Shape, message));
                }
            }
            value = Value::Apply(transform.clone(), Box::new(value));
        }
        for target in to {
            match self.path(target, captures, below) {
                Ok(path) => self.assign(path, spec.clone(), value.clone(), Some(rule)),
                Err(reason) => {
                    let message = format!("no target for `{name}`: {reason}");
                    self.report(rule, Problem::new(ProblemKind::Template, message));
                }
            }
        }
    }

    /// The path a target template makes of a match, with `below` put behind it.
    pub(super) fn path(
        &self,
        target: &TargetTemplate,
        captures: Option<&Captures<'_>>,
        below: &[String],
    ) -> Result<ObjectPath, String> {
        let (absolute, labels) = match target {
            TargetTemplate::Path { template, absolute } => {
                (*absolute, template.expand_path(captures)?)
            }
            TargetTemplate::Labels(labels) => {
                let labels = labels.iter().map(|label| label.expand(captures));
                (false, labels.collect::<Result<Vec<_>, _>>()?)
            }
        };
        let root = if absolute { &[][..] } else { &self.mapping.root[..] };
        let labels: Vec<String> = root.iter().chain(&labels).chain(below).cloned().collect();
        ObjectPath::new(labels).map_err(|error| error.to_string())
    }

    /// Gives a target its value, unless it has one.
    pub(super) fn assign(
        &mut self,
        path: ObjectPath,
        spec: TensorSpec,
        value: Value,
        rule: Option<RuleId>,
    ) {
        if let Some(first) = self.values.get(&path) {
            let describe = |value: &Value| match value.source() {
                Some(name) => format!("`{name}`"),
                None => "a constant".to_owned(),
            };
            let message = format!(
                "`{path}` gets two values: {} and {}",
                describe(&first.value),
                describe(&value)
            );
            let mut problem = Problem::new(ProblemKind::Collision, message);
            if first.rule == rule {
                problem =
                    problem.help("one rule sends both there: use a group of the pattern in `to`");
            } else if let Some(first) = first.rule {
                problem =
                    problem.related(self.mapping.place(first), "the first value comes from here");
            }
            let place = rule.and_then(|rule| self.mapping.place(rule));
            self.problems.push(problem.at(rule, place));
            return;
        }
        let target = Target::variable(&path);
        self.values.insert(path.clone(), Assignment { target, path, spec, value, rule });
    }

    /// Constants for leaves that no source has.
    pub(super) fn fills(&mut self) {
        for fill in &self.mapping.fills {
            match self.path(&fill.leaf, None, &[]) {
                Ok(path) => {
                    let value = Value::Constant(fill.value.clone());
                    self.assign(path, fill.value.spec().clone(), value, Some(fill.id));
                }
                Err(reason) => {
                    let message = format!("not a leaf to fill: {reason}");
                    self.report(fill.id, Problem::new(ProblemKind::Template, message));
                }
            }
        }
    }

    /// The counter that `restore` asks for.
    pub(super) fn save_counter(&mut self, options: &Options) {
        let Ok(path) = ObjectPath::new([SAVE_COUNTER.to_owned()]) else { return };
        if options.purpose == Purpose::Read || self.values.contains_key(&path) {
            return;
        }
        let Ok(spec) = TensorSpec::new(DType::Int64, Shape::scalar()) else { return };
        let count = options.save_counter.unwrap_or(1);
        let Some(constant) = Constant::new(spec.clone(), f64::from(count)) else { return };
        self.assign(path, spec, Value::Constant(constant), None);
    }

    /// The plan, or everything that is wrong.
    pub(super) fn finish(
        self,
        fates: BTreeMap<VariableName, Fate>,
        graph: ObjectGraph,
        options: &Options,
    ) -> Result<Plan, Problems> {
        if let Some(problems) = Problems::new(self.problems) {
            return Err(problems);
        }
        let assignments: Vec<Assignment> = self.values.into_values().collect();
        let mut aliases = BTreeMap::new();
        if options.keep_names {
            for assignment in &assignments {
                if let Some(name) = assignment.value.untouched() {
                    let alias = Target::named(name.as_str());
                    aliases.entry(alias).or_insert_with(|| assignment.target.clone());
                }
            }
        }
        Ok(Plan {
            origin: self.catalog.origin.clone(),
            assignments,
            fates,
            aliases: aliases.into_iter().collect(),
            graph,
            warnings: self.warnings,
        })
    }
}

impl Source<'_> {
    /// The labels below a layer whose variables lie below `scope`, leaf included.
    pub(super) fn labels_below(&self, scope: &str) -> Vec<String> {
        let rest = self.current.strip_prefix(scope).unwrap_or(&self.current);
        rest.trim_start_matches('/').split('/').map(str::to_owned).collect()
    }
}
