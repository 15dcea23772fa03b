//! The one place that decides how long a body is and whether a connection lives on; ambiguity is an error.
//!
//! RFC 9112 section 6.3, tightened: every repetition of Content-Length is refused, even of one value, and the only
//! transfer coding is one `chunked`. [`Facts`] are collected in one pass over the fields, then asked.

use super::error::MessageError;
use crate::limits::MAX_CONNECTION_OPTIONS;
use crate::message::{
    BodyLength, Field, Folded, Method, Name, Span, Version, is_disguised, is_token, parse_length,
};

/// What the fields of one head say about framing and the connection.
#[derive(Default)]
pub(super) struct Facts {
    /// The first Host.
    pub(super) host: Option<Span>,
    /// Whether there is another.
    pub(super) repeated_host: bool,
    /// Whether TE lists `trailers`.
    pub(super) te_trailers: bool,
    /// Whether there is an Expect field.
    pub(super) has_expect: bool,
    /// Whether some expectation is not 100-continue.
    pub(super) unknown_expectation: bool,
    content_length: Option<u64>,
    chunked: bool,
    close: bool,
    keep_alive: bool,
    upgrade_option: bool,
    has_upgrade: bool,
    /// Connection options beyond the well-known ones: names of fields to drop.
    named: usize,
}

