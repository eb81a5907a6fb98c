//! `diff`: whether two checkpoints hold the same.

use super::Answer;
use super::interrupt::Interrupt;
use super::progress::Bar;
use super::ui::Ui;
use ckptmap::diff::{CompareError, diff};
use ckptmap::files::Location;
use ckptmap::report::Report;
use ckptmap::source::open;

/// Compare two checkpoints: names, dtypes, shapes, values bit for bit, objects
///
/// Exit status: 0 equal, 1 different, 2 something could not be compared.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A checkpoint
    #[arg(value_name = "A")]
    left: Location,
    /// The other one
    #[arg(value_name = "B")]
    right: Location,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Answer> {
    let interrupt = Interrupt::listen()?;
    let (left, right) = (open(&args.left)?, open(&args.right)?);
    let bar = Bar::new(ui, interrupt.clone());
    let found = diff(left.as_ref(), right.as_ref(), &bar);
    drop(bar);
    let found = match found {
        Err(CompareError::Interrupted) => {
            ui.warn(CompareError::Interrupted);
            return Ok(Answer::Interrupted(interrupt.signal().unwrap_or_default()));
        }
        found => found?,
    };
    ui.answer(&Report::Diff(&found), args.json)?;
    Ok(match (found.is_complete(), found.is_equal()) {
        (false, _) => Answer::Unknown,
        (true, false) => Answer::No,
        (true, true) => Answer::Yes,
    })
}
