//! What can be done to a value on its way: each transform in a file of its own.
//!
//! A transform states the shape it yields before any data is read, fills its output block by block
//! by asking for the input it needs, and knows its inverse if it has one. It never changes the
//! dtype or the order of anything silently.

mod add;
mod axis;
mod block;
mod cast;
mod cost;
mod error;
mod expand_dims;
mod fill;
mod flip;
mod gates;
mod gather;
mod lanes;
mod merge_axes;
mod numbers;
mod pad;
mod reshape;
mod scale;
mod slice;
mod split;
mod split_axis;
mod squeeze;
mod strided;
mod strip;
mod tile;
mod transpose;
mod unpartition;
mod unstack;
mod view;
mod walk;

use std::fmt;
use std::ops::Range;

use crate::tensor::{Region, TensorSpec};

pub use add::Add;
pub(crate) use axis::resolve as resolve_axis;
pub use cast::Cast;
pub use cost::Cost;
pub use error::TransformError;
pub use expand_dims::ExpandDims;
pub use flip::Flip;
pub use gates::Gates;
pub use gather::Gather;
pub use merge_axes::MergeAxes;
pub use pad::Pad;
pub use reshape::Reshape;
pub use scale::Scale;
pub use slice::Slice;
pub use split::{Pieces, Split};
pub use split_axis::SplitAxis;
pub use squeeze::Squeeze;
pub use transpose::Transpose;
pub use unpartition::Unpartition;
pub use unstack::Unstack;

/// A value that can be read in parts.
pub trait Regions {
    /// What it is.
    fn spec(&self) -> &TensorSpec;

    /// Fills `out` with the elements of `region`, row-major.
    fn read(&mut self, region: &Region, out: &mut [u8]) -> Result<(), TransformError>;

    /// All of it, row-major, where it lies in memory already: then nobody needs to stage parts of
    /// it.
    fn whole(&self) -> Option<&[u8]> {
        None
    }
}

/// A way to make one tensor of another, displayed as a rule file writes it; pieces and inverses, which
/// no rule file writes, say what they are of.
pub trait Op: fmt::Display {
    /// What comes out, or why it cannot.
    fn infer(&self, input: &TensorSpec) -> Result<TensorSpec, TransformError>;

    /// Fills a block of the output, asking for the input it needs.
    fn pull(
        &self,
        out: &Region,
        input: &mut dyn Regions,
        into: &mut [u8],
    ) -> Result<(), TransformError>;

    /// What filling a block of at most so many bytes takes; less than an element counts as one. A
    /// transform that says nothing hands on what it is asked for.
    fn cost(&self, input: &TensorSpec, block: u64) -> Cost {
        let axes = self.infer(input).map_or(0, |out| out.shape().rank());
        Cost::direct(input, block).described(axes)
    }

    /// What undoes it for an input of this spec, if anything does.
    fn invert(&self, input: &TensorSpec) -> Option<Transform>;

    /// The box of its input whose elements, all of them in row-major order and no others, are what
    /// comes out: several such parts may make up the whole again.
    fn keeps(&self, _input: &TensorSpec) -> Option<Region> {
        None
    }

    /// Where among the bytes of its input, as they lie in memory, all that comes out lies just so.
    fn stretch(&self, input: &TensorSpec) -> Option<Range<u64>> {
        block::stretch(input, &self.keeps(input)?)
    }

    /// What becomes of optimizer state whose variable goes this way.
    fn along(&self) -> Along;
}

/// How optimizer state follows a transform of its variable.
#[derive(Debug, Clone, PartialEq)]
pub enum Along {
    /// Through this transform: the same one where only the layout changes.
    As(Transform),
    /// As it is: adding a constant changes no gradient.
    Unchanged,
    /// Not at all; the text says why.
    Never(&'static str),
}

/// Every transform.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Transform {
    /// Axes in another order.
    Transpose(Transpose),
    /// The same elements in the same order under another shape.
    Reshape(Reshape),
    /// One axis becomes several.
    SplitAxis(SplitAxis),
    /// Neighbouring axes become one.
    MergeAxes(MergeAxes),
    /// Axes of size 1 left out.
    Squeeze(Squeeze),
    /// New axes of size 1.
    ExpandDims(ExpandDims),
    /// Axes the other way round.
    Flip(Flip),
    /// A part of each axis.
    Slice(Slice),
    /// One of the pieces an axis falls into.
    Split(Split),
    /// One of the tensors that are stacked along an axis.
    Unstack(Unstack),
    /// More of every axis.
    Pad(Pad),
    /// Rows in another order, some of them twice, some of them new.
    Gather(Gather),
    /// A table whose rows were dealt out to parts.
    Unpartition(Unpartition),
    /// The same numbers in another element type.
    Cast(Cast),
    /// Every element times a number.
    Scale(Scale),
    /// Every element plus a number.
    Add(Add),
    /// The gates of a recurrent cell in another order.
    Gates(Gates),
}

impl Transform {
    /// The transform as an operation.
    pub fn op(&self) -> &dyn Op {
        match self {
            Self::Transpose(op) => op,
            Self::Reshape(op) => op,
            Self::SplitAxis(op) => op,
            Self::MergeAxes(op) => op,
            Self::Squeeze(op) => op,
            Self::ExpandDims(op) => op,
            Self::Flip(op) => op,
            Self::Slice(op) => op,
            Self::Split(op) => op,
            Self::Unstack(op) => op,
            Self::Pad(op) => op,
            Self::Gather(op) => op,
            Self::Unpartition(op) => op,
            Self::Cast(op) => op,
            Self::Scale(op) => op,
            Self::Add(op) => op,
            Self::Gates(op) => op,
        }
    }
}

impl fmt::Display for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.op().fmt(f)
    }
}
