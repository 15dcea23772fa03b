//! SETTINGS (RFC 9113 section 6.5): one parameter at a time, in and out. What values are allowed is in `connection`.

use super::{Header, Kind, flag};

/// Bytes of one parameter.
pub(crate) const ENTRY_LEN: usize = 6;

/// The parameters that mean something to us; others are ignored (section 6.5.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub(crate) enum Parameter {
    HeaderTableSize = 1,
    EnablePush = 2,
    MaxConcurrentStreams = 3,
    InitialWindowSize = 4,
    MaxFrameSize = 5,
    MaxHeaderListSize = 6,
    /// RFC 8441 section 3.
    EnableConnectProtocol = 8,
    /// RFC 9218 section 2.1.
    NoRfc7540Priorities = 9,
}

/// The parameter at the front of `bytes` and its value; the parameter is `None` when it isn't known.
pub(crate) fn entry(bytes: &[u8]) -> Option<(Option<Parameter>, u32)> {
    let [i0, i1, v0, v1, v2, v3] = *bytes.first_chunk::<ENTRY_LEN>()?;
    let parameter = match u16::from_be_bytes([i0, i1]) {
        1 => Some(Parameter::HeaderTableSize),
        2 => Some(Parameter::EnablePush),
        3 => Some(Parameter::MaxConcurrentStreams),
        4 => Some(Parameter::InitialWindowSize),
        5 => Some(Parameter::MaxFrameSize),
        6 => Some(Parameter::MaxHeaderListSize),
        8 => Some(Parameter::EnableConnectProtocol),
        9 => Some(Parameter::NoRfc7540Priorities),
        _ => None,
    };
    Some((parameter, u32::from_be_bytes([v0, v1, v2, v3])))
}

/// Appends SETTINGS with these parameters.
pub(crate) fn write(entries: &[(Parameter, u32)], out: &mut Vec<u8>) {
    header(entries.len() * ENTRY_LEN, 0).write(out);
    for (parameter, value) in entries {
        out.extend_from_slice(&(*parameter as u16).to_be_bytes());
        out.extend_from_slice(&value.to_be_bytes());
    }
}

/// Appends the answer to SETTINGS.
pub(crate) fn write_ack(out: &mut Vec<u8>) {
    header(0, flag::ACK).write(out);
}

fn header(len: usize, flags: u8) -> Header {
    Header {
        len: len as u32,
        kind: Kind::Settings,
        flags,
        stream: 0,
    }
}
