//! A real git server over HTTP on loopback: `git http-backend` behind an account check, with faults
//! on demand.

use super::git_repo::isolated_git;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The user name beside a token, as GitHub wants it.
const TOKEN_USER: &str = "x-access-token";

/// Longest request that is taken in: what clients send is a list of object ids.
const LARGEST_REQUEST: usize = 64 << 20;

/// Something that goes wrong.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// The next request is answered by this status.
    Status(u16),
    /// The next request is answered only after this time.
    Stall(Duration),
    /// The next pack ends in the middle.
    CutPack,
}

/// What the server serves and has seen. Cheap to clone; mount [`GitHost::router`] anywhere, or
/// start a [`GitServer`].
#[derive(Clone, Default)]
pub struct GitHost {
    state: Arc<Mutex<HostState>>,
}

#[derive(Default)]
struct HostState {
    repositories: BTreeMap<String, PathBuf>,
    moved: BTreeMap<String, String>,
    /// `None`: everything is public.
    tokens: Option<BTreeSet<String>>,
    faults: VecDeque<Fault>,
    requests: Vec<String>,
}

impl GitHost {
    /// Serves a repository's `.git` directory as `owner/name`.
    pub fn serve(&self, name: &str, git_dir: impl Into<PathBuf>) {
        self.with(|state| state.repositories.insert(name.to_owned(), git_dir.into()));
    }

    /// From now on `from` is called `to`; the old name answers 301.
    pub fn rename(&self, from: &str, to: &str) {
        self.with(|state| {
            let git_dir = state.repositories.remove(from).unwrap();
            state.repositories.insert(to.to_owned(), git_dir);
            state.moved.insert(from.to_owned(), to.to_owned());
        });
    }

    /// From now on only these tokens are accepted, and no anonymous request.
    pub fn accept_only(&self, tokens: &[&str]) {
        self.with(|state| state.tokens = Some(tokens.iter().map(|token| (*token).to_owned()).collect()));
    }

    /// From now on everything is public again.
    pub fn accept_any(&self) {
        self.with(|state| state.tokens = None);
    }

    /// Goes wrong as soon as something comes that can go wrong that way, once for each call.
    pub fn fault(&self, fault: Fault) {
        self.with(|state| state.faults.push_back(fault));
    }

    /// Method and path of every request so far, `GET acme/shop.git/info/refs`.
    pub fn requests(&self) -> Vec<String> {
        self.with(|state| state.requests.clone())
    }

    /// How often somebody began to clone or fetch.
    pub fn conversations(&self) -> usize {
        self.requests().iter().filter(|request| request.starts_with("GET ")).count()
    }

    /// Answers `/{owner}/{name}.git/…`, also without `.git`.
    pub fn router(&self) -> Router {
        Router::new().fallback(answer).with_state(self.clone())
    }

    fn with<T>(&self, work: impl FnOnce(&mut HostState) -> T) -> T {
        work(&mut self.state.lock().unwrap())
    }

    /// Takes the first fault if it is of this kind.
    fn take_fault(&self, fits: impl Fn(&Fault) -> bool) -> Option<Fault> {
        self.with(|state| {
            state.faults.front().copied().filter(|fault| fits(fault)).inspect(|_| {
                state.faults.pop_front();
            })
        })
    }
}

/// A [`GitHost`] on a port of its own.
pub struct GitServer {
    pub host: GitHost,
    address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl GitServer {
    /// Starts to listen.
    pub fn start() -> Self {
        Self::start_with(Router::new())
    }

    /// Starts to listen, with other pages of the same server.
    pub fn start_with(pages: Router) -> Self {
        // Clients of https need it, and also those of http ask for it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let host = GitHost::default();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let router = pages.merge(host.router());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { host, address, runtime: Some(runtime) }
    }

    /// Where a repository is cloned from.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}.git", self.address)
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn answer(State(host): State<GitHost>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().trim_start_matches('/').to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    host.with(|state| state.requests.push(format!("{} {path}", parts.method)));
    match host.take_fault(|fault| !matches!(fault, Fault::CutPack)) {
        Some(Fault::Status(status)) => return StatusCode::from_u16(status).unwrap().into_response(),
        Some(Fault::Stall(time)) => tokio::time::sleep(time).await,
        _ => {}
    }
    let authorization = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if !host.with(|state| allowed(state, authorization)) {
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"git\"")]).into_response();
    }
    let mut words = path.splitn(3, '/');
    let (owner, name, rest) =
        (words.next().unwrap(), words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let name = format!("{owner}/{}", name.trim_end_matches(".git"));
    if let Some(to) = host.with(|state| state.moved.get(&name).cloned()) {
        let location = format!("/{to}.git/{rest}?{query}").trim_end_matches('?').to_owned();
        return (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, location)]).into_response();
    }
    let Some(git_dir) = host.with(|state| state.repositories.get(&name).cloned()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let body = to_bytes(body, LARGEST_REQUEST).await.unwrap();
    let text =
        |name: header::HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let environment = vec![
        ("REQUEST_METHOD", parts.method.to_string()),
        ("PATH_INFO", format!("/{rest}")),
        ("QUERY_STRING", query),
        ("CONTENT_TYPE", text(header::CONTENT_TYPE).to_owned()),
        ("CONTENT_LENGTH", body.len().to_string()),
        ("HTTP_CONTENT_ENCODING", text(header::CONTENT_ENCODING).to_owned()),
        ("GIT_PROTOCOL", text(header::HeaderName::from_static("git-protocol")).to_owned()),
    ];
    let output = tokio::task::spawn_blocking(move || backend(&git_dir, environment, &body)).await.unwrap();
    let (head, mut content) = split_cgi(output);
    let has_pack = content.windows(4).any(|window| window == b"PACK");
    if has_pack && host.take_fault(|fault| matches!(fault, Fault::CutPack)).is_some() {
        content.truncate(content.len() / 2);
    }
    let mut response = Response::builder();
    for line in head.lines() {
        let (name, value) = line.split_once(": ").unwrap();
        response = match name {
            "Status" => response.status(value.split(' ').next().unwrap()),
            _ => response.header(name, value),
        };
    }
    response.body(Body::from(content)).unwrap()
}

fn allowed(state: &HostState, authorization: Option<&str>) -> bool {
    let Some(tokens) = &state.tokens else { return true };
    let account = authorization
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|encoded| base64::engine::general_purpose::STANDARD.decode(encoded).ok())
        .and_then(|account| String::from_utf8(account).ok());
    account
        .as_deref()
        .and_then(|account| account.split_once(':'))
        .is_some_and(|(user, token)| user == TOKEN_USER && tokens.contains(token))
}

/// Runs git's own server side once.
fn backend(git_dir: &Path, environment: Vec<(&str, String)>, body: &Bytes) -> Vec<u8> {
    let mut child = isolated_git()
        .args(["-c", "safe.directory=*", "http-backend"])
        .env("GIT_PROJECT_ROOT", git_dir)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .envs(environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // It may answer before it has read all, so both directions run at once, and a closed pipe
        // is no fault.
        scope.spawn(move || drop(stdin.write_all(body)));
        child.wait_with_output().unwrap().stdout
    })
}

fn split_cgi(output: Vec<u8>) -> (String, Vec<u8>) {
    let end = output.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    (String::from_utf8_lossy(&output[..end]).into_owned(), output[end + 4..].to_vec())
}
