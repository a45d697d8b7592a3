//! The cases of the hostile table: what is sent, what it may be answered, and what it may cost.

use super::bodies;
use super::connections::{drip, endless, half_open};
use super::raw::{Answer, SILENT, exchange, pipeline};
use crate::stage::Stage;
use std::time::Duration;
use tokio::task::JoinSet;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// A request that is refused or cheap.
const SOON: Duration = Duration::from_secs(2);
/// A request with megabytes to be read, on a busy machine.
const LARGE: Duration = Duration::from_secs(8);
/// What a form says that it is.
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
/// Connections that are held as long as the server lets them.
const HELD: Duration = Duration::from_secs(40);
/// Kilobytes that one request may take, a few times the 8 MiB that it may be.
const ONE: u64 = 96 << 10;
/// Kilobytes that any number of requests at once may take: a server of 512 MB bears it.
const ALL: u64 = 256 << 10;

/// What is done.
pub enum Work {
    /// These requests, all at once, each on a connection of its own.
    Requests(Vec<Vec<u8>>),
    /// So many requests on one connection, without waiting for answers.
    Pipeline(Vec<u8>, usize),
    /// So many connections, for each beginning, that begin so and go on with a byte now and then.
    Drip(Vec<Vec<u8>>, usize),
    /// So many connections that say nothing.
    HalfOpen(usize),
    /// A request that begins so and goes on with these pieces for ever.
    Endless(Vec<u8>, Vec<u8>),
}

impl Work {
    /// Does it; all answers.
    pub async fn run(self, address: &str) -> Vec<Answer> {
        match self {
            Self::Requests(requests) => {
                let mut all = JoinSet::new();
                for request in requests {
                    let address = address.to_owned();
                    all.spawn(async move { exchange(&address, &request, PATIENCE).await });
                }
                all.join_all().await
            }
            Self::Pipeline(requests, count) => {
                let mut answers = pipeline(address, &requests, PATIENCE).await;
                let missing = Answer { status: SILENT, text: String::new() };
                answers.resize(count.max(answers.len()), missing);
                answers
            }
            Self::Drip(beginnings, count) => {
                let mut all = JoinSet::new();
                for begin in beginnings {
                    let address = address.to_owned();
                    all.spawn(async move { drip(&address, &begin, count).await });
                }
                all.join_all().await.into_iter().flatten().collect()
            }
            Self::HalfOpen(count) => half_open(address, count).await,
            Self::Endless(head, piece) => endless(address, &head, &piece).await,
        }
    }
}

/// One row of the table.
pub struct Case {
    pub name: &'static str,
    pub work: Work,
    /// Statuses; 0 where the connection may be closed without a word.
    pub expected: &'static [u16],
    pub within: Duration,
    /// In kilobytes.
    pub most_memory: u64,
}

/// Where reports go, with a key that is right.
struct Door {
    path: String,
    key: String,
}

impl Door {
    fn post(&self, route: &str, headers: &str, body: &[u8]) -> Vec<u8> {
        let head = format!(
            "POST {}/{route} HTTP/1.1\r\nHost: flawless.test\r\nX-Sentry-Auth: Sentry sentry_version=7, sentry_key={}\r\n\
             {headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.path,
            self.key,
            body.len()
        );
        [head.as_bytes(), body].concat()
    }

    fn envelope(&self, body: &[u8]) -> Vec<u8> {
        self.post("envelope/", "", body)
    }

    fn packed(&self, encoding: &str, body: &[u8]) -> Vec<u8> {
        self.post("envelope/", &format!("Content-Encoding: {encoding}\r\n"), body)
    }
}

fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: flawless.test\r\n{headers}Connection: close\r\n\r\n").into_bytes()
}

fn case(name: &'static str, requests: Vec<Vec<u8>>, expected: &'static [u16]) -> Case {
    Case { name, work: Work::Requests(requests), expected, within: SOON, most_memory: ONE }
}

/// All of them, for this stage's first repository.
pub fn cases(stage: &Stage) -> Vec<Case> {
    let repo = &stage.repos[0];
    let door = Door { path: format!("/api/{}", repo.project), key: repo.key.clone() };
    let mut all = packed(&door);
    all.extend(wide_and_deep(&door));
    all.extend(texts(stage, &door));
    all.extend(heads(&door));
    all.extend(addresses());
    all.extend(held(&door));
    all
}

