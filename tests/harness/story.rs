//! A story: a whole Flawless between a fake GitHub, a git server and a mail server, told step by
//! step.

use super::databases;
use super::fake_github::{APP_ID, CLIENT_ID, CLIENT_SECRET, Change, CommitAuthor, FakeGitHub, PRIVATE_KEY, SECRET};
use super::git_repo::GitRepo;
use super::git_server::GitServer;
use super::jobs::{end_leases, next_write_due};
use super::smtp::{Received, SmtpServer};
use app::clock::Clock;
use app::config::Config;
use app::serve::Flawless;
use app::services::readiness::Clocks;
use app::wiring::Handles;
use app::worker::Worker;
use domain::job::Job;
use domain::pace::GAP;
use domain::status::BEGIN;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::jobs::{Among, LEASE};
use store::lines::Line;
use store::repositories::NewRepository;
use tokio::sync::oneshot;
use tracing_subscriber::fmt::MakeWriter;

/// The repository that the App is installed on.
pub const REPO: &str = "acme/shop";
/// The failing file as the stories begin: line 9 is Ada's.
pub const CART: &str = "\
\"\"\"Carts.\"\"\"

PRICES = {'apple': 120}


def total(items):
    amount = 0
    for sku in items:
        amount += PRICES[sku]
    return amount
";
/// The file's path.
pub const CART_PATH: &str = "shop/cart.py";

