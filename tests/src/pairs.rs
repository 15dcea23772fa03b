//! The same exchange whatever each side speaks: a request to be asked by either protocol, and an origin that answers
//! by either.

use std::io;

use crate::answer::Answer;
use crate::gateway::{Gateway, Setup, upstream_and_route};
use crate::http2::{Answering, Http2, fields, request};
use crate::origin::Origin;
use crate::received::Received;
use crate::wire::Field;

/// What one side speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Speaks {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2 without TLS.
    Http2,
}

/// Every pair: what the client speaks, what the upstream speaks.
pub const PAIRS: [(Speaks, Speaks); 4] = [
    (Speaks::Http1, Speaks::Http1),
    (Speaks::Http1, Speaks::Http2),
    (Speaks::Http2, Speaks::Http1),
    (Speaks::Http2, Speaks::Http2),
];

/// A request.
#[derive(Clone, Debug)]
pub struct Asking {
    method: String,
    path: String,
    fields: Vec<Field>,
    body: Option<Vec<u8>>,
    sized: bool,
    trailers: Vec<Field>,
}

/// What came of it.
#[derive(Debug)]
pub struct Asked {
    /// The interim answers.
    pub interim: Vec<Answer>,
    /// The final one.
    pub answer: Answer,
}

impl Asking {
    /// A request without a body.
    pub fn new(method: &str, path: &str) -> Asking {
        Asking {
            method: method.into(),
            path: path.into(),
            fields: Vec::new(),
            body: None,
            sized: true,
            trailers: Vec::new(),
        }
    }

    /// One more field line.
    pub fn with(mut self, name: &str, value: &str) -> Asking {
        self.fields.extend(fields(&[(name, value)]));
        self
    }

    /// A body whose length is announced.
    pub fn sized(mut self, body: impl Into<Vec<u8>>) -> Asking {
        self.body = Some(body.into());
        self
    }

    /// A body whose length only its end tells.
    pub fn unsized_(mut self, body: impl Into<Vec<u8>>) -> Asking {
        self.sized = false;
        self.sized(body)
    }

    /// One more trailer field; the body has no announced length then.
    pub fn trailer(mut self, name: &str, value: &str) -> Asking {
        self.sized = false;
        self.trailers.extend(fields(&[(name, value)]));
        self
    }

    /// Asks on a connection of its own.
    #[track_caller]
    pub fn ask(&self, gateway: &Gateway, speaks: Speaks) -> Asked {
        match speaks {
            Speaks::Http1 => self.ask_http1(gateway),
            Speaks::Http2 => self.ask_stream(&mut gateway.http2(), 1),
        }
    }

    /// Asks on a stream.
    #[track_caller]
    pub fn ask_stream(&self, http2: &mut Http2, stream: u32) -> Asked {
        // A gateway that has heard enough says so by RST_STREAM, behind its answer.
        let sent = self.send_stream(http2, stream);
        let given_up = |why: &io::Error| why.kind() == io::ErrorKind::ConnectionAborted;
        assert!(
            sent.is_ok() || sent.as_ref().is_err_and(given_up),
            "{sent:?}"
        );
        let answer = http2.answer(stream);
        let interim = http2.coming(stream).interim.into_iter();
        let interim = interim.map(|head| {
            Answer::of_stream(
                Answering {
                    head,
                    ..Answering::default()
                }
                .message(),
            )
        });
        Asked {
            interim: interim.collect(),
            answer,
        }
    }

    fn send_stream(&self, http2: &mut Http2, stream: u32) -> io::Result<()> {
        let mut head = request(&self.method, &self.path);
        if let Some(body) = &self.body
            && self.sized
        {
            head.extend(fields(&[("content-length", &body.len().to_string())]));
        }
        head.extend(
            self.fields
                .iter()
                .map(|(name, value)| (name.to_lowercase(), value.clone())),
        );
        http2.head(
            stream,
            &head,
            self.body.is_none() && self.trailers.is_empty(),
        )?;
        if let Some(body) = &self.body {
            http2.body(stream, body, self.trailers.is_empty())?;
        }
        match self.trailers.is_empty() {
            true => Ok(()),
            false => http2.head(stream, &self.trailers, true),
        }
    }

