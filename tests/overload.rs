//! Too much at once: bodies that grow, senders whom nobody knows, clients that keep the server
//! waiting, and its end whatever they do.

use crate::database_outages::futures;
use crate::harness::browser::Browser;
use crate::harness::story::{Process, Story, run_test};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use jiff::SignedDuration;
use std::io::Write;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

/// Longest that an answer may take which needs nobody else.
const SOON: Duration = Duration::from_secs(5);
/// 500,001 numbers where an event has its frames, in 80 bytes (`zlib.brotliCompressSync` of Node)
/// and 164 (`zstd -19`).
const FRAMES_BR: &[u8] = include_bytes!("data/bombs/frames.br");
const FRAMES_ZSTD: &[u8] = include_bytes!("data/bombs/frames.zst");

/// Most memory that a process had at once, in MiB.
fn peak(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

async fn post(story: &Story, url: String, encoding: &str, body: Vec<u8>) -> reqwest::Response {
    story.http.post(url).header("content-encoding", encoding).body(body).send().await.unwrap()
}

/// A connection that sent this much of a request.
async fn half(url: &str, text: impl AsRef<[u8]>) -> TcpStream {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(text.as_ref()).await.unwrap();
    stream
}

/// What is answered within a time: head, and what came of the body with it; empty where the
/// connection was closed.
async fn answer(stream: &mut TcpStream, within: Duration) -> String {
    let mut bytes = vec![0; 64 << 10];
    let read = timeout(within, stream.read(&mut bytes)).await.expect("an answer in time").unwrap_or(0);
    String::from_utf8_lossy(&bytes[..read]).into_owned()
}

/// Events of a type that the story's settings ignore, each a few megabytes of which little is kept.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let list = format!("[{}0]", "0,".repeat(500_000));
    let pairs = format!("[{}[\"revision\",\"x\"]]", "[\"a\",\"b\"],".repeat(120_000));
    let objects = format!("[{}{{}}]", "{\"a\":0},".repeat(180_000));
    // Within the limits of each list, but of a million numbers all the same.
    let wide = |count: usize, inner: &str| format!("[{}]", vec![inner; count].join(","));
    let nested = wide(4, &wide(50, &wide(50, &wide(50, "0"))));
    let event = |rest: &str| format!("{{\"exception\":{{\"values\":[{{\"type\":\"Bomb\"}}]}},{rest}}}").into_bytes();
    let with = |rest: &str| {
        format!("{{\"exception\":{{\"values\":[{{\"type\":\"Bomb\",\"stacktrace\":{{\"frames\":{rest}}}}}]}}}}")
            .into_bytes()
    };
    let raised = format!("{{\"exception\":[{}{{\"type\":\"Bomb\"}}]}}", "{\"value\":\"x\"},".repeat(100_000));
    let broken = [&event("\"release\":\"\\ud800")[..], &vec![0xff; 3_000_000], b"\"}"].concat();
    let control = event(&format!("\"release\":\"{}\"", "\u{1}".repeat(3_000_000)));
    vec![
        ("numbers as frames", with(&list)),
        ("objects as frames", with(&objects)),
        ("variables", with(&format!("[{{\"filename\":\"a.py\",\"lineno\":1,\"vars\":{{\"x\":{nested}}}}}]"))),
        ("lines around", with(&format!("[{{\"lineno\":1,\"pre_context\":{list},\"post_context\":{list}}}]"))),
        ("exceptions", raised.into_bytes()),
        ("numbers as exceptions", format!("{{\"exception\":{list}}}").into_bytes()),
        ("numbers as threads", event(&format!("\"threads\":{list}"))),
        ("numbers as frames of a thread", event(&format!("\"threads\":[{{\"stacktrace\":{{\"frames\":{list}}}}}]"))),
        ("tags", event(&format!("\"tags\":{pairs}"))),
        ("a list as release", event(&format!("\"release\":{list}"))),
        ("an object as release", event(&format!("\"release\":{{\"a\":{objects}}}"))),
        ("parameters", event(&format!("\"logentry\":{{\"message\":\"%s %s\",\"params\":{list}}}"))),
        ("extra", event(&format!("\"extra\":{nested}"))),
        ("headers", event(&format!("\"request\":{{\"headers\":{pairs},\"data\":{nested},\"query_string\":{pairs}}}"))),
        ("contexts", event(&format!("\"contexts\":{{\"a\":{objects},\"b\":{nested}}}"))),
        ("bytes that are no text", broken),
        ("control characters", control),
    ]
}

