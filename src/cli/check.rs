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
    let mut checked = Vec::new();
    let mut failed: Option<anyhow::Error> = None;
    for at in &args.at {
        match check(at) {
            Ok(one) => checked.push(one),
            // The others can be checked all the same.
            Err(error) => {
                if let Some(before) = failed.replace(error.into()) {
                    ui.error(&before);
                }
            }
        }
    }
    if failed.is_none() || !checked.is_empty() {
        ui.answer(&Report::Check(&checked), args.json)?;
    }
    if let Some(error) = failed {
        return Err(error);
    }
    let sound = checked.iter().all(|one| one.findings.is_empty());
    Ok(if sound { Answer::Yes } else { Answer::No })
}
