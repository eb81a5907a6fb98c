//! `graph`: the objects of a checkpoint.

use super::Answer;
use super::ui::Ui;
use ckptmap::files::Location;
use ckptmap::report::Report;
use ckptmap::source::open;

/// Show the object graph of a TF2 checkpoint or SavedModel as a tree
///
/// Each object stands once, at its nearest place; further edges to it read `label -> path`, with
/// `(cycle)` if they lie on one. A variable shows its dtype and shape, its name in a TF1 graph, and
/// its key where that is not the path's; optimizer state stands below the optimizer, with the
/// variable it belongs to. `#7` is an object without a path short enough to show.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The checkpoint
    #[arg(value_name = "CKPT")]
    at: Location,
    /// Draw it for Graphviz (`| dot -Tsvg`): aliases dashed, slots dotted
    #[arg(long, conflicts_with = "json")]
    dot: bool,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Answer> {
    let reader = open(&args.at)?;
    let catalog = reader.catalog();
    let Some(graph) = &catalog.graph else {
        let (at, prefix) = (&args.at, reader.prefix());
        anyhow::bail!(
            "`{prefix}` has no object graph: it is a list of names, as TF1 writes it; `ckptmap list \
             {at}` shows them"
        );
    };
    for note in &catalog.facts.notes {
        ui.note(note);
    }
    let report = if args.dot {
        Report::Drawing { catalog, graph }
    } else {
        Report::Graph { catalog, graph }
    };
    ui.answer(&report, args.json)?;
    Ok(Answer::Yes)
}