fn packed(door: &Door) -> Vec<Case> {
    let names = ["64 MiB of gzip", "64 MiB of deflate", "64 MiB of br", "64 MiB of zstd"];
    let bombs = names.into_iter().zip(bodies::bombs());
    let mut all: Vec<Case> =
        bombs.map(|(name, (encoding, body))| case(name, vec![door.packed(encoding, &body)], &[413])).collect();
    let twice = door.packed("gzip, gzip", b"\x1f\x8b");
    all.push(case("packed twice", vec![twice], &[415]));
    let lists = [
        ("numbers for frames, gzip", "{\"exception\":{\"values\":[{\"stacktrace\":{\"frames\":[", "]}}]}}"),
        ("numbers for exceptions, gzip", "{\"exception\":{\"values\":[", "]}}"),
        ("numbers for threads, gzip", "{\"threads\":{\"values\":[", "]}}"),
        (
            "numbers for variables, gzip",
            "{\"exception\":{\"values\":[{\"stacktrace\":{\"frames\":[{\"vars\":{\"a\":[",
            "]}}]}}]}}",
        ),
        ("numbers for breadcrumbs and extra, gzip", "{\"extra\":{\"a\":[", "]}}"),
        ("numbers for tags, gzip", "{\"tags\":[", "]}"),
    ];
    for (name, before, after) in lists {
        let body = bodies::numbers(before, after);
        all.push(Case { within: LARGE, ..case(name, vec![door.packed("gzip", &body)], &[200, 400, 413]) });
    }
    let body = bodies::numbers(lists[0].1, lists[0].2);
    let at_once = vec![door.packed("gzip", &body); 8];
    let at_once = case("eight of numbers for frames at once", at_once, &[200, 400, 413, 429, 503]);
    all.push(Case { within: LARGE, most_memory: ALL, ..at_once });
    all
}

fn wide_and_deep(door: &Door) -> Vec<Case> {
    let large =
        |name, body: Vec<u8>| Case { within: LARGE, ..case(name, vec![door.envelope(&body)], &[200, 400, 413]) };
    let deep = door.packed("zstd", &bodies::depth());
    vec![
        large("100,000 frames", bodies::frames(100_000)),
        large("500,000 keys", bodies::keys(500_000)),
        Case { within: LARGE, ..case("8 MiB of nested lists, zstd", vec![deep], &[200, 400, 413]) },
    ]
}

fn texts(stage: &Stage, door: &Door) -> Vec<Case> {
    let envelopes = |bodies: Vec<Vec<u8>>| bodies.iter().map(|body| door.envelope(body)).collect::<Vec<_>>();
    let event = stage.event(0, 0, true);
    vec![
        case("surrogates, NUL and no UTF-8", envelopes(bodies::broken_text()), &[200, 400]),
        case("templates, SQL, paths and line breaks as text", envelopes(bodies::trickery(&event)), &[200]),
    ]
}

fn heads(door: &Door) -> Vec<Case> {
    let event = bodies::envelope(b"{}");
    let many = |name: &str, count: usize| (0..count).map(|n| format!("{name}{n}: x\r\n")).collect::<String>();
    let cookies: String = (0..1_000).map(|n| format!("c{n}=v{n}; ")).collect();
    let both = format!(
        "POST {}/envelope/?sentry_key={} HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n\
         0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
        door.path, door.key
    );
    let pipelined = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100)
        + "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let announced = |bytes: &str| {
        format!(
            "POST {}/envelope/?sentry_key={} HTTP/1.1\r\nHost: x\r\nContent-Length: {bytes}\r\n\r\n",
            door.path, door.key
        )
        .into_bytes()
    };
    vec![
        case(
            "a header of 100 kB",
            vec![get("/healthz", &format!("X-Long: {}\r\n", "a".repeat(100_000)))],
            &[200, 400, 431, 0],
        ),
        case(
            "a header of 2 MB",
            vec![get("/healthz", &format!("X-Long: {}\r\n", "a".repeat(2_000_000)))],
            &[400, 431, 0],
        ),
        case("5,000 headers", vec![get("/healthz", &many("X-", 5_000))], &[400, 431, 0]),
        case("1,000 cookies", vec![get("/", &format!("Cookie: {cookies}\r\n"))], &[200, 303, 400, 401, 431]),
        case(
            "the same header a hundred times",
            vec![get("/", &"Cookie: a=b\r\n".repeat(90))],
            &[200, 303, 400, 401, 431],
        ),
        case(
            "two keys",
            vec![door.post(
                "envelope/",
                "X-Sentry-Auth: Sentry sentry_key=00000000000000000000000000000000\r\n",
                &event,
            )],
            &[200, 400, 403],
        ),
        case("two lengths", vec![door.post("envelope/", "Content-Length: 1\r\n", &event)], &[400, 0]),
        case("a length and chunks", vec![both.into_bytes()], &[200, 400, 403, 0]),
        Case {
            work: Work::Pipeline(pipelined.into_bytes(), 101),
            ..case("101 requests in one packet", Vec::new(), &[200])
        },
        case("a length of 10 GB", vec![announced("10000000000")], &[413]),
        case(
            "a length that is none",
            vec![announced("-1"), announced("1e9"), announced("99999999999999999999999")],
            &[400, 0],
        ),
        case(
            "no HTTP at all",
            vec![b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(20), b"\r\n\r\nHELO x\r\n\r\n".to_vec()],
            &[400, 0],
        ),
    ]
}

