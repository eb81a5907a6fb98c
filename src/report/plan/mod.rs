//! What a conversion would do, for people and for machines.

mod json;
mod text;

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{display_name, escape};
use crate::mapping::{Mapping, RuleId};
use crate::names::counted;
use crate::plan::{Fate, Plan, Value};

pub(super) use json::document;
pub(super) use text::{left_behind, text};

/// What a value is made of.
pub(super) fn origin(value: &Value) -> Cow<'_, str> {
    match (value.sources().as_slice(), value) {
        ([], Value::Constant(constant)) => format!("= {}", constant.text()).into(),
        ([], Value::Template(_)) => "(the template's)".into(),
        ([], _) => "".into(),
        ([name], _) => display_name(name.as_str()),
        ([first, .., last], _) => {
            let (first, last) = (display_name(first.as_str()), display_name(last.as_str()));
            format!("{first} … {last}").into()
        }
    }
}

/// `6 variables: 5 mapped, 1 dropped; 7 values written, 1 of them transformed`.
pub(super) fn summary(plan: &Plan) -> String {
    let count = |wanted: fn(&Fate) -> bool| plan.fates.values().filter(|fate| wanted(fate)).count();
    let mut fates = vec![format!(
        "{} mapped",
        count(|fate| matches!(fate, Fate::Mapped(_) | Fate::Named | Fate::Consumed(_)))
    )];
    let dropped = |fate: &Fate| {
        matches!(
            fate,
            Fate::Dropped(_)
                | Fate::OptimizerDropped
                | Fate::UnmatchedDropped
                | Fate::NoTarget(_)
                | Fate::Skipped(_)
                | Fate::Averaged
                | Fate::AverageDropped
        )
    };
    for (word, n) in [
        ("dropped", count(dropped)),
        ("not needed", count(|fate| *fate == Fate::NotNeeded)),
        ("unmatched", count(|fate| *fate == Fate::Unmatched)),
    ] {
        if n > 0 {
            fates.push(format!("{n} {word}"));
        }
    }
    let values = counted(plan.assignments.len(), "value");
    let with = |wanted: fn(&Value) -> bool| {
        plan.assignments.iter().filter(|assignment| wanted(&assignment.value)).count()
    };
    let untouched = with(|value| value.untouched().is_some());
    let transformed = with(|value| matches!(value, Value::Apply(..) | Value::Concat { .. }));
    let constant = with(|value| matches!(value, Value::Constant(_)));
    let mut kinds = vec![format!("{untouched} bit for bit")];
    kinds.extend((transformed > 0).then(|| format!("{transformed} transformed")));
    kinds.extend((constant > 0).then(|| format!("{constant} constant")));
    let kept = with(|value| matches!(value, Value::Template(_)));
    kinds.extend((kept > 0).then(|| format!("{kept} the template's own")));
    let (variables, fates) = (counted(plan.fates.len(), "variable"), fates.join(", "));
    format!("{variables}: {fates}; {values}: {}", kinds.join(", "))
}

/// Lines of rules, looked up once each.
pub(super) struct Places<'m> {
    mapping: &'m Mapping,
    known: BTreeMap<RuleId, String>,
}

impl<'m> Places<'m> {
    /// Nothing is looked up yet.
    pub(super) fn new(mapping: &'m Mapping) -> Self {
        Self { mapping, known: BTreeMap::new() }
    }

    /// File and line of a rule.
    pub(super) fn line(&mut self, rule: RuleId) -> String {
        let look = || {
            let place = self.mapping.place(rule);
            place.map(|place| {
                let name = place.source.name.rsplit('/').next().unwrap_or_default();
                format!("{}:{}", escape(name), place.line())
            })
        };
        self.known.entry(rule).or_insert_with(|| look().unwrap_or_default()).clone()
    }
}
