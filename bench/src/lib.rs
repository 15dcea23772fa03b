//! Micro-benchmarks of the rooms, one subject a file in `benches/`, and what they share: a parsed
//! request, a loaded configuration, signed tokens. How the whole gateway compares with others is
//! `compare`'s.
//!
//! `cargo bench -p bench` runs all of them, `cargo bench -p bench --bench routes` one subject,
//! `cargo bench -p bench --bench routes -- 'tree/.*10000'` what a regular expression picks;
//! `-- --quick` gives rough figures soon, `-- --save-baseline NAME` and `-- --baseline NAME` compare
//! two states of the code, `-- --help` says the rest. Times are a machine's own: quote ratios.

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use engine_bridge::{Bridge, Snapshot};
use engine_config::Source;
use policy::chain::State;
use policy::context::View;
use protocol::http1::{Decoded, decode_request};
use protocol::limits::HeadLimits;
use protocol::message::{Request, RequestHead};

pub mod token;

/// A request that has been parsed.
pub struct Sample {
    bytes: Vec<u8>,
    head: RequestHead,
    /// When it was parsed: reading the clock costs as much as some of what is measured.
    unix: u64,
}

impl Sample {
    /// Parses the bytes of a request.
    ///
    /// # Panics
    /// When they are not a whole good head.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Sample {
        let (bytes, mut head) = (bytes.into(), RequestHead::new());
        let decoded = decode_request(&bytes, &mut head, &HeadLimits::default());
        assert!(matches!(decoded, Ok(Decoded::Complete)), "{decoded:?}");
        let unix = token::now();
        Sample { bytes, head, unix }
    }

    /// A GET with these further fields, each ended by CRLF.
    pub fn get(path: &str, fields: &str) -> Sample {
        Sample::new(format!(
            "GET {path} HTTP/1.1\r\nHost: api.example.com\r\n{fields}\r\n"
        ))
    }

    /// As policies and routes see it.
    pub fn request(&self) -> Request<'_> {
        self.head.view(&self.bytes)
    }

    /// The whole view of a policy, at this monotonic instant and from this client.
    pub fn view(&self, now: u64, client: IpAddr) -> View<'_> {
        let request = self.request();
        View {
            request,
            path: request.path(),
            client,
            route: "route",
            now,
            unix: self.unix,
            random: now.wrapping_mul(0x9E37_79B9_7F4A_7C15),
        }
    }
}

/// A configuration with the bridge that it is live on, for one worker.
pub struct World {
    /// The configuration.
    pub snapshot: Arc<Snapshot>,
    /// Ledger, counters, logs.
    pub bridge: Arc<Bridge>,
}

impl World {
    /// Loads a configuration, whose file `jwks.json` holds the key set of [`token`].
    ///
    /// # Panics
    /// When it does not load.
    pub fn new(text: &str) -> World {
        let files = |path: &Path| match path.ends_with("jwks.json") {
            true => Ok(token::jwks()),
            false => Err(io::ErrorKind::NotFound.into()),
        };
        let source = [Source::new("gateway.toml", text)];
        let snapshot = engine_config::load(&source, &Default::default(), &[], &files);
        let snapshot = Arc::new(snapshot.unwrap_or_else(|problems| panic!("{problems}")));
        let bridge = Bridge::new(1);
        bridge.slot.publish(Arc::clone(&snapshot));
        bridge.adopt_live();
        World { snapshot, bridge }
    }

    /// A worker's state of the policies.
    pub fn state(&self) -> State {
        State::new(Box::new(Arc::clone(&self.bridge.ledger)))
    }
}
