//! What bounds one try in time, and what it is called when that is over.

use std::cell::Cell;

use engine_config::snapshot::Upstream as Settings;
use engine_net::deadline;

use crate::nanos;
use crate::reply::Fault;

/// What bounds one try.
#[derive(Clone, Copy)]
pub(super) struct Try {
    /// When all tries together are over.
    pub(super) whole: u64,
    /// The request has been sent before, over a connection that had gone stale.
    pub(super) again: bool,
}

/// The instants and spans that bound one try.
pub(super) struct Wait {
    /// The request goes out whole before the answer is read: there is one direction at a time.
    pub(super) held: bool,
    /// When the answer must have begun; unset while the request is still going out.
    pub(super) first_byte: Cell<u64>,
    /// The answer's head has come.
    pub(super) begun: Cell<bool>,
    /// Nanoseconds allowed from the request's last byte to the answer's first.
    allowed: u64,
    /// What it is if they are over.
    late: Late,
    /// Nanoseconds allowed between two bytes.
    pub(super) read: Cell<u64>,
    /// That is because it is a stream of events or messages.
    pub(super) quiet: Cell<bool>,
    /// When either direction last moved; `u64::MAX` once the answer is over.
    pub(super) moved: Cell<u64>,
    pub(super) whole: u64,
}

/// What an answer is whose head has not come in time.
#[derive(Clone, Copy)]
enum Late {
    /// It did not begin.
    FirstByte,
    /// It is a stream that has been quiet for too long.
    Idle,
}

impl Wait {
    pub(super) fn new(settings: &Settings, this: Try, held: bool) -> Wait {
        Wait {
            held,
            first_byte: Cell::new(u64::MAX),
            begun: Cell::new(false),
            allowed: nanos(settings.first_byte_timeout),
            late: Late::FirstByte,
            read: Cell::new(nanos(settings.read_timeout)),
            quiet: Cell::new(false),
            moved: Cell::new(0),
            whole: this.whole,
        }
    }

    /// Messages come when there are any, and the head of the answer may come with the first of them: it is waited for
    /// as for a message, unless the upstream has a word of its own on that.
    pub(super) fn is_of_a_call(&mut self, settings: &Settings, idle: u64) {
        self.may_be_quiet(idle);
        if settings.first_byte_timeout_of_calls.is_none() {
            self.allowed = idle;
            self.late = Late::Idle;
        }
    }

    /// Events or messages come when there are any, at least so often.
    pub(super) fn may_be_quiet(&self, idle: u64) {
        self.read.set(idle);
        self.quiet.set(true);
    }

    /// The request is out: from now on the answer is waited for.
    pub(super) fn sent(&self) {
        self.first_byte
            .set(deadline::now().saturating_add(self.allowed));
    }

    /// When a read of the answer must end, from now on.
    pub(super) fn next_read(&self) -> u64 {
        if self.begun.get() {
            deadline::now()
                .saturating_add(self.read.get())
                .min(self.whole)
        } else {
            self.head()
        }
    }

    /// What a write that struck its deadline is called.
    pub(super) fn write_fault(&self) -> Fault {
        if deadline::now() >= self.whole {
            Fault::WholeTimeout
        } else {
            Fault::UpstreamWriteTimeout
        }
    }

    /// What it is called that the answer's head has not come in time.
    pub(super) fn head_fault(&self) -> Fault {
        match self.late {
            _ if self.whole <= self.first_byte.get() => Fault::WholeTimeout,
            Late::FirstByte => Fault::FirstByteTimeout,
            Late::Idle => Fault::StreamIdle,
        }
    }

    /// When a read of the answer's head must end.
    pub(super) fn head(&self) -> u64 {
        self.first_byte.get().min(self.whole)
    }
}
