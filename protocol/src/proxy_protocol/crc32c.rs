//! CRC32c (RFC 9260 appendix A), bit by bit: a header is short and read once for each connection.

/// The polynomial 0x1edc6f41, its bits reversed.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// A sum over bytes that come in pieces.
pub(super) struct Crc32c(u32);

impl Crc32c {
    pub(super) fn new() -> Self {
        Crc32c(u32::MAX)
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 ^= u32::from(*byte);
            for _ in 0..8 {
                let lowest = self.0 & 1;
                self.0 = (self.0 >> 1) ^ (POLYNOMIAL * lowest);
            }
        }
    }

    pub(super) fn value(&self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(pieces: &[&[u8]]) -> u32 {
        let mut sum = Crc32c::new();
        for piece in pieces {
            sum.update(piece);
        }
        sum.value()
    }

    #[test]
    fn published_sums() {
        // The check value of the algorithm, then RFC 3720 appendix B.4.
        let upwards: Vec<u8> = (0..32).collect();
        let downwards: Vec<u8> = (0..32).rev().collect();
        let table: [(&[u8], u32); 6] = [
            (b"", 0),
            (b"123456789", 0xe306_9283),
            (&[0; 32], 0x8a91_36aa),
            (&[0xff; 32], 0x62a8_ab43),
            (&upwards, 0x46dd_794e),
            (&downwards, 0x113f_db5c),
        ];
        for (bytes, expected) in table {
            assert_eq!(sum(&[bytes]), expected);
            for cut in 0..=bytes.len() {
                assert_eq!(sum(&[&bytes[..cut], &bytes[cut..]]), expected);
            }
        }
    }
}
