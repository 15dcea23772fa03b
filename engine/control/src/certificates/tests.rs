//! Tests of what is said of certificates, and when, under a clock of their own.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{DAY, Expiries, WARN_WITHIN};
use crate::clock;
use crate::testing::{BASE, Scene, load};

/// A certificate for listeners and one for an upstream, which runs out later.
fn scene() -> Scene {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/src/testing/certs");
    Scene::new(
        1,
        &format!(
            "{BASE}[certificate.site]\nchain = \"{folder}/edge.pem\"\nkey = \"{folder}/edge.key\"\n\
             [upstream.orders]\nendpoints = [\"10.0.0.1:1\"]\ntls = true\ntls_ca = \"{folder}/ca.pem\"\n\
             tls_client_chain = \"{folder}/rsa.pem\"\ntls_client_key = \"{folder}/rsa.key\"\n"
        ),
    )
}

/// The first and last seconds of the two.
fn spans(scene: &Scene) -> [(u64, u64); 2] {
    let live = scene.bridge.slot.load().1;
    let site = &live.certificates[0].identity;
    let orders = live.upstreams[0].tls.as_ref().unwrap();
    let orders = orders.identity.as_ref().unwrap();
    [site, orders].map(|it| (it.not_before, it.not_after))
}

/// What is said at these moments, one after the other.
fn said(scene: &Scene, moments: impl IntoIterator<Item = u64>) -> Vec<Vec<String>> {
    let mut expiries = Expiries::new(scene.shared());
    let mut before = scene.lines().len();
    let mut all = Vec::new();
    for now in moments {
        expiries.turn(now);
        let lines = scene.lines();
        all.push(lines[before..].to_vec());
        before = lines.len();
    }
    all
}

#[test]
fn the_last_thirty_days_are_told_of_once_a_day() {
    let scene = scene();
    let [(_, end), (_, later)] = spans(&scene);
    assert!(
        end + WARN_WITHIN < later,
        "the other one has more than that"
    );
    let at = clock::moment(end);
    let first = end - WARN_WITHIN;
    assert_eq!(
        said(
            &scene,
            [
                first,
                first + 1,
                first + DAY - 1,
                first + DAY,
                end - DAY,
                end
            ]
        ),
        [
            vec![],
            vec![],
            vec![],
            vec![format!(
                "warning: certificate site runs out in 29 days, at {at}"
            )],
            vec![format!(
                "warning: certificate site runs out in 1 day, at {at}"
            )],
            vec![format!(
                "warning: certificate site runs out in less than a day, at {at}"
            )],
        ]
    );
}

#[test]
fn the_end_is_told_at_once_and_every_day_after() {
    let scene = scene();
    let [(_, end), (_, later)] = spans(&scene);
    let ran_out = format!(
        "error: certificate site ran out at {}: peers refuse connections",
        clock::moment(end)
    );
    let moments = [end - 10, end, end + 1, end + 2, end + DAY, end + 1 + DAY];
    let lines = said(&scene, moments);
    assert!(lines[0][0].starts_with("warning: "), "{lines:?}");
    let none = Vec::<String>::new();
    assert_eq!(lines[1], none);
    assert_eq!(lines[2], std::slice::from_ref(&ran_out));
    assert_eq!((&lines[3], &lines[4]), (&none, &none));
    assert_eq!(lines[5], [ran_out]);

    let [both] = &said(&scene, [later + 1])[..] else {
        panic!("one moment");
    };
    assert_eq!(both.len(), 2, "{both:?}");
    assert_eq!(
        both[1],
        format!(
            "error: upstream orders: the certificate it is shown ran out at {}: peers refuse connections",
            clock::moment(later)
        )
    );
}

#[test]
fn one_whose_time_has_not_come_is_told() {
    let scene = scene();
    let [(site, _), (orders, _)] = spans(&scene);
    let early = site.min(orders) - 1;
    let lines = said(&scene, [early]);
    assert_eq!(lines[0].len(), 2, "{lines:?}");
    for line in &lines[0] {
        assert!(
            line.starts_with("error: ") && line.contains(" on only: until then peers refuse"),
            "{line}"
        );
    }
}

