//! The `ckptmap` program. It sees the library's public API only.

mod cli;

use std::process::ExitCode;

/// A plan is a million small pieces; the system's allocator takes half of the time they take.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
