//! The demo's services: three little HTTP/1.1 servers on plain threads, one thread a connection.
//!
//! They are stand-ins to look at the gateway with, and no model of a server: they read what the gateway
//! sends (a head, a body by Content-Length) and close the connection on anything else.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// Where each service listens.
pub(super) struct Services {
    pub(super) products: SocketAddr,
    pub(super) orders: SocketAddr,
    pub(super) moody: SocketAddr,
}

/// How long the slow path takes.
pub(super) const SLOW: Duration = Duration::from_secs(3);
/// The most bytes of a head that a service reads.
const MAX_HEAD: u64 = 256 * 1024;

/// Starts the three, each on a free port of the loopback address; they live as long as the process.
pub(super) fn start() -> io::Result<Services> {
    Ok(Services {
        products: listen("products", products)?,
        orders: listen("orders", orders)?,
        moody: listen("moody", moody)?,
    })
}

/// What a service sees of a request.
struct Request {
    path: String,
    headers: Vec<(String, String)>,
    /// Which request of its connection it is, from 1.
    nth: u64,
}

/// What it does about it.
enum Answer {
    Json(u16, Value),
    /// These bytes, whatever they are, then close.
    Bytes(&'static [u8]),
    /// Close without a word.
    HangUp,
}

impl Request {
    fn header(&self, wanted: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
        Some(value)
    }
}

/// A list of products, and each by its number.
fn products(request: &Request) -> Answer {
    let all = [
        json!({"id": 1, "name": "Portcullis, oak, iron-shod", "price": "1480.00"}),
        json!({"id": 2, "name": "Chain, wrought, per fathom", "price": "32.50"}),
        json!({"id": 3, "name": "Windlass with ratchet", "price": "210.00"}),
    ];
    let rest = request.path.strip_prefix("/products").unwrap_or_default();
    match rest.trim_matches('/') {
        "" => Answer::Json(200, json!({ "products": all })),
        id => match all
            .iter()
            .find(|product| product["id"].as_u64() == id.parse().ok())
        {
            Some(product) => Answer::Json(200, product.clone()),
            None => Answer::Json(404, json!({ "error": "no such product" })),
        },
    }
}

/// One order, and what the service was told about the caller: the gateway's word, not the client's.
fn orders(request: &Request) -> Answer {
    let told = [
        "X-User-ID",
        "X-Tenant-ID",
        "X-Consumer",
        "Authorization",
        "X-API-Key",
    ];
    let around = ["X-Request-ID", "X-Forwarded-For", "Via"];
    let of = |names: &[&str]| -> Value {
        names
            .iter()
            .map(|name| ((*name).to_owned(), json!(request.header(name))))
            .collect()
    };
    Answer::Json(
        200,
        json!({
            "path": request.path,
            "orders": [{ "id": 7, "product": 2, "count": 12 }],
            "told_about_the_caller": of(&told),
            "told_about_the_request": of(&around),
        }),
    )
}

/// Slow, flaky or wrong, by path.
fn moody(request: &Request) -> Answer {
    match request.path.as_str() {
        "/slow" => {
            thread::sleep(SLOW);
            Answer::Json(200, json!({ "answer": "at last" }))
        }
        // What services behind an idle time-out do: the connection was kept, and then it is gone.
        "/flaky" if request.nth > 1 => Answer::HangUp,
        "/flaky" => Answer::Json(200, json!({ "answer": "this time" })),
        _ => Answer::Bytes(b"220 mail.example ESMTP ready\r\n"),
    }
}

fn listen(name: &str, answer: fn(&Request) -> Answer) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let accept = move || {
        // An accept that fails, or a thread that can't be had, costs that connection.
        for connection in listener.incoming().flatten() {
            let serve = move || serve(&connection, answer);
            let _ = thread::Builder::new().stack_size(256 * 1024).spawn(serve);
        }
    };
    thread::Builder::new()
        .name(format!("demo {name}"))
        .spawn(accept)?;
    Ok(address)
}

/// Serves one connection to its end; an error ends it as well as anything.
fn serve(connection: &TcpStream, answer: fn(&Request) -> Answer) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut from = BufReader::new(connection);
    let mut to = connection;
    for nth in 1.. {
        let Some(request) = read(&mut from, nth)? else {
            break;
        };
        match answer(&request) {
            Answer::Json(status, body) => to.write_all(&response(status, &body))?,
            Answer::Bytes(bytes) => return to.write_all(bytes),
            Answer::HangUp => break,
        }
    }
    Ok(())
}

/// Reads a request and throws its body away; `None` at the end of the connection.
fn read(from: &mut BufReader<&TcpStream>, nth: u64) -> io::Result<Option<Request>> {
    let mut head = from.by_ref().take(MAX_HEAD);
    let mut line = String::new();
    if head.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let target = line.split_whitespace().nth(1).unwrap_or("/");
    let path = target.split('?').next().unwrap_or(target).to_owned();
    let mut headers = Vec::new();
    loop {
        line.clear();
        if head.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_owned(), value.trim().to_owned())),
            None => break,
        }
    }
    let request = Request { path, headers, nth };
    if request.header("Transfer-Encoding").is_some() {
        return Ok(None);
    }
    let length = request
        .header("Content-Length")
        .and_then(|length| length.parse().ok());
    io::copy(
        &mut from.by_ref().take(length.unwrap_or(0)),
        &mut io::sink(),
    )?;
    Ok(Some(request))
}

fn response(status: u16, body: &Value) -> Vec<u8> {
    let reason = if status == 200 { "OK" } else { "Not Found" };
    let body = format!("{body:#}\n");
    let length = body.len();
    format!("HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}
