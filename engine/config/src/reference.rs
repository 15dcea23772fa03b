//! `docs/config.md`: the reference of every key, made from the declarations.

use crate::keys::{LATER_AUTH, LATER_KINDS, SCOPES};
use policy_keys::{Apply, Form, Key, Need, Scope, Shape};
use std::fmt::Write as _;

/// The whole reference, as Markdown.
pub fn reference() -> String {
    let mut out = String::from(INTRODUCTION);
    for scope in SCOPES {
        section(&mut out, scope);
    }
    later(&mut out);
    out
}

fn section(out: &mut String, scope: &Scope) {
    let title = crate::said::title(scope);
    let _ = match scope.variant {
        "" => writeln!(out, "\n## `{title}`\n"),
        variant => writeln!(out, "\n## `{title}` with `kind = \"{variant}\"`\n"),
    };
    let _ = writeln!(out, "{}\n", paragraph(scope.doc));
    let _ = writeln!(
        out,
        "| key | type | default | what it does |\n| --- | --- | --- | --- |"
    );
    for key in scope.keys {
        let doc = paragraph(key.doc).replace('|', "\\|");
        let range = match key.range {
            Some((low, "")) => format!(" At least {low}."),
            Some((low, high)) => format!(" From {low} to {high}."),
            None => String::new(),
        };
        let applies = match key.apply {
            Apply::Request => "",
            Apply::Connection => " A change holds for new connections.",
            Apply::Start => " A change needs a restart.",
        };
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {doc}{range}{applies} |",
            key.name,
            kind(&key.shape),
            default(key)
        );
    }
}

fn default(key: &Key) -> String {
    match (key.need, key.shape.form) {
        (Need::Required, _) => "required".to_owned(),
        (Need::Optional, _) => String::new(),
        (Need::Default(text), Form::List) => format!("`{}`", list(text)),
        (Need::Default(text), Form::Text) => format!("`\"{text}\"`"),
        (Need::Default(text), Form::IntegerOrText) if text.parse::<u64>().is_err() => {
            format!("`\"{text}\"`")
        }
        (Need::Default(text), _) => format!("`{text}`"),
    }
}

fn list(text: &str) -> String {
    let items: Vec<String> = text
        .split(',')
        .map(|item| format!("\"{}\"", item.trim()))
        .collect();
    format!("[{}]", items.join(", "))
}

fn kind(shape: &Shape) -> String {
    let one = match shape.choices {
        [] => shape.what.to_owned(),
        choices => choices
            .iter()
            .map(|word| format!("`\"{word}\"`"))
            .collect::<Vec<_>>()
            .join(", "),
    };
    match shape.form {
        Form::List => format!(
            "list of {one}{}",
            if shape.choices.is_empty() {
                plural(shape.what)
            } else {
                ""
            }
        ),
        _ => one,
    }
}

fn plural(what: &str) -> &'static str {
    if what.ends_with('s') { "es" } else { "s" }
}

/// A value of the key as it might stand in a file, for "lacks …" messages.
pub(crate) fn example(key: &Key) -> &'static str {
    match (key.shape.form, key.shape.what, key.name) {
        (_, _, "endpoints") => "[\"127.0.0.1:8080\"]",
        (_, _, "path") => "\"/api/*\"",
        (_, _, "algorithms") => "[\"RS256\"]",
        (_, _, "chain") => "\"certs/edge.pem\"",
        (_, _, "key") => "\"certs/edge.key\"",
        (_, _, "keys") => "[\"sha256:…\"]",
        (Form::List, ..) => "[\"…\"]",
        (_, "address", _) => "\"127.0.0.1:8080\"",
        (_, "rate", _) => "\"100/s\"",
        (_, "duration", _) => "\"5s\"",
        _ => "\"…\"",
    }
}

fn later(out: &mut String) {
    let _ = writeln!(out, "\n## Not built yet\n");
    let _ = writeln!(
        out,
        "These words belong to the language and are refused for now, by name.\n"
    );
    let _ = writeln!(out, "| section | words |\n| --- | --- |");
    for scope in SCOPES.iter().filter(|scope| !scope.later.is_empty()) {
        let title = match scope.variant {
            "" => crate::said::title(scope),
            variant => format!("{}, {variant}", crate::said::title(scope)),
        };
        let words: Vec<String> = scope.later.iter().map(|word| format!("`{word}`")).collect();
        let _ = writeln!(out, "| `{title}` | {} |", words.join(", "));
    }
    let kinds: Vec<String> = LATER_AUTH.iter().map(|word| format!("`{word}`")).collect();
    let _ = writeln!(
        out,
        "| `[auth.NAME]` | values of `kind`: {} |",
        kinds.join(", ")
    );
    let kinds: Vec<String> = LATER_KINDS
        .iter()
        .map(|(word, _)| format!("`{word}`"))
        .collect();
    let _ = writeln!(out, "| kinds | {} |", kinds.join(", "));
}

/// A doc comment as one paragraph.
pub(crate) fn paragraph(doc: &str) -> String {
    let lines: Vec<&str> = doc.lines().map(str::trim).collect();
    lines.join(" ").trim().to_owned()
}

const INTRODUCTION: &str = "\
# Configuration reference

This file is generated from the declarations in `engine/config/src/keys/`; do not edit it.
`portcullis config reference` prints it, `portcullis config schema` the JSON Schema.

One flat TOML file, sections `[kind.name]`, values strings, numbers, booleans and lists of strings.
Durations `\"250ms\"`, `\"5s\"`, `\"1m\"`; sizes `\"64KiB\"`, `\"1MiB\"`; rates `\"100/s\"`, `\"1000/min\"`,
`\"5000/h\"`, `\"1000000/day\"`; addresses `\"127.0.0.1:8080\"`, `\"[::1]:8080\"`, `\"unix:/run/x.sock\"`;
names `[a-z0-9_-]+` without `__`. Paths are relative to the folder of the file that names them. Secrets may
be `\"${ENV_NAME}\"` or `\"file:path\"`.

Several `--config` files (of a folder, its `*.toml` in name order) are laid over each other: later wins,
key by key. Then come environment variables such as `PORTCULLIS__ROUTE__PRODUCTS__TIMEOUT=2s` (`-` in a
name is written `_`), then `--set route.products.timeout=2s`.
";

#[cfg(test)]
mod tests;
