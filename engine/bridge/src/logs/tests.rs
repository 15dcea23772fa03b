//! Tests of the rings, with the writer's side played by hand.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Line, LogSettings, Logs, OnFull, Target};
use crate::metrics::Metrics;

fn logs() -> (Logs, Arc<Metrics>) {
    let metrics = Arc::new(Metrics::new(2));
    (Logs::new(2, Arc::clone(&metrics)), metrics)
}

fn settings(on_full: OnFull, batch: usize) -> LogSettings {
    LogSettings {
        name: "main".into(),
        target: Target::File(PathBuf::from("access.log")),
        on_full,
        batch,
    }
}

fn written(logs: &Logs) -> String {
    let mut text = String::new();
    for log in logs.all() {
        while let Some(batch) = log.take() {
            text.push_str(std::str::from_utf8(&batch).expect("lines are text"));
            log.give_back(batch);
        }
    }
    text
}

#[test]
fn lines_go_over_on_the_tick() {
    let (logs, _) = logs();
    let mut sink = logs.sink(0, settings(OnFull::Drop, 4096));
    assert_eq!(
        sink.line(|out| out.extend_from_slice(b"one\n")),
        Line::Written
    );
    assert_eq!(
        sink.line(|out| out.extend_from_slice(b"two\n")),
        Line::Written
    );
    assert_eq!(written(&logs), "");
    sink.tick();
    assert_eq!(written(&logs), "one\ntwo\n");
    sink.tick();
    assert_eq!(written(&logs), "");
}

#[test]
fn equal_settings_are_one_log() {
    let (logs, _) = logs();
    let _a = logs.sink(0, settings(OnFull::Drop, 4096));
    let _b = logs.sink(1, settings(OnFull::Drop, 4096));
    assert_eq!(logs.all().len(), 1);
    let _c = logs.sink(1, settings(OnFull::Wait, 4096));
    let _audit = logs.audit(0);
    assert_eq!(logs.all().len(), 3);
}

#[test]
fn a_full_batch_goes_over_at_once_and_comes_back_to_be_filled() {
    let (logs, _) = logs();
    let mut sink = logs.sink(0, settings(OnFull::Drop, 4096));
    let line = [&[b'x'; 1023][..], b"\n"].concat();
    for _ in 0..4 {
        assert_eq!(sink.line(|out| out.extend_from_slice(&line)), Line::Written);
    }
    let log = &logs.all()[0];
    let batch = log.take().expect("handed over without a tick");
    assert_eq!(batch.len(), 4096);
    let place = batch.as_ptr();
    log.give_back(batch);
    let _ = sink.line(|out| out.push(b'\n'));
    sink.tick();
    let again = log.take().expect("the next batch");
    assert_eq!(again.as_ptr(), place);
}

/// What was offered was either written or counted, to the line, and what waited was bounded.
#[test]
fn overload_is_counted_to_the_line() {
    let (logs, metrics) = logs();
    let mut sink = logs.sink(1, settings(OnFull::Drop, 4096));
    let (mut kept, mut dropped) = (0_u64, 0_u64);
    for _ in 0..2_000_000 {
        match sink.line(|out| out.extend_from_slice(b"0123456789\n")) {
            Line::Written => kept += 1,
            Line::Dropped => dropped += 1,
            Line::Full => unreachable!("this log drops"),
        }
    }
    let batch = 4096_u64.div_ceil(11); // Lines that fill one.
    assert_eq!(
        kept,
        (1024 + 1) * batch,
        "4 MiB of batches waited, and one was in hand"
    );
    assert_eq!(kept + dropped, 2_000_000);
    assert_eq!(metrics.worker(1).access_log_dropped.value(), dropped);
    assert_eq!(written(&logs).lines().count() as u64, kept - batch);
    assert_eq!(
        sink.line(|out| out.push(b'\n')),
        Line::Written,
        "there is room again"
    );
    drop(sink);
    assert_eq!(written(&logs).lines().count() as u64, batch + 1);
}

#[test]
fn a_log_that_never_drops_makes_its_exchange_wait() {
    let (logs, metrics) = logs();
    let mut sink = logs.sink(0, settings(OnFull::Wait, 4096));
    let line = [b'x'; 4096];
    let full = |out: &mut Vec<u8>| {
        out.extend_from_slice(&line);
        out.push(b'\n');
    };
    while sink.line(full) == Line::Written {}
    assert!(!sink.has_room());
    assert_eq!(
        sink.line(|_| unreachable!("not called without room")),
        Line::Full
    );
    assert_eq!(metrics.worker(0).access_log_dropped.value(), 0);
    let log = &logs.all()[0];
    log.take().expect("it was full");
    assert!(sink.has_room());
    assert_eq!(sink.line(full), Line::Written);
}

#[test]
fn small_batches_wait_while_the_writer_lags() {
    let (logs, _) = logs();
    let mut sink = logs.sink(0, settings(OnFull::Drop, 16 << 20));
    let log = Arc::clone(&logs.all()[0]); // Room for four batches only.
    let mut lines = 0;
    for _ in 0..100 {
        assert_eq!(sink.line(|out| out.push(b'\n')), Line::Written);
        lines += 1;
        sink.tick();
    }
    assert!(log.is_crowded());
    drop(sink);
    let mut found = 0;
    while let Some(batch) = log.take() {
        found += batch.len();
    }
    assert_eq!(found, lines);
}

#[test]
fn an_unfed_log_is_retired_and_what_it_held_stays() {
    let (logs, _) = logs();
    let mut sink = logs.sink(0, settings(OnFull::Drop, 4096));
    let _ = sink.line(|out| out.extend_from_slice(b"last\n"));
    let log = Arc::clone(&logs.all()[0]);
    logs.retire_unfed(&log);
    assert!(!log.is_retired());
    assert!(logs.are_fed());
    drop(sink);
    assert!(!logs.are_fed());
    logs.retire_unfed(&log);
    assert!(log.is_retired() && logs.all().is_empty());
    assert_eq!(log.take().as_deref(), Some(&b"last\n"[..]));
}
