//! Session tickets without a session store: made and read by any worker that has the keys (RFC 8446 section 4.6.1, RFC 5077).
//!
//! Whoever holds the keys rotates them. A ticket names its key and carries a salt; the key it is sealed under comes from
//! both and from the context, so that no nonce is ever used twice and a ticket of another context is but noise. Invariant:
//! a ticket that can't be read means a full handshake, nothing else. The host's name is bound by rustls, which seals it
//! into the session and compares it.

use std::fmt;

use rustls::crypto::SecureRandom;
use rustls::server::ProducesTickets;
use zeroize::Zeroizing;

use super::provider::{self, primitives};
use primitives::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use primitives::hmac;

/// Bytes of a key's id.
const ID: usize = 8;
/// Bytes of a ticket's salt.
const SALT: usize = 32;
/// Bytes that the sealing adds.
const TAG: usize = 16;

/// One generation of key material.
#[derive(Clone)]
pub struct TicketKey {
    id: [u8; ID],
    secret: Zeroizing<[u8; 32]>,
}

/// The keys of tickets: new ones are sealed with the newest, those of the previous one are still read.
#[derive(Clone, Debug)]
pub struct TicketKeys {
    /// Seals and reads.
    pub newest: TicketKey,
    /// Reads only.
    pub previous: Option<TicketKey>,
    /// Seconds that clients are told a ticket lasts; it does as long as its key is here.
    pub lifetime: u32,
}

impl TicketKey {
    /// A key of 32 random bytes, known by an id that no other key of the rotation has.
    pub fn new(id: [u8; 8], secret: [u8; 32]) -> TicketKey {
        TicketKey {
            id,
            secret: Zeroizing::new(secret),
        }
    }
}

impl fmt::Debug for TicketKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "TicketKey {:02x?}", self.id)
    }
}

/// Makes and reads the tickets of one acceptor.
pub(super) struct Ticketer {
    newest: Bound,
    previous: Option<Bound>,
    lifetime: u32,
    random: &'static dyn SecureRandom,
}

/// A key bound to a context.
struct Bound {
    id: [u8; ID],
    key: hmac::Key,
}

impl Ticketer {
    pub(super) fn new(keys: &TicketKeys, context: &[u8]) -> Ticketer {
        Ticketer {
            newest: Bound::new(&keys.newest, context),
            previous: keys.previous.as_ref().map(|key| Bound::new(key, context)),
            lifetime: keys.lifetime,
            random: provider::provider(&[]).secure_random,
        }
    }
}

impl Bound {
    fn new(key: &TicketKey, context: &[u8]) -> Bound {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, key.secret.as_slice());
        let mut bound = hmac::Context::with_key(&secret);
        bound.update(b"portcullis session tickets 1");
        bound.update(context);
        Bound {
            id: key.id,
            key: hmac::Key::new(hmac::HMAC_SHA256, bound.sign().as_ref()),
        }
    }

    /// The key of the one ticket with this salt. It seals once, so its nonce may be constant.
    fn of(&self, salt: &[u8]) -> Option<(LessSafeKey, Nonce)> {
        let key = hmac::sign(&self.key, salt);
        let key = UnboundKey::new(&AES_256_GCM, key.as_ref()).ok()?;
        Some((LessSafeKey::new(key), Nonce::assume_unique_for_key([0; 12])))
    }
}

impl ProducesTickets for Ticketer {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        self.lifetime
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let mut salt = [0; SALT];
        self.random.fill(&mut salt).ok()?;
        let (key, nonce) = self.newest.of(&salt)?;
        let mut ticket = Vec::with_capacity(ID + SALT + plain.len() + TAG);
        ticket.extend_from_slice(&self.newest.id);
        ticket.extend_from_slice(&salt);
        ticket.extend_from_slice(plain);
        let (_, sealed) = ticket.split_at_mut_checked(ID + SALT)?;
        let tag = key
            .seal_in_place_separate_tag(nonce, Aad::from(self.newest.id), sealed)
            .ok()?;
        ticket.extend_from_slice(tag.as_ref());
        Some(ticket)
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let (id, rest) = ticket.split_first_chunk::<ID>()?;
        let (salt, sealed) = rest.split_first_chunk::<SALT>()?;
        // Ids are no secret.
        let bound = [Some(&self.newest), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .find(|bound| bound.id == *id)?;
        let (key, nonce) = bound.of(salt)?;
        let mut plain = sealed.to_vec();
        let len = key
            .open_in_place(nonce, Aad::from(*id), &mut plain)
            .ok()?
            .len();
        plain.truncate(len);
        Some(plain)
    }
}

impl fmt::Debug for Ticketer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Ticketer {:02x?}", self.newest.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> TicketKey {
        TicketKey::new([n; 8], [n; 32])
    }

    fn ticketer(newest: u8, previous: Option<u8>, context: &[u8]) -> Ticketer {
        let keys = TicketKeys {
            newest: key(newest),
            previous: previous.map(key),
            lifetime: 3600,
        };
        Ticketer::new(&keys, context)
    }

    #[test]
    fn a_ticket_is_read_under_its_key_and_context_alone() {
        let ticket = ticketer(1, None, b"public").encrypt(b"session");
        let ticket = ticket.expect("a ticket");
        let read = |by: &Ticketer| by.decrypt(&ticket);
        assert_eq!(
            read(&ticketer(1, None, b"public")).as_deref(),
            Some(&b"session"[..])
        );
        assert_eq!(
            read(&ticketer(2, Some(1), b"public")).as_deref(),
            Some(&b"session"[..])
        );
        assert_eq!(read(&ticketer(3, Some(2), b"public")), None);
        assert_eq!(read(&ticketer(1, None, b"private")), None);
        assert_eq!(read(&ticketer(1, None, b"")), None);
        // The right id with another secret.
        let keys = TicketKeys {
            newest: TicketKey::new([1; 8], [9; 32]),
            previous: None,
            lifetime: 1,
        };
        assert_eq!(read(&Ticketer::new(&keys, b"public")), None);
    }

    #[test]
    fn no_bit_of_a_ticket_may_change_and_none_may_be_missing() {
        let ticketer = ticketer(1, Some(2), b"public");
        let ticket = ticketer.encrypt(b"session").expect("a ticket");
        for at in 0..ticket.len() {
            let mut changed = ticket.clone();
            changed[at] ^= 1;
            assert_eq!(ticketer.decrypt(&changed), None, "byte {at}");
            assert_eq!(ticketer.decrypt(&ticket[..at]), None, "cut at {at}");
        }
        let again = ticketer.encrypt(b"session").expect("a ticket");
        assert_ne!(ticket, again);
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", ticketer(1, None, b"").newest.id);
        assert!(!shown.contains("secret"));
        assert_eq!(
            format!("{:?}", key(7)),
            "TicketKey [07, 07, 07, 07, 07, 07, 07, 07]"
        );
    }
}
