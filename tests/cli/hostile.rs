//! Files that mean harm: a clear answer, in bounded time and memory, whatever they claim.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use ckptmap::crc::Crc;
use ckptmap::table::TableBuilder;

use crate::harness::Place;
use crate::rewrite::rewrite;

/// KiB that the program may ask the system for in all; a debug build itself takes a fraction.
const MOST_MEMORY: u64 = 512 << 10;

/// A hang, not a slow machine.
const MOST_TIME: Duration = Duration::from_secs(60);

/// A valid header of an index.
const HEADER: &[u8] = b"\x08\x01\x1a\x02\x08\x01";

/// Runs a command on `m`; it must refuse, within bounds, and say so in a few words.
fn refuses(place: &Place, args: &str) -> String {
    let begun = Instant::now();
    let limited = format!("ulimit -v {MOST_MEMORY}; exec \"$0\" {args}");
    let mut command = Command::new("sh");
    command.args(["-c", &limited, env!("CARGO_BIN_EXE_ckptmap")]);
    let done = command.current_dir(place.path("")).output().unwrap();
    let took = begun.elapsed();
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    // Not by a signal: a request for memory that is refused ends the process.
    assert!(matches!(done.status.code(), Some(1 | 2)), "{args}: {:?}: {said:.2000}", done.status);
    assert!(took < MOST_TIME, "{args}: {took:?}");
    assert!(said.len() < 100_000, "{args}: {} characters", said.len());
    said
}

fn table(entries: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut table = TableBuilder::new(Vec::new());
    for (key, value) in entries {
        table.insert(key, value).unwrap();
    }
    table.finish().unwrap()
}

/// A file whose only blocks are these, compressed, the second of them the index.
fn compressed(block: &[u8], index: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut handle = Vec::new();
    for (bytes, kind) in [(block, 1), (index, 0)] {
        handle = [varint(file.len() as u64), varint(bytes.len() as u64)].concat();
        file.extend([bytes, &[kind]].concat());
        let sum = Crc::of(bytes).extend(&[kind]).masked();
        file.extend(sum.to_le_bytes());
    }
    let mut footer = [&[0, 0], handle.as_slice()].concat();
    footer.resize(40, 0);
    file.extend(footer);
    file.extend(b"\x57\xfb\x80\x8b\x24\x75\x47\xdb");
    file
}

/// An index block that lists one block, at this place.
fn listing(offset: u64, size: u64) -> Vec<u8> {
    let handle = [varint(offset), varint(size)].concat();
    let len = u8::try_from(handle.len()).unwrap();
    [&[0, 1, len, b'z'][..], &handle, &[0; 4], &[1, 0, 0, 0]].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap());
    bytes
}

/// Snappy for `start` followed by `copies` times 64 bytes that repeat its last two.
fn repeated(start: &[u8], copies: u64) -> Vec<u8> {
    let literal = u8::try_from(start.len() - 1).unwrap() << 2;
    let mut bytes = [&varint(start.len() as u64 + 64 * copies), &[literal][..], start].concat();
    for _ in 0..copies {
        bytes.extend([0xfe, 2, 0]);
    }
    bytes
}

/// Every command that reads a checkpoint, on this file as an index and as a V1 checkpoint.
fn refused_everywhere(file: &[u8]) -> String {
    let place = Place::new();
    place.write("rules.yaml", "version: 1\nrules: [{from: '(.+)', to: '$1'}]\n");
    place.write("m.index", file);
    place.write("m.data-00000-of-00001", [0; 64]);
    place.write("v1/m", file);
    let said = refuses(&place, "list m");
    for args in
        ["check m", "convert m --map rules.yaml -o new/m", "diff m m", "list v1/m", "check v1/m"]
    {
        refuses(&place, args);
    }
    assert!(!place.path("new").exists());
    said
}

