//! A small real repository whose lines fail, and the requests that a Flask application sends when
//! they do.

use crate::client::Requests;
use crate::process;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Files of the repository.
const FILES: usize = 10;
/// Lines of one function; its second to last fails.
const FUNCTION: usize = 5;
/// Who wrote it, in turns: each commit adds a function to every file.
const AUTHORS: [&str; 4] = ["ada", "grace", "linus", "margaret"];
/// Requests for each line, which differ in machine and variables.
const FORMS: usize = 3;
/// What sentry-python sent for an unhandled exception in a Flask view.
const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/envelopes/py_flask_error.body");

/// Everything that a run needs.
pub(crate) struct Scene {
    /// DATA_DIR of the server.
    pub(crate) data: PathBuf,
    pub(crate) requests: Requests,
    /// Mean size of an event's envelope, in bytes.
    pub(crate) event_bytes: usize,
    /// Mean size of a request with its head, in bytes.
    pub(crate) wire_bytes: usize,
}

impl Scene {
    /// Makes the repository, has it watched, and prepares all requests.
    pub(crate) fn build(directory: &Path, lines: usize) -> Self {
        let (repository, data) = (directory.join("shop"), directory.join("data"));
        fs::create_dir_all(&data).unwrap();
        let head = commit_all(&repository, lines);
        let (key, project) = process::watch(&data, &repository);
        let recorded = recorded();
        let (mut event_bytes, mut wire_bytes) = (0, 0);
        let mut request = |line: usize, form: usize| {
            let envelope = envelope(&event(&recorded, &head, line, form));
            let request = http(&envelope, &key, project);
            event_bytes += envelope.len();
            wire_bytes += request.len();
            request
        };
        let requests: Requests = (0..lines).map(|line| (0..FORMS).map(|form| request(line, form)).collect()).collect();
        let all = lines * FORMS;
        Self { data, requests, event_bytes: event_bytes / all, wire_bytes: wire_bytes / all }
    }
}

/// Path and number of a failing line.
fn place_of(line: usize) -> (String, usize) {
    (format!("shop/part_{}.py", line % FILES), line / FILES * FUNCTION + FUNCTION - 1)
}

/// The failing line at a place.
pub(crate) fn index_of(path: &str, number: i64) -> usize {
    let file: usize = path.trim_start_matches("shop/part_").trim_end_matches(".py").parse().unwrap();
    usize::try_from(number).unwrap() / FUNCTION * FILES + file
}

/// The function that a failing line stands in.
fn function(line: usize) -> String {
    format!(
        "def settle_{line}(order, rates):\n    total = order.total({line})\n    share = rates.get(\"r{line}\")\n    return total / share[{line}]\n\n"
    )
}

