//! A request that asks for a WebSocket: from the handshake to the end of the tunnel.
//!
//! HTTP/1.1 asks by Upgrade (RFC 6455 section 4), HTTP/2 by an extended CONNECT (RFC 8441); either side of the gateway
//! speaks either. Up to here the handshake is a request like any other; answered by anything but a consent it stays one.
//! Nothing else than a WebSocket is ever switched to: other upgrades are ignored, as RFC 9110 section 7.8 has it.

use engine_config::snapshot::{Action, Route, Upstream as Settings};
use engine_net::buffer::Buffer;
use engine_net::clock;
use engine_net::deadline::Strike;
use protocol::http1::encode;
use protocol::message::{BodyLength, Method, Request, RequestHead, Span, Version};
use protocol::websocket::{self, AnswerError, Extensions, Key};

use super::Exchange;
use super::attempt::{Broken, Outcome};
use super::wait::{Try, Wait};
use crate::core::Core;
use crate::forward::{self, Outgoing, PumpError, Side};
use crate::link::Link;
use crate::reply::Fault;
use crate::tunnel::{End, Speaks, Tunnel};
use crate::upstream::{Carrier, Lease, Upstream};

/// The one protocol that is switched to.
const WEBSOCKET: &[u8] = b"websocket";

/// A handshake that may be passed on.
pub(super) struct Upgrade {
    /// The client's; one of our own if it asked without.
    key: Key,
}

/// The upstream's consent, which the client has been told of.
pub(super) struct Consent {
    lease: Lease,
    up: Carrier,
    extensions: Extensions,
    /// What was read behind its answer.
    read: Buffer,
    /// When it was asked.
    since: u64,
}

/// What came of asking the upstream.
enum Asked {
    Consents(Extensions, Buffer),
    /// It has answered like any other request.
    Answered,
}

/// Makes an extended CONNECT for a WebSocket the request that it stands for, a GET: routes, policies and records know no
/// other. What follows it is no body. One for something else stays a CONNECT.
pub(super) fn unfold(head: &mut RequestHead, text: &mut Buffer) {
    const GET: &[u8] = b"GET";
    if head.protocol.is_empty() {
        return;
    }
    head.body = BodyLength::None;
    let asked = head.protocol.of(text.filled());
    if !asked.eq_ignore_ascii_case(WEBSOCKET) {
        return;
    }
    // The head's text is all that is there: the method is put behind it.
    debug_assert_eq!(head.len, text.len());
    if text.room() < GET.len() && !text.is_large() {
        let mut large = Buffer::large();
        large.extend(text.filled());
        *text = large;
    }
    let start = text.len();
    if text.extend(GET) {
        head.method = Method::Get;
        head.method_text = Span::new(start, text.len());
        head.len = text.len();
    }
}

/// What the request asks for, if it is a WebSocket, and whether the route lets it through.
pub(super) fn asked(
    core: &Core,
    request: Request<'_>,
    route: &Route,
) -> Result<Option<Upgrade>, Fault> {
    if !request.head.upgrade {
        return Ok(None);
    }
    let over_http2 = request.head.version == Version::Http2;
    match route.action {
        Action::Forward { .. } => {}
        Action::Redirect { .. } => return Ok(None),
        // A 200 would open the tunnel.
        Action::Respond { .. } if over_http2 => return Err(Fault::WebsocketNotAllowed),
        Action::Respond { .. } => return Ok(None),
    }
    let asked = match over_http2 {
        true => websocket::asked_by_connect(request).map(|()| Some(invented(core))),
        false => websocket::asked(request),
    };
    match asked {
        Ok(None) => Ok(None),
        _ if !route.websocket => Err(Fault::WebsocketNotAllowed),
        Ok(Some(key)) => Ok(Some(Upgrade { key })),
        Err(error) => Err(Fault::BadHandshake(error)),
    }
}