#[test]
fn a_reload_is_looked_at_whatever_the_time() {
    let scene = scene();
    let [(_, end), _] = spans(&scene);
    let mut expiries = Expiries::new(scene.shared());
    expiries.turn(end);
    expiries.turn(end);
    assert_eq!(scene.lines().len(), 1);
    let text = fs::read_to_string(scene.config()).unwrap();
    fs::write(
        scene.config(),
        text.replace("certificate.site", "certificate.new"),
    )
    .unwrap();
    let snapshot = load(&scene.config()).unwrap();
    scene.bridge.slot.publish(std::sync::Arc::new(snapshot));
    expiries.turn(end);
    expiries.turn(end);
    let lines = scene.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[1].starts_with("warning: certificate new runs out "),
        "{lines:?}"
    );
}

#[test]
fn a_reload_says_nothing_again_of_the_same_certificate_within_a_day() {
    let scene = scene();
    let [(_, end), _] = spans(&scene);
    let reload = || {
        let snapshot = load(&scene.config()).unwrap();
        scene.bridge.slot.publish(std::sync::Arc::new(snapshot));
    };
    let mut expiries = Expiries::new(scene.shared());
    let first = end - 10 * DAY;
    expiries.turn(first);
    assert_eq!(scene.lines().len(), 1);
    // Two seconds later it has nine whole days left, which is no news.
    for later in [2, 3600, DAY - 1] {
        reload();
        expiries.turn(first + later);
        assert_eq!(scene.lines().len(), 1, "{later}");
    }
    // The day is counted from when it was said, not from the reload.
    expiries.turn(first + DAY);
    assert_eq!(scene.lines().len(), 2);
    // That it has run out is something else.
    expiries.turn(end);
    reload();
    expiries.turn(end + 1);
    reload();
    expiries.turn(end + 2);
    let lines = scene.lines();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[3].starts_with("error: "), "{lines:?}");
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

/// The whole control thread, on the machine's clock: it looks, and it has made keys for tickets before it was asked.
#[test]
fn control_looks_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut of = rcgen::CertificateParams::new(vec!["old.example".into()]).unwrap();
    of.not_before = rcgen::date_time_ymd(2019, 1, 1);
    of.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let chain = of.self_signed(&key).unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    fs::write(file("old.pem"), pem("CERTIFICATE", chain.der())).unwrap();
    fs::write(file("old.key"), pem("PRIVATE KEY", &key.serialize_der())).unwrap();
    let certificate = format!(
        "[certificate.old]\nchain = \"{}\"\nkey = \"{}\"\n",
        file("old.pem"),
        file("old.key")
    );
    let scene = Scene::new(1, &format!("{BASE}{certificate}"));
    let control = crate::start(scene.options()).unwrap();
    assert_eq!(scene.bridge.tickets.generation(), 1);
    assert!(scene.bridge.tickets.keys().is_some());
    scene.wait_for_line("error: certificate old ran out at 2020-01-01T00:00:00Z: peers refuse");
    control.stop("test");
    control.join();
}

#[test]
fn what_a_configuration_shows_is_listed() {
    let scene = scene();
    let [(_, end), _] = spans(&scene);
    assert_eq!(
        super::listed(&scene.bridge.slot.load().1),
        [format!(
            "certificate site: for *.edge.example, 192.0.2.1, [2001:db8::1], edge.example, until {}",
            clock::moment(end)
        )]
    );
}

#[test]
fn the_page_has_both_ends() {
    let scene = scene();
    let [(_, site), (_, orders)] = spans(&scene);
    assert_eq!(
        scene.metric("gateway_certificate_expiry_timestamp_seconds{certificate=\"site\"}"),
        Some(site)
    );
    assert_eq!(
        scene.metric("gateway_upstream_certificate_expiry_timestamp_seconds{upstream=\"orders\"}"),
        Some(orders)
    );
}
