//! The command line: what may be typed, and which parts of the library a command puts together.

mod bars;
mod batch;
mod check;
mod complete;
mod completions;
mod convert;
mod diff;
mod examples;
mod explain;
mod graph;
mod interrupt;
mod kept;
mod list;
mod man;
mod mapped;
mod mappings;
mod page;
mod plan;
mod progress;
mod schema;
mod scopes;
mod show;
mod suggest;
mod tensorflow;
mod ui;
mod values;
mod verify;

use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use ckptmap::files::Location;

use ui::{Colour, Ui};

/// What a command's answer means for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// Done, or yes.
    Yes,
    /// No: different, damaged, or the plan has problems.
    No,
    /// It could not be found out, and what is known has been said.
    Unknown,
    /// Interrupted by this signal.
    Interrupted(u8),
}

impl Answer {
    /// Whether two things are equal, if all of both could be compared.
    fn of(is_complete: bool, is_equal: bool) -> Self {
        match (is_complete, is_equal) {
            (false, _) => Self::Unknown,
            (true, false) => Self::No,
            (true, true) => Self::Yes,
        }
    }
}

impl From<Answer> for ExitCode {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Yes => Self::SUCCESS,
            Answer::No => Self::from(1),
            Answer::Unknown => Self::from(2),
            Answer::Interrupted(signal) => Self::from(128 + signal),
        }
    }
}

/// Converts TensorFlow 1 checkpoints to object-based TensorFlow 2 checkpoints.
///
/// CKPT may be typed in every way people have it: a prefix, `x.index`, `x.data-00000-of-00001`,
/// `x.meta`, a directory with a `checkpoint` file, a SavedModel directory, a V1 file or the pattern
/// of its shards, `x-?????-of-00002`; with the feature `cloud` in a bucket too, `s3://bucket/x`.
#[derive(Debug, Parser)]
#[command(name = "ckptmap", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

#[derive(Debug, Args)]
struct Global {
    /// Say nothing but errors, and print no mapping after a conversion
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Colour answers and messages
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Colour,
    /// Write the answer to FILE as well, in JSON; nothing but an earlier answer is replaced
    #[arg(long, global = true, value_name = "FILE")]
    json_file: Option<Location>,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Args),
    Graph(graph::Args),
    Show(show::Args),
    Scopes(scopes::Args),
    Suggest(suggest::Args),
    Plan(plan::Args),
    Convert(convert::Args),
    Check(check::Args),
    Diff(diff::Args),
    Verify(verify::Args),
    Batch(batch::Args),
    Mappings(mappings::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// All that may be typed, with what shells offer for it and with examples.
fn command() -> clap::Command {
    let with_more = |command| examples::with_examples(complete::with_offers(command));
    Cli::command().mut_subcommands(with_more)
}

/// Runs the program.
pub(crate) fn main() -> ExitCode {
    completions::answer_shell(command);
    let typed = command().try_get_matches();
    let cli = match typed.and_then(|typed| Cli::from_arg_matches(&typed)) {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to standard output, and its reader may have closed that.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let ui = Ui::new(cli.global.quiet, cli.global.color, cli.global.json_file);
    if let Err(error) = ui.may_keep() {
        ui.error(&error);
        return Answer::Unknown.into();
    }
    let answer = match &cli.command {
        Command::List(args) => list::run(args, &ui),
        Command::Graph(args) => graph::run(args, &ui),
        Command::Show(args) => show::run(args, &ui),
        Command::Scopes(args) => scopes::run(args, &ui),
        Command::Suggest(args) => suggest::run(args, &ui),
        Command::Plan(args) => plan::run(args, &ui),
        Command::Convert(args) => convert::run(args, &ui),
        Command::Check(args) => check::run(args, &ui),
        Command::Diff(args) => diff::run(args, &ui),
        Command::Verify(args) => verify::run(args, &ui),
        Command::Batch(args) => batch::run(args, &ui),
        Command::Mappings(args) => mappings::run(args, &ui),
        Command::Schema(args) => schema::run(args, &ui),
        Command::Completions(args) => completions::run(args, &ui),
        Command::Man(args) => man::run(args, &ui),
    };
    match answer {
        Ok(answer) => answer.into(),
        Err(error) => {
            ui.error(&error);
            ExitCode::from(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }
}
