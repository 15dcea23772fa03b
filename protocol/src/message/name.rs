//! Field names known by number, so that the rest of the house compares a byte instead of a string.
//!
//! One table; a look-up hashes a name as words and compares it with the one that may be it. The enum stands in the
//! table's order (checked when compiled), so a name's text is found by its number.

use Name::*;
use folded::Folded;

pub(crate) mod folded;

/// A field name; [`Name::Other`] for all that the gateway gives no meaning to.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[expect(missing_docs, reason = "each variant is the field of that name")]
pub enum Name {
    Other = 0,
    B3,
    Te,
    Age,
    Via,
    Date,
    Etag,
    From,
    Host,
    Link,
    Vary,
    Allow,
    Range,
    Accept,
    Cookie,
    Expect,
    Origin,
    Pragma,
    Server,
    AltSvc,
    Expires,
    Referer,
    Trailer,
    Upgrade,
    IfMatch,
    IfRange,
    Location,
    Forwarded,
    XApiKey,
    XRealIp,
    XUserId,
    Connection,
    KeepAlive,
    SetCookie,
    Tracestate,
    UserAgent,
    XB3Flags,
    RetryAfter,
    Traceparent,
    XB3SpanId,
    XTenantId,
    ContentType,
    MaxForwards,
    ProxyStatus,
    XB3Sampled,
    XB3TraceId,
    XRequestId,
    AcceptRanges,
    Authorization,
    CacheControl,
    ContentRange,
    IfNoneMatch,
    LastModified,
    AcceptCharset,
    ContentLength,
    Http2Settings,
    AcceptEncoding,
    AcceptLanguage,
    XForwardedFor,
    ContentEncoding,
    ContentLanguage,
    ContentLocation,
    ProxyConnection,
    WwwAuthenticate,
    XForwardedHost,
    XForwardedPort,
    IfModifiedSince,
    TransferEncoding,
    XB3ParentSpanId,
    XForwardedProto,
    ProxyAuthenticate,
    ContentDisposition,
    IfUnmodifiedSince,
    ProxyAuthorization,
}

/// All known names; `TABLE[n]` is the variant `n + 1`.
static TABLE: [(Name, &str); COUNT] = NAMES;
const COUNT: usize = ProxyAuthorization as usize;
const NAMES: [(Name, &str); COUNT] = [
    (B3, "b3"),
    (Te, "TE"),
    (Age, "Age"),
    (Via, "Via"),
    (Date, "Date"),
    (Etag, "ETag"),
    (From, "From"),
    (Host, "Host"),
    (Link, "Link"),
    (Vary, "Vary"),
    (Allow, "Allow"),
    (Range, "Range"),
    (Accept, "Accept"),
    (Cookie, "Cookie"),
    (Expect, "Expect"),
    (Origin, "Origin"),
    (Pragma, "Pragma"),
    (Server, "Server"),
    (AltSvc, "Alt-Svc"),
    (Expires, "Expires"),
    (Referer, "Referer"),
    (Trailer, "Trailer"),
    (Upgrade, "Upgrade"),
    (IfMatch, "If-Match"),
    (IfRange, "If-Range"),
    (Location, "Location"),
    (Forwarded, "Forwarded"),
    (XApiKey, "X-API-Key"),
    (XRealIp, "X-Real-IP"),
    (XUserId, "X-User-ID"),
    (Connection, "Connection"),
    (KeepAlive, "Keep-Alive"),
    (SetCookie, "Set-Cookie"),
    (Tracestate, "tracestate"),
    (UserAgent, "User-Agent"),
    (XB3Flags, "X-B3-Flags"),
    (RetryAfter, "Retry-After"),
    (Traceparent, "traceparent"),
    (XB3SpanId, "X-B3-SpanId"),
    (XTenantId, "X-Tenant-ID"),
    (ContentType, "Content-Type"),
    (MaxForwards, "Max-Forwards"),
    (ProxyStatus, "Proxy-Status"),
    (XB3Sampled, "X-B3-Sampled"),
    (XB3TraceId, "X-B3-TraceId"),
    (XRequestId, "X-Request-ID"),
    (AcceptRanges, "Accept-Ranges"),
    (Authorization, "Authorization"),
    (CacheControl, "Cache-Control"),
    (ContentRange, "Content-Range"),
    (IfNoneMatch, "If-None-Match"),
    (LastModified, "Last-Modified"),
    (AcceptCharset, "Accept-Charset"),
    (ContentLength, "Content-Length"),
    (Http2Settings, "HTTP2-Settings"),
    (AcceptEncoding, "Accept-Encoding"),
    (AcceptLanguage, "Accept-Language"),
    (XForwardedFor, "X-Forwarded-For"),
    (ContentEncoding, "Content-Encoding"),
    (ContentLanguage, "Content-Language"),
    (ContentLocation, "Content-Location"),
    (ProxyConnection, "Proxy-Connection"),
    (WwwAuthenticate, "WWW-Authenticate"),
    (XForwardedHost, "X-Forwarded-Host"),
    (XForwardedPort, "X-Forwarded-Port"),
    (IfModifiedSince, "If-Modified-Since"),
    (TransferEncoding, "Transfer-Encoding"),
    (XB3ParentSpanId, "X-B3-ParentSpanId"),
    (XForwardedProto, "X-Forwarded-Proto"),
    (ProxyAuthenticate, "Proxy-Authenticate"),
    (ContentDisposition, "Content-Disposition"),
    (IfUnmodifiedSince, "If-Unmodified-Since"),
    (ProxyAuthorization, "Proxy-Authorization"),
];

