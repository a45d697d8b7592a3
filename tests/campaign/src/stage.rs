//! A long-lived data set: servers on one database, between a fake GitHub, a git server and a mail
//! server.

use crate::clockwork::Clockwork;
use crate::fakes::fake_github::{APP_ID, CommitAuthor, FakeGitHub, PRIVATE_KEY, SECRET};
use crate::fakes::git_repo::{ADA, GitRepo};
use crate::fakes::git_server::GitServer;
use crate::fakes::smtp::SmtpServer;
use crate::ledger::{Ledger, function_in, jobs};
use crate::postgres;
use crate::proxy::Proxy;
use crate::server::Server;
use postgres_fixture::Cluster;
use serde_json::{Value, json};
use sqlx::{AnyConnection, Connection as _, Row as _};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Repositories of a stage, each on an account of its own: an installation of the App writes to
/// GitHub once a second, several write at once.
const REPOSITORIES: usize = 6;
/// Functions of each, as many lines that can fail.
const FUNCTIONS: usize = 900;
/// Room on the file system of a server's data where it is one of its own.
const ROOM: &str = "size=192m";
/// Nothing goes wrong while the mirrors are made: nobody has to hurry.
const WATCHED_PATIENTLY: u32 = 4;
/// Longer than the patience of any server's client library.
const CLIENT_PATIENCE: Duration = Duration::from_secs(20);

/// What the servers keep their rows in, and how many they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Database {
    Sqlite,
    Postgres,
    /// Two servers on one PostgreSQL.
    Replicas,
}

/// Where alerts go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channels {
    /// SMTP and GitHub.
    Services,
    /// Files.
    Outbox,
}

/// A watched repository.
pub struct Repo {
    pub name: String,
    git: GitRepo,
    /// Functions that came with a push of their own, each in a file of its own.
    pushed: BTreeMap<usize, Pushed>,
    head: String,
    pub key: String,
    pub project: i64,
    /// Functions that failed so far, from the first on.
    pub used: usize,
}

/// A push.
struct Pushed {
    /// The head then.
    head: String,
    /// Whether a server has noted it, so that reports without a release are of it.
    is_noted: bool,
}

/// The stage.
pub struct Stage {
    pub channels: Channels,
    pub clockwork: Clockwork,
    pub github: FakeGitHub,
    pub smtp: SmtpServer,
    pub repos: Vec<Repo>,
    pub servers: Vec<Server>,
    pub proxy: Option<Proxy>,
    pub postgres_control: std::sync::Arc<crate::clockwork::Control>,
    /// The database's own address.
    pub database: String,
    pub ledger: Ledger,
    pub http: reqwest::Client,
    outbox_read: BTreeSet<PathBuf>,
    _git: GitServer,
    _postgres: Option<Cluster>,
    mounts: Vec<PathBuf>,
    /// Deleted last.
    _folder: tempfile::TempDir,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.servers.clear();
        for mount in &self.mounts {
            let _ = Command::new("umount").arg("--lazy").arg(mount).status();
        }
    }
}

