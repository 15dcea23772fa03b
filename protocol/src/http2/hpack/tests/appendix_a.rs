//! The static table against the appendix.

use super::*;

#[test]
fn the_static_table_is_that_of_appendix_a() {
    for (at, expected) in TABLE.into_iter().enumerate() {
        let index = at as u8 + 1;
        let list = read(&mut Reader::new(4096), &[0x80 | index]).unwrap();
        assert_eq!(shown(&list), [expected]);
    }
    let beyond = read(&mut Reader::new(4096), &[0x80 | 62]);
    assert_eq!(beyond, Err(CompressionError::Index));
}

#[test]
fn names_are_found_at_their_first_index() {
    for (name, _) in TABLE {
        let known = Name::lookup(name.as_bytes());
        if known == Name::Other {
            continue;
        }
        let first = TABLE.iter().position(|(it, _)| *it == name).unwrap();
        assert_eq!(usize::from(fixed::index_of(known)), first + 1, "{name}");
    }
    assert_eq!(fixed::index_of(Name::Other), 0);
    assert_eq!(fixed::index_of(Name::XRequestId), 0);
}

#[rustfmt::skip]
const TABLE: [(&str, &str); 61] = [
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
