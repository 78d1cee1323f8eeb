//! The digests and checksums that S3 knows.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes
        .iter()
        .flat_map(|byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    digits.map(char::from).collect()
}

pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(super) fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

pub(super) fn md5(bytes: &[u8]) -> Vec<u8> {
    Md5::digest(bytes).to_vec()
}

/// A checksum under way; the name is the tail of `x-amz-checksum-…`.
pub(super) enum Checksum {
    Crc {
        table: Box<[u64; 256]>,
        state: u64,
        mask: u64,
        bytes: usize,
    },
    Digest(digest::Context),
}

impl Checksum {
    /// `None` for a name that S3 does not know.
    pub(super) fn new(name: &str) -> Option<Self> {
        Some(match name {
            "crc32" => Self::crc(0xEDB8_8320, 4),
            "crc32c" => Self::crc(0x82F6_3B78, 4),
            "crc64nvme" => Self::crc(0x9A6C_9329_AC4B_C9B5, 8),
            "sha1" => Self::Digest(digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY)),
            "sha256" => Self::Digest(digest::Context::new(&digest::SHA256)),
            _ => return None,
        })
    }

    /// A reflected CRC whose start and final inversion are all ones.
    fn crc(polynomial: u64, bytes: usize) -> Self {
        let mut table = Box::new([0_u64; 256]);
        for (index, entry) in (0_u64..).zip(table.iter_mut()) {
            *entry = (0..8).fold(index, |value, _| {
                (value >> 1) ^ if value & 1 == 1 { polynomial } else { 0 }
            });
        }
        let mask = u64::MAX >> (64 - 8 * bytes);
        Self::Crc {
            table,
            state: mask,
            mask,
            bytes,
        }
    }

    pub(super) fn update(&mut self, data: &[u8]) {
        match self {
            Self::Crc { table, state, .. } => {
                for byte in data {
                    let index = (*state ^ u64::from(*byte)) & 0xFF;
                    *state = table[index as usize] ^ (*state >> 8);
                }
            }
            Self::Digest(context) => context.update(data),
        }
    }

    /// Base64, as the header carries it.
    pub(super) fn finish(self) -> String {
        match self {
            Self::Crc {
                state, mask, bytes, ..
            } => base64(&((state ^ mask) & mask).to_be_bytes()[8 - bytes..]),
            Self::Digest(context) => base64(context.finish().as_ref()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> String {
        let mut sum = Checksum::new(name).expect("known");
        sum.update(b"123456789");
        sum.finish()
    }

    #[test]
    fn check_values_of_the_crc_catalogue() {
        assert_eq!(of("crc32"), base64(&0xCBF4_3926_u32.to_be_bytes()));
        assert_eq!(of("crc32c"), base64(&0xE306_9283_u32.to_be_bytes()));
        assert_eq!(
            of("crc64nvme"),
            base64(&0xAE8B_1486_0A79_9888_u64.to_be_bytes())
        );
    }
}
