//! Tests of `threshold`.
