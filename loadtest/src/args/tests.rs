//! The command line, read.

use super::*;
use clap::CommandFactory;

#[test]
fn the_command_line_holds_together() {
    Cli::command().debug_assert();
}

#[test]
fn a_url_alone_is_a_run() {
    let cli = Cli::try_parse_from(["portcullis-load", "-c", "8", "http://a/"]).unwrap();
    assert!(cli.command.is_none());
    assert_eq!(cli.run.what.as_deref(), Some("http://a/"));
    assert_eq!(cli.run.overrides().connections.as_deref(), Some("8"));
    let cli = Cli::try_parse_from(["portcullis-load", "run", "--connect-per-request", "x"]);
    let Some(Command::Run(run)) = cli.unwrap().command else {
        panic!("a run");
    };
    let over = run.overrides();
    assert_eq!(over.requests_per_connection.as_deref(), Some("1"));
}

#[test]
fn cores_are_listed() {
    assert_eq!(cores("0"), Ok(vec![0]));
    assert_eq!(cores("3, 0-2"), Ok(vec![3, 0, 1, 2]));
    for wrong in ["", "a", "1-", "-1", "1,,2", "3-2", "99999999"] {
        assert!(cores(wrong).is_err(), "{wrong}");
    }
}
