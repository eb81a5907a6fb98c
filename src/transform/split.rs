//! One of the pieces an axis falls into.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::error::reshaped;
use super::{Along, Op, Regions, Transform, TransformError, axis, block};
use crate::tensor::{Region, TensorSpec};

/// One piece of `split: -1` or `split: {axis: -1, sizes: [2, 3]}`, as `tf.split`; which one follows
/// from the target it goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    axis: i64,
    pieces: Pieces,
    index: usize,
}

/// The pieces of a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pieces {
    /// So many, all of one size.
    Equal(usize),
    /// Of these sizes.
    Sizes(Arc<[u64]>),
}

impl Pieces {
    fn count(&self) -> usize {
        match self {
            Self::Equal(count) => *count,
            Self::Sizes(sizes) => sizes.len(),
        }
    }
}

impl Split {
    /// Piece `index`, counted from 0; the error says why there is none.
    pub fn new(axis: i64, pieces: Pieces, index: usize) -> Result<Self, String> {
        match pieces.count() {
            0 => Err("at least one piece must come out".to_owned()),
            count if index >= count => Err(format!("there is no piece {index} of {count}")),
            _ => Ok(Self { axis, pieces, index }),
        }
    }

    /// The axis, and what of it the piece is.
    fn piece(&self, input: &TensorSpec) -> Result<(usize, Range<u64>), TransformError> {
        let (axis, size) = axis::one(self, input, self.axis)?;
        let misfit = |reason| TransformError::fit(self, input, reason);
        let piece = match &self.pieces {
            Pieces::Equal(count) => u64::try_from(*count)
                .ok()
                .filter(|&count| size.is_multiple_of(count))
                .zip(u64::try_from(self.index).ok())
                .map(|(count, index)| index * (size / count)..(index + 1) * (size / count))
                .ok_or_else(|| {
                    misfit(format!("axis {axis} has size {size}, no multiple of {count}"))
                }),
            Pieces::Sizes(sizes) => {
                let sum = |sizes: &[u64]| {
                    sizes.iter().try_fold(0, |sum: u64, &next| sum.checked_add(next))
                };
                let before = sizes.get(..self.index).and_then(sum);
                let after = sizes.get(..=self.index).and_then(sum);
                let all = sum(sizes).filter(|&all| all == size);
                before
                    .zip(after)
                    .filter(|_| all.is_some())
                    .map(|(start, end)| start..end)
                    .ok_or_else(|| {
                        misfit(format!(
                            "axis {axis} has size {size}, and the pieces do not add up to it"
                        ))
                    })
            }
        };
        Ok((axis, piece?))
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pieces {
            Pieces::Equal(_) => write!(f, "split: {}", self.axis)?,
            Pieces::Sizes(sizes) => write!(f, "split: {{axis: {}, sizes: {sizes:?}}}", self.axis)?,
        }
        write!(f, " ({} of {})", self.index + 1, self.pieces.count())
    }
}

impl Op for Split {
    fn infer(&self, input: &TensorSpec) -> Result<TensorSpec, TransformError> {
        block::size(self, input)?;
        let (axis, piece) = self.piece(input)?;
        let mut dims = input.shape().dims().to_vec();
        if let Some(dim) = dims.get_mut(axis) {
            *dim = piece.end - piece.start;
        }
        reshaped(self, input, dims)
    }

    fn pull(
        &self,
        out: &Region,
        input: &mut dyn Regions,
        into: &mut [u8],
    ) -> Result<(), TransformError> {
        let (axis, piece) = self.piece(input.spec())?;
        let taken = block::ranges(out).get(axis).cloned().unwrap_or(0..0);
        let shifted =
            piece.start.saturating_add(taken.start)..piece.start.saturating_add(taken.end);
        let from = block::moved(self, input.spec(), out, axis, shifted)?;
        input.read(&from, into)
    }

    fn invert(&self, _: &TensorSpec) -> Option<Transform> {
        None
    }

    fn keeps(&self, input: &TensorSpec) -> Option<Region> {
        let (axis, piece) = self.piece(input).ok()?;
        block::moved(self, input, &Region::whole(input.shape()), axis, piece).ok()
    }

    fn along(&self) -> Along {
        Along::As(Transform::Split(self.clone()))
    }
}
