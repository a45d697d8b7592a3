//! What is appended is folded once, whatever happens in between, and costs few pages.

use super::*;
use crate::columns::get_count;
use crate::fingerprints::{FingerprintState, KnownFingerprint};
use crate::intake::{Arrival, Facets, WriterMemory, insert_batch};
use domain::fingerprint::Fingerprint;
use domain::ids::{FingerprintId, IngestKeyId, LineId, RepositoryId};
use domain::timestamp::HOUR;
use sqlx::Row as _;
use std::path::Path;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const LINES: i64 = 1_000;

/// A database with a repository of a thousand lines.
async fn with_lines() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite://{}/a.db", folder.path().display())).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO repositories (id, full_name, clone_url, public, code_generation, rules_generation, pushed_at_ms,
             fetched_at_ms, labelled_at_ms, created_at_ms) VALUES (1, 'acme/shop', '', 0, 0, 0, 0, 0, 0, 0)",
    )
    .execute(tx.conn())
    .await
    .unwrap();
    for line in 1..=LINES {
        sqlx::query(
            "INSERT INTO lines (id, repository_id, identity, path, function_name, line_number, code, exception, headline,
                 total, decided_total, first_seen_ms, last_seen_ms, known, regressions, is_stray, not_ours)
             VALUES ($1, 1, $2, $3, 'total', $1, 'price = items[sku]', 'KeyError', 'KeyError: sku', 0, 0, 0, 0, 0, 0, 0, 0)",
        )
        .bind(line)
        .bind(format!("identity of {line}"))
        .bind(format!("shop/part_{}.py", line % 10))
        .execute(tx.conn())
        .await
        .unwrap();
    }
    tx.commit().await.unwrap();
    (folder, store)
}

/// A repeat of a line.
fn repeat(line: i64, at: Timestamp) -> Arrival {
    let known = KnownFingerprint {
        id: FingerprintId(line),
        state: FingerprintState::Line(LineId(line)),
        pinned: false,
        code_generation: 0,
        rules_generation: 0,
        recheck_at: None,
    };
    Arrival {
        repository: RepositoryId(1),
        key: IngestKeyId(1),
        fingerprint: Fingerprint([1; 16]),
        code_generation: 0,
        rules_generation: 0,
        count: 1,
        at,
        facets: Facets { server: "web-1".to_owned(), environment: "production".to_owned() },
        known: Some(known),
        body: None,
    }
}

/// Totals and the sums of hours, by line.
async fn counts(store: &Store) -> Vec<(u64, u64)> {
    let sql = "SELECT l.total, (SELECT CAST(COALESCE(SUM(h.occurrences), 0) AS BIGINT) FROM line_hours h
         WHERE h.line_id = l.id) AS by_hours FROM lines l ORDER BY l.id";
    let rows = sqlx::query(sql).fetch_all(&store.pool).await.unwrap();
    rows.iter().map(|row| (get_count(row, "total").unwrap(), get_count(row, "by_hours").unwrap())).collect()
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

#[tokio::test]
async fn a_batch_of_many_lines_writes_few_pages() {
    let (folder, store) = with_lines().await;
    let mut memory = WriterMemory::default();
    let batch = |first: i64| -> Vec<Arrival> { (0..16).map(|n| repeat(1 + (first + n * 61) % LINES, NOW)).collect() };
    // The names that lines are seen with are written once.
    for first in 0..LINES {
        insert_batch(&store, &batch(first), &mut memory).await.unwrap();
    }
    fold(&store, NOW).await.unwrap();
    sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&store.pool).await.unwrap();
    const BATCHES: u64 = 200;
    for first in 0..BATCHES {
        insert_batch(&store, &batch(first.cast_signed()), &mut memory).await.unwrap();
    }
    // A frame of the log is a page with its head.
    let pages = length(&folder.path().join("a.db-wal")) / (4_096 + 24);
    assert!(pages > 0 && pages <= 2 * BATCHES, "{pages} pages of {BATCHES} batches");
    fold(&store, NOW).await.unwrap();
    assert_eq!(counts(&store).await.iter().map(|(total, _)| total).sum::<u64>(), 16 * (1_000 + BATCHES));
}

