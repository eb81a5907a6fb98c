//! The mapping, as people read it.

use std::collections::HashMap;
use std::io::{self, Write};

use super::{Places, origin, summary};
use crate::mapping::{Mapping, RuleId};
use crate::names::counted;
use crate::plan::{Assignment, AverageCounts, Fate, Plan};
use crate::report::page::{Ink, Page};
use crate::report::{display_name, escape};
use crate::tensor::TensorSpec;

/// Target, arrow, source, spec, steps, rule.
const MAPPED: [Ink; 6] = [Ink::Plain, Ink::Faint, Ink::Plain, Ink::Faint, Ink::Active, Ink::Faint];

/// A line for each value, then what is left behind, and a last one that counts.
pub(in crate::report) fn text(
    plan: &Plan,
    mapping: &Mapping,
    out: &mut Page<'_>,
) -> io::Result<()> {
    let mut places = Places::new(mapping);
    let rules = plan.assignments.iter().filter_map(|assignment| assignment.rule);
    let lines: HashMap<RuleId, String> = rules.map(|rule| (rule, places.line(rule))).collect();
    // Many values are of few sorts.
    let mut specs: HashMap<&TensorSpec, String> = HashMap::new();
    for Assignment { spec, .. } in &plan.assignments {
        specs.entry(spec).or_insert_with(|| spec.to_string());
    }
    let rows = plan.assignments.iter().map(|assignment| {
        let Assignment { path, spec, value, rule, .. } = assignment;
        let rule = rule.and_then(|rule| lines.get(&rule)).map_or("", String::as_str);
        let spec = specs.get(spec).map_or("", String::as_str);
        let steps = value.steps().join(", ");
        [escape(path), "<-".into(), origin(value), spec.into(), steps.into(), rule.into()]
    });
    out.table(&MAPPED, rows)?;
    left_behind(plan, &mut places, out)?;
    if let Some(counts) = &plan.averages {
        writeln!(out, "{}", averages(counts))?;
    }
    if !plan.advice.is_empty() {
        writeln!(out, "the same training still depends on:")?;
    }
    for advice in &plan.advice {
        writeln!(out, "  {}", escape(advice))?;
    }
    writeln!(out, "{}", summary(plan))
}

/// Which of two values was taken, and how often there was no choice.
fn averages(counts: &AverageCounts) -> String {
    let AverageCounts { taken, averages, without } = counts;
    let averages = counted(*averages, "average");
    match (taken, without.first()) {
        (false, _) => format!("{averages} left behind: raw values are taken"),
        (true, None) => format!("{averages} taken, no variable is without one"),
        (true, Some(first)) => {
            let (first, more) =
                (display_name(first.as_str()), if without.len() > 1 { ", …" } else { "" });
            format!(
                "{averages} taken; {} without one: {first}{more}",
                counted(without.len(), "variable")
            )
        }
    }
}

/// Sources that go nowhere, a line each.
pub(in crate::report) fn left_behind(
    plan: &Plan,
    places: &mut Places<'_>,
    out: &mut Page<'_>,
) -> io::Result<()> {
    let rows: Vec<_> = plan
        .fates
        .iter()
        .filter_map(|(name, fate)| {
            let (word, rule) = match fate {
                Fate::Dropped(rule) => ("dropped", places.line(*rule)),
                Fate::Mapped(_) | Fate::Named | Fate::Consumed(_) => return None,
                Fate::NoTarget(rule) => ("no target", places.line(*rule)),
                Fate::Skipped(rule) => ("skipped", places.line(*rule)),
                Fate::Averaged => ("dropped", "its average is taken".to_owned()),
                Fate::AverageDropped => ("dropped", "average".to_owned()),
                Fate::OptimizerDropped => ("dropped", "optimizer state".to_owned()),
                Fate::UnmatchedDropped => ("dropped", "unmatched: drop".to_owned()),
                Fate::Unmatched => ("unmatched", String::new()),
                Fate::NotNeeded => ("not needed", String::new()),
            };
            Some([word.to_owned(), display_name(name.as_str()).into_owned(), rule])
        })
        .collect();
    out.table(&[Ink::Alarming, Ink::Plain, Ink::Faint], &rows)
}
