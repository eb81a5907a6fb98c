//! Values of a variable, or of a part of it: to be looked at, or into a `.npy` file.
//!
//! Of fixed-size types only what is shown is read: the edges of a tensor of 100 GB are a few reads.
//! A checksum is that of a whole tensor, so what is shown of a large one is not checked unless that
//! is asked for; small tensors are, since it costs nothing, and strings have to be read whole
//! anyway. How numbers are spelled is `report`'s business.

mod edges;
mod error;
mod find;
mod hash;
mod npy;
mod selection;
mod slice;
#[cfg(test)]
mod tests;

pub use edges::{EDGE, Edges};
pub use error::ShowError;
pub use find::{Found, find};
pub use hash::{Checksum, checksum};
pub use npy::{NpyForm, Saved, save};
pub use selection::Selection;
pub use slice::{Slice, SliceError};

use crate::catalog::VariableName;
use crate::progress::Progress;
use crate::source::CheckpointReader;
use crate::tensor::{DType, Region, Shape, TensorSpec, strings};

/// More elements than this are shown by their edges, as in NumPy.
const THRESHOLD: u64 = 1000;

/// So many brackets and elements can be shown at once: what a file claims must not fill the memory.
const MOST: u64 = 1 << 24;

/// Tensors up to this many bytes are checked before they are shown.
const SMALL: u64 = 1 << 20;

/// How much of a selection is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Portion {
    /// The first and last few along each axis, if there are very many elements.
    Edges,
    /// Every element.
    All,
}

/// Values to show.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The variable.
    pub name: VariableName,
    /// What it is as a whole.
    pub spec: TensorSpec,
    /// The part that was asked for, as it was typed; `None` for all of it.
    pub slice: Option<String>,
    /// The shape of that part.
    pub shape: Shape,
    /// Its elements in row-major order, or those at its edges.
    pub elements: Elements,
    /// Which of them those are.
    pub edges: Edges,
}

/// Elements in row-major order.
#[derive(Debug, Clone)]
pub enum Elements {
    /// Of a fixed-size type, in storage form.
    Fixed(Vec<u8>),
    /// Strings.
    Strings(Vec<Vec<u8>>),
}

/// Reads the values of what was [found](find); `verify` checks the whole tensor's checksum first,
/// however large it is.
pub fn show(
    reader: &dyn CheckpointReader,
    found: &Found<'_>,
    portion: Portion,
    verify: bool,
    progress: &dyn Progress,
) -> Result<Shown, ShowError> {
    let Found { name, variable, slice, selection } = found;
    let (spec, shape) = (&variable.spec, selection.shape());
    if spec.dtype() != DType::String && spec.bytes().is_none() {
        return Err(ShowError::Opaque(spec.dtype()));
    }
    let summarised = portion == Portion::Edges && shape.elements() > THRESHOLD;
    let edges = if summarised { Edges::of(&shape) } else { Edges::none(&shape) };
    let brackets = edges.shape().elements().saturating_mul(1 + shape.rank() as u64);
    if brackets > MOST {
        return Err(ShowError::Many { elements: edges.shape().elements() });
    }
    if verify || spec.bytes().is_some_and(|bytes| bytes <= SMALL) {
        hash::verify(reader, found, progress)?;
    }
    let elements = match spec.dtype().size() {
        Some(width) => Elements::Fixed(fixed(reader, found, &edges, width)?),
        None => Elements::Strings(text(reader, found, &edges)?),
    };
    let (name, spec, slice) = ((*name).clone(), spec.clone(), slice.clone());
    Ok(Shown { name, spec, slice, shape, elements, edges })
}

fn fixed(
    reader: &dyn CheckpointReader,
    found: &Found<'_>,
    edges: &Edges,
    width: u64,
) -> Result<Vec<u8>, ShowError> {
    let Found { name, selection, .. } = found;
    // Axes that an index took away have one element and come back here.
    let edges = edges.along(&selection.full_shape());
    let room = edges.shape();
    // At most `MOST` elements of 16 bytes.
    let mut out = vec![0; usize::try_from(room.elements() * width).unwrap_or_default()];
    for (part, place) in edges.parts() {
        let mut read = |region: &Region, out: &mut [u8]| reader.read_region(name, region, out);
        selection.read(&part, &place, (&room, width), &mut out, &mut read)?;
    }
    Ok(out)
}

fn text(
    reader: &dyn CheckpointReader,
    found: &Found<'_>,
    edges: &Edges,
) -> Result<Vec<Vec<u8>>, ShowError> {
    let Found { name, variable, selection, .. } = found;
    let shape = variable.spec.shape();
    let tensor = reader.read(name)?;
    let all = strings::decode(tensor.data(), shape.elements()).unwrap_or_default();
    let wanted = selection.places(shape);
    let edges = edges.along(&selection.full_shape());
    let (full, room) = (selection.full_shape(), edges.shape());
    let mut out = vec![Vec::new(); usize::try_from(room.elements()).unwrap_or_default()];
    for (part, place) in edges.parts() {
        let runs = |region: &Region, of: &Shape| {
            let mut places = Vec::new();
            let Ok(()) = region.for_each_run(of, |at, len| {
                places.extend(at..at + len);
                Ok::<(), std::convert::Infallible>(())
            });
            places
        };
        for (from, to) in runs(&part, &full).into_iter().zip(runs(&place, &room)) {
            let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
            let string = wanted.get(index(from)).and_then(|at| all.get(index(*at)));
            if let (Some(string), Some(slot)) = (string, out.get_mut(index(to))) {
                *slot = string.to_vec();
            }
        }
    }
    Ok(out)
}
