//! Partitioned variables of a bundle: an entry that lists slices, and an entry for each of them.

use super::entry::{Entry, Stored};
use super::index::Pieces;
use crate::source::error::SliceError;
use crate::source::slice::Slice;
use crate::source::stitch::Stitched;
use crate::tensor::{DType, Region, TensorSpec};

/// The variable called `name`, whose entry says this of it, with the pieces found among `pieces`.
pub(super) fn stitched(
    pieces: &Pieces,
    name: &str,
    spec: &TensorSpec,
    slices: &[Slice],
) -> Stitched<Stored> {
    Stitched::new(spec, slices.iter().map(|slice| part(pieces, name, spec, slice)))
}

fn part(
    pieces: &Pieces,
    name: &str,
    whole: &TensorSpec,
    slice: &Slice,
) -> Result<(Region, Stored), SliceError> {
    let region = slice.region(whole)?;
    let needed = region.shape().and_then(|shape| TensorSpec::new(whole.dtype(), shape));
    let mismatch = |got: String| SliceError::Mismatch {
        slice: slice.to_string(),
        needed: needed.as_ref().map_or_else(ToString::to_string, ToString::to_string),
        got,
    };
    if !matches!((whole.bytes(), whole.dtype()), (Some(_), _) | (None, DType::String)) {
        return Err(SliceError::Opaque(whole.dtype()));
    }
    match pieces.get(&slice.key(name.as_bytes())) {
        None => Err(SliceError::Missing(slice.to_string())),
        Some(Entry::Sliced(..)) => Err(mismatch("more slices".to_owned())),
        Some(Entry::Whole(stored)) if Ok(&stored.spec) == needed.as_ref() => {
            Ok((region, stored.clone()))
        }
        Some(Entry::Whole(stored)) => Err(mismatch(stored.spec.to_string())),
    }
}
