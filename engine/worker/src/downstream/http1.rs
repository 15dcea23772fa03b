//! The loop of one HTTP/1.1 connection: rest, read a head, run the exchange, again.
//!
//! A connection at rest holds no buffer and no request state: its task waits for readability alone.
//! When bytes come it becomes busy (`busy`, boxed for that time) with a read posted in a pooled
//! buffer, one operation a request; once it has been quiet for a moment it cancels that read, gives
//! everything back and rests again.

use std::net::SocketAddr;
use std::rc::Rc;

use engine_config::snapshot::Protocol;
use engine_net::buffer::Buffer;
use engine_net::deadline::{self, Deadline, Strike};
use engine_net::{Conn, Shutdown, clock, is_cancelled};
use protocol::http1::{self, Decoded, MessageError, RequestError};
use protocol::http2;
use protocol::limits::HeadLimits;

use crate::core::Core;
use crate::exchange::{self, Client, End};
use crate::link::Link;
use crate::listener::Seat;
use crate::nanos;
use crate::reply::Fault;
use crate::scratch::Scratch;

/// A busy connection that has been quiet for this long comes to rest.
const QUIET: u64 = 20_000_000;
/// A connection that lingers reads and throws away for at most this long and this much.
const LINGER: u64 = 1_000_000_000;
const LINGER_BYTES: usize = 1 << 20;
/// How long the last answer of a connection may take to go out whose listener a reload has removed.
const FLUSH: u64 = 30_000_000_000;
/// Bytes of empty lines allowed in front of a request (RFC 9112 section 2.2).
const MAX_EMPTY_LINES: usize = 16;

/// Serves one connection to its end; `read` is what has been read of it. If it turns out to be HTTP/2 (prior knowledge, where the listener speaks that)
/// it comes back, with what has been read of it.
pub(crate) async fn serve(
    core: Rc<Core>,
    conn: Conn,
    mut read: Buffer,
    from: SocketAddr,
    seat: &Seat,
) -> Option<(Conn, Buffer)> {
    let deadline = Deadline::new(&conn);
    let mut served = 0;
    let mut fresh = true;
    loop {
        // The first request is usually on its way: no rest before it.
        if !std::mem::take(&mut fresh) && !rest(&core, &conn, &deadline, seat).await {
            return None;
        }
        let read = std::mem::take(&mut read);
        let busy = busy(&core, &conn, &deadline, seat, (from, read, &mut served));
        let end = Box::pin(busy).await;
        let end = match end {
            Over::End(end) => end,
            Over::Http2(read) => {
                drop(deadline);
                return Some((conn, read));
            }
        };
        if conn.is_posting() && !flush(&core, &conn, &deadline, seat).await {
            return None;
        }
        match end {
            End::KeepAlive => {}
            End::Close => return None,
            End::Linger => {
                linger(&conn, &deadline).await;
                return None;
            }
        }
    }
}

/// Waits for the last answer to go out, as long as a write may take; false when it does not.
async fn flush(core: &Rc<Core>, conn: &Conn, deadline: &Deadline, seat: &Seat) -> bool {
    let timeout = seat
        .listening
        .settings(core, |l| Some(nanos(l.write_timeout)));
    let timeout = timeout.unwrap_or(FLUSH);
    deadline.set(deadline::now().saturating_add(timeout), Strike::BothShut);
    let sent = conn.posted().await;
    deadline.clear();
    sent.is_ok()
}

/// Waits for the next request without a buffer; false when the connection is over.
async fn rest(core: &Rc<Core>, conn: &Conn, deadline: &Deadline, seat: &Seat) -> bool {
    let idle = seat.listening.settings(core, |l| nanos(l.idle_timeout));
    if core.draining.get() || seat.is_over() {
        return false;
    }
    deadline.set(deadline::now().saturating_add(idle), Strike::Rest);
    let readable = conn.readable().await;
    let struck = deadline.struck();
    deadline.clear();
    readable.is_ok() && !struck
}

/// How being busy ended.
enum Over {
    End(End),
    /// The client speaks HTTP/2: this is what it has sent.
    Http2(Buffer),
}

/// Serves requests until the connection is quiet (`KeepAlive`: it may rest) or over.
async fn busy(
    core: &Rc<Core>,
    conn: &Conn,
    deadline: &Deadline,
    seat: &Seat,
    (from, read, served): (SocketAddr, Buffer, &mut u64),
) -> Over {
    let mut scratch = core.take_scratch();
    let s = scratch.get();
    let listening = &seat.listening;
    let _watched = listening.watch(conn, seat);
    let mut inbound = match read.is_empty() {
        true if read.room() == 0 => Buffer::standard(),
        _ => read,
    };
    loop {
        let mut client = Client {
            core,
            link: Link::Conn(conn),
            deadline,
            listener: listening.id(),
            seat,
            series: &listening.series,
            from,
        };
        let end = match next_head(client, conn, s, &mut inbound, *served == 0).await {
            Next::Head { begun } => {
                *served += 1;
                // A reload while the head was on its way may have given the listener another index.
                client.listener = listening.id();
                if core
                    .live()
                    .snapshot
                    .listeners
                    .get(client.listener)
                    .is_none()
                    || seat.is_stale()
                {
                    return Over::End(End::Close);
                }
                let last = listening
                    .settings(core, |l| l.max_requests_per_connection)
                    .is_some_and(|max| *served >= max)
                    || seat.is_over();
                exchange::run(client, s, &mut inbound, begun, last).await
            }
            Next::Bad { begun, fault } => {
                exchange::refuse_head(client, s, &mut inbound, begun, fault).await;
                End::Linger
            }
            Next::Preface => return Over::Http2(inbound),
            Next::Quiet => return Over::End(End::KeepAlive),
            Next::Closed => return Over::End(End::Close),
        };
        if end != End::KeepAlive {
            return Over::End(end);
        }
    }
}

