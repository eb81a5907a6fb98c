//! What two checkpoints differ in, for people and for machines.

use std::io::{self, Write};

use serde_json::{Map, Value as Document, json};

use super::json::SCHEMA;
use super::page::{Ink, Page};
use super::text::human;
use super::{display_name, escape};
use crate::causes::in_one_line;
use crate::diff::{Diff, Difference, GraphDifference, Unequal, What};
use crate::names::counted;
use crate::source::Finding;
use crate::tensor::TensorSpec;

/// A line for each difference, and a last one that says how many there are.
pub(super) fn text(diff: &Diff, page: &mut Page<'_>) -> io::Result<()> {
    let row = |Difference { name, what }: &Difference| {
        let (word, detail) = match what {
            What::OnlyLeft(spec) => ("only in A", spec.to_string()),
            What::OnlyRight(spec) => ("only in B", spec.to_string()),
            What::Spec { left, right } => {
                (other(left, right), format!("{left} in A, {right} in B"))
            }
            What::Values(unequal) => ("other values", values(unequal)),
        };
        [word.to_owned(), display_name(name.as_str()).into_owned(), detail]
    };
    page.table(&[Ink::Alarming, Ink::Plain, Ink::Faint], diff.differences.iter().map(row))?;
    if let Some(graph) = &diff.graph {
        writeln!(page, "other objects  {}", escape(&objects(graph, ["A", "B"])))?;
    }
    unreadable(&diff.unreadable, page)?;
    for key in &diff.not_text {
        writeln!(page, "not compared: `{}`, which is no text", key.escape_ascii())?;
    }
    writeln!(page, "{}", summary(diff))
}

/// `6 variables in both: 5 equal, 1 different; 1 only in A`.
fn summary(diff: &Diff) -> String {
    let both = counted(diff.common, "variable");
    if diff.is_equal() && diff.is_complete() {
        return format!("{both}, {}: all equal", human(diff.bytes));
    }
    let with = |wanted: fn(&What) -> bool| {
        diff.differences.iter().filter(|difference| wanted(&difference.what)).count()
    };
    let different = with(|what| matches!(what, What::Spec { .. } | What::Values(_)));
    // A variable that is damaged in both has two findings, but both name it.
    let mut unread: Vec<_> = diff.unreadable.iter().map(|finding| &finding.variable).collect();
    unread.sort();
    unread.dedup();
    let mut parts = vec![format!("{both} in both, {different} of them different")];
    for (n, place) in [
        (with(|what| matches!(what, What::OnlyLeft(_))), "only in A"),
        (with(|what| matches!(what, What::OnlyRight(_))), "only in B"),
        (unread.len(), "unreadable"),
        (diff.not_text.len(), "not compared"),
    ] {
        if n > 0 {
            parts.push(format!("{n} {place}"));
        }
    }
    parts.extend(diff.graph.is_some().then(|| "other objects".to_owned()));
    parts.join("; ")
}

/// What differs between two specs.
fn other(left: &TensorSpec, right: &TensorSpec) -> &'static str {
    match (left.dtype() == right.dtype(), left.shape() == right.shape()) {
        (true, _) => "other shape",
        (false, true) => "other dtype",
        (false, false) => "other dtype and shape",
    }
}

/// `float32 [3, 3]: 2 of 9 elements differ, first at [0, 1]`.
pub(super) fn values(unequal: &Unequal) -> String {
    let Unequal { spec, elements, first, .. } = unequal;
    match (elements, first) {
        (Some(elements), Some(first)) if spec.shape().rank() > 0 => {
            let (of, differ) =
                (spec.shape().elements(), if *elements == 1 { "differs" } else { "differ" });
            format!("{spec}: {elements} of {of} elements {differ}, first at {first:?}")
        }
        _ => spec.to_string(),
    }
}

/// Where graphs part, the two of them called `sides`.
pub(super) fn objects(graph: &GraphDifference, sides: [&str; 2]) -> String {
    let [a, b] = sides;
    match graph {
        GraphDifference::OnlyLeft => format!("{a} has an object graph, {b} has none"),
        GraphDifference::OnlyRight => format!("{b} has an object graph, {a} has none"),
        GraphDifference::Node { node, path, part, left, right } => {
            let place = match path.as_str() {
                "" if *node == 0 => "the root".to_owned(),
                "" => format!("object {node}"),
                path => format!("`{path}`"),
            };
            format!("first at {place}, {part}: {left} in {a}, {right} in {b}")
        }
    }
}

/// What could not be read, a line each.
pub(super) fn unreadable(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    for finding in findings {
        writeln!(out, "unreadable: {}", escape(&in_one_line(&finding.error)))?;
    }
    Ok(())
}

/// The same for machines.
pub(super) fn document(diff: &Diff) -> Document {
    let difference = |Difference { name, what: how }: &Difference| {
        let mut fields = what(how, ["only_in_a", "only_in_b"], ["a", "b"]);
        fields.insert("name".to_owned(), json!(name.as_str()));
        Document::from(fields)
    };
    json!({
        "schema": SCHEMA,
        "a": diff.left,
        "b": diff.right,
        "equal": diff.is_equal() && diff.is_complete(),
        "common": diff.common,
        "differences": diff.differences.iter().map(difference).collect::<Vec<_>>(),
        "objects": diff.graph.as_ref().map(|graph| objects_document(graph, ["a", "b"])),
        "unreadable": unreadable_document(&diff.unreadable),
        "not_text": diff.not_text.iter().map(|key| key.escape_ascii().to_string()).collect::<Vec<_>>(),
    })
}

/// One difference; `lonely` are the words for tensors that one side has, `sides` those for sides.
pub(super) fn what(what: &What, lonely: [&str; 2], sides: [&str; 2]) -> Map<String, Document> {
    let spec =
        |spec: &TensorSpec| json!({ "dtype": spec.dtype().name(), "shape": spec.shape().dims() });
    let ([only_a, only_b], [a, b]) = (lonely, sides);
    let fields = match what {
        What::OnlyLeft(only) => vec![("kind", json!(only_a)), (a, spec(only))],
        What::OnlyRight(only) => vec![("kind", json!(only_b)), (b, spec(only))],
        What::Spec { left, right } => {
            vec![("kind", json!("spec")), (a, spec(left)), (b, spec(right))]
        }
        What::Values(unequal) => vec![
            ("kind", json!("values")),
            (a, spec(&unequal.spec)),
            (b, spec(&unequal.spec)),
            ("elements", json!(unequal.spec.shape().elements())),
            ("different", json!(unequal.elements)),
            ("first", json!(unequal.first)),
        ],
    };
    fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Where graphs part.
pub(super) fn objects_document(graph: &GraphDifference, sides: [&str; 2]) -> Document {
    let [a, b] = sides;
    match graph {
        GraphDifference::OnlyLeft => json!({ "kind": format!("only_in_{a}") }),
        GraphDifference::OnlyRight => json!({ "kind": format!("only_in_{b}") }),
        GraphDifference::Node { node, path, part, left, right } => {
            json!({ "kind": "object", "node": node, "path": path, "part": part, a: left, b: right })
        }
    }
}

/// What could not be read.
pub(super) fn unreadable_document(findings: &[Finding]) -> Vec<Document> {
    let finding = |finding: &Finding| json!({ "name": finding.variable, "error": in_one_line(&finding.error) });
    findings.iter().map(finding).collect()
}
