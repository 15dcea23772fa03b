//! Client certificates: whose are accepted, and who comes with them.
//!
//! The TLS library has verified a certificate before it comes here; what is judged is whether its holder has any business on
//! this route. A certificate is taken apart once per worker and remembered with all that follows from it, by all of its bytes:
//! a request costs a hash of 64 bytes, one comparison of the whole, and no allocation.

use std::rc::Rc;
use std::sync::Arc;

use policy_keys::Subject;

use crate::context::{Context, View};
use crate::identity::consumer::{Consumer, Member};
use crate::identity::forward::{self, ForwardClaim};
use crate::policies::slots::{Fingerprint, Fingerprinter};
use crate::verdict::{RefusalKind, Scheme, Verdict};

mod caches;
mod presented;

pub use caches::Caches;
pub use presented::Presented;

use presented::Standing;

/// What `forward_claims` can name.
pub const FACTS: [&str; 12] = [
    "subject",
    "cn",
    "dns",
    "uri",
    "email",
    "serial",
    "fingerprint",
    "certificate",
    CHAIN,
    "consumer",
    "tier",
    "tenant",
];

/// What was shown behind the certificate: a matter of the connection, where all other facts are the certificate's.
const CHAIN: &str = "chain";

/// The header fields of RFC 9440. Where certificates say who a client is, no client may send them, whether they are
/// set or not.
pub const RESERVED: [&str; 2] = ["Client-Cert", "Client-Cert-Chain"];

/// One line of `subjects`.
#[derive(Clone)]
pub struct Rule {
    /// Which certificates it fits.
    pub subject: Subject,
    /// Who comes with them.
    pub consumer: Option<Consumer>,
}

/// What a verifier is made from.
#[derive(Clone, Default)]
pub struct Settings {
    /// The name of the `[auth.NAME]`.
    pub name: Arc<str>,
    /// The first that fits counts; without one a certificate is refused. `None`: every one is accepted.
    pub subjects: Option<Vec<Rule>>,
    /// What the upstream is told, of `FACTS`. `None`: the subject as `X-Client-Subject`, the consumer's name as
    /// `X-Consumer` and its tenant as `X-Tenant-ID`.
    pub forward_claims: Option<Vec<ForwardClaim>>,
}

/// Judges certificates. Immutable, shared by all workers.
pub struct Verifier {
    name: Arc<str>,
    /// `None`: every certificate is accepted.
    subjects: Option<Vec<(Subject, Option<Member>)>>,
    forward: Vec<ForwardClaim>,
    /// The header for `CHAIN`.
    chain: Option<Box<str>>,
    /// Over everything that is remembered with a certificate.
    fingerprint: Fingerprint,
}

impl Verifier {
    /// Compiles the settings.
    pub fn new(settings: Settings) -> Result<Verifier, String> {
        let forward = settings.forward_claims.unwrap_or_else(default_forward);
        if let Some(header) = forward::duplicate_header(&forward) {
            return Err(format!("`forward_claims` sets `{header}` twice"));
        }
        let compile = |rule: Rule| {
            // What is told of a consumer stands in the lines of the certificate.
            let member = |consumer| Member::new(consumer, &[]);
            (rule.subject, rule.consumer.map(member))
        };
        let subjects: Option<Vec<_>> = settings
            .subjects
            .map(|rules| rules.into_iter().map(compile).collect());
        Ok(Verifier {
            fingerprint: fingerprint(&settings.name, subjects.as_deref(), &forward),
            name: settings.name,
            subjects,
            chain: forward
                .iter()
                .find(|it| &*it.claim == CHAIN)
                .map(|it| it.header.clone()),
            forward,
        })
    }

    /// The name of the `[auth.NAME]`.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The headers that only the gateway may set: those it sets on the request upstream, and `RESERVED`.
    pub fn forwarded_headers(&self) -> impl Iterator<Item = &str> {
        let set = self.forward.iter().map(|claim| &*claim.header);
        set.chain(RESERVED)
    }

    /// Whether some certificate is a consumer's.
    pub fn knows_consumers(&self) -> bool {
        let mut subjects = self.subjects.iter().flatten();
        subjects.any(|(_, member)| member.is_some())
    }

    /// One line for `explain`.
    pub fn describe(&self) -> String {
        let subjects = match &self.subjects {
            None => "any that is verified".to_owned(),
            Some(subjects) => {
                let lines: Vec<String> = subjects.iter().map(|(it, _)| it.to_string()).collect();
                lines.join(", ")
            }
        };
        format!(
            "authenticate: {} (client certificate: {subjects})",
            self.name
        )
    }

    /// Judges the certificate of a request's connection and says whose it is.
    #[inline]
    pub fn check(&self, view: &View<'_>, caches: &mut Caches, ctx: &mut Context) -> Verdict {
        let Some(der) = view.certificate else {
            let scheme = Scheme::ClientCertificate;
            return RefusalKind::MissingCredentials { scheme }.into();
        };
        let presented = caches.presented(self, der, view);
        // Also for the log of a refusal: what is refused tells no upstream anything.
        let presented = ctx.identity.certificate.insert(presented);
        let chain = self.chain.as_deref();
        ctx.identity.chain = chain.and_then(|header| presented.chain(header, view.chain));
        // It held when the connection began, which may be long ago.
        if view.unix > presented.not_after() {
            return invalid("client_certificate_expired");
        }
        let member = match presented.standing() {
            Standing::Unreadable => return invalid("client_certificate_unreadable"),
            Standing::Stranger => return RefusalKind::CertificateNotAllowed.into(),
            Standing::Known(None) => return Verdict::Continue,
            Standing::Known(Some(member)) => member,
        };
        let consumer = &member.consumer;
        if consumer.expires.is_some_and(|expires| view.unix >= expires) {
            return invalid("consumer_expired");
        }
        if !consumer.allow.is_empty() && !consumer.allow.contains(view.client) {
            return RefusalKind::AddressDenied.into();
        }
        ctx.identity.consumer = Some(Rc::clone(member));
        Verdict::Continue
    }
}

fn invalid(reason: &'static str) -> Verdict {
    let scheme = Scheme::ClientCertificate;
    RefusalKind::InvalidCredentials { scheme, reason }.into()
}

/// Digests all that decides what is remembered with a certificate.
fn fingerprint(
    name: &str,
    subjects: Option<&[(Subject, Option<Member>)]>,
    forward: &[ForwardClaim],
) -> Fingerprint {
    let mut parts = Fingerprinter::default();
    parts.part(name.as_bytes());
    parts.part(&[u8::from(subjects.is_some())]);
    for (subject, member) in subjects.into_iter().flatten() {
        parts.part(subject.to_string().as_bytes());
        parts.part(&[u8::from(member.is_some())]);
        if let Some(member) = member {
            member.digest(&mut parts);
        }
    }
    let pairs = forward.iter().flat_map(|it| [&it.claim, &it.header]);
    parts.parts(pairs.map(|text| text.as_bytes()));
    parts.finish()
}

/// What is forwarded unless `forward_claims` says otherwise.
fn default_forward() -> Vec<ForwardClaim> {
    [
        ("subject", "X-Client-Subject"),
        ("consumer", "X-Consumer"),
        ("tenant", "X-Tenant-ID"),
    ]
    .map(ForwardClaim::from)
    .into()
}

#[cfg(test)]
mod tests;