#[test]
fn a_compressed_block_that_claims_to_become_gigabytes() {
    let bomb = [varint((1 << 31) - 1), vec![0; 20]].concat();
    let said = refused_everywhere(&compressed(&bomb, &listing(0, bomb.len() as u64)));
    assert!(said.contains("compressed bytes cannot become 2147483647"), "{said}");
}

#[test]
fn a_compressed_block_that_becomes_as_much_as_it_can() {
    // 6 MB become 128 MB of empty entries.
    let bomb = repeated(&[0, 0, 0, 0], 2 << 20);
    refused_everywhere(&compressed(&bomb, &listing(0, bomb.len() as u64)));
}

#[test]
fn a_billion_slices() {
    // One entry of two thousand megabytes, in which a slice takes two bytes.
    let len = 1_999_999_936_u64;
    let entry = [&[0, 1][..], &varint(len), b"w\x3a\x00"].concat();
    let bomb = repeated(&entry, len / 64);
    let said = refused_everywhere(&compressed(&bomb, &listing(0, bomb.len() as u64)));
    assert!(said.contains("can be believed") || said.contains("cannot become"), "{said}");
}

#[test]
fn slices_that_are_not_there() {
    // As many as an entry may list.
    let slices = b"\x3a\x06\x0a\x04\x08\x01\x10\x01".repeat(1 << 20);
    let full = [&b"\x08\x01\x12\x08\x12\x06\x08\x80\x80\x80\x80\x04"[..], &slices].concat();
    let place = Place::new();
    place.write("m.index", table(&[(b"", HEADER), (b"w", &full)]));
    let said = refuses(&place, "check m");
    assert!(said.contains("listed but missing"), "{said}");
}

/// float32, of so many rows, in these slices of one axis.
fn sliced(dtype: u8, rows: u64, slices: &[(u64, u64)]) -> Vec<u8> {
    let dim = [&[0x08][..], &varint(rows)].concat();
    let dim = [&[0x12, u8::try_from(dim.len()).unwrap()][..], &dim].concat();
    let mut entry = [&[0x08, dtype, 0x12, u8::try_from(dim.len()).unwrap()][..], &dim].concat();
    for &(start, length) in slices {
        let extent = [&[0x08][..], &varint(start), &[0x10], &varint(length)].concat();
        let len = u8::try_from(extent.len()).unwrap();
        entry.extend([&[0x3a, len + 2, 0x0a, len][..], &extent].concat());
    }
    entry
}

/// The key of the piece of `name` from this row on, of so many rows below 64.
fn piece(name: &[u8], start: u64, length: u8) -> Vec<u8> {
    let start = match start {
        0..64 => vec![0x80 | u8::try_from(start).unwrap()],
        _ => (u16::try_from(start).unwrap() ^ 0xc000).to_be_bytes().to_vec(),
    };
    [b"\0", name, b"\0\x01\x01\x01", &start, &[0x80 | length]].concat()
}

#[test]
fn a_long_name_that_every_slice_repeats() {
    let slices: Vec<(u64, u64)> = (0..200_000).map(|row| (row, 1)).collect();
    let name = vec![b'n'; 10_000];
    let place = Place::new();
    let entry = sliced(1, 200_000, &slices);
    place.write("m.index", table(&[(b"", HEADER), (&name, &entry)]));
    let said = refuses(&place, "check m");
    assert!(said.contains("bytes of names for them"), "{said}");
}

