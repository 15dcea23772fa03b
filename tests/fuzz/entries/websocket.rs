//! WebSocket: frames as they are followed, and the opening handshake.

use protocol::http1::{Decoded, decode_request, decode_response};
use protocol::limits::HeadLimits;
use protocol::message::{Method, RequestHead, ResponseHead};
use protocol::websocket::{
    AnswerError, CloseCode, Extensions, Follower, HandshakeError, Key, Sender, accepted, asked,
    asked_by_connect, close_frame,
};

use super::arrival::{WAYS, pieces};
use super::outcome;

/// The same is known after the bytes however they come, and a Close that may be written ends the frames.
pub(super) fn frames(bytes: &[u8]) -> u64 {
    let mut outcomes = Vec::new();
    for sender in [Sender::Client, Sender::Server] {
        for extensions in [Extensions::None, Extensions::Deflate, Extensions::Other] {
            let mut whole = Follower::new(sender, extensions);
            let result = whole.follow(bytes);
            for way in WAYS {
                let mut follower = Follower::new(sender, extensions);
                let results = pieces(bytes, way).map(|piece| follower.follow(piece));
                let last = results.last().unwrap_or(Ok(()));
                assert_eq!((last, follower), (result, whole));
            }
            by_boundaries(Follower::new(sender, extensions), bytes, whole);
            if whole.may_close() {
                let mask = (sender == Sender::Client).then_some([1, 2, 3, 4]);
                let mut close = Vec::new();
                close_frame(CloseCode::GoingAway, "bye", mask, &mut close);
                let mut closed = whole;
                assert_eq!(closed.follow_to_boundary(&close), Ok(close.len()));
                assert!(closed.has_closed() && !closed.may_close());
                assert_eq!(closed.frames(), whole.frames() + 1);
            }
            let state = (whole.is_between_frames(), whole.has_closed());
            let cause = result.map_err(|error| error.cause());
            outcomes.push((cause, state, whole.frames().min(9)));
        }
    }
    outcome(outcomes)
}

/// From one end of a frame to the next leads to the same.
fn by_boundaries(mut follower: Follower, bytes: &[u8], whole: Follower) {
    let (mut at, mut ends) = (0, 0);
    while at < bytes.len() {
        let Ok(taken) = follower.follow_to_boundary(&bytes[at..]) else {
            break;
        };
        assert!(taken > 0 && at + taken <= bytes.len());
        at += taken;
        ends += u64::from(follower.is_between_frames());
        assert_eq!(follower.frames(), ends);
        assert!(follower.is_between_frames() || at == bytes.len());
    }
    assert_eq!(follower, whole);
}

const LIMITS: HeadLimits = HeadLimits {
    max_head_bytes: 2048,
    max_target_bytes: 512,
    max_fields: 20,
    switching_protocols: true,
};

/// The bytes as a request for a WebSocket and as an answer to one: what is taken for one has all that RFC 6455 asks for,
/// and the proof for a key opens what was asked for with it, and nothing else.
pub(super) fn handshake(bytes: &[u8]) -> u64 {
    outcome((asking(bytes), answering(bytes)))
}

fn asking(bytes: &[u8]) -> Result<Option<bool>, &'static str> {
    let mut head = RequestHead::new();
    if decode_request(bytes, &mut head, &LIMITS) != Ok(Decoded::Complete) {
        return Ok(None);
    }
    let request = head.view(bytes);
    let by_connect = asked_by_connect(request);
    let key = match asked(request) {
        Ok(Some(key)) => key,
        Ok(None) => return Ok(Some(by_connect.is_ok())),
        Err(error) => {
            assert!(matches!(error.status(), 400 | 426));
            assert!(error != HandshakeError::Version || by_connect == Err(error));
            return Err(error.cause());
        }
    };
    assert_eq!((by_connect, request.method()), (Ok(()), Method::Get));
    let text = bytes[..head.len].to_ascii_lowercase();
    let holds = |name: &[u8]| text.windows(name.len()).filter(|it| *it == name).count();
    assert!(holds(b"websocket") >= 3 && holds(b"upgrade") >= 2);
    assert_eq!(Key::of(key.as_bytes()), Some(key));
    let own = Key::from_random([7; 16]);
    for (proof, opens) in [(key.accept(), true), (own.accept(), own == key)] {
        let mut answer =
            b"HTTP/1.1 101 x\r\nUpgrade: WebSocket\r\nConnection: x, Upgrade\r\nSec-WebSocket-Accept: "
                .to_vec();
        answer.extend_from_slice(proof.as_bytes());
        answer.extend_from_slice(b"\r\n\r\n");
        assert_eq!(opened(&answer, &key).is_some_and(|it| it.is_ok()), opens);
    }
    Err("asked")
}

fn answering(bytes: &[u8]) -> Option<Result<(), &'static str>> {
    let key = Key::of(b"dGhlIHNhbXBsZSBub25jZQ==").expect("section 1.3");
    let proof: &[u8] = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    let opened = opened(bytes, &key);
    if opened == Some(Ok(())) {
        assert!(bytes.windows(proof.len()).any(|it| it == proof));
        assert_eq!(
            self::opened(bytes, &Key::from_random([7; 16])),
            Some(Err(AnswerError::Accept))
        );
    }
    opened.map(|it| it.map_err(AnswerError::cause))
}

/// Whether these bytes open what was asked for with this key; none if they are no head.
fn opened(bytes: &[u8], key: &Key) -> Option<Result<(), AnswerError>> {
    let mut head = ResponseHead::new();
    let decoded = decode_response(bytes, &mut head, Method::Get, &LIMITS);
    (decoded == Ok(Decoded::Complete)).then(|| accepted(head.view(bytes), key))
}
