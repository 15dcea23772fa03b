//! The h2 crate as client, on a tokio runtime of the worker's own: a second opinion on servers, and on our own HTTP/2.
//!
//! Closed loops over plain TCP, which is what a second opinion needs. Requests are the scenario's, read back from the
//! header block that the generator makes; everything on the wire is the crate's. Unlike our own client it sends nothing
//! once more that the server has not looked at: that is a failure.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use engine_net::{Address, clock};
use h2::client::SendRequest;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Request, Uri};
use tokio::task::{JoinSet, LocalSet, spawn_local};
use tokio::time::{sleep, timeout};

use super::connection::{AFTER_REFUSAL, NO_TEMPLATE};
use super::exchange::Seen;
use super::link::{Took, record};
use super::reasons::unexpected;
use super::worker::{Job, Report, pin};
use super::world::{Next, Order, World};
use crate::http2::hpack::{Decoder, Indexed};
use crate::results::{Answer, ErrorKind};
use crate::scenario::{Http, Load, Scenario};

/// Windows as large as our own client's, so that nothing of the generator's slows a server down.
const WINDOW: u32 = (1 << 30) - 1;

/// Whether it can do what a scenario wants.
///
/// # Errors
/// What it can't.
pub(super) fn fits(scenario: &Scenario) -> Result<(), &'static str> {
    if scenario.target.http != Http::Http2 {
        return Err("needs HTTP/2: say --http2");
    }
    if scenario.target.tls.is_some() {
        return Err("speaks no TLS: take an http:// URL, or --h2-client own");
    }
    match scenario.load {
        Load::Closed { .. } => Ok(()),
        Load::Open { .. } => {
            Err("runs closed loops alone: leave the rate out, or take --h2-client own")
        }
    }
}

/// Runs a worker on this thread; none if the run never began.
pub(super) fn run(job: Job) -> io::Result<Option<Report>> {
    pin(job.core)?;
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let local = LocalSet::new();
    local.block_on(&tokio, async move {
        let world = Rc::new(job.world());
        for _ in 0..job.first_connections() {
            let link = match connect(&world).await {
                Ok((send, took)) => {
                    world.first.borrow_mut().push(took);
                    Some(send)
                }
                Err(_) => None,
            };
            world.live.set(world.live.get() + 1);
            spawn_local(client(world.clone(), link));
        }
        job.lay_out(&world);
        job.board.be_ready();
        match job.beginning(sleep).await {
            Some(start) => Ok(Some(job.course(&world, start, sleep).await)),
            None => Ok(None),
        }
    })
}

type Sender = SendRequest<Bytes>;

/// Opens a connection; what stood in the way is told later.
async fn connect(world: &World) -> Result<(Sender, Took), ErrorKind> {
    let opened = timeout(Duration::from_nanos(world.timeout), establish(world));
    let (kind, why) = match opened.await {
        Ok(Ok(opened)) => return Ok(opened),
        Ok(Err(refusal)) => refusal,
        Err(_) => (ErrorKind::Connect, "timed out".to_owned()),
    };
    world.reasons.borrow_mut().refused = Some(why);
    Err(kind)
}

async fn establish(world: &World) -> Result<(Sender, Took), (ErrorKind, String)> {
    let Address::Tcp(address) = &world.address else {
        return Err((ErrorKind::Connect, "not an address of TCP".to_owned()));
    };
    let begun = clock::now();
    let refused = |error: io::Error| (ErrorKind::Connect, error.to_string());
    let conn = tokio::net::TcpStream::connect(address).await;
    let conn = conn.map_err(refused)?;
    conn.set_nodelay(true).map_err(refused)?;
    let took = Took {
        connect: clock::now() - begun,
        tls: None,
    };
    let foreign = |error: h2::Error| (ErrorKind::Protocol, format!("HTTP/2: {error}"));
    let mut builder = h2::client::Builder::new();
    builder
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .enable_push(false);
    let (send, conn) = builder.handshake(conn).await.map_err(foreign)?;
    spawn_local(async move {
        // What fails on it fails its requests, too.
        let _ = conn.await;
    });
    let send = send.ready().await.map_err(foreign)?;
    Ok((send, took))
}

