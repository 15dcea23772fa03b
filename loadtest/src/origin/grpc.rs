//! What a call of gRPC asks of the origin: by its method, and by a query behind it or in the header `x-answer`.
//!
//! Whoever calls with a generated stub can't add a query, but can add a header. How it is carried out is in
//! `http2/call/messages`. Messages themselves are bytes: nobody here knows their schema.

use super::ask::{Reset, TIME, number, share, size, split, time};
use crate::http2::server::Request;

/// The longest message that is taken, and sent.
pub(super) const LONGEST: u64 = 64 << 20;
/// INVALID_ARGUMENT, RESOURCE_EXHAUSTED and UNIMPLEMENTED, of gRPC's statuses.
const INVALID_ARGUMENT: u8 = 3;
pub(super) const RESOURCE_EXHAUSTED: u8 = 8;
const UNIMPLEMENTED: u8 = 12;

/// SERVING, as `grpc.health.v1.HealthCheckResponse` says it.
pub(super) const SERVING: &[u8] = &[0x08, 0x01];

/// What a method does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Sends messages back.
    Echo,
    /// `grpc.health.v1.Health/Check`.
    Health,
}

/// What a call asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) kind: Kind,
    /// The status in the end, and what is said of it.
    pub(super) status: u8,
    pub(super) message: String,
    /// Answers for each message.
    pub(super) count: u64,
    /// Answers are to the last message alone, when the client has sent all.
    pub(super) once: bool,
    /// The size of the answers' messages; none: they are what was sent.
    pub(super) size: Option<u64>,
    /// Before the first answer, and between two, nanoseconds.
    pub(super) delay: u64,
    pub(super) every: u64,
    pub(super) reset: Reset,
    /// The request's content-type if it is more than `application/grpc`, and what its messages are compressed with.
    pub(super) content_type: Option<Vec<u8>>,
    pub(super) encoding: Option<Vec<u8>>,
}

/// Whether a request is a call.
pub(super) fn is_call(request: &Request<'_>) -> bool {
    let grpc = |kind: &[u8]| {
        let rest = kind.strip_prefix(b"application/grpc");
        rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
    };
    request.method == b"POST" && request.field("content-type").is_some_and(grpc)
}

impl Asked {
    /// What a call asks for. `chance` says whether what befalls a share of the calls befalls this one.
    pub(super) fn of(request: &Request<'_>, chance: impl Fn(f64) -> bool) -> Asked {
        let (path, query) = split(request.path);
        let content_type = request.field("content-type");
        let mut asked = Asked {
            kind: Kind::Echo,
            status: 0,
            message: String::new(),
            count: 1,
            once: false,
            size: None,
            delay: 0,
            every: 0,
            reset: Reset::Never,
            content_type: content_type
                .filter(|it| *it != b"application/grpc")
                .map(<[u8]>::to_vec),
            encoding: request.field("grpc-encoding").map(<[u8]>::to_vec),
        };
        if let Some(method) = path.strip_prefix(b"/grpc.health.v1.Health/") {
            asked.kind = Kind::Health;
            asked.once = true;
            // It has no message of the client's compression.
            asked.encoding = None;
            if method != b"Check" {
                asked.refuse(
                    UNIMPLEMENTED,
                    "only Check is served of grpc.health.v1.Health",
                );
            }
            return asked;
        }
        let spared = asked.clone();
        let mut rate = 1.0;
        let header = request.field("x-answer").unwrap_or_default();
        for query in [query, header] {
            if let Err(wanted) = asked.read(query, &mut rate) {
                asked.refuse(INVALID_ARGUMENT, wanted);
                return asked;
            }
        }
        match rate < 1.0 && !chance(rate) {
            true => spared,
            false => asked,
        }
    }

    fn refuse(&mut self, status: u8, why: &str) {
        (self.status, self.count) = (status, 0);
        self.message = why.to_owned();
    }

    fn read(&mut self, query: &[u8], rate: &mut f64) -> Result<(), &'static str> {
        let mut counted = false;
        for pair in query.split(|it| *it == b'&') {
            let at = memchr::memchr(b'=', pair).unwrap_or(pair.len());
            let (key, value) = pair.split_at(at);
            let value = value.get(1..).unwrap_or_default();
            match key {
                b"status" => {
                    let status = number(value).filter(|it| *it <= 16);
                    self.status = status.ok_or("status must be one of gRPC's, from 0 to 16")? as u8;
                    if self.status != 0 {
                        self.message = "as asked".to_owned();
                        // Who failed has mostly not answered.
                        self.count = if counted { self.count } else { 0 };
                    }
                }
                b"count" => {
                    let count = number(value).filter(|it| *it <= 1_000_000);
                    self.count = count.ok_or("count must be a whole number up to 1000000")?;
                    counted = true;
                }
                b"once" => self.once = value != b"0",
                b"size" => {
                    let size = size(value).filter(|it| *it <= LONGEST);
                    self.size = Some(size.ok_or("size must be up to 64m, such as 512 or 16k")?);
                }
                b"delay" => self.delay = time(value).ok_or(TIME)?,
                b"every" => self.every = time(value).ok_or(TIME)?,
                b"rate" => *rate = share(value).ok_or("rate must be a share, from 0 to 1")?,
                b"reset" => {
                    self.reset = match value {
                        b"0" => Reset::Never,
                        b"1" | b"head" => Reset::Head,
                        b"body" => Reset::Body,
                        _ => return Err("reset must be 1 (before the answer) or body (amid it)"),
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
