//! Numbers, tags and sets of tags as few bytes, and back from bytes that may be anybody's.

use contract::{Tag, limits};

/// Bytes end too soon, or say what no instance writes, in this part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) &'static str);

/// Writes a number as LEB128.
pub(crate) fn put_number(bytes: &mut Vec<u8>, number: usize) {
    let mut left = number;
    while left >= 0x80 {
        bytes.push(low_seven(left) | 0x80);
        left >>= 7;
    }
    bytes.push(low_seven(left));
}

/// Writes what bytes of an hour begin with: format, number of labels, tags, and sets of tags by their numbers.
pub(crate) fn begin(format: u8, labels: usize, tags: &[&Tag], sets: &[Vec<usize>]) -> Vec<u8> {
    let mut bytes = vec![format, u8::try_from(labels).unwrap_or(u8::MAX)];
    put_number(&mut bytes, tags.len());
    for tag in tags {
        put_number(&mut bytes, tag.as_str().len());
        bytes.extend_from_slice(tag.as_str().as_bytes());
    }
    put_number(&mut bytes, sets.len());
    for set in sets {
        put_number(&mut bytes, set.len());
        set.iter().for_each(|tag| put_number(&mut bytes, *tag));
    }
    bytes
}

#[expect(clippy::cast_possible_truncation, reason = "seven bits")]
const fn low_seven(number: usize) -> u8 {
    (number & 0x7f) as u8
}

/// Bytes that are being read.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    /// What is being read, for errors.
    pub(crate) part: &'static str,
}

impl<'a> Reader<'a> {
    /// Of these bytes, of which this part comes first.
    pub(crate) const fn new(bytes: &'a [u8], part: &'static str) -> Self {
        Self { bytes, part }
    }

    /// Bytes that are not read yet.
    pub(crate) const fn left(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) const fn broken(&self) -> Broken {
        Broken(self.part)
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Broken> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or(self.broken())?;
        self.bytes = rest;
        Ok(taken)
    }

    pub(crate) fn number(&mut self) -> Result<usize, Broken> {
        let mut number = 0_usize;
        for shift in [0, 7, 14, 21, 28] {
            let (byte, rest) = self.bytes.split_first().ok_or(self.broken())?;
            self.bytes = rest;
            number |= usize::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.broken())
    }

    /// A number of things that take at least so many bytes each of those that are left.
    pub(crate) fn count(&mut self, bytes_each: usize) -> Result<usize, Broken> {
        let count = self.number()?;
        if count.saturating_mul(bytes_each) <= self.bytes.len() { Ok(count) } else { Err(self.broken()) }
    }

    pub(crate) fn index(&mut self, count: usize) -> Result<usize, Broken> {
        let index = self.number()?;
        if index < count { Ok(index) } else { Err(self.broken()) }
    }

    /// Tags, and sets of them, as [`begin`] writes them.
    pub(crate) fn sets(&mut self) -> Result<Vec<Box<[Tag]>>, Broken> {
        self.part = "tags";
        let tags = (0..self.count(1)?).map(|_| self.tag()).collect::<Result<Vec<_>, _>>()?;
        (0..self.count(1)?).map(|_| self.set(&tags)).collect()
    }

    fn tag(&mut self) -> Result<Tag, Broken> {
        let length = self.count(1)?;
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| self.broken())?;
        Tag::new(text).map_err(|_| self.broken())
    }

    fn set(&mut self, tags: &[Tag]) -> Result<Box<[Tag]>, Broken> {
        let count = self.count(1)?;
        if count > limits::ITEM_TAGS_MAX {
            return Err(self.broken());
        }
        (0..count).map(|_| Ok(tags[self.index(tags.len())?].clone())).collect()
    }

    pub(crate) fn score(&mut self) -> Result<f32, Broken> {
        let score = f32::from_bits(u32::from_le_bytes(self.array()?));
        if score.is_nan() || (-1.0..=1.0).contains(&score) { Ok(score) } else { Err(self.broken()) }
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| self.broken())
    }
}
