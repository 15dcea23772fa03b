//! What to send and what to expect: scenario files, the command line laid over them, and the requests made from both.
//!
//! Pure but for the files that a scenario names: no sockets, no clock (the time is passed in), no randomness but what
//! follows from the scenario's seed (signatures excepted), so that a run can be repeated. Everything is checked when a
//! scenario is read; [`Generator::next`] can't fail and allocates nothing once its caller's buffer has grown.

mod body;
mod draw;
mod expect;
mod fields;
mod generator;
mod headers;
mod load;
mod overrides;
mod pattern;
mod problem;
mod program;
mod random;
mod said;
mod target;
mod template;
mod threshold;
mod token;
mod values;

pub use expect::{Expect, Unmet};
pub use generator::Generator;
pub use load::{Arrivals, Load, Stage};
pub use overrides::Overrides;
pub use problem::{Problem, show};
pub(crate) use random::Random;
pub use target::{Http, Target, Tls};
pub use template::Template;
pub use threshold::{Comparison, Limit, Metric, Series, Threshold};

use load::Think;
use overrides::Over;
use problem::{Fault, Place, Report};
use said::{Entry, Kind, Value, Word};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use target::Base;
use template::Wire;
use token::Mint;

/// A checked scenario. Cheap to clone and shared by all workers.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Where all requests go.
    pub target: Target,
    /// What is sent: at least one template. [`Generator::next`] gives indices into it.
    pub templates: Arc<[Template]>,
    /// How much is sent, and when.
    pub load: Load,
    /// How the requests of an open loop lie within their rate.
    pub arrivals: Arrivals,
    /// What must hold at the end.
    pub thresholds: Vec<Threshold>,
    /// How long an answer may take, from sending the request to its last byte.
    pub timeout: Duration,
    /// How long the run warms up before anything is counted; zero: not at all.
    pub warmup: Duration,
    /// After how many requests a connection is closed and made anew; `None`: never.
    pub requests_per_connection: Option<u64>,
    /// How many requests a connection of HTTP/2 has under way at most; at least 1.
    pub streams: usize,
    /// What random values follow from.
    pub seed: u64,
    /// How many constant fields requests of HTTP/2 have.
    pub(crate) fields: usize,
    mint: Arc<Mint>,
}

/// The most bytes of a scenario file: whoever gives a larger one has mistaken the file.
const MOST_TEXT: usize = 4 << 20;
const MOST_TEMPLATES: usize = 1_000;

impl Scenario {
    /// Reads a scenario's text; `file` is its name in problems, relative paths in it start from `folder`.
    ///
    /// # Errors
    /// Every problem of the text, in one pass.
    pub fn parse(text: &str, file: &str, folder: &Path) -> Result<Scenario, Vec<Problem>> {
        Scenario::with(text, file, folder, &Overrides::default())
    }

    /// Reads a scenario's text with the command line laid over it.
    ///
    /// # Errors
    /// Every problem of both.
    pub fn with(
        text: &str,
        file: &str,
        folder: &Path,
        over: &Overrides,
    ) -> Result<Scenario, Vec<Problem>> {
        let mut report = Report::default();
        if text.len() > MOST_TEXT {
            report.add(Fault::nowhere(format!(
                "`{file}` is too large to be a scenario"
            )));
            return Err(report.into_problems());
        }
        let whole = report.text(file, text);
        let mut root = said::read(&mut report, text, whole);
        let over = over.lay(&mut root, &mut report);
        meant(&root, &over, folder, report)
    }

    /// The scenario of one URL, with what the command line says beside it. The URL's path may have values in braces;
    /// files are relative to the current folder.
    ///
    /// # Errors
    /// Every problem of the command line.
    pub fn single(url: &str, over: &Overrides) -> Result<Scenario, Vec<Problem>> {
        let mut report = Report::default();
        let place = report.text("URL", url);
        let mut root = Vec::new();
        said::set(&mut root, "target", "url", Value::text(url, place));
        let over = over.lay(&mut root, &mut report);
        let empty = Value {
            kind: Kind::Table(Vec::new()),
            place,
        };
        said::set(&mut root, "request", "request", empty);
        meant(&root, &over, Path::new(""), report)
    }

    /// Makes the tokens that the requests will carry, which takes about a millisecond for each RS256 one, shared by all
    /// cores: to be called before the workers start, so that it doesn't fall into the run. The first generator does it
    /// otherwise.
    pub fn mint(&self, unix_now: u64) {
        self.mint.start(unix_now);
    }

    /// How many tokens [`Scenario::mint`] makes.
    pub fn tokens(&self) -> usize {
        self.mint.made()
    }

    /// Makes tokens anew that will expire soon; to be called about once a second, on a thread that has time. Whether
    /// there are new ones, which generators take at their next [`Generator::refresh`].
    pub fn renew(&self, unix_now: u64) -> bool {
        self.mint.renew(unix_now)
    }

