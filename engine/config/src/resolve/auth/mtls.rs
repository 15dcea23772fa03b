//! `[auth.NAME]` with `kind = "mtls"`: whose certificates are accepted, and who comes with them.
//!
//! What the section says is checked here; the policy that acts on it is not built, so no section passes.

use super::Ready;
use crate::keys::auth::Mtls;
use crate::problem::Problem;
use crate::resolve::Resolver;
use crate::said::Block;
use policy_keys::Mismatch;

/// What `forward_claims` can name.
const FACTS: [&str; 10] = [
    "subject",
    "cn",
    "dns",
    "uri",
    "email",
    "serial",
    "fingerprint",
    "consumer",
    "tier",
    "tenant",
];

impl Resolver<'_, '_> {
    pub(super) fn mtls(&mut self, block: &Block, said: Mtls) -> Option<Ready> {
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
        let claims = self.forward_claims(block, said.forward_claims);
        for (item, claim) in claims.iter().flatten().enumerate() {
            if !FACTS.contains(&&*claim.claim) {
                let what = format!("a certificate tells no `{}`", claim.claim);
                let expected = format!("one of {}", FACTS.join(", "));
                let mismatch = Mismatch::new(what).expected(expected).item(item);
                self.wrong(block, "forward_claims", mismatch);
            }
        }
        let asking =
            self.said.of("listener").iter().any(|listener| {
                matches!(listener.text("client_auth"), Some("optional" | "required"))
            });
        if !asking {
            let message = format!(
                "{} lets nobody pass: no listener asks for certificates (client_auth)",
                block.title()
            );
            self.warn(block.place, message);
        }
        self.report.error(Problem::at(
            block.place("kind", None),
            "kind = \"mtls\" is not built yet",
        ));
        None
    }
}
