//! Requests one after the other, as bytes: the hot end of a scenario.

use super::Template;
use super::random::Random;
use std::sync::Arc;
use std::time::Duration;

/// Makes the requests of one worker.
#[derive(Debug)]
pub struct Generator {
    templates: Arc<[Template]>,
    #[allow(dead_code)]
    random: Random,
}

impl Generator {
    pub(super) fn new(templates: Arc<[Template]>, seed: u64, worker: usize) -> Generator {
        let random = Random::new(seed ^ (worker as u64) << 32);
        Generator { templates, random }
    }

    /// Appends one whole request, head and body, and gives the index of its template.
    pub fn next(&mut self, out: &mut Vec<u8>) -> usize {
        out.extend_from_slice(&self.templates[0].bytes);
        0
    }

    /// The pause after an answer to this template, before the connection's next request.
    pub fn think(&mut self, _template: usize) -> Duration {
        Duration::ZERO
    }

    /// Takes tokens that [`super::Scenario::renew`] has made; one atomic load when there are none. To be called about
    /// once a second.
    pub fn refresh(&mut self) {}
}
