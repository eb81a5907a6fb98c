//! `check`: every checksum, every size.

use super::Answer;
use super::ui::Ui;
use ckptmap::check::check;
use ckptmap::files::Location;
use ckptmap::report::Report;

/// Read checkpoints through and report all damage
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The checkpoints
    #[arg(value_name = "CKPT", required = true)]
    at: Vec<Location>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Answer> {
    let checked = args.at.iter().map(check).collect::<Result<Vec<_>, _>>()?;
    ui.answer(&Report::Check(&checked), args.json)?;
    let sound = checked.iter().all(|one| one.findings.is_empty());
    Ok(if sound { Answer::Yes } else { Answer::No })
}
