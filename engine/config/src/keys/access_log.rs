//! `[access_log.NAME]`: where a line per request goes.

use policy_keys::Size;

policy_keys::choices! {
    /// How a line looks.
    pub enum LogFormat as "log format" {
        /// One JSON object a line.
        Json = "json",
        /// One line of text.
        Text = "text",
    }
}

policy_keys::choices! {
    /// What happens when the writer can't keep up.
    pub enum Full as "log overflow rule" {
        /// Lines are dropped and counted.
        Drop = "drop",
        /// The exchange waits.
        Block = "block",
    }
}

policy_keys::keys! {
    /// Where a line per request goes.
    pub struct AccessLog = "access_log", named {
        /// A file (appended to, made when absent) or `"stdout"`.
        path: required String,
        /// How a line looks: `json` one object, `text` for reading.
        format: default LogFormat = "json",
        /// Whether the query string is logged. Credentials in it never are.
        query: default bool = "false",
        /// The share of requests that are logged.
        sample: default f64 = "1" where "0", "1",
        /// How much each worker gathers before it hands it to the writer (which gets it within a tick in any case).
        buffer: default Size = "64KiB" where "4KiB", "16MiB",
        /// What happens when the writer can't keep up: `drop` counts and drops lines, `block` lets the exchange wait.
        on_full: default Full = "drop",
    }
    later { fields, only }
}
