//! `suggest`: a proposal for a rule file.
use super::Answer;
use super::ui::Ui;
use ckptmap::files::Location;
use ckptmap::source::open;
use ckptmap::suggest::{Options, suggest};

/// Propose a rule file
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The checkpoint to convert
    #[arg(value_name = "OLD")]
    old: Location,
    /// A template
    #[arg(long, value_name = "FRESH")]
    like: Location,
    #[arg(long)]
    no_builtin: bool,
    #[arg(long)]
    rules: bool,
}

pub(super) fn run(args: &Args, _ui: &Ui) -> anyhow::Result<Answer> {
    let old = open(&args.old)?;
    let new = open(&args.like)?;
    let found = suggest(old.catalog(), new.catalog(), &Options{no_builtin: args.no_builtin, ..Options::default()})?;
    if args.rules { print!("{}", found.rules); return Ok(Answer::Yes) }
    for p in &found.pairings {
        println!("{}\t{}\t{}\t{}\t{}\t{}", p.target.key(), p.confidence.word(), p.sources.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(","), p.path, p.reasons.join(";"), p.alternatives.join(" | "));
    }
    Ok(Answer::Yes)
}
