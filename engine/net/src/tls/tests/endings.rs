//! How connections end, well and badly: close_notify, cuts, garbage, HTTP without TLS, strikes, dropped futures.

use std::io;
use std::task::{Context, Waker};
use std::time::Duration;

use super::*;
use crate::runtime::sleep;
use crate::{Deadline, Peek, Strike, deadline, is_cancelled};

async fn ends(authority: &Authority) -> (Conn, Conn) {
    let server = acceptor(&authority.server());
    let client = connector(&authority.client());
    let (client, server) = shaken(&server, &client, "host.example").await;
    talk(&client, &server).await;
    (client, server)
}

/// Until something has come of what the other end did.
async fn quiet_no_more(conn: &Conn) -> Peek {
    loop {
        match conn.peek() {
            Peek::Quiet => sleep(Duration::from_millis(1)).await,
            peek => return peek,
        }
    }
}

#[test]
fn the_end_is_said_and_a_cut_is_not_taken_for_it() {
    let authority = Authority::new("root");
    on_each_driver(async || {
        // Said, with the other direction open.
        let (client, server) = ends(&authority).await;
        say(&client, b"last").await;
        client.shutdown(Shutdown::Write);
        hear(&server, b"last").await;
        server.readable().await.expect("the end");
        assert_eq!(quiet_no_more(&server).await, Peek::Closed);
        let (read, _) = server.read(Buffer::standard()).await;
        assert_eq!(read.expect("the end"), 0);
        let (read, _) = server.read(Buffer::standard()).await;
        assert_eq!(read.expect("still the end"), 0);
        server.readable().await.expect("ready at once");
        say(&server, b"still open").await;
        hear(&client, b"still open").await;
        let (wrote, _) = client.write(with(b"no")).await;
        assert_eq!(wrote.expect_err("closed").kind(), io::ErrorKind::BrokenPipe);

        // Said by dropping.
        let (client, server) = ends(&authority).await;
        drop(client);
        let (read, _) = server.read(Buffer::standard()).await;
        assert_eq!(read.expect("the end"), 0);

        // Not said: what came before is read, then it is an error; to who only looks it is closed.
        let (client, server) = ends(&authority).await;
        say(&client, b"part").await;
        client.shutdown(Shutdown::Both);
        drop(client);
        hear(&server, b"part").await;
        assert_eq!(quiet_no_more(&server).await, Peek::Closed);
        let (read, _) = server.read(Buffer::standard()).await;
        assert_eq!(read.expect_err("cut").kind(), io::ErrorKind::UnexpectedEof);

        // A reset is one, and nothing is said before it.
        let (client, server) = ends(&authority).await;
        client.reset_at_close();
        drop(client);
        let (read, _) = server.read(Buffer::standard()).await;
        assert_eq!(
            read.expect_err("reset").kind(),
            io::ErrorKind::ConnectionReset
        );
    });
}

#[test]
fn a_panic_does_not_end_a_stream_well() {
    let authority = Authority::new("root");
    on_each_driver(async || {
        let (client, server) = ends(&authority).await;
        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _client = client;
            panic!("on purpose");
        }));
        assert!(unwound.is_err());
        let (read, _) = server.read(Buffer::standard()).await;
        assert_eq!(read.expect_err("cut").kind(), io::ErrorKind::UnexpectedEof);
    });
}

