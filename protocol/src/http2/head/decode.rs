//! Header blocks to heads: reads a block to its end within its limits, and hands its lines to what puts a head together.

use super::error::{HeadError, Malformed};
use super::{request, response};
use crate::http2::hpack::{Line, Part, Reader};
use crate::limits::{BLOCK_BOUND, BlockLimits};
use crate::message::{Field, Method, RequestHead, ResponseHead, Span, parse_length};

/// The reading side of a connection. All its header blocks have to pass through here, in the order they came, those of
/// streams that nobody is interested in too: each may change what the next one means.
#[derive(Debug)]
pub struct Decoder {
    reader: Reader,
}

impl Decoder {
    /// `max_table` is our SETTINGS_HEADER_TABLE_SIZE, at most [`MAX_TABLE_BYTES`](super::MAX_TABLE_BYTES).
    pub fn new(max_table: usize) -> Decoder {
        Decoder {
            reader: Reader::new(max_table),
        }
    }

    /// The peer has acknowledged our first SETTINGS: a table smaller than the initial one is insisted on from now on
    /// (RFC 9113 section 4.3.1).
    pub fn settings_acknowledged(&mut self) {
        self.reader.acknowledged();
    }

    /// Decodes the header block of a request. `end` says whether the stream ends with it. `head` and `arena` are cleared
    /// first; after an error nothing in them is to be used.
    pub fn request(
        &mut self,
        block: &[u8],
        end: bool,
        limits: &BlockLimits,
        head: &mut RequestHead,
        arena: &mut Vec<u8>,
    ) -> Result<(), HeadError> {
        head.clear();
        let mut gathered = request::Gathered::new(head, limits);
        self.lines(block, limits, arena, |line, arena| {
            gathered.line(line, arena)
        })?;
        gathered.finish(end, arena)
    }

    /// Decodes the header block of an answer, interim or final, to a request with this method. Otherwise as
    /// [`request`](Decoder::request).
    pub fn response(
        &mut self,
        block: &[u8],
        method: Method,
        end: bool,
        limits: &BlockLimits,
        head: &mut ResponseHead,
        arena: &mut Vec<u8>,
    ) -> Result<(), HeadError> {
        head.clear();
        let mut gathered = response::Gathered::new(head);
        self.lines(block, limits, arena, |line, arena| {
            gathered.line(line, arena)
        })?;
        gathered.finish(method, end, arena)
    }

    /// Decodes the header block of trailers (RFC 9113 section 8.1). `fields` and `arena` are cleared first; fields that
    /// have no business in trailers are marked as hop-by-hop.
    pub fn trailers(
        &mut self,
        block: &[u8],
        limits: &BlockLimits,
        fields: &mut Vec<Field>,
        arena: &mut Vec<u8>,
    ) -> Result<(), HeadError> {
        fields.clear();
        self.lines(block, limits, arena, |line, _| {
            if line.note.part != Part::Field {
                return Err(Malformed::MisplacedPseudoField.into());
            }
            let mut field = field(line)?;
            field.hop_by_hop |= field.known.is_forbidden_in_trailers();
            fields.push(field);
            Ok(())
        })
    }

    /// Reads a block to its end. The first fault is what it comes to, unless the block can't be read at all.
    #[inline]
    fn lines(
        &mut self,
        block: &[u8],
        limits: &BlockLimits,
        arena: &mut Vec<u8>,
        mut take: impl FnMut(&Line, &mut Vec<u8>) -> Result<(), HeadError>,
    ) -> Result<(), HeadError> {
        arena.clear();
        let mut rest = self.reader.begin(block)?;
        let mut room = Room {
            list: limits.max_list_bytes,
            fields: limits.max_fields,
        };
        while !rest.is_empty() {
            let (line, after) = self.reader.line(rest, arena)?;
            rest = after;
            let taken = room.take(&line).and_then(|()| take(&line, arena));
            if let Err(fault) = taken {
                return Err(self.read_on(rest, fault, limits, arena));
            }
        }
        Ok(())
    }

    /// Reads the rest of a block that has come to nothing, for the table's sake. Gives the fault that it comes to.
    #[cold]
    fn read_on(
        &mut self,
        mut rest: &[u8],
        fault: HeadError,
        limits: &BlockLimits,
        arena: &mut Vec<u8>,
    ) -> HeadError {
        let mut room = limits.max_list_bytes.saturating_mul(BLOCK_BOUND - 1);
        while !rest.is_empty() {
            arena.clear();
            let size = match self.reader.line(rest, arena) {
                Ok((line, after)) => {
                    rest = after;
                    line.size()
                }
                Err(error) => return error.into(),
            };
            match room.checked_sub(size) {
                Some(left) => room = left,
                None => return HeadError::Bomb,
            }
        }
        // One line may have been as long as the block.
        arena.clear();
        arena.shrink_to(limits.max_list_bytes);
        fault
    }
}

/// What the limits leave for the rest of a block.
struct Room {
    list: usize,
    fields: usize,
}

impl Room {
    #[inline]
    fn take(&mut self, line: &Line) -> Result<(), HeadError> {
        let is_field = usize::from(line.note.part == Part::Field);
        let list = self.list.checked_sub(line.size());
        match (list, self.fields.checked_sub(is_field)) {
            (Some(list), Some(fields)) => {
                *self = Room { list, fields };
                Ok(())
            }
            _ => Err(HeadError::TooLarge),
        }
    }
}

/// The field that a line is, if it is sound.
#[inline]
pub(super) fn field(line: &Line) -> Result<Field, HeadError> {
    if let Some(fault) = line.note.fault() {
        return Err(fault.into());
    }
    let known = line.note.known;
    Ok(Field {
        name: line.name(),
        value: line.value(),
        known,
        hop_by_hop: known.is_hop_by_hop(),
    })
}

/// What Content-Length announces; it may stand there once.
pub(super) fn content_length(
    before: Option<u64>,
    value: Span,
    arena: &[u8],
) -> Result<Option<u64>, HeadError> {
    if before.is_some() {
        return Err(Malformed::RepeatedContentLength.into());
    }
    match parse_length(value.of(arena)) {
        Some(length) => Ok(Some(length)),
        None => Err(Malformed::ContentLength.into()),
    }
}
