//! The commands: from the command line to a run, from its results to files, table and exit status.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use engine_net::runtime::{self, Wish};

use super::sweep::{self, Quest};
use super::{Client, Progress, Setup, Signals, execute, reasons};
use crate::args::{self, Cli, Command, Run};
use crate::results::thresholds::judge;
use crate::results::{Results, text};
use crate::scenario::{Load, Overrides, Scenario, Threshold, show};
use crate::{compare, html, origin};

/// A threshold was not kept.
const UNMET: u8 = 1;
/// It could not begin.
const UNUSABLE: u8 = 2;
/// How long a search keeps each rate, when nothing is said.
const STEP: &str = "5s";
/// Where a search begins, when nothing is said.
const FROM: &str = "1000/s";

/// Does what the command line says.
pub fn main(cli: &Cli) -> ExitCode {
    let done = match &cli.command {
        None => measure(&cli.run),
        Some(Command::Run(run)) => measure(run),
        Some(Command::Origin(options)) => serve(options),
        Some(Command::Compare(compare)) => compared(compare),
        Some(Command::Report(report)) => reported(report),
        Some(Command::Jwks(jwks)) => keys(jwks),
    };
    match done {
        Ok(status) => ExitCode::from(status),
        Err(why) => {
            complain(&why);
            ExitCode::from(UNUSABLE)
        }
    }
}

/// Why a command was not carried out.
enum Refusal {
    /// In a sentence.
    Said(String),
    /// Everything that is wrong with a scenario, each with its own `error:`.
    Problems(String),
}

impl From<String> for Refusal {
    fn from(why: String) -> Refusal {
        Refusal::Said(why)
    }
}

fn complain(why: &Refusal) {
    // Nobody need be reading.
    let _ = match why {
        Refusal::Said(why) => writeln!(io::stderr(), "error: {why}"),
        Refusal::Problems(all) => write!(io::stderr(), "{all}"),
    };
}

fn measure(run: &Run) -> Result<u8, Refusal> {
    let Some(what) = run.what.as_deref() else {
        return Err("nothing to load: give a URL or a scenario file"
            .to_owned()
            .into());
    };
    let scenario = scenario(run, what)?;
    let setup = setup(run, what)?;
    let quest = match run.sweep.sweep {
        true => Some(quest(run, &scenario)?),
        false => None,
    };
    // Before the run: its results would be lost.
    for file in [&run.output.json, &run.output.html].into_iter().flatten() {
        writable(file)?;
    }
    let signals = Signals::take_over().map_err(|error| format!("signals: {error}"))?;
    let mut progress = match run.output.quiet {
        true => Progress::quiet(),
        false => Progress::visible(),
    };
    let outcome = match &quest {
        Some(quest) => sweep::run(&scenario, quest, &setup, &signals, &mut progress),
        None => execute(&scenario, &setup, &signals, &mut progress),
    };
    let mut results = outcome.map_err(|failure| failure.to_string())?;
    results.thresholds = judge(&results, &scenario.thresholds);
    let status = finish(run, &results)?;
    if results.counts.answered > 0 {
        return Ok(status);
    }
    let hint = reasons::hint(&results, &scenario).map_or(String::new(), |hint| format!(": {hint}"));
    complain(&format!("nothing was answered{hint}").into());
    Ok(UNMET)
}

fn finish(run: &Run, results: &Results) -> Result<u8, String> {
    let output = &run.output;
    let json = output.json.as_deref();
    // First, so that it is there whatever becomes of the files.
    if json != Some(Path::new("-")) {
        print(&text::text(results))?;
    }
    if let Some(file) = json {
        let json = results
            .to_json()
            .map_err(|error| format!("the results have no JSON: {error}"))?;
        write(file, &json)?;
    }
    if let Some(file) = &output.html {
        write(file, &html::report(results))?;
    }
    let swept = results.sweep.as_ref();
    let found = swept.is_none_or(|sweep| sweep.best.is_some());
    Ok(if results.passed() && found { 0 } else { UNMET })
}

/// What the command line and the file say together.
fn scenario(run: &Run, what: &str) -> Result<Scenario, Refusal> {
    let mut over = run.overrides();
    if run.sweep.sweep {
        over.rate.get_or_insert_with(|| FROM.to_owned());
        over.duration.get_or_insert_with(|| STEP.to_owned());
    }
    read(what, &over)
}

fn read(what: &str, over: &Overrides) -> Result<Scenario, Refusal> {
    let read = match what.contains("://") {
        true => {
            let over = Overrides {
                url: None,
                ..over.clone()
            };
            Scenario::single(what, &over)
        }
        false => {
            let path = Path::new(what);
            let text = std::fs::read_to_string(path).map_err(|error| {
                format!("`{what}` can't be read: {error} (a URL begins with http:// or https://)")
            })?;
            let folder = path.parent().unwrap_or(Path::new(""));
            Scenario::with(&text, what, folder, over)
        }
    };
    read.map_err(|problems| Refusal::Problems(show(&problems)))
}

