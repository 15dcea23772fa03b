//! THE life of a request: decide, then answer or forward, then record.
//!
//! The snapshot is bound here, once, at the request's head; nothing below asks which one is current.
//! The order of steps is the semantics page's; a request refused at one step costs nothing of the
//! later ones, and no byte of it reaches an upstream (invariant 12).

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use engine_bridge::metrics::ListenerSeries;
use engine_config::snapshot::{Action, Duration, Listener, Route};
use engine_net::buffer::Buffer;
use engine_net::clock;
use engine_net::deadline::Deadline;
use policy::address::client_address;
use policy::context::View;
use policy::route::{Found, Lookup};
use policy::verdict::Verdict;
use protocol::http1::Rules;
use protocol::message::{
    BodyLength, Canonical, Method, Name, TargetForm, Version, canonical_path, host_of,
};

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
mod finish;
mod forwarding;
mod https;
mod own;
mod upgrade;
mod wait;

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

/// What a request asks for.
enum Decision {
    /// What this route does.
    Route(u32),
    /// `OPTIONS *`: about the gateway itself, whatever the routes.
    Options,
    /// The same again, under https at this port.
    ToHttps(u16),
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
    /// Everything that is decided before a byte goes anywhere: path, route, policies, body bound.
    fn decide(&mut self) -> Result<Decision, Fault> {
        let Exchange {
            client,
            live,
            s,
            inbound,
            record,
            trusted,
            upgrade,
            ..
        } = self;
        let core = client.core;
        let snapshot = &live.snapshot;
        let Scratch {
            request,
            context,
            captures,
            path,
            target: _,
            client: client_text,
            request_id,
            ..
        } = &mut **s;
        context.clear();
        let settings = snapshot.listeners.get(client.listener);
        let request = request.view(inbound.filled());
        *trusted = snapshot.gateway.trusted_proxies.contains(client.peer());
        let trusted = *trusted;
        ids::choose(
            core,
            request,
            &snapshot.gateway.request_id_header,
            trusted,
            request_id,
        );
        let address = if trusted {
            client_address(
                client.peer(),
                request.headers(Name::XForwardedFor),
                &snapshot.gateway.trusted_proxies,
            )
        } else {
            client.peer()
        };
        client_text.clear();
        heads::address(address, client_text);
        if request.method() == Method::Connect {
            return Err(Fault::UnknownProtocol);
        }
        if request.head.form == TargetForm::Asterisk {
            return Ok(Decision::Options);
        }
        path.clear();
        let path: &[u8] = match canonical_path(request.path(), path) {
            Ok(Canonical::AsIs) => request.path(),
            Ok(Canonical::Rewritten) => path,
            Err(_) => return Err(Fault::BadPath),
        };
        if let Some(port) = settings.and_then(|listener| listener.http_to_https) {
            return Ok(Decision::ToHttps(port));
        }
        if let (Some(tls), Some(shown)) = (
            client.link.tls(),
            settings.and_then(|listener| listener.tls.as_ref()),
        ) && https::is_misdirected(tls, shown, host_of(request.authority()))
        {
            return Err(Fault::Misdirected);
        }
        let listener = u16::try_from(client.listener).unwrap_or(u16::MAX);
        let lookup = Lookup {
            listener,
            request,
            host: host_of(request.authority()),
            path,
        };
        let id = match snapshot.table.find(&lookup, captures) {
            Found::Route(id) => id,
            Found::MethodNotAllowed { allow } => {
                let mut methods = Vec::new();
                allow.write(&mut methods);
                return Err(Fault::MethodNotAllowed(methods));
            }
            Found::NotFound => return Err(Fault::NoRoute),
        };
        record.route = Some(id);
        let Some(route) = snapshot.routes.get(id as usize) else {
            return Err(Fault::NoRoute);
        };
        let shown = client.link.tls().map(|tls| &*tls.peer_certificates);
        let (certificate, chain) = match shown {
            Some([first, behind @ ..]) => (Some(&**first), behind),
            _ => (None, [].as_slice()),
        };
        let view = View {
            request,
            path,
            client: address,
            certificate,
            chain,
            route: &route.name,
            // Not the head's first byte: a head that came slowly must not spend tokens of the past.
            now: clock::now(),
            unix: clock::unix_millis() / 1000,
            random: core.random(),
        };
        let verdict = route
            .chain
            .request(&view, &mut core.policy.borrow_mut(), context);
        if let Verdict::Reply(refusal) = verdict {
            return Err(Fault::Refused(refusal));
        }
        live.refusals.note_shadows(route, context);
        *upgrade = upgrade::asked(core, request, route)?;
        let bound = body_bound(settings, route);
        match request.head.body {
            BodyLength::Exact(n) if n > bound => Err(Fault::BodyTooLarge),
            _ => Ok(Decision::Route(id)),
        }
    }

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

/// Payload bytes that a request to `route` may carry.
fn body_bound(listener: Option<&Listener>, route: &Route) -> u64 {
    route
        .max_body_bytes
        .or_else(|| listener.and_then(|l| l.max_body_bytes))
        .unwrap_or(u64::MAX)
}
