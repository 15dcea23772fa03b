//! One try: the request to one endpoint, and its answer to the client.
//!
//! A request whose body is all here goes out in one write and is followed by one read: the common
//! case, with nothing boxed. A body that is still arriving is pumped while the answer is read, so
//! that an early answer or a two-way stream can't deadlock. No future with an operation in flight is
//! dropped here: the socket is shut down, and the operation completes.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use engine_config::snapshot::{Route, Upstream as Settings};
use engine_net::buffer::Buffer;
use engine_net::deadline::{self, Deadline, Strike, sleep_until};
use engine_net::{Conn, Peek, Shutdown, clock};
use protocol::http1::{self, Decoded, Rules};
use protocol::limits::HeadLimits;
use protocol::message::{BodyLength, Version};

use super::{Exchange, body_bound};
use crate::forward::{self, Bounds, Incoming, Outgoing, Pump, PumpError, Side};
use crate::heads;
use crate::nanos;
use crate::reply::Fault;
use crate::upstream::{Lease, UpstreamConn};

/// How a try ended.
pub(super) enum Outcome {
    /// The answer is with the client, whole.
    Answered,
    /// A re-used connection was dead; nothing can have happened, so the request may be sent again.
    Stale,
    /// No byte of an answer has gone to the client.
    Failed(Fault),
    /// The answer broke off after its head had gone out.
    Aborted(Fault),
}

/// Why an answer could not be passed on.
struct Broken {
    fault: Fault,
    /// Bytes of the answer had come from the upstream.
    heard: bool,
    /// The answer's head had gone to the client.
    begun: bool,
}

/// A client that has waited this long is looked at, in case it has gone away.
const WATCH_CLIENT_AFTER: u64 = 250_000_000;
/// How long a client may go on sending a body that nobody takes any more.
const EARLY_ANSWER_GRACE: u64 = 1_000_000_000;
/// Interim answers (1xx) passed on for one request.
const MAX_INTERIM: u32 = 16;

