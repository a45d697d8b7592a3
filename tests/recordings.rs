//! Requests of real SDKs, replayed to the reader of the wire: nothing that was recorded may be lost or misread.

use app::domain::report::Platform;
use app::wire::encoding::{MAX_UNPACKED_BYTES, decode};
use app::wire::sentry::{Envelope, store_body};
use app::wire::sentry_event::{Event, Kind, readable};
use app::wire::{auth, digest};
use serde_json::{Value, json};
use std::path::PathBuf;

/// All that are in tests/data/envelopes.
const RECORDINGS: usize = 74;
/// Those that hold an event.
const EVENTS: usize = 44;
const KEY: &str = "b9c0ffee00000000000000000000cafe";

struct Recording {
    name: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// What is in it, by INDEX.json.
    entry: Value,
}

impl Recording {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    fn is_store(&self) -> bool {
        self.path.split('?').next().unwrap().ends_with("/store/")
    }

    fn plain(&self) -> Vec<u8> {
        decode(self.header("content-encoding"), &self.body, MAX_UNPACKED_BYTES)
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
            .into_owned()
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/data/envelopes")
}

fn json_file(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder().join(name)).unwrap())
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn recordings() -> Vec<Recording> {
    let Value::Object(index) = json_file("INDEX.json") else { panic!("INDEX.json is an object") };
    let all: Vec<Recording> = index
        .into_iter()
        .map(|(name, entry)| {
            let http = json_file(&format!("{name}.http.json"));
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            Recording {
                path: text(&http["path"]),
                headers: http["headers"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|pair| (text(&pair[0]), text(&pair[1])))
                    .collect(),
                body: std::fs::read(folder().join(format!("{name}.body"))).unwrap(),
                name,
                entry,
            }
        })
        .collect();
    let on_disk = std::fs::read_dir(folder())
        .unwrap()
        .filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().ends_with(".body"));
    assert_eq!((all.len(), on_disk.count()), (RECORDINGS, RECORDINGS), "recordings in the index and on disk");
    all
}

/// Events of all recordings, as JSON.
fn events() -> Vec<(Recording, Vec<u8>)> {
    let with_event = recordings().into_iter().filter(|recording| recording.entry.get("event").is_some());
    let events: Vec<_> = with_event
        .map(|recording| {
            let plain = recording.plain();
            let event = if recording.is_store() {
                store_body(&plain, MAX_UNPACKED_BYTES).unwrap().into_owned()
            } else {
                Envelope::parse(&plain).unwrap().event().unwrap().to_vec()
            };
            (recording, event)
        })
        .collect();
    assert_eq!(events.len(), EVENTS);
    events
}

#[test]
fn every_request_is_unpacked_and_taken_apart() {
    for recording in recordings() {
        let name = &recording.name;
        assert_eq!(recording.header("content-encoding"), recording.entry["encoding"].as_str(), "{name}");
        let plain = recording.plain();
        assert_eq!(json!(plain.len()), recording.entry["plain"], "{name}");
        let (dsn, items) = if recording.is_store() {
            let json = store_body(&plain, MAX_UNPACKED_BYTES).unwrap();
            Event::parse(&readable(&json)).unwrap();
            (None, json!(["event"]))
        } else {
            let envelope = Envelope::parse(&plain).unwrap_or_else(|error| panic!("{name}: {error}"));
            let kinds: Vec<_> = envelope.items.iter().map(|item| item.kind.to_string()).collect();
            (envelope.dsn.map(|dsn| dsn.into_owned()), json!(kinds))
        };
        assert_eq!(items, recording.entry["items"], "{name}");

        let query = recording.path.split_once('?').map(|(_, query)| query);
        let key =
            auth::key(query, recording.header("x-sentry-auth"), recording.header("authorization"), dsn.as_deref());
        assert_eq!(key.as_deref(), Some(KEY), "{name}");
        let in_dsn = dsn.as_deref().and_then(auth::parse_dsn).map(|dsn| dsn.project);
        let project = auth::project_in_path(&recording.path).or(in_dsn);
        let language = name.split('_').next().unwrap();
        let expected = match language {
            "py" => 42,
            "node" => 43,
            "rs" => 44,
            "br" => 45,
            other => panic!("a new kind of recording: {other}"),
        };
        assert_eq!(project, Some(expected), "{name}");
    }
}