/// What waiting for a head came to.
enum Next {
    /// A complete head stands in the scratch area.
    Head {
        begun: u64,
    },
    /// What came is not a head, or did not come in time.
    Bad {
        begun: u64,
        fault: Fault,
    },
    /// The connection begins as HTTP/2 does.
    Preface,
    /// Nothing has come for a moment.
    Quiet,
    Closed,
}

/// Reads until a head is complete.
async fn next_head(
    client: Client<'_>,
    conn: &Conn,
    s: &mut Scratch,
    inbound: &mut Buffer,
    first: bool,
) -> Next {
    let live = client.core.live();
    let Some(settings) = live.snapshot.listeners.get(client.listener) else {
        return Next::Closed;
    };
    let limits = HeadLimits {
        max_head_bytes: settings.max_header_bytes,
        max_fields: settings.max_headers,
        ..HeadLimits::default()
    };
    let timeout = nanos(settings.header_timeout);
    let may_be_http2 = first && settings.protocols.contains(&Protocol::H2c);
    let mut begun = if inbound.is_empty() { 0 } else { clock::now() };
    let opened = deadline::now();
    let mut skipped = 0;
    loop {
        let empty = http1::leading_crlf(inbound.filled());
        inbound.consume(empty);
        skipped += empty;
        if skipped > MAX_EMPTY_LINES {
            return Next::Bad {
                begun: opened,
                fault: Fault::BadRequest(RequestError::RequestLine),
            };
        }
        if !inbound.is_empty() {
            if begun == 0 {
                begun = clock::now();
            }
            let preface = match may_be_http2 {
                true => http2::is_preface(inbound.filled()),
                false => Some(false),
            };
            let decoded = match preface {
                Some(true) => return Next::Preface,
                Some(false) => http1::decode_request(inbound.filled(), &mut s.request, &limits),
                None => Ok(Decoded::Partial),
            };
            match decoded {
                Ok(Decoded::Complete) => return Next::Head { begun },
                Ok(Decoded::Partial) => {}
                Err(error) => {
                    return Next::Bad {
                        begun,
                        fault: Fault::BadRequest(error),
                    };
                }
            }
            if inbound.room() == 0 && !make_room(inbound, settings.max_header_bytes) {
                return Next::Bad {
                    begun,
                    fault: Fault::BadRequest(RequestError::Message(MessageError::HeadTooLarge)),
                };
            }
        }
        let waiting = inbound.is_empty();
        let at = if waiting {
            deadline::now().saturating_add(QUIET)
        } else {
            begun.saturating_add(timeout)
        };
        // Cancelled and not shut: a head that is late is answered, and the rest of it read and thrown
        // away, so that the answer arrives.
        client.deadline.set(at, Strike::CancelRead);
        let (result, back) = conn.read_cancelable(std::mem::take(inbound)).await;
        *inbound = back;
        let struck = client.deadline.struck();
        client.deadline.clear();
        match result {
            Ok(n) if n > 0 => {}
            Err(error) if is_cancelled(&error) && waiting => return Next::Quiet,
            _ if waiting => return Next::Closed,
            _ if struck => {
                return Next::Bad {
                    begun,
                    fault: Fault::HeadTimeout,
                };
            }
            _ => return Next::Closed,
        }
    }
}

/// Makes room for the rest of a head that has outgrown its buffer; false past the bound.
fn make_room(inbound: &mut Buffer, max: usize) -> bool {
    inbound.compact();
    if inbound.room() > 0 {
        return true;
    }
    if inbound.is_large() || max <= inbound.len() {
        return false;
    }
    let mut large = Buffer::large();
    large.extend(inbound.filled());
    *inbound = large;
    true
}

/// Closes so that the last answer arrives: no more is written, what still comes is read and thrown
/// away for a while (RFC 9112 section 9.6).
pub(crate) async fn linger(conn: &Conn, deadline: &Deadline) {
    conn.shutdown(Shutdown::Write);
    let end = clock::now().saturating_add(LINGER);
    let mut buf = Buffer::standard();
    let mut discarded = 0;
    while discarded < LINGER_BYTES {
        buf.clear();
        deadline.set(end, Strike::BothShut);
        let (result, back) = conn.read(buf).await;
        buf = back;
        match result {
            Ok(n) if n > 0 && !deadline.struck() => discarded += n,
            _ => return,
        }
    }
}
