//! Time and memory of a command.

use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use wait4::Wait4;

/// What a command took.
pub(crate) struct Used {
    pub(crate) seconds: f64,
    pub(crate) processor_seconds: f64,
    pub(crate) peak_bytes: u64,
}

/// Runs a command; what it says on standard error, if it fails.
///
/// The system counts what the parent has in memory when it starts a child, so this very program
/// stands in between, where it has next to nothing.
pub(crate) fn run(command: &Command) -> Result<Used, String> {
    let mut between = Command::new(std::env::current_exe().unwrap());
    between.arg("measure").arg(command.get_program()).args(command.get_args());
    let said = between.output().unwrap();
    if !said.status.success() {
        return Err(String::from_utf8_lossy(&said.stderr).into_owned());
    }
    let numbers = String::from_utf8(said.stdout).unwrap();
    let numbers: Vec<f64> = numbers.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let [seconds, user, system, peak] = numbers[..] else { panic!("{numbers:?}") };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number")]
    Ok(Used { seconds, processor_seconds: user + system, peak_bytes: peak as u64 })
}

/// The process in between: prints seconds by the clock, of the processor for the command and for
/// the system, and the most memory it had, in bytes.
pub(crate) fn report(program: &str, arguments: &[&str]) -> ExitCode {
    let begun = Instant::now();
    let mut child = Command::new(program).args(arguments).stdout(Stdio::null()).spawn().unwrap();
    let used = child.wait4().unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    let [user, system] = [used.rusage.utime, used.rusage.stime].map(|time| time.as_secs_f64());
    println!("{seconds:.6} {user:.6} {system:.6} {}", used.rusage.maxrss);
    if used.status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
