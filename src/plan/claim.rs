//! The state of planning: who claims which source, who gives which target its value.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use regex::Captures;

use super::pipeline::{self, Flow, Unfit};
use super::sources::{Source, Sources};
use super::spot::{NoSpot, Spot};
use super::template::Template;
use super::{Assignment, AverageCounts, Fate, Options, Power, Value};
use crate::catalog::{Catalog, VariableName};
use crate::mapping::{
    MapRule, Mapping, Place, Problem, ProblemKind, Problems, Rule, RuleId, Step, TargetTemplate,
};
use crate::names::Guesses;
use crate::object::{ObjectPath, Target};
use crate::tensor::TensorSpec;
use crate::transform::{Reshape, Transform};

/// A plan being made.
#[derive(Debug)]
pub(super) struct Planner<'p> {
    pub(super) catalog: &'p Catalog,
    pub(super) mapping: &'p Mapping,
    pub(super) template: Option<Template<'p>>,
    pub(super) options: &'p Options,
    pub(super) sources: Sources<'p>,
    /// Values by key.
    pub(super) values: BTreeMap<Target, Assignment>,
    /// Where their objects go, if there is no template.
    pub(super) paths: Vec<ObjectPath>,
    /// Scopes that a problem speaks of already.
    pub(super) excused: Vec<String>,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
    pub(super) powers: BTreeMap<VariableName, Power>,
    pub(super) counters: BTreeMap<VariableName, Target>,
    pub(super) advice: Vec<String>,
    /// Averages that stand for raw variables.
    pub(super) raw: BTreeMap<VariableName, VariableName>,
    /// Averages that are taken, whether or not the raw variable is there.
    pub(super) shadows: BTreeSet<VariableName>,
    pub(super) averages: Option<AverageCounts>,
    /// Rules that found something, even if it was claimed above.
    pub(super) found: BTreeSet<RuleId>,
    /// Targets that keep the template's value because nothing fits.
    pub(super) skipped: BTreeSet<Target>,
    /// Targets that a problem speaks of already.
    pub(super) troubled: BTreeSet<Target>,
    /// Where rules stand that problems are about.
    places: RefCell<BTreeMap<RuleId, Option<Place>>>,
    pub(super) guesses: Guesses,
}

/// What a rule does with the variables it claims.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'c> {
    /// Where they go.
    pub(super) to: &'c [TargetTemplate],
    /// What is done to them on the way.
    pub(super) apply: &'c [Step],
    /// Whether the template may lack the target.
    pub(super) optional: bool,
    /// Whether the template keeps its value where the shapes do not fit.
    pub(super) skip_mismatch: bool,
    /// The rule.
    pub(super) rule: RuleId,
}

impl<'c> Claim<'c> {
    /// As a rule with patterns says.
    pub(super) fn of(rule: &Rule, map: &'c MapRule) -> Self {
        let MapRule { to, apply, optional, skip_mismatch, .. } = map;
        let (optional, skip_mismatch) = (*optional, *skip_mismatch);
        Self { to, apply, optional, skip_mismatch, rule: rule.id }
    }
}

impl<'p> Planner<'p> {
    /// Fails only where a template is no template: nothing can be planned then.
    pub(super) fn new(
        catalog: &'p Catalog,
        mapping: &'p Mapping,
        template: Option<&'p Catalog>,
        options: &'p Options,
    ) -> Result<Self, Problems> {
        let problems = mapping.problems.clone();
        let template = match template.map(|like| (like, Template::new(like, &mapping.root))) {
            None => None,
            Some((_, Some(Ok(template)))) => Some(template),
            Some((like, wrong)) => {
                let (message, help) = match wrong {
                    Some(Err(reason)) => {
                        (format!("`root` leads nowhere: {reason}"), "give the template's own label")
                    }
                    _ => (
                        format!("`{}` has no object graph, so it is no template", like.origin),
                        "write one from the new model: `tf.train.Checkpoint(model=model).write(…)`",
                    ),
                };
                let problem = Problem::new(ProblemKind::Missing, message).help(help);
                return Err(Problems::with(problem, problems));
            }
        };
        Ok(Self {
            catalog,
            mapping,
            template,
            options,
            sources: Sources::new(catalog),
            values: BTreeMap::new(),
            paths: Vec::new(),
            excused: Vec::new(),
            problems,
            warnings: Vec::new(),
            powers: BTreeMap::new(),
            counters: BTreeMap::new(),
            advice: Vec::new(),
            raw: BTreeMap::new(),
            shadows: BTreeSet::new(),
            averages: None,
            found: BTreeSet::new(),
            skipped: BTreeSet::new(),
            troubled: BTreeSet::new(),
            places: RefCell::default(),
            guesses: Guesses::default(),
        })
    }

    /// Where a rule stands, looked up once.
    pub(super) fn place_of(&self, rule: RuleId) -> Option<Place> {
        let mut known = self.places.borrow_mut();
        known.entry(rule).or_insert_with(|| self.mapping.place(rule)).clone()
    }

