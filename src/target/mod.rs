//! Writing checkpoints: tensors go in by target, and nothing is seen of them before
//! [`finish`](CheckpointWriter::finish) switches the destination from what it was to what it is to
//! be. Knows nothing of where tensors come from or why.
//!
//! ```text
//!  share refer reserve write seal alias ──► bundle ──► draft   a data file that nobody sees yet
//!                                             │
//!                                     finish  ▼
//!                            graph, index ──► commit ──► rename shards, rename index, clean up
//!                                             │    └───► state      the `checkpoint` file
//!                                             └────────► standing   what stands at the destination
//! ```

mod bundle;
mod commit;
mod draft;
mod error;
mod graph;
mod index;
mod names;
mod standing;
mod state;

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::crc::Crc;
use crate::files::{Blob, Entry, FileError, Location, Share};
use crate::object::{ObjectGraph, Target};
use crate::tensor::{Tensor, TensorSpec};

pub use error::TargetError;
pub use names::default_destination;
pub(crate) use names::shard_count;
pub use state::{Listing, list_series};

/// Asked from time to time whether to go on.
pub type Proceed<'p> = &'p dyn Fn() -> ControlFlow<()>;

/// The answer of those who always go on.
pub fn always() -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The answer of those who stop when somebody says so.
pub fn unless(stop: bool) -> ControlFlow<()> {
    if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// A checkpoint that is being written. Dropped before it is finished, it leaves everything as it
/// was; after an error it can only be dropped.
pub trait CheckpointWriter: fmt::Debug + Send + Sync {
    /// Takes a tensor whole.
    fn put(&mut self, target: &Target, tensor: &Tensor<'_>) -> Result<(), TargetError>;

    /// Gives a tensor of `len` bytes a place behind all others. Its bytes are then
    /// [written](Self::write) there, and at last its sum is [sealed](Self::seal).
    fn reserve(
        &mut self,
        target: &Target,
        spec: &TensorSpec,
        len: u64,
    ) -> Result<Place, TargetError>;

    /// Writes bytes to a place that was reserved, or some way into it; they may go on into the
    /// places behind it. Any number of threads may do so, in any order, but no byte comes twice.
    fn write(&self, at: Place, bytes: &[u8]) -> Result<(), TargetError>;

    /// The sum of a tensor whose bytes have all been written.
    fn seal(&mut self, target: &Target, crc: Crc) -> Result<(), TargetError>;

    /// Makes a data file of another checkpoint one of this checkpoint's as well: what is in it need
    /// not be written.
    fn share(&mut self, blob: &dyn Blob, how: Share) -> Result<Sharing, FileError>;

    /// Whether a data file of another checkpoint is in the bucket that this one goes to: sharing it
    /// costs a request.
    fn is_beside(&self, blob: &dyn Blob) -> bool;

    /// Whether there may not be as many data files as have tensors by now. The one that must be
    /// added should get a tensor too: a data file that no entry refers to breaks TensorFlow's
    /// `MergeV2Checkpoints`.
    fn wants_another_file(&self) -> bool;

    /// Lists a tensor whose bytes, so many from an offset on, lie in a shared file.
    fn refer(
        &mut self,
        target: &Target,
        spec: &TensorSpec,
        at: (SharedFile, u64, u64),
        crc: Crc,
    ) -> Result<(), TargetError>;

    /// Makes `name` another name for the tensor `of`, which has been written; it costs no bytes.
    fn alias(&mut self, name: &Target, of: &Target) -> Result<(), TargetError>;

    /// Makes what has been written survive a loss of power, which takes long; `proceed` is asked
    /// in between. [`finish`](Self::finish) has little left to do then.
    fn sync(&mut self, proceed: Proceed<'_>) -> Result<(), TargetError>;

    /// Adds the object graph, if there is one, and commits; `proceed` is asked for as long as
    /// another process keeps the commit waiting.
    fn finish(
        self: Box<Self>,
        graph: Option<&ObjectGraph>,
        proceed: Proceed<'_>,
    ) -> Result<Committed, TargetError>;
}

/// Where bytes belong in the data files that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    file: usize,
    offset: u64,
}

impl Place {
    /// The place so many bytes further on.
    #[must_use]
    pub fn after(self, bytes: u64) -> Self {
        Self { offset: self.offset.saturating_add(bytes), ..self }
    }
}

/// A data file that is another checkpoint's as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedFile(usize);

/// What came of an attempt to share a data file.
#[derive(Debug)]
pub enum Sharing {
    /// It is shared.
    Done(SharedFile),
    /// It cannot be shared with that place; copying works all the same.
    Refused(FileError),
}

/// A file that stands beside a checkpoint, called as it with [`RECORD_SUFFIX`], and says where it
/// comes from. It is put there just before the commit: one that does not fit the index beside it
/// belongs to a commit that never was.
pub trait Record: fmt::Debug + Send + Sync {
    /// What it says of the checkpoint with this index and these data files.
    fn content(&self, index: &[u8], data: &[(String, u64)]) -> Vec<u8>;
}

/// What follows a checkpoint's name in that of its record.
pub const RECORD_SUFFIX: &str = ".ckptmap.json";

/// How a checkpoint is written.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether a checkpoint that stands at the destination is replaced.
    pub overwrite: bool,
    /// Whether everything must survive a loss of power; without, only the process may be killed.
    pub sync: bool,
    /// Whether the `checkpoint` file beside the destination is to name it as the latest.
    pub update_state: bool,
    /// No data file gets a second tensor that would make it larger than so many bytes; a tensor
    /// is never cut.
    pub shard_size: Option<u64>,
    /// What is put beside it.
    pub record: Option<Arc<dyn Record>>,
}

impl Default for Options {
    fn default() -> Self {
        Self { overwrite: false, sync: true, update_state: false, shard_size: None, record: None }
    }
}

/// A file of the new checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenFile {
    /// Its name.
    pub at: Location,
    /// Its length.
    pub bytes: u64,
    /// How it shares its bytes with a file of the source, if it does.
    pub shared: Option<Share>,
}

/// A checkpoint that is complete and in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Data files in their order, then the index.
    pub files: Vec<WrittenFile>,
    /// What could not be tidied up, in sentences.
    pub notes: Vec<String>,
}

/// Whether a checkpoint called `to` may be written, as far as that can be told without writing.
pub fn check_destination(
    to: &Location,
    overwrite: bool,
    never: &[Entry],
) -> Result<(), TargetError> {
    commit::check(to, &Options { overwrite, ..Options::default() }, never).map(|_| ())
}

/// Begins a checkpoint called `to`: everything that can be refused is refused here, before a
/// tensor is read.
///
/// `never` are the files of the source. The destination may not be one of them, by whatever name;
/// only its data files may share their bytes with them.
pub fn create(
    to: &Location,
    options: &Options,
    never: &[Entry],
) -> Result<Box<dyn CheckpointWriter>, TargetError> {
    let commit = commit::Commit::begin(to, options, never)?;
    Ok(Box::new(bundle::BundleWriter::new(commit)?))
}

#[cfg(test)]
mod tests;
