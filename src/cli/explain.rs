//! Problems in the rule file's own text: line, column, caret, and what to do.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, ErrorKind};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::ui::Ui;
use ckptmap::mapping::{Place, Problem, ProblemKind, Problems};
use ckptmap::report::{Report, escape};
use ckptmap::source::{IndexError, ObjectGraphError, TensorError};
use ckptmap::table::TableError;

/// More of one kind than this are counted, not shown; `--json` has them all.
const SHOWN: usize = 20;

/// The same where one sentence explains the rest.
const DETAILS: usize = 3;

/// Problems of one kind about one place of a rule file: the first tell enough.
const ALIKE: usize = 5;

/// What kind of problem, and where.
type Alike<'p> = (ProblemKind, &'p str, usize);

fn alike(problem: &Problem) -> Option<Alike<'_>> {
    let place = problem.place.as_ref()?;
    Some((problem.kind, place.source.name.as_str(), place.span.start))
}

/// Says why there is no plan: in JSON on standard output, or on standard error.
pub(super) fn refuse(problems: &Problems, json: bool, ui: &Ui) -> anyhow::Result<()> {
    let report = Report::Problems(problems);
    if json {
        return ui.answer(&report, true);
    }
    ui.keep(&report)?;
    show_all(problems, ui);
    Ok(())
}

/// What to do where the system refused, or where a file is damaged: such errors say what happened,
/// and are the same everywhere.
pub(super) fn remedy(error: &anyhow::Error) -> Option<&'static str> {
    error.chain().find_map(|cause| {
        let refused = cause.downcast_ref::<io::Error>();
        refused.and_then(of_the_system).or_else(|| is_damage(cause).then_some(DAMAGED))
    })
}

fn of_the_system(error: &io::Error) -> Option<&'static str> {
    let is_systems = error.raw_os_error().is_some();
    Some(match error.kind() {
        ErrorKind::IsADirectory => "name a file in it",
        ErrorKind::NotFound if is_systems => {
            "is the path right? it is looked for from the directory in which `ckptmap` was started"
        }
        ErrorKind::PermissionDenied if is_systems => {
            "`ls -l` shows who may do that; `ckptmap` runs as whoever started it"
        }
        ErrorKind::NotADirectory if is_systems => {
            "a part of the path is a file; choose another one"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded if is_systems => {
            "make room there, or choose another place"
        }
        ErrorKind::ReadOnlyFilesystem if is_systems => "choose a place that can be written to",
        _ => return None,
    })
}

const DAMAGED: &str = "the file is not as TensorFlow writes it: copy it again from where it came; `ckptmap \
                       check` finds all damage";

fn is_damage(cause: &(dyn Error + 'static)) -> bool {
    let tensor = cause.downcast_ref::<Box<TensorError>>();
    let index = cause.downcast_ref::<Box<IndexError>>();
    cause.is::<Box<TableError>>()
        || cause.is::<ObjectGraphError>()
        || index.is_some_and(|error| !matches!(**error, IndexError::Version { .. }))
        || tensor.is_some_and(|error| {
            !matches!(
                **error,
                TensorError::Order(_) | TensorError::TensorFlow { .. } | TensorError::Region
            )
        })
}

/// Shows every problem on standard error.
fn show_all(problems: &Problems, ui: &Ui) {
    let mut shown: BTreeMap<_, usize> = BTreeMap::new();
    let fits = problems.iter().all(|problem| problem.kind != ProblemKind::Fit);
    let most = if fits { SHOWN } else { DETAILS };
    let mut totals: BTreeMap<Alike<'_>, usize> = BTreeMap::new();
    for key in problems.iter().filter_map(alike) {
        *totals.entry(key).or_default() += 1;
    }
    let mut told: BTreeMap<Alike<'_>, usize> = BTreeMap::new();
    let mut rest = problems.iter().peekable();
    while let Some(problem) = rest.next() {
        let at_place = alike(problem).map(|key| {
            let count = told.entry(key).or_default();
            *count += 1;
            (*count, totals.get(&key).copied().unwrap_or_default())
        });
        if at_place.is_some_and(|(count, _)| count > ALIKE) {
            continue;
        }
        let count = shown.entry(problem.kind).or_default();
        *count += 1;
        if *count > most {
            continue;
        }
        // Many problems with one remedy: the remedy is said once, behind the last of them.
        let next = rest.peek().filter(|_| *count < most);
        let repeats = next.is_some_and(|next| next.place.is_none() && next.help == problem.help);
        let help = problem.help.clone().filter(|_| !repeats);
        show(&Problem { help, ..problem.clone() }, ui);
        if let Some((ALIKE, total)) = at_place
            && total > ALIKE
        {
            ui.raw(&format!("… and {} more at this place; `--json` has all\n", total - ALIKE));
        }
    }
    for (kind, count) in shown {
        if let Some(more) = count.checked_sub(most).filter(|more| *more > 0) {
            ui.raw(&format!("… and {more} more of the kind `{}`; `--json` has all\n", kind.word()));
        }
    }
    let count = problems.count();
    let s = if count == 1 { "" } else { "s" };
    ui.raw(&format!("{count} problem{s}; nothing was written\n"));
}

/// Shows one problem, whatever its weight.
fn show(problem: &Problem, ui: &Ui) {
    let title = escape(&problem.message).into_owned();
    let label = problem.label.as_deref().map(|label| escape(label).into_owned());
    let words = problem.related.as_ref().map(|(_, word)| escape(word).into_owned());
    let help = problem.help.as_deref().map(|help| escape(help).into_owned());
    let mut group = Group::with_title(Level::ERROR.primary_title(&title));
    if let Some(place) = &problem.place {
        let primary = AnnotationKind::Primary.span(span(place)).label(label.as_deref());
        let related = problem.related.as_ref().filter(|(other, _)| other.source == place.source);
        let context = related
            .zip(words.as_deref())
            .map(|((other, _), word)| AnnotationKind::Context.span(span(other)).label(word));
        let snippet = Snippet::source(place.source.text.as_str())
            .path(place.source.name.as_str())
            .annotation(primary)
            .annotations(context);
        group = group.element(snippet);
    }
    let elsewhere = problem.related.as_ref().filter(|(other, _)| {
        problem.place.as_ref().is_none_or(|place| place.source != other.source)
    });
    if let Some(((other, _), word)) = elsewhere.zip(words.as_deref()) {
        let annotation = AnnotationKind::Context.span(span(other)).label(word);
        let snippet = Snippet::source(other.source.text.as_str())
            .path(other.source.name.as_str())
            .annotation(annotation);
        group = group.element(snippet);
    }
    if let Some(help) = &help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if ui.colour() { Renderer::styled() } else { Renderer::plain() };
    ui.raw(&format!("{}\n", renderer.render(&[group])));
}

/// A span that annotates something: an empty one still needs a caret.
fn span(place: &Place) -> std::ops::Range<usize> {
    let text = &place.source.text;
    let end = place.span.end.min(text.len());
    let start = place.span.start.min(end);
    let next = text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    start..end.max(start + next)
}
