//! The floor of the benchmarks: a forwarder on io_uring that parses nothing, one upstream connection for each client.
//!
//! What it costs a request nobody can do without who proxies on this kernel; `bench/compare` reports other costs as
//! multiples of it. It doesn't balance, doesn't time out, and knows one address to forward to. `--receive` chooses how it
//! receives, so that the ways can be measured against each other.

use std::alloc::{Layout, alloc_zeroed};
use std::collections::VecDeque;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::types::{BufRingEntry, Fd};
use io_uring::{IoUring, cqueue, opcode, squeue};

/// Receive buffers of the ring, and their size.
const BUFFERS: u16 = 512;
const SIZE: usize = 16 * 1024;
/// `IORING_RECVSEND_POLL_FIRST` of the kernel's interface.
const POLL_FIRST: u16 = 1;

const HELP: &str = "\
floor: forwards bytes between clients and one address over io_uring, parsing nothing

Usage: floor --listen ADDRESS --to ADDRESS [--receive multishot|provided|posted|polled]

  multishot  one receive that stays armed, into a ring of provided buffers (the default)
  provided   a receive each time, armed at once, into a ring of provided buffers
  posted     a receive each time into the connection's own buffer, tried at once
  polled     the same, armed without trying first";

#[derive(Clone, Copy, PartialEq)]
enum Receive {
    Multishot,
    Provided,
    Posted,
    Polled,
}

/// One direction of a pair: from `fd` to the peer's descriptor.
struct Side {
    fd: RawFd,
    /// Received and not sent: start, length and, of a provided one, its number.
    queue: VecDeque<(*const u8, usize, Option<u16>)>,
    own: Box<[u8]>,
    /// Operations that the kernel holds for this direction.
    pending: u32,
    ended: bool,
}

struct Floor {
    ring: IoUring,
    sides: Vec<Option<Side>>,
    free: Vec<usize>,
    base: *mut BufRingEntry,
    memory: *mut u8,
    tail: u16,
    receive: Receive,
    to: std::net::SocketAddr,
}

const ACCEPT: u64 = u64::MAX;
const SEND: u64 = 1 << 32;

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1).cloned()
    };
    let (Some(listen), Some(to)) = (value("--listen"), value("--to")) else {
        println!("{HELP}");
        std::process::exit(2);
    };
    let receive = match value("--receive").as_deref() {
        None | Some("multishot") => Receive::Multishot,
        Some("provided") => Receive::Provided,
        Some("posted") => Receive::Posted,
        Some("polled") => Receive::Polled,
        Some(other) => {
            eprintln!("--receive {other}: not known\n\n{HELP}");
            std::process::exit(2);
        }
    };
    engine_net::runtime::raise_file_limit()?;
    let to = to.parse().map_err(io::Error::other)?;
    Floor::new(receive, to)?.serve(&TcpListener::bind(listen)?)
}

