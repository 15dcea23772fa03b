//! A request as `[request.NAME]` describes it.

use super::body::{self, Body};
use super::draw::Draw;
use super::expect::{self, Expect};
use super::fields::{self, Fields};
use super::headers::{self, Pair, Spot};
use super::load::{self, Think};
use super::pattern::{Names, Part};
use super::problem::{Fault, Report};
use super::program::Program;
use super::said::{Kind, Section, Value, Word};
use super::target::Http;
use super::values;
use super::{Base, Common};

/// One kind of request of a scenario.
#[derive(Clone, Debug)]
pub struct Template {
    name: String,
    head: bool,
    grpc: bool,
    expect: Expect,
    pub(super) weight: u32,
    pub(super) think: Think,
    pub(super) wire: Wire,
}

/// How it is written.
#[derive(Clone, Debug)]
pub(super) enum Wire {
    Http1(Program),
    Http2(Fields),
}

impl Wire {
    /// The values that it needs.
    #[inline]
    pub(super) fn draws(&self) -> &[Draw] {
        match self {
            Wire::Http1(program) => &program.draws,
            Wire::Http2(fields) => &fields.draws,
        }
    }
}

impl Template {
    /// Its name in the scenario.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the answer to it has no body whatever its head says.
    pub fn method_is_head(&self) -> bool {
        self.head
    }

    /// Whether it is a call of gRPC, whose outcome its trailers tell.
    pub fn is_grpc(&self) -> bool {
        self.grpc
    }

    /// What is expected of the answer.
    pub fn expect(&self) -> &Expect {
        &self.expect
    }
}

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const MOST_HEADERS: usize = 128;
const MOST_HEAD: usize = 64 << 10;

/// Reads one `[request.NAME]`.
pub(super) fn read(
    word: &Word,
    mut section: Section<'_>,
    common: &Common<'_>,
    report: &mut Report,
) -> Template {
    let mut names = Names::new(common.tokens, common.folder);
    let weight = section.take("weight");
    let weight = weight.and_then(|value| values::count(report, value, 0..=1_000_000));
    let grpc = section.take("grpc");
    let grpc = grpc.and_then(|value| values::flag(report, value)) == Some(true)
        || common.over.grpc.is_some();
    let method = common.over.method.as_ref().or(section.take("method"));
    if grpc {
        grpc_fits(word, method, common, report);
    }
    let usual = if grpc || body::is_said(&mut section, common) {
        "POST"
    } else {
        "GET"
    };
    let method = read_method(method, usual, report);
    let path = common.over.grpc.as_ref().or(section.take("path"));
    let path = read_path(path, common.base, &mut names, report);
    let mut headers = read_headers(section.take("headers"), common, &mut names, report);
    if grpc {
        grpc_headers(&mut headers);
    }
    let mut body = body::read(&mut section, common, &mut names, report);
    if matches!(body, Body::None) && matches!(method.as_str(), "POST" | "PUT" | "PATCH") {
        body = Body::Bytes(Vec::new());
    }
    let request = Request {
        method: &method,
        path,
        headers,
        body,
        grpc,
    };
    let (wire, head) = match common.http {
        Http::Http1 => request.program(common.base, names.draws),
        Http::Http2 => request.fields(common.base, names.draws),
    };
    if head > MOST_HEAD {
        let message = format!("the head of `{}` is longer than 64KiB", word.text);
        report.add(Fault::at(word.place, message));
    }
    let think = match section.take("think") {
        // The command line has made an open loop of it.
        Some(_) if common.over.open => Think::default(),
        Some(value) if common.open => {
            load::no_pauses(report, value);
            Think::default()
        }
        Some(value) => load::read_think(report, value).unwrap_or_default(),
        None => common.think,
    };
    let mut expect = expect::read(&mut section, report);
    if let Some(value) = &common.over.expect_status {
        expect.take_statuses(value, report);
    }
    section.finish(report);
    Template {
        name: word.text.clone(),
        head: method == "HEAD",
        grpc,
        expect,
        weight: weight.unwrap_or(1) as u32,
        think,
        wire,
    }
}

/// Whether what else is said lets a request be a call of gRPC.
fn grpc_fits(word: &Word, method: Option<&Value>, common: &Common<'_>, report: &mut Report) {
    if common.http == Http::Http1 {
        let fault = Fault::at(word.place, "gRPC is spoken over HTTP/2 alone");
        report.add(fault.note("say http2 = true in [target], or --http2"));
    }
    if let Some(method) = method.filter(|it| !matches!(&it.kind, Kind::Text(it) if it == "POST")) {
        report.add(Fault::at(method.place, "a call of gRPC is a POST"));
    }
}

/// What every call says of itself, unless it is said otherwise.
fn grpc_headers(headers: &mut Vec<(String, Vec<Part>)>) {
    for (name, value) in [("content-type", "application/grpc"), ("te", "trailers")] {
        if !headers.iter().any(|(it, _)| it.eq_ignore_ascii_case(name)) {
            headers.push((name.to_owned(), vec![Part::Literal(value.to_owned())]));
        }
    }
}

fn read_method(value: Option<&Value>, usual: &str, report: &mut Report) -> String {
    let Some(value) = value else {
        return usual.to_owned();
    };
    let method = values::text(report, value).unwrap_or(usual);
    let upper = method.to_ascii_uppercase();
    if !headers::is_token(method) || method == "CONNECT" {
        let fault = Fault::at(
            value.place,
            format!("{method:?} is not a method that can be sent"),
        );
        report.add(fault.note(format!("the usual ones are {}", METHODS.join(", "))));
    } else if upper != method && METHODS.contains(&upper.as_str()) {
        let fault = Fault::at(
            value.place,
            format!("methods are told apart by case: `{method}`"),
        );
        report.add(fault.note(format!("write \"{upper}\"")));
    }
    method.to_owned()
}

