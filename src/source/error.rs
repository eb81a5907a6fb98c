//! Why a checkpoint cannot be read.

use crate::catalog::VariableName;
use crate::crc::Crc;
use crate::files::{FileError, Location};
use crate::object::GraphError;
use crate::table::TableError;
use crate::tensor::{DType, DataError, Shape, ShapeError};

/// A checkpoint that cannot be read, or not wholly.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// What was named is no checkpoint.
    #[error("`{at}` {what}; {help}")]
    Unrecognized {
        /// What was named.
        at: Location,
        /// What it is, as it reads after its name.
        what: String,
        /// What to do about it.
        help: String,
    },
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A table is damaged.
    #[error("`{path}` is damaged")]
    Table {
        /// The file.
        path: Location,
        /// Where and how.
        source: Box<TableError>,
    },
    /// The header of an index is missing or not for us.
    #[error("the header in `{path}` cannot be used")]
    Header {
        /// The index.
        path: Location,
        /// What is wrong with it.
        source: Box<IndexError>,
    },
    /// An entry of an index makes no sense.
    #[error("the entry of `{}` in `{path}` cannot be used", key.escape_ascii())]
    Index {
        /// The index.
        path: Location,
        /// The entry's key.
        key: Vec<u8>,
        /// What is wrong with it.
        source: Box<IndexError>,
    },
    /// A tensor's bytes are missing or damaged.
    #[error("the data of `{}` at byte {offset} of `{path}` cannot be used", name.as_str().escape_debug())]
    Tensor {
        /// The data file.
        path: Location,
        /// Where in it they begin.
        offset: u64,
        /// The variable.
        name: VariableName,
        /// What is wrong with them.
        source: Box<TensorError>,
    },
    /// The parts of a partitioned variable are not all of it.
    #[error("`{}` in `{path}` cannot be put together of its slices", name.as_str().escape_debug())]
    Slices {
        /// The checkpoint.
        path: Location,
        /// The variable.
        name: VariableName,
        /// What is wrong with them.
        source: Box<SliceError>,
    },
    /// A V1 checkpoint without values that it lists.
    #[error("`{path}` lists {what} of `{}`, but does not hold it", name.as_str().escape_debug())]
    NoRecord {
        /// The file.
        path: Location,
        /// The variable.
        name: VariableName,
        /// What is listed, as it reads before the variable's name.
        what: String,
    },
    /// The object graph does not hold together.
    #[error("the object graph in `{path}` cannot be used")]
    Graph {
        /// The data file.
        path: Location,
        /// What is wrong with it.
        source: ObjectGraphError,
    },
    /// A name that the checkpoint does not have.
    #[error("`{path}` has no variable `{}`", name.as_str().escape_debug())]
    NoVariable {
        /// The checkpoint.
        path: Location,
        /// The name that was asked for.
        name: VariableName,
    },
}

impl SourceError {
    /// An error about a variable as a whole, wherever in the checkpoint its parts are.
    pub(super) fn whole(at: &Location, name: &VariableName, error: TensorError) -> Self {
        let (path, source) = (at.clone(), Box::new(error));
        Self::Tensor { path, offset: 0, name: name.clone(), source }
    }

    /// The error for a file of `name` that is not there; TensorFlow would lose its tensors silently.
    pub(super) fn missing(file: &Location, name: &Location) -> Self {
        let what = format!("is missing, and holds values of `{name}`");
        Self::Unrecognized { at: file.clone(), what, help: "copy it here as well".to_owned() }
    }

    /// An error about the slices of a variable.
    pub(super) fn slices(at: &Location, name: &VariableName, source: Box<SliceError>) -> Self {
        Self::Slices { path: at.clone(), name: name.clone(), source }
    }

    /// Whether it hurts the variable that was asked for, and others can still be read.
    pub fn is_about_one_variable(&self) -> bool {
        matches!(self, Self::Tensor { .. } | Self::Slices { .. } | Self::NoRecord { .. })
    }
}

