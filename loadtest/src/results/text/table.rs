//! Columns of text, as wide as their widest cell.

/// Which edge of its column a cell stands at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Rows of cells.
pub(crate) struct Table {
    /// By column; columns beyond them stand right.
    aligns: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(aligns: &[Align]) -> Table {
        Table {
            aligns: aligns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub(crate) fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        let cells = cells.into_iter().map(|it| it.as_ref().to_owned());
        self.rows.push(cells.collect());
    }

    /// The lines, without spaces at their ends.
    pub(crate) fn show(&self) -> String {
        let mut widths = Vec::new();
        for row in &self.rows {
            for (at, cell) in row.iter().enumerate() {
                if widths.len() == at {
                    widths.push(0);
                }
                if let Some(width) = widths.get_mut(at) {
                    *width = cell.chars().count().max(*width);
                }
            }
        }
        let mut out = String::new();
        for row in &self.rows {
            let start = out.len();
            for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let room = " ".repeat(width - cell.chars().count());
                let gap = if at == 0 { "" } else { "  " };
                out.push_str(gap);
                match self.aligns.get(at).unwrap_or(&Align::Right) {
                    Align::Left => out.extend([cell.as_str(), &room]),
                    Align::Right => out.extend([room.as_str(), cell]),
                }
            }
            out.truncate(start + out[start..].trim_end().len());
            out.push('\n');
        }
        out
    }
}