#[test]
fn what_is_no_record_ends_the_session_and_the_peer_is_told() {
    let authority = Authority::new("root");
    let junk: [&[u8]; 4] = [
        // Sealed by nobody.
        &[
            23, 3, 3, 0, 30, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
            21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
        ],
        // In the clear.
        &[21, 3, 3, 0, 2, 1, 0],
        // Too long.
        &[23, 3, 3, 255, 255],
        b"GET / HTTP/1.1\r\n",
    ];
    on_each_driver(async || {
        for junk in junk {
            let (client, server) = ends(&authority).await;
            say(&client, b"good").await;
            let Conn::Tls(tls) = &client else {
                panic!("not under TLS")
            };
            tls.socket().send_now(junk).expect("sent");
            hear(&server, b"good").await;
            let (read, _) = server.read(Buffer::standard()).await;
            let why = read.expect_err("junk");
            assert_eq!(why.kind(), io::ErrorKind::InvalidData, "{junk:?}: {why}");
            let (wrote, _) = server.write(with(b"no")).await;
            assert_eq!(wrote.expect_err("over").kind(), io::ErrorKind::BrokenPipe);
            let (read, _) = client.read(Buffer::standard()).await;
            let why = read.expect_err("an alert");
            assert!(why.to_string().contains("alert"), "{junk:?}: {why}");
        }
    });
}

