//! What the script of a page draws.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, Write};

use serde::Serialize;

use super::Page;
use crate::catalog::{Catalog, Variable, VariableName};
use crate::diff::What;
use crate::files::Share;
use crate::mapping::{Problem, RuleId};
use crate::object::{NodeId, ObjectGraph};
use crate::plan::{Assignment, Fate, Value};
use crate::report::diff::values;
use crate::report::graph::{Role, View, label};
use crate::report::plan::origin;
use crate::report::{display_name, escape};

/// States of rows, in the order of the filters.
const STATES: &[&str] =
    &["problem", "mapped", "transformed", "constant", "kept", "dropped", "not needed"];

#[derive(Serialize)]
struct Data {
    source: String,
    template: Option<String>,
    mapping: String,
    states: &'static [&'static str],
    rules: Vec<Rule>,
    rows: Vec<Row>,
    problems: Vec<Trouble>,
    warnings: Vec<String>,
    advice: Vec<String>,
    files: Vec<File>,
    objects: Vec<Object>,
}

/// A rule, as its file has it.
#[derive(Serialize)]
struct Rule {
    place: String,
    text: String,
}

/// A value of the target, a source that goes nowhere, or a problem. Keys are short, since there may
/// be hundreds of thousands.
#[derive(Serialize, Default)]
struct Row {
    /// The state's number.
    s: usize,
    /// From where.
    f: Vec<String>,
    /// To where.
    t: Option<String>,
    /// What it was before, and after.
    b: Option<String>,
    a: Option<String>,
    /// Bytes.
    n: Option<u64>,
    /// Transforms.
    x: Option<String>,
    /// The rule's number.
    r: Option<usize>,
    /// What there is to say.
    w: Option<String>,
    /// What came of proving it.
    v: Option<&'static str>,
}

#[derive(Serialize)]
struct Trouble {
    message: String,
    place: Option<String>,
    line: String,
    help: Option<String>,
}

#[derive(Serialize)]
struct File {
    how: &'static str,
    path: String,
    bytes: u64,
}

/// An object: edges with their labels and roles, and the rows of its values.
#[derive(Serialize)]
struct Object {
    c: Vec<(String, NodeId, String)>,
    v: Vec<usize>,
}

/// Writes it so that nothing in it ends the script it stands in.
pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(Inert(out), &Builder::new(page).data())?;
    Ok(())
}

/// JSON whose angle brackets and ampersands are spelled out.
pub(super) struct Inert<'o>(pub(super) &'o mut dyn Write);

impl Write for Inert<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| matches!(byte, b'<' | b'>' | b'&')) {
            match part.split_last() {
                Some((last @ (b'<' | b'>' | b'&'), start)) => {
                    self.0.write_all(start)?;
                    write!(self.0, "\\u{last:04x}")?;
                }
                _ => self.0.write_all(part)?,
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

struct Builder<'r> {
    page: &'r Page<'r>,
    rules: Vec<Rule>,
    known: BTreeMap<RuleId, Option<usize>>,
}

impl<'r> Builder<'r> {
    fn new(page: &'r Page<'r>) -> Self {
        Self { page, rules: Vec::new(), known: BTreeMap::new() }
    }

