//! Two small repositories whose lines fail, watched by a server on a database of its own.

use crate::client::{Load, Order, Outcome, Target, Until, drive};
use crate::database::Database;
use crate::event::{FILES, Lines, Template, function};
use crate::postgres::Postgres;
use crate::process::{Launch, Limits, Process, Usage, forget_peak, usage_with_children};
use git_fixture::{ADA, GRACE, GitRepo, LINUS};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Who wrote the repositories, in turns: each commit adds functions to every file.
const AUTHORS: [&str; 3] = [ADA, GRACE, LINUS];
const COMMITS: usize = 10;
/// Connections on which new lines come: a failing deployment.
pub(crate) const DEPLOYMENT: usize = 16;
/// Lines that fail in the second repository at most.
pub(crate) const FEW: usize = 400;

/// The repositories of all stages.
pub(crate) struct Scene {
    lines: Lines,
    shop: (PathBuf, Arc<Template>),
    depot: (PathBuf, Arc<Template>),
}

/// A server at work.
pub(crate) struct Stage {
    /// What its database is called.
    pub(crate) name: &'static str,
    pub(crate) database: Database,
    pub(crate) launch: Launch,
    pub(crate) server: Process,
    /// The repository that most of the load is about.
    pub(crate) shop: Target,
    /// Another one, with a key of its own.
    pub(crate) depot: Target,
    pub(crate) lines: Lines,
    /// Lines that failed so far, by index.
    pub(crate) used: usize,
    pub(crate) depot_used: usize,
    postgres: Option<u32>,
}

impl Scene {
    /// Makes the repositories below a folder.
    pub(crate) fn build(folder: &Path, lines: Lines) -> Self {
        let made = |name: &str, lines: Lines| {
            let path = folder.join(name);
            let head = commit_all(&path, lines.lines);
            (path, Arc::new(Template::new(&head, lines)))
        };
        let few = Lines { hot: 1, lines: FEW.min(lines.lines) };
        Self { lines, shop: made("shop", lines), depot: made("depot", few) }
    }

    /// What an event is, in bytes: unpacked, and as sent.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        (self.shop.1.envelope(0).len(), self.shop.1.body(0, &mut Vec::new()))
    }

    /// The events of the first repository.
    pub(crate) fn template(&self) -> &Arc<Template> {
        &self.shop.1
    }
}

impl Stage {
    /// Starts a server below a folder, and waits for its mirrors.
    pub(crate) async fn start(
        scene: &Scene,
        program: &Path,
        folder: &Path,
        postgres: Option<&Postgres>,
        database: &str,
    ) -> Self {
        let data = folder.join(format!("{database}-{}", if postgres.is_some() { "postgres" } else { "sqlite" }));
        std::fs::create_dir_all(&data).unwrap();
        let url = match postgres {
            Some(postgres) => Some(postgres.create(database).await),
            None => None,
        };
        let database = url.clone().map_or_else(|| Database::file(&data), |url| Database { url });
        let launch = Launch { program: program.to_owned(), data, database: url, limits: Limits::Off };
        let watch = |repository: &(PathBuf, Arc<Template>), name: &str| {
            let (key, project) = launch.watch(&repository.0, name);
            Target { address: address(0), project, key, template: Arc::clone(&repository.1) }
        };
        let (shop, depot) = (watch(&scene.shop, "acme/shop"), watch(&scene.depot, "acme/depot"));
        let server = Process::server(&launch);
        let name = if database.is_sqlite() { "SQLite" } else { "PostgreSQL" };
        let postgres = postgres.and_then(Postgres::pid);
        let lines = scene.lines;
        let mut stage = Self { name, database, launch, server, shop, depot, lines, used: 0, depot_used: 0, postgres };
        stage.readdress();
        stage.database.wait_for("SELECT COUNT(*) AS n FROM repositories WHERE head IS NOT NULL", 2).await;
        stage
    }

    /// Starts the server anew, after it was killed.
    pub(crate) fn restart(&mut self) {
        self.server = Process::server(&self.launch);
        self.readdress();
    }

    /// Starts it anew with the limits of keys that it has by itself, or without. Nothing is under
    /// way then: another process would have to wait until what this one holds is given up.
    pub(crate) async fn restart_with(&mut self, limits: Limits) {
        self.database.settle().await;
        self.server.kill();
        self.launch.limits = limits;
        self.restart();
    }

