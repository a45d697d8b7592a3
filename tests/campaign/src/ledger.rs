//! What was acknowledged and what people got, held against what the database says.

use crate::stage::Stage;
use regex::Regex;
use sqlx::{AnyConnection, Connection as _, Row as _};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// A function of a stage's repositories; its name says which repository it is of.
static FUNCTION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\br\d+_\d+\b").unwrap());

/// The function that a title or subject is about.
pub fn function_in(text: &str) -> Option<String> {
    FUNCTION.find(text).map(|found| found.as_str().to_owned())
}

/// What was sent of a line, and how it was answered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent {
    /// Answered 200: counted exactly once.
    pub acknowledged: u64,
    /// No such answer: counted once at most.
    pub unsure: u64,
}

/// What the campaign did and saw from outside.
#[derive(Default)]
pub struct Ledger {
    /// By function.
    pub sent: BTreeMap<String, Sent>,
    /// Copies of each mail, by function and Message-ID.
    pub mails: BTreeMap<String, BTreeMap<String, u64>>,
    /// Functions whose line is a known error by command.
    pub known: BTreeSet<String>,
}

impl Ledger {
    /// A mail arrived or stands in the outbox.
    pub fn note_mail(&mut self, raw: &[u8]) {
        let Some(mail) = mail_parser::MessageParser::default().parse(raw) else { return };
        let id = mail.message_id().unwrap_or_default().to_owned();
        let function = mail.subject().and_then(function_in).unwrap_or_else(|| "no line".to_owned());
        *self.mails.entry(function).or_default().entry(id).or_default() += 1;
    }
}

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Lost,
    Doubled,
    Stuck,
    /// Rules are not as commanded.
    Rules,
    /// A restart, an answer or an end took too long, or a server ended by itself.
    Late,
}

/// One broken promise.
#[derive(Clone, Debug)]
pub struct Violation {
    pub kind: Kind,
    pub what: String,
    /// How many reports, alerts or jobs it is about.
    pub count: u64,
}

/// A promise that is broken `count` times.
pub fn violation(kind: Kind, count: u64, what: impl Into<String>) -> Violation {
    Violation { kind, what: what.into(), count }
}

/// A job as it stands in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    pub kind: String,
    pub subject: i64,
    pub run_at_ms: i64,
    pub locked_until_ms: i64,
    pub attempts: i64,
    pub error: String,
}

impl JobRow {
    /// When it can be claimed.
    pub fn due_ms(&self) -> i64 {
        self.run_at_ms.max(self.locked_until_ms)
    }
}

impl std::fmt::Display for JobRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} (attempt {}) {}", self.kind, self.subject, self.attempts, self.error)
    }
}

/// The queue of a database.
pub async fn jobs(database: &str) -> Result<Vec<JobRow>, sqlx::Error> {
    let mut connection = AnyConnection::connect(database).await?;
    let sql = "SELECT kind, subject, run_at_ms, locked_until_ms, attempts, error FROM jobs ORDER BY id";
    let rows = sqlx::query(sql).fetch_all(&mut connection).await?;
    connection.close().await?;
    let job = |row: &sqlx::any::AnyRow| {
        Ok(JobRow {
            kind: row.try_get("kind")?,
            subject: row.try_get("subject")?,
            run_at_ms: row.try_get("run_at_ms")?,
            locked_until_ms: row.try_get("locked_until_ms")?,
            attempts: row.try_get("attempts")?,
            error: row.try_get::<Option<String>, _>("error")?.unwrap_or_default(),
        })
    };
    rows.iter().map(job).collect()
}

/// How many batches of reports are counted in the journal, and not yet at their lines.
pub async fn unfolded(database: &str) -> Result<i64, sqlx::Error> {
    let mut connection = AnyConnection::connect(database).await?;
    let row = sqlx::query("SELECT COUNT(*) AS n FROM journal").fetch_one(&mut connection).await?;
    connection.close().await?;
    row.try_get("n")
}

/// How many lines a database has.
pub async fn lines(database: &str) -> Result<i64, sqlx::Error> {
    let mut connection = AnyConnection::connect(database).await?;
    let row = sqlx::query("SELECT COUNT(*) AS n FROM lines").fetch_one(&mut connection).await?;
    connection.close().await?;
    row.try_get("n")
}

