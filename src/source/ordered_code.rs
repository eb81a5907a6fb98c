//! Numbers and strings as bytes whose order is that of what they stand for: the keys of slices.
//!
//! ```text
//! number   count of bytes that follow, then the number, most significant byte first
//! string   00 as 00 ff, ff as ff 00, others as they are; 00 01 ends it
//! signed   as few bytes as hold it; the length in unary stands in front, mixed into the sign
//! ```
//! The encoding is TensorFlow's `OrderedCode` (`core/lib/strings/ordered_code`).

/// Appends an unsigned number.
pub(super) fn number(value: u64, out: &mut Vec<u8>) {
    let bytes = value.to_be_bytes();
    let zeros = (value.leading_zeros() / 8) as usize;
    let used = bytes.get(zeros..).unwrap_or_default();
    out.push(u8::try_from(used.len()).unwrap_or_default());
    out.extend(used);
}

/// Appends a string.
pub(super) fn string(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        match byte {
            0 => out.extend([0, 0xff]),
            0xff => out.extend([0xff, 0]),
            byte => out.push(byte),
        }
    }
    out.extend([0, 1]);
}

/// Takes a string off the front; the rest of the bytes stand behind it. `None` where it does not
/// end.
pub(super) fn read_string(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut text = Vec::new();
    let mut rest = bytes;
    loop {
        rest = match rest {
            [0, 1, after @ ..] => return Some((text, after)),
            [0, 0xff, after @ ..] => {
                text.push(0);
                after
            }
            [0xff, 0, after @ ..] => {
                text.push(0xff);
                after
            }
            [0 | 0xff, ..] | [] => return None,
            [byte, after @ ..] => {
                text.push(*byte);
                after
            }
        };
    }
}

/// Appends a signed number.
pub(super) fn signed(value: i64, out: &mut Vec<u8>) {
    // `n` bytes hold 7 n bits, sign included: as many leading ones say that there are `n`.
    let magnitude = if value < 0 { !value } else { value };
    let bits = 65 - magnitude.leading_zeros();
    let len = bits.div_ceil(7).max(1);
    let mut bytes = [0; 16];
    let sign = if value < 0 { 0xff } else { 0 };
    bytes.fill(sign);
    let (_, low) = bytes.split_at_mut(8);
    low.copy_from_slice(&value.to_be_bytes());
    let header = !(u128::MAX >> len) >> (128 - 8 * len);
    let mixed = u128::from_be_bytes(bytes) ^ header;
    let mixed = mixed.to_be_bytes();
    out.extend(mixed.get(16 - len as usize..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<T>(value: T, append: impl Fn(T, &mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        append(value, &mut out);
        out
    }

    /// Bytes that TensorFlow writes.
    #[test]
    fn known_bytes() {
        assert_eq!(of(0, number), [0]);
        assert_eq!(of(2, number), [1, 2]);
        assert_eq!(of(0x1_0000, number), [3, 1, 0, 0]);
        for (value, bytes) in [
            (0, &b"\x80"[..]),
            (1, b"\x81"),
            (-1, b"\x7f"),
            (63, b"\xbf"),
            (64, b"\xc0\x40"),
            (8191, b"\xdf\xff"),
            (8192, b"\xe0\x20\0"),
            (1 << 20, b"\xf0\x10\0\0"),
            (1 << 27, b"\xf8\x08\0\0\0"),
            (1 << 62, b"\xff\xc0\x40\0\0\0\0\0\0\0"),
        ] {
            assert_eq!(of(value, signed), bytes, "{value}");
        }
        assert_eq!(of(&b"a\0b\xff"[..], string), b"a\0\xffb\xff\0\0\x01");
    }

    #[test]
    fn order_is_kept() {
        let powers =
            (0..63).flat_map(|bit| [(1_i64 << bit) - 1, 1 << bit, -(1 << bit), 1 - (1 << bit)]);
        let mut values: Vec<i64> = powers.chain([i64::MIN, i64::MAX]).collect();
        values.sort_unstable();
        values.dedup();
        let encoded: Vec<_> = values.iter().map(|&value| of(value, signed)).collect();
        assert!(encoded.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn strings_come_back() {
        let text = b"\0\xff a\0\x01b\xff\0";
        let mut bytes = of(&text[..], string);
        bytes.extend(b"rest");
        assert_eq!(read_string(&bytes), Some((text.to_vec(), &b"rest"[..])));
        for broken in [&b""[..], b"a", b"a\0", b"a\0\x02", b"a\xff", b"a\xff\x01"] {
            assert_eq!(read_string(broken), None);
        }
    }
}
