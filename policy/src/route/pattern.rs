//! The path of a rule: literal segments, `{name}`s that each stand for one whole
//! segment, and perhaps a final `*` that stands for the rest.
//!
//! Invariant: the literal parts are spelt as a canonical path spells them, so that
//! matching is a comparison of bytes; a pattern that no canonical path could fit is an
//! error here.

/// The path that a rule matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: Box<str>,
    segments: Box<[Segment]>,
    names: Box<[Box<str>]>,
    tail: bool,
}

/// What stands between two slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// These bytes; may be empty (`/a/` ends with an empty segment).
    Literal(Box<str>),
    /// Any bytes, at least one.
    Name,
}

/// What is wrong with a pattern or a rewrite, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// The offset of the offending byte in the text; at most the text's length.
    pub at: usize,
    /// One sentence without a final full stop.
    pub what: String,
}

impl Pattern {
    /// Reads `/a/b`, `/a/{id}/b` or `/a/*`. `/a/*` fits `/a`, `/a/` and all below; a
    /// `{name}` fits one segment that is not empty.
    pub fn parse(text: &str) -> Result<Pattern, PatternError> {
        let Some(rest) = text.strip_prefix('/') else {
            return fail(0, "a path starts with `/`");
        };
        let mut pattern = Pattern {
            text: text.into(),
            segments: Box::default(),
            names: Box::default(),
            tail: false,
        };
        let mut segments = Vec::new();
        let mut names: Vec<Box<str>> = Vec::new();
        let mut at = 1;
        for part in rest.split('/') {
            let last = at + part.len() == text.len();
            if segments.len() == MAX_SEGMENTS {
                return fail(at, &format!("a path has at most {MAX_SEGMENTS} segments"));
            }
            if part == "*" && last {
                pattern.tail = true;
            } else if let Some(inner) = part.strip_prefix('{') {
                let name = read_name(inner, at)?;
                if names.iter().any(|known| **known == *name) {
                    return fail(at, &format!("`{{{name}}}` stands here twice"));
                }
                if names.len() == MAX_NAMES {
                    return fail(at, &format!("a path has at most {MAX_NAMES} names"));
                }
                names.push(name.into());
                segments.push(Segment::Name);
            } else {
                check_literal(part, at)?;
                segments.push(Segment::Literal(part.into()));
            }
            at += part.len() + 1;
        }
        pattern.segments = segments.into();
        pattern.names = names.into();
        Ok(pattern)
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names, from left to right.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// Whether the pattern ends with `*`.
    pub fn has_tail(&self) -> bool {
        self.tail
    }

    /// The segments, without the tail.
    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Whether a request may lie under `prefix` (as `strip_prefix` understands it)
    /// whenever it fits this pattern.
    pub fn lies_under(&self, prefix: &str) -> bool {
        let Some(prefix) = prefix.strip_prefix('/') else {
            return false;
        };
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        prefix.is_empty()
            || prefix
                .split('/')
                .enumerate()
                .all(|(index, part)| match self.segments.get(index) {
                    Some(Segment::Literal(text)) => **text == *part,
                    _ => false,
                })
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.text)
    }
}

impl std::fmt::Display for PatternError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} (at character {})", self.what, self.at + 1)
    }
}

impl std::error::Error for PatternError {}

/// `inner` is a segment without its opening brace, which stands at `at`.
fn read_name(inner: &str, at: usize) -> Result<&str, PatternError> {
    let Some(end) = inner.find('}') else {
        return fail(at, "`{` has no `}` in its segment");
    };
    let (name, rest) = inner.split_at(end);
    if name.is_empty() {
        return fail(at, "`{}` needs a name");
    }
    if let Some((bad, c)) = name
        .char_indices()
        .find(|(_, c)| !c.is_ascii_alphanumeric() && *c != '_' && *c != '-')
    {
        return fail(at + 1 + bad, &format!("{c:?} can't stand in a name"));
    }
    if rest.len() > 1 {
        return fail(
            at + end + 2,
            "a `{name}` fills its whole segment; nothing may follow it before the next `/`",
        );
    }
    Ok(name)
}

fn check_literal(part: &str, at: usize) -> Result<(), PatternError> {
    if part == "." || part == ".." {
        return fail(
            at,
            "a canonical path has no dot-segments, so this never fits",
        );
    }
    let bytes = part.as_bytes();
    for (offset, c) in part.char_indices() {
        let at = at + offset;
        match c {
            '*' => {
                return fail(
                    at,
                    "`*` may only stand alone, as the last segment; write a literal one as `%2A`",
                );
            }
            '{' | '}' => return fail(at, "a `{name}` fills its whole segment"),
            '?' | '#' => {
                return fail(
                    at,
                    "a path ends here; conditions on the query stand in `query`",
                );
            }
            '%' => check_escape(bytes.get(offset..).unwrap_or_default(), at)?,
            c if c.is_ascii_alphanumeric() || "-._~!$&'()+,;=:@".contains(c) => {}
            c => {
                let mut buffer = [0; 4];
                let escaped: String = c
                    .encode_utf8(&mut buffer)
                    .bytes()
                    .map(|byte| format!("%{byte:02X}"))
                    .collect();
                return fail(
                    at,
                    &format!("{c:?} never stands in a path; write `{escaped}`"),
                );
            }
        }
    }
    Ok(())
}