#[tokio::test]
async fn what_is_appended_is_durable_whatever_was_written_before_it() {
    let (_folder, store) = with_lines().await;
    let mut memory = WriterMemory::default();
    insert_batch(&store, &[repeat(7, NOW)], &mut memory).await.unwrap();
    for _ in 0..2 {
        fold(&store, NOW).await.unwrap();
        let lazily = sqlx::query("PRAGMA synchronous").fetch_one(&store.pool).await.unwrap();
        assert_eq!(lazily.get::<i64, _>(0), 1, "NORMAL, for a fold need not be on the disk at once");
        insert_batch(&store, &[repeat(7, NOW)], &mut memory).await.unwrap();
        let durable = sqlx::query("PRAGMA synchronous").fetch_one(&store.pool).await.unwrap();
        assert_eq!(durable.get::<i64, _>(0), 2, "FULL, on the connection that was used last");
    }
}

#[tokio::test]
async fn what_the_disk_does_not_take_was_not_counted() {
    let (_folder, store) = with_lines().await;
    let mut memory = WriterMemory::default();
    insert_batch(&store, &[repeat(7, NOW)], &mut memory).await.unwrap();
    let pages: i64 = sqlx::query("PRAGMA page_count").fetch_one(&store.pool).await.unwrap().get(0);
    let limit = |pages: i64| sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
    sqlx::raw_sql(limit(pages)).execute(&store.pool).await.unwrap();
    let mut taken = 1;
    let (error, nothing_changed) = loop {
        let mut counted = Counted::default();
        (1..=LINES).for_each(|line| counted.add(LineId(line), NOW, 1));
        match append(&store, &counted, NOW).await {
            Ok(()) => taken += LINES,
            Err(failed) => break failed,
        }
    };
    assert_eq!((error.trouble(), nothing_changed), (Some(crate::Trouble::Full), true));
    sqlx::raw_sql(limit(i64::from(u32::MAX) / 2)).execute(&store.pool).await.unwrap();
    let mut counted = Counted::default();
    counted.add(LineId(7), NOW, 1);
    append(&store, &counted, NOW).await.unwrap();
    fold(&store, NOW).await.unwrap();
    assert_eq!(counts(&store).await.iter().map(|(total, _)| total).sum::<u64>(), u64::try_from(taken + 1).unwrap());
}

#[tokio::test]
async fn all_lines_are_folded_in_pieces_and_each_count_once() {
    let (_folder, store) = with_lines().await;
    let mut memory = WriterMemory::default();
    // More rows than are looked at in one piece, more lines than are added to in one, two hours.
    for round in 0..700 {
        let at = NOW + HOUR * i32::from(round % 2 == 0);
        let batch: Vec<Arrival> = (0..16).map(|n| repeat(1 + (round * 16 + n) % LINES, at)).collect();
        insert_batch(&store, &batch, &mut memory).await.unwrap();
    }
    assert_eq!(count_waiting(&store).await.unwrap(), 700, "a row for each batch");
    let folded = fold(&store, NOW).await.unwrap();
    assert_eq!((folded.asked, folded.unreadable), (false, 0));
    assert_eq!(count_waiting(&store).await.unwrap(), 0);
    let counts = counts(&store).await;
    assert_eq!(counts.iter().map(|(total, _)| total).sum::<u64>(), 700 * 16);
    assert!(counts.iter().all(|(total, by_hours)| total == by_hours && (11..=12).contains(total)), "{counts:?}");
    assert_eq!(fold(&store, NOW).await.unwrap(), Folded::default(), "there is nothing more");
}

