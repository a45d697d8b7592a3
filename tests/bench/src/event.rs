//! Requests as sentry-python writes them, made while the load runs: each has an event id of its
//! own, and costs little, because most of it is packed beforehand.
//!
//! A body is one gzip member of four blocks: id and machine (stored), the library's frames (packed
//! once), our frame and its message (stored), and the rest (packed once).

use flate2::write::{DeflateEncoder, GzDecoder};
use flate2::{Compression, Crc};
use serde_json::{Value, json};
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// What sentry-python sent for an unhandled exception in a Flask view.
const RECORDED: &[u8] = include_bytes!("../../data/envelopes/py_flask_error.body");
/// Where the parts of an event that differ stand, in the recorded one.
const FRAME: &str = "@frame@";
const KIND: &str = "@kind@";
const MESSAGE: &str = "@message@";
/// RFC 1952: deflate, no flags, no time, an unknown system.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// Machines that a line fails on.
const MACHINES: u64 = 3;
/// Lines of one function; its second to last fails.
pub(crate) const FUNCTION: usize = 5;
/// Files of the repository.
pub(crate) const FILES: usize = 20;

/// Numbers of all events of this process.
static EVENTS: AtomicU64 = AtomicU64::new(0);

/// The failing lines of a repository, by index. The first `hot` have one shape of report; beyond
/// `lines`, the others fail once more in other shapes, without end.
#[derive(Clone, Copy)]
pub(crate) struct Lines {
    pub(crate) hot: usize,
    pub(crate) lines: usize,
}

/// What all events of a repository have in common.
pub(crate) struct Template {
    lines: Lines,
    /// Differs from process to process, so that no id comes twice on one database.
    run: u64,
    first: Part,
    /// From our frame to the message.
    between: String,
    last: Part,
}

/// A part that is the same in all events.
struct Part {
    text: Vec<u8>,
    packed: Vec<u8>,
}

impl Lines {
    /// Which line fails for an index, and in which shape.
    fn of(self, index: usize) -> (usize, usize) {
        if index < self.lines {
            return (index, 0);
        }
        let others = self.lines - self.hot;
        (self.hot + (index - self.lines) % others, 1 + (index - self.lines) / others)
    }
}

/// Path and number of a failing line.
pub(crate) fn place_of(line: usize) -> (String, usize) {
    (format!("shop/part_{}.py", line % FILES), line / FILES * FUNCTION + FUNCTION - 1)
}

/// The failing line at a place; `None`: not one of ours.
pub(crate) fn line_at(path: &str, number: i64) -> Option<usize> {
    let file: usize = path.strip_prefix("shop/part_")?.strip_suffix(".py")?.parse().ok()?;
    Some(usize::try_from(number).ok()? / FUNCTION * FILES + file)
}

/// The function that a failing line stands in. Nothing in it has to be escaped in JSON.
pub(crate) fn function(line: usize) -> String {
    format!(
        "def settle_{line}(order, rates):\n    total = order.total({line})\n    share = rates.get({line})\n    return total / share[{line}]\n\n"
    )
}

impl Template {
    /// Events of a release.
    pub(crate) fn new(release: &str, lines: Lines) -> Self {
        let mut event = recorded();
        let fields = event.as_object_mut().unwrap();
        for name in ["event_id", "server_name"] {
            fields.remove(name);
        }
        event["release"] = json!(release);
        let exception = &mut event["exception"]["values"][0];
        exception["type"] = json!(KIND);
        exception["value"] = json!(MESSAGE);
        let frames = exception["stacktrace"]["frames"].as_array_mut().unwrap();
        // The recording keeps the library's frames, but not its code.
        for (at, frame) in frames.iter_mut().enumerate().filter(|(_, frame)| frame["in_app"] == json!(false)) {
            let code = |n: usize| json!(format!("        response_{n} = self.handler_{at}(request_{n}, options[{n}])"));
            frame["pre_context"] = (0..5).map(code).collect();
            frame["context_line"] = code(5);
            frame["post_context"] = (6..11).map(code).collect();
        }
        frames.pop();
        frames.push(json!(FRAME));
        let text = event.to_string();
        let (first, rest) = text.split_once(&json!(FRAME).to_string()).unwrap();
        let (between, last) = rest.split_once(MESSAGE).unwrap();
        Self {
            lines,
            run: unix_nanos(),
            // Behind the fields that differ.
            first: Part::new(first.trim_start_matches('{'), false),
            between: between.to_owned(),
            last: Part::new(&format!("{last}\n"), true),
        }
    }

