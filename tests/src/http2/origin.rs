//! Origins that speak HTTP/2: any [`Origin`]'s script may take its connection over as one.

use std::io;

use super::fields;
use super::peer::{Http2, Manners};
use crate::origin::{Link, Origin};
use crate::received::Received;
use crate::wire::{Field, Wire};

/// An HTTP/2 connection from the gateway, and the noting of what comes on it.
pub struct Service<'l> {
    link: &'l mut Link,
    /// The frames.
    pub http2: Http2,
}

/// An answer to be sent.
#[derive(Clone, Debug, Default)]
pub struct Answering {
    /// The heads of interim answers.
    pub interim: Vec<Vec<Field>>,
    /// The head, with `:status`.
    pub head: Vec<Field>,
    /// The body.
    pub body: Vec<u8>,
    /// The trailer fields.
    pub trailers: Vec<Field>,
}

impl Link {
    /// Takes the connection over as an HTTP/2 server.
    pub fn http2(&mut self, settings: &[(u16, u32)], manners: Manners) -> io::Result<Service<'_>> {
        let wire = Wire::new(self.wire.stream().try_clone()?);
        let http2 = Http2::accept(wire, settings, manners)?;
        Ok(Service { link: self, http2 })
    }
}

impl Service<'_> {
    /// The next request, head only: its stream. `None`: the gateway closed.
    pub fn head(&mut self) -> io::Result<Option<(u32, Received)>> {
        let Some(stream) = self.http2.begun()? else {
            return Ok(None);
        };
        let message = self.http2.coming(stream).message();
        Ok(Some((stream, self.link.note(message))))
    }

    /// The next request with its body and trailers. `None`: the gateway closed, or gave this one up.
    pub fn request(&mut self) -> io::Result<Option<(u32, Received)>> {
        let Some(stream) = self.http2.begun()? else {
            return Ok(None);
        };
        let whole = self.http2.until(|it| it.coming(stream).is_over())?;
        let message = self.http2.coming(stream).message();
        let received = self.link.note(message);
        Ok(Some((stream, received)).filter(|_| whole))
    }

    /// Sends an answer.
    pub fn answer(&mut self, stream: u32, answer: &Answering) -> io::Result<()> {
        for head in &answer.interim {
            self.http2.head(stream, head, false)?;
        }
        let (bodiless, last) = (answer.body.is_empty(), answer.trailers.is_empty());
        self.http2.head(stream, &answer.head, bodiless && last)?;
        if !bodiless {
            self.http2.body(stream, &answer.body, last)?;
        }
        if !last {
            self.http2.head(stream, &answer.trailers, true)?;
        }
        Ok(())
    }
}

impl Answering {
    /// 200 with a body.
    pub fn ok(body: impl Into<Vec<u8>>) -> Answering {
        Answering {
            head: fields(&[(":status", "200")]),
            body: body.into(),
            ..Answering::default()
        }
    }
}

impl Origin {
    /// An HTTP/2 server that answers every request as `reply` says, one after the other on each connection.
    pub fn http2(reply: impl Fn(&Received) -> Answering + Send + Sync + 'static) -> Origin {
        Origin::start(move |link| {
            let mut service = link.http2(&[], Manners::GOOD)?;
            while let Some((stream, request)) = service.request()? {
                match service.answer(stream, &reply(&request)) {
                    // The gateway has given this one up; others may follow.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                    done => done?,
                }
                service.http2.forget(stream);
            }
            Ok(())
        })
    }
}
