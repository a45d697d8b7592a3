//! Blamed lines: what is known of each, its issue, its life.

use super::pack::unpack;
use super::{Store, StoreError, Tx, from_json, get, get_count, signed};
use domain::alert::{Counts, Place};
use domain::blame::Author;
use domain::ids::{FingerprintId, LineId, RepositoryId};
use domain::job::Job;
use domain::person::Told;
use domain::report::Report;
use domain::rule::CodeAt;
use sqlx::Row;
use sqlx::any::AnyRow;

/// Values of one kind that an alert or a page lists, most recent first.
const LISTED_FACETS: i64 = 20;

/// A blamed line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Our number.
    pub id: LineId,
    /// Whose it is.
    pub repository: RepositoryId,
    /// Where it was last seen.
    pub place: Place,
    /// Full name of the exception type last seen.
    pub exception: String,
    /// Exception and message in one line.
    pub headline: String,
    /// The commit that wrote it.
    pub commit: Option<String>,
    /// Author date, Unix milliseconds.
    pub written_at_ms: Option<i64>,
    /// Who wrote it, by the commit.
    pub author_name: Option<String>,
    /// Their address, by the commit.
    pub author_email: Option<String>,
    /// Their login, as the forge said.
    pub author_login: Option<String>,
    /// Whose it is since a person assigned it.
    pub owner_login: Option<String>,
    /// Occurrences ever.
    pub total: u64,
    /// The total at the last decision.
    pub decided_total: u64,
    /// The newest report's own threshold.
    pub error_threshold: Option<u64>,
    /// First occurrence, Unix milliseconds.
    pub first_seen_ms: i64,
    /// Last occurrence, Unix milliseconds.
    pub last_seen_ms: i64,
    /// Its alert was decided.
    pub alerted: bool,
    /// A known-error rule covers it.
    pub known: bool,
    /// A mail of the known error was decided.
    pub known_mailed: bool,
    /// Its issue.
    pub issue: Option<u64>,
    /// Closed without a label then, Unix milliseconds.
    pub resolved_at_ms: Option<i64>,
    /// Head of the default branch at that time.
    pub resolved_commit: Option<String>,
    /// It came back, and nobody was told yet.
    pub regressed: bool,
    /// The revision that brought it back.
    pub regressed_revision: Option<String>,
    /// The release that brought it back.
    pub regressed_release: Option<String>,
    /// How often it came back.
    pub regressions: u64,
    /// Who is told of it, once that was decided.
    pub told: Option<Told>,
}

impl Line {
    /// A person gave it to somebody who was not told of it before.
    pub fn is_reassigned(&self) -> bool {
        let Some(owner) = &self.owner_login else { return false };
        let ours = match &self.told {
            Some(told) if !told.person.is_author() => told.person.who.as_ref().and_then(|who| who.login.as_deref()),
            _ => self.logins().next(),
        };
        ours.is_none_or(|login| !login.eq_ignore_ascii_case(owner))
    }

    /// Who wrote it, by the commit.
    pub fn author(&self) -> Option<Author> {
        let email = self.author_email.clone()?;
        Some(Author { name: self.author_name.clone().unwrap_or_default(), email })
    }

    /// Logins of whom we would assign by ourselves: who is told, and the author.
    pub fn logins(&self) -> impl Iterator<Item = &str> {
        let told = self.told.as_ref().and_then(|told| told.person.who.as_ref()?.login.as_deref());
        told.into_iter().chain(self.author_login.as_deref())
    }

    /// Its code, as rules see it.
    pub fn code_at(&self) -> CodeAt<'_> {
        let place = &self.place;
        CodeAt { path: &place.path, inside: true, function: &place.function, code: &place.code }
    }
}

/// The latest traceback of a line in a week.
#[derive(Clone, Debug, PartialEq)]
pub struct Traceback {
    /// When it came in, Unix milliseconds.
    pub received_at_ms: i64,
    /// Its fingerprint, which knows the attribution.
    pub fingerprint: FingerprintId,
    /// The report.
    pub report: Report,
}

pub(super) const COLUMNS: &str = "id, repository_id, path, function_name, line_number, code, exception, headline, commit_id,
    written_at_ms, author_name, author_email, author_login, owner_login, total, decided_total, error_threshold, first_seen_ms,
    last_seen_ms, alerted_at_ms, known, known_mailed_at_ms, issue_number, resolved_at_ms, resolved_commit, regressed_at_ms,
    regressed_revision, regressed_release, regressions, told";

