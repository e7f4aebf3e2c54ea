//! The stream function and the dashboard function.
