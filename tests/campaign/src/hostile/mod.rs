//! The hostile table: requests that want to stop, fill or trick the server, each with its answer,
//! its time, the memory that it took, and whether `/healthz` kept answering meanwhile.

mod bodies;
mod cases;
mod connections;
mod raw;

use crate::server::Server;
use crate::stage::{Channels, Database, Stage};
use cases::{Case, cases};
use raw::exchange;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Whatever is asked of it, the server says within this time that it is well.
const HEALTH: Duration = Duration::from_secs(1);
/// Between two looks at `/healthz`.
const LOOK: Duration = Duration::from_millis(50);
/// A word of the password file, which no answer may hold.
const PASSWORDS: &str = "root:x:0";

/// What came of a case.
pub struct Row {
    name: String,
    answers: String,
    took: Duration,
    /// The peak before, and by how much it rose, in kilobytes.
    memory_before: u64,
    memory: u64,
    health: Duration,
    broken: Vec<String>,
}

/// Asks everything of one server; whether all expectations were met.
pub async fn run(program: &Path) -> bool {
    let mut stage = Stage::start(Database::Sqlite, Channels::Services, program).await.expect("SQLite is everywhere");
    let mut rows = Vec::new();
    for case in cases(&stage) {
        rows.push(ask(&mut stage, case).await);
    }
    rows.push(nothing_was_executed(&mut stage).await);
    rows.extend(connections::ends(&mut stage).await);
    print(&rows);
    rows.iter().all(|row| row.broken.is_empty())
}

async fn ask(stage: &mut Stage, case: Case) -> Row {
    let server = &stage.servers[0];
    server.forget_peak_memory();
    let before = server.peak_memory().unwrap_or_default();
    let (health, watcher) = watch(server);
    let began = Instant::now();
    let answers = case.work.run(&server.address()).await;
    let took = began.elapsed();
    tokio::time::sleep(2 * LOOK).await;
    watcher.abort();
    let memory = server.peak_memory().unwrap_or_default().saturating_sub(before);
    let health = Duration::from_millis(health.load(Ordering::SeqCst));
    let mut row = Row {
        name: case.name.to_owned(),
        answers: counted(&answers),
        took,
        memory_before: before,
        memory,
        health,
        broken: Vec::new(),
    };
    let unexpected = answers.iter().filter(|answer| !case.expected.contains(&answer.status)).count();
    if unexpected > 0 || answers.is_empty() {
        row.broken.push(format!("{unexpected} answers are none of {:?}", case.expected));
    }
    if took > case.within {
        row.broken.push(format!("it took {took:.1?}, at most {:?}", case.within));
    }
    if memory > case.most_memory {
        row.broken.push(format!("it took {} MB, at most {}", memory >> 10, case.most_memory >> 10));
    }
    if answers.iter().any(|answer| answer.text.contains(PASSWORDS)) {
        row.broken.push("the password file was given away".to_owned());
    }
    if health > HEALTH {
        row.broken.push(format!("/healthz took {health:.1?}"));
    }
    if let Some(status) = stage.servers[0].ended() {
        row.broken.push(format!("the server ended ({status}): {}", stage.servers[0].last_words()));
        stage.servers[0].start().await.expect("it starts again");
    }
    row
}

/// The worst time that `/healthz` took so far, in milliseconds.
fn watch(server: &Server) -> (Arc<AtomicU64>, tokio::task::JoinHandle<()>) {
    let worst = Arc::new(AtomicU64::new(0));
    let (seen, address) = (Arc::clone(&worst), server.address());
    let watcher = tokio::spawn(async move {
        loop {
            let began = Instant::now();
            let request = b"GET /healthz HTTP/1.1\r\nHost: flawless.test\r\nConnection: close\r\n\r\n".to_vec();
            // A look that is still waiting counts with the time that it has waited.
            let look = exchange(&address, &request, Duration::from_secs(5));
            tokio::pin!(look);
            let status = loop {
                tokio::select! {
                    answer = &mut look => break answer.status,
                    () = tokio::time::sleep(LOOK) => {
                        seen.fetch_max(u64::try_from(began.elapsed().as_millis()).unwrap(), Ordering::SeqCst);
                    }
                }
            };
            let took = if status == 200 { began.elapsed() } else { Duration::from_secs(5) };
            seen.fetch_max(u64::try_from(took.as_millis()).unwrap(), Ordering::SeqCst);
            tokio::time::sleep(LOOK).await;
        }
    });
    (worst, watcher)
}

