//! `[certificate.NAME]`, and the files of TLS that other sections name: chains with their keys,
//! authorities, revocation lists.
//!
//! What is in such a file, `x509` knows; here it is read, held against the key that names it, and told.

use super::{Resolver, id16};
use crate::keys::certificate::Certificate as Said;
use crate::problem::Problem;
use crate::said::Block;
use crate::snapshot::{Certificate, Der, Digest, Identity};
use crate::x509::{self, Facts};
use policy::route::Host;
use policy_keys::Mismatch;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Resolver<'_, '_> {
    /// Every `[certificate.NAME]` that can be used, by name.
    pub(super) fn certificates(&mut self) -> BTreeMap<String, Arc<Certificate>> {
        let mut certificates = BTreeMap::new();
        for (index, block) in self.said.of("certificate").iter().enumerate() {
            let Some(said) = self.read(block, &Said::SCOPE, Said::read) else {
                continue;
            };
            if let Some(certificate) = self.certificate(block, index, said) {
                certificates.insert(block.name.clone(), Arc::new(certificate));
            }
        }
        certificates
    }

    fn certificate(&mut self, block: &Block, index: usize, said: Said) -> Option<Certificate> {
        let names = self.said_names(block, said.names.as_deref());
        let ocsp = said.ocsp.and_then(|file| self.ocsp(block, &file));
        let pair = [("chain", said.chain?), ("key", said.key?)];
        let (identity, facts) = self.identity(block, pair)?;
        let names = match names {
            Some(names) => {
                self.warn_uncovered(block, &names, &facts.names);
                names
            }
            // What a certificate says beside names of hosts is for others.
            None => {
                let hosts = facts.names.iter().filter_map(|name| Host::parse(name).ok());
                let mut names: Vec<String> = hosts.map(|host| host.to_string()).collect();
                names.sort();
                names.dedup();
                names
            }
        };
        let mut digest = Digester::new();
        digest.identity(&identity);
        names.iter().for_each(|name| digest.part(name.as_bytes()));
        digest.part(ocsp.as_deref().unwrap_or_default());
        Some(Certificate {
            name: block.name.as_str().into(),
            id: id16(index),
            identity,
            names: names.into_iter().map(Into::into).collect(),
            ocsp,
            digest: digest.finish(),
        })
    }

    fn said_names(&mut self, block: &Block, texts: Option<&[String]>) -> Option<Vec<String>> {
        let texts = texts?;
        if texts.is_empty() {
            let mismatch = Mismatch::new("an empty list names nothing");
            let hint = "leave the key out to take the names in the certificate";
            self.wrong(block, "names", mismatch.hint(hint));
        }
        let names = self.items(block, "names", texts, |text| match text {
            "*" => Err("`*` is no name; a certificate is shown for every name where it comes first in a listener's `certificates`".to_owned()),
            _ => Host::parse(text).map(|host| host.to_string()),
        });
        for (item, name) in names.iter().enumerate() {
            if names.len() == texts.len() && names.iter().take(item).any(|other| other == name) {
                let what = format!("`{name}` stands here twice");
                self.wrong_item(block, "names", item, what);
            }
        }
        Some(names)
    }

    /// Clients would refuse the certificate under such a name.
    fn warn_uncovered(&mut self, block: &Block, names: &[String], covered: &[String]) {
        for (item, name) in names.iter().enumerate() {
            let by = |cover: &String| {
                let below = name.split_once('.').map(|(_, rest)| rest);
                cover.eq_ignore_ascii_case(name)
                    || cover.strip_prefix("*.").is_some_and(|suffix| {
                        below.is_some_and(|rest| rest.eq_ignore_ascii_case(suffix))
                    })
            };
            if !covered.iter().any(by) {
                let place = block.place("names", Some(item));
                let message = match covered {
                    [] => format!("the certificate bears no name, so not `{name}` either"),
                    _ => format!(
                        "the certificate is not good for `{name}`, only for {}",
                        covered.join(", ")
                    ),
                };
                self.warn(place, message);
            }
        }
    }

    fn ocsp(&mut self, block: &Block, file: &str) -> Option<Der> {
        let bytes = self.material(block, "ocsp", file)?;
        let checked = x509::ocsp_response(&bytes);
        checked
            .map_err(|what| self.wrong(block, "ocsp", Mismatch::new(format!("{file} {what}"))))
            .ok()
    }

    /// A chain and its key: the keys that name the files, and the files.
    pub(super) fn identity(
        &mut self,
        block: &Block,
        [(chain_key, chain), (key_key, key)]: [(&str, String); 2],
    ) -> Option<(Identity, Facts)> {
        let found = self.chain(block, chain_key, &chain);
        let key_bytes = self.material(block, key_key, &key);
        let private = key_bytes.and_then(|bytes| {
            let read = x509::private_key(&bytes);
            read.map_err(|what| self.wrong(block, key_key, Mismatch::new(format!("{key} {what}"))))
                .ok()
        });
        let ((chain_ders, mut facts), (private, public)) = (found?, private?);
        let owner = facts.iter().position(|facts| facts.public_key == public);
        if owner != Some(0) {
            let what = format!("{key} is not the key of the certificate in {chain}");
            let mismatch = Mismatch::new(what);
            let mismatch = match owner {
                Some(at) => mismatch.hint(format!(
                    "it is that of the {} certificate there: the server's own comes first",
                    x509::nth(at)
                )),
                None => mismatch,
            };
            self.wrong(block, key_key, mismatch);
            return None;
        }
        self.warn_disorder(block, chain_key, &facts);
        let identity = Identity {
            chain: chain_ders,
            key: private,
            not_before: facts.iter().map(|facts| facts.not_before).max()?,
            not_after: facts.iter().map(|facts| facts.not_after).min()?,
        };
        Some((identity, facts.swap_remove(0)))
    }

    fn chain(&mut self, block: &Block, key: &str, file: &str) -> Option<(Vec<Der>, Vec<Facts>)> {
        let chain = self.pem(block, key, file)?;
        let mut facts = Vec::with_capacity(chain.len());
        for (at, der) in chain.iter().enumerate() {
            let own = match at {
                0 => x509::check_own(der),
                _ => Ok(()),
            };
            match own.and_then(|()| Facts::of(der).map_err(str::to_owned)) {
                Ok(of) => facts.push(of),
                Err(why) => {
                    let nth = x509::nth(at);
                    let what =
                        format!("the {nth} certificate in {file} can't be used as one: {why}");
                    self.wrong(block, key, Mismatch::new(what));
                    return None;
                }
            }
        }
        Some((chain, facts))
    }

    /// Most clients look for the next certificate in the place after.
    fn warn_disorder(&mut self, block: &Block, key: &str, facts: &[Facts]) {
        let pairs = facts.iter().zip(facts.iter().skip(1));
        for (at, (below, above)) in pairs.enumerate() {
            if below.issuer != above.subject {
                let message = format!(
                    "the {} certificate is not the one that vouches for the {}",
                    x509::nth(at + 1),
                    x509::nth(at)
                );
                self.warn(block.place(key, None), message);
            }
        }
    }

    /// The authorities in a file that can be used, at least one. The others are told: to leave one out
    /// admits less, never more.
    pub(super) fn authorities(&mut self, block: &Block, key: &str, file: &str) -> Option<Vec<Der>> {
        let mut authorities = self.pem(block, key, file)?;
        let mut unusable = Vec::new();
        let mut at = 0;
        authorities.retain(|der| {
            let checked = x509::check_authority(der);
            unusable.extend(checked.as_ref().err().map(|why| (at, why.clone())));
            at += 1;
            checked.is_ok()
        });
        let told = unusable.into_iter().map(|(at, why)| {
            let nth = x509::nth(at);
            format!("the {nth} certificate in {file} can't be used as an authority: {why}")
        });
        for what in told {
            match authorities.is_empty() {
                true => self.wrong(block, key, Mismatch::new(what)),
                false => self.warn(block.place(key, None), what),
            }
        }
        (!authorities.is_empty()).then_some(authorities)
    }

    fn pem(&mut self, block: &Block, key: &str, file: &str) -> Option<Vec<Der>> {
        let bytes = self.material(block, key, file)?;
        let read = x509::certificates(&bytes);
        read.map_err(|what| self.wrong(block, key, Mismatch::new(format!("{file} {what}"))))
            .ok()
    }

    /// What a file holds that a key names.
    pub(super) fn material(&mut self, block: &Block, key: &str, file: &str) -> Option<Vec<u8>> {
        if file.is_empty() || file.contains("-----BEGIN") {
            let mismatch = Mismatch::new("the path of a file belongs here");
            self.wrong(block, key, mismatch);
            return None;
        }
        let folder = self.folder(block, key);
        let read = self.outside.file(&folder, file);
        read.map_err(|what| self.wrong(block, key, Mismatch::new(what)))
            .ok()
    }

    /// Refuses keys of a section that mean nothing because another one is missing.
    pub(super) fn refuse_idle(&mut self, block: &Block, keys: &[&str], why: &str) {
        for key in keys {
            if let Some(entry) = block.entries.get(*key) {
                let problem = Problem::at(entry.key.place, format!("`{key}` {why}"));
                self.report.error(problem);
            }
        }
    }
}

/// Takes a digest over parts, so that no two lists of parts have the same.
pub(super) struct Digester(ring::digest::Context);

impl Digester {
    pub(super) fn new() -> Digester {
        Digester(ring::digest::Context::new(&ring::digest::SHA256))
    }

    pub(super) fn part(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    /// A list, so that its end is told from the next list's beginning.
    pub(super) fn list(&mut self, ders: &[Der]) {
        self.part(&(ders.len() as u64).to_be_bytes());
        ders.iter().for_each(|der| self.part(der));
    }

    pub(super) fn identity(&mut self, identity: &Identity) {
        self.list(&identity.chain);
        self.part(identity.key.der.expose());
    }

    pub(super) fn finish(self) -> Digest {
        let mut digest = Digest::default();
        digest.copy_from_slice(self.0.finish().as_ref());
        digest
    }
}
