//! Tables as markup: the first column is names, the others are figures.

use super::page::escape;

/// A table; all cells are text.
pub(super) fn table<R: AsRef<[String]>>(heads: &[&str], rows: &[R]) -> String {
    let mut out = String::from("<div class=\"scroll\"><table>");
    if heads.iter().any(|it| !it.is_empty()) {
        out.push_str("<thead><tr>");
        for head in heads {
            out.push_str(&format!("<th scope=\"col\">{}</th>", escape(head)));
        }
        out.push_str("</tr></thead>");
    }
    out.push_str("<tbody>");
    for row in rows {
        out.push_str("<tr>");
        for (at, cell) in row.as_ref().iter().enumerate() {
            let cell = escape(cell);
            match at {
                0 => out.push_str(&format!("<th scope=\"row\">{cell}</th>")),
                _ => out.push_str(&format!("<td>{cell}</td>")),
            }
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>");
    out
}

/// Something long, folded away.
pub(super) fn folded(summary: &str, markup: &str) -> String {
    format!(
        "<details><summary>{}</summary>{markup}</details>",
        escape(summary)
    )
}

/// A row of text.
pub(super) fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}