    fn readdress(&mut self) {
        (self.shop.address, self.depot.address) = (address(self.server.port), address(self.server.port));
    }

    /// The load, and that it did what a load has to: everything answered, by the same process,
    /// and counted exactly once, line by line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) async fn checked(&mut self, load: Load) -> Result<(Outcome, Usage), String> {
        let before = self.database.counts(&self.shop.project).await;
        forget_peak(self.server.pid());
        let began = self.usage();
        let outcome = drive(&self.shop, load).await;
        let ended = self.usage();
        self.judge(&outcome)?;
        self.database.settle().await;
        let after = self.database.counts(&self.shop.project).await;
        for (line, sent) in by_line(outcome.answers.iter().map(|answer| answer.index), self.lines) {
            let grown = after.of(line) - before.of(line);
            if grown != sent {
                return Err(format!("{}: line {line} has {grown} more, and {sent} were acknowledged", self.name));
            }
        }
        let (grown, sent) = (after.total - before.total, outcome.answers.len() as u64);
        if grown != sent {
            return Err(format!("{}: {grown} more counted, and {sent} acknowledged", self.name));
        }
        let written = ended.written.zip(began.written).map(|(after, before)| after - before);
        Ok((outcome, Usage { cpu: ended.cpu - began.cpu, written, ..ended }))
    }

    /// Whether all was taken, and the server is still the same.
    ///
    /// # Errors
    /// What was refused, or how the server ended.
    pub(crate) fn judge(&mut self, outcome: &Outcome) -> Result<(), String> {
        if let Some(refusal) = &outcome.refusal {
            return Err(format!("{}: refused: {refusal}", self.name));
        }
        self.server.ended().map_or(Ok(()), Err)
    }

    /// CPU and memory of the server; what is written counts the database's own processes as well.
    fn usage(&self) -> Usage {
        let own = self.server.usage();
        let written = match self.postgres {
            Some(pid) => own.written.zip(usage_with_children(pid).written).map(|(own, its)| own + its),
            None if self.database.is_sqlite() => own.written,
            None => None,
        };
        Usage { written, ..own }
    }

    /// CPU seconds of the database's own processes, where they are known.
    pub(crate) fn database_cpu(&self) -> Option<f64> {
        self.postgres.map(|pid| usage_with_children(pid).cpu)
    }

    /// The lines that repeats are of fail for the first time; when the first was sent, Unix time in
    /// seconds.
    ///
    /// # Errors
    /// What was refused, or how the server ended.
    pub(crate) async fn first_failures(&mut self) -> Result<f64, String> {
        let hot = self.lines.hot;
        let load = Load::new(Order::InTurn(0, hot), Until::Requests(hot), DEPLOYMENT);
        let outcome = drive(&self.shop, load).await;
        self.judge(&outcome)?;
        self.used = hot;
        self.database.settle().await;
        Ok(outcome.answers.iter().map(|answer| answer.sent_at).fold(f64::INFINITY, f64::min))
    }
}

/// How often each of the lines that fail all the time is meant, of events by index.
pub(crate) fn by_line(indices: impl Iterator<Item = usize>, lines: Lines) -> std::collections::BTreeMap<usize, u64> {
    let mut counts = std::collections::BTreeMap::new();
    for index in indices.filter(|index| *index < lines.hot) {
        *counts.entry(index).or_default() += 1;
    }
    counts
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Commits as several people; answers the last commit's id.
fn commit_all(path: &Path, lines: usize) -> String {
    let repository = GitRepo::init(path);
    // A thousand new lines at once are a storm, whose mails wait: here each is to be told of as
    // fast as it goes.
    repository.write(".github/flawless.yml", "storm: { lines: 0 }\n");
    let mut texts = vec![String::new(); FILES];
    let mut written = 0;
    for commit in 0..COMMITS {
        let until = (lines * (commit + 1)).div_ceil(COMMITS);
        for line in written..until {
            texts[line % FILES].write_str(&function(line)).unwrap();
        }
        written = until;
        for (file, text) in texts.iter().enumerate() {
            repository.write(&format!("shop/part_{file}.py"), text);
        }
        let date = format!("2026-03-{:02}T10:00:00Z", commit + 1);
        repository.commit(AUTHORS[commit % AUTHORS.len()], &date, &[], "Settle more orders");
    }
    repository.head()
}
