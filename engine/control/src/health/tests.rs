//! Checks against real sockets on one runtime: one check by itself (`plain`, `tls`), and the tasks of a whole configuration
//! (`tasks`). The whole gateway is `tests/tests/suite/health.rs`'s.

use std::fs;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::http::{HeaderMap, Response};
use protocol::grpc::health::{Serving, encode_response};
use protocol::grpc::push_message;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::probe::probe;
use super::terms::{Configs, Terms};
use crate::testing::{BASE, load};

mod plain;
mod tasks;
mod tls;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a test to its end.
fn run(test: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let done = runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await });
    done.expect("it does not take so long");
}

/// What the only endpoint of an upstream with these keys is asked.
fn terms(endpoint: &str, keys: &str) -> Terms {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    let text = format!("{BASE}[upstream.a]\nendpoints = [\"{endpoint}\"]\n{keys}\n");
    fs::write(&path, text).unwrap();
    let snapshot = load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    let upstream = &snapshot.upstreams[0];
    let tls = Configs::default().of(upstream).unwrap();
    let check = upstream.health.as_ref().expect("it is checked");
    Terms::new(upstream, &upstream.endpoints[0], check, tls, Arc::new([]))
}

/// One check: `ok`, or the metric's word and the clause for people.
async fn checked(endpoint: impl ToString, keys: &str) -> String {
    match probe(&terms(&endpoint.to_string(), keys)).await {
        Ok(()) => "ok".to_owned(),
        Err(failure) => format!("{}: {failure}", failure.word),
    }
}

#[track_caller]
fn begins(result: &str, expected: &str) {
    assert!(result.starts_with(expected), "{result}, not {expected}");
}

/// A server on a free port; each connection is played by `script`, and what that gives is told.
async fn serve<F, T>(script: impl Fn(TcpStream) -> F + 'static + Send) -> (SocketAddr, Told<T>)
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (played, tell) = (script(stream), tell.clone());
            // The test may be over.
            tokio::spawn(async move { drop(tell.send(played.await)) });
        }
    });
    (address, Told(told))
}

struct Told<T>(UnboundedReceiver<T>);

impl<T> Told<T> {
    async fn next(&mut self) -> T {
        self.0.recv().await.expect("the server runs on")
    }
}

/// Reads to the end of a head; what came.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut came = Vec::new();
    while !came.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await.expect("more of the head");
        came.push(byte);
    }
    came
}

/// Until the other side is gone.
async fn gone(stream: &mut (impl AsyncRead + Unpin)) {
    let mut bytes = [0; 4096];
    while matches!(stream.read(&mut bytes).await, Ok(1..)) {}
}

/// An HTTP/2 server on a connection. Tells of each request, and answers it: 200 with what a check by gRPC wants to hear, or
/// this status. Until the other side is gone.
async fn http2<S>(stream: S, status: u16, tell: UnboundedSender<String>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut connection = h2::server::handshake(stream)
        .await
        .map_err(io::Error::other)?;
    while let Some(request) = connection.accept().await {
        let (request, mut answer) = request.map_err(io::Error::other)?;
        let _ = tell.send(format!("{} {}", request.method(), request.uri()));
        let kind = ("content-type", "application/grpc");
        let head = Response::builder().status(status).header(kind.0, kind.1);
        let mut body = answer
            .send_response(head.body(()).unwrap(), false)
            .map_err(io::Error::other)?;
        let (mut message, mut bytes) = (Vec::new(), Vec::new());
        encode_response(Serving::Serving, &mut message);
        push_message(&message, &mut bytes);
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", "0".parse().unwrap());
        body.send_data(Bytes::from(bytes), false)
            .map_err(io::Error::other)?;
        body.send_trailers(trailers).map_err(io::Error::other)?;
    }
    Ok(())
}

fn display(path: &Path) -> String {
    path.display().to_string()
}