#[tokio::test]
async fn what_is_not_committed_stays_in_the_journal() {
    let (_folder, store) = with_lines().await;
    insert_batch(&store, &[repeat(7, NOW)], &mut WriterMemory::default()).await.unwrap();
    for _ in 0..3 {
        // A process that ends in the middle of a fold.
        let mut tx = store.begin_lazily().await.unwrap();
        fold::piece_in(&mut tx, &store.costs, &mut fold::Round::default(), &mut Folded::default(), NOW).await.unwrap();
        drop(tx);
    }
    assert_eq!((counts(&store).await[6], count_waiting(&store).await.unwrap()), ((0, 0), 1));
    fold(&store, NOW).await.unwrap();
    assert_eq!((counts(&store).await[6], count_waiting(&store).await.unwrap()), ((1, 1), 0));
}

#[tokio::test]
async fn two_who_fold_and_one_who_appends_count_once() {
    let (_folder, store) = with_lines().await;
    let appends = async {
        let mut memory = WriterMemory::default();
        for round in 0..300 {
            let batch: Vec<Arrival> = (0..16).map(|n| repeat(1 + (round * 7 + n) % LINES, NOW)).collect();
            insert_batch(&store, &batch, &mut memory).await.unwrap();
        }
    };
    let folds = async || {
        for _ in 0..40 {
            fold(&store, NOW).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(appends, folds(), folds());
    fold(&store, NOW).await.unwrap();
    let counts = counts(&store).await;
    assert!(counts.iter().all(|(total, by_hours)| total == by_hours));
    assert_eq!(counts.iter().map(|(total, _)| total).sum::<u64>(), 300 * 16);
}

#[tokio::test]
async fn a_line_that_is_gone_takes_nothing_with_it() {
    let (_folder, store) = with_lines().await;
    let batch = [repeat(1, NOW), repeat(LINES + 9, NOW), repeat(2, NOW)];
    let nameless: Vec<Arrival> =
        batch.into_iter().map(|arrival| Arrival { facets: Facets::default(), ..arrival }).collect();
    insert_batch(&store, &nameless, &mut WriterMemory::default()).await.unwrap();
    assert_eq!(fold(&store, NOW).await.unwrap().lines, 2);
    assert_eq!(counts(&store).await[..3], [(1, 1), (1, 1), (0, 0)]);
}

#[tokio::test]
async fn what_can_not_be_read_holds_nothing_up() {
    let (_folder, store) = with_lines().await;
    let mut tx = store.begin().await.unwrap();
    sqlx::query("INSERT INTO journal (id, counted) VALUES (1, '1 2 1800000000000,nonsense')")
        .execute(tx.conn())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let folded = fold(&store, NOW).await.unwrap();
    assert_eq!((folded.lines, folded.unreadable), (1, 1));
    assert_eq!((counts(&store).await[0], count_waiting(&store).await.unwrap()), ((2, 2), 0));
}

#[tokio::test]
async fn a_count_that_was_waited_for_asks_for_a_decision() {
    let (_folder, store) = with_lines().await;
    let mut tx = store.begin().await.unwrap();
    sqlx::query("UPDATE lines SET next_decide_at = 3 WHERE id = 5").execute(tx.conn()).await.unwrap();
    tx.commit().await.unwrap();
    let mut memory = WriterMemory::default();
    for (occurrences, asked) in [(2, false), (2, true), (1, false)] {
        let batch: Vec<Arrival> = (0..occurrences).map(|_| repeat(5, NOW)).collect();
        insert_batch(&store, &batch, &mut memory).await.unwrap();
        assert_eq!(fold(&store, NOW).await.unwrap().asked, asked);
    }
    let row = sqlx::query("SELECT kind, subject FROM jobs").fetch_one(&store.pool).await.unwrap();
    assert_eq!((row.get::<String, _>("kind").as_str(), row.get::<i64, _>("subject")), ("decide", 5));
}