impl Stage {
    /// Starts everything, and waits for the mirrors. `None`: there is no PostgreSQL on this
    /// machine.
    pub async fn start(kind: Database, channels: Channels, program: &Path) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let shim = crate::clockwork::compile_shim(root);
        let clockwork = Clockwork::start(root);
        let postgres_control = clockwork.control("postgres");
        let postgres = match kind {
            Database::Sqlite => None,
            Database::Postgres | Database::Replicas => Some(postgres::start(root, &shim, &postgres_control)?),
        };
        let proxy = match &postgres {
            Some(postgres) => Some(Proxy::start(postgres.port()).await),
            None => None,
        };
        let github = FakeGitHub::start(clockwork.clock()).await;
        let git = tokio::task::spawn_blocking(GitServer::start).await.unwrap();
        let smtp = SmtpServer::start().await;
        github.add_user(11, "ada");
        let repos: Vec<Repo> = (0..REPOSITORIES).map(|n| repository(n, root, &github, &git)).collect();
        let mut settings = vec![
            ("PUBLIC_URL", "https://flawless.test".to_owned()),
            ("ADMIN_TOKEN", "admin-token-of-the-campaign".to_owned()),
            ("SECRET_KEY", "a secret key of the campaign, which is long enough".to_owned()),
            ("GITHUB_API_URL", github.url().to_owned()),
            ("GITHUB_SERVER_URL", git.url("").trim_end_matches("/.git").to_owned()),
        ];
        if channels == Channels::Services {
            settings.extend([
                ("APP_ID", APP_ID.to_string()),
                ("PRIVATE_KEY", PRIVATE_KEY.to_owned()),
                ("WEBHOOK_SECRET", SECRET.to_owned()),
                ("SMTP_URL", smtp.url()),
                ("MAIL_FROM", "Flawless <flawless@flawless.test>".to_owned()),
            ]);
        }
        if let (Some(postgres), Some(proxy)) = (&postgres, &proxy) {
            settings.push(("DATABASE_URL", postgres.url(proxy.port)));
        }
        let count = if kind == Database::Replicas { 2 } else { 1 };
        let (mut servers, mut mounts) = (Vec::new(), Vec::new());
        for name in ["server-0", "server-1"].into_iter().take(count) {
            let home = root.join(name);
            std::fs::create_dir_all(home.join("data")).unwrap();
            mounts.extend(mount(&home.join("data")));
            servers.push(Server::new(program, &shim, &home, clockwork.control(name), &settings));
        }
        let database = match &postgres {
            Some(postgres) => postgres.url(postgres.port()),
            None => format!("sqlite://{}?mode=ro", servers[0].data.join("flawless.db").display()),
        };
        let http = reqwest::Client::builder().timeout(CLIENT_PATIENCE).build().unwrap();
        let mut stage = Self {
            channels,
            clockwork,
            github,
            smtp,
            repos,
            servers,
            proxy,
            postgres_control,
            database,
            ledger: Ledger::default(),
            http,
            outbox_read: BTreeSet::new(),
            _git: git,
            _postgres: postgres,
            mounts,
            _folder: folder,
        };
        stage.watch().await;
        Some(stage)
    }

    /// Has the repositories watched, and their mirrors made.
    async fn watch(&mut self) {
        for server in &mut self.servers {
            server.start().await.unwrap_or_else(|error| panic!("the server does not start: {error}"));
        }
        for repo in &self.repos {
            let account = repo.name.split_once('/').unwrap().0;
            match self.channels {
                Channels::Services => _ = self.github.install(account, &[&repo.name]),
                Channels::Outbox => {
                    let url = self._git.url(&repo.name);
                    let mut command = self.servers[0].command(&["repository", "add", &url, "--name", &repo.name]);
                    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
                    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                }
            }
        }
        let settled = crate::settle::settle(self, WATCHED_PATIENTLY).await;
        assert!(settled.is_empty(), "the mirrors are not made: {settled:?}");
        let mut connection = AnyConnection::connect(&self.database).await.unwrap();
        let sql = "SELECT r.full_name, r.id, k.ingest_key FROM repositories r
             JOIN ingest_keys k ON k.repository_id = r.id WHERE r.settings IS NOT NULL";
        let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        for row in rows {
            let name: String = row.get("full_name");
            let repo = self.repos.iter_mut().find(|repo| repo.name == name).unwrap();
            (repo.key, repo.project) = (row.get("ingest_key"), row.get("id"));
        }
        let missing = self.repos.iter().find(|repo| repo.key.is_empty()).map(|repo| &repo.name);
        assert_eq!(missing, None, "a repository is not watched");
    }

    /// Whether a server's data are on a file system of their own, which can be filled.
    pub fn can_fill_the_disk(&self) -> bool {
        !self.mounts.is_empty()
    }

    /// How often each function has an issue, on GitHub or as a file.
    pub fn issues(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        let titles: Vec<String> = match self.channels {
            Channels::Services => {
                self.repos.iter().flat_map(|repo| self.github.issues(&repo.name)).map(|issue| issue.title).collect()
            }
            Channels::Outbox => {
                let files = self.outbox("md").into_iter();
                let issues = files.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("issue-"));
                // Replicas have folders of their own: the same file in both is one issue.
                let by_name: BTreeMap<_, _> = issues.map(|path| (path.file_name().unwrap().to_owned(), path)).collect();
                let read = by_name.into_values().filter_map(|path| std::fs::read_to_string(path).ok());
                read.map(|text| text.lines().next().unwrap_or_default().to_owned()).collect()
            }
        };
        for function in titles.iter().filter_map(|title| function_in(title)) {
            *counts.entry(function).or_default() += 1;
        }
        counts
    }

    /// Takes in the mails that came.
    pub fn collect_mails(&mut self) {
        for mail in self.smtp.take() {
            self.ledger.note_mail(&mail.raw);
        }
        for path in self.outbox("eml") {
            if self.outbox_read.insert(path.clone()) {
                self.ledger.note_mail(&std::fs::read(path).unwrap_or_default());
            }
        }
    }

    fn outbox(&self, extension: &str) -> Vec<PathBuf> {
        let folders = self.servers.iter().map(|server| server.data.join("outbox"));
        let files = folders.flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
        files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|it| it == extension)).collect()
    }

    /// Pushes a file of its own for a function, and has a server told of it.
    pub async fn push(&mut self, repo: usize, function: usize, server: usize) {
        let name = name_of(repo, function);
        let text = format!("def {name}(x):\n    return x.key_{name}\n");
        let Repo { name: full_name, git, head, pushed, .. } = &mut self.repos[repo];
        let before = std::mem::replace(
            head,
            git.commit(ADA, "2026-02-05T10:00:00Z", &[(&format!("shop/{name}.py"), &text)], "Add a function"),
        );
        self.github.set_commit_author(full_name, head, CommitAuthor::Login("ada".to_owned()));
        self.github.push(full_name, "refs/heads/main", &before, head, "ada");
        pushed.insert(function, Pushed { head: head.clone(), is_noted: false });
        let hooks = self.github.deliver(&format!("{}/api/github/webhooks", self.servers[server].url)).await;
        let taken = !hooks.is_empty() && hooks.iter().all(|hook| (200..300).contains(&hook.status));
        if let Some(pushed) = self.repos[repo].pushed.get_mut(&function) {
            pushed.is_noted = taken && hooks_are_done(&self.database).await;
        }
    }

    /// An event as sentry-sdk sends it, of a function of a repository; of one that was pushed by
    /// itself, with the release that it came with or without any.
    pub fn event(&self, repo: usize, function: usize, says_release: bool) -> Value {
        let Repo { head, pushed, .. } = &self.repos[repo];
        let (path, line, release) = match pushed.get(&function) {
            Some(Pushed { head, is_noted }) => {
                (format!("shop/{}.py", name_of(repo, function)), 2, (says_release || !is_noted).then_some(head))
            }
            None => (format!("shop/r{repo}.py"), function * 3 + 2, Some(head)),
        };
        json!({
            "platform": "python", "release": release, "environment": "production", "server_name": "web-1",
            "exception": {"values": [{"type": "KeyError", "module": "builtins", "value": "'quince'",
                "stacktrace": {"frames": [
                    {"filename": path, "abs_path": format!("/srv/app/{path}"), "function": name_of(repo, function),
                     "lineno": line, "context_line": format!("    return x.key_{}", name_of(repo, function)),
                     "pre_context": [format!("def {}(x):", name_of(repo, function))], "in_app": true},
                ]}}]},
            "sdk": {"name": "sentry.python", "version": "2.75.0"},
        })
    }
}

