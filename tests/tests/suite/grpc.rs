//! gRPC through the real binary. Client and service are the h2 crate's, scripted by the test on one runtime, so that it
//! says exactly who speaks when; nothing of gRPC itself is shared with the gateway.

use std::future::Future;
use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::{self, ResponseFuture};
use h2::server::{self, SendResponse};
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Request, Response, request};
use tests::{Gateway, PATIENCE};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

mod calls;
mod quiet;
mod refusals;
mod resets;
mod routing;
mod time;
mod web;

/// Runs a test to its end.
fn run(test: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread().enable_all().build();
    let done = runtime
        .expect("a runtime")
        .block_on(async { tokio::time::timeout(PATIENCE, test).await });
    done.expect("it does not take so long");
}

/// A service whose calls are the test's to answer.
struct Service {
    address: SocketAddr,
    calls: UnboundedReceiver<Asked>,
}

impl Service {
    async fn start() -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (tell, calls) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let tell = tell.clone();
                tokio::spawn(async move {
                    let Ok(mut connection) = server::handshake(stream).await else {
                        return;
                    };
                    while let Some(Ok((request, answer))) = connection.accept().await {
                        let (head, body) = request.into_parts();
                        // The test may be over.
                        let _ = tell.send(Asked {
                            head,
                            hears: Hears(body),
                            answer,
                        });
                    }
                });
            }
        });
        Service { address, calls }
    }

    /// The next call, as soon as its head has come.
    async fn call(&mut self) -> Asked {
        self.calls.recv().await.expect("the service runs on")
    }

    /// A gateway in front of it, for every path; more keys of the upstream, the route, and more sections.
    fn behind(&self, upstream: &str, route: &str, more: &str) -> Gateway {
        let upstream = format!(
            "endpoints = [\"{}\"]\nprotocol = \"grpc\"\n{upstream}",
            self.address
        );
        let route = format!("access_log = \"main\"\n{route}");
        let text = tests::gateway::upstream_and_route(&upstream, &route);
        Gateway::start(format!("{text}\n{more}"))
    }
}

/// A call as the service has it.
struct Asked {
    head: request::Parts,
    hears: Hears,
    answer: SendResponse<Bytes>,
}

impl Asked {
    /// The only value of a field.
    fn field(&self, name: &str) -> Option<&str> {
        value(&self.head.headers, name)
    }

    /// Begins to answer.
    fn accept(&mut self) -> SendStream<Bytes> {
        let sent = self.answer.send_response(ok(), false);
        sent.expect("it is open")
    }

    /// Waits until the call is given up.
    async fn is_reset(&mut self) -> Reason {
        std::future::poll_fn(|cx| self.answer.poll_reset(cx))
            .await
            .expect("the connection lives on")
    }
}

/// What one side hears of the other.
struct Hears(RecvStream);

impl Hears {
    /// The next bytes, so many in all.
    async fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut heard = Vec::new();
        while heard.len() < count {
            let some = self.0.data().await.expect("more comes").expect("unbroken");
            let given = self.0.flow_control().release_capacity(some.len());
            given.expect("it was received");
            heard.extend(some);
        }
        assert_eq!(heard.len(), count, "{heard:?}");
        heard
    }

    /// Everything up to the end, and the trailers.
    async fn rest(&mut self) -> (Vec<u8>, Option<HeaderMap>) {
        let mut heard = Vec::new();
        while let Some(some) = self.0.data().await {
            let some = some.expect("unbroken");
            let given = self.0.flow_control().release_capacity(some.len());
            given.expect("it was received");
            heard.extend(some);
        }
        (heard, self.0.trailers().await.expect("unbroken"))
    }

    /// Waits for a reset; nothing else may come.
    async fn is_reset(&mut self) -> Option<Reason> {
        match self.0.data().await {
            Some(Err(error)) => error.reason(),
            other => panic!("no reset but {other:?}"),
        }
    }
}

/// The end of an answer: nothing more before it, and this status.
async fn ends_with(hears: &mut Hears, status: &str) -> HeaderMap {
    let (rest, trailers) = hears.rest().await;
    assert_eq!(rest, b"", "more before the end");
    let trailers = trailers.expect("trailers");
    assert_eq!(
        value(&trailers, "grpc-status"),
        Some(status),
        "{trailers:?}"
    );
    trailers
}

/// A client's connection to the gateway.
struct Client(client::SendRequest<Bytes>);

impl Client {
    async fn connect(gateway: &Gateway) -> Client {
        let stream = TcpStream::connect(gateway.address("public")).await;
        let (send, connection) = client::handshake(stream.expect("it listens"))
            .await
            .expect("a connection");
        tokio::spawn(connection);
        Client(send.ready().await.expect("it is ready"))
    }

    /// Begins a call.
    fn call(&mut self, request: Request<()>) -> (Answer, SendStream<Bytes>) {
        let (answer, send) = self.0.send_request(request, false).expect("it is taken");
        (Answer(answer), send)
    }
}

/// An answer that is to come.
struct Answer(ResponseFuture);

impl Answer {
    async fn head(self) -> (http::response::Parts, Hears) {
        let (head, body) = self.0.await.expect("an answer").into_parts();
        (head, Hears(body))
    }

    /// An answer of the gateway, or one without messages: its fields, which are all that comes.
    async fn status(self) -> HeaderMap {
        let (head, mut hears) = self.head().await;
        assert_eq!(head.status, 200);
        assert!(hears.0.is_end_stream(), "it has no body");
        assert!(hears.0.data().await.is_none(), "it has no body");
        assert!(hears.0.trailers().await.expect("unbroken").is_none());
        head.headers
    }
}

/// A call of this method.
fn asking(path: &str) -> request::Builder {
    Request::post(format!("http://a{path}"))
        .header("te", "trailers")
        .header("content-type", "application/grpc+proto")
}

/// The same, with these fields.
fn asking_with(path: &str, fields: &[(&str, &str)]) -> Request<()> {
    let begun = asking(path);
    let whole = fields.iter().fold(begun, |it, (n, v)| it.header(*n, *v));
    whole.body(()).expect("sound")
}

fn ok() -> Response<()> {
    let head = Response::builder().header("content-type", "application/grpc+proto");
    head.body(()).expect("sound")
}

fn trailers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in fields {
        map.append(*name, http::HeaderValue::from_static(value));
    }
    map
}

/// The only value of a field.
fn value<'m>(fields: &'m HeaderMap, name: &str) -> Option<&'m str> {
    let mut values = fields.get_all(name).iter();
    let first = values.next()?;
    assert!(values.next().is_none(), "{name} twice: {fields:?}");
    first.to_str().ok()
}

fn say(send: &mut SendStream<Bytes>, bytes: &'static [u8]) {
    let said = send.send_data(Bytes::from_static(bytes), false);
    said.expect("it is open");
}

fn finish(send: &mut SendStream<Bytes>) {
    send.send_data(Bytes::new(), true).expect("it is open");
}
