//! Heads to bytes, appended to a buffer whose capacity the caller re-uses. No formatting machinery.
//!
//! Values are the caller's to have checked ([`is_clean_value`]): decoded fields are clean, configuration is checked
//! when it is read.

use crate::message::{Field, Version};

/// `METHOD target HTTP/1.1`
#[inline]
pub fn request_line(out: &mut Vec<u8>, method: &[u8], target: &[u8]) {
    debug_assert!(is_clean_value(method) && is_clean_value(target));
    out.reserve(method.len() + target.len() + b"  HTTP/1.1\r\n".len());
    out.extend_from_slice(method);
    out.push(b' ');
    out.extend_from_slice(target);
    out.extend_from_slice(b" HTTP/1.1\r\n");
}

/// `HTTP/1.1 200 OK`; without a reason, the usual one. `100 <= status <= 999`.
#[inline]
pub fn status_line(out: &mut Vec<u8>, version: Version, status: u16, reason: Option<&[u8]>) {
    debug_assert!((100..1000).contains(&status));
    let reason = reason.unwrap_or_else(|| self::reason(status).as_bytes());
    debug_assert!(is_clean_value(reason));
    let start: &[u8] = match version {
        Version::Http10 => b"HTTP/1.0 ",
        Version::Http11 | Version::Http2 => b"HTTP/1.1 ",
    };
    out.reserve(start.len() + reason.len() + b"200 \r\n".len());
    out.extend_from_slice(start);
    let digit = |place: u16| b'0' + (status / place % 10) as u8;
    out.extend_from_slice(&[digit(100), digit(10), digit(1), b' ']);
    out.extend_from_slice(reason);
    out.extend_from_slice(b"\r\n");
}

/// `Name: value`
#[inline]
pub fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    debug_assert!(is_clean_value(name) && is_clean_value(value));
    out.reserve(name.len() + value.len() + b": \r\n".len());
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// `Name: 123`
#[inline]
pub fn field_u64(out: &mut Vec<u8>, name: &[u8], n: u64) {
    let mut digits = [0; 20];
    let used = decimal(n, &mut digits);
    field(out, name, used);
}

/// Fields that are passed on as they came. Neighbours that stand in the bytes as they would be written are copied
/// together: most of a head is left out or added around them, few fields are between.
#[must_use = "`out` or `finish` writes what is gathered"]
pub struct Passed<'a> {
    out: &'a mut Vec<u8>,
    bytes: &'a [u8],
    /// Whole lines that are yet to be copied.
    start: usize,
    end: usize,
}

impl<'a> Passed<'a> {
    /// Fields of the head that was decoded from `bytes`, to be appended to `out`.
    #[inline]
    pub fn new(bytes: &'a [u8], out: &'a mut Vec<u8>) -> Passed<'a> {
        Passed {
            out,
            bytes,
            start: 0,
            end: 0,
        }
    }

    /// Appends a field.
    #[inline]
    pub fn field(&mut self, passed: &Field) {
        let (name, value) = (passed.name.range(), passed.value.range());
        let is_usual = value.start == name.end + 2
            && self.bytes.get(name.end..value.start) == Some(b": ")
            && self.bytes.get(value.end..value.end + 2) == Some(b"\r\n");
        if !is_usual {
            self.copy();
            field(
                self.out,
                passed.name.of(self.bytes),
                passed.value.of(self.bytes),
            );
            return;
        }
        if name.start != self.end {
            self.copy();
            self.start = name.start;
        }
        self.end = value.end + 2;
    }

    /// Where to append what stands after the fields so far.
    #[inline]
    pub fn out(&mut self) -> &mut Vec<u8> {
        self.copy();
        self.out
    }

    /// Appends what is gathered.
    #[inline]
    pub fn finish(mut self) {
        self.copy();
    }

    fn copy(&mut self) {
        let lines = self.bytes.get(self.start..self.end).unwrap_or_default();
        self.out.extend_from_slice(lines);
        (self.start, self.end) = (0, 0);
    }
}

/// The decimal digits of a number.
fn decimal(mut n: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut start = digits.len();
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (n % 10) as u8;
        n /= 10;
        start -= 1;
        if n == 0 {
            break;
        }
    }
    digits.get(start..).unwrap_or_default()
}

/// Whether these bytes may stand in a field value: no control byte but tab.
pub fn is_clean_value(value: &[u8]) -> bool {
    value
        .iter()
        .all(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f))
}

/// The usual reason phrase; empty for codes that have none.
pub fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        102 => "Processing",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        207 => "Multi-Status",
        208 => "Already Reported",
        226 => "IM Used",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        305 => "Use Proxy",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        418 => "I'm a Teapot",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        423 => "Locked",
        424 => "Failed Dependency",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        506 => "Variant Also Negotiates",
        507 => "Insufficient Storage",
        508 => "Loop Detected",
        510 => "Not Extended",
        511 => "Network Authentication Required",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
