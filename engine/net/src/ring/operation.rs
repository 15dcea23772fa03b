//! Operations in the kernel's hands: from the asking, over the submission of a turn, to the completion.
//!
//! Each has a slot that outlives the future that asked for it: a future dropped early has its operation cancelled and
//! leaves its buffer in the slot until the kernel has let go. Invariants: memory that the kernel may touch is owned by a
//! live future or by a slot; a slot is free only after its completion was reaped; a descriptor is closed only after
//! everything that names it has been submitted.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::task::Waker;

use io_uring::types::{SubmitArgs, TimeoutFlags, Timespec};
use io_uring::{IoUring, opcode, squeue};

use crate::conn::Shared;
use crate::{Buffer, clock};

/// Entries of the submission queue; a turn that asks for more submits in between.
const ENTRIES: u32 = 1024;
/// What an alarm's completion is known by.
const ALARM: u64 = u64::MAX - 1;
/// No slot.
const NONE: u32 = u32::MAX;
/// Turns that the end of a runtime waits for its cancelled operations, a millisecond each.
const LAST_TURNS: u32 = 1000;

/// Completions that one turn usually takes at most.
const REAPED_ROOM: usize = 512;

thread_local! {
    static OPERATIONS: RefCell<Option<Operations>> = const { RefCell::new(None) };
    /// Completions of the turn, taken out of the ring before anybody is woken.
    static REAPED: Cell<Vec<(u64, i32, u32)>> = const { Cell::new(Vec::new()) };
}

pub(super) struct Operations {
    ring: IoUring,
    pub(super) slots: Vec<Slot>,
    free: u32,
    /// Slots in use.
    active: usize,
    /// Closed as soon as what is queued has been submitted.
    closing: Vec<OwnedFd>,
    /// Kept operations that are over once they have been submitted, unless a completion says otherwise.
    silent: Vec<Name>,
    /// Somebody waits for one of them: the next turn does not wait.
    hurry: bool,
    /// The instant of the kernel's alarm that will ring first; none when none is set.
    alarm: Option<u64>,
    /// The instant of the alarm being set, where the kernel reads it at the submission.
    alarm_at: Box<Timespec>,
}

pub(super) struct Slot {
    /// Tells this use of the slot from earlier ones.
    pub(super) generation: u32,
    pub(super) state: State,
}

pub(super) enum State {
    Free(u32),
    Waiting(Option<Waker>),
    Done(i32, u32),
    /// No future asked for it: the connection takes the result.
    Kept(Kept),
    /// The future is gone; what the kernel may still touch.
    Abandoned(#[expect(dead_code, reason = "held, not used")] Option<Buffer>),
}

/// What an operation is known by: its slot and which use of it, so that a late word can't reach the next one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Name(u64);

impl Name {
    /// No operation; also a cancellation's own completion, which nobody waits for.
    pub(super) const NOBODY: Name = Name(u64::MAX);

