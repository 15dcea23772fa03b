//! Tests of `token/key`.
