//! Who may use a route, and how often.

use super::Parts;
use crate::keys::route::Route as Said;
use crate::problem::Problem;
use crate::resolve::auth::Ready;
use crate::resolve::{Resolver, id16};
use crate::said::Block;
use crate::snapshot::CredentialPlace;
use policy::chain::Auth;
use policy::limit::{Part, Rule as Limit};
use policy::policies::authorize;
use std::sync::Arc;

impl Resolver<'_, '_> {
    /// How the route authenticates; told when it does not say.
    pub(super) fn auth(
        &mut self,
        block: &Block,
        auth: Option<&str>,
        parts: &Parts,
    ) -> Option<Ready> {
        match auth.or_else(|| block.text("auth")) {
            Some("none") => Some(Ready {
                auth: Auth::None,
                forward_credentials: true,
                credentials: Vec::<CredentialPlace>::new(),
                headers: Vec::new(),
            }),
            Some(name) => {
                self.refer(block, "auth", None, "auth", name)?;
                parts.auths.get(name).cloned()
            }
            None if block.entries.contains_key("auth") => None,
            None => {
                let names: Vec<String> = self
                    .said
                    .names("auth")
                    .map(|name| format!("\"{name}\""))
                    .collect();
                let known = match names.is_empty() {
                    true => String::new(),
                    false => format!(", or one of {}", names.join(", ")),
                };
                self.report.error(
                    Problem::at(
                        block.place,
                        format!(
                            "{} does not say who may pass: it lacks `auth`",
                            block.title()
                        ),
                    )
                    .note(format!("write auth = \"none\" for a public route{known}")),
                );
                None
            }
        }
    }

    /// Where a listener does not ask for certificates nobody has one: a route for them must not be reachable there.
    pub(super) fn refuse_unasked(
        &mut self,
        block: &Block,
        said: &Said,
        ready: Option<&Ready>,
        parts: &Parts,
    ) {
        if !ready.is_some_and(|ready| matches!(ready.auth, Auth::Mtls(_))) {
            return;
        }
        let named = block.entries.contains_key("listeners");
        let listed = said.listeners.as_deref().unwrap_or_default();
        let reachable = |name: &str| !named || listed.iter().any(|it| it.as_str() == name);
        // A word that is wrong has been told.
        let asks = |word: Option<&str>| word.is_some_and(|word| word != "none");
        let listeners = self.said.of("listener").into_iter().enumerate();
        let unasked: Vec<String> = listeners
            .filter(|(id, _)| !parts.idle.contains(&id16(*id)))
            .filter(|(_, it)| reachable(&it.name) && !asks(it.text("client_auth")))
            .map(|(_, it)| it.title())
            .collect();
        if unasked.is_empty() {
            return;
        }
        let message = format!(
            "{} is for clients with certificates, and can be reached where none is asked for: {}",
            block.title(),
            unasked.join(", ")
        );
        let problem = Problem::at(block.place("auth", None), message);
        let note = "set client_auth there, or name the listeners that have it: listeners = [\"…\"]";
        self.report.error(problem.note(note));
    }

    pub(super) fn authorize(
        &mut self,
        block: &Block,
        said: &Said,
        ready: Option<&Ready>,
    ) -> Option<authorize::Rules> {
        let lists = [
            (
                "require_scopes",
                said.require_scopes.as_deref().unwrap_or_default(),
            ),
            (
                "require_roles",
                said.require_roles.as_deref().unwrap_or_default(),
            ),
            (
                "require_claims",
                said.require_claims.as_deref().unwrap_or_default(),
            ),
        ];
        for (key, list) in lists {
            // Only a token carries these: anybody else would always be refused.
            if !list.is_empty() && ready.is_some_and(|ready| !matches!(ready.auth, Auth::Jwt(_))) {
                let place = block
                    .entries
                    .get(key)
                    .map_or(block.place, |entry| entry.key.place);
                let message =
                    format!("`{key}` needs an auth of kind \"jwt\": nobody else carries any");
                self.report.error(Problem::at(place, message));
                return None;
            }
        }
        let [(_, scopes), (_, roles), (_, claims)] = lists;
        match authorize::Rules::new(scopes, roles, claims) {
            Ok(rules) => Some(rules),
            Err(_) => {
                // Compiled one by one, to find out which item it is.
                for (key, list) in lists {
                    self.items(block, key, list, |text| {
                        let one = [text.to_owned()];
                        let rules = match key {
                            "require_scopes" => authorize::Rules::new(&one, &[], &[]),
                            "require_roles" => authorize::Rules::new(&[], &one, &[]),
                            _ => authorize::Rules::new(&[], &[], &one),
                        };
                        rules.map(|_| ())
                    });
                }
                None
            }
        }
    }

    pub(super) fn route_limits(
        &mut self,
        block: &Block,
        said: &Said,
        ready: Option<&Ready>,
        parts: &Parts,
    ) -> Vec<Arc<Limit>> {
        let names = said.limits.as_deref().unwrap_or_default();
        self.refer_all(block, "limits", "limit", names);
        let mut limits = Vec::with_capacity(names.len());
        for (item, name) in names.iter().enumerate() {
            let Some(limit) = parts.limits.get(name.as_str()) else {
                continue;
            };
            let public = ready.is_some_and(|ready| matches!(ready.auth, Auth::None));
            if public && limit.key.needs_identity() {
                let place = block.place("limits", Some(item));
                let message = format!(
                    "`{}` counts by {}, which nobody has on a public route",
                    limit.name, limit.key
                );
                self.warn(place, message);
            }
            let nameless = ready.is_some_and(
                |ready| matches!(&ready.auth, Auth::Mtls(verifier) if !verifier.knows_consumers()),
            );
            let consumers = |part: &Part| matches!(part, Part::Consumer | Part::Tenant);
            if nameless && limit.key.parts().iter().any(consumers) {
                let place = block.place("limits", Some(item));
                let message = format!(
                    "`{}` counts by {}, and no line of `subjects` names a consumer",
                    limit.name, limit.key
                );
                self.warn(place, message);
            }
            limits.push(Arc::clone(limit));
        }
        limits
    }
}