/// A key of our own. It keeps answers from being mistaken and no secret, so any random bytes do.
fn invented(core: &Core) -> Key {
    let (high, low) = (core.random(), core.random());
    let random = u128::from(high) << 64 | u128::from(low);
    Key::from_random(random.to_be_bytes())
}

impl Upgrade {
    /// The lines by which the upstream is asked.
    pub(super) fn asking(&self, over_stream: bool) -> Vec<u8> {
        let mut lines = Vec::with_capacity(128);
        encode::field(
            &mut lines,
            b"Sec-WebSocket-Version",
            websocket::VERSION.as_bytes(),
        );
        if !over_stream {
            lines.extend_from_slice(b"Connection: Upgrade\r\nUpgrade: websocket\r\n");
            encode::field(&mut lines, b"Sec-WebSocket-Key", self.key.as_bytes());
        }
        lines
    }

    /// The status and the lines by which the client is told that it may begin.
    fn consent(&self, over_stream: bool) -> (u16, Vec<u8>) {
        if over_stream {
            return (200, Vec::new());
        }
        let mut lines = b"Connection: Upgrade\r\nUpgrade: websocket\r\n".to_vec();
        let proof = self.key.accept();
        encode::field(&mut lines, b"Sec-WebSocket-Accept", proof.as_bytes());
        (101, lines)
    }
}

