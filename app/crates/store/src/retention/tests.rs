//! Tests of deleting by age.

use super::*;
use crate::repositories::{NewRepository, watch};
use crate::weekly::{self, WeekQuery};
use domain::retention::RetentionSettings;
use domain::timestamp::{HOUR, WEEK};
use sqlx::Row as _;

/// A Friday.
const NOW: Timestamp = Timestamp::from_seconds(1_795_780_800);

/// Counts of the lines of a week with those of its days, and how many lines that were.
type Week = (Vec<(u64, [u64; 7])>, u64);

struct Scene {
    folder: tempfile::TempDir,
    store: Store,
    repository: RepositoryId,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path()).await;
        let new = NewRepository { full_name: "acme/shop".into(), clone_url: "/b".into(), github: None, public: false };
        let (repository, _) = watch(&store, &new, NOW).await.unwrap();
        Self { folder, store, repository }
    }

    async fn run(&self, sql: &str) {
        let mut tx = self.store.begin().await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(tx.conn()).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn count(&self, sql: &str) -> i64 {
        sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).fetch_one(&self.store.pool).await.unwrap().get(0)
    }

    /// A line that was last seen at a moment, and as often in all.
    async fn line(&self, id: i64, total: i64, last_seen: Timestamp) {
        let (repository, seen) = (self.repository, last_seen.as_millis());
        self.run(&format!(
            "INSERT INTO lines (id, repository_id, identity, path, function_name, line_number, code, exception, headline,
                 total, decided_total, first_seen_ms, last_seen_ms, known, regressions, is_stray, not_ours)
             VALUES ({id}, {repository}, 'line-{id}', 'a.py', 'f', 1, 'x', 'E', 'E: x', {total}, 0, 0, {seen}, 0, 0, 0, 0)"
        ))
        .await;
    }

    async fn occurred(&self, line: i64, at: Timestamp, times: i64) {
        let hour = at.hour().as_millis();
        self.run(&format!("INSERT INTO line_hours (line_id, hour_ms, occurrences) VALUES ({line}, {hour}, {times})"))
            .await;
    }

    /// A fingerprint, and a traceback of it.
    async fn traceback(&self, id: i64, line: i64, at: Timestamp, bytes: usize) {
        self.fingerprint(id, Some(line), "line", at).await;
        let (week, at, body) = (at.week().as_millis(), at.as_millis(), "ab".repeat(bytes));
        self.run(&format!(
            "INSERT INTO tracebacks (line_id, week_ms, fingerprint_id, received_at_ms, body)
             VALUES ({line}, {week}, {id}, {at}, x'{body}')"
        ))
        .await;
    }

    async fn fingerprint(&self, id: i64, line: Option<i64>, state: &str, at: Timestamp) {
        let (seen, repository) = (at.as_millis(), self.repository);
        let line = line.map_or("NULL".to_owned(), |line| line.to_string());
        self.run(&format!(
            "INSERT INTO fingerprints (id, repository_id, fingerprint, state, line_id, pinned, code_generation,
                 rules_generation, last_seen_ms) VALUES ({id}, {repository}, '{id}', '{state}', {line}, 0, 0, 0, {seen})"
        ))
        .await;
    }

    /// A whole round; how many pieces it was.
    async fn round(&self, kept: Kept, now: Timestamp) -> usize {
        let policy = Policy { server: kept, own: HashMap::new() };
        let mut pieces = 1;
        while piece(&self.store, &policy, now).await.unwrap() == Piece::More {
            pieces += 1;
            assert!(pieces < 10_000, "it has an end");
        }
        pieces
    }

    /// Counts of each week, as its report says them.
    async fn weeks(&self, from: Timestamp) -> Vec<Week> {
        let mut weeks = Vec::new();
        let mut week = from.week();
        while week < NOW {
            let wanted = WeekQuery { repository: None, week, known: true };
            let lines = weekly::lines(&self.store, &wanted).await.unwrap();
            let counted = weekly::count_lines(&self.store, &wanted).await.unwrap();
            weeks.push((lines.iter().map(|line| (line.count, line.days)).collect(), counted));
            week += WEEK;
        }
        weeks
    }
}