    pub(super) fn new(place: u32, generation: u32) -> Name {
        Name(u64::from(generation) << 32 | u64::from(place))
    }
}

impl Default for Name {
    fn default() -> Name {
        Name::NOBODY
    }
}

/// An operation of a connection that no future owns.
pub(super) struct Kept {
    pub(super) conn: Rc<Shared>,
    pub(super) buffer: Buffer,
    pub(super) receives: bool,
    /// Tried once, at its submission, and not told of when it has gone out whole: the common case costs no completion.
    pub(super) silent: bool,
}

/// Opens this thread's ring; it is closed when what this gives is dropped.
pub(super) fn open() -> io::Result<Ring> {
    let ring = IoUring::builder()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .setup_cqsize(4 * ENTRIES)
        .build(ENTRIES)?;
    OPERATIONS.set(Some(Operations {
        ring,
        slots: Vec::new(),
        free: NONE,
        active: 0,
        closing: Vec::new(),
        silent: Vec::new(),
        hurry: false,
        alarm: None,
        alarm_at: Box::default(),
    }));
    Ok(Ring)
}

/// This thread's ring.
pub(super) struct Ring;

impl Drop for Ring {
    fn drop(&mut self) {
        // The kernel lets go of cancelled operations at once or nearly so.
        for _ in 0..LAST_TURNS {
            let active = OPERATIONS.with_borrow(|it| it.as_ref().map_or(0, |it| it.active));
            if active == 0 || turn(Wait::Until(Some(clock::now() + 1_000_000))).is_err() {
                break;
            }
        }
        let Some(operations) = OPERATIONS.take() else {
            return;
        };
        if operations.active > 0 {
            // The kernel may still write to what the slots hold: better lost than freed.
            std::mem::forget(operations);
        }
    }
}

/// How long a turn may wait for a completion.
#[derive(Clone, Copy)]
pub(super) enum Wait {
    /// Not at all.
    No,
    /// Until this instant of the monotonic clock, or for good.
    Until(Option<u64>),
}

/// Submits what was asked for, waits for a completion and wakes whoever the completions belong to.
pub(super) fn turn(wait: Wait) -> io::Result<()> {
    let mut reaped = REAPED.take();
    // Grown once, at the start, and not under the first load.
    reaped.reserve(REAPED_ROOM);
    let entered = with(|operations| {
        let entered = operations.enter(wait);
        let done = operations.ring.completion();
        reaped.extend(done.map(|it| (it.user_data(), it.result(), it.flags())));
        entered
    });
    entered.unwrap_or_else(|| Err(io::ErrorKind::NotConnected.into()))?;
    // Outside the borrow: a waker may be anybody's code.
    for (name, result, flags) in reaped.drain(..) {
        match with(|it| it.complete(name, result, flags)) {
            Some(Completed::For(waker)) => waker.wake(),
            Some(Completed::Kept(kept)) => kept.complete(result, flags),
            Some(Completed::Dropped(state)) => drop(state),
            Some(Completed::Nobody) | None => {}
        }
    }
    REAPED.set(reaped);
    // What was submitted and not complained of has gone out. (A completion comes at the submission or not at all.)
    while let Some(kept) = with(Operations::take_silent).flatten() {
        kept.went_out();
    }
    Ok(())
}

/// Silent operations are waited for: the next turn only submits.
pub(super) fn hurry() {
    with(|operations| operations.hurry = true);
}

/// Closes a descriptor once everything that names it has been submitted.
pub(crate) fn close(fd: OwnedFd) {
    let mut fd = Some(fd);
    with(|operations| operations.closing.extend(fd.take()));
}

/// Something done with this thread's ring; none without one. Never within itself.
pub(super) fn with<R>(work: impl FnOnce(&mut Operations) -> R) -> Option<R> {
    OPERATIONS.with_borrow_mut(|operations| operations.as_mut().map(work))
}

impl Operations {
    fn enter(&mut self, wait: Wait) -> io::Result<()> {
        if !self.closing.is_empty() {
            forgive(self.ring.submit())?;
            // What is still queued may name them.
            if self.ring.submission().is_empty() {
                self.closing.clear();
            }
        }
        let entered = match wait {
            // Without its alarm a turn must not wait: it would miss the instant.
            Wait::Until(at) if !std::mem::take(&mut self.hurry) && self.is_alarmed(at) => {
                self.ring.submit_and_wait(1)
            }
            _ => {
                let none = Timespec::new();
                let args = SubmitArgs::new().timespec(&none);
                self.ring.submitter().submit_with_args(1, &args)
            }
        };
        forgive(entered)
    }

    /// Sees to it that a completion comes at that instant, if there is one; false where that failed. One alarm serves many turns: a time-out of each wait's own
    /// would be set and taken back every time.
    fn is_alarmed(&mut self, at: Option<u64>) -> bool {
        let Some(at) = at else { return true };
        if self.alarm.is_some_and(|alarm| alarm <= at) {
            return true;
        }
        *self.alarm_at = Timespec::new()
            .sec(at / 1_000_000_000)
            .nsec((at % 1_000_000_000) as u32);
        let entry = opcode::Timeout::new(&raw const *self.alarm_at)
            .flags(TimeoutFlags::ABS)
            .build()
            .user_data(ALARM);
        // SAFETY: the kernel reads the instant when the entry is submitted, which is before it is written again.
        let set = unsafe { self.push(&entry) }.is_ok();
        if set {
            self.alarm = Some(at);
        }
        set
    }

    /// Puts an entry into the submission queue.
    ///
    /// # Safety
    /// What the entry points to stays valid until its completion was reaped.
    unsafe fn push(&mut self, entry: &squeue::Entry) -> io::Result<()> {
        // SAFETY: as the caller's contract says.
        if unsafe { self.ring.submission().push(entry) }.is_ok() {
            return Ok(());
        }
        self.ring.submit()?;
        // SAFETY: as above.
        let pushed = unsafe { self.ring.submission().push(entry) };
        pushed.map_err(|_| io::ErrorKind::ResourceBusy.into())
    }

    /// Takes a slot for a new operation: its place and what its completion will be known by.
    fn take_slot(&mut self, state: State) -> (u32, Name) {
        self.active += 1;
        let place = self.free;
        if let Some(slot) = self.slots.get_mut(place as usize) {
            if let State::Free(next) = slot.state {
                self.free = next;
            }
            slot.generation = slot.generation.wrapping_add(1);
            slot.state = state;
            return (place, Name::new(place, slot.generation));
        }
        let place = self.slots.len() as u32;
        self.slots.push(Slot {
            generation: 0,
            state,
        });
        (place, Name::new(place, 0))
    }

    pub(super) fn free_slot(&mut self, place: u32) -> Option<State> {
        let slot = self.slots.get_mut(place as usize)?;
        let state = std::mem::replace(&mut slot.state, State::Free(self.free));
        self.free = place;
        self.active -= 1;
        Some(state)
    }

