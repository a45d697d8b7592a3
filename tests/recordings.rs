//! Every recorded request of a real client, replayed against the crate `wire`.

use domain::report::{Frame, MESSAGE_KIND, Platform};
use domain::timestamp::Timestamp;
use serde_json::Value;
use std::path::Path;
use wire::sentry_event::{Event, MAX_INNER_FRAMES, MAX_OUTER_FRAMES, fingerprint_of};
use wire::{auth, encoding, sentry, sentry_event};

/// How many requests were recorded: none may get lost, or be skipped.
const RECORDED: usize = 78;

/// Recordings that carry an event.
const WITH_EVENT: usize = 48;

/// The key in the DSN of all recordings.
const KEY: &str = "b9c0ffee00000000000000000000cafe";

/// One recorded request, and what its entry in INDEX.json says is in it.
pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    /// In the order sent.
    pub(crate) headers: Vec<(String, String)>,
    /// As sent: compressed, without chunked framing.
    pub(crate) body: Vec<u8>,
    pub(crate) index: Value,
}

impl Recording {
    /// A header's value, whatever the case of its name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The query without `?`.
    pub(crate) fn query(&self) -> Option<&str> {
        self.path.split_once('?').map(|(_, query)| query)
    }

    /// Whether the body is a bare event, as old clients send it to `/store/`.
    pub(crate) fn is_store(&self) -> bool {
        self.path.contains("/store/")
    }

    /// The body, decompressed.
    pub(crate) fn plain(&self) -> Vec<u8> {
        encoding::decode(self.header("content-encoding"), &self.body, encoding::MAX_DECODED).unwrap().into_owned()
    }
}

/// All recordings, by name.
pub(crate) fn recordings() -> Vec<Recording> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/envelopes");
    let index: Value = serde_json::from_slice(&std::fs::read(folder.join("INDEX.json")).unwrap()).unwrap();
    let entries = index.as_object().unwrap();
    entries
        .iter()
        .map(|(name, entry)| {
            let http = std::fs::read(folder.join(format!("{name}.http.json"))).unwrap();
            let http: Value = serde_json::from_slice(&http).unwrap();
            Recording {
                name: name.clone(),
                method: http["method"].as_str().unwrap().to_owned(),
                path: http["path"].as_str().unwrap().to_owned(),
                headers: serde_json::from_value(http["headers"].clone()).unwrap(),
                body: std::fs::read(folder.join(format!("{name}.body"))).unwrap(),
                index: entry.clone(),
            }
        })
        .collect()
}

/// The JSON of the event in this plain body, if there is one.
fn event_json<'a>(recording: &Recording, plain: &'a [u8]) -> Option<&'a [u8]> {
    if recording.is_store() { Some(plain) } else { sentry::envelope(plain).unwrap().event }
}

fn parse<'a>(json: &'a [u8], scratch: &'a mut String) -> Event<'a> {
    sentry_event::parse(json, scratch).unwrap()
}

#[test]
fn every_body_is_there_and_indexed() {
    let recordings = recordings();
    assert_eq!(recordings.len(), RECORDED);
    assert_eq!(recordings.iter().filter(|recording| recording.index["event"].is_object()).count(), WITH_EVENT);
    assert!(recordings.iter().all(|recording| recording.method == "POST"));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/envelopes");
    let bodies = std::fs::read_dir(folder)
        .unwrap()
        .filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "body"))
        .count();
    assert_eq!(bodies, RECORDED);
}

#[test]
fn every_recording_decompresses() {
    for recording in recordings() {
        assert_eq!(recording.header("content-encoding"), recording.index["encoding"].as_str(), "{}", recording.name);
        assert_eq!(recording.body.len() as u64, recording.index["wire"].as_u64().unwrap(), "{}", recording.name);
        let plain = recording.plain();
        assert_eq!(plain.len() as u64, recording.index["plain"].as_u64().unwrap(), "{}", recording.name);
        let limit = plain.len() - 1;
        let error = encoding::decode(recording.header("content-encoding"), &recording.body, limit).unwrap_err();
        assert_eq!(error, wire::WireError::TooLarge { limit }, "{}", recording.name);
    }
}

#[test]
fn every_recording_shows_its_key() {
    for recording in recordings() {
        let plain = recording.plain();
        let dsn = if recording.is_store() { None } else { sentry::envelope(&plain).unwrap().dsn };
        let found = auth::find(
            recording.query(),
            recording.header("x-sentry-auth"),
            recording.header("authorization"),
            dsn.as_deref(),
        );
        let found = found.unwrap_or_else(|| panic!("{}: no key", recording.name));
        assert_eq!(found.key, KEY, "{}", recording.name);
    }
}

