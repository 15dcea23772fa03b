//! Data: much of it, in small and large buffers, cancelled, kept, posted; and what a connection costs at rest.

use std::task::{Context, Waker};
use std::time::Duration;

use super::super::session::Session;
use super::*;
use crate::runtime::{self, Driver, sleep};
use crate::testing::counts;
use crate::{Deadline, Peek, Strike, is_cancelled};

fn on_the_ring<F: Future<Output = ()>>(test: impl Fn() -> F) {
    let ended = runtime::run(Driver::Ring, || {
        crate::deadline::within(clock::now() + 20_000_000_000, test())
    });
    assert!(matches!(ended, Ok(Some(()))), "{ended:?} (None: it hung)");
}

/// Two ends of a connection under TLS.
async fn ends(authority: &Authority) -> (Conn, Conn) {
    let server = acceptor(&authority.server());
    let client = connector(&authority.client());
    let (client, server) = shaken(&server, &client, "host.example").await;
    // The tickets are out of the way.
    talk(&client, &server).await;
    (client, server)
}

#[test]
fn much_flows_both_ways_at_once_in_buffers_of_any_size() {
    const TOTAL: usize = 6 << 20;
    async fn send(conn: &Conn, seed: usize) {
        let mut sent = 0;
        let mut round = 0;
        let mut buffer = Buffer::large();
        while sent < TOTAL {
            round += 1;
            let most = [1, 100, 4_000, 20_000, buffer.room()][round % 5];
            let n = (TOTAL - sent).min(most);
            let chunk: Vec<u8> = (sent..sent + n).map(|i| (i * 7 + seed) as u8).collect();
            assert!(buffer.extend(&chunk));
            // A head in front leaves little headroom.
            if round % 7 == 0 && n > 1000 {
                buffer.consume(1000);
                assert!(buffer.prepend(&chunk[..1000]));
            }
            if round % 11 == 0 && n > 2000 {
                let front: Vec<u8> = chunk[..1000].to_vec();
                buffer.clear();
                buffer.extend(&chunk[1000..]);
                assert!(buffer.prepend(&front));
            }
            let wrote;
            (wrote, buffer) = conn.write(buffer).await;
            wrote.expect("a write");
            assert!(buffer.is_empty());
            sent += n;
        }
    }
    async fn receive(conn: &Conn, seed: usize) {
        let mut got = 0;
        let mut round = 0;
        let mut buffer = Buffer::standard();
        while got < TOTAL {
            round += 1;
            let read;
            (read, buffer) = conn.read(buffer).await;
            assert_ne!(read.expect("data"), 0);
            // Sometimes data are left in front, sometimes hardly any room.
            let keep = match round % 4 {
                0 if got + buffer.len() < TOTAL => buffer.len().min(50),
                _ => 0,
            };
            let full = round % 9 == 0;
            for byte in &buffer.filled()[..buffer.len() - keep] {
                assert_eq!(*byte, (got * 7 + seed) as u8, "byte {got}");
                got += 1;
            }
            buffer.consume(buffer.len() - keep);
            if full && keep == 0 && got < TOTAL {
                let mut small = Buffer::standard();
                small.extend(&vec![0; small.room() - 10]);
                let (read, mut small) = conn.read(small).await;
                let n = read.expect("data");
                assert!((1..=10).contains(&n), "{n}");
                small.consume(small.len() - n);
                for byte in small.filled() {
                    assert_eq!(*byte, (got * 7 + seed) as u8, "byte {got}");
                    got += 1;
                }
            }
            if keep == 0 && round % 5 == 0 {
                buffer = Buffer::large();
            }
        }
    }
    let authority = Authority::new("root");
    on_each_driver(async || {
        let (client, server) = ends(&authority).await;
        both(
            both(send(&client, 1), receive(&client, 2)),
            both(send(&server, 2), receive(&server, 1)),
        )
        .await;
    });
}

#[test]
fn cancelled_reads_lose_nothing() {
    let authority = Authority::new("root");
    on_each_driver(async || {
        let (client, server) = ends(&authority).await;
        let (mut sent, mut got, mut cancelled) = (0, 0, 0);
        let check = |got: &mut usize, buffer: &Buffer| {
            for byte in buffer.filled() {
                assert_eq!(*byte, (*got * 5) as u8, "byte {got}");
                *got += 1;
            }
        };
        for round in 0..1000 {
            let n = (round * 37) % 9_000 + 1;
            let chunk: Vec<u8> = (sent..sent + n).map(|i| (i * 5) as u8).collect();
            sent += n;
            let mut read = pin!(server.read_cancelable(Buffer::standard()));
            let mut cx = Context::from_waker(Waker::noop());
            assert!(read.as_mut().poll(&mut cx).is_pending());
            // The order in which the kernel and we get to it differs from round to round.
            let cancel = || server.shared().cancel_read();
            match round % 4 {
                0 => {
                    say(&client, &chunk).await;
                    cancel();
                }
                1 => {
                    cancel();
                    say(&client, &chunk).await;
                }
                2 => {
                    sleep(Duration::from_millis(1)).await;
                    say(&client, &chunk).await;
                    cancel();
                }
                _ => {
                    sleep(Duration::from_millis(1)).await;
                    cancel();
                    say(&client, &chunk).await;
                }
            }
            let (out, buffer) = read.await;
            match out {
                Ok(n) => assert_eq!(n, buffer.len()),
                Err(why) => {
                    assert!(is_cancelled(&why), "{why}");
                    assert!(buffer.is_empty());
                    cancelled += 1;
                }
            }
            check(&mut got, &buffer);
            while got < sent {
                let (read, buffer) = server.read_cancelable(Buffer::standard()).await;
                assert_ne!(read.expect("the rest"), 0);
                check(&mut got, &buffer);
            }
        }
        println!("{cancelled} cancelled");
    });
}

