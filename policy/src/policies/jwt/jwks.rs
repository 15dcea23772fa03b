//! JWK Sets (RFC 7517): the keys that can be used, and why the others can't.
//!
//! A key that is of another kind, too small or meant for something else is left out with a
//! warning, as RFC 7517 section 5 wants it; a set that is no JSON is an error.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::json;
use super::token::{Header, Token};
use crate::crypto::{Algorithm, Curve, Key};

/// A set taken apart.
pub(super) struct Set {
    pub(super) keys: Vec<Jwk>,
    pub(super) warnings: Vec<String>,
}

/// One key and what it may be used for.
pub(super) struct Jwk {
    name: Named,
    /// The only algorithm it may be used with, if it names one.
    algorithm: Option<Algorithm>,
    key: Key,
}

/// How tokens refer to a key.
enum Named {
    /// By this `kid`; or by none.
    Kid(String),
    /// It has no `kid`: only tokens without one can mean it.
    Without,
    /// It is the operator's own secret, the one that every token means.
    Any,
}

impl Jwk {
    /// A key that did not come from a set.
    pub(super) fn nameless(key: Key) -> Jwk {
        Jwk {
            name: Named::Any,
            algorithm: None,
            key,
        }
    }

    /// Whether the key may be used with this algorithm.
    pub(super) fn allows(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|only| only == algorithm) && self.key.fits(algorithm)
    }

    /// Whether the key may be the one that a header means.
    pub(super) fn fits(&self, header: &Header) -> bool {
        let meant = match (&self.name, &header.kid) {
            (Named::Any, _) | (_, None) => true,
            (Named::Kid(own), Some(kid)) => own == kid,
            (Named::Without, Some(_)) => false,
        };
        meant && self.allows(header.algorithm)
    }

    /// Whether the token's signature holds.
    pub(super) fn verify(&self, token: &Token<'_>) -> bool {
        self.key
            .verify(token.header.algorithm, token.signed, token.signature())
    }
}

/// Parses a set, or a single key.
pub(super) fn parse(bytes: &[u8]) -> Result<Set, String> {
    let value = json::value(bytes).map_err(|error| format!("not a JWK Set: {error}"))?;
    let Value::Object(mut members) = value else {
        return Err("not a JWK Set: expected an object".to_owned());
    };
    let entries = match members.remove("keys") {
        Some(Value::Array(entries)) => entries,
        Some(_) => return Err("not a JWK Set: `keys` is not a list".to_owned()),
        None if members.contains_key("kty") => vec![Value::Object(members)],
        None => return Err("not a JWK Set: it has no `keys`".to_owned()),
    };
    let mut set = Set {
        keys: Vec::new(),
        warnings: Vec::new(),
    };
    for (at, entry) in entries.iter().enumerate() {
        let Value::Object(members) = entry else {
            set.warnings.push(format!("key {at} is not an object"));
            continue;
        };
        let name = match members.get("kid") {
            Some(Value::String(kid)) => format!("key `{kid}`"),
            _ => format!("key {at}"),
        };
        if members.contains_key("d") {
            set.warnings.push(format!(
                "{name} holds a private key, which a gateway never needs"
            ));
        }
        match jwk(members) {
            Ok(key) => set.keys.push(key),
            Err(why) => set.warnings.push(format!("{name} is not used: {why}")),
        }
    }
    Ok(set)
}

/// One entry of a set.
fn jwk(members: &Map<String, Value>) -> Result<Jwk, String> {
    let name = match members.get("kid") {
        None => Named::Without,
        Some(Value::String(kid)) => Named::Kid(kid.clone()),
        Some(_) => return Err("its `kid` is not a string".to_owned()),
    };
    match members.get("use") {
        None => {}
        Some(Value::String(usage)) if usage == "sig" => {}
        Some(_) => return Err("its `use` is not `sig`".to_owned()),
    }
    match members.get("key_ops") {
        None => {}
        Some(Value::Array(operations)) if operations.iter().any(|o| o == "verify") => {}
        Some(_) => return Err("its `key_ops` do not contain `verify`".to_owned()),
    }
    let algorithm = match members.get("alg") {
        None => None,
        Some(Value::String(name)) => {
            let known = Algorithm::parse(name);
            Some(known.ok_or_else(|| format!("its `alg` {name} is not supported"))?)
        }
        Some(_) => return Err("its `alg` is not a string".to_owned()),
    };
    let key = key(members)?;
    if let Some(algorithm) = algorithm
        && !key.fits(algorithm)
    {
        let name = algorithm.as_str();
        return Err(match algorithm.min_secret() {
            0 => format!("its type does not fit its `alg` {name}"),
            bytes => format!("its `alg` {name} needs a secret of at least {bytes} bytes"),
        });
    }
    Ok(Jwk {
        name,
        algorithm,
        key,
    })
}

/// The key itself, by its type (RFC 7518 section 6, RFC 8037 section 2).
fn key(members: &Map<String, Value>) -> Result<Key, String> {
    let text = |name: &str| {
        let value = members.get(name).and_then(Value::as_str);
        value.ok_or_else(|| format!("it has no `{name}`"))
    };
    let bytes = |name: &str| {
        let decoded = URL_SAFE_NO_PAD.decode(text(name)?);
        decoded.map_err(|_| format!("its `{name}` is not base64url without padding"))
    };
    let key = match text("kty")? {
        "RSA" => Key::rsa(without_zeros(&bytes("n")?), without_zeros(&bytes("e")?)),
        "oct" => Key::secret(&bytes("k")?),
        "EC" => {
            let curve = match text("crv")? {
                "P-256" => Curve::P256,
                "P-384" => Curve::P384,
                other => return Err(format!("its curve {other} is not supported")),
            };
            Key::ec(curve, &bytes("x")?, &bytes("y")?)
        }
        "OKP" => match text("crv")? {
            "Ed25519" => Key::ed25519(&bytes("x")?),
            other => return Err(format!("its curve {other} is not supported")),
        },
        other => return Err(format!("its type {other} is not supported")),
    };
    key.map_err(|error| error.to_string())
}

/// Some issuers write the sign byte of ASN.1 before a number; it changes nothing.
fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}