/// Tells a story from beginning to end, and fails on anything that nobody looked at: a job left
/// over, a mail unread, a change of an issue, an ERROR in the log, a request that GitHub's OpenAPI
/// does not know.
pub fn run_test(story: impl AsyncFnOnce(&mut Story)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    runtime.block_on(async {
        let mut told = Story::begin(log).await;
        story(&mut told).await;
        told.finish().await;
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
}

/// What was logged in this story, and what panics whoever logs it.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>, Arc<Mutex<Option<String>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let panics_at = self.1.lock().unwrap().clone();
        // Before it stands what was not written because its writer panicked.
        let last = bytes.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        if panics_at.is_some_and(|text| String::from_utf8_lossy(last).contains(&text)) {
            panic!("a fault of the program");
        }
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The stage.
pub struct Story {
    pub clock: Clock,
    pub github: FakeGitHub,
    pub git: GitServer,
    pub repo: GitRepo,
    pub smtp: SmtpServer,
    pub http: reqwest::Client,
    /// When it began.
    pub(super) began_at: Timestamp,
    /// Files of the outbox that were looked at, as they were then.
    pub(super) outbox_read: RefCell<BTreeMap<PathBuf, String>>,
    /// Files at revisions, each named by git's `REVISION:PATH`.
    files_read: RefCell<BTreeMap<String, Arc<str>>>,
    folder: tempfile::TempDir,
    settings: BTreeMap<String, String>,
    running: Option<Running>,
    log: Log,
    errors_expected: bool,
    other_clocks: bool,
}

struct Running {
    services: Handles,
    worker: Worker,
    url: String,
    stop: oneshot::Sender<()>,
    server: tokio::task::JoinHandle<()>,
}

impl Story {
    async fn begin(log: Log) -> Self {
        app::serve::install_crypto();
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::fixed(Clock::system().now());
        let github = FakeGitHub::start(clock.clone()).await;
        let pages = github.sign_in_router();
        let git = tokio::task::spawn_blocking(|| GitServer::start_with(pages)).await.unwrap();
        let repo = GitRepo::init(folder.path().join("shop"));
        let smtp = SmtpServer::start().await;
        for (id, login) in [(11, "ada"), (12, "grace"), (13, "linus"), (14, "owner")] {
            github.add_user(id, login);
        }
        github.add_repository(REPO, true);
        github.set_assignable(REPO, &["ada", "grace", "linus", "owner"]);
        git.host.serve(REPO, repo.git_dir());
        let server_url = git.url("").trim_end_matches("/.git").to_owned();
        let settings = BTreeMap::from(
            [
                ("PORT", "0".to_owned()),
                ("DATA_DIR", folder.path().join("data").display().to_string()),
                ("DATABASE_URL", databases::database(folder.path()).await),
                ("PUBLIC_URL", "https://flawless.test".to_owned()),
                ("APP_ID", APP_ID.to_string()),
                ("PRIVATE_KEY", PRIVATE_KEY.to_owned()),
                ("WEBHOOK_SECRET", SECRET.to_owned()),
                ("GITHUB_API_URL", github.url().to_owned()),
                ("GITHUB_SERVER_URL", server_url),
                ("GITHUB_CLIENT_ID", CLIENT_ID.to_owned()),
                ("GITHUB_CLIENT_SECRET", CLIENT_SECRET.to_owned()),
                ("SMTP_URL", smtp.url()),
                ("MAIL_FROM", "Flawless <flawless@flawless.test>".to_owned()),
                ("ADMIN_TOKEN", "admin-token-of-the-tests".to_owned()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        let mut story = Self {
            began_at: clock.now(),
            outbox_read: RefCell::default(),
            files_read: RefCell::default(),
            clock,
            github,
            git,
            repo,
            smtp,
            http: reqwest::Client::new(),
            folder,
            settings,
            running: None,
            log,
            errors_expected: false,
            other_clocks: false,
        };
        story.commit("Ada Lovelace <ada@example.com>", "2026-01-05T10:00:00Z", &[(CART_PATH, CART)], "Add up carts");
        story.start().await;
        story
    }

    /// Whether this run's stories are told on PostgreSQL.
    pub fn is_on_postgres(&self) -> bool {
        self.settings["DATABASE_URL"].starts_with("postgres")
    }

    /// Sets a variable of the configuration, from the next start on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.insert(name.to_owned(), value.to_owned());
    }

    /// Takes a variable out of the configuration, from the next start on.
    pub fn unset(&mut self, name: &str) {
        self.settings.remove(name);
    }

    /// The configuration of the next start.
    pub fn config(&self) -> Config {
        Config::from_parts(None, self.settings.clone()).unwrap()
    }

    /// The story's own folder.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// An ERROR in the log is part of this story.
    pub fn expect_errors(&mut self) {
        self.errors_expected = true;
    }

    /// Whoever logs this panics there, as by a fault of the program; with `None` nobody any more.
    pub fn panic_where_logged(&self, text: Option<&str>) {
        *self.log.1.lock().unwrap() = text.map(str::to_owned);
    }

    /// Starts the server in this process, its background work left to [`Self::settle`].
    pub async fn start(&mut self) {
        let config = Config::from_parts(None, self.settings.clone()).unwrap();
        let flawless = Flawless::open(config, self.clock.clone()).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let (services, worker) = (flawless.handles.clone(), flawless.worker.clone());
        let url = format!("http://{}", flawless.address);
        let server = tokio::spawn(flawless.run(false, async {
            let _ = stopped.await;
        }));
        self.running = Some(Running { services, worker, url, stop, server });
    }

    /// Stops the server in an orderly way.
    pub async fn stop(&mut self) {
        // Connections that a client keeps open would hold the server up.
        self.http = reqwest::Client::new();
        let Some(Running { services, worker, stop, server, .. }) = self.running.take() else { return };
        drop((services, worker));
        stop.send(()).unwrap();
        server.await.unwrap();
    }

    /// What time it is, as the server is told.
    pub fn clocks(&self) -> Clocks {
        Clocks { now: self.clock.now(), machine: self.clock.machine() }
    }

    /// Sets the clock back. How far writes to GitHub are apart can't be told by it any more.
    pub fn set_clock_back(&mut self, by: SignedDuration) {
        self.other_clocks = true;
        self.clock.advance(-by);
    }

    /// Whoever held a job has not been heard of for two minutes.
    pub async fn end_leases(&self) {
        end_leases(&self.settings["DATABASE_URL"]).await;
    }

    /// The server ends while it works on the next job, as by a kill or for want of memory.
    pub async fn die_at_work(&mut self) -> Job {
        let (store, now) = (self.services().store.clone(), self.clock.now());
        self.services().counts.bring_up_to_date(now).await.unwrap();
        let mut claimed = None;
        for among in [Among::Ordinary, Among::Suspects] {
            if claimed.is_none() {
                claimed = store::jobs::claim(&store, among, LEASE, now).await.unwrap();
            }
        }
        self.stop().await;
        self.end_leases().await;
        self.start().await;
        claimed.expect("a job").job
    }

    /// What was logged so far.
    pub fn logged(&self) -> String {
        String::from_utf8_lossy(&self.log.0.lock().unwrap()).into_owned()
    }

    /// Another database of this story's, empty, on the PostgreSQL that stories are told on, if they
    /// are.
    pub async fn another_postgres(&self) -> Option<String> {
        databases::another_postgres(self.folder.path()).await
    }

    /// Stops and starts the server.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.start().await;
    }

    /// Starts the server as a process of its own, with its own clock and workers.
    pub async fn start_process(&mut self) -> Process {
        self.start_process_by(Command::new(env!("CARGO_BIN_EXE_flawless")), None).await
    }

    /// The same, with its log there: a pipe, a device.
    pub async fn start_process_logging_to(&mut self, log: impl Into<Stdio>) -> Process {
        self.start_process_by(Command::new(env!("CARGO_BIN_EXE_flawless")), Some(log.into())).await
    }

    /// The same, by a shell that first does this, such as `ulimit -n 1024`.
    pub async fn start_process_after(&mut self, first: &str) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{first} && exec \"$0\""), env!("CARGO_BIN_EXE_flawless")]);
        self.start_process_by(command, None).await
    }

    async fn start_process_by(&mut self, mut command: Command, log: Option<Stdio>) -> Process {
        // One server has a SQLite file for itself.
        if !self.is_on_postgres() {
            self.stop().await;
        }
        self.other_clocks = true;
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        command.env_clear().envs(&self.settings).env("PORT", port.to_string()).current_dir(self.folder.path());
        for name in ["PATH", "HOME", "LLVM_PROFILE_FILE"] {
            if let Ok(value) = std::env::var(name) {
                command.env(name, value);
            }
        }
        let file =
            std::fs::File::options().append(true).create(true).open(self.folder.path().join("process.log")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.unwrap_or_else(|| file.into()));
        let child = command.spawn().unwrap();
        let process = Process { child: Some(child), url: format!("http://127.0.0.1:{port}") };
        for _ in 0..600 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return process;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!(
            "the process does not listen: {}",
            std::fs::read_to_string(self.folder.path().join("process.log")).unwrap()
        );
    }

    /// Runs a command of the program beside the server; what it prints.
    pub fn command(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flawless"));
        command.args(arguments).env_clear().envs(&self.settings).current_dir(self.folder.path());
        for name in ["PATH", "HOME", "LLVM_PROFILE_FILE"] {
            if let Ok(value) = std::env::var(name) {
                command.env(name, value);
            }
        }
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command says that has to fail.
    pub fn refused_command(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flawless"));
        command.args(arguments).env_clear().envs(&self.settings).current_dir(self.folder.path());
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    }

    /// What the program says where it refuses to start as a server, and how long that took.
    pub async fn refused_server(&self, settings: &[(&str, &str)]) -> (String, Duration) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flawless"));
        command.env_clear().envs(&self.settings).envs(settings.iter().copied()).current_dir(self.folder.path());
        let begun = tokio::time::Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        while child.try_wait().unwrap().is_none() {
            if begun.elapsed() > Duration::from_secs(20) {
                child.kill().unwrap();
                panic!("it does not refuse");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let (output, took) = (child.wait_with_output().unwrap(), begun.elapsed());
        assert!(!output.status.success(), "it has to refuse");
        (String::from_utf8(output.stderr).unwrap(), took)
    }

    /// The same for a command that asks GitHub or the mail server, which have to answer meanwhile.
    pub async fn asking_command(&self, arguments: &'static [&'static str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flawless"));
        command.args(arguments).env_clear().envs(&self.settings).current_dir(self.folder.path());
        for name in ["PATH", "HOME", "LLVM_PROFILE_FILE"] {
            if let Ok(value) = std::env::var(name) {
                command.env(name, value);
            }
        }
        let output = tokio::task::spawn_blocking(move || command.stdin(Stdio::null()).output().unwrap()).await.unwrap();
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }

    /// The background work, which only [`Self::settle`] and [`Self::tick`] get going.
    pub fn worker(&self) -> &Worker {
        &self.running.as_ref().expect("the server runs").worker
    }

    pub fn services(&self) -> &Handles {
        &self.running.as_ref().expect("the server runs").services
    }

    /// The server's real address.
    pub fn url(&self) -> &str {
        &self.running.as_ref().expect("the server runs").url
    }

    /// Installs the App on the repository, and lets everything that follows happen.
    pub async fn install(&mut self) -> u64 {
        let installation = self.github.install("acme", &[REPO]);
        self.settle().await;
        installation
    }

    /// Delivers webhooks and runs due jobs until nothing is left to do. Writes to GitHub come a
    /// second apart: the clock goes on by that second and what a turn took, and by nothing longer,
    /// which is a pause that the story has to wait for.
    pub async fn settle(&mut self) {
        loop {
            let hooks = match &self.running {
                Some(running) => self.github.deliver(&format!("{}/api/github/webhooks", running.url)).await,
                None => return,
            };
            for hook in &hooks {
                assert!((200..300).contains(&hook.status), "{} was answered {}", hook.name(), hook.status);
            }
            let steps = self.drain().await;
            if steps == 0 && hooks.is_empty() {
                let now = self.clock.now();
                match next_write_due(&self.settings["DATABASE_URL"]).await {
                    Some(due) if due <= now + GAP + SignedDuration::from_millis(900) => {
                        self.clock.advance((due - now).max(SignedDuration::from_millis(1)))
                    }
                    _ => return,
                }
            }
        }
    }

    /// Runs due jobs while GitHub's webhooks do not get through.
    pub async fn settle_without_webhooks(&mut self) {
        self.running.as_ref().unwrap().worker.drain().await.unwrap();
    }

    /// Moves the clock, and lets happen what is due then.
    pub async fn later(&mut self, by: SignedDuration) {
        self.clock.advance(by);
        self.settle().await;
    }

    /// Commits as somebody whom GitHub knows by the local part of their address. Nobody is told:
    /// see [`Self::push`].
    pub fn commit(&mut self, person: &str, date: &str, files: &[(&str, &str)], message: &str) -> String {
        let sha = self.repo.commit(person, date, files, message);
        self.know_author(person, &sha);
        sha
    }

    /// Renames a file in a commit of its own.
    pub fn rename(&mut self, person: &str, date: &str, from: &str, to: &str) -> String {
        let sha = self.repo.rename(person, date, from, to);
        self.know_author(person, &sha);
        sha
    }

    fn know_author(&self, person: &str, sha: &str) {
        let login = person.split_once('<').unwrap().1.split('@').next().unwrap();
        self.github.set_commit_author(REPO, sha, CommitAuthor::Login(login.to_owned()));
    }

    /// Tells of a push to the default branch.
    pub async fn push(&mut self) {
        let head = self.repo.head();
        // A webhook and the report that follows never share a moment in real life.
        self.clock.advance(SignedDuration::from_secs(1));
        self.github.push(REPO, "refs/heads/main", &"0".repeat(40), &head, "owner");
        self.settle().await;
    }

    /// The DSN's key and project.
    pub async fn key(&self) -> (String, i64) {
        let id = self.repository().await.repository.id;
        (store::ingest_keys::in_force(&self.services().store, id).await.unwrap().remove(0), id.0)
    }

    /// An event as sentry-sdk sends it: fails at the line of `path` that contains `needle`, at a
    /// revision of the repository.
    pub fn event_at(&self, revision: &str, path: &str, needle: &str, function: &str, server: &str) -> Value {
        let text = self.file_at(revision, path);
        let lines: Vec<&str> = text.lines().collect();
        let at = lines.iter().position(|line| line.contains(needle)).unwrap_or_else(|| panic!("{needle} in {path}"));
        json!({
            "platform": "python", "release": revision, "environment": "production", "server_name": server,
            "exception": {"values": [{"type": "KeyError", "module": "builtins", "value": "'quince'",
                "mechanism": {"type": "excepthook", "handled": false},
                "stacktrace": {"frames": [
                    {"filename": "flask/app.py", "abs_path": "/srv/venv/lib/python3.12/site-packages/flask/app.py",
                     "module": "flask.app", "function": "wsgi_app", "lineno": 1511, "context_line": "    response = handle()"},
                    {"filename": path, "abs_path": format!("/srv/app/{path}"), "function": function, "lineno": at + 1,
                     "context_line": lines[at], "pre_context": lines[at.saturating_sub(5)..at],
                     "post_context": lines[at + 1..(at + 6).min(lines.len())], "vars": {"sku": "'quince'"}, "in_app": true},
                ]}}]},
            "request": {"url": "https://shop.example/cart", "method": "POST", "headers": {"Host": "shop.example"}},
            "sdk": {"name": "sentry.python", "version": "2.75.0"},
        })
    }

    /// A file as it was at a revision, which git is asked for once: some stories fail there a
    /// thousand times.
    fn file_at(&self, revision: &str, path: &str) -> Arc<str> {
        let wanted = format!("{revision}:{path}");
        let show = || self.repo.git(&["show", &wanted]).into();
        // What a name stands for changes, an id does not.
        let is_id = revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_id {
            return show();
        }
        Arc::clone(self.files_read.borrow_mut().entry(wanted.clone()).or_insert_with(show))
    }

    /// The usual failure, of the newest revision.
    pub fn event(&self) -> Value {
        self.event_at(&self.repo.head(), CART_PATH, "PRICES[sku]", "total", "web-1")
    }

    /// Sends an event as an SDK does; answers the status.
    pub async fn send_to(&self, url: &str, key: &str, project: i64, event: &Value) -> u16 {
        let body = format!("{{}}\n{{\"type\":\"event\"}}\n{event}\n");
        let answer = self
            .http
            .post(format!("{url}/api/{project}/envelope/"))
            .header("X-Sentry-Auth", format!("Sentry sentry_version=7, sentry_key={key}"))
            .body(body)
            .send()
            .await
            .unwrap();
        answer.status().as_u16()
    }

    /// Reports an event and lets everything that follows happen.
    pub async fn report(&mut self, event: &Value) {
        let (key, project) = self.key().await;
        assert_eq!(self.send_to(self.url(), &key, project, event).await, 200);
        self.settle().await;
    }

    /// A page as the admin sees it.
    pub async fn page(&self, path: &str) -> String {
        let asked = self.http.get(format!("{}{path}", self.url())).bearer_auth("admin-token-of-the-tests");
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.unwrap()
    }

    /// Watches a plain git repository, as `flawless repository add` does; its DSN's key and
    /// project.
    pub async fn watch_plainly(&mut self, name: &str, url: &str) -> (String, i64) {
        let new = NewRepository { full_name: name.into(), clone_url: url.to_owned(), github: None, public: false };
        let id = self.services().repositories().watch(&new, self.clock.now()).await.unwrap();
        self.settle().await;
        (store::ingest_keys::in_force(&self.services().store, id).await.unwrap().remove(0), id.0)
    }

    /// The lines that are known, oldest first, with all that was counted of them.
    pub async fn lines(&self) -> Vec<Line> {
        self.services().counts.bring_up_to_date(self.clock.now()).await.unwrap();
        let mut all = Vec::new();
        for row in store::repositories::list(&self.services().store).await.unwrap() {
            all.extend(store::lines::of_repository(&self.services().store, row.repository.id, 1000).await.unwrap());
        }
        all.sort_by_key(|line| line.id);
        all
    }

    /// The mails that came since the last look.
    pub fn mails(&self) -> Vec<Received> {
        self.smtp.take()
    }

    /// What the bot did to issues since the last look, a line each.
    pub fn changes(&self) -> Vec<String> {
        self.github
            .take_issue_changes()
            .iter()
            .filter(|change| !matches!(&change.what, Change::Rewritten { to, .. } if to.contains(BEGIN)))
            .map(|change| change.to_string().lines().next().unwrap_or_default().to_owned())
            .collect()
    }

    /// Runs the jobs that are due; how many. Where a request of theirs is to kill the server, it
    /// ends in that moment, with all that it was at, and is started again.
    async fn drain(&mut self) -> usize {
        let worker = self.running.as_ref().unwrap().worker.clone();
        tokio::select! {
            steps = worker.drain() => return steps.unwrap(),
            () = self.github.kills() => {}
        }
        drop(worker);
        self.stop().await;
        self.end_leases().await;
        self.start().await;
        1
    }

    async fn finish(mut self) {
        if self.running.is_none() {
            self.start().await;
        }
        if self.other_clocks {
            // A process that was killed may have held a job.
            self.end_leases().await;
        }
        self.settle().await;
        let queue = store::jobs::queue_state(&self.services().store).await.unwrap();
        let log = String::from_utf8_lossy(&self.log.0.lock().unwrap()).into_owned();
        let last: Vec<&str> = log.lines().rev().take(12).collect();
        assert_eq!(queue.length, 0, "jobs are left over; the log's last lines, latest first:\n{}", last.join("\n"));
        let unseen = self.transcript();
        assert!(unseen.is_empty(), "nobody looked at:\n{unseen}");
        self.github.assert_clean();
        if !self.other_clocks {
            self.github.assert_pace();
        }
        let log = String::from_utf8_lossy(&self.log.0.lock().unwrap()).into_owned();
        if !self.errors_expected {
            let errors: Vec<&str> = log.lines().filter(|line| line.contains("ERROR")).collect();
            assert!(errors.is_empty(), "errors in the log: {errors:#?}");
        }
        self.stop().await;
    }
}

/// A server as a process of its own. Killed when it goes out of sight.
pub struct Process {
    child: Option<Child>,
    pub url: String,
}

impl Process {
    /// Stops it where it stands, as a frozen container or a suspended machine is.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// What it logged, and those before it.
    pub fn log(&self, story: &Story) -> String {
        std::fs::read_to_string(story.folder.path().join("process.log")).unwrap()
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// How it ended, if it does by then.
    pub async fn ended(&mut self, within: Duration) -> Option<std::process::ExitStatus> {
        let began = tokio::time::Instant::now();
        while began.elapsed() < within {
            let child = self.child.as_mut().expect("it was not killed");
            if let Some(status) = child.try_wait().unwrap() {
                self.child = None;
                return Some(status);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        None
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
