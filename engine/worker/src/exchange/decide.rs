//! What is decided of a request before a byte goes anywhere: its path, its route, what policies say, its body's bound.
//!
//! Nothing here waits; what is carried out of it is in the door file.

use engine_config::snapshot::{Listener, Route};
use engine_net::clock;
use policy::address::client_address;
use policy::context::View;
use policy::route::{Found, Lookup};
use policy::verdict::Verdict;
use protocol::message::{BodyLength, Canonical, Method, Name, TargetForm, canonical_path, host_of};

use super::{Exchange, https, upgrade};
use crate::reply::Fault;
use crate::scratch::Scratch;
use crate::{heads, ids};

/// What a request asks for.
pub(super) enum Decision {
    /// What this route does.
    Route(u32),
    /// `OPTIONS *`: about the gateway itself, whatever the routes.
    Options,
    /// The same again, under https at this port.
    ToHttps(u16),
}

impl Exchange<'_> {
    /// Everything that is decided before a byte goes anywhere: path, route, policies, body bound.
    pub(super) fn decide(&mut self) -> Result<Decision, Fault> {
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
}

/// Payload bytes that a request to `route` may carry.
pub(super) fn body_bound(listener: Option<&Listener>, route: &Route) -> u64 {
    route
        .max_body_bytes
        .or_else(|| listener.and_then(|l| l.max_body_bytes))
        .unwrap_or(u64::MAX)
}
