//! Whom upstreams over TLS trust: `tls_ca`, the system's authorities, and what is shared of both.

use crate::snapshot::{Snapshot, UpstreamTls};
use crate::testing::{LEAST, SYSTEM, World, cert};
use crate::{Problems, Source};
use std::path::Path;
use std::sync::Arc;

/// Two upstreams over TLS with these keys.
fn load(world: &World, a: &str, b: &str) -> Result<Snapshot, Problems> {
    let text = format!(
        "{LEAST}[upstream.a]\nendpoints = [\"10.0.0.1:1\"]\ntls = true\n{a}\
         [upstream.b]\nendpoints = [\"10.0.0.1:1\"]\ntls = true\n{b}"
    );
    world.load(&[Source::new("gateway.toml", text)])
}

fn good(world: &World, a: &str, b: &str) -> Snapshot {
    load(world, a, b).unwrap_or_else(|problems| panic!("{problems}"))
}

fn tls(snapshot: &Snapshot, upstream: usize) -> &Arc<UpstreamTls> {
    snapshot.upstreams[upstream].tls.as_ref().unwrap()
}

fn refusal(world: &World) -> String {
    let problems = load(world, "", "").err().expect("nobody is trusted");
    assert_eq!(problems.iter().count(), 1, "{problems}");
    problems.to_string()
}

#[test]
fn the_systems_authorities_are_read_once_and_shared() {
    let snapshot = good(&World::new(), "", "tls_name = \"b.internal\"\n");
    let (a, b) = (tls(&snapshot, 0), tls(&snapshot, 1));
    assert_eq!(a.roots.len(), 3);
    assert!(Arc::ptr_eq(&a.roots, &b.roots));
    assert_ne!(a.digest, b.digest);
    assert!(snapshot.watched.iter().any(|it| it == Path::new(SYSTEM)));
    assert_eq!(snapshot.warnings.join("\n").matches("authority").count(), 0);
}

#[test]
fn a_system_without_authorities_is_no_matter_until_one_is_needed() {
    let mut world = World::new();
    world.files.remove(Path::new(SYSTEM));
    let own = "tls_ca = \"certs/ca.pem\"\n";
    let snapshot = good(&world, own, own);
    assert_eq!(tls(&snapshot, 0).roots.len(), 1);
    assert!(Arc::ptr_eq(
        &tls(&snapshot, 0).roots,
        &tls(&snapshot, 1).roots
    ));
    let told = refusal(&world);
    assert!(
        told.contains("gateway.toml:5:7: error: the system has no authorities: there is none of /etc/ssl/certs/"),
        "{told}"
    );
    assert!(told.contains("tls_ca = \"FILE\""), "{told}");
}

#[test]
fn systems_keep_them_in_different_places() {
    let mut world = World::new();
    let bundle = world.files.remove(Path::new(SYSTEM)).unwrap();
    let elsewhere = "/etc/pki/tls/certs/ca-bundle.crt";
    world.files.insert(elsewhere.into(), bundle);
    let snapshot = good(&world, "", "");
    assert_eq!(tls(&snapshot, 0).roots.len(), 3);
    assert!(snapshot.watched.iter().any(|it| it == Path::new(elsewhere)));
    assert!(!snapshot.watched.iter().any(|it| it == Path::new(SYSTEM)));
}

#[test]
fn the_variable_comes_before_the_usual_places() {
    let mut world = World::new();
    let mut set = |file: &str| world.variables.insert("SSL_CERT_FILE".into(), file.into());
    set("certs/ca.pem");
    let own = good(&world, "", "");
    assert_eq!(tls(&own, 0).roots.len(), 1);
    let mut set = |file: &str| world.variables.insert("SSL_CERT_FILE".into(), file.into());
    set("");
    let system = good(&world, "", "");
    assert_eq!(tls(&system, 0).roots.len(), 3);
    assert_ne!(tls(&own, 0).digest, tls(&system, 0).digest);
    // One that leads nowhere is not passed over in silence.
    world
        .variables
        .insert("SSL_CERT_FILE".into(), "none.pem".into());
    let told = refusal(&world);
    assert!(
        told.contains("SSL_CERT_FILE names no authorities: can't read none.pem"),
        "{told}"
    );
}

#[test]
fn what_verifying_could_not_use_is_left_out_in_silence() {
    let mut world = World::new();
    let broken = b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n".to_vec();
    let bundle = [cert("ca.pem"), &broken, cert("rsa.pem")].concat();
    world.files.insert(SYSTEM.into(), bundle);
    let snapshot = good(&world, "", "");
    assert_eq!(tls(&snapshot, 0).roots.len(), 2);
    assert!(!snapshot.warnings.join("\n").contains("authority"));
    world.files.insert(SYSTEM.into(), broken);
    let told = refusal(&world);
    assert!(
        told.contains("ca-certificates.crt holds no certificate that can be used as an authority"),
        "{told}"
    );
    world.files.insert(SYSTEM.into(), Vec::new());
    let told = refusal(&world);
    assert!(
        told.contains("ca-certificates.crt holds no certificate"),
        "{told}"
    );
}

#[test]
fn a_reload_shares_what_has_not_changed() {
    let mut world = World::new();
    let before = good(&world, "", "");
    let mut after = good(&world, "", "tls_name = \"b.internal\"\n");
    assert!(!Arc::ptr_eq(tls(&before, 0), tls(&after, 0)));
    after.share(&before);
    assert!(Arc::ptr_eq(tls(&before, 0), tls(&after, 0)));
    assert!(!Arc::ptr_eq(tls(&before, 1), tls(&after, 1)));
    assert!(Arc::ptr_eq(&tls(&before, 1).roots, &tls(&after, 1).roots));
    assert_eq!(tls(&after, 1).name.as_deref(), Some("b.internal"));

    world.files.insert(SYSTEM.into(), cert("ca.pem").to_vec());
    let mut changed = good(&world, "", "");
    changed.share(&after);
    assert_eq!(tls(&changed, 0).roots.len(), 1);
    assert_ne!(changed.hash, after.hash);
}
