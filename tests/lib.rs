//! Tests from the outside; everything is in the test binary `it`.
