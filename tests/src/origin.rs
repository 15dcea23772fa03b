//! A scripted origin: each connection is played by a closure, and what came is remembered.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use socket2::{Domain, Socket, Type};

use crate::PATIENCE;
use crate::received::Received;
use crate::wire::{Message, Unframed, Wire};

/// A server that does as its script says. It lives on in its threads until the test's process ends.
#[derive(Clone)]
pub struct Origin {
    /// Where it listens.
    pub address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    connections: usize,
    ended: usize,
    received: Vec<Received>,
}

/// One connection, as the script has it.
pub struct Link {
    /// Counted from 0.
    pub number: usize,
    /// The bytes.
    pub wire: Wire,
    seen: Arc<Seen>,
}

impl Origin {
    /// Plays `script` for each connection, each in a thread of its own. It ends, and the connection
    /// closes, when the script returns; an error is an end like any other.
    pub fn start(script: impl Fn(&mut Link) -> io::Result<()> + Send + Sync + 'static) -> Origin {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let seen = Arc::new(Seen::default());
        let origin = Origin {
            address,
            seen: Arc::clone(&seen),
        };
        let script = Arc::new(script);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let (script, seen) = (Arc::clone(&script), Arc::clone(&seen));
                std::thread::spawn(move || play(stream, &seen, &*script));
            }
        });
        origin
    }

    /// Answers every request with these bytes.
    pub fn always(answer: impl AsRef<[u8]>) -> Origin {
        let answer = answer.as_ref().to_vec();
        Origin::start(move |link| {
            while link.request()?.is_some() {
                link.send(&answer)?;
            }
            Ok(())
        })
    }

    /// Answers every request with 200 and this text.
    pub fn saying(text: &str) -> Origin {
        Origin::always(ok(text))
    }

    /// Answers the first request of each connection with these bytes and closes.
    pub fn once(answer: impl AsRef<[u8]>) -> Origin {
        let answer = answer.as_ref().to_vec();
        Origin::start(move |link| {
            link.request()?;
            link.send(&answer)
        })
    }

    /// Answers every request with its own body.
    pub fn echo() -> Origin {
        Origin::start(|link| {
            while let Some(request) = link.request()? {
                let body = &request.message.body;
                link.send(format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
                    body.len()
                ))?;
                link.send(body)?;
            }
            Ok(())
        })
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.seen.state.lock().expect("unpoisoned").connections
    }

    /// The requests so far.
    pub fn received(&self) -> Vec<Received> {
        self.seen.state.lock().expect("unpoisoned").received.clone()
    }

    /// The only request so far.
    ///
    /// # Panics
    /// When there is none or more than one.
    #[track_caller]
    pub fn only(&self) -> Received {
        let mut received = self.received();
        assert_eq!(received.len(), 1, "requests at the origin");
        received.remove(0)
    }

    /// Waits until so many requests have come.
    #[track_caller]
    pub fn wait_received(&self, count: usize) {
        self.wait("requests", count, |state| state.received.len());
    }

    /// Waits until so many connections have been made.
    #[track_caller]
    pub fn wait_connections(&self, count: usize) {
        self.wait("connections", count, |state| state.connections);
    }

    /// Waits until so many connections have ended.
    #[track_caller]
    pub fn wait_ended(&self, count: usize) {
        self.wait("ended connections", count, |state| state.ended);
    }

    #[track_caller]
    fn wait(&self, what: &str, count: usize, of: impl Fn(&State) -> usize) {
        let state = self.seen.state.lock().expect("unpoisoned");
        let waited = self
            .seen
            .changed
            .wait_timeout_while(state, PATIENCE, |state| of(state) < count);
        let reached = of(&waited.expect("unpoisoned").0);
        assert!(
            reached >= count,
            "{reached} {what} at the origin, not {count}"
        );
    }
}

fn play(stream: TcpStream, seen: &Arc<Seen>, script: &dyn Fn(&mut Link) -> io::Result<()>) {
    let number = seen.change(|state| {
        state.connections += 1;
        state.connections - 1
    });
    let mut link = Link {
        number,
        wire: Wire::new(stream),
        seen: Arc::clone(seen),
    };
    // The peer of a script may leave in the middle of it; the test sees that by other means.
    let _ = script(&mut link);
    drop(link);
    seen.change(|state| state.ended += 1);
}

impl Seen {
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state.lock().expect("unpoisoned"));
        self.changed.notify_all();
        result
    }
}

impl Link {
    /// Reads one request with its body. `None`: the gateway closed in front of it.
    pub fn request(&mut self) -> io::Result<Option<Received>> {
        let Some(mut message) = self.wire.head()? else {
            return Ok(None);
        };
        self.wire.body(&mut message, Unframed::Empty)?;
        Ok(Some(self.note(message)))
    }

    /// Reads one request's head only.
    pub fn request_head(&mut self) -> io::Result<Option<Received>> {
        let message = self.wire.head()?;
        Ok(message.map(|message| self.note(message)))
    }

    pub(crate) fn note(&self, message: Message) -> Received {
        let received = Received::new(self.number, message);
        let copy = received.clone();
        self.seen.change(|state| state.received.push(copy));
        received
    }

    /// Writes these bytes.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.wire.write(bytes.as_ref())
    }

    /// Waits until the gateway closes; what it sends until then is thrown away.
    pub fn wait_closed(&mut self) {
        let _ = self.wire.drain();
    }

    /// Closes with a reset, now.
    pub fn reset(&mut self) {
        let linger = Some(std::time::Duration::ZERO);
        let stream = self.wire.stream();
        socket2::SockRef::from(stream)
            .set_linger(linger)
            .expect("TCP");
    }
}

/// An answer with this text.
pub fn ok(text: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    )
}

/// An address that refuses connections for as long as this lives.
pub struct Refusing {
    /// The address.
    pub address: SocketAddr,
    _socket: Socket,
}

impl Refusing {
    /// A port that is taken, and at which nobody listens.
    pub fn new() -> Refusing {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        socket.bind(&any.into()).expect("a free port");
        let address = socket.local_addr().expect("it is bound");
        Refusing {
            address: address.as_socket().expect("it is IPv4"),
            _socket: socket,
        }
    }
}

impl Default for Refusing {
    fn default() -> Self {
        Refusing::new()
    }
}

/// An address that neither accepts nor refuses connections for as long as this lives.
pub struct Silent {
    /// The address.
    pub address: SocketAddr,
    _socket: Socket,
    _queued: Vec<TcpStream>,
}

impl Silent {
    /// A listener whose queue is full: the kernel drops what comes.
    pub fn new() -> Silent {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        socket.bind(&any.into()).expect("a free port");
        socket.listen(0).expect("it is bound");
        let address = socket.local_addr().expect("it is bound");
        let address = address.as_socket().expect("it is IPv4");
        let wait = std::time::Duration::from_millis(300);
        let queued = std::iter::from_fn(|| TcpStream::connect_timeout(&address, wait).ok());
        Silent {
            address,
            _queued: queued.take(64).collect(),
            _socket: socket,
        }
    }
}

impl Default for Silent {
    fn default() -> Self {
        Silent::new()
    }
}
