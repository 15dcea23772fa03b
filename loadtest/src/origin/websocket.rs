//! WebSocket without a socket: the handshake's proof, frames in, messages out (RFC 6455).
//!
//! Written for the origin alone, and strict, so that what stands between a client and it can be tested: every fault a
//! client makes has its close code. No extensions. Invariant: a message is given only when it is whole and, if it is a
//! text, UTF-8.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::head::{Head, Refusal, split_field};

/// The longest message that is taken.
const MAX_MESSAGE: usize = 64 << 20;
/// Memory that is kept from one message to the next.
const KEPT: usize = 1 << 20;
/// What is appended to a key before it is hashed (RFC 6455 section 1.3).
const PROOF: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const NO_UPGRADE: Refusal = Refusal(426, "this is a WebSocket: ask with Upgrade: websocket");
const BAD_KEY: Refusal = Refusal(400, "Sec-WebSocket-Key is not 16 bytes in base64");
const BAD_VERSION: Refusal = Refusal(426, "only version 13 of WebSocket is spoken");

/// A handshake that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Handshake {
    /// The value of `Sec-WebSocket-Accept`.
    pub(super) accept: String,
    /// The first protocol that the client offers.
    pub(super) protocol: Option<String>,
}

impl Handshake {
    /// Reads it from a request's head (RFC 6455 section 4.2.1).
    pub(super) fn read(head: &Head<'_>) -> Result<Handshake, Refusal> {
        let (mut upgrade, mut connection, mut version) = (false, false, false);
        let (mut key, mut protocol) = (None, None);
        let lines = head.fields.split(|it| *it == b'\n');
        for (name, value) in lines.filter_map(|line| split_field(line.trim_ascii_end())) {
            let mut items = value.split(|it| *it == b',').map(<[u8]>::trim_ascii);
            match name.to_ascii_lowercase().as_slice() {
                b"upgrade" => upgrade |= items.any(|it| it.eq_ignore_ascii_case(b"websocket")),
                b"connection" => connection |= items.any(|it| it.eq_ignore_ascii_case(b"upgrade")),
                b"sec-websocket-version" => version = value == b"13",
                b"sec-websocket-key" => key = Some(value),
                b"sec-websocket-protocol" if protocol.is_none() => protocol = items.next(),
                _ => {}
            }
        }
        if !upgrade || !connection || head.method != b"GET" {
            return Err(NO_UPGRADE);
        }
        if !version {
            return Err(BAD_VERSION);
        }
        let key = key.ok_or(BAD_KEY)?;
        match STANDARD.decode(key) {
            Ok(bytes) if bytes.len() == 16 => {}
            _ => return Err(BAD_KEY),
        }
        let proof = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[key, PROOF].concat());
        Ok(Handshake {
            accept: STANDARD.encode(proof),
            protocol: protocol.map(|it| String::from_utf8_lossy(it).into_owned()),
        })
    }
}

/// What a frame is (RFC 6455 section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Kind::Text => 1,
            Kind::Binary => 2,
            Kind::Close => 8,
            Kind::Ping => 9,
            Kind::Pong => 10,
        }
    }
}

/// Why the connection fails: a close code (RFC 6455 section 7.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault(pub(super) u16);

const PROTOCOL: Fault = Fault(1002);
const NOT_UTF8: Fault = Fault(1007);
const TOO_BIG: Fault = Fault(1009);

/// The frame that is being read.
#[derive(Clone, Copy, Debug)]
struct Current {
    /// None: it goes on with the message.
    kind: Option<Kind>,
    last: bool,
    mask: [u8; 4],
    /// Bytes of it that have been read, and that are still to come.
    read: u64,
    left: u64,
}

/// Puts messages together from frames.
#[derive(Debug, Default)]
pub(super) struct Messages {
    frame: Option<Current>,
    /// What the message is whose frames are coming; a control frame may stand between them.
    kind: Option<Kind>,
    message: Vec<u8>,
    /// Bytes of a text that are known to be UTF-8.
    valid: usize,
    control: Vec<u8>,
    given: bool,
}

impl Messages {
    /// Takes bytes from the front: how many, and what has become whole. [`Messages::payload`] has it until the next call.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(usize, Option<Kind>), Fault> {
        self.forget();
        let Some(mut frame) = self.frame.take() else {
            let Some((frame, used)) = self.begin(bytes)? else {
                return Ok((0, None));
            };
            self.frame = Some(frame);
            return Ok((used, None));
        };
        let here = usize::try_from(frame.left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let control = matches!(frame.kind, Some(Kind::Close | Kind::Ping | Kind::Pong));
        let into = match control {
            true => &mut self.control,
            false => &mut self.message,
        };
        let mask = (0..).map(|at: u64| frame.mask[((frame.read + at) % 4) as usize]);
        into.extend(
            bytes
                .iter()
                .take(here)
                .zip(mask)
                .map(|(byte, mask)| byte ^ mask),
        );
        (frame.read, frame.left) = (frame.read + here as u64, frame.left - here as u64);
        let whole = frame.left == 0;
        let kind = frame.kind.or(self.kind);
        if !control && self.kind == Some(Kind::Text) {
            self.check_text(whole && frame.last)?;
        }
        if !whole {
            self.frame = Some(frame);
            return Ok((here, None));
        }
        if !frame.last {
            return Ok((here, None));
        }
        self.given = true;
        if !control {
            self.kind = None;
        }
        Ok((here, kind))
    }

