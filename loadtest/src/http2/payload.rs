//! Payloads that both roles read the same way.

use super::Broken;
use super::frame::{self, Header};

/// The greatest window (RFC 9113 section 6.9.1).
pub(super) const GREATEST: i64 = 0x7fff_ffff;

/// The payload of HEADERS without padding and priority (RFC 9113 section 6.2).
pub(super) fn bare(header: Header, payload: &[u8]) -> Result<&[u8], Broken> {
    let mut bare = payload;
    let mut padding = 0;
    if header.has(frame::PADDED) {
        let (length, behind) = bare.split_first().ok_or(SHORT)?;
        (padding, bare) = (usize::from(*length), behind);
    }
    if header.has(frame::WITH_PRIORITY) {
        bare = bare.get(5..).ok_or(SHORT)?;
    }
    let len = bare.len().checked_sub(padding);
    let len = len.ok_or(Broken::protocol(
        "a frame's padding is longer than the frame",
    ))?;
    Ok(bare.get(..len).unwrap_or_default())
}

const SHORT: Broken = Broken {
    rule: "a frame is too short for what it says it has",
    code: super::FRAME_SIZE_ERROR,
};

/// A payload of one number.
pub(super) fn number(payload: &[u8]) -> Result<u32, Broken> {
    let number = <[u8; 4]>::try_from(payload).map(u32::from_be_bytes);
    number.map_err(|_| Broken::size("a frame's payload is not one number"))
}

/// The values of SETTINGS, as far as both roles check them alike; none when they only acknowledge.
pub(super) fn settings(
    header: Header,
    payload: &[u8],
) -> Result<Option<impl Iterator<Item = (u16, u32)>>, Broken> {
    if header.stream != 0 {
        return Err(Broken::protocol("SETTINGS of a stream"));
    }
    if header.has(frame::ACK) {
        return match payload.is_empty() {
            true => Ok(None),
            false => Err(Broken::size("SETTINGS that acknowledge have a payload")),
        };
    }
    let (values, []) = payload.as_chunks::<6>() else {
        return Err(Broken::size("SETTINGS are not six bytes each"));
    };
    let pair = |[a, b, c, d, e, f]: &[u8; 6]| {
        let (setting, value) = ([*a, *b], [*c, *d, *e, *f]);
        (u16::from_be_bytes(setting), u32::from_be_bytes(value))
    };
    for (setting, value) in values.iter().map(pair) {
        match setting {
            frame::INITIAL_WINDOW_SIZE if i64::from(value) > GREATEST => {
                return Err(Broken::flow("INITIAL_WINDOW_SIZE is too large"));
            }
            frame::MAX_FRAME_SIZE if !(16_384..1 << 24).contains(&value) => {
                return Err(Broken::protocol("MAX_FRAME_SIZE is out of bounds"));
            }
            _ => {}
        }
    }
    Ok(Some(values.iter().map(pair)))
}

/// Answers a PING (RFC 9113 section 6.7).
pub(super) fn ping(header: Header, payload: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
    if header.stream != 0 {
        return Err(Broken::protocol("PING of a stream"));
    }
    if payload.len() != 8 {
        return Err(Broken::size("PING has not eight bytes"));
    }
    if !header.has(frame::ACK) {
        Header {
            flags: frame::ACK,
            ..header
        }
        .write(out);
        out.extend_from_slice(payload);
    }
    Ok(())
}

/// The value of content-length.
pub(super) fn length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > 19 {
        return None;
    }
    value.iter().try_fold(0_u64, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + u64::from(byte - b'0'))
    })
}
