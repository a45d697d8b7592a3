//! One report over HTTP, and what the server says to it.

use std::io::Read;
use std::time::Duration;

use super::parcel::Parcel;
use crate::transport;

/// Bytes read of an answer: the server's own are one sentence, a proxy's page tells nothing more
/// further down.
const ANSWER_BYTES: u64 = 4096;

/// Characters shown of what a server says that is no Flawless.
const WORDS: usize = 300;

/// Refusals that may be over later: too slow, too early, too many.
const PASSING: [u16; 3] = [408, 425, 429];

/// What became of a report.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The server has it.
    Accepted,
    /// The server does not want it, and will not want it later; its words.
    Refused(String),
    /// It did not arrive, and may later; why.
    Failed(String),
}

/// Sends a report, for at most that long.
pub(super) fn post(parcel: &Parcel, at_most: Duration) -> Outcome {
    let sent = transport::agent(at_most)
        .post(parcel.url())
        .config()
        .http_status_as_error(false)
        // A redirected POST becomes a GET, which the page behind it may well answer with 200.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build()
        .header("Authorization", &format!("Bearer {}", parcel.dsn.public_key()))
        .header("Content-Type", "text/plain")
        .header("User-Agent", concat!("flawless-report/", env!("CARGO_PKG_VERSION")))
        .send(&parcel.text[..]);
    let mut answer = match sent {
        Ok(answer) => answer,
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    let status = answer.status();
    if status.is_success() {
        return Outcome::Accepted;
    }
    let mut body = Vec::new();
    // What does not come is not shown; the status says enough.
    let _ = answer.body_mut().as_reader().take(ANSWER_BYTES).read_to_end(&mut body);
    let words = words(status.as_u16(), &String::from_utf8_lossy(&body));
    if status.is_client_error() && !PASSING.contains(&status.as_u16()) {
        Outcome::Refused(words)
    } else {
        Outcome::Failed(words)
    }
}

/// The sentence of a Flawless server; of any other, the status with the beginning of what it says.
fn words(status: u16, body: &str) -> String {
    let detail = serde_json::from_str::<serde_json::Value>(body).ok();
    let detail = detail.as_ref().and_then(|answer| answer["detail"].as_str());
    // It may end in a terminal: nothing but text, in one line.
    let plain = detail.unwrap_or(body).split(|c: char| c.is_whitespace() || c.is_control());
    let plain = plain.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let said: String = plain.chars().take(if detail.is_some() { usize::MAX } else { WORDS }).collect();
    if said.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {said}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_quoted_in_one_line() {
        assert_eq!(
            words(403, r#"{"detail":"the key is not one of this project's keys"}"#),
            "HTTP 403: the key is not one of this project's keys"
        );
        assert_eq!(words(502, "<h1>Bad\u{1b}[31m\n  gateway</h1>"), "HTTP 502: <h1>Bad [31m gateway</h1>");
        assert_eq!(words(500, ""), "HTTP 500");
        assert!(words(500, &"é ".repeat(9000)).chars().count() < WORDS + 20);
    }
}
