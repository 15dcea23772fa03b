//! The host that a ClientHello names, read without terminating TLS: for connections that are passed through.
//!
//! A parser of its own, small and bounded (RFC 8446 section 4.1.2, RFC 6066 section 3): it trusts no length, copies
//! nothing but a hello that spans records, and never looks beyond the hello. Invariant: what it says does not depend on
//! how the bytes were split over reads.

/// Bytes of a hello at most: larger ones are nobody's.
const MAX_HELLO: usize = 64 * 1024;
/// Payload of one record at most.
const MAX_RECORD: usize = 16 * 1024;
/// Characters of a host name at most (RFC 1035 section 2.3.4, less the root's).
const MAX_NAME: usize = 253;

/// What the first bytes of a connection name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SniPeek {
    /// The hello is not complete.
    More,
    /// This host, in lower case.
    Name(String),
    /// A hello that names no host.
    None,
    /// No hello, or one that breaks its rules.
    NotTls,
}

/// Looks at the first bytes of a connection, from its very first on.
pub fn sni(bytes: &[u8]) -> SniPeek {
    match hello(bytes) {
        Hello::More => SniPeek::More,
        Hello::Bad => SniPeek::NotTls,
        Hello::Whole(hello) => name(hello),
        Hello::Joined(hello) => name(&hello),
    }
}

enum Hello<'a> {
    More,
    Bad,
    Whole(&'a [u8]),
    Joined(Vec<u8>),
}

/// The body of the ClientHello.
fn hello(bytes: &[u8]) -> Hello<'_> {
    let mut left = bytes;
    let mut joined = Vec::new();
    loop {
        // Each byte is judged as soon as it is here, or a split would change the answer.
        let record = match record(&mut left) {
            Record::More(begun) => {
                let bad = joined.is_empty() && begun.first().is_some_and(|kind| *kind != 1);
                return if bad { Hello::Bad } else { Hello::More };
            }
            Record::Bad => return Hello::Bad,
            Record::Whole(payload) => payload,
        };
        if joined.is_empty()
            && let Some(body) = whole(record)
        {
            return body.map_or(Hello::Bad, Hello::Whole);
        }
        joined.extend_from_slice(record);
        match whole(&joined) {
            Some(Some(body)) => return Hello::Joined(body.to_vec()),
            Some(None) => return Hello::Bad,
            None => {}
        }
    }
}

enum Record<'a> {
    /// What is there of its payload.
    More(&'a [u8]),
    Bad,
    Whole(&'a [u8]),
}

/// Takes the next record, of type handshake.
fn record<'a>(left: &mut &'a [u8]) -> Record<'a> {
    let bytes = *left;
    let expected = |at: usize, byte: u8| bytes.get(at).is_none_or(|it| *it == byte);
    if !expected(0, 22) || !expected(1, 3) {
        return Record::Bad;
    }
    let Some((header, rest)) = bytes.split_first_chunk::<5>() else {
        return Record::More(&[]);
    };
    let [_, _, _, high, low] = *header;
    let len = usize::from(u16::from_be_bytes([high, low]));
    if len == 0 || len > MAX_RECORD {
        return Record::Bad;
    }
    let Some((payload, rest)) = rest.split_at_checked(len) else {
        return Record::More(rest);
    };
    *left = rest;
    Record::Whole(payload)
}

/// The body of the handshake message, if it is whole; `Some(None)` if it is no ClientHello.
fn whole(message: &[u8]) -> Option<Option<&[u8]>> {
    if message.first().is_some_and(|kind| *kind != 1) {
        return Some(None);
    }
    let (header, rest) = message.split_first_chunk::<4>()?;
    let [_, high, mid, low] = *header;
    let len = u32::from_be_bytes([0, high, mid, low]) as usize;
    if len > MAX_HELLO {
        return Some(None);
    }
    rest.get(..len).map(Some)
}

/// The name that the hello's extension holds.
fn name(hello: &[u8]) -> SniPeek {
    match server_name(hello) {
        Err(Malformed) => SniPeek::NotTls,
        Ok(None) => SniPeek::None,
        Ok(Some(name)) => SniPeek::Name(name),
    }
}

struct Malformed;

fn server_name(mut hello: &[u8]) -> Result<Option<String>, Malformed> {
    let hello = &mut hello;
    take(hello, 2 + 32)?;
    vector::<1>(hello)?;
    vector::<2>(hello)?;
    vector::<1>(hello)?;
    if hello.is_empty() {
        return Ok(None);
    }
    let mut extensions = vector::<2>(hello)?;
    while !extensions.is_empty() {
        let kind = take(&mut extensions, 2)?;
        let mut body = vector::<2>(&mut extensions)?;
        if kind == [0, 0] {
            return host_name(&mut body).map(Some);
        }
    }
    Ok(None)
}

/// The one entry of the list that has ever been defined: a host's name.
fn host_name(body: &mut &[u8]) -> Result<String, Malformed> {
    let mut list = vector::<2>(body)?;
    let kind = take(&mut list, 1)?;
    let name = vector::<2>(&mut list)?;
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let fits = !name.is_empty() && name.len() <= MAX_NAME && name.iter().all(allowed);
    if kind != [0] || !fits {
        return Err(Malformed);
    }
    let name = std::str::from_utf8(name).map_err(|_| Malformed)?;
    Ok(name.to_ascii_lowercase())
}

fn take<'a>(left: &mut &'a [u8], len: usize) -> Result<&'a [u8], Malformed> {
    let (taken, rest) = left.split_at_checked(len).ok_or(Malformed)?;
    *left = rest;
    Ok(taken)
}

/// A vector behind its length, of `N` bytes.
fn vector<'a, const N: usize>(left: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
    let len = take(left, N)?
        .iter()
        .fold(0, |len, byte| len << 8 | usize::from(*byte));
    take(left, len)
}

#[cfg(test)]
mod tests;
