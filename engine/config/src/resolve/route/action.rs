//! What a route does with a request that passed: forward it, answer it, send it elsewhere.

use crate::keys::route::Route as Said;
use crate::problem::Problem;
use crate::resolve::{Resolver, id16};
use crate::said::Block;
use crate::snapshot::{Action, HostHeader};
use policy::route::{Pattern, PatternError, Rewrite};
use policy_keys::Mismatch;

impl Resolver<'_, '_> {
    pub(super) fn action(
        &mut self,
        block: &Block,
        said: &Said,
        pattern: Option<&Pattern>,
    ) -> Option<Action> {
        self.one_action(block);
        if let Some(name) = &said.upstream {
            let upstream = self.refer(block, "upstream", None, "upstream", name.as_str())?;
            return Some(Action::Forward {
                upstream: id16(upstream),
            });
        }
        if let Some(text) = &said.respond {
            return match respond(text) {
                Ok((status, body)) => Some(Action::Respond {
                    status,
                    content_type: if body.is_empty() {
                        String::new()
                    } else {
                        said.respond_type.clone()
                    },
                    body: body.as_bytes().to_vec(),
                }),
                Err(mismatch) => {
                    self.wrong(block, "respond", mismatch);
                    None
                }
            };
        }
        self.redirect(block, said.redirect.as_deref()?, pattern)
    }

    /// A route says one thing to do, and nothing that only another would use.
    fn one_action(&mut self, block: &Block) {
        let keys = ["upstream", "respond", "redirect"];
        let there: Vec<&str> = keys
            .into_iter()
            .filter(|key| block.entries.contains_key(*key))
            .collect();
        match there[..] {
            [] => self.report.error(
                Problem::at(
                    block.place,
                    format!("{} does not say what is done with requests", block.title()),
                )
                .note("expected one of `upstream`, `respond` and `redirect`"),
            ),
            [_] => {}
            [first, second, ..] => {
                let place = block.entries[second].key.place;
                let message = format!("{} has both `{first}` and `{second}`", block.title());
                self.report.error(
                    Problem::at(place, message)
                        .note("a route does one thing: leave one of them out"),
                );
            }
        }
        if there.first() != Some(&"upstream") {
            let idle = [
                "timeout",
                "strip_prefix",
                "rewrite",
                "host_header",
                "request_headers",
                "websocket",
            ];
            for key in idle
                .into_iter()
                .filter(|key| block.entries.contains_key(*key) && !there.is_empty())
            {
                let place = block.entries[key].key.place;
                self.warn(
                    place,
                    format!("`{key}` does nothing on a route without `upstream`"),
                );
            }
        }
    }

    fn redirect(&mut self, block: &Block, text: &str, pattern: Option<&Pattern>) -> Option<Action> {
        let (status, target) = match text.split_once(' ') {
            Some((status, target)) => (status, target.trim_start()),
            None => ("302", text),
        };
        let at = text.len() - target.len();
        let status = match status.parse() {
            Ok(status @ (301 | 302 | 303 | 307 | 308)) => status,
            _ => {
                let mismatch =
                    Mismatch::new(format!("`{status}` is not a status that sends elsewhere"));
                let expected = "301, 302, 303, 307 or 308, then the place";
                self.wrong(
                    block,
                    "redirect",
                    mismatch.expected(expected).at(0..status.len()),
                );
                return None;
            }
        };
        match Rewrite::parse(target, pattern?) {
            Ok(location) => Some(Action::Redirect { status, location }),
            Err(error) => {
                self.wrong(block, "redirect", pointed(text, error, at));
                None
            }
        }
    }

    pub(super) fn new_path(
        &mut self,
        block: &Block,
        said: &Said,
        pattern: Option<&Pattern>,
    ) -> (Option<String>, Option<Rewrite>) {
        if said.strip_prefix.is_some() && said.rewrite.is_some() {
            let place = block.entries["strip_prefix"].key.place;
            let message = format!("{} has both `rewrite` and `strip_prefix`", block.title());
            self.report
                .error(Problem::at(place, message).note("`rewrite` alone can say it all"));
        }
        let strip_prefix = said.strip_prefix.as_deref().and_then(|prefix| {
            let trimmed = prefix.strip_suffix('/').unwrap_or(prefix);
            if !prefix.starts_with('/') {
                self.wrong(
                    block,
                    "strip_prefix",
                    Mismatch::new("a prefix starts with `/`"),
                );
                return None;
            }
            if !pattern?.lies_under(trimmed) {
                let what = format!("the path `{}` does not begin with `{prefix}`", pattern?);
                self.wrong(block, "strip_prefix", Mismatch::new(what));
                return None;
            }
            Some(trimmed.to_owned())
        });
        let rewrite =
            said.rewrite
                .as_deref()
                .and_then(|text| match Rewrite::parse(text, pattern?) {
                    Ok(rewrite) if rewrite.is_path() => Some(rewrite),
                    Ok(_) => {
                        let mismatch =
                            Mismatch::new("a rewrite gives a path, not a place elsewhere");
                        self.wrong(
                            block,
                            "rewrite",
                            mismatch.hint("`redirect` sends clients elsewhere"),
                        );
                        None
                    }
                    Err(error) => {
                        self.wrong(block, "rewrite", pointed(text, error, 0));
                        None
                    }
                });
        (strip_prefix, rewrite)
    }

    pub(super) fn host_header(&mut self, block: &Block, text: &str) -> HostHeader {
        match text {
            "client" => HostHeader::Client,
            "upstream" => HostHeader::Upstream,
            host => {
                let (name, port) = match host.rsplit_once(':') {
                    Some((name, port)) if !name.ends_with(':') && !port.ends_with(']') => {
                        (name, port)
                    }
                    _ => (host, "80"),
                };
                let byte = |b: u8| b.is_ascii_alphanumeric() || b"-._[]:".contains(&b);
                if name.is_empty() || !name.bytes().all(byte) || port.parse::<u16>().is_err() {
                    let mismatch = Mismatch::new(format!("`{host}` is not a host"));
                    self.wrong(
                        block,
                        "host_header",
                        mismatch.expected(
                            "\"client\", \"upstream\" or a host such as \"api.internal\"",
                        ),
                    );
                }
                HostHeader::Set(host.to_owned())
            }
        }
    }
}

/// What a pattern or rewrite says is wrong, with its offset.
pub(super) fn pointed(text: &str, error: PatternError, offset: usize) -> Mismatch {
    let at = offset + error.at;
    let length = text
        .get(at..)
        .and_then(|rest| rest.chars().next())
        .map_or(1, char::len_utf8);
    Mismatch::new(error.what).at(at..at + length)
}

/// `"200 pong"`.
fn respond(text: &str) -> Result<(u16, &str), Mismatch> {
    let (status, body) = text.split_once(' ').unwrap_or((text, ""));
    let parsed = status
        .parse()
        .ok()
        .filter(|status| (200..=599).contains(status) && text.is_char_boundary(3));
    let Some(status) = parsed else {
        return Err(Mismatch::new(format!("`{status}` is not a status"))
            .expected("a status from 200 to 599 and, after a space, the body")
            .at(0..status.len()));
    };
    if matches!(status, 204 | 205 | 304) && !body.is_empty() {
        return Err(
            Mismatch::new(format!("an answer with status {status} has no body")).at(4..text.len()),
        );
    }
    Ok((status, body))
}