    /// The envelope of an event that never was before, in two texts that differ: before
    /// the library's frames, and our own frame.
    fn differing(&self, index: usize, number: u64) -> (String, String) {
        let (line, shape) = self.lines.of(index);
        let id = format!("{:016x}{:016x}", scrambled(self.run ^ number), number);
        let machine = scrambled(number) % MACHINES;
        let own = format!("{{\"event_id\":\"{id}\",\"server_name\":\"web-{machine}\",");
        let mut frame = frame(line, machine);
        frame.push_str(&self.between.replace(KIND, &kind(shape)));
        frame.push_str(&format!("'NoneType' object is not subscriptable ({line}-{machine})"));
        // The line's end behind the payload is not of it.
        let length = own.len() + self.first.text.len() + frame.len() + self.last.text.len() - 1;
        let head = format!(
            "{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\",\"content_type\":\"application/json\",\"length\":{length}}}\n{own}"
        );
        (head, frame)
    }

    /// The envelope, unpacked, of the next event at an index.
    pub(crate) fn envelope(&self, index: usize) -> Vec<u8> {
        let (head, frame) = self.differing(index, EVENTS.fetch_add(1, Ordering::Relaxed));
        [head.as_bytes(), &self.first.text, frame.as_bytes(), &self.last.text].concat()
    }

    /// Appends the body of the next event at an index, and gives its length.
    pub(crate) fn body(&self, index: usize, body: &mut Vec<u8>) -> usize {
        let (head, frame) = self.differing(index, EVENTS.fetch_add(1, Ordering::Relaxed));
        let before = body.len();
        body.extend(GZIP_HEADER);
        store(body, head.as_bytes());
        body.extend(&self.first.packed);
        store(body, frame.as_bytes());
        body.extend(&self.last.packed);
        let mut crc = Crc::new();
        for text in [head.as_bytes(), &self.first.text, frame.as_bytes(), &self.last.text] {
            crc.update(text);
        }
        body.extend(crc.sum().to_le_bytes());
        body.extend(crc.amount().to_le_bytes());
        body.len() - before
    }
}

impl Part {
    /// `is_last`: nothing follows in the body.
    fn new(text: &str, is_last: bool) -> Self {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text.as_bytes()).unwrap();
        let packed = if is_last {
            encoder.finish().unwrap()
        } else {
            // Ends at a byte, without ending the body.
            encoder.flush().unwrap();
            encoder.get_ref().clone()
        };
        Self { text: text.as_bytes().to_vec(), packed }
    }
}

/// A block as it is (RFC 1951, 3.2.4), after one that ended at a byte; of 65,535 bytes at most.
fn store(body: &mut Vec<u8>, text: &[u8]) {
    let length = u16::try_from(text.len()).unwrap();
    body.push(0);
    body.extend(length.to_le_bytes());
    body.extend((!length).to_le_bytes());
    body.extend(text);
}

fn frame(line: usize, machine: u64) -> String {
    let (path, number) = place_of(line);
    let module = path.trim_end_matches(".py").replace('/', ".");
    format!(
        "{{\"filename\":\"{path}\",\"abs_path\":\"/srv/releases/2026-11-22/{path}\",\"function\":\"settle_{line}\",\
         \"module\":\"{module}\",\"lineno\":{number},\"pre_context\":[\"def settle_{line}(order, rates):\",\
         \"    total = order.total({line})\",\"    share = rates.get({line})\"],\
         \"context_line\":\"    return total / share[{line}]\",\"post_context\":[\"\"],\
         \"vars\":{{\"order\":\"<Order {line}-{machine}>\",\"total\":\"{}\",\"share\":\"None\"}},\"in_app\":true}}",
        line * 7
    )
}

