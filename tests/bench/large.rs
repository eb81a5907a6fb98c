//! What large checkpoints cost: they are made, listed, checked, planned and converted; time and
//! peak memory of each command are shown. `tests/bench/README.md` says more.
//!
//! ```text
//! cargo bench --bench large [-- [SCALE] [SOURCE…]]    SCALE is per cent of the usual size
//! cargo bench --bench large -- make SOURCE DIRECTORY  leaves a checkpoint and its rule files there
//! cargo bench --bench large -- sum FILE               CRC-32C of a file, and nothing else
//! cargo bench --bench large -- measure COMMAND…       time and memory of any command
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is what it is for")]

mod bert;
mod bundle;
mod listing;
mod many;
mod measure;
mod source;
mod v1;

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

use memmap2::Mmap;

fn main() -> ExitCode {
    // Cargo adds `--bench` to whatever it is given.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["measure", program, arguments @ ..] => measure::report(program, arguments),
        ["make", source, at] => make(source, Path::new(at)),
        ["sum", file] => sum(Path::new(file)),
        [scale, sources @ ..] if scale.parse::<usize>().is_ok() => {
            list(scale.parse().unwrap(), sources)
        }
        sources => list(100, sources),
    }
}

/// Runs every command on the sources of these names, or on the usual ones.
fn list(scale: usize, names: &[&str]) -> ExitCode {
    let names = if names.is_empty() { source::USUAL } else { names };
    let sources: Result<Vec<_>, String> =
        names.iter().map(|name| source::named(name, scale)).collect();
    match sources {
        Ok(sources) => {
            let all = names.iter().zip(&sources);
            let failed = all.filter(|(name, source)| !listing::list(name, source.as_ref())).count();
            if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(problem) => refuse(&problem),
    }
}

/// Makes a source and leaves it there.
fn make(name: &str, at: &Path) -> ExitCode {
    match source::named(name, 100) {
        Ok(source) => {
            source::make(source.as_ref(), at);
            ExitCode::SUCCESS
        }
        Err(problem) => refuse(&problem),
    }
}

fn refuse(problem: &str) -> ExitCode {
    eprintln!("{problem}");
    ExitCode::from(2)
}

/// What a reader of these bytes could do at best: look at each one once.
fn sum(file: &Path) -> ExitCode {
    let file = File::open(file).unwrap();
    #[expect(unsafe_code, reason = "mapping is unsafe as other programs can change the file")]
    // SAFETY: the bytes may have any value, and nobody changes a benchmark's source.
    let bytes = unsafe { Mmap::map(&file) }.unwrap();
    println!("{:08x}", crc32c::crc32c(&bytes));
    ExitCode::SUCCESS
}