/// What the database says once it is quiet.
struct Stored {
    /// Total and number of lines, by function.
    lines: BTreeMap<String, (u64, u64)>,
    known: BTreeSet<String>,
    reports: u64,
    waiting: Vec<String>,
}

async fn stored(database: &str) -> Result<Stored, sqlx::Error> {
    let mut connection = AnyConnection::connect(database).await?;
    let sql = "SELECT function_name, CAST(SUM(total) AS BIGINT) AS total, COUNT(*) AS lines FROM lines GROUP BY function_name";
    let mut lines = BTreeMap::new();
    for row in sqlx::query(sql).fetch_all(&mut connection).await? {
        let count = |name: &str| row.try_get::<i64, _>(name).map(i64::unsigned_abs);
        lines.insert(row.try_get("function_name")?, (count("total")?, count("lines")?));
    }
    let sql = "SELECT l.function_name FROM rules r JOIN lines l ON l.id = r.line_id WHERE r.ended_at_ms IS NULL";
    let rows = sqlx::query(sql).fetch_all(&mut connection).await?;
    let known = rows.iter().map(|row| row.try_get("function_name")).collect::<Result<_, _>>()?;
    let sql = "SELECT COUNT(*) AS n FROM reports";
    let reports = sqlx::query(sql).fetch_one(&mut connection).await?.try_get::<i64, _>("n")?.unsigned_abs();
    let sql = "SELECT d.channel, d.purpose, d.state, l.function_name, d.error FROM deliveries d
         JOIN lines l ON l.id = d.line_id WHERE d.state <> 'sent'";
    let mut waiting = Vec::new();
    for row in sqlx::query(sql).fetch_all(&mut connection).await? {
        let text = |name: &str| row.try_get::<Option<String>, _>(name).map(Option::unwrap_or_default);
        let [channel, purpose, state, function, error] =
            ["channel", "purpose", "state", "function_name", "error"].map(text);
        waiting.push(format!("{} {} of {} is {}: {}", channel?, purpose?, function?, state?, error?));
    }
    connection.close().await?;
    Ok(Stored { lines, known, reports, waiting })
}

/// Holds everything that was done so far against what came of it.
pub async fn check(stage: &mut Stage) -> Vec<Violation> {
    stage.collect_mails();
    let stored = match stored(&stage.database).await {
        Ok(stored) => stored,
        Err(error) => return vec![violation(Kind::Stuck, 1, format!("the database can't be read: {error}"))],
    };
    let mut found = Vec::new();
    let issues = stage.issues();
    for (function, sent) in &stage.ledger.sent {
        let (total, lines) = stored.lines.get(function).copied().unwrap_or_default();
        let most = sent.acknowledged + sent.unsure;
        if total < sent.acknowledged {
            let what = format!("{function}: {} acknowledged, {total} counted", sent.acknowledged);
            found.push(violation(Kind::Lost, sent.acknowledged - total, what));
        }
        if total > most {
            let what = format!("{function}: {most} sent, {total} counted");
            found.push(violation(Kind::Doubled, total - most, what));
        }
        if lines > 1 {
            found.push(violation(Kind::Doubled, lines - 1, format!("{function} is {lines} lines")));
        }
        let told = [
            ("issue", issues.get(function).copied().unwrap_or_default()),
            ("mail", stage.ledger.mails.get(function).map_or(0, |ids| ids.len() as u64)),
        ];
        for (channel, count) in told {
            if total > 0 && count == 0 {
                found.push(violation(Kind::Lost, 1, format!("{function} has no {channel}")));
            }
            if count > 1 {
                found.push(violation(Kind::Doubled, count - 1, format!("{function} has {count} {channel}s")));
            }
        }
    }
    if stored.known != stage.ledger.known {
        let of = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>().join(", ");
        let missing = of(&stage.ledger.known, &stored.known);
        let surplus = of(&stored.known, &stage.ledger.known);
        let count = stage.ledger.known.symmetric_difference(&stored.known).count() as u64;
        found.push(violation(Kind::Rules, count, format!("not known: [{missing}], known uncommanded: [{surplus}]")));
    }
    if stored.reports > 0 {
        found.push(violation(Kind::Stuck, stored.reports, format!("{} reports without a job", stored.reports)));
    }
    for what in stored.waiting {
        found.push(violation(Kind::Stuck, 1, what));
    }
    found
}
