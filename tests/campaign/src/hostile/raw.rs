//! The least of HTTP: bytes are written as they are, and what comes back is read until it ends.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Of the first answer; 0: the connection was closed without one, 1: neither came in time.
    pub status: u16,
    /// All that came, headers first.
    pub text: String,
}

/// The status of an answer that did not come in time.
pub const SILENT: u16 = 1;

/// Sends a request, and reads the answer for so long at most.
pub async fn exchange(address: &str, request: &[u8], patience: Duration) -> Answer {
    let Ok(Ok(mut stream)) = tokio::time::timeout(patience, TcpStream::connect(address)).await else {
        return Answer { status: SILENT, text: String::new() };
    };
    say_and_listen(&mut stream, request, patience).await
}

/// Sends requests at once, the last of which closes the connection; an answer for each that came.
pub async fn pipeline(address: &str, requests: &[u8], patience: Duration) -> Vec<Answer> {
    let Ok(mut stream) = TcpStream::connect(address).await else { return Vec::new() };
    let mut received = Vec::new();
    let _ = stream.write_all(requests).await;
    let _ = tokio::time::timeout(patience, stream.read_to_end(&mut received)).await;
    let text = String::from_utf8_lossy(&received).into_owned();
    let answers = text.split("HTTP/1.1 ").skip(1).map(|answer| Answer {
        status: answer.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or_default(),
        text: answer.to_owned(),
    });
    answers.collect()
}

/// The same on a connection that is there.
pub async fn say_and_listen(stream: &mut TcpStream, request: &[u8], patience: Duration) -> Answer {
    let (mut from, mut to) = stream.split();
    let mut received = Vec::new();
    let mut silent = false;
    // Both at once: who refuses a body answers while it is being sent.
    let listening = async {
        let mut bytes = vec![0; 64 << 10];
        loop {
            match from.read(&mut bytes).await {
                Ok(0) | Err(_) => break,
                Ok(count) => received.extend_from_slice(&bytes[..count]),
            }
            if is_whole(&received) {
                break;
            }
        }
    };
    let sending = async {
        let _ = to.write_all(request).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = listening => {}
        () = sending => {}
        () = tokio::time::sleep(patience) => silent = true,
    }
    let text = String::from_utf8_lossy(&received).into_owned();
    let status = text.strip_prefix("HTTP/1.").and_then(|rest| rest.split_whitespace().nth(1)?.parse().ok());
    Answer { status: status.unwrap_or(if silent { SILENT } else { 0 }), text }
}

/// Whether an answer has all of the body that its head announces.
fn is_whole(received: &[u8]) -> bool {
    let Some(end) = received.windows(4).position(|it| it == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
    if head.starts_with("http/1.1 100") {
        return false;
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
    length.is_some_and(|length| received.len() >= end + 4 + length)
}
