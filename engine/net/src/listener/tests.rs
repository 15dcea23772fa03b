//! Listening, accepting, stopping and draining on each driver.

use std::cell::RefCell;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::*;
use crate::runtime::{sleep, spawn};
use crate::testing::on_each_driver;
use crate::{Buffer, clock, connect, deadline, is_cancelled};

fn local() -> Address {
    Address::Tcp(([127, 0, 0, 1], 0).into())
}

fn dial(address: &Address) -> io::Result<TcpStream> {
    match address {
        Address::Tcp(address) => TcpStream::connect(address),
        Address::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// A socket path of this test alone, removed in the end.
struct Place(PathBuf);

impl Place {
    fn new() -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "engine-net-{}-{}.sock",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        Place(std::env::temp_dir().join(name))
    }

    fn address(&self) -> Address {
        Address::Unix(self.0.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn accepts_what_comes_before_and_after() {
    // Bound off the runtime and moved to the thread that accepts.
    on_each_driver(|| async {
        let listener = Listener::bind(&local(), 16).expect("a listener");
        let address = listener.local();
        let mut first = dial(&address).expect("queued before anyone accepts");
        let conn = listener.accept().await.expect("a connection");
        assert_eq!(conn.peer(), first.local_addr().ok());
        assert!(conn.options().tcp_nodelay().expect("inherited"));
        first.write_all(b"hi").expect("a write");
        assert_eq!(conn.read(Buffer::standard()).await.0.expect("data"), 2);
        let dialer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(10));
            dial(&address).expect("a connection")
        });
        let conn = listener.accept().await.expect("it was waited for");
        let second = dialer.join().expect("the dialer");
        assert_eq!(conn.peer(), second.local_addr().ok());
    });
}

#[test]
fn may_be_bound_on_one_thread_and_used_on_another() {
    let listener = Listener::bind(&local(), 16).expect("a listener");
    let address = listener.local();
    let worker = std::thread::spawn(move || {
        runtime::run(runtime::Driver::Epoll, || async {
            listener.accept().await.expect("a connection").peer()
        })
    });
    let client = dial(&address).expect("a connection");
    let peer = worker.join().expect("the worker").expect("the runtime");
    assert_eq!(peer, client.local_addr().ok());
}

#[test]
fn stopping_ends_the_wait_and_leaves_the_queue() {
    on_each_driver(|| async {
        let listener = Rc::new(Listener::bind(&local(), 16).expect("a listener"));
        let address = listener.local();
        let ended = Rc::new(RefCell::new(None));
        let (waiter, out) = (listener.clone(), ended.clone());
        spawn(async move {
            let error = waiter.accept().await.err();
            *out.borrow_mut() = error;
        });
        sleep(Duration::from_millis(2)).await;
        listener.stop();
        while ended.borrow().is_none() {
            sleep(Duration::from_millis(1)).await;
        }
        assert!(ended.borrow().as_ref().is_some_and(is_cancelled));
        let again = listener.accept().await.expect_err("still stopped");
        assert!(is_cancelled(&again));
        // Stopped is not closed: what is queued can still be had.
        let clients: Vec<TcpStream> = (0..3).flat_map(|_| dial(&address)).collect();
        for client in &clients {
            let conn = listener.accept_queued().expect("a queued connection");
            assert_eq!(conn.peer(), client.local_addr().ok());
        }
        assert!(listener.accept_queued().is_none());
    });
}

#[test]
fn dropping_closes_at_once() {
    on_each_driver(|| async {
        let listener = Listener::bind(&local(), 16).expect("a listener");
        let address = listener.local();
        // With a wait that was given up just now: on io_uring it may still be the kernel's.
        let until = clock::now() + 5_000_000;
        let given_up = deadline::within(until, listener.accept()).await;
        assert!(given_up.is_none());
        drop(listener);
        let refused = dial(&address).expect_err("nobody listens");
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    });
}

#[test]
fn a_flood_does_not_starve_the_others() {
    on_each_driver(|| async {
        const FLOOD: usize = 4 * STREAK as usize;
        let listener = Listener::bind(&local(), 256).expect("a listener");
        let address = listener.local();
        let mut other = dial(&address).expect("a connection");
        let conn = listener.accept().await.expect("a connection");
        let served_after = Rc::new(Cell::new(None));
        let accepted = Rc::new(Cell::new(0));
        let (served, so_far) = (served_after.clone(), accepted.clone());
        other.write_all(b"request").expect("a write");
        spawn(async move {
            let _ = conn.read(Buffer::standard()).await;
            served.set(Some(so_far.get()));
        });
        let clients: Vec<TcpStream> = (0..FLOOD).flat_map(|_| dial(&address)).collect();
        assert_eq!(clients.len(), FLOOD);
        let mut conns = Vec::new();
        for _ in 0..FLOOD {
            conns.push(listener.accept().await.expect("a connection"));
            accepted.set(conns.len());
        }
        let after = served_after.get().expect("served during the flood");
        assert!(after < FLOOD, "served after {after}");
    });
}

#[test]
fn workers_share_an_address_and_a_probe_sees_them() {
    let first = Listener::bind(&local(), 16).expect("a listener");
    let address = first.local();
    let second = Listener::bind(&address, 16).expect("the same address");
    let taken = probe(&address).expect_err("someone listens");
    assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
    drop((first, second));
    probe(&address).expect("free again");
    probe(&local()).expect("any port");
}

#[test]
fn ipv6_listens_beside_ipv4() {
    let any6 = Address::Tcp(([0u16; 8], 0).into());
    let Ok(six) = Listener::bind(&any6, 16) else {
        return println!("no IPv6 here");
    };
    let Address::Tcp(six) = six.local() else {
        panic!("not TCP");
    };
    let any4 = Address::Tcp(([0u8; 4], six.port()).into());
    Listener::bind(&any4, 16).expect("the same port on IPv4");
}

#[test]
fn unix_sockets_work_and_can_be_shared() {
    on_each_driver(|| async {
        let place = Place::new();
        let address = place.address();
        probe(&address).expect("nothing there");
        let first = Listener::bind(&address, 16).expect("a listener");
        assert_eq!(first.local(), address);
        let second = first.share().expect("another");
        let taken = Listener::bind(&address, 16).err().expect("someone listens");
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
        assert!(probe(&address).is_err());
        // The probes above connected and went away again.
        while first.accept_queued().is_some() {}
        for listener in [&first, &second] {
            let client = connect(&address).await.expect("a connection");
            let conn = listener.accept().await.expect("a connection");
            assert!(matches!((&client, &conn), (Conn::Unix(_), Conn::Unix(_))));
            assert_eq!((conn.peer(), conn.local()), (None, None));
            let mut buf = Buffer::standard();
            assert!(buf.extend(b"over unix"));
            client.write(buf).await.0.expect("a write");
            let (read, buf) = conn.read(Buffer::standard()).await;
            assert_eq!((read.expect("data"), buf.filled()), (9, &b"over unix"[..]));
        }
    });
}

#[test]
fn a_stale_unix_socket_is_replaced_and_nothing_else() {
    let place = Place::new();
    drop(UnixListener::bind(&place.0).expect("a socket"));
    assert!(UnixStream::connect(&place.0).is_err(), "it is stale");
    probe(&place.address()).expect("stale is free");
    let listener = Listener::bind(&place.address(), 16).expect("replaced");
    drop(UnixStream::connect(&place.0).expect("it listens"));
    drop(listener);

    let file = Place::new();
    std::fs::write(&file.0, "precious").expect("a file");
    assert!(Listener::bind(&file.address(), 16).is_err());
    let content = std::fs::read_to_string(&file.0).expect("still there");
    assert_eq!(content, "precious");
}

#[test]
fn connecting_can_fail_or_take_too_long() {
    on_each_driver(|| async {
        // Bound and not listening: refused.
        let listener = Listener::bind(&local(), 16).expect("a listener");
        let address = listener.local();
        drop(listener);
        let refused = connect(&address).await.expect_err("nobody listens");
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        let nowhere = Address::Unix(PathBuf::from("/nonexistent/socket"));
        let missing = connect(&nowhere).await.expect_err("no such path");
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);

        // A queue that is full: the handshake hangs until the time is up.
        let full = Listener::bind(&local(), 0).expect("a listener");
        let address = full.local();
        let mut conns = Vec::new();
        let gave_up = loop {
            let until = clock::now() + 100_000_000;
            match deadline::within(until, connect(&address)).await {
                Some(conn) => conns.push(conn.expect("a connection")),
                None => break clock::now() >= until,
            }
            assert!(conns.len() < 10, "the queue holds one");
        };
        assert!(gave_up);
        // Once there is room, connecting works again (the kernel sends the handshake anew after a second).
        while full.accept_queued().is_some() {}
        let again = deadline::within(clock::now() + 10_000_000_000, connect(&address)).await;
        again.expect("in time").expect("a connection");

        // A Unix queue that is full says so instead, and is tried again.
        let place = Place::new();
        let full = Listener::bind(&place.address(), 0).expect("a listener");
        let address = place.address();
        let mut conns = Vec::new();
        loop {
            let until = clock::now() + 50_000_000;
            match deadline::within(until, connect(&address)).await {
                Some(conn) => conns.push(conn.expect("a connection")),
                None => break,
            }
            assert!(conns.len() < 10, "the queue holds one");
        }
        spawn(async move {
            sleep(Duration::from_millis(10)).await;
            while full.accept_queued().is_some() {}
            sleep(Duration::from_secs(5)).await;
        });
        let again = deadline::within(clock::now() + 4_000_000_000, connect(&address)).await;
        again.expect("in time").expect("a connection");
    });
}
