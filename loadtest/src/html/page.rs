//! The page around everything: its head, its style, its sections; and escaping.

use crate::results::text::printable;

/// Its policy lets nothing be fetched, whatever stands in the page.
const HEAD: &str = include_str!("head.html");
const STYLE: &str = include_str!("style.css");

/// Text as it may stand in an element or a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in printable(text).chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// A page; `title` is text, `body` is markup.
pub(super) fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head>{HEAD}<title>{}</title>\n<style>\n{STYLE}</style></head>\n\
<body><main>\n{body}</main></body></html>\n",
        escape(title)
    )
}

/// A section: what its chart shows, the chart, and the table beside it. `title` and `note` are text, the others markup.
pub(super) fn section(title: &str, note: &str, chart: &str, table: &str) -> String {
    let note = match note {
        "" => String::new(),
        _ => format!("<p class=\"note\">{}</p>", escape(note)),
    };
    format!(
        "<section><h2>{}</h2>{note}<div class=\"pair\"><div class=\"chart\">{chart}</div>\
<div class=\"beside\">{table}</div></div></section>\n",
        escape(title)
    )
}

/// The names of the lines of a chart, each with its colour's class.
pub(super) fn legend(entries: &[(&str, &str)]) -> String {
    let entries = entries
        .iter()
        .map(|(class, name)| format!("<span><i class=\"{class}\"></i>{}</span>", escape(name)));
    format!(
        "<div class=\"legend\">{}</div>",
        entries.collect::<String>()
    )
}

/// A figure that is seen first: its name, the figure, a remark. All text.
pub(super) fn tile(name: &str, figure: &str, remark: &str, class: &str) -> String {
    format!(
        "<div class=\"tile {class}\"><span>{}</span><b>{}</b><small>{}</small></div>",
        escape(name),
        escape(figure),
        escape(remark)
    )
}