/// `rest` starts with the `%` that stands at `at`.
fn check_escape(rest: &[u8], at: usize) -> Result<(), PatternError> {
    let digit = |index: usize| char::from(*rest.get(index)?).to_digit(16);
    let (Some(high), Some(low)) = (digit(1), digit(2)) else {
        return fail(at, "`%` is followed by two hexadecimal digits");
    };
    match char::from_u32(high * 16 + low) {
        Some(c) if c.is_ascii_alphanumeric() || "-._~".contains(c) => fail(
            at,
            &format!("a canonical path has `{c}` here, so this never fits"),
        ),
        Some('/' | '\\' | '\0') => fail(at, "a path with this is refused, so this never fits"),
        _ if rest.iter().skip(1).take(2).any(u8::is_ascii_lowercase) => fail(
            at,
            "a canonical path has upper-case digits here, so this never fits",
        ),
        _ => Ok(()),
    }
}

fn fail<T>(at: usize, what: &str) -> Result<T, PatternError> {
    Err(PatternError {
        at,
        what: what.into(),
    })
}

/// The bound on a pattern's names, and so on the captures of a look-up.
pub(super) const MAX_NAMES: usize = 16;
/// The bound on a pattern's segments, and so on the depth of the path tree.
const MAX_SEGMENTS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<(usize, &[&str], bool), (usize, &str)>) {
        let got = Pattern::parse(text);
        let names: Vec<String> = got
            .iter()
            .flat_map(|pattern| pattern.names().map(str::to_owned))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let got = got
            .as_ref()
            .map(|pattern| (pattern.segments().len(), &names[..], pattern.has_tail()))
            .map_err(|error| (error.at, error.what.as_str()));
        assert_eq!(got, expected, "{text}");
    }

    #[test]
    fn patterns() {
        check("/", Ok((1, &[], false)));
        check("/*", Ok((0, &[], true)));
        check("/a", Ok((1, &[], false)));
        check("/a/", Ok((2, &[], false)));
        check("/a//b", Ok((3, &[], false)));
        check("/a/*", Ok((1, &[], true)));
        check("/a/{id}/b/{x-y}/*", Ok((4, &["id", "x-y"], true)));
        check("/%C3%A9:@!$&'()+,;=~-._", Ok((1, &[], false)));
        check("/%2A", Ok((1, &[], false)));
    }

    #[test]
    fn errors() {
        check("", Err((0, "a path starts with `/`")));
        check("a", Err((0, "a path starts with `/`")));
        check("/a/{id", Err((3, "`{` has no `}` in its segment")));
        check("/{}", Err((1, "`{}` needs a name")));
        check("/{a b}", Err((3, "' ' can't stand in a name")));
        check("/{a}/{a}", Err((5, "`{a}` stands here twice")));
        check("/x{a}", Err((2, "a `{name}` fills its whole segment")));
        check(
            "/{a}x",
            Err((
                4,
                "a `{name}` fills its whole segment; nothing may follow it before the next `/`",
            )),
        );
        let star = "`*` may only stand alone, as the last segment; write a literal one as `%2A`";
        check("/*/a", Err((1, star)));
        check("/a*", Err((2, star)));
        check("/a/**", Err((3, star)));
        check(
            "/a?b=1",
            Err((
                2,
                "a path ends here; conditions on the query stand in `query`",
            )),
        );
        check("/é", Err((1, "'é' never stands in a path; write `%C3%A9`")));
        check("/a b", Err((2, "' ' never stands in a path; write `%20`")));
        check(
            "/a/../b",
            Err((
                3,
                "a canonical path has no dot-segments, so this never fits",
            )),
        );
        check(
            "/%41",
            Err((1, "a canonical path has `A` here, so this never fits")),
        );
        check(
            "/%2f",
            Err((1, "a path with this is refused, so this never fits")),
        );
        check("/%4", Err((1, "`%` is followed by two hexadecimal digits")));
        check(
            &"/a".repeat(65),
            Err((129, "a path has at most 64 segments")),
        );
    }

    #[test]
    fn under_a_prefix() {
        let under = |pattern, prefix| Pattern::parse(pattern).unwrap().lies_under(prefix);
        assert!(under("/a/*", "/a"));
        assert!(under("/a/*", "/a/"));
        assert!(under("/a/b/{c}", "/a/b"));
        assert!(under("/*", "/"));
        assert!(!under("/*", "/a"));
        assert!(!under("/ab/*", "/a"));
        assert!(!under("/{a}/*", "/a"));
        assert!(!under("/a", "a"));
    }
}
