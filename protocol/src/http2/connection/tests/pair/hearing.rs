//! What the two owners make of events: each must be one that the other side's doing explains.

use super::*;

impl Pair {
    pub(super) fn at_server(&mut self, event: Event, payload: &[u8]) {
        if let Event::Head { stream, end, .. } = event {
            let c = &mut self.server.connection;
            let (mut head, mut arena) = (RequestHead::new(), Vec::new());
            c.take_request(&mut head, &mut arena);
            let path = head.view(&arena).path()[1..].to_vec();
            let token: u64 = String::from_utf8(path).unwrap().parse().unwrap();
            c.set_token(stream, token);
            let exchange = &mut self.exchanges[token as usize];
            assert!(!exchange.refused, "was told that it was not taken");
            exchange.at_server.head = true;
            exchange.at_server.end = end;
            exchange.at_server.stream = Some(stream);
            if self.random.one_in(4) {
                let text = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
                assert_eq!(c.send_interim(stream, text, &mut self.server.out), Ok(()));
            }
            let down = &mut exchange.down;
            down.stream = Some(stream);
            down.done = down.length == 0 && !down.trailers;
            let text = b"HTTP/1.1 200 OK\r\n\r\n";
            let sent = c.send_response(stream, text, down.done, &mut self.server.out);
            assert_eq!(sent, Ok(()));
            return;
        }
        self.at_either(true, event, payload);
    }

    pub(super) fn at_client(&mut self, event: Event, payload: &[u8]) {
        match event {
            Event::Head { token, end, .. } => {
                let received = &mut self.exchanges[token as usize].at_client;
                assert!(!received.head);
                received.head = true;
                received.end = end;
            }
            Event::Interim { token, .. } => {
                assert!(!self.exchanges[token as usize].at_client.head);
            }
            Event::Goaway { .. } => assert!(self.going),
            other => self.at_either(false, other, payload),
        }
    }

    fn at_either(&mut self, server: bool, event: Event, payload: &[u8]) {
        let all = self.exchanges.iter_mut();
        let waiting = all.map(|exchange| match server {
            true => &mut exchange.down,
            false => &mut exchange.up,
        });
        match event {
            Event::WritableAll | Event::Settings => {
                waiting.for_each(|sending| sending.waits = false)
            }
            Event::Writable { token, .. } => {
                waiting
                    .skip(token as usize)
                    .take(1)
                    .for_each(|sending| sending.waits = false);
            }
            Event::Data {
                stream, token, end, ..
            } => {
                let exchange = &mut self.exchanges[token as usize];
                let received = match server {
                    true => &mut exchange.at_server,
                    false => &mut exchange.at_client,
                };
                assert_eq!(received.stream, Some(stream));
                assert!(received.head && !received.end);
                assert_eq!(
                    payload,
                    body(token as usize, server, received.length, payload.len())
                );
                received.length += payload.len();
                received.held += payload.len();
                received.end = end;
            }
            Event::Trailers { token, .. } => {
                let exchange = &mut self.exchanges[token as usize];
                let received = match server {
                    true => &mut exchange.at_server,
                    false => &mut exchange.at_client,
                };
                assert!(received.head && !received.end);
                received.trailers = true;
                received.end = true;
            }
            Event::Reset {
                token, by, code, ..
            } => {
                let exchange = &mut self.exchanges[token as usize];
                if code == ErrorCode::REFUSED_STREAM {
                    assert!(!server && !exchange.at_server.head);
                    assert!(by == By::Goaway || by == By::Peer);
                    exchange.refused = true;
                } else {
                    assert_eq!((by, code), (By::Peer, ErrorCode::CANCEL));
                }
                exchange.cut = true;
            }
            // The client has not seen our SETTINGS yet.
            Event::Rejected { .. } => assert!(server && !self.server.connection.acknowledged),
            other => panic!("{other:?}"),
        }
    }
}
