//! `list`: names, dtypes, shapes, sizes, and what values are like.

use clap::ValueEnum;

use super::Answer;
use super::interrupt::Interrupt;
use super::progress::Bar;
use super::ui::Ui;
use super::values::NamePattern;
use ckptmap::catalog::{Variable, VariableName};
use ckptmap::check::links;
use ckptmap::files::Location;
use ckptmap::optimizer::slots;
use ckptmap::report::{Listing, Order, Report, display_name};
use ckptmap::source::open;
use ckptmap::stats::{StatsError, statistics};

/// List the variables of a checkpoint
///
/// Exit status: 0, or 1 where `--stats` finds damage.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The checkpoint
    #[arg(value_name = "CKPT")]
    at: Location,
    /// Only these: globs over whole names (`*` stands for anything), or /regular expressions/
    #[arg(value_name = "PATTERN")]
    patterns: Vec<NamePattern>,
    /// Show names as a tree; what is numbered and alike stands once: `layer_{0..11}`
    #[arg(long, conflicts_with_all = ["stats", "csv", "json"])]
    tree: bool,
    /// What comes first
    #[arg(long, value_name = "ORDER", default_value = "key")]
    sort: Sort,
    /// Read all values, check their checksums, and show least, largest, mean and standard deviation
    /// of the finite ones, and how many are NaN or infinite
    #[arg(long)]
    stats: bool,
    /// Show optimizer slots in rows of their own, not in their variables' rows
    #[arg(long)]
    slots: bool,
    /// Answer with comma-separated values
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// An order of variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sort {
    /// Byte by byte, as TensorFlow stores them
    Key,
    /// By name, numbers by their value
    Name,
    /// The largest first
    Size,
}

pub(super) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Answer> {
    let reader = open(&args.at)?;
    let catalog = reader.catalog();
    let wanted = |name: &VariableName| {
        let shown = display_name(name.as_str());
        args.patterns.is_empty() || args.patterns.iter().any(|pattern| pattern.matches(&shown))
    };
    let mut variables: Vec<(&VariableName, &Variable)> =
        catalog.variables.iter().filter(|(name, _)| wanted(name)).collect();
    for pattern in &args.patterns {
        let matches = |name: &VariableName| pattern.matches(&display_name(name.as_str()));
        if !variables.iter().any(|(name, _)| matches(name)) {
            let help = "a pattern is for whole names, in which `*` stands for anything";
            ui.warn(format!("no variable matches `{pattern}`; {help}"));
        }
    }
    let order = match args.sort {
        Sort::Key => Order::Key,
        Sort::Name => Order::Name,
        Sort::Size => Order::Size,
    };
    order.sort(&mut variables);
    for note in catalog.facts.notes.iter().chain(&links(&reader.files())?) {
        ui.note(note);
    }
    let statistics = if args.stats {
        let interrupt = Interrupt::listen()?;
        let bar = Bar::new(ui, interrupt.clone());
        let names: Vec<&VariableName> = variables.iter().map(|(name, _)| *name).collect();
        match statistics(reader.as_ref(), &names, &bar) {
            Err(StatsError::Interrupted) => {
                drop(bar);
                ui.warn(StatsError::Interrupted);
                return Ok(Answer::Interrupted(interrupt.signal().unwrap_or_default()));
            }
            found => Some(found?),
        }
    } else {
        None
    };
    let listing = Listing {
        catalog,
        variables: &variables,
        slots: &slots(catalog),
        folded: !args.slots,
        statistics: statistics.as_ref(),
    };
    let report = match (args.tree, args.csv) {
        (true, _) => Report::Tree { listing: &listing, by_size: order == Order::Size },
        (_, true) => Report::Csv(&listing),
        _ => Report::List(&listing),
    };
    ui.answer(&report, args.json)?;
    let unreadable = statistics.into_iter().flat_map(|statistics| statistics.unreadable);
    let errors: Vec<_> = unreadable.map(|finding| finding.error.into()).collect();
    ui.errors(&errors);
    Ok(if errors.is_empty() { Answer::Yes } else { Answer::No })
}
