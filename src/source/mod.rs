//! Reading checkpoints: finding one, telling its format, and handing out its tensors.
//!
//! A format is a file or directory here and an entry in [`FORMATS`]; nobody above knows which one
//! a [`CheckpointReader`] reads. What may be typed to name a checkpoint is `resolve`'s business,
//! and `sniff` tells what a wrong file is.

mod bundle;
mod error;
mod graph;
mod meta;
mod ordered_code;
mod resolve;
mod slice;
mod sniff;
mod spoiled;
mod stitch;
#[cfg(all(unix, feature = "tensorflow"))]
pub mod tensorflow;
mod v1;
mod version;

use std::fmt;

use crate::catalog::{Catalog, VariableName};
use crate::crc::Crc;
use crate::files::{Extent, Location};
use crate::tensor::{Region, Tensor};

pub use error::{
    Broken, IndexError, ObjectGraphError, RecordError, SliceError, SourceError, TensorError,
};
pub use graph::decode_graph;
pub(crate) use resolve::checkpoints;
pub use resolve::resolve;

/// Every format that is read; the first that recognizes a checkpoint reads it.
pub const FORMATS: &[Format] = &[bundle::FORMAT, v1::FORMAT];

/// A checkpoint that is open.
pub trait CheckpointReader: Send + Sync + fmt::Debug {
    /// What it holds.
    fn catalog(&self) -> &Catalog;

    /// What the checkpoint is called, whatever was typed.
    fn prefix(&self) -> &Location;

    /// The files it is stored in: none of them may be written to.
    fn files(&self) -> Vec<Location>;

    /// One variable whole, its checksum checked, in storage form.
    fn read(&self, name: &VariableName) -> Result<Tensor<'static>, SourceError>;

    /// A part of a variable of a fixed-size type, row-major, slices stitched. Not summed: call
    /// [`verify`](Self::verify) as well.
    fn read_region(
        &self,
        name: &VariableName,
        region: &Region,
        out: &mut [u8],
    ) -> Result<(), SourceError>;

    /// Streams the stored bytes once and checks their sum; `advance` hears of the bytes.
    fn verify(&self, name: &VariableName, advance: &dyn Fn(u64)) -> Result<(), SourceError>;

    /// Where a variable's bytes lie in storage form, with their stored checksum; `None` where they
    /// lie in pieces, swapped, or inside another structure.
    fn extent(&self, name: &VariableName) -> Result<Option<(Extent, Crc)>, SourceError>;
}

/// One thing that is wrong with a checkpoint.
#[derive(Debug)]
pub struct Finding {
    /// The variable it hurts, if it is known.
    pub variable: Option<String>,
    /// What is wrong.
    pub error: SourceError,
}

/// Reads all of the checkpoint called `prefix` and reports all damage.
pub type Check = fn(prefix: &Location, report: &mut dyn FnMut(Finding)) -> Result<(), SourceError>;

/// A way in which checkpoints are stored.
#[derive(Debug)]
pub struct Format {
    /// What people call it.
    pub name: &'static str,
    /// Whether the checkpoint called `prefix` is stored in this way.
    pub detect: fn(prefix: &Location) -> Result<bool, SourceError>,
    /// Opens it; stops at the first damage to what must be read for that.
    pub open: fn(prefix: &Location) -> Result<Box<dyn CheckpointReader>, SourceError>,
    /// Finds all damage, where opening stops at the first.
    pub check: Check,
}

/// The format of the checkpoint called `prefix`, which [`resolve`] gave.
pub fn format(prefix: &Location) -> Result<&'static Format, SourceError> {
    for format in FORMATS {
        if (format.detect)(prefix)? {
            return Ok(format);
        }
    }
    Err(sniff::unrecognized(prefix)?)
}

/// Opens the checkpoint that `at` names, however it was typed.
pub fn open(at: &Location) -> Result<Box<dyn CheckpointReader>, SourceError> {
    let prefix = resolve(at)?;
    (format(&prefix)?.open)(&prefix)
}