#[test]
fn a_strike_on_half_a_record_gives_the_buffer_back_as_it_was() {
    let authority = Authority::new("root");
    on_each_driver(async || {
        let (client, server) = tcp().await;
        let (acceptor, connector) = (
            acceptor(&authority.server()),
            connector(&authority.client()),
        );
        let (client, server) = both(
            connect(client, &connector, "host.example"),
            accept(server, &acceptor),
        )
        .await;
        let (client, server) = (client.expect("one"), server.expect("other"));
        talk(&client, &server).await;
        // The record, cut in two by hand.
        let Conn::Tls(tls) = &client else {
            panic!("not under TLS")
        };
        let mut record = with(&[9; 1000]);
        tls.seal_for_test(&mut record);
        let (first, second) = record.filled().split_at(500);
        let deadline = Deadline::new(&server);
        tls.socket().send_now(first).expect("sent");
        deadline.set(clock::now() + 5_000_000, Strike::CancelRead);
        let (read, buffer) = server.read_cancelable(with(b"mine")).await;
        assert!(is_cancelled(&read.expect_err("a strike")));
        assert_eq!(buffer.filled(), b"mine");
        assert!(server.has_more(), "half a record waits");
        deadline.clear();
        // Holding no block of a pool meanwhile.
        let in_use = crate::buffer::stats().in_use;
        drop(buffer);
        assert_eq!(crate::buffer::stats().in_use, in_use - 1);
        tls.socket().send_now(second).expect("sent");
        let (read, buffer) = server.read(with(b"mine")).await;
        assert_eq!(read.expect("data"), 1000);
        assert_eq!(&buffer.filled()[..4], b"mine");
        assert_eq!(&buffer.filled()[4..], [9; 1000]);
        assert!(!server.has_more());
    });
}

#[test]
fn a_kept_read_stands_through_tickets_and_ends_with_data() {
    let authority = Authority::new("root");
    on_the_ring(async || {
        let keys = TicketKeys {
            newest: TicketKey::new([1; 8], [1; 32]),
            previous: None,
            lifetime: 1,
        };
        let acceptor = acceptor(&authority.server()).with_tickets(&keys);
        let connector = connector(&authority.client());
        let (client, server) = shaken(&acceptor, &connector, "host.example").await;
        client.stand(Buffer::standard()).expect("posted");
        assert!(client.is_standing() && !client.has_stood());
        assert!(client.stand(Buffer::standard()).is_err(), "one at a time");
        // The tickets go out as soon as the server waits.
        let deadline = Deadline::new(&server);
        deadline.set(clock::now() + 5_000_000, Strike::CancelRead);
        let (read, _) = server.read_cancelable(Buffer::standard()).await;
        assert!(is_cancelled(&read.expect_err("nothing was said")));
        deadline.clear();
        for _ in 0..5 {
            sleep(Duration::from_millis(1)).await;
            assert!(!client.has_stood(), "a ticket is nothing to the caller");
            assert_eq!(client.peek(), Peek::Quiet);
        }
        assert!(client.is_standing());
        say(&server, b"data").await;
        let (read, buffer) = client.standing().await;
        assert_eq!((read.expect("data"), buffer.filled()), (4, &b"data"[..]));
        assert!(!client.is_standing());
        // With data that are here already it has ended at once; and then with the end.
        say(&server, b"more").await;
        client.readable().await.expect("data");
        assert_eq!(client.peek(), Peek::Data);
        client.stand(Buffer::standard()).expect("posted");
        assert!(client.has_stood());
        assert_eq!(client.peek(), Peek::Data);
        let (read, mut buffer) = client.standing().await;
        assert_eq!((read.expect("data"), buffer.filled()), (4, &b"more"[..]));
        buffer.clear();
        client.stand(buffer).expect("posted");
        drop(server);
        let (read, _) = client.standing().await;
        assert_eq!(read.expect("the end"), 0);
        assert_eq!(client.peek(), Peek::Closed);
    });
}

