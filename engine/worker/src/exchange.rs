//! THE life of a request: decide, then answer or forward, then record.
//!
//! The snapshot is bound here, once, at the request's head; nothing below asks which one is current.
//! The order of steps is the semantics page's; a request refused at one step costs nothing of the
//! later ones, and no byte of it reaches an upstream (invariant 12).
//!
//! `decide` is the first step. `own` answers here; `forwarding` asks endpoint after endpoint, `attempt` sends to one,
//! `answer` passes on what comes back. `finish` leaves the connection as the next request may find it.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use engine_bridge::metrics::ListenerSeries;
use engine_config::snapshot::{Action, Duration, Listener};
use engine_net::buffer::Buffer;
use engine_net::deadline::Deadline;
use protocol::http1::Rules;
use protocol::message::{BodyLength, Method, Version};

use crate::core::{Core, Live};
use crate::forward::{Incoming, Outgoing, Side};
use crate::grpc::Call;
use crate::link::Link;
use crate::listener::Seat;
use crate::record::Record;
use crate::reply::Fault;
use crate::scratch::Scratch;
use crate::{heads, ids, nanos};

mod answer;
mod attempt;
mod call;
mod decide;
mod finish;
mod forwarding;
mod https;
mod own;
mod upgrade;
mod wait;

use decide::Decision;
use upgrade::Upgrade;

/// The connection, or stream of one, that an exchange belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Client<'c> {
    pub(crate) core: &'c Rc<Core>,
    pub(crate) link: Link<'c>,
    pub(crate) deadline: &'c Deadline,
    pub(crate) listener: usize,
    /// The connection's place on it.
    pub(crate) seat: &'c Seat,
    pub(crate) series: &'c ListenerSeries,
    /// The other end of the connection, or what a PROXY header said of it; canonical.
    pub(crate) from: SocketAddr,
}

impl Client<'_> {
    /// Its address.
    pub(crate) fn peer(&self) -> IpAddr {
        self.from.ip()
    }
}

/// What becomes of the connection after an exchange.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    KeepAlive,
    Close,
    /// Close, but so that the answer is not lost to a reset: the peer may still be sending.
    Linger,
}

/// One request and its answer.
pub(crate) struct Exchange<'c> {
    client: Client<'c>,
    live: Rc<Live>,
    s: &'c mut Scratch,
    inbound: &'c mut Buffer,
    record: Record,
    /// The request's body, as far as it has not been taken from the client.
    body: Incoming,
    /// What of `inbound` belongs to this request and is used up.
    consumed: usize,
    /// What was read beyond a streamed request body: it takes the place of `inbound`.
    leftover: Option<Buffer>,
    /// The socket's peer is a trusted proxy.
    trusted: bool,
    /// `100 Continue` has been sent, or is not expected.
    continued: bool,
    keep_alive: bool,
    /// It asks for a WebSocket, and may have one.
    upgrade: Option<Upgrade>,
    /// The call of gRPC that it is.
    call: Option<Call>,
    /// A browser's answer that broke off before it was said how its call ended.
    unended: Option<Box<(Incoming, Outgoing)>>,
}

/// Runs the exchange whose head has been decoded into `s.request` from the front of `inbound`, and
/// leaves in `inbound` what follows it. `last`: the connection takes no request after this one.
pub(crate) async fn run(
    client: Client<'_>,
    s: &mut Scratch,
    inbound: &mut Buffer,
    begun: u64,
    last: bool,
) -> End {
    let live = client.core.live();
    upgrade::unfold(&mut s.request, inbound);
    let call = Call::of(s.request.view(inbound.filled()));
    let record = Record::begin(client.core, &live, begun, s.request.method);
    let body = Incoming::new(s.request.body, Rules::Request);
    let keep_alive = s.request.keep_alive && !last && !client.core.draining.get();
    let consumed = s.request.len;
    let continued = !(s.request.expect_continue && s.request.version != Version::Http10);
    let mut x = Exchange {
        client,
        live,
        s,
        inbound,
        record,
        body,
        consumed,
        leftover: None,
        trusted: false,
        continued,
        keep_alive,
        upgrade: None,
        call,
        unended: None,
    };
    let answered = match x.decide() {
        Ok(Decision::Route(route)) => x.act(route).await,
        Ok(Decision::Options) => Ok(x.answer_self(|reply, out| reply.options(out.head)).await),
        Ok(Decision::ToHttps(port)) => x.send_to_https(port).await,
        Err(fault) => Err(fault),
    };
    let end = match answered {
        Ok(end) => end,
        Err(fault) => x.refuse(&fault).await,
    };
    x.finish(end).await
}