/// Uses a connection, and those that replace it, until the run is over.
async fn client(world: Rc<World>, mut link: Option<Sender>) {
    world.gate.opened().await;
    loop {
        let send = match link.take() {
            Some(send) => Ok(send),
            None => reconnect(&world).await,
        };
        match send {
            Ok(send) => {
                if session(&world, send).await {
                    break;
                }
            }
            Err(kind) => {
                let now = clock::now();
                let Next::Send(order) = world.next(now) else {
                    break;
                };
                world.failed(order, NO_TEMPLATE, kind, 0, now);
                sleep(AFTER_REFUSAL).await;
            }
        }
    }
    world.leave();
}

async fn reconnect(world: &World) -> Result<Sender, ErrorKind> {
    let (send, took) = connect(world).await?;
    if clock::now() >= world.counted_from.get() {
        record(&mut world.part.borrow_mut(), &took);
    }
    Ok(send)
}

/// Keeps the streams of a connection busy until it is used up, or the run is over; says whether that is so.
async fn session(world: &Rc<World>, send: Sender) -> bool {
    let left = Rc::new(Cell::new(
        world.scenario.requests_per_connection.unwrap_or(u64::MAX),
    ));
    let over = Rc::new(Cell::new(false));
    let mut streams = JoinSet::new();
    for _ in 0..world.scenario.streams {
        let (world, send) = (world.clone(), send.clone());
        let (left, over) = (left.clone(), over.clone());
        streams.spawn_local(async move { stream(&world, send, &left, &over).await });
    }
    drop(send);
    while streams.join_next().await.is_some() {}
    over.get()
}

/// One request after the other.
async fn stream(world: &World, mut send: Sender, left: &Cell<u64>, over: &Cell<bool>) {
    let mut seen = Seen::default();
    while left.get() > 0 {
        let Next::Send(order) = world.next(clock::now()) else {
            return over.set(true);
        };
        left.set(left.get() - 1);
        let (request, body, template) = match make(world) {
            Ok(made) => made,
            Err(template) => {
                world.failed(order, template, ErrorKind::Protocol, 0, clock::now());
                continue;
            }
        };
        let exchange = exchange(
            world,
            &mut send,
            order,
            (request, body, template),
            &mut seen,
        );
        let outcome = timeout(Duration::from_nanos(world.timeout), exchange).await;
        let now = clock::now();
        let lost = match outcome {
            Ok(Ok(answer)) => {
                world.answered(order, answer);
                None
            }
            Ok(Err(error)) => Some(kind(&error)),
            Err(_) => Some(ErrorKind::Timeout),
        };
        if let Some(kind) = lost {
            world.failed(order, template, kind, 0, now);
            if poll_fn(|cx| send.poll_ready(cx)).await.is_err() {
                // The connection is gone.
                return left.set(0);
            }
        }
        let pause = world.generator.borrow_mut().think(template);
        if !pause.is_zero() {
            let end = world.end.get().saturating_sub(clock::now());
            sleep(pause.min(Duration::from_nanos(end))).await;
        }
    }
}

/// Makes the next request, its body, and says of which template; else only that.
fn make(world: &World) -> Result<(Request<()>, Bytes, usize), usize> {
    let (mut head, mut body) = (Vec::new(), Vec::new());
    // A table of no size: every field stands in the block as it is.
    let mut indexed = Indexed::new(0, 0);
    let mut generator = world.generator.borrow_mut();
    let template = generator.next_http2(&mut indexed, &mut head, &mut body);
    let mut request = Request::builder();
    let (mut scheme, mut authority, mut path) = (String::new(), String::new(), String::new());
    let mut fields = Vec::new();
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let decoded = Decoder::new().decode(&head, |field| match field.name {
        b":method" => fields.push((None, field.value.to_vec())),
        b":scheme" => scheme = text(field.value),
        b":authority" => authority = text(field.value),
        b":path" => path = text(field.value),
        name => fields.push((Some(name.to_vec()), field.value.to_vec())),
    });
    decoded.map_err(|_| template)?;
    for (name, value) in fields {
        request = match name {
            None => request.method(value.as_slice()),
            Some(name) => request.header(name, value),
        };
    }
    let uri = Uri::builder()
        .scheme(scheme.as_str())
        .authority(authority)
        .path_and_query(path);
    let uri = uri.build().map_err(|_| template)?;
    let request = request.uri(uri).body(()).map_err(|_| template)?;
    Ok((request, body.into(), template))
}

