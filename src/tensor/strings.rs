//! `DT_STRING`: lengths, a checksum of the lengths, then all bytes.
//!
//! ```text
//! varint length of each element | u32 masked CRC of the lengths | bytes of all elements
//! ```
//! The lengths enter the sum as 32-bit little-endian numbers (64-bit above 4 GiB), not as the
//! varints that are stored; the sum in the index covers lengths, their stored sum and the bytes.

use super::{ByteOrder, DataError};
use crate::crc::Crc;
use crate::varint;

/// The storage form of `elements`.
pub fn encode<T: AsRef<[u8]>>(elements: &[T]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut lengths = Crc::default();
    for element in elements {
        let len = element.as_ref().len() as u64;
        varint::write(len, &mut out);
        lengths = sum_length(lengths, len, ByteOrder::Little);
    }
    out.extend(lengths.masked().to_le_bytes());
    for element in elements {
        out.extend(element.as_ref());
    }
    out
}

/// The elements of a tensor of `count` strings in storage form.
pub fn decode(data: &[u8], count: u64) -> Result<Vec<&[u8]>, DataError> {
    Ok(read(data, count, ByteOrder::Little)?.0)
}

/// The same where numbers were stored in this order, and the checksum that an index written so
/// holds for them: lengths enter it in that order too.
pub fn read(data: &[u8], count: u64, order: ByteOrder) -> Result<(Vec<&[u8]>, Crc), DataError> {
    let mut elements = Vec::new();
    let sum = walk(data, count, order, |element| elements.push(element))?;
    Ok((elements, sum))
}

/// The checksum an index holds for `data`.
pub fn checksum(data: &[u8], count: u64) -> Result<Crc, DataError> {
    walk(data, count, ByteOrder::Little, |_| ())
}

fn walk<'a>(
    data: &'a [u8],
    count: u64,
    order: ByteOrder,
    mut visit: impl FnMut(&'a [u8]),
) -> Result<Crc, DataError> {
    let damaged = |element, what| DataError::Element { element, of: count, what };
    // TensorFlow writes four bytes for no strings at all, and accepts none.
    if count == 0 && data.is_empty() {
        return Ok(Crc::default());
    }
    // One byte of length at least per element: a count beyond that must not be looped over.
    if count > data.len() as u64 {
        return Err(damaged(data.len() as u64, "it has no length"));
    }
    let mut rest = data;
    let mut sum = Crc::default();
    for element in 0..count {
        let (len, after) = varint::read(rest).ok_or(damaged(element, "its length does not end"))?;
        sum = sum_length(sum, len, order);
        rest = after;
    }
    let (stored, mut rest) =
        rest.split_first_chunk::<4>().ok_or(damaged(0, "the sum of the lengths is missing"))?;
    let expected = match order {
        ByteOrder::Little => u32::from_le_bytes(*stored),
        ByteOrder::Big => u32::from_be_bytes(*stored),
    };
    if !Crc::from_masked(expected).agrees(sum) {
        return Err(damaged(0, "the lengths do not match their sum"));
    }
    sum = sum.extend(stored);
    // Read again rather than kept: there may be as many as bytes.
    let mut lengths = data;
    for element in 0..count {
        let (len, after) =
            varint::read(lengths).ok_or(damaged(element, "its length does not end"))?;
        lengths = after;
        let (bytes, after) = usize::try_from(len)
            .ok()
            .and_then(|len| rest.split_at_checked(len))
            .ok_or(damaged(element, "it reaches beyond the end"))?;
        sum = sum.extend(bytes);
        visit(bytes);
        rest = after;
    }
    if rest.is_empty() { Ok(sum) } else { Err(damaged(count, "bytes are left over")) }
}

fn sum_length(sum: Crc, len: u64, order: ByteOrder) -> Crc {
    match (u32::try_from(len), order) {
        (Ok(len), ByteOrder::Little) => sum.extend(&len.to_le_bytes()),
        (Ok(len), ByteOrder::Big) => sum.extend(&len.to_be_bytes()),
        (Err(_), ByteOrder::Little) => sum.extend(&len.to_le_bytes()),
        (Err(_), ByteOrder::Big) => sum.extend(&len.to_be_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes and sums as TensorFlow 2.15 and 2.21 write them.
    #[test]
    fn known_bytes() {
        let three = encode(&[&b""[..], b"ab", b"\xff\xff\xff"]);
        assert_eq!(three, b"\x00\x02\x03\x4d\xa1\xd8\x2eab\xff\xff\xff");
        assert_eq!(checksum(&three, 3).unwrap().masked().to_le_bytes(), *b"\x2f\xff\xcb\x47");
        assert_eq!(encode(&[b"x"]), b"\x01\x1d\x15\x82\x65x");
        let empty = encode::<&[u8]>(&[]);
        assert_eq!(empty, b"\xd8\xea\x82\xa2");
        assert_eq!(checksum(&empty, 0).unwrap().masked().to_le_bytes(), *b"\xf6\xc1\x0c\x64");
    }

    #[test]
    fn elements_come_back() {
        let data = encode(&["kernel", "", "bias"]);
        assert_eq!(decode(&data, 3).unwrap(), [&b"kernel"[..], b"", b"bias"]);
    }

    #[test]
    fn damage_is_found() {
        let data = encode(&["kernel", "bias"]);
        for cut in 0..data.len() {
            assert!(decode(&data[..cut], 2).is_err(), "cut at {cut}");
        }
        assert!(decode(&data, 1).is_err());
        assert!(decode(&data, u64::MAX).is_err());
        assert!(decode(&[data.clone(), vec![0]].concat(), 2).is_err());
    }
}
