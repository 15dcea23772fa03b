//! What the operating system counts for this process, read from /proc at each scrape.
//! Invariant: what can't be read is left out of the page, never guessed.

use std::fs;

use engine_bridge::metrics::{Page, names};

/// Writes the `process_*` metrics.
pub(crate) fn write(page: &mut Page) {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let (stat, status, limits) = (
        read("/proc/self/stat"),
        read("/proc/self/status"),
        read("/proc/self/limits"),
    );
    let stat = Stat::parse(&stat);
    if let Some(stat) = &stat {
        page.float(
            &names::PROCESS_CPU,
            &[],
            stat.cpu_ticks as f64 / TICKS_PER_SECOND,
        );
    }
    let mut count = |metric, value: Option<u64>| {
        if let Some(value) = value {
            page.count(metric, &[], value);
        }
    };
    count(&names::PROCESS_THREADS, field(&status, "Threads:"));
    let open = fs::read_dir("/proc/self/fd").map(|all| all.count() as u64);
    count(&names::PROCESS_OPEN_FDS, open.ok());
    count(&names::PROCESS_MAX_FDS, field(&limits, "Max open files"));
    count(
        &names::PROCESS_VIRTUAL_MEMORY,
        field(&status, "VmSize:").map(kib),
    );
    count(
        &names::PROCESS_RESIDENT_MEMORY,
        field(&status, "VmRSS:").map(kib),
    );
    let boot = field(&read("/proc/stat"), "btime");
    if let (Some(stat), Some(boot)) = (&stat, boot) {
        let start = boot as f64 + stat.start_ticks as f64 / TICKS_PER_SECOND;
        page.float(&names::PROCESS_START_TIME, &[], start);
    }
}

/// Of /proc/self/stat (proc(5)) what we show.
struct Stat {
    /// User and system time.
    cpu_ticks: u64,
    /// From boot to the process's start.
    start_ticks: u64,
}

impl Stat {
    fn parse(text: &str) -> Option<Stat> {
        // The command's name, in parentheses, may hold anything; the fields after it are numbered from 3.
        let (_, after) = text.rsplit_once(')')?;
        let fields: Vec<&str> = after.split_ascii_whitespace().collect();
        let number = |at: usize| fields.get(at - 3)?.parse::<u64>().ok();
        Some(Stat {
            cpu_ticks: number(14)? + number(15)?,
            start_ticks: number(22)?,
        })
    }
}

/// The first number of the line that starts so.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

fn kib(count: u64) -> u64 {
    count * 1024
}

/// USER_HZ, which is 100 on every Linux that we build for.
const TICKS_PER_SECOND: f64 = 100.0;

#[cfg(test)]
mod tests {
    use engine_bridge::metrics::Format;

    use super::*;

    #[test]
    fn a_command_with_parentheses_is_read_past() {
        let text = "7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 3 0 12345 1 2 3";
        let stat = Stat::parse(text).expect("it is whole");
        assert_eq!((stat.cpu_ticks, stat.start_ticks), (200, 12_345));
        assert!(Stat::parse("7 (a) S 1").is_none());
    }

    #[test]
    fn this_process_shows_all_of_it() {
        let mut page = Page::new(Format::Prometheus);
        write(&mut page);
        let text = page.finish();
        for metric in names::ALL
            .iter()
            .filter(|it| it.name.starts_with("process_"))
        {
            assert!(
                text.lines().any(|line| line.starts_with(metric.name)),
                "{} is not in\n{text}",
                metric.name
            );
        }
    }
}
