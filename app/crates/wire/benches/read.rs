//! What reading a report costs, up to its fingerprint: `cargo bench -p wire --bench read`. Each
//! recorded request of `tests/data/envelopes` that brings an error, and the one that
//! `tests/bench` repeats; beside it, what serde_json takes to pass over the same event.
//!
//! An argument names the requests that are read (`py_flask`); `FLAWLESS_BENCH_ROUNDS` says how
//! often.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench measures time and prints what it finds")]
#![expect(clippy::unwrap_used, reason = "a bench that can't go on says so and ends")]

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;
use wire::encoding::{MAX_DECODED, decode};
use wire::{sentry, sentry_event};

/// What clients sent: a body, and beside it the request's head.
const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/data/envelopes");

/// Series of rounds that are measured.
const SERIES: u32 = 50;
/// What `tests/bench` makes its requests of.
const USUAL: &str = "py_flask_error";

/// A recorded request.
struct Request {
    name: String,
    encoding: Option<String>,
    body: Vec<u8>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let usual = if std::env::args().any(|argument| argument == "--bench") { 5_000 } else { 3 };
    let rounds = std::env::var("FLAWLESS_BENCH_ROUNDS").map_or(usual, |rounds| rounds.parse().unwrap());
    let is_meant = |name: &str| arguments.is_empty() || arguments.iter().any(|argument| name.contains(argument));
    println!("{:<36} {:>7} {:>9} {:>9} {:>11} {:>9}", "", "bytes", "unpack", "parse", "fingerprint", "of serde");
    let mut all = [0.0; 4];
    for request in recorded().iter().filter(|request| is_meant(&request.name)) {
        let Some((bytes, times)) = measured(request, rounds) else { continue };
        print(&request.name, bytes, times);
        all = std::array::from_fn(|at| all[at] + times[at]);
    }
    print("all of them", 0, all);
}

fn print(name: &str, bytes: usize, [unpack, parse, fingerprint, skip]: [f64; 4]) {
    let ratio = (parse + fingerprint) / skip;
    println!("{name:<36} {bytes:>7} {unpack:>6.0} ns {parse:>6.0} ns {fingerprint:>8.0} ns {ratio:>9.2}");
}

/// Bytes of the event, and nanoseconds of unpacking, parsing, fingerprint, and of serde_json.
fn measured(request: &Request, rounds: u32) -> Option<(usize, [f64; 4])> {
    let unpacked = || decode(request.encoding.as_deref(), &request.body, MAX_DECODED).unwrap();
    let bytes = unpacked();
    let event = sentry::envelope(&bytes).ok()?.event?;
    let (mut scratch, mut other) = (String::new(), String::new());
    let parsed = sentry_event::parse(event, &mut scratch).unwrap();
    if !parsed.is_error() {
        return None;
    }
    let unpack = nanoseconds(rounds, || drop(black_box(unpacked())));
    let parse = nanoseconds(rounds, || {
        let envelope = sentry::envelope(black_box(&bytes)).unwrap();
        drop(black_box(sentry_event::parse(envelope.event.unwrap(), &mut other)));
    });
    let fingerprint = nanoseconds(rounds, || {
        let event = black_box(&parsed);
        let batched = event.batched();
        black_box((event.event_id(), event.fingerprint(&batched), event.members(&batched)));
    });
    let skip = nanoseconds(rounds, || drop(black_box(serde_json::from_slice::<IgnoredAny>(black_box(event)))));
    Some((event.len(), [unpack, parse, fingerprint, skip]))
}

/// What one costs, of the quickest of some series: what else runs makes others slower.
fn nanoseconds(rounds: u32, mut work: impl FnMut()) -> f64 {
    let rounds = rounds.div_ceil(SERIES);
    let series = (0..SERIES).map(|_| {
        let began = Instant::now();
        (0..rounds).for_each(|_| work());
        began.elapsed().as_secs_f64() * 1e9 / f64::from(rounds)
    });
    series.fold(f64::INFINITY, f64::min)
}

/// All requests, by name.
fn recorded() -> Vec<Request> {
    let files = std::fs::read_dir(RECORDED).unwrap().map(|file| file.unwrap().path());
    let mut requests: Vec<Request> =
        files.filter(|path| path.extension().is_some_and(|suffix| suffix == "body")).map(|path| read(&path)).collect();
    requests.sort_by(|one, other| one.name.cmp(&other.name));
    let flask = requests.iter().find(|request| request.name == USUAL).unwrap();
    requests.push(usual(flask));
    requests
}

fn read(body: &Path) -> Request {
    let head = std::fs::read(body.with_extension("http.json")).unwrap();
    let head: Value = serde_json::from_slice(&head).unwrap();
    let headers: Vec<[String; 2]> = serde_json::from_value(head["headers"].clone()).unwrap();
    let encoding = headers.into_iter().find(|[name, _]| name.eq_ignore_ascii_case("content-encoding"));
    Request {
        name: body.file_stem().unwrap().to_string_lossy().into_owned(),
        encoding: encoding.map(|[_, value]| value),
        body: std::fs::read(body).unwrap(),
    }
}

/// The request that `tests/bench` repeats: what sentry-python sends of a Flask view, with
/// the code around the library's frames, which the recording has not.
fn usual(recorded: &Request) -> Request {
    let bytes = decode(recorded.encoding.as_deref(), &recorded.body, MAX_DECODED).unwrap();
    let event = sentry::envelope(&bytes).unwrap().event.unwrap();
    let mut event: Value = serde_json::from_slice(event).unwrap();
    let frames = event["exception"]["values"][0]["stacktrace"]["frames"].as_array_mut().unwrap();
    for (at, frame) in frames.iter_mut().enumerate().filter(|(_, frame)| frame["in_app"] == json!(false)) {
        let code = |n: usize| json!(format!("        response_{n} = self.handler_{at}(request_{n}, options[{n}])"));
        frame["pre_context"] = (0..5).map(code).collect();
        frame["context_line"] = code(5);
        frame["post_context"] = (6..11).map(code).collect();
    }
    let event = event.to_string();
    let head = json!({"type": "event", "length": event.len()});
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    write!(encoder, "{{}}\n{head}\n{event}\n").unwrap();
    Request { name: "usual".to_owned(), encoding: Some("gzip".to_owned()), body: encoder.finish().unwrap() }
}
