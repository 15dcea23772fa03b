//! The life of a connection: rest, read heads, answer them, again.
//!
//! Requests that came together are answered together. A connection at rest holds no buffer. In steady state a request for
//! a kept answer allocates nothing.

use std::cell::Cell;

use engine_net::deadline::{self, Deadline, Strike};
use engine_net::tls::Alpn;
use engine_net::{Buffer, Conn, Shutdown, clock, is_cancelled};

use super::answer::{self, Answers, HEAD_ROOM, Length, Source, TEXT};
use super::ask::{Ask, Reset, What};
use super::body::Body;
use super::echo::Echo;
use super::head::{self, Refusal, Version};
use super::http2;
use super::websocket::Handshake;
use super::worker::Worker;

mod sending;
mod tunnel;

/// A connection that has been quiet for this long comes to rest, nanoseconds.
const QUIET: u64 = 20_000_000;
/// A head or a body must go on within this time, and a resting connection is closed after it: half an hour.
const PATIENCE: u64 = 1_800_000_000_000;
/// A refused client is listened to for at most this long and this much, so that the answer reaches it.
const LINGER: u64 = 1_000_000_000;
const LINGER_BYTES: usize = 1 << 20;
/// A body of which more than this is to come is read into a large buffer.
const MANY: u64 = 64 * 1024;

const TOO_LARGE: Refusal = Refusal(431, "the head is too large");

/// How serving came to an end, for now or for good.
enum End {
    Rest,
    Close,
    /// Close, but so that the last answer arrives though the client may still send.
    Linger,
    Reset,
    /// The client speaks HTTP/2, and has said so much of it.
    Http2(Buffer),
}

/// Serves a connection to its end.
pub(super) async fn serve(worker: &Worker, conn: Conn) {
    if conn.tls().is_some_and(|info| info.alpn == Some(Alpn::H2)) {
        return http2::serve(worker, conn, Buffer::default()).await;
    }
    let deadline = Deadline::new(&conn);
    let fresh = Cell::new(true);
    loop {
        // Boxed: a connection at rest does without.
        let end = Box::pin(busy(worker, &conn, &deadline, &fresh)).await;
        match end {
            End::Rest => {}
            End::Close => return,
            End::Linger => return linger(&conn, &deadline).await,
            End::Reset => return conn.reset_at_close(),
            End::Http2(inbox) => {
                drop(deadline);
                return http2::serve(worker, conn, inbox).await;
            }
        }
        if worker.ending.get() {
            return;
        }
        deadline.set(deadline::now().saturating_add(PATIENCE), Strike::Rest);
        let readable = conn.readable().await;
        let struck = deadline.struck();
        deadline.clear();
        if readable.is_err() || struck {
            return;
        }
    }
}

async fn busy(worker: &Worker, conn: &Conn, deadline: &Deadline, fresh: &Cell<bool>) -> End {
    let mut busy = Busy {
        worker,
        conn,
        deadline,
        fresh,
        inbound: Buffer::standard(),
        out: Buffer::standard(),
        echo: Echo::default(),
        handshake: None,
    };
    match busy.run().await {
        Ok(never) => match never {},
        Err(end) => end,
    }
}

/// Reads and throws away for a moment: closing on unread bytes would reset what was just sent.
async fn linger(conn: &Conn, deadline: &Deadline) {
    conn.shutdown(Shutdown::Write);
    let end = clock::now().saturating_add(LINGER);
    let mut buf = Buffer::standard();
    let mut discarded = 0;
    while discarded < LINGER_BYTES {
        buf.clear();
        deadline.set(end, Strike::BothShut);
        let (result, back) = conn.read(buf).await;
        buf = back;
        match result {
            Ok(n) if n > 0 && !deadline.struck() => discarded += n,
            _ => return,
        }
    }
}

/// A connection with requests.
struct Busy<'a> {
    worker: &'a Worker,
    conn: &'a Conn,
    deadline: &'a Deadline,
    /// Whether nothing has been asked on it.
    fresh: &'a Cell<bool>,
    /// What has been read and not used yet.
    inbound: Buffer,
    /// Answers that are not sent yet.
    out: Buffer,
    echo: Echo,
    /// Of the request for a WebSocket that is being answered.
    handshake: Option<Result<Handshake, Refusal>>,
}

/// A request, once its head's bytes are gone.
#[derive(Clone, Copy)]
struct Request {
    ask: Ask,
    version: Version,
    head_only: bool,
    keep_alive: bool,
}

