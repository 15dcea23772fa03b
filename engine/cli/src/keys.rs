//! `portcullis keys`: API keys and the hashes that the configuration holds in their place.

use std::io::Read;
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use policy::crypto;

#[derive(Subcommand)]
pub(crate) enum Action {
    /// Make a new key: print it once, with the hash for `consumer.NAME.keys`.
    New,
    /// Hash the key on standard input.
    Hash,
}

pub(crate) fn run(action: &Action) -> anyhow::Result<ExitCode> {
    match action {
        Action::New => {
            let key = new_key().context("no random bytes")?;
            println!("key   {key}     (give it to the client; it is not stored anywhere)");
            println!("hash  {}", hash(key.as_bytes()));
        }
        Action::Hash => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            println!("{}", hash(text.trim().as_bytes()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// 256 random bits from the kernel, as hex digits.
fn new_key() -> std::io::Result<String> {
    let mut bytes = [0; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("pk_{}", hex(&bytes)))
}

/// A key as `consumer.NAME.keys` holds it.
pub(crate) fn hash(key: &[u8]) -> String {
    format!("sha256:{}", hex(&crypto::sha256(key)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