/// Answers a head that can't be parsed, or that did not come in time; the connection ends after it.
pub(crate) async fn refuse_head(
    client: Client<'_>,
    s: &mut Scratch,
    inbound: &mut Buffer,
    begun: u64,
    fault: Fault,
) {
    s.request.clear();
    s.request.version = match client.link {
        Link::Conn(_) => Version::Http11,
        Link::Stream(_) => Version::Http2,
    };
    s.context.clear();
    let live = client.core.live();
    let record = Record::begin(client.core, &live, begun, Method::Other);
    ids::make(client.core, &mut s.request_id);
    s.path.clear();
    s.client.clear();
    heads::address(client.peer(), &mut s.client);
    let body = Incoming::new(BodyLength::None, Rules::Request);
    let mut x = Exchange {
        client,
        live,
        s,
        inbound,
        record,
        body,
        consumed: 0,
        leftover: None,
        trusted: false,
        continued: true,
        keep_alive: false,
        upgrade: None,
        call: None,
        unended: None,
    };
    let end = x.refuse(&fault).await;
    x.finish(end).await;
}

impl Exchange<'_> {
    /// Carries out the route's action.
    async fn act(&mut self, id: u32) -> Result<End, Fault> {
        let live = Rc::clone(&self.live);
        let Some(route) = live.snapshot.routes.get(id as usize) else {
            return Err(Fault::NoRoute);
        };
        match &route.action {
            Action::Forward { upstream } => self.forward(route, *upstream).await,
            Action::Respond {
                status,
                content_type,
                body,
            } => Ok(self
                .answer_self(|reply, out| {
                    reply.fixed(*status, content_type.as_bytes(), out.head, body)
                })
                .await),
            Action::Redirect { status, location } => {
                let mut at = std::mem::take(&mut self.s.target);
                at.clear();
                let path = self.path();
                location.apply(path, &self.s.captures, &mut at);
                let end = self
                    .answer_self(|reply, out| reply.redirect(*status, &at, out.head))
                    .await;
                self.s.target = at;
                Ok(end)
            }
        }
    }

    /// The canonical path, wherever it stands.
    fn path(&self) -> &[u8] {
        let raw = self.s.request.path.of(self.inbound.filled());
        if self.s.path.is_empty() {
            raw
        } else {
            &self.s.path
        }
    }

    /// The client as the one that takes bytes.
    fn client_sink<'d>(&self, deadline: &'d Deadline) -> Side<'d>
    where
        Self: 'd,
    {
        self.client_side(deadline, |listener| listener.write_timeout)
    }

    /// The client as the one that sends its body.
    fn client_source<'d>(&self, deadline: &'d Deadline) -> Side<'d>
    where
        Self: 'd,
    {
        match self.call {
            Some(call) if call.is_open_ended() => {
                self.client_side(deadline, |listener| listener.stream_idle_timeout)
            }
            _ => self.client_side(deadline, |listener| listener.body_timeout),
        }
    }

    fn client_side<'d>(
        &self,
        deadline: &'d Deadline,
        timeout: fn(&Listener) -> Duration,
    ) -> Side<'d>
    where
        Self: 'd,
    {
        let listener = self.live.snapshot.listeners.get(self.client.listener);
        Side {
            link: self.client.link,
            deadline,
            timeout: listener.map_or(u64::MAX, |listener| nanos(timeout(listener))),
            whole: u64::MAX,
            patient: None,
            answerable: true,
            moved: None,
        }
    }
}
