//! `flawless demo`: the whole story in a terminal, on a repository made for it, without
//! configuration, account or network.

use super::scene::Scene;
use super::{Failed, stop::stop_signal};
use crate::clock::Clock;
use crate::config::Config;
use crate::serve::{Flawless, ServeError};
use crate::terminal::{heading, say};
use crate::wiring::Handles;
use clap::Args;
use domain::ids::RepositoryId;
use domain::rule::{Rule, RuleSource};
use domain::settings::KnownError;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::lines::Line;
use store::repositories::NewRepository;
use store::rules::NewRule;
use tokio::sync::oneshot;

/// How the story is told.
#[derive(Debug, Args)]
pub struct Options {
    /// End when the story is told, instead of keeping the pages up until Ctrl-C.
    #[arg(long)]
    exit: bool,
    /// Port of the pages; any free one where left out.
    #[arg(long, default_value_t = 0)]
    port: u16,
}

/// The demo's admin token: nothing of the demo is secret.
const TOKEN: &str = "demo-admin-token";
/// How long one step may take on a slow machine before something must be wrong.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often is looked whether it is over.
const GLANCE: Duration = Duration::from_millis(20);

/// Tells the story.
///
/// # Errors
/// A step of the demo did not happen.
pub async fn demo(options: &Options) -> Result<(), Failed> {
    let clock = Clock::system();
    let folder = std::env::temp_dir().join(format!("flawless-demo-{}", std::process::id()));
    let told = tell(options, &clock, &folder).await;
    // Everything of the story is in this folder, and nothing of it anywhere else.
    let _ = std::fs::remove_dir_all(&folder);
    told
}

