//! Upstreams: endpoints with their weights, pools and time-outs.

mod health;
mod roots;
mod tls;

pub(super) use roots::Roots;

use super::{Resolver, id16};
use crate::keys::upstream::{Balance, Upstream as Said};
use crate::said::Block;
use crate::snapshot::{Endpoint, Upstream};
use policy::balance::Kind;
use policy_keys::{Address, Mismatch};

/// The greatest weight an endpoint can have.
const MAX_WEIGHT: u32 = 1000;

impl Resolver<'_, '_> {
    pub(super) fn upstreams(&mut self) -> Vec<Upstream> {
        let mut upstreams = Vec::new();
        for (index, block) in self.said.of("upstream").iter().enumerate() {
            let Some(mut said) = self.read(block, &Said::SCOPE, Said::read) else {
                continue;
            };
            let endpoints = self.endpoints(block, said.endpoints.take());
            self.upstream_protocol(block, &said);
            let tls = self.upstream_tls(block, &mut said, &endpoints);
            let health = self.health(block, &mut said);
            upstreams.push(Upstream {
                name: block.name.as_str().into(),
                id: id16(index),
                endpoints,
                balance: match said.balance {
                    Balance::RoundRobin => Kind::RoundRobin,
                    Balance::LeastRequests => Kind::LeastRequests,
                    Balance::Random => Kind::Random,
                },
                protocol: said.protocol,
                tls,
                proxy_protocol: said.proxy_protocol,
                max_concurrent_streams: said.max_concurrent_streams,
                connect_timeout: said.connect_timeout,
                first_byte_timeout: said.first_byte_timeout,
                first_byte_timeout_of_calls: block
                    .entries
                    .contains_key("first_byte_timeout")
                    .then_some(said.first_byte_timeout),
                read_timeout: said.read_timeout,
                timeout: said.timeout,
                ping_after: said.ping_after,
                ping_timeout: said.ping_timeout,
                keepalive: said.keepalive,
                pool_max_idle: said.pool_max_idle,
                pool_max_connections: said.pool_max_connections,
                pool_max_pending: said.pool_max_pending,
                max_in_flight: said.max_in_flight,
                health,
            });
        }
        upstreams
    }

    fn endpoints(&mut self, block: &Block, texts: Option<Vec<String>>) -> Vec<Endpoint> {
        if texts.as_ref().is_some_and(Vec::is_empty) {
            self.wrong(
                block,
                "endpoints",
                Mismatch::new("an upstream needs at least one endpoint"),
            );
        }
        let mut endpoints: Vec<Endpoint> = Vec::new();
        for (item, text) in texts.iter().flatten().enumerate() {
            match endpoint(text) {
                Ok((address, _))
                    if endpoints
                        .iter()
                        .any(|other| *other.name == *address.to_string()) =>
                {
                    self.wrong_item(
                        block,
                        "endpoints",
                        item,
                        format!("{address} stands here twice; give it a weight instead"),
                    );
                }
                Ok((address, weight)) => endpoints.push(Endpoint {
                    name: address.to_string().into(),
                    address: self.located(block, "endpoints", address),
                    weight,
                }),
                Err(mismatch) => self.wrong(block, "endpoints", mismatch.item(item)),
            }
        }
        endpoints
    }
}

/// `"10.0.0.1:8080 weight=3"`.
fn endpoint(text: &str) -> Result<(Address, u32), Mismatch> {
    let (address, rest) = text.split_once(' ').unwrap_or((text, ""));
    let parsed = match Address::parse(address) {
        Ok(Address::Tcp(tcp)) if tcp.port() == 0 => {
            return Err(Mismatch::new("an endpoint's port is not 0").at(0..address.len()));
        }
        Ok(parsed) => parsed,
        Err(_) if is_host_and_port(address) => {
            return Err(Mismatch::new(format!(
                "`{address}` is a name, and looking names up is not built yet"
            ))
            .hint("write the endpoint's IP address")
            .at(0..address.len()));
        }
        Err(mismatch) if address.contains("://") => {
            let hint = match address.starts_with("https:") {
                true => "write the address alone, and `tls = true`",
                false => "write the address alone, without a scheme",
            };
            return Err(mismatch.hint(hint).at(0..address.len()));
        }
        Err(mismatch) => return Err(mismatch.at(0..address.len())),
    };
    let rest = rest.trim();
    let at = text.len() - rest.len()..text.len();
    let weight = match rest.split_once('=') {
        None if rest.is_empty() => Some(1),
        Some(("weight", digits)) => digits
            .parse()
            .ok()
            .filter(|weight| (1..=MAX_WEIGHT).contains(weight)),
        _ => None,
    };
    let weight = weight.ok_or_else(|| {
        Mismatch::new(format!("`{rest}` is not a weight"))
            .expected(format!("weight=1 to weight={MAX_WEIGHT} after the address"))
            .at(at)
    })?;
    Ok((parsed, weight))
}

fn is_host_and_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let label = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    port.parse::<u16>().is_ok()
        && host.chars().all(label)
        && host.chars().any(|c| c.is_ascii_alphabetic())
}
