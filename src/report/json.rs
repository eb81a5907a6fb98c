//! Reports as machines read them. Every document says `"schema": 1`; keys are added, never changed
//! in meaning.

use std::io::{self, Write};

use serde_json::{Value as Document, json};

use super::document::{SCHEMA, insert, problem};
use super::{Renderer, Report, Style, diff, graph, layers, list, plan, suggest, values, verify};
use crate::check::Checked;
use crate::convert::Conversion;
use crate::files::Share;
use crate::mapping::{Builtin, Mapping};
use crate::plan::Plan;

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
            Report::Page(page) => plan::document(page.plan, page.mapping),
            Report::Layers { layers, origin, .. } => layers::document(layers, origin),
            Report::Plan { plan, mapping } => plan::document(plan, mapping),
            Report::Conversion { plan, mapping, done } => converted(plan, mapping, done),
            Report::Text(text) => return out.write_all(text.as_bytes()),
            Report::Batch(summary) | Report::Overview(summary) => {
                return out.write_all(&summary.document()?);
            }
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
            Report::Suggestion(found) => suggest::document(found),
            Report::Explanations(all) => suggest::explained(all),
            Report::Verification { verification, mapping, plan, judge } => {
                let mut document = verify::document(verification, mapping);
                if let Some(plan) = plan {
                    insert(&mut document, "plan", plan::document(plan, mapping));
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

fn converted(plan: &Plan, mapping: &Mapping, done: &Conversion) -> Document {
    let mut document = plan::document(plan, mapping);
    let files: Vec<Document> = done
        .written
        .files
        .iter()
        .map(|file| {
            let shared = file.shared.map(Share::word);
            json!({ "path": file.at.to_string(), "bytes": file.bytes, "shared": shared })
        })
        .collect();
    let written = json!({ "files": files, "notes": done.written.notes });
    insert(&mut document, "written", written);
    document
}

fn builtin(one: &Builtin) -> Document {
    json!({ "name": one.name, "title": one.title() })
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
