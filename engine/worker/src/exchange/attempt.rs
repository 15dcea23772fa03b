//! One try: the request to one endpoint, and its answer to the client.
//!
//! A request whose body is all here goes out in one write and is followed by one read: the common
//! case, with nothing boxed. A body that is still arriving is pumped while the answer is read, so
//! that an early answer or a two-way stream can't deadlock. No future with an operation in flight is
//! dropped here: the socket is shut down, and the operation completes.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use engine_config::snapshot::{Route, Upstream as Settings};
use engine_net::buffer::Buffer;
use engine_net::clock;
use engine_net::deadline::Strike;
use protocol::http1::Rules;
use protocol::message::BodyLength;

use super::Exchange;
use super::decide::body_bound;
use super::upgrade::Consent;
use super::wait::{Try, Wait};
use crate::forward::{self, Bounds, Incoming, Outgoing, Pump, PumpError, Side};
use crate::grpc::Call;
use crate::link::Link;
use crate::reply::Fault;
use crate::upstream::{Carrier, Lease, Upstream, UpstreamConn};

/// How a try ended.
pub(super) enum Outcome {
    /// The answer is with the client, whole.
    Answered,
    /// The answer makes a tunnel.
    Consents(Box<Consent>),
    /// A re-used connection was dead; nothing can have happened, so the request may be sent again.
    Stale,
    /// No byte of an answer has gone to the client.
    Failed(Fault),
    /// The answer broke off after its head had gone out.
    Aborted(Fault),
}

/// Why an answer could not be passed on.
pub(super) struct Broken {
    pub(super) fault: Fault,
    /// Bytes of the answer had come from the upstream.
    pub(super) heard: bool,
    /// The answer's head had gone to the client.
    pub(super) begun: bool,
}

