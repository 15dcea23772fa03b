//! Where frames end (RFC 6455 section 5.2), in the bytes of one direction of a tunnel.
//!
//! A [`Follower`] is a few words, whatever is sent through. It reads frame headers, however they are cut, and skips
//! payload by its length. What it can't follow it says once and for all: from there on nobody knows where a frame
//! ends, so nothing may be written in between; whether the tunnel may go on is for its owner to decide.

use std::fmt;

use super::frame::MOST_CONTROL_BYTES;
use crate::message::Response;

/// Whose frames they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sender {
    /// Every frame is masked (section 5.1).
    Client,
    /// No frame is.
    Server,
}

/// What the two ends have agreed on, as far as it changes frame headers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extensions {
    /// Nothing: the reserved bits are zero.
    None,
    /// permessage-deflate (RFC 7692): the first reserved bit may be set where a message begins.
    Deflate,
    /// Something else: reserved bits and opcodes may mean anything.
    Other,
}

impl Extensions {
    /// What an endpoint's answer to the handshake agrees to.
    pub fn agreed(response: Response<'_>) -> Extensions {
        let mut agreed = Extensions::None;
        let is_meant = |name: &[u8]| name.eq_ignore_ascii_case(b"sec-websocket-extensions");
        for (_, _, value) in response.fields().filter(|(_, name, _)| is_meant(name)) {
            for element in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                let name = element.split(|byte| *byte == b';').next();
                let name = name.unwrap_or_default().trim_ascii_end();
                agreed = match agreed {
                    _ if element.is_empty() => agreed,
                    Extensions::None if name.eq_ignore_ascii_case(b"permessage-deflate") => {
                        Extensions::Deflate
                    }
                    _ => Extensions::Other,
                };
            }
        }
        agreed
    }
}

/// Why frames can't be followed any further.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameError {
    /// A reserved bit that no extension allows.
    ReservedBit,
    /// An opcode that has no meaning.
    Opcode,
    /// A client's frame without mask, or a server's with one.
    Mask,
    /// A control frame that is not final.
    FragmentedControl,
    /// A control frame of more than 125 bytes.
    LongControl,
    /// A Close of one byte, half a code.
    CloseLength,
    /// A continuation of no message.
    Continuation,
    /// A message that begins within another.
    Interleaved,
    /// A length that is not written in the fewest bytes.
    LengthForm,
    /// A length of 2^63 or more.
    LengthTooLarge,
    /// A frame behind a Close.
    AfterClose,
}

impl FrameError {
    /// Machine word for logs.
    pub fn cause(self) -> &'static str {
        match self {
            FrameError::ReservedBit => "websocket_reserved_bit",
            FrameError::Opcode => "websocket_bad_opcode",
            FrameError::Mask => "websocket_bad_mask",
            FrameError::FragmentedControl => "websocket_fragmented_control",
            FrameError::LongControl => "websocket_long_control",
            FrameError::CloseLength => "websocket_bad_close",
            FrameError::Continuation => "websocket_stray_continuation",
            FrameError::Interleaved => "websocket_interleaved_message",
            FrameError::LengthForm => "websocket_bad_length",
            FrameError::LengthTooLarge => "websocket_length_too_large",
            FrameError::AfterClose => "websocket_frame_after_close",
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cause())
    }
}

impl std::error::Error for FrameError {}

/// Where in the frames of one sender we are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Follower {
    sender: Sender,
    extensions: Extensions,
    state: State,
    /// Whether the last frame that carries data was not the last of its message.
    in_message: bool,
    /// Whether a Close has begun.
    closing: bool,
    /// Frames that have ended.
    frames: u64,
}

/// Longest header: two bytes, eight of length, four of mask.
const MOST_HEADER_BYTES: usize = 14;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// So many bytes of a header; none between two frames.
    Header {
        bytes: [u8; MOST_HEADER_BYTES],
        len: usize,
    },
    /// So many bytes of payload to come, at least one.
    Payload(u64),
    /// It can't be told any more.
    Lost(FrameError),
}

const BETWEEN: State = State::Header {
    bytes: [0; MOST_HEADER_BYTES],
    len: 0,
};

impl Follower {
    /// At the start of a tunnel.
    pub fn new(sender: Sender, extensions: Extensions) -> Self {
        Follower {
            sender,
            extensions,
            state: BETWEEN,
            in_message: false,
            closing: false,
            frames: 0,
        }
    }

