//! Frames about the connection and the state of streams: SETTINGS, PING, GOAWAY, WINDOW_UPDATE, RST_STREAM.

use super::{Connection, Event, FIRST_WINDOW, Peer};
use crate::http2::frame::{self, Header};
use crate::http2::hpack::{Indexed, TABLE};
use crate::http2::payload::{GREATEST, number, ping, settings};
use crate::http2::{Broken, REFUSED_STREAM};

impl Connection {
    /// Any frame but DATA and those of header blocks.
    pub(super) fn control(
        &mut self,
        header: Header,
        payload: &[u8],
        on: &mut impl FnMut(Event<'_>),
    ) -> Result<(), Broken> {
        match header.kind {
            frame::SETTINGS => self.settings(header, payload),
            frame::PING => ping(header, payload, &mut self.out),
            frame::GOAWAY => self.goaway(header, payload, on),
            frame::WINDOW_UPDATE => self.window_update(header, payload, on),
            frame::RST_STREAM => self.rst_stream(header, payload, on),
            frame::PUSH_PROMISE => Err(Broken::protocol("a push is promised, which was ruled out")),
            frame::PRIORITY if header.stream == 0 => Err(Broken::protocol("PRIORITY of no stream")),
            // Of kinds that nobody knows nothing is to be thought (RFC 9113 section 4.1).
            _ => Ok(()),
        }
    }

    fn settings(&mut self, header: Header, payload: &[u8]) -> Result<(), Broken> {
        let Some(values) = settings(header, payload)? else {
            return Ok(());
        };
        let first = self.peer.is_none();
        let mut peer = self.peer.unwrap_or(Peer {
            max_streams: u32::MAX,
            initial_window: FIRST_WINDOW,
            table: TABLE as u32,
        });
        let before = i64::from(peer.initial_window);
        for (setting, value) in values {
            match setting {
                frame::HEADER_TABLE_SIZE => peer.table = value,
                frame::ENABLE_PUSH if value != 0 => {
                    return Err(Broken::protocol("a server's ENABLE_PUSH is not 0"));
                }
                frame::MAX_CONCURRENT_STREAMS => peer.max_streams = value,
                frame::INITIAL_WINDOW_SIZE => peer.initial_window = value,
                _ => {}
            }
        }
        let more = i64::from(peer.initial_window) - before;
        for (_, stream) in self.streams.iter_mut() {
            stream.window += more;
            if stream.window > GREATEST {
                return Err(Broken::flow("INITIAL_WINDOW_SIZE makes a window too large"));
            }
        }
        match first {
            true => self.indexed = Indexed::new(self.fields, peer.table),
            false => self.indexed.resize(peer.table),
        }
        self.peer = Some(peer);
        Header {
            len: 0,
            kind: frame::SETTINGS,
            flags: frame::ACK,
            stream: 0,
        }
        .write(&mut self.out);
        Ok(())
    }

    fn goaway(
        &mut self,
        header: Header,
        payload: &[u8],
        on: &mut impl FnMut(Event<'_>),
    ) -> Result<(), Broken> {
        let Some((last, _)) = payload
            .split_first_chunk::<4>()
            .filter(|(_, it)| it.len() >= 4)
        else {
            return Err(Broken::size("GOAWAY is too short"));
        };
        if header.stream != 0 {
            return Err(Broken::protocol("GOAWAY of a stream"));
        }
        let last = u32::from_be_bytes(*last) & 0x7fff_ffff;
        self.leaving = true;
        let ids = self.streams.iter_mut();
        let lost: Vec<usize> = ids
            .filter(|(_, stream)| stream.id > last)
            .map(|(place, _)| place)
            .collect();
        for place in lost {
            self.streams.remove(place);
            on(Event::Unprocessed { place });
        }
        Ok(())
    }

    fn window_update(
        &mut self,
        header: Header,
        payload: &[u8],
        on: &mut impl FnMut(Event<'_>),
    ) -> Result<(), Broken> {
        let more = i64::from(number(payload)? & 0x7fff_ffff);
        if header.stream == 0 {
            self.window += more;
            return match (more, self.window) {
                (0, _) => Err(Broken::protocol("WINDOW_UPDATE of nothing")),
                (_, window) if window > GREATEST => {
                    Err(Broken::flow("the connection's window is too large"))
                }
                _ => Ok(()),
            };
        }
        self.check_begun(header.stream)?;
        let Some(place) = self.streams.place(header.stream) else {
            return Ok(());
        };
        if let Some(stream) = self.streams.get(place) {
            stream.window += more;
            if more == 0 || stream.window > GREATEST {
                self.malformed(place, "WINDOW_UPDATE of nothing, or of too much", on);
            }
        }
        Ok(())
    }

    fn rst_stream(
        &mut self,
        header: Header,
        payload: &[u8],
        on: &mut impl FnMut(Event<'_>),
    ) -> Result<(), Broken> {
        let code = number(payload)?;
        self.check_begun(header.stream)?;
        if let Some(place) = self.streams.place(header.stream) {
            self.streams.remove(place);
            on(match code {
                REFUSED_STREAM => Event::Unprocessed { place },
                _ => Event::Reset { place },
            });
        }
        Ok(())
    }
}
