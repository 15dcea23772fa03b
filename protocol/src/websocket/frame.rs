//! Frames of our own (RFC 6455 section 5.2): a Close towards either side, and small ones for tests of endpoints.

/// What a frame is (section 5.2).
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opcode {
    /// More of the message before it.
    Continuation = 0,
    /// A message of text begins.
    Text = 1,
    /// A message of bytes begins.
    Binary = 2,
    /// The last frame of its sender.
    Close = 8,
    /// To be answered by a Pong.
    Ping = 9,
    /// Answers a Ping.
    Pong = 10,
}

/// Why a tunnel is closed (section 7.4.1, and the registry that it founded).
#[repr(u16)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CloseCode {
    /// It has served its purpose.
    Normal = 1000,
    /// The endpoint goes away: what a gateway that drains says.
    GoingAway = 1001,
    /// The peer broke the protocol.
    ProtocolError = 1002,
    /// The peer broke a policy.
    PolicyViolation = 1008,
    /// A message was too large.
    MessageTooBig = 1009,
    /// Something went wrong on our side.
    InternalError = 1011,
    /// We restart; the client may come back.
    ServiceRestart = 1012,
    /// Too much is going on; the client may come back later.
    TryAgainLater = 1013,
}

/// Most bytes in a control frame (section 5.5).
pub(super) const MOST_CONTROL_BYTES: usize = 125;

/// Appends a Close. The reason is cut, at the end of a character, to what fits into a control frame. A client's frame
/// has a mask, a server's has none (section 5.1).
pub fn close_frame(code: CloseCode, reason: &str, mask: Option<[u8; 4]>, out: &mut Vec<u8>) {
    let mut payload = [0; MOST_CONTROL_BYTES];
    let end = reason.floor_char_boundary(MOST_CONTROL_BYTES - 2);
    let text = reason.as_bytes().get(..end).unwrap_or_default();
    let bytes = (code as u16).to_be_bytes();
    for (place, byte) in payload.iter_mut().zip(bytes.iter().chain(text)) {
        *place = *byte;
    }
    let payload = payload.get(..bytes.len() + end).unwrap_or_default();
    frame(Opcode::Close, payload, mask, out);
}

/// Appends a whole message, or a control frame, as one frame. More than 125 bytes in a control frame are the caller's
/// mistake.
pub fn frame(opcode: Opcode, payload: &[u8], mask: Option<[u8; 4]>, out: &mut Vec<u8>) {
    const FINAL: u8 = 0x80;
    const MASKED: u8 = 0x80;
    let is_control = opcode as u8 >= Opcode::Close as u8;
    debug_assert!(!is_control || payload.len() <= MOST_CONTROL_BYTES);
    let masked = if mask.is_some() { MASKED } else { 0 };
    out.push(FINAL | opcode as u8);
    match payload.len() {
        len @ ..=125 => out.push(masked | len as u8),
        len @ ..=0xffff => {
            out.push(masked | 126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            out.push(masked | 127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    let Some(mask) = mask else {
        out.extend_from_slice(payload);
        return;
    };
    out.extend_from_slice(&mask);
    let masked = payload.iter().zip(mask.iter().cycle());
    out.extend(masked.map(|(byte, mask)| byte ^ mask));
}