#[test]
fn a_few_kilobytes_take_no_gigabyte() {
    run_test(async |story| {
        let settings = "ignored_exceptions: [Bomb]\n";
        story.commit(
            "Ada <ada@example.com>",
            "2026-01-06T10:00:00Z",
            &[(".github/flawless.yml", settings)],
            "Settings",
        );
        story.install().await;
        let (key, project) = story.key().await;
        let mut process = story.start_process().await;
        let url = format!("{}/api/{project}/store/?sentry_key={key}", process.url);
        let small = b"{\"exception\":[{\"type\":\"Bomb\",\"value\":\"small\"}]}";
        assert_eq!(post(story, url.clone(), "gzip", gzip(small)).await.status(), 200);
        let before = peak(&process);
        let grown = |what: &str| {
            let grown = peak(&process) - before;
            println!("{what}: {grown} MiB");
            assert!(grown < 90, "{what} took {grown} MiB");
        };
        for (what, body) in bombs() {
            let status = post(story, url.clone(), "gzip", gzip(&body)).await.status().as_u16();
            assert!(matches!(status, 200 | 413), "{what} was answered {status}");
            grown(what);
        }
        for (encoding, body) in
            [("br", FRAMES_BR.to_vec()), ("zstd", FRAMES_ZSTD.to_vec()), ("deflate", zlib(&bombs()[0].1))]
        {
            assert_eq!(post(story, url.clone(), encoding, body).await.status(), 200, "{encoding}");
            grown(encoding);
        }
        // What is longer than allowed once it is unpacked; a window of a gigabyte.
        for (encoding, body, status) in [
            ("gzip", gzip(&vec![b' '; 64 << 20]), 413),
            ("deflate", zlib(&vec![b' '; 64 << 20]), 413),
            ("br", vec![0x11, 0x1e, 0x00, 0x00, 0x02, b'a', 0x03], 400),
        ] {
            assert_eq!(post(story, url.clone(), encoding, body).await.status(), status, "{encoding}");
            grown(encoding);
        }
        let traceback = format!("{}/api/{project}/traceback?key={key}", process.url);
        let lines = "/a:1:in 'b'\n".repeat(100_000).into_bytes();
        assert_eq!(post(story, traceback, "gzip", gzip(&lines)).await.status(), 200, "places alone");
        grown("a printed traceback");
        // Many at once wait for their turn.
        let at_once = (0..12)
            .map(|_| tokio::spawn(story.http.post(&url).header("content-encoding", "br").body(FRAMES_BR).send()));
        for sent in at_once.collect::<Vec<_>>() {
            assert_eq!(sent.await.unwrap().unwrap().status(), 200);
        }
        grown("twelve at once");
        let health = timeout(SOON, story.http.get(format!("{}/healthz", process.url)).send()).await;
        assert_eq!(health.expect("in time").unwrap().status(), 200);
        process.signal("TERM");
        process.ended(Duration::from_secs(30)).await.expect("it ends");
        story.restart().await;
        story.settle().await;
        // What the process had begun is due again once its lease is over.
        story.later(SignedDuration::from_mins(15)).await;
        // Of the printed places.
        assert_eq!(story.lines().await.len(), 1);
        story.changes();
    });
}

