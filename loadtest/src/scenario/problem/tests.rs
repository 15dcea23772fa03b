//! Tests of `problem`.
