//! A plan run backwards: from TF2 objects to TF1 names.
//!
//! The forward plan, from the old checkpoint to the new one, is made with the same rules; then each
//! old variable is worked out from the value it became. Every kind of rule can be reversed so,
//! because only values and their transforms are looked at.

mod way;

use std::collections::BTreeMap;

use crate::catalog::{Catalog, VariableName};
use crate::mapping::{Mapping, Problem, ProblemKind, Problems, RuleId};
use crate::object::{ObjectGraph, Target, VARIABLE_VALUE};
use crate::optimizer::steps_taken;
use crate::plan::{Assignment, Fate, Options, Plan, Power, Value, plan};
use crate::tensor::{Constant, TensorSpec};
use way::{Became, Way, rounds, way_back, ways};

/// Works out the way back from `new`, with the rules that led there from `old`: the forward plan is
/// made first, and whatever TF1 has no counterpart of stays behind.
pub fn plan_back(
    old: &Catalog,
    new: &Catalog,
    mapping: &Mapping,
    options: &Options,
    has_data: &dyn Fn(&VariableName) -> bool,
) -> Result<Plan, Problems> {
    let options = Options { keep_missing: true, backwards: true, ..options.clone() };
    let forward = plan(old, mapping, Some(new), &options)?;
    reverse(&forward, old, new, has_data)
}

/// What every old variable is worked out from.
///
/// `forward` leads from `old` to a checkpoint with the objects of `new`. `has_data` tells whether a
/// variable's own value can be read from the old checkpoint, which then serves where there is no
/// way back; its index alone serves for everything else.
pub fn reverse(
    forward: &Plan,
    old: &Catalog,
    new: &Catalog,
    has_data: &dyn Fn(&VariableName) -> bool,
) -> Result<Plan, Problems> {
    let mut became: BTreeMap<&VariableName, Vec<Became<'_>>> = BTreeMap::new();
    for assignment in &forward.assignments {
        match ways(&assignment.value, old) {
            Some((_, leaves)) => {
                for (name, steps) in leaves {
                    became.entry(name).or_default().push((assignment, Some(steps)));
                }
            }
            None => {
                for name in assignment.value.sources() {
                    became.entry(name).or_default().push((assignment, None));
                }
            }
        }
    }
    let mut assignments = Vec::new();
    let mut problems = Vec::new();
    let mut notes = Vec::new();
    let mut used = BTreeMap::new();
    for (name, variable) in &old.variables {
        if let Some(counter) = forward.counters.get(name)
            && let Some(steps) = new.scalar(counter.key())
            && let Some(constant) = Constant::new(variable.spec.clone(), steps)
        {
            assignments.push(named(name, &variable.spec, Value::Constant(constant), None));
            continue;
        }
        if let Some(power) = forward.powers.get(name) {
            // What the old checkpoint counted, if it has a counter of its own.
            let counter =
                forward.assignments.iter().find(|counter| counter.target == power.iterations);
            let counter = counter.and_then(|counter| counter.value.sources().first().copied());
            let mut kept = forward.counters.iter();
            let kept = kept.find(|(_, target)| **target == power.iterations).map(|(name, _)| name);
            let counted = counter.or(kept).and_then(|counter| old.scalar(counter.as_str()));
            match power_value(name, power, &variable.spec, counted, (old, new), has_data) {
                Ok(value) => assignments.push(named(name, &variable.spec, value, None)),
                Err(problem) => problems.push(*problem),
            }
            continue;
        }
        let candidates = became.get(name).map(Vec::as_slice).unwrap_or_default();
        let back = way_back(&variable.spec, candidates, new);
        let (value, rule) = match back {
            Some(Way { value, rule, keys, others }) => {
                if let (Some(key), Some(other)) = (keys.first(), others.first()) {
                    let message = format!(
                        "`{name}` went to several values: `{key}` is taken back, `{other}` is not"
                    );
                    notes.push(Problem::new(ProblemKind::Name, message));
                }
                // Momentum is always scaled, and comes back within a bit.
                let is_slot = rule.is_some_and(|rule| matches!(forward.fates.get(name), Some(Fate::Consumed(of)) if *of == rule));
                if rounds(&value) && !is_slot {
                    let message =
                        format!("`{name}` comes back rounded: the rules calculate with it");
                    notes.push(Problem::new(ProblemKind::Value, message));
                }
                used.extend(keys.into_iter().map(|key| (key, rule)));
                (value, rule)
            }
            None if has_data(name) => {
                // Beside values of the new checkpoint an old one must be known to be old.
                let other_kept =
                    matches!(forward.fates.get(name), Some(Fate::Averaged | Fate::AverageDropped));
                if !candidates.is_empty()
                    || other_kept
                    || (name.as_str() == "global_step" && !forward.powers.is_empty())
                {
                    let message = format!(
                        "`{name}` is taken from the old checkpoint as it is: there is no way back to it"
                    );
                    notes.push(Problem::new(ProblemKind::Missing, message));
                }
                (Value::Template(name.clone()), None)
            }
            None => {
                let why = if candidates.is_empty() {
                    "the rules do not convert it"
                } else {
                    "its transform has no inverse"
                };
                let message = format!("`{name}` cannot be worked out: {why}");
                let help =
                    "its value would be taken from the old checkpoint, whose data is not there";
                problems.push(Problem::new(ProblemKind::Missing, message).help(help));
                continue;
            }
        };
        assignments.push(named(name, &variable.spec, value, rule));
    }
    match Problems::new(problems) {
        Some(problems) => Err(problems),
        None => Ok(name_based(new, assignments, &used, notes)),
    }
}

