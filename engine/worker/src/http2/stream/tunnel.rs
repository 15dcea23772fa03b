//! A stream that becomes a tunnel (RFC 8441), and reads of one that hold no buffer while nothing comes.

use std::future::poll_fn;

use engine_net::deadline::Deadline;

use super::{Broken, Stream};

impl Stream {
    /// Whether the peer takes an extended CONNECT; waits for its first SETTINGS to say so, until the deadline has struck
    /// (an error then).
    pub(crate) async fn takes_tunnels(&self, deadline: &Deadline) -> Result<bool, Broken> {
        poll_fn(|cx| {
            self.poll(cx, Some(deadline), |inner| {
                if let Some(broken) = inner.slot(self.at)?.broken {
                    return Some(Err(broken));
                }
                if inner.h2.is_peer_known() {
                    return Some(Ok(inner.h2.peer_takes_connect_protocol()));
                }
                inner.wait(self.at);
                None
            })
        })
        .await
    }

    /// Opens the stream by an extended CONNECT for this protocol, composed as the HTTP/1.1 request for an upgrade.
    pub(crate) fn send_tunnel(&self, text: &[u8], protocol: &[u8]) -> Result<(), Broken> {
        self.say(false, |inner, _| {
            let (token, scheme) = (self.at as u64 + 1, self.mux.scheme());
            let opened = inner
                .h2
                .send_tunnel(text, scheme, protocol, token, &mut inner.out);
            // Nothing has been said: another connection may take it.
            let id = opened.map_err(|_| Broken::Refused)?;
            inner.bind(self.at, id);
            Ok(())
        })
    }

    /// Waits until bytes or the end can be read, or the deadline has struck (an error then).
    pub(crate) async fn readable(&self, deadline: &Deadline) -> Result<(), Broken> {
        poll_fn(|cx| {
            self.poll(cx, Some(deadline), |inner| {
                let slot = inner.slot(self.at)?;
                if slot.ended || !slot.inbound.is_empty() {
                    return Some(Ok(()));
                }
                if let Some(broken) = slot.broken {
                    return Some(Err(broken));
                }
                None
            })
        })
        .await
    }
}
