//! What a file is that is no checkpoint, by its first and last bytes, and what to do with it.

use super::error::SourceError;
use crate::files::{Blob, FileError, Location, store};
use crate::table;

/// Bytes looked at, at the start.
const HEAD: u64 = 512;

/// Bytes looked at, at the end.
const TAIL: u64 = 8;

/// What a file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// A table: a V1 checkpoint, or an index under another name.
    Table,
    /// Something else.
    Other {
        /// What it is, as it reads after the file's name.
        what: &'static str,
        /// What to do.
        help: &'static str,
    },
}

/// What is known of a file before it is recognized.
struct Sample {
    name: String,
    len: u64,
    head: Vec<u8>,
}

impl Sample {
    fn begins(&self, magic: &[u8]) -> bool {
        self.head.starts_with(magic)
    }

    fn has(&self, text: &[u8]) -> bool {
        self.head.windows(text.len()).any(|window| window == text)
    }

    /// A header's length in 64 bits, then JSON.
    fn is_safetensors(&self) -> bool {
        let Some((&len, json)) = self.head.split_first_chunk() else { return false };
        json.starts_with(b"{") && u64::from_le_bytes(len).saturating_add(8) <= self.len
    }

    fn is_text(&self) -> bool {
        let control = |byte: &u8| byte.is_ascii_control() && !b"\t\n\r\x0c\x1b".contains(byte);
        let utf8 = match str::from_utf8(&self.head) {
            Ok(_) => true,
            // The sample may end inside a character.
            Err(error) => error.error_len().is_none() && self.len > HEAD,
        };
        utf8 && !self.head.iter().any(control)
    }

    /// A node whose name comes first, as frozen graphs begin.
    fn is_graph(&self) -> bool {
        let node = |at: usize| self.head.get(at) == Some(&0x0a);
        node(0) && (node(2) || node(3))
    }
}

/// How to tell one kind of file, what it is, and what to do with it.
type Signature = (fn(&Sample) -> bool, &'static str, &'static str);

/// Tried from the first to the last.
const SIGNATURES: &[Signature] = &[
    (
        |s| s.len == 0,
        "is empty",
        "the run that wrote it died, or a copy of it went wrong: copy it again",
    ),
    (|s| s.begins(POINTER), POINTS.0, POINTS.1),
    (
        |s| s.begins(b"\x89HDF\r\n\x1a\n"),
        "is an HDF5 file",
        "load it in Keras and save it with `tf.train.Checkpoint(model=model).write(…)`",
    ),
    (
        |s| {
            s.begins(b"PK\x03\x04")
                && (s.name.rsplit('.').next() == Some("keras") || s.has(b"metadata.json"))
        },
        "is a Keras 3 model archive",
        "load it in Keras and save it with `tf.train.Checkpoint(model=model).write(…)`",
    ),
    (
        |s| s.begins(b"PK\x03\x04") && s.has(b"data.pkl"),
        "is a PyTorch checkpoint",
        "only TensorFlow checkpoints are read",
    ),
    (
        |s| s.begins(b"PK\x03\x04") && s.has(b".npy"),
        "is a NumPy archive",
        "only TensorFlow checkpoints are read",
    ),
    (|s| s.begins(b"PK\x03\x04"), "is a zip archive", "unpack it and name what is inside"),
    (|s| s.begins(b"\x1f\x8b"), "is compressed with gzip", "unpack it and name what is inside"),
    (|s| s.begins(b"BZh"), "is compressed with bzip2", "unpack it and name what is inside"),
    (|s| s.begins(b"\xfd7zXZ\0"), "is compressed with xz", "unpack it and name what is inside"),
    (
        |s| s.begins(b"\x28\xb5\x2f\xfd"),
        "is compressed with zstd",
        "unpack it and name what is inside",
    ),
    (
        |s| s.head.get(257..262) == Some(b"ustar"),
        "is a tar archive",
        "unpack it and name what is inside",
    ),
    (|s| s.begins(b"\x93NUMPY"), "is a NumPy array", "only TensorFlow checkpoints are read"),
    (
        |s| s.begins(b"\x80") && matches!(s.head.get(1), Some(2..=5)),
        "is a Python pickle",
        "only TensorFlow checkpoints are read",
    ),
    (Sample::is_safetensors, "is a safetensors file", "only TensorFlow checkpoints are read"),
    (
        |s| s.name == "saved_model.pb" || s.begins(b"\x08\x01\x12"),
        "is the graph of a SavedModel",
        "name the directory it stands in: the values are in its `variables`",
    ),
    (
        |s| s.has(b"TFL3"),
        "is a TensorFlow Lite model",
        "its values cannot be trained on; look for the checkpoint it was made from",
    ),
    (
        Sample::is_text,
        "is a text file",
        "name a checkpoint by its prefix: `x` where `x.index` stands",
    ),
    (
        Sample::is_graph,
        "is a graph, probably a frozen one",
        "its values are constants without variables; look for the checkpoint it was frozen from",
    ),
    (
        |_| true,
        "is no checkpoint that is known here",
        "name a checkpoint by its prefix, `x` where `x.index` stands; a V1 file that was cut off \
         looks like this as well",
    ),
];

