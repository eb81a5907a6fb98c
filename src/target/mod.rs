//! Writing checkpoints: tensors go in by target, and nothing is seen of them before
//! [`finish`](CheckpointWriter::finish) switches the destination from what it was to what it is to
//! be. Knows nothing of where tensors come from or why.
//!
//! ```text
//!  begin put adopt alias ──► bundle ──► draft   a data file that nobody sees yet
//!                              │
//!                      finish  ▼
//!             graph, index ──► commit ──► rename shards, rename index, clean up
//!                              │    └───► state      the `checkpoint` file
//!                              └────────► standing   what stands at the destination
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

use crate::crc::Crc;
use crate::files::{Extent, Identity, Location};
use crate::object::{ObjectGraph, Target};
use crate::tensor::{Tensor, TensorSpec};

pub use error::TargetError;

/// Takes one tensor in blocks.
pub trait TensorSink: fmt::Debug {
    /// The next bytes in row-major order, however many.
    fn write(&mut self, block: &[u8]) -> Result<(), TargetError>;

    /// Checks that all of the tensor came.
    fn finish(self: Box<Self>) -> Result<(), TargetError>;
}

/// Asked from time to time whether to go on.
pub type Proceed<'p> = &'p dyn Fn() -> ControlFlow<()>;

/// The answer of those who always go on.
pub fn always() -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A checkpoint that is being written. Dropped before it is finished, it leaves everything as it
/// was; after an error it can only be dropped.
pub trait CheckpointWriter: fmt::Debug + Send {
    /// Takes a tensor of a fixed-size type in blocks.
    fn begin(
        &mut self,
        target: &Target,
        spec: &TensorSpec,
    ) -> Result<Box<dyn TensorSink + '_>, TargetError>;

    /// Takes a tensor whole.
    fn put(&mut self, target: &Target, tensor: &Tensor<'_>) -> Result<(), TargetError>;

    /// Takes a tensor's bytes as they stand in another file, and compares their sum with `crc` on
    /// the way. `advance` hears of every block and may ask to stop.
    fn adopt(
        &mut self,
        target: &Target,
        spec: &TensorSpec,
        extent: &Extent,
        crc: Crc,
        advance: &mut dyn FnMut(u64) -> ControlFlow<()>,
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

/// How a checkpoint is written.
#[derive(Debug, Clone, PartialEq, Eq)]
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
}

impl Default for Options {
    fn default() -> Self {
        Self { overwrite: false, sync: true, update_state: false, shard_size: None }
    }
}

/// A file of the new checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenFile {
    /// Its name.
    pub at: Location,
    /// Its length.
    pub bytes: u64,
}

/// A checkpoint that is complete and in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Data files in their order, then the index.
    pub files: Vec<WrittenFile>,
    /// What could not be tidied up, in sentences.
    pub notes: Vec<String>,
}

/// Begins a checkpoint called `to`: everything that can be refused is refused here, before a
/// tensor is read.
///
/// `never` are the files of the source. The destination may not be one of them, by whatever name.
pub fn create(
    to: &Location,
    options: &Options,
    never: &[Identity],
) -> Result<Box<dyn CheckpointWriter>, TargetError> {
    let commit = commit::Commit::begin(to, options, never)?;
    Ok(Box::new(bundle::BundleWriter::new(commit)?))
}

#[cfg(test)]
mod tests;
