//! Standard output and standard error: the only place that prints.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;

use super::explain::remedy;
use super::kept;
use ckptmap::files::Location;
use ckptmap::report::{Report, Style, escape, renderer};

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// Where answers and messages go. Answers: standard output. Everything else: standard error.
#[derive(Debug)]
pub(super) struct Ui {
    quiet: bool,
    /// Of messages.
    colour: bool,
    /// Of answers.
    style: Style,
    /// `--json-file`.
    kept: Option<Location>,
}

impl Ui {
    pub(super) fn new(quiet: bool, colour: Colour, kept: Option<Location>) -> Self {
        let wanted = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && env::var_os("TERM").is_none_or(|value| value != "dumb");
        let on = |is_terminal: bool| match colour {
            Colour::Auto => is_terminal && wanted,
            Colour::Always => true,
            Colour::Never => false,
        };
        let style = Style { width: width(), colour: on(io::stdout().is_terminal()) };
        Self { quiet, colour: on(io::stderr().is_terminal()), style, kept }
    }

    pub(super) fn colour(&self) -> bool {
        self.colour
    }

    /// Whether only what was asked for is to be said.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether progress can be drawn.
    pub(super) fn is_live(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Writes an answer. A reader that has seen enough (`| head`) is no error.
    pub(super) fn answer(&self, report: &Report<'_>, json: bool) -> anyhow::Result<()> {
        self.keep(report)?;
        let mut out = io::BufWriter::new(io::stdout().lock());
        let form = renderer(if json { "json" } else { "text" });
        let written = match form {
            Some(form) => form.render(report, self.style, &mut out).and_then(|()| out.flush()),
            None => Ok(()),
        };
        let Err(error) = written else { return Ok(()) };
        // What is still buffered would be tried again on drop.
        drop(out.into_parts());
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Ok(());
        }
        Err(anyhow::Error::from(error).context("cannot write the answer to standard output"))
    }

    /// Whether the file that programs read can be written, if one is wanted.
    pub(super) fn may_keep(&self) -> anyhow::Result<()> {
        self.kept.as_ref().map_or(Ok(()), kept::may_write)
    }

    /// Writes the file that programs read, if one is wanted.
    pub(super) fn keep(&self, report: &Report<'_>) -> anyhow::Result<()> {
        self.kept.as_ref().map_or(Ok(()), |at| kept::write(at, report))
    }

    /// Something worth knowing.
    pub(super) fn note(&self, message: impl Display) {
        if !self.quiet {
            self.say("note", "36", &message);
        }
    }

    /// Something that may be wrong.
    pub(super) fn warn(&self, message: impl Display) {
        if !self.quiet {
            self.say("warning", "33", &message);
        }
    }

    /// An error and everything behind it, on one line, and what to do if it does not say it.
    pub(super) fn error(&self, error: &anyhow::Error) {
        self.errors(std::slice::from_ref(error));
    }

    /// Several errors; what to do about all of them is said once.
    pub(super) fn errors(&self, errors: &[anyhow::Error]) {
        for error in errors {
            self.say("error", "31", &format!("{error:#}"));
        }
        for help in errors.iter().filter_map(remedy).collect::<BTreeSet<_>>() {
            self.say("help", "36", &help);
        }
    }

    fn say(&self, word: &str, colour: &str, message: &dyn Display) {
        let message = message.to_string();
        // Lines of a message are its author's; what stands in a line may come from a file.
        let lines: Vec<_> = message.lines().map(escape).collect();
        if self.colour {
            self.raw(&format!("\x1b[1;{colour}m{word}\x1b[0m: {}\n", lines.join("\n")));
        } else {
            self.raw(&format!("{word}: {}\n", lines.join("\n")));
        }
    }

    /// Text that is already safe to show.
    #[expect(clippy::unused_self, reason = "who prints holds a `Ui`")]
    pub(super) fn raw(&self, text: &str) {
        // Nobody is left to tell where standard error is closed.
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

/// Characters of a line: those of the terminal, unless `COLUMNS` says otherwise. What goes into a
/// pipe or a file has lines of any length.
fn width() -> Option<usize> {
    let said = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    said.filter(|columns| *columns > 0).or_else(|| {
        let (width, _) = terminal_size::terminal_size_of(io::stdout())?;
        Some(width.0.into())
    })
}
