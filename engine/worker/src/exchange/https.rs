//! What depends on whether, and under which certificate, a request came over TLS: where plain ones are sent, and hosts that
//! this connection is not for.

use std::sync::Arc;

use engine_config::snapshot::{Certificate, ListenerTls};
use engine_net::tls::Info;
use protocol::message::host_of;

use super::{End, Exchange};
use crate::reply::Fault;

impl Exchange<'_> {
    /// Asks the client to come back over https, with all that it asked for.
    pub(super) async fn send_to_https(&mut self, port: u16) -> Result<End, Fault> {
        let mut at = std::mem::take(&mut self.s.target);
        at.clear();
        let request = self.s.request.view(self.inbound.filled());
        let host = host_of(request.authority());
        if host.is_empty() {
            self.s.target = at;
            return Err(Fault::NoRoute);
        }
        at.extend_from_slice(b"https://");
        at.extend_from_slice(host);
        if port != 443 {
            at.push(b':');
            at.extend_from_slice(itoa::Buffer::new().format(port).as_bytes());
        }
        at.extend_from_slice(self.path());
        if request.head.has_query {
            at.push(b'?');
            at.extend_from_slice(request.query());
        }
        let end = self
            .answer_self(|reply, out| reply.redirect(308, &at, out.head))
            .await;
        self.s.target = at;
        Ok(end)
    }
}

/// Whether a host is asked for that the certificate shown on this connection is not for (RFC 9110 section 7.4). A client
/// that named no host, or this one, has got what it asked for.
pub(super) fn is_misdirected(tls: &Info, shown: &ListenerTls, host: &[u8]) -> bool {
    let Some(named) = tls.server_name.as_deref() else {
        return false;
    };
    if host.is_empty() || host.eq_ignore_ascii_case(named.as_bytes()) {
        return false;
    }
    // As the handshake chooses: an exact name before a wildcard, else the first. Where several are for that name, as those
    // with different keys are, it was the client's choice which one was shown: any of them will do.
    let certificates = shown.certificates.iter().map(Arc::as_ref);
    let exact = |it: &Certificate| it.names.iter().any(|name| name.eq_ignore_ascii_case(named));
    let wild = |it: &Certificate| it.serves(named.as_bytes());
    let serves = |it: &Certificate| it.serves(host);
    !match (
        certificates.clone().any(exact),
        certificates.clone().any(wild),
    ) {
        (true, _) => certificates.clone().any(|it| exact(it) && serves(it)),
        (false, true) => certificates.clone().any(|it| wild(it) && serves(it)),
        (false, false) => certificates.clone().next().is_some_and(serves),
    }
}
