//! What is shown while a run goes on: one line, rewritten each second on a terminal, else a line from time to time.

use std::io::{self, IsTerminal, Write};

use super::board::Board;
use crate::results::{SecondPart, units};

/// Without a terminal a line is written after so many seconds.
const BETWEEN_LINES: usize = 10;

/// Shows what a run does, on standard error.
#[derive(Debug)]
pub struct Progress {
    way: Way,
    /// What the lines begin with.
    label: String,
    /// Seconds that have been looked at.
    seen: usize,
    /// What has been seen since the last line.
    since: SecondPart,
    lines: usize,
    failed: u64,
    /// Whether there is an unfinished line on the terminal.
    open: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Quiet,
    Terminal,
    Lines,
}

impl Progress {
    /// Shows nothing.
    pub fn quiet() -> Progress {
        Progress::new(Way::Quiet)
    }

    /// Shows a line, in the way that standard error allows.
    pub fn visible() -> Progress {
        Progress::new(match io::stderr().is_terminal() {
            true => Way::Terminal,
            false => Way::Lines,
        })
    }

    fn new(way: Way) -> Progress {
        Progress {
            way,
            label: String::new(),
            seen: 0,
            since: SecondPart::default(),
            lines: 0,
            failed: 0,
            open: false,
        }
    }

    /// Begins another run, whose lines begin with the label.
    pub fn label(&mut self, label: String) {
        *self = Progress::new(self.way);
        self.label = label;
    }

    /// Writes a line that stays.
    pub fn say(&mut self, text: &str) {
        if self.way != Way::Quiet {
            self.done();
            // Nobody need be reading.
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// Shows the seconds that all workers have behind them.
    pub(super) fn show(&mut self, board: &Board) {
        if self.way == Way::Quiet {
            return;
        }
        while let Some(second) = self.next(board) {
            self.seen += 1;
            self.failed += second.failed;
            self.since.merge(&second);
            self.lines += 1;
            if self.way == Way::Terminal || self.lines == BETWEEN_LINES {
                let line = self.line();
                self.write(&line);
                self.lines = 0;
                self.since = SecondPart::default();
            }
        }
    }

    /// The next second, over all workers; none while one of them has not come so far.
    fn next(&self, board: &Board) -> Option<SecondPart> {
        let mut whole: Option<SecondPart> = None;
        for worker in 0..board.workers() {
            let desk = board.desk(worker)?;
            let second = desk.seconds.get(self.seen)?;
            match &mut whole {
                None => whole = Some(second.clone()),
                Some(whole) => whole.merge(second),
            }
        }
        whole
    }

    fn line(&self) -> String {
        let since = &self.since;
        let rate = since.answered as f64 / self.lines.max(1) as f64;
        let time = |share| units::time(since.quantile(share) as f64);
        let failed = match self.failed {
            0 => "no errors".to_owned(),
            1 => "1 error".to_owned(),
            many => format!("{} errors", units::count(many)),
        };
        format!(
            "{}{:>4} s  {:>12}  p50 {:>8}  p99 {:>8}  {failed}",
            self.label,
            self.seen,
            units::rate(rate),
            time(0.5),
            time(0.99),
        )
    }

    fn write(&mut self, line: &str) {
        let mut out = io::stderr().lock();
        // Nobody need be reading.
        let _ = match self.way {
            Way::Quiet => Ok(()),
            Way::Lines => writeln!(out, "{line}"),
            // To the line's beginning, the text, and what was longer before goes.
            Way::Terminal => write!(out, "\r{line}\x1b[K").and_then(|()| out.flush()),
        };
        self.open = self.way == Way::Terminal;
    }

    /// The run is over: the line goes, since the table says it all.
    pub(super) fn done(&mut self) {
        if std::mem::take(&mut self.open) {
            // As above.
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