/// What can be wrong with the header or an entry of an index.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// No header where one must be.
    #[error("the first key is not the empty one, under which the header stands")]
    NoHeader,
    /// Bytes that are no message.
    #[error("it is no valid message")]
    Message(#[from] prost::DecodeError),
    /// A format of the future.
    #[error(
        "it is of version {producer} and asks for a reader of version {needed} or later; this \
         program reads version 1"
    )]
    Version {
        /// Who wrote it.
        producer: i32,
        /// Who may read it.
        needed: i32,
    },
    /// A number that cannot be below zero.
    #[error("its {field} is {value}")]
    Negative {
        /// What it says.
        field: &'static str,
        /// What it says it is.
        value: i64,
    },
    /// An element type that no checkpoint holds.
    #[error("it has the element type {0}, {what}", what = unstorable(*.0))]
    DType(i32),
    /// Sizes that are no shape.
    #[error("it has no valid shape")]
    Shape(#[from] ShapeError),
    /// A number of bytes that does not fit the shape.
    #[error("it has {got} bytes where {spec} needs {needed}")]
    Size {
        /// What the tensor is said to be.
        spec: String,
        /// Bytes it needs.
        needed: u64,
        /// Bytes it is said to have.
        got: u64,
    },
    /// Bytes that are no message.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// More slices than can be believed.
    #[error(transparent)]
    Slices(#[from] SliceError),
    /// A variable without a name.
    #[error("it lists a variable without a name")]
    Nameless,
    /// A variable that two files describe differently.
    #[error("it is {now} here and {before} elsewhere")]
    Conflict {
        /// What it is in the entry at hand.
        now: String,
        /// What it is in the one before.
        before: String,
    },
    /// A piece without a whole.
    #[error("it is a slice that no variable lists")]
    Orphan,
    /// More bytes than can be believed.
    #[error("it has {len} bytes, more than the {limit} that can be believed")]
    Large {
        /// Bytes it has.
        len: usize,
        /// Bytes it may have.
        limit: usize,
    },
    /// An end beyond what can be counted.
    #[error("it ends beyond what can be counted")]
    Range,
    /// More text than can be believed.
    #[error("the names add up to more than {limit} bytes")]
    Names {
        /// What they may add up to.
        limit: usize,
    },
}

/// What can be wrong with a tensor's bytes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TensorError {
    /// A data file that ends too early.
    #[error("it reaches to byte {end}, but the file has only {len}")]
    Truncated {
        /// Where the tensor ends.
        end: u64,
        /// Where the file ends.
        len: u64,
    },
    /// Bytes that have changed.
    #[error("its checksum is {computed}, but {stored} is stored")]
    Checksum {
        /// What the index says.
        stored: Crc,
        /// What the bytes add up to.
        computed: Crc,
    },
    /// Bytes that are no tensor.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Bytes of which it is not known how to turn them around.
    #[error("it was written on a big-endian machine, and how {0} is stored there is not known")]
    Order(DType),
    /// A damaged block of a table with values in it.
    #[error(transparent)]
    Block(#[from] TableError),
    /// Values that cannot be read out of their record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// What a TensorFlow said that was to read it.
    #[error("TensorFlow {version} says: {said}")]
    TensorFlow {
        /// Its version.
        version: String,
        /// Its words.
        said: String,
    },
    /// A part that sticks out of the tensor, or does not fill the buffer it is wanted in.
    #[error("the part that was asked for does not fit")]
    Region,
}

/// What can be wrong with the slices of a partitioned variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SliceError {
    /// A slice that is no part of the variable.
    #[error("slice `{slice}` is no part of {shape}")]
    Outside {
        /// The slice, as TensorFlow's ops take it.
        slice: String,
        /// The variable's shape.
        shape: Shape,
    },
    /// A slice that is listed and not there.
    #[error("slice `{0}` is listed but missing: is a file of the checkpoint missing?")]
    Missing(String),
    /// A slice that is not what it is listed as.
    #[error("slice `{slice}` holds {got} where {needed} belongs")]
    Mismatch {
        /// The slice.
        slice: String,
        /// What belongs there.
        needed: String,
        /// What is there.
        got: String,
    },
    /// Two slices that claim the same elements.
    #[error("slices overlap")]
    Overlap,
    /// Elements in no slice.
    #[error("{missing} of {elements} elements are in no slice")]
    Gap {
        /// Elements in no slice.
        missing: u64,
        /// Elements of the variable.
        elements: u64,
    },
    /// More slices than can be told apart in reasonable time.
    #[error("its {0} slices are cut too irregularly to prove that they do not overlap")]
    Tangled(usize),
    /// More slices than can be believed.
    #[error(
        "the checkpoint has more than {slices} slices, or more than {keys} bytes of names for them"
    )]
    Many {
        /// Slices there may be.
        slices: usize,
        /// Bytes their keys may have.
        keys: usize,
    },
    /// Slices that lie in the same bytes.
    #[error("slices share bytes of a data file")]
    Shared,
    /// Elements that cannot be told apart, so they cannot be put together either.
    #[error("elements of type {0} cannot be put together")]
    Opaque(DType),
}

/// What can be wrong with an object graph.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectGraphError {
    /// Not a string of rank 0.
    #[error("it is not a single string but {0}")]
    Spec(String),
    /// Longer than any program's.
    #[error("it has {len} bytes, more than the {limit} that can be believed")]
    Large {
        /// Bytes it is said to have.
        len: u64,
        /// Bytes it may have.
        limit: u64,
    },
    /// Bytes that are no message.
    #[error("it is no valid message")]
    Message(#[from] prost::DecodeError),
    /// Nodes that are no graph.
    #[error(transparent)]
    Nodes(#[from] GraphError),
}

/// Bytes that are no message, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its message is damaged at byte {0}")]
pub struct Broken(pub usize);

/// What can be wrong with a record of values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Bytes that are no message.
    #[error(transparent)]
    Message(#[from] Broken),
    /// Values that are scattered beyond reason.
    #[error("its values lie in more than {limit} pieces")]
    Pieces {
        /// Pieces there may be.
        limit: usize,
    },
    /// Values in a form that no version of TensorFlow reads there.
    #[error("its values are raw bytes (`tensor_content`), which no TensorFlow reads there")]
    Content,
    /// A type that V1 checkpoints do not have.
    #[error("there are no {0} in V1 checkpoints")]
    DType(DType),
    /// Too few or too many values.
    #[error("it has {got} values where {needed} belong")]
    Count {
        /// Values that belong there.
        needed: u64,
        /// Values that are there.
        got: u64,
    },
    /// A value that the type does not have.
    #[error("value {place} is {value}, which is no {dtype}")]
    Value {
        /// Which one, counted from 0.
        place: u64,
        /// What it is.
        value: i64,
        /// What it should be.
        dtype: DType,
    },
}

/// What is wrong with an element type, by TensorFlow's number.
fn unstorable(dtype: i32) -> &'static str {
    match dtype {
        0 => "which is none",
        20 => "a resource, which no checkpoint can hold",
        100.. => "a reference, on which TensorFlow aborts",
        _ => "which does not exist",
    }
}