    /// The public halves of the keys that sign tokens, as a JWK set: what the server needs to verify them.
    pub fn jwks(&self) -> String {
        format!("{:#}\n", self.mint.jwks())
    }

    /// The generator of one of the workers. Each gives other random values; counters are shared out among them.
    pub fn generator(&self, worker: usize, workers: usize, unix_now: u64) -> Generator {
        self.mint(unix_now);
        Generator::new(&self.templates, &self.mint, self.seed, worker, workers)
    }
}

/// What all requests of a scenario share while they are read.
struct Common<'s> {
    base: &'s Base,
    tokens: &'s [String],
    folder: &'s Path,
    over: &'s Over,
    think: Think,
    http: Http,
    open: bool,
    seed: u64,
}

const KINDS: [&str; 5] = ["target", "load", "token", "request", "threshold"];

/// What is said becomes what is meant, or every problem.
fn meant(
    root: &[Entry],
    over: &Over,
    folder: &Path,
    mut report: Report,
) -> Result<Scenario, Vec<Problem>> {
    for (word, _) in root
        .iter()
        .filter(|(word, _)| !KINDS.contains(&word.text.as_str()))
    {
        let kinds = "the kinds are [target], [load], [token.NAME], [request.NAME] and [threshold]";
        let fault = Fault::at(word.place, format!("there is no kind `{}`", word.text));
        report.add(fault.meant(&word.text, KINDS).note(kinds));
    }
    let misspelt = report.len() > 0;
    let (target, base) = target::read(
        said::single(root, "target", &mut report),
        misspelt,
        folder,
        &mut report,
    );
    let settings = load::read(said::single(root, "load", &mut report), &mut report);
    if let Some((_, place)) = settings.streams
        && target.http == Http::Http1
    {
        let fault = Fault::at(place, "only connections of HTTP/2 have streams");
        report.add(fault.note("say http2 = true in [target], or --http2"));
    }
    let sections = said::named(root, "token", &mut report);
    let (tokens, mint) = token::read(sections, settings.seed, folder, &mut report);
    let common = Common {
        base: &base,
        tokens: &tokens,
        folder,
        over,
        think: settings.think,
        http: target.http,
        open: matches!(settings.load, Load::Open { .. }),
        seed: settings.seed,
    };
    let mut templates = templates(root, &common, &mut report);
    let mut known = Vec::new();
    for template in &mut templates {
        if let Wire::Http2(fields) = &mut template.wire {
            fields.number(&mut known);
        }
    }
    let names: Vec<&str> = templates.iter().map(Template::name).collect();
    let section = said::single(root, "threshold", &mut report);
    let mut thresholds = threshold::read(section.entries(), &names, &mut report);
    for value in &over.thresholds {
        threshold::read_flag(value, &names, &mut report, &mut thresholds);
    }
    if report.len() > 0 {
        return Err(report.into_problems());
    }
    let paused = templates.iter().any(|it| it.think != Think::default());
    let mut load = settings.load;
    if let Load::Closed { think, .. } = &mut load {
        *think = paused.then_some(settings.think.least);
    }
    Ok(Scenario {
        target,
        templates: templates.into(),
        load,
        arrivals: settings.arrivals,
        thresholds,
        timeout: settings.timeout,
        warmup: settings.warmup,
        requests_per_connection: settings.requests_per_connection,
        fields: known.len(),
        streams: settings.streams.map_or(1, |(streams, _)| streams),
        seed: settings.seed,
        mint: Arc::new(mint),
    })
}

fn templates(root: &[Entry], common: &Common<'_>, report: &mut Report) -> Vec<Template> {
    let sections = said::named(root, "request", report);
    let mut templates = Vec::new();
    for (word, section) in sections {
        if templates.len() == MOST_TEMPLATES {
            report.add(Fault::at(
                word.place,
                format!("there are more than {MOST_TEMPLATES} requests"),
            ));
            break;
        }
        templates.push(template::read(word, section, common, report));
    }
    let kind = root.iter().find(|(word, _)| word.text == "request");
    if templates.is_empty() && kind.is_none() {
        // A target with a load alone asks for its URL.
        let place = common.base.value.as_ref().map_or(NOWHERE, |url| url.place);
        let word = Word {
            text: "request".to_owned(),
            place,
        };
        templates.push(template::read(
            &word,
            said::Section::empty(),
            common,
            report,
        ));
    }
    if let Some((word, _)) = kind
        && !templates.is_empty()
        && templates.iter().all(|it| it.weight == 0)
    {
        report.add(Fault::at(word.place, "all requests have the weight 0"));
    }
    templates
}

/// Of a word that no text has.
const NOWHERE: Place = Place {
    text: 0,
    start: 0,
    end: 0,
};

#[cfg(test)]
mod tests;
