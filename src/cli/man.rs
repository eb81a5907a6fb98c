//! `man`: pages for `man`, made of what `--help` knows.

use std::io::Write as _;

use anyhow::bail;
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::Answer;
use super::examples::examples;
use super::ui::Ui;
use ckptmap::files::{Location, write_all};
use ckptmap::report::Report;

/// Print a man page, or write all of them to a directory
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The page of this command [default: that of the program]
    #[arg(value_name = "COMMAND", conflicts_with = "output")]
    command: Option<String>,
    /// Write every page to this directory, as `ckptmap.1`, `ckptmap-convert.1`, …
    #[arg(short, long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    output: Option<Location>,
}

/// What holds for every command.
const EXIT_STATUS: &[(&str, &str)] = &[
    ("0", "Done, or yes."),
    ("1", "No: different, damaged, or the plan has problems."),
    ("2", "It could not be done."),
    ("130", "Interrupted."),
];

const ENVIRONMENT: &[(&str, &str)] = &[
    ("NO_COLOR", "Colour nothing, unless --color says so."),
    ("COLUMNS", "How wide answers on a terminal may be."),
    ("TMPDIR", "Where that is kept which goes to a bucket or comes from one."),
];

/// A page and the name of its file.
struct Page {
    file: String,
    text: Vec<u8>,
}

pub(super) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Answer> {
    let pages = pages(super::command())?;
    if let Some(folder) = &args.output {
        for page in &pages {
            write_all(&folder.join(&page.file), &page.text)?;
        }
        ui.note(format!("wrote {} pages to `{folder}`", pages.len()));
        return Ok(Answer::Yes);
    }
    let wanted = match &args.command {
        Some(command) => format!("ckptmap-{command}.1"),
        None => "ckptmap.1".to_owned(),
    };
    let Some(page) = pages.into_iter().find(|page| page.file == wanted) else {
        let command = args.command.as_deref().unwrap_or_default();
        bail!("there is no command `{command}`; `ckptmap --help` lists all of them");
    };
    ui.answer(&Report::Text(&String::from_utf8(page.text)?), false)?;
    Ok(Answer::Yes)
}

/// The program's page, and one for each command.
fn pages(mut command: Command) -> anyhow::Result<Vec<Page>> {
    // Options that all commands have come to each of them.
    command.build();
    let commands: Vec<Command> =
        command.get_subcommands().filter(|one| one.get_name() != "help").cloned().collect();
    let names: Vec<String> =
        commands.iter().map(|one| format!("ckptmap-{}", one.get_name())).collect();
    let mut pages = vec![page(command, "ckptmap", &names)?];
    for (command, name) in commands.into_iter().zip(&names) {
        pages.push(page(command, name, &["ckptmap".to_owned()])?);
    }
    Ok(pages)
}

fn page(command: Command, name: &str, others: &[String]) -> anyhow::Result<Page> {
    let examples = examples(command.get_name());
    let has_commands = command.has_subcommands();
    let title = name.to_uppercase();
    let man = Man::new(command);
    let mut text = Vec::new();
    // Without a date, which would stand here as nothing and let the others move up.
    let version = env!("CARGO_PKG_VERSION");
    writeln!(text, ".TH {title} 1 \"\" \"ckptmap {version}\" \"ckptmap\"")?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if has_commands {
        man.render_subcommands_section(&mut text)?;
    }
    let mut roff = Roff::new();
    if !examples.is_empty() {
        roff.control("SH", ["EXAMPLES"]);
        for (purpose, lines) in examples {
            roff.control("PP", []).text([roman(*purpose)]);
            roff.control("RS", ["4"]).control("nf", []);
            for line in lines.lines() {
                roff.text([bold(line)]);
            }
            roff.control("fi", []).control("RE", []);
        }
    }
    for (heading, entries) in [("EXIT STATUS", EXIT_STATUS), ("ENVIRONMENT", ENVIRONMENT)] {
        roff.control("SH", [heading]);
        for (term, meaning) in entries {
            roff.control("TP", []).text([bold(*term)]).text([roman(*meaning)]);
        }
    }
    roff.control("SH", ["SEE ALSO"]);
    for (at, other) in others.iter().enumerate() {
        let end = if at + 1 < others.len() { "(1)," } else { "(1)" };
        roff.text([bold(other.as_str()), roman(end)]);
    }
    roff.to_writer(&mut text)?;
    Ok(Page { file: format!("{name}.1"), text })
}
