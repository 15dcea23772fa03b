//! gRPC on the data path: how a request speaks it, when its call is over, how its end is told.
//!
//! Formats are `protocol::grpc`'s; what translates bodies for browsers is in `web`. Over HTTP/1.1 there is no gRPC: such
//! a request is like any other, but for gRPC-Web.

use protocol::grpc::{Code, ContentType, Framing, encode_status_message, parse_timeout};
use protocol::http1::encode;
use protocol::message::{Method, Name, Request, ResponseHead, Version};

use crate::reply::Fault;

mod web;

pub(crate) use web::Translation;

/// What an exchange knows of the call that it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// How the request speaks it.
    pub(crate) asked: Framing,
    /// How the answer is to.
    pub(crate) framing: Framing,
    /// The service speaks gRPC alone: what a browser says is translated for it.
    pub(crate) translated: bool,
    /// When the client gives up; `u64::MAX` if it did not say.
    pub(crate) deadline: u64,
    /// When it is over: then, or when the route or the upstream says so.
    pub(crate) whole: u64,
    /// An answer of gRPC is on its way to the client, and its end has not been said.
    pub(crate) open: bool,
}

impl Call {
    /// The call that a request is, if it is one.
    pub(crate) fn of(request: Request<'_>) -> Option<Call> {
        // Calls are POST; anything else is an ordinary request, whatever it says that its body is.
        if request.method() != Method::Post {
            return None;
        }
        let content = ContentType::parse(request.header(Name::ContentType)?)?;
        if content.framing == Framing::Grpc && request.head.version != Version::Http2 {
            return None;
        }
        let accepted = |value| Some(ContentType::parse(value)?.framing);
        let framing = match content.framing {
            Framing::Grpc => Framing::Grpc,
            // The answer is as the client asks for it (web protocol, "Text-encoded streams").
            asked => request
                .header(Name::Accept)
                .and_then(accepted)
                .filter(|it| *it != Framing::Grpc)
                .unwrap_or(asked),
        };
        Some(Call {
            asked: content.framing,
            framing,
            translated: false,
            deadline: u64::MAX,
            whole: u64::MAX,
            open: false,
        })
    }

    /// The client may send messages whenever it likes, and be quiet for long; browsers can't.
    pub(crate) fn is_open_ended(self) -> bool {
        self.asked == Framing::Grpc
    }
}

/// When the client of a call that began at this instant gives it up; `u64::MAX` if it does not say.
///
/// # Errors
/// When what it says is no time.
pub(crate) fn deadline(request: Request<'_>, begun: u64) -> Result<u64, Fault> {
    match request.header_named(TIMEOUT) {
        None => Ok(u64::MAX),
        Some(value) => match parse_timeout(value) {
            Some(timeout) => Ok(begun.saturating_add(timeout)),
            None => Err(Fault::BadGrpcTimeout),
        },
    }
}

/// The field by which a call says how long it may take.
pub(crate) const TIMEOUT: &str = "grpc-timeout";

/// Whether an answer is one of gRPC: anything else comes from something in front of the service.
pub(crate) fn is_answer(head: &ResponseHead, text: &[u8]) -> bool {
    head.status == 200
        && head
            .view(text)
            .header(Name::ContentType)
            .and_then(ContentType::parse)
            .is_some_and(|content| content.framing == Framing::Grpc)
}

/// Whether a field says how a call ended: one of those that may stand in the head of an answer without messages.
pub(crate) fn is_status(name: &[u8]) -> bool {
    let names: [&[u8]; 3] = [b"grpc-status", b"grpc-message", b"grpc-status-details-bin"];
    names.iter().any(|it| name.eq_ignore_ascii_case(it))
}

/// The code among lines `name: value`, as logs show it.
pub(crate) fn code_in(name: &[u8], value: &[u8]) -> Option<Code> {
    match name.eq_ignore_ascii_case(b"grpc-status") {
        true => Code::parse(value),
        false => None,
    }
}

/// The lines that end a call which the gateway ends; gives the code that they say.
pub(crate) fn status_lines(fault: &Fault, out: &mut Vec<u8>) -> Code {
    let code = fault.grpc_code();
    encode::field_u64(out, b"grpc-status", u64::from(code.number()));
    out.extend_from_slice(b"grpc-message: ");
    encode_status_message(fault.row().detail, out);
    out.extend_from_slice(b"\r\n");
    code
}

#[cfg(test)]
mod tests;
