//! Runs commands on a source and prints a line for each.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use bytesize::ByteSize;

use crate::measure;
use crate::source::{self, CHECKPOINT, Make};

const MIB: u64 = 1 << 20;

/// Makes a source called `name`, runs all of its steps and prints what they took; whether all of
/// them could be done.
pub(crate) fn list(name: &str, source: &dyn Make) -> bool {
    let place = tempfile::tempdir().unwrap();
    let place = Place(place.path());
    source::make(source, place.0);
    println!("{name}, {}", ByteSize(place.settle()));
    // Each of them, whatever became of the others.
    let failed = source.steps().iter().filter(|step| !place.run(step)).count();
    failed == 0
}

/// The directory where it all lies.
struct Place<'a>(&'a Path);

impl Place<'_> {
    fn source(&self) -> PathBuf {
        self.0.join(CHECKPOINT)
    }

    fn result(&self) -> PathBuf {
        self.0.join("new").join(CHECKPOINT)
    }

    fn rules(&self, name: &str) -> PathBuf {
        self.0.join(format!("rules-{name}.yaml"))
    }

    /// Waits until all files are on the disk, which would disturb what comes next; their bytes.
    fn settle(&self) -> u64 {
        let files = fs::read_dir(self.0).unwrap().map(|file| File::open(file.unwrap().path()));
        let settle = |file: File| {
            file.sync_all().unwrap();
            file.metadata().unwrap().len()
        };
        files.map(|file| settle(file.unwrap())).sum()
    }

    fn run(&self, step: &str) -> bool {
        let words: Vec<&str> = step.split(' ').collect();
        if words[0] == "convert" {
            self.remove_result();
        }
        match measure::run(&self.command(&words)) {
            Ok(used) => {
                println!(
                    "  {step:<46} {:>7.2} s {:>7.2} s of processors {:>6} MiB at the most",
                    used.seconds,
                    used.processor_seconds,
                    used.peak_bytes / MIB,
                );
                true
            }
            Err(said) => {
                println!("  {step:<46} {}", said.lines().next().unwrap_or("it failed"));
                false
            }
        }
    }

    /// The command that a step stands for: `list` or `check`, of the `new` checkpoint if it says
    /// so; `plan` or `convert` by the rules of a name, with flags; `suggest` of rules that lead to
    /// the `new` one.
    fn command(&self, step: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ckptmap"));
        command.arg(step[0]);
        match step {
            ["plan", rules] => command.arg(self.source()).arg("--map").arg(self.rules(rules)),
            ["convert", rules, flags @ ..] => command
                .arg(self.source())
                .arg("--map")
                .arg(self.rules(rules))
                .arg("-o")
                .arg(self.result())
                .args(["--quiet", "--no-sync"])
                .args(flags),
            ["suggest", flags @ ..] => {
                command.arg(self.source()).arg("--like").arg(self.result()).args(flags)
            }
            ["list" | "check", "new"] => command.arg(self.result()),
            ["list" | "check"] => command.arg(self.source()),
            _ => panic!("{step:?} is no step"),
        };
        command
    }

    fn remove_result(&self) {
        match fs::remove_dir_all(self.0.join("new")) {
            Err(error) if error.kind() != ErrorKind::NotFound => panic!("{error}"),
            _ => {}
        }
    }
}
