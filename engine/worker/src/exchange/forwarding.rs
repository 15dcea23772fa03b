//! Forwarding: endpoint after endpoint until one has answered, or there is none left to ask.
//!
//! Asking again is allowed only while nothing of an answer has gone to the client, and only when the
//! first try can't have had an effect: the endpoint refused the connection, or a re-used connection
//! died before a byte of the answer, the method is idempotent and all of its body is still held.

use engine_config::snapshot::{ProxyHeader, Route, Upstream as Settings, UpstreamProtocol};
use engine_net::clock;
use engine_net::tls::Reason;
use protocol::message::{BodyLength, Version};

use super::attempt::Outcome;
use super::wait::Try;
use super::{End, Exchange};
use crate::heads;
use crate::link::Link;
use crate::nanos;
use crate::removed::Removed;
use crate::reply::Fault;
use crate::upstream::{Call, Tried};

impl Exchange<'_> {
    /// Sends the request on and its answer back. A fault returned here is one to answer with; once
    /// an answer has begun, failures end in `End::Close`.
    pub(super) async fn forward(&mut self, route: &Route, id: u16) -> Result<End, Fault> {
        let live = std::rc::Rc::clone(&self.live);
        let (Some(upstream), Some(settings)) = (
            live.upstreams.get(usize::from(id)),
            live.snapshot.upstreams.get(usize::from(id)),
        ) else {
            return Err(Fault::NoEndpoint);
        };
        self.record.upstream = Some(id);
        self.compose_target(route);
        let whole = self.whole_deadline(route, settings)?;
        let mut call = Call {
            from: self.client.from,
            to: match settings.proxy_protocol {
                ProxyHeader::Off => None,
                _ => self.client.link.socket().local(),
            },
            whole,
            unopened: false,
            http1: false,
        };
        let mut tried = Tried::default();
        let mut fresh = false;
        loop {
            let refused = tried.count();
            let leased = upstream
                .lease(self.client.core, settings, &mut tried, fresh, &call)
                .await;
            self.record.attempts += tried.count() - refused;
            let lease = match leased {
                Ok(lease) => lease,
                Err(fault) => {
                    self.record.endpoint = tried.last;
                    let fault = match fault {
                        Fault::UpstreamTls(Reason::NoSharedProtocol) if call.http1 => {
                            Fault::UpstreamTakesNoWebsocket
                        }
                        fault => self.whose(fault),
                    };
                    let counted = matches!(fault, Fault::ConnectFailed | Fault::ConnectTimeout);
                    if !counted && !matches!(fault, Fault::GrpcTimeout) {
                        upstream.series.errors.inc(fault.row().cause);
                    }
                    return Err(fault);
                }
            };
            self.record.attempts += 1;
            self.record.endpoint = Some(lease.index);
            let over_stream = lease.is_stream();
            self.compose_request(route, settings, usize::from(lease.index), over_stream);
            let this = Try {
                whole,
                again: fresh,
            };
            let outcome = match self.upgrade.is_some() {
                false => self.attempt(route, upstream, settings, lease, this).await,
                true => {
                    let attempt = self.attempt_upgrade(route, settings, lease, this);
                    Box::pin(attempt).await
                }
            };
            match outcome {
                Outcome::Answered => break,
                Outcome::Consents(consent) => {
                    Box::pin(self.tunnel(upstream, *consent)).await;
                    return Ok(End::Close);
                }
                Outcome::Stale if !fresh => {
                    upstream.series.retries.inc("stale_connection");
                    fresh = true;
                }
                // It has been asked for nothing. Over HTTP/1.1 it may take it, as browsers have it.
                Outcome::Failed(Fault::UpstreamTakesNoWebsocket)
                    if settings.protocol == UpstreamProtocol::Auto && !call.http1 =>
                {
                    call.http1 = true;
                    self.record.attempts -= 1;
                }
                Outcome::Stale => return Err(self.upstream_fault(upstream, Fault::UpstreamClosed)),
                Outcome::Failed(fault) => return Err(self.upstream_fault(upstream, fault)),
                Outcome::Aborted(fault) => {
                    let fault = self.upstream_fault(upstream, fault);
                    self.record.blame(&fault);
                    if let Some(timeout) = fault.client_timeout() {
                        self.client.series.timeouts.inc(timeout);
                    }
                    if fault.breaks_framing() {
                        self.keep_alive = false;
                    }
                    if let Some(end) = Box::pin(self.end_call(&fault)).await {
                        return Ok(end);
                    }
                    match self.client.link {
                        Link::Conn(conn) if self.ends_with_the_stream() => conn.reset_at_close(),
                        link => link.cut(),
                    }
                    return Ok(End::Close);
                }
            }
        }
        Ok(if self.keep_alive {
            End::KeepAlive
        } else {
            End::Linger
        })
    }

    /// The answer's end, as the client sees it, is the end of the stream: a clean one would say that it
    /// is complete.
    fn ends_with_the_stream(&self) -> bool {
        let unframed = matches!(
            self.s.response.body,
            BodyLength::Chunked | BodyLength::UntilClose | BodyLength::Frames
        );
        unframed && self.s.request.version == Version::Http10
    }

    fn upstream_fault(&self, upstream: &crate::upstream::Upstream, fault: Fault) -> Fault {
        let fault = self.whose(fault);
        let row = fault.row();
        if row.blame == crate::reply::Blame::Upstream {
            upstream.series.errors.inc(row.cause);
        }
        fault
    }

    /// The instant at which all tries together are over.
    fn whole_deadline(&mut self, route: &Route, settings: &Settings) -> Result<u64, Fault> {
        let whole = match route.timeout.or(settings.timeout) {
            Some(timeout) => clock::now().saturating_add(nanos(timeout)),
            None => u64::MAX,
        };
        self.begin_call(settings, whole)
    }

    fn removed(&self, route: &Route) -> &Removed {
        self.live
            .routes
            .get(route.id as usize)
            .map_or(const { &Removed::NONE }, |route| &route.removed)
    }

    fn compose_target(&mut self, route: &Route) {
        let mut target = std::mem::take(&mut self.s.target);
        let request = self.s.request.view(self.inbound.filled());
        heads::target(
            request,
            self.path(),
            route,
            self.removed(route),
            &self.s.captures,
            &mut target,
        );
        self.s.target = target;
    }

    fn compose_request(
        &mut self,
        route: &Route,
        settings: &Settings,
        endpoint: usize,
        over_stream: bool,
    ) {
        let mut head = std::mem::take(&mut self.s.head);
        head.clear();
        let handshake = match &self.upgrade {
            Some(upgrade) => upgrade.asking(over_stream),
            None => Vec::new(),
        };
        let snapshot = &self.live.snapshot;
        // Without a trusted proxy in front the client is the peer, and stands there as text already.
        let mut peer = std::mem::take(&mut self.s.body);
        peer.clear();
        if self.trusted {
            heads::address(self.client.peer(), &mut peer);
        } else {
            peer.extend_from_slice(&self.s.client);
        }
        let forwarded = heads::Forwarded {
            request: self.s.request.view(self.inbound.filled()),
            gateway: &snapshot.gateway,
            route,
            removed: self.removed(route),
            identity_names: &snapshot.identity_headers,
            context: &self.s.context,
            target: &self.s.target,
            trusted: self.trusted,
            peer: &peer,
            secure: self.client.link.tls().is_some(),
            call: self.asked_call(over_stream),
            endpoint: settings.endpoints.get(endpoint).map_or("", |e| &e.name),
            request_id: &self.s.request_id,
            handshake: &handshake,
        };
        heads::request(&forwarded, &mut head);
        self.s.head = head;
        self.s.body = peer;
    }
}
