//! A client that costs little, so that the server is what is measured: ready-made requests, one at
//! a time a connection.

use crate::unix_now;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Most bytes of an answer's head and body; ours have about 600.
const ANSWER: usize = 4096;

/// Requests, ready to be written: for each failing line, a few that differ as repeats do.
pub(crate) type Requests = Arc<[Vec<Vec<u8>>]>;

/// Which line comes next.
#[derive(Clone, Copy)]
pub(crate) enum Order {
    /// Each once, from this one on.
    InTurn(usize),
    /// Any.
    Random,
}

/// What to send.
pub(crate) struct Load {
    pub(crate) order: Order,
    pub(crate) repeats: usize,
    pub(crate) connections: usize,
    /// Goes up with each acknowledgement, for those who watch.
    pub(crate) progress: Arc<AtomicUsize>,
}

/// What came of it.
pub(crate) struct Outcome {
    /// How often each line was acknowledged.
    pub(crate) acknowledged: Vec<u64>,
    /// When each line was acknowledged last, Unix time; 0 where never.
    pub(crate) acknowledged_at: Vec<f64>,
    /// From the first byte sent to the last received, seconds.
    pub(crate) latencies: Vec<f64>,
    seconds: f64,
}

impl Outcome {
    pub(crate) fn total(&self) -> u64 {
        self.acknowledged.iter().sum()
    }

    pub(crate) fn rate(&self) -> f64 {
        self.total() as f64 / self.seconds
    }
}

/// What the connections share.
struct Shared {
    requests: Requests,
    load: Load,
    next: AtomicUsize,
}

/// One acknowledged request.
struct Answer {
    line: usize,
    at: f64,
    seconds: f64,
}

/// Sends the load. Connections that break, as those to a killed server do, end quietly with what
/// they have.
pub(crate) async fn drive(port: u16, requests: &Requests, load: Load) -> Outcome {
    let mut streams = Vec::new();
    for _ in 0..load.connections {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        streams.push(stream);
    }
    let latencies = Vec::with_capacity(load.repeats);
    let shared = Arc::new(Shared { requests: Arc::clone(requests), load, next: AtomicUsize::new(0) });
    let began = Instant::now();
    let tasks: Vec<_> =
        streams.into_iter().map(|stream| tokio::spawn(connection(stream, Arc::clone(&shared)))).collect();
    let mut outcome = Outcome {
        acknowledged: vec![0; requests.len()],
        acknowledged_at: vec![0.0; requests.len()],
        latencies,
        seconds: 0.0,
    };
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.unwrap());
    }
    outcome.seconds = began.elapsed().as_secs_f64();
    for answer in done.into_iter().flatten() {
        outcome.acknowledged[answer.line] += 1;
        outcome.acknowledged_at[answer.line] = f64::max(outcome.acknowledged_at[answer.line], answer.at);
        outcome.latencies.push(answer.seconds);
    }
    outcome
}

async fn connection(mut stream: TcpStream, shared: Arc<Shared>) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut buffer = vec![0; ANSWER];
    loop {
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        if number >= shared.load.repeats {
            return answers;
        }
        let dice = scrambled(number as u64);
        let line = match shared.load.order {
            Order::InTurn(first) => first + number,
            Order::Random => (dice >> 32) as usize % shared.requests.len(),
        };
        let forms = &shared.requests[line];
        let request = &forms[dice as u32 as usize % forms.len()];
        let began = Instant::now();
        if stream.write_all(request).await.is_err() || answer(&mut stream, &mut buffer).await.is_none() {
            return answers;
        }
        shared.load.progress.fetch_add(1, Ordering::Relaxed);
        answers.push(Answer { line, at: unix_now(), seconds: began.elapsed().as_secs_f64() });
    }
}

/// Reads one answer; `None` where the connection broke. Any answer but 200 ends the bench.
async fn answer(stream: &mut TcpStream, buffer: &mut [u8]) -> Option<()> {
    const END: &[u8] = b"\r\n\r\n";
    const LENGTH: &str = "content-length: ";
    let mut filled = 0;
    let mut whole = None;
    while whole.is_none_or(|whole| filled < whole) {
        match stream.read(&mut buffer[filled..]).await {
            Ok(read @ 1..) => filled += read,
            _ => return None,
        }
        if whole.is_none()
            && let Some(head) = buffer[..filled].windows(END.len()).position(|window| window == END)
        {
            let text = std::str::from_utf8(&buffer[..head]).unwrap();
            assert!(text.starts_with("HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&buffer[..filled]));
            let length = text.lines().find_map(|line| line.strip_prefix(LENGTH)).unwrap();
            whole = Some(head + END.len() + length.parse::<usize>().unwrap());
        }
    }
    Some(())
}

/// A number that looks random, always the same for the same number (SplitMix64).
fn scrambled(number: u64) -> u64 {
    let mut bits = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}