    fn data(mut self) -> Data {
        let Page { plan, mapping, source, template, problems, conversion, .. } = *self.page;
        let problems: Vec<&Problem> = problems.into_iter().flat_map(|all| all.iter()).collect();
        let mut rows: Vec<Row> = Vec::new();
        let by_key: HashMap<&str, usize> = plan
            .assignments
            .iter()
            .enumerate()
            .map(|(at, assignment)| (assignment.target.key(), at))
            .collect();
        rows.extend(plan.assignments.iter().map(|assignment| self.value(assignment)));
        rows.extend(self.left_behind());
        let missing = problems.iter().filter(|problem| problem.kind.word() == "missing");
        rows.extend(missing.map(|problem| Row {
            s: state("problem"),
            w: Some(escape(&problem.message).into_owned()),
            ..Row::default()
        }));
        self.proved(&by_key, &mut rows);
        let objects = plan.graph.as_ref().map(|graph| objects(source, graph, &by_key));
        let text = |text: &String| escape(text).into_owned();
        let written = conversion.into_iter().flat_map(|done| &done.written.files);
        let files = written.map(|file| File {
            how: match file.shared {
                None => "wrote",
                Some(Share::Link) => "linked",
                Some(Share::Reflink) => "shares blocks",
                Some(Share::Server) => "copied by the server",
            },
            path: escape(&file.at.to_string()).into_owned(),
            bytes: file.bytes,
        });
        Data {
            source: text(&source.origin),
            template: template.map(|template| text(&template.origin)),
            mapping: text(&mapping.source().name),
            states: STATES,
            rules: self.rules,
            rows,
            problems: problems.into_iter().map(trouble).collect(),
            warnings: plan.warnings.iter().map(|warning| text(&warning.message)).collect(),
            advice: plan.advice.iter().map(text).collect(),
            files: files.collect(),
            objects: objects.unwrap_or_default(),
        }
    }

    /// A row for a value of the target.
    fn value(&mut self, assignment: &Assignment) -> Row {
        let Assignment { path, spec, value, rule, .. } = assignment;
        let word = match value {
            Value::Variable(_) => "mapped",
            Value::Template(_) => "kept",
            Value::Constant(_) => "constant",
            Value::Apply(..) | Value::Concat { .. } => "transformed",
        };
        let sources = value.sources();
        let catalog = self.page.source;
        let specs: Vec<String> = sources
            .iter()
            .filter_map(|name| Some(catalog.variables.get(*name)?.spec.to_string()))
            .collect();
        let from = match sources.as_slice() {
            [] => vec![origin(value).into_owned()],
            all => all.iter().map(|name| display_name(name.as_str()).into_owned()).collect(),
        };
        Row {
            s: state(word),
            f: from,
            t: Some(escape(path).into_owned()),
            b: (!specs.is_empty()).then(|| specs.join(" + ")),
            a: Some(spec.to_string()),
            n: spec.bytes(),
            x: Some(value.steps().join(", ")).filter(|steps| !steps.is_empty()),
            r: rule.and_then(|rule| self.rule(rule)),
            ..Row::default()
        }
    }

    /// Rows for sources that go nowhere.
    fn left_behind(&mut self) -> Vec<Row> {
        let (plan, source) = (self.page.plan, self.page.source);
        let mut rows = Vec::new();
        let used: HashSet<&VariableName> =
            plan.assignments.iter().flat_map(|assignment| assignment.value.sources()).collect();
        for (name, fate) in plan.fates.iter().filter(|(name, _)| !used.contains(name)) {
            let (word, why, rule) = match fate {
                Fate::Mapped(_) | Fate::Named => continue,
                Fate::Consumed(rule) => {
                    ("dropped", "its number went into the optimizer", Some(*rule))
                }
                Fate::Dropped(rule) => ("dropped", "a rule says so", Some(*rule)),
                Fate::NoTarget(rule) => {
                    ("dropped", "the template has no place for it", Some(*rule))
                }
                Fate::Skipped(rule) => ("dropped", "it does not fit its place", Some(*rule)),
                Fate::Averaged => ("dropped", "its average is taken", None),
                Fate::AverageDropped => ("dropped", "an average, and raw values are taken", None),
                Fate::OptimizerDropped => ("dropped", "optimizer state", None),
                Fate::UnmatchedDropped => ("dropped", "`unmatched: drop`", None),
                Fate::Unmatched => ("problem", "no rule claims it", None),
                Fate::NotNeeded => ("not needed", "", None),
            };
            let variable = source.variables.get(name);
            rows.push(Row {
                s: state(word),
                f: vec![display_name(name.as_str()).into_owned()],
                a: variable.map(|variable| variable.spec.to_string()),
                n: variable.map(Variable::bytes),
                r: rule.and_then(|rule| self.rule(rule)),
                w: Some(why.to_owned()).filter(|why| !why.is_empty()),
                ..Row::default()
            });
        }
        rows
    }

