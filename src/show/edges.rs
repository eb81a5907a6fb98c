//! The first and last few elements along each axis.

use std::ops::Range;

use crate::tensor::{Region, Shape};

/// How many of them at either end, as in NumPy.
pub const EDGE: u64 = 3;

/// Which elements of a tensor are shown: all, or those at the edges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edges {
    of: Shape,
    summarised: bool,
}

impl Edges {
    /// Those at the edges.
    pub(super) fn of(shape: &Shape) -> Self {
        Self { of: shape.clone(), summarised: true }
    }

    /// All.
    pub(super) fn none(shape: &Shape) -> Self {
        Self { of: shape.clone(), summarised: false }
    }

    /// The same of another shape.
    pub(super) fn along(&self, shape: &Shape) -> Self {
        Self { of: shape.clone(), ..*self }
    }

    /// Whether the middle of an axis of this size is left out.
    pub fn leaves_out(&self, size: u64) -> bool {
        self.summarised && size > 2 * EDGE
    }

    /// How many elements are shown along each axis.
    pub fn shape(&self) -> Shape {
        let shown = |&size: &u64| if self.leaves_out(size) { 2 * EDGE } else { size };
        Shape::new(self.of.dims().iter().map(shown).collect::<Vec<_>>()).unwrap_or_default()
    }

    /// Regions of the tensor, each with its place among what is shown.
    pub(super) fn parts(&self) -> Vec<(Region, Region)> {
        let room = self.shape();
        let mut parts: Vec<Vec<[Range<u64>; 2]>> = vec![Vec::new()];
        for &size in self.of.dims() {
            let along = if self.leaves_out(size) {
                let (start, end) = (size - EDGE..size, EDGE..2 * EDGE);
                vec![[0..EDGE, 0..EDGE], [start, end]]
            } else {
                vec![[0..size, 0..size]]
            };
            let longer = |part: Vec<[Range<u64>; 2]>| {
                let one = |piece: &[Range<u64>; 2]| {
                    let mut part = part.clone();
                    part.push(piece.clone());
                    part
                };
                along.iter().map(one).collect::<Vec<_>>()
            };
            parts = parts.into_iter().flat_map(longer).collect();
        }
        let region = |part: &[[Range<u64>; 2]], which: fn(&[Range<u64>; 2]) -> Range<u64>, of| {
            Region::new(of, &part.iter().map(which).collect::<Vec<_>>())
        };
        let both = |part: Vec<[Range<u64>; 2]>| {
            let from = region(&part, |[from, _]| from.clone(), &self.of)?;
            Some((from, region(&part, |[_, to]| to.clone(), &room)?))
        };
        parts.into_iter().filter_map(both).collect()
    }
}
