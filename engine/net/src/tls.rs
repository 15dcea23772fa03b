//! TLS over a connection: what a listener and an upstream need of it, and the connection that results.
//!
//! This room alone names rustls. It leads the handshake; the records after it are opened and sealed here, in the buffers
//! they travel in (`tls/records.rs` says why). A connection under TLS is a [`crate::Conn`] as every other. Never here:
//! PEM, files, time-outs (a deadline acts on the connection), HTTP. Invariants: 0-RTT data are never taken; a peer's
//! certificate is always verified; secrets have no `Debug`.

mod acceptor;
mod certificates;
mod connector;
mod error;
mod handshake;
mod info;
mod provider;
mod records;
mod session;
mod settings;
mod sni;
mod stream;
mod tickets;

pub use acceptor::Acceptor;
pub use connector::Connector;
pub use error::{HandshakeError, Reason, SettingsError};
pub use handshake::{accept, accept_after, connect};
pub use info::{Alpn, Group, Info, Version};
#[doc(hidden)]
pub use records::record;
pub use settings::{
    AcceptorSettings, Certificate, ClientAuth, ClientTrust, ConnectorSettings, PrivateKey,
};
pub use sni::{SniPeek, sni};
pub use stream::Tls;
pub use tickets::{TicketKey, TicketKeys};

#[cfg(test)]
mod tests;
