//! What is wrong with a scenario, and where: how problems are gathered and shown.

/// One thing that is wrong with a scenario or a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file or the flag; `None`: nowhere in particular.
    pub file: Option<String>,
    /// 1 is the first; 0 without a file.
    pub line: usize,
    /// In characters; 1 is the first; 0 without a file.
    pub column: usize,
    /// What is wrong, as a clause without a full stop.
    pub message: String,
    /// What was expected, what was perhaps meant, how to put it right: one line each.
    pub notes: Vec<String>,
    /// All of it as it is shown, with the source line underlined; ends with a newline.
    pub text: String,
}

impl Problem {
    /// A problem of the whole.
    pub(super) fn nowhere(message: impl Into<String>) -> Problem {
        let message = message.into();
        Problem {
            file: None,
            line: 0,
            column: 0,
            text: format!("error: {message}\n"),
            message,
            notes: Vec::new(),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text.trim_end())
    }
}

impl std::error::Error for Problem {}

/// All problems as an operator reads them, with their count in the last line.
pub fn show(problems: &[Problem]) -> String {
    let mut out = String::new();
    for problem in problems {
        out.push_str(&problem.text);
        out.push('\n');
    }
    match problems.len() {
        1 => out.push_str("1 problem\n"),
        count => out.push_str(&format!("{count} problems\n")),
    }
    out
}