impl Facts {
    /// Takes note of one field. `value` is what `span` covers.
    #[inline]
    pub(super) fn note(
        &mut self,
        known: Name,
        name: &[u8],
        span: Span,
        value: &[u8],
    ) -> Result<(), MessageError> {
        match known {
            Name::Other if is_disguised(name) => {
                return Err(MessageError::DisguisedFramingField);
            }
            Name::Host if self.host.is_some() => self.repeated_host = true,
            Name::Host => self.host = Some(span),
            Name::ContentLength => {
                if self.content_length.is_some() {
                    return Err(MessageError::RepeatedContentLength);
                }
                let length = parse_length(value).ok_or_else(|| refused_length(value))?;
                self.content_length = Some(length);
            }
            Name::TransferEncoding => self.transfer_encoding(value)?,
            Name::Connection => self.connection(value)?,
            Name::Upgrade => self.has_upgrade |= !value.is_empty(),
            Name::Te => {
                self.te_trailers |= elements(value).any(|it| it.eq_ignore_ascii_case(b"trailers"));
            }
            Name::Expect => {
                self.has_expect = true;
                self.unknown_expectation |= !value.eq_ignore_ascii_case(b"100-continue");
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the sender lets the connection live on (RFC 9112 section 9.3).
    pub(super) fn keeps_alive(&self, version: Version) -> bool {
        !self.close && (version != Version::Http10 || self.keep_alive)
    }

    /// Whether an upgrade is asked for (RFC 9110 section 7.8; ignored in HTTP/1.0).
    pub(super) fn upgrades(&self, version: Version) -> bool {
        version != Version::Http10 && self.upgrade_option && self.has_upgrade
    }

    /// The length of a request's body.
    pub(super) fn request_body(&self, version: Version) -> Result<BodyLength, MessageError> {
        Ok(self.announced(version)?.unwrap_or(BodyLength::None))
    }

    /// The length of an answer's body, and whether bytes after the head can be taken for the next answer.
    pub(super) fn response_body(
        &self,
        version: Version,
        status: u16,
        request: Method,
    ) -> Result<(BodyLength, bool), MessageError> {
        let announced = self.announced(version)?;
        let has_none = request == Method::Head || matches!(status, 100..=199 | 204 | 304);
        if !has_none {
            let body = announced.unwrap_or(BodyLength::UntilClose);
            return Ok((body, body != BodyLength::UntilClose));
        }
        // A 1xx or 204 must not announce a body; one that does may well send it.
        let may_announce = status == 304 || (request == Method::Head && status >= 200);
        let silent = matches!(announced, None | Some(BodyLength::Exact(0)));
        Ok((BodyLength::None, may_announce || silent))
    }

    /// What the head announces, if anything; checks what must hold for every message.
    fn announced(&self, version: Version) -> Result<Option<BodyLength>, MessageError> {
        if !self.chunked {
            return Ok(self.content_length.map(BodyLength::Exact));
        }
        if self.content_length.is_some() {
            return Err(MessageError::TransferEncodingWithContentLength);
        }
        if version == Version::Http10 {
            return Err(MessageError::TransferEncodingInHttp10);
        }
        Ok(Some(BodyLength::Chunked))
    }

    fn transfer_encoding(&mut self, value: &[u8]) -> Result<(), MessageError> {
        for coding in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if self.chunked {
                return Err(MessageError::ChunkedNotFinal);
            }
            if coding.eq_ignore_ascii_case(b"chunked") {
                self.chunked = true;
                continue;
            }
            return Err(self.refused_coding(coding, value));
        }
        Ok(())
    }

    /// Names what is wrong with a coding that isn't plain `chunked`.
    #[cold]
    fn refused_coding(&self, coding: &[u8], value: &[u8]) -> MessageError {
        let name = coding
            .split(|byte| *byte == b';')
            .next()
            .map(<[u8]>::trim_ascii)
            .unwrap_or_default();
        let names_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
        if !is_token(name) || names_chunked(name) {
            return MessageError::TransferEncoding;
        }
        let mut all = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        let last = all.next_back().unwrap_or_default();
        if !names_chunked(last) && all.any(names_chunked) {
            return MessageError::ChunkedNotFinal;
        }
        MessageError::UnknownTransferCoding
    }

    fn connection(&mut self, value: &[u8]) -> Result<(), MessageError> {
        // Nearly always one word; a list is another text than any of them.
        if self.well_known_option(value) {
            return Ok(());
        }
        for option in elements(value) {
            if !self.well_known_option(option) {
                self.named += 1;
                if self.named > MAX_CONNECTION_OPTIONS {
                    return Err(MessageError::TooManyConnectionOptions);
                }
            }
        }
        Ok(())
    }

    /// Takes note of an option that names no field; false if it does.
    #[inline]
    fn well_known_option(&mut self, option: &[u8]) -> bool {
        let option = Folded::of(option);
        let it = |known| option == known;
        self.keep_alive |= it(KEEP_ALIVE);
        self.close |= it(CLOSE);
        self.upgrade_option |= it(UPGRADE);
        it(KEEP_ALIVE) || it(CLOSE) || it(UPGRADE)
    }

    /// Marks the fields that Connection names. Host and Content-Length can't be disowned so: they frame and route the
    /// message itself.
    pub(super) fn mark_named(&self, bytes: &[u8], fields: &mut [Field]) {
        if self.named == 0 {
            return;
        }
        for at in 0..fields.len() {
            let Some(field) = fields.get(at).copied() else {
                return;
            };
            if field.known != Name::Connection {
                continue;
            }
            for option in elements(field.value.of(bytes)) {
                mark(bytes, fields, option);
            }
        }
    }
}

fn mark(bytes: &[u8], fields: &mut [Field], option: &[u8]) {
    let known = Name::lookup(option);
    if matches!(known, Name::Host | Name::ContentLength) {
        return;
    }
    for field in fields {
        field.hop_by_hop |= field.known == known
            && (known != Name::Other || field.name.of(bytes).eq_ignore_ascii_case(option));
    }
}

const KEEP_ALIVE: Folded = Folded::of(b"keep-alive");
const CLOSE: Folded = Folded::of(b"close");
const UPGRADE: Folded = Folded::of(b"upgrade");

/// The elements of a comma-separated list, without the empty ones.
fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|element| !element.is_empty())
}

/// Names what is wrong with a length: a list of sound ones is a repetition.
#[cold]
fn refused_length(value: &[u8]) -> MessageError {
    let first = memchr::memchr(b',', value).and_then(|comma| value.get(..comma));
    match first {
        Some(first) if first.is_empty() || parse_length(first).is_some() => {
            MessageError::RepeatedContentLength
        }
        _ => MessageError::ContentLength,
    }
}
