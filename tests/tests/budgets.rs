//! Budget of memory: an idle keep-alive connection costs the gateway at most 2 KiB of resident memory.
//!
//! What the first connections cost is not counted: they make pools and tables as large as they will
//! be. Memory is looked at until it has come down to the budget, since what a connection needs while
//! it is busy is given back over the next ticks.

use std::process::Command;
use std::time::{Duration, Instant};

use tests::{Gateway, PATIENCE, Peer};

/// Bytes of resident memory for each idle connection.
const BUDGET: u64 = 2 << 10;

#[test]
fn an_idle_connection_costs_little() {
    let (first, more) = match raise_files(4_096) {
        4_096.. => (1_000, 2_000),
        _ => (200, 500),
    };
    let gateway = Gateway::start(
        "[route.all]\npath = \"/*\"\nrespond = \"200 hello\"\nauth = \"none\"\naccess_log = \"off\"\n",
    );
    let mut peers = Vec::new();
    connect(&gateway, &mut peers, first);
    let before = settled(&gateway);
    connect(&gateway, &mut peers, more);
    let most = before + more as u64 * BUDGET;
    let since = Instant::now();
    let mut now = resident(&gateway);
    while now > most && since.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(50));
        now = resident(&gateway);
    }
    let each = now.saturating_sub(before) / more as u64;
    eprintln!("{each} bytes for each idle connection beyond the first {first}");
    assert!(now <= most, "{each} bytes for each idle connection");
    for peer in [0, first, first + more - 1] {
        assert_eq!(peers[peer].get("/").status, 200, "it was only idle");
    }
}

/// Opens so many connections, each with one request answered.
fn connect(gateway: &Gateway, peers: &mut Vec<Peer>, count: usize) {
    for _ in 0..count {
        let mut peer = gateway.peer();
        assert_eq!(peer.get("/").status, 200);
        peers.push(peer);
    }
}

/// The least resident memory once it has not come down any further for a second.
fn settled(gateway: &Gateway) -> u64 {
    let (mut least, mut since) = (u64::MAX, Instant::now());
    while since.elapsed() < Duration::from_secs(1) {
        let now = resident(gateway);
        if now < least {
            (least, since) = (now, Instant::now());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    least
}

/// Bytes of resident memory of the gateway's process.
fn resident(gateway: &Gateway) -> u64 {
    let path = format!("/proc/{}/status", gateway.id());
    let status = std::fs::read_to_string(path).expect("the gateway runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.expect("processes have a VmRSS") << 10
}

/// Lets this process and those that it starts open so many files, if that is allowed; how many are.
fn raise_files(wanted: u64) -> u64 {
    if files() < wanted {
        let own = std::process::id();
        let command = format!("prlimit --pid {own} --nofile={wanted}:");
        let raised = Command::new("sh").args(["-c", &command]).output();
        raised.expect("there is a shell");
    }
    files()
}

fn files() -> u64 {
    let limits = std::fs::read_to_string("/proc/self/limits").expect("Linux");
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    soft.expect("a number")
}
