//! A body on its way between a browser's gRPC-Web and the gRPC of a service.
//!
//! Messages look the same on both sides; what differs is base64, and that an answer's trailers are part of its body (web
//! protocol, "Message framing"). One step's bytes come, one step's bytes go out: nothing waits for more but what does
//! not make a group of base64 digits yet.

use protocol::grpc::{Framing, Messages, TextDecoder, TextEncoder, encode_trailers};

/// The state of one direction.
#[derive(Debug)]
pub(crate) enum Translation {
    /// A request: base64 is taken off.
    Request(TextDecoder),
    /// An answer.
    Answer(Answer),
}

/// An answer that becomes gRPC-Web.
#[derive(Debug)]
pub(crate) struct Answer {
    text: Option<TextEncoder>,
    /// The lines that say how the call ended, if they came in the head.
    status: Vec<u8>,
    messages: Messages,
    /// Bytes that went out.
    written: u64,
    /// What went through is not what messages look like.
    lost: bool,
}

impl Translation {
    /// Of a request in this framing, if there is anything to be done.
    pub(crate) fn of_request(framing: Framing) -> Option<Translation> {
        (framing == Framing::WebText).then(|| Translation::Request(TextDecoder::new()))
    }

    /// Of an answer. `status`: the lines that say how the call ended, if they came in its head.
    pub(crate) fn of_answer(framing: Framing, status: Vec<u8>) -> Translation {
        Translation::Answer(Answer {
            text: (framing == Framing::WebText).then(TextEncoder::new),
            status,
            messages: Messages::new(Framing::Grpc, u32::MAX),
            written: 0,
            lost: false,
        })
    }

    /// Bytes of an answer that went out.
    pub(crate) fn written(&self) -> u64 {
        match self {
            Translation::Request(_) => 0,
            Translation::Answer(answer) => answer.written,
        }
    }

    /// Appends to `out` what goes out for these bytes.
    ///
    /// # Errors
    /// The machine word for what is wrong with them.
    pub(crate) fn pass(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
        match self {
            Translation::Request(decoder) => {
                decoder.decode(bytes, out).map_err(|error| error.cause())
            }
            Translation::Answer(answer) => {
                answer.lost |= answer.messages.follow(bytes).is_err();
                answer.write(bytes, out);
                Ok(())
            }
        }
    }

    /// Appends to `out` what stands at the end of the body. `trailers`: the lines that came behind it.
    ///
    /// # Errors
    /// The machine word for a body that does not end here.
    pub(crate) fn end(&mut self, trailers: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
        match self {
            Translation::Request(decoder) => decoder.finish().map_err(|error| error.cause()),
            Translation::Answer(answer) => {
                let mut lines = std::mem::take(&mut answer.status);
                lines.extend_from_slice(trailers);
                answer.trailers(&lines, out);
                Ok(())
            }
        }
    }

    /// Appends what ends an answer that broke off, if it can be ended: between two messages.
    pub(crate) fn break_off(&mut self, status: &[u8], out: &mut Vec<u8>) -> bool {
        match self {
            Translation::Answer(answer)
                if !answer.lost && answer.messages.is_between_messages() =>
            {
                answer.trailers(status, out);
                true
            }
            _ => false,
        }
    }
}

impl Answer {
    fn trailers(&mut self, lines: &[u8], out: &mut Vec<u8>) {
        // A service that said nothing at the end has not ended the call: nothing is made up for it.
        if !lines.is_empty() {
            let mut frame = Vec::with_capacity(lines.len() + 8);
            encode_trailers(lines, &mut frame);
            self.write(&frame, out);
        }
    }

    /// Each step is padded to its end: the client is not to wait for the next one.
    fn write(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let before = out.len();
        match &mut self.text {
            None => out.extend_from_slice(bytes),
            Some(encoder) => {
                encoder.encode(bytes, out);
                encoder.flush(out);
            }
        }
        self.written += (out.len() - before) as u64;
    }
}
