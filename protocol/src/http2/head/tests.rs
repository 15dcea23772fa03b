//! Heads from blocks and blocks from heads, by the section of RFC 9113 they belong to.

mod encoding;
mod limits;
mod malformed;
mod properties;
mod requests;
mod responses;

use super::*;
use crate::limits::BlockLimits;
use crate::message::{BodyLength, Field, Method, Name, RequestHead, ResponseHead};

const LIMITS: BlockLimits = BlockLimits::DEFAULT;

/// A block of literals that touch no table: what any peer could send.
fn block<N: AsRef<[u8]>, V: AsRef<[u8]>>(list: &[(N, V)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in list {
        out.push(0x00);
        for text in [name.as_ref(), value.as_ref()] {
            let mut rest = text.len();
            if rest < 127 {
                out.push(rest as u8);
            } else {
                out.push(127);
                rest -= 127;
                while rest >= 128 {
                    out.push(rest as u8 | 128);
                    rest >>= 7;
                }
                out.push(rest as u8);
            }
            out.extend_from_slice(text);
        }
    }
    out
}

/// What every request has to have, before `rest`.
fn with_get<'a>(rest: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut list = vec![
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/"),
        (":authority", "a.example"),
    ];
    list.extend_from_slice(rest);
    list
}

/// Whether the stream ends with the head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Here,
    Later,
}

fn request_with(
    list: &[(&str, &str)],
    end: End,
    limits: &BlockLimits,
) -> Result<(RequestHead, Vec<u8>), HeadError> {
    let mut head = RequestHead::new();
    let mut arena = b"stale".to_vec();
    Decoder::new(4096).request(
        &block(list),
        end == End::Here,
        limits,
        &mut head,
        &mut arena,
    )?;
    Ok((head, arena))
}

fn request(list: &[(&str, &str)], end: End) -> Result<(RequestHead, Vec<u8>), HeadError> {
    request_with(list, end, &LIMITS)
}

fn response(
    list: &[(&str, &str)],
    method: Method,
    end: End,
) -> Result<(ResponseHead, Vec<u8>), HeadError> {
    let mut head = ResponseHead::new();
    let mut arena = b"stale".to_vec();
    Decoder::new(4096).response(
        &block(list),
        method,
        end == End::Here,
        &LIMITS,
        &mut head,
        &mut arena,
    )?;
    Ok((head, arena))
}

/// The fields as text, each checked to be a line of its own.
fn fields<'a>(list: &[Field], arena: &'a [u8]) -> Vec<(&'a str, &'a str)> {
    list.iter()
        .map(|field| {
            let line = field.name.start as usize..field.value.range().end + 2;
            let (name, value) = (field.name.of(arena), field.value.of(arena));
            assert_eq!(arena[line], *[name, b": ", value, b"\r\n"].concat());
            assert_eq!(field.known, Name::lookup(name));
            (
                str::from_utf8(name).unwrap(),
                str::from_utf8(value).unwrap(),
            )
        })
        .collect()
}
