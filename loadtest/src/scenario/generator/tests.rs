//! Tests of `generator`.
