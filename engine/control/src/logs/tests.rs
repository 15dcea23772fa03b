//! Tests of the writers: real files that are rotated, missing, or on a full disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use engine_bridge::logs::{Line, LineSink, LogSettings, OnFull, Target};

use super::Writers;
use crate::testing::{BASE, Scene, wait_for};

fn settings(path: impl Into<PathBuf>) -> LogSettings {
    LogSettings {
        name: "main".into(),
        target: Target::File(path.into()),
        on_full: OnFull::Drop,
        batch: 4096,
    }
}

fn write(sink: &mut LineSink, line: &str) {
    assert_eq!(
        sink.line(|out| out.extend_from_slice(line.as_bytes())),
        Line::Written
    );
    sink.tick();
}

fn wait_for_text(path: &Path, text: &str) {
    wait_for(text, || {
        fs::read_to_string(path).is_ok_and(|found| found == text)
    });
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_rotated_file_is_opened_anew() {
    let scene = Scene::new(1, BASE);
    let shared = scene.shared();
    let path = scene.folder.path().join("access.log");
    let mut sink = scene.bridge.logs.sink(0, settings(&path));
    let mut writers = Writers::new(shared.clone());
    writers.look();
    write(&mut sink, "one\n");
    wait_for_text(&path, "one\n");
    // Noticed by itself, by and by.
    let old = scene.folder.path().join("access.log.1");
    fs::rename(&path, &old).unwrap();
    wait_for("the new file", || {
        write(&mut sink, "two\n");
        path.exists()
    });
    assert!(fs::read_to_string(&old).unwrap().starts_with("one\n"));
    // At once when told to.
    fs::rename(&path, &old).unwrap();
    shared.reopen_logs();
    write(&mut sink, "three\n");
    wait_for("the third file", || {
        fs::read_to_string(&path).is_ok_and(|it| it.ends_with("three\n"))
    });
    drop(sink);
    assert_eq!(writers.finish(LONG), Vec::<String>::new());
}

#[test]
fn while_a_file_cant_be_written_lines_wait_and_the_operator_hears_it_once() {
    let scene = Scene::new(1, BASE);
    let folder = scene.folder.path().join("later");
    let path = folder.join("access.log");
    let mut sink = scene.bridge.logs.sink(0, settings(&path));
    let mut writers = Writers::new(scene.shared());
    writers.look();
    write(&mut sink, "one\n");
    scene.wait_for_line("log main: can't be written: can't open ");
    write(&mut sink, "two\n");
    fs::create_dir(&folder).unwrap();
    wait_for_text(&path, "one\ntwo\n");
    scene.wait_for_line("log main: written again");
    assert_eq!(scene.lines().len(), 2, "{:?}", scene.lines());
    drop(sink);
    assert_eq!(writers.finish(LONG), Vec::<String>::new());
}

#[test]
fn a_full_disk_drops_at_the_ring_and_counts_to_the_line() {
    let scene = Scene::new(1, BASE);
    let mut sink = scene.bridge.logs.sink(0, settings("/dev/full"));
    let mut writers = Writers::new(scene.shared());
    writers.look();
    let line = [&[b'x'; 999][..], b"\n"].concat();
    let mut offered = 0_u64;
    let mut dropped = 0;
    while dropped < 100 {
        offered += 1;
        match sink.line(|out| out.extend_from_slice(&line)) {
            Line::Written => {}
            Line::Dropped => dropped += 1,
            Line::Full => unreachable!("this log drops"),
        }
    }
    scene.wait_for_line("log main: can't be written: No space left on device");
    assert_eq!(scene.metric("gateway_access_log_dropped_total"), Some(100));
    drop(sink); // Its last batch finds no room either.
    assert_eq!(writers.finish(LONG), Vec::<String>::new());
    assert_eq!(
        scene.metric("gateway_access_log_dropped_total"),
        Some(offered)
    );
    assert!(
        scene
            .lines()
            .last()
            .unwrap()
            .ends_with(" lines could not be written")
    );
}

#[test]
fn a_log_that_nobody_feeds_ends_and_the_others_go_on() {
    let scene = Scene::new(1, BASE);
    let (one, two) = (
        scene.folder.path().join("one.log"),
        scene.folder.path().join("two.log"),
    );
    let mut first = scene.bridge.logs.sink(0, settings(&one));
    let mut second = scene.bridge.logs.sink(0, settings(&two));
    let mut writers = Writers::new(scene.shared());
    writers.look();
    write(&mut first, "last\n");
    drop(first);
    writers.look();
    wait_for_text(&one, "last\n");
    wait_for("the writer's end", || {
        writers
            .running
            .iter()
            .filter(|(_, it)| !it.is_finished())
            .count()
            == 1
    });
    writers.look();
    assert_eq!(writers.running.len(), 1);
    write(&mut second, "on\n");
    wait_for_text(&two, "on\n");
    drop(second);
    assert_eq!(writers.finish(LONG), Vec::<String>::new());
}

#[test]
fn a_torn_line_goes_whole_into_the_next_file() {
    let check = |at, expected| assert_eq!(super::writer::line_start(b"ab\ncd\n", at), expected);
    check(0, 0);
    check(2, 0);
    check(3, 3);
    check(5, 3);
    check(6, 6);
}
