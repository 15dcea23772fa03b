//! `[headers.NAME]`: changes to headers, that routes name.

policy_keys::keys! {
    /// Changes to headers, which routes name in `request_headers` and `response_headers`. First
    /// `remove`, then `set`, then `add`.
    pub struct Headers = "headers", named {
        /// Headers that are replaced, or added when absent: `"Name: value"`.
        set: optional Vec<String>,
        /// Headers that are added to those of the same name: `"Name: value"`.
        add: optional Vec<String>,
        /// Names of headers that are removed.
        remove: optional Vec<String>,
    }
    later { security }
}
