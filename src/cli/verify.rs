//! `verify`: whether a conversion is what its source and its rules make of each other.

use super::Answer;
use super::interrupt::Interrupt;
use super::mapped::RuleArgs;
use super::progress::Bar;
use super::ui::Ui;
use ckptmap::diff::CompareError;
use ckptmap::files::Location;
use ckptmap::report::Report;
use ckptmap::source::open;
use ckptmap::verify::verify;

/// Prove a conversion: work out every value again and compare it bit for bit
///
/// Give the options the conversion was given. Exit status: 0 equal, 1 different, 2 something could
/// not be compared.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The checkpoint that was written
    #[arg(value_name = "NEW")]
    new: Location,
    /// The checkpoint it was made of
    #[arg(long, value_name = "OLD")]
    against: Location,
    #[command(flatten)]
    rules: RuleArgs,
}

pub(super) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Answer> {
    let interrupt = Interrupt::listen()?;
    let new = open(&args.new)?;
    let planned = match args.rules.plan(&args.against, ui)? {
        Ok(planned) => planned,
        Err(answer) => return Ok(answer),
    };
    let bar = Bar::new(ui, interrupt.clone());
    let found = verify(new.as_ref(), &planned.plan, &planned.inputs(), &bar);
    drop(bar);
    let verification = match found {
        Err(CompareError::Interrupted) => {
            ui.warn(CompareError::Interrupted);
            return Ok(Answer::Interrupted(interrupt.signal().unwrap_or_default()));
        }
        found => found?,
    };
    let mapping = &planned.mapping;
    let report = Report::Verification { verification: &verification, mapping, plan: None };
    ui.answer(&report, args.rules.json)?;
    Ok(Answer::of(verification.is_complete(), verification.is_equal()))
}
