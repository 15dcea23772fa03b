//! Finding the best driver this kernel (and its seccomp filter) gives us, once, at start.

use io_uring::{Probe, opcode};

use super::Driver;

/// Which kind of driver the configuration asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    /// The best one that works.
    #[default]
    Auto,
    /// io_uring or nothing.
    IoUring,
    /// io_uring by monoio's driver, or nothing.
    Monoio,
    /// epoll.
    Epoll,
}

/// The best driver that works and, in order, why better ones do not; an error when the wish cannot be met.
pub fn probe(wish: Wish) -> Result<(Driver, Vec<String>), String> {
    let mut refused = Vec::new();
    if wish != Wish::Epoll {
        let drivers = [
            Driver::Ring,
            Driver::UringDefer,
            Driver::UringCoop,
            Driver::Uring,
        ];
        for driver in drivers {
            if driver == Driver::Ring && wish == Wish::Monoio {
                continue;
            }
            match try_ring(driver) {
                Ok(()) => return Ok((driver, refused)),
                Err(why) => refused.push(format!("{driver}: {why}")),
            }
        }
    }
    if matches!(wish, Wish::IoUring | Wish::Monoio) {
        return Err(refused.join("; "));
    }
    Ok((Driver::Epoll, refused))
}

/// Builds a small ring with the driver's flags and sends one operation through it: a filter may allow the first and not
/// the second.
fn try_ring(driver: Driver) -> Result<(), String> {
    let builder = driver.ring().ok_or("not a ring")?;
    let mut ring: io_uring::IoUring = builder.build(8).map_err(|error| error.to_string())?;
    if !ring.params().is_feature_nodrop() || !ring.params().is_feature_fast_poll() {
        return Err("the kernel is too old (needs 5.7)".to_owned());
    }
    let mut known = Probe::new();
    ring.submitter()
        .register_probe(&mut known)
        .map_err(|error| error.to_string())?;
    let needed = [
        ("Recv", opcode::Recv::CODE),
        ("Send", opcode::Send::CODE),
        ("PollAdd", opcode::PollAdd::CODE),
        ("AsyncCancel", opcode::AsyncCancel::CODE),
        ("Close", opcode::Close::CODE),
        ("Timeout", opcode::Timeout::CODE),
    ];
    for (name, code) in needed {
        if !known.is_supported(code) {
            return Err(format!("the operation {name} is missing"));
        }
    }
    let nop = opcode::Nop::new().build();
    // SAFETY: a Nop refers to no memory.
    unsafe { ring.submission().push(&nop) }.map_err(|error| error.to_string())?;
    ring.submit_and_wait(1).map_err(|error| error.to_string())?;
    match ring.completion().next() {
        Some(done) if done.result() >= 0 => Ok(()),
        Some(_) | None => Err("an operation did not complete".to_owned()),
    }
}
