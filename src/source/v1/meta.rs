//! The entry under the empty key: which variables are in a file, and which parts of them.
//!
//! ```text
//! SavedTensorSlices ── 1 SavedTensorSliceMeta ─┬─ 1 SavedSliceMeta: name, shape, type, slices
//!                                              ├─ 1 …
//!                                              └─ 2 VersionDef
//! ```
//! It may be as large as there are many variables, so those are decoded one by one. The header of
//! a bundle's index stands under the same key; its field 1 is a number.

use prost::Message;

use super::wire::{Kind, fields};
use crate::proto::{SavedSliceMeta, VersionDef};
use crate::source::error::IndexError;
use crate::source::slice::Slice;
use crate::source::version;
use crate::tensor::{DType, Shape, TensorSpec};

/// A list of more bytes is none: ten million variables have as many.
const MAX_META: usize = 1 << 30;

/// What is said of one variable has no more bytes: those of a million slices. A short message can
/// stand for a large value, so its length is bounded before it is decoded.
const MAX_LISTED: usize = 1 << 24;

/// A variable as a file lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// What it is called; not always text.
    pub(super) name: Vec<u8>,
    /// What it is as a whole.
    pub(super) spec: TensorSpec,
    /// The parts that are in this file.
    pub(super) slices: Vec<Slice>,
}

/// Which format a table is in, by what stands under its empty key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// A V1 checkpoint, whose variables have been listed.
    Values,
    /// The index of a bundle.
    Index,
    /// Nothing that is known here.
    Other,
}

/// Hears of every variable, or why one cannot be used, with its name as far as that is known.
pub(super) type Visit<'v, E> =
    &'v mut dyn FnMut(Result<Listed, (Vec<u8>, IndexError)>) -> Result<(), E>;

/// Lists the variables of the file with this entry.
pub(super) fn list<E>(entry: &[u8], visit: Visit<'_, E>) -> Result<Holds, E> {
    let failed = |error: IndexError| Err((Vec::new(), error));
    if entry.len() > MAX_META {
        let error = IndexError::Large { len: entry.len(), limit: MAX_META };
        return visit(failed(error)).map(|()| Holds::Values);
    }
    let mut holds = Holds::Other;
    // A message in pieces is one message.
    let mut written = VersionDef::default();
    for field in fields(entry, 0..entry.len()) {
        let meta = match field {
            Ok(field) if field.number == 1 && field.kind == Kind::Varint => {
                return Ok(Holds::Index);
            }
            Ok(field) if field.number == 1 && field.kind == Kind::Bytes => field.body,
            Ok(_) => continue,
            Err(error) => {
                visit(failed(error.into()))?;
                break;
            }
        };
        holds = Holds::Values;
        for field in fields(entry, meta) {
            let done = match field {
                Ok(field) if field.kind != Kind::Bytes => Ok(()),
                Ok(field) => {
                    let message = entry.get(field.body).unwrap_or_default();
                    match field.number {
                        1 => visit(Listed::decode(message))?,
                        2 => written
                            .merge(message)
                            .map_err(IndexError::from)
                            .or_else(|error| visit(failed(error)))?,
                        _ => {}
                    }
                    Ok(())
                }
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                visit(failed(error.into()))?;
                break;
            }
        }
    }
    if let Err(error) = version::check(&written) {
        visit(failed(error))?;
    }
    Ok(holds)
}

