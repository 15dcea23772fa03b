//! Runs that never ran: the same ones for the tests of each form of output.

use super::*;

const SECOND: u64 = 1_000_000_000;

/// Seven seconds of a closed loop, all well.
pub(crate) fn closed() -> Results {
    let mut part = Part::new(0, Mode::Closed, 1);
    for n in 0..14_000_u64 {
        let sent = n * 500_000;
        let latency = 200_000 + n * 7919 % 100_000 + if n % 997 == 0 { 2_000_000 } else { 0 };
        part.sent(40);
        part.answered(Answer {
            template: 0,
            status: 200,
            bytes: 1100,
            due: sent,
            sent,
            first_byte: sent + latency - 20_000,
            done: sent + latency,
            grpc: None,
            unmet: None,
        });
    }
    (0..64).for_each(|n| part.connected(80_000 + n * 1000));
    let about = About {
        name: "http://127.0.0.1:8080/1k".to_owned(),
        target: "http://127.0.0.1:8080/1k".to_owned(),
        command: "portcullis-load http://127.0.0.1:8080/1k".to_owned(),
        version: "0.1.0".to_owned(),
        started_unix_ms: 1_790_000_000_000,
        connections: 64,
        workers: 1,
        ..About::default()
    };
    let generator = Generator {
        cpu_ns: 2 * SECOND,
        workers: vec![0.285],
        ..Generator::default()
    };
    part.finish(7 * SECOND, about, &[], generator, None)
}

/// An open loop with failures of several kinds, two kinds of request, thresholds and a generator at its limit.
pub(crate) fn open() -> Results {
    let mut part = Part::new(0, Mode::Open, 2);
    for n in 0..5_000_u64 {
        let due = n * 1_000_000;
        let sent = due + n % 13 * 10_000;
        let done = sent + 400_000 + n * n % 900_000;
        let template = usize::from(n % 10 == 0);
        part.sent(2048);
        part.lagged(sent - due);
        if n % 500 == 499 {
            part.failed(template, ErrorKind::Timeout, 10, done);
            continue;
        }
        let bad = n % 250 == 3;
        part.answered(Answer {
            template,
            status: if bad { 503 } else { 200 },
            bytes: 300,
            due,
            sent,
            first_byte: done - 50_000,
            done,
            grpc: None,
            unmet: bad.then_some(ErrorKind::Status),
        });
    }
    part.failed(0, ErrorKind::Reset, 0, 5 * SECOND);
    part.unsent(7);
    part.connected(120_000);
    part.handshaken(1_500_000, true);
    let about = About {
        // Control characters and markup, as a file's name may hold them.
        name: "orders<script>\u{1b}[31m.toml".to_owned(),
        target: "https://127.0.0.1:8443".to_owned(),
        command: "portcullis-load run 'orders<script>.toml' --json \"a&b\"".to_owned(),
        mode: Mode::Open,
        rates: Some("5s@1k".to_owned()),
        connections: 1,
        workers: 2,
        interrupted: true,
        ..About::default()
    };
    let generator = Generator {
        cpu_ns: 9 * SECOND,
        workers: vec![0.9, 0.95],
        limited: true,
        why: Some("workers were busy 93 % of the time".to_owned()),
        ..Generator::default()
    };
    let names = ["get".to_owned(), "post <&>".to_owned()];
    let mut results = part.finish(5 * SECOND + SECOND / 2, about, &names, generator, None);
    results.thresholds = vec![
        Judged {
            threshold: "p99 < 2ms".to_owned(),
            measured: "1.40 ms".to_owned(),
            passed: true,
        },
        Judged {
            threshold: "errors == 0".to_owned(),
            measured: "31".to_owned(),
            passed: false,
        },
    ];
    results
}

/// A search over six rates.
pub(crate) fn sweep() -> Results {
    let point = |wanted: f64, p99_ns: u64, ok| Point {
        wanted,
        rate: wanted.min(60_000.0) * 0.999,
        p50_ns: p99_ns / 3,
        p99_ns,
        max_ns: p99_ns * 4,
        errors: if ok { 0.0 } else { 0.02 },
        ok,
        limited: wanted > 70_000.0,
    };
    let mut results = closed();
    results.about.mode = Mode::Sweep;
    results.sweep = Some(Sweep {
        until: "p99=5ms,errors=0.1%".to_owned(),
        best: Some(55_000.0),
        points: vec![
            point(10_000.0, 400_000, true),
            point(20_000.0, 500_000, true),
            point(40_000.0, 900_000, true),
            point(80_000.0, 300_000_000, false),
            point(60_000.0, 20_000_000, false),
            point(55_000.0, 4_000_000, true),
        ],
    });
    results
}

/// A run that came to nothing.
pub(crate) fn nothing() -> Results {
    let mut part = Part::new(0, Mode::Closed, 1);
    part.failed(0, ErrorKind::Connect, 0, 10);
    let about = About {
        name: "http://127.0.0.1:1/".to_owned(),
        connections: 1,
        workers: 1,
        ..About::default()
    };
    part.finish(1_000_000, about, &[], Generator::default(), None)
}