/// A power of beta after the steps that have been taken by now, which may be more than then.
fn power_value(
    name: &VariableName,
    power: &Power,
    spec: &TensorSpec,
    counted: Option<f64>,
    (old, new): (&Catalog, &Catalog),
    has_data: &dyn Fn(&VariableName) -> bool,
) -> Result<Value, Box<Problem>> {
    let refuse = |message: String, help: &str| {
        Err(Box::new(Problem::new(ProblemKind::Optimizer, message).help(help)))
    };
    let Some(steps) = new.scalar(power.iterations.key()) else {
        let message = format!("`{name}` cannot be worked out: the number of steps cannot be read");
        return refuse(message, "the TF2 checkpoint's data files must be there");
    };
    let then = power.beta.zip(old.scalar(name.as_str()));
    let then = then.and_then(|(beta, power)| steps_taken(power, beta)).map(f64::from);
    // Bit for bit, if no step was taken since.
    if (then == Some(steps) || counted == Some(steps)) && has_data(name) {
        return Ok(Value::Template(name.clone()));
    }
    let Some(beta) = power.beta else {
        let message = format!("`{name}` cannot be worked out: its beta is not known");
        return refuse(message, "give `beta_1` and `beta_2` in the rules' `optimizer` block");
    };
    match Constant::new(spec.clone(), beta.powf(steps + 1.0)) {
        Some(constant) => Ok(Value::Constant(constant)),
        None => refuse(format!("`{name}` is {spec}, which holds no power of beta"), "is it one?"),
    }
}

fn named(name: &VariableName, spec: &TensorSpec, value: Value, rule: Option<RuleId>) -> Assignment {
    let target = Target::named(name.as_str());
    Assignment { target, path: name.to_string(), spec: spec.clone(), value, rule }
}

/// The way back without the old checkpoint: every value under the TF1 name its object remembers.
pub fn by_full_name(new: &Catalog) -> Result<Plan, Problems> {
    let mut assignments: BTreeMap<&str, Assignment> = BTreeMap::new();
    let mut problems = Vec::new();
    let values = new
        .graph
        .iter()
        .flat_map(ObjectGraph::attributes)
        .filter(|(_, value)| value.name == VARIABLE_VALUE && !value.full_name.is_empty());
    for (_, attribute) in values {
        let Some((key, variable)) = new.variables.get_key_value(attribute.key.as_str()) else {
            continue;
        };
        let assignment = Assignment {
            target: Target::named(attribute.full_name.as_str()),
            path: attribute.full_name.clone(),
            spec: variable.spec.clone(),
            value: Value::Variable(key.clone()),
            rule: None,
        };
        let first = assignments.insert(&attribute.full_name, assignment.clone());
        if let Some(first) = first.filter(|first| first.value != assignment.value) {
            let message = format!(
                "`{}` is the name of two values: `{}` and `{}`",
                attribute.full_name,
                first.value.sources().first().map_or("", |name| name.as_str()),
                attribute.key
            );
            let help = "names do not tell them apart: give the rules and the old checkpoint, `--map RULES --like OLD`";
            problems.push(Problem::new(ProblemKind::Name, message).help(help));
        }
    }
    if assignments.is_empty() && problems.is_empty() {
        let message = format!("no value of `{}` remembers a TF1 name", new.origin);
        let help = "give the rules and the old checkpoint: `--map RULES --like OLD`";
        problems.push(Problem::new(ProblemKind::Name, message).help(help));
    }
    if let Some(problems) = Problems::new(problems) {
        return Err(problems);
    }
    Ok(name_based(new, assignments.into_values().collect(), &BTreeMap::new(), Vec::new()))
}

fn name_based(
    new: &Catalog,
    assignments: Vec<Assignment>,
    used: &BTreeMap<VariableName, Option<RuleId>>,
    warnings: Vec<Problem>,
) -> Plan {
    let taken: BTreeMap<&VariableName, Option<RuleId>> = assignments
        .iter()
        .flat_map(|assignment| {
            assignment.value.sources().into_iter().map(|name| (name, assignment.rule))
        })
        .collect();
    let fate = |name: &VariableName| {
        let rule = used.get(name).or_else(|| taken.get(name));
        match rule {
            Some(Some(rule)) => Fate::Mapped(*rule),
            Some(None) => Fate::Named,
            None => Fate::NotNeeded,
        }
    };
    Plan {
        origin: new.origin.clone(),
        fates: new.variables.keys().map(|name| (name.clone(), fate(name))).collect(),
        assignments,
        aliases: Vec::new(),
        graph: None,
        warnings,
        powers: BTreeMap::new(),
        counters: BTreeMap::new(),
        averages: None,
        advice: Vec::new(),
    }
}
