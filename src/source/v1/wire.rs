//! Bytes as protobuf fields, one at a time; nothing is copied or decoded.

use std::ops::Range;

use crate::source::error::Broken;
use crate::varint;

/// How the bytes of a field are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A number in base 128.
    Varint,
    /// So many bytes: 4 or 8.
    Fixed(usize),
    /// Bytes with their length in front.
    Bytes,
}

/// A field of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// Its number.
    pub(super) number: u64,
    pub(super) kind: Kind,
    /// Where its tag begins.
    pub(super) start: usize,
    /// Bytes of the tag.
    pub(super) tag: usize,
    /// Its content; of a number the bytes that are the number.
    pub(super) body: Range<usize>,
}

/// The fields of a message that is a stretch of `bytes`; places are counted from where those
/// begin. Ends at the first damage.
pub(super) fn fields(
    bytes: &[u8],
    message: Range<usize>,
) -> impl Iterator<Item = Result<Field, Broken>> {
    let mut at = message.start;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..message.end).filter(|rest| !rest.is_empty())?;
        let field = field(rest, at).ok_or(Broken(at));
        at = field.as_ref().map_or(message.end, |field| field.body.end);
        Some(field)
    })
}

/// The content of every field with bytes that is called `number`.
pub(super) fn messages(
    bytes: &[u8],
    message: Range<usize>,
    number: u64,
) -> impl Iterator<Item = Result<Range<usize>, Broken>> {
    fields(bytes, message).filter_map(move |field| match field {
        Ok(field) if field.number == number && field.kind == Kind::Bytes => Some(Ok(field.body)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
}

/// The field at the start of `rest`, which stands at `start`.
fn field(rest: &[u8], start: usize) -> Option<Field> {
    let (key, after) = varint::read(rest)?;
    let tag = rest.len() - after.len();
    let number = u32::try_from(key).ok().map(|key| u64::from(key >> 3)).filter(|&n| n > 0)?;
    let (kind, head, len) = match key & 7 {
        0 => (Kind::Varint, 0, after.len() - varint::read(after)?.1.len()),
        1 => (Kind::Fixed(8), 0, 8),
        2 => {
            let (len, content) = varint::read(after)?;
            (Kind::Bytes, after.len() - content.len(), usize::try_from(len).ok()?)
        }
        5 => (Kind::Fixed(4), 0, 4),
        _ => return None,
    };
    after.get(head..head.checked_add(len)?)?;
    let body = start + tag + head..start + tag + head + len;
    Some(Field { number, kind, start, tag, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<(u64, Range<usize>)>, Broken> {
        let found = fields(bytes, 0..bytes.len());
        found.map(|field| field.map(|field| (field.number, field.body))).collect()
    }

    #[test]
    fn fields_of_every_kind() {
        let bytes = b"\x08\xac\x02\x12\x03abc\x1d\0\0\0\0\x21\0\0\0\0\0\0\0\0\xfa\x01\0";
        let found = all(bytes).unwrap();
        assert_eq!(found, [(1, 1..3), (2, 5..8), (3, 9..13), (4, 14..22), (31, 25..25)]);
        assert_eq!(all(b"").unwrap(), []);
    }

    #[test]
    fn what_leads_out_is_damage_and_the_end() {
        for (bytes, at) in [
            (&b"\x12\x04abc"[..], 0),
            (b"\x12\0\x12", 2),
            (b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 0),
            (b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 0),
            (b"\x1d\0\0", 0),
            (b"\x0b\x0c", 0),
            (b"\x02\0", 0),
            (b"\x82\x80\x80\x80\x10\0", 0),
        ] {
            assert_eq!(all(bytes), Err(Broken(at)), "{bytes:?}");
            assert!(fields(bytes, 0..bytes.len()).count() <= 2);
        }
        assert_eq!(fields(b"\x12\0", 0..9).count(), 0);
    }
}
