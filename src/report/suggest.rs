//! Proposals, and what speaks for them.

use std::io::{self, Write};

use serde_json::{Value as Document, json};

use super::document::SCHEMA;
use super::escape;
use super::page::Page;
use crate::catalog::VariableName;
use crate::suggest::{Candidate, Explanation, Filling, Pairing, Suggestion};

/// The rule file, as it is.
pub(super) fn text(found: &Suggestion, page: &mut Page<'_>) -> io::Result<()> {
    page.write_all(found.rules.as_bytes())
}

/// Each place with its candidates, and with the evidence of each.
pub(super) fn explanations(all: &[Explanation], page: &mut Page<'_>) -> io::Result<()> {
    for one in all {
        let name = one.name.as_ref().filter(|name| **name != one.path);
        let name = name.map_or(String::new(), |name| format!(", called {}", escape(name)));
        writeln!(page, "{} {}{name}: {}", escape(&one.path), one.spec, one.confidence.word())?;
        if one.candidates.is_empty() {
            writeln!(page, "  nothing fits")?;
        }
        for candidate in &one.candidates {
            let mark = if candidate.chosen { "*" } else { " " };
            let instead = candidate.instead.as_ref();
            let instead =
                instead.map_or(String::new(), |path| format!("  (goes to {})", escape(path)));
            let name = escape(&candidate.name);
            writeln!(page, "{mark} {:5.2}  {name}{instead}", candidate.weight)?;
            for line in &candidate.evidence {
                writeln!(page, "           {}", escape(line))?;
            }
        }
    }
    Ok(())
}

/// The proposal for machines.
pub(super) fn document(found: &Suggestion) -> Document {
    let pairing = |one: &Pairing| {
        json!({
            "target": one.target.key(),
            "path": one.path,
            "dtype": one.spec.dtype().name(),
            "shape": one.spec.shape().dims(),
            "sources": one.sources.iter().map(VariableName::as_str).collect::<Vec<_>>(),
            "confidence": one.confidence.word(),
            "reasons": one.reasons,
            "alternatives": one.alternatives,
        })
    };
    let filling = |one: &Filling| {
        json!({
            "target": one.target.key(),
            "path": one.path,
            "with": one.with,
            "confidence": "likely",
            "reason": one.reason,
        })
    };
    let dropped = found.dropped.iter();
    let dropped = dropped
        .map(|(name, reason)| json!({ "variable": name.as_str(), "reason": reason }))
        .collect::<Vec<_>>();
    json!({
        "schema": SCHEMA,
        "old": found.old,
        "like": found.like,
        "builtin": found.builtin,
        "complete": found.complete,
        "rules": found.rules,
        "pairings": found.pairings.iter().map(pairing).collect::<Vec<_>>(),
        "fills": found.fills.iter().map(filling).collect::<Vec<_>>(),
        "dropped": dropped,
        "questions": found.questions,
    })
}

/// Explanations for machines.
pub(super) fn explained(all: &[Explanation]) -> Document {
    let candidate = |one: &Candidate| {
        json!({
            "variable": one.name,
            "chosen": one.chosen,
            "goes_to": one.instead,
            "weight": one.weight,
            "evidence": one.evidence,
        })
    };
    let explanation = |one: &Explanation| {
        json!({
            "path": one.path,
            "name": one.name,
            "dtype": one.spec.dtype().name(),
            "shape": one.spec.shape().dims(),
            "confidence": one.confidence.word(),
            "candidates": one.candidates.iter().map(candidate).collect::<Vec<_>>(),
        })
    };
    json!({
        "schema": SCHEMA,
        "explanations": all.iter().map(explanation).collect::<Vec<_>>(),
    })
}
