//! What is old: counts by the hour become counts by the day, tracebacks go, silent lines are
//! archived, and the promise of one alert for a line outlives all of it.

use crate::harness::git_repo::{ADA, GRACE};
use crate::harness::story::{CART, CART_PATH, REPO, Story, run_test};
use domain::timestamp::{HOUR, Timestamp, WEEK};
use store::retention::MOST_AHEAD;

/// Starts a server that keeps little.
async fn keeps_little(story: &mut Story) {
    for (name, value) in
        [("KEEP_HOURS_WEEKS", "1"), ("KEEP_TRACEBACKS_WEEKS", "1"), ("ARCHIVE_WEEKS", "2"), ("KEEP_OUTBOX_WEEKS", "1")]
    {
        story.set(name, value);
    }
    story.restart().await;
}

/// Lets weeks go by, in the steps in which the server goes on with them.
async fn weeks_go_by(story: &mut Story, weeks: i32) {
    let until = story.clock.now() + WEEK * weeks;
    while story.clock.now() < until {
        story.clock.advance(MOST_AHEAD);
        story.worker().tick(story.clock.now()).await;
    }
    story.tick().await;
}

/// What the week of a moment says, on its page and in a terminal.
async fn week_of(story: &Story, at: Timestamp) -> [String; 2] {
    let query = format!("/get_weekly_error_report?timestamp={}&include_known_errors=true", at.as_seconds());
    [story.page(&query).await, story.command(&["report", &at.date(), "--known"])]
}

#[test]
fn a_known_error_that_was_archived_is_still_known_when_it_fails_again() {
    run_test(async |story| {
        keeps_little(story).await;
        story.alerted().await;
        story.github.add_label(REPO, 1, "known-error", "ada");
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        story.transcript();
        let begun = story.clock.now();
        for _ in 0..3 {
            story.clock.advance(HOUR);
            story.fails(1).await;
        }
        let before = week_of(story, begun).await;
        assert!(before[0].contains("4 errors at 1 line") && !before[0].contains("by the day only"), "{}", before[0]);
        weeks_go_by(story, 5).await;
        let [page, said] = week_of(story, begun).await;
        assert!(page.contains("4 errors at 1 line") && page.contains("errors are counted by the day only."), "{page}");
        assert!(said.starts_with(before[1].trim_end()), "{said}");
        assert!(said.contains("Tracebacks are kept since ") && said.contains("by the day only."), "{said}");
        let line = story.lines().await.remove(0);
        let link = format!("/view_traceback?repo={REPO}&line_id={}", line.id);
        assert!(story.page(&link).await.contains("It is no longer stored."));
        story.transcript();
        // Attributed anew, to the same line.
        story.fails(2).await;
        let again = story.lines().await.remove(0);
        assert_eq!((again.id, again.total, again.known, again.issue), (line.id, 6, true, Some(1)));
        assert!(!story.page(&link).await.contains("It is no longer stored."));
        story.assert_silent("it is known");
        // It is alive, and stays so.
        weeks_go_by(story, 1).await;
        assert!(!story.page(&link).await.contains("It is no longer stored."));
        assert!(story.transcript().starts_with("acme/shop#1 status:\n    + **6 occurrences**"));
    });
}

#[test]
fn a_resolved_line_that_was_archived_is_told_of_as_back_and_an_open_one_keeps_its_traceback() {
    run_test(async |story| {
        keeps_little(story).await;
        story.alerted().await;
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[("shop/tax.py", "def tax(x):\n    return x / 0\n")], "Tax");
        story.push().await;
        story.fails_at("shop/tax.py", "return x / 0", "tax").await;
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        story.transcript();
        weeks_go_by(story, 5).await;
        story.transcript();
        let stored = async |story: &Story, index: usize| {
            let line = story.lines().await.remove(index);
            let page = story.page(&format!("/view_traceback?repo={REPO}&line_id={}", line.id)).await;
            !page.contains("It is no longer stored.")
        };
        assert_eq!((stored(story, 0).await, stored(story, 1).await), (false, true));
        let head = story.commit(ADA, "2026-03-01T10:00:00Z", &[(CART_PATH, &format!("{CART}\n# more\n"))], "More");
        story.push().await;
        let event = story.event_at(&head, CART_PATH, "PRICES[sku]", "total", "web-1");
        story.report(&event).await;
        let told = story.transcript();
        assert!(told.contains("acme/shop#1 reopened"), "{told}");
        assert_eq!(story.lines().await.len(), 2);
        assert!(stored(story, 0).await);
    });
}

#[test]
fn a_repository_may_keep_less_than_the_server() {
    run_test(async |story| {
        story.alerted().await;
        let settings = "retention: { tracebacks_weeks: 1, archive_weeks: 1 }\n";
        story.commit(ADA, "2026-02-01T10:00:00Z", &[(".github/flawless.yml", settings)], "Keep less");
        story.push().await;
        let line = story.lines().await.remove(0);
        let link = format!("/view_traceback?repo={REPO}&line_id={}", line.id);
        story.worker().tick(story.clock.now()).await;
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        story.transcript();
        assert!(!story.page(&link).await.contains("It is no longer stored."));
        let week = story.clock.now();
        weeks_go_by(story, 3).await;
        story.transcript();
        assert!(story.page(&link).await.contains("It is no longer stored."));
        let one = format!("/get_weekly_error_report?repo={REPO}&timestamp={}", week.as_seconds());
        assert!(story.page(&one).await.contains("Tracebacks are kept since "));
        let url = story.repo.git_dir().display().to_string();
        story.watch_plainly("acme/other", &url).await;
        let all = story.page(&format!("/get_weekly_error_report?timestamp={}", week.as_seconds())).await;
        assert!(all.contains("Some repositories keep less") && !all.contains("Tracebacks are kept since "), "{all}");
        let doctor = story.page("/doctor").await;
        assert!(doctor.contains("kept: hours 8 weeks, days 104 weeks, tracebacks 8 weeks"), "{doctor}");
    });
}