    #[track_caller]
    fn ask_http1(&self, gateway: &Gateway) -> Asked {
        let mut text = format!("{} {} HTTP/1.1\r\nHost: a\r\n", self.method, self.path);
        let mut line = |name: &str, value: &str| text.push_str(&format!("{name}: {value}\r\n"));
        for (name, value) in &self.fields {
            line(name, value);
        }
        match &self.body {
            Some(body) if self.sized => line("Content-Length", &body.len().to_string()),
            Some(_) => line("Transfer-Encoding", "chunked"),
            None => {}
        }
        text.push_str("\r\n");
        let mut peer = gateway.peer();
        peer.send(&text);
        if let Some(body) = &self.body {
            match self.sized {
                true => peer.try_send(body),
                false => peer.try_send(chunked(body, &self.trailers)),
            };
        }
        let mut read = || match self.method.as_str() {
            "HEAD" => peer.answer_to_head(),
            _ => peer.answer(),
        };
        let (mut interim, mut answer) = (Vec::new(), read());
        while answer.status < 200 {
            interim.push(std::mem::replace(&mut answer, read()));
        }
        Asked { interim, answer }
    }
}

/// A body in chunks, the last of them, and trailers.
fn chunked(body: &[u8], trailers: &[Field]) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in body.chunks(10_000) {
        out.extend(format!("{:x}\r\n", piece.len()).bytes());
        out.extend(piece);
        out.extend(b"\r\n");
    }
    out.extend(b"0\r\n");
    for (name, value) in trailers {
        out.extend(format!("{name}: {value}\r\n").bytes());
    }
    out.extend(b"\r\n");
    out
}

impl Answering {
    /// The answer as HTTP/1.1 has it; without `content-length` and with a body it is chunked.
    fn text(&self, head: bool) -> Vec<u8> {
        let mut out = Vec::new();
        for interim in &self.interim {
            write_head(interim, &mut out);
            out.extend(b"\r\n");
        }
        write_head(&self.head, &mut out);
        let has = |name: &str| self.head.iter().any(|(it, _)| it == name);
        let bodiless = head || has_none(&self.head);
        if has("content-length") || bodiless {
            out.extend(b"\r\n");
            if !bodiless {
                out.extend(&self.body);
            }
        } else {
            out.extend(b"transfer-encoding: chunked\r\n\r\n");
            out.extend(chunked(&self.body, &self.trailers));
        }
        out
    }

    fn message(&self) -> crate::wire::Message {
        let coming = crate::http2::Coming {
            head: Some(self.head.clone()),
            ..Default::default()
        };
        coming.message()
    }
}

fn has_none(head: &[Field]) -> bool {
    let status = head.iter().find(|(name, _)| name == ":status");
    status.is_some_and(|(_, status)| matches!(status.as_str(), "204" | "304"))
}

fn write_head(head: &[Field], out: &mut Vec<u8>) {
    for (name, value) in head {
        let line = match name.as_str() {
            ":status" => format!("HTTP/1.1 {value} Told\r\n"),
            name => format!("{name}: {value}\r\n"),
        };
        out.extend(line.bytes());
    }
}

/// An origin that answers by this protocol as `reply` says. A reply to HEAD has no body of its own.
pub fn origin(
    speaks: Speaks,
    reply: impl Fn(&Received) -> Answering + Send + Sync + 'static,
) -> Origin {
    match speaks {
        Speaks::Http2 => Origin::http2(move |request| {
            let mut answer = reply(request);
            if request.method == "HEAD" {
                answer.body.clear();
            }
            answer
        }),
        Speaks::Http1 => Origin::start(move |link| {
            while let Some(request) = link.request()? {
                link.send(reply(&request).text(request.method == "HEAD"))?;
            }
            Ok(())
        }),
    }
}

/// What an upstream's section says of an origin.
pub fn endpoint(origin: &Origin, speaks: Speaks) -> String {
    let protocol = match speaks {
        Speaks::Http1 => "http/1.1",
        Speaks::Http2 => "h2",
    };
    format!(
        "endpoints = [\"{}\"]\nprotocol = \"{protocol}\"",
        origin.address
    )
}

impl Gateway {
    /// A public route for every path to an origin that speaks this, with an access log and more sections behind it.
    #[track_caller]
    pub fn between(origin: &Origin, speaks: Speaks, more: &str) -> Gateway {
        let text = upstream_and_route(&endpoint(origin, speaks), "access_log = \"main\"");
        Setup::new(format!("{text}\n{more}")).start()
    }

    /// A new HTTP/2 connection to the listener `public`.
    #[track_caller]
    pub fn http2(&self) -> Http2 {
        Http2::connect(self.address("public"))
    }
}
