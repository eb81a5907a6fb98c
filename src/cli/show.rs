//! `show`: the values of a variable.

use super::Answer;
use super::interrupt::Interrupt;
use super::progress::Bar;
use super::ui::Ui;
use ckptmap::files::Location;
use ckptmap::report::{Report, display_name};
use ckptmap::show::{Portion, ShowError, checksum, find, save, show};
use ckptmap::source::open;

/// Show the values of a variable, as NumPy prints them
///
/// NAME is what `list` calls it. A part of it is written as in NumPy, in quotes for the shell:
/// `'NAME[0:3, ..., -1]'`. Only what is shown is read, so the checksum of a tensor larger than 1 MiB
/// is not checked unless `--verify`, `--hash` or `--npy` asks for it.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The checkpoint
    #[arg(value_name = "CKPT")]
    at: Location,
    /// The variable, or a part of it
    #[arg(value_name = "NAME[SLICE]")]
    what: String,
    /// Show every element, however many there are
    #[arg(long, conflicts_with_all = ["npy", "hash"])]
    full: bool,
    /// Check the checksum of the whole variable first
    #[arg(long)]
    verify: bool,
    /// Check the checksum of the whole variable, and show it instead of the values
    #[arg(long, conflicts_with = "npy")]
    hash: bool,
    /// Write the values to a `.npy` file instead; it appears when all checksums have been checked
    #[arg(long, value_name = "FILE")]
    npy: Option<Location>,
    /// Replace the file if it exists
    #[arg(long, requires = "npy")]
    force: bool,
    /// Answer in JSON, with every element
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Answer> {
    let interrupt = Interrupt::listen()?;
    let bar = Bar::new(ui, interrupt.clone());
    match answer(args, ui, bar) {
        Err(error) if matches!(error.downcast_ref(), Some(ShowError::Interrupted)) => {
            ui.warn(error);
            Ok(Answer::Interrupted(interrupt.signal().unwrap_or_default()))
        }
        answered => answered.map(|()| Answer::Yes),
    }
}

fn answer(args: &Args, ui: &Ui, bar: Bar) -> anyhow::Result<()> {
    let reader = open(&args.at)?;
    let found = find(reader.catalog(), &args.what, |name| display_name(name).into_owned())?;
    if let Some(at) = &args.npy {
        let saved = save(reader.as_ref(), &found, at, args.force, &bar)?;
        drop(bar);
        if saved.form.raw {
            let (dtype, descr) = (saved.dtype, saved.form.descr);
            ui.note(format!("NumPy has no {dtype}: the bits of each element are a `{descr}`; with `ml_dtypes`, `.view(\"{dtype}\")` gives the numbers"));
        }
        return ui.answer(&Report::Saved(&saved), args.json);
    }
    if args.hash {
        let sum = checksum(reader.as_ref(), &found, &bar)?;
        drop(bar);
        return ui.answer(&Report::Checksum(&sum), args.json);
    }
    let portion = if args.full || args.json { Portion::All } else { Portion::Edges };
    let shown = show(reader.as_ref(), &found, portion, args.verify, &bar)?;
    drop(bar);
    ui.answer(&Report::Values(&shown), args.json)
}
