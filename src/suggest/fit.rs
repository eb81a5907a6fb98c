//! Which layouts of a value there are: what a rule has to apply so that it fits.

use crate::tensor::{Shape, TensorSpec};
use crate::transform::Reshape;

/// How a value has to be laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Fit {
    /// As it is.
    Same,
    /// Axes split or merged, of size 1 added or taken away.
    Reshaped,
    /// Axes in reverse.
    Transposed,
    /// The first of the last axis left out: the class that slim calls background.
    Sliced,
    /// The same, and then reshaped.
    SlicedReshaped,
}

impl Fit {
    /// How a value of `old` fits into `new`, if it does.
    pub(super) fn of(old: &TensorSpec, new: &TensorSpec) -> Option<Self> {
        if old.dtype() != new.dtype() {
            return None;
        }
        let (old, new) = (old.shape(), new.shape());
        if old == new {
            return Some(Self::Same);
        }
        if old.elements() == new.elements() {
            if Reshape::keeps_order(old, new) {
                return Some(Self::Reshaped);
            }
            let reversed = old.rank() == 2 && old.dims().iter().rev().eq(new.dims());
            return reversed.then_some(Self::Transposed);
        }
        let (last, front) = old.dims().split_last()?;
        let mut dims = front.to_vec();
        dims.push(last.checked_sub(1).filter(|last| *last > 0)?);
        let sliced = Shape::new(dims).ok()?;
        match () {
            () if sliced == *new => Some(Self::Sliced),
            () if sliced.elements() == new.elements() && Reshape::keeps_order(&sliced, new) => {
                Some(Self::SlicedReshaped)
            }
            () => None,
        }
    }

    /// What stands behind `apply:`.
    pub(super) fn steps(self) -> &'static [&'static str] {
        match self {
            Self::Same => &[],
            Self::Reshaped => &["{reshape: target}"],
            Self::Transposed => &["transpose"],
            Self::Sliced => &["{slice: '..., 1:'}"],
            Self::SlicedReshaped => &["{slice: '..., 1:'}", "{reshape: target}"],
        }
    }

    /// What speaks against it where another one fits as it is.
    pub(super) fn penalty(self) -> f64 {
        match self {
            Self::Same => 0.0,
            Self::Reshaped => 0.05,
            Self::Transposed => 0.4,
            Self::Sliced | Self::SlicedReshaped => 0.3,
        }
    }
}
