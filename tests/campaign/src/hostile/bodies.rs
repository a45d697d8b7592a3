//! Bodies of hostile reports: bombs, depth, width, broken text, and text that somebody might run.

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::{Value, json};
use std::io::Write;

/// What a bomb unpacks to, in bytes.
const BOMB: usize = 64 << 20;
/// What a report may have once it is unpacked, in bytes: a little less than is refused.
const FULL: usize = (8 << 20) - 4_096;
/// What `{{ 1234567 * 7654321 }}` comes to where somebody evaluates it.
pub const EVALUATED: &str = "9449772114007";

/// An envelope with this event.
pub fn envelope(event: &[u8]) -> Vec<u8> {
    [b"{}\n{\"type\":\"event\"}\n", event, b"\n"].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::best());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut writer = ZlibEncoder::new(Vec::new(), Compression::best());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

/// A zstd frame of `before`, then `count` times the same byte (RFC 8878: raw and RLE blocks).
fn zstd(before: &[u8], byte: u8, count: usize) -> Vec<u8> {
    const BLOCK: usize = 128 << 10;
    // Magic, a frame header with nothing but a window, and a window of 8 MiB.
    let mut frame = vec![0x28, 0xB5, 0x2F, 0xFD, 0x00, 13 << 3];
    let header = |size: usize, kind: u32, last: bool| {
        let word = (u32::try_from(size).unwrap() << 3) | (kind << 1) | u32::from(last);
        word.to_le_bytes()[..3].to_vec()
    };
    frame.extend(header(before.len(), 0, false));
    frame.extend(before);
    let mut left = count;
    while left > 0 {
        let size = left.min(BLOCK);
        left -= size;
        frame.extend(header(size, 1, left == 0));
        frame.push(byte);
    }
    frame
}

/// 64 MiB of nothing in each of four encodings, which is refused once 8 MiB came out.
pub fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let zeros = vec![0; BOMB];
    // 64 MiB of zeros, by the reference encoder.
    let brotli = "z///f/gnAOKxQCD3/p/////wTwDEYGQA7v0/////4Z8AiMMiAN37//z//8c/ARCHBQC69/8=";
    use base64::Engine as _;
    let brotli = base64::engine::general_purpose::STANDARD.decode(brotli).unwrap();
    vec![("gzip", gzip(&zeros)), ("deflate", zlib(&zeros)), ("br", brotli), ("zstd", zstd(b"", 0, BOMB))]
}

/// Some kilobytes of gzip that are millions of numbers where a list of this kind belongs.
pub fn numbers(before: &str, after: &str) -> Vec<u8> {
    let count = (FULL - before.len() - after.len()) / 2;
    let text = format!("{before}{}{after}", "1,".repeat(count).trim_end_matches(','));
    gzip(&envelope(text.as_bytes()))
}

/// A report of so many frames.
pub fn frames(count: usize) -> Vec<u8> {
    let frame = json!({"filename": "shop/r0.py", "function": "f", "lineno": 2});
    let event = json!({"exception": {"values": [{"type": "E", "stacktrace": {"frames": vec![frame; count]}}]}});
    envelope(event.to_string().as_bytes())
}

/// Nearly 8 MiB of opened lists, in two kilobytes of zstd.
pub fn depth() -> Vec<u8> {
    zstd(b"{}\n{\"type\":\"event\"}\n{\"extra\":", b'[', FULL)
}

/// An object of so many keys.
pub fn keys(count: usize) -> Vec<u8> {
    let pairs: Vec<String> = (0..count).map(|n| format!("\"k{n}\":{n}")).collect();
    envelope(format!("{{\"extra\":{{{}}}}}", pairs.join(",")).as_bytes())
}

/// Text that is no text: lone surrogates, bytes that are no UTF-8, NUL.
pub fn broken_text() -> Vec<Vec<u8>> {
    let with = |value: &[u8]| {
        let before = b"{\"exception\":{\"values\":[{\"type\":\"E\",\"value\":\"".as_slice();
        envelope(&[before, value, b"\"}]}}"].concat())
    };
    vec![
        with(b"\\ud800"),
        with(b"\\udfff\\ud800"),
        with(b"\xff\xfe\xc3\x28\xed\xa0\x80"),
        with(b"\\u0000"),
        with(b"\x00"),
    ]
}

/// Reports at lines of a repository whose every text wants to be run, opened or followed.
pub fn trickery(event: &Value) -> Vec<Vec<u8>> {
    let texts = [
        "{{ 1234567 * 7654321 }}",
        "${1234567 * 7654321} #{1234567 * 7654321} <%= 1234567 * 7654321 %>",
        "'; DROP TABLE lines; --",
        "\" OR 1=1; DELETE FROM lines; --",
        "<script>alert(1)</script>",
        "../../../../../../etc/passwd",
        "$(cat /etc/passwd) `cat /etc/passwd` | cat /etc/passwd",
        "{% include '/etc/passwd' %}",
        "file:///etc/passwd",
        "\r\nBcc: everybody@example.com\r\n\r\nforged",
    ];
    let mut all = Vec::new();
    for (n, text) in texts.iter().enumerate() {
        let mut said = event.clone();
        said["exception"]["values"][0]["type"] = (*text).into();
        said["exception"]["values"][0]["value"] = (*text).into();
        for name in ["environment", "server_name", "transaction", "logger", "message"] {
            said[name] = (*text).into();
        }
        said["tags"] = json!({ *text: *text });
        said["release"] = if n % 2 == 0 { (*text).into() } else { said["release"].clone() };
        all.push(envelope(said.to_string().as_bytes()));
        let mut path = said.clone();
        let frame = &mut path["exception"]["values"][0]["stacktrace"]["frames"][0];
        for name in ["filename", "abs_path", "function", "context_line", "module"] {
            frame[name] = (*text).into();
        }
        all.push(envelope(path.to_string().as_bytes()));
    }
    all
}
