//! Of what size the process's pages are.

use std::io;

/// Keeps this process's memory in pages of the usual size, for whatever is touched from now on.
///
/// An allocator that asks for transparent huge pages gets 2 MiB where a few KiB are used: most of what a gateway at rest
/// would hold.
///
/// # Errors
/// What the kernel says where it can't be asked (before Linux 3.15, or forbidden); nothing is lost then but memory.
pub fn keep_pages_small() -> io::Result<()> {
    // SAFETY: this option takes numbers alone and changes no memory that exists; the unused arguments must be 0.
    let done = unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) };
    match done {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    /// The flag holds for the whole process and harms no other test.
    #[test]
    fn the_kernel_knows() {
        super::keep_pages_small().expect("the kernel takes it");
        let status = std::fs::read_to_string("/proc/self/status").expect("status");
        let line = status.lines().find(|line| line.starts_with("THP_enabled:"));
        assert_eq!(
            line.and_then(|line| line.split_whitespace().nth(1)),
            Some("0")
        );
    }
}
