//! Reports as machines read them. Every document says `"schema": 1`; keys are added, never changed
//! in meaning.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value as Document, json};

use super::{Renderer, Report, Style, diff, graph, layers, list, values, verify};
use crate::catalog::VariableName;
use crate::check::Checked;
use crate::convert::Conversion;
use crate::files::Share;
use crate::mapping::{Builtin, Mapping, Place, Problem, RuleId};
use crate::plan::{Assignment, Fate, Plan, Value};

/// The number that tells readers how to understand the rest.
pub(super) const SCHEMA: u32 = 1;

/// One JSON document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Json;

impl Renderer for Json {
    fn render(&self, report: &Report<'_>, _: Style, out: &mut dyn Write) -> io::Result<()> {
        let document = match report {
            Report::List(listing) | Report::Csv(listing) | Report::Tree { listing, .. } => {
                list::document(listing)
            }
            Report::Graph { catalog, graph } | Report::Drawing { catalog, graph } => {
                return graph::json(catalog, graph, out);
            }
            Report::Page(page) => planned(page.plan, page.mapping),
            Report::Layers { layers, origin, .. } => layers::document(layers, origin),
            Report::Plan { plan, mapping } => planned(plan, mapping),
            Report::Conversion { plan, mapping, done } => converted(plan, mapping, done),
            Report::Builtins(builtins) => {
                json!({ "schema": SCHEMA, "mappings": builtins.iter().map(builtin).collect::<Vec<_>>() })
            }
            Report::Builtin(one) => {
                json!({ "schema": SCHEMA, "mapping": builtin(one), "text": one.text })
            }
            Report::Problems(problems) => {
                json!({ "schema": SCHEMA, "problems": problems.iter().map(problem).collect::<Vec<_>>() })
            }
            Report::Check(checked) => {
                json!({ "schema": SCHEMA, "checkpoints": checked.iter().map(check).collect::<Vec<_>>() })
            }
            Report::Diff(found) => diff::document(found),
            Report::Verification { verification, mapping, plan, judge } => {
                let mut document = verify::document(verification, mapping);
                if let Some(plan) = plan {
                    insert(&mut document, "plan", planned(plan, mapping));
                }
                if let Some(judge) = judge {
                    insert(&mut document, "tensorflow", verify::judged_document(judge, mapping));
                }
                document
            }
            // Indented, every number of a tensor would stand on a line of its own.
            Report::Values(shown) => {
                serde_json::to_writer(&mut *out, &values::document(shown))?;
                return writeln!(out);
            }
            Report::Checksum(checksum) => values::checksum_document(checksum),
            Report::Saved(saved) => values::saved_document(saved),
        };
        serde_json::to_writer_pretty(&mut *out, &document)?;
        writeln!(out)
    }
}

fn planned(plan: &Plan, mapping: &Mapping) -> Document {
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

fn converted(plan: &Plan, mapping: &Mapping, done: &Conversion) -> Document {
    let mut document = planned(plan, mapping);
    let files: Vec<Document> = done
        .written
        .files
        .iter()
        .map(|file| {
            let shared = file.shared.map(|how| match how {
                Share::Link => "link",
                Share::Reflink => "reflink",
            });
            json!({ "path": file.at.to_string(), "bytes": file.bytes, "shared": shared })
        })
        .collect();
    let written = json!({ "files": files, "notes": done.written.notes });
    insert(&mut document, "written", written);
    document
}

/// Adds a key to an object.
pub(super) fn insert(document: &mut Document, key: &str, value: Document) {
    if let Document::Object(keys) = document {
        keys.insert(key.to_owned(), value);
    }
}

fn builtin(one: &Builtin) -> Document {
    json!({ "name": one.name, "title": one.title() })
}

fn problem(problem: &Problem) -> Document {
    json!({
        "kind": problem.kind.word(),
        "message": problem.message,
        "place": problem.place.as_ref().map(place),
        "related": problem.related.as_ref().map(|(at, word)| json!({ "place": place(at), "message": word })),
        "help": problem.help,
    })
}

pub(super) fn place(place: &Place) -> Document {
    json!({ "file": place.source.name, "line": place.line(), "column": place.column() })
}

fn check(checked: &Checked) -> Document {
    json!({
        "checkpoint": checked.origin,
        "variables": checked.variables,
        "bytes": checked.bytes,
        "damaged": checked.findings,
        "notes": checked.notes,
    })
}
