//! From socket to socket: what is left of a long body that passes as it is, without a copy.

use engine_net::deadline::{self, Strike};
use engine_net::{Conn, Splice, runtime};

use super::{Incoming, Pump, PumpError};

/// After so many bytes moved in one go the other connections have their turn.
const STREAK: usize = 256 * 1024;
/// A source that is said to be readable so often in a row without giving anything never will.
const FALSE_STARTS: u32 = 16;

impl Pump<'_> {
    /// Moves the rest of the body from socket to socket, without a copy.
    pub(super) async fn splice(
        &self,
        (from, to): (&Conn, &Conn),
        mut splice: Splice<'_>,
        mut left: u64,
        body: &mut Incoming,
    ) -> Result<(), PumpError> {
        let mut streak = 0;
        let mut waits = 0;
        while left > 0 {
            if streak >= STREAK {
                streak = 0;
                runtime::yield_now().await;
                if deadline::now() >= self.source.whole {
                    return Err(PumpError::SourceTimeout);
                }
            }
            let most = usize::try_from(left).unwrap_or(usize::MAX);
            match splice.take(most) {
                Ok(None) => {
                    waits += 1;
                    if waits > FALSE_STARTS {
                        return Err(PumpError::SourceClosed);
                    }
                    splice.push();
                    self.source.arm(Strike::BothShut);
                    let ready = from.readable().await;
                    if self.source.deadline.struck() {
                        return Err(PumpError::SourceTimeout);
                    }
                    self.source.deadline.clear();
                    ready.map_err(|_| PumpError::SourceClosed)?;
                }
                Ok(Some(0)) | Err(_) => return Err(PumpError::SourceClosed),
                Ok(Some(n)) => {
                    left = left.saturating_sub(n as u64);
                    streak += n;
                    waits = 0;
                    body.took(n as u64);
                    while !splice.give(left > 0).map_err(|_| PumpError::SinkClosed)? {
                        self.sink.arm(Strike::BothShut);
                        let ready = to.writable().await;
                        if self.sink.deadline.struck() {
                            return Err(PumpError::SinkTimeout);
                        }
                        self.sink.deadline.clear();
                        ready.map_err(|_| PumpError::SinkClosed)?;
                    }
                }
            }
        }
        Ok(())
    }
}
