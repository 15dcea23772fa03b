//! New paths and locations made from old ones: templates with captures, and prefixes
//! taken off. Used for `rewrite`, `redirect` and `strip_prefix`.
//!
//! Invariant: what a template gives is made of its own literals and bytes of a canonical
//! path, and starts with two slashes only if the template does: `Location: //evil.example`
//! would lead to another host.

use super::Captures;
use super::pattern::{Pattern, PatternError};
use protocol::message::Span;
use std::ops::Range;

/// A template such as `/v2/{id}/{*}` or `https://example.com/{*}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    pieces: Box<[Piece]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(Box<str>),
    /// The capture of the pattern's name at this index.
    Name(usize),
    Tail,
}

impl Rewrite {
    /// Reads a template whose `{name}`s are names of `pattern` and whose `{*}` is its
    /// tail.
    pub fn parse(text: &str, pattern: &Pattern) -> Result<Rewrite, PatternError> {
        check_start(text)?;
        let mut pieces = Vec::new();
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let len = rest.find(['{', '}']).unwrap_or(rest.len());
            let (literal, after) = rest.split_at(len);
            if !literal.is_empty() {
                check_literal(literal, at, !after.is_empty())?;
                pieces.push(Piece::Literal(literal.into()));
                at += len;
                continue;
            }
            let Some(end) = after.find('}').filter(|end| *end > 0) else {
                return fail(at, "braces come in pairs, as in `{name}`".into());
            };
            let name = after.get(1..end).unwrap_or_default();
            pieces.push(capture(name, at, pattern)?);
            at += end + 1;
        }
        Ok(Rewrite {
            pieces: pieces.into(),
        })
    }

    /// Whether the result is a path (with a query perhaps), and not a URL with a host.
    pub fn is_path(&self) -> bool {
        matches!(self.pieces.first(), Some(Piece::Literal(text)) if authority(text).is_none())
    }

    /// Appends the result for `path` and the captures that the look-up of `path` left.
    pub fn apply(&self, path: &[u8], captures: &Captures, out: &mut Vec<u8>) {
        let start = out.len();
        let mut in_query = false;
        for piece in &self.pieces {
            let part = match piece {
                Piece::Literal(text) => {
                    in_query |= text.contains('?');
                    text.as_bytes()
                }
                Piece::Name(index) => captures.name(*index).unwrap_or(Span::EMPTY).of(path),
                Piece::Tail => captures.tail().unwrap_or(Span::EMPTY).of(path),
            };
            // Only a slash has been written so far: a second one would name a host.
            let part = match out.get(start..) {
                Some(b"/") => without_slashes(part),
                _ => part,
            };
            match (piece, in_query) {
                (Piece::Literal(_), _) | (_, false) => out.extend_from_slice(part),
                (_, true) => query_value(out, part),
            }
        }
    }
}

/// A capture in the query of a template is one value: what would end it there is escaped.
fn query_value(out: &mut Vec<u8>, part: &[u8]) {
    for &byte in part {
        match byte {
            b'&' => out.extend_from_slice(b"%26"),
            b'=' => out.extend_from_slice(b"%3D"),
            b'+' => out.extend_from_slice(b"%2B"),
            b';' => out.extend_from_slice(b"%3B"),
            _ => out.push(byte),
        }
    }
}

/// `path` without `prefix`, which ends where a segment ends (with or without a final
/// slash, that is the same). What is left starts with a slash; a path outside the prefix
/// gives `None`.
pub fn strip_prefix<'p>(path: &'p [u8], prefix: &str) -> Option<&'p [u8]> {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    match path.strip_prefix(prefix.as_bytes())? {
        [] => Some(b"/"),
        rest if rest.first() == Some(&b'/') => Some(rest),
        _ => None,
    }
}

/// A template starts with `/` or names a host, and a capture can't choose that host.
fn check_start(text: &str) -> Result<(), PatternError> {
    let Some(authority) = authority(text) else {
        return match text.starts_with('/') {
            true => Ok(()),
            false => fail(0, "this starts with `/` or `https://`".into()),
        };
    };
    let part = text.get(authority.clone()).unwrap_or_default();
    match part.rfind('}') {
        Some(at) if !part.get(at + 1..).is_some_and(|rest| rest.starts_with('.')) => fail(
            authority.start + at,
            "after a capture the host goes on with `.`, or a request could choose the host".into(),
        ),
        _ if part.is_empty() => fail(authority.start, "here the host is missing".into()),
        _ => Ok(()),
    }
}

/// Where the host of a URL stands in it; `None` if it has none.
fn authority(text: &str) -> Option<Range<usize>> {
    let start = ["//", "http://", "https://"]
        .into_iter()
        .find(|start| text.starts_with(start))?
        .len();
    let rest = text.get(start..)?;
    let len = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    Some(start..start + len)
}

