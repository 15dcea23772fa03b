//! The names of the headers that only the gateway sets.
//!
//! Compared without case and with `_` equal to `-`, since many upstreams fold the two. The
//! common answer is no, and costs two bit tests.

/// Set by the gateway whether a configuration names them or not.
const ALWAYS: [&str; 3] = ["X-User-ID", "X-Tenant-ID", "X-Consumer"];

/// A set of header names.
#[derive(Clone, Debug)]
pub struct HeaderNames {
    /// Folded names.
    names: Vec<Box<[u8]>>,
    /// Bit n: some name has the length n (63: or more).
    lengths: u64,
    /// Bit n: some name has a folded last byte that is n modulo 64. The first byte says
    /// little: most names of both kinds begin with `X`.
    endings: u64,
}

impl Default for HeaderNames {
    fn default() -> HeaderNames {
        HeaderNames::new(std::iter::empty::<&str>())
    }
}

impl HeaderNames {
    /// The names that are always in the set, and these.
    pub fn new<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> HeaderNames {
        let mut set = HeaderNames {
            names: Vec::new(),
            lengths: 0,
            endings: 0,
        };
        for name in ALWAYS {
            set.insert(name);
        }
        for name in names {
            set.insert(name.as_ref());
        }
        set
    }

    /// Adds a name.
    pub fn insert(&mut self, name: &str) {
        let folded: Box<[u8]> = name.bytes().map(fold).collect();
        if folded.is_empty() || self.names.contains(&folded) {
            return;
        }
        self.lengths |= length_bit(folded.len());
        self.endings |= ending_bit(&folded);
        self.names.push(folded);
    }

    /// Whether a header of this name is the gateway's to set.
    #[inline]
    pub fn matches(&self, name: &[u8]) -> bool {
        if self.lengths & length_bit(name.len()) == 0 || self.endings & ending_bit(name) == 0 {
            return false;
        }
        self.names.iter().any(|known| {
            known.len() == name.len() && known.iter().zip(name).all(|(k, n)| *k == fold(*n))
        })
    }

    /// The names, folded to lower case with `-`.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.names.iter().map(|name| &**name)
    }
}

/// Lower case, `_` as `-`.
#[inline]
fn fold(byte: u8) -> u8 {
    match byte {
        b'_' => b'-',
        other => other.to_ascii_lowercase(),
    }
}

#[inline]
fn length_bit(length: usize) -> u64 {
    1 << length.min(63)
}

#[inline]
fn ending_bit(name: &[u8]) -> u64 {
    name.last().map_or(0, |last| 1 << (fold(*last) & 63))
}