    /// Reports a problem about a rule.
    pub(super) fn report(&mut self, rule: RuleId, problem: Problem) {
        let place = self.place_of(rule);
        self.problems.push(problem.at(Some(rule), place));
    }

    /// Notes something about a rule that may be wrong.
    pub(super) fn warn(&mut self, rule: RuleId, problem: Problem) {
        let place = self.place_of(rule);
        self.warnings.push(problem.at(Some(rule), place));
    }

    /// What cannot be converted whatever the rules say.
    pub(super) fn check_source(&mut self) {
        if self.catalog.graph.is_some() && self.template.is_none() {
            let message = format!("`{}` is object-based (TF2) already", self.catalog.origin);
            let help = "it can be converted for another model: give a template with `--like`";
            self.problems.push(Problem::new(ProblemKind::Source, message).help(help));
        }
        for key in &self.catalog.unnamable {
            let message =
                format!("the key `{}` is no text, so no rule can name it", key.escape_ascii());
            self.problems.push(Problem::new(ProblemKind::Source, message));
        }
    }

    /// Gives sources their places, as a rule says. Problems are reported, and the sources count as
    /// claimed all the same: one mistake must not become two.
    pub(super) fn claim(
        &mut self,
        sources: &[usize],
        claim: Claim<'_>,
        captures: Option<&Captures<'_>>,
        below: &[String],
    ) {
        let first = sources.first().and_then(|&i| self.sources.all.get(i));
        let Some(name) = first.map(|source| source.name) else { return };
        let mut spots = Vec::new();
        let mut absent = Vec::new();
        for target in claim.to {
            match self.spots(target, captures, below) {
                Ok(found) => spots.push(found),
                Err(NoSpot::Absent(lack)) if claim.optional => {
                    absent.push(lack);
                    spots.push(Vec::new());
                }
                Err(none) => {
                    let message = format!("no target for `{name}`: {}", self.why(&none));
                    self.report(claim.rule, Problem::new(ProblemKind::Template, message));
                    spots.push(Vec::new());
                }
            }
        }
        if !absent.is_empty() && spots.iter().all(Vec::is_empty) {
            return self.decide(sources, Fate::NoTarget(claim.rule));
        }
        // Where every target has a value of its own, one that is not there loses something.
        let joined = claim.apply.iter().any(Step::joins);
        let own = claim.apply.iter().any(Step::parts) || (sources.len() > 1 && !joined);
        if let Some(lack) = absent.first().filter(|_| own) {
            let message = format!("a part of `{name}` has no target: {}", self.lacks(lack));
            let help = "`slice` takes a part of a value and leaves the rest behind";
            self.report(claim.rule, Problem::new(ProblemKind::Template, message).help(help));
        }
        if !own {
            spots.retain(|spots| !spots.is_empty());
        }
        self.give(sources, claim, spots);
    }

