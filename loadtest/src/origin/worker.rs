//! One thread's world: accepting, what its connections share, the end.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use engine_net::tls::Acceptor;
use engine_net::{Listener, buffer, clock, deadline, race, runtime};

use super::answer::Answers;
use super::{connection, secure};

/// How long the end waits for requests in flight.
const GRACE: u64 = 1_000_000_000;
/// How often the end looks whether they are answered.
const LOOK: Duration = Duration::from_millis(5);
/// How long accepting rests after an error: no descriptors are left, say.
const REST: Duration = Duration::from_millis(10);

/// What the connections of a thread share.
pub(super) struct Worker {
    /// Answers, ready to be copied.
    pub(super) answers: RefCell<Answers>,
    /// Whether each connection is to end after its request.
    pub(super) ending: Cell<bool>,
    /// Connections open.
    open: Cell<usize>,
    /// The state of the random numbers; never 0.
    random: Cell<u64>,
}

impl Worker {
    fn new() -> Worker {
        let mut answers = Answers::new();
        answers.set_time(clock::unix_millis());
        Worker {
            answers: RefCell::new(answers),
            ending: Cell::new(false),
            open: Cell::new(0),
            random: Cell::new(clock::now() | 1),
        }
    }

    /// True with this probability.
    pub(super) fn chance(&self, share: f64) -> bool {
        // Marsaglia's xorshift, enough to choose who is to suffer.
        let mut state = self.random.get();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        self.random.set(state);
        ((state >> 11) as f64 / (1_u64 << 53) as f64) < share
    }
}

/// Counts a connection for as long as its task lives, however it ends.
struct Open(Rc<Worker>);

impl Open {
    fn new(worker: &Rc<Worker>) -> Open {
        worker.open.set(worker.open.get() + 1);
        Open(Rc::clone(worker))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get().saturating_sub(1));
    }
}

/// Serves what a listener accepts, over TLS if there is an acceptor, until `stop` ends, and then what is in flight for a
/// moment.
pub(super) async fn serve(
    listener: Listener,
    acceptor: Option<Acceptor>,
    stop: impl Future<Output = ()>,
) {
    let worker = Rc::new(Worker::new());
    runtime::spawn(tick(Rc::clone(&worker)));
    {
        let accepting = pin!(accept(&worker, &listener, acceptor.as_ref()));
        race(pin!(stop), accepting).await;
    }
    drop(listener);
    worker.ending.set(true);
    let end = clock::now().saturating_add(GRACE);
    while worker.open.get() > 0 && clock::now() < end {
        deadline::end_resting();
        runtime::sleep(LOOK).await;
    }
}

async fn accept(worker: &Rc<Worker>, listener: &Listener, acceptor: Option<&Acceptor>) {
    loop {
        match listener.accept().await {
            Ok(conn) => {
                let open = Open::new(worker);
                match acceptor.cloned() {
                    None => runtime::spawn(async move { connection::serve(&open.0, conn).await }),
                    Some(acceptor) => runtime::spawn(async move {
                        // What is no handshake is closed; who made it has been told.
                        if let Some(conn) = secure::handshake(conn, &acceptor).await {
                            connection::serve(&open.0, conn).await;
                        }
                    }),
                };
            }
            Err(_) => runtime::sleep(REST).await,
        }
    }
}

/// Keeps the time that answers tell, and gives memory back that is not needed any more.
async fn tick(worker: Rc<Worker>) {
    loop {
        let now = clock::unix_millis();
        worker.answers.borrow_mut().set_time(now);
        buffer::trim();
        // Just after the next second has begun.
        runtime::sleep(Duration::from_millis(1001 - now % 1000)).await;
    }
}
