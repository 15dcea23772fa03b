//! Frames as RFC 6455 section 5.2 has them, written down a second time: what the gateway's own code says of them is not
//! asked.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tests::wire::Wire;

pub(super) const TEXT: u8 = 1;
pub(super) const BINARY: u8 = 2;
pub(super) const CLOSE: u8 = 8;

/// A frame as it came.
pub(super) struct Frame {
    pub(super) opcode: u8,
    pub(super) masked: bool,
    /// Without the mask.
    pub(super) payload: Vec<u8>,
}

/// A final frame.
pub(super) fn frame(opcode: u8, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let bit = if mask.is_some() { 0x80 } else { 0 };
    let mut out = vec![0x80 | opcode];
    match payload.len() {
        len @ 0..126 => out.push(bit | len as u8),
        len @ 126..0x1_0000 => {
            out.push(bit | 126);
            out.extend((len as u16).to_be_bytes());
        }
        len => {
            out.push(bit | 127);
            out.extend((len as u64).to_be_bytes());
        }
    }
    out.extend(mask.into_iter().flatten());
    let mask = mask.unwrap_or_default();
    out.extend(
        payload
            .iter()
            .enumerate()
            .map(|(at, byte)| byte ^ mask[at % 4]),
    );
    out
}

/// Reads a frame, which must be a final one.
pub(super) fn read(wire: &mut Wire) -> io::Result<Frame> {
    loop {
        if let Some((frame, len)) = parse(wire.rest()) {
            wire.take(len)?;
            return Ok(frame);
        }
        if wire.fill()? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// The frame at the front and its length, if it is whole.
pub(super) fn parse(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (head, rest) = bytes.split_first_chunk::<2>()?;
    assert_eq!(head[0] & 0xf0, 0x80, "a final frame without extensions");
    let masked = head[1] & 0x80 != 0;
    let (len, rest) = match head[1] & 0x7f {
        126 => {
            let (len, rest) = rest.split_first_chunk::<2>()?;
            (u64::from(u16::from_be_bytes(*len)), rest)
        }
        127 => {
            let (len, rest) = rest.split_first_chunk::<8>()?;
            (u64::from_be_bytes(*len), rest)
        }
        len => (u64::from(len), rest),
    };
    let (mask, rest) = match masked {
        true => rest.split_first_chunk::<4>()?,
        false => (&[0; 4], rest),
    };
    let payload = rest.get(..len as usize)?;
    let plain = payload.iter().zip(mask.iter().cycle());
    let frame = Frame {
        opcode: head[0] & 0x0f,
        masked,
        payload: plain.map(|(byte, mask)| byte ^ mask).collect(),
    };
    let after = rest.len() - payload.len();
    Some((frame, bytes.len() - after))
}

/// The proof that a key was read (section 4.2.2).
pub(super) fn accept(key: &str) -> String {
    let text = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    STANDARD.encode(digest)
}