#[test]
fn posted_writes_go_out_in_order_with_the_others() {
    let authority = Authority::new("root");
    on_the_ring(async || {
        let (client, server) = ends(&authority).await;
        client.post(with(b"one ")).expect("posted");
        assert!(client.is_posting());
        assert!(client.post(with(b"two ")).is_err(), "one at a time");
        say(&client, b"two ").await;
        client.post(with(b"three")).expect("posted");
        client.posted().await.expect("it went out");
        hear(&server, b"one two three").await;
        // Where the buffer has no room to seal in, it comes back as it was.
        let mut full = Buffer::standard();
        assert!(full.prepend(&vec![1; full.headroom()]));
        full.extend(&vec![1; full.room()]);
        let len = full.len();
        let back = client.post(full).expect_err("no room");
        assert_eq!(back.len(), len);
        assert!(back.filled().iter().all(|&byte| byte == 1));
        drop(server);
        // The other end is gone: the first write may still be taken, the next ones are not.
        for _ in 0..10 {
            let _ = client.post(with(b"lost"));
            if client.posted().await.is_err() {
                break;
            }
            sleep(Duration::from_millis(1)).await;
        }
        assert!(client.is_broken());
        assert!(client.post(with(b"lost")).is_err());
        assert!(client.write(with(b"lost")).await.0.is_err());
    });
}

#[test]
fn a_key_that_is_used_up_is_changed_in_time() {
    let authority = Authority::new("root");
    on_each_driver(async || {
        let server = acceptor(&authority.server());
        let client = connector(&authority.client());
        let (client, server) = shaken(&server, &client, "host.example").await;
        let (Conn::Tls(ours), Conn::Tls(theirs)) = (&client, &server) else {
            panic!("not under TLS")
        };
        let left = 5;
        let worn = ours.wear_for_test(left);
        theirs.catch_up_for_test(worn);
        for round in 0..20 {
            say(&client, &[round; 100]).await;
            hear(&server, &[round; 100]).await;
        }
        assert!(ours.sealed_for_test() < 20, "with a new key");
        talk(&client, &server).await;
    });
}

#[test]
fn the_other_drivers_keep_nothing() {
    let authority = Authority::new("root");
    for driver in [Driver::UringDefer, Driver::Epoll] {
        let run = runtime::run(driver, async || {
            let (client, server) = ends(&authority).await;
            assert!(client.stand(Buffer::standard()).is_err());
            let back = client.post(with(b"x")).expect_err("the buffer");
            assert_eq!(back.filled(), b"x");
            talk(&client, &server).await;
        });
        run.expect("the driver works");
    }
}

#[test]
fn the_steady_path_allocates_nothing() {
    let authority = Authority::new("root");
    on_each_driver(async || {
        let (client, server) = ends(&authority).await;
        let mut buffers = (Buffer::standard(), Buffer::standard());
        let mut round = async |bytes: &[u8]| {
            let (mut there, mut here) = std::mem::take(&mut buffers);
            there.clear();
            there.extend(bytes);
            let wrote;
            (wrote, there) = client.write(there).await;
            wrote.expect("a write");
            here.clear();
            while here.len() < bytes.len() {
                let read;
                (read, here) = server.read(here).await;
                read.expect("data");
            }
            assert!(here.filled() == bytes);
            buffers = (there, here);
        };
        for len in [1, 1_300, 10_000] {
            let bytes = vec![3; len];
            for _ in 0..3 {
                round(&bytes).await;
            }
            let before = counts();
            for _ in 0..50 {
                round(&bytes).await;
            }
            let allocated = counts().allocations - before.allocations;
            // A record that comes in parts is held in a block until it is whole; the second read of it needs none.
            let most = if len > 4_000 { 2 } else { 0 };
            assert!(allocated <= most, "{allocated} blocks for {len} B");
        }
    });
}

#[test]
fn an_idle_connection_stays_small() {
    println!("a session: {} B", size_of::<Session>());
    println!("all of it: {} B", size_of::<Tls>());
    let authority = Authority::new("root");
    on_each_driver(async || {
        let keys = TicketKeys {
            newest: TicketKey::new([1; 8], [1; 32]),
            previous: None,
            lifetime: 1,
        };
        let acceptor = acceptor(&authority.server()).with_tickets(&keys);
        let connector = connector(&authority.client());
        // Warm: caches and pools are there.
        for _ in 0..3 {
            drop(shaken(&acceptor, &connector, "host.example").await);
        }
        let in_use = crate::buffer::stats().in_use;
        let mut ends = Vec::with_capacity(64);
        let mut held = 0;
        for _ in 0..32 {
            let (client, server) = shaken(&acceptor, &connector, "host.example").await;
            talk(&client, &server).await;
            assert_eq!(crate::buffer::stats().in_use, in_use, "a buffer is kept");
            ends.push(client);
            let before = counts().live;
            drop(server);
            held = before - counts().live;
        }
        println!("a server's connection holds {held} B on Rust's heap");
        // The other provider keeps its keys here too, where aws-lc has its own heap (1,300 B more).
        let most = if cfg!(feature = "aws-lc-rs") {
            1_600
        } else {
            2_700
        };
        assert!(held < most, "{held} B");
    });
}
