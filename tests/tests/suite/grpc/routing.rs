//! Routes by method and by service are routes by path.

use super::*;

#[test]
fn a_method_and_the_rest_of_its_service() {
    run(async {
        let mut service = Service::start().await;
        let route = |name: &str, path: &str| {
            format!(
                "[route.{name}]\npath = \"{path}\"\nupstream = \"backend\"\nauth = \"none\"\naccess_log = \"main\"\n"
            )
        };
        let gateway = Gateway::start(format!(
            "[upstream.backend]\nendpoints = [\"{}\"]\nprotocol = \"grpc\"\n{}{}{}",
            service.address,
            route("place", "/shop.v1.Orders/Place"),
            route("orders", "/shop.v1.Orders/*"),
            route("canary", "/shop.v2.Orders/*") + "headers = [\"x-canary=yes\"]\n",
        ));
        let mut client = Client::connect(&gateway).await;
        let table = [
            ("/shop.v1.Orders/Place", Some("place")),
            ("/shop.v1.Orders/PlaceAll", Some("orders")),
            ("/shop.v1.Orders/place", Some("orders")),
            ("/shop.v1.OrdersAdmin/Place", None),
            ("/shop.v2.Orders/Place", Some("canary")),
        ];
        for (path, route) in table {
            let (answer, mut asks) = client.call(asking_with(path, &[("x-canary", "yes")]));
            finish(&mut asks);
            if route.is_some() {
                let mut call = service.call().await;
                assert_eq!(call.head.uri.path(), path);
                let mut head = ok();
                head.headers_mut().extend(trailers(&[("grpc-status", "0")]));
                call.answer.send_response(head, true).expect("it is open");
            }
            let fields = answer.status().await;
            let status = if route.is_some() { "0" } else { "12" };
            assert_eq!(value(&fields, "grpc-status"), Some(status), "{path}");
            let line = gateway.wait_logged(&format!("\"path\":\"{path}\""));
            let named = route.map(|name| format!("\"route\":\"{name}\""));
            assert!(named.is_none_or(|named| line.contains(&named)), "{line}");
        }
    });
}
