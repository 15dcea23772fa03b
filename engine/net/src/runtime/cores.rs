//! Which cores this process may use, and staying on one of them.

use std::io;

/// Pins this thread to a core.
pub fn pin_to(core: usize) -> io::Result<()> {
    monoio::utils::bind_to_cpu_set([core]).map_err(io::Error::from)
}

/// The cores this thread may run on, ascending; no more of them than the CPU quota of its control group is worth. Ask
/// before pinning.
pub fn available_cores() -> Vec<usize> {
    // SAFETY: a CPU set is plain bits; zeroed it is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: `set` is valid and its true size is given; 0 means this thread.
    let got = unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut set) };
    let worth = std::thread::available_parallelism().map_or(1, usize::from);
    if got != 0 {
        return (0..worth).collect();
    }
    let allowed = |core: &usize| {
        // SAFETY: the range below keeps `core` within the set's bits.
        unsafe { libc::CPU_ISSET(*core, &set) }
    };
    (0..libc::CPU_SETSIZE as usize)
        .filter(allowed)
        .take(worth)
        .collect()
}