fn read_path(
    value: Option<&Value>,
    base: &Base,
    names: &mut Names<'_>,
    report: &mut Report,
) -> Vec<Part> {
    // What is wrong with the target's path is told once, where it is read.
    let said = base.value.as_ref();
    let Some(value) = value else {
        return match said {
            Some(url) => names.parse(report, url, &base.path, Spot::Path),
            None => Vec::new(),
        };
    };
    let Some(path) = values::text(report, value) else {
        return Vec::new();
    };
    if !path.starts_with('/') {
        let fault = Fault::at(value.place, "a path begins with `/`");
        report.add(match path.contains("://") {
            true => fault.note("all requests go to the target: the host stands in [target] url"),
            false => fault.note(format!("write \"/{path}\"")),
        });
        return Vec::new();
    }
    let mut parts = Vec::new();
    let before = base.path.trim_end_matches('/');
    if let Some(url) = said.filter(|_| !before.is_empty()) {
        if before.contains('?') {
            let fault = Fault::at(
                value.place,
                "the target's URL ends with a query, so no path can follow it",
            );
            report.add(fault.note("take the query out of the URL, and write it after the paths"));
            return Vec::new();
        }
        parts = names.parse(report, url, before, Spot::Path);
    }
    parts.extend(names.parse(report, value, path, Spot::Path));
    parts
}

/// The headers that are said, in their order.
fn read_headers(
    own: Option<&Value>,
    common: &Common<'_>,
    names: &mut Names<'_>,
    report: &mut Report,
) -> Vec<(String, Vec<Part>)> {
    let own = own.map_or(Vec::new(), |value| headers::pairs(report, value));
    let over = common.over.headers.iter();
    let over: Vec<_> = over
        .flat_map(|value| headers::pairs(report, value))
        .collect();
    let same = |a: &Pair<'_>, b: &str| a.name.eq_ignore_ascii_case(b);
    let kept = own
        .into_iter()
        .filter(|pair| !over.iter().any(|other| same(other, &pair.name)));
    let all: Vec<Pair<'_>> = kept.chain(over.iter().cloned()).collect();
    let mut found = Vec::new();
    let mut hosts = 0;
    for (at, pair) in all.iter().enumerate() {
        if at == MOST_HEADERS {
            let message = format!("a request has at most {MOST_HEADERS} headers");
            report.add(Fault::at(pair.place, message));
            break;
        }
        hosts += usize::from(same(pair, "host"));
        if same(pair, "host") && hosts > 1 {
            report.add(Fault::at(pair.place, "there is a second `Host`"));
        }
        if common.http == Http::Http2 && fields::is_foreign(&pair.name) {
            let message = format!("`{}` has no place in HTTP/2", pair.name);
            let note = "how long its connections last is a matter of their own frames";
            report.add(Fault::at(pair.place, message).note(note));
        } else if headers::check_name(report, pair.place, &pair.name) {
            let value = names.parse(report, pair.value, &pair.text, Spot::Header);
            found.push((pair.name.clone(), value));
        }
    }
    found
}

/// A request before it is written in the one way or the other.
struct Request<'a> {
    method: &'a str,
    path: Vec<Part>,
    headers: Vec<(String, Vec<Part>)>,
    body: Body,
    grpc: bool,
}

impl Request<'_> {
    /// As HTTP/1.1 writes it, and the bytes of its head that never change.
    fn program(&self, base: &Base, draws: Vec<Draw>) -> (Wire, usize) {
        let mut program = Program::default();
        program.literal(self.method.as_bytes());
        program.literal(b" ");
        program.parts(&self.path);
        program.literal(b" HTTP/1.1\r\n");
        // Nothing but a `Host` of the scenario's own comes before this one.
        if self.host().is_none() {
            program.literal(format!("Host: {}\r\n", base.authority).as_bytes());
        }
        for (name, value) in &self.headers {
            program.literal(format!("{name}: ").as_bytes());
            program.parts(value);
            program.literal(b"\r\n");
        }
        let head = program.len();
        program.body(&self.body);
        program.draw(draws);
        (Wire::Http1(program), head)
    }

    /// The same for HTTP/2.
    fn fields(&self, base: &Base, draws: Vec<Draw>) -> (Wire, usize) {
        let literal = |text: &str| [Part::Literal(text.to_owned())];
        let mut fields = Fields::default();
        fields.field(":method", &literal(self.method));
        fields.field(":scheme", &literal(base.scheme));
        match self.host() {
            Some(host) => fields.field(":authority", host),
            None => fields.field(":authority", &literal(&base.authority)),
        }
        fields.field(":path", &self.path);
        for (name, value) in &self.headers {
            if !name.eq_ignore_ascii_case("host") {
                fields.field(name, value);
            }
        }
        let head = fields.len();
        match self.grpc {
            true => fields.message(&self.body),
            false => fields.body(&self.body),
        }
        fields.draws = draws;
        (Wire::Http2(fields), head)
    }

    fn host(&self) -> Option<&[Part]> {
        let mut hosts = self
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("host"));
        hosts.next().map(|(_, value)| value.as_slice())
    }
}

#[cfg(test)]
mod tests;
