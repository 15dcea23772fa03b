//! `[gateway]`: what holds for the process.

use policy_keys::{Cidr, Duration};

policy_keys::choices! {
    /// The form of the gateway's own error answers.
    pub enum ErrorFormat as "error format" {
        /// RFC 9457 problem documents, as JSON.
        ProblemJson = "problem+json",
        /// One line of plain text.
        Text = "text",
    }
}

policy_keys::choices! {
    /// How much is told on standard error.
    pub enum LogLevel as "log level" {
        /// What the people who run the gateway have to know.
        Info = "info",
        /// That, and why single handshakes failed.
        Debug = "debug",
    }
}

policy_keys::choices! {
    /// Which I/O driver the workers run on.
    pub enum DriverChoice as "I/O driver" {
        /// The best that the machine offers.
        Auto = "auto",
        /// io_uring, or an error at start.
        IoUring = "io_uring",
        /// io_uring by the driver of the monoio library in place of our own, or an error at start.
        Monoio = "monoio",
        /// epoll.
        Epoll = "epoll",
    }
}

policy_keys::keys! {
    /// What holds for the whole process.
    pub struct Gateway = "gateway", single {
        /// How many workers, each with its own thread. Default: one per available core.
        @start workers: optional usize where "1", "1024",
        /// Whether each worker stays on its own core. Without effect when there are more workers than cores.
        @start pin: default bool = "true",
        /// Which I/O driver the workers run on. `auto` takes io_uring where the kernel offers it, else epoll; `monoio` is io_uring through that library, for comparison.
        @start io: default DriverChoice = "auto",
        /// How long `/ready` answers 503 at a shutdown before the listeners stop accepting.
        shutdown_delay: default Duration = "0s" where "0s", "1h",
        /// How long requests in flight may take to finish at a shutdown, before they are cut.
        shutdown_grace: default Duration = "30s" where "0s", "24h",
        /// The header that carries the request id, on the request, the response and in problem documents.
        request_id_header: default String = "X-Request-ID",
        /// The peers whose `X-Forwarded-For` and request id are believed. Default: none.
        trusted_proxies: optional Vec<Cidr>,
        /// The form of the gateway's own error answers.
        error_format: default ErrorFormat = "problem+json",
        /// How much is told on standard error. `debug`: also each TLS handshake with a client that failed, and why; at most 10 lines a second and worker, the rest as a number.
        log_level: default LogLevel = "info",
        /// The most client connections of the node, over all listeners. Default: no bound.
        max_connections: optional u64 where "1", "",
    }
    later { version_header, memory_limit }
}
