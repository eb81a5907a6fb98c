//! Rectangular parts of partitioned variables: what files say of them, and the keys they have.

use super::error::SliceError;
use super::ordered_code;
use crate::proto::{TensorSliceProto, tensor_slice_proto::extent::HasLength};
use crate::tensor::{Region, Shape, TensorSpec};

/// A part as a file describes it. Its key is made of exactly this description: all of an axis, and
/// a range that happens to be all of it, have different keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slice(Vec<Extent>);

/// The reach along one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Extent {
    start: i64,
    /// `None` for all of the axis.
    length: Option<i64>,
}

/// All variables of a checkpoint together have no more slices: a few bytes of a file can stand for
/// one, but in memory it takes hundreds.
const MAX_SLICES: usize = 1 << 20;

/// Nor have the keys of all slices more bytes, each of which repeats its variable's name.
const MAX_KEYS: usize = 1 << 28;

/// What the slices of a checkpoint may cost.
#[derive(Debug, Default)]
pub(super) struct Cost {
    slices: usize,
    keys: usize,
}

impl Cost {
    /// Counts the slices of one more variable; an error from where it becomes too much.
    pub(super) fn add(&mut self, name: &[u8], slices: usize) -> Result<(), SliceError> {
        self.slices = self.slices.saturating_add(slices);
        self.keys = self.keys.saturating_add(slices.saturating_mul(name.len()));
        if self.slices > MAX_SLICES || self.keys > MAX_KEYS {
            return Err(SliceError::Many { slices: MAX_SLICES, keys: MAX_KEYS });
        }
        Ok(())
    }
}

/// What a key has where an extent has no length.
const ALL: i64 = -1;

impl Slice {
    /// The part that a message describes.
    pub(super) fn new(message: &TensorSliceProto) -> Self {
        let extents = message.extent.iter().map(|extent| Extent {
            start: extent.start,
            length: extent.has_length.map(|HasLength::Length(length)| length),
        });
        Self(extents.collect())
    }

    /// The key of this part of the variable called `name`.
    pub(super) fn key(&self, name: &[u8]) -> Vec<u8> {
        let mut key = Vec::new();
        ordered_code::number(0, &mut key);
        ordered_code::string(name, &mut key);
        ordered_code::number(self.0.len() as u64, &mut key);
        for extent in &self.0 {
            ordered_code::signed(extent.start, &mut key);
            ordered_code::signed(extent.length.unwrap_or(ALL), &mut key);
        }
        key
    }

    /// The part of a variable that it is.
    pub(super) fn region(&self, of: &TensorSpec) -> Result<Region, SliceError> {
        let shape = of.shape();
        let outside = || SliceError::Outside { slice: self.to_string(), shape: shape.clone() };
        self.part(shape).ok_or_else(outside)
    }

    fn part(&self, shape: &Shape) -> Option<Region> {
        if self.0.len() != shape.rank() {
            return None;
        }
        let ranges = self.0.iter().zip(shape.dims()).map(|(extent, &dim)| {
            let start = u64::try_from(extent.start).ok()?;
            match extent.length {
                None | Some(ALL) => (start == 0).then_some(0..dim),
                Some(length) => Some(start..start.checked_add(u64::try_from(length).ok()?)?),
            }
        });
        Region::new(shape, &ranges.collect::<Option<Vec<_>>>()?)
    }
}

impl std::fmt::Display for Slice {
    /// As TensorFlow's ops take it: `0,3:-`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (axis, extent) in self.0.iter().enumerate() {
            f.write_str(if axis == 0 { "" } else { ":" })?;
            match extent.length {
                None => f.write_str("-")?,
                Some(length) => write!(f, "{},{length}", extent.start)?,
            }
        }
        Ok(())
    }
}

/// The variable that a part with this key belongs to, for messages.
pub(super) fn owner(key: &[u8]) -> String {
    let name = key.split_first().and_then(|(_, rest)| ordered_code::read_string(rest));
    let name = name.map_or_else(|| key.to_vec(), |(name, _)| name);
    String::from_utf8_lossy(&name).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::tensor_slice_proto;

    /// A part from `(start, length)`; -1 for no length.
    fn slice(extents: &[(i64, i64)]) -> Slice {
        let extent = extents.iter().map(|&(start, length)| tensor_slice_proto::Extent {
            start,
            has_length: (length >= 0).then_some(HasLength::Length(length)),
        });
        Slice::new(&TensorSliceProto { extent: extent.collect() })
    }

    /// Keys that TensorFlow writes.
    #[test]
    fn known_keys() {
        assert_eq!(slice(&[(0, 3), (0, -1)]).key(b"w"), b"\0w\0\x01\x01\x02\x80\x83\x80\x7f");
        assert_eq!(slice(&[(3, 1), (0, 2)]).key(b"w"), b"\0w\0\x01\x01\x02\x83\x81\x80\x82");
        assert_eq!(slice(&[]).key(b"sc"), b"\0sc\0\x01\0");
        assert_eq!(owner(b"\0w\0\x01\x01\x02\x80\x83\x80\x7f"), "w");
        assert_eq!(owner(b"\0a\0\xffb\0\x01\0"), "a\0b");
        assert_eq!(owner(b"\0"), "\0");
    }

    #[test]
    fn parts_lie_inside_or_are_none() {
        let shape = Shape::new([4, 2]).unwrap();
        let region = slice(&[(1, 3), (0, -1)]).part(&shape).unwrap();
        assert_eq!((region.start(), region.size()), (&[1, 0][..], &[3, 2][..]));
        assert_eq!(slice(&[(1, 3), (0, -1)]).to_string(), "1,3:-");
        for wrong in [
            slice(&[(0, 4)]),
            slice(&[(2, 3), (0, -1)]),
            slice(&[(-1, 3), (0, -1)]),
            slice(&[(1, -1), (0, -1)]),
            slice(&[(i64::MAX, i64::MAX), (0, -1)]),
        ] {
            assert_eq!(wrong.part(&shape), None, "{wrong}");
        }
    }
}