pub(super) fn read(row: &AnyRow) -> Result<Line, StoreError> {
    Ok(Line {
        id: LineId(get(row, "id")?),
        repository: RepositoryId(get(row, "repository_id")?),
        place: Place {
            path: get(row, "path")?,
            function: get(row, "function_name")?,
            line: u32::try_from(get::<i64>(row, "line_number")?).unwrap_or(0),
            code: get(row, "code")?,
        },
        exception: get(row, "exception")?,
        headline: get(row, "headline")?,
        commit: get(row, "commit_id")?,
        written_at_ms: get(row, "written_at_ms")?,
        author_name: get(row, "author_name")?,
        author_email: get(row, "author_email")?,
        author_login: get(row, "author_login")?,
        owner_login: get(row, "owner_login")?,
        total: get_count(row, "total")?,
        decided_total: get_count(row, "decided_total")?,
        error_threshold: get::<Option<i64>>(row, "error_threshold")?.map(i64::unsigned_abs),
        first_seen_ms: get(row, "first_seen_ms")?,
        last_seen_ms: get(row, "last_seen_ms")?,
        alerted: get::<Option<i64>>(row, "alerted_at_ms")?.is_some(),
        known: get::<i64>(row, "known")? != 0,
        known_mailed: get::<Option<i64>>(row, "known_mailed_at_ms")?.is_some(),
        issue: get::<Option<i64>>(row, "issue_number")?.map(i64::unsigned_abs),
        resolved_at_ms: get(row, "resolved_at_ms")?,
        resolved_commit: get(row, "resolved_commit")?,
        regressed: get::<Option<i64>>(row, "regressed_at_ms")?.is_some(),
        regressed_revision: get(row, "regressed_revision")?,
        regressed_release: get(row, "regressed_release")?,
        regressions: get_count(row, "regressions")?,
        told: get::<Option<String>>(row, "told")?.map(|text| from_json("lines.told", &text)).transpose()?,
    })
}