impl Exchange<'_> {
    /// Sends the composed request over `lease` and passes the answer on.
    pub(super) async fn attempt(
        &mut self,
        route: &Route,
        settings: &Settings,
        lease: Lease,
        whole: u64,
    ) -> Outcome {
        let Some(conn) = lease.conn() else {
            return Outcome::Failed(Fault::NoEndpoint);
        };
        let sent = clock::now();
        let wait = Wait {
            first_byte: Cell::new(u64::MAX),
            begun: Cell::new(false),
            allowed: nanos(settings.first_byte_timeout),
            read: nanos(settings.read_timeout),
            whole,
        };
        let result = match self.held_request() {
            Some(buf) => self.exchange_held(route, &conn, buf, &wait).await,
            None => Box::pin(self.exchange_streamed(route, &conn, &wait)).await,
        };
        self.record.backend = Some(clock::now().saturating_sub(sent));
        match result {
            Ok(true) => {
                lease.release(settings);
                Outcome::Answered
            }
            Ok(false) => Outcome::Answered,
            Err(broken) if broken.begun => Outcome::Aborted(broken.fault),
            Err(broken) => {
                let died = matches!(broken.fault, Fault::UpstreamClosed) && !broken.heard;
                let again = lease.reused && died && self.can_be_sent_again();
                if again {
                    Outcome::Stale
                } else {
                    Outcome::Failed(broken.fault)
                }
            }
        }
    }

    fn can_be_sent_again(&self) -> bool {
        self.s.request.method.is_idempotent() && self.leftover.is_none()
    }

    /// Head and body in one buffer, when all of the body has arrived and it is small.
    fn held_request(&mut self) -> Option<Buffer> {
        let length = match self.s.request.body {
            BodyLength::None => 0,
            BodyLength::Exact(n) => usize::try_from(n).ok()?,
            _ => return None,
        };
        let start = self.s.request.len;
        let body = self
            .inbound
            .filled()
            .get(start..start.checked_add(length)?)?;
        let head = &self.s.head;
        let mut buf = if head.len() + body.len() <= STANDARD {
            Buffer::standard()
        } else {
            Buffer::large()
        };
        (buf.extend(head) && buf.extend(body)).then_some(buf)
    }

    async fn exchange_held(
        &mut self,
        route: &Route,
        conn: &Rc<UpstreamConn>,
        mut buf: Buffer,
        wait: &Wait,
    ) -> Result<bool, Broken> {
        let length = self.body.remaining().unwrap_or(0);
        self.consumed = self
            .s
            .request
            .len
            .saturating_add(usize::try_from(length).unwrap_or(0));
        self.body = Incoming::new(BodyLength::None, Rules::Request);
        self.body.payload = length;
        let up = Side {
            conn: &conn.conn,
            deadline: &conn.deadline,
            timeout: wait.read,
            whole: wait.whole,
        };
        match forward::write(up, &mut buf).await {
            Err(PumpError::SinkTimeout) => {
                return Err(Broken::unheard(Fault::UpstreamWriteTimeout));
            }
            // It may have answered before it closed: what it said is still to be read.
            Err(_) | Ok(()) => buf.clear(),
        }
        wait.sent();
        self.answer(route, conn, buf, wait, self.client.deadline)
            .await
    }

    async fn exchange_streamed(
        &mut self,
        route: &Route,
        conn: &Rc<UpstreamConn>,
        wait: &Wait,
    ) -> Result<bool, Broken> {
        self.send_continue().await?;
        let live = Rc::clone(&self.live);
        let listener = live.snapshot.listeners.get(self.client.listener);
        let mut body = std::mem::replace(
            &mut self.body,
            Incoming::new(BodyLength::None, Rules::Request),
        );
        let lead = std::mem::take(&mut self.s.head);
        let mut rest = self.body_so_far();
        let up_write = Deadline::new(&conn.conn);
        let client_write = Deadline::new(self.client.conn);
        let out = if self.s.request.body == BodyLength::Chunked {
            Outgoing::Chunked
        } else {
            Outgoing::Plain
        };
        let pump = Pump {
            source: self.client_source(self.client.deadline),
            sink: Side {
                conn: &conn.conn,
                deadline: &up_write,
                timeout: wait.read,
                whole: wait.whole,
            },
            out,
            bounds: Bounds {
                max_bytes: body_bound(listener, route),
                min_rate: listener.map_or(0, |l| l.min_body_rate),
            },
            lead: &lead,
            strip: Some(&live.snapshot.identity_headers),
        };
        let client = self.client;
        let mut pumped = None;
        let result = {
            let mut pump = pin!(pump.run(&mut body, &mut rest));
            let answered = {
                let mut answer =
                    pin!(self.answer(route, conn, Buffer::standard(), wait, &client_write));
                poll_fn(|cx| {
                    if pumped.is_none()
                        && let Poll::Ready(done) = pump.as_mut().poll(cx)
                    {
                        // A request that broke off gets no answer from the upstream.
                        if done.as_ref().is_err_and(PumpError::is_source) {
                            conn.conn.shutdown(Shutdown::Both);
                        }
                        pumped = Some(done);
                        wait.sent();
                        if !wait.begun.get() {
                            conn.deadline.set(wait.head(), Strike::BothShut);
                        }
                    }
                    answer.as_mut().poll(cx)
                })
                .await
            };
            if pumped.is_none() {
                // An early answer: nobody takes the rest of the body. The write in flight fails now,
                // the read in flight ends with the next bytes or soon.
                conn.conn.shutdown(Shutdown::Both);
                client.deadline.set(
                    clock::now().saturating_add(EARLY_ANSWER_GRACE),
                    Strike::ReadShut,
                );
                pumped = Some(pump.await);
                client.deadline.clear();
            }
            answered
        };
        self.body = body;
        self.leftover = Some(rest);
        self.s.head = lead;
        self.settle(result, pumped)
    }

    /// Which of the two halves of a streamed exchange decides its end.
    fn settle(
        &mut self,
        answered: Result<bool, Broken>,
        pumped: Option<Result<(), PumpError>>,
    ) -> Result<bool, Broken> {
        match (answered, pumped) {
            (Err(broken), Some(Err(error))) if error.is_source() => Err(Broken {
                fault: Fault::from_request_body(&error),
                ..broken
            }),
            (Ok(reusable), Some(Ok(()))) => Ok(reusable),
            (Ok(_), Some(Err(error))) => {
                if error.is_source() || !self.body_can_be_drained() {
                    self.keep_alive = false;
                }
                Ok(false)
            }
            (answered, _) => answered,
        }
    }

    /// The part of the body that came with the head, in a buffer of its own.
    fn body_so_far(&mut self) -> Buffer {
        let part = self
            .inbound
            .filled()
            .get(self.s.request.len..)
            .unwrap_or_default();
        let mut buf = if part.len() <= STANDARD {
            Buffer::standard()
        } else {
            Buffer::large()
        };
        buf.extend(part);
        self.consumed = self.inbound.len();
        buf
    }

    /// Tells a client that waits for it to go on with the body: the request phase has passed.
    async fn send_continue(&mut self) -> Result<(), Broken> {
        if self.continued || self.inbound.len() > self.s.request.len {
            self.continued = true;
            return Ok(());
        }
        self.continued = true;
        let sink = self.client_sink(self.client.deadline);
        forward::write_bytes(sink, b"HTTP/1.1 100 Continue\r\n\r\n")
            .await
            .map_err(|_| Broken::unheard(Fault::ClientGone))
    }

    /// Reads the answer and passes it on. True: the upstream's connection can be used again.
    async fn answer(
        &mut self,
        route: &Route,
        conn: &Rc<UpstreamConn>,
        mut buf: Buffer,
        wait: &Wait,
        client_write: &Deadline,
    ) -> Result<bool, Broken> {
        self.answer_head(conn, &mut buf, wait, client_write).await?;
        let version = self.s.request.version;
        let out = match self.s.response.body {
            BodyLength::Chunked | BodyLength::UntilClose if version != Version::Http10 => {
                Outgoing::Chunked
            }
            BodyLength::Chunked | BodyLength::UntilClose => {
                self.keep_alive = false;
                Outgoing::Plain
            }
            _ => Outgoing::Plain,
        };
        let mut body = Incoming::new(self.s.response.body, Rules::Response);
        let until_close = body.until_close();
        self.compose_response(route, &buf, out);
        self.record.status = self.s.response.status;
        buf.consume(self.s.response.len);
        let sink = self.client_sink(client_write);
        let pump = Pump {
            source: Side {
                conn: &conn.conn,
                deadline: &conn.deadline,
                timeout: wait.read,
                whole: wait.whole,
            },
            sink,
            out,
            bounds: Bounds::NONE,
            lead: &self.s.head,
            strip: None,
        };
        let result = pump.run(&mut body, &mut buf).await;
        self.record.bytes_out += body.payload + self.s.head.len() as u64;
        match result {
            Ok(()) => Ok(self.s.response.keep_alive && !until_close && buf.is_empty()),
            Err(error) => {
                let fault = match Fault::from_response_body(&error) {
                    Fault::ReadTimeout if clock::now() >= wait.whole => Fault::WholeTimeout,
                    fault => fault,
                };
                Err(Broken {
                    fault,
                    heard: true,
                    begun: true,
                })
            }
        }
    }

    /// Reads until the final answer's head stands in `s.response`; passes interim answers on.
    async fn answer_head(
        &mut self,
        conn: &Rc<UpstreamConn>,
        buf: &mut Buffer,
        wait: &Wait,
        client_write: &Deadline,
    ) -> Result<(), Broken> {
        let limits = HeadLimits::default();
        let mut interim = 0;
        let mut heard = false;
        loop {
            if !buf.is_empty() {
                heard = true;
                let response = &mut self.s.response;
                match http1::decode_response(buf.filled(), response, self.s.request.method, &limits)
                {
                    Err(error) => {
                        return Err(Broken {
                            fault: Fault::UpstreamMalformed(error.cause()),
                            heard,
                            begun: false,
                        });
                    }
                    Ok(Decoded::Complete) if response.status >= 200 => {
                        wait.begun.set(true);
                        return Ok(());
                    }
                    Ok(Decoded::Complete) => {
                        interim += 1;
                        if interim > MAX_INTERIM {
                            let fault = Fault::UpstreamMalformed("too_many_interim_responses");
                            return Err(Broken {
                                fault,
                                heard,
                                begun: false,
                            });
                        }
                        self.pass_interim(buf, client_write).await?;
                        continue;
                    }
                    Ok(Decoded::Partial) => {}
                }
            }
            if buf.room() == 0 {
                grow(buf).map_err(|fault| Broken {
                    fault,
                    heard,
                    begun: false,
                })?;
            }
            conn.deadline.set(wait.head(), Strike::BothShut);
            let (result, gone) = read_watching(conn, self.client.conn, buf).await;
            let struck = conn.deadline.struck();
            conn.deadline.clear();
            let fault = match result {
                _ if gone => Fault::ClientGone,
                _ if struck && wait.whole <= wait.first_byte.get() => Fault::WholeTimeout,
                _ if struck => Fault::FirstByteTimeout,
                Ok(n) if n > 0 => continue,
                _ => Fault::UpstreamClosed,
            };
            return Err(Broken {
                fault,
                heard,
                begun: false,
            });
        }
    }

    /// Passes a 1xx on, except a 100 that the gateway has answered itself and those that an HTTP/1.0
    /// client can't understand (RFC 9110 section 15.2).
    async fn pass_interim(
        &mut self,
        buf: &mut Buffer,
        client_write: &Deadline,
    ) -> Result<(), Broken> {
        if self.s.response.status != 100 && self.s.request.version == Version::Http11 {
            let mut head = std::mem::take(&mut self.s.head);
            head.clear();
            heads::interim(self.s.response.view(buf.filled()), &mut head);
            let sent = forward::write_bytes(self.client_sink(client_write), &head).await;
            self.s.head = head;
            sent.map_err(|_| Broken {
                fault: Fault::ClientGone,
                heard: true,
                begun: true,
            })?;
        }
        buf.consume(self.s.response.len);
        Ok(())
    }

    fn compose_response(&mut self, route: &Route, buf: &Buffer, out: Outgoing) {
        self.keep_alive &= !self.client.core.draining.get();
        self.s.head.clear();
        let answered = heads::Answered {
            core: self.client.core,
            response: self.s.response.view(buf.filled()),
            gateway: &self.live.snapshot.gateway,
            route,
            context: &self.s.context,
            request_id: &self.s.request_id,
            client: self.s.request.version,
            out,
            keep_alive: self.keep_alive,
        };
        heads::response(&answered, &mut self.s.head);
    }
}