    /// The payload of what was given last.
    pub(super) fn payload(&self, kind: Kind) -> &[u8] {
        match kind {
            Kind::Text | Kind::Binary => &self.message,
            Kind::Close | Kind::Ping | Kind::Pong => &self.control,
        }
    }

    /// What is to be said back to a Close: its own code, or what is wrong with it.
    pub(super) fn farewell(&self) -> Result<Option<u16>, Fault> {
        match self.control.as_slice() {
            [] => Ok(None),
            [high, low, reason @ ..] => {
                let code = u16::from_be_bytes([*high, *low]);
                if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                    return Err(PROTOCOL);
                }
                match std::str::from_utf8(reason) {
                    Ok(_) => Ok(Some(code)),
                    Err(_) => Err(NOT_UTF8),
                }
            }
            [_] => Err(PROTOCOL),
        }
    }

    /// Whether what was given last is done with.
    fn forget(&mut self) {
        if std::mem::take(&mut self.given) {
            self.control.clear();
            if self.kind.is_none() {
                self.message.clear();
                self.message.shrink_to(KEPT);
                self.valid = 0;
            }
        }
    }

    /// Reads a frame's header; none when it is not whole.
    fn begin(&mut self, bytes: &[u8]) -> Result<Option<(Current, usize)>, Fault> {
        let [first, second, rest @ ..] = bytes else {
            return Ok(None);
        };
        let last = first & 0x80 != 0;
        let kind = match first & 0x7f {
            0 => None,
            1 => Some(Kind::Text),
            2 => Some(Kind::Binary),
            8 => Some(Kind::Close),
            9 => Some(Kind::Ping),
            10 => Some(Kind::Pong),
            // An opcode that is reserved, or a bit of an extension that was not agreed on.
            _ => return Err(PROTOCOL),
        };
        let control = matches!(kind, Some(Kind::Close | Kind::Ping | Kind::Pong));
        let short = second & 0x7f;
        // A client masks; control frames are short and whole.
        if second & 0x80 == 0 || (control && (!last || short > 125)) {
            return Err(PROTOCOL);
        }
        let goes_on = kind.is_none();
        if !control && goes_on != self.kind.is_some() {
            return Err(PROTOCOL);
        }
        let (left, rest) = match (short, rest) {
            (126, [a, b, rest @ ..]) => (u64::from(u16::from_be_bytes([*a, *b])), rest),
            (127, rest) => match rest.split_first_chunk::<8>() {
                Some((length, rest)) => (u64::from_be_bytes(*length), rest),
                None => return Ok(None),
            },
            (126, _) => return Ok(None),
            (length, rest) => (u64::from(length), rest),
        };
        let Some((mask, rest)) = rest.split_first_chunk::<4>() else {
            return Ok(None);
        };
        if left > (MAX_MESSAGE - self.message.len()) as u64 {
            return Err(TOO_BIG);
        }
        if !control && !goes_on {
            self.kind = kind;
        }
        let frame = Current {
            kind,
            last,
            mask: *mask,
            read: 0,
            left,
        };
        Ok(Some((frame, bytes.len() - rest.len())))
    }

    /// A text that can't become UTF-8 any more is told of at once.
    fn check_text(&mut self, whole: bool) -> Result<(), Fault> {
        let rest = self.message.get(self.valid..).unwrap_or_default();
        match std::str::from_utf8(rest) {
            Ok(_) => self.valid = self.message.len(),
            Err(error) if error.error_len().is_none() && !whole => {
                self.valid += error.valid_up_to();
            }
            Err(_) => return Err(NOT_UTF8),
        }
        Ok(())
    }
}

/// The header of a frame that holds a whole payload of this length, unmasked as a server's are.
pub(super) fn header(kind: Kind, length: usize) -> ([u8; 10], usize) {
    let mut bytes = [0; 10];
    bytes[0] = 0x80 | kind.code();
    let len = match length {
        0..126 => {
            bytes[1] = length as u8;
            2
        }
        126..0x1_0000 => {
            bytes[1] = 126;
            bytes[2..4].copy_from_slice(&(length as u16).to_be_bytes());
            4
        }
        _ => {
            bytes[1] = 127;
            bytes[2..].copy_from_slice(&(length as u64).to_be_bytes());
            10
        }
    };
    (bytes, len)
}

#[cfg(test)]
mod tests;
