//! A certificate that a client has shown, and all that follows from it for one verifier: worked out once.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use policy_keys::SubjectField;

use super::{CHAIN, Verifier};
use crate::certificate::{Alternative, Certificate};
use crate::crypto;
use crate::identity::consumer::Member;
use crate::identity::forward::{ForwardClaim, MAX_VALUE, write_line, write_line_within};

/// The longest certificate that is looked at, in bytes. Ordinary ones have 500 to 2000.
pub(super) const MAX_DER: usize = 8 * 1024;

/// The longest chain that is forwarded, all its certificates together, in bytes: in base64 11 KiB.
const MAX_CHAIN: usize = 8 * 1024;

/// The most alternative names of one that is looked at; public authorities put no more into one.
const MAX_NAMES: usize = 100;

/// The longest certificate in base64, between two colons.
const MAX_ENCODED: usize = MAX_DER.div_ceil(3) * 4 + 2;

/// What a verifier makes of a certificate.
pub struct Presented {
    not_after: u64,
    /// What its holder is called; empty: nothing.
    name: Box<str>,
    standing: Standing,
    forward: Box<[u8]>,
    /// What was shown behind it last, and the header line of that.
    chain: RefCell<Option<Chain>>,
}

/// The certificates behind one, and the line that tells the upstream of them.
struct Chain {
    shown: Box<[Box<[u8]>]>,
    line: Rc<[u8]>,
}

/// Where its holder stands.
pub(super) enum Standing {
    /// It can't be read, or is larger than any that is in use.
    Unreadable,
    /// No line of `subjects` fits.
    Stranger,
    /// Accepted; with a consumer's, as that.
    Known(Option<Rc<Member>>),
}

impl Presented {
    pub(super) fn new(verifier: &Verifier, der: &[u8]) -> Presented {
        let Some(facts) = Facts::of(der) else {
            return Presented {
                not_after: u64::MAX,
                name: Box::default(),
                standing: Standing::Unreadable,
                forward: Box::default(),
                chain: RefCell::default(),
            };
        };
        let (standing, named) = facts.judge(verifier);
        let mut lines = Vec::new();
        if let Standing::Known(member) = &standing {
            for claim in &verifier.forward {
                facts.forward(&mut lines, claim, member.as_deref());
            }
        }
        Presented {
            not_after: facts.certificate.not_after,
            name: named.map_or_else(|| facts.name(), str::to_owned).into(),
            standing,
            forward: lines.into(),
            chain: RefCell::default(),
        }
    }

    /// The header line for what was shown behind it: encoded once while that stays the same, as it mostly does. Nothing of
    /// one that was refused, and nothing that is too long.
    #[inline]
    pub(super) fn chain(&self, header: &str, shown: &[Box<[u8]>]) -> Option<Rc<[u8]>> {
        if shown.is_empty() || !matches!(self.standing, Standing::Known(_)) {
            return None;
        }
        let mut known = self.chain.borrow_mut();
        if let Some(chain) = known.as_ref().filter(|it| *it.shown == *shown) {
            return Some(Rc::clone(&chain.line));
        }
        let line = chain_line(header, shown)?;
        *known = Some(Chain {
            shown: shown.into(),
            line: Rc::clone(&line),
        });
        Some(line)
    }

    /// What its holder is called: the text by which a line of `subjects` fits; else the common name, else the first URI,
    /// DNS name or mailbox, else the whole subject.
    pub fn name(&self) -> Option<&str> {
        Some(&*self.name).filter(|name| !name.is_empty())
    }

    /// The header lines that tell the upstream, encoded.
    pub fn forward_lines(&self) -> &[u8] {
        &self.forward
    }

    /// Its last second, in Unix time.
    pub(super) fn not_after(&self) -> u64 {
        self.not_after
    }

    pub(super) fn standing(&self) -> &Standing {
        &self.standing
    }
}