#[test]
fn messages_between_the_data_are_judged() {
    const BAD: Option<&str> = Some("a TLS message is malformed");
    const RULE: Option<&str> = Some("the peer broke a rule of TLS");
    const GAVE_UP: Option<&str> = Some("the peer gave up with a TLS alert");
    const CCS: u8 = 20;
    const ALERT: u8 = 21;
    const HANDSHAKE: u8 = 22;
    const DATA: u8 = 23;
    let much = vec![(ALERT, &[1, 90][..]); 33];
    let empty = vec![(DATA, &[][..]); 33];
    type Message<'a> = (u8, &'a [u8]);
    let cases: &[(&[Message<'_>], Option<&str>)] = &[
        // Key updates: good, cut in two, with a value that is none, with something behind.
        (&[(HANDSHAKE, &[24, 0, 0, 1, 3])], BAD),
        (&[(HANDSHAKE, &[24, 0, 0, 2, 0, 0])], BAD),
        (&[(HANDSHAKE, &[24, 0, 0, 1, 0, 24])], RULE),
        (&[(HANDSHAKE, &[24, 0]), (DATA, b"x")], RULE),
        (&[(HANDSHAKE, &[24, 0]), (ALERT, &[1, 0])], RULE),
        (&[(HANDSHAKE, &[])], BAD),
        // Messages that are not for a server, or longer than any is.
        (&[(HANDSHAKE, &[4, 0, 0, 0])], RULE),
        (&[(HANDSHAKE, &[1, 0, 0, 0])], RULE),
        (&[(HANDSHAKE, &[4, 1, 0, 1])], BAD),
        (&[(CCS, &[1])], RULE),
        (&[(99, &[1])], RULE),
        (&[(ALERT, &[1])], BAD),
        (&[(ALERT, &[1, 0, 0])], BAD),
        (&[(ALERT, &[2, 40])], GAVE_UP),
        (&[(ALERT, &[1, 40])], GAVE_UP),
        // These mean nothing, as long as they are few.
        (&[(ALERT, &[1, 90]), (ALERT, &[2, 90]), (DATA, &[])], None),
        (&much[..32], None),
        (&much, RULE),
        (&empty[..32], None),
        (&empty, RULE),
    ];
    let authority = Authority::new("root");
    on_each_driver(async || {
        for (messages, expected) in cases {
            let (client, server) = ends(&authority).await;
            let Conn::Tls(tls) = &client else {
                panic!("not under TLS")
            };
            for (kind, message) in *messages {
                tls.queue_for_test(*kind, message);
            }
            say(&client, b"data").await;
            let (read, buffer) = server.read(Buffer::standard()).await;
            match expected {
                None => assert_eq!((read.expect("data"), buffer.filled()), (4, &b"data"[..])),
                Some(expected) => {
                    let why = read.expect_err("refused").to_string();
                    assert_eq!(why, *expected, "{messages:?}");
                }
            }
        }
    });
}

#[test]
fn whatever_comes_first_has_its_word() {
    let authority = Authority::new("root");
    let cases: &[(&[u8], Reason)] = &[
        (b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", Reason::PlainHttp),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Reason::PlainHttp),
        (b"SSH-2.0-OpenSSH\r\n", Reason::Protocol),
        (b"\x00\x01\x02\x03\x04\x05", Reason::Protocol),
        (
            b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
            Reason::Protocol,
        ),
        (
            b"\x16\x02\x01\x00\x05\x01\x00\x00\x01\x00",
            Reason::Protocol,
        ),
        (
            b"\x16\x03\x01\xff\xff\x01\x00\x00\x01\x00",
            Reason::Protocol,
        ),
        (b"AVERYLONGWORDINDEEDWITHOUTEND", Reason::Protocol),
        (b"", Reason::Closed),
        (b"GE", Reason::Closed),
        (b"\x16\x03", Reason::Closed),
    ];
    on_each_driver(async || {
        let acceptor = acceptor(&authority.server());
        for (bytes, expected) in cases {
            let (client, server) = tcp().await;
            if !bytes.is_empty() {
                say(&client, bytes).await;
            }
            client.shutdown(Shutdown::Write);
            let mut error = accept(server, &acceptor).await.expect_err("no TLS");
            assert_eq!(error.reason, *expected, "{bytes:?}: {error}");
            let plain = error.take_plain();
            assert_eq!(plain.is_some(), *expected == Reason::PlainHttp);
            if let Some((conn, read)) = plain {
                assert_eq!(read.filled(), *bytes);
                say(&conn, b"HTTP/1.1 400 Bad Request\r\n").await;
                hear(&client, b"HTTP/1.1 400 Bad Request\r\n").await;
            } else if *expected == Reason::Protocol {
                let (read, alert) = client.read(Buffer::standard()).await;
                read.expect("an alert, not a reset");
                assert_eq!(alert.filled().first(), Some(&21), "{bytes:?}");
            }
        }
    });
}

#[test]
fn bytes_that_were_read_before_count() {
    let authority = Authority::new("root");
    on_each_driver(async || {
        let (acceptor, connector) = (
            acceptor(&authority.server()),
            connector(&authority.client()),
        );
        let (client, server) = tcp().await;
        let serve = async {
            // As after a PROXY header, or a look at the name.
            let mut first = Buffer::standard();
            while sni(first.filled()) == SniPeek::More {
                let read;
                (read, first) = server.read(first).await;
                assert_ne!(read.expect("data"), 0);
            }
            let named = sni(first.filled());
            assert_eq!(named, SniPeek::Name("host.example".into()));
            accept_after(server, &acceptor, first).await
        };
        let (client, server) = both(connect(client, &connector, "host.example"), serve).await;
        talk(&client.expect("one"), &server.expect("other")).await;
    });
}

#[test]
fn deadlines_strike_handshakes_and_what_follows() {
    let authority = Authority::new("root");
    on_each_driver(async || {
        let acceptor = acceptor(&authority.server());
        // A deadline of the plain connection goes on to act.
        let (client, server) = tcp().await;
        let limit = Deadline::new(&server);
        limit.set(clock::now() + 5_000_000, Strike::BothShut);
        let error = accept(server, &acceptor).await.expect_err("silence");
        assert_eq!(error.reason, Reason::Closed);
        assert!(limit.struck());
        drop(client);
        // Or it is raced, and dropped.
        let (client, server) = tcp().await;
        let at = clock::now() + 5_000_000;
        let raced = deadline::within(at, accept(server, &acceptor)).await;
        assert!(raced.is_none());
        let (read, _) = client.read(Buffer::standard()).await;
        assert_eq!(read.expect("closed"), 0);

        let (client, server) = ends(&authority).await;
        let limit = Deadline::new(&server);
        limit.set(clock::now() + 5_000_000, Strike::CancelRead);
        let (read, _) = server.read_cancelable(Buffer::standard()).await;
        assert!(is_cancelled(&read.expect_err("silence")));
        limit.set(clock::now() + 5_000_000, Strike::CancelRead);
        assert!(is_cancelled(&server.readable().await.expect_err("silence")));
        talk(&client, &server).await;
        limit.set(clock::now() + 5_000_000, Strike::ReadShut);
        let (read, _) = server.read(Buffer::standard()).await;
        assert_eq!(read.expect_err("shut").kind(), io::ErrorKind::UnexpectedEof);
        assert!(limit.struck());
        say(&server, b"in time").await;
        hear(&client, b"in time").await;
        limit.set(clock::now() + 5_000_000, Strike::BothShut);
        while !limit.struck() {
            sleep(Duration::from_millis(1)).await;
        }
        assert!(server.write(with(b"late")).await.0.is_err());
    });
}

#[test]
fn a_write_that_is_dropped_half_done_is_the_last() {
    let authority = Authority::new("root");
    on_each_driver(async || {
        let (client, server) = ends(&authority).await;
        {
            // More than the sockets hold, and nobody reads.
            let mut stuck = pin!(async {
                loop {
                    let (wrote, _) = client.write(with(&[1; 100_000])).await;
                    wrote.expect("a write");
                }
            });
            let mut tick = pin!(sleep(Duration::from_millis(20)));
            let first = race(stuck.as_mut(), tick.as_mut()).await;
            assert!(matches!(first, Either::Second(())));
        }
        let (wrote, _) = client.write(with(b"no")).await;
        assert_eq!(wrote.expect_err("broken").kind(), io::ErrorKind::BrokenPipe);
        assert!(client.is_broken());
        drop(client);
        // The other end has some data, and no good end.
        loop {
            let (read, _) = server.read(Buffer::large()).await;
            match read {
                Ok(0) => panic!("seems complete"),
                Ok(_) => {}
                Err(why) => {
                    assert_ne!(why.kind(), io::ErrorKind::InvalidData, "{why}");
                    break;
                }
            }
        }
    });
}

#[test]
fn a_look_takes_nothing_from_who_reads() {
    let authority = Authority::new("root");
    on_each_driver(async || {
        let (client, server) = ends(&authority).await;
        assert_eq!(server.peek(), Peek::Quiet);
        {
            let mut read = pin!(server.read(Buffer::standard()));
            let mut cx = Context::from_waker(Waker::noop());
            assert!(read.as_mut().poll(&mut cx).is_pending());
            assert_eq!(server.peek(), Peek::Quiet);
            say(&client, b"data").await;
            for _ in 0..3 {
                // While a read is pending the look stays outside.
                assert_ne!(server.peek(), Peek::Closed);
                sleep(Duration::from_millis(1)).await;
            }
            let (got, buffer) = read.await;
            assert_eq!((got.expect("data"), buffer.filled()), (4, &b"data"[..]));
        }
        say(&client, b"more").await;
        assert_eq!(quiet_no_more(&server).await, Peek::Data);
        assert!(server.has_more());
        server.readable().await.expect("ready at once");
        hear(&server, b"more").await;
        assert_eq!(server.peek(), Peek::Quiet);
        assert!(!server.has_more());
    });
}

#[test]
fn a_client_without_a_suite_of_ours_is_told_so() {
    let authority = Authority::new("root");
    on_each_driver(async || {
        // The key is of elliptic curves, the client takes RSA alone.
        let server = acceptor(&authority.server());
        let suite = rustls::CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256;
        let config = strangers::config(&authority, &rustls::version::TLS12, Some(suite));
        let (shaken, client) =
            strangers::visit(&server, &config.into(), "host.example", |mut client| {
                client.conn.complete_io(&mut client.sock).map(|_| ())
            })
            .await;
        assert_eq!(reason(shaken), Reason::NoSharedCipher);
        let refused = client.join().expect("a client").expect_err("no handshake");
        let error = refused.into_inner().expect("an error of rustls");
        assert_eq!(
            error.downcast_ref::<rustls::Error>(),
            Some(&rustls::Error::AlertReceived(
                rustls::AlertDescription::HandshakeFailure
            ))
        );
    });
}
