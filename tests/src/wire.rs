//! A buffered socket with bounded waits: what scripted origins and raw peers have in common.
//!
//! Invariant: bytes that were read and not taken stay in order in the buffer.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

use socket2::SockRef;

use crate::PATIENCE;

/// A field of a message: name and value as text.
pub type Field = (String, String);

/// A connection and what has been read of it.
pub struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// A message as it was framed on the wire.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// First line and field lines, with the empty line.
    pub head: Vec<u8>,
    /// The first line.
    pub line: String,
    /// The fields in order.
    pub fields: Vec<Field>,
    /// The body without framing.
    pub body: Vec<u8>,
    /// The trailer fields.
    pub trailers: Vec<Field>,
    /// The sizes of the chunks, without the last one.
    pub chunks: Vec<usize>,
}

/// Whose rules say how long a body without any framing field is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unframed {
    /// Requests: no body.
    Empty,
    /// Answers: until the close.
    UntilClose,
    /// Answers to HEAD, 1xx, 204, 304: no body, whatever the fields say.
    Never,
}

impl Wire {
    /// Takes a connection over.
    pub fn new(stream: TcpStream) -> Wire {
        stream.set_nodelay(true).expect("TCP");
        stream.set_read_timeout(Some(PATIENCE)).expect("not zero");
        stream.set_write_timeout(Some(PATIENCE)).expect("not zero");
        Wire {
            stream,
            buffer: Vec::new(),
        }
    }

    /// The socket.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Writes all of it.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// No more will be written: the other side reads the end.
    pub fn finish(&self) {
        // A connection that is gone already has nothing to finish.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Closes with a reset instead of an orderly end.
    pub fn reset(self) {
        let linger = Some(std::time::Duration::ZERO);
        SockRef::from(&self.stream).set_linger(linger).expect("TCP");
    }

    /// Reads some more; `Ok(0)` at the end.
    pub fn fill(&mut self) -> io::Result<usize> {
        let mut some = vec![0; 64 * 1024];
        let n = self.stream.read(&mut some)?;
        self.buffer.extend_from_slice(&some[..n]);
        Ok(n)
    }

    /// Reads to the end: everything that came, and whether the end was orderly.
    pub fn drain(&mut self) -> (Vec<u8>, io::Result<()>) {
        let end = loop {
            match self.fill() {
                Ok(0) => break Ok(()),
                Ok(_) => {}
                Err(error) => break Err(error),
            }
        };
        (std::mem::take(&mut self.buffer), end)
    }

    /// Exactly so many bytes.
    pub fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < count {
            self.more()?;
        }
        Ok(self.buffer.drain(..count).collect())
    }

    /// The bytes up to and with `end`.
    pub fn take_through(&mut self, end: &[u8]) -> io::Result<Vec<u8>> {
        let mut from = 0;
        loop {
            let at = self.buffer[from..]
                .windows(end.len())
                .position(|w| w == end);
            if let Some(at) = at {
                return Ok(self.buffer.drain(..from + at + end.len()).collect());
            }
            from = self.buffer.len().saturating_sub(end.len() - 1);
            self.more()?;
        }
    }

    /// Bytes that were read and not taken.
    pub fn rest(&self) -> &[u8] {
        &self.buffer
    }

    /// Reads a head. `None`: the connection ended in an orderly way before its first byte.
    pub fn head(&mut self) -> io::Result<Option<Message>> {
        if self.buffer.is_empty() && self.fill()? == 0 {
            return Ok(None);
        }
        let head = self.take_through(b"\r\n\r\n")?;
        let text = latin(&head);
        let (line, fields) = text.split_once("\r\n").expect("it holds an empty line");
        Ok(Some(Message {
            line: line.to_owned(),
            fields: parse_fields(fields),
            head,
            ..Message::default()
        }))
    }

    /// Reads the body that belongs to a head.
    pub fn body(&mut self, message: &mut Message, unframed: Unframed) -> io::Result<()> {
        let (coding, length) = (
            message.value("transfer-encoding"),
            message.value("content-length"),
        );
        assert!(
            coding.is_none() || length.is_none(),
            "both framing fields: {}",
            latin(&message.head)
        );
        if unframed == Unframed::Never {
            return Ok(());
        }
        if let Some(coding) = coding {
            assert_eq!(coding, "chunked", "{}", latin(&message.head));
            return self.chunked(message);
        }
        if let Some(length) = length {
            message.body = self.take(length.parse().expect("a number"))?;
        } else if unframed == Unframed::UntilClose {
            let (bytes, end) = self.drain();
            message.body = bytes;
            return end;
        }
        Ok(())
    }

    fn chunked(&mut self, message: &mut Message) -> io::Result<()> {
        loop {
            let line = latin(&self.take_through(b"\r\n")?);
            let digits = line.trim_end_matches("\r\n");
            let size = usize::from_str_radix(digits, 16).map_err(|_| bad(&line))?;
            if size == 0 {
                break;
            }
            message.chunks.push(size);
            message.body.extend(self.take(size)?);
            if self.take(2)? != b"\r\n" {
                return Err(bad("a chunk without its end"));
            }
        }
        let mut section = String::new();
        loop {
            let line = latin(&self.take_through(b"\r\n")?);
            if line == "\r\n" {
                break;
            }
            section.push_str(&line);
        }
        message.trailers = parse_fields(&section);
        Ok(())
    }

    fn more(&mut self) -> io::Result<()> {
        match self.fill()? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

impl Message {
    /// The only value of a field, any case; several lines are joined as RFC 9110 section 5.3 says.
    pub fn value(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self.values(name).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// Every line of a field, any case.
    pub fn values<'m>(&'m self, name: &str) -> impl Iterator<Item = &'m str> {
        lines(&self.fields, name)
    }
}

/// Every line of a field, any case.
pub fn lines<'m>(fields: &'m [Field], name: &str) -> impl Iterator<Item = &'m str> {
    let name = name.to_owned();
    let same = move |field: &&Field| field.0.eq_ignore_ascii_case(&name);
    fields.iter().filter(same).map(|field| field.1.as_str())
}

/// Bytes as text, each byte one character.
pub fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn parse_fields(text: &str) -> Vec<Field> {
    let lines = text.split("\r\n").filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let (name, value) = line.split_once(':').expect("a field line has a colon");
            (name.to_owned(), value.trim().to_owned())
        })
        .collect()
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}