/// Commits as several people; answers the last commit's id.
fn commit_all(repository: &Path, lines: usize) -> String {
    fs::create_dir_all(repository.join("shop")).unwrap();
    let git = |author: &str, arguments: &[&str]| {
        let email = format!("{author}@example.com");
        let output = Command::new("git")
            .current_dir(repository)
            .args(["-c", "core.autocrlf=false", "-c", "commit.gpgSign=false", "-c", "core.hooksPath="])
            .args(arguments)
            .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null")])
            .envs([("GIT_AUTHOR_NAME", author), ("GIT_AUTHOR_EMAIL", &email)])
            .envs([("GIT_COMMITTER_NAME", author), ("GIT_COMMITTER_EMAIL", &email)])
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(AUTHORS[0], &["init", "--quiet", "--initial-branch=main"]);
    // A thousand new lines at once are a storm, whose mails wait: here each is to be told of as
    // fast as it goes.
    fs::create_dir_all(repository.join(".github")).unwrap();
    fs::write(repository.join(".github/flawless.yml"), "storm: { lines: 0 }\n").unwrap();
    let mut texts = vec![String::new(); FILES];
    let commits = 20_usize;
    let mut written = 0;
    for commit in 0..commits {
        let until = (lines * (commit + 1)).div_ceil(commits);
        for line in written..until {
            texts[line % FILES].push_str(&function(line));
        }
        written = until;
        for (file, text) in texts.iter().enumerate() {
            fs::write(repository.join(format!("shop/part_{file}.py")), text).unwrap();
        }
        let author = AUTHORS[commit % AUTHORS.len()];
        git(author, &["add", "--all"]);
        git(author, &["commit", "--quiet", "--message", &format!("Settle more orders ({commit})")]);
    }
    git(AUTHORS[0], &["rev-parse", "HEAD"])
}

/// The recorded event.
fn recorded() -> Value {
    let mut envelope = String::new();
    MultiGzDecoder::new(fs::File::open(RECORDED).unwrap()).read_to_string(&mut envelope).unwrap();
    serde_json::from_str(envelope.lines().nth(2).unwrap()).unwrap()
}

/// The recorded event, but failing at one of our lines.
fn event(recorded: &Value, head: &str, line: usize, form: usize) -> Value {
    let mut event = recorded.clone();
    event["release"] = json!(head);
    event["event_id"] = json!(format!("{line:016x}{form:016x}"));
    event["server_name"] = json!(format!("web-{form}"));
    event["request"]["headers"]["X-Request-Id"] = json!(format!("req-{line}-{form}"));
    let exception = &mut event["exception"]["values"][0];
    exception["type"] = json!("TypeError");
    exception["value"] = json!(format!("'NoneType' object is not subscriptable ({line}-{form})"));
    let frames = exception["stacktrace"]["frames"].as_array_mut().unwrap();
    // The recording keeps the library's frames, but not its code.
    for (at, frame) in frames.iter_mut().enumerate().filter(|(_, frame)| frame["in_app"] == json!(false)) {
        let code = |n: usize| json!(format!("        response_{n} = self.handler_{at}(request_{n}, options[{n}])"));
        frame["pre_context"] = (0..5).map(code).collect();
        frame["context_line"] = code(5);
        frame["post_context"] = (6..11).map(code).collect();
    }
    frames.pop();
    let (path, number) = place_of(line);
    let text = function(line);
    let code: Vec<&str> = text.lines().collect();
    frames.push(json!({
        "filename": path,
        "abs_path": format!("/srv/releases/2026-11-22/{path}"),
        "function": format!("settle_{line}"),
        "module": path.trim_end_matches(".py").replace('/', "."),
        "lineno": number,
        "pre_context": &code[..FUNCTION - 2],
        "context_line": code[FUNCTION - 2],
        "post_context": &code[FUNCTION - 1..],
        "vars": {"order": format!("<Order {line}-{form}>"), "total": format!("{}", line * 7 + form), "share": "None"},
        "in_app": true,
    }));
    event
}

fn envelope(event: &Value) -> Vec<u8> {
    let payload = event.to_string();
    let mut envelope = String::new();
    let header = json!({"event_id": event["event_id"], "sent_at": event["timestamp"]});
    let item = json!({"type": "event", "content_type": "application/json", "length": payload.len()});
    write!(envelope, "{header}\n{item}\n{payload}\n").unwrap();
    envelope.into_bytes()
}

/// A request as sentry-python writes it.
fn http(envelope: &[u8], key: &str, project: i64) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(envelope).unwrap();
    let body = encoder.finish().unwrap();
    let head = [
        format!("POST /api/{project}/envelope/ HTTP/1.1"),
        "Host: 127.0.0.1".to_owned(),
        "Accept-Encoding: identity".to_owned(),
        format!("Content-Length: {}", body.len()),
        "Content-Type: application/x-sentry-envelope".to_owned(),
        "Content-Encoding: gzip".to_owned(),
        "User-Agent: sentry.python/2.75.0".to_owned(),
        format!("X-Sentry-Auth: Sentry sentry_key={key}, sentry_version=7, sentry_client=sentry.python/2.75.0"),
    ];
    let mut request = format!("{}\r\n\r\n", head.join("\r\n")).into_bytes();
    request.extend(body);
    request
}
