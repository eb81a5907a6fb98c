//! What an index lists, put together: a partitioned variable has an entry that names its slices, and
//! an entry for each of them.

use std::collections::BTreeMap;

use super::entry::{Entry, Stored};
use super::index::Pieces;
use crate::catalog::VariableName;
use crate::source::error::SliceError;
use crate::source::slice::{Cost, Slice};
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
        let mut parts = Parts { pieces, listed: vec![false; pieces.0.len()] };
        let mut cost = Cost::default();
        for (name, entry) in variables {
            match entry {
                Entry::Whole(stored) => drop(content.whole.insert(name, stored)),
                Entry::Sliced(spec, slices) => {
                    let parted = match cost.add(name.as_str().as_bytes(), slices.len()) {
                        Ok(()) => parts.stitched(name.as_str(), &spec, &slices),
                        Err(error) => Stitched::flawed(&spec, slices.len(), error),
                    };
                    content.parted.insert(name, parted);
                }
            }
        }
        let Self { whole, parted, .. } = &mut content;
        content.joined = spoiled::join(parted, |name| whole.contains_key(name));
        let keys = pieces.0.iter().zip(parts.listed).filter(|(_, listed)| !listed);
        content.orphans = keys.map(|((key, _), _)| key.clone()).collect();
        content
    }
}

/// Pieces of partitioned variables on their way to those.
struct Parts<'p> {
    pieces: &'p Pieces,
    /// Which of them a variable lists.
    listed: Vec<bool>,
}

impl Parts<'_> {
    /// The variable called `name`, whose entry says this of it.
    fn stitched(&mut self, name: &str, spec: &TensorSpec, slices: &[Slice]) -> Stitched<Stored> {
        let parts: Vec<_> = slices.iter().map(|slice| self.part(name, spec, slice)).collect();
        let sound: Vec<&Stored> = parts.iter().flatten().map(|(_, stored)| stored).collect();
        // What shares bytes can be larger than any file; no writer makes such slices.
        if share_bytes(sound) {
            return Stitched::flawed(spec, slices.len(), SliceError::Shared);
        }
        Stitched::new(spec, parts)
    }

    fn part(
        &mut self,
        name: &str,
        whole: &TensorSpec,
        slice: &Slice,
    ) -> Result<(Region, Stored), SliceError> {
        let found = self.pieces.find(&slice.key(name.as_bytes()));
        if let Some(listed) = found.and_then(|(at, _)| self.listed.get_mut(at)) {
            *listed = true;
        }
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
        match found.map(|(_, piece)| piece) {
            None => Err(SliceError::Missing(slice.to_string())),
            Some(Entry::Sliced(..)) => Err(mismatch("more slices".to_owned())),
            Some(Entry::Whole(stored)) if Ok(&stored.spec) == needed.as_ref() => {
                Ok((region, stored.clone()))
            }
            Some(Entry::Whole(stored)) => Err(mismatch(stored.spec.to_string())),
        }
    }
}

/// Whether two of these lie in the same bytes.
fn share_bytes(mut pieces: Vec<&Stored>) -> bool {
    pieces.retain(|piece| piece.bytes > 0);
    pieces.sort_by_key(|piece| (piece.shard, piece.offset));
    pieces.windows(2).any(|pair| match pair {
        [one, next] => {
            one.shard == next.shard && one.offset.saturating_add(one.bytes) > next.offset
        }
        _ => false,
    })
}
