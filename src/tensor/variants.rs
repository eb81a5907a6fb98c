//! `DT_VARIANT`: opaque elements, each followed by the sum of everything so far.
//!
//! ```text
//! repeated: varint length | serialized VariantTensorDataProto | u32 masked running CRC
//! ```
//! The running sum covers each length as a 64-bit little-endian number, the bytes, and the sums
//! already stored.

use super::DataError;
use crate::crc::Crc;
use crate::varint;

/// The checksum an index holds for `data`, a tensor of `count` variants in storage form.
pub fn checksum(data: &[u8], count: u64) -> Result<Crc, DataError> {
    let damaged = |element, what| DataError::Element { element, of: count, what };
    let mut rest = data;
    let mut sum = Crc::default();
    let mut element = 0;
    while element < count {
        let (len, after) = varint::read(rest).ok_or(damaged(element, "its length does not end"))?;
        let (bytes, after) = usize::try_from(len)
            .ok()
            .and_then(|len| after.split_at_checked(len))
            .ok_or(damaged(element, "it reaches beyond the end"))?;
        let (stored, after) =
            after.split_first_chunk::<4>().ok_or(damaged(element, "its sum is missing"))?;
        sum = sum.extend(&len.to_le_bytes()).extend(bytes);
        if !Crc::from_masked(u32::from_le_bytes(*stored)).agrees(sum) {
            return Err(damaged(element, "it does not match its sum"));
        }
        sum = sum.extend(stored);
        rest = after;
        element += 1;
    }
    if rest.is_empty() { Ok(sum) } else { Err(damaged(count, "bytes are left over")) }
}