    /// What came of proving each value.
    fn proved(&self, by_key: &HashMap<&str, usize>, rows: &mut Vec<Row>) {
        let Some(found) = self.page.verification else { return };
        for at in by_key.values() {
            if let Some(row) = rows.get_mut(*at) {
                row.v = Some("equal");
            }
        }
        let unreadable = found.unreadable.iter().filter_map(|one| one.variable.as_deref());
        for name in unreadable {
            if let Some(row) = by_key.get(name).and_then(|at| rows.get_mut(*at)) {
                row.v = Some("unreadable");
            }
        }
        for mismatch in &found.mismatches {
            let (word, why) = match &mismatch.what {
                What::OnlyLeft(_) => ("missing", String::new()),
                What::OnlyRight(spec) => ("not planned", spec.to_string()),
                What::Spec { right, .. } => ("different", format!("{right} found")),
                What::Values(unequal) => ("different", values(unequal)),
            };
            let row = match by_key.get(mismatch.key.key()).and_then(|at| rows.get_mut(*at)) {
                Some(row) => row,
                None => {
                    let t = Some(display_name(mismatch.key.key()).into_owned());
                    rows.push(Row { s: state("problem"), t, ..Row::default() });
                    let Some(row) = rows.last_mut() else { continue };
                    row
                }
            };
            row.v = Some(word);
            row.s = state("problem");
            row.w = Some(why).filter(|why| !why.is_empty());
        }
    }

    /// The number of a rule.
    fn rule(&mut self, rule: RuleId) -> Option<usize> {
        if let Some(known) = self.known.get(&rule) {
            return *known;
        }
        let place = self.page.mapping.place(rule);
        let number = place.map(|place| {
            let file = place.source.name.rsplit('/').next().unwrap_or_default();
            let line = place.source.text.lines().nth(place.line() - 1).unwrap_or_default();
            let (place, text) = (format!("{file}:{}", place.line()), line.trim());
            self.rules
                .push(Rule { place: escape(&place).into_owned(), text: escape(text).into_owned() });
            self.rules.len() - 1
        });
        self.known.insert(rule, number);
        number
    }
}

fn state(word: &str) -> usize {
    STATES.iter().position(|state| *state == word).unwrap_or_default()
}

fn trouble(problem: &Problem) -> Trouble {
    let place = problem.place.as_ref();
    let line = place.map(|place| {
        let line = place.source.text.lines().nth(place.line() - 1).unwrap_or_default();
        format!("{}\n{}^", escape(line), " ".repeat(place.column() - 1))
    });
    Trouble {
        message: escape(&problem.message).into_owned(),
        place: place.map(|place| escape(&place.to_string()).into_owned()),
        line: line.unwrap_or_default(),
        help: problem.help.as_deref().map(|help| escape(help).into_owned()),
    }
}

/// Every object with what lies below it.
fn objects(source: &Catalog, graph: &ObjectGraph, by_key: &HashMap<&str, usize>) -> Vec<Object> {
    // Specs stand in the rows.
    let view = View::new(source, graph);
    let object = |(id, node): (NodeId, &crate::object::Node)| {
        let edges = node.children.iter().enumerate().map(|(at, edge)| {
            let role = match view.role(id, at, edge.node) {
                Role::Tree => "tree".to_owned(),
                Role::Alias => format!("→ {}", view.name(edge.node)),
                Role::Cycle => format!("→ {} (cycle)", view.name(edge.node)),
                Role::Shadowed => format!("→ {} (behind another edge)", view.name(edge.node)),
            };
            (label(&edge.label), edge.node, role)
        });
        let slots = node.slots.iter().enumerate().map(|(at, slot)| {
            let here = view.is_here(id, at, slot.node);
            let role =
                if here { "tree".to_owned() } else { format!("→ {}", view.name(slot.node)) };
            let name = format!("slot {} of {}", label(&slot.name), view.name(slot.variable));
            (name, slot.node, role)
        });
        let values = node.attributes.iter();
        Object {
            c: edges.chain(slots).collect(),
            v: values.filter_map(|value| by_key.get(value.key.as_str()).copied()).collect(),
        }
    };
    graph.nodes().iter().enumerate().map(object).collect()
}
