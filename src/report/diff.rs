//! What two checkpoints differ in, for people and for machines.

use std::io::{self, Write};

use serde_json::{Map, Value as Document, json};

use super::document::SCHEMA;
use super::numbers::{human, short};
use super::page::{Ink, Page};
use super::{display_name, escape};
use crate::catalog::VariableName;
use crate::causes::in_one_line;
use crate::diff::{Diff, Difference, Gap, GraphDifference, Keyed, Same, Unequal, What};
use crate::names::counted;
use crate::source::Finding;
use crate::tensor::{DType, TensorSpec};

/// A line for each difference, and a last one that says how many there are.
pub(super) fn text(diff: &Diff, page: &mut Page<'_>) -> io::Result<()> {
    let row = |Difference { name, right, what }: &Difference| {
        let (word, detail) = match what {
            What::OnlyLeft(spec) => ("only in A", spec.to_string()),
            What::OnlyRight(spec) => ("only in B", spec.to_string()),
            What::Spec { left, right } => {
                (other(left, right), format!("{left} in A, {right} in B"))
            }
            What::Values(unequal) => ("other values", values(unequal)),
        };
        let mut name = display_name(name.as_str()).into_owned();
        // Where both show alike, as a TF1 name and the path of an object do, once is enough.
        let right = right.as_ref().map(|right| display_name(right.as_str()));
        if let Some(right) = right.filter(|right| *right != name) {
            name = format!("{name} (B: {right})");
        }
        [word.to_owned(), name, detail]
    };
    let mut order: Vec<&Difference> = diff.differences.iter().collect();
    // Kinds together, names in order within each.
    order.sort_by_key(|difference| kind(&difference.what));
    page.table(&DIFFERENT, order.into_iter().map(row))?;
    same(&diff.same, page)?;
    if let Some(graph) = &diff.graph {
        writeln!(page, "other objects  {}", escape(&objects(graph, ["A", "B"])))?;
    }
    unreadable(&diff.unreadable, page)?;
    for key in &diff.not_text {
        writeln!(page, "not compared: `{}`, which is no text", key.escape_ascii())?;
    }
    writeln!(page, "{}", summary(diff))
}

/// What is different, where, and how.
const DIFFERENT: [Ink; 3] = [Ink::Alarming, Ink::Plain, Ink::Faint];

/// What is said first.
fn kind(what: &What) -> u8 {
    match what {
        What::OnlyLeft(_) => 0,
        What::OnlyRight(_) => 1,
        What::Spec { .. } => 2,
        What::Values(_) => 3,
    }
}

/// Tensors under other names, a line for each group.
fn same(same: &[Same], page: &mut Page<'_>) -> io::Result<()> {
    let rows = same.iter().map(|same| {
        let (word, spec) = match (same.left.first(), same.right.first()) {
            (Some(left), Some(right)) if !same.is_of_one_shape() => {
                ("other shape", format!("{} in A, {} in B", left.spec, right.spec))
            }
            (Some(left), _) => ("same values", left.spec.to_string()),
            _ => ("same values", String::new()),
        };
        let (left, right) = (members(&same.left), members(&same.right));
        [word.to_owned(), left, "=".to_owned(), right, spec]
    });
    page.table(&[Ink::Active, Ink::Plain, Ink::Faint, Ink::Plain, Ink::Faint], rows)
}

/// `a`, or `{a, b}` where any of them may be meant.
fn members(members: &[Keyed]) -> String {
    let name = |name: &VariableName| display_name(name.as_str()).into_owned();
    let member = |Keyed { name: first, further, .. }: &Keyed| match further.as_slice() {
        [] => name(first),
        further => format!("{} (also {})", name(first), listed(further, name)),
    };
    match members {
        [one] => member(one),
        several => format!("{{{}}}", listed(several, member)),
    }
}

/// The first few of them, and how many more there are.
fn listed<T>(all: &[T], text: impl Fn(&T) -> String) -> String {
    let mut texts: Vec<_> = all.iter().take(MOST_LISTED).map(text).collect();
    if all.len() > texts.len() {
        texts.push(format!("{} more", all.len() - texts.len()));
    }
    texts.join(", ")
}

/// Names of equal tensors that are listed: there may be thousands of zeros.
const MOST_LISTED: usize = 8;

