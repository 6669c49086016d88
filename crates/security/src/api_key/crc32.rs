//! CRC-32/ISO-HDLC, as in gzip: over the 69 bytes of a key a table would not pay.

const POLYNOMIAL: u32 = 0xEDB8_8320;

/// The checksum of the bytes.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            let carry = POLYNOMIAL * (crc & 1);
            (crc >> 1) ^ carry
        })
    })
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn the_published_check_values_hold() {
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }
}
