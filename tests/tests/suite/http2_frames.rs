//! What the gateway makes of each frame a client may send wrongly, or rightly: RFC 9113 and RFC 7541 by section, as
//! tables of cases. The cases are those that conformance suites examine, and their neighbours.
//!
//! Each case has a connection of its own, to one gateway in front of an origin that echoes (and never answers `/held`).

use std::io;

use tests::http2::frame::code;
use tests::http2::{Frame, fields, hpack};
use tests::origin::ok;
use tests::wire::Field;
use tests::{Gateway, Http2, Origin};

mod control;
mod framing;
mod headers;
mod heads;
mod messages;
mod states;

/// What must come of it.
#[derive(Clone, Copy, Debug)]
enum Expect {
    /// A connection error: GOAWAY with this code, and the end of the connection (section 5.4.1).
    Connection(u32),
    /// A stream error: RST_STREAM with this code on this stream (section 5.4.2), and the connection goes on.
    Stream(u32, u32),
    /// Nothing: the connection goes on as if it had not been.
    Ignored,
    /// This stream is answered with this status, and ends without an error.
    Answered(u32, u16),
    /// The gateway closes, whatever it says.
    Closed,
}

use Expect::{Answered, Closed, Connection, Ignored, Stream};

/// Section, what is tried, what must come of it, and how it is done.
type Case = (
    &'static str,
    &'static str,
    Expect,
    fn(&mut Http2) -> io::Result<()>,
);

/// A stream that no case uses.
const FRESH: u32 = 1001;

fn gateway() -> Gateway {
    let origin = Origin::start(|link| {
        while let Some(request) = link.request()? {
            if request.target == "/held" {
                link.wait_closed();
                return Ok(());
            }
            let body = String::from_utf8_lossy(&request.message.body).into_owned();
            link.send(ok(&body))?;
        }
        Ok(())
    });
    // One stream fewer than the cases of section 5.1.2 open.
    let listener = "[listener.public]\naddress = \"127.0.0.1:0\"\nmax_concurrent_streams = 10\n";
    Gateway::before(origin.address, listener)
}

/// Plays every case; all that fail are told together.
#[track_caller]
fn play(cases: &[Case], connect: fn(&Gateway) -> Http2) {
    let gateway = gateway();
    let mut wrong = Vec::new();
    for (section, what, expect, play) in cases {
        let mut http2 = connect(&gateway);
        // A gateway that closes early may not take the rest.
        let _ = play(&mut http2);
        if let Err(found) = holds(&mut http2, *expect) {
            wrong.push(format!("{section}, {what}: {expect:?} expected, {found}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "of {} cases", cases.len());
    // Nothing of all this harms others, and no stream was left behind.
    gateway.http2().get(1, "/").is(200);
}

fn holds(http2: &mut Http2, expect: Expect) -> Result<(), String> {
    match expect {
        Connection(code) => {
            let end = http2.until(|_| false);
            match http2.goaways.last() {
                Some(goaway) if goaway.code == code => Ok(()),
                other => Err(format!("{other:?} came, then {end:?}")),
            }
        }
        Closed => {
            // What it says may be HTTP/1.1.
            let (_, end) = http2.wire.drain();
            let reset = |why: &io::Error| why.kind() == io::ErrorKind::ConnectionReset;
            match end {
                Err(why) if !reset(&why) => Err(format!("it does not close: {why}")),
                _ => Ok(()),
            }
        }
        Stream(stream, code) => {
            let _ = http2.until(|it| it.coming(stream).is_over() || !it.goaways.is_empty());
            if http2.coming(stream).ended {
                // The error may stand behind an answer; what was sent with it has come when this has.
                http2.is_alive();
            }
            match http2.coming(stream).reset {
                Some(found) if found == code => goes_on(http2),
                found => Err(format!("RST_STREAM {found:?}, GOAWAY {:?}", http2.goaways)),
            }
        }
        Ignored => goes_on(http2).and_then(|()| {
            let resets = (1..20).filter_map(|it| http2.coming(it).reset.map(|code| (it, code)));
            match resets.collect::<Vec<_>>()[..] {
                [] => Ok(()),
                ref resets => Err(format!("streams were reset: {resets:?}")),
            }
        }),
        Answered(stream, status) => {
            let _ = http2.until(|it| it.coming(stream).is_over() || !it.goaways.is_empty());
            let coming = http2.coming(stream);
            let found = coming.message().value(":status");
            match coming.ended && found == Some(status.to_string()) {
                true => goes_on(http2),
                false => Err(format!(
                    "{found:?}, RST_STREAM {:?}, GOAWAY {:?}",
                    coming.reset, http2.goaways
                )),
            }
        }
    }
}

/// All that was sent has been dealt with, and a new stream is served.
fn goes_on(http2: &mut Http2) -> Result<(), String> {
    if !http2.is_alive() {
        return Err(format!(
            "the connection does not go on: {:?}",
            http2.goaways
        ));
    }
    let head = tests::http2::request("GET", "/");
    let asked = http2.head(FRESH, &head, true);
    let _ = http2.until(|it| it.coming(FRESH).is_over());
    let coming = http2.coming(FRESH);
    match coming.message().value(":status").as_deref() {
        Some("200") if coming.ended && asked.is_ok() => Ok(()),
        found => Err(format!("a new stream gets {found:?}: {:?}", http2.goaways)),
    }
}

fn request(method: &str, path: &str) -> Vec<Field> {
    tests::http2::request(method, path)
}

/// A request's block, with more fields behind the pseudo-fields.
fn block(method: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let head = [request(method, "/"), fields(more)].concat();
    hpack::block(&head)
}

/// A POST whose body is still to come.
fn post(stream: u32) -> Frame {
    Frame::headers(stream, block("POST", &[]), false)
}

/// A GET that is not answered, so that its stream stays half-closed.
fn held(stream: u32) -> Frame {
    Frame::headers(stream, hpack::block(&request("GET", "/held")), true)
}
