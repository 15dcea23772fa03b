//! What an exchange does beside forwarding when it is a call of gRPC: its time, its answer, its end.

use engine_config::snapshot::{Upstream as Settings, UpstreamProtocol};
use engine_net::buffer::Buffer;
use engine_net::clock;
use protocol::grpc::Framing;
use protocol::http1::encode;
use protocol::http2::ErrorCode;
use protocol::message::BodyLength;

use super::{End, Exchange};
use crate::forward::{self, PumpError};
use crate::grpc::{self, Translation};
use crate::heads::Asked;
use crate::link::Link;
use crate::nanos;
use crate::reply::Fault;

impl Exchange<'_> {
    /// When the exchange is over: `whole`, or earlier if it is a call whose client says so.
    pub(super) fn begin_call(&mut self, settings: &Settings, whole: u64) -> Result<u64, Fault> {
        let Some(mut call) = self.call else {
            return Ok(whole);
        };
        let request = self.s.request.view(self.inbound.filled());
        call.deadline = grpc::deadline(request, self.record.begun)?;
        call.whole = call.deadline.min(whole);
        call.translated =
            call.asked != Framing::Grpc && settings.protocol == UpstreamProtocol::Grpc;
        self.call = Some(call);
        match clock::now() >= call.deadline {
            true => Err(Fault::GrpcTimeout),
            false => Ok(call.whole),
        }
    }

    /// The same fault, of the client if the time that is over is the one it gave.
    pub(super) fn whose(&self, fault: Fault) -> Fault {
        match (fault, self.call) {
            (Fault::WholeTimeout, Some(call)) if call.deadline == call.whole => Fault::GrpcTimeout,
            (fault, _) => fault,
        }
    }

    /// What the service is told of the call.
    pub(super) fn asked_call(&self, over_stream: bool) -> Option<Asked> {
        let bounded = |whole: u64| (whole != u64::MAX).then_some(whole);
        self.call.map(|call| Asked {
            call,
            framed: over_stream,
            left: bounded(call.whole).map(|whole| whole.saturating_sub(clock::now())),
        })
    }

    /// Nanoseconds for which a stream of events or messages may be quiet.
    pub(super) fn stream_idle_timeout(&self) -> u64 {
        let listener = self.live.snapshot.listeners.get(self.client.listener);
        listener.map_or(u64::MAX, |it| nanos(it.stream_idle_timeout))
    }

    /// What is to be done to the request's body on its way.
    pub(super) fn translation_of_request(&self) -> Option<Box<Translation>> {
        let call = self.call.filter(|call| call.translated)?;
        Translation::of_request(call.asked).map(Box::new)
    }

    /// The head of the answer has come, its text in `buf`: what is to be done to its body on its way.
    pub(super) fn call_is_answered(&mut self, buf: &Buffer) -> Option<Translation> {
        let call = self.call.as_mut()?;
        if !grpc::is_answer(&self.s.response, buf.filled()) {
            return None;
        }
        let all_head = matches!(self.s.response.body, BodyLength::None);
        call.open = !all_head || call.translated;
        let mut status = Vec::new();
        if all_head {
            for (_, name, value) in self.s.response.view(buf.filled()).fields() {
                self.record.grpc = grpc::code_in(name, value).or(self.record.grpc);
                if call.translated && grpc::is_status(name) {
                    encode::field(&mut status, name, value);
                }
            }
        }
        if !call.translated {
            return None;
        }
        // Whatever its length was, what becomes of it has another.
        self.s.response.body = BodyLength::Frames;
        Some(Translation::of_answer(call.framing, status))
    }

    /// Says to the client how its call ended, though its answer broke off. None: that can't be said.
    pub(super) async fn end_call(&mut self, fault: &Fault) -> Option<End> {
        let call = self.call.filter(|call| call.open)?;
        if matches!(fault, Fault::ClientGone | Fault::ClientWriteTimeout) {
            return None;
        }
        let mut lines = Vec::with_capacity(128);
        self.record.grpc = Some(grpc::status_lines(fault, &mut lines));
        let sink = self.client_sink(self.client.deadline);
        match (self.client.link, self.unended.take()) {
            (_, Some(mut unended)) => {
                let (body, out) = &mut *unended;
                let told = forward::break_off(sink, *out, body, &lines).await;
                told.then_some(match self.keep_alive {
                    true => End::KeepAlive,
                    false => End::Linger,
                })
            }
            (Link::Stream(stream), None) if call.framing == Framing::Grpc => {
                match fault {
                    Fault::UpstreamReset(ErrorCode::CANCEL) => stream.reset(ErrorCode::CANCEL),
                    _ => stream.send_trailers(&lines).ok()?,
                }
                Some(End::Close)
            }
            _ => None,
        }
    }

    /// Where a call's request ended on its way.
    pub(super) fn fault_of_request(&self, error: &PumpError) -> Fault {
        match error {
            PumpError::SourceTimeout if self.call.is_some_and(|call| call.is_open_ended()) => {
                Fault::StreamIdle
            }
            error => Fault::from_request_body(error),
        }
    }
}
