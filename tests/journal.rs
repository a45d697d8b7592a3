//! What is counted of known lines waits in the journal: exact wherever somebody looks, and counted
//! once, however the server ends.

use crate::harness::browser::Browser;
use crate::harness::story::{CART_PATH, REPO, Story, run_test};
use store::journal::count_waiting;

/// Sends the usual report again, and nothing else happens.
async fn repeats(story: &Story, times: usize) {
    let (key, project) = story.key().await;
    for _ in 0..times {
        assert_eq!(story.send_to(story.url(), &key, project, &story.event()).await, 200);
    }
}

/// Batches that wait to be folded.
async fn waiting(story: &Story) -> u64 {
    count_waiting(&story.services().store).await.unwrap()
}

#[test]
fn whoever_looks_sees_all_that_was_counted() {
    run_test(async |story| {
        story.alerted().await;
        repeats(story, 4).await;
        assert_eq!(waiting(story).await, 4, "a repeat is appended, and its line left alone");
        let week = story.page("/get_weekly_error_report?repo=acme/shop").await;
        assert!(week.contains("5 errors") || week.contains(">5<"), "{week}");
        assert_eq!(waiting(story).await, 0, "a page has them folded");
        repeats(story, 3).await;
        let said = story.command(&["report", "this-week"]);
        assert!(said.trim_start().starts_with("8 "), "{said}");
        assert_eq!(waiting(story).await, 0, "and so has the terminal");
        repeats(story, 2).await;
        let admin = Browser::signed_in(story).await;
        let csrf = admin.get("/add_known_error?repo=acme/shop").await.hidden("csrf");
        // The form is a page, too: only these two wait when the entry is made.
        repeats(story, 2).await;
        let entry = [("csrf", csrf.as_str()), ("repo", REPO), ("scope", "file"), ("filename", CART_PATH)];
        assert_eq!(admin.post("/add_known_error", &entry).await.status, 200);
        // By other rules, the next one is attributed anew.
        repeats(story, 1).await;
        story.settle().await;
        let whitelist = admin.get("/acme/shop/whitelist").await.seen();
        assert!(
            whitelist.contains("Silenced 1 since then"),
            "what came before the entry is not its doing: {whitelist}"
        );
        assert_eq!(story.lines().await[0].total, 13);
        story.transcript();
    });
}

#[test]
fn a_server_that_is_killed_counts_what_it_acknowledged_once() {
    run_test(async |story| {
        story.alerted().await;
        let (key, project) = story.key().await;
        let event = story.event();
        story.stop().await;
        for round in 0..6_u64 {
            let mut process = story.start_process().await;
            for _ in 0..5 + round {
                assert_eq!(story.send_to(&process.url, &key, project, &event).await, 200);
            }
            // Before it is folded, in the middle of that, and after it.
            tokio::time::sleep(std::time::Duration::from_millis(100 * round)).await;
            process.kill();
        }
        story.start().await;
        story.settle().await;
        let line = &story.lines().await[0];
        assert_eq!(line.total, 1 + (5..11).sum::<u64>());
        let (_, days) = store::lines::counts_and_days(&story.services().store, line).await.unwrap();
        assert_eq!(days.iter().sum::<u64>(), line.total, "hours and totals agree");
        story.end_leases().await;
        story.settle().await;
        story.transcript();
    });
}