fn capture(name: &str, at: usize, pattern: &Pattern) -> Result<Piece, PatternError> {
    if name == "*" {
        return match pattern.has_tail() {
            true => Ok(Piece::Tail),
            false => fail(at, format!("`{pattern}` has no `*` for `{{*}}`")),
        };
    }
    match pattern.names().position(|known| known == name) {
        Some(index) => Ok(Piece::Name(index)),
        None => fail(at, format!("`{pattern}` has no `{{{name}}}`")),
    }
}

/// `before_capture`: whether a capture follows.
fn check_literal(literal: &str, at: usize, before_capture: bool) -> Result<(), PatternError> {
    let bad = |c: &(usize, char)| !c.1.is_ascii_graphic() || "\\\"<>^`|".contains(c.1);
    if let Some((offset, c)) = literal.char_indices().find(bad) {
        return fail(at + offset, format!("{c:?} can't stand in a URL"));
    }
    let last = literal.rsplit('/').next().unwrap_or_default();
    if before_capture && (last == "." || last == "..") {
        return fail(
            at + literal.len() - last.len(),
            "with an empty capture this would be a dot-segment".into(),
        );
    }
    let path = literal.split(['?', '#']).next().unwrap_or_default();
    if !before_capture && path.split('/').any(|part| part == "." || part == "..") {
        return fail(
            at,
            "this has a dot-segment; write the path that is meant".into(),
        );
    }
    Ok(())
}

fn without_slashes(mut part: &[u8]) -> &[u8] {
    while let [b'/', rest @ ..] = part {
        part = rest;
    }
    part
}

fn fail<T>(at: usize, what: String) -> Result<T, PatternError> {
    Err(PatternError { at, what })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_parse(template: &str, pattern: &str, expected: Result<bool, (usize, &str)>) {
        let pattern = Pattern::parse(pattern).unwrap();
        let got = Rewrite::parse(template, &pattern);
        let got = got
            .as_ref()
            .map(Rewrite::is_path)
            .map_err(|error| (error.at, error.what.as_str()));
        assert_eq!(got, expected, "{template}");
    }

    #[test]
    fn templates() {
        check_parse("/v2/{id}/{*}", "/v1/{id}/*", Ok(true));
        check_parse("/v2?id={id}", "/v1/{id}", Ok(true));
        check_parse("https://example.com/{*}", "/*", Ok(false));
        check_parse("https://{t}.example.com/{*}", "/{t}/*", Ok(false));
        check_parse("", "/*", Err((0, "this starts with `/` or `https://`")));
        check_parse("{*}", "/*", Err((0, "this starts with `/` or `https://`")));
        check_parse("/{*}", "/a", Err((1, "`/a` has no `*` for `{*}`")));
        check_parse("/{x}", "/{id}", Err((1, "`/{id}` has no `{x}`")));
        let braces = "braces come in pairs, as in `{name}`";
        check_parse("/{id", "/{id}", Err((1, braces)));
        check_parse("/id}", "/{id}", Err((3, braces)));
        check_parse("/{}", "/{id}", Err((1, "`/{id}` has no `{}`")));
        check_parse("/a b", "/", Err((2, "' ' can't stand in a URL")));
        check_parse("/a\r\nX: y", "/", Err((2, "'\\r' can't stand in a URL")));
        let dots = "this has a dot-segment; write the path that is meant";
        check_parse("/a/../b", "/", Err((0, dots)));
        let empty = "with an empty capture this would be a dot-segment";
        check_parse("/a/.{*}", "/*", Err((3, empty)));
        let host = "after a capture the host goes on with `.`, or a request could choose the host";
        check_parse("https://example.com{*}", "/*", Err((21, host)));
        check_parse("https://{t}.a:{p}/", "/{t}/{p}", Err((16, host)));
        check_parse("https:///a", "/", Err((8, "here the host is missing")));
    }

    #[track_caller]
    fn check_strip(path: &str, prefix: &str, expected: Option<&str>) {
        let got = strip_prefix(path.as_bytes(), prefix);
        assert_eq!(got, expected.map(str::as_bytes), "{path} without {prefix}");
    }

    #[test]
    fn prefixes() {
        check_strip("/gw", "/gw", Some("/"));
        check_strip("/gw/", "/gw", Some("/"));
        check_strip("/gw/a", "/gw", Some("/a"));
        check_strip("/gw/a", "/gw/", Some("/a"));
        check_strip("/gw", "/gw/", Some("/"));
        check_strip("/gwx", "/gw", None);
        check_strip("/a", "/gw", None);
        check_strip("/a", "/", Some("/a"));
        check_strip("/gw//a", "/gw", Some("//a"));
    }
}