async fn open(folder: &std::path::Path) -> Store {
    Store::open(&format!("sqlite://{}/test.db", folder.display())).await.unwrap()
}

fn weeks(hours: u32, days: u32, tracebacks: u32, archive: u32) -> Kept {
    Kept {
        hours_weeks: hours,
        days_weeks: days,
        tracebacks_weeks: tracebacks,
        archive_weeks: archive,
        ..Kept::default()
    }
}

#[tokio::test]
async fn hours_become_days_and_every_week_has_the_same_counts() {
    let scene = Scene::new().await;
    for line in 1..=70 {
        scene.line(line, 1_000, NOW).await;
    }
    let mut rows = Vec::new();
    for hour in 0_i32..20 * 7 * 24 {
        // Some lines each hour, also at midnight and right before it.
        for line in [1, 2 + hour % 69] {
            rows.push(format!("({line}, {}, {})", (NOW - HOUR * hour).hour().as_millis(), 1 + hour % 5));
        }
    }
    scene.run(&format!("INSERT INTO line_hours VALUES {}", rows.join(", "))).await;
    let before = scene.weeks(NOW - WEEK * 20).await;
    assert!(scene.round(weeks(8, 104, 8, 0), NOW).await > 5, "in pieces");
    assert_eq!(scene.weeks(NOW - WEEK * 20).await, before);
    let old = (NOW - WEEK * 8).week().as_millis();
    let hours = format!("SELECT COUNT(*) FROM line_hours WHERE hour_ms < {old} AND hour_ms % 86400000 <> 0");
    assert_eq!(scene.count(&hours).await, 0, "by the day only");
    let younger = format!("SELECT COUNT(*) FROM line_hours WHERE line_id = 1 AND hour_ms >= {old}");
    assert_eq!(scene.count(&younger).await, (NOW - (NOW - WEEK * 8).week()).as_hours() + 1, "all of them");
    // An occurrence that is counted late is of its day as well.
    scene.occurred(1, NOW - WEEK * 12 + HOUR, 7).await;
    scene.round(weeks(8, 104, 8, 0), NOW + DAY).await;
    assert_eq!(scene.count(&hours).await, 0);
    let sum = |weeks: &[Week]| -> u64 { weeks.iter().flat_map(|week| &week.0).map(|line| line.0).sum() };
    assert_eq!(sum(&scene.weeks(NOW - WEEK * 20).await), sum(&before) + 7);
}

#[tokio::test]
async fn a_round_goes_on_where_a_killed_process_or_another_one_left_it() {
    let scene = Scene::new().await;
    let kept = Policy { server: weeks(1, 104, 8, 0), own: HashMap::new() };
    for line in 1..=300 {
        scene.line(line, 1_000, NOW).await;
        scene.occurred(line, NOW - WEEK * 3 + HOUR * (line % 24) as i32, line).await;
    }
    let before = scene.weeks(NOW - WEEK * 4).await;
    let others = [open(scene.folder.path()).await, open(scene.folder.path()).await];
    let mut pieces = 0;
    loop {
        // Each piece by two at once; one of them is undone in the middle.
        let (a, b) = tokio::join!(piece(&others[0], &kept, NOW), piece(&others[1], &kept, NOW));
        let mut tx = scene.store.begin().await.unwrap();
        sqlx::query("UPDATE line_hours SET occurrences = 0").execute(tx.conn()).await.unwrap();
        drop(tx);
        pieces += 1;
        if a.unwrap() == Piece::Done && b.unwrap() == Piece::Done && pieces > 3 {
            break;
        }
        assert!(pieces < 1_000, "it has an end");
    }
    assert_eq!(scene.weeks(NOW - WEEK * 4).await, before);
    assert_eq!(scene.count("SELECT COUNT(*) FROM line_hours WHERE hour_ms % 86400000 <> 0").await, 0);
    assert_eq!(piece(&scene.store, &kept, NOW + HOUR).await.unwrap(), Piece::Done, "once a day");
    assert_eq!(piece(&scene.store, &kept, NOW + DAY).await.unwrap(), Piece::More);
}

