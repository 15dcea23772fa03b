//! What carried a credential and does not go upstream: headers, query parameters, cookies of one route.

use engine_config::snapshot::{CredentialPlace, Route};

/// The names to leave out, by place; mostly empty, so each question costs one length check.
#[derive(Default)]
pub(crate) struct Removed {
    headers: Vec<String>,
    query: Vec<String>,
    cookies: Vec<String>,
}

impl Removed {
    /// Nothing is left out.
    pub(crate) const NONE: Removed = Removed {
        headers: Vec::new(),
        query: Vec::new(),
        cookies: Vec::new(),
    };

    pub(crate) fn of(route: &Route) -> Removed {
        let mut removed = Removed::default();
        for place in &route.credentials {
            match place {
                CredentialPlace::Header(name) => removed.headers.push(name.clone()),
                CredentialPlace::Query(name) => removed.query.push(name.clone()),
                CredentialPlace::Cookie(name) => removed.cookies.push(name.clone()),
            }
        }
        if !route.forward_credentials {
            removed.headers.push("authorization".to_owned());
        }
        removed
    }

    pub(crate) fn header(&self, name: &[u8]) -> bool {
        self.headers
            .iter()
            .any(|it| it.as_bytes().eq_ignore_ascii_case(name))
    }

    pub(crate) fn any_query(&self) -> bool {
        !self.query.is_empty()
    }

    pub(crate) fn query(&self, name: &[u8]) -> bool {
        self.query.iter().any(|it| it.as_bytes() == name)
    }

    pub(crate) fn any_cookie(&self) -> bool {
        !self.cookies.is_empty()
    }

    pub(crate) fn cookie(&self, name: &[u8]) -> bool {
        self.cookies.iter().any(|it| it.as_bytes() == name)
    }
}
