//! Reports of Sentry's clients: their compression, their framing, and the event within.

use domain::report::{Report, UNCUT};
use domain::scrub::{Rules, scrub};
use wire::encoding::decode;
use wire::sentry;
use wire::sentry_event::{
    MAX_EXCEPTIONS, MAX_INNER_FRAMES, MAX_MESSAGE, MAX_OUTER_FRAMES, MAX_TEXT, fingerprint_of, parse,
};

/// What may come out of a body here, in bytes: less than in the program, so that a limit is met
/// soon.
const LIMIT: usize = 64 * 1024;
/// By the first byte.
const ENCODINGS: [&str; 6] = ["gzip", "deflate", "br", "zstd", "identity", "gzip, br"];

/// The first byte says which encoding the others are in. What comes out is within the limit.
pub(super) fn encoding(data: &[u8]) {
    let Some((first, body)) = data.split_first() else { return };
    let encoding = ENCODINGS[usize::from(*first) % ENCODINGS.len()];
    if let Ok(text) = decode(Some(encoding), body, LIMIT) {
        assert!(text.len() <= LIMIT, "{} bytes came out of {encoding}", text.len());
    }
}

/// No byte is in two items, and the event is the first item that is one.
pub(super) fn envelope(data: &[u8]) {
    let _ = sentry::dsn(data);
    let Ok(items) = sentry::items(data) else {
        assert!(sentry::envelope(data).is_err(), "an envelope without a header was read");
        return;
    };
    let (mut bytes, mut first_event) = (0, None);
    for item in items {
        let Ok(item) = item else { break };
        bytes += item.payload.len();
        if item.kind == "event" && first_event.is_none() {
            first_event = Some(item.payload);
        }
    }
    assert!(bytes <= data.len(), "{bytes} bytes of items in {}", data.len());
    if let Ok(read) = sentry::envelope(data) {
        assert_eq!(read.event, first_event, "another event than the first");
        if let Some(read) = read.event {
            event(read);
        }
    }
}

/// What a line of its own says, whatever stands before it.
const PLANTED: &str = "Kd83hQ0x7wLm9Rt4";

/// Hides a report's secrets. Fails where one that stands in a line of its own, behind what came, is
/// shown.
pub(super) fn assert_scrubbed(mut report: Report) -> Report {
    let shown = |report: &Report| serde_json::to_string(report).unwrap().contains(PLANTED);
    if shown(&report) {
        // The fuzzer has read it in this program, and says it elsewhere.
        return report;
    }
    let planted = |text: &mut String| text.push_str(&format!("\npassword={PLANTED}\n"));
    report.exceptions.iter_mut().filter_map(|exception| exception.value.as_mut()).for_each(planted);
    report.message.as_mut().map(planted);
    scrub(&mut report, Rules::built_in());
    assert!(!shown(&report), "a secret is shown: {report:?}");
    report
}

/// What is kept of an event is within its limits, it is known again by its report's fingerprint,
/// and its secrets are hidden.
pub(super) fn event(data: &[u8]) {
    let mut scratch = String::new();
    let Ok(read) = parse(data, &mut scratch) else { return };
    let fingerprint = read.fingerprint(&read.batched());
    let report = read.into_report();
    assert_within_limits(&report);
    assert_eq!(fingerprint, fingerprint_of(&report), "the report has another fingerprint than its event");
    let report = assert_scrubbed(report);
    let stored = serde_json::to_vec(&report).unwrap();
    let read_again: Report = serde_json::from_slice(&stored).unwrap();
    assert_eq!(read_again, report, "it is stored otherwise");
}

/// Fails where more is kept of a report than the limits allow.
pub(super) fn assert_within_limits(report: &Report) {
    assert!(report.exceptions.len() <= MAX_EXCEPTIONS, "{} exceptions", report.exceptions.len());
    for exception in &report.exceptions {
        assert!(exception.frames.len() <= MAX_INNER_FRAMES + MAX_OUTER_FRAMES, "{} frames", exception.frames.len());
        let message = exception.value.as_ref().map_or(0, String::len);
        // It is cut when it is scrubbed.
        assert!(message <= MAX_MESSAGE + UNCUT, "a message of {message} bytes");
        for frame in &exception.frames {
            for text in [&frame.filename, &frame.abs_path, &frame.function, &frame.context_line].into_iter().flatten() {
                assert!(text.len() <= MAX_TEXT + UNCUT, "a text of {} bytes", text.len());
            }
        }
    }
}
