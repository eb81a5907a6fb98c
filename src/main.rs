//! The `ckptmap` program. It sees the library's public API only.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
