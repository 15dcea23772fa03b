//! The upstream side of one worker: endpoints, their pooled connections, and the choice among them.
//!
//! Pools are keyed by upstream and endpoint name and outlive a snapshot. A pooled connection has a read
//! posted (`posted`), so that a FIN or stray bytes evict it at once.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use engine_bridge::Bridge;
use engine_bridge::board::{Health, Share, Shares, Total};
use engine_bridge::metrics::UpstreamSeries;
use engine_config::snapshot::{self as config, ProxyHeader, UpstreamProtocol};
use engine_net::Address;
use policy::balance::{Candidate, Cursor, pick};

mod carrier;
mod dial;
mod pool;
mod posted;
mod shared;

pub(crate) use carrier::{Carrier, UpstreamStream};
pub(crate) use dial::Call;
pub(crate) use pool::{Lease, UpstreamConn};

use crate::core::Core;
use crate::reply::Fault;
use crate::tls::Connectors;
use dial::Secured;
use shared::Connections;

/// What makes an endpoint what it is: connections are never used under other terms than they were made.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    upstream: Arc<str>,
    endpoint: Arc<str>,
    protocol: UpstreamProtocol,
    tls: Option<config::Digest>,
    proxy_protocol: ProxyHeader,
}

/// All endpoints that this worker has state for.
#[derive(Default)]
pub(crate) struct Upstreams {
    endpoints: RefCell<HashMap<Key, Rc<Endpoint>>>,
}

/// One upstream of a snapshot as this worker uses it.
pub(crate) struct Upstream {
    pub(crate) series: Arc<UpstreamSeries>,
    endpoints: Vec<Rc<Endpoint>>,
    weights: Vec<u32>,
    /// What control's checks say of each; empty where there are none.
    healths: Vec<Arc<Health>>,
    cursor: RefCell<Cursor>,
    /// Connections of the whole node.
    connections: Rc<Share>,
    /// Requests of the whole node that wait for a connection.
    pending: Arc<Total>,
    /// Requests of this worker among them.
    waiting: Cell<u32>,
    /// Requests in flight on the whole node; touched only where a cap is configured.
    in_flight: Rc<Share>,
}

/// One endpoint's state on this worker.
pub(crate) struct Endpoint {
    pub(crate) address: Address,
    /// How it is spoken to under TLS.
    secured: Option<Secured>,
    /// Asked by ALPN, it chose HTTP/1.1 last.
    speaks_http1: Cell<bool>,
    idle: RefCell<Vec<Rc<UpstreamConn>>>,
    /// Connections that many requests share.
    shared: Connections,
    in_flight: Cell<u32>,
    /// No upstream of the current snapshot names it: its connections end with what they are doing.
    retired: Cell<bool>,
}

/// Which endpoints of an upstream an exchange has already tried, by index.
#[derive(Default, Clone, Copy)]
pub(crate) struct Tried {
    bits: u64,
    /// The endpoint that refused last.
    pub(crate) last: Option<u16>,
}

impl Tried {
    /// How many have refused.
    pub(crate) fn count(self) -> u32 {
        self.bits.count_ones()
    }

    fn has(self, index: usize) -> bool {
        index < 64 && self.bits & (1 << index) != 0
    }

    pub(crate) fn add(&mut self, index: u16) {
        self.last = Some(index);
        if index < 64 {
            self.bits |= 1 << index;
        }
    }
}

impl Upstreams {
    /// Binds an upstream of a snapshot to this worker's endpoints, making those that are new.
    pub(crate) fn resolve(
        &self,
        worker: usize,
        bridge: &Arc<Bridge>,
        shares: &Shares,
        settings: &config::Upstream,
        connectors: Option<&Connectors>,
    ) -> Rc<Upstream> {
        let mut known = self.endpoints.borrow_mut();
        let endpoints = settings
            .endpoints
            .iter()
            .map(|endpoint| {
                let key = Key {
                    upstream: Arc::clone(&settings.name),
                    endpoint: Arc::clone(&endpoint.name),
                    protocol: settings.protocol,
                    tls: settings.tls.as_ref().map(|tls| tls.digest),
                    proxy_protocol: settings.proxy_protocol,
                };
                Rc::clone(known.entry(key).or_insert_with(|| {
                    let address = crate::address(&endpoint.address);
                    let name = settings.tls.as_ref().and_then(|tls| tls.name.as_deref());
                    Rc::new(Endpoint {
                        secured: connectors.map(|it| Secured::new(it, name, &address)),
                        speaks_http1: Cell::new(false),
                        address,
                        idle: RefCell::new(Vec::new()),
                        shared: Connections::default(),
                        in_flight: Cell::new(0),
                        retired: Cell::new(false),
                    })
                }))
            })
            .collect();
        Rc::new(Upstream {
            series: bridge.metrics.upstream(worker, &settings.name),
            endpoints,
            weights: settings.endpoints.iter().map(|e| e.weight).collect(),
            healths: match settings.health {
                Some(_) => {
                    let health =
                        |it: &config::Endpoint| bridge.board.health(&settings.name, &it.name);
                    settings.endpoints.iter().map(health).collect()
                }
                None => Vec::new(),
            },
            cursor: RefCell::new(Cursor::default()),
            connections: shares.connections(&settings.name),
            pending: bridge.board.pending(&settings.name),
            waiting: Cell::new(0),
            in_flight: shares.in_flight(&settings.name),
        })
    }

