//! `list`: names, dtypes, shapes, sizes.

use super::Answer;
use super::ui::Ui;
use super::values::NamePattern;
use ckptmap::catalog::{Variable, VariableName};
use ckptmap::check::links;
use ckptmap::files::Location;
use ckptmap::report::{Report, display_name};
use ckptmap::source::open;

/// List the variables of a checkpoint
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The checkpoint
    #[arg(value_name = "CKPT")]
    at: Location,
    /// Only these: globs over whole names (`*` stands for anything), or /regular expressions/
    #[arg(value_name = "PATTERN")]
    patterns: Vec<NamePattern>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Answer> {
    let reader = open(&args.at)?;
    let catalog = reader.catalog();
    let wanted = |name: &VariableName| {
        let shown = display_name(name.as_str());
        args.patterns.is_empty() || args.patterns.iter().any(|pattern| pattern.matches(&shown))
    };
    let variables: Vec<(&VariableName, &Variable)> =
        catalog.variables.iter().filter(|(name, _)| wanted(name)).collect();
    for note in catalog.facts.notes.iter().chain(&links(&reader.files())?) {
        ui.note(note);
    }
    ui.answer(&Report::List { catalog, variables: &variables }, args.json)?;
    Ok(Answer::Yes)
}
