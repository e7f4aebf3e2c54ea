//! Compression that gives the same bytes on every machine.
//!
//! Not through `flate2`: that takes whichever backend any crate of the build asks for, and each makes other bytes, so that a new
//! dependency elsewhere would change the digest of every image. `miniz_oxide` is plain Rust and pinned by Cargo.lock.

use miniz_oxide::deflate::compress_to_vec;

/// How much time goes into small output: the best that zlib has.
const LEVEL: u8 = 9;
/// RFC 1952: magic number, deflate, no flags (no name, no comment), no time, best compression, no system named.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255];

/// Compresses bytes as one gzip member without name and time.
#[must_use]
pub fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut out = HEADER.to_vec();
    out.extend(compress_to_vec(bytes, LEVEL));
    out.extend(crc32fast::hash(bytes).to_le_bytes());
    // The format wants the length modulo 2^32: the lowest four bytes.
    out.extend(&(bytes.len() as u64).to_le_bytes()[..4]);
    out
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What was compressed, with its sum and length checked.
    pub(in crate::image) fn decompress(bytes: &[u8]) -> Vec<u8> {
        let (body, trailer) = bytes[HEADER.len()..].split_at(bytes.len() - HEADER.len() - 8);
        let plain = miniz_oxide::inflate::decompress_to_vec(body).unwrap();
        assert_eq!(trailer[..4], crc32fast::hash(&plain).to_le_bytes());
        assert_eq!(trailer[4..], u32::try_from(plain.len()).unwrap().to_le_bytes());
        plain
    }

    #[test]
    fn what_was_compressed_comes_back() {
        for bytes in [Vec::new(), b"a".to_vec(), vec![7; 100_000], (0..=255).cycle().take(70_000).collect()] {
            assert_eq!(decompress(&compress(&bytes)), bytes);
        }
    }

    #[test]
    fn the_bytes_are_known() {
        // Another compressor, or another version of this one, changes every digest: that must not happen unseen.
        let text = "same bytes on every machine, ".repeat(100);
        assert_eq!(
            super::super::hex(&compress(text.as_bytes())),
            "a60fdc00c8b0cd9b0b8d0664130db5f42381dfa956a683bfb3772367393a6390"
        );
    }
}
