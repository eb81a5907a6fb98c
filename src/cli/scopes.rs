//! `scopes`: the layers of a TF1 program.

use anyhow::Context;

use super::Answer;
use super::ui::Ui;
use ckptmap::files::Location;
use ckptmap::layers::layers;
use ckptmap::report::Report;
use ckptmap::source::open;

/// Show the layers of a TF1 program in the order in which it made them
///
/// They are read from the graph beside the checkpoint (`.meta`), and shown with their kinds, what of
/// them is trained, and the collections they are in; then as a recording. All of it can be pasted
/// into a rule file.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The checkpoint
    #[arg(value_name = "CKPT")]
    at: Location,
    /// Record names of the new model's variables rather than paths: what Keras calls its layers
    /// without names
    #[arg(long, conflicts_with = "json")]
    names: bool,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Answer> {
    let reader = open(&args.at)?;
    let catalog = reader.catalog();
    for note in &catalog.facts.notes {
        ui.note(note);
    }
    let found = layers(catalog)
        .with_context(|| format!("`{}` does not tell its layers", reader.prefix()))?;
    let report = Report::Layers { layers: &found, origin: &catalog.origin, by_name: args.names };
    ui.answer(&report, args.json)?;
    Ok(Answer::Yes)
}