#[test]
fn every_envelope_has_the_items_that_its_index_names() {
    for recording in recordings() {
        let plain = recording.plain();
        let expected: Vec<&str> =
            recording.index["items"].as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect();
        if !recording.is_store() {
            let items: Vec<String> =
                sentry::items(&plain).unwrap().map(|item| item.unwrap().kind.into_owned()).collect();
            assert_eq!(items, expected, "{}", recording.name);
        }
        let event = event_json(&recording, &plain);
        assert_eq!(event.is_some(), expected.contains(&"event"), "{}", recording.name);
        assert_eq!(event.is_some(), recording.index["event"].is_object(), "{}", recording.name);
    }
}

/// `[filename, function, line]` of a frame, as the index has it.
fn place(frame: Option<&Frame>) -> Value {
    frame.map_or(Value::Null, |frame| serde_json::json!([frame.filename, frame.function, frame.line]))
}

/// Recordings of Ruby with methods in C among the frames: how many were sent, and how many are
/// kept.
const METHODS_IN_C: [(&str, usize, usize); 2] = [("ruby_rake_thread", 3, 2), ("ruby_sinatra_cause", 47, 42)];

#[test]
fn every_event_is_what_its_index_says() {
    let mut seen = 0;
    for recording in recordings() {
        let name = &recording.name;
        let plain = recording.plain();
        let Some(json) = event_json(&recording, &plain) else { continue };
        seen += 1;
        let mut scratch = String::new();
        let event = parse(json, &mut scratch);
        let expected = &recording.index["event"];
        let text = |field: &str| expected[field].as_str();
        assert_eq!(event.event_id().as_deref(), text("event_id"), "{name}");
        // raven sends Python's number for `error`; Rust leaves `error` out.
        let level = if expected["level"] == 40 { "error" } else { text("level").unwrap_or("error") };
        assert_eq!(event.level(), level, "{name}");
        let platform = match text("platform").unwrap() {
            "python" => Platform::Python,
            "javascript" => Platform::Javascript,
            "node" => Platform::Node,
            "native" => Platform::Native,
            "ruby" => Platform::Ruby,
            "go" => Platform::Go,
            other => panic!("{name}: {other}"),
        };
        assert_eq!(event.platform(), platform, "{name}");
        assert_eq!(event.environment(), text("environment").unwrap_or_default(), "{name}");
        assert_eq!(event.server_name(), text("server_name").unwrap_or_default(), "{name}");
        assert_eq!(event.batched().count, 1, "{name}");
        let fingerprint = event.fingerprint(&event.batched());
        let exceptions = recording.index["exceptions"].as_array().unwrap();
        let typed = exceptions.iter().any(|exception| exception["type"].is_string());
        assert_eq!(event.is_error(), typed || matches!(level, "error" | "fatal"), "{name}");

        let report = event.into_report();
        assert_eq!(fingerprint_of(&report), fingerprint, "{name}");
        assert_eq!(report.event_id.as_str(), text("event_id").unwrap(), "{name}");
        assert_eq!((report.level.as_str(), report.platform), (level, platform), "{name}");
        assert_eq!(report.release.as_deref(), text("release"), "{name}");
        assert_eq!(report.environment.as_deref(), text("environment"), "{name}");
        assert_eq!(report.server_name.as_deref(), text("server_name"), "{name}");
        assert_eq!(report.transaction.as_deref(), text("transaction"), "{name}");
        assert_eq!(report.logger.as_deref(), text("logger"), "{name}");
        // All recordings were made on one day.
        let day = Timestamp::from_millis(1_795_305_600_000)..Timestamp::from_millis(1_795_392_000_000);
        assert!(report.timestamp.is_some_and(|at| day.contains(&at)), "{name}: {:?}", report.timestamp);
        assert!(report.sdk.as_deref().is_some_and(|sdk| sdk.contains('/')), "{name}: {:?}", report.sdk);

        if exceptions.is_empty() {
            let [message] = report.exceptions.as_slice() else { panic!("{name}: {:?}", report.exceptions) };
            assert_eq!(message.kind, MESSAGE_KIND, "{name}");
            assert!(message.value.as_deref().is_some_and(|value| !value.is_empty()), "{name}");
            continue;
        }
        assert_eq!(report.exceptions.len(), exceptions.len(), "{name}");
        for (exception, expected) in report.exceptions.iter().zip(exceptions) {
            assert_eq!(exception.kind, expected["type"].as_str().unwrap_or(MESSAGE_KIND), "{name}");
            let frames = usize::try_from(expected["frames"].as_u64().unwrap()).unwrap();
            if name == "rs_panic" {
                // Cut: 17 frames of the panic and of the client. All that the index calls innermost
                // is theirs.
                assert_eq!((frames, exception.frames.len()), (43, 26));
                let last = serde_json::json!(["pricing.rs", "shop_worker::pricing::discount"]);
                assert_eq!(place(exception.frames.last()).as_array().unwrap()[..2], last.as_array().unwrap()[..]);
                continue;
            }
            // Ruby's methods in C, which have their callers' places, are no frames.
            if let Some((_, sent, kept)) = METHODS_IN_C.iter().find(|(recording, ..)| *recording == name) {
                assert_eq!((frames, exception.frames.len()), (*sent, *kept), "{name}");
                continue;
            }
            assert_eq!(exception.frames.len(), frames.min(MAX_INNER_FRAMES + MAX_OUTER_FRAMES), "{name}");
            assert_eq!(place(exception.frames.last()), expected["last"], "{name}");
            let in_app = exception.frames.iter().rev().find(|frame| frame.in_app == Some(true));
            assert_eq!(place(in_app), expected["last_in_app"], "{name}");
        }
    }
    assert_eq!(seen, WITH_EVENT);
}

