//! `mappings`: the rule files that come with the program.

use super::Answer;
use super::ui::Ui;
use anyhow::bail;
use ckptmap::mapping::{BUILTIN_PREFIX, BUILTINS, find_builtin};
use ckptmap::report::Report;

/// List the built-in mappings for well-known models, or print one to copy and edit
///
/// Each is an ordinary rule file. `--map builtin:NAME` uses one as it is; a rule file that says
/// `include: [builtin:NAME]` puts its own rules above.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print this one
    #[arg(value_name = "MAPPING")]
    name: Option<String>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Answer> {
    let Some(name) = &args.name else {
        ui.answer(&Report::Builtins(BUILTINS), args.json)?;
        return Ok(Answer::Yes);
    };
    match find_builtin(name.strip_prefix(BUILTIN_PREFIX).unwrap_or(name)) {
        Ok(builtin) => ui.answer(&Report::Builtin(builtin), args.json)?,
        Err(problem) => bail!("{problem}; {}", problem.help.as_deref().unwrap_or_default()),
    }
    Ok(Answer::Yes)
}
