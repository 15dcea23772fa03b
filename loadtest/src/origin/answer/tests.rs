//! Kept answers and heads.

use super::*;

fn appended(answers: &mut Answers, what: What, head_only: bool) -> String {
    let mut out = Buffer::standard();
    assert!(answers.append(what, head_only, &mut out));
    String::from_utf8_lossy(out.filled()).into_owned()
}

#[test]
fn a_kept_answer_follows_the_clock() {
    let mut answers = Answers::new();
    answers.set_time(784_111_777_000);
    let first = appended(&mut answers, What::Ok, false);
    assert_eq!(
        first,
        "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n"
    );
    answers.set_time(951_782_400_999);
    let second = appended(&mut answers, What::Ok, true);
    let expected = first.replace("Sun, 06 Nov 1994 08:49:37", "Tue, 29 Feb 2000 00:00:00");
    assert_eq!(Some(second.as_str()), expected.strip_suffix("ok\n"));
}

#[test]
fn more_sizes_than_are_kept_are_served_all_the_same() {
    let mut answers = Answers::new();
    for _ in 0..2 {
        for size in 0..=(KEPT as u64 + 5) {
            let text = appended(&mut answers, What::Bytes(size * 100), false);
            let (head, body) = text.split_once("\r\n\r\n").expect("a head");
            assert!(
                head.contains(&format!("\r\nContent-Length: {}", size * 100)),
                "{head}"
            );
            assert_eq!(body.len() as u64, size * 100);
        }
    }
    assert_eq!(answers.kept.len(), KEPT);
    let mut out = Buffer::standard();
    assert!(
        answers.append(What::Bytes(MAX_KEPT), false, &mut out),
        "the largest fits"
    );
    assert!(
        !answers.append(What::Bytes(MAX_KEPT), false, &mut out),
        "but not twice"
    );
}

#[test]
fn the_longest_head_fits() {
    let mut out = Buffer::standard();
    let head = Head {
        status: 431,
        kind: "text/event-stream",
        length: Length::Known(u64::MAX),
        connection: Connection::KeepAlive,
    };
    Answers::new().head(head, &mut out);
    assert!(out.len() < HEAD_ROOM, "{}", out.len());
}
