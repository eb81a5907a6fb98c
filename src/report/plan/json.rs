//! The mapping, as machines read it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Value as Document, json};

use crate::catalog::VariableName;
use crate::mapping::{Mapping, RuleId};
use crate::plan::{Assignment, Fate, Plan, Value};
use crate::report::document::{SCHEMA, place, problem};

/// Every value, every variable, and what is worth knowing.
pub(in crate::report) fn document(plan: &Plan, mapping: &Mapping) -> Document {
    // Each is looked up once: many values come from one rule.
    let known: RefCell<BTreeMap<RuleId, Option<Document>>> = RefCell::default();
    let look = |rule: RuleId| mapping.place(rule).as_ref().map(place);
    let rule = |rule| known.borrow_mut().entry(rule).or_insert_with(|| look(rule)).clone();
    let assignment = |assignment: &Assignment| {
        let sources = assignment.value.sources();
        json!({
            "target": assignment.path,
            "key": assignment.target.key(),
            "dtype": assignment.spec.dtype().name(),
            "shape": assignment.spec.shape().dims(),
            "source": sources.first().map(|name| name.as_str()),
            "sources": sources.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
            "kept": matches!(assignment.value, Value::Template(_)),
            "constant": match &assignment.value {
                Value::Constant(constant) => Some(constant.text()),
                _ => None,
            },
            "transforms": assignment.value.steps(),
            "rule": assignment.rule.and_then(rule),
        })
    };
    let fate = |(name, fate): (&VariableName, &Fate)| {
        let (word, by) = match fate {
            Fate::Mapped(by) => ("mapped", Some(*by)),
            Fate::Dropped(by) => ("dropped", Some(*by)),
            Fate::NoTarget(by) => ("without a target", Some(*by)),
            Fate::Skipped(by) => ("skipped, because it does not fit", Some(*by)),
            Fate::Averaged => ("dropped for its average", None),
            Fate::AverageDropped => ("dropped average", None),
            Fate::Consumed(by) => ("consumed by the optimizer", Some(*by)),
            Fate::Named => ("mapped", None),
            Fate::OptimizerDropped => ("dropped with the optimizer", None),
            Fate::UnmatchedDropped => ("dropped as unmatched", None),
            Fate::Unmatched => ("unmatched", None),
            Fate::NotNeeded => ("not needed", None),
        };
        json!({ "name": name.as_str(), "fate": word, "rule": by.and_then(rule) })
    };
    json!({
        "schema": SCHEMA,
        "source": plan.origin,
        "values": plan.assignments.iter().map(assignment).collect::<Vec<_>>(),
        "variables": plan.fates.iter().map(fate).collect::<Vec<_>>(),
        "warnings": plan.warnings.iter().map(problem).collect::<Vec<_>>(),
        "averages": plan.averages.as_ref().map(|counts| json!({
            "taken": counts.taken,
            "averages": counts.averages,
            "without": counts.without.iter().map(VariableName::as_str).collect::<Vec<_>>(),
        })),
        "advice": plan.advice,
    })
}
