//! What says, beside a result, what it was made of: so that the same is not done twice, and what
//! somebody else wrote is not replaced.
//!
//! A record is put in place just before its checkpoint's index, whose SHA-256 it has. Whatever
//! instant a run was killed at, the two tell:
//!
//! | index there | |
//! |---|---|
//! | the record's own | this is what the record says |
//! | the one that it was to replace | killed before the commit |
//! | none | killed before the first commit |
//! | another, or without a record | not ours |

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::files::{FileError, Location, read_all, store};
use crate::source::CheckpointReader;
use crate::target::{self, RECORD_SUFFIX};

/// An index larger than this is not read for its sum.
const INDEX: u64 = 1 << 30;

/// A record is a few lines.
const LIMIT: u64 = 16 << 20;

/// SHA-256 in hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// What tells whether a file is the same as before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileIdentity {
    name: String,
    bytes: u64,
    /// When it was written, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    /// Of an index, which has the checksums of all data: it may be copied and be the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

/// The files of a checkpoint, those that change what becomes of it included.
pub(super) fn identity(reader: &dyn CheckpointReader) -> Result<Vec<FileIdentity>, FileError> {
    let mut all = Vec::new();
    for at in reader.files().into_iter().chain([reader.prefix().with_suffix(".meta")]) {
        let Some(status) = store(&at).status(&at)? else { continue };
        let name = at.name();
        let is_index = at.strip_suffix(".index").is_some();
        let sha256 = if is_index { Some(sha256(&read_all(&at, INDEX)?)) } else { None };
        let version = status.version.filter(|_| !is_index);
        all.push(FileIdentity { name, bytes: status.len, version, sha256 });
    }
    Ok(all)
}

/// Everything that a result depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    pub(super) source: Vec<FileIdentity>,
    /// Of the rule files and their parameters.
    pub(super) rules: String,
    pub(super) template: Vec<FileIdentity>,
    /// What else the job says.
    pub(super) options: String,
}

impl Origin {
    /// What is another thing than it was.
    pub(super) fn differs(&self, was: &Self) -> Vec<&'static str> {
        let all = [
            ("the source", self.source != was.source),
            ("the rules", self.rules != was.rules),
            ("the template", self.template != was.template),
            ("the options", self.options != was.options),
        ];
        all.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what).collect()
    }
}

/// A record as it stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    schema: u32,
    /// Who made it.
    tool: String,
    /// From what, for people.
    input: String,
    #[serde(flatten)]
    origin: Origin,
    /// SHA-256 of the index.
    index: String,
    /// That of the index before.
    replaces: Option<String>,
    data: Vec<(String, u64)>,
}

/// Writes a record for a checkpoint that is about to be committed.
#[derive(Debug)]
pub(super) struct Author {
    pub(super) input: String,
    pub(super) origin: Origin,
    pub(super) replaces: Option<String>,
}

impl target::Record for Author {
    fn content(&self, index: &[u8], data: &[(String, u64)]) -> Vec<u8> {
        let record = Record {
            schema: 1,
            tool: concat!("ckptmap ", env!("CARGO_PKG_VERSION")).to_owned(),
            input: self.input.clone(),
            origin: self.origin.clone(),
            index: sha256(index),
            replaces: self.replaces.clone(),
            data: data.to_vec(),
        };
        let mut text = serde_json::to_vec_pretty(&record).unwrap_or_default();
        text.push(b'\n');
        text
    }
}

/// What stands where a result is to go.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Nothing,
    /// What a killed run left behind.
    Unfinished {
        /// The index of the result before, if there was one.
        index: Option<String>,
    },
    /// A result that is complete.
    Done {
        origin: Box<Origin>,
        index: String,
    },
    /// A result of which data files are gone.
    Broken {
        index: String,
    },
    /// Something that nobody here knows.
    Stranger(&'static str),
}

/// Looks.
pub(super) fn standing(output: &Location) -> Result<Standing, FileError> {
    let at = output.with_suffix(".index");
    let index = match store(&at).status(&at)? {
        Some(status) if !status.is_dir => Some(sha256(&read_all(&at, INDEX)?)),
        _ => None,
    };
    let record = read(output)?;
    Ok(match (index, record) {
        (None, Some(_)) => Standing::Unfinished { index: None },
        (None, None) => Standing::Nothing,
        (Some(_), None) => Standing::Stranger("it was not written by a batch"),
        (Some(index), Some(record)) if record.index == index => {
            let whole = record.data.iter().all(|(name, bytes)| {
                let at = output.parent().join(name);
                let status = store(&at).status(&at).ok().flatten();
                status.is_some_and(|status| !status.is_dir && status.len == *bytes)
            });
            if whole {
                Standing::Done { origin: Box::new(record.origin), index }
            } else {
                Standing::Broken { index }
            }
        }
        (Some(index), Some(record)) if record.replaces.as_ref() == Some(&index) => {
            Standing::Unfinished { index: Some(index) }
        }
        (Some(_), Some(_)) => Standing::Stranger("it was written again since"),
    })
}

/// The record beside `output`; one that cannot be read is none.
fn read(output: &Location) -> Result<Option<Record>, FileError> {
    let at = output.with_suffix(RECORD_SUFFIX);
    match store(&at).status(&at)? {
        Some(status) if !status.is_dir && status.len <= LIMIT => {
            Ok(serde_json::from_slice(&read_all(&at, LIMIT)?).ok())
        }
        _ => Ok(None),
    }
}

/// Whether a result stands at `output`, whatever it was made of.
pub(super) fn is_done(output: &Location) -> bool {
    matches!(standing(output), Ok(Standing::Done { .. }))
}
