//! What an index lists, put together: a partitioned variable has an entry that names its slices, and
//! an entry for each of them.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::{Entry, Stored};
use super::index::Pieces;
use crate::catalog::VariableName;
use crate::source::error::SliceError;
use crate::source::slice::Slice;
use crate::source::spoiled::{self, Joined};
use crate::source::stitch::Stitched;
use crate::tensor::{DType, Region, TensorSpec};

/// Every tensor of an index, partitioned ones put together.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) whole: BTreeMap<VariableName, Stored>,
    pub(super) parted: BTreeMap<VariableName, Stitched<Stored>>,
    /// Which of those were several before.
    pub(super) joined: Joined,
    /// Pieces that no variable lists.
    pub(super) orphans: Vec<Vec<u8>>,
}

impl Content {
    pub(super) fn of(variables: BTreeMap<VariableName, Entry>, pieces: &Pieces) -> Self {
        let mut content = Self::default();
        let mut listed = BTreeSet::new();
        for (name, entry) in variables {
            match entry {
                Entry::Whole(stored) => drop(content.whole.insert(name, stored)),
                Entry::Sliced(spec, slices) => {
                    listed.extend(slices.iter().map(|slice| slice.key(name.as_str().as_bytes())));
                    let parted = stitched(pieces, name.as_str(), &spec, &slices);
                    content.parted.insert(name, parted);
                }
            }
        }
        let Self { whole, parted, .. } = &mut content;
        content.joined = spoiled::join(parted, |name| whole.contains_key(name));
        let keys = pieces.0.iter().map(|(key, _)| key);
        content.orphans = keys.filter(|key| !listed.contains(*key)).cloned().collect();
        content
    }
}

/// The variable called `name`, whose entry says this of it, with the pieces found among `pieces`.
fn stitched(pieces: &Pieces, name: &str, spec: &TensorSpec, slices: &[Slice]) -> Stitched<Stored> {
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
