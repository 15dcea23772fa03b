//! The loop of one HTTP/2 connection: read, share out, have each request served by a task of its own; and its farewell.
//!
//! Streams have deadlines of their own; the connection's are for what belongs to no stream (`waiting`). What is done with
//! a request is in `serving`.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use engine_config::snapshot::Listener;
use engine_net::buffer::Buffer;
use engine_net::deadline::{self, Deadline, Strike};
use engine_net::{Conn, clock, runtime};
use protocol::http2::{Budgets, Connection, Role, Settings};
use protocol::limits::BlockLimits;

use crate::core::Core;
use crate::http2::Mux;
use crate::listener::Seat;

mod serving;
mod waiting;

use serving::Servers;
use waiting::{More, Since, Terms, hear_out, more, share_out};

/// What may come of one request's body, and of all on one connection, before it has been taken: thirty-two that nobody
/// takes don't hold up the others, and a connection makes us hold 4 MiB at most.
const STREAM_WINDOW: u32 = 128 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
/// How long a client may take to confirm the first step of a farewell.
const FAREWELL: u64 = 1_000_000_000;

/// One client's connection, as the worker's tick knows it.
pub(crate) struct Downstream {
    mux: Rc<Mux>,
    seat: Seat,
    /// When its farewell began; 0: not yet.
    retiring: Cell<u64>,
    /// That of what is read.
    deadline: Deadline,
}

impl Downstream {
    /// Each tick: begins or hastens the farewell where it is due.
    pub(crate) fn tick(&self, draining: bool, now: u64) {
        if self.seat.is_cut() && !self.mux.is_over() {
            self.mux.cut();
        }
        let due = draining || self.seat.is_over();
        match self.retiring.get() {
            0 if due => self.retire(now),
            0 => {}
            begun if now > begun.saturating_add(FAREWELL) => {
                self.retiring.set(u64::MAX);
                self.mux.retire_now();
            }
            _ => {}
        }
        if self.mux.is_retired() {
            // The loop waits for bytes that need not come.
            self.deadline.set(now, Strike::CancelRead);
        }
    }

    fn retire(&self, now: u64) {
        if self.retiring.get() == 0 {
            self.retiring.set(now.max(1));
            self.mux.retire();
        }
    }
}

/// Serves one connection to its end. `read`: what has been read of it.
pub(super) async fn serve(core: Rc<Core>, conn: Conn, read: Buffer, from: SocketAddr, seat: Seat) {
    let listening = Rc::clone(&seat.listening);
    let Some((settings, mux)) = opened(&core, conn, &seat) else {
        return;
    };
    runtime::spawn(Rc::clone(&mux).write_all(settings.write_timeout));
    let downstream = Rc::new(Downstream {
        mux: Rc::clone(&mux),
        seat,
        retiring: Cell::new(0),
        deadline: Deadline::new(&mux.conn),
    });
    core.http2.borrow_mut().push(Rc::downgrade(&downstream));
    let servers = Servers::new(&core, &mux, &downstream.seat, from);
    let deadline = &downstream.deadline;
    let mut inbound = read;
    let mut served = 0;
    let mut begun = clock::now();
    let mut since = Since::now();
    loop {
        match share_out(&mux, &mut inbound).await {
            Ok(None) => {}
            Ok(Some(came)) => {
                served += 1;
                since.note(false, true);
                if settings.max_requests.is_some_and(|max| served >= max) {
                    downstream.retire(deadline::now());
                }
                servers.serve(came, begun);
                continue;
            }
            Err(error) => {
                listening.series.http2_errors.inc(error.cause);
                mux.end();
                hear_out(&mux, inbound).await;
                break;
            }
        }
        if mux.is_retired() {
            break;
        }
        let quiet = || servers.dismiss();
        match more(&mux, deadline, &settings, &mut since, &mut inbound, quiet).await {
            More::Bytes => begun = clock::now(),
            More::Idle => downstream.retire(deadline::now()),
            More::Late => {
                mux.retire_now();
                break;
            }
            More::Over => break,
        }
    }
    let farewell = mux.is_retired();
    mux.end();
    servers.end();
    // The connection counts as open until its last answers have gone out, or a drain would cut them off.
    mux.written_out().await;
    if farewell {
        // What the client still sends, having read less than we wrote, must not make the close a reset.
        hear_out(&mux, Buffer::default()).await;
    }
}

/// The connection under its listener's terms; none if a reload has removed that. A function of its own, since an `async`
/// one would keep room for all that passes through it as long as the connection lives.
fn opened(core: &Core, conn: Conn, seat: &Seat) -> Option<(Terms, Rc<Mux>)> {
    let websockets = core.live().websockets;
    let terms = seat
        .listening
        .settings(core, |it| Some((Terms::of(it), connection(it, websockets))));
    terms.map(|(settings, h2)| (settings, Mux::new(conn, h2)))
}

/// What a connection of this listener starts from.
fn connection(listener: &Listener, websockets: bool) -> Connection {
    let settings = Settings {
        max_concurrent_streams: listener.max_concurrent_streams,
        head: BlockLimits {
            max_list_bytes: listener.max_header_bytes,
            max_fields: listener.max_headers,
            extended_connect: websockets,
            ..BlockLimits::DEFAULT
        },
        initial_window: STREAM_WINDOW,
        connection_window: CONNECTION_WINDOW,
        ..Settings::DEFAULT
    };
    let budgets = Budgets::clients(listener.h2_max_resets, listener.h2_flood_factor);
    Connection::new(Role::Server, settings, budgets)
}