impl Listed {
    fn decode(message: &[u8]) -> Result<Self, (Vec<u8>, IndexError)> {
        if message.len() > MAX_LISTED {
            let error = IndexError::Large { len: message.len(), limit: MAX_LISTED };
            return Err((Vec::new(), error));
        }
        let decoded =
            SavedSliceMeta::decode(message).map_err(|error| (Vec::new(), error.into()))?;
        let SavedSliceMeta { name, shape, r#type, slice } = decoded;
        if name.is_empty() {
            return Err((name, IndexError::Nameless));
        }
        // No shape, and an unknown one, are a scalar's to TensorFlow.
        let shape = shape.filter(|shape| !shape.unknown_rank).unwrap_or_default();
        let dims: Vec<i64> = shape.dim.iter().map(|dim| dim.size).collect();
        let spec = || -> Result<TensorSpec, IndexError> {
            let dtype = DType::from_number(r#type).ok_or(IndexError::DType(r#type))?;
            Ok(TensorSpec::new(dtype, Shape::from_stored(&dims)?)?)
        };
        match spec() {
            Ok(spec) => Ok(Self { name, spec, slices: slice.iter().map(Slice::new).collect() }),
            Err(error) => Err((name, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(entry: &[u8]) -> Result<(Vec<Listed>, Holds), (Vec<u8>, IndexError)> {
        let mut found = Vec::new();
        let holds = list(entry, &mut |listed| {
            found.push(listed?);
            Ok(())
        });
        holds.map(|holds| (found, holds))
    }

    /// What TensorFlow writes of a float `w` of shape [2, 3], and of a scalar `s`.
    const W: &[u8] =
        b"\x0a\x15\x0a\x01w\x12\x08\x12\x02\x08\x02\x12\x02\x08\x03\x18\x01\x22\x04\x0a\0\x0a\0";
    const S: &[u8] = b"\x0a\x09\x0a\x01s\x12\0\x18\x09\x22\0";

    fn entry(parts: &[&[u8]]) -> Vec<u8> {
        let meta = parts.concat();
        [&[0x0a, u8::try_from(meta.len()).unwrap()], &meta[..]].concat()
    }

    #[test]
    fn variables_are_listed() {
        let (found, holds) = all(&entry(&[W, S, b"\x12\x02\x08\x01"])).unwrap();
        assert_eq!(holds, Holds::Values);
        let shown: Vec<String> = found.iter().map(|one| one.spec.to_string()).collect();
        assert_eq!(shown, ["float32 [2, 3]", "int64 []"]);
        assert_eq!(found[0].slices[0].key(&found[0].name), b"\0w\0\x01\x01\x02\x80\x7f\x80\x7f");
        // In two pieces, and nothing at all.
        let (found, _) = all(&[entry(&[S]), entry(&[W])].concat()).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(all(&entry(&[])).unwrap(), (vec![], Holds::Values));
    }

    #[test]
    fn other_tables_are_told() {
        assert_eq!(all(b"\x08\x01\x1a\x02\x08\x01").unwrap().1, Holds::Index);
        assert_eq!(all(b"").unwrap().1, Holds::Other);
        assert_eq!(all(b"\x1a\x02\x08\x01").unwrap().1, Holds::Other);
    }

    #[test]
    fn what_cannot_be_used_is_told() {
        let error = |entry: &[u8]| all(entry).unwrap_err();
        assert!(matches!(error(b"text").1, IndexError::Broken(_)));
        assert!(matches!(error(&entry(&[&W[..9]])).1, IndexError::Broken(_)));
        assert!(matches!(error(&entry(&[b"\x0a\x02\x0a\x05"])).1, IndexError::Message(_)));
        assert!(matches!(error(&entry(&[b"\x0a\x02\x18\x01"])).1, IndexError::Nameless));
        let newer = error(&entry(&[b"\x12\x02\x08\x02", b"\x12\x02\x10\x02"])).1;
        assert!(matches!(newer, IndexError::Version { producer: 2, needed: 2 }));
        let (name, dtype) = error(&entry(&[b"\x0a\x05\x0a\x01w\x18\x65"]));
        assert!(name == b"w" && matches!(dtype, IndexError::DType(101)));
        let dims = [b"\x12\x0b\x08", &[0xff; 9][..], b"\x01"].concat();
        let dims = [&[0x18, 1, 0x0a, 1, b'w', 0x12, 13][..], &dims].concat();
        let dims = [&[0x0a, 20], &dims[..]].concat();
        assert!(matches!(error(&entry(&[&dims])).1, IndexError::Shape(_)));
    }
}
