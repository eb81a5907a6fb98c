//! What large checkpoints cost: a V1 file of three gigabytes and a bundle of two hundred thousand
//! variables are made, listed, checked and converted; wall time and peak memory of each are shown.
//!
//! `cargo bench --bench large [-- SCALE]`, where `SCALE` is per cent of that size.

#![allow(clippy::print_stdout, reason = "it is what it is for")]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "any values do")]

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use ckptmap::files::Location;
use ckptmap::object::Target;
use ckptmap::table::TableBuilder;
use ckptmap::target::{Options, always, create};
use ckptmap::tensor::{DType, Shape, Tensor, TensorSpec};
use wait4::Wait4;

const MIB: usize = 1 << 20;

/// The first argument of the process in between.
const MEASURE: &str = "--measure";

fn main() {
    let mut arguments = std::env::args();
    if arguments.nth(1).as_deref() == Some(MEASURE) {
        return measure(arguments);
    }
    let scale = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(100);
    let place = tempfile::tempdir().unwrap();
    let rules = place.path().join("rules.yaml");
    fs::write(&rules, "version: 1\nrules: [{from: '(.+)', to: '$1'}]\n").unwrap();

    let v1 = place.path().join("v1.ckpt");
    let bytes = write_v1(&v1, 48 * scale / 100);
    println!("V1 file of {} MiB", bytes / MIB);
    all_commands(&v1, &rules, place.path());

    let bundle = place.path().join("bundle.ckpt");
    let count = 2000 * scale;
    write_bundle(&bundle, count);
    println!("V2 bundle of {count} variables");
    all_commands(&bundle, &rules, place.path());
}

/// Runs every command on a checkpoint.
fn all_commands(checkpoint: &Path, rules: &Path, place: &Path) {
    let new = place.join("new");
    let convert = |more: &[&str]| {
        let mut command = ckptmap("convert", checkpoint);
        command.arg("--map").arg(rules).arg("-o").arg(new.join("ckpt")).args(["-q", "--no-sync"]);
        command.args(more);
        run(&format!("convert {}", more.join(" ")), &command);
    };
    run("list", &ckptmap("list", checkpoint));
    run("check", &ckptmap("check", checkpoint));
    convert(&[]);
    run("list the result", &ckptmap("list", &new.join("ckpt")));
    run("check the result", &ckptmap("check", &new.join("ckpt")));
    fs::remove_dir_all(&new).unwrap();
    convert(&["--shard-size", "500MB"]);
    fs::remove_dir_all(&new).unwrap();
}

fn ckptmap(command: &str, checkpoint: &Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_ckptmap"));
    program.arg(command).arg(checkpoint);
    program
}

fn run(what: &str, command: &Command) {
    // The system counts what the parent has in memory when it starts a child, so a small process
    // stands in between.
    let mut measure = Command::new(std::env::current_exe().unwrap());
    measure.arg(MEASURE).arg(command.get_program()).args(command.get_args());
    let begun = Instant::now();
    let said = measure.output().unwrap();
    assert!(said.status.success(), "{what}: {}", String::from_utf8_lossy(&said.stderr));
    let peak: u64 = String::from_utf8(said.stdout).unwrap().trim().parse().unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    println!("  {what:<32} {seconds:>7.2} s {:>6} MiB at the most", peak / MIB as u64);
}

/// Runs a command and prints the most memory it had, in bytes.
fn measure(mut command: std::env::Args) {
    let program = command.next().unwrap();
    let mut child = Command::new(program).args(command).stdout(Stdio::null()).spawn().unwrap();
    let used = child.wait4().unwrap();
    println!("{}", used.rusage.maxrss);
    std::process::exit(used.status.code().unwrap_or(1));
}

/// Tensors of 64 MiB, as many as asked for, one of 64-bit numbers among them and one in two slices.
fn write_v1(at: &Path, tensors: usize) -> usize {
    let floats: Vec<u8> = (0..16 * MIB).flat_map(|n| (n as f32).to_le_bytes()).collect();
    let integers: Vec<u8> = (0..8 * MIB as u64).flat_map(|n| varint(n * 7919)).collect();
    let rows = |start: Option<u64>| match start {
        None => field(1, &[]),
        Some(start) => field(1, &[&[0x08][..], &varint(start), &[0x10], &varint(8)].concat()),
    };
    let mut meta = Vec::new();
    let mut records: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for number in 0..tensors.max(3) {
        let name = format!("layer_{number:03}/kernel");
        let integer = number == 1;
        let dims = if integer { [8, MIB as u64] } else { [16, MIB as u64] };
        let slices = if number == 2 { vec![Some(0), Some(8)] } else { vec![None] };
        let shape: Vec<u8> =
            dims.iter().flat_map(|&dim| field(2, &[&[0x08][..], &varint(dim)].concat())).collect();
        let mut tensor = [field(1, name.as_bytes()), field(2, &shape)].concat();
        tensor.extend([0x18, if integer { 9 } else { 1 }]);
        for (part, start) in slices.iter().enumerate() {
            let slice = [rows(*start), rows(None)].concat();
            tensor.extend(field(4, &slice));
            let size = floats.len() / slices.len();
            let values = if integer {
                field(10, &integers)
            } else {
                field(5, &floats[part * size..(part + 1) * size])
            };
            let saved = [field(1, name.as_bytes()), field(2, &slice), field(3, &values)].concat();
            records.push((key(&name, *start), field(2, &saved)));
        }
        meta.extend(field(1, &tensor));
    }
    let mut table = TableBuilder::new(BufWriter::new(File::create(at).unwrap()));
    table.insert(b"", &field(1, &meta)).unwrap();
    for (key, record) in records {
        table.insert(&key, &record).unwrap();
    }
    table.finish().unwrap().flush().unwrap();
    usize::try_from(fs::metadata(at).unwrap().len()).unwrap()
}

/// The key of a slice of a matrix: all of it, or eight rows.
fn key(name: &str, start: Option<u64>) -> Vec<u8> {
    let rows = match start {
        None => [0x80, 0x7f],
        Some(start) => [0x80 + u8::try_from(start).unwrap(), 0x88],
    };
    [b"\0", name.as_bytes(), b"\0\x01\x01\x02", &rows, b"\x80\x7f"].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A field of a message that holds bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2][..], &varint(content.len() as u64), content].concat()
}

fn write_bundle(at: &Path, count: usize) {
    let options = Options { sync: false, ..Options::default() };
    let mut writer = create(&Location::from(at), &options, &[]).unwrap();
    for number in 0..count {
        let name = format!("tower_{}/layer_{}/kernel", number % 8, number / 8);
        let spec = TensorSpec::new(DType::Float, Shape::new([4]).unwrap()).unwrap();
        let value: Vec<u8> = (0..4).flat_map(|n| ((number + n) as f32).to_le_bytes()).collect();
        writer.put(&Target::named(&name), &Tensor::new(spec, value).unwrap()).unwrap();
    }
    writer.finish(None, &always).unwrap();
}
