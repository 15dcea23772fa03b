//! `portcullis demo`: a gateway at work with nothing to configure and nothing else to install.
//!
//! Three small services on threads of this process (`services`), a gateway in front of them that is
//! configured by `demo/gateway.toml`, and a page of commands to try. The gateway is the one that
//! `run` starts; what is special about it is only where its configuration comes from.

mod services;
mod token;

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use engine_config::{Environment, Problems, Snapshot, Source};
use engine_control::Operator;
use serde_json::json;

use crate::{keys, serve};
use services::Services;

/// The configuration; `at_start` gives what it can't know.
const CONFIGURATION: &str = include_str!("demo/gateway.toml");
/// Where that stands in the sources.
const CONFIGURATION_AT: &str = "engine/cli/src/demo/gateway.toml";
/// How long the printed token is good for.
const TOKEN_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs the demo until it is interrupted.
pub(crate) fn run(address: SocketAddr, admin: SocketAddr) -> anyhow::Result<ExitCode> {
    let place = Place::find(address, admin)?;
    let services = services::start().context("can't start the demo services")?;
    let secrets = Secrets::make()?;
    let (sets, environment) = at_start(&place, &services, &secrets);
    let load = move || configuration(&sets, &environment).map_err(|problems| problems.to_string());
    let running = serve::start(serve::Start {
        snapshot: load().map_err(anyhow::Error::msg)?,
        load: Arc::new(load),
        watch: None,
        operator: Operator::to(say),
    })?;
    for (_, at) in &running.listening {
        crate::print(&page(at, &place, &services, &secrets)?)?;
    }
    running.wait()
}

/// A line on standard error, without the time: who watches a demo sees it happen.
fn say(line: &str) {
    // Nobody is left to be told when standard error is gone.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

fn configuration(sets: &[String], environment: &Environment) -> Result<Snapshot, Problems> {
    let source = Source::new(CONFIGURATION_AT, CONFIGURATION);
    let no_files = |_: &Path| Err(io::Error::from(io::ErrorKind::NotFound));
    engine_config::load(&[source], environment, sets, &no_files)
}

/// What differs from start to start: the ports, and the secrets.
fn at_start(place: &Place, services: &Services, secrets: &Secrets) -> (Vec<String>, Environment) {
    let sets = vec![
        format!("listener.public.address={}", place.gateway),
        format!("admin.address={}", place.admin),
        format!("upstream.products.endpoints={}", services.products),
        format!("upstream.orders.endpoints={}", services.orders),
        format!("upstream.moody.endpoints={}", services.moody),
        format!(
            "consumer.globex.keys={}",
            keys::hash(secrets.api_key.as_bytes())
        ),
    ];
    let secret = ("PORTCULLIS_DEMO_SECRET".to_owned(), secrets.signing.clone());
    (sets, Environment::from([secret]))
}

/// Where the demo listens.
struct Place {
    gateway: SocketAddr,
    admin: SocketAddr,
    /// What was asked for and is taken.
    taken: Vec<SocketAddr>,
}

impl Place {
    /// The addresses asked for, or the same ones with a free port where something listens already.
    fn find(gateway: SocketAddr, admin: SocketAddr) -> anyhow::Result<Place> {
        let mut taken = Vec::new();
        // Both are held until both are known, so that they can't be the same.
        let (gateway, _held) = free(gateway, &mut taken)?;
        let (admin, _) = free(admin, &mut taken)?;
        Ok(Place {
            gateway,
            admin,
            taken,
        })
    }
}

/// Binds an address for as long as the listener lives; another port when it is taken.
fn free(
    wanted: SocketAddr,
    taken: &mut Vec<SocketAddr>,
) -> anyhow::Result<(SocketAddr, TcpListener)> {
    let listener = match TcpListener::bind(wanted) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            taken.push(wanted);
            TcpListener::bind((wanted.ip(), 0))
        }
        other => other,
    };
    let listener = listener.with_context(|| format!("can't listen on {wanted}"))?;
    Ok((listener.local_addr()?, listener))
}

/// Made anew at each start and gone with it.
struct Secrets {
    /// The key that tokens are signed with.
    signing: String,
    /// The key of the partner.
    api_key: String,
}

impl Secrets {
    fn make() -> anyhow::Result<Secrets> {
        Ok(Secrets {
            signing: random()?,
            api_key: format!("demo_{}", random()?),
        })
    }