#[tokio::test]
async fn of_old_days_the_total_stays_and_a_repository_may_keep_less() {
    let scene = Scene::new().await;
    scene.line(1, 10, NOW).await;
    scene.occurred(1, NOW - WEEK * 4, 3).await;
    scene.occurred(1, NOW - WEEK * 2, 7).await;
    let count = "SELECT CAST(SUM(occurrences) AS BIGINT) FROM line_hours";
    scene.round(weeks(1, 6, 8, 0), NOW).await;
    assert_eq!(scene.count(count).await, 10);
    let own = weeks(1, 6, 8, 0).with(&RetentionSettings { days_weeks: Some(3), ..RetentionSettings::default() });
    let policy = Policy { server: weeks(1, 6, 8, 0), own: HashMap::from([(scene.repository, own)]) };
    while piece(&scene.store, &policy, NOW + DAY).await.unwrap() == Piece::More {}
    assert_eq!(scene.count(count).await, 7);
    assert_eq!(scene.count("SELECT total FROM lines").await, 10);
}

#[tokio::test]
async fn of_old_tracebacks_a_lines_latest_stays() {
    let scene = Scene::new().await;
    for (line, last) in [(1, 1), (2, 20)] {
        scene.line(line, 9, NOW - WEEK * last).await;
        for age in last..30 {
            scene.traceback(line * 100 + i64::from(age), line, NOW - WEEK * age, 50).await;
        }
    }
    scene.round(weeks(8, 104, 8, 0), NOW).await;
    let left =
        "SELECT GROUP_CONCAT(fingerprint_id) FROM (SELECT fingerprint_id FROM tracebacks ORDER BY fingerprint_id)";
    let left: String = sqlx::query(left).fetch_one(&scene.store.pool).await.unwrap().get(0);
    assert_eq!(left, "101,102,103,104,105,106,107,108,220");
    // Their fingerprints went with them.
    assert_eq!(scene.count("SELECT COUNT(*) FROM fingerprints").await, 9);
    assert_eq!(scene.count("SELECT COUNT(*) FROM lines").await, 2);
}

#[tokio::test]
async fn what_is_too_large_together_goes_from_its_oldest_on() {
    let scene = Scene::new().await;
    let mut id = 0;
    for line in 1..=40 {
        scene.line(line, 9, NOW - WEEK * (line % 4) as i32).await;
        for age in (line % 4) as i32..6 {
            id += 1;
            scene.traceback(id, line, NOW - WEEK * age, 20_000).await;
        }
    }
    let bytes = "SELECT CAST(SUM(LENGTH(body)) AS BIGINT) FROM tracebacks";
    assert_eq!(scene.count(bytes).await, id * 20_000);
    let kept = |tracebacks_mib| Kept { tracebacks_mib, ..weeks(8, 104, 8, 0) };
    scene.round(kept(2), NOW).await;
    let left = scene.count(bytes).await;
    assert!((1 << 20..=2 << 20).contains(&left), "{left}");
    let alive = "SELECT COUNT(DISTINCT line_id) FROM tracebacks";
    assert_eq!(scene.count(alive).await, 40, "first those that are not the latest");
    // What does not fit even so goes by the line that was silent for longest.
    scene.round(Kept { tracebacks_mib: 0, ..kept(2) }, NOW + DAY).await;
    assert_eq!(scene.count(bytes).await, left, "0: no limit");
    scene.run("UPDATE tracebacks SET body = zeroblob(100000)").await;
    scene.round(kept(1), NOW + DAY * 2).await;
    let silent = format!("SELECT COUNT(*) FROM tracebacks WHERE week_ms < {}", NOW.week().as_millis());
    assert_eq!(scene.count(&silent).await, 0);
    assert_eq!(scene.count(alive).await, 10, "those of this week stay");
}