    /// A problem is reported about the rule that would have filled these: that they get no value is
    /// no news.
    pub(super) fn excuse<'s>(&mut self, spots: impl IntoIterator<Item = &'s Spot>) {
        self.troubled.extend(spots.into_iter().map(|spot| spot.target.clone()));
    }

    pub(super) fn decide(&mut self, sources: &[usize], fate: Fate) {
        for &i in sources {
            if let Some(source) = self.sources.all.get_mut(i) {
                source.fate = Some(fate);
            }
        }
    }

    /// Sends sources through a pipeline to these places, of which each target has some.
    pub(super) fn give(&mut self, sources: &[usize], claim: Claim<'_>, spots: Vec<Vec<Spot>>) {
        self.decide(sources, Fate::Mapped(claim.rule));
        let found = sources.iter().filter_map(|&i| self.sources.all.get(i));
        let flows = found.map(|source| {
            let value = Value::Variable(source.name.clone());
            (source.name.to_string(), Flow { value, spec: source.variable.spec.clone() })
        });
        let (names, flows): (Vec<String>, Vec<Flow>) = flows.unzip();
        // A join may be of thousands.
        let name = match names.as_slice() {
            [first, second, third, _, ..] => {
                format!("{first}`, `{second}`, `{third}` and {} more: `…", names.len() - 3)
            }
            names => names.join("`, `"),
        };
        let wants: Vec<Option<&TensorSpec>> =
            spots.iter().map(|spots| spots.first()?.wants.as_ref()).collect();
        let flows = match pipeline::run(claim.apply, flows, &wants, self.catalog) {
            Ok(flows) => flows,
            Err(Unfit { reason, other_size }) => {
                let problem = Problem::new(ProblemKind::Shape, format!("`{name}`: {reason}"));
                if claim.skip_mismatch && other_size {
                    for spot in spots.into_iter().flatten() {
                        self.skip(claim.rule, spot, &problem);
                    }
                    return self.decide(sources, Fate::Skipped(claim.rule));
                }
                let problem = match self.parameters() {
                    Some(help) if other_size => problem.help(help),
                    _ => problem,
                };
                self.report(claim.rule, problem);
                return self.excuse(spots.iter().flatten());
            }
        };
        let mut placed = 0;
        for (spots, flow) in spots.into_iter().zip(flows) {
            for spot in spots {
                placed += usize::from(self.put(claim, &name, spot, flow.clone()));
            }
        }
        if placed == 0 && claim.skip_mismatch {
            self.decide(sources, Fate::Skipped(claim.rule));
        }
    }

    /// Gives one place its value; `false` where it keeps the template's.
    fn put(&mut self, claim: Claim<'_>, name: &str, spot: Spot, flow: Flow) -> bool {
        let Flow { value, spec } = flow;
        if let Some(problem) = misfit(name, &spec, &spot) {
            let same_type = spot.wants.as_ref().is_some_and(|wants| wants.dtype() == spec.dtype());
            if claim.skip_mismatch && same_type {
                self.skip(claim.rule, spot, &problem);
                return false;
            }
            let cast = claim.apply.iter().rev().find_map(|step| match step {
                Step::Each(cast @ Transform::Cast(_)) => Some(cast),
                _ => None,
            });
            let problem = match cast {
                Some(cast) => problem.help(format!("is `{cast}` what the template has?")),
                None => problem,
            };
            self.excuse([&spot]);
            self.report(claim.rule, problem);
        }
        self.assign(spot, spec, value, Some(claim.rule));
        true
    }

    /// What else the rules can be told.
    fn parameters(&self) -> Option<String> {
        let params = self.mapping.params.iter();
        let set: Vec<String> =
            params.map(|(name, value)| format!("`--set {name}={value}`")).collect();
        let help = "is it a model of another size? the rules have parameters, which are now";
        (!set.is_empty()).then(|| format!("{help} {}", set.join(", ")))
    }

    /// A place keeps the template's value, which the user hears of.
    fn skip(&mut self, rule: RuleId, spot: Spot, problem: &Problem) {
        let message = format!("skipped: {}; the template's value is kept", problem.message);
        self.warn(rule, Problem::new(ProblemKind::Shape, message));
        self.skipped.insert(spot.target.clone());
        self.keep(spot);
    }

    /// Gives a target its value, unless it has one.
    pub(super) fn assign(
        &mut self,
        spot: Spot,
        spec: TensorSpec,
        value: Value,
        rule: Option<RuleId>,
    ) {
        let Spot { target, shown, path, .. } = spot;
        if let Some(first) = self.values.get(&target) {
            let message = format!(
                "`{shown}` gets two values: {} and {}",
                described(&first.value),
                described(&value)
            );
            let mut problem = Problem::new(ProblemKind::Collision, message);
            if first.rule == rule {
                problem =
                    problem.help("one rule sends both there: use a group of the pattern in `to`");
            } else if let Some(first) = first.rule {
                let help = "give one of them another target, or `drop` it";
                problem = problem
                    .related(self.place_of(first), "the first value comes from here")
                    .help(help);
            }
            let place = rule.and_then(|rule| self.place_of(rule));
            self.problems.push(problem.at(rule, place));
            return;
        }
        self.paths.extend(path);
        let assignment = Assignment { target: target.clone(), path: shown, spec, value, rule };
        self.values.insert(target, assignment);
    }
}

fn described(value: &Value) -> String {
    match value.sources().first() {
        Some(name) => format!("`{name}`"),
        None if matches!(value, Value::Template(_)) => "the template's own".to_owned(),
        None => "a constant".to_owned(),
    }
}

/// A value that its place does not take.
pub(super) fn misfit(name: &str, spec: &TensorSpec, spot: &Spot) -> Option<Problem> {
    let wants = spot.wants.as_ref().filter(|wants| *wants != spec)?;
    let message = format!("`{name}` {spec} does not fit {} {wants}", spot.called());
    let problem = Problem::new(ProblemKind::Shape, message);
    let (have, want) = (spec.shape(), wants.shape());
    let reversed: Vec<u64> = have.dims().iter().rev().copied().collect();
    Some(if spec.dtype() != wants.dtype() {
        let dtype = wants.dtype();
        let help =
            format!("a value never changes its dtype by itself: `apply: [{{cast: {dtype}}}]`");
        problem.help(help)
    } else if reversed == want.dims() {
        problem
            .help("reversed axes would fit: `apply: [transpose]`, if that is what the layers mean")
    } else if Reshape::keeps_order(have, want) {
        problem.help("`apply: [{reshape: target}]` splits and merges neighbouring axes")
    } else if have.elements() == want.elements() {
        let dims: Vec<String> = want.dims().iter().map(u64::to_string).collect();
        problem.help(format!(
            "the same number of elements: `apply: [{{reshape: [{}]}}]`, if their order is the same",
            dims.join(", ")
        ))
    } else {
        problem.help("is it another layer, or a model of another size?")
    })
}

impl Source<'_> {
    /// The labels below a layer whose variables lie below `scope`, leaf included.
    pub(super) fn labels_below(&self, scope: &str) -> Vec<String> {
        let rest = self.current.strip_prefix(scope).unwrap_or(&self.current);
        rest.trim_start_matches('/').split('/').map(str::to_owned).collect()
    }
}
