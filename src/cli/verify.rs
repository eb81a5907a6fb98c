//! `verify`: whether a conversion is what its source and its rules make of each other.

use super::Answer;
use super::interrupt::Interrupt;
use super::mapped::{Planned, RuleArgs};
use super::progress::Bar;
use super::tensorflow::{self, Wanted};
use super::ui::Ui;
use ckptmap::diff::CompareError;
use ckptmap::files::Location;
use ckptmap::report::{Page, Report};
use ckptmap::source::{CheckpointReader, open};
use ckptmap::verify::{Verification, verify};

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
    /// Let a TensorFlow read NEW as well, and compare what it read: that of the active Python, or
    /// the one in DIR, which is its folder, an environment, or a Python
    #[arg(
        long, value_name = "DIR", num_args = 0..=1, require_equals = true,
        default_missing_value = ""
    )]
    tensorflow: Option<Wanted>,
    /// Let TensorFlow say things of its own
    #[arg(short, long, requires = "tensorflow")]
    verbose: bool,
    #[command(flatten)]
    rules: RuleArgs,
}

pub(super) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Answer> {
    if let Some(wanted) = &args.tensorflow {
        tensorflow::begin(wanted, args.verbose)?;
    }
    let interrupt = Interrupt::listen()?;
    let new = open(&args.new)?;
    let planned = match args.rules.plan(&args.against, ui)? {
        Ok(planned) => planned,
        Err(answer) => return Ok(answer),
    };
    let bar = Bar::new(ui, interrupt.clone());
    match proved(args, new.as_ref(), &planned, ui, bar) {
        Err(error) if matches!(error.downcast_ref(), Some(CompareError::Interrupted)) => {
            ui.warn(error);
            Ok(Answer::Interrupted(interrupt.signal().unwrap_or_default()))
        }
        answered => answered,
    }
}

fn proved(
    args: &Args,
    new: &dyn CheckpointReader,
    planned: &Planned,
    ui: &Ui,
    bar: Bar,
) -> anyhow::Result<Answer> {
    let (plan, inputs, mapping) = (&planned.plan, planned.inputs(), &planned.mapping);
    let verification = verify(new, plan, &inputs, &bar)?;
    let judge = match args.tensorflow {
        Some(_) => Some(tensorflow::judge(new, plan, &inputs, &bar)?),
        None => None,
    };
    drop(bar);
    let (verification, judge) = (&verification, judge.as_ref());
    ui.answer(&Report::Verification { verification, mapping, plan: None, judge }, args.rules.json)?;
    args.rules.write_page(&Page { verification: Some(verification), ..planned.page() }, ui)?;
    // The worst of both.
    let all = [Some(verification), judge.map(|judge| &judge.verification)].into_iter().flatten();
    let complete = all.clone().all(Verification::is_complete);
    Ok(Answer::of(complete, all.clone().all(Verification::is_equal)))
}
