//! What every part of the syntax asks of a line.

use std::ops::Range;

use crate::diagnostic::{Layer, Span};

/// A place in the file: at this stage there is no other text.
pub(super) const fn here(range: Range<usize>) -> Span {
    Span { layer: Layer::Base, range }
}

/// Returns whether a line is the header of a table.
pub(super) fn is_header(line: &str) -> bool {
    let inner = line.trim_start().strip_prefix('[').map(|rest| rest.trim_start_matches('[').trim_start());
    let opens =
        inner.is_some_and(|inner| inner.starts_with(|c: char| c.is_ascii_alphanumeric() || "\"'_-".contains(c)));
    // An element of a list of lists looks the same but for its end.
    opens && !line.trim_end().ends_with(',') && !line.trim_end().ends_with("]]]")
}