impl Busy<'_> {
    /// Answers request after request until there is an end.
    async fn run(&mut self) -> Result<std::convert::Infallible, End> {
        loop {
            if self.fresh.get() && self.inbound.filled().starts_with(b"PRI * HTTP/2") {
                // With prior knowledge (RFC 9113 section 3.3).
                return Err(End::Http2(std::mem::take(&mut self.inbound)));
            }
            let head = match head::parse(self.inbound.filled()) {
                Ok(Some(head)) => head,
                Ok(None) => {
                    self.more().await?;
                    continue;
                }
                Err(refusal) => return Err(self.refuse(refusal, "").await),
            };
            let ask = match Ask::of(head.target) {
                Ok(ask) => ask,
                Err((what, wanted)) => {
                    let what = String::from_utf8_lossy(what).into_owned();
                    let refusal = Refusal(400, wanted);
                    return Err(self.refuse(refusal, &what).await);
                }
            };
            let request = Request {
                ask,
                version: head.version,
                head_only: head.method == b"HEAD",
                keep_alive: head.keep_alive && !self.worker.ending.get(),
            };
            let mut body = Body::new(head.framing);
            let (len, asks_first) = (head.len, head.expects_continue);
            if ask.what == What::Echo {
                let version = head.version.as_bytes();
                self.echo
                    .begin(head.method, head.target, version, head.fields);
            }
            if ask.what == What::WebSocket {
                self.handshake = Some(Handshake::read(&head));
            }
            self.inbound.consume(len);
            self.fresh.set(false);
            if !body.is_over() {
                self.receive(&mut body, asks_first, ask.what == What::Echo)
                    .await?;
            }
            let usual = request.keep_alive && request.version == Version::Http11;
            if usual && ask.is_plain() && Answers::keeps(ask.what) {
                self.answer_kept(request).await?;
            } else {
                self.answer(request).await?;
            }
        }
    }

    /// Sends what is ready, then reads more of a head.
    async fn more(&mut self) -> Result<(), End> {
        self.flush().await?;
        if self.inbound.room() == 0 {
            self.inbound.compact();
            if self.inbound.room() == 0 {
                return Err(self.refuse(TOO_LARGE, "").await);
            }
        }
        let waiting = self.inbound.is_empty();
        if waiting && self.worker.ending.get() {
            return Err(End::Close);
        }
        let patience = if waiting { QUIET } else { PATIENCE };
        let at = deadline::now().saturating_add(patience);
        self.deadline.set(at, Strike::CancelRead);
        let inbound = std::mem::take(&mut self.inbound);
        let (read, back) = self.conn.read_cancelable(inbound).await;
        self.inbound = back;
        self.deadline.clear();
        match read {
            Ok(n) if n > 0 => Ok(()),
            Err(error) if is_cancelled(&error) && waiting => Err(End::Rest),
            _ => Err(End::Close),
        }
    }

    /// Reads a body to its end.
    async fn receive(
        &mut self,
        body: &mut Body,
        asks_first: bool,
        echoed: bool,
    ) -> Result<(), End> {
        if asks_first && self.inbound.is_empty() {
            self.room(HEAD_ROOM).await?;
            self.out.extend(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        loop {
            let echo = &mut self.echo;
            let taken = body.take(self.inbound.filled(), |data| {
                if echoed {
                    echo.more(data);
                }
            });
            match taken {
                Ok(taken) => self.inbound.consume(taken),
                Err(refusal) => return Err(self.refuse(refusal, "").await),
            }
            if body.is_over() {
                return Ok(());
            }
            self.flush().await?;
            if body.left() > MANY && !self.inbound.is_large() {
                self.inbound = Buffer::large();
            }
            let at = deadline::now().saturating_add(PATIENCE);
            self.deadline.set(at, Strike::BothShut);
            let inbound = std::mem::take(&mut self.inbound);
            let (read, back) = self.conn.read(inbound).await;
            self.inbound = back;
            self.deadline.clear();
            if !read.is_ok_and(|n| n > 0) {
                return Err(End::Close);
            }
        }
    }

    /// Answers from what is kept.
    async fn answer_kept(&mut self, request: Request) -> Result<(), End> {
        let (what, head_only) = (request.ask.what, request.head_only);
        let answers = &self.worker.answers;
        if answers.borrow_mut().append(what, head_only, &mut self.out) {
            return Ok(());
        }
        self.flush().await?;
        // It fits an empty buffer.
        answers.borrow_mut().append(what, head_only, &mut self.out);
        Ok(())
    }

    /// Answers as asked.
    async fn answer(&mut self, mut request: Request) -> Result<(), End> {
        if request.ask.rate < 1.0 && !self.worker.chance(request.ask.rate) {
            request.ask = request.ask.spared();
        }
        let faults = request.ask.faults;
        if faults.delay > 0 {
            // Earlier answers are not delayed by it.
            self.pause(faults.delay).await?;
        }
        if faults.reset == Reset::Head {
            self.flush().await?;
            return Err(End::Reset);
        }
        match request.ask.what {
            What::Events(events) => self.stream(request, events).await?,
            What::WebSocket if faults.status == 200 => match self.handshake.take() {
                Some(Ok(handshake)) => return self.websocket(&handshake).await,
                Some(Err(refusal)) => return Err(self.refuse(refusal, "").await),
                None => return Err(End::Close),
            },
            What::Echo => {
                let mut echo = std::mem::take(&mut self.echo);
                let text = echo.finish();
                let size = text.len() as u64;
                let sent = self.send(request, "application/json", Source::Text(text), size);
                sent.await?;
                self.echo = echo;
            }
            what => {
                let (source, size) = answer::body(what);
                self.send(request, TEXT, source, size).await?;
            }
        }
        if request.keep_alive && self.framing(request) != Length::Close {
            return Ok(());
        }
        self.flush().await?;
        Err(if self.inbound.is_empty() {
            End::Close
        } else {
            End::Linger
        })
    }
}
