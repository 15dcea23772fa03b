//! `[auth.NAME]` and `[consumer.NAME]`: who may pass, and how they prove it.

mod mtls;

use super::Resolver;
use super::process::set;
use crate::keys::auth::{ApiKey, Jwt, Mtls};
use crate::keys::consumer::Consumer as SaidConsumer;
use crate::problem::{Place, Problem};
use crate::said::{Block, scope_of};
use crate::snapshot::CredentialPlace;
use policy::chain::Auth;
use policy::crypto::Algorithm;
use policy::identity::consumer::Consumer;
use policy::identity::credential::Source;
use policy::identity::forward::ForwardClaim;
use policy::policies::api_key::{self, KeyHash};
use policy::policies::jwt;
use policy_keys::Mismatch;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One way to authenticate, ready for the routes that name it.
#[derive(Clone)]
pub(super) struct Ready {
    pub auth: Auth,
    /// Whether `Authorization` goes on to the upstream.
    pub forward_credentials: bool,
    /// What is removed before forwarding.
    pub credentials: Vec<CredentialPlace>,
    /// The headers it sets on the request upstream.
    pub headers: Vec<String>,
}

impl Resolver<'_, '_> {
    /// Every `[auth.NAME]` that can be compiled, by name.
    pub(super) fn auths(&mut self) -> BTreeMap<String, Ready> {
        let consumers = self.consumers();
        let mut auths = BTreeMap::new();
        for block in self.said.of("auth") {
            if block.name == "none" {
                self.report.error(
                    Problem::at(block.place, "an auth can't be named `none`")
                        .note("`none` lets everybody pass"),
                );
            }
            let Some(scope) = scope_of(self.report, &block) else {
                continue;
            };
            let ready = match scope.variant {
                "jwt" => self
                    .read(&block, scope, Jwt::read)
                    .and_then(|said| self.jwt(&block, said)),
                "mtls" => self
                    .read(&block, scope, Mtls::read)
                    .and_then(|said| self.mtls(&block, said, &consumers)),
                _ => self
                    .read(&block, scope, ApiKey::read)
                    .and_then(|said| self.api_key(&block, said, &consumers)),
            };
            if let Some(ready) = ready {
                auths.insert(block.name.clone(), ready);
            }
        }
        auths
    }

    fn jwt(&mut self, block: &Block, said: Jwt) -> Option<Ready> {
        let before = self.report.errors.len();
        let algorithms = self.algorithms(block, said.algorithms.as_deref());
        let sources = self.items(block, "token_from", &said.token_from, Source::parse);
        let forward_claims = self.forward_claims(block, said.forward_claims);
        let jwks = said.jwks.and_then(|jwks| self.jwks(block, &jwks));
        let wants_keys =
            !block.entries.contains_key("jwks") && !block.entries.contains_key("secret");
        if wants_keys {
            self.report.error(
                Problem::at(block.place, format!("{} has no keys", block.title()))
                    .note("add jwks = \"FILE\", or secret = \"${NAME}\" for the HS algorithms"),
            );
        }
        if self.report.errors.len() > before || (jwks.is_none() && said.secret.is_none()) {
            return None;
        }
        let forwards = said.forward_credentials;
        let verifier = jwt::Verifier::new(jwt::Settings {
            name: block.name.as_str().into(),
            issuer: said.issuer,
            audiences: said.audiences.unwrap_or_default(),
            algorithms,
            jwks,
            secret: said.secret.map(|secret| secret.expose().to_vec()),
            leeway: said.leeway,
            required_claims: said.required_claims,
            token_from: sources,
            cache: said.cache,
            forward_claims,
        });
        let verifier = verifier
            .map_err(|what| self.unusable(block, &["jwks", "secret"], what))
            .ok()?;
        let place = self.place_of(block, &["jwks", "secret"]);
        for warning in verifier.warnings() {
            self.report.warn(Problem::at(place, warning.clone()));
        }
        Some(Ready {
            forward_credentials: forwards,
            credentials: credentials(verifier.sources(), !forwards),
            headers: verifier.forwarded_headers().map(str::to_owned).collect(),
            auth: Auth::Jwt(Arc::new(verifier)),
        })
    }