/// The instants and spans that bound one try.
struct Wait {
    /// When the answer must have begun; unset while the request is still going out.
    first_byte: Cell<u64>,
    /// The answer's head has come.
    begun: Cell<bool>,
    /// Nanoseconds allowed from the request's last byte to the answer's first.
    allowed: u64,
    /// Nanoseconds allowed between two bytes.
    read: u64,
    whole: u64,
}

impl Wait {
    /// The request is out: from now on the answer is waited for.
    fn sent(&self) {
        self.first_byte
            .set(deadline::now().saturating_add(self.allowed));
    }

    /// When a read of the answer's head must end.
    fn head(&self) -> u64 {
        self.first_byte.get().min(self.whole)
    }
}

impl Broken {
    fn unheard(fault: Fault) -> Broken {
        Broken {
            fault,
            heard: false,
            begun: false,
        }
    }
}

/// Room of a standard buffer.
const STANDARD: usize = engine_net::buffer::STANDARD;

fn grow(buf: &mut Buffer) -> Result<(), Fault> {
    buf.compact();
    if buf.room() > 0 {
        return Ok(());
    }
    if buf.is_large() {
        return Err(Fault::UpstreamMalformed("head_too_large"));
    }
    let mut large = Buffer::large();
    large.extend(buf.filled());
    *buf = large;
    Ok(())
}

