//! `diff`: whether two checkpoints hold the same.

use anyhow::bail;

use super::Answer;
use super::interrupt::Interrupt;
use super::mapped::RuleArgs;
use super::progress::Bar;
use super::ui::Ui;
use super::values::tolerance;
use ckptmap::diff::{CompareError, Options, Tolerance, diff};
use ckptmap::files::Location;
use ckptmap::report::{Page, Report};
use ckptmap::source::open;
use ckptmap::verify::compare;

/// Compare two checkpoints: names, dtypes, shapes, values, objects
///
/// Values are compared bit for bit, or within `--rtol` and `--atol`. With `--map`, A is what B was
/// converted from, and every value of B is compared with what the rules make of A.
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
    /// Let numbers count as equal up to R × the size of B's; NaN is then equal to NaN
    #[arg(long, value_name = "R", allow_negative_numbers = true, value_parser = tolerance)]
    rtol: Option<f64>,
    /// Let numbers count as equal up to this distance; NaN is then equal to NaN
    #[arg(long, value_name = "A", allow_negative_numbers = true, value_parser = tolerance)]
    atol: Option<f64>,
    /// Pair tensors that are equal under other names too: these are no difference, nor is an object
    /// graph that only one of them has
    #[arg(long, conflicts_with = "map")]
    by_content: bool,
    #[command(flatten)]
    rules: RuleArgs,
}

pub(super) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Answer> {
    let tolerance = match (args.rtol, args.atol) {
        (None, None) => Tolerance::EXACT,
        (relative, absolute) => Tolerance::new(relative.unwrap_or(0.0), absolute.unwrap_or(0.0))?,
    };
    let interrupt = Interrupt::listen()?;
    let bar = Bar::new(ui, interrupt.clone());
    let answered = if args.rules.has_map() {
        mapped(args, tolerance, ui, bar)
    } else if args.rules.needs_map() {
        bail!("without rules there is nothing for `--like`, `--set` and the like: `--map RULES`")
    } else {
        plain(args, tolerance, ui, bar)
    };
    match answered {
        Err(error) if matches!(error.downcast_ref(), Some(CompareError::Interrupted)) => {
            ui.warn(error);
            Ok(Answer::Interrupted(interrupt.signal().unwrap_or_default()))
        }
        answered => answered,
    }
}

fn plain(args: &Args, tolerance: Tolerance, ui: &Ui, bar: Bar) -> anyhow::Result<Answer> {
    let (left, right) = (open(&args.left)?, open(&args.right)?);
    let options = Options { tolerance, by_content: args.by_content };
    let found = diff(left.as_ref(), right.as_ref(), &options, &bar)?;
    drop(bar);
    ui.answer(&Report::Diff(&found), args.rules.json)?;
    Ok(Answer::of(found.is_complete(), found.is_equal()))
}

fn mapped(args: &Args, tolerance: Tolerance, ui: &Ui, bar: Bar) -> anyhow::Result<Answer> {
    let new = open(&args.right)?;
    let planned = match args.rules.plan(&args.left, ui)? {
        Ok(planned) => planned,
        Err(answer) => return Ok(answer),
    };
    let found = compare(new.as_ref(), &planned.plan, &planned.inputs(), tolerance, &bar)?;
    drop(bar);
    let (mapping, plan) = (&planned.mapping, Some(&planned.plan));
    ui.answer(
        &Report::Verification { verification: &found, mapping, plan, judge: None },
        args.rules.json,
    )?;
    args.rules.write_page(&Page { verification: Some(&found), ..planned.page() }, ui)?;
    Ok(Answer::of(found.is_complete(), found.is_equal()))
}