/// A list of byte sequences in the order in which they were shown (RFC 9440 section 2.2, RFC 8941 section 3.1).
#[cold]
fn chain_line(header: &str, shown: &[Box<[u8]>]) -> Option<Rc<[u8]>> {
    let length: usize = shown.iter().map(|der| der.len()).sum();
    if length > MAX_CHAIN {
        return None;
    }
    let members: Vec<String> = shown
        .iter()
        .map(|der| format!(":{}:", STANDARD.encode(der)))
        .collect();
    let mut line = Vec::new();
    let whole = write_line_within(&mut line, header, &members.join(", "), usize::MAX);
    whole.then(|| line.into())
}

/// What stands in a certificate, sorted.
struct Facts<'d> {
    certificate: Certificate<'d>,
    common_name: Option<Cow<'d, str>>,
    dns: Vec<&'d str>,
    uris: Vec<&'d str>,
    emails: Vec<&'d str>,
}

impl<'d> Facts<'d> {
    fn of(der: &'d [u8]) -> Option<Facts<'d>> {
        if der.len() > MAX_DER {
            return None;
        }
        let certificate = Certificate::read(der)?;
        let mut facts = Facts {
            certificate,
            common_name: certificate.common_name(),
            dns: Vec::new(),
            uris: Vec::new(),
            emails: Vec::new(),
        };
        for (at, name) in certificate.alternatives().into_iter().flatten().enumerate() {
            if at == MAX_NAMES {
                return None;
            }
            match name {
                Alternative::Dns(name) => facts.dns.push(name),
                Alternative::Uri(name) => facts.uris.push(name),
                Alternative::Email(name) => facts.emails.push(name),
                Alternative::Address(_) | Alternative::Other => {}
            }
        }
        Some(facts)
    }

    /// Where the holder stands, and the text that decided it.
    fn judge(&self, verifier: &Verifier) -> (Standing, Option<&str>) {
        let Some(subjects) = &verifier.subjects else {
            return (Standing::Known(None), None);
        };
        for (subject, member) in subjects {
            let fits = |text: &&str| subject.matches(text.as_bytes());
            let found = match subject.field {
                SubjectField::CommonName => self.common_name.as_deref().filter(fits),
                SubjectField::Dns => self.dns.iter().copied().find(fits),
                SubjectField::Uri => self.uris.iter().copied().find(fits),
                SubjectField::Email => self.emails.iter().copied().find(fits),
            };
            if found.is_some() {
                return (Standing::Known(member.clone().map(Rc::new)), found);
            }
        }
        (Standing::Stranger, None)
    }

    /// What the holder is called when no line says it.
    fn name(&self) -> String {
        let lists = [&self.uris, &self.dns, &self.emails];
        let alternative = || lists.into_iter().flatten().next().copied();
        match self.common_name.as_deref().or_else(alternative) {
            Some(name) => name.to_owned(),
            None => self.subject().unwrap_or_default(),
        }
    }

    fn subject(&self) -> Option<String> {
        self.certificate.subject_text(MAX_VALUE)
    }

    /// Appends the line of one fact, if there is such a fact.
    fn forward(&self, out: &mut Vec<u8>, claim: &ForwardClaim, member: Option<&Member>) {
        let certificate = &self.certificate;
        let value = match &*claim.claim {
            "subject" => self.subject(),
            "cn" => self.common_name.as_deref().map(str::to_owned),
            "dns" => joined(&self.dns),
            "uri" => joined(&self.uris),
            "email" => joined(&self.emails),
            "serial" => Some(certificate.serial_text()),
            "fingerprint" => Some(crypto::hex(&certificate.fingerprint())),
            "certificate" => {
                // A byte sequence (RFC 9440 section 2.1, RFC 8941 section 3.3.5).
                let value = format!(":{}:", STANDARD.encode(certificate.der));
                write_line_within(out, &claim.header, &value, MAX_ENCODED);
                return;
            }
            // Of the connection, and told apart.
            CHAIN => return,
            other => member
                .and_then(|it| it.consumer.fact(other))
                .map(str::to_owned),
        };
        if let Some(value) = value {
            write_line(out, &claim.header, &value);
        }
    }
}

/// The names with commas between, but for those that have a comma: one of them would look like two.
fn joined(names: &[&str]) -> Option<String> {
    let whole: Vec<&str> = names
        .iter()
        .copied()
        .filter(|it| !it.contains(','))
        .collect();
    (!whole.is_empty()).then(|| whole.join(","))
}