impl Exchange<'_> {
    /// As `attempt`, for a request that asks for a WebSocket.
    pub(super) async fn attempt_upgrade(
        &mut self,
        route: &Route,
        settings: &Settings,
        lease: Lease,
        this: Try,
    ) -> Outcome {
        let Some(up) = lease.carrier() else {
            return Outcome::Failed(Fault::NoEndpoint);
        };
        let since = clock::now();
        let wait = Wait::new(settings, this, true);
        let asked = self.ask(route, &up, &wait).await;
        self.record.backend = Some(clock::now().saturating_sub(since));
        match asked {
            Ok(Asked::Consents(extensions, read)) => Outcome::Consents(Box::new(Consent {
                lease,
                up,
                extensions,
                read,
                since,
            })),
            // The connection is not used again: who knows what the endpoint takes it for.
            Ok(Asked::Answered) => Outcome::Answered,
            Err(broken) => self.broke(&lease, &up, broken),
        }
    }

    /// Sends the composed request and passes the answer on.
    async fn ask(&mut self, route: &Route, up: &Carrier, wait: &Wait) -> Result<Asked, Broken> {
        let head = std::mem::take(&mut self.s.head);
        let sent = self.send_handshake(up, &head, wait).await;
        self.s.head = head;
        sent?;
        let client = self.client;
        let mut buf = Buffer::standard();
        self.answer_comes(up, &mut buf, wait, client.deadline)
            .await?;
        let broken = |fault| Broken {
            fault,
            heard: true,
            begun: false,
        };
        let malformed = |error: AnswerError| broken(Fault::UpstreamMalformed(error.cause()));
        let Some(upgrade) = &self.upgrade else {
            return Err(malformed(AnswerError::Status));
        };
        let status = self.s.response.status;
        let succeeded = matches!(status, 200..=299);
        let consents = match up {
            Carrier::Conn(_) => status == 101,
            Carrier::Stream(_) => succeeded,
        };
        if !consents {
            // Over HTTP/2 a success would say that the tunnel is open.
            if succeeded && client.link.is_stream() {
                return Err(malformed(AnswerError::Status));
            }
            self.pass_answer(route, up, buf, wait, client.deadline)
                .await?;
            return Ok(Asked::Answered);
        }
        let response = self.s.response.view(buf.filled());
        if matches!(up, Carrier::Conn(_)) {
            websocket::accepted(response, &upgrade.key).map_err(malformed)?;
        }
        let extensions = Extensions::agreed(response);
        let (status, lines) = upgrade.consent(client.link.is_stream());
        self.s.response.body = BodyLength::None;
        let out = (Outgoing::Plain, None);
        self.compose_response(route, &buf, out, Some((status, &lines)));
        self.record.status = status;
        buf.consume(self.s.response.len);
        let sink = self.client_sink(client.deadline);
        let told = match client.link {
            Link::Conn(_) => forward::write_bytes(sink, &self.s.head).await,
            Link::Stream(stream) => {
                let sent = stream.send_head(&self.s.head, false);
                sent.map_err(|_| PumpError::SinkClosed)
            }
        };
        self.record.bytes_out += self.s.head.len() as u64;
        told.map_err(|error| Broken {
            begun: true,
            ..broken(Fault::from_response_body(&error))
        })?;
        Ok(Asked::Consents(extensions, buf))
    }

    async fn send_handshake(&self, up: &Carrier, head: &[u8], wait: &Wait) -> Result<(), Broken> {
        match up {
            Carrier::Conn(conn) => {
                let sink = Side {
                    link: up.link(),
                    deadline: &conn.deadline,
                    timeout: wait.read.get(),
                    whole: wait.whole,
                    patient: None,
                    answerable: false,
                    moved: None,
                };
                // If it has closed, what it said before is still to be read.
                let sent = forward::write_bytes(sink, head).await;
                if matches!(sent, Err(PumpError::SinkTimeout)) {
                    return Err(Broken::unheard(wait.write_fault()));
                }
                wait.sent();
            }
            Carrier::Stream(up) => {
                wait.sent();
                up.deadline.set(wait.head(), Strike::Wake);
                let takes = up.stream.takes_tunnels(&up.deadline).await;
                let struck = up.deadline.struck();
                up.deadline.clear();
                let fault = match takes {
                    Ok(true) => {
                        let sent = up.stream.send_tunnel(head, WEBSOCKET);
                        return sent.map_err(|broken| Broken::unheard(broken.fault()));
                    }
                    Ok(false) => Fault::UpstreamTakesNoWebsocket,
                    Err(_) if struck => wait.head_fault(),
                    Err(broken) => broken.fault(),
                };
                return Err(Broken::unheard(fault));
            }
        }
        Ok(())
    }

    /// Moves bytes both ways until the tunnel is over.
    pub(super) async fn tunnel(&mut self, upstream: &Upstream, consent: Consent) {
        let client = self.client;
        // Only the record needs the head now, and a tunnel may be quiet for long: no buffer is kept for it.
        let head = self.s.request.len;
        let text = self.inbound.filled().get(..head).unwrap_or_default().into();
        let text: Box<[u8]> = text;
        let mut early = std::mem::take(self.inbound);
        early.consume(head);
        self.s.forget_answer();
        let first = [early, consent.read].map(|buf| match buf.is_empty() {
            true => Buffer::default(),
            false => buf,
        });
        let tunnel = Tunnel {
            client: client.link,
            upstream: consent.up.link(),
            speaks: Speaks::WebSocket(consent.extensions),
            idle: self.stream_idle_timeout(),
        };
        let passed = tunnel.run(client.core, client.seat, first).await;
        drop(consent.lease);
        self.record.backend = Some(clock::now().saturating_sub(consent.since));
        self.restore(&text);
        self.body.payload = passed.from_client;
        self.record.bytes_out += passed.to_client;
        self.record.cause = match passed.end {
            End::Closed => "",
            End::Drained if client.seat.is_stale() => Fault::ClientDistrusted.row().cause,
            End::Drained => "draining",
            End::Idle => {
                client.series.timeouts.inc("stream_idle_timeout");
                "stream_idle_timeout"
            }
            End::ClientLost => Fault::ClientGone.row().cause,
            End::UpstreamLost => {
                let cause = Fault::UpstreamClosed.row().cause;
                upstream.series.errors.inc(cause);
                cause
            }
        };
    }

    /// The head stands in the connection's buffer again, where the record looks for it.
    fn restore(&mut self, text: &[u8]) {
        *self.inbound = match text.len() > engine_net::buffer::STANDARD {
            true => Buffer::large(),
            false => Buffer::standard(),
        };
        self.inbound.extend(text);
        self.consumed = self.inbound.len();
    }
}
