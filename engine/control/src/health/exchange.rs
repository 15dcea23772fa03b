//! One request over a connection and its answer, whole, over HTTP/1.1 or HTTP/2. What is asked, and what an answer means, is
//! `probe`'s. Invariant: what an answer makes us keep is bounded, and nothing of the exchange goes on once its future is
//! dropped.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::header::HeaderMap;
use hyper::rt::Executor;
use hyper::{Request, Response, Version};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use super::connect::Connected;
use super::failure::Failure;

/// The most bytes of an answer's body that are looked at.
const MOST_BODY: usize = 64 << 10;
/// The most bytes of an answer's head: as the gateway takes from endpoints.
const MOST_HEAD: usize = 64 << 10;

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) trailers: HeaderMap,
    /// What came of it, up to a bound.
    pub(super) body: Vec<u8>,
}

/// Asks, and takes the answer.
pub(super) async fn exchange(
    connected: Connected,
    mut request: Request<Full<Bytes>>,
) -> Result<Answer, Failure> {
    let io = TokioIo::new(connected.wire);
    let broken = |error: hyper::Error| Failure::broken(&error);
    match connected.http2 {
        false => {
            let mut builder = http1::Builder::new();
            builder.max_buf_size(MOST_HEAD);
            let (mut sender, connection) = builder.handshake(io).await.map_err(broken)?;
            let answer = async { collect(sender.send_request(request).await).await };
            beside(answer, connection).await
        }
        true => {
            let tasks = Tasks::default();
            let _end = End(tasks.clone());
            let mut builder = http2::Builder::new(tasks);
            builder.max_header_list_size(MOST_HEAD as u32);
            let (mut sender, connection) = builder.handshake(io).await.map_err(broken)?;
            *request.version_mut() = Version::HTTP_2;
            let answer = async { collect(sender.send_request(request).await).await };
            beside(answer, connection).await
        }
    }
}

/// Until the answer is there. The connection's own end is none: what it failed of, the answer says.
async fn beside<T>(answer: impl Future<Output = T>, connection: impl Future) -> T {
    let driven = async {
        let _ = connection.await;
        pending::<Infallible>().await
    };
    tokio::select! {
        biased;
        answer = answer => answer,
        never = driven => match never {},
    }
}

async fn collect(response: hyper::Result<Response<Incoming>>) -> Result<Answer, Failure> {
    let response = response.map_err(|error| answerless(&error))?;
    let (head, mut rest) = response.into_parts();
    let mut answer = Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        trailers: HeaderMap::new(),
        body: Vec::new(),
    };
    while let Some(frame) = rest.frame().await {
        match frame.map_err(|error| answerless(&error))?.into_data() {
            Ok(data) if answer.body.len() + data.len() > MOST_BODY => break,
            Ok(data) => answer.body.extend_from_slice(&data),
            Err(frame) => answer.trailers = frame.into_trailers().unwrap_or_default(),
        }
    }
    Ok(answer)
}

fn answerless(error: &hyper::Error) -> Failure {
    let cause = std::error::Error::source(error).map(|source| format!(": {source}"));
    let what = format!("{error}{}", cause.unwrap_or_default());
    match error.is_parse() {
        true => Failure::new("malformed", format!("what it answers is not HTTP: {what}")),
        false => Failure::new(
            "connection_terminated",
            format!("no whole answer came: {what}"),
        ),
    }
}

/// Where hyper puts the tasks of an HTTP/2 connection, so that they end with the exchange.
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, task: F) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .spawn(task);
    }
}

/// Ends the tasks; they hold their own list, which would else never be dropped.
struct End(Tasks);

impl Drop for End {
    fn drop(&mut self) {
        let mut tasks = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.abort_all();
    }
}
