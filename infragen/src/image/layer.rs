//! The files of an image as one archive: sorted, owned by root, without a time.

use std::collections::BTreeSet;
use std::io;

use tar::{Builder, EntryType, Header};

/// One file of the image.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// Path from the image's root, without the first `/`.
    pub path: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Whether it can be started.
    pub is_program: bool,
}

/// Returns the archive: folders before what is in them, everything in the order of the paths.
///
/// # Errors
/// Where a path is longer than the format allows.
pub fn archive(files: &[File<'_>]) -> io::Result<Vec<u8>> {
    let mut sorted: Vec<&File<'_>> = files.iter().collect();
    sorted.sort_by_key(|file| file.path);
    let mut archive = Builder::new(Vec::new());
    let mut folders = BTreeSet::new();
    for file in sorted {
        for (at, _) in file.path.match_indices('/') {
            let folder = &file.path[..=at];
            if folders.insert(folder) {
                archive.append_data(&mut header(EntryType::Directory, 0o755, 0), folder, io::empty())?;
            }
        }
        let mode = if file.is_program { 0o755 } else { 0o644 };
        let mut header = header(EntryType::Regular, mode, file.bytes.len() as u64);
        archive.append_data(&mut header, file.path, file.bytes)?;
    }
    archive.into_inner()
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn files_are_sorted_owned_by_root_and_without_a_time() {
        let files = [
            File { path: "etc/b/c.crt", bytes: b"text", is_program: false },
            File { path: "etc/a", bytes: b"", is_program: false },
            File { path: "bootstrap", bytes: b"program", is_program: true },
        ];
        let bytes = archive(&files).unwrap();
        let mut reader = tar::Archive::new(bytes.as_slice());
        let found: Vec<_> = reader
            .entries()
            .unwrap()
            .map(|entry| {
                let mut entry = entry.unwrap();
                let mut text = String::new();
                entry.read_to_string(&mut text).unwrap();
                let header = entry.header();
                assert_eq!((header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap()), (0, 0, 0));
                (entry.path().unwrap().display().to_string(), header.mode().unwrap(), text)
            })
            .collect();
        let expected = [
            ("bootstrap", 0o755, "program"),
            ("etc/", 0o755, ""),
            ("etc/a", 0o644, ""),
            ("etc/b/", 0o755, ""),
            ("etc/b/c.crt", 0o644, "text"),
        ];
        assert_eq!(found, expected.map(|(path, mode, text)| (path.to_owned(), mode, text.to_owned())));
    }
}
