//! `[auth.NAME]` with `kind = "mtls"`: whose certificates are accepted, and who comes with them.
//!
//! That a route asks for certificates only where a listener does is held in `resolve/route/access.rs`.

use super::Ready;
use crate::keys::auth::Mtls;
use crate::resolve::Resolver;
use crate::said::Block;
use policy::chain::Auth;
use policy::identity::consumer::Consumer;
use policy::policies::mtls::{FACTS, Rule, Settings, Verifier};
use policy_keys::{Mismatch, Subject};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Resolver<'_, '_> {
    pub(super) fn mtls(
        &mut self,
        block: &Block,
        said: Mtls,
        all: &BTreeMap<String, Consumer>,
    ) -> Option<Ready> {
        let before = self.report.errors.len();
        if said.subjects.as_ref().is_some_and(Vec::is_empty) {
            let mismatch = Mismatch::new("no certificate is accepted");
            let hint = "leave the key out to accept every one that verifies";
            self.wrong(block, "subjects", mismatch.hint(hint));
        }
        for (item, subject) in said.subjects.iter().flatten().enumerate() {
            if let Some(name) = &subject.consumer {
                self.refer(block, "subjects", Some(item), "consumer", name.as_str());
            }
        }
        let forward_claims = self.forward_claims(block, said.forward_claims);
        for (item, claim) in forward_claims.iter().flatten().enumerate() {
            if !FACTS.contains(&&*claim.claim) {
                let what = format!("a certificate tells no `{}`", claim.claim);
                let expected = format!("one of {}", FACTS.join(", "));
                let mismatch = Mismatch::new(what).expected(expected).item(item);
                self.wrong(block, "forward_claims", mismatch);
            }
        }
        // What could not be read at all would seem to accept everybody.
        let unread = said.subjects.is_none() && block.entries.contains_key("subjects");
        if self.report.errors.len() > before || unread {
            return None;
        }
        let rule = |subject: Subject| {
            let consumer = match &subject.consumer {
                // One that is wrong has been told.
                Some(name) => Some(all.get(name.as_str())?.clone()),
                None => None,
            };
            Some(Rule { subject, consumer })
        };
        let subjects = match said.subjects {
            Some(subjects) => Some(subjects.into_iter().map(rule).collect::<Option<_>>()?),
            None => None,
        };
        let verifier = Verifier::new(Settings {
            name: block.name.as_str().into(),
            subjects,
            forward_claims,
        });
        let verifier = verifier
            .map_err(|what| self.unusable(block, &["forward_claims"], what))
            .ok()?;
        Some(Ready {
            forward_credentials: true,
            credentials: Vec::new(),
            headers: verifier.forwarded_headers().map(str::to_owned).collect(),
            auth: Auth::Mtls(Arc::new(verifier)),
        })
    }
}
