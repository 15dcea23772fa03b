//! Our side of the dynamic table: which constant fields of a scenario a connection has sent, so that their index stands
//! for them.
//!
//! Fields enter and never leave: one that no longer fits is sent whole each time. Invariant: `size` is the sum of the costs
//! of what has entered, and no more than the server's table holds.

use super::integer;
use super::table::{OVERHEAD, STATIC};

/// What a field takes in the table: its length and some more (RFC 7541 section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cost(u32);

impl Cost {
    pub(crate) fn of(name: &[u8], value: &[u8]) -> Cost {
        Cost((name.len() + value.len() + OVERHEAD) as u32)
    }
}

/// What of a scenario's fields one connection has in the server's table.
#[derive(Debug)]
pub(crate) struct Indexed {
    /// Of each field: the how-many-th it was to enter; 0 when it has not.
    entered: Vec<u32>,
    count: u32,
    size: u32,
    limit: u32,
    /// The server must be told of a smaller table first.
    emptied: bool,
}

impl Indexed {
    /// Of a connection on which nothing was sent, to a server with a table of this size.
    pub(crate) fn new(fields: usize, limit: u32) -> Indexed {
        Indexed {
            entered: vec![0; fields],
            count: 0,
            size: 0,
            // A larger one would have to be announced.
            limit: limit.min(super::TABLE as u32),
            emptied: limit < super::TABLE as u32,
        }
    }

    /// The server's table has this size from now on: if it is smaller than it was, no more use is made of it.
    pub(crate) fn resize(&mut self, limit: u32) {
        if limit < self.limit {
            self.entered.fill(0);
            (self.count, self.size, self.limit) = (0, 0, 0);
            self.emptied = true;
        }
    }

    /// Begins a block: says what must be said first (RFC 7541 section 4.2).
    #[inline]
    pub(crate) fn begin(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.emptied) {
            integer::write(0x20, 5, self.limit as usize, out);
        }
    }

    /// Appends a constant field: its index, or itself in the form that enters the table, or in the one that does not.
    #[inline]
    pub(crate) fn write(
        &mut self,
        field: usize,
        cost: Cost,
        (entering, plain): (&[u8], &[u8]),
        out: &mut Vec<u8>,
    ) {
        match self.entered.get_mut(field) {
            Some(entered) if *entered > 0 => {
                // The last one that entered comes right behind the static table.
                let index = STATIC.len() + 1 + (self.count - *entered) as usize;
                integer::write(0x80, 7, index, out);
            }
            Some(entered) if self.size + cost.0 <= self.limit => {
                self.size += cost.0;
                self.count += 1;
                *entered = self.count;
                out.extend_from_slice(entering);
            }
            _ => out.extend_from_slice(plain),
        }
    }
}
