//! Header blocks on their way in, and what may come while one is: alike for both roles (RFC 9113 sections 4.3 and 6.10).

use std::borrow::Cow;

use super::Broken;
use super::frame::{self, Header, LONGEST};
use super::payload::bare;

/// The longest header block that is taken.
const LONGEST_BLOCK: usize = 64 * 1024;

/// Whose header block it is, and whether it ends its stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) stream: u32,
    pub(super) ends: bool,
}

/// A whole one: copied only if it came in pieces.
pub(super) type Whole<'a> = (Block, Cow<'a, [u8]>);

/// The one that is under way, if there is one.
#[derive(Default)]
pub(super) struct Blocks {
    begun: Option<Block>,
    fragments: Vec<u8>,
}

impl Blocks {
    /// Whether the next frame of a header block begins one.
    pub(super) fn is_first(&self) -> bool {
        self.begun.is_none()
    }

    /// What can be said of a frame by its header and what came before it. `settled`: SETTINGS have come.
    pub(super) fn check(&self, header: Header, settled: bool) -> Result<(), Broken> {
        if header.len > LONGEST {
            return Err(Broken::size("a frame is longer than 16 KiB"));
        }
        if !settled && (header.kind != frame::SETTINGS || header.has(frame::ACK)) {
            return Err(Broken::protocol("the first frame is not SETTINGS"));
        }
        let continues = header.kind == frame::CONTINUATION;
        match self.begun {
            Some(block) if !continues || block.stream != header.stream => Err(Broken::protocol(
                "a frame stands amid the frames of a header block",
            )),
            None if continues => Err(Broken::protocol("a CONTINUATION continues nothing")),
            _ => Ok(()),
        }
    }

    /// Takes a frame of a header block: the whole block with its last one. One that came in pieces goes back by
    /// [`Blocks::keep`] when it has been read.
    pub(super) fn take<'a>(
        &mut self,
        header: Header,
        payload: &'a [u8],
    ) -> Result<Option<Whole<'a>>, Broken> {
        let (block, fragment) = match self.begun.take() {
            Some(block) => (block, payload),
            None => {
                let block = Block {
                    stream: header.stream,
                    ends: header.has(frame::END_STREAM),
                };
                (block, bare(header, payload)?)
            }
        };
        let whole = header.has(frame::END_HEADERS);
        if whole && self.fragments.is_empty() {
            return Ok(Some((block, Cow::Borrowed(fragment))));
        }
        if self.fragments.len() + fragment.len() > LONGEST_BLOCK {
            return Err(Broken::protocol("a header block is longer than 64 KiB"));
        }
        self.fragments.extend_from_slice(fragment);
        if !whole {
            self.begun = Some(block);
            return Ok(None);
        }
        let all = std::mem::take(&mut self.fragments);
        Ok(Some((block, Cow::Owned(all))))
    }

    /// A block that was taken leaves its memory to the next one.
    pub(super) fn keep(&mut self, text: Cow<'_, [u8]>) {
        if let Cow::Owned(mut text) = text {
            text.clear();
            self.fragments = text;
        }
    }
}