impl Floor {
    fn new(receive: Receive, to: std::net::SocketAddr) -> io::Result<Floor> {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .build(4096)?;
        let pages = |bytes| Layout::from_size_align(bytes, 4096).map_err(io::Error::other);
        // SAFETY: both sizes are above zero; the memory is never freed, so it outlives the ring.
        let (base, memory) = unsafe {
            let base = alloc_zeroed(pages(usize::from(BUFFERS) * size_of::<BufRingEntry>())?);
            (base, alloc_zeroed(pages(usize::from(BUFFERS) * SIZE)?))
        };
        if base.is_null() || memory.is_null() {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        // SAFETY: `base` is page-aligned, has room for `BUFFERS` entries and lives to the end of the process.
        unsafe {
            ring.submitter()
                .register_buf_ring(base as u64, BUFFERS, 0)?
        };
        let mut floor = Floor {
            ring,
            sides: Vec::new(),
            free: Vec::new(),
            base: base.cast(),
            memory,
            tail: 0,
            receive,
            to,
        };
        for id in 0..BUFFERS {
            floor.give_back(id);
        }
        Ok(floor)
    }

    fn give_back(&mut self, id: u16) {
        // SAFETY: the index is below `BUFFERS`, the memory ours; the kernel reads an entry only once `tail` has passed it.
        unsafe {
            let entry = &mut *self.base.add(usize::from(self.tail % BUFFERS));
            entry.set_addr(self.memory.add(usize::from(id) * SIZE) as u64);
            entry.set_len(SIZE as u32);
            entry.set_bid(id);
            self.tail = self.tail.wrapping_add(1);
            let tail = BufRingEntry::tail(self.base).cast::<AtomicU16>();
            (*tail).store(self.tail, Ordering::Release);
        }
    }

    fn push(&mut self, entry: squeue::Entry) {
        // SAFETY: what an entry points to is a provided buffer, or one of a side that stays until its operations are over.
        while unsafe { self.ring.submission().push(&entry) }.is_err() {
            let _ = self.ring.submit();
        }
    }

    fn receive(&mut self, at: usize) {
        let Some(side) = self.sides[at].as_mut() else {
            return;
        };
        let fd = Fd(side.fd);
        side.pending += 1;
        let mut entry = match self.receive {
            Receive::Multishot => opcode::RecvMulti::new(fd, 0).build(),
            Receive::Provided => opcode::Recv::new(fd, std::ptr::null_mut(), SIZE as u32)
                .buf_group(0)
                .build()
                .flags(squeue::Flags::BUFFER_SELECT),
            _ => {
                if side.own.is_empty() {
                    side.own = vec![0; SIZE].into();
                }
                opcode::Recv::new(fd, side.own.as_mut_ptr(), SIZE as u32).build()
            }
        };
        if matches!(self.receive, Receive::Polled | Receive::Provided) {
            // SAFETY: an entry is the kernel's `io_uring_sqe`: opcode and flags, a byte each, then `ioprio`.
            unsafe { *(&raw mut entry).cast::<u16>().add(1) |= POLL_FIRST };
        }
        self.push(entry.user_data(at as u64));
    }

    fn send(&mut self, at: usize) {
        let to = self.sides[at ^ 1].as_ref().map_or(-1, |peer| peer.fd);
        let Some(side) = self.sides[at].as_mut() else {
            return;
        };
        let Some(&(data, len, _)) = side.queue.front() else {
            return;
        };
        side.pending += 1;
        let entry = opcode::Send::new(Fd(to), data, len as u32)
            .build()
            .user_data(at as u64 | SEND);
        self.push(entry);
    }

    fn serve(&mut self, listener: &TcpListener) -> io::Result<()> {
        let accept = opcode::AcceptMulti::new(Fd(listener.as_raw_fd()))
            .build()
            .user_data(ACCEPT);
        self.push(accept.clone());
        let mut done: Vec<(u64, i32, u32)> = Vec::with_capacity(4096);
        loop {
            match self.ring.submit_and_wait(1) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            done.clear();
            done.extend(
                self.ring
                    .completion()
                    .map(|it| (it.user_data(), it.result(), it.flags())),
            );
            for &(data, result, flags) in &done {
                if data == ACCEPT {
                    if !cqueue::more(flags) {
                        self.push(accept.clone());
                    }
                    if result >= 0 {
                        self.accepted(result)?;
                    }
                } else if data & SEND != 0 {
                    self.sent((data & !SEND) as usize, result);
                } else {
                    self.received(data as usize, result, flags);
                }
            }
        }
    }

    fn accepted(&mut self, client: RawFd) -> io::Result<()> {
        let upstream = TcpStream::connect(self.to)?;
        upstream.set_nodelay(true)?;
        let nodelay: libc::c_int = 1;
        // SAFETY: the value is valid for the call, which copies it.
        unsafe {
            libc::setsockopt(
                client,
                libc::IPPROTO_TCP,
                libc::TCP_NODELAY,
                (&raw const nodelay).cast(),
                size_of::<libc::c_int>() as u32,
            )
        };
        let side = |fd| {
            Some(Side {
                fd,
                queue: VecDeque::new(),
                own: Box::default(),
                pending: 0,
                ended: false,
            })
        };
        let at = self.free.pop().unwrap_or(self.sides.len());
        if at == self.sides.len() {
            self.sides.extend([None, None]);
        }
        self.sides[at] = side(client);
        self.sides[at + 1] = side(upstream.into_raw_fd());
        self.receive(at);
        self.receive(at + 1);
        Ok(())
    }

    fn received(&mut self, at: usize, result: i32, flags: u32) {
        let armed = cqueue::more(flags);
        let Some(side) = self.sides[at].as_mut() else {
            return;
        };
        side.pending -= u32::from(!armed);
        let id = cqueue::buffer_select(flags);
        if result == -libc::ENOBUFS && !side.ended {
            return self.receive(at);
        }
        if result <= 0 || side.ended {
            if let Some(id) = id {
                self.give_back(id);
            }
            return self.end(at);
        }
        let data = match id {
            // SAFETY: the kernel names only buffers that it was given.
            Some(id) => unsafe { self.memory.add(usize::from(id) * SIZE) },
            None => side.own.as_mut_ptr(),
        };
        side.queue.push_back((data, result as usize, id));
        let alone = side.queue.len() == 1;
        if self.receive == Receive::Multishot && !armed {
            self.receive(at);
        }
        if alone {
            self.send(at);
        }
    }

    fn sent(&mut self, at: usize, result: i32) {
        let Some(side) = self.sides[at].as_mut() else {
            return;
        };
        side.pending -= 1;
        let Some(front) = side.queue.front_mut() else {
            return;
        };
        if result > 0 && !side.ended && (result as usize) < front.1 {
            // SAFETY: the kernel sent no more than it was given.
            front.0 = unsafe { front.0.add(result as usize) };
            front.1 -= result as usize;
            return self.send(at);
        }
        let id = front.2;
        side.queue.pop_front();
        let more = !side.queue.is_empty();
        if let Some(id) = id {
            self.give_back(id);
        }
        if result <= 0 || self.sides[at].as_ref().is_none_or(|side| side.ended) {
            return self.end(at);
        }
        if more {
            self.send(at);
        }
        if self.receive != Receive::Multishot {
            self.receive(at);
        }
    }

    /// Ends the pair; its place is free once the kernel holds nothing of it.
    fn end(&mut self, at: usize) {
        let pair = at & !1;
        let mut pending = 0;
        for at in [pair, pair + 1] {
            let Some(side) = self.sides[at].as_mut() else {
                continue;
            };
            if !std::mem::replace(&mut side.ended, true) {
                // SAFETY: no pointers; the descriptor is ours.
                unsafe { libc::shutdown(side.fd, libc::SHUT_RDWR) };
            }
            pending += side.pending;
        }
        if pending > 0 || self.sides[pair].is_none() {
            return;
        }
        for at in [pair, pair + 1] {
            if let Some(side) = self.sides[at].take() {
                for (_, _, id) in side.queue {
                    if let Some(id) = id {
                        self.give_back(id);
                    }
                }
                // SAFETY: the descriptor is ours and is closed once, here.
                unsafe { libc::close(side.fd) };
            }
        }
        self.free.push(pair);
    }
}