#[test]
fn every_event_says_what_its_index_says() {
    for (recording, json) in events() {
        let name = &recording.name;
        let json = readable(&json);
        let event = Event::parse(&json).unwrap_or_else(|error| panic!("{name}: {error}"));
        let entry = &recording.entry;
        let said = &entry["event"];
        assert_eq!(json!(event.event_id()), said["event_id"], "{name}");
        assert_eq!(json!(event.release()), said["release"], "{name}");
        assert_eq!(json!(event.environment()), said["environment"], "{name}");
        assert_eq!(json!(event.server_name()), said["server_name"], "{name}");
        assert_eq!(json!(event.transaction()), said["transaction"], "{name}");
        assert_eq!(json!(event.logger()), said["logger"], "{name}");
        let level = match &said["level"] {
            Value::Null => "error",
            // raven sends the number of Python's logging.
            Value::Number(number) if number.as_u64() == Some(40) => "error",
            other => other.as_str().unwrap(),
        };
        assert_eq!(event.level(), level, "{name}");
        let platform = match said["platform"].as_str().unwrap() {
            "python" => Platform::Python,
            "node" => Platform::Node,
            "javascript" => Platform::Javascript,
            "native" => Platform::Native,
            other => panic!("a new platform: {other}"),
        };
        assert_eq!(event.platform(), platform, "{name}");

        let seen: Vec<Value> = event
            .exceptions
            .kept
            .iter()
            .map(|exception| {
                // The index counts all frames; which of them concern the program is told below.
                let place = |frame: &app::wire::sentry_event::Frame<'_>| {
                    json!([
                        frame.filename.as_deref().or(frame.abs_path.as_deref()),
                        frame.function.as_deref(),
                        frame.line.as_u32()
                    ])
                };
                let frames = exception.frames();
                json!({
                    "type": exception.kind.as_deref(),
                    "frames": frames.len() + exception.omitted(),
                    "last": frames.last().map(place),
                    "last_in_app": frames.iter().rev().find(|frame| frame.in_app.0 == Some(true)).map(place),
                })
            })
            .collect();
        let expected: Vec<Value> = entry["exceptions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|exception| {
                json!({
                    "type": exception["type"],
                    "frames": exception["frames"],
                    "last": exception["last"],
                    "last_in_app": exception["last_in_app"],
                })
            })
            .collect();
        assert_eq!(json!(seen), json!(expected), "{name}");
    }
}

#[test]
fn every_report_keeps_what_concerns_the_program() {
    for (recording, json) in events() {
        let name = &recording.name;
        let json = readable(&json);
        let event = Event::parse(&json).unwrap();
        let (kind, digest, server) = (event.kind(), event.digest(), event.server_name().map(str::to_owned));
        assert_eq!(digest, Event::parse(&json).unwrap().digest(), "{name}");
        let report = event.into_report();
        assert_eq!(digest::digest_of(&report), digest, "{name}: both ways to the digest agree");
        assert_eq!(report.server_name, server, "{name}");
        assert!(report.timestamp_ms.is_some_and(|ms| (1_795_000_000_000..1_796_000_000_000).contains(&ms)), "{name}");
        assert_eq!(report.count, 1, "{name}");
        assert!(report.sdk.as_deref().is_some_and(|sdk| sdk.contains('/')), "{name}: {:?}", report.sdk);
        // Warnings that are mere messages are no errors; all else is.
        let is_message = matches!(name.as_str(), "node_message-2" | "rs_message" | "rs_message_stacktrace");
        assert_eq!(kind, if is_message { Kind::NotAnError } else { Kind::Error }, "{name}");
        assert!(serde_json::to_vec(&report).unwrap().len() <= app::wire::limits::REPORT_BYTES, "{name}");
        let frames = report.exceptions.iter().map(|exception| exception.frames.len());
        let indexed =
            recording.entry["exceptions"].as_array().unwrap().iter().map(|exception| exception["frames"].as_u64());
        if name != "rs_panic" {
            assert!(frames.map(|frames| Some(frames as u64)).eq(indexed), "{name}");
        }
    }
}

#[test]
fn a_panic_ends_where_the_program_panicked() {
    let (_, json) = events().into_iter().find(|(recording, _)| recording.name == "rs_panic").unwrap();
    let report = Event::parse(&readable(&json)).unwrap().into_report();
    let frames = &report.exceptions[0].frames;
    let last = frames.last().unwrap();
    assert_eq!(last.function.as_deref(), Some("shop_worker::pricing::discount"));
    assert_eq!(last.abs_path.as_deref(), Some("/srv/releases/2026-11-22/rust/src/pricing.rs"));
    assert_eq!((last.line, frames.len()), (Some(4), 26));
}
