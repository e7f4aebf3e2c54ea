//! A function as the zip archive that Lambda takes: one program, named as the runtime `provided.al2023` wants it.
//!
//! Same program, same bytes: the time, the owner and the permissions are fixed, because an archive that differs without a change in
//! the program is a deployment without a reason. The format is the crate `rawzip`'s; the compression is that of the images, see
//! [`crate::image::gzip`].

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use rawzip::time::UtcDateTime;
use rawzip::{CompressionMethod, DataDescriptorOutput, ZipArchive, ZipArchiveWriter};
use sha2::{Digest as _, Sha256};

/// What the runtime `provided.al2023` starts.
pub const ENTRY: &str = "bootstrap";
/// How much time goes into small output: the best that zlib has.
const LEVEL: u8 = 9;
/// A file that everybody may read and start.
const MODE: u32 = 0o100_755;
/// The first moment that the format can hold: seconds between 1970 and 1980.
const OLDEST_SECS: i64 = 315_532_800;
/// Most that Lambda unpacks, 250 MiB (AWS Lambda quotas, deployment package size).
const UNPACKED_BYTES_MAX: usize = 250 << 20;

/// Why a file is no archive that Lambda could run.
#[derive(Debug, thiserror::Error)]
pub enum ZipError {
    /// It cannot be read or written.
    #[error("it is no zip archive that can be read")]
    Format(#[from] rawzip::Error),
    /// What was compressed cannot be written.
    #[error("the archive cannot be written")]
    Write(#[from] std::io::Error),
    /// The runtime would find nothing to start.
    #[error("it holds no file `{ENTRY}`, which is what the runtime starts")]
    NoEntry,
    /// The runtime could not start it.
    #[error("its file `{ENTRY}` has permissions {0:o}, and must be one that can be started")]
    NotExecutable(u32),
    /// Something else than what it says is in it.
    #[error("its file `{ENTRY}` is damaged, or of more than {UNPACKED_BYTES_MAX} bytes")]
    Damaged,
}

/// Packs one program.
///
/// # Errors
/// [`ZipError`], which memory gives no reason for.
pub fn pack(program: &[u8]) -> Result<Vec<u8>, ZipError> {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    let entry = archive.new_file(ENTRY).compression_method(CompressionMethod::DEFLATE);
    let entry = entry.last_modified(UtcDateTime::from_unix(OLDEST_SECS)).unix_permissions(MODE);
    let (mut entry, _) = entry.start()?;
    entry.write_all(&compress_to_vec(program, LEVEL))?;
    entry.finish(DataDescriptorOutput::new(crc32fast::hash(program), program.len() as u64))?;
    Ok(archive.finish()?)
}

/// Returns the program that an archive holds.
///
/// # Errors
/// [`ZipError`] where the runtime would not start it.
pub fn unpack(bytes: &[u8]) -> Result<Vec<u8>, ZipError> {
    let archive = ZipArchive::from_slice(bytes)?;
    let mut entries = archive.entries();
    while let Some(entry) = entries.next_entry()? {
        if entry.file_path().as_ref() != ENTRY.as_bytes() {
            continue;
        }
        let permissions = entry.mode().permissions();
        if permissions & 0o111 == 0 {
            return Err(ZipError::NotExecutable(permissions));
        }
        let packed = archive.get_entry(entry.wayfinder())?;
        let program = match entry.compression_method() {
            CompressionMethod::STORE => packed.data().to_vec(),
            CompressionMethod::DEFLATE => {
                decompress_to_vec_with_limit(packed.data(), UNPACKED_BYTES_MAX).map_err(|_| ZipError::Damaged)?
            }
            _ => return Err(ZipError::Damaged),
        };
        let is_whole = crc32fast::hash(&program) == entry.crc32();
        return is_whole.then_some(program).ok_or(ZipError::Damaged);
    }
    Err(ZipError::NoEntry)
}

/// SHA-256 of bytes in base64: what Terraform and Lambda compare archives by.
#[must_use]
pub fn hash(bytes: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_comes_back_and_damage_is_seen() {
        for program in [Vec::new(), b"a program".to_vec(), (0..=255).cycle().take(200_000).collect()] {
            let archive = pack(&program).unwrap();
            assert_eq!(pack(&program).unwrap(), archive);
            assert_eq!(unpack(&archive).unwrap(), program);
            for length in 0..archive.len().min(200) {
                assert!(unpack(&archive[..length]).is_err(), "{length}");
            }
            // Each byte in turn: another program never comes out.
            for place in 0..archive.len().min(400) {
                let mut other = archive.clone();
                other[place] ^= 0x55;
                assert!(unpack(&other).map_or(true, |found| found == program), "{place}");
            }
        }
    }

    #[test]
    fn the_bytes_are_known() {
        // Another compressor, or another version of a crate, deploys every function anew: that must not happen unseen.
        let program = "same bytes on every machine, ".repeat(100);
        assert_eq!(hash(&pack(program.as_bytes()).unwrap()), "ZWpu3/yIqqB1OxlpXaS/x7/OxWur5BdNo48yJlJ3flA=");
    }

    #[test]
    fn what_lambda_would_not_start_is_refused() {
        let archive = |name: &str, mode: u32, method| {
            let mut archive = ZipArchiveWriter::new(Vec::new());
            let (mut entry, config) =
                archive.new_file(name).unix_permissions(mode).compression_method(method).start().unwrap();
            let mut writer = config.wrap(&mut entry);
            writer.write_all(b"program").unwrap();
            let (_, descriptor) = writer.finish().unwrap();
            entry.finish(descriptor).unwrap();
            archive.finish().unwrap()
        };
        let stored = CompressionMethod::STORE;
        assert_eq!(unpack(&archive("bootstrap", 0o755, stored)).unwrap(), b"program");
        let check = |bytes: &[u8], expected: &str| assert_eq!(unpack(bytes).unwrap_err().to_string(), expected);
        check(
            &archive("bin/bootstrap", 0o755, stored),
            "it holds no file `bootstrap`, which is what the runtime starts",
        );
        check(
            &archive("bootstrap", 0o644, stored),
            "its file `bootstrap` has permissions 644, and must be one that can be started",
        );
        check(
            &archive("bootstrap", 0o755, CompressionMethod::BZIP2),
            "its file `bootstrap` is damaged, or of more than 262144000 bytes",
        );
        check(b"PK", "it is no zip archive that can be read");
    }
}