/// The exception's type in a shape. Without digits, which no fingerprint would go by.
fn kind(shape: usize) -> String {
    const SYLLABLES: [&str; 8] = ["bo", "da", "fe", "gu", "ki", "lo", "mu", "ne"];
    let mut text = "TypeError".to_owned();
    let mut rest = shape;
    while rest > 0 {
        text.push_str(SYLLABLES[rest % SYLLABLES.len()]);
        rest /= SYLLABLES.len();
    }
    text
}

/// The recorded event.
fn recorded() -> Value {
    let mut decoder = GzDecoder::new(Vec::new());
    decoder.write_all(RECORDED).unwrap();
    let envelope = String::from_utf8(decoder.finish().unwrap()).unwrap();
    serde_json::from_str(envelope.lines().nth(2).unwrap()).unwrap()
}

/// A number that looks random, always the same for the same number (SplitMix64).
pub(crate) fn scrambled(number: u64) -> u64 {
    let mut bits = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

fn unix_nanos() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(since.unwrap().as_nanos()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use wire::encoding::{MAX_DECODED, decode};
    use wire::{sentry, sentry_event};

    fn template() -> Template {
        Template::new("3f1c9a7", Lines { hot: 10, lines: 250 })
    }

    /// Id and fingerprint of an envelope, as the server reads them.
    fn read(envelope: &[u8]) -> (String, String) {
        let envelope = sentry::envelope(envelope).unwrap();
        let mut scratch = String::new();
        let event = sentry_event::parse(envelope.event.unwrap(), &mut scratch).unwrap();
        assert_eq!(envelope.event_id.as_deref(), event.event_id().as_deref());
        (event.event_id().unwrap(), event.fingerprint(&event.batched()).to_hex())
    }

    #[test]
    fn bodies_are_gzip_of_the_envelope() {
        let template = template();
        let (mut body, mut plain) = (Vec::new(), GzDecoder::new(Vec::new()));
        assert_eq!(template.body(7, &mut body), body.len());
        plain.write_all(&body).unwrap();
        let plain = plain.finish().unwrap();
        assert_eq!(decode(Some("gzip"), &body, MAX_DECODED).unwrap().as_ref(), plain);
        assert_eq!(plain.len(), template.envelope(7).len());
        assert!(body.len() * 2 < plain.len(), "{} of {}", body.len(), plain.len());
        let text = String::from_utf8(plain).unwrap();
        assert!(text.contains("return total / share[7]"), "{text}");
        assert!([FRAME, KIND, MESSAGE].iter().all(|marker| !text.contains(marker)), "{text}");
    }

    #[test]
    fn ids_differ_and_fingerprints_are_the_lines() {
        let template = template();
        let read = |index| read(&template.envelope(index));
        let ids: BTreeSet<String> = (0..100).map(|_| read(3).0).collect();
        assert_eq!(ids.len(), 100);
        let fingerprints: BTreeSet<String> = (0..1_000).map(|index| read(index).1).collect();
        assert_eq!(fingerprints.len(), 1_000);
        assert_eq!(read(999).1, read(999).1);
    }

    #[test]
    fn places_lead_back_to_their_lines() {
        for line in [0, 19, 20, 249, 23_999] {
            let (path, number) = place_of(line);
            assert_eq!(line_at(&path, i64::try_from(number).unwrap()), Some(line));
        }
        assert_eq!(line_at("shop/cart.py", 4), None);
        let lines = Lines { hot: 10, lines: 250 };
        assert_eq!(
            [lines.of(249), lines.of(250), lines.of(489), lines.of(490)],
            [(249, 0), (10, 1), (249, 1), (10, 2)]
        );
    }
}
