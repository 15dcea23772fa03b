//! What an answer's lines say together: a status, a length (RFC 9113 section 8.3.2).

use super::decode::{content_length, field};
use super::error::{HeadError, Malformed};
use crate::http1::encode;
use crate::http2::hpack::{Line, Part};
use crate::message::{BodyLength, Method, Name, ResponseHead, Span, Version};

/// An answer's head while its lines come in.
pub(super) struct Gathered<'a> {
    head: &'a mut ResponseHead,
    /// Whether a field has come; no pseudo-field may follow.
    in_fields: bool,
    content_length: Option<u64>,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(head: &'a mut ResponseHead) -> Gathered<'a> {
        head.version = Version::Http2;
        Gathered {
            head,
            in_fields: false,
            content_length: None,
        }
    }

    /// Takes the line at the end of the arena.
    #[inline]
    pub(super) fn line(&mut self, line: &Line, arena: &mut Vec<u8>) -> Result<(), HeadError> {
        if line.note.part != Part::Field {
            return self.pseudo(line, arena);
        }
        self.in_fields = true;
        let field = field(line)?;
        if field.known == Name::ContentLength {
            self.content_length = content_length(self.content_length, field.value, arena)?;
        }
        self.head.fields.push(field);
        Ok(())
    }

    fn pseudo(&mut self, line: &Line, arena: &mut Vec<u8>) -> Result<(), HeadError> {
        if line.note.part != Part::Status {
            return Err(Malformed::MisplacedPseudoField.into());
        }
        if self.in_fields {
            return Err(Malformed::LatePseudoField.into());
        }
        if self.head.status != 0 {
            return Err(Malformed::RepeatedPseudoField.into());
        }
        if let Some(fault) = line.note.fault() {
            return Err(fault.into());
        }
        let digits = line.value().of(arena);
        self.head.status = digits
            .iter()
            .fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
        if self.head.status == 101 {
            return Err(Malformed::SwitchingProtocols.into());
        }
        // HTTP/2 has no reason phrase; a client of HTTP/1.1 gets the usual one.
        let start = arena.len();
        arena.extend_from_slice(encode::reason(self.head.status).as_bytes());
        self.head.reason = Span::new(start, arena.len());
        Ok(())
    }

    /// Checks what only the whole can show. `end` says whether the stream ends here.
    pub(super) fn finish(self, request: Method, end: bool, arena: &[u8]) -> Result<(), HeadError> {
        let status = self.head.status;
        if status == 0 {
            return Err(Malformed::MissingPseudoField.into());
        }
        if status < 200 && end {
            return Err(Malformed::InterimEnd.into());
        }
        let is_tunnel = request == Method::Connect && matches!(status, 200..=299);
        if matches!(status, 100..=199 | 204) || is_tunnel {
            // RFC 9110 section 8.6: must not be sent; passed on, it would make a client wait for a body.
            for field in &mut self.head.fields {
                field.hop_by_hop |= field.known == Name::ContentLength;
            }
        }
        let has_none = request == Method::Head || matches!(status, 100..=199 | 204 | 304);
        // What follows in a tunnel is no content.
        let announced = self.content_length.filter(|_| !is_tunnel);
        self.head.body = match (announced, end) {
            _ if has_none => BodyLength::None,
            (Some(1..), true) => return Err(Malformed::LengthMismatch.into()),
            (Some(length), _) => BodyLength::Exact(length),
            (None, true) => BodyLength::None,
            (None, false) => BodyLength::Frames,
        };
        self.head.keep_alive = true;
        self.head.len = arena.len();
        Ok(())
    }
}