#[tokio::test]
async fn an_archived_line_keeps_what_makes_it_known_when_it_fails_again() {
    let scene = Scene::new().await;
    let old = NOW - WEEK * 53;
    for line in 1..=20 {
        scene.line(line, 5, old).await;
        scene.traceback(line, line, old, 50).await;
        scene.occurred(line, old, 5).await;
        for (kind, value, first) in
            [("server", "a", 1), ("release", "2", 3), ("release", "1", 4), ("exception", "E", 1)]
        {
            scene.run(&format!("INSERT INTO line_facets VALUES ({line}, '{kind}', '{value}', {first}, 9)")).await;
        }
    }
    scene.line(21, 5, NOW - WEEK * 51).await;
    // Somebody looks at this one, this one is known, this one was closed.
    scene.run("UPDATE lines SET issue_number = id, alerted_at_ms = 1 WHERE id IN (2, 3, 4)").await;
    scene.run("UPDATE lines SET known = 1 WHERE id = 3").await;
    scene.run("UPDATE lines SET resolved_at_ms = 1 WHERE id = 4").await;
    // This one waits to be told of.
    scene
        .run(&format!(
        "INSERT INTO deliveries (id, repository_id, line_id, channel, purpose, subject, recipient, content, state, rank,
             attempts, created_at_ms) VALUES (1, {}, 5, 'issue', 'alert', '', '', '', 'pending', 0, 0, 0)",
        scene.repository
    ))
        .await;
    let before = scene.weeks(old).await;
    scene.round(weeks(8, 104, 8, 52), NOW).await;
    let archived = "SELECT COUNT(*) FROM lines WHERE archived_total = total";
    assert_eq!(scene.count(archived).await, 18);
    let others = "SELECT COUNT(*) FROM lines WHERE archived_total IS NULL AND id IN (2, 5, 21)";
    assert_eq!(scene.count(others).await, 3);
    for (table, left) in [("tracebacks", 2), ("fingerprints", 2), ("line_hours", 20), ("line_facets", 18 * 2 + 2 * 4)] {
        assert_eq!(scene.count(&format!("SELECT COUNT(*) FROM {table}")).await, left, "{table}");
    }
    let release = crate::lines::first_release(&scene.store, domain::ids::LineId(1)).await.unwrap();
    assert_eq!(release.as_deref(), Some("2"), "the release in which it failed first");
    assert_eq!(scene.weeks(old).await, before, "reports of then are the same");
    let kept =
        "SELECT COUNT(*) FROM lines WHERE id IN (3, 4) AND issue_number = id AND alerted_at_ms = 1 AND total = 5";
    assert_eq!(scene.count(kept).await, 2);
    // It fails again, and is archived no more; nor the next day.
    scene.run(&format!("UPDATE lines SET total = 6, last_seen_ms = {} WHERE id = 3", NOW.as_millis())).await;
    scene.round(weeks(8, 104, 8, 52), NOW + DAY).await;
    assert_eq!(scene.count(archived).await, 17);
}

