//! What came of proving a conversion, for people and for machines.

use std::io::{self, Write};

use serde_json::{Value as Document, json};

use super::diff::{objects, objects_document, unreadable, unreadable_document, values, what};
use super::document::{SCHEMA, insert, place};
use super::page::{Ink, Page};
use super::plan::{Places, origin};
use super::{Judge, display_name, escape};
use crate::catalog::VariableName;
use crate::diff::What;
use crate::mapping::Mapping;
use crate::names::counted;
use crate::verify::{Mismatch, Verification};

/// A line for each mismatch, and a last one that says how many there are.
pub(super) fn text(
    verification: &Verification,
    mapping: &Mapping,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let mut places = Places::new(mapping);
    let row = |mismatch: &Mismatch| {
        let (word, detail) = match &mismatch.what {
            What::OnlyLeft(spec) => ("missing", spec.to_string()),
            What::OnlyRight(spec) => ("not planned", spec.to_string()),
            What::Spec { left, right } => ("other spec", format!("{left} planned, {right} found")),
            What::Values(unequal) => ("other values", values(unequal)),
        };
        let planned = mismatch.planned.as_ref();
        [
            word.to_owned(),
            escape(&name(mismatch)).into_owned(),
            planned.map(|_| "<-".to_owned()).unwrap_or_default(),
            planned.map(|planned| origin(&planned.value).into_owned()).unwrap_or_default(),
            detail,
            planned
                .and_then(|planned| planned.rule)
                .map(|rule| places.line(rule))
                .unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = verification.mismatches.iter().map(row).collect();
    page.table(&[Ink::Alarming, Ink::Plain, Ink::Faint], &rows)?;
    if let Some(graph) = &verification.graph {
        let said = objects(graph, ["the plan", "the checkpoint"]);
        writeln!(page, "other objects  {}", escape(&said))?;
    }
    unreadable(&verification.unreadable, page)?;
    for key in &verification.not_text {
        writeln!(page, "not planned: `{}`, which is no text", key.escape_ascii())?;
    }
    writeln!(page, "{}", summary(verification))
}

/// The same of what a TensorFlow has read.
pub(super) fn judged(judge: &Judge, mapping: &Mapping, page: &mut Page<'_>) -> io::Result<()> {
    write!(page, "read by TensorFlow {}: ", escape(&judge.version))?;
    if !judge.verification.is_equal() || !judge.verification.is_complete() {
        writeln!(page)?;
    }
    text(&judge.verification, mapping, page)?;
    if let Some(first) = judge.not_judged.first() {
        let (first, rest) = (display_name(first.as_str()), judge.not_judged.len() - 1);
        let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        writeln!(
            page,
            "not read by it, as it hands out no such type: {first}{more}; their bytes were compared \
             as ckptmap reads them"
        )?;
    }
    Ok(())
}

/// The same for machines.
pub(super) fn judged_document(judge: &Judge, mapping: &Mapping) -> Document {
    let mut document = document(&judge.verification, mapping);
    insert(&mut document, "version", json!(judge.version));
    let names = judge.not_judged.iter().map(VariableName::as_str);
    insert(&mut document, "not_judged", json!(names.collect::<Vec<_>>()));
    document
}

/// `18 values: all equal`.
fn summary(verification: &Verification) -> String {
    let mut all = counted(verification.values, "value");
    if verification.aliases > 0 {
        let s = if verification.aliases == 1 { "" } else { "es" };
        all = format!("{all}, {} alias{s}", verification.aliases);
    }
    if verification.is_equal() && verification.is_complete() {
        return format!("{all}: all equal");
    }
    let with = |wanted: fn(&What) -> bool| {
        verification.mismatches.iter().filter(|mismatch| wanted(&mismatch.what)).count()
    };
    let parts = [
        (with(|what| matches!(what, What::Spec { .. } | What::Values(_))), "different"),
        (with(|what| matches!(what, What::OnlyLeft(_))), "missing"),
        (
            with(|what| matches!(what, What::OnlyRight(_))) + verification.not_text.len(),
            "not planned",
        ),
        (verification.unreadable.len(), "unreadable"),
    ];
    let parts = parts.into_iter().filter(|(n, _)| *n > 0);
    let mut parts: Vec<String> = parts.map(|(n, word)| format!("{n} {word}")).collect();
    parts.extend(verification.graph.is_some().then(|| "other objects".to_owned()));
    format!("{all}: {}", parts.join(", "))
}

/// What people call a key: an object's value goes by the path in the rules, unless it is an alias.
fn name(mismatch: &Mismatch) -> String {
    match &mismatch.planned {
        Some(planned) if planned.target == mismatch.key => planned.path.clone(),
        _ => display_name(mismatch.key.key()).into_owned(),
    }
}

/// The same for machines.
pub(super) fn document(verification: &Verification, mapping: &Mapping) -> Document {
    let mismatch = |mismatch: &Mismatch| {
        let planned = mismatch.planned.as_ref();
        let source = planned.and_then(|planned| planned.value.sources().first().copied());
        let rule = planned.and_then(|planned| mapping.place(planned.rule?));
        let mut fields = what(&mismatch.what, ["missing", "not_planned"], ["plan", "new"]);
        for (key, value) in [
            ("target", json!(planned.map(|planned| &planned.path))),
            ("key", json!(mismatch.key.key())),
            ("source", json!(source.map(VariableName::as_str))),
            ("rule", json!(rule.as_ref().map(place))),
        ] {
            fields.insert(key.to_owned(), value);
        }
        Document::from(fields)
    };
    json!({
        "schema": SCHEMA,
        "new": verification.new,
        "old": verification.old,
        "equal": verification.is_equal() && verification.is_complete(),
        "values": verification.values,
        "aliases": verification.aliases,
        "differences": verification.mismatches.iter().map(mismatch).collect::<Vec<_>>(),
        "objects": verification.graph.as_ref().map(|graph| objects_document(graph, ["plan", "new"])),
        "unreadable": unreadable_document(&verification.unreadable),
        "not_text": verification.not_text.iter().map(|key| key.escape_ascii().to_string()).collect::<Vec<_>>(),
    })
}
