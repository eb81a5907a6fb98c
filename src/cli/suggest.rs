//! `suggest`: a proposal for a rule file.

use std::fmt::Write as _;

use anyhow::{Context, bail};

use super::Answer;
use super::ui::Ui;
use super::values::{Setting, hint};
use ckptmap::catalog::{Catalog, VariableName};
use ckptmap::files::{Location, store, write_all};
use ckptmap::report::Report;
use ckptmap::source::open;
use ckptmap::suggest::{Confidence, Options, Suggestion, suggest};

/// Open places that are named one by one.
const NAMED: usize = 8;

/// Propose a rule file
///
/// Says of every variable of the new model which one of the old checkpoint becomes it, with the reason
/// and with how sure that is. What is certain leaves no other consistent choice; what is likely has
/// evidence, and is marked; what cannot be told is open, and stands in the file as a commented rule
/// with its candidates.
///
/// Exit status: 0, or 1 with `--strict` unless all is certain.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The checkpoint to convert
    #[arg(value_name = "OLD")]
    old: Location,
    /// A template: a fresh checkpoint or SavedModel of the new model
    #[arg(long, value_name = "FRESH")]
    like: Location,
    /// Write the rule file there rather than to standard output; a file that is there stays as it is
    #[arg(short, long, value_name = "RULES")]
    output: Option<Location>,
    /// Replace the file that is there
    #[arg(long, requires = "output")]
    force: bool,
    /// What you know: this variable of OLD becomes that one of the new model, by its path or name;
    /// everything else is worked out anew
    #[arg(long = "hint", value_name = "OLD=NEW", value_parser = hint)]
    hints: Vec<Setting>,
    /// Accept nothing that is not certain: write no file, and say what is not
    #[arg(long)]
    strict: bool,
    /// Work it out, though a built-in mapping may fit
    #[arg(long)]
    no_builtin: bool,
    /// Show what speaks for and against each candidate for a variable of the new model, or each place
    /// for one of OLD, in place of the rules
    #[arg(long, value_name = "NAME", conflicts_with_all = ["output", "strict"])]
    explain: Option<String>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Answer> {
    if let Some(at) = args.output.as_ref().filter(|_| !args.force)
        && store(at).status(at)?.is_some()
    {
        bail!("`{at}` is there; give `--output` another name, or replace it with `--force`");
    }
    let (old, new) = (open(&args.old)?, open(&args.like)?);
    for note in old.catalog().facts.notes.iter().chain(&new.catalog().facts.notes) {
        ui.note(note);
    }
    let hints = args.hints.iter().map(|hint| (hint.name.clone(), hint.value.clone()));
    let options = Options {
        hints: hints.collect(),
        no_builtin: args.no_builtin || args.explain.is_some(),
        explain: args.explain.clone(),
    };
    let found = suggest(old.catalog(), new.catalog(), &options)
        .with_context(|| format!("no rules from `{}` to `{}`", args.old, args.like))?;
    if let Some(name) = &args.explain {
        if found.explanations.is_empty() {
            bail!(
                "neither OLD nor the new model has a variable `{name}`, or nothing fits it; \
                 `ckptmap list` shows the names of both"
            );
        }
        ui.answer(&Report::Explanations(&found.explanations), args.json)?;
        return Ok(Answer::Yes);
    }
    let certain = found.is_certain();
    if args.json || (args.output.is_none() && (certain || !args.strict)) {
        ui.answer(&Report::Suggestion(&found), args.json)?;
    } else {
        ui.keep(&Report::Suggestion(&found))?;
    }
    if args.strict && !certain {
        ui.warn(format!(
            "not all of it is certain, so no rule file was written\n{}",
            counts(&found, old.catalog())
        ));
        return Ok(Answer::No);
    }
    if let Some(at) = &args.output {
        write_all(at, found.rules.as_bytes())?;
    }
    ui.note(summary(args, &found, old.catalog()));
    Ok(Answer::Yes)
}

/// What came out, and what to do next.
fn summary(args: &Args, found: &Suggestion, old: &Catalog) -> String {
    let mut said = String::new();
    if let Some(name) = found.builtin {
        let _ = writeln!(said, "builtin:{name} fits, and the rule file includes it");
    }
    said.push_str(&counts(found, old));
    let at = |location: &Location| for_shell(&location.to_string());
    let rules = args.output.as_ref().map_or_else(|| "rules.yaml".to_owned(), at);
    let (from, like) = (at(&args.old), at(&args.like));
    let first = match (&args.output, found.complete) {
        (Some(_), true) => "look at it, then convert",
        (None, true) => "save it as `rules.yaml`, look at it, then convert",
        (Some(_), false) => "settle what is open, then",
        (None, false) => "save it as `rules.yaml`, settle what is open, then",
    };
    let _ = write!(
        said,
        "\n{first}:\n  ckptmap plan {from} --map {rules} --like {like}\n  \
         ckptmap convert {from} --map {rules} --like {like}"
    );
    said
}

/// How much of it is how sure, and what is open.
fn counts(found: &Suggestion, old: &Catalog) -> String {
    let of = |confidence| found.count(confidence);
    let mut said = format!(
        "{} variables of the new model: {} certain, {} likely, {} open",
        found.pairings.len(),
        of(Confidence::Certain),
        of(Confidence::Likely),
        of(Confidence::Open)
    );
    let open = found.pairings.iter().filter(|one| one.confidence == Confidence::Open);
    for one in open.clone().take(NAMED) {
        let _ = write!(said, "\n  open: {} {}", one.path, one.spec);
        if !one.alternatives.is_empty() {
            let _ = write!(said, ": {}?", one.alternatives.join(", "));
        }
    }
    let more = open.count().saturating_sub(NAMED);
    if more > 0 {
        let _ = write!(said, "\n  and {more} more");
    }
    // What is open may yet take them. Counters are no layer's.
    let has_axes = |name: &VariableName| {
        old.variables.get(name).is_some_and(|variable| variable.spec.shape().rank() > 0)
    };
    let left = found.dropped.iter().filter(|(name, _)| has_axes(name)).count();
    if found.complete && left > 0 {
        let _ = write!(
            said,
            "\n  left behind: {left} of the old checkpoint's variables; the new model has no place \
             for them, or its checkpoint has not (Keras 3 leaves out layers in lists)"
        );
    }
    for question in found.questions.iter().take(NAMED) {
        let _ = write!(said, "\n  open: {question}");
    }
    let more = found.questions.len().saturating_sub(NAMED);
    if more > 0 {
        let _ = write!(said, "\n  and {more} more");
    }
    said
}

/// A word that a shell takes as it is.
fn for_shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
