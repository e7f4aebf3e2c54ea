//! Offsets ↔ lines and columns, found without walking the text again for each of many diagnostics.

use std::ops::Range;

/// Where the lines of a text begin.
#[derive(Clone, Debug)]
pub struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// Finds the lines.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        let after_newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(after_newlines).collect() }
    }

    /// Returns the nearest range whose ends are characters' ends too.
    #[must_use]
    pub fn snap(&self, range: &Range<usize>) -> Range<usize> {
        let (mut start, mut end) = (range.start.min(self.text.len()), range.end.min(self.text.len()));
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        start..end.max(start)
    }

    /// Returns line and column of a byte offset, both from 1, the column in characters.
    #[must_use]
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let offset = self.snap(&(offset..offset)).start;
        let line = self.line(offset);
        (line + 1, self.text[self.starts[line]..offset].chars().count() + 1)
    }

    /// Returns the whole lines that a range touches, with the number of the first, from 1.
    #[must_use]
    pub fn around(&self, range: &Range<usize>) -> (Range<usize>, usize) {
        let (first, last) = (self.line(range.start), self.line(range.end));
        let end = self.starts.get(last + 1).copied().unwrap_or(self.text.len());
        (self.starts[first]..end, first + 1)
    }

    /// Returns the index of the line that an offset is in.
    #[must_use]
    pub fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset) - 1
    }

    /// Returns the bytes of a line, its end included; empty past the last.
    #[must_use]
    pub fn range(&self, line: usize) -> Range<usize> {
        let start = self.starts.get(line).copied().unwrap_or(self.text.len());
        start..self.starts.get(line + 1).copied().unwrap_or(self.text.len())
    }

    /// Returns how many lines there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.starts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let lines = Lines::new("a = 1\nß = \"é\"\n");
        assert_eq!(lines.position(0), (1, 1));
        assert_eq!(lines.position(6), (2, 1));
        assert_eq!(lines.position(7), (2, 1), "inside a character is where it begins");
        assert_eq!(lines.position(11), (2, 5));
        assert_eq!(lines.position(9999), (3, 1));
    }

    #[test]
    fn a_range_is_widened_to_whole_characters_and_lines() {
        let lines = Lines::new("one\ntwö\nthree");
        assert_eq!(lines.snap(&(7..7)), 6..8);
        assert_eq!(lines.around(&(5..9)), (4..14, 2));
        assert_eq!(lines.around(&(14..14)), (9..14, 3));
        assert_eq!((lines.range(0), lines.range(9), lines.count()), (0..4, 14..14, 3));
    }
}
