//! Where to listen or connect: `"127.0.0.1:8080"`, `"[::1]:8080"`, `"unix:/run/x.sock"`.

use super::{Mismatch, Raw, Shape, Value, text};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// A numeric socket address, or the path of a unix socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// IP address and port.
    Tcp(SocketAddr),
    /// Path of a unix stream socket.
    Unix(PathBuf),
}

impl Address {
    /// Reads an address, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Address, Mismatch> {
        if let Some(path) = text.strip_prefix("unix:") {
            return match path {
                "" => Err(Mismatch::text(&Self::SHAPE, text)),
                // The kernel's sun_path holds 108 bytes with its terminator.
                path if path.len() > 107 => Err(Mismatch::new(
                    "the path of a unix socket has at most 107 bytes",
                )),
                path => Ok(Address::Unix(PathBuf::from(path))),
            };
        }
        text.parse().map(Address::Tcp).map_err(|_| wrong(text))
    }

    /// Whether only this machine can reach it.
    pub fn is_local(&self) -> bool {
        match self {
            Address::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Address::Unix(_) => true,
        }
    }
}

fn wrong(text: &str) -> Mismatch {
    let mismatch = Mismatch::text(&Address::SHAPE, text);
    if text.parse::<IpAddr>().is_ok() {
        return match text.contains(':') {
            true => mismatch.hint(format!("say the port: \"[{text}]:8080\"")),
            false => mismatch.hint(format!("say the port: \"{text}:8080\"")),
        };
    }
    match text.rsplit_once(':') {
        Some(("" | "*", port)) if port.parse::<u16>().is_ok() => {
            mismatch.hint(format!("write \"0.0.0.0:{port}\" for every interface"))
        }
        Some(("localhost", port)) if port.parse::<u16>().is_ok() => {
            mismatch.hint(format!("write \"127.0.0.1:{port}\""))
        }
        Some((host, port)) if port.parse::<u16>().is_err() && host.parse::<IpAddr>().is_ok() => {
            mismatch.hint("the port is a number from 0 to 65535")
        }
        _ => mismatch,
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(address) => address.fmt(f),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Value for Address {
    const SHAPE: Shape = Shape::text(
        "address",
        "an address such as \"127.0.0.1:8080\", \"[::1]:8080\" or \"unix:/run/x.sock\"",
        "^(unix:.+|[0-9.]+:[0-9]+|\\[[0-9a-fA-F:.%]+\\]:[0-9]+)$",
    );

    fn read(raw: &Raw) -> Result<Self, Mismatch> {
        Address::parse(text(&Self::SHAPE, raw)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_numeric_or_a_path() {
        for text in [
            "127.0.0.1:8080",
            "[::1]:8080",
            "unix:/run/x.sock",
            "0.0.0.0:0",
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
        let hint = |text| Address::parse(text).unwrap_err().hint.unwrap_or_default();
        assert_eq!(hint(":80"), "write \"0.0.0.0:80\" for every interface");
        assert_eq!(hint("localhost:80"), "write \"127.0.0.1:80\"");
        assert_eq!(hint("10.0.0.1"), "say the port: \"10.0.0.1:8080\"");
        assert_eq!(hint("::1"), "say the port: \"[::1]:8080\"");
        assert_eq!(
            hint("10.0.0.1:99999"),
            "the port is a number from 0 to 65535"
        );
        assert!(Address::parse("unix:").is_err());
        assert!(Address::parse("unix:/a").unwrap().is_local());
        assert!(Address::parse("[::ffff:127.0.0.1]:1").unwrap().is_local());
        assert!(!Address::parse("10.0.0.1:1").unwrap().is_local());
    }
}