/// Waits a moment for what was made of webhooks; whether it came to its end.
async fn hooks_are_done(database: &str) -> bool {
    for _ in 0..50 {
        if jobs(database).await.is_ok_and(|queue| queue.iter().all(|job| job.kind != "webhook")) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    false
}

/// What a function is called; no two of a stage are called the same.
pub fn name_of(repo: usize, function: usize) -> String {
    format!("r{repo}_{function}")
}

/// A repository on GitHub and on the git server. Nothing is a storm, nobody is assigned, no count
/// gets a comment: a round has few seconds for what it writes.
fn repository(n: usize, root: &Path, github: &FakeGitHub, git: &GitServer) -> Repo {
    let name = format!("acme{n}/shop");
    let repo = GitRepo::init(root.join(format!("repository-{n}")));
    let mut text = String::new();
    for function in 0..FUNCTIONS {
        let name = name_of(n, function);
        writeln!(text, "def {name}(x):\n    return x.key_{name}\n").unwrap();
    }
    let settings = "storm: { lines: 0 }\nissues: { assign: false, comment_at: [] }\n";
    let files = [(format!("shop/r{n}.py"), text), (".github/flawless.yml".to_owned(), settings.to_owned())];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let head = repo.commit(ADA, "2026-01-05T10:00:00Z", &files, "Add functions");
    github.add_repository(&name, true);
    github.set_commit_author(&name, &head, CommitAuthor::Login("ada".to_owned()));
    git.host.serve(&name, repo.git_dir());
    Repo { name, git: repo, pushed: BTreeMap::new(), head, key: String::new(), project: 0, used: 0 }
}

/// A small file system in memory on this folder, where this process may mount one.
fn mount(folder: &Path) -> Option<PathBuf> {
    if !postgres_fixture::is_root() {
        return None;
    }
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", ROOM, "campaign"]).arg(folder).output();
    mounted.is_ok_and(|output| output.status.success()).then(|| folder.to_owned())
}
