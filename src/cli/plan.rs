//! `plan`: the whole mapping, nothing written.

use super::Answer;
use super::mapped::MappedArgs;
use super::ui::Ui;
use ckptmap::report::Report;

/// Show what a conversion would do; nothing is written
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    mapped: MappedArgs,
}

pub(super) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Answer> {
    let planned = match args.mapped.plan(ui)? {
        Ok(planned) => planned,
        Err(answer) => return Ok(answer),
    };
    let report = Report::Plan { plan: &planned.plan, mapping: &planned.mapping };
    ui.answer(&report, args.mapped.json())?;
    args.mapped.rules().write_page(&planned.page(), ui)?;
    Ok(Answer::Yes)
}
