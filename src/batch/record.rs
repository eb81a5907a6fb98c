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

use serde::{Deserialize, Serialize};

use crate::digest::sha256;
use crate::files::{FileError, Location, read_all, store};
use crate::source::CheckpointReader;
use crate::target::{self, RECORD_SUFFIX, shard_count};

/// An index larger than this is not read for its sum.
const INDEX: u64 = 1 << 30;

/// A record is a few lines.
const LIMIT: u64 = 16 << 20;

/// The number that tells readers how to understand the rest.
const SCHEMA: u32 = 1;

/// Goes up when the same checkpoint and the same rules make another result than they did: results
/// of versions before are made again then. Of the version alone nothing follows.
pub(super) const RESULTS: u32 = 1;

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
    pub(super) save_counter: Option<u32>,
    /// See [`RESULTS`].
    pub(super) results: u32,
}

impl Origin {
    /// What is another thing than it was.
    pub(super) fn differs(&self, was: &Self) -> Vec<&'static str> {
        let all = [
            ("the source", self.source != was.source),
            ("the rules", self.rules != was.rules),
            ("the template", self.template != was.template),
            ("the options", self.options != was.options),
            ("`save_counter`", self.save_counter != was.save_counter),
            ("what this program makes of it", self.results != was.results),
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
    /// Data files with their lengths.
    data: Vec<(String, u64)>,
    /// Data files of the result before.
    #[serde(default)]
    replaced: Vec<String>,
}

/// Writes a record for a checkpoint that is about to be committed.
#[derive(Debug)]
pub(super) struct Author {
    pub(super) input: String,
    pub(super) origin: Origin,
    pub(super) replaces: Option<String>,
    /// Data files of the result before.
    pub(super) replaced: Vec<String>,
}

impl target::Record for Author {
    fn content(&self, index: &[u8], data: &[(String, u64)]) -> Vec<u8> {
        let record = Record {
            schema: SCHEMA,
            tool: concat!("ckptmap ", env!("CARGO_PKG_VERSION")).to_owned(),
            input: self.input.clone(),
            origin: self.origin.clone(),
            index: sha256(index),
            replaces: self.replaces.clone(),
            data: data.to_vec(),
            replaced: self.replaced.clone(),
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
    /// What a killed run left behind: data files that may have got their names.
    Unfinished(Vec<Location>),
    /// A result that a killed run was to replace: its index.
    Replacing(String),
    /// A result that is complete.
    Done(Box<Done>),
    /// A result of which data files are gone.
    Broken {
        index: String,
        data: Vec<Location>,
    },
    /// Something that nobody here knows.
    Stranger(&'static str),
}

/// A result that is complete.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) origin: Origin,
    pub(super) index: String,
    pub(super) data: Vec<Location>,
    /// Data files of the result before, which a killed run may have left.
    pub(super) leftovers: Vec<Location>,
}

/// Looks.
pub(super) fn standing(output: &Location) -> Result<Standing, FileError> {
    let index = index(output)?;
    let record = read(output)?;
    Ok(match (index, record) {
        (None, Some(record)) => Standing::Unfinished(own(output, record.data.iter().map(name))),
        (None, None) => Standing::Nothing,
        (Some(_), None) => Standing::Stranger("it was not written by a batch"),
        (Some(index), Some(record)) if record.index == index => {
            let data = own(output, record.data.iter().map(name));
            let is_there = |(at, (_, bytes)): (&Location, &(String, u64))| {
                let status = store(at).status(at).ok().flatten();
                status.is_some_and(|status| !status.is_dir && status.len == *bytes)
            };
            let is_whole = !data.is_empty() && data.len() == record.data.len();
            if is_whole && data.iter().zip(&record.data).all(is_there) {
                let mut leftovers = own(output, record.replaced.iter().map(String::as_str));
                leftovers.retain(|at| !data.contains(at));
                Standing::Done(Box::new(Done { origin: record.origin, index, data, leftovers }))
            } else {
                Standing::Broken { index, data }
            }
        }
        (Some(index), Some(record)) if record.replaces.as_ref() == Some(&index) => {
            Standing::Replacing(index)
        }
        (Some(_), Some(_)) => Standing::Stranger("it was written again since"),
    })
}

fn name((name, _): &(String, u64)) -> &str {
    name
}

/// SHA-256 of the index at `output`, if there is one.
pub(super) fn index(output: &Location) -> Result<Option<String>, FileError> {
    let at = output.with_suffix(".index");
    match store(&at).status(&at)? {
        Some(status) if !status.is_dir => Ok(Some(sha256(&read_all(&at, INDEX)?))),
        _ => Ok(None),
    }
}

/// Those of `names` that data files of `output` can have: a record may say anything.
fn own<'n>(output: &Location, names: impl Iterator<Item = &'n str>) -> Vec<Location> {
    let prefix = output.name();
    let is_own = |name: &&str| name.strip_prefix(&prefix).and_then(shard_count).is_some();
    names.filter(is_own).map(|name| output.parent().join(name)).collect()
}

/// The record beside `output`; one that cannot be read is none.
fn read(output: &Location) -> Result<Option<Record>, FileError> {
    let at = output.with_suffix(RECORD_SUFFIX);
    match store(&at).status(&at)? {
        Some(status) if !status.is_dir && status.len <= LIMIT => {
            let record: Option<Record> = serde_json::from_slice(&read_all(&at, LIMIT)?).ok();
            Ok(record.filter(|record| record.schema == SCHEMA))
        }
        _ => Ok(None),
    }
}

/// The `save_counter` that the result at `output` was given, if a batch made it.
pub(super) fn counter(output: &Location) -> Option<u32> {
    read(output).ok()??.origin.save_counter
}

/// Whether there is a result at `output`, as far as it can be told without reading it.
pub(super) fn stands(output: &Location) -> bool {
    let is_file = |suffix| {
        let at = output.with_suffix(suffix);
        matches!(store(&at).status(&at), Ok(Some(status)) if !status.is_dir)
    };
    is_file(".index") && is_file(RECORD_SUFFIX)
}