#[tokio::test]
async fn fingerprints_that_wait_or_are_young_stay() {
    let scene = Scene::new().await;
    let (old, made) = (NOW - WEEK * 10, crate::ids::first_at(NOW - WEEK * 10));
    for (id, state, seen) in [
        (1, "dropped", old),
        (2, "pending", old),
        (3, "stale", old),
        (4, "stale", old),
        (made, "dropped", NOW - WEEK * 7),
        (made + 1, "dropped", old),
    ] {
        scene.fingerprint(id, None, state, seen).await;
    }
    scene.run("INSERT INTO reports VALUES (1, 1, 4, 0, x'00', NULL)").await;
    for id in [2, 3] {
        scene.run(&format!("INSERT INTO pending_occurrences VALUES ({id}, 0, 5, 0)")).await;
        scene.run(&format!("INSERT INTO pending_facets VALUES ({id}, 'server', 'a', 0, 0)")).await;
    }
    scene.round(weeks(8, 104, 8, 52), NOW).await;
    let left: String = sqlx::query("SELECT GROUP_CONCAT(id) FROM (SELECT id FROM fingerprints ORDER BY id)")
        .fetch_one(&scene.store.pool)
        .await
        .unwrap()
        .get(0);
    assert_eq!(left, format!("2,4,{made}"));
    for table in ["pending_occurrences", "pending_facets"] {
        assert_eq!(scene.count(&format!("SELECT COUNT(*) FROM {table} WHERE fingerprint_id <> 2")).await, 0, "{table}");
        assert_eq!(scene.count(&format!("SELECT COUNT(*) FROM {table}")).await, 1, "{table}");
    }
}

#[tokio::test]
async fn old_messages_of_counts_webhooks_and_answers_go_and_what_keeps_an_alert_one_stays() {
    let scene = Scene::new().await;
    scene.line(1, 5, NOW).await;
    for (id, purpose, state, at) in [
        (1, "alert", "sent", NOW - WEEK * 60),
        (2, "count", "sent", NOW - WEEK * 60),
        (3, "count", "pending", NOW - WEEK * 60),
        (4, "known_every", "given_up", NOW - WEEK * 60),
        (5, "count", "sent", NOW - WEEK * 50),
        (6, "resolved", "sent", NOW - WEEK * 60),
    ] {
        let at = at.as_millis();
        scene
            .run(&format!(
                "INSERT INTO deliveries (id, repository_id, line_id, channel, purpose, subject, recipient, content, state,
                 rank, attempts, created_at_ms) VALUES ({id}, 1, 1, 'comment', '{purpose}', '{id}', '', '', '{state}', 0, 0, {at})"
            ))
            .await;
    }
    let old = (NOW - DAY * 31).as_millis();
    scene
        .run(&format!("INSERT INTO hooks VALUES (1, 'a', 'push', '', {old}, 1), (2, 'b', 'push', '', {old}, NULL)"))
        .await;
    scene.run(&format!("INSERT INTO hooks VALUES (3, 'c', 'push', '', {}, 1)", old + 172_800_000)).await;
    let year = (NOW - DAY * 366).as_millis();
    scene.run(&format!("INSERT INTO accounts VALUES ('a', NULL, 0, {year}), ('b', NULL, 0, {old})")).await;
    scene.run(&format!("INSERT INTO refused_addresses VALUES ('a', '', {year}), ('b', '', {old})")).await;
    scene.run(&format!("INSERT INTO deployment_roots VALUES (1, 'a', '', '', {year}), (1, 'b', '', '', {old})")).await;
    for (rule, ended) in [(1, "1"), (2, "NULL")] {
        scene
            .run(&format!(
                "INSERT INTO rules (id, repository_id, kind, entry, origin, made_by, made_at_ms, ended_at_ms)
                     VALUES ({rule}, 1, '', '', '', '', 1, {ended}); INSERT INTO rule_baselines VALUES ({rule}, 1, 1)"
            ))
            .await;
    }
    scene.round(weeks(8, 52, 8, 52), NOW).await;
    for (table, left) in [
        ("deliveries", 4),
        ("hooks", 2),
        ("accounts", 1),
        ("refused_addresses", 1),
        ("deployment_roots", 1),
        ("rule_baselines", 1),
    ] {
        assert_eq!(scene.count(&format!("SELECT COUNT(*) FROM {table}")).await, left, "{table}");
    }
    assert_eq!(scene.count("SELECT COUNT(*) FROM deliveries WHERE id IN (2, 4)").await, 0);
    assert_eq!(scene.count("SELECT COUNT(*) FROM hooks WHERE id = 1").await, 0);
}

