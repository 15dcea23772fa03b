//! One established session, without a socket: records in, plaintext out, and what the peer must be told.
//!
//! It takes over from rustls when the handshake is done (`rustls::kernel`), which goes on to derive keys and to keep the
//! tickets that a server sends. Invariants: after its end nothing more is opened; what is sealed goes out in the order in
//! which it was sealed; everything a peer can make us do for nothing is counted.

use std::ops::Range;

use rustls::client::ClientConnectionData;
use rustls::kernel::KernelConnection;
use rustls::server::ServerConnectionData;
use rustls::{
    AlertDescription, ContentType, Error, ExtractedSecrets, PeerMisbehaved, SupportedCipherSuite,
};

use super::records::{HEADER, Header, MAX_PLAIN, Opener, Sealer};
use crate::{Buffer, clock};

mod messages;

/// Plaintext of a record while little has gone out since the last pause: the peer can use it before more has come. With
/// its header and tag it fills three segments.
const FIRST: usize = 4_074;
/// So much goes out in small records after a pause.
const BURST: u32 = 64 * 1024;
/// A pause, in nanoseconds.
const PAUSE: u64 = 1_000_000_000;
/// Messages and records in a row that carry nothing for the caller.
const FRUITLESS: u8 = 32;

/// What derives later keys.
pub(super) enum Keys {
    /// TLS 1.2 has none.
    Fixed,
    Server(KernelConnection<ServerConnectionData>),
    Client(KernelConnection<ClientConnectionData>),
}

/// Which side we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Server,
    Client,
}

/// How the peer's stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By close_notify: all has been received.
    Notified,
    /// By the end of the transport alone: there may have been more.
    Cut,
    /// By a breach of the rules, ours or a fatal alert of the peer's.
    Failed(&'static str),
}

pub(super) struct Session {
    pub(super) opener: Opener,
    pub(super) sealer: Sealer,
    keys: Keys,
    suite: SupportedCipherSuite,
    role: Role,
    end: Option<End>,
    /// We have sent close_notify, or a fatal alert: nothing more is sealed.
    silent: bool,
    /// An answer to a key update lies in `outgoing`.
    answered: bool,
    /// Of a row of records or messages that carry nothing for the caller.
    fruitless: u8,
    /// Bytes sealed since the last pause.
    burst: u32,
    /// When something was last sealed for the caller.
    sealed: u64,
    /// The beginning of a handshake message whose end has not come.
    fragment: Vec<u8>,
    /// Sealed messages that wait to go out in front of the next write, or by themselves before a read waits.
    outgoing: Vec<u8>,
}

/// What became of some received bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opened {
    /// Where the plaintext lies, in one piece.
    pub(super) plain: Range<usize>,
    /// How many bytes from the front are done with; the rest is the beginning of a record.
    pub(super) used: usize,
}

/// What became of a buffer to be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sealed {
    /// It holds records.
    Done,
    /// It lacks room around its data: nothing was changed.
    NoRoom,
}

impl Session {
    pub(super) fn new(
        suite: SupportedCipherSuite,
        secrets: ExtractedSecrets,
        keys: Keys,
        role: Role,
        outgoing: &[u8],
    ) -> Result<Session, Error> {
        Ok(Session {
            opener: Opener::new(suite, secrets.rx)?,
            sealer: Sealer::new(suite, secrets.tx)?,
            keys,
            suite,
            role,
            end: None,
            silent: false,
            answered: false,
            fruitless: 0,
            burst: 0,
            sealed: 0,
            fragment: Vec::new(),
            outgoing: outgoing.to_vec(),
        })
    }

    /// How the peer's stream ended, if it has.
    pub(super) fn end(&self) -> Option<End> {
        self.end
    }

    /// The transport has ended.
    pub(super) fn cut(&mut self) {
        self.end.get_or_insert(End::Cut);
    }