#[test]
fn slices_that_are_the_same_bytes() {
    // Five hundred strings of a mebibyte each, all of them the same one.
    let text = vec![b'x'; 1 << 20];
    let mut data = varint(text.len() as u64);
    let lengths = Crc::of(&(1_u32 << 20).to_le_bytes());
    data.extend(lengths.masked().to_le_bytes());
    data.extend(&text);
    let crc = lengths.extend(&lengths.masked().to_le_bytes()).extend(&text);
    let stored = [
        &b"\x08\x07\x12\x04\x12\x02\x08\x01\x28"[..],
        &varint(data.len() as u64),
        b"\x35",
        &crc.masked().to_le_bytes(),
    ]
    .concat();
    let slices: Vec<(u64, u64)> = (0..500).map(|row| (row, 1)).collect();
    let mut entries: Vec<(Vec<u8>, Vec<u8>)> =
        slices.iter().map(|&(row, _)| (piece(b"w", row, 1), stored.clone())).collect();
    entries.sort();
    let whole = sliced(7, 500, &slices);
    let mut all: Vec<(&[u8], &[u8])> = vec![(b"", HEADER)];
    all.extend(entries.iter().map(|(key, value)| (key.as_slice(), value.as_slice())));
    all.push((b"w", &whole));
    let place = Place::new();
    place.write("m.index", table(&all));
    place.write("m.data-00000-of-00001", data);
    place.write("rules.yaml", "version: 1\nrules: [{from: w, to: w}]\n");
    for args in ["check m", "convert m --map rules.yaml -o new/m"] {
        let said = refuses(&place, args);
        assert!(said.contains("share bytes"), "{args}: {said}");
    }
}

#[test]
fn a_name_of_nothing_but_slashes() {
    // Half of it is there, so it may be the part of somebody's slot; every slash may end a name.
    let name = [&vec![b'/'; 512 << 10][..], b"x"].concat();
    let half = b"\x08\x01\x12\x04\x12\x02\x08\x01\x28\x04\x35\x00\x00\x00\x00";
    let entry = sliced(1, 2, &[(0, 1)]);
    let key = piece(&name, 0, 1);
    let place = Place::new();
    place.write("m.index", table(&[(b"", HEADER), (&key, half), (&name, &entry)]));
    place.write("m.data-00000-of-00001", [0; 4]);
    refuses(&place, "check m");
}

#[test]
fn a_block_that_lists_itself() {
    let index = listing(0, 13);
    let mut file = index.clone();
    file.push(0);
    file.extend(Crc::of(&index).extend(&[0]).masked().to_le_bytes());
    let mut footer = vec![0, 0, 0, 13];
    footer.resize(40, 0);
    file.extend(footer);
    file.extend(b"\x57\xfb\x80\x8b\x24\x75\x47\xdb");
    assert_eq!(index.len(), 14);
    let said = refused_everywhere(&file);
    assert!(said.contains("damaged") || said.contains("header"), "{said}");
}

