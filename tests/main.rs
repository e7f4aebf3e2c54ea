//! Tests from the outside: one binary.
