//! Door of the policies: one file each, called by `chain` in a fixed order.
//!
//! A policy reads the [`View`](crate::context::View) of a request, may write to its
//! [`Context`](crate::context::Context), and returns a [`Verdict`](crate::verdict::Verdict).
//! It never touches a header of the request itself.

pub mod api_key;
pub mod authorize;
pub mod ip_access;
pub mod jwt;
pub mod mtls;
pub mod rate_limit;
mod remembered;
pub(crate) mod slots;