#[tokio::test]
async fn a_clock_that_leaps_by_years_deletes_no_more_than_two_days() {
    let scene = Scene::new().await;
    scene.line(1, 100, NOW).await;
    for day in 0..60 {
        scene.occurred(1, NOW - DAY * day, 1).await;
    }
    let days = "SELECT COUNT(*) FROM line_hours";
    let kept = weeks(2, 4, 4, 52);
    scene.round(kept, NOW).await;
    let before = scene.count(days).await;
    assert!((28..36).contains(&before), "{before}");
    // Wrong for some minutes, and put right.
    for year in 1..=3 {
        scene.round(kept, NOW + DAY * (365 * year)).await;
        scene.round(kept, NOW).await;
    }
    assert_eq!(horizon(&scene.store).await.unwrap(), Some(NOW), "it went back with the clock");
    assert!(scene.count(days).await >= before - 7, "{} of {before}", scene.count(days).await);
    // A server that was off makes up for it.
    for day in 10..20 {
        scene.round(kept, NOW + DAY * day).await;
    }
    assert_eq!(horizon(&scene.store).await.unwrap(), Some(NOW + DAY * 19));
}

#[tokio::test]
async fn the_file_becomes_smaller_also_one_that_an_older_version_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.db");
    let url = format!("sqlite://{}?mode=rwc", file.display());
    let mut old = <sqlx::AnyConnection as sqlx::Connection>::connect({
        sqlx::any::install_default_drivers();
        &url
    })
    .await
    .unwrap();
    sqlx::raw_sql("PRAGMA journal_mode = WAL; CREATE TABLE was_there (a TEXT); INSERT INTO was_there VALUES ('x')")
        .execute(&mut old)
        .await
        .unwrap();
    sqlx::Connection::close(old).await.unwrap();
    let store = open(folder.path()).await;
    assert!(crate::size::size(&store).await.unwrap().shrinks);
    let mut tx = store.begin().await.unwrap();
    for n in 0..2_000 {
        let row = sqlx::query("INSERT INTO meta (name, value) VALUES ($1, $2)").bind(format!("fill {n}"));
        row.bind("x".repeat(6_000)).execute(tx.conn()).await.unwrap();
    }
    tx.commit().await.unwrap();
    let large = crate::size::size(&store).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    sqlx::query("DELETE FROM meta WHERE name LIKE 'fill %'").execute(tx.conn()).await.unwrap();
    tx.commit().await.unwrap();
    let mut steps = 0;
    while crate::size::shrink(&store).await.unwrap() {
        steps += 1;
        assert!(steps < 1_000, "it has an end");
    }
    let small = crate::size::size(&store).await.unwrap();
    assert!(steps > 5 && small.bytes < 3 << 20 && large.bytes > 12 << 20, "{steps} {small:?} {large:?}");
    assert!(small.free.unwrap() <= 1 << 20);
    assert_eq!(sqlx::query("SELECT a FROM was_there").fetch_one(&store.pool).await.unwrap().get::<String, _>(0), "x");
    store.close().await;
    assert_eq!(std::fs::metadata(&file).unwrap().len(), small.bytes);
}

/// Bytes of a traceback as it is kept, and of what it was attributed to: of the recordings of real
/// SDKs half have less.
const BODY: usize = 1_800;
const ATTRIBUTION: usize = 800;