    fn algorithms(&mut self, block: &Block, texts: Option<&[String]>) -> Vec<Algorithm> {
        let known: Vec<&str> = Algorithm::ALL
            .iter()
            .map(|algorithm| algorithm.as_str())
            .collect();
        let mut algorithms = Vec::new();
        for (item, text) in texts.iter().flat_map(|texts| texts.iter()).enumerate() {
            match Algorithm::parse(text) {
                Some(algorithm) => algorithms.push(algorithm),
                None => {
                    let place = block.place("algorithms", Some(item));
                    let problem = match text.as_str() {
                        "none" => Problem::at(
                            place,
                            "an unsigned token proves nothing: `none` is not accepted",
                        ),
                        _ => Problem::at(place, format!("unknown algorithm `{text}`"))
                            .meant(text, known.iter().copied()),
                    };
                    self.report
                        .error(problem.note(format!("expected {}", known.join(", "))));
                }
            }
        }
        if texts.is_some_and(<[String]>::is_empty) {
            self.wrong(
                block,
                "algorithms",
                Mismatch::new("no algorithm is accepted, so no token is"),
            );
        }
        algorithms
    }

    fn jwks(&mut self, block: &Block, jwks: &str) -> Option<Vec<u8>> {
        if jwks.starts_with("https://") || jwks.starts_with("http://") {
            let what = "a JWK set from a URL is not built yet";
            self.wrong(block, "jwks", Mismatch::new(what).expected("a file"));
            return None;
        }
        let folder = self.folder(block, "jwks");
        let read = self.outside.file(&folder, jwks);
        read.map_err(|what| self.wrong(block, "jwks", Mismatch::new(what)))
            .ok()
    }

    fn api_key(
        &mut self,
        block: &Block,
        said: ApiKey,
        all: &BTreeMap<String, Consumer>,
    ) -> Option<Ready> {
        let before = self.report.errors.len();
        let from = self.items(block, "from", &said.from, Source::parse);
        let forward_claims = self.forward_claims(block, said.forward_claims);
        let consumers: Vec<Consumer> = match &said.consumers {
            None => {
                // One without keys can't come this way: a certificate must name it.
                let keyed = all.iter().filter(|(_, consumer)| !consumer.keys.is_empty());
                for (name, _) in keyed {
                    self.used.insert(("consumer".to_owned(), name.clone()));
                }
                all.values().cloned().collect()
            }
            Some(names) => {
                self.refer_all(block, "consumers", "consumer", names);
                self.warn_keyless(block, names, all);
                names
                    .iter()
                    .filter_map(|name| all.get(name.as_str()).cloned())
                    .collect()
            }
        };
        if consumers.is_empty() && self.said.names("consumer").next().is_none() {
            self.warn(
                block.place,
                format!(
                    "{} lets nobody pass: there is no [consumer.NAME]",
                    block.title()
                ),
            );
        }
        if self.report.errors.len() > before {
            return None;
        }
        let settings = api_key::Settings {
            name: block.name.as_str().into(),
            from,
            consumers,
            forward_claims,
        };
        let verifier = api_key::Verifier::new(settings);
        let verifier = verifier
            .map_err(|what| self.unusable(block, &["consumers"], what))
            .ok()?;
        Some(Ready {
            // A key may itself stand in Authorization; then it is among the credentials.
            forward_credentials: true,
            credentials: credentials(verifier.sources(), true),
            headers: verifier.forwarded_headers().map(str::to_owned).collect(),
            auth: Auth::ApiKey(Arc::new(verifier)),
        })
    }

    fn warn_keyless(
        &mut self,
        block: &Block,
        names: &[policy_keys::Name],
        all: &BTreeMap<String, Consumer>,
    ) {
        for (item, name) in names.iter().enumerate() {
            let keyless = |consumer: &Consumer| consumer.keys.is_empty();
            if all.get(name.as_str()).is_some_and(keyless) {
                let what = format!("`{}` has no API key to come with", name.as_str());
                self.warn(block.place("consumers", Some(item)), what);
            }
        }
    }

