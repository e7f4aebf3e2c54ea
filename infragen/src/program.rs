//! What a file is, as a program for Lambda: its processor, and whether an empty image can run it. Read from its first bytes (ELF).

use crate::manifest::types::Architecture;

/// The parts of an ELF file that are looked at: where the program headers are, and how many.
const HEADER_BYTES: usize = 64;
const PROGRAM_HEADER_BYTES: usize = 56;
/// Kind of a program header that names a dynamic linker.
const INTERPRETER: u32 = 3;

/// Why a file cannot be the program of an image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// It is something else.
    #[error("{what} is no program for Linux (64-bit ELF)")]
    NotElf {
        /// Which file.
        what: &'static str,
    },
    /// It is for another processor.
    #[error("{what} is for {found}, and the manifest says `package.architecture = \"{wanted}\"`")]
    OtherProcessor {
        /// Which file.
        what: &'static str,
        /// What it is for.
        found: &'static str,
        /// What the manifest says.
        wanted: &'static str,
    },
    /// It is for a processor that Lambda does not have.
    #[error("{what} is for processor {code} of the ELF format, and Lambda has arm64 (183) and x86_64 (62)")]
    UnknownProcessor {
        /// Which file.
        what: &'static str,
        /// `e_machine` of its header.
        code: u64,
    },
    /// It needs a dynamic linker, and an image has no file but its own.
    #[error("{what} is not static: it asks for a dynamic linker, and the image has none")]
    Dynamic {
        /// Which file.
        what: &'static str,
    },
}

/// Where a program comes from.
pub const PROGRAM_HINT: &str = "take one of a release, or build it with `cargo build --release --target` and \
                                aarch64-unknown-linux-musl or x86_64-unknown-linux-musl";

impl ProgramError {
    /// What to do.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NotElf { .. } => PROGRAM_HINT,
            Self::OtherProcessor { .. } | Self::UnknownProcessor { .. } => {
                "take the one of a release for that processor, or build it with `cargo build --release --target` and \
                 aarch64-unknown-linux-musl or x86_64-unknown-linux-musl"
            }
            Self::Dynamic { .. } => {
                "build it with the C library musl: `cargo build --release --target` and aarch64-unknown-linux-musl or \
                 x86_64-unknown-linux-musl"
            }
        }
    }
}

/// The processor that a program is for.
///
/// # Errors
/// [`ProgramError`] where it is none, or for a processor that Lambda does not have.
pub fn processor(what: &'static str, bytes: &[u8]) -> Result<Architecture, ProgramError> {
    // Magic number, 64 bits, little end first: all that Lambda runs.
    if bytes.len() < HEADER_BYTES || !bytes.starts_with(b"\x7fELF\x02\x01") {
        return Err(ProgramError::NotElf { what });
    }
    match number(bytes, 18, 2).unwrap_or(0) {
        0x3e => Ok(Architecture::X86),
        0xb7 => Ok(Architecture::Arm64),
        code => Err(ProgramError::UnknownProcessor { what, code }),
    }
}

/// Refuses what an image could not start.
///
/// # Errors
/// [`ProgramError`].
pub fn check_static(what: &'static str, bytes: &[u8], wanted: Architecture) -> Result<(), ProgramError> {
    let not_elf = ProgramError::NotElf { what };
    let found = processor(what, bytes)?;
    if found != wanted {
        return Err(ProgramError::OtherProcessor { what, found: found.as_str(), wanted: wanted.as_str() });
    }
    let (Some(at), Some(count)) = (number(bytes, 32, 8), number(bytes, 56, 2)) else { return Err(not_elf) };
    for index in 0..usize::try_from(count).unwrap_or(usize::MAX) {
        let place = |at: usize| at.checked_add(index.checked_mul(PROGRAM_HEADER_BYTES)?);
        match usize::try_from(at).ok().and_then(place).and_then(|at| number(bytes, at, 4)) {
            None => return Err(not_elf),
            Some(kind) if kind == u64::from(INTERPRETER) => return Err(ProgramError::Dynamic { what }),
            Some(_) => {}
        }
    }
    Ok(())
}

/// A number of so many bytes, little end first.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(length)?)?;
    Some(field.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The smallest file that is a program for this processor, by its headers.
    pub(crate) fn elf(architecture: Architecture, is_dynamic: bool) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_BYTES + PROGRAM_HEADER_BYTES];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[18] = if architecture == Architecture::Arm64 { 0xb7 } else { 0x3e };
        bytes[32] = 64;
        bytes[56] = 1;
        bytes[HEADER_BYTES] = if is_dynamic { 3 } else { 1 };
        bytes
    }

    #[test]
    fn a_static_program_for_the_processor_is_good() {
        for architecture in [Architecture::Arm64, Architecture::X86] {
            assert_eq!(check_static("it", &elf(architecture, false), architecture), Ok(()));
        }
    }

    #[test]
    fn what_the_image_could_not_start_is_refused() {
        let arm64 = Architecture::Arm64;
        assert_eq!(check_static("it", &elf(arm64, true), arm64), Err(ProgramError::Dynamic { what: "it" }));
        let other = check_static("it", &elf(Architecture::X86, false), arm64).unwrap_err();
        assert_eq!(other.to_string(), "it is for x86_64, and the manifest says `package.architecture = \"arm64\"`");
        let mut unknown = elf(arm64, false);
        unknown[18] = 8;
        assert!(
            check_static("it", &unknown, arm64)
                .unwrap_err()
                .to_string()
                .contains("is for processor 8 of the ELF format")
        );
        let whole = elf(arm64, false);
        for length in 0..whole.len() - PROGRAM_HEADER_BYTES + 4 {
            assert_eq!(
                check_static("it", &whole[..length], arm64),
                Err(ProgramError::NotElf { what: "it" }),
                "{length}"
            );
        }
        let mut far = elf(arm64, false);
        far[32..40].fill(0xff);
        assert_eq!(check_static("it", &far, arm64), Err(ProgramError::NotElf { what: "it" }));
    }
}
