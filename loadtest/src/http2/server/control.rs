//! Frames about the connection and the state of streams: SETTINGS, PING, GOAWAY, WINDOW_UPDATE, RST_STREAM.

use super::{Asked, Server};
use crate::http2::frame::{self, Header};
use crate::http2::hpack::Indexed;
use crate::http2::payload::{GREATEST, number, ping, settings};
use crate::http2::{Broken, hpack};

impl Server {
    /// Any frame but DATA and those of header blocks.
    pub(super) fn control(
        &mut self,
        header: Header,
        payload: &[u8],
        on: &mut impl FnMut(Asked<'_>),
    ) -> Result<(), Broken> {
        match header.kind {
            frame::SETTINGS => self.settings(header, payload),
            frame::PING => ping(header, payload, &mut self.out),
            frame::GOAWAY if header.stream != 0 => Err(Broken::protocol("GOAWAY of a stream")),
            frame::GOAWAY => {
                self.leaving = true;
                Ok(())
            }
            frame::WINDOW_UPDATE => self.window_update(header, payload, on),
            frame::RST_STREAM => {
                number(payload)?;
                self.check_begun(header.stream)?;
                if let Some(place) = self.streams.place(header.stream) {
                    self.streams.remove(place);
                    on(Asked::Gone { place });
                }
                Ok(())
            }
            frame::PUSH_PROMISE => Err(Broken::protocol("a client can't promise a push")),
            frame::PRIORITY if header.stream == 0 => Err(Broken::protocol("PRIORITY of no stream")),
            // Of kinds that nobody knows nothing is to be thought (RFC 9113 section 4.1).
            _ => Ok(()),
        }
    }

    fn settings(&mut self, header: Header, payload: &[u8]) -> Result<(), Broken> {
        let Some(values) = settings(header, payload)? else {
            return Ok(());
        };
        let before = i64::from(self.initial_window);
        let mut table = hpack::TABLE as u32;
        let mut tabled = !self.settled;
        for (setting, value) in values {
            match setting {
                frame::HEADER_TABLE_SIZE => (table, tabled) = (value, true),
                frame::ENABLE_PUSH if value > 1 => {
                    return Err(Broken::protocol("ENABLE_PUSH is neither 0 nor 1"));
                }
                frame::INITIAL_WINDOW_SIZE => self.initial_window = value,
                _ => {}
            }
        }
        let more = i64::from(self.initial_window) - before;
        for stream in self.streams.iter_mut() {
            stream.window += more;
            if stream.window > GREATEST {
                return Err(Broken::flow("INITIAL_WINDOW_SIZE makes a window too large"));
            }
        }
        match (self.settled, tabled) {
            (false, _) => self.indexed = Indexed::new(self.fields, table),
            (true, true) => self.indexed.resize(table),
            (true, false) => {}
        }
        self.settled = true;
        Header {
            len: 0,
            kind: frame::SETTINGS,
            flags: frame::ACK,
            stream: 0,
        }
        .write(&mut self.out);
        Ok(())
    }

    fn window_update(
        &mut self,
        header: Header,
        payload: &[u8],
        on: &mut impl FnMut(Asked<'_>),
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
                self.malformed(place, on);
            }
        }
        Ok(())
    }
}