#[test]
fn a_number_that_never_ends() {
    let endless = [0xff; 64];
    refused_everywhere(&table(&[(b"", HEADER), (b"w", &endless)]));
    refused_everywhere(&table(&[(b"", &endless)]));
    let place = Place::new();
    place.write("m.index", [&endless[..], b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"].concat());
    refuses(&place, "list m");
    // Such a block in the place of the index.
    let mut file = compressed(b"\0", &endless);
    file.extend(b"");
    refused_everywhere(&file);
}

#[test]
fn a_shape_that_overflows() {
    let dim = b"\x12\x0a\x08\x80\x80\x80\x80\x80\x80\x80\x80\x40";
    let entry = [&b"\x08\x01\x12\x18"[..], dim, dim].concat();
    let said = refused_everywhere(&table(&[(b"", HEADER), (b"w", &entry)]));
    assert!(said.contains("more elements than can be counted"), "{said}");
    // One that can be counted, in slices that would fill it.
    let sliced =
        b"\x08\x01\x12\x08\x12\x06\x08\x80\x80\x80\x80\x40\x3a\x09\x0a\x07\x10\x80\x80\x80\x80\x40";
    let place = Place::new();
    place.write("m.index", table(&[(b"", HEADER), (b"w", sliced)]));
    refuses(&place, "check m");
}

#[test]
fn an_index_of_nothing_but_long_keys() {
    // Each entry continues all of the key before it: few bytes, long names.
    let mut key = vec![b'k'; 60_000];
    let mut index = TableBuilder::new(Vec::new());
    index.insert(b"", HEADER).unwrap();
    for number in 0..6000_u32 {
        key.truncate(60_000);
        key.extend(number.to_be_bytes());
        index.insert(&key, b"\x08\x01\x28\x04").unwrap();
    }
    let place = Place::new();
    place.write("m.index", index.finish().unwrap());
    let said = refuses(&place, "check m");
    assert!(said.contains("the names add up to more than"), "{said}");
}

#[test]
fn patterns_that_look_exponential() {
    let names = ["a".repeat(5000), "x".repeat(3000)].map(|name| name + "!");
    let float = b"\x08\x01\x28\x04";
    let place = Place::new();
    let entries = [(&b""[..], HEADER), (names[0].as_bytes(), float), (names[1].as_bytes(), float)];
    place.write("m.index", table(&entries));
    place.write("m.data-00000-of-00001", [0; 4]);
    for pattern in ["(a+)+$", "(a|a)*b", "(.*)(.*)(.*)(.*)(.*)=", "(x+x+)+y", "([a-z]+)*[0-9]"] {
        place.write("rules.yaml", format!("version: 1\nrules: [{{from: '{pattern}', to: a}}]\n"));
        let said = refuses(&place, "convert m --map rules.yaml -o new/m");
        assert!(
            said.contains("matches no variable") || said.contains("no rule"),
            "{pattern}: {said}"
        );
    }
    for pattern in ["(x{1000}){1000}{1000}", "((a{100}){100}){100}", "\\w{5000}{5000}"] {
        place.write("rules.yaml", format!("version: 1\nrules: [{{from: '{pattern}', to: a}}]\n"));
        let said = refuses(&place, "convert m --map rules.yaml -o new/m");
        assert!(said.contains("rules.yaml:2"), "{pattern}: {said}");
    }
    assert!(!place.path("new").exists());
    fs::remove_file(place.path("rules.yaml")).unwrap();
}

#[test]
fn more_elements_than_there_are_bytes_anywhere() {
    let place = Place::new();
    let dim = [&[0x08][..], &varint(1 << 30)].concat();
    let dim = [&[0x12][..], &varint(dim.len() as u64), &dim].concat();
    let shape = [&dim[..], &dim].concat();
    let shape = [&[0x12][..], &varint(shape.len() as u64), &shape].concat();
    let entry = [&[0x08, 4][..], &shape, &[0x28], &varint(1 << 60)].concat();
    place.write("m.index", table(&[(b"", HEADER), (b"w", &entry)]));
    place.write("m.data-00000-of-00001", b"four");
    for args in ["w", "w[0]", "w --hash", "w --verify", "w --npy w.npy"] {
        let said = refuses(&place, &format!("show m {args}"));
        assert!(said.contains("reaches to byte"), "{args}: {said}");
    }
    for (args, code) in [("list m --stats", 1), ("diff m m", 2), ("diff m m --by-content", 2)] {
        let said = place.run(args);
        assert_eq!(said.code, code, "{said}");
        assert!(format!("{said}").contains("reaches to byte"), "{said}");
    }
    for args in ["w --full", "w --json", "w[::2] --full", "w[0] --json"] {
        let said = refuses(&place, &format!("show m {args}"));
        assert!(said.contains("too many to show at once"), "{args}: {said}");
    }
}

/// Every stretch of a slot's name might be the variable's, and every component is a place of a tree.
#[test]
fn names_of_a_million_components() {
    let place = Place::new();
    rewrite(&place, "testdata/conv3", "deep/ckpt", |new| {
        let bias = new.tensors.get("model/conv2d/bias").unwrap().clone();
        for end in ["Adam", "Adam_1", "\u{1b}[31m"] {
            new.tensors.insert(format!("{}{end}", "a/".repeat(1_000_000)), bias.clone());
        }
    });
    for command in ["list", "list --tree", "list --slots --csv --stats", "list --sort name"] {
        let (command, flags) = command.split_once(' ').unwrap_or((command, ""));
        let said = place.run(&format!("{command} deep/ckpt {flags}"));
        assert_eq!(said.code, 0, "{said}");
        assert!(!said.out.contains('\u{1b}') && said.out.len() < 100_000, "{}", said.out.len());
    }
}
