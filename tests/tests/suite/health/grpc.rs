//! The gRPC health checking protocol: an endpoint is healthy when it says SERVING, and for nothing else.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread;

use bytes::{Bytes, BytesMut};
use h2::server::{self, SendResponse};
use http::{HeaderMap, Response};
use tests::gateway::upstream_and_route;
use tests::{Gateway, Setup};
use tokio::net::TcpListener;
use tokio::runtime::Builder;

use super::{OFTEN, results, wait_healthy, wait_results};

/// What a service answers to checks.
#[derive(Clone, Copy)]
enum Says {
    /// A message with this status, and `grpc-status: 0`.
    Status(u8),
    /// Nothing but a head with this `grpc-status`.
    Only(&'static str),
    /// A message of SERVING, and this `grpc-status`.
    But(&'static str),
    /// A message of SERVING in an answer of this type.
    Typed(&'static str),
}

const SERVING: Says = Says::Status(1);
const NOT_SERVING: Says = Says::Status(2);

/// What came in a check: `:path`, the fields and the body.
type Check = (String, HeaderMap, Vec<u8>);

/// A service that answers all calls as it is told.
struct Service {
    address: SocketAddr,
    says: Arc<Mutex<Says>>,
    checks: Arc<Mutex<Vec<Check>>>,
}

impl Service {
    fn start(says: Says) -> Service {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("it can be");
        let service = Service {
            address: listener.local_addr().expect("it is bound"),
            says: Arc::new(Mutex::new(says)),
            checks: Arc::default(),
        };
        let (says, checks) = (Arc::clone(&service.says), Arc::clone(&service.checks));
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener");
                while let Ok((stream, _)) = listener.accept().await {
                    let (says, checks) = (Arc::clone(&says), Arc::clone(&checks));
                    tokio::spawn(async move {
                        let Ok(mut connection) = server::handshake(stream).await else {
                            return;
                        };
                        while let Some(Ok((request, answer))) = connection.accept().await {
                            let (says, checks) = (Arc::clone(&says), Arc::clone(&checks));
                            tokio::spawn(async move {
                                let (head, mut body) = request.into_parts();
                                let mut bytes = BytesMut::new();
                                while let Some(Ok(data)) = body.data().await {
                                    bytes.extend_from_slice(&data);
                                }
                                let check = (head.uri.to_string(), head.headers, bytes.to_vec());
                                checks.lock().expect("unpoisoned").push(check);
                                let says = *says.lock().expect("unpoisoned");
                                answer_as(says, answer);
                            });
                        }
                    });
                }
            });
        });
        service
    }

    fn say(&self, says: Says) {
        *self.says.lock().expect("unpoisoned") = says;
    }

    fn endpoint(&self) -> String {
        self.address.to_string()
    }

    /// A gateway in front of it, with these keys in the upstream's section.
    fn behind(&self, keys: &str) -> Gateway {
        let upstream = format!(
            "endpoints = [\"{}\"]\nprotocol = \"grpc\"\n{OFTEN}{keys}",
            self.address
        );
        Setup::new(upstream_and_route(&upstream, "")).start()
    }
}

/// The gateway may give the call up meanwhile.
fn answer_as(says: Says, mut answer: SendResponse<Bytes>) {
    let head = |kind: &str| Response::builder().header("content-type", kind.to_owned());
    let (kind, status, ended) = match says {
        Says::Only(code) => {
            let head = head("application/grpc").header("grpc-status", code);
            let _ = answer.send_response(head.body(()).expect("a head"), true);
            return;
        }
        Says::Status(status) => ("application/grpc", status, "0"),
        Says::But(code) => ("application/grpc", 1, code),
        Says::Typed(kind) => (kind, 1, "0"),
    };
    let Ok(mut body) = answer.send_response(head(kind).body(()).expect("a head"), false) else {
        return;
    };
    let _ = body.send_data(Bytes::from(vec![0, 0, 0, 0, 2, 8, status]), false);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", ended.parse().expect("a value"));
    let _ = body.send_trailers(trailers);
}

#[test]
fn serving_or_not() {
    let service = Service::start(SERVING);
    let gateway = service.behind("health_check = \"grpc\"");
    wait_results(&gateway, &service.endpoint(), "ok", 3.0);
    wait_healthy(&gateway, &service.endpoint(), true);
    service.say(NOT_SERVING);
    wait_healthy(&gateway, &service.endpoint(), false);
    gateway.wait_said("is unhealthy: NOT_SERVING; none of 1 is left", 0);
    assert!(results(&gateway, &service.endpoint(), "not_serving") >= 3.0);
    service.say(SERVING);
    wait_healthy(&gateway, &service.endpoint(), true);
}

#[test]
fn what_is_asked() {
    let service = Service::start(SERVING);
    let gateway =
        service.behind("health_service = \"shop.Carts\"\nhealth_host = \"carts.example\"");
    wait_results(&gateway, &service.endpoint(), "ok", 1.0);
    let (uri, fields, body) = service.checks.lock().expect("unpoisoned").remove(0);
    assert_eq!(uri, "http://carts.example/grpc.health.v1.Health/Check");
    let field = |name: &str| fields.get(name).and_then(|it| it.to_str().ok());
    assert_eq!(field("content-type"), Some("application/grpc"));
    assert_eq!(field("te"), Some("trailers"));
    assert!(field("grpc-timeout").is_some());
    // A message of twelve bytes: field 1, ten bytes long.
    assert_eq!(body, b"\0\0\0\0\x0c\x0a\x0ashop.Carts");
}

/// Everything but SERVING is not healthy: what it is, and the word and clause for it.
#[test]
fn nothing_else_is_healthy() {
    let cases = [
        (Says::Status(0), "not_serving", "UNKNOWN"),
        (Says::Status(3), "not_serving", "SERVICE_UNKNOWN"),
        (
            Says::Only("12"),
            "grpc_status",
            "gRPC status UNIMPLEMENTED: ",
        ),
        (Says::Only("5"), "grpc_status", "gRPC status NOT_FOUND: "),
        (
            Says::Only("0"),
            "malformed",
            "its answer is not one of a health check",
        ),
        (Says::But("14"), "grpc_status", "gRPC status UNAVAILABLE"),
        (Says::But(""), "grpc_status", "gRPC status UNKNOWN"),
        (
            Says::Typed("text/html"),
            "malformed",
            "its answer is not gRPC",
        ),
    ];
    for (says, word, clause) in cases {
        let service = Service::start(says);
        let gateway = service.behind("health_check = \"grpc\"");
        wait_healthy(&gateway, &service.endpoint(), false);
        gateway.wait_said(&format!("is unhealthy: {clause}"), 0);
        assert!(
            results(&gateway, &service.endpoint(), word) >= 1.0,
            "{word}"
        );
    }
}
