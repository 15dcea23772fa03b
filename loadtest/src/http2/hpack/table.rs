//! The static table, and a server's dynamic one (RFC 7541 section 2.3).
//!
//! The dynamic table's bytes lie in one piece of memory that is written round and round. Invariant: `size` is at most
//! `limit`, so that what is alive never reaches what is being written.

use std::collections::VecDeque;

use super::Field;

/// What each entry takes beside its bytes (RFC 7541 section 4.1).
pub(super) const OVERHEAD: usize = 32;

/// What a field means to who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Status,
    ContentLength,
    /// What became of a call of gRPC, in trailers.
    GrpcStatus,
    /// A pseudo-header that only requests have, or nobody.
    Pseudo,
    /// A name that HTTP/2 has no use for: a connection's, or one in capitals (RFC 9113 section 8.2).
    Forbidden,
    Other,
}

impl Known {
    /// By the name.
    #[inline]
    pub(super) fn of(name: &[u8]) -> Known {
        match name {
            b":status" => Known::Status,
            b"content-length" => Known::ContentLength,
            b"grpc-status" => Known::GrpcStatus,
            [b':', ..] => Known::Pseudo,
            b"connection"
            | b"keep-alive"
            | b"proxy-connection"
            | b"transfer-encoding"
            | b"upgrade"
            | [] => Known::Forbidden,
            _ => {
                let good = |byte: &u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase();
                match name.iter().all(|byte| good(byte) && *byte != b':') {
                    true => Known::Other,
                    false => Known::Forbidden,
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Entry {
    at: usize,
    name: usize,
    value: usize,
    known: Known,
}

pub(super) struct Table {
    bytes: Box<[u8]>,
    /// The newest first.
    entries: VecDeque<Entry>,
    /// Where the next one goes.
    next: usize,
    size: usize,
    limit: usize,
}

impl Table {
    pub(super) fn new(limit: usize) -> Table {
        Table {
            // What is alive, what is being written, and what is left free at the end are each at most one limit.
            bytes: vec![0; limit * 3].into_boxed_slice(),
            entries: VecDeque::with_capacity(limit / OVERHEAD),
            next: 0,
            size: 0,
            limit,
        }
    }

    pub(super) fn resize(&mut self, limit: usize) {
        self.limit = limit;
        self.evict(0);
    }

    /// The entry of this index, 0 being the newest.
    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<Field<'_>> {
        let entry = self.entries.get(at)?;
        let text = self.bytes.get(entry.at..)?;
        let (name, rest) = text.split_at_checked(entry.name)?;
        Some(Field {
            name,
            value: rest.get(..entry.value)?,
            known: entry.known,
        })
    }

    pub(super) fn insert(&mut self, name: &[u8], value: &[u8], known: Known) {
        let (length, cost) = (
            name.len() + value.len(),
            name.len() + value.len() + OVERHEAD,
        );
        if cost > self.limit {
            // It empties the table and does not enter it.
            self.entries.clear();
            self.size = 0;
            return;
        }
        self.evict(cost);
        if self.next + length > self.bytes.len() {
            self.next = 0;
        }
        let at = self.next;
        let Some(place) = self.bytes.get_mut(at..at + length) else {
            return;
        };
        let (first, second) = place.split_at_mut(name.len());
        first.copy_from_slice(name);
        second.copy_from_slice(value);
        self.next = at + length;
        self.size += cost;
        self.entries.push_front(Entry {
            at,
            name: name.len(),
            value: value.len(),
            known,
        });
    }

    /// Makes room.
    fn evict(&mut self, cost: usize) {
        while self.size + cost > self.limit {
            let Some(entry) = self.entries.pop_back() else {
                return;
            };
            self.size -= entry.name + entry.value + OVERHEAD;
        }
    }
}

/// Names and values of appendix A; the first one has the index 1.
pub(crate) static STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

/// The index of a field in the static table, or of its name alone: 0 when it has not even that.
pub(crate) fn index_of(name: &[u8], value: Option<&[u8]>) -> usize {
    let found = STATIC.iter().position(|(known, text)| {
        known.as_bytes() == name && value.is_none_or(|value| text.as_bytes() == value)
    });
    found.map_or(0, |at| at + 1)
}
