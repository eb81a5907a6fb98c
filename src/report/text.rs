//! Reports as people read them.

use std::io::{self, Write};

use super::numbers::human;
use super::page::{Ink, Page, Style};
use super::plan::Places;
use super::{
    Renderer, Report, batch, diff, escape, graph, html, layers, list, plan, suggest, values, verify,
};
use crate::check::Checked;
use crate::convert::Conversion;
use crate::files::Share;
use crate::mapping::Builtin;

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
            Report::Plan { plan, mapping } => plan::text(plan, mapping, out),
            Report::Conversion { plan, mapping, done } => {
                plan::text(plan, mapping, out)?;
                converted(done, out)
            }
            Report::Text(text) => out.write_all(text.as_bytes()),
            Report::Batch(summary) => batch::text(summary, out),
            Report::Overview(summary) => html::overview(summary, out),
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
                    plan::left_behind(plan, &mut Places::new(mapping), out)?;
                }
                verify::text(verification, mapping, out)?;
                judge.map_or(Ok(()), |judge| verify::judged(judge, mapping, out))
            }
            Report::Suggestion(found) => suggest::text(found, out),
            Report::Explanations(all) => suggest::explanations(all, out),
            Report::Values(shown) => values::text(shown, out),
            Report::Checksum(checksum) => values::checksum(checksum, out),
            Report::Saved(saved) => values::saved(saved, out),
        }
    }
}

fn converted(done: &Conversion, out: &mut dyn Write) -> io::Result<()> {
    let files = &done.written.files;
    for file in files {
        let (at, size) = (escape(&file.at.to_string()).into_owned(), human(file.bytes));
        match file.shared {
            None => writeln!(out, "wrote {at} ({size})")?,
            Some(Share::Link) => writeln!(out, "linked {at} ({size})")?,
            Some(Share::Reflink) => writeln!(out, "{at} ({size}) shares its blocks")?,
            Some(Share::Server) => writeln!(out, "{at} ({size}) was copied by the server")?,
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