impl Store {
    /// One line.
    ///
    /// # Errors
    /// The database is out of reach, or the row can't be read.
    pub async fn line(&self, id: LineId) -> Result<Option<Line>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM lines WHERE id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.0).fetch_optional(&self.pool).await?;
        row.as_ref().map(read).transpose()
    }

    /// The line whose issue this is.
    ///
    /// # Errors
    /// The database is out of reach, or the row can't be read.
    pub async fn line_of_issue(&self, repository: RepositoryId, issue: u64) -> Result<Option<Line>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM lines WHERE repository_id = $1 AND issue_number = $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(repository.0)
            .bind(signed(issue))
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// Releases, servers, environments and exception types of a line, with its totals.
    ///
    /// # Errors
    /// The database is out of reach, or a row can't be read.
    pub async fn counts(&self, line: &Line) -> Result<Counts, StoreError> {
        let facet = async |kind: &'static str| {
            let rows = sqlx::query(
                "SELECT value FROM line_facets WHERE line_id = $1 AND kind = $2 ORDER BY last_seen_ms DESC, value LIMIT $3",
            )
            .bind(line.id.0)
            .bind(kind)
            .bind(LISTED_FACETS)
            .fetch_all(&self.pool)
            .await?;
            rows.iter().map(|row| get::<String>(row, "value")).collect::<Result<Vec<_>, StoreError>>()
        };
        Ok(Counts {
            total: line.total,
            first_seen_ms: line.first_seen_ms,
            last_seen_ms: line.last_seen_ms,
            servers: facet("server").await?,
            releases: facet("release").await?,
            environments: facet("environment").await?,
            exceptions: facet("exception").await?,
        })
    }

    /// The latest traceback of a line, of those that began before `before_ms`.
    ///
    /// # Errors
    /// The database is out of reach, or the row can't be read.
    pub async fn traceback(&self, line: LineId, before_ms: i64) -> Result<Option<Traceback>, StoreError> {
        let row = sqlx::query(
            "SELECT fingerprint_id, received_at_ms, body FROM tracebacks WHERE line_id = $1 AND week_ms < $2
             ORDER BY week_ms DESC LIMIT 1",
        )
        .bind(line.0)
        .bind(before_ms)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Traceback {
            received_at_ms: get(&row, "received_at_ms")?,
            fingerprint: FingerprintId(get(&row, "fingerprint_id")?),
            report: unpack("tracebacks.body", &get::<Vec<u8>>(&row, "body")?)?,
        }))
    }

    /// Notes the issue of a line.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn set_issue(&self, line: LineId, issue: Option<u64>) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        // What a new issue says is that it is open, and nobody's: more is added where there is more to say.
        sqlx::query(
            "UPDATE lines SET issue_number = $2, status_total = total, status_at_ms = last_seen_ms, status_off = 0,
                 status_wanted = CASE WHEN known = 1 OR owner_login IS NOT NULL OR regressions > 0 THEN 1 ELSE 0 END
             WHERE id = $1",
        )
        .bind(line.0)
        .bind(issue.map(signed))
        .execute(tx.conn())
        .await?;
        tx.commit().await
    }

    /// Notes that a line's issue is not there any more: deleted, or in another repository. The next report files anew; whoever
    /// had a mail gets no second one.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn issue_gone(&self, line: LineId) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("DELETE FROM deliveries WHERE line_id = $1 AND channel IN ('issue', 'comment')")
            .bind(line.0)
            .execute(tx.conn())
            .await?;
        sqlx::query(
            "UPDATE lines SET issue_number = NULL, alerted_at_ms = NULL, next_decide_at = total + 1, resolved_at_ms = NULL,
                 resolved_commit = NULL, regressed_at_ms = NULL WHERE id = $1",
        )
        .bind(line.0)
        .execute(tx.conn())
        .await?;
        tx.commit().await
    }

    /// Gives a line to somebody, as a person commanded; `None` gives it back to its author.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn set_owner(&self, line: LineId, login: Option<&str>) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("UPDATE lines SET owner_login = $2, status_wanted = 1 WHERE id = $1")
            .bind(line.0)
            .bind(login)
            .execute(tx.conn())
            .await?;
        tx.commit().await
    }

    /// Resolves a line as of a commit. Its fingerprints are attributed anew, because what was a repeat may now be a regression.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn resolve(&self, line: LineId, commit: Option<&str>, now_ms: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "UPDATE lines SET resolved_at_ms = $2, resolved_commit = $3, regressed_at_ms = NULL, next_decide_at = NULL,
                 status_wanted = 1 WHERE id = $1",
        )
        .bind(line.0)
        .bind(now_ms)
        .bind(commit)
        .execute(tx.conn())
        .await?;
        self.void_fingerprints(&mut tx, line).await?;
        tx.commit().await
    }

    /// Takes a resolution back.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn unresolve(&self, line: LineId, now_ms: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        unresolve(&mut tx, line).await?;
        self.ask(&mut tx, Job::Decide(line), now_ms, now_ms).await?;
        tx.commit().await
    }

    /// Asks for decisions on all lines of a repository that rules may now cover, or no longer cover.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn lines_to_judge_again(&self, repository: RepositoryId, path: &str) -> Result<Vec<Line>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM lines WHERE repository_id = $1 AND path = $2");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(repository.0)
            .bind(path.trim_start_matches("./"))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(read).collect()
    }

    /// Marks whether a known-error rule covers a line.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn set_known(&self, line: LineId, known: bool) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("UPDATE lines SET known = $2, status_wanted = 1 WHERE id = $1 AND known <> $2")
            .bind(line.0)
            .bind(i64::from(known))
            .execute(tx.conn())
            .await?;
        tx.commit().await
    }

    /// The line of a repository at this place, as the pages name it: the one seen last.
    ///
    /// # Errors
    /// The database is out of reach, or the row can't be read.
    pub async fn line_at(
        &self,
        repository: RepositoryId,
        path: &str,
        function: &str,
        code: Option<&str>,
        number: Option<u32>,
    ) -> Result<Option<Line>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM lines WHERE repository_id = $1 AND path = $2 AND function_name = $3
                 AND ($4 = '' OR code = $4) ORDER BY CASE WHEN line_number = $5 THEN 0 ELSE 1 END, last_seen_ms DESC LIMIT 1"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(repository.0)
            .bind(path)
            .bind(function)
            .bind(code.unwrap_or(""))
            .bind(number.map_or(0, i64::from))
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// How many lines of each repository are open: alerted, neither known nor resolved.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn open_counts(&self) -> Result<Vec<(RepositoryId, u64, Option<i64>)>, StoreError> {
        let rows = sqlx::query(
            "SELECT repository_id, MAX(last_seen_ms) AS last,
                 CAST(SUM(CASE WHEN known = 0 AND resolved_at_ms IS NULL THEN 1 ELSE 0 END) AS BIGINT) AS open
             FROM lines GROUP BY repository_id",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| Ok((RepositoryId(get(row, "repository_id")?), get_count(row, "open")?, row.try_get("last")?)))
            .collect()
    }
}

pub(super) async fn unresolve(tx: &mut Tx, line: LineId) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE lines SET resolved_at_ms = NULL, resolved_commit = NULL, regressed_at_ms = NULL, regressed_revision = NULL,
             regressed_release = NULL, status_wanted = 1 WHERE id = $1",
    )
    .bind(line.0)
    .execute(tx.conn())
    .await?;
    Ok(())
}
