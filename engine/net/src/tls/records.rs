//! Records under the keys of one direction: opened and sealed where they lie (RFC 8446 section 5, RFC 5246 section 6.2).
//!
//! rustls leads the handshake and derives all keys, also later ones, and opens records in place; what it seals it would
//! allocate and copy twice, so sealing is done here, by the provider's AEAD. Its `unbuffered` connection is not used
//! beyond the handshake: it copies each record into a block of its own, and couples writing to the bytes that a read has
//! lent to the kernel. Invariants: a nonce is the sequence number, which only ever counts up, and a sealer that would pass
//! its suite's limit seals no more.

use std::ops::Range;

use rustls::crypto::cipher::{InboundOpaqueMessage, MessageDecrypter};
use rustls::{ConnectionTrafficSecrets, ContentType, Error, ProtocolVersion, SupportedCipherSuite};

use super::provider::primitives;
use primitives::aead::{
    AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};

/// Bytes of a record's header.
pub(super) const HEADER: usize = 5;
/// Plaintext of one record at most.
pub(super) const MAX_PLAIN: usize = 16 * 1024;
/// A record at most, header and all.
pub(super) const MAX_WIRE: usize = HEADER + MAX_BODY;

/// What follows a header at most: what TLS 1.2 allows, which is more than TLS 1.3.
const MAX_BODY: usize = MAX_PLAIN + 2048;
/// Bytes of an AEAD's tag.
const TAG: usize = 16;
/// What TLS 1.3 may add to the plaintext.
const EXPANSION_13: usize = 256;

/// What a header says of its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: u8,
    /// Bytes behind the header.
    pub(super) len: usize,
}

impl Header {
    /// The header that `bytes` begin with; none if they are too few.
    pub(super) fn of(bytes: &[u8]) -> Option<Result<Header, Error>> {
        let (header, _) = bytes.split_first_chunk::<HEADER>()?;
        let [kind, major, _, high, low] = *header;
        let len = usize::from(u16::from_be_bytes([high, low]));
        Some(match (major, len) {
            (3, ..=MAX_BODY) => Ok(Header { kind, len }),
            (3, _) => Err(Error::PeerSentOversizedRecord),
            _ => Err(Error::InvalidMessage(
                rustls::InvalidMessage::UnknownProtocolVersion,
            )),
        })
    }
}

/// Bytes of the record that these begin with, its header among them; `Some(None)` if it is none. For the fuzz targets.
pub fn record(bytes: &[u8]) -> Option<Option<usize>> {
    Header::of(bytes).map(|header| header.ok().map(|header| HEADER + header.len))
}

/// Opens records of one direction.
pub(super) struct Opener {
    key: Box<dyn MessageDecrypter>,
    sequence: u64,
    most: usize,
    /// The type that is seen from outside, if all have the same.
    outer: Option<u8>,
}

impl Opener {
    pub(super) fn new(
        suite: SupportedCipherSuite,
        (sequence, secrets): (u64, ConnectionTrafficSecrets),
    ) -> Result<Opener, Error> {
        use ConnectionTrafficSecrets::{Aes128Gcm, Aes256Gcm, Chacha20Poly1305};
        let (key, iv, salt) = match secrets {
            Aes128Gcm { key, iv } | Aes256Gcm { key, iv } => (key, iv, 4),
            Chacha20Poly1305 { key, iv } => (key, iv, 12),
            _ => return Err(Error::General("an unknown AEAD".into())),
        };
        let opener = match suite {
            SupportedCipherSuite::Tls13(suite) => Opener {
                key: suite.aead_alg.decrypter(key, iv),
                sequence,
                most: MAX_PLAIN + EXPANSION_13,
                outer: Some(u8::from(ContentType::ApplicationData)),
            },
            SupportedCipherSuite::Tls12(suite) => Opener {
                key: suite
                    .aead_alg
                    .decrypter(key, iv.as_ref().get(..salt).unwrap_or_default()),
                sequence,
                most: MAX_BODY,
                outer: None,
            },
        };
        Ok(opener)
    }

    /// Opens what stood behind the header: its true type, and where in `body` its plaintext lies now.
    pub(super) fn open(
        &mut self,
        header: Header,
        body: &mut [u8],
    ) -> Result<(ContentType, Range<usize>), Error> {
        if self.outer.is_some_and(|outer| outer != header.kind) {
            let expect_types = vec![ContentType::ApplicationData];
            let got_type = ContentType::from(header.kind);
            return Err(Error::InappropriateMessage {
                expect_types,
                got_type,
            });
        }
        if body.len() > self.most {
            return Err(Error::PeerSentOversizedRecord);
        }
        let sequence = self.sequence;
        self.sequence = sequence.checked_add(1).ok_or(Error::DecryptError)?;
        let begin = body.as_ptr().addr();
        let sealed = InboundOpaqueMessage::new(
            ContentType::from(header.kind),
            ProtocolVersion::TLSv1_2,
            body,
        );
        let opened = self.key.decrypt(sealed, sequence)?;
        let at = opened.payload.as_ptr().addr().saturating_sub(begin);
        Ok((opened.typ, at..at + opened.payload.len()))
    }
}

/// Seals records of one direction.
pub(super) struct Sealer {
    key: LessSafeKey,
    iv: [u8; 12],
    sequence: u64,
    /// Records that one key may seal.
    limit: u64,
    form: Form,
}

/// How a record is laid out around its plaintext.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Type behind the plaintext.
    Tls13,
    /// Eight bytes of the nonce in front.
    Tls12Gcm,
    Tls12ChaCha,
}

