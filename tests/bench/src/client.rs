//! A client that costs little, so that the server is what is measured: one request at a time a
//! connection, written and read without a library.

use crate::event::{Template, scrambled};
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Most bytes of an answer's head and body; ours have about 600.
const ANSWER: usize = 16 * 1024;
/// A server that does not answer for so long does not answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Who is sent to.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) project: String,
    pub(crate) key: String,
    pub(crate) template: Arc<Template>,
}

/// Which line comes next.
#[derive(Clone, Copy)]
pub(crate) enum Order {
    /// Of these many from this one on, each in its turn.
    InTurn(usize, usize),
    /// Of these many from the first on, any.
    Random(usize),
}

/// When it is enough.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    Requests(usize),
    Over(Duration),
}

/// What to send.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) order: Order,
    pub(crate) until: Until,
    pub(crate) connections: usize,
    /// Requests a second at most; `None`: as many as go.
    pub(crate) rate: Option<f64>,
    /// Whether connections may break, as those to a server that is killed do.
    pub(crate) may_break: bool,
    /// Whether what is refused is sent for all that: a client that heeds nothing.
    pub(crate) goes_on: bool,
    /// Goes up with each acknowledgement, for those who watch.
    pub(crate) progress: Arc<AtomicUsize>,
}

impl Load {
    pub(crate) fn new(order: Order, until: Until, connections: usize) -> Self {
        let progress = Arc::default();
        Self { order, until, connections, rate: None, may_break: false, goes_on: false, progress }
    }
}

/// One acknowledged request.
pub(crate) struct Answer {
    pub(crate) index: usize,
    /// When its first byte was sent, Unix time in seconds.
    pub(crate) sent_at: f64,
    /// From then to the last byte received.
    pub(crate) seconds: f64,
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) answers: Vec<Answer>,
    /// Sent, and not answered or refused: counted once at most.
    pub(crate) unsure: Vec<usize>,
    /// How many were refused.
    pub(crate) refused: usize,
    /// The server's words to one of them.
    pub(crate) refusal: Option<String>,
    pub(crate) seconds: f64,
}

impl Outcome {
    pub(crate) fn rate(&self) -> f64 {
        self.answers.len() as f64 / self.seconds
    }

    /// Seconds of each answer.
    pub(crate) fn latencies(&self) -> Vec<f64> {
        self.answers.iter().map(|answer| answer.seconds).collect()
    }
}

/// What the connections share.
struct Shared {
    target: Target,
    load: Load,
    next: AtomicUsize,
    began: Instant,
}

/// Sends the load.
///
/// # Panics
/// The server can't be reached, or a connection breaks that may not.
pub(crate) async fn drive(target: &Target, load: Load) -> Outcome {
    let mut streams = Vec::new();
    for _ in 0..load.connections {
        match TcpStream::connect(target.address).await {
            Ok(stream) => {
                stream.set_nodelay(true).unwrap();
                streams.push(stream);
            }
            Err(_) if load.may_break => {}
            Err(error) => panic!("{} can't be reached: {error}", target.address),
        }
    }
    let began = Instant::now();
    let shared = Arc::new(Shared { target: target.clone(), load, next: AtomicUsize::new(0), began });
    let tasks: Vec<_> =
        streams.into_iter().map(|stream| tokio::spawn(connection(stream, Arc::clone(&shared)))).collect();
    let mut whole = Outcome::default();
    for task in tasks {
        let one = task.await.unwrap();
        whole.answers.extend(one.answers);
        whole.unsure.extend(one.unsure);
        whole.refused += one.refused;
        whole.refusal = whole.refusal.or(one.refusal);
    }
    whole.seconds = began.elapsed().as_secs_f64();
    whole
}

async fn connection(mut stream: TcpStream, shared: Arc<Shared>) -> Outcome {
    let Shared { target, load, next, began } = shared.as_ref();
    let mut outcome = Outcome::default();
    let (mut body, mut request, mut buffer) = (Vec::new(), Vec::new(), vec![0; ANSWER]);
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if let Some(rate) = load.rate {
            tokio::time::sleep_until((*began + Duration::from_secs_f64(number as f64 / rate)).into()).await;
        }
        match load.until {
            Until::Requests(all) if number >= all => return outcome,
            Until::Over(span) if began.elapsed() >= span => return outcome,
            Until::Requests(_) | Until::Over(_) => {}
        }
        let index = match load.order {
            Order::InTurn(first, many) => first + number % many,
            Order::Random(many) => (scrambled(number as u64) >> 32) as usize % many,
        };
        body.clear();
        let length = target.template.body(index, &mut body);
        request.clear();
        head(&mut request, target, length);
        request.extend(&body);
        let (sent_at, sent) = (unix_now(), Instant::now());
        let answered = async {
            stream.write_all(&request).await.ok()?;
            answer(&mut stream, &mut buffer).await
        };
        match tokio::time::timeout(PATIENCE, answered).await.ok().flatten() {
            Some(Ok(())) => {
                load.progress.fetch_add(1, Ordering::Relaxed);
                outcome.answers.push(Answer { index, sent_at, seconds: sent.elapsed().as_secs_f64() });
            }
            Some(Err(refusal)) => {
                outcome.refused += 1;
                outcome.unsure.push(index);
                outcome.refusal.get_or_insert(refusal);
                if !load.goes_on {
                    return outcome;
                }
            }
            None => {
                assert!(load.may_break, "a connection to {} broke, or was not answered", target.address);
                outcome.unsure.push(index);
                return outcome;
            }
        }
    }
}

/// A request's head as sentry-python writes it.
fn head(request: &mut Vec<u8>, target: &Target, length: usize) {
    let Target { address, project, key, .. } = target;
    write!(
        request,
        "POST /api/{project}/envelope/ HTTP/1.1\r\nHost: {address}\r\nAccept-Encoding: identity\r\n\
         Content-Length: {length}\r\nContent-Type: application/x-sentry-envelope\r\nContent-Encoding: gzip\r\n\
         User-Agent: sentry.python/2.75.0\r\n\
         X-Sentry-Auth: Sentry sentry_key={key}, sentry_version=7, sentry_client=sentry.python/2.75.0\r\n\r\n"
    )
    .unwrap();
}

/// Reads one answer: `None` where the connection broke, an error where it is not 200.
async fn answer(stream: &mut TcpStream, buffer: &mut [u8]) -> Option<Result<(), String>> {
    const END: &[u8] = b"\r\n\r\n";
    let mut filled = 0;
    let mut whole = None;
    let mut is_taken = false;
    while whole.is_none_or(|whole| filled < whole) {
        match stream.read(&mut buffer[filled..]).await {
            Ok(read @ 1..) => filled += read,
            _ => return None,
        }
        if whole.is_none()
            && let Some(head) = buffer[..filled].windows(END.len()).position(|window| window == END)
        {
            let text = String::from_utf8_lossy(&buffer[..head]);
            is_taken = text.starts_with("HTTP/1.1 200 ");
            let Some(length) = content_length(&text) else {
                return Some(Err(format!("an answer without a length, which this client does not read: {text}")));
            };
            whole = Some(head + END.len() + length);
        }
    }
    Some(if is_taken { Ok(()) } else { Err(String::from_utf8_lossy(&buffer[..filled]).into_owned()) })
}

fn content_length(head: &str) -> Option<usize> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?.1.trim().parse().ok()
}

/// Unix time in seconds.
pub(crate) fn unix_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}
