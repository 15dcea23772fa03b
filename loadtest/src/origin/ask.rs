//! What a request asks for, by its path and query.
//!
//! Keys of the query that are not ours are ignored: load tests send such to get past caches. A value that can't be
//! understood is refused, since a fault drill that injects nothing would pass.

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ask {
    pub(super) what: What,
    /// The share of requests, 0 to 1, to which the faults apply.
    pub(super) rate: f64,
    pub(super) faults: Faults,
}

/// What the answer's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A word.
    Ok,
    /// What the origin can do.
    Help,
    /// So many bytes.
    Bytes(u64),
    /// The request itself, as JSON.
    Echo,
    /// So many server-sent events.
    Events(u64),
    /// A WebSocket that sends back what it is sent.
    WebSocket,
}

/// How an answer differs from a good and quick one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Faults {
    pub(super) status: u16,
    /// Before the answer, nanoseconds.
    pub(super) delay: u64,
    /// Pieces that the body is sent in, in the chunked coding; 0 for whole.
    pub(super) chunks: u64,
    /// Between two pieces or events, nanoseconds.
    pub(super) every: u64,
    pub(super) reset: Reset,
}

/// When the connection is reset instead of answering on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reset {
    Never,
    /// Before the first byte of the answer.
    Head,
    /// After the head and half of the body.
    Body,
}

impl Faults {
    const NONE: Faults = Faults {
        status: 200,
        delay: 0,
        chunks: 0,
        every: 0,
        reset: Reset::Never,
    };
}

/// The largest body that may be asked for.
const MAX_SIZE: u64 = 1 << 40;
/// The longest time that may be asked for, nanoseconds: an hour.
const MAX_TIME: u64 = 3_600_000_000_000;
/// Events of a stream that says nothing of their number, and the time between them.
const EVENTS: u64 = 10;
const EVENTS_EVERY: u64 = 1_000_000_000;

impl Ask {
    /// What this target asks for; else the key, or the path, that can't be understood, and what it may be.
    pub(super) fn of(target: &[u8]) -> Result<Ask, (&[u8], &'static str)> {
        let (path, query) = split(target);
        let mut ask = Ask {
            what: what(path)?,
            rate: 1.0,
            faults: Faults::NONE,
        };
        if matches!(ask.what, What::Events(_)) {
            ask.faults.every = EVENTS_EVERY;
        }
        if !query.is_empty() {
            ask.read(query)?;
        }
        Ok(ask)
    }

    /// Whether nothing is asked but a body, which may then be a prepared one.
    pub(super) fn is_plain(&self) -> bool {
        self.faults == Faults::NONE && matches!(self.what, What::Ok | What::Help | What::Bytes(_))
    }

    /// The same without the faults: those are for others this time.
    pub(super) fn spared(mut self) -> Ask {
        let every = self.faults.every;
        self.faults = Faults::NONE;
        if matches!(self.what, What::Events(_)) {
            // There it is no fault but the events' own pace.
            self.faults.every = every;
        }
        self
    }

    fn read<'a>(&mut self, query: &'a [u8]) -> Result<(), (&'a [u8], &'static str)> {
        for pair in query.split(|it| *it == b'&') {
            let at = memchr::memchr(b'=', pair).unwrap_or(pair.len());
            let (key, value) = pair.split_at(at);
            let value = value.get(1..).unwrap_or_default();
            let faults = &mut self.faults;
            match key {
                b"size" => {
                    let size = size(value).ok_or((pair, "a size, such as 512, 16k or 1m"))?;
                    self.what = What::Bytes(size);
                }
                b"events" => {
                    let events = number(value).ok_or((pair, "a whole number"))?;
                    if let What::Events(_) = self.what {
                        self.what = What::Events(events);
                    }
                }
                b"status" => {
                    let status = number(value).filter(|it| (200..=599).contains(it));
                    faults.status = status.ok_or((pair, "a status from 200 to 599"))? as u16;
                }
                b"delay" => faults.delay = time(value).ok_or((pair, TIME))?,
                b"every" => faults.every = time(value).ok_or((pair, TIME))?,
                b"chunks" => {
                    let chunks = number(value).filter(|it| *it <= 1_000_000);
                    faults.chunks = chunks.ok_or((pair, "a whole number up to 1000000"))?;
                }
                b"rate" => self.rate = share(value).ok_or((pair, "a share, from 0 to 1"))?,
                b"reset" => {
                    faults.reset = match value {
                        b"0" => Reset::Never,
                        b"1" | b"head" => Reset::Head,
                        b"body" => Reset::Body,
                        _ => return Err((pair, "1 (before the answer) or body (amid it)")),
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

pub(super) const TIME: &str = "a time up to an hour, such as 50ms, 500us or 2s";

/// Path and query of a request target; an absolute one loses its scheme and authority.
pub(super) fn split(target: &[u8]) -> (&[u8], &[u8]) {
    let target = match memchr::memmem::find(target, b"://") {
        Some(at) if !target.starts_with(b"/") => {
            let rest = target.get(at + 3..).unwrap_or_default();
            let path = memchr::memchr2(b'/', b'?', rest).unwrap_or(rest.len());
            rest.get(path..).unwrap_or_default()
        }
        _ => target,
    };
    match memchr::memchr(b'?', target) {
        Some(at) => (&target[..at], &target[at + 1..]),
        None => (target, b""),
    }
}

fn what(path: &[u8]) -> Result<What, (&[u8], &'static str)> {
    match path {
        b"/" | b"" => return Ok(What::Help),
        b"/echo" => return Ok(What::Echo),
        b"/sse" => return Ok(What::Events(EVENTS)),
        b"/ws" => return Ok(What::WebSocket),
        _ => {}
    }
    if let Some(bytes) = path.strip_prefix(b"/bytes/") {
        let bytes = size(bytes).ok_or((path, "/bytes/ and a size, such as /bytes/1048576"))?;
        return Ok(What::Bytes(bytes));
    }
    // `/1k` is a size; `/items` and `/7/reviews` are of someone else's making.
    let sized = path.strip_prefix(b"/").and_then(size);
    Ok(sized.map_or(What::Ok, What::Bytes))
}

/// A whole number.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    text.iter().try_fold(0_u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })
}

/// A number and the unit behind it.
fn with_unit(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text.iter().take_while(|it| it.is_ascii_digit()).count();
    let (digits, unit) = text.split_at_checked(digits)?;
    Some((number(digits)?, unit))
}

pub(super) fn size(text: &[u8]) -> Option<u64> {
    let (number, unit) = with_unit(text)?;
    let shift = match unit {
        b"" | b"B" | b"b" => 0,
        b"k" | b"K" | b"KiB" | b"kib" => 10,
        b"m" | b"M" | b"MiB" | b"mib" => 20,
        b"g" | b"G" | b"GiB" | b"gib" => 30,
        _ => return None,
    };
    number.checked_mul(1 << shift).filter(|it| *it <= MAX_SIZE)
}

pub(super) fn time(text: &[u8]) -> Option<u64> {
    let (number, unit) = with_unit(text)?;
    let nanoseconds = match unit {
        b"us" => 1_000,
        b"ms" => 1_000_000,
        b"s" => 1_000_000_000,
        b"m" => 60_000_000_000,
        b"" if number == 0 => 0,
        _ => return None,
    };
    number.checked_mul(nanoseconds).filter(|it| *it <= MAX_TIME)
}

pub(super) fn share(text: &[u8]) -> Option<f64> {
    let share: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (0.0..=1.0).contains(&share).then_some(share)
}

#[cfg(test)]
mod tests;
