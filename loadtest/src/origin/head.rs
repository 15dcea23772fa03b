//! Reading a request's head, strictly: what is ambiguous is refused (RFC 9112).
//!
//! Nothing is copied. Lines end in CRLF and in nothing else; only the fields that decide how to go on are looked at.

/// A whole head, in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head<'a> {
    pub(super) method: &'a [u8],
    pub(super) target: &'a [u8],
    /// The field lines, each with its CRLF.
    pub(super) fields: &'a [u8],
    pub(super) version: Version,
    pub(super) framing: Framing,
    /// Whether the connection may stay open after the answer.
    pub(super) keep_alive: bool,
    /// Whether the client waits for a word before it sends the body.
    pub(super) expects_continue: bool,
    /// Bytes of the whole, from the first one given.
    pub(super) len: usize,
}

/// The version of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Http10,
    Http11,
}

/// How long the body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
}

/// Why a request is not served: a status and a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) u16, pub(super) &'static str);

const BAD_LINE: Refusal = Refusal(400, "the request line is malformed");
const BAD_END: Refusal = Refusal(400, "a line does not end in CRLF");
const BAD_NAME: Refusal = Refusal(400, "a field name is malformed");
const BAD_VALUE: Refusal = Refusal(400, "a field value holds a control character");
const BAD_HOST: Refusal = Refusal(400, "there must be one Host");
const BAD_LENGTH: Refusal = Refusal(400, "the body's length is malformed or ambiguous");
const BAD_METHOD: Refusal = Refusal(501, "CONNECT is not served");
const BAD_VERSION: Refusal = Refusal(505, "only HTTP/1.1 and HTTP/1.0 are served");
const BAD_CODING: Refusal = Refusal(501, "the only transfer coding known is chunked");
const BAD_EXPECTATION: Refusal = Refusal(417, "the only expectation known is 100-continue");

/// What the fields have said so far.
#[derive(Default)]
struct Said {
    hosts: u32,
    length: Option<u64>,
    chunked: bool,
    close: bool,
    keep_alive: bool,
    expects_continue: bool,
}

/// Reads a head; none when it is not whole yet.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<Head<'_>>, Refusal> {
    // One empty line before a request is let pass (RFC 9112 section 2.2).
    let begin = if bytes.starts_with(b"\r\n") { 2 } else { 0 };
    let Some((line, mut at)) = line(bytes, begin)? else {
        return Ok(None);
    };
    let (method, target, version) = request_line(line)?;
    let first = at;
    let mut said = Said::default();
    loop {
        let Some((line, next)) = self::line(bytes, at)? else {
            return Ok(None);
        };
        if line.is_empty() {
            let fields = bytes.get(first..at).unwrap_or_default();
            return said.head(method, target, version, fields, next).map(Some);
        }
        said.field(line)?;
        at = next;
    }
}

/// The line that begins at `from`, without its end, and where the next one begins; none when it is not whole.
fn line(bytes: &[u8], from: usize) -> Result<Option<(&[u8], usize)>, Refusal> {
    let rest = bytes.get(from..).unwrap_or_default();
    let Some(end) = memchr::memchr(b'\n', rest) else {
        return Ok(None);
    };
    match rest.split_at(end).0 {
        [line @ .., b'\r'] => Ok(Some((line, from + end + 1))),
        _ => Err(BAD_END),
    }
}

fn request_line(line: &[u8]) -> Result<(&[u8], &[u8], Version), Refusal> {
    let space = memchr::memchr(b' ', line).ok_or(BAD_LINE)?;
    let (method, rest) = line.split_at(space);
    let rest = rest.get(1..).unwrap_or_default();
    let space = memchr::memrchr(b' ', rest).ok_or(BAD_LINE)?;
    let (target, version) = rest.split_at(space);
    let version = match version {
        b" HTTP/1.1" => Version::Http11,
        b" HTTP/1.0" => Version::Http10,
        other if other.starts_with(b" HTTP/") => return Err(BAD_VERSION),
        _ => return Err(BAD_LINE),
    };
    if !is_token(method) || target.is_empty() || !target.iter().all(u8::is_ascii_graphic) {
        return Err(BAD_LINE);
    }
    if method == b"CONNECT" {
        return Err(BAD_METHOD);
    }
    let absolute = || target.starts_with(b"http://") || target.starts_with(b"https://");
    let asterisk = || target == b"*" && method == b"OPTIONS";
    if !target.starts_with(b"/") && !absolute() && !asterisk() {
        return Err(BAD_LINE);
    }
    Ok((method, target, version))
}

impl Version {
    pub(super) fn as_bytes(self) -> &'static [u8] {
        match self {
            Version::Http10 => b"HTTP/1.0",
            Version::Http11 => b"HTTP/1.1",
        }
    }
}

impl Said {
    fn field(&mut self, line: &[u8]) -> Result<(), Refusal> {
        let (name, value) = split_field(line).ok_or(BAD_NAME)?;
        if !is_token(name) {
            // Also a line that begins with a space: folding is obsolete.
            return Err(BAD_NAME);
        }
        if value.iter().any(|it| it.is_ascii_control() && *it != b'\t') {
            return Err(BAD_VALUE);
        }
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => self.hosts += 1,
            6 if name.eq_ignore_ascii_case(b"expect") => {
                if !value.eq_ignore_ascii_case(b"100-continue") {
                    return Err(BAD_EXPECTATION);
                }
                self.expects_continue = true;
            }
            10 if name.eq_ignore_ascii_case(b"connection") => {
                for option in value.split(|it| *it == b',').map(<[u8]>::trim_ascii) {
                    self.close |= option.eq_ignore_ascii_case(b"close");
                    self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                let length = length(value).ok_or(BAD_LENGTH)?;
                if self.length.is_some() {
                    return Err(BAD_LENGTH);
                }
                self.length = Some(length);
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(BAD_CODING);
                }
                self.chunked = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn head<'a>(
        &self,
        method: &'a [u8],
        target: &'a [u8],
        version: Version,
        fields: &'a [u8],
        len: usize,
    ) -> Result<Head<'a>, Refusal> {
        let new = version == Version::Http11;
        if self.hosts > 1 || (self.hosts == 0 && new) {
            return Err(BAD_HOST);
        }
        let framing = match (self.chunked, self.length) {
            (false, length) => Framing::Length(length.unwrap_or(0)),
            (true, None) if new => Framing::Chunked,
            // Two lengths, or a coding that the version does not have: another server may read it otherwise.
            (true, _) => return Err(BAD_LENGTH),
        };
        Ok(Head {
            method,
            target,
            fields,
            version,
            framing,
            keep_alive: !self.close && (new || self.keep_alive),
            expects_continue: self.expects_continue && new,
            len,
        })
    }
}

/// Name and value of a field line.
pub(super) fn split_field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    let (name, value) = line.split_at(colon);
    Some((name, value.get(1..).unwrap_or_default().trim_ascii()))
}

fn is_token(name: &[u8]) -> bool {
    !name.is_empty()
        && name
            .iter()
            .all(|it| TOKEN.get(usize::from(*it)).is_some_and(|it| *it))
}

/// Which bytes a token may hold (RFC 9110 section 5.6.2).
static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let others = b"!#$%&'*+-.^_`|~";
    let mut at = 0;
    while at < 256 {
        table[at] = (at as u8).is_ascii_alphanumeric();
        at += 1;
    }
    at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
};

fn length(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 19 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(
        text.iter()
            .fold(0, |number, digit| number * 10 + u64::from(digit - b'0')),
    )
}

#[cfg(test)]
mod tests;
