//! The frames that carry neither heads nor bodies coming in: SETTINGS, PING, GOAWAY, RST_STREAM, WINDOW_UPDATE,
//! PRIORITY (RFC 9113 sections 6.3 to 6.9).

use super::event::{By, ConnectionError, Event};
use super::receive::{Reading, Step};
use super::settings::{Change, FIRST_WINDOW};
use super::{Connection, Going, Role};
use crate::http2::abuse::Budget;
use crate::http2::frame::code::ErrorCode;
use crate::http2::frame::settings::ENTRY_LEN;
use crate::http2::frame::{HEADER_LEN, Header, Kind, control, flag, settings, stream_of};
use crate::http2::streams::How;

/// What the PING of a drain carries, so that its answer is told from those to the owner's.
pub(super) const DRAIN_PING: [u8; 8] = *b"\xd6drained";

impl Connection {
    /// Takes one of the frames named above; all but SETTINGS and GOAWAY's debug data as a whole.
    pub(super) fn control(
        &mut self,
        header: Header,
        rest: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Step, ConnectionError> {
        let fixed = match header.kind {
            Kind::Settings => 0,
            Kind::Goaway => 8,
            _ => header.len as usize,
        };
        let used = HEADER_LEN + fixed;
        let Some(payload) = rest.get(HEADER_LEN..used) else {
            return Ok(Step::More);
        };
        let number = control::number(payload).unwrap_or_default();
        let event = match header.kind {
            Kind::WindowUpdate => self.window_update(header.stream, stream_of(number), out)?,
            Kind::ResetStream => {
                self.reset_stream(header.stream, ErrorCode(u32::from_be_bytes(number)))?
            }
            Kind::Ping => {
                let payload = *payload.first_chunk().unwrap_or(&[0; 8]);
                self.ping_frame(header.has(flag::ACK), payload, out)?
            }
            Kind::Priority => self.priority(header.stream, stream_of(number), out)?,
            Kind::Goaway => {
                self.reading = Reading::skip(header.len - 8);
                self.goaway_frame(payload)
            }
            _ if header.has(flag::ACK) => {
                self.settings_ack();
                None
            }
            _ => {
                self.abuse.charge(Budget::Settings, self.now)?;
                self.peer.known = true;
                self.reading = Reading::Settings { left: header.len };
                None
            }
        };
        Ok(match event {
            Some(event) => Step::Event(used, event),
            None => Step::Taken(used),
        })
    }

    fn window_update(
        &mut self,
        number: u32,
        increment: u32,
        out: &mut Vec<u8>,
    ) -> Result<Option<Event>, ConnectionError> {
        self.abuse.charge(Budget::WindowUpdates, self.now)?;
        if number == 0 {
            if increment == 0 {
                return Err((ErrorCode::PROTOCOL_ERROR, "window_update_by_zero").into());
            }
            if self.send_window.add(increment.into()).is_err() {
                return Err((ErrorCode::FLOW_CONTROL_ERROR, "connection_window_overflow").into());
            }
            let blocked = self.blocked && self.send_window.available() > 0;
            self.blocked &= !blocked;
            return Ok(blocked.then_some(Event::WritableAll));
        }
        let Some(id) = self.streams.find(number) else {
            if self.is_idle(number) {
                return Err((ErrorCode::PROTOCOL_ERROR, "window_update_on_idle_stream").into());
            }
            return Ok(None);
        };
        let open = self.send_window.available() > 0;
        let Some(stream) = self.streams.get_mut(id) else {
            return Ok(None);
        };
        let fault = if increment == 0 {
            (ErrorCode::PROTOCOL_ERROR, "window_update_by_zero")
        } else if stream.send_window.add(increment.into()).is_err() {
            (ErrorCode::FLOW_CONTROL_ERROR, "stream_window_overflow")
        } else if !stream.blocked || stream.send_window.available() == 0 {
            return Ok(None);
        } else if !open {
            // It is the connection's window that it waits for from here on.
            self.blocked = true;
            return Ok(None);
        } else {
            stream.blocked = false;
            let token = stream.token;
            return Ok(Some(Event::Writable { stream: id, token }));
        };
        self.stream_error(id, fault.0, fault.1, out).map(Some)
    }

    fn reset_stream(
        &mut self,
        number: u32,
        code: ErrorCode,
    ) -> Result<Option<Event>, ConnectionError> {
        if self.is_idle(number) {
            return Err((ErrorCode::PROTOCOL_ERROR, "reset_of_idle_stream").into());
        }
        self.abuse.charge(Budget::Resets, self.now)?;
        let Some(stream) = self.streams.find(number) else {
            return Ok(None);
        };
        let token = self.streams.remove(stream, How::ByPeer).map(|s| s.token);
        Ok(Some(Event::Reset {
            stream,
            token: token.unwrap_or(0),
            code,
            by: By::Peer,
            cause: "reset_by_peer",
        }))
    }

    fn ping_frame(
        &mut self,
        ack: bool,
        payload: [u8; 8],
        out: &mut Vec<u8>,
    ) -> Result<Option<Event>, ConnectionError> {
        self.abuse.charge(Budget::Pings, self.now)?;
        if !ack {
            control::write_ping(true, payload, out);
            return Ok(None);
        }
        if payload != DRAIN_PING {
            return Ok(Some(Event::Pong { payload }));
        }
        if self.going == Going::Announced {
            self.goaway(ErrorCode::NO_ERROR, out);
        }
        Ok(None)
    }

    /// Priorities mean nothing to us (section 5.3.2), but a stream that depends on itself is refused as RFC 7540 had
    /// it: nobody does so in good faith.
    fn priority(
        &mut self,
        number: u32,
        dependency: u32,
        out: &mut Vec<u8>,
    ) -> Result<Option<Event>, ConnectionError> {
        self.abuse.charge(Budget::Ignored, self.now)?;
        if number != dependency {
            return Ok(None);
        }
        match self.streams.find(number) {
            Some(stream) => self
                .stream_error(stream, ErrorCode::PROTOCOL_ERROR, "depends_on_itself", out)
                .map(Some),
            None => Err((ErrorCode::PROTOCOL_ERROR, "depends_on_itself").into()),
        }
    }

    fn goaway_frame(&mut self, payload: &[u8]) -> Option<Event> {
        let (last, code) = control::goaway(payload)?;
        // It may only come down (section 6.8).
        let last = self.peer_last.map_or(last, |before| before.min(last));
        self.peer_last = Some(last);
        self.unprocessed = self.role == Role::Client;
        Some(Event::Goaway { last, code })
    }

    /// Our SETTINGS hold from here on. Only a smaller window changes anything: until now the peer could not know.
    fn settings_ack(&mut self) {
        if self.acknowledged {
            return;
        }
        self.acknowledged = true;
        self.decoder.settings_acknowledged();
        let window = self.settings.initial_window;
        if window < FIRST_WINDOW {
            for stream in self.streams.iter_mut() {
                stream.receive_window.resize(window);
            }
        }
    }

    /// Takes the parameters of SETTINGS that have come; after the last one, acknowledges them.
    #[cold]
    pub(super) fn parameters(
        &mut self,
        left: u32,
        rest: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Step, ConnectionError> {
        if left == 0 {
            self.reading = Reading::Frame;
            settings::write_ack(out);
            self.blocked = false;
            for stream in self.streams.iter_mut() {
                stream.blocked = false;
            }
            return Ok(Step::Event(0, Event::Settings));
        }
        let Some((parameter, value)) = settings::entry(rest) else {
            return Ok(Step::More);
        };
        if let Some(parameter) = parameter {
            match self.peer.set(self.role, parameter, value)? {
                Change::None => {}
                Change::HeaderTable(size) => self.encoder.set_max_table(size),
                Change::Windows(delta) => {
                    for stream in self.streams.iter_mut() {
                        if stream.send_window.add(delta).is_err() {
                            let fault = (ErrorCode::FLOW_CONTROL_ERROR, "initial_window_overflow");
                            return Err(fault.into());
                        }
                    }
                }
            }
        }
        self.reading = Reading::Settings {
            left: left.saturating_sub(ENTRY_LEN as u32),
        };
        Ok(Step::Taken(ENTRY_LEN))
    }
}