#[test]
fn clients_that_hang_up_do_not_have_more_read_at_once() {
    run_test(async |story| {
        let settings = "ignored_exceptions: [Bomb]\n";
        let files = [(".github/flawless.yml", settings)];
        story.commit("Ada <ada@example.com>", "2026-01-06T10:00:00Z", &files, "Settings");
        story.install().await;
        let (key, project) = story.key().await;
        let mut process = story.start_process().await;
        let event = "{\"exception\":{\"values\":[{\"type\":\"Bomb\"}]},\"extra\":";
        let body = gzip(format!("{event}[{}0]}}", "0,".repeat(3_900_000)).as_bytes());
        let head = format!(
            "POST /api/{project}/store/?sentry_key={key} HTTP/1.1\r\nhost: x\r\ncontent-encoding: gzip\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        // What those take that wait for their answers.
        let url = format!("{}/api/{project}/store/?sentry_key={key}", process.url);
        let waiting = (0..8).map(|_| post(story, url.clone(), "gzip", body.clone()));
        for answer in futures(waiting).await {
            assert_eq!(answer.status(), 200);
        }
        let before = peak(&process);
        let mut senders = Vec::new();
        for _ in 0..120 {
            senders.push(half(&process.url, [head.as_bytes(), &body].concat()).await);
        }
        for sender in senders {
            drop(sender);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let health = timeout(SOON, reqwest::get(format!("{}/healthz", process.url))).await;
        assert_eq!(health.expect("in time").unwrap().status(), 200);
        let grown = peak(&process) - before;
        println!("{grown} MiB more than {before}");
        assert!(grown < 60, "{grown} MiB");
        // It leaves what it has not done to the next one.
        process.signal("TERM");
        assert!(process.ended(Duration::from_secs(25)).await.is_some(), "it ends");
    });
}

#[test]
fn a_flood_of_large_reports_keeps_no_other_key_waiting() {
    const FLOOD: usize = 120;
    run_test(async |story| {
        let files = [(".github/flawless.yml", "ignored_exceptions: [Bomb]\n")];
        story.commit("Ada <ada@example.com>", "2026-01-06T10:00:00Z", &files, "Settings");
        story.install().await;
        let (key, project) = story.key().await;
        let url = story.repo.git_dir().display().to_string();
        let (other_key, other) = story.watch_plainly("acme/other", &url).await;
        let frames = "{},".repeat(1 << 20);
        let event = "{\"exception\":{\"values\":[{\"type\":\"Bomb\",\"stacktrace\":{\"frames\":[";
        let body = gzip(format!("{event}{frames}{{}}]}}}}]}}}}").as_bytes());
        let head = format!(
            "POST /api/{project}/store/?sentry_key={key} HTTP/1.1\r\nhost: x\r\ncontent-encoding: gzip\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        let (tells, mut told) = mpsc::unbounded_channel();
        for _ in 0..FLOOD {
            let (mut stream, tells) = (half(story.url(), [head.as_bytes(), &body].concat()).await, tells.clone());
            tokio::spawn(async move { tells.send(answer(&mut stream, Duration::from_mins(5)).await) });
        }
        let mut answers = vec![told.recv().await.expect("an answer")];
        let large = format!("{{}}\n{{\"type\":\"session\"}}\n{}\n", " ".repeat(1 << 20));
        let url = format!("{}/api/{other}/envelope/?sentry_key={other_key}", story.url());
        assert_eq!(story.http.post(&url).body(large).send().await.unwrap().status(), 200);
        while let Ok(answer) = told.try_recv() {
            answers.push(answer);
        }
        let taken = |answers: &[String]| answers.iter().filter(|text| text.starts_with("HTTP/1.1 200 ")).count();
        let before = taken(&answers);
        assert!(before < FLOOD / 4, "{before} were read before that of another key");
        while answers.len() < FLOOD {
            answers.push(told.recv().await.expect("an answer"));
        }
        let refused: Vec<&String> = answers.iter().filter(|text| text.starts_with("HTTP/1.1 503 ")).collect();
        assert!(refused.len() >= FLOOD / 4 && taken(&answers) + refused.len() == FLOOD, "{answers:?}");
        assert!(refused.iter().all(|text| text.to_lowercase().contains("retry-after: 5")), "{refused:?}");
        story.settle().await;
    });
}

#[test]
fn bodies_of_strangers_are_bounded_and_keep_nobody_out() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        let process = story.start_process().await;
        let before = peak(&process);
        let head = format!(
            "POST /api/github/webhooks HTTP/1.1\r\nhost: x\r\nx-hub-signature-256: sha256={}\r\nx-github-event: push\r\n\
             x-github-delivery: 1\r\ncontent-length: 26000000\r\n\r\n",
            "0".repeat(64)
        );
        let mut senders = Vec::new();
        for _ in 0..12 {
            let mut stream = half(&process.url, &head).await;
            senders.push(tokio::spawn(async move {
                // Nearly the whole of it, or as much as is taken.
                let _ = timeout(SOON, stream.write_all(&vec![b'x'; 20_000_000])).await;
                (timeout(Duration::from_secs(1), answer(&mut stream, SOON)).await.unwrap_or_default(), stream)
            }));
        }
        let mut answers = Vec::new();
        let mut open = Vec::new();
        for sender in senders {
            let (answer, stream) = sender.await.unwrap();
            answers.push(answer);
            open.push(stream);
        }
        let refused: Vec<&String> = answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 503 ")).collect();
        assert!(refused.len() >= 10, "{answers:?}");
        assert!(refused.iter().all(|answer| answer.to_lowercase().contains("retry-after: 5")), "{refused:?}");
        // Unbounded they would take 240; on a busy machine some of its start is in it, too.
        assert!(peak(&process) - before < 140, "{} MiB", peak(&process) - before);
        // Who has a key is taken meanwhile, and an operator sees it.
        let metrics = story.http.get(format!("{}/metrics", process.url)).bearer_auth("admin-token-of-the-tests");
        let metrics = metrics.send().await.unwrap().text().await.unwrap();
        let value = |name: &str| {
            let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("{name}: {metrics}")).parse::<usize>().unwrap()
        };
        assert!(value("flawless_in_flight_refused_total") >= 10);
        assert!(value("flawless_in_flight_bytes") <= 40_000_000);
        assert!(value("flawless_connections") >= 1);
        let session = "{}\n{\"type\":\"session\"}\n{}\n";
        let envelope = format!("{}/api/{project}/envelope/?sentry_key={key}", process.url);
        assert_eq!(story.http.post(envelope).body(session).send().await.unwrap().status(), 200);
    });
}