    /// A token for the user that the page speaks of.
    fn token(&self) -> anyhow::Result<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let claims = json!({
            "iss": "https://issuer.example",
            "aud": "demo",
            "sub": "alice",
            "tenant": "acme",
            "scope": "orders:read",
            "exp": (now + TOKEN_FOR).as_secs(),
        });
        Ok(token::mint(&claims, self.signing.as_bytes()))
    }
}

/// 128 random bits from the kernel, as hex digits.
fn random() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("no random bytes")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What is printed: where everything is, and what to try.
fn page(
    at: &engine_net::Address,
    place: &Place,
    services: &Services,
    secrets: &Secrets,
) -> anyhow::Result<String> {
    let admin = place.admin;
    let (token, api_key) = (secrets.token()?, &secrets.api_key);
    let Services {
        products,
        orders,
        moody,
    } = services;
    let slow = services::SLOW.as_secs();
    let taken = place.taken.iter();
    let taken: String = taken
        .map(|address| format!("  {address} is taken: a free port was chosen instead.\n"))
        .collect();
    Ok(format!(
        "
  The gateway listens on http://{at}, for operators on http://{admin}.
  Behind it, in this process: products {products}, orders {orders}, moody {moody}.
{taken}
  Try these in another terminal. Each request shows up here as a line of the access log.

1 A public route: a product comes back, with the X-Request-ID and Via that the gateway adds.

curl -i http://{at}/products/2

2 A route for users, with a token: 200, and the service is told X-User-ID alice, not the mallory that the client
  claims to be. Leave the Authorization away: 401 with WWW-Authenticate, and the service hears nothing.

curl -i http://{at}/orders -H 'X-User-ID: mallory' -H 'Authorization: Bearer {token}'

3 A route for partners: 200, the service is told whose key it is (globex) and never sees the key.

curl -i http://{at}/partners/orders -H 'X-API-Key: {api_key}'

4 A limited route, five at once and then one a second: five times 200, then 429 with Retry-After.

for i in 1 2 3 4 5 6 7; do curl -s -o /dev/null -w '%{{http_code}} ' http://{at}/limited; done; curl -i http://{at}/limited

5 A service that takes {slow} seconds behind a time-out of half a second: 504, and the answer names the time-out.

curl -i http://{at}/slow

6 A service that hangs up on every second request of a connection: six times 200, since a GET is asked once more.

for i in 1 2 3 4 5 6; do curl -s -o /dev/null -w '%{{http_code}} ' http://{at}/flaky; done; echo

  Also there: /garbage (a service that does not speak HTTP: 502), /ping (answered by the gateway), /shop/3 (redirected).
  What was counted:   curl -s http://{admin}/metrics | grep ^gateway_
  Alive, and ready?   curl -i http://{admin}/health ; curl -i http://{admin}/ready
  Its configuration:  {CONFIGURATION_AT}
  Ctrl-C ends it: what is in flight is finished first.

"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Place::find(any, any).unwrap()
    }

    #[test]
    fn the_configuration_is_sound_as_it_stands_and_as_it_is_started() {
        let secrets = Secrets::make().unwrap();
        let (sets, environment) = at_start(&place(), &services::start().unwrap(), &secrets);
        for sets in [&sets[..], &[]] {
            let snapshot = configuration(sets, &environment).unwrap_or_else(|why| panic!("{why}"));
            assert_eq!(snapshot.warnings, Vec::<String>::new());
        }
    }

    #[test]
    fn a_taken_port_is_told_and_another_one_found() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let wanted = taken.local_addr().unwrap();
        let place = Place::find(wanted, wanted).unwrap();
        assert_eq!(place.taken, [wanted, wanted]);
        assert_ne!(place.gateway, place.admin);
        assert_ne!(place.gateway, wanted);
    }

    #[test]
    fn every_command_of_the_page_is_one_line_that_names_the_gateway() {
        let (place, secrets) = (place(), Secrets::make().unwrap());
        let at = engine_net::Address::Tcp(place.gateway);
        let page = page(&at, &place, &services::start().unwrap(), &secrets).unwrap();
        let is_command = |line: &&str| line.starts_with("curl ") || line.starts_with("for ");
        let commands: Vec<&str> = page.lines().filter(is_command).collect();
        assert_eq!(commands.len(), 6);
        let at = format!("http://{}/", place.gateway);
        assert!(commands.iter().all(|command| command.contains(&at)));
    }
}