/// Sends a request and receives its answer.
async fn exchange(
    world: &World,
    send: &mut Sender,
    order: Order,
    (request, body, template): (Request<()>, Bytes, usize),
    seen: &mut Seen,
) -> Result<Answer, h2::Error> {
    poll_fn(|cx| send.poll_ready(cx)).await?;
    let sent = clock::now();
    if world.counts(order) {
        // What the head takes on the wire is the crate's secret: names and values are what is known.
        let head = size(request.headers()) + request.uri().path().len();
        world.part.borrow_mut().sent((head + body.len()) as u64);
    }
    let (answer, mut sending) = send.send_request(request, body.is_empty())?;
    let (head, mut receiving) = {
        let upload = upload(&mut sending, body);
        let (_, answer) = tokio::join!(upload, answer);
        answer?.into_parts()
    };
    let first_byte = clock::now();
    let of = world.scenario.templates.get(template);
    let expect = of.map(|it| it.expect());
    seen.clear();
    if expect.is_some_and(|it| !it.is_plain()) {
        seen.head(&lines(&head.headers));
    }
    let mut bytes = size(&head.headers);
    let wants = expect.is_some_and(|it| it.wants_body());
    while let Some(data) = receiving.data().await {
        let data = data?;
        bytes += data.len();
        if wants {
            seen.body(&data);
        }
        release(&mut receiving, data.len());
    }
    let trailers = receiving.trailers().await?;
    let status = head.status.as_u16();
    let said = trailers.as_ref().unwrap_or(&head.headers);
    let grpc = of.filter(|it| it.is_grpc()).map(|_| grpc_status(said));
    let unmet = of.and_then(|it| seen.unmet(it, status));
    if let Some(kind) = unmet {
        unexpected(world, order, template, status, seen, kind);
    }
    let failed = grpc.is_some_and(|status| status != 0);
    Ok(Answer {
        template,
        status,
        grpc,
        bytes: bytes as u64,
        due: order.due,
        sent,
        first_byte,
        done: clock::now(),
        unmet: unmet.or(failed.then_some(ErrorKind::Grpc)),
    })
}

/// Sends a body as windows let it; an answer may come meanwhile.
async fn upload(sending: &mut SendStream<Bytes>, mut body: Bytes) {
    while !body.is_empty() {
        sending.reserve_capacity(body.len());
        let room = poll_fn(|cx| sending.poll_capacity(cx)).await;
        // Who has answered need not be sent more: the answer says what became of the request.
        let Some(Ok(room)) = room else {
            return;
        };
        let piece = body.split_to(room.min(body.len()));
        if sending.send_data(piece, body.is_empty()).is_err() {
            return;
        }
    }
}

fn release(receiving: &mut RecvStream, bytes: usize) {
    // Of a stream that has ended nothing need be given back.
    let _ = receiving.flow_control().release_capacity(bytes);
}

fn grpc_status(fields: &HeaderMap) -> u8 {
    let status = fields.get("grpc-status").and_then(|it| it.to_str().ok());
    let status = status.and_then(|it| it.parse::<u64>().ok());
    // None, or none that can be read, is UNKNOWN.
    status.map_or(2, |it| it.min(99) as u8)
}

fn size(fields: &HeaderMap) -> usize {
    let sizes = fields
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len());
    sizes.sum()
}

/// Fields as HTTP/1.1 writes them.
fn lines(fields: &HeaderMap) -> Vec<u8> {
    let mut lines = Vec::new();
    for (name, value) in fields {
        for piece in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            lines.extend_from_slice(piece);
        }
    }
    lines
}

fn kind(error: &h2::Error) -> ErrorKind {
    match error.reason() {
        Some(Reason::NO_ERROR) if error.is_go_away() => ErrorKind::Closed,
        Some(_) if error.is_reset() && error.is_remote() => ErrorKind::Reset,
        Some(_) => ErrorKind::Protocol,
        None => match error.get_io().map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => ErrorKind::Reset,
            Some(io::ErrorKind::UnexpectedEof) => ErrorKind::Closed,
            Some(_) => ErrorKind::Io,
            None => ErrorKind::Closed,
        },
    }
}
