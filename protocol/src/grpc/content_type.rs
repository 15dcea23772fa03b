//! Which of gRPC's framings a Content-Type names, and the same type in another framing.

use crate::message::is_token;

/// How messages and trailers are laid out in a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// gRPC over HTTP/2: messages in the body, trailers behind it.
    Grpc,
    /// gRPC-Web: trailers in the body too.
    Web,
    /// gRPC-Web in base64.
    WebText,
}

/// A Content-Type of gRPC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContentType<'a> {
    /// The framing.
    pub framing: Framing,
    /// How messages are written, such as `proto` or `json`; unsaid is `proto`.
    pub format: Option<&'a [u8]>,
}

impl<'a> ContentType<'a> {
    /// Reads a Content-Type, in any case and with any parameters; `None` if it is not one of gRPC.
    pub fn parse(value: &'a [u8]) -> Option<ContentType<'a>> {
        let media = value.split(|byte| *byte == b';').next()?.trim_ascii();
        let rest = without_prefix(media, b"application/grpc")?;
        let (framing, rest) = match without_prefix(rest, b"-web") {
            None => (Framing::Grpc, rest),
            Some(rest) => match without_prefix(rest, b"-text") {
                None => (Framing::Web, rest),
                // The one encoding that there is may be named (web protocol, "Text-encoded streams").
                Some(rest) => {
                    let plain = without_prefix(rest, b"-base64");
                    (Framing::WebText, plain.unwrap_or(rest))
                }
            },
        };
        let format = match rest {
            [] => None,
            [b'+', format @ ..] if !format.is_empty() => Some(format),
            _ => return None,
        };
        format
            .is_none_or(is_token)
            .then_some(ContentType { framing, format })
    }

    /// Appends the type that says the same in a framing.
    pub fn write_as(self, framing: Framing, out: &mut Vec<u8>) {
        out.extend_from_slice(match framing {
            Framing::Grpc => b"application/grpc",
            Framing::Web => b"application/grpc-web",
            Framing::WebText => b"application/grpc-web-text",
        });
        if let Some(format) = self.format {
            out.push(b'+');
            out.extend_from_slice(format);
        }
    }
}

/// What follows the prefix, which is in lower case.
fn without_prefix<'a>(text: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}
