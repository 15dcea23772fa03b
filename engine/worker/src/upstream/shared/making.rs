//! A connection that is being made for all requests of this worker that wait for one.
//!
//! It belongs to none of them: whoever it was begun for may give up, it goes on for the others and for those to come,
//! within `connect_timeout`. Each that waits has a patience of its own.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};

use engine_bridge::board::Held;
use engine_bridge::metrics::UpstreamSeries;
use engine_config::snapshot::{self as config, UpstreamProtocol};
use engine_net::deadline::{self, within};
use engine_net::runtime;

use super::super::dial::{Call, Failure, dial, no_http2, speaks_http2};
use super::super::pool::{self, Connecting};
use super::super::{Endpoint, Upstream, UpstreamConn};
use super::{Terms, adopt};
use crate::nanos;

/// How long a new connection waits for the first SETTINGS before requests go out all the same.
const GREETING: u64 = 200_000_000;

/// One that is being made, or has been.
#[derive(Default)]
pub(super) struct Making {
    made: Cell<Option<Made>>,
    /// Who waits for it.
    waiting: RefCell<Vec<Waker>>,
    /// The one that speaks HTTP/1.1: whoever comes first has it.
    pub(super) http1: Cell<Option<Rc<UpstreamConn>>>,
}

/// What came of it.
#[derive(Clone, Copy)]
pub(super) enum Made {
    /// It is among those that are open.
    Shared,
    /// The endpoint chose HTTP/1.1.
    Http1,
    Failed(Failure),
}

impl Making {
    /// Begins to make one, in a task of its own; `open` is its place under the cap.
    pub(super) fn begin(
        upstream: &Upstream,
        endpoint: &Rc<Endpoint>,
        settings: &config::Upstream,
        call: &Call,
        open: Held,
    ) -> Rc<Making> {
        let making = Rc::new(Making::default());
        let maker = Maker {
            endpoint: Rc::clone(endpoint),
            making: Rc::clone(&making),
        };
        endpoint.shared.making.replace(Some(Rc::clone(&making)));
        let give_up = deadline::now().saturating_add(nanos(settings.connect_timeout));
        let (series, terms, call) = (Arc::clone(&upstream.series), Terms::of(settings), *call);
        runtime::spawn(async move {
            let made = maker.make(&series, terms, &call, open, give_up).await;
            maker.making.made.set(Some(made));
        });
        making
    }

    /// Waits until it has been made, or has failed. May be dropped at any time.
    pub(super) async fn made(&self) -> Made {
        poll_fn(|cx| match self.made.get() {
            Some(made) => Poll::Ready(made),
            None => {
                self.waiting.borrow_mut().push(cx.waker().clone());
                Poll::Pending
            }
        })
        .await
    }
}

/// The task that makes it. However it ends, nobody waits for it any longer.
struct Maker {
    endpoint: Rc<Endpoint>,
    making: Rc<Making>,
}

impl Maker {
    async fn make(
        &self,
        series: &Arc<UpstreamSeries>,
        terms: Terms,
        call: &Call,
        open: Held,
        give_up: u64,
    ) -> Made {
        let endpoint = &self.endpoint;
        let connecting = Connecting::new(series);
        let dialed = dial(endpoint, terms.proxy_protocol, call, give_up).await;
        drop(connecting);
        let conn = match dialed {
            Ok(conn) => conn,
            Err(failure) => return Made::Failed(failure),
        };
        if !speaks_http2(&conn) {
            if terms.protocol != UpstreamProtocol::Auto {
                return Made::Failed(no_http2());
            }
            endpoint.speaks_http1.set(true);
            let conn = pool::adopt(series, conn, open);
            self.making.http1.set(Some(conn));
            return Made::Http1;
        }
        let mux = adopt(series, endpoint, terms, conn, open);
        // How many streams the endpoint takes is known then: all of them at once might be too many.
        within(deadline::now().saturating_add(GREETING), mux.greeted()).await;
        match mux.is_over() {
            // It speaks something else, or nothing.
            true => Made::Failed(Failure::Refused),
            false => Made::Shared,
        }
    }
}

impl Drop for Maker {
    fn drop(&mut self) {
        self.endpoint.shared.making.replace(None);
        let making = &self.making;
        let made = making.made.get().unwrap_or(Made::Failed(Failure::Refused));
        making.made.set(Some(made));
        making.waiting.take().into_iter().for_each(Waker::wake);
    }
}
