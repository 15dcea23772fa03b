//! Messages that come between the data: alerts, key updates, tickets, attempts to renegotiate.

use rustls::{AlertDescription, ContentType, Error, HandshakeType, InvalidMessage, PeerMisbehaved};

use super::super::records::{Opener, Sealer};
use super::{End, Keys, Role, Session};

/// A handshake message at most: a ticket may hold certificates.
const MAX_MESSAGE: usize = 64 * 1024;

impl Session {
    /// A record that holds no data.
    pub(super) fn message(&mut self, kind: ContentType, message: &[u8]) -> Result<(), Error> {
        self.count(PeerMisbehaved::TooManyWarningAlertsReceived)?;
        match kind {
            ContentType::Handshake => self.handshake(message),
            ContentType::Alert if self.fragment.is_empty() => self.alerted(message),
            got_type => Err(Error::InappropriateMessage {
                expect_types: vec![ContentType::ApplicationData],
                got_type,
            }),
        }
    }

    fn alerted(&mut self, message: &[u8]) -> Result<(), Error> {
        const WARNING: u8 = 1;
        let &[level, alert] = message else {
            return Err(InvalidMessage::MissingData("AlertMessagePayload").into());
        };
        match AlertDescription::from(alert) {
            AlertDescription::CloseNotify => {
                self.end = Some(End::Notified);
                Ok(())
            }
            // The one warning that TLS 1.3 has left; in TLS 1.2 warnings mean nothing to us either.
            AlertDescription::UserCanceled => Ok(()),
            _ if level == WARNING && matches!(self.keys, Keys::Fixed) => Ok(()),
            alert => Err(Error::AlertReceived(alert)),
        }
    }

    /// A record of handshake messages, which may be cut anywhere.
    fn handshake(&mut self, record: &[u8]) -> Result<(), Error> {
        if record.is_empty() {
            return Err(InvalidMessage::InvalidEmptyPayload.into());
        }
        if self.fragment.is_empty() {
            let used = self.messages(record)?;
            let rest = record.get(used..).unwrap_or_default();
            self.fragment.extend_from_slice(rest);
            return Ok(());
        }
        let mut joined = std::mem::take(&mut self.fragment);
        joined.extend_from_slice(record);
        let used = self.messages(&joined)?;
        joined.drain(..used);
        if !joined.is_empty() {
            self.fragment = joined;
        }
        Ok(())
    }

    /// Each whole message; how many bytes they were.
    fn messages(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        let mut left = bytes;
        while let Some((header, rest)) = left.split_first_chunk::<4>() {
            let [kind, high, mid, low] = *header;
            let len = u32::from_be_bytes([0, high, mid, low]) as usize;
            if len > MAX_MESSAGE {
                return Err(InvalidMessage::HandshakePayloadTooLarge.into());
            }
            let Some((body, rest)) = rest.split_at_checked(len) else {
                break;
            };
            self.one(HandshakeType::from(kind), body, rest.is_empty())?;
            left = rest;
        }
        Ok(bytes.len() - left.len())
    }

    /// One message, `last` if the record ends with it.
    fn one(&mut self, kind: HandshakeType, body: &[u8], last: bool) -> Result<(), Error> {
        match (&mut self.keys, kind) {
            (Keys::Client(keys), HandshakeType::NewSessionTicket) => {
                keys.handle_new_session_ticket(body)
            }
            (Keys::Client(_) | Keys::Server(_), HandshakeType::KeyUpdate) => {
                self.key_update(body, last)
            }
            (Keys::Fixed, HandshakeType::HelloRequest) if self.role == Role::Client => {
                self.decline()
            }
            (Keys::Fixed, HandshakeType::ClientHello) if self.role == Role::Server => {
                self.decline()
            }
            (_, got_type) => Err(Error::InappropriateHandshakeMessage {
                expect_types: vec![HandshakeType::KeyUpdate],
                got_type,
            }),
        }
    }

    /// There is no renegotiation (RFC 5246 section 7.2.2): TLS goes on as it is. Who asks again before the answer has
    /// gone out does not listen.
    fn decline(&mut self) -> Result<(), Error> {
        if !self.outgoing.is_empty() {
            return Err(PeerMisbehaved::TooManyRenegotiationRequests.into());
        }
        self.alert(1, AlertDescription::NoRenegotiation);
        Ok(())
    }

    /// The peer seals with its next key from now on (RFC 8446 section 4.6.3).
    fn key_update(&mut self, body: &[u8], last: bool) -> Result<(), Error> {
        let wants = match body {
            [0] => false,
            [1] => true,
            _ => return Err(InvalidMessage::InvalidKeyUpdate.into()),
        };
        if !last {
            return Err(PeerMisbehaved::KeyEpochWithPendingFragment.into());
        }
        let secrets = match &mut self.keys {
            Keys::Server(keys) => keys.update_rx_secret()?,
            Keys::Client(keys) => keys.update_rx_secret()?,
            Keys::Fixed => return Err(PeerMisbehaved::KeyEpochWithPendingFragment.into()),
        };
        self.opener = Opener::new(self.suite, secrets)?;
        // One answer does for several that came while nothing was sent.
        if wants && !self.answered && !self.silent {
            self.renew()?;
            self.answered = true;
        }
        Ok(())
    }

    /// Seals with the next key from now on, and says so first.
    pub(super) fn renew(&mut self) -> Result<(), Error> {
        const KEY_UPDATE: [u8; 5] = [24, 0, 0, 1, 0];
        if matches!(self.keys, Keys::Fixed) {
            return Err(Error::EncryptError);
        }
        self.queue(ContentType::Handshake, &KEY_UPDATE)?;
        let secrets = match &mut self.keys {
            Keys::Server(keys) => keys.update_tx_secret()?,
            Keys::Client(keys) => keys.update_tx_secret()?,
            Keys::Fixed => return Err(Error::EncryptError),
        };
        self.sealer = Sealer::new(self.suite, secrets)?;
        Ok(())
    }
}