    /// Forgets the endpoints that no upstream of the current snapshot names; exchanges in flight
    /// finish on theirs.
    pub(crate) fn retain(&self, current: &[Rc<Upstream>]) {
        self.endpoints.borrow_mut().retain(|_, endpoint| {
            let used = current
                .iter()
                .any(|u| u.endpoints.iter().any(|e| Rc::ptr_eq(e, endpoint)));
            if !used {
                endpoint.retired.set(true);
                endpoint.close_idle();
            }
            used
        });
    }

    /// Closes every idle connection.
    pub(crate) fn close_idle(&self) {
        for endpoint in self.endpoints.borrow().values() {
            endpoint.close_idle();
        }
    }
}

impl Upstream {
    /// Each tick: pooled connections that are of no more use go.
    pub(crate) fn sweep(&self) {
        for endpoint in &self.endpoints {
            endpoint.sweep();
        }
    }

    /// Each tick: where requests of other workers wait at the node's cap, idle connections make room.
    pub(crate) fn make_room(&self) {
        if self.pending.held() > 0 && self.waiting.get() == 0 {
            for endpoint in &self.endpoints {
                endpoint.close_one();
            }
        }
    }

    /// Whether it may be asked: it is not found unhealthy. One relaxed load, none where nothing is checked.
    fn is_healthy(&self, index: usize) -> bool {
        self.healths
            .get(index)
            .is_none_or(|health| health.is_healthy())
    }

    /// Picks an endpoint that is healthy and has not been tried.
    fn choose(&self, core: &Core, settings: &config::Upstream, tried: Tried) -> Option<usize> {
        if self.endpoints.len() == 1 {
            return (!tried.has(0) && self.is_healthy(0)).then_some(0);
        }
        let candidate = |index: usize| Candidate {
            weight: self.weights.get(index).copied().unwrap_or(0),
            in_flight: self.endpoints.get(index).map_or(0, |e| e.in_flight.get()),
            available: !tried.has(index) && self.is_healthy(index),
        };
        pick(
            settings.balance,
            candidate,
            self.endpoints.len(),
            &mut self.cursor.borrow_mut(),
            core.random(),
        )
    }

    /// A connection to one of the endpoints: pooled unless `fresh`, else new. An endpoint that
    /// refuses is put among the tried and the next one asked, since nothing was sent to it.
    pub(crate) async fn lease(
        &self,
        core: &Core,
        settings: &config::Upstream,
        tried: &mut Tried,
        fresh: bool,
        call: &Call,
    ) -> Result<Lease, Fault> {
        let in_flight = match settings.max_in_flight {
            Some(cap) => Some(self.in_flight.acquire(cap).ok_or(Fault::InFlightLimit)?),
            None => None,
        };
        let mut refused = None;
        loop {
            let Some(index) = self.choose(core, settings, *tried) else {
                return Err(refused.unwrap_or(Fault::NoEndpoint));
            };
            let Some(endpoint) = self.endpoints.get(index) else {
                return Err(Fault::NoEndpoint);
            };
            let leased = match settings.protocol {
                _ if call.unopened => {
                    pool::lease(self, endpoint, index, settings, true, call).await
                }
                UpstreamProtocol::Http1 => {
                    pool::lease(self, endpoint, index, settings, fresh, call).await
                }
                UpstreamProtocol::Auto if call.http1 || endpoint.speaks_http1.get() => {
                    pool::lease(self, endpoint, index, settings, fresh, call).await
                }
                _ => shared::lease(self, endpoint, index, settings, fresh, call).await,
            };
            match leased {
                Ok(mut lease) => {
                    lease.hold(in_flight);
                    return Ok(lease);
                }
                Err(fault @ (Fault::ConnectFailed | Fault::ConnectTimeout)) => {
                    self.series.errors.inc(fault.row().cause);
                    tried.add(u16::try_from(index).unwrap_or(u16::MAX));
                    if index >= 64 || tried.count() > 3 {
                        return Err(fault);
                    }
                    refused = Some(fault);
                }
                Err(fault) => return Err(fault),
            }
        }
    }
}