/// How a pointer of Git LFS begins.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// What it is, and what to do.
const POINTS: (&str, &str) =
    ("is a Git LFS pointer, not the file itself", "fetch the file with `git lfs pull`");

/// The error for a data file that is a pointer of Git LFS; `None` where it is none, or where that
/// cannot be found out.
pub(super) fn pointer(at: &Location, blob: &dyn Blob) -> Option<SourceError> {
    // Pointers are shorter than a kilobyte.
    let mut head = [0; POINTER.len()];
    let short = (head.len() as u64..1 << 10).contains(&blob.len());
    let points = short && blob.read_at(0, &mut head).is_ok() && head == POINTER;
    let (what, help) = (POINTS.0.to_owned(), POINTS.1.to_owned());
    points.then(|| SourceError::Unrecognized { at: at.clone(), what, help })
}

/// Looks at an existing file.
pub(super) fn sniff(at: &Location) -> Result<Found, FileError> {
    let blob = store(at).open(at)?;
    let part = |len: u64, at_end: bool| {
        let len = len.min(blob.len());
        let mut bytes = vec![0; usize::try_from(len).unwrap_or_default()];
        let offset = if at_end { blob.len() - len } else { 0 };
        blob.read_at(offset, &mut bytes).map(|()| bytes)
    };
    if table::is_table(&part(TAIL, true)?) {
        return Ok(Found::Table);
    }
    let sample = Sample { name: at.name(), len: blob.len(), head: part(HEAD, false)? };
    Ok(recognize(&sample))
}

fn recognize(sample: &Sample) -> Found {
    let found = SIGNATURES.iter().find(|(matches, ..)| matches(sample));
    let (what, help) = found.map_or(("is unknown", ""), |&(_, what, help)| (what, help));
    Found::Other { what, help }
}

/// The error for an index that is no table: what it is instead, if that can be told. A table that
/// was cut off still begins like one, with the empty key of the header.
pub(super) fn disguised(at: &Location, damage: SourceError) -> SourceError {
    const EMPTY_KEY: u8 = 0;
    let sample = store(at).open(at).and_then(|blob| {
        let mut first = [EMPTY_KEY];
        if !blob.is_empty() {
            blob.read_at(0, &mut first)?;
        }
        Ok(blob.is_empty() || first != [EMPTY_KEY])
    });
    match sample {
        Ok(true) => unrecognized(at).unwrap_or(damage),
        _ => damage,
    }
}

/// The error for a file that no format recognizes.
pub(super) fn unrecognized(at: &Location) -> Result<SourceError, FileError> {
    let (what, help) = match sniff(at)? {
        Found::Table => (
            "is a table, but not that of a checkpoint",
            "name a checkpoint by its prefix: `x` where `x.index` stands",
        ),
        Found::Other { what, help } => (what, help),
    };
    Ok(SourceError::Unrecognized { at: at.clone(), what: what.to_owned(), help: help.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(name: &str, head: &[u8]) -> &'static str {
        let sample = Sample { name: name.to_owned(), len: 5000, head: head.to_vec() };
        match recognize(&sample) {
            Found::Other { what, .. } => what,
            Found::Table => "is a table",
        }
    }

    #[test]
    fn files_are_told_by_their_first_bytes() {
        let tar = [vec![b'a'; 257], b"ustar".to_vec()].concat();
        for (expected, name, head) in [
            ("HDF5", "w.h5", &b"\x89HDF\r\n\x1a\n\0\0"[..]),
            ("Keras 3", "m.keras", b"PK\x03\x04"),
            ("PyTorch", "m.pt", b"PK\x03\x04archive/data.pkl"),
            ("zip", "m.zip", b"PK\x03\x04"),
            ("gzip", "m.tgz", b"\x1f\x8b\x08"),
            ("tar", "m.tar", &tar),
            ("pickle", "m.pkl", b"\x80\x04\x95"),
            ("LFS", "m", b"version https://git-lfs.github.com/spec/v1\n"),
            ("safetensors", "m", b"\x20\0\0\0\0\0\0\0{\"a\":"),
            ("NumPy", "a.npy", b"\x93NUMPY\x01\0"),
            ("SavedModel", "saved_model.pb", b"\x08\x01\x12\x05"),
            ("graph", "frozen.pb", b"\x0a\x20\x0a\x05input\x12\x0bPlaceholder"),
            ("text", "rules.yaml", b"version: 1\n"),
            ("text", "rules.yaml", b"\n\nversion: 1\n"),
            ("no checkpoint", "m", b"\0\x01\x02"),
        ] {
            assert!(what(name, head).contains(expected), "{name}: {}", what(name, head));
        }
    }
}
