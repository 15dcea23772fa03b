//! Whether a shared connection still lives: when its silence is too long, when a PING is due, when it is dead.
//!
//! Services bear with few PINGs that nothing else comes between: those of gRPC end a connection after the third that comes
//! within five minutes of another (gRFC A8, "too many pings"). So two may come soon after a silence began, and others
//! five minutes apart, until a message has come.

/// PINGs that may come soon after one another.
const SOON: u32 = 2;
/// Nanoseconds between any others.
const APART: u64 = 301_000_000_000;

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Due {
    Nothing,
    Ping,
    /// No answer has come in time.
    Dead,
}

/// What is known of one connection; spans and instants in nanoseconds.
pub(super) struct Pulse {
    after: u64,
    timeout: u64,
    /// When the silence began.
    silent: u64,
    /// When the PING was sent that is not answered.
    asked: Option<u64>,
    /// When the last one was sent, and how many since a message came.
    last: u64,
    pings: u32,
    /// Somebody waits for something.
    busy: bool,
}

impl Pulse {
    /// `after`: how long a silence is borne; `timeout`: how long an answer may take.
    pub(super) fn new(after: u64, timeout: u64, now: u64) -> Pulse {
        Pulse {
            after,
            timeout,
            silent: now,
            asked: None,
            last: 0,
            pings: 0,
            busy: false,
        }
    }

    /// Something has come.
    pub(super) fn heard(&mut self, now: u64) {
        self.silent = now;
        self.asked = None;
    }

    /// It was part of a message.
    pub(super) fn spoke(&mut self) {
        self.pings = 0;
    }

    /// When to look again.
    pub(super) fn next(&self, now: u64) -> u64 {
        match self.asked {
            Some(at) => at.saturating_add(self.timeout),
            None if self.busy => self.due(),
            None => now.saturating_add(self.after),
        }
    }

    /// What is to be done now. `owed`: streams are open, and when the first of them was since something came last (0:
    /// before that). A silence counts from then on: without streams it is none.
    pub(super) fn look(&mut self, owed: Option<u64>, now: u64) -> Due {
        let busy = owed.is_some();
        self.busy = busy;
        self.silent = self.silent.max(owed.unwrap_or(0));
        match self.asked {
            Some(at) if now >= at.saturating_add(self.timeout) => Due::Dead,
            None if busy && now >= self.due() => {
                self.asked = Some(now);
                self.last = now;
                self.pings = self.pings.saturating_add(1);
                Due::Ping
            }
            _ => Due::Nothing,
        }
    }

    fn due(&self) -> u64 {
        let earliest = match self.pings {
            0..SOON => 0,
            _ => self.last.saturating_add(APART),
        };
        self.silent.saturating_add(self.after).max(earliest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    fn pulse() -> Pulse {
        Pulse::new(20 * S, 10 * S, 0)
    }

    #[test]
    fn a_silence_with_streams_is_asked_about_and_no_answer_is_death() {
        let mut pulse = pulse();
        assert_eq!(pulse.look(None, 1000 * S), Due::Nothing, "nobody waits");
        let owed = Some(1001 * S);
        assert_eq!(pulse.look(owed, 1001 * S), Due::Nothing, "from here on");
        assert_eq!(pulse.next(1001 * S), 1021 * S);
        assert_eq!(pulse.look(owed, 1020 * S), Due::Nothing);
        assert_eq!(pulse.look(owed, 1021 * S), Due::Ping);
        assert_eq!(pulse.next(1021 * S), 1031 * S);
        assert_eq!(pulse.look(owed, 1030 * S), Due::Nothing);
        assert_eq!(pulse.look(owed, 1031 * S), Due::Dead);
    }

    /// Nobody says so when the first one opens: it is seen at the next look.
    #[test]
    fn a_silence_begins_with_the_request_and_not_when_it_is_seen() {
        let mut pulse = pulse();
        assert_eq!(pulse.look(None, 1000 * S), Due::Nothing);
        let seen = pulse.next(1000 * S);
        let asked = seen - S;
        assert_eq!(pulse.look(Some(asked), seen), Due::Nothing);
        assert_eq!(pulse.next(seen), asked + 20 * S);
        assert_eq!(pulse.look(Some(asked), asked + 20 * S), Due::Ping);
    }

    /// It is a silence also where some gave up and others came.
    #[test]
    fn a_silence_goes_on_while_requests_come_and_go() {
        let mut pulse = pulse();
        assert_eq!(pulse.look(Some(1000 * S), 1000 * S), Due::Nothing);
        assert_eq!(pulse.look(None, 1010 * S), Due::Nothing);
        assert_eq!(pulse.look(Some(1000 * S), 1020 * S), Due::Ping);
    }

    #[test]
    fn whatever_is_heard_is_a_sign_of_life() {
        let mut pulse = pulse();
        pulse.look(Some(0), 0);
        assert_eq!(pulse.look(Some(0), 20 * S), Due::Ping);
        pulse.heard(25 * S);
        assert_eq!(pulse.look(Some(0), 44 * S), Due::Nothing);
        assert_eq!(pulse.look(Some(0), 45 * S), Due::Ping);
    }

    #[test]
    fn a_quiet_service_is_not_asked_too_often() {
        let mut pulse = pulse();
        let mut asked = Vec::new();
        for second in 0..2000 {
            if pulse.look(Some(0), second * S) == Due::Ping {
                asked.push(second);
                pulse.heard(second * S);
            }
        }
        assert_eq!(asked[..4], [20, 40, 341, 642]);
        // A message, and it is as new.
        pulse.heard(2000 * S);
        pulse.spoke();
        assert_eq!(pulse.look(Some(0), 2020 * S), Due::Ping);
    }
}
