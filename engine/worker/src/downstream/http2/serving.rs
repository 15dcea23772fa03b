//! Who serves the requests of one connection: tasks that take one at a time, and rest for the next.
//!
//! A task with the whole life of a request in it is large; making one for each request would mean moving all of that every
//! time. So a few of them stay, as long as the connection is busy.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Poll, Waker};

use engine_bridge::metrics::Gauge;
use engine_net::buffer::Buffer;
use engine_net::deadline::Deadline;
use engine_net::runtime;
use protocol::http2::ErrorCode;
use protocol::http2::head::HeadError;
use protocol::message::{BodyLength, RequestHead};

use crate::core::{Core, ScratchGuard};
use crate::exchange::{self, Client};
use crate::http2::{Came, Mux, Stream};
use crate::link::Link;
use crate::listener::Seat;
use crate::reply::Fault;

/// Tasks of one connection that rest for the next request.
const RESTING: usize = 16;

/// The tasks of one connection.
pub(super) struct Servers {
    shared: Rc<Shared>,
}

/// What they have in common.
struct Shared {
    core: Rc<Core>,
    mux: Rc<Mux>,
    seat: Seat,
    from: SocketAddr,
    /// Those that rest, the last one to have worked last.
    resting: RefCell<Vec<Rc<Place>>>,
    /// There are no more requests.
    over: Cell<bool>,
}

/// Where a task that rests is handed the next request.
#[derive(Default)]
struct Place {
    job: Cell<Option<Job>>,
    waker: Cell<Option<Waker>>,
    /// It need not wait any longer.
    dismissed: Cell<bool>,
}

/// One request.
struct Job {
    stream: Stream,
    scratch: ScratchGuard,
    /// Its head as text, and what of its body is here.
    text: Buffer,
    begun: u64,
    fault: Option<Fault>,
}

impl Servers {
    pub(super) fn new(core: &Rc<Core>, mux: &Rc<Mux>, seat: &Seat, from: SocketAddr) -> Servers {
        Servers {
            shared: Rc::new(Shared {
                core: Rc::clone(core),
                mux: Rc::clone(mux),
                seat: seat.clone(),
                from,
                resting: RefCell::new(Vec::new()),
                over: Cell::new(false),
            }),
        }
    }

    /// Has a request served that came just now, and whose head is still to be taken.
    pub(super) fn serve(&self, came: Came, begun: u64) {
        let mut scratch = self.shared.core.take_scratch();
        let mut text = Buffer::standard();
        let request = &mut scratch.get().request;
        let (stream, fault) = match came {
            Came::Request(stream) => {
                let fits = self.shared.mux.take_request(request, &mut text);
                (stream, (!fits).then_some(HeadError::TooLarge))
            }
            Came::Refused { stream, error } => {
                *request = RequestHead::new();
                (stream, Some(error))
            }
            Came::More | Came::Done => return,
        };
        let job = Job {
            stream,
            scratch,
            text,
            begun,
            fault: fault.map(Fault::BadHead),
        };
        let place = self.shared.resting.borrow_mut().pop();
        match place {
            Some(place) => {
                place.job.set(Some(job));
                place.wake();
            }
            None => runtime::spawn(Rc::clone(&self.shared).work(job)),
        }
    }

    /// Nothing has come for a while: those that rest need not wait, and the connection keeps little.
    pub(super) fn dismiss(&self) {
        self.shared.mux.rest();
        for place in self.shared.resting.take() {
            place.dismissed.set(true);
            place.wake();
        }
    }

    /// The connection is over; what is being served goes on to its end.
    pub(super) fn end(&self) {
        self.shared.over.set(true);
        self.dismiss();
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // However the connection's loop ends: those that rest hold what they would wait for.
        self.end();
        self.shared.mux.end();
    }
}

impl Place {
    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// The next request; none when there is no need to wait for it.
    async fn next(&self) -> Option<Job> {
        poll_fn(|cx| {
            if let Some(job) = self.job.take() {
                return Poll::Ready(Some(job));
            }
            if self.dismissed.get() {
                return Poll::Ready(None);
            }
            self.waker.set(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await
    }
}

impl Shared {
    /// Serves this request and those that follow.
    async fn work(self: Rc<Shared>, first: Job) {
        let place = Rc::new(Place::default());
        let mut next = Some(first);
        while let Some(job) = next {
            serve(&self, job).await;
            next = match self.rest(&place) {
                true => place.next().await,
                false => None,
            };
        }
    }

    /// Takes a place among those that rest, if there is one.
    fn rest(&self, place: &Rc<Place>) -> bool {
        let mut resting = self.resting.borrow_mut();
        let stays = !self.over.get() && resting.len() < RESTING;
        if stays {
            resting.push(Rc::clone(place));
        }
        stays
    }
}

async fn serve(shared: &Shared, job: Job) {
    let Job {
        stream,
        mut scratch,
        mut text,
        begun,
        fault,
    } = job;
    let open = &shared.seat.listening.series.http2_streams;
    open.inc();
    let _open = Counted(open);
    let listener = shared.seat.listening.id();
    let known = shared
        .core
        .live()
        .snapshot
        .listeners
        .get(listener)
        .is_some();
    if !known || shared.seat.is_stale() {
        // A reload has removed the listener, or asks clients for other certificates.
        return stream.reset(ErrorCode::REFUSED_STREAM);
    }
    let deadline = Deadline::alone();
    let client = Client {
        core: &shared.core,
        link: Link::Stream(&stream),
        deadline: &deadline,
        listener: shared.seat.listening.id(),
        seat: &shared.seat,
        series: &shared.seat.listening.series,
        from: shared.from,
    };
    let s = scratch.get();
    if let Some(fault) = fault {
        // What is malformed is not answered but reset (RFC 9113 section 8.1.1); it is recorded all the same.
        if matches!(fault, Fault::BadHead(HeadError::Malformed(_))) {
            stream.reset(ErrorCode::PROTOCOL_ERROR);
        }
        exchange::refuse_head(client, s, &mut text, begun, fault).await;
        return;
    }
    // A small body mostly stands right behind its head: a request that is here whole can be sent in one piece, and
    // again.
    if !matches!(s.request.body, BodyLength::None)
        && !s.request.upgrade
        && let Some(n) = stream.take_whole(&mut text)
    {
        s.request.body = BodyLength::Exact(n as u64);
    }
    exchange::run(client, s, &mut text, begun, false).await;
}

/// Counts a request as open for as long as it is.
struct Counted<'a>(&'a Gauge);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}
