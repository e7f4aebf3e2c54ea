//! The provider's answer to the question for schemas, with those of the types that the repository names.

use std::collections::BTreeSet;
use std::env;
use std::fs::Metadata;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use bytes::{Buf as _, Bytes};

use super::Failed;

/// Numbers of the answer's fields that are maps from the name of a type: resources, data sources, ephemeral resources.
const BY_TYPE: [u64; 3] = [2, 3, 8];
/// Folders of the workspace where types are named: what renders, and what tests render or write.
const NAMED_IN: [&str; 5] =
    ["templates", "infragen/src", "infragen/examples", "tests/render", "tests/fixtures/manifests"];

/// The file that keeps the answer of this provider for these types; it may not be there yet.
pub(super) fn file(provider: &Path) -> Result<PathBuf, Failed> {
    let folder = env::current_exe()?.parent().ok_or("a program lies in a folder")?.join("terraform-schemas");
    std::fs::create_dir_all(&folder)?;
    let mut files = provider.metadata().map(|metadata| vec![(provider.to_owned(), metadata)])?;
    files.extend(sources()?);
    let state: Vec<_> =
        files.iter().map(|(path, about)| (path, about.len(), about.mtime(), about.mtime_nsec())).collect();
    // To read all of the sources takes longer than the run that asks.
    let known = folder.join(format!("{:016x}.types", hash(&state)));
    let types = match std::fs::read_to_string(&known) {
        Ok(types) => types,
        Err(_) => {
            let types = format!("{:016x}", hash(&(&state[0], types()?)));
            keep(&known, types.as_bytes())?;
            types
        }
    };
    Ok(folder.join(types))
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Keeps an answer, whole or not at all: other runs look for it at the same time.
pub(super) fn keep(file: &Path, answer: &[u8]) -> Result<(), Failed> {
    let new = tempfile::NamedTempFile::new_in(file.parent().ok_or("it lies in a folder")?)?;
    std::fs::write(new.path(), answer)?;
    new.persist(file)?;
    Ok(())
}

/// An answer without the types that are not named, again as one message of gRPC: a byte that says whether it is compressed, the length in four, and
/// the message.
pub(super) fn trimmed(mut framed: Bytes) -> Result<Bytes, Failed> {
    let types = types()?;
    let mut kept = Vec::new();
    if framed.try_get_u8()? != 0 || framed.try_get_u32()? as usize != framed.remaining() {
        return Err("the answer is not one message, uncompressed".into());
    }
    while framed.has_remaining() {
        let field = framed.clone();
        let number = varint(&mut framed)? >> 3;
        let mut value = bytes(&mut framed)?;
        // An entry of a map begins with its key.
        let is_kept = !BY_TYPE.contains(&number)
            || (varint(&mut value)? >> 3 == 1 && types.contains(std::str::from_utf8(&bytes(&mut value)?)?));
        if is_kept {
            kept.extend_from_slice(&field[..field.len() - framed.len()]);
        }
    }
    let head = [&[0][..], &u32::try_from(kept.len())?.to_be_bytes()].concat();
    Ok([head, kept].concat().into())
}

/// A value with its length before it.
fn bytes(from: &mut Bytes) -> Result<Bytes, Failed> {
    let length = usize::try_from(varint(from)?)?;
    if length > from.len() {
        return Err("a field of the answer is longer than the answer".into());
    }
    Ok(from.split_to(length))
}

/// A number as protobuf writes it: seven bits a byte, the lowest first; the highest bit says that there are more.
fn varint(from: &mut Bytes) -> Result<u64, Failed> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = from.try_get_u8()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err("a number of the answer has more than 64 bits".into())
}

/// Every word that could be the name of a type.
fn types() -> Result<BTreeSet<String>, Failed> {
    let mut types = BTreeSet::new();
    for (path, _) in sources()? {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        types.extend(words.filter(|word| word.starts_with("aws_")).map(str::to_owned));
    }
    Ok(types)
}

/// The files in which types are named, sorted.
fn sources() -> Result<Vec<(PathBuf, Metadata)>, Failed> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("this crate is a folder of the workspace")?;
    let mut sources = Vec::new();
    let mut folders: Vec<PathBuf> = NAMED_IN.iter().map(|name| workspace.join(name)).collect();
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir()? {
            let path = entry?.path();
            let Ok(metadata) = path.metadata() else { continue };
            if metadata.is_dir() { folders.push(path) } else { sources.push((path, metadata)) }
        }
    }
    sources.sort_by(|(left, _), (right, _)| left.cmp(right));
    Ok(sources)
}