    /// Opens every whole record in `data`, in place. An error shows as the session's end; what came before it counts.
    pub(super) fn open(&mut self, data: &mut [u8]) -> Opened {
        let mut opened = Opened {
            plain: 0..0,
            used: 0,
        };
        while self.end.is_none() {
            let left = data.get_mut(opened.used..).unwrap_or_default();
            let header = match Header::of(left) {
                None => break,
                Some(Ok(header)) => header,
                Some(Err(error)) => {
                    self.fail(&error);
                    break;
                }
            };
            let Some(body) = left.get_mut(HEADER..HEADER + header.len) else {
                break;
            };
            match self.opener.open(header, body) {
                Err(error) => self.fail(&error),
                Ok((ContentType::ApplicationData, plain)) => {
                    let at = opened.used + HEADER;
                    let plain = at + plain.start..at + plain.end;
                    self.data(data, plain, &mut opened.plain);
                }
                Ok((kind, plain)) => {
                    let message = body.get(plain).unwrap_or_default();
                    if let Err(error) = self.message(kind, message) {
                        self.fail(&error);
                    }
                }
            }
            opened.used += HEADER + header.len;
        }
        if self.end.is_some() {
            // What follows the end is to be ignored (RFC 8446 section 6.1).
            opened.used = data.len();
        }
        opened
    }

    /// Joins one record's plaintext to what there is.
    fn data(&mut self, data: &mut [u8], plain: Range<usize>, all: &mut Range<usize>) {
        if !self.fragment.is_empty() {
            let interleaved = PeerMisbehaved::MessageInterleavedWithHandshakeMessage;
            return self.fail(&interleaved.into());
        }
        if plain.start == plain.end {
            if let Err(error) = self.count(PeerMisbehaved::TooManyEmptyFragments) {
                self.fail(&error);
            }
            return;
        }
        self.fruitless = 0;
        if all.start == all.end {
            // The first stays where it is.
            *all = plain;
        } else {
            let len = plain.len();
            data.copy_within(plain, all.end);
            all.end += len;
        }
    }

    /// One more thing that carries nothing for the caller.
    fn count(&mut self, excess: PeerMisbehaved) -> Result<(), Error> {
        self.fruitless += 1;
        match self.fruitless > FRUITLESS {
            true => Err(excess.into()),
            false => Ok(()),
        }
    }

    /// The session is over by the peer's fault: it is told so.
    fn fail(&mut self, error: &Error) {
        let (alert, what) = judge(error);
        self.end = Some(End::Failed(what));
        if let Some(alert) = alert {
            self.alert(2, alert);
            self.silent = true;
        }
    }

    fn alert(&mut self, level: u8, alert: AlertDescription) {
        // A key that is used up says nothing more.
        let _ = self.queue(ContentType::Alert, &[level, u8::from(alert)]);
    }

    /// Says that nothing more will be written (RFC 8446 section 6.1).
    pub(super) fn close(&mut self) {
        if !self.silent {
            self.alert(1, AlertDescription::CloseNotify);
            self.silent = true;
        }
    }

    /// Ends the session for a reason of our own, which the peer is told.
    pub(super) fn refuse(&mut self, alert: AlertDescription) {
        if !self.silent {
            self.alert(2, alert);
            self.silent = true;
        }
    }

    /// Whether nothing more may be written.
    pub(super) fn is_silent(&self) -> bool {
        self.silent
    }

    /// Seals a small message, to go out in front of what is sealed next.
    pub(super) fn queue(&mut self, kind: ContentType, message: &[u8]) -> Result<(), Error> {
        if self.silent {
            return Err(Error::EncryptError);
        }
        let (front, back) = (self.sealer.front(), self.sealer.back());
        let begin = self.outgoing.len();
        self.outgoing.resize(begin + front, 0);
        self.outgoing.extend_from_slice(message);
        self.outgoing
            .resize(begin + front + message.len() + back, 0);
        let record = self.outgoing.get_mut(begin..).unwrap_or_default();
        let sealed = self.sealer.seal(kind, record);
        if sealed.is_err() {
            self.outgoing.truncate(begin);
        }
        sealed
    }

    /// What waits to go out in front of the next write.
    pub(super) fn outgoing(&self) -> &[u8] {
        &self.outgoing
    }

    /// So many bytes of it have gone out.
    pub(super) fn went_out(&mut self, bytes: usize) {
        self.outgoing.drain(..bytes.min(self.outgoing.len()));
        if self.outgoing.is_empty() {
            self.answered = false;
            // Idle connections keep no block for it.
            self.outgoing = Vec::new();
        }
    }