#[test]
fn one_client_with_webhooks_that_never_end_keeps_no_other_out() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        let head = format!(
            "POST /api/github/webhooks HTTP/1.1\r\nhost: x\r\nx-hub-signature-256: sha256={}\r\n\
             content-length: 26214400\r\n\r\n",
            "0".repeat(64)
        );
        let address = story.url().trim_start_matches("http://").parse().unwrap();
        let mut held = Vec::new();
        for _ in 0..2 {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
            let mut stream = socket.connect(address).await.unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            let _ = timeout(SOON, stream.write_all(&vec![b'x'; (16 << 20) - 1])).await;
            held.push(stream);
        }
        // What came is counted by now.
        let in_flight = async || {
            let metrics = story.http.get(format!("{}/metrics", story.url())).bearer_auth("admin-token-of-the-tests");
            let metrics = metrics.send().await.unwrap().text().await.unwrap();
            let line = metrics.lines().find_map(|line| line.strip_prefix("flawless_in_flight_bytes "));
            line.unwrap().parse::<usize>().unwrap()
        };
        let until = Instant::now() + SOON;
        while in_flight().await < (16 << 20) - 1 && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(in_flight().await >= (16 << 20) - 1, "the first one is still held");
        let envelope = format!("{{\"dsn\":\"http://{key}@h/{project}\"}}\n{{\"type\":\"session\"}}\n{{}}\n");
        let browser = Browser::new(story);
        let page = browser.post("/login", &[("token", "admin-token-of-the-tests")]).await;
        assert!(page.status == 303 && page.set_cookie.starts_with("flawless_session="), "{}", page.seen());
        // Of somebody who can't sign it: it is read whole to know that.
        let signature = format!("sha256={}", "0".repeat(64));
        for (path, body, status) in [
            ("/api/github/webhooks".to_owned(), "{}".to_owned(), 401),
            ("/tunnel".to_owned(), envelope.clone(), 200),
            (format!("/api/{project}/envelope/"), envelope, 200),
        ] {
            let request = story.http.post(format!("{}{path}", story.url())).body(body);
            let request = request.header("x-hub-signature-256", &signature);
            assert_eq!(request.send().await.unwrap().status(), status, "{path}");
        }
        drop(held);
    });
}