/// Reads from the upstream; should that take long, looks whether the client is still there. When it
/// has gone, the upstream's socket is shut down and the read completes: (result, client gone).
async fn read_watching(
    up: &UpstreamConn,
    client: &Conn,
    buf: &mut Buffer,
) -> (std::io::Result<usize>, bool) {
    let mut gone = false;
    let mut watching = true;
    let (result, back) = {
        let mut read = pin!(up.read_first(std::mem::take(buf)));
        let mut closed = pin!(client_closed(client));
        poll_fn(|cx| {
            if let Poll::Ready(done) = read.as_mut().poll(cx) {
                return Poll::Ready(done);
            }
            if watching && closed.as_mut().poll(cx).is_ready() {
                watching = false;
                gone = true;
                up.conn.shutdown(Shutdown::Both);
            }
            Poll::Pending
        })
        .await
    };
    *buf = back;
    (result, gone)
}

/// Ends when the client has closed its connection; never while it has bytes that wait to be read.
async fn client_closed(client: &Conn) {
    sleep_until(deadline::now().saturating_add(WATCH_CLIENT_AFTER)).await;
    loop {
        let _ = client.readable().await;
        match client.peek() {
            Peek::Closed => return,
            Peek::Data => std::future::pending::<()>().await,
            Peek::Quiet => {}
        }
    }
}