    /// Makes records of all that the buffer holds, in place, with what waits to go out in front of them.
    pub(super) fn seal(&mut self, buffer: &mut Buffer) -> Result<Sealed, Error> {
        if self.silent {
            return Err(Error::EncryptError);
        }
        let now = clock::coarse();
        if now.saturating_sub(self.sealed) >= PAUSE {
            self.burst = 0;
        }
        let records = Lengths::of(self.burst, buffer.len()).count();
        let (front, back) = (self.sealer.front(), self.sealer.back());
        let mut before = records * (front + back);
        let tail = back <= buffer.room() && records > 0;
        if tail {
            before -= back;
        }
        if before + self.outgoing.len() > buffer.headroom() {
            return Ok(Sealed::NoRoom);
        }
        if !self.sealer.lasts(records) {
            self.renew()?;
            if before + self.outgoing.len() > buffer.headroom() {
                return Ok(Sealed::NoRoom);
            }
        }
        let cut = Lengths::of(self.burst, buffer.len());
        self.burst = self.burst.saturating_add(buffer.len() as u32);
        self.sealed = now;
        buffer.widen(before, if tail { back } else { 0 });
        let data = buffer.filled_mut();
        let (mut from, mut to) = (before, 0);
        for len in cut {
            // A record's end never reaches the plaintext of the next: there is space for all that is to come.
            if to + front != from {
                data.copy_within(from..from + len, to + front);
            }
            let end = to + front + len + back;
            let record = data.get_mut(to..end).ok_or(Error::EncryptError)?;
            self.sealer.seal(ContentType::ApplicationData, record)?;
            from += len;
            to = end;
        }
        if !self.outgoing.is_empty() {
            buffer.prepend(&self.outgoing);
            self.went_out(usize::MAX);
        }
        Ok(Sealed::Done)
    }
}

/// How data are cut into records.
#[derive(Clone, Copy)]
struct Lengths {
    burst: u32,
    left: usize,
}

impl Lengths {
    fn of(burst: u32, left: usize) -> Lengths {
        Lengths { burst, left }
    }
}

impl Iterator for Lengths {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let most = match self.burst < BURST {
            true => FIRST,
            false => MAX_PLAIN,
        };
        let len = self.left.min(most);
        self.left -= len;
        self.burst = self.burst.saturating_add(len as u32);
        (len > 0).then_some(len)
    }
}

/// The alert that an error asks for, and its word for an error message.
fn judge(error: &Error) -> (Option<AlertDescription>, &'static str) {
    match error {
        Error::DecryptError => (
            Some(AlertDescription::BadRecordMac),
            "a TLS record does not match its key",
        ),
        Error::PeerSentOversizedRecord => (
            Some(AlertDescription::RecordOverflow),
            "a TLS record is too long",
        ),
        Error::InvalidMessage(_) => (
            Some(AlertDescription::DecodeError),
            "a TLS message is malformed",
        ),
        Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. }
        | Error::PeerMisbehaved(_) => (
            Some(AlertDescription::UnexpectedMessage),
            "the peer broke a rule of TLS",
        ),
        Error::AlertReceived(_) => (None, "the peer gave up with a TLS alert"),
        _ => (Some(AlertDescription::InternalError), "TLS failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_small_after_a_pause_and_full_later() {
        let of = |burst, left| Lengths::of(burst, left).collect::<Vec<_>>();
        assert_eq!(of(0, 0), Vec::<usize>::new());
        assert_eq!(of(0, 100), [100]);
        assert_eq!(of(0, FIRST + 1), [FIRST, 1]);
        assert_eq!(of(BURST - 1, 2 * FIRST), [FIRST, FIRST]);
        assert_eq!(of(BURST, 2 * MAX_PLAIN + 1), [MAX_PLAIN, MAX_PLAIN, 1]);
        let long = of(0, 1 << 20);
        assert_eq!(long.iter().sum::<usize>(), 1 << 20);
        assert_eq!(long.iter().filter(|&&len| len == FIRST).count(), 17);
    }
}
