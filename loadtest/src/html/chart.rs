//! Charts as inline SVG: axes with ticks and titles, lines, bars, dots, and tooltips by `title`.
//!
//! Colours are classes of the page's style. Coordinates are rounded to a tenth: a page of them stays small.

use std::fmt::Write;

use super::axis::Axis;
use super::page::escape;

/// The drawing's size; the page scales it to its column.
const WIDTH: f64 = 720.0;
/// Around the plot: room for what is written at the ticks, also in the larger letters of a narrow screen.
const LEFT: f64 = 92.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 58.0;

/// A chart that is being drawn.
pub(super) struct Chart {
    x: Axis,
    y: Axis,
    height: f64,
    marks: String,
}

/// A bar from one figure of the x axis to another.
pub(super) struct Bar {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) height: f64,
    /// Its tooltip.
    pub(super) title: String,
}

impl Chart {
    /// Axes alone.
    pub(super) fn new(x: Axis, y: Axis) -> Chart {
        Chart {
            x,
            y,
            height: 320.0,
            marks: String::new(),
        }
    }

    /// The same, less high.
    pub(super) fn low(mut self) -> Chart {
        self.height = 180.0;
        self
    }

    pub(super) fn x_axis(&self) -> &Axis {
        &self.x
    }

    fn at_x(&self, value: f64) -> f64 {
        LEFT + self.x.place(value) * (WIDTH - LEFT - RIGHT)
    }

    fn at_y(&self, value: f64) -> f64 {
        self.height - BOTTOM - self.y.place(value) * (self.height - TOP - BOTTOM)
    }

    /// A line through the points; where there is none it breaks. A point by itself is drawn as a dot.
    pub(super) fn line(&mut self, class: &str, points: &[(f64, Option<f64>)]) {
        for run in points.split(|(_, y)| y.is_none()) {
            let mut path = String::new();
            for (x, y) in run {
                let letter = if path.is_empty() { 'M' } else { 'L' };
                let (x, y) = (self.at_x(*x), self.at_y(y.unwrap_or_default()));
                // Writing to a string can't fail.
                let _ = write!(path, "{letter}{x:.1} {y:.1}");
            }
            match run {
                [] => {}
                [(x, y)] => self.dot(class, *x, y.unwrap_or_default(), ""),
                _ => {
                    let _ = write!(self.marks, "<path class=\"line {class}\" d=\"{path}\"/>");
                }
            }
        }
    }

    /// The surface under a line.
    pub(super) fn area(&mut self, class: &str, points: &[(f64, Option<f64>)]) {
        let floor = self.height - BOTTOM;
        for run in points.split(|(_, y)| y.is_none()).filter(|it| it.len() > 1) {
            let mut path = String::new();
            for (x, y) in run {
                let letter = if path.is_empty() { 'M' } else { 'L' };
                let (x, y) = (self.at_x(*x), self.at_y(y.unwrap_or_default()));
                let _ = write!(path, "{letter}{x:.1} {y:.1}");
            }
            let first = self.at_x(run.first().map_or(0.0, |it| it.0));
            let last = self.at_x(run.last().map_or(0.0, |it| it.0));
            let _ = write!(
                self.marks,
                "<path class=\"area {class}\" d=\"{path}L{last:.1} {floor:.1}L{first:.1} {floor:.1}Z\"/>"
            );
        }
    }

    /// A point; `title` is its tooltip.
    pub(super) fn dot(&mut self, class: &str, x: f64, y: f64, title: &str) {
        let (x, y) = (self.at_x(x), self.at_y(y));
        let _ = write!(
            self.marks,
            "<circle class=\"dot {class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\">{}</circle>",
            tooltip(title)
        );
    }

    /// Bars from the floor.
    pub(super) fn bars(&mut self, class: &str, bars: &[Bar]) {
        let floor = self.height - BOTTOM;
        for bar in bars.iter().filter(|it| it.height > 0.0) {
            let (from, to) = (self.at_x(bar.from), self.at_x(bar.to));
            // What is there is seen: a pixel at least.
            let top = self.at_y(bar.height).min(floor - 1.0);
            // A hair of ground between bars, where there is room for it.
            let gap = if to - from > 4.0 { 1.0 } else { 0.0 };
            let _ = write!(
                self.marks,
                "<rect class=\"bar {class}\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\">{}</rect>",
                from + gap / 2.0,
                (to - from - gap).max(0.5),
                floor - top,
                tooltip(&bar.title)
            );
        }
    }

    /// An upright line with a word at it.
    pub(super) fn mark(&mut self, class: &str, x: f64, word: &str) {
        let at = self.at_x(x);
        let (anchor, shift) = if at > WIDTH / 2.0 {
            ("end", -6.0)
        } else {
            ("start", 6.0)
        };
        let _ = write!(
            self.marks,
            "<path class=\"mark {class}\" d=\"M{at:.1} {TOP}V{:.1}\"/>\
<text class=\"word\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
            self.height - BOTTOM,
            at + shift,
            TOP + 12.0,
            escape(word)
        );
    }

    /// Columns over the whole height that show nothing but a tooltip: from, to, what it says. Drawn last.
    pub(super) fn hover(&mut self, columns: &[(f64, f64, String)]) {
        let height = self.height - TOP - BOTTOM;
        for (from, to, title) in columns {
            let (from, to) = (self.at_x(*from), self.at_x(*to));
            let _ = write!(
                self.marks,
                "<rect class=\"hover\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{height:.1}\">{}</rect>",
                (to - from).max(0.5),
                tooltip(title)
            );
        }
    }

    /// The whole; `label` says to those who can't see it what it shows.
    pub(super) fn show(&self, label: &str) -> String {
        let mut out = format!(
            "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{}\">",
            self.height,
            escape(label)
        );
        let (right, floor) = (WIDTH - RIGHT, self.height - BOTTOM);
        for tick in &self.y.ticks {
            let (y, minor) = (self.at_y(tick.value), minor(tick.minor));
            let _ = write!(
                out,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/>\
<text class=\"tick{minor}\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 8.0,
                y + 4.5,
                escape(&tick.label)
            );
        }
        for tick in &self.x.ticks {
            let (x, minor) = (self.at_x(tick.value), minor(tick.minor));
            let _ = write!(
                out,
                "<path class=\"grid\" d=\"M{x:.1} {floor}v5\"/>\
<text class=\"tick{minor}\" x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                floor + 22.0,
                escape(&tick.label)
            );
        }
        let _ = write!(
            out,
            "<path class=\"axis\" d=\"M{LEFT} {floor}H{right}\"/>\
<text class=\"title\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\
<text class=\"title\" transform=\"translate(16 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            (LEFT + right) / 2.0,
            self.height - 8.0,
            escape(&self.x.title),
            (TOP + floor) / 2.0,
            escape(&self.y.title)
        );
        out.push_str(&self.marks);
        out.push_str("</svg>");
        out
    }
}

fn minor(minor: bool) -> &'static str {
    if minor { " minor" } else { "" }
}

fn tooltip(title: &str) -> String {
    match title {
        "" => String::new(),
        _ => format!("<title>{}</title>", lines(title)),
    }
}

/// Text in several lines: breaks stay, as tooltips show them.
fn lines(title: &str) -> String {
    let lines: Vec<String> = title.split('\n').map(escape).collect();
    lines.join("\n")
}
