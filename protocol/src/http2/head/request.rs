//! What a request's lines say together: pseudo-fields, one authority, one length, cookies in one line (RFC 9113
//! section 8.3.1, RFC 8441).

use super::decode::{content_length, field};
use super::error::{HeadError, Malformed};
use crate::http2::hpack::{Line, Part};
use crate::limits::BlockLimits;
use crate::message::{
    BodyLength, Field, Method, Name, RequestHead, Span, TargetForm, Version, same_authority,
};

/// A request's head while its lines come in.
pub(super) struct Gathered<'a> {
    head: &'a mut RequestHead,
    limits: &'a BlockLimits,
    /// The pseudo-fields so far, a bit for each [`Part`].
    seen: u8,
    /// Whether a field has come; no pseudo-field may follow.
    in_fields: bool,
    has_host: bool,
    cookies: usize,
    content_length: Option<u64>,
    /// The scheme's.
    default_port: u16,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(head: &'a mut RequestHead, limits: &'a BlockLimits) -> Gathered<'a> {
        head.version = Version::Http2;
        Gathered {
            head,
            limits,
            seen: 0,
            in_fields: false,
            has_host: false,
            cookies: 0,
            content_length: None,
            default_port: 80,
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
        match field.known {
            Name::Host => return self.host(line, field, arena),
            Name::Cookie => self.cookies += 1,
            Name::Te => self.head.te_trailers = true,
            Name::ContentLength => {
                self.content_length = content_length(self.content_length, field.value, arena)?;
            }
            Name::Expect => {
                if !field.value.of(arena).eq_ignore_ascii_case(b"100-continue") {
                    return Err(HeadError::Expectation);
                }
                self.head.expect_continue = true;
            }
            _ => {}
        }
        self.head.fields.push(field);
        Ok(())
    }

    fn pseudo(&mut self, line: &Line, arena: &[u8]) -> Result<(), HeadError> {
        let part = line.note.part;
        if self.in_fields {
            return Err(Malformed::LatePseudoField.into());
        }
        if self.has(part) {
            return Err(Malformed::RepeatedPseudoField.into());
        }
        self.seen |= 1 << part as u8;
        if let Some(fault) = line.note.fault() {
            return Err(fault.into());
        }
        let span = line.value();
        let value = span.of(arena);
        match part {
            Part::Method => {
                self.head.method = Method::parse(value);
                self.head.method_text = span;
            }
            Part::Path => return self.path(span, value),
            Part::Scheme => {
                let is_secure = value.len() == b"https".len();
                self.default_port = if is_secure { 443 } else { 80 };
            }
            Part::Authority => {
                self.head.authority = span;
                self.head.fields.push(Field {
                    name: line.name(),
                    value: span,
                    known: Name::Host,
                    hop_by_hop: false,
                });
            }
            Part::Protocol if self.limits.extended_connect => self.head.protocol = span,
            Part::Protocol => return Err(Malformed::UnknownPseudoField.into()),
            Part::Status | Part::Field => return Err(Malformed::MisplacedPseudoField.into()),
        }
        Ok(())
    }

    fn path(&mut self, span: Span, value: &[u8]) -> Result<(), HeadError> {
        if value.len() > self.limits.max_target_bytes {
            return Err(HeadError::TargetTooLong);
        }
        let start = span.start as usize;
        let end = start + value.len();
        let head = &mut *self.head;
        head.target = span;
        head.path = span;
        head.query = Span::new(end, end);
        if value == b"*" {
            head.form = TargetForm::Asterisk;
        } else if let Some(mark) = memchr::memchr(b'?', value) {
            head.has_query = true;
            head.path = Span::new(start, start + mark);
            head.query = Span::new(start + mark + 1, end);
        }
        Ok(())
    }

    /// Host beside `:authority` has to agree and says nothing new; alone it stands for it.
    fn host(&mut self, line: &Line, field: Field, arena: &mut Vec<u8>) -> Result<(), HeadError> {
        if self.has_host {
            return Err(Malformed::RepeatedHost.into());
        }
        self.has_host = true;
        if !self.has(Part::Authority) {
            self.head.authority = field.value;
            self.head.fields.push(field);
            return Ok(());
        }
        let authority = self.head.authority.of(arena);
        if !same_authority(authority, field.value.of(arena), self.default_port) {
            return Err(Malformed::HostMismatch.into());
        }
        arena.truncate(line.start());
        Ok(())
    }

    fn has(&self, part: Part) -> bool {
        self.seen & (1 << part as u8) != 0
    }

    /// Checks what only the whole can show. `end` says whether the stream ends here.
    pub(super) fn finish(mut self, end: bool, arena: &mut Vec<u8>) -> Result<(), HeadError> {
        if self.head.method == Method::Connect && !self.has(Part::Protocol) {
            return Err(HeadError::Connect);
        }
        if !(self.has(Part::Method) && self.has(Part::Scheme) && self.has(Part::Path)) {
            return Err(Malformed::MissingPseudoField.into());
        }
        if self.head.authority.is_empty() {
            return Err(Malformed::MissingAuthority.into());
        }
        if self.head.form == TargetForm::Asterisk && self.head.method != Method::Options {
            return Err(Malformed::Path.into());
        }
        if self.has(Part::Protocol) {
            if self.head.method != Method::Connect {
                return Err(Malformed::Protocol.into());
            }
            // What follows a CONNECT is no content (RFC 9110 section 9.3.6).
            if self.content_length.is_some() {
                return Err(Malformed::ContentLength.into());
            }
            self.head.upgrade = true;
        }
        self.head.body = match (self.content_length, end) {
            (Some(1..), true) => return Err(Malformed::LengthMismatch.into()),
            (Some(length), _) => BodyLength::Exact(length),
            (None, true) => BodyLength::None,
            (None, false) => BodyLength::Frames,
        };
        if self.cookies > 1 {
            self.join_cookies(arena);
        }
        self.head.keep_alive = true;
        self.head.len = arena.len();
        Ok(())
    }

    /// Cookies may come one by one so that each can be indexed; all others expect them in one field (section 8.2.3).
    fn join_cookies(&mut self, arena: &mut Vec<u8>) {
        let start = arena.len();
        arena.extend_from_slice(b"cookie");
        let name = Span::new(start, arena.len());
        let mut separator = b": ";
        let mut is_first = true;
        self.head.fields.retain_mut(|field| {
            if field.known != Name::Cookie {
                return true;
            }
            arena.extend_from_slice(separator);
            let from = field.value.range();
            if from.end <= start {
                arena.extend_from_within(from);
            }
            separator = b"; ";
            std::mem::take(&mut is_first)
        });
        let value = Span::new(start + b"cookie: ".len(), arena.len());
        arena.extend_from_slice(b"\r\n");
        let joined = |field: &&mut Field| field.known == Name::Cookie;
        if let Some(field) = self.head.fields.iter_mut().find(joined) {
            field.name = name;
            field.value = value;
        }
    }
}
