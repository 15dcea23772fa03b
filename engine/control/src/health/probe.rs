//! One check of an endpoint: what it is asked, and what its answer means.

use std::net::SocketAddr;

use engine_config::snapshot::{Address, Probe};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderMap, TE, USER_AGENT};
use hyper::{Method, Request};
use policy::health::Statuses;
use protocol::grpc::health::{self, Serving};
use protocol::grpc::{Code, ContentType, PREFIX_BYTES, encode_timeout, push_message};
use tokio::time::{Instant, timeout_at};

use super::connect::{Connected, connect};
use super::exchange::{Answer, exchange};
use super::failure::Failure;
use super::terms::{LOCAL, Terms};

/// Who asks.
const AGENT: &str = concat!("portcullis/", env!("CARGO_PKG_VERSION"), " (health check)");

/// Asks once. Takes as long as the terms allow, at most.
pub(super) async fn probe(terms: &Terms) -> Result<(), Failure> {
    let end = Instant::now() + terms.check.timeout;
    let within = terms.check.timeout;
    let late = |word, what: &str| Failure::new(word, format!("{what} within {within:?}"));
    let connected = timeout_at(end, connect(terms)).await;
    let connected = connected.map_err(|_| late("connect_timeout", "no connection stood"))??;
    let asked = timeout_at(end, ask(terms, connected)).await;
    asked.map_err(|_| late("timeout", "no whole answer came"))?
}

async fn ask(terms: &Terms, connected: Connected) -> Result<(), Failure> {
    match &terms.asks.probe {
        Probe::Tcp => Ok(()),
        Probe::Http {
            path,
            host,
            statuses,
        } => {
            let host = authority(host.as_deref(), &terms.asks.address);
            let request = get(&connected, terms, &host, path)?;
            judge(&exchange(connected, request).await?, statuses)
        }
        Probe::Grpc { service, host } => {
            if !connected.http2 {
                let why = "it speaks HTTP/1.1, and gRPC is spoken over HTTP/2";
                return Err(Failure::new("upstream_tls_no_shared_protocol", why));
            }
            let host = authority(host.as_deref(), &terms.asks.address);
            let request = call(terms, &host, service)?;
            judge_call(&exchange(connected, request).await?)
        }
    }
}

pub(super) fn authority(said: Option<&str>, address: &Address) -> String {
    match (said, address) {
        (Some(host), _) => host.to_owned(),
        // Without the zone of a link-local address, which means nothing to others (RFC 6874 section 4).
        (None, Address::Tcp(at)) => SocketAddr::new(at.ip(), at.port()).to_string(),
        (None, Address::Unix(_)) => LOCAL.to_owned(),
    }
}

fn get(
    connected: &Connected,
    terms: &Terms,
    host: &str,
    path: &str,
) -> Result<Request<Full<Bytes>>, Failure> {
    let request = Request::builder()
        .method(Method::GET)
        .header(USER_AGENT, AGENT);
    let request = match connected.http2 {
        true => request.uri(uri(terms, host, path)),
        false => request
            .uri(path)
            .header(HOST, host)
            .header(CONNECTION, "close"),
    };
    request.body(Full::default()).map_err(unaskable)
}

fn call(terms: &Terms, host: &str, service: &str) -> Result<Request<Full<Bytes>>, Failure> {
    let (mut message, mut body) = (Vec::new(), Vec::new());
    health::encode_request(service, &mut message);
    push_message(&message, &mut body);
    let mut timeout = Vec::new();
    let nanos = terms.check.timeout.as_nanos();
    encode_timeout(u64::try_from(nanos).unwrap_or(u64::MAX), &mut timeout);
    Request::builder()
        .method(Method::POST)
        .uri(uri(terms, host, health::PATH))
        .header(USER_AGENT, AGENT)
        .header(CONTENT_TYPE, "application/grpc")
        .header(TE, "trailers")
        .header("grpc-timeout", timeout)
        .body(Full::from(body))
        .map_err(unaskable)
}

fn uri(terms: &Terms, host: &str, path: &str) -> String {
    let scheme = if terms.tls.is_some() { "https" } else { "http" };
    format!("{scheme}://{host}{path}")
}

/// The configuration has checked what requests are made of.
fn unaskable(error: hyper::http::Error) -> Failure {
    Failure::new("unaskable", format!("the request can't be made: {error}"))
}

fn judge(answer: &Answer, statuses: &Statuses) -> Result<(), Failure> {
    match statuses.accepts(answer.status) {
        true => Ok(()),
        false => Err(Failure::new("status", format!("status {}", answer.status))),
    }
}

/// The protocol: HTTP status 200, `grpc-status` 0 in the trailers (in the head, if there is nothing else), one message.
fn judge_call(answer: &Answer) -> Result<(), Failure> {
    if answer.status != 200 {
        return Err(Failure::new("status", format!("status {}", answer.status)));
    }
    let kind = answer.headers.get(CONTENT_TYPE);
    if kind.is_none_or(|kind| ContentType::parse(kind.as_bytes()).is_none()) {
        return Err(Failure::new("malformed", "its answer is not gRPC"));
    }
    let status = |fields: &HeaderMap| {
        let value = fields.get("grpc-status")?;
        Some(Code::parse(value.as_bytes()).unwrap_or(Code::Unknown))
    };
    match status(&answer.trailers).or_else(|| status(&answer.headers)) {
        None => return Err(Failure::new("malformed", "its answer has no grpc-status")),
        Some(Code::Ok) => {}
        Some(code) => {
            let why = match code {
                Code::Unimplemented => "gRPC status UNIMPLEMENTED: it does not offer health checks",
                Code::NotFound => "gRPC status NOT_FOUND: it has no such service",
                _ => {
                    return Err(Failure::new(
                        "grpc_status",
                        format!("gRPC status {}", code.as_str()),
                    ));
                }
            };
            return Err(Failure::new("grpc_status", why));
        }
    }
    let malformed = || Failure::new("malformed", "its answer is not one of a health check");
    let (prefix, message) = answer
        .body
        .split_at_checked(PREFIX_BYTES)
        .ok_or_else(malformed)?;
    // Uncompressed, which is all we have said that we take, and as long as it says: one message.
    let length = u32::try_from(message.len()).map_err(|_| malformed())?;
    if prefix.first() != Some(&0) || prefix.get(1..) != Some(&length.to_be_bytes()[..]) {
        return Err(malformed());
    }
    match health::decode_response(message).map_err(|_| malformed())? {
        Serving::Serving => Ok(()),
        Serving::NotServing => Err(Failure::new("not_serving", "NOT_SERVING")),
        Serving::ServiceUnknown => Err(Failure::new("not_serving", "SERVICE_UNKNOWN")),
        Serving::Unknown => Err(Failure::new("not_serving", "UNKNOWN")),
    }
}
