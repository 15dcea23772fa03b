//! Where messages end (protocol, "Length-Prefixed-Message"), in the bytes of one direction of a call.
//!
//! A [`Messages`] is a few words. It reads prefixes, however they are cut, and skips what is in messages by its length.

use std::fmt;

use super::Framing;

/// Bytes of a flag and a length.
pub const PREFIX_BYTES: usize = 5;

/// The bit of a flag that makes trailers of what follows (web protocol).
pub(super) const TRAILERS: u8 = 0x80;

/// The bit of a flag that says that what follows is compressed.
pub(super) const COMPRESSED: u8 = 0x01;

/// Why a body is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageError {
    /// A flag that has no meaning, or none in this framing.
    Flag,
    /// A message longer than allowed.
    TooLarge,
}

impl MessageError {
    /// Machine word for logs.
    pub fn cause(self) -> &'static str {
        match self {
            MessageError::Flag => "grpc_bad_flag",
            MessageError::TooLarge => "grpc_message_too_large",
        }
    }
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cause())
    }
}

impl std::error::Error for MessageError {}

/// What [`Messages::follow`] took.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Followed {
    /// Bytes taken from the front, which are messages or parts of them.
    pub consumed: usize,
    /// The trailers of gRPC-Web begin at `consumed`: go on with [`decode_trailers`](super::decode_trailers).
    pub at_trailers: bool,
}

/// Where in the messages of one direction we are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Messages {
    /// Whether trailers may stand behind messages.
    web: bool,
    /// Most bytes of a message.
    most: u32,
    state: State,
    /// Messages that have ended.
    count: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// So many bytes of a prefix; none between two messages.
    Prefix {
        bytes: [u8; PREFIX_BYTES],
        len: usize,
    },
    /// So many bytes of a message to come, at least one.
    Message(u32),
    /// It can't be told any more.
    Lost(MessageError),
}

const BETWEEN: State = State::Prefix {
    bytes: [0; PREFIX_BYTES],
    len: 0,
};

impl Messages {
    /// At the start of a body; text of gRPC-Web is to be decoded first.
    pub fn new(framing: Framing, most_message_bytes: u32) -> Self {
        Messages {
            web: framing != Framing::Grpc,
            most: most_message_bytes,
            state: BETWEEN,
            count: 0,
        }
    }

    /// Takes bytes that went through, up to the trailers if they are in the body. After an error, always that.
    pub fn follow(&mut self, bytes: &[u8]) -> Result<Followed, MessageError> {
        let mut consumed = 0;
        while let Some(rest) = bytes.get(consumed..).filter(|rest| !rest.is_empty()) {
            let first = rest.first().copied().unwrap_or(0);
            if self.web && self.is_between_messages() && first & !COMPRESSED == TRAILERS {
                return Ok(Followed {
                    consumed,
                    at_trailers: true,
                });
            }
            consumed += self.step(rest);
            if matches!(self.state, State::Lost(_)) {
                break;
            }
        }
        match self.state {
            State::Lost(error) => Err(error),
            _ => Ok(Followed {
                consumed,
                at_trailers: false,
            }),
        }
    }

    /// Whether a message has just ended or none has begun. A body that ends elsewhere was cut.
    pub fn is_between_messages(&self) -> bool {
        matches!(self.state, State::Prefix { len: 0, .. })
    }

    /// How many messages have ended.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Takes what is at the front of `rest`, which is not empty; gives how much.
    fn step(&mut self, rest: &[u8]) -> usize {
        match self.state {
            State::Lost(_) => 0,
            State::Message(left) => {
                let taken = u32::try_from(rest.len()).unwrap_or(u32::MAX).min(left);
                self.message(left - taken);
                taken as usize
            }
            State::Prefix { mut bytes, mut len } => {
                let places = bytes.get_mut(len..).unwrap_or_default();
                let taken = places.len().min(rest.len());
                for (place, byte) in places.iter_mut().zip(rest) {
                    *place = *byte;
                }
                len += taken;
                self.state = State::Prefix { bytes, len };
                let [flag, length @ ..] = bytes;
                let length = u32::from_be_bytes(length);
                if flag & !COMPRESSED != 0 {
                    self.state = State::Lost(MessageError::Flag);
                } else if len == PREFIX_BYTES && length > self.most {
                    self.state = State::Lost(MessageError::TooLarge);
                } else if len == PREFIX_BYTES {
                    self.message(length);
                }
                taken
            }
        }
    }

    /// So much of a message is still to come.
    fn message(&mut self, left: u32) {
        self.state = match left {
            0 => {
                self.count += 1;
                BETWEEN
            }
            left => State::Message(left),
        };
    }
}

/// Appends a message, uncompressed, with its prefix. One of 4 GiB or more is the caller's mistake and is left out.
pub fn push_message(message: &[u8], out: &mut Vec<u8>) {
    let Ok(len) = u32::try_from(message.len()) else {
        debug_assert!(false, "messages are bounded far below");
        return;
    };
    out.push(0);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(message);
}