    /// Takes bytes that went through.
    pub fn follow(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = self.follow_to_boundary(rest)?;
            rest = rest.get(taken..).unwrap_or_default();
        }
        match self.state {
            State::Lost(error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Takes bytes up to the first end of a frame in them, or all if none ends: the part that may still be written
    /// before something of our own is. Gives how many; they are more than none if there are any.
    pub fn follow_to_boundary(&mut self, bytes: &[u8]) -> Result<usize, FrameError> {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            taken += match self.step(rest) {
                Ok(step) => step,
                Err(error) => {
                    self.state = State::Lost(error);
                    return Err(error);
                }
            };
            if self.is_between_frames() {
                break;
            }
        }
        Ok(taken)
    }

    /// Whether a frame has just ended or none has begun. Between the frames of one message counts too: a control frame
    /// may stand there (section 5.4).
    pub fn is_between_frames(&self) -> bool {
        matches!(self.state, State::Header { len: 0, .. })
    }

    /// Whether a Close of our own may be written here in the sender's name: between two frames, and it has not said
    /// Close itself.
    pub fn may_close(&self) -> bool {
        self.is_between_frames() && !self.closing
    }

    /// Whether a Close has begun.
    pub fn has_closed(&self) -> bool {
        self.closing
    }

    /// How many frames have ended.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Takes what is at the front of `rest`, which is not empty.
    fn step(&mut self, rest: &[u8]) -> Result<usize, FrameError> {
        match self.state {
            State::Lost(error) => Err(error),
            State::Payload(left) => {
                let taken = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                self.payload(left - taken as u64);
                Ok(taken)
            }
            State::Header { mut bytes, mut len } => {
                // Up to where the header's length is known, then up to its end.
                let wanted = if len < 2 { 2 } else { header_len(&bytes) };
                let places = bytes.get_mut(len..wanted).unwrap_or_default();
                let taken = places.len().min(rest.len());
                for (place, byte) in places.iter_mut().zip(rest) {
                    *place = *byte;
                }
                len += taken;
                self.state = State::Header { bytes, len };
                if len == 2 && taken > 0 {
                    self.check(bytes[0], bytes[1])?;
                }
                if len >= 2 && len == header_len(&bytes) {
                    self.begin(&bytes)?;
                }
                Ok(taken)
            }
        }
    }

    /// Judges what the first two bytes of a header say.
    fn check(&self, first: u8, second: u8) -> Result<(), FrameError> {
        let (is_final, reserved, opcode) = (first & 0x80 != 0, first & 0x70, first & 0x0f);
        let (is_masked, len) = (second & 0x80 != 0, usize::from(second & 0x7f));
        let (is_control, is_continuation) = (opcode & 8 != 0, opcode == 0);
        if self.closing {
            return Err(FrameError::AfterClose);
        }
        let allowed = match self.extensions {
            Extensions::None => 0,
            Extensions::Deflate if is_control || is_continuation => 0,
            Extensions::Deflate => 0x40,
            Extensions::Other => 0x70,
        };
        if reserved & !allowed != 0 {
            return Err(FrameError::ReservedBit);
        }
        let is_known = matches!(opcode, 0..=2 | 8..=10);
        if !is_known && self.extensions != Extensions::Other {
            return Err(FrameError::Opcode);
        }
        if is_masked != (self.sender == Sender::Client) {
            return Err(FrameError::Mask);
        }
        match opcode {
            8.. if !is_final => Err(FrameError::FragmentedControl),
            8.. if len > MOST_CONTROL_BYTES => Err(FrameError::LongControl),
            8 if len == 1 => Err(FrameError::CloseLength),
            0 if !self.in_message => Err(FrameError::Continuation),
            1..8 if self.in_message => Err(FrameError::Interleaved),
            _ => Ok(()),
        }
    }

    /// A header is whole.
    fn begin(&mut self, bytes: &[u8; MOST_HEADER_BYTES]) -> Result<(), FrameError> {
        let len = payload_len(bytes)?;
        let (is_final, opcode) = (bytes[0] & 0x80 != 0, bytes[0] & 0x0f);
        match opcode {
            8 => self.closing = true,
            9.. => {}
            _ => self.in_message = !is_final,
        }
        self.payload(len);
        Ok(())
    }

    /// So much payload is still to come.
    fn payload(&mut self, left: u64) {
        self.state = match left {
            0 => {
                self.frames += 1;
                BETWEEN
            }
            left => State::Payload(left),
        };
    }
}

/// How long a header is, by its second byte.
fn header_len(bytes: &[u8; MOST_HEADER_BYTES]) -> usize {
    let length = match bytes[1] & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let mask = if bytes[1] & 0x80 != 0 { 4 } else { 0 };
    2 + length + mask
}

/// How long the payload is; the header is whole.
fn payload_len(bytes: &[u8; MOST_HEADER_BYTES]) -> Result<u64, FrameError> {
    let &[_, second, a, b, c, d, e, f, g, h, ..] = bytes;
    match second & 0x7f {
        126 => match u16::from_be_bytes([a, b]) {
            ..126 => Err(FrameError::LengthForm),
            len => Ok(u64::from(len)),
        },
        127 => match u64::from_be_bytes([a, b, c, d, e, f, g, h]) {
            ..0x1_0000 => Err(FrameError::LengthForm),
            len if len > i64::MAX as u64 => Err(FrameError::LengthTooLarge),
            len => Ok(len),
        },
        len => Ok(u64::from(len)),
    }
}
