//! Where a Close of our own may stand, whatever way the bytes come. Tunnels at work are the end-to-end suites'.

use protocol::websocket::{CloseCode, Extensions, Opcode, Sender, close_frame, frame};

use super::frames::Frames;

const MASK: [u8; 4] = [1, 2, 3, 4];

fn framed(opcode: Opcode, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let mut out = Vec::new();
    frame(opcode, payload, mask, &mut out);
    out
}

fn close(mask: Option<[u8; 4]>) -> Vec<u8> {
    let mut out = Vec::new();
    close_frame(CloseCode::GoingAway, "", mask, &mut out);
    out
}

fn server() -> Frames {
    Frames::new(Sender::Server, Extensions::None, None)
}

/// What goes through when `bytes` come in pieces of `size`, and the tunnel is to end from piece `from` on.
fn through(frames: &mut Frames, bytes: &[u8], size: usize, from: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, piece) in bytes.chunks(size).enumerate() {
        let ending = at >= from;
        let passed = frames.take(piece, ending);
        out.extend_from_slice(&piece[..passed]);
        if ending && let Some(close) = frames.close() {
            out.extend_from_slice(&close);
        }
    }
    out
}

#[test]
fn a_close_stands_behind_the_frame_that_is_under_way() {
    let first = framed(Opcode::Text, b"one", None);
    let second = framed(Opcode::Binary, &[7; 300], None);
    let stream = [first.clone(), second.clone(), first.clone()].concat();
    for size in 1..=stream.len() {
        for from in 0..stream.len().div_ceil(size) {
            let mut frames = server();
            let told_at = from * size;
            let ends = [0, first.len(), first.len() + second.len(), stream.len()];
            let end = *ends.iter().find(|end| **end >= told_at).expect("the last");
            let passed = through(&mut frames, &stream, size, from);
            let expected = [&stream[..end], &close(None)].concat();
            assert_eq!(passed, expected, "pieces of {size}, told at {told_at}");
            assert!(!frames.is_over(), "the sender has not said Close");
        }
    }
}

#[test]
fn it_is_over_once_the_sender_has_said_close_too() {
    let reply = framed(Opcode::Close, &[3, 233], Some(MASK));
    for size in 1..=reply.len() {
        let mut frames = Frames::new(Sender::Client, Extensions::None, Some(MASK));
        assert_eq!(frames.close(), Some(close(Some(MASK))));
        assert_eq!(frames.close(), None, "it is said once");
        let before_last = reply.len() - 1;
        assert_eq!(
            through(&mut frames, &reply[..before_last], size, 0),
            b"",
            "nothing goes behind a Close"
        );
        assert!(!frames.is_over());
        assert_eq!(frames.take(&reply[before_last..], true), 0);
        assert!(frames.is_over());
    }
}

#[test]
fn a_sender_that_has_said_close_is_not_spoken_over() {
    let said = framed(Opcode::Close, &[3, 232], None);
    let mut frames = server();
    assert_eq!(frames.take(&said, false), said.len());
    assert!(frames.has_closed() && !frames.is_unfollowed());
    assert_eq!(frames.close(), None);
    // It comes while the tunnel is told to end, behind a frame: the frame's end is the first place.
    let mut frames = server();
    let text = framed(Opcode::Text, b"one", None);
    let both = [text.clone(), said].concat();
    assert_eq!(frames.take(&both[..2], false), 2);
    assert_eq!(frames.take(&both[2..], true), text.len() - 2);
    assert_eq!(frames.close(), Some(close(None)));
    assert!(
        frames.is_over(),
        "the sender's own was seen, and not passed on"
    );
}

#[test]
fn what_can_not_be_followed_passes_as_it_is() {
    let mut frames = server();
    // A server's frame with a mask.
    let wrong = framed(Opcode::Text, b"one", Some(MASK));
    assert_eq!(frames.take(&wrong, false), wrong.len());
    assert!(frames.is_unfollowed());
    assert_eq!(frames.take(&wrong, true), wrong.len());
    assert_eq!(frames.close(), None);

    let mut unknown = Frames::UNKNOWN;
    assert_eq!(unknown.take(b"anything", true), 8);
    assert_eq!(unknown.close(), None);
    assert!(!unknown.is_unfollowed() && !unknown.is_over() && !unknown.has_closed());
}