impl Sealer {
    pub(super) fn new(
        suite: SupportedCipherSuite,
        (sequence, secrets): (u64, ConnectionTrafficSecrets),
    ) -> Result<Sealer, Error> {
        use ConnectionTrafficSecrets::{Aes128Gcm, Aes256Gcm, Chacha20Poly1305};
        let (aead, key, iv, old): (&Algorithm, _, _, _) = match &secrets {
            Aes128Gcm { key, iv } => (&AES_128_GCM, key, iv, Form::Tls12Gcm),
            Aes256Gcm { key, iv } => (&AES_256_GCM, key, iv, Form::Tls12Gcm),
            Chacha20Poly1305 { key, iv } => (&CHACHA20_POLY1305, key, iv, Form::Tls12ChaCha),
            _ => return Err(Error::General("an unknown AEAD".into())),
        };
        let key = UnboundKey::new(aead, key.as_ref()).map_err(|_| Error::EncryptError)?;
        let (limit, form) = match suite {
            SupportedCipherSuite::Tls13(suite) => (suite.common.confidentiality_limit, Form::Tls13),
            SupportedCipherSuite::Tls12(suite) => (suite.common.confidentiality_limit, old),
        };
        Ok(Sealer {
            key: LessSafeKey::new(key),
            iv: iv.as_ref().try_into().map_err(|_| Error::EncryptError)?,
            sequence,
            limit,
            form,
        })
    }

    /// Whether the key may seal so many more, and one of the kind that changes the key.
    pub(super) fn lasts(&self, records: usize) -> bool {
        let after = self.sequence.checked_add(records as u64 + 1);
        after.is_some_and(|after| after <= self.limit)
    }

    /// Bytes of a record in front of its plaintext.
    pub(super) fn front(&self) -> usize {
        match self.form {
            Form::Tls12Gcm => HEADER + 8,
            Form::Tls13 | Form::Tls12ChaCha => HEADER,
        }
    }

    /// Bytes of a record behind its plaintext.
    pub(super) fn back(&self) -> usize {
        match self.form {
            Form::Tls13 => 1 + TAG,
            Form::Tls12Gcm | Form::Tls12ChaCha => TAG,
        }
    }

    /// Makes a record of the plaintext that lies in its place: `record` begins with [`Sealer::front`] free bytes and ends
    /// with [`Sealer::back`] of them.
    pub(super) fn seal(&mut self, kind: ContentType, record: &mut [u8]) -> Result<(), Error> {
        let sequence = self.sequence;
        if sequence >= self.limit {
            return Err(Error::EncryptError);
        }
        self.sequence = sequence + 1;
        let nonce = self.nonce(sequence);
        let (front, form) = (self.front(), self.form);
        let body = record.len().saturating_sub(HEADER);
        let body = u16::try_from(body).map_err(|_| Error::EncryptError)?;
        let [high, low] = body.to_be_bytes();
        let (head, rest) = record
            .split_at_mut_checked(front)
            .ok_or(Error::EncryptError)?;
        let plain = rest.len().checked_sub(TAG).ok_or(Error::EncryptError)?;
        let (plain, tag) = rest
            .split_at_mut_checked(plain)
            .ok_or(Error::EncryptError)?;
        let outer = match form {
            Form::Tls13 => ContentType::ApplicationData,
            Form::Tls12Gcm | Form::Tls12ChaCha => kind,
        };
        let header = [u8::from(outer), 3, 3, high, low];
        let (start, explicit) = head
            .split_at_mut_checked(HEADER)
            .ok_or(Error::EncryptError)?;
        start.copy_from_slice(&header);
        if let Some((_, counted)) = nonce.split_first_chunk::<4>()
            && form == Form::Tls12Gcm
        {
            explicit.copy_from_slice(counted);
        }
        if let (Form::Tls13, Some(last)) = (form, plain.last_mut()) {
            *last = u8::from(kind);
        }
        let nonce = Nonce::assume_unique_for_key(nonce);
        let sealed = match form {
            Form::Tls13 => self
                .key
                .seal_in_place_separate_tag(nonce, Aad::from(header), plain),
            Form::Tls12Gcm | Form::Tls12ChaCha => {
                let aad = aad_12(sequence, kind, plain.len());
                self.key
                    .seal_in_place_separate_tag(nonce, Aad::from(aad), plain)
            }
        };
        tag.copy_from_slice(sealed.map_err(|_| Error::EncryptError)?.as_ref());
        Ok(())
    }

    /// The IV with the sequence number laid over its end (RFC 8446 section 5.3; for TLS 1.2 with GCM the number thereby
    /// makes the explicit part unique, RFC 5288 section 3).
    fn nonce(&self, sequence: u64) -> [u8; 12] {
        let mut nonce = self.iv;
        let counted = nonce.iter_mut().skip(4).zip(sequence.to_be_bytes());
        counted.for_each(|(byte, number)| *byte ^= number);
        nonce
    }
}

/// What TLS 1.2 authenticates beside the plaintext (RFC 5246 section 6.2.3.3).
fn aad_12(sequence: u64, kind: ContentType, len: usize) -> [u8; 13] {
    let mut aad = [0; 13];
    let (number, rest) = aad.split_at_mut(8);
    number.copy_from_slice(&sequence.to_be_bytes());
    let [high, low] = (len as u16).to_be_bytes();
    rest.copy_from_slice(&[u8::from(kind), 3, 3, high, low]);
    aad
}

#[cfg(test)]
mod tests;