/// How long a client may go on sending a body that nobody takes any more.
const EARLY_ANSWER_GRACE: u64 = 1_000_000_000;
impl Exchange<'_> {
    /// Sends the composed request over `lease` and passes the answer on.
    pub(super) async fn attempt(
        &mut self,
        route: &Route,
        upstream: &Upstream,
        settings: &Settings,
        lease: Lease,
        this: Try,
    ) -> Outcome {
        let Some(up) = lease.carrier() else {
            return Outcome::Failed(Fault::NoEndpoint);
        };
        let sent = clock::now();
        let held = self.held_request();
        let mut wait = Wait::new(settings, this, held.is_some());
        if self.call.is_some() {
            wait.is_of_a_call(settings, self.stream_idle_timeout());
        }
        let result = match held {
            Some(buf) => self.exchange_held(route, &up, buf, &wait).await,
            // Only a request that is held whole is ever sent again.
            None if this.again => Err(Broken::unheard(Fault::UpstreamClosed)),
            None => Box::pin(self.exchange_streamed(route, &up, &wait)).await,
        };
        self.record.backend = Some(clock::now().saturating_sub(sent));
        match result {
            Ok(true) => {
                lease.release(upstream, settings);
                Outcome::Answered
            }
            Ok(false) => Outcome::Answered,
            Err(broken) => self.broke(&lease, &up, broken),
        }
    }

    /// What is to become of a try that broke.
    pub(super) fn broke(&self, lease: &Lease, up: &Carrier, broken: Broken) -> Outcome {
        if broken.begun {
            return Outcome::Aborted(broken.fault);
        }
        let died = matches!(broken.fault, Fault::UpstreamClosed) && !broken.heard;
        // What the endpoint says it has not touched may be sent again whatever it is.
        let untouched = died && up.was_refused() && self.leftover.is_none();
        let again = lease.reused && died && self.can_be_sent_again();
        if again || untouched {
            Outcome::Stale
        } else {
            Outcome::Failed(broken.fault)
        }
    }

    fn can_be_sent_again(&self) -> bool {
        self.s.request.method.is_idempotent() && self.leftover.is_none()
    }

    /// Head and body in one buffer, when all of the body has arrived and it is small.
    fn held_request(&mut self) -> Option<Buffer> {
        if self.translation_of_request().is_some() {
            return None;
        }
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
        up: &Carrier,
        mut buf: Buffer,
        wait: &Wait,
    ) -> Result<bool, Broken> {
        // From the head and not from what is left: this may be the second try.
        let length = match self.s.request.body {
            BodyLength::Exact(length) => length,
            _ => 0,
        };
        self.consumed = self
            .s
            .request
            .len
            .saturating_add(usize::try_from(length).unwrap_or(0));
        self.body = Incoming::new(BodyLength::None, Rules::Request);
        self.body.payload = length;
        let sink = Side {
            link: up.link(),
            deadline: up.deadline(),
            timeout: wait.read.get(),
            whole: wait.whole,
            patient: None,
            answerable: false,
            moved: None,
        };
        // It may have answered before it closed: what it said is still to be read.
        let sent = match up {
            Carrier::Stream(_) => forward::write_message(sink, buf.filled()).await,
            Carrier::Conn(conn) if self.post_request(conn, &mut buf) => Ok(()),
            Carrier::Conn(_) => forward::write(sink, &mut buf).await,
        };
        if matches!(sent, Err(PumpError::SinkTimeout)) {
            return Err(Broken::unheard(wait.write_fault()));
        }
        buf.clear();
        wait.sent();
        let reusable = self
            .answer(route, up, buf, wait, self.client.deadline)
            .await?;
        Ok(reusable && sent.is_ok() && up.has_sent())
    }

    /// Hands a small request over to the driver, if that can, without waiting for it: the connection is quiet, so its
    /// socket takes it, and a failure shows in the answer's read.
    fn post_request(&self, conn: &UpstreamConn, buf: &mut Buffer) -> bool {
        if buf.len() > POSTED {
            return false;
        }
        match conn.conn.post(std::mem::take(buf)) {
            Ok(()) => {
                // A read that stands already brings its own.
                if !conn.conn.is_standing() {
                    *buf = Buffer::standard();
                }
                true
            }
            Err(back) => {
                *buf = back;
                false
            }
        }
    }

    async fn exchange_streamed(
        &mut self,
        route: &Route,
        up: &Carrier,
        wait: &Wait,
    ) -> Result<bool, Broken> {
        self.send_continue().await?;
        let live = Rc::clone(&self.live);
        let listener = live.snapshot.listeners.get(self.client.listener);
        let mut body = std::mem::replace(
            &mut self.body,
            Incoming::new(BodyLength::None, Rules::Request),
        );
        body.translation = self.translation_of_request();
        let lead = std::mem::take(&mut self.s.head);
        let mut rest = self.body_so_far();
        let up_write = up.link().deadline();
        let client_write = self.client.link.deadline();
        let out = match self.s.request.body {
            _ if up.link().is_stream() => Outgoing::Frames,
            BodyLength::Chunked | BodyLength::Frames => Outgoing::Chunked,
            _ => Outgoing::Plain,
        };
        let open_ended = self.call.is_some_and(Call::is_open_ended);
        let pump = Pump {
            source: Side {
                moved: open_ended.then_some(&wait.moved),
                ..self.client_source(self.client.deadline)
            },
            sink: Side {
                link: up.link(),
                deadline: &up_write,
                timeout: wait.read.get(),
                whole: wait.whole,
                patient: None,
                answerable: false,
                moved: None,
            },
            out,
            bounds: Bounds {
                max_bytes: body_bound(listener, route),
                // Messages come when there are any.
                min_rate: match open_ended {
                    true => 0,
                    false => listener.map_or(0, |l| l.min_body_rate),
                },
            },
            lead: &lead,
            strip: Some(&live.snapshot.identity_headers),
            post: false,
            splice: false,
        };
        let client = self.client;
        let mut pumped = None;
        let result = {
            let mut pump = pin!(pump.run(&mut body, &mut rest));
            let answered = {
                let mut answer =
                    pin!(self.answer(route, up, Buffer::standard(), wait, &client_write));
                poll_fn(|cx| {
                    if pumped.is_none()
                        && let Poll::Ready(done) = pump.as_mut().poll(cx)
                    {
                        // A request that broke off gets no answer from the upstream.
                        if done.as_ref().is_err_and(PumpError::is_source) {
                            up.link().cut();
                        }
                        pumped = Some(done);
                        wait.sent();
                        up.deadline().set(wait.next_read(), Strike::BothShut);
                    }
                    answer.as_mut().poll(cx)
                })
                .await
            };
            if pumped.is_none() {
                // An early answer: nobody takes the rest of the body. The write in flight fails now,
                // the read in flight ends with the next bytes or soon; a stream needs no more of it.
                up.link().cut();
                let (grace, strike) = match client.link {
                    Link::Conn(_) => (EARLY_ANSWER_GRACE, Strike::CancelRead),
                    Link::Stream(_) => (0, Strike::Wake),
                };
                let at = clock::now().saturating_add(grace);
                client.deadline.set(at, strike);
                wait.moved.set(u64::MAX);
                let ended = pump.await;
                client.deadline.clear();
                // That the request ended then is our doing: what broke the answer off is to blame.
                let ours = ended.as_ref().is_err_and(PumpError::is_source);
                pumped = (answered.is_ok() || !ours).then_some(ended);
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
                fault: self.fault_of_request(&error),
                ..broken
            }),
            (Err(broken), Some(Err(PumpError::SinkTimeout))) if !broken.begun => Err(Broken {
                fault: Fault::UpstreamWriteTimeout,
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
        forward::write_interim(sink, b"HTTP/1.1 100 Continue\r\n\r\n")
            .await
            .map_err(|_| Broken::unheard(Fault::ClientGone))
    }
}

impl Broken {
    pub(super) fn unheard(fault: Fault) -> Broken {
        Broken {
            fault,
            heard: false,
            begun: false,
        }
    }
}

/// A request of so many bytes fits into any socket that nothing waits in.
const POSTED: usize = 4 * 1024;
/// Room of a standard buffer.
const STANDARD: usize = engine_net::buffer::STANDARD;
