//! Requests one after the other, as bytes: the hot end of a scenario. Its budget is 200 ns for a request with a token
//! and a random value; it allocates nothing once the caller's buffer has grown.

use super::Template;
use super::random::Random;
use super::template::Wire;
use super::token::{Mint, Tokens};
use std::sync::Arc;
use std::time::Duration;

use crate::http2::hpack::Indexed;

/// Makes the requests of one worker.
#[derive(Debug)]
pub struct Generator {
    templates: Arc<[Template]>,
    odds: Odds,
    random: Random,
    /// Of each template, the number of its next request among those of all workers.
    numbers: Vec<u64>,
    /// By how much it grows.
    workers: u64,
    /// The values of the request that is being made.
    drawn: Vec<u64>,
    mint: Arc<Mint>,
    tokens: Arc<Tokens>,
    /// The mint's generation that `tokens` are of.
    generation: u64,
}

impl Generator {
    /// The tokens must have been made.
    pub(super) fn new(
        templates: &Arc<[Template]>,
        mint: &Arc<Mint>,
        seed: u64,
        worker: usize,
        workers: usize,
    ) -> Generator {
        let values = templates.iter().map(|it| it.wire.draws().len());
        Generator {
            odds: Odds::new(templates.iter().map(|it| it.weight)),
            random: Random::new(seed ^ (worker as u64).rotate_right(16)),
            numbers: vec![worker as u64; templates.len()],
            workers: workers.max(1) as u64,
            drawn: vec![0; values.max().unwrap_or(0)],
            templates: templates.clone(),
            generation: mint.generation(),
            tokens: mint.current(),
            mint: mint.clone(),
        }
    }

    /// Appends one whole request, head and body, and gives the index of its template.
    #[inline]
    pub fn next(&mut self, out: &mut Vec<u8>) -> usize {
        let index = self.odds.draw(&mut self.random);
        let (Some(template), Some(number)) =
            (self.templates.get(index), self.numbers.get_mut(index))
        else {
            return 0;
        };
        for (value, draw) in self.drawn.iter_mut().zip(template.wire.draws()) {
            *value = draw.draw(&mut self.random, *number, &self.tokens);
        }
        *number = number.wrapping_add(self.workers);
        if let Wire::Http1(program) = &template.wire {
            program.write(&self.drawn, &self.tokens, out);
        }
        index
    }

    /// Of a scenario for HTTP/2: appends the header block of a request on the connection that `indexed` is of, and its
    /// body; gives the index of its template.
    #[inline]
    pub(crate) fn next_http2(
        &mut self,
        indexed: &mut Indexed,
        head: &mut Vec<u8>,
        body: &mut Vec<u8>,
    ) -> usize {
        let index = self.next(head);
        if let Some(Wire::Http2(fields)) = self.templates.get(index).map(|it| &it.wire) {
            fields.write(&self.drawn, &self.tokens, indexed, (head, body));
        }
        index
    }

    /// The pause after an answer to this template, before the connection's next request.
    pub fn think(&mut self, template: usize) -> Duration {
        let Some(think) = self.templates.get(template).map(|it| it.think) else {
            return Duration::ZERO;
        };
        let more = think.most.saturating_sub(think.least).as_nanos() as u64;
        match more {
            0 => think.least,
            more => think.least + Duration::from_nanos(self.random.below(more + 1)),
        }
    }

    /// Takes the tokens that [`super::Scenario::renew`] has made; one atomic load when there are none. To be called
    /// about once a second.
    #[inline]
    pub fn refresh(&mut self) {
        let generation = self.mint.generation();
        if generation != self.generation {
            self.tokens = self.mint.current();
            self.generation = generation;
        }
    }
}

/// Draws an index by weight in one step (the alias method of Walker, as Vose builds it).
#[derive(Debug)]
struct Odds {
    /// Of each index: below which of 2^32 it stands for itself, and the index that it stands for else.
    columns: Vec<(u32, u32)>,
}

impl Odds {
    fn new(weights: impl Iterator<Item = u32>) -> Odds {
        let weights: Vec<u64> = weights.map(u64::from).collect();
        let (count, sum) = (weights.len() as u64, weights.iter().sum::<u64>().max(1));
        let whole = u128::from(sum);
        // In units of sum, so that a column holds exactly `sum`.
        let mut left: Vec<u128> = weights.iter().map(|it| u128::from(it * count)).collect();
        let mut columns: Vec<(u32, u32)> = (0..count as u32).map(|at| (u32::MAX, at)).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..left.len()).partition(|at| left[*at] < whole);
        while let (Some(less), Some(more)) = (small.pop(), large.pop()) {
            columns[less] = (((left[less] << 32) / whole) as u32, more as u32);
            left[more] -= whole - left[less];
            match left[more] < whole {
                true => small.push(more),
                false => large.push(more),
            }
        }
        Odds { columns }
    }

    #[inline]
    fn draw(&self, random: &mut Random) -> usize {
        if self.columns.len() < 2 {
            return 0;
        }
        let bits = random.next();
        let column = (((bits >> 32) * self.columns.len() as u64) >> 32) as usize;
        match self.columns.get(column) {
            // The greatest threshold means always.
            Some((own, other)) if (bits as u32) >= *own && *own != u32::MAX => *other as usize,
            _ => column,
        }
    }
}

#[cfg(test)]
mod tests;