/// Bits of a hash; with so few names in so many places, some multiplier gives each a place of its own.
const BITS: u32 = 9;
const MULTIPLIER: u64 = multiplier();

/// The number of the name that hashes to a place; 0 where none does.
static PLACES: [u8; 1 << BITS] = match placed(MULTIPLIER) {
    Some(places) => places,
    None => panic!("no multiplier keeps the names apart"),
};

/// The names' text by their number, that of [`Name::Other`] being no name's.
#[expect(clippy::indexing_slicing, reason = "evaluated when compiled")]
static FOLDED: [(Folded, Name); COUNT + 1] = {
    let mut folded = [(Folded::of(b""), Other); COUNT + 1];
    let mut at = 0;
    while at < COUNT {
        let (name, text) = NAMES[at];
        assert!(name as usize == at + 1, "the enum is in the table's order");
        assert!(text.len() <= folded::LONGEST, "a name is compared whole");
        folded[at + 1] = (Folded::of(text.as_bytes()), name);
        at += 1;
    }
    folded
};

const fn multiplier() -> u64 {
    let mut multiplier: u64 = 0x9e37_79b9_7f4a_7c15;
    while placed(multiplier).is_none() {
        multiplier = multiplier
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(2);
    }
    multiplier
}

/// The places under a multiplier, unless two names share one.
#[expect(clippy::indexing_slicing, reason = "evaluated when compiled")]
const fn placed(multiplier: u64) -> Option<[u8; 1 << BITS]> {
    let mut places = [0; 1 << BITS];
    let mut at = 0;
    while at < COUNT {
        let place = Folded::of(NAMES[at].1.as_bytes()).hash(multiplier, BITS);
        if places[place] != 0 {
            return None;
        }
        places[place] = at as u8 + 1;
        at += 1;
    }
    Some(places)
}

impl Name {
    /// Number of variants, for tables by their number.
    pub(crate) const COUNT: usize = COUNT + 1;

    /// The name with this text, in any case.
    #[inline]
    pub fn lookup(name: &[u8]) -> Name {
        Name::of(Folded::of(name))
    }

    /// The name with this text.
    #[inline]
    pub(crate) fn of(folded: Folded) -> Name {
        let place = PLACES.get(folded.hash(MULTIPLIER, BITS)).copied();
        match FOLDED.get(usize::from(place.unwrap_or(0))) {
            Some((text, known)) if *text == folded => *known,
            _ => Name::Other,
        }
    }

    /// The usual spelling; empty for [`Name::Other`].
    pub fn as_str(self) -> &'static str {
        let index = (self as usize).wrapping_sub(1);
        TABLE.get(index).map_or("", |(_, text)| text)
    }

    /// Whether the field is for this connection alone, whatever Connection says: RFC 9110 section 7.6.1, the
    /// credentials for the gateway as a proxy, and the settings of an upgrade to h2c.
    #[inline]
    pub fn is_hop_by_hop(self) -> bool {
        matches!(
            self,
            Connection
                | Http2Settings
                | KeepAlive
                | ProxyAuthenticate
                | ProxyAuthorization
                | ProxyConnection
                | Te
                | TransferEncoding
                | Upgrade
        )
    }

    /// Whether the field has no business in a trailer section (RFC 9110 section 6.5.1): framing, routing, request
    /// modifiers, credentials, what says who the client is, and how the content is to be read.
    pub fn is_forbidden_in_trailers(self) -> bool {
        self.is_hop_by_hop()
            || matches!(
                self,
                Host | ContentLength
                    | Trailer
                    | CacheControl
                    | Expect
                    | MaxForwards
                    | Pragma
                    | Range
                    | IfMatch
                    | IfModifiedSince
                    | IfNoneMatch
                    | IfRange
                    | IfUnmodifiedSince
                    | Authorization
                    | Cookie
                    | SetCookie
                    | WwwAuthenticate
                    | XApiKey
                    | Forwarded
                    | Via
                    | XForwardedFor
                    | XForwardedHost
                    | XForwardedPort
                    | XForwardedProto
                    | XRealIp
                    | XRequestId
                    | XUserId
                    | XTenantId
                    | Age
                    | Date
                    | Expires
                    | Location
                    | RetryAfter
                    | Vary
                    | ContentEncoding
                    | ContentRange
                    | ContentType
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case() {
        for (name, text) in TABLE {
            assert_eq!(name.as_str(), text);
            assert_eq!(Name::lookup(text.as_bytes()), name);
            assert_eq!(Name::lookup(text.to_ascii_lowercase().as_bytes()), name);
            assert_eq!(Name::lookup(text.to_ascii_uppercase().as_bytes()), name);
        }
        assert_eq!(Name::Other.as_str(), "");
    }

    #[test]
    fn names_that_are_only_alike_are_not_known() {
        let others: [&[u8]; 9] = [
            b"",
            b"x",
            b"Hos",
            b"Hosts",
            b"H\x0fst",
            b"Content_Length",
            b"content-lengti",
            b"Transfer-Encoding ",
            &[b'a'; 300],
        ];
        for other in others {
            assert_eq!(Name::lookup(other), Name::Other, "{other:?}");
        }
        // One bit off a letter or a hyphen, at each place of a name.
        for at in 0..b"content-length".len() {
            let mut name = *b"content-length";
            name[at] ^= 0x40;
            assert_eq!(Name::lookup(&name), Name::Other, "{at}");
        }
    }
}
