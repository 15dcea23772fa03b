//! The health checking protocol: `grpc.health.v1.Health/Check`, its two messages written and read by hand.
//!
//! Both have one field, of number 1: the service's name, the status. What else a message holds is skipped, as protobuf
//! wants it. Prefixes of messages are not here but in `messages`.

use std::fmt;

/// The path that is called with POST.
pub const PATH: &str = "/grpc.health.v1.Health/Check";

/// What an endpoint says of a service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Serving {
    /// It doesn't know, or says what nobody knows.
    Unknown,
    /// It serves.
    Serving,
    /// It doesn't.
    NotServing,
    /// It has no such service; used by Watch alone.
    ServiceUnknown,
}

/// Why bytes are no message of protobuf.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WireError {
    /// They end within a field.
    Cut,
    /// A number of more than 64 bits.
    Number,
    /// A field's number or type that there can't be.
    Field,
    /// A string that is not UTF-8.
    Text,
}

impl WireError {
    /// Machine word for logs.
    pub fn cause(self) -> &'static str {
        match self {
            WireError::Cut => "protobuf_cut",
            WireError::Number => "protobuf_bad_number",
            WireError::Field => "protobuf_bad_field",
            WireError::Text => "protobuf_bad_text",
        }
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cause())
    }
}

impl std::error::Error for WireError {}

/// The number of the one field in both messages.
const ONLY_FIELD: u64 = 1;

/// Appends the question for a service; the empty name is the endpoint as a whole.
pub fn encode_request(service: &str, out: &mut Vec<u8>) {
    // A field that has its default is not written.
    if !service.is_empty() {
        out.push((ONLY_FIELD as u8) << 3 | LENGTH_DELIMITED);
        push_number(service.len() as u64, out);
        out.extend_from_slice(service.as_bytes());
    }
}

/// Appends an answer.
pub fn encode_response(serving: Serving, out: &mut Vec<u8>) {
    let number = match serving {
        Serving::Unknown => return,
        Serving::Serving => 1,
        Serving::NotServing => 2,
        Serving::ServiceUnknown => 3,
    };
    out.push((ONLY_FIELD as u8) << 3 | VARINT);
    push_number(number, out);
}

/// The service that a question is about.
pub fn decode_request(message: &[u8]) -> Result<&str, WireError> {
    let mut service = "";
    for_each_field(message, |value| {
        if let Value::Bytes(bytes) = value {
            service = std::str::from_utf8(bytes).map_err(|_| WireError::Text)?;
        }
        Ok(())
    })?;
    Ok(service)
}

/// What an answer says.
pub fn decode_response(message: &[u8]) -> Result<Serving, WireError> {
    let mut serving = Serving::Unknown;
    for_each_field(message, |value| {
        if let Value::Number(number) = value {
            serving = match number {
                1 => Serving::Serving,
                2 => Serving::NotServing,
                3 => Serving::ServiceUnknown,
                _ => Serving::Unknown,
            };
        }
        Ok(())
    })?;
    Ok(serving)
}

/// Types of fields on the wire.
const VARINT: u8 = 0;
const FIXED_64: u8 = 1;
const LENGTH_DELIMITED: u8 = 2;
const FIXED_32: u8 = 5;

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// Walks a message and shows each value of field 1, the last of which counts. All other fields are skipped; groups,
/// which proto3 doesn't have, are refused.
fn for_each_field<'a>(
    message: &'a [u8],
    mut show: impl FnMut(Value<'a>) -> Result<(), WireError>,
) -> Result<(), WireError> {
    let mut rest = message;
    while !rest.is_empty() {
        let tag = take_number(&mut rest)?;
        let (field, kind) = (tag >> 3, (tag & 7) as u8);
        if field == 0 || field >= 1 << 29 {
            return Err(WireError::Field);
        }
        let value = match kind {
            VARINT => Some(Value::Number(take_number(&mut rest)?)),
            FIXED_64 => take(&mut rest, 8).map(|_| None)?,
            FIXED_32 => take(&mut rest, 4).map(|_| None)?,
            LENGTH_DELIMITED => {
                let len = take_number(&mut rest)?;
                let len = usize::try_from(len).map_err(|_| WireError::Cut)?;
                Some(Value::Bytes(take(&mut rest, len)?))
            }
            _ => return Err(WireError::Field),
        };
        if let Some(value) = value.filter(|_| field == ONLY_FIELD) {
            show(value)?;
        }
    }
    Ok(())
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Result<&'a [u8], WireError> {
    let (taken, after) = rest.split_at_checked(len).ok_or(WireError::Cut)?;
    *rest = after;
    Ok(taken)
}

fn take_number(rest: &mut &[u8]) -> Result<u64, WireError> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first().ok_or(WireError::Cut)?;
        *rest = after;
        let value = u64::from(byte & 0x7f);
        // The tenth byte has room for one bit.
        if shift == 63 && value > 1 {
            return Err(WireError::Number);
        }
        number |= value << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(WireError::Number)
}

fn push_number(number: u64, out: &mut Vec<u8>) {
    let mut rest = number;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}