#[test]
fn one_client_with_reports_that_never_end_keeps_no_other_out() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        let address = story.url().trim_start_matches("http://").parse().unwrap();
        let head = format!(
            "POST /api/{project}/envelope/?sentry_key={key} HTTP/1.1\r\nhost: x\r\ncontent-length: 8388608\r\n\r\n"
        );
        let mut held = Vec::new();
        for _ in 0..8 {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
            let mut stream = socket.connect(address).await.unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            let _ = timeout(SOON, stream.write_all(&vec![b'x'; 15 << 19])).await;
            held.push(stream);
        }
        let large = format!("{{}}\n{{\"type\":\"session\"}}\n{}\n", " ".repeat(1 << 20));
        let url = format!("{}/api/{project}/envelope/?sentry_key={key}", story.url());
        for _ in 0..20 {
            assert_eq!(story.http.post(&url).body(large.clone()).send().await.unwrap().status(), 200);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        drop(held);
    });
}

#[test]
fn who_it_is_is_asked_before_the_body_is_read() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        let wrong = format!("{{\"dsn\":\"http://{}@h/{project}\"}}\n{{\"type\":\"event\"}}\n", "0".repeat(32));
        let packed = gzip(&[wrong.as_bytes(), &vec![b'x'; 2_000]].concat());
        let signature = format!("x-hub-signature-256: sha256={}\r\n", "0".repeat(64));
        let (by_key, length) = (format!("x-sentry-auth: Sentry sentry_key={key}\r\n"), 8_000_000);
        let form = "content-type: application/x-www-form-urlencoded\r\n";
        let twice = format!("{by_key}content-encoding: identity\r\ncontent-encoding: gzip\r\n");
        let session = gzip(b"{}\n{\"type\":\"session\"}\n{}\n");
        // Only the head, and what stands below it, is sent.
        for (what, path, headers, length, body, status) in [
            ("no such project", "/api/999/envelope/".to_owned(), by_key.as_str(), length, Vec::new(), 404),
            ("no such project, no key", "/api/999/envelope/".to_owned(), "", length, Vec::new(), 404),
            ("no key of a store", format!("/api/{project}/store/"), "", length, Vec::new(), 403),
            (
                "a wrong key in the DSN",
                format!("/api/{project}/envelope/"),
                "",
                length,
                wrong.clone().into_bytes(),
                403,
            ),
            ("a wrong key by the tunnel", "/tunnel".to_owned(), "", length, wrong.clone().into_bytes(), 403),
            (
                "a wrong key, packed",
                "/tunnel".to_owned(),
                "content-encoding: gzip\r\n",
                length,
                packed[..packed.len() - 20].to_vec(),
                403,
            ),
            (
                "packed, and nothing comes out",
                "/tunnel".to_owned(),
                "content-encoding: deflate\r\n",
                length,
                [0, 0, 0, 0xff, 0xff].repeat(4_000),
                400,
            ),
            (
                "packed, as the second of two headers says",
                format!("/api/{project}/envelope/"),
                twice.as_str(),
                session.len(),
                session.clone(),
                200,
            ),
            ("no line that ends", "/tunnel".to_owned(), "", length, vec![b'x'; 40_000], 400),
            ("too long a report", format!("/api/{project}/envelope/"), by_key.as_str(), 8_400_000, Vec::new(), 413),
            ("too long by the tunnel", "/tunnel".to_owned(), "", 8_400_000, Vec::new(), 413),
            ("an unsigned webhook", "/api/github/webhooks".to_owned(), "", length, Vec::new(), 401),
            ("too long a webhook", "/api/github/webhooks".to_owned(), signature.as_str(), 27_000_000, Vec::new(), 413),
            ("too long a form", "/login".to_owned(), form, length, Vec::new(), 413),
            ("a form of nobody", "/acme/shop/connect/key".to_owned(), form, 100_000, Vec::new(), 303),
        ] {
            let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {length}\r\n\r\n");
            let mut stream = half(story.url(), [head.as_bytes(), &body].concat()).await;
            println!("{what}");
            let answer = answer(&mut stream, SOON).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{what}: {answer}");
        }
        // Who is refused may send the rest, and reads why.
        let refused = story.http.post(format!("{}/api/999/envelope/", story.url())).body(vec![b'x'; 8_000_000]);
        assert_eq!(refused.send().await.unwrap().status(), 404);
    });
}

