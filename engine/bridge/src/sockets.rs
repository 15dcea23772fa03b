//! Sockets that one worker binds for all: at a reload the first worker to prepare binds a new listener, the others start
//! from what it bound. Which address, and what is done with the socket, is the workers' business.
//! Invariant: descriptors are kept only between a candidate's first preparation and its end.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use crate::slot::CandidateId;

/// The sockets bound for one candidate, by listener name.
#[derive(Default)]
pub struct Sockets(Mutex<HashMap<(CandidateId, Arc<str>), OwnedFd>>);

impl Sockets {
    /// A duplicate of the socket that the first caller for this candidate and listener bound; and whether that was this
    /// call. Locks, and binds under the lock: for preparing a reload, on a tick.
    ///
    /// # Errors
    /// What `bind` says, or when the process is out of descriptors.
    pub fn shared(
        &self,
        id: CandidateId,
        listener: &Arc<str>,
        bind: impl FnOnce() -> io::Result<OwnedFd>,
    ) -> io::Result<(OwnedFd, bool)> {
        let mut bound = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (id, Arc::clone(listener));
        if let Some(socket) = bound.get(&key) {
            return Ok((socket.try_clone()?, false));
        }
        let socket = bind()?;
        let own = socket.try_clone()?;
        bound.insert(key, socket);
        Ok((own, true))
    }

    /// The candidate is live or gone: every worker has what it needs.
    pub fn forget(&self, id: CandidateId) {
        let mut bound = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bound.retain(|(candidate, _), _| *candidate != id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn the_first_binds_and_all_get_the_same() {
        let sockets = Sockets::default();
        let name: Arc<str> = "public".into();
        let bind = || TcpListener::bind("127.0.0.1:0").map(OwnedFd::from);
        let local = |fd: OwnedFd| TcpListener::from(fd).local_addr().unwrap();
        let (first, was_first) = sockets.shared(1, &name, bind).unwrap();
        assert!(was_first);
        let (second, was_first) = sockets
            .shared(1, &name, || unreachable!("bound already"))
            .unwrap();
        assert!(!was_first);
        assert_eq!(local(first), local(second));
        sockets.forget(1);
        let (_, was_first) = sockets.shared(2, &name, bind).unwrap();
        assert!(was_first);
    }

    #[test]
    fn a_failure_is_not_remembered() {
        let sockets = Sockets::default();
        let name: Arc<str> = "public".into();
        assert!(
            sockets
                .shared(1, &name, || Err(io::ErrorKind::AddrInUse.into()))
                .is_err()
        );
        assert!(
            sockets
                .shared(1, &name, || TcpListener::bind("127.0.0.1:0")
                    .map(OwnedFd::from))
                .is_ok()
        );
    }
}
