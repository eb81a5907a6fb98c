//! Numbers of bytes as people write them.

use bytesize::ByteSize;

/// `500MB`, `2GiB`, `4096`; the error says how to write it.
pub fn size(text: &str) -> Result<u64, String> {
    match text.parse::<ByteSize>() {
        Ok(size) if size.as_u64() > 0 => Ok(size.as_u64()),
        Ok(_) => Err("it must be above 0: write it as `500MB` or `2GiB`".to_owned()),
        Err(_) => Err("write it as `500MB` or `2GiB`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(size("500MB"), Ok(500_000_000));
        assert_eq!(size("1.5 GiB"), Ok(3 << 29));
        for wrong in ["", "0", "-1", "much", "1 QB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
