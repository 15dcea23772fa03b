//! Connection loops towards clients, one file per protocol. What is decided about a request is in
//! `exchange`; here live only the loops that feed it and the way a connection rests and ends.

pub(crate) mod http1;