    fn consumers(&mut self) -> BTreeMap<String, Consumer> {
        let mut consumers = BTreeMap::new();
        for block in self.said.of("consumer") {
            let Some(said) = self.read(&block, &SaidConsumer::SCOPE, SaidConsumer::read) else {
                continue;
            };
            let keys = self.items(
                &block,
                "keys",
                said.keys.as_deref().unwrap_or_default(),
                KeyHash::parse,
            );
            let expires = said.expires.as_deref().and_then(|text| {
                let seconds = unix_seconds(text);
                if seconds.is_none() {
                    let what = Mismatch::new(format!("`{text}` is not a date"));
                    let expected = "a date such as \"2027-01-31\" or \"2027-01-31T12:00:00Z\"";
                    self.wrong(&block, "expires", what.expected(expected));
                }
                seconds
            });
            let consumer = Consumer {
                name: block.name.as_str().into(),
                keys,
                tier: said.tier.map(Into::into),
                tenant: said.tenant.map(Into::into),
                tags: said.tags.into_iter().flatten().map(Into::into).collect(),
                expires,
                allow: set(said.allow),
            };
            consumers.insert(block.name.clone(), consumer);
        }
        consumers
    }

    fn forward_claims(
        &mut self,
        block: &Block,
        texts: Option<Vec<String>>,
    ) -> Option<Vec<ForwardClaim>> {
        let texts = texts?;
        Some(self.items(block, "forward_claims", &texts, ForwardClaim::parse))
    }

    /// What a verifier as a whole says is wrong, at the first of the keys that is there.
    fn unusable(&mut self, block: &Block, keys: &[&str], what: String) {
        let place = self.place_of(block, keys);
        self.report.error(Problem::at(place, what));
    }

    fn place_of(&self, block: &Block, keys: &[&str]) -> Place {
        let there = keys.iter().find(|key| block.entries.contains_key(**key));
        there.map_or(block.place, |key| block.place(key, None))
    }
}

/// What is removed before forwarding: what stands in the query always, the rest if asked to.
fn credentials(sources: &[Source], all: bool) -> Vec<CredentialPlace> {
    let places = sources.iter().filter_map(|source| match source {
        Source::Query(name) => Some(CredentialPlace::Query(name.to_string())),
        _ if !all => None,
        Source::Bearer => Some(CredentialPlace::Header("authorization".to_owned())),
        Source::Header(name) => Some(CredentialPlace::Header(name.to_ascii_lowercase())),
        Source::Cookie(name) => Some(CredentialPlace::Cookie(name.to_string())),
    });
    places.collect()
}

/// The first second of a date, or the second of an instant, both UTC.
fn unix_seconds(text: &str) -> Option<u64> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, time.strip_suffix('Z')?),
        None => (text, "00:00:00"),
    };
    let date = numbers(date, '-', [4, 2, 2])?;
    let time = numbers(time, ':', [2, 2, 2])?;
    policy::date::unix_seconds(date, time)
}

fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(separator);
    let mut found = [0; 3];
    for (number, width) in found.iter_mut().zip(widths) {
        let part = parts
            .next()
            .filter(|part| part.len() == width && part.bytes().all(|b| b.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::unix_seconds;

    #[test]
    fn dates_are_utc_seconds() {
        assert_eq!(unix_seconds("1970-01-01"), Some(0));
        assert_eq!(unix_seconds("2000-02-29"), Some(951_782_400));
        assert_eq!(unix_seconds("2027-01-31T12:34:56Z"), Some(1_801_398_896));
        for wrong in [
            "",
            "2027-02-29",
            "2027-13-01",
            "2027-1-1",
            "2027-01-01T00:00:00",
            "2027-01-01T24:00:00Z",
            "1969-01-01",
            "2027-00-10",
        ] {
            assert_eq!(unix_seconds(wrong), None, "{wrong}");
        }
    }
}
