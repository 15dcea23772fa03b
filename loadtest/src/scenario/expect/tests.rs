//! Tests of `expect`.
