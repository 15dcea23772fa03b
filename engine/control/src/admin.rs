//! The operators' listener: `/metrics`, `/health`, `/ready`. It reads and changes nothing.
//! Invariant: the number of its connections and how long one may be silent are bounded.

mod bounded;

use std::io;
use std::net;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use engine_bridge::life::WorkerState;
use engine_bridge::metrics::{Format, Page};
use engine_config::snapshot::Address;
use serde_json::{Value, json};
use tokio::net::{TcpListener, UnixListener};

use crate::shared::Shared;
use crate::{clock, process};
use bounded::Bounded;

/// A bound admin listener.
pub(crate) struct Listening {
    socket: Socket,
    address: Address,
    file: Option<SocketFile>,
}

enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listening {
    /// Binds. Needs the runtime's context.
    pub(crate) fn bind(address: &Address) -> io::Result<Listening> {
        let named =
            |why: io::Error| io::Error::new(why.kind(), format!("admin.address {address}: {why}"));
        match address {
            Address::Tcp(tcp) => {
                let listener = net::TcpListener::bind(tcp).map_err(named)?;
                listener.set_nonblocking(true)?;
                Ok(Listening {
                    address: Address::Tcp(listener.local_addr()?),
                    socket: Socket::Tcp(TcpListener::from_std(listener)?),
                    file: None,
                })
            }
            Address::Unix(path) => {
                remove_stale(path).map_err(named)?;
                Ok(Listening {
                    address: address.clone(),
                    socket: Socket::Unix(UnixListener::bind(path).map_err(named)?),
                    file: Some(SocketFile(path.clone())),
                })
            }
        }
    }

    /// Where it really listens.
    pub(crate) fn address(&self) -> Address {
        self.address.clone()
    }
}

/// The name of a bound unix socket; dropping it removes the name.
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Removes the socket file of a process that is gone; one that still answers is left, and binding then fails.
fn remove_stale(path: &Path) -> io::Result<()> {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|it| it.file_type().is_socket());
    let refused = |why: io::Error| why.kind() == io::ErrorKind::ConnectionRefused;
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err_and(refused) {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

/// Answers on a listener until it is dropped.
pub(crate) async fn serve(shared: Arc<Shared>, listening: Listening) {
    let routes = Router::new()
        .route("/metrics", routing::get(metrics))
        .route("/health", routing::get(health))
        .route("/ready", routing::get(ready))
        .fallback(async || {
            (
                StatusCode::NOT_FOUND,
                "no such page: there are /metrics, /health and /ready\n",
            )
        })
        .with_state(shared);
    let Listening { socket, file, .. } = listening;
    let _file = file;
    // Serving ends with the process only; accept errors are waited out inside.
    let _ = match socket {
        Socket::Tcp(listener) => axum::serve(Bounded::new(listener), routes).await,
        Socket::Unix(listener) => axum::serve(Bounded::new(listener), routes).await,
    };
}

/// Figures tell of routes, upstreams and load: with `admin.token` set they are for its bearers. The two
/// health pages are open, since load balancers can't present a token.
fn may_read(shared: &Shared, headers: &HeaderMap) -> bool {
    let Some((_, snapshot)) = shared.bridge.slot.live() else {
        return false;
    };
    let Some(token) = snapshot
        .admin
        .as_ref()
        .and_then(|admin| admin.token.as_ref())
    else {
        return true;
    };
    let given = headers
        .get(AUTHORIZATION)
        .map_or(&b""[..], |value| value.as_bytes());
    given.split_at_checked(7).is_some_and(|(scheme, given)| {
        scheme.eq_ignore_ascii_case(b"bearer ") && token.matches(given)
    })
}

async fn metrics(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    if !may_read(&shared, &headers) {
        let challenge = [(WWW_AUTHENTICATE, "Bearer realm=\"portcullis admin\"")];
        return (
            StatusCode::UNAUTHORIZED,
            challenge,
            "this page needs the admin token\n",
        )
            .into_response();
    }
    let accept = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let format = Format::accepted(&accept.collect::<Vec<_>>().join(","));
    let mut page = Page::new(format);
    shared.bridge.scrape(&mut page);
    process::write(&mut page);
    ([(CONTENT_TYPE, format.content_type())], page.finish()).into_response()
}

/// Whether the process is alive: unhealthy when a worker is stalled or gone.
async fn health(State(shared): State<Arc<Shared>>) -> Response {
    let stalled = shared.stalled();
    let failed = numbers(&shared, |state| matches!(state, WorkerState::Failed(_)));
    let healthy = stalled.is_empty() && failed.is_empty();
    let mut body = json!({
        "status": if healthy { "healthy" } else { "unhealthy" },
        "timestamp": clock::timestamp(),
    });
    if !healthy {
        body["stalledWorkers"] = json!(stalled);
        body["failedWorkers"] = json!(failed);
    }
    answer(healthy, &body)
}

/// Whether new clients should come here.
async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    let life = &shared.bridge.life;
    let some = |wanted| life.states().contains(&wanted);
    let status = if life.leaving() {
        "draining"
    } else if shared.bridge.slot.generation() == 0 || some(WorkerState::Starting) {
        "starting"
    } else if !some(WorkerState::Ready) {
        "failed"
    } else {
        "ready"
    };
    answer(status == "ready", &json!({ "status": status }))
}

fn numbers(shared: &Shared, is: impl Fn(&WorkerState) -> bool) -> Vec<usize> {
    let states = shared.bridge.life.states();
    states
        .iter()
        .enumerate()
        .filter(|(_, state)| is(state))
        .map(|(worker, _)| worker)
        .collect()
}

fn answer(good: bool, body: &Value) -> Response {
    let status = match good {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
    ];
    (status, headers, body.to_string()).into_response()
}

#[cfg(test)]
mod tests;
