//! `completions`: what makes a shell ask this program when TAB is pressed.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap::{Command, ValueEnum};
use clap_complete::CompleteEnv;
use clap_complete::env::{Bash, EnvCompleter, Fish, Powershell, Shells, Zsh};

use super::Answer;
use super::ui::Ui;
use ckptmap::report::Report;

/// By this variable a shell says that it asks for words, and which shell it is.
const VARIABLE: &str = "CKPTMAP_COMPLETE";

const NAME: &str = "ckptmap";

/// Print what lets a shell complete commands, files, built-in mappings and names of variables
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// For which shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    /// `source <(ckptmap completions bash)` in `.bashrc`
    Bash,
    /// `source <(ckptmap completions zsh)` in `.zshrc`, behind `compinit`
    Zsh,
    /// `ckptmap completions fish | source` in `config.fish`
    Fish,
    /// `ckptmap completions powershell | Out-String | Invoke-Expression` in `$PROFILE`
    #[value(name = "powershell")]
    Pwsh,
}

impl Shell {
    fn completer(self) -> &'static dyn EnvCompleter {
        match self {
            Self::Bash => &Reassembling,
            Self::Zsh => &Zsh,
            Self::Fish => &Fish,
            Self::Pwsh => &Powershell,
        }
    }
}

/// Bash, with words that have `:` and `=` in them.
struct Reassembling;

impl EnvCompleter for Reassembling {
    fn name(&self) -> &'static str {
        Bash.name()
    }

    fn is(&self, name: &str) -> bool {
        Bash.is(name)
    }

    fn write_registration(
        &self,
        _: &str,
        _: &str,
        _: &str,
        _: &str,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        out.write_all(include_bytes!("completions.sh"))
    }

    fn write_complete(
        &self,
        command: &mut Command,
        words: Vec<OsString>,
        folder: Option<&Path>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        Bash.write_complete(command, words, folder, out)
    }
}

/// Answers a shell that asks for words, and ends the program then.
pub(super) fn answer_shell(command: fn() -> Command) {
    let shells = [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Pwsh];
    let shells = shells.map(Shell::completer);
    CompleteEnv::with_factory(command).var(VARIABLE).shells(Shells(&shells)).complete();
}

pub(super) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Answer> {
    let mut script = Vec::new();
    args.shell.completer().write_registration(VARIABLE, NAME, NAME, NAME, &mut script)?;
    ui.answer(&Report::Text(&String::from_utf8(script)?), false)?;
    Ok(Answer::Yes)
}
