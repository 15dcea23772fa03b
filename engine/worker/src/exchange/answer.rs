//! The answer of one try: its head, interim ones before it, and its body, on the way to the client.

use std::rc::Rc;

use engine_config::snapshot::Route;
use engine_net::buffer::Buffer;
use engine_net::clock;
use engine_net::deadline::{self, Deadline, Strike};
use protocol::grpc::Framing;
use protocol::http1::{self, Decoded, Rules};
use protocol::limits::HeadLimits;
use protocol::message::{BodyLength, Method, Name, Response, Version};

use super::Exchange;
use super::attempt::Broken;
use super::wait::Wait;
use crate::forward::{self, Bounds, Incoming, Outgoing, Pump, Side};
use crate::heads;
use crate::link::{Link, watching};
use crate::reply::Fault;
use crate::upstream::{Carrier, UpstreamConn, UpstreamStream};

/// Interim answers (1xx) passed on for one request.
const MAX_INTERIM: u32 = 16;

impl Exchange<'_> {
    /// Reads the answer and passes it on. True: the upstream's connection can be used again.
    pub(super) async fn answer(
        &mut self,
        route: &Route,
        up: &Carrier,
        mut buf: Buffer,
        wait: &Wait,
        client_write: &Deadline,
    ) -> Result<bool, Broken> {
        self.answer_comes(up, &mut buf, wait, client_write).await?;
        self.pass_answer(route, up, buf, wait, client_write).await
    }

    /// Waits until the head of the final answer stands in `s.response`, its text at the front of `buf`.
    pub(super) async fn answer_comes(
        &mut self,
        up: &Carrier,
        buf: &mut Buffer,
        wait: &Wait,
        client_write: &Deadline,
    ) -> Result<(), Broken> {
        match up {
            Carrier::Conn(conn) => self.answer_head(conn, buf, wait, client_write).await,
            Carrier::Stream(up) => {
                self.answer_head_in_frames(up, buf, wait, client_write)
                    .await
            }
        }
    }

    /// Passes the answer on whose head has come. True: the upstream's connection can be used again.
    pub(super) async fn pass_answer(
        &mut self,
        route: &Route,
        up: &Carrier,
        mut buf: Buffer,
        wait: &Wait,
        client_write: &Deadline,
    ) -> Result<bool, Broken> {
        let version = self.s.request.version;
        let translation = self.call_is_answered(&buf);
        let web = self.call.filter(|_| translation.is_some());
        if is_event_stream(self.s.response.view(buf.filled())) {
            wait.may_be_quiet(self.stream_idle_timeout());
        }
        let out = match self.s.response.body {
            _ if self.client.link.is_stream() => Outgoing::Frames,
            BodyLength::Chunked | BodyLength::UntilClose | BodyLength::Frames
                if version != Version::Http10 =>
            {
                Outgoing::Chunked
            }
            BodyLength::Chunked | BodyLength::UntilClose | BodyLength::Frames => {
                self.keep_alive = false;
                Outgoing::Plain
            }
            _ => Outgoing::Plain,
        };
        let mut body = Incoming::of(self.s.response.body, Rules::Response, up.link());
        let until_close = body.until_close();
        body.translation = translation.map(Box::new);
        let web = web.map(|call| call.framing);
        self.compose_response(route, &buf, (out, web), None);
        self.record.status = self.s.response.status;
        buf.consume(self.s.response.len);
        let sink = self.client_sink(client_write);
        let pump = Pump {
            source: Side {
                link: up.link(),
                deadline: up.deadline(),
                timeout: wait.read.get(),
                whole: wait.whole,
                patient: Some(&wait.first_byte),
                answerable: false,
                moved: wait.quiet.get().then_some(&wait.moved),
            },
            sink,
            out,
            bounds: Bounds::NONE,
            lead: &self.s.head,
            strip: None,
            post: true,
            splice: wait.held,
        };
        let result = pump.run(&mut body, &mut buf).await;
        self.record.bytes_out += body.passed() + self.s.head.len() as u64;
        self.record.grpc = body.grpc.or(self.record.grpc);
        match result {
            Ok(()) => {
                let clean = buf.is_empty() && up.is_quiet();
                Ok(self.s.response.keep_alive && !until_close && clean)
            }
            Err(error) => {
                let fault = match Fault::from_response_body(&error) {
                    Fault::ReadTimeout if clock::now() >= wait.whole => Fault::WholeTimeout,
                    Fault::ReadTimeout if wait.quiet.get() => Fault::StreamIdle,
                    Fault::UpstreamClosed => why(up),
                    fault => fault,
                };
                if body.translation.is_some() {
                    self.unended = Some(Box::new((body, out)));
                }
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
        let limits = HeadLimits {
            switching_protocols: self.upgrade.is_some(),
            ..HeadLimits::default()
        };
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
                    // A 101 is final too, and an error where nobody asked for it.
                    Ok(Decoded::Complete) if response.status >= 200 || response.status == 101 => {
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
            // One without room and data stands in for that of the read that stands already.
            if buf.room() == 0 && !buf.is_empty() {
                grow(buf).map_err(|fault| Broken {
                    fault,
                    heard,
                    begun: false,
                })?;
            }
            conn.deadline.set(wait.head(), Strike::BothShut);
            let read = conn.read_first(std::mem::take(buf));
            let ((result, back), gone) =
                watching(self.client.link, Link::Conn(&conn.conn), read).await;
            *buf = back;
            let struck = conn.deadline.struck();
            conn.deadline.clear();
            let fault = match result {
                _ if gone => Fault::ClientGone,
                _ if struck => wait.head_fault(),
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

    /// As `answer_head`, from a stream: heads come whole, their text goes into `buf`.
    async fn answer_head_in_frames(
        &mut self,
        up: &UpstreamStream,
        buf: &mut Buffer,
        wait: &Wait,
        client_write: &Deadline,
    ) -> Result<(), Broken> {
        let asked = deadline::now();
        let mut interim = 0;
        loop {
            up.deadline.set(wait.head(), Strike::Wake);
            let came = up.stream.head_comes(&up.deadline);
            let (came, gone) = watching(self.client.link, Link::Stream(&up.stream), came).await;
            let struck = up.deadline.struck();
            up.deadline.clear();
            if struck {
                up.stream.suspect(asked);
            }
            let fault = match came {
                _ if gone => Fault::ClientGone,
                _ if struck => wait.head_fault(),
                Ok(()) if !up.stream.take_head(&mut self.s.response, buf) => {
                    Fault::UpstreamMalformed("head_too_large")
                }
                Ok(()) if self.s.response.status >= 200 => {
                    wait.begun.set(true);
                    return Ok(());
                }
                Ok(()) if interim < MAX_INTERIM => {
                    interim += 1;
                    self.pass_interim(buf, client_write).await?;
                    continue;
                }
                Ok(()) => Fault::UpstreamMalformed("too_many_interim_responses"),
                Err(broken) => broken.fault(),
            };
            return Err(Broken {
                fault,
                heard: interim > 0,
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
        if self.s.response.status != 100 && self.s.request.version != Version::Http10 {
            let mut head = std::mem::take(&mut self.s.head);
            head.clear();
            heads::interim(self.s.response.view(buf.filled()), &mut head);
            let sent = forward::write_interim(self.client_sink(client_write), &head).await;
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

    pub(super) fn compose_response(
        &mut self,
        route: &Route,
        buf: &Buffer,
        (out, web): (Outgoing, Option<Framing>),
        switched: Option<(u16, &[u8])>,
    ) {
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
            head_only: self.s.request.method == Method::Head,
            out,
            web,
            keep_alive: self.keep_alive,
            switched,
        };
        heads::response(&answered, &mut self.s.head);
    }
}

/// Events come when there are any (text/event-stream, HTML section 9.2).
fn is_event_stream(response: Response<'_>) -> bool {
    response
        .header(Name::ContentType)
        .and_then(|value| value.split(|byte| *byte == b';').next())
        .is_some_and(|media| {
            media
                .trim_ascii()
                .eq_ignore_ascii_case(b"text/event-stream")
        })
}

/// Why an upstream says no more.
fn why(up: &Carrier) -> Fault {
    match up {
        Carrier::Conn(_) => Fault::UpstreamClosed,
        Carrier::Stream(up) => match up.stream.broken_by() {
            Some(broken) => broken.fault(),
            None => Fault::UpstreamClosed,
        },
    }
}

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
