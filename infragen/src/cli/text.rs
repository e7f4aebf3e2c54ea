//! Text files that other programs wrote: command lines, spreadsheets, people's editors.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Reads a file, or standard input where it is `-`: UTF-8, or what Windows PowerShell writes behind `>`, UTF-16 with a byte order
/// mark. No mark is part of the text.
///
/// # Errors
/// What is wrong with it, to stand behind its name: it cannot be read, is longer than so many bytes, or is something else.
pub(super) fn read(path: &Path, bytes_max: u64) -> Result<String, String> {
    let mut bytes = Vec::new();
    // One byte more than there may be, so that its length is seen; the rest of an endless file is not read.
    let mut take = |reader: &mut dyn Read| reader.take(bytes_max + 1).read_to_end(&mut bytes);
    let read = if path == Path::new("-") {
        take(&mut io::stdin().lock())
    } else {
        File::open(path).and_then(|mut file| take(&mut file))
    };
    let length = read.map_err(|error| format!("cannot be read: {error}"))?;
    if length as u64 > bytes_max {
        return Err(format!("has more than {bytes_max} bytes, and no more are read at once: take fewer rows"));
    }
    decoded(bytes)
}

fn decoded(bytes: Vec<u8>) -> Result<String, String> {
    let units = |of: fn([u8; 2]) -> u16| {
        let pairs = bytes[2..].chunks_exact(2);
        let is_whole = pairs.remainder().is_empty();
        let units: Vec<u16> = pairs.map(|pair| of([pair[0], pair[1]])).collect();
        let text = String::from_utf16(&units).ok().filter(|_| is_whole);
        text.ok_or_else(|| "begins as UTF-16, and is not: save it as UTF-8".to_owned())
    };
    match bytes.as_slice() {
        [0xff, 0xfe, ..] => units(u16::from_le_bytes),
        [0xfe, 0xff, ..] => units(u16::from_be_bytes),
        _ => {
            let text = String::from_utf8(bytes)
                .map_err(|error| format!("{}: save it as UTF-8", not_utf8(error.as_bytes(), &error.utf8_error())))?;
            Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
        }
    }
}

/// Says where text is no UTF-8.
pub(super) fn not_utf8(bytes: &[u8], error: &std::str::Utf8Error) -> String {
    let good = &bytes[..error.valid_up_to()];
    let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
    format!("is not UTF-8: line {line} has the byte {:#04x}", bytes[good.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_programs_write_is_read() {
        let utf16 = |text: &str, of: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(of).collect::<Vec<u8>>();
        for bytes in [
            "{\"ä\": \"🦀\"}".as_bytes().to_vec(),
            "\u{feff}{\"ä\": \"🦀\"}".as_bytes().to_vec(),
            utf16("\u{feff}{\"ä\": \"🦀\"}", u16::to_le_bytes),
            utf16("\u{feff}{\"ä\": \"🦀\"}", u16::to_be_bytes),
        ] {
            assert_eq!(decoded(bytes.clone()).as_deref(), Ok("{\"ä\": \"🦀\"}"), "{bytes:?}");
        }
        assert_eq!(decoded(Vec::new()).as_deref(), Ok(""));
        let latin = decoded(b"a,b\n1,gr\xfc\xdfe".to_vec()).unwrap_err();
        assert_eq!(latin, "is not UTF-8: line 2 has the byte 0xfc: save it as UTF-8");
        // Half a pair, and half a character.
        for bytes in [vec![0xff, 0xfe, 0x00, 0xd8], vec![0xff, 0xfe, b'a']] {
            assert!(decoded(bytes.clone()).unwrap_err().contains("UTF-16"), "{bytes:?}");
        }
    }
}
