//! `schema`: what editors need to complete and check files that people write.

use clap::ValueEnum;

use super::Answer;
use super::ui::Ui;
use ckptmap::report::Report;

/// Print the JSON schema of a file that is written by hand
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which file
    #[arg(value_enum)]
    of: Of,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Of {
    /// Rule files
    Rules,
    /// Job files of `batch`
    Jobs,
}

pub(super) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Answer> {
    let schema = match args.of {
        Of::Rules => ckptmap::mapping::SCHEMA,
        Of::Jobs => ckptmap::batch::SCHEMA,
    };
    ui.answer(&Report::Text(schema), false)?;
    Ok(Answer::Yes)
}