/// 200,000 reports of a thousand lines within six weeks: the line of rank n fails a nth as often as
/// the first, each begins some day and ends some day, as bugs do.
async fn six_weeks(scene: &Scene) -> u64 {
    let (lines, begin, hours) = (1_000_u64, NOW - WEEK * 6, 6 * 7 * 24_u64);
    let all: f64 = (1..=lines).map(|rank| 1.0 / rank as f64).sum();
    let mut rows: std::collections::BTreeMap<(u64, u64), u64> = std::collections::BTreeMap::new();
    let mut total = 0;
    for line in 1..=lines {
        let times = (200_000.0 / all / line as f64).ceil() as u64;
        scene.line(line.cast_signed() << 30, times.cast_signed(), NOW - WEEK).await;
        // One in ten for all six weeks, the others for some days.
        let (first, last) = if line % 10 == 0 { (0, hours) } else { (line * 37 % (hours - 200), 200) };
        for nth in 0..times {
            let hour = first + (nth * 2_654_435_761 + line) % last.min(hours - first);
            *rows.entry((hour, line)).or_default() += 1;
        }
        total += times;
    }
    let mut tracebacks = std::collections::BTreeSet::new();
    let rows: Vec<_> = rows.into_iter().collect();
    for chunk in rows.chunks(2_000) {
        let mut sql = String::new();
        for ((hour, line), times) in chunk {
            let (at, id) = (begin + HOUR * i32::try_from(*hour).unwrap(), line << 30);
            sql += &format!("INSERT INTO line_hours VALUES ({id}, {}, {times});", at.hour().as_millis());
            let is_new = tracebacks.range((*line, Timestamp::MIN)..).next().is_none_or(|(of, _)| of != line);
            if is_new {
                sql += &format!(
                    "INSERT INTO fingerprints VALUES ({id}, 1, '{}', 'line', {id}, 1, 1, 1, NULL,
                         randomblob({ATTRIBUTION}), NULL, {}, NULL);",
                    "0123456789abcdef".repeat(2) + &line.to_string(),
                    at.as_millis()
                );
                for kind in ["server", "release", "environment", "exception"] {
                    sql += &format!("INSERT INTO line_facets VALUES ({id}, '{kind}', 'value {line}', {hour}, {hour});");
                }
                for channel in ["mail", "issue"] {
                    sql += &format!(
                        "INSERT INTO deliveries (id, repository_id, line_id, channel, purpose, subject, recipient, content,
                             state, rank, attempts, created_at_ms, receipt)
                         VALUES ({id} + {}, 1, {id}, '{channel}', 'alert', '', 'ada@example.com', '{{}}', 'sent', 1, 1, 1, 'r');",
                        channel.len()
                    );
                }
            }
            if tracebacks.insert((*line, at.week())) {
                sql += &format!(
                    "INSERT INTO tracebacks VALUES ({id}, {}, {id}, {}, randomblob({BODY}));",
                    at.week().as_millis(),
                    at.as_millis()
                );
            }
        }
        scene.run(&sql).await;
    }
    total
}

#[tokio::test]
async fn two_hundred_thousand_reports_stay_below_fifteen_megabytes() {
    let scene = Scene::new().await;
    assert!(six_weeks(&scene).await >= 200_000);
    let file = async |when: &str| {
        while crate::size::shrink(&scene.store).await.unwrap() {}
        let bytes = crate::size::size(&scene.store).await.unwrap().bytes;
        let mut rows = Vec::new();
        for table in ["line_hours", "tracebacks", "fingerprints", "line_facets", "lines"] {
            rows.push(format!("{table} {}", scene.count(&format!("SELECT COUNT(*) FROM {table}")).await));
        }
        println!("{when}: {bytes} bytes; {}", rows.join(", "));
        bytes
    };
    let young = file("at once").await;
    assert!(young < 15_000_000, "{young}");
    // As if a round had begun each day until then.
    let later = async |weeks: i32| {
        scene.run("DELETE FROM meta WHERE name = 'retention'").await;
        scene.round(Kept::default(), NOW + WEEK * weeks).await;
    };
    later(26).await;
    let old = file("after half a year").await;
    assert!(old < 8_000_000, "{old}");
    later(78).await;
    let archived = file("after a year and a half").await;
    assert!(archived < 5_000_000, "{archived}");
    later(120).await;
    let counts = file("after more than two years").await;
    assert!(counts < 3_000_000 && scene.count("SELECT COUNT(*) FROM lines").await == 1_000, "{counts}");
}