/// Waits for an answer. Right after a thousand others one may be turned away, as long as nobody
/// has looked what those are about, and tries again.
async fn is_answered(url: &str) {
    loop {
        match reqwest::get(format!("{url}/healthz")).await {
            Ok(health) if health.status() == 200 => return,
            Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

#[test]
fn connections_that_say_nothing_keep_nobody_out() {
    run_test(async |story| {
        rlimit::increase_nofile_limit(4_096).unwrap();
        let process = story.start_process_after("ulimit -n 1024").await;
        let form = "POST /login HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                    content-length: 99\r\n\r\ntoken=";
        for text in ["GET /healthz HTTP/1.1\r\nhost:", form] {
            let mut open = Vec::new();
            for _ in 0..1_100 {
                open.push(half(&process.url, text).await);
            }
            for _ in 0..20 {
                timeout(SOON, is_answered(&process.url)).await.unwrap_or_else(|_| panic!("kept out by {text}"));
            }
        }
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let log = process.log(story);
        assert_eq!(log.matches("too many connections").count(), 1, "{log}");
    });
}

/// Clients that keep a server busy: in the middle of a head, of a report, of a form, and with an
/// answer that is not read.
async fn clients_that_stop(url: &str) -> Vec<TcpStream> {
    // It listens before it is open.
    assert_eq!(reqwest::get(format!("{url}/healthz")).await.unwrap().status(), 200);
    let report = "POST /tunnel HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{}";
    let form = "POST /login HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 99\r\n\r\ntoken=";
    let page = "GET /static/style.css HTTP/1.1\r\nhost: x\r\n\r\n".repeat(400);
    let mut clients = Vec::new();
    for text in ["", "GET / HTTP/1.1\r\nhost:", report, form, &page] {
        clients.push(half(url, text).await);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    clients
}

#[test]
fn the_process_ends_whatever_clients_do() {
    run_test(async |story| {
        let mut process = story.start_process().await;
        let clients = clients_that_stop(&process.url).await;
        let began = Instant::now();
        process.signal("TERM");
        // By itself: after 28 seconds it is ended wherever it stands.
        let status = process.ended(Duration::from_secs(25)).await.expect("it ends");
        assert_eq!(status.code(), Some(0), "in an orderly way, after {:?}", began.elapsed());
        drop(clients);
        // Asked twice, at once.
        for (first, second, code) in [("TERM", "TERM", 143), ("INT", "INT", 130), ("TERM", "INT", 130)] {
            let mut process = story.start_process().await;
            let clients = clients_that_stop(&process.url).await;
            process.signal(first);
            tokio::time::sleep(Duration::from_millis(300)).await;
            process.signal(second);
            let status = process.ended(Duration::from_secs(2)).await.expect("at once");
            assert_eq!(status.code(), Some(code), "{first} and {second}");
            drop(clients);
        }
    });
}

#[test]
fn who_is_slow_is_let_go() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        let report = format!(
            "POST /api/{project}/envelope/?sentry_key={key} HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{{}}"
        );
        let form = "POST /login HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 99\r\n\r\ntoken=";
        let hook = format!(
            "POST /api/github/webhooks HTTP/1.1\r\nhost: x\r\nx-hub-signature-256: sha256={}\r\ncontent-length: 99\r\n\r\n{{",
            "0".repeat(64)
        );
        let url = story.url().to_owned();
        let within = Duration::from_secs(35);
        let read = async |text: &str| answer(&mut half(&url, text).await, within).await;
        let (nothing, head, report, form, hook) =
            tokio::join!(read(""), read("GET / HTTP/1.1\r\nhost:"), read(&report), read(form), read(&hook),);
        assert_eq!((nothing.as_str(), head.as_str()), ("", ""), "closed without a word");
        for answer in [report, form, hook] {
            assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        }
    });
}