fn addresses() -> Vec<Case> {
    let climbing = [
        "/static/../../../../../../etc/passwd",
        "/static/..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/static/..\\..\\..\\etc\\passwd",
        "/static//etc/passwd",
        "/static/%00",
        "/acme0/..%2f..%2fetc%2fpasswd",
        "/view_traceback?repo=acme0/shop&filename=../../../../../../etc/passwd&function_name=f&line_number=1&text=x&timestamp=1",
        "/get_weekly_error_report?timestamp=99999999999999999999&repo=';DROP TABLE lines;--",
        "/api/1'%20OR%201=1/envelope/",
    ];
    let climbing = climbing.iter().map(|path| get(&path.replace(' ', "%20"), "")).collect();
    vec![
        case("paths that climb, and SQL in addresses", climbing, &[303, 400, 401, 403, 404, 405]),
        case(
            "an address of 100 kB",
            vec![get(&format!("/{}", "a".repeat(100_000)), "")],
            &[303, 400, 404, 414, 431, 0],
        ),
        case(
            "methods that nobody wants",
            ["TRACE", "CONNECT", "PROPFIND", "A"].iter().map(|it| get("/", "").splice_method(it)).collect(),
            &[303, 400, 404, 405, 501, 0],
        ),
    ]
}

trait SpliceMethod {
    fn splice_method(self, method: &str) -> Vec<u8>;
}

impl SpliceMethod for Vec<u8> {
    /// The same request by another method.
    fn splice_method(self, method: &str) -> Vec<u8> {
        [method.as_bytes(), &self[3..]].concat()
    }
}

fn held(door: &Door) -> Vec<Case> {
    let auth = format!("?sentry_key={}", door.key);
    let post = |path: &str, headers: &str| format!("POST {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n").into_bytes();
    let slow_body = |path: &str, headers: &str| post(path, &format!("{headers}Content-Length: 100000\r\n"));
    let chunked = |path: &str, headers: &str| post(path, &format!("{headers}Transfer-Encoding: chunked\r\n"));
    let mebibyte = [b"100000\r\n".as_slice(), &vec![b'x'; 1 << 20], b"\r\n"].concat();
    let unsigned = |count| {
        let body = vec![b'x'; 24 << 20];
        let head = format!("POST /api/github/webhooks HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
        vec![[head.as_bytes(), &body].concat(); count]
    };
    let keyless = |count| {
        let body = vec![b'x'; 7 << 20];
        let head = format!("POST /tunnel HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
        vec![[head.as_bytes(), &body].concat(); count]
    };
    let envelope = format!("{}/envelope/{auth}", door.path);
    vec![
        Case {
            work: Work::Endless(chunked(&envelope, ""), mebibyte.clone()),
            within: LARGE,
            ..case("chunks without end", Vec::new(), &[413, 0])
        },
        Case {
            work: Work::Endless(chunked("/login", FORM), mebibyte),
            within: LARGE,
            ..case("a form in chunks without end", Vec::new(), &[400, 403, 413, 0])
        },
        Case {
            work: Work::Endless(b"GET / HTTP/1.1\r\nX: ".to_vec(), vec![b'x'; 64 << 10]),
            within: LARGE,
            ..case("a header without end", Vec::new(), &[400, 431, 0])
        },
        Case {
            most_memory: ALL,
            within: LARGE,
            ..case("20 unsigned webhooks of 24 MiB", unsigned(20), &[400, 401, 413, 429, 503, 0])
        },
        Case {
            most_memory: ALL,
            within: LARGE,
            ..case("20 reports of 7 MiB without a key", keyless(20), &[400, 403, 413, 429, 503, 0])
        },
        Case {
            name: "1,100 connections that say nothing",
            work: Work::HalfOpen(1_100),
            expected: &[200],
            within: HELD,
            most_memory: ALL,
        },
        Case {
            name: "20 slow heads, reports, forms and webhooks each",
            work: Work::Drip(
                vec![
                    b"GET / HTTP/1.1\r\nX-Slow: ".to_vec(),
                    slow_body(&envelope, ""),
                    slow_body("/login", FORM),
                    slow_body("/api/github/webhooks", "X-GitHub-Event: push\r\nX-Hub-Signature-256: sha256=00\r\n"),
                ],
                20,
            ),
            expected: &[400, 401, 403, 408, 0],
            within: HELD,
            most_memory: ONE,
        },
    ]
}