/// Report of the recording with this name.
fn report(name: &str) -> domain::report::Report {
    let recording = recordings().into_iter().find(|recording| recording.name == name).unwrap();
    let plain = recording.plain();
    let mut scratch = String::new();
    parse(event_json(&recording, &plain).unwrap(), &mut scratch).into_report()
}

#[test]
fn groups_keep_their_shape() {
    let python = report("py_exception_group");
    let [member, group] = python.exceptions.as_slice() else { panic!("{:?}", python.exceptions) };
    assert!(group.is_group && !member.is_group);
    assert_eq!((group.id, member.parent), (Some(0), Some(0)));
    assert_eq!(member.source.as_deref(), Some("exceptions[0]"));
    let node = report("node_aggregate_error-2");
    assert!(node.exceptions.last().unwrap().is_group);
}

#[test]
fn messages_bring_their_stack() {
    let rust = report("rs_message_stacktrace");
    let [message] = rust.exceptions.as_slice() else { panic!("{:?}", rust.exceptions) };
    assert_eq!(message.value.as_deref(), Some("order placed twice"));
    assert_eq!(message.frames.last().unwrap().function.as_deref(), Some("shop_worker::main"));
    let python = report("py_logging_message_only");
    assert_eq!(python.exceptions[0].value.as_deref(), Some("stock of A-1 is negative: -3"));
    assert_eq!(python.message.as_deref(), Some("stock of %s is negative: %d"));
    assert!(python.exceptions[0].frames.is_empty());
}

#[test]
fn what_a_reader_wants_is_kept() {
    let flask = report("py_flask_error");
    let request = flask.request.as_ref().unwrap();
    assert!(request.url.is_some() && request.method.is_some() && !request.headers.is_empty(), "{request:?}");
    let last = flask.raised().unwrap().frames.last().unwrap();
    assert!(!last.vars.is_empty() && !last.pre_context.is_empty() && !last.post_context.is_empty(), "{last:?}");
    assert!(last.context_line.is_some());
    assert_eq!(flask.raised().unwrap().handled, Some(false));
    for name in ["trace", "runtime"] {
        assert!(flask.additional.get("contexts").is_none_or(|contexts| contexts.get(name).is_none()), "{name}");
    }
    assert_eq!(report("py_legacy_raven_6_10").timestamp, Some(Timestamp::from_millis(1_795_347_112_000)));
}

#[test]
fn damaged_requests_are_answered_not_panicked_at() {
    let (mut refused, mut taken) = (0, 0);
    for recording in recordings() {
        let plain = recording.plain();
        // Prime steps, so that the damage falls into all parts of the grammar in turn.
        for at in (0..plain.len().min(20_000)).step_by(197) {
            let mut flipped = plain.clone();
            flipped[at] ^= b"\x04\x80\x02\x27"[at % 4];
            for damaged in [&plain[..at], flipped.as_slice()] {
                let json = if recording.is_store() {
                    Ok(Some(damaged))
                } else {
                    sentry::envelope(damaged).map(|envelope| envelope.event)
                };
                let mut scratch = String::new();
                match json.and_then(|json| json.map(|json| sentry_event::parse(json, &mut scratch)).transpose()) {
                    Ok(Some(event)) => {
                        let fingerprint = event.fingerprint(&event.batched());
                        assert_eq!(
                            fingerprint_of(&event.into_report()),
                            fingerprint,
                            "{} damaged at {at}",
                            recording.name
                        );
                        taken += 1;
                    }
                    Ok(None) => {}
                    Err(error) => {
                        assert!(!error.to_string().is_empty());
                        refused += 1;
                    }
                }
            }
            // Damage before decompression: any answer will do, as long as there is one.
            if let Some(wire) = recording.body.get(..at) {
                let _ = encoding::decode(recording.header("content-encoding"), wire, encoding::MAX_DECODED);
            }
        }
    }
    assert!(refused > 100 && taken > 100, "{refused} refused, {taken} taken");
}
