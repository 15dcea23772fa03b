//! What a process says, line by line, for whoever waits for a certain line.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex};

use crate::PATIENCE;

/// The lines of a pipe, read by a thread.
#[derive(Clone)]
pub(crate) struct Lines(Arc<(Mutex<Heard>, Condvar)>);

#[derive(Default)]
struct Heard {
    lines: Vec<String>,
    ended: bool,
}

impl Lines {
    pub(crate) fn of(pipe: impl Read + Send + 'static) -> Lines {
        let lines = Lines(Arc::default());
        let shared = lines.clone();
        std::thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            loop {
                let mut line = Vec::new();
                let ended = pipe.read_until(b'\n', &mut line).map_or(true, |n| n == 0);
                let mut read = shared.0.0.lock().expect("unpoisoned");
                if ended {
                    read.ended = true;
                } else {
                    read.lines
                        .push(String::from_utf8_lossy(&line).trim_end().to_owned());
                }
                shared.0.1.notify_all();
                if ended {
                    return;
                }
            }
        });
        lines
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.0.lock().expect("unpoisoned").lines.clone()
    }

    #[track_caller]
    pub(crate) fn wait(&self, text: &str, from: usize) -> (String, usize) {
        let find = |read: &Heard| {
            let lines = read.lines.iter().enumerate().skip(from);
            lines
                .filter(|(_, line)| line.contains(text))
                .map(|(at, line)| (line.clone(), at + 1))
                .next()
        };
        let read = self.0.0.lock().expect("unpoisoned");
        let waiting = |read: &mut Heard| find(read).is_none() && !read.ended;
        let (read, _) = self
            .0
            .1
            .wait_timeout_while(read, PATIENCE, waiting)
            .expect("unpoisoned");
        let (found, said) = (find(&read), read.lines.clone());
        // Else the panic would poison it, and the gateway's end, which asks again, would panic in its turn.
        drop(read);
        found.unwrap_or_else(|| panic!("{text:?} is not said: {said:#?}"))
    }

    #[track_caller]
    pub(crate) fn wait_end(&self) {
        let read = self.0.0.lock().expect("unpoisoned");
        let waited = self
            .0
            .1
            .wait_timeout_while(read, PATIENCE, |read| !read.ended);
        let read = waited.expect("unpoisoned").0;
        let (ended, said) = (read.ended, read.lines.clone());
        // As in `wait`.
        drop(read);
        assert!(ended, "the process does not end: {said:#?}");
    }
}
