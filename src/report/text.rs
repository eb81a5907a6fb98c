//! Reports as people read them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use super::page::{Ink, Page, Style};
use super::{
    Renderer, Report, diff, display_name, escape, graph, html, layers, list, values, verify,
};
use crate::check::Checked;
use crate::convert::Conversion;
use crate::files::Share;
use crate::mapping::{Builtin, Mapping, RuleId};
use crate::names::counted;
use crate::plan::{Assignment, AverageCounts, Fate, Plan, Value};
use crate::tensor::TensorSpec;

/// Plain text in aligned columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text;

impl Renderer for Text {
    fn render(&self, report: &Report<'_>, style: Style, out: &mut dyn Write) -> io::Result<()> {
        if let Report::Layers { layers, origin, by_name } = report {
            return layers::text(layers, origin, *by_name, style, out);
        }
        let out = &mut Page::new(style, out);
        match report {
            Report::Layers { .. } => Ok(()),
            Report::Page(page) => html::page(page, out),
            Report::List(listing) => list::text(listing, out),
            Report::Tree { listing, by_size } => list::tree(listing, *by_size, out),
            Report::Csv(listing) => list::csv(listing, out),
            Report::Graph { catalog, graph } => graph::text(catalog, graph, out),
            Report::Drawing { catalog, graph } => graph::dot(catalog, graph, out),
            Report::Plan { plan, mapping } => mapped(plan, mapping, out),
            Report::Conversion { plan, mapping, done } => {
                mapped(plan, mapping, out)?;
                converted(done, out)
            }
            Report::Builtins(builtins) => {
                let row = |one: &Builtin| [one.name.to_owned(), one.title().to_owned()];
                out.table(&[Ink::Strong], builtins.iter().map(row))
            }
            Report::Builtin(one) => out.write_all(one.text.as_bytes()),
            Report::Problems(problems) => writeln!(out, "{}", escape(&problems.to_string())),
            Report::Check(checked) => checked.iter().try_for_each(|one| check(one, out)),
            Report::Diff(found) => diff::text(found, out),
            Report::Verification { verification, mapping, plan, judge } => {
                if let Some(plan) = plan {
                    left_behind(plan, &mut Places::new(mapping), out)?;
                }
                verify::text(verification, mapping, out)?;
                judge.map_or(Ok(()), |judge| verify::judged(judge, mapping, out))
            }
            Report::Values(shown) => values::text(shown, out),
            Report::Checksum(checksum) => values::checksum(checksum, out),
            Report::Saved(saved) => values::saved(saved, out),
        }
    }
}

/// Target, arrow, source, spec, steps, rule.
const MAPPED: [Ink; 6] = [Ink::Plain, Ink::Faint, Ink::Plain, Ink::Faint, Ink::Active, Ink::Faint];

fn mapped(plan: &Plan, mapping: &Mapping, out: &mut Page<'_>) -> io::Result<()> {
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

fn left_behind(plan: &Plan, places: &mut Places<'_>, out: &mut Page<'_>) -> io::Result<()> {
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

fn converted(done: &Conversion, out: &mut dyn Write) -> io::Result<()> {
    let files = &done.written.files;
    for file in files {
        let (at, size) = (escape(&file.at.to_string()).into_owned(), human(file.bytes));
        match file.shared {
            None => writeln!(out, "wrote {at} ({size})")?,
            Some(Share::Link) => writeln!(out, "linked {at} ({size})")?,
            Some(Share::Reflink) => writeln!(out, "{at} ({size}) shares its blocks")?,
        }
    }
    if files.iter().any(|file| file.shared == Some(Share::Link)) {
        writeln!(
            out,
            "what is written into a linked file is written into the source's as well, and the \
             other way round; replacing or removing one of them leaves the other as it is"
        )?;
    }
    Ok(())
}

fn check(checked: &Checked, out: &mut dyn Write) -> io::Result<()> {
    let origin = escape(&checked.origin);
    if checked.findings.is_empty() {
        let (variables, bytes) = (checked.variables, human(checked.bytes));
        writeln!(out, "{origin}: {variables} variables, {bytes}: every checksum is right")?;
    } else {
        writeln!(out, "{origin}: {} damaged", checked.findings.len())?;
    }
    let notes = checked.notes.iter().map(|note| format!("note: {note}"));
    checked
        .findings
        .iter()
        .cloned()
        .chain(notes)
        .try_for_each(|line| writeln!(out, "  {}", escape(&line)))
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

/// A size in the largest unit that keeps it above 1: `1.3 GiB`.
pub(super) fn human(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    #[allow(clippy::cast_precision_loss, reason = "two digits are shown")]
    let mut size = bytes as f64;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    if unit == 0 { format!("{bytes} {name}") } else { format!("{size:.1} {name}") }
}