/// What templates, SQL and paths in reports came to, once all of them were worked on.
async fn nothing_was_executed(stage: &mut Stage) -> Row {
    let began = Instant::now();
    let mut broken: Vec<String> = crate::settle::settle(stage, 1).await.into_iter().map(|it| it.what).collect();
    let mut texts = 0;
    let mails = stage.smtp.take();
    let issues = stage.repos.iter().flat_map(|repo| stage.github.issues(&repo.name));
    let issues: Vec<(String, Vec<u8>)> = issues
        .map(|issue| (format!("issue {}", issue.title), format!("{}\n{}", issue.title, issue.body).into()))
        .collect();
    let mails = mails.iter().map(|mail| (format!("a mail to {:?}", mail.to), mail.raw.clone()));
    for (what, raw) in mails.chain(issues) {
        texts += 1;
        let mail = mail_parser::MessageParser::default().parse(&raw).filter(|mail| mail.message_id().is_some());
        let html = mail.as_ref().and_then(|mail| mail.body_html(0)).unwrap_or_default().into_owned();
        let plain = mail.as_ref().and_then(|mail| mail.body_text(0)).unwrap_or_default().into_owned();
        let all = format!("{}{plain}{html}", String::from_utf8_lossy(&raw));
        let everywhere = [PASSWORDS, bodies::EVALUATED].into_iter().filter(|it| all.contains(it));
        // Elsewhere it is text: nobody runs a script in a mail's plain part or in Markdown.
        let in_html = ["<script>alert"].into_iter().filter(|it| html.contains(it));
        broken.extend(everywhere.chain(in_html).map(|it| format!("{what} holds {it:?}")));
        if mail.is_some_and(|mail| mail.bcc().is_some()) {
            broken.push(format!("{what} has a recipient that was forged"));
        }
    }
    if texts == 0 {
        broken.push("no report was told of, so nothing was looked at".to_owned());
    }
    let lines = crate::ledger::lines(&stage.database).await.unwrap_or_default();
    if lines == 0 {
        broken.push("the table of lines is gone or empty".to_owned());
    }
    let answers = format!("{texts} mails and issues, {lines} lines");
    let (name, took) = ("what came of all of these".to_owned(), began.elapsed());
    Row { name, answers, took, memory_before: 0, memory: 0, health: Duration::ZERO, broken }
}

/// `3 × 413, 1 × closed`.
fn counted(answers: &[raw::Answer]) -> String {
    let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.status).or_default() += 1;
    }
    let name = |status| if status == 0 { "closed".to_owned() } else { format!("{status}") };
    counts.into_iter().map(|(status, n)| format!("{n} × {}", name(status))).collect::<Vec<_>>().join(", ")
}

fn print(rows: &[Row]) {
    println!("| request | answers | s | memory before MB | more MB | worst /healthz ms | |");
    println!("| --- | --- | ---: | ---: | ---: | ---: | --- |");
    for row in rows {
        let verdict =
            if row.broken.is_empty() { "as expected".to_owned() } else { format!("**{}**", row.broken.join("; ")) };
        println!(
            "| {} | {} | {:.2} | {} | {} | {} | {verdict} |",
            row.name,
            row.answers,
            row.took.as_secs_f64(),
            row.memory_before >> 10,
            row.memory >> 10,
            row.health.as_millis()
        );
    }
    let broken = rows.iter().filter(|row| !row.broken.is_empty()).count();
    println!("{} cases, {broken} not as expected", rows.len());
}