async fn tell(options: &Options, clock: &Clock, folder: &Path) -> Result<(), Failed> {
    heading("A small shop, written by Ada, Grace and Alan");
    let scene = Scene::set(&folder.join("shop"), clock.now())?;
    let settings = BTreeMap::from(
        [
            ("DATA_DIR", folder.join("data").display().to_string()),
            ("PORT", options.port.to_string()),
            ("ADMIN_TOKEN", TOKEN.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    let flawless = Flawless::open(Config::from_parts(None, settings)?, clock.clone()).await.map_err(refused)?;
    let handles = flawless.handles.clone();
    let url = flawless.config.public_url.clone().unwrap_or_default();
    let outbox = flawless.config.outbox();
    let new = NewRepository {
        full_name: "acme/shop".into(),
        clone_url: folder.join("shop").display().to_string(),
        github: None,
        public: false,
    };
    let id = handles.repositories().watch(&new, clock.now()).await?;
    let key = store::ingest_keys::in_force(&handles.store, id)
        .await?
        .into_iter()
        .next()
        .ok_or("the repository has no key")?;
    say!("  Flawless watches it. Any Sentry SDK reports to it with this DSN:");
    say!("  {}", handles.site.linker.dsn(&key, id));
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(flawless.run(true, async {
        let _ = stopped.await;
    }));
    let stage = Stage { handles, outbox, url, project: id.0, key, client: reqwest::Client::new() };
    stage.play(&scene, clock).await?;
    heading("The week");
    say!("  {}", stage.handles.site.linker.week(Some(&"acme/shop".into()), clock.now()));
    say!("  Sign in with the admin token: {TOKEN}");
    if !options.exit {
        say!("  The pages stay up until Ctrl-C.");
        stop_signal().await;
    }
    let _ = stop.send(());
    server.await?;
    Ok(())
}

/// Why the demo's server can't be opened: its port is an argument, and no setting.
fn refused(error: ServeError) -> Failed {
    match error {
        ServeError::Listen { port, why, .. } => {
            format!("port {port} can't be listened on: {why}; name another by --port, or leave it out for any free one")
                .into()
        }
        error => error.into(),
    }
}

struct Stage {
    handles: Handles,
    outbox: PathBuf,
    url: String,
    project: i64,
    key: String,
    client: reqwest::Client,
}

impl Stage {
    async fn play(&self, scene: &Scene, clock: &Clock) -> Result<(), Failed> {
        let line = self.first_failure(scene).await?;
        self.repeats(scene).await?;
        self.moved_line(scene, line.repository, clock).await?;
        self.another_line(scene).await?;
        self.whitelisted(scene, &line, clock).await?;
        if self.count("eml")? != 2 || self.count("md")? != 2 {
            return Err("the story did not come true: it was to be two mails and two issues".into());
        }
        Ok(())
    }

    async fn first_failure(&self, scene: &Scene) -> Result<Line, Failed> {
        heading("1. web-1 fails: a customer wants a quince, which has no price");
        self.send(&scene.unknown_fruit("web-1")?).await?;
        let line = self.line_with("KeyError", 1).await?;
        say!("  Blamed {}:{} in {}:", line.place.path, line.place.line, line.place.function);
        say!("      {}", line.place.code);
        let email = line.author_email.as_deref().unwrap_or("?");
        say!("  written by {} <{email}>", author(&line));
        let mail = self.file("eml", 1).await?;
        let issue = self.file("md", 1).await?;
        say!("");
        say!("  The e-mail ({}):", mail.display());
        say!("");
        show(&plain_text(&std::fs::read(&mail)?), 40);
        say!("");
        say!("  The issue ({}):", issue.display());
        say!("");
        show(&std::fs::read_to_string(&issue)?, 30);
        Ok(line)
    }

    async fn repeats(&self, scene: &Scene) -> Result<(), Failed> {
        heading("2. web-2 and web-3 fail in the same way, ten times each");
        for _ in 0..10 {
            self.send(&scene.unknown_fruit("web-2")?).await?;
            self.send(&scene.unknown_fruit("web-3")?).await?;
        }
        let total = self.line_with("KeyError", 21).await?.total;
        say!("  Counted: {total} occurrences of one line. Mails about it: {}.", self.count("eml")?);
        Ok(())
    }

    async fn moved_line(&self, scene: &Scene, repository: RepositoryId, clock: &Clock) -> Result<(), Failed> {
        heading("3. Alan pushes: the failing line moves down, and fails again");
        scene.move_the_line()?;
        store::repositories::record_push(&self.handles.store, repository, clock.now(), clock.now()).await?;
        self.handles.wake.notify_one();
        self.send(&scene.unknown_fruit("web-1")?).await?;
        let line = self.line_with("KeyError", 22).await?;
        let (number, total, mails) = (line.place.line, line.total, self.count("eml")?);
        say!("  It is line {number} now, and still Ada's: {total} occurrences, mails: {mails}.");
        Ok(())
    }

    async fn another_line(&self, scene: &Scene) -> Result<(), Failed> {
        heading("4. Another line fails, and another person hears of it");
        self.send(&scene.empty_voucher("web-1")?).await?;
        let line = self.line_with("ZeroDivisionError", 1).await?;
        let mail = self.file("eml", 2).await?;
        say!("  Blamed {}:{}, written by {}.", line.place.path, line.place.line, author(&line));
        for header in String::from_utf8_lossy(&std::fs::read(&mail)?).lines().take_while(|line| !line.is_empty()) {
            if header.starts_with("To:") || header.starts_with("Subject:") {
                say!("  {header}");
            }
        }
        Ok(())
    }

    async fn whitelisted(&self, scene: &Scene, line: &Line, clock: &Clock) -> Result<(), Failed> {
        heading("5. Ada's line is whitelisted, and fails once more");
        self.handles.rules().make(&rule_of(line), clock.now()).await?;
        self.send(&scene.unknown_fruit("web-2")?).await?;
        let line = self.line_with("KeyError", 23).await?;
        let (total, known, mails) = (line.total, line.known, self.count("eml")?);
        say!("  Counted ({total} occurrences), marked as known: {known}. Mails in all: {mails}.");
        Ok(())
    }

    /// Sends a report as a Sentry SDK does.
    async fn send(&self, event: &Value) -> Result<(), Failed> {
        let body = format!("{{}}\n{{\"type\":\"event\"}}\n{event}\n");
        let answer = self
            .client
            .post(format!("{}/api/{}/envelope/", self.url, self.project))
            .header("X-Sentry-Auth", format!("Sentry sentry_version=7, sentry_key={}, sentry_client=demo/1", self.key))
            .header("Content-Type", "application/x-sentry-envelope")
            .body(body)
            .send()
            .await?;
        if !answer.status().is_success() {
            return Err(format!("the server answered {}: {}", answer.status(), answer.text().await?).into());
        }
        Ok(())
    }

    /// Waits until a line with this exception has so many occurrences.
    async fn line_with(&self, exception: &str, total: u64) -> Result<Line, Failed> {
        let repository = RepositoryId(self.project);
        let found = async {
            loop {
                let lines = store::lines::of_repository(&self.handles.store, repository, 10).await?;
                let queue = store::jobs::queue_state(&self.handles.store).await?;
                let line = lines.into_iter().find(|line| line.exception == exception && line.total >= total);
                if let Some(line) = line.filter(|_| queue.length == 0) {
                    return Ok::<Line, Failed>(line);
                }
                tokio::time::sleep(GLANCE).await;
            }
        };
        tokio::time::timeout(PATIENCE, found).await.map_err(|_| format!("{exception} was not attributed in time"))?
    }

    /// Waits for the outbox's file number `n` with this ending, oldest first.
    async fn file(&self, ending: &str, n: usize) -> Result<PathBuf, Failed> {
        let found = async {
            loop {
                if let Some(file) = self.files(ending)?.into_iter().nth(n - 1) {
                    return Ok::<PathBuf, Failed>(file);
                }
                tokio::time::sleep(GLANCE).await;
            }
        };
        tokio::time::timeout(PATIENCE, found).await.map_err(|_| format!("no .{ending} file came to the outbox"))?
    }

    fn count(&self, ending: &str) -> Result<usize, Failed> {
        Ok(self.files(ending)?.len())
    }

    fn files(&self, ending: &str) -> Result<Vec<PathBuf>, Failed> {
        let Ok(entries) = std::fs::read_dir(&self.outbox) else { return Ok(Vec::new()) };
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|found| found == ending))
            .collect();
        files.sort();
        Ok(files)
    }
}

/// The rule that whitelists a line.
fn rule_of(line: &Line) -> NewRule {
    NewRule {
        repository: line.repository,
        rule: Rule::KnownError(KnownError {
            file: line.place.path.clone(),
            function: Some(line.place.function.clone()),
            code: Some(line.place.code.clone()),
            ..KnownError::default()
        }),
        line: None,
        label: None,
        issue: None,
        origin: RuleSource::Page,
        commanded_at: None,
        by: "demo".to_owned(),
    }
}

fn author(line: &Line) -> &str {
    line.author_name.as_deref().unwrap_or("?")
}

fn show(text: &str, lines: usize) {
    for line in text.lines().take(lines) {
        say!("  │ {line}");
    }
    if text.lines().count() > lines {
        say!("  │ …");
    }
}

/// The plain text part of a mail, decoded.
fn plain_text(mail: &[u8]) -> String {
    let text = String::from_utf8_lossy(mail);
    let Some(part) = text.find("Content-Type: text/plain").map(|at| &text[at..]) else { return text.into_owned() };
    let (headers, body) = part.split_once("\r\n\r\n").unwrap_or(("", part));
    let body = body.split("\r\n--").next().unwrap_or(body);
    if headers.to_ascii_lowercase().contains("quoted-printable") {
        quoted_printable::decode(body, quoted_printable::ParseMode::Robust)
            .map_or_else(|_| body.to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
    } else {
        body.to_owned()
    }
}
