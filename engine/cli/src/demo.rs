//! demo
use std::net::SocketAddr;
use std::process::ExitCode;
pub(crate) fn run(_: SocketAddr, _: SocketAddr) -> anyhow::Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}