    /// Starts an operation, known by its slot.
    ///
    /// # Safety
    /// As for `push`.
    pub(super) unsafe fn start(&mut self, entry: squeue::Entry, waker: Waker) -> io::Result<u32> {
        let (place, name) = self.take_slot(State::Waiting(Some(waker)));
        // SAFETY: the caller's contract.
        match unsafe { self.push(&entry.user_data(name.0)) } {
            Ok(()) => Ok(place),
            Err(error) => {
                self.free_slot(place);
                Err(error)
            }
        }
    }

    /// Asks the kernel to end an operation; its completion comes in any case.
    pub(super) fn cancel(&mut self, name: Name) {
        let entry = opcode::AsyncCancel::new(name.0)
            .build()
            .user_data(Name::NOBODY.0);
        // SAFETY: a cancellation points to no memory.
        let pushed = unsafe { self.push(&entry) };
        // Nothing is lost but time: the operation ends when its connection is shut down.
        debug_assert!(pushed.is_ok(), "{pushed:?}");
    }

    /// Starts an operation for a connection; what it is known by.
    ///
    /// # Safety
    /// The entry points to nothing but the buffer that is kept.
    unsafe fn keep(&mut self, entry: squeue::Entry, kept: Kept) -> Result<Name, Kept> {
        let silent = kept.silent;
        let (place, name) = self.take_slot(State::Kept(kept));
        // SAFETY: the slot owns the buffer until the completion was reaped.
        if unsafe { self.push(&entry.user_data(name.0)) }.is_ok() {
            if silent {
                self.silent.push(name);
            }
            return Ok(name);
        }
        match self.free_slot(place) {
            Some(State::Kept(kept)) => Err(kept),
            _ => Ok(name),
        }
    }

    /// A silent operation that has been submitted and is over.
    fn take_silent(&mut self) -> Option<Kept> {
        if !self.ring.submission().is_empty() {
            return None;
        }
        while let Some(name) = self.silent.pop() {
            let place = name.0 as u32;
            let slot = self.slots.get(place as usize)?;
            if Name::new(place, slot.generation) == name
                && let State::Kept(_) = slot.state
                && let Some(State::Kept(kept)) = self.free_slot(place)
            {
                return Some(kept);
            }
        }
        None
    }

    /// What a completion means.
    fn complete(&mut self, done: u64, result: i32, flags: u32) -> Completed {
        if done == ALARM {
            // If it was a later one than the first, an alarm that is still set goes unnoticed, and is set again.
            self.alarm = None;
            return Completed::Nobody;
        }
        let place = done as u32;
        let Some(slot) = self.slots.get_mut(place as usize) else {
            return Completed::Nobody;
        };
        if Name::new(place, slot.generation).0 != done {
            return Completed::Nobody;
        }
        match &mut slot.state {
            State::Waiting(waker) => {
                let waker = waker.take();
                slot.state = State::Done(result, flags);
                waker.map_or(Completed::Nobody, Completed::For)
            }
            State::Kept(_) | State::Abandoned(_) => match self.free_slot(place) {
                Some(State::Kept(kept)) => Completed::Kept(kept),
                state => Completed::Dropped(state),
            },
            State::Free(_) | State::Done(..) => Completed::Nobody,
        }
    }
}

/// The time is up, a signal came, or completions must be reaped before more is taken: the next turn goes on.
fn forgive(entered: io::Result<usize>) -> io::Result<()> {
    match entered {
        Ok(_) => Ok(()),
        Err(error) => match error.raw_os_error() {
            Some(libc::ETIME | libc::EINTR | libc::EBUSY | libc::EAGAIN) => Ok(()),
            _ => Err(error),
        },
    }
}

/// Whom a completion is for.
enum Completed {
    For(Waker),
    Kept(Kept),
    /// Nobody waits; this may be dropped now.
    Dropped(Option<State>),
    Nobody,
}

/// Starts an operation whose result the connection takes: what it is known by, or the buffer back.
///
/// # Safety
/// The entry points to nothing but the buffer that is kept.
pub(super) unsafe fn keep(entry: squeue::Entry, kept: Kept) -> Result<Name, Buffer> {
    let mut kept = Some(kept);
    // SAFETY: the caller's contract.
    let started = with(|it| kept.take().map(|kept| unsafe { it.keep(entry, kept) }));
    match (started.flatten(), kept) {
        (Some(Ok(name)), _) => Ok(name),
        (Some(Err(kept)), _) | (None, Some(kept)) => Err(kept.buffer),
        (None, None) => Err(Buffer::default()),
    }
}

/// Ends a pending operation early: it completes with ECANCELED, or as it would have if that came first.
pub(super) fn cancel(name: Name) {
    if name != Name::NOBODY {
        with(|operations| operations.cancel(name));
    }
}
