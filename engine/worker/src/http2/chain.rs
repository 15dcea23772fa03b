//! Bytes in pooled buffers, first in, first out: copied in once, handed out as they lie.
//!
//! How many there may be is its owner's business.

use std::collections::VecDeque;

use engine_net::buffer::Buffer;

/// Left free in each buffer, so that it can be sealed where it is.
const SPARE: usize = 64;
/// Of so many bytes at once there are likely to come more.
const MUCH: usize = 8 * 1024;

/// A queue of bytes.
#[derive(Default)]
pub(super) struct Chain {
    /// None of them is empty.
    buffers: VecDeque<Buffer>,
    len: usize,
}

impl Chain {
    /// How many bytes there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many buffers they lie in.
    pub(super) fn buffers(&self) -> usize {
        self.buffers.len()
    }

    /// Puts bytes behind all others.
    pub(super) fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.buffers.back().is_none_or(|it| it.room() <= SPARE) {
                let large = !self.buffers.is_empty() || bytes.len() > MUCH;
                self.buffers.push_back(match large {
                    true => Buffer::large(),
                    false => Buffer::standard(),
                });
            }
            let Some(last) = self.buffers.back_mut() else {
                return;
            };
            let room = last.room().saturating_sub(SPARE);
            let (now, later) = bytes.split_at(bytes.len().min(room));
            last.extend(now);
            self.len += now.len();
            bytes = later;
        }
    }

    /// The first buffer.
    pub(super) fn pop(&mut self) -> Option<Buffer> {
        let first = self.buffers.pop_front()?;
        self.len -= first.len();
        Some(first)
    }

    /// Moves bytes into `buf` as far as they fit: how many.
    pub(super) fn copy_into(&mut self, buf: &mut Buffer) -> usize {
        let before = buf.len();
        while let Some(first) = self.buffers.front_mut() {
            let part = first.filled();
            let n = part.len().min(buf.room());
            buf.extend(part.get(..n).unwrap_or_default());
            first.consume(n);
            if !first.is_empty() {
                break;
            }
            self.buffers.pop_front();
        }
        let moved = buf.len() - before;
        self.len -= moved;
        moved
    }

    /// The same, but an empty `buf` is exchanged for one of ours.
    pub(super) fn move_into(&mut self, buf: &mut Buffer) -> usize {
        if !buf.is_empty() {
            return self.copy_into(buf);
        }
        match self.pop() {
            Some(first) => {
                *buf = first;
                buf.len()
            }
            None => 0,
        }
    }

    /// Throws all away, and keeps room for none.
    pub(super) fn clear(&mut self) {
        *self = Chain::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_whatever_the_pieces() {
        let sent: Vec<u8> = (0..400_000u32).map(|i| ((i * 31) >> 3) as u8).collect();
        for piece in [1, 700, 16_384, 19_000, 200_000] {
            let mut chain = Chain::default();
            let mut got = Vec::new();
            for (i, part) in sent.chunks(piece).enumerate() {
                chain.push(part);
                assert_eq!(chain.len(), got_and_waiting(&sent, i, piece) - got.len());
                let mut buf = Buffer::standard();
                match i % 4 {
                    0 => {}
                    // Taken whole, as the writer does.
                    1 => got.extend_from_slice(chain.pop().expect("bytes").filled()),
                    2 => {
                        let n = chain.move_into(&mut buf);
                        assert_eq!(n, buf.len());
                        got.extend_from_slice(buf.filled());
                    }
                    _ => {
                        buf.extend(b"head");
                        let n = chain.copy_into(&mut buf);
                        assert_eq!(n + 4, buf.len());
                        got.extend_from_slice(&buf.filled()[4..]);
                    }
                }
            }
            while let Some(buf) = chain.pop() {
                assert!(!buf.is_empty() && buf.room() >= SPARE);
                got.extend_from_slice(buf.filled());
            }
            assert!(chain.is_empty() && got == sent, "{piece}");
        }
    }

    fn got_and_waiting(sent: &[u8], i: usize, piece: usize) -> usize {
        sent.len().min((i + 1) * piece)
    }
}