fn setup(run: &Run, what: &str) -> Result<Setup, String> {
    let generator = &run.generator;
    let wish = match generator.driver.as_str() {
        "io_uring" => Wish::IoUring,
        "epoll" => Wish::Epoll,
        _ => Wish::Auto,
    };
    let (driver, _) = runtime::probe(wish)?;
    // With fewer descriptors connections fail and say so.
    let _ = runtime::raise_file_limit();
    let available = match &generator.cores {
        Some(list) => args::cores(list)?,
        None => runtime::available_cores(),
    };
    let threads = generator.threads.unwrap_or(available.len()).max(1);
    let cores = match available.is_empty() {
        true => vec![None; threads],
        false => available
            .into_iter()
            .map(Some)
            .cycle()
            .take(threads)
            .collect(),
    };
    let file = Path::new(what).file_stem().and_then(OsStr::to_str);
    let name = match (&run.output.name, what.contains("://"), file) {
        (Some(name), ..) => name.as_str(),
        (None, false, Some(file)) => file,
        (None, ..) => what,
    };
    Ok(Setup {
        name: name.to_owned(),
        command: command_line(),
        rates: run.load.stages.clone().or_else(|| run.load.rate.clone()),
        cores,
        driver,
        pipeline: run.load.pipeline,
        client: match run.protocol.h2_client.as_str() {
            "crate" => Client::Crate,
            _ => Client::Own,
        },
    })
}

/// The command line, so that it can be typed again.
fn command_line() -> String {
    let quoted = |argument: String| {
        let plain = |it: char| it.is_alphanumeric() || "-_./:=,%@+[]".contains(it);
        match !argument.is_empty() && argument.chars().all(plain) {
            true => argument,
            false => format!("'{}'", argument.replace('\'', "'\\''")),
        }
    };
    let arguments = std::env::args_os().skip(1);
    let arguments = arguments.map(|it| quoted(it.to_string_lossy().into_owned()));
    std::iter::once("portcullis-load".to_owned())
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}

fn quest(run: &Run, scenario: &Scenario) -> Result<Quest, String> {
    let (from, step) = match &scenario.load {
        Load::Open { stages, .. } => stages
            .first()
            .map_or((1000.0, Duration::from_secs(5)), |stage| {
                (stage.from_rate, stage.duration)
            }),
        Load::Closed { .. } => return Err("--sweep needs a rate to begin with".to_owned()),
    };
    let percent = run.sweep.precision;
    if !(0.1..=100.0).contains(&percent) {
        return Err(format!(
            "--precision {percent} is not from 0.1 to 100 per cent"
        ));
    }
    Ok(Quest {
        until: run.sweep.until.clone(),
        promise: Threshold::until(&run.sweep.until).map_err(|why| format!("--until: {why}"))?,
        from: from.max(1.0),
        step,
        precision: percent / 100.0,
    })
}

fn serve(options: &origin::Options) -> Result<u8, Refusal> {
    origin::run(options).map_err(|error| format!("the origin on {}: {error}", options.listen))?;
    Ok(0)
}

fn compared(files: &args::Compare) -> Result<u8, Refusal> {
    let mut runs = Vec::with_capacity(files.runs.len());
    for file in &files.runs {
        let stem = file.file_stem().unwrap_or(file.as_os_str());
        runs.push((stem.to_string_lossy().into_owned(), saved(file)?));
    }
    let runs = compare::names(runs);
    if let Some(file) = &files.html {
        write(file, &html::comparison(&runs))?;
    }
    print(&compare::text(&runs))?;
    Ok(0)
}

fn reported(report: &args::Report) -> Result<u8, Refusal> {
    let results = saved(&report.run)?;
    match &report.html {
        Some(file) => write(file, &html::report(&results))?,
        None => print(&text::text(&results))?,
    }
    Ok(0)
}

fn keys(jwks: &args::Jwks) -> Result<u8, Refusal> {
    let scenario = read(&jwks.file.to_string_lossy(), &Overrides::default())?;
    print(&scenario.jwks())?;
    Ok(0)
}

fn saved(file: &Path) -> Result<Results, String> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| format!("`{shown}`: {error}"))?;
    Results::from_json(&text).map_err(|why| format!("`{shown}`: {why}"))
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    if file == Path::new("-") {
        return print(text);
    }
    std::fs::write(file, text).map_err(|error| format!("`{}`: {error}", file.display()))
}

/// That a file can be written, without changing one that is there.
fn writable(file: &Path) -> Result<(), String> {
    if file == Path::new("-") {
        return Ok(());
    }
    let is_new = !file.exists();
    let opened = OpenOptions::new().append(true).create(true).open(file);
    opened.map_err(|error| format!("`{}`: {error}", file.display()))?;
    if is_new {
        // It was made for this question alone; nobody misses it if it stays.
        let _ = std::fs::remove_file(file);
    }
    Ok(())
}

fn print(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        // Who reads with `head` has seen enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(()),
    }
}