/// `6 variables in both: 5 equal, 1 different; 1 only in A`.
fn summary(diff: &Diff) -> String {
    let both = counted(diff.common, "variable");
    if diff.is_equal() && diff.is_complete() && diff.same.is_empty() {
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
    let under_others: usize = diff.same.iter().map(|same| same.left.len()).sum();
    if under_others > 0 {
        parts.push(format!("{under_others} found by content"));
    }
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

/// `float32 [3, 3]: 2 of 9 elements differ, first at [0, 1]; at most by 0.5 (1 and 1.5 at [0, 1])`.
pub(super) fn values(unequal: &Unequal) -> String {
    let Unequal { spec, elements, first, nan, absolute, relative, .. } = unequal;
    let is_scalar = spec.shape().rank() == 0;
    let mut text = match (elements, first) {
        (Some(elements), Some(first)) if !is_scalar => {
            let (of, differ) =
                (spec.shape().elements(), if *elements == 1 { "differs" } else { "differ" });
            format!("{spec}: {elements} of {of} elements {differ}, first at {first:?}")
        }
        _ => spec.to_string(),
    };
    let dtype = spec.dtype();
    let at = |gap: &Gap| if is_scalar { String::new() } else { format!(" at {:?}", gap.at) };
    if let Some(gap) = absolute {
        let (left, right) = (number(gap.left, dtype), number(gap.right, dtype));
        let size = short(gap.size, dtype);
        text = format!("{text}; at most by {size} ({left} and {right}{})", at(gap));
    }
    if let Some(gap) = relative {
        text = format!("{text}, relatively by {}{}", short(gap.size, DType::Float), at(gap));
    }
    if *nan > 0 {
        text = format!("{text}; {nan} NaN on one side");
    }
    text
}

/// A number, and its imaginary part if it has one.
fn number([real, imaginary]: [f64; 2], dtype: DType) -> String {
    if matches!(dtype, DType::Complex64 | DType::Complex128) {
        return format!("{real}{imaginary:+}j");
    }
    #[expect(clippy::cast_possible_truncation, reason = "it was a `f32`")]
    match dtype {
        // As many digits as tell it from its neighbours.
        DType::Float => (real as f32).to_string(),
        DType::Double => real.to_string(),
        _ => short(real, dtype),
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
    let difference = |Difference { name, right, what: how }: &Difference| {
        let mut fields = what(how, ["only_in_a", "only_in_b"], ["a", "b"]);
        fields.insert("name".to_owned(), json!(name.as_str()));
        if let Some(right) = right {
            fields.insert("name_in_b".to_owned(), json!(right.as_str()));
        }
        Document::from(fields)
    };
    json!({
        "schema": SCHEMA,
        "a": diff.left,
        "b": diff.right,
        "equal": diff.is_equal() && diff.is_complete(),
        "common": diff.common,
        "differences": diff.differences.iter().map(difference).collect::<Vec<_>>(),
        "same_values": diff.same.iter().map(same_document).collect::<Vec<_>>(),
        "objects": diff.graph.as_ref().map(|graph| objects_document(graph, ["a", "b"])),
        "unreadable": unreadable_document(&diff.unreadable),
        "not_text": diff.not_text.iter().map(|key| key.escape_ascii().to_string()).collect::<Vec<_>>(),
    })
}

/// Tensors that are equal under other names.
fn same_document(same: &Same) -> Document {
    let member = |Keyed { name, further, spec }: &Keyed| {
        let further: Vec<_> = further.iter().map(VariableName::as_str).collect();
        json!({
            "name": name.as_str(),
            "further_keys": further,
            "dtype": spec.dtype().name(),
            "shape": spec.shape().dims(),
        })
    };
    let side = |members: &[Keyed]| members.iter().map(member).collect::<Vec<_>>();
    json!({ "a": side(&same.left), "b": side(&same.right) })
}

/// A gap; JSON has no infinite numbers, for which `null` stands.
fn gap(gap: &Gap, dtype: DType) -> Document {
    let complex = matches!(dtype, DType::Complex64 | DType::Complex128);
    let number = |[real, imaginary]: [f64; 2]| {
        if complex { json!([real, imaginary]) } else { json!(real) }
    };
    json!({ "size": gap.size, "at": gap.at, "a": number(gap.left), "b": number(gap.right) })
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
            ("nan", json!(unequal.nan)),
            (
                "absolute",
                json!(unequal.absolute.as_ref().map(|wide| gap(wide, unequal.spec.dtype()))),
            ),
            (
                "relative",
                json!(unequal.relative.as_ref().map(|wide| gap(wide, unequal.spec.dtype()))),
            ),
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
