//! What was said of an issue before something else was done: it commands nothing any more, and
//! what was ended stays ended.

use crate::harness::git_repo::GRACE;
use crate::harness::scenes::MINUTE;
use crate::harness::story::{CART_PATH, REPO, Story, run_test};
use app::services::messages::comment;
use domain::alert::Reply;
use domain::delivery::{DeliveryMode, Purpose};
use domain::event::IssueAction;
use domain::names::Login;
use domain::rule::RuleSource;
use jiff::SignedDuration;
use store::handovers::HandoverWrite;
use store::lines::{AsOf, CarriedOut, CommandReply};
use store::rules::NewRule;

/// The hourly look, which no webhook preceded.
async fn look(story: &mut Story) {
    story.github.lose_deliveries();
    story.compare().await;
}

#[test]
fn library_code_that_ended_with_a_reopening_is_not_made_again_while_its_label_stays() {
    run_test(async |story| {
        story.alerted().await;
        story.later(MINUTE).await;
        story.github.add_label(REPO, 1, "library-code", "ada");
        let labelled = story.github.lose_deliveries().remove(0);
        story.github.copy(&labelled, 1);
        story.settle().await;
        story.later(MINUTE).await;
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        story.later(MINUTE).await;
        assert_eq!(story.rules().await.len(), 1);
        story.transcript();
        story.github.reopen_issue(REPO, 1, "ada");
        story.settle().await;
        let said = story.transcript();
        assert!(said.contains("Done, ada: `library-code` no longer applies"), "{said}");
        for _ in 0..2 {
            look(story).await;
            // A late copy of the old command.
            story.github.copy(&labelled, 1);
            story.settle().await;
            assert!(story.rules().await.is_empty());
        }
        assert!(!story.transcript().contains("commented"));
        // Taken off, and put on again: that is a new command.
        story.github.remove_label(REPO, 1, "library-code", "ada");
        story.settle().await;
        story.later(MINUTE).await;
        story.github.add_label(REPO, 1, "library-code", "ada");
        story.settle().await;
        assert_eq!(story.rules().await.len(), 1);
        story.transcript();
    });
}

#[test]
fn a_label_that_was_put_on_anew_commands_though_nobody_heard_that_it_was_off() {
    run_test(async |story| {
        story.alerted().await;
        story.later(MINUTE).await;
        story.github.add_label(REPO, 1, "library-code", "ada");
        story.settle().await;
        story.end_the_only_rule().await;
        story.transcript();
        story.later(MINUTE).await;
        story.github.remove_label(REPO, 1, "library-code", "ada");
        story.github.lose_deliveries();
        story.github.add_label(REPO, 1, "library-code", "ada");
        story.settle().await;
        assert_eq!(story.rules().await.len(), 1);
        let said = story.transcript();
        assert!(said.contains("Done, ada"), "{said}");
    });
}

#[test]
fn a_known_error_that_was_ended_by_hand_is_resolved_when_its_issue_is_closed_the_next_time() {
    run_test(async |story| {
        story.alerted().await;
        story.later(MINUTE).await;
        story.github.add_label(REPO, 1, "known-error", "ada");
        let labelled = story.github.lose_deliveries().remove(0);
        story.later(MINUTE).await;
        story.github.close_issue(REPO, 1, "ada");
        let closed = story.github.lose_deliveries().remove(0);
        story.github.copy(&closed, 1);
        story.settle().await;
        story.transcript();
        story.later(MINUTE).await;
        story.end_the_only_rule().await;
        story.later(MINUTE).await;
        story.transcript();
        // Old words: of the label, whose webhook was lost, and of the closing once more.
        for old in [&labelled, &closed] {
            story.github.copy(old, 1);
            story.settle().await;
            assert!(story.rules().await.is_empty());
        }
        assert!(!story.transcript().contains("commented"));
        // It comes back, and we open the issue.
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README.md", "more\n")], "More");
        story.push().await;
        story.fails(1).await;
        let said = story.transcript();
        assert!(said.contains("This is back"), "{said}");
        story.later(MINUTE).await;
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        let said = story.transcript();
        assert!(said.contains("Thanks, ada: resolved"), "{said}");
        assert!(story.rules().await.is_empty());
        assert!(story.lines().await[0].resolved_at.is_some());
        // Opened by a person, its label is a command at the next closing.
        story.later(MINUTE).await;
        story.github.reopen_issue(REPO, 1, "ada");
        story.settle().await;
        story.later(MINUTE).await;
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        assert_eq!(story.rules().await.len(), 1);
        story.transcript();
    });
}

#[test]
fn what_was_commanded_after_a_reopening_outlives_a_late_word_of_it() {
    run_test(async |story| {
        story.alerted().await;
        story.later(MINUTE).await;
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        story.later(MINUTE).await;
        story.github.reopen_issue(REPO, 1, "ada");
        let reopened = story.github.lose_deliveries().remove(0);
        story.later(MINUTE).await;
        story.github.add_label(REPO, 1, "library-code", "ada");
        story.settle().await;
        story.transcript();
        assert_eq!(story.rules().await.len(), 1);
        look(story).await;
        story.github.copy(&reopened, 1);
        story.settle().await;
        look(story).await;
        assert_eq!(story.rules().await.len(), 1);
        assert_eq!(story.lines().await[0].resolved_at, None, "that it is open is heeded");
        assert!(!story.transcript().contains("commented"));
    });
}

#[test]
fn what_was_ended_or_said_stays_so_when_the_line_is_edited() {
    run_test(async |story| {
        story.alerted().await;
        story.later(MINUTE).await;
        story.github.add_label(REPO, 1, "library-code", "ada");
        story.github.add_label(REPO, 1, "known eror", "ada");
        story.settle().await;
        story.end_the_only_rule().await;
        story.later(MINUTE).await;
        story.github.assign(REPO, 1, "grace", "ada");
        let to_grace = story.github.lose_deliveries().remove(0);
        story.later(MINUTE).await;
        story.github.assign(REPO, 1, "linus", "ada");
        story.settle().await;
        assert_eq!(story.owner().await.as_deref(), Some("linus"));
        story.transcript();
        story.edited().await;
        let said = story.transcript();
        assert!(said.contains("acme/shop#1 commented") && !said.contains("opened"), "{said}");
        let edited = story.lines().await.into_iter().find(|line| line.issue == Some(1)).unwrap();
        look(story).await;
        story.github.copy(&to_grace, 1);
        story.settle().await;
        assert!(story.rules().await.is_empty());
        let line = store::lines::by_id(&story.services().store, edited.id).await.unwrap().unwrap();
        assert_eq!(line.owner_login.as_ref().map(Login::as_str), Some("linus"));
        let said = story.transcript();
        assert!(!said.contains("commented"), "{said}");
    });
}

#[test]
fn the_author_has_a_line_back_though_no_webhook_told() {
    run_test(async |story| {
        story.alerted().await;
        story.later(MINUTE).await;
        story.github.unassign(REPO, 1, "ada", "owner");
        story.github.assign(REPO, 1, "grace", "owner");
        story.settle().await;
        assert_eq!(story.owner().await.as_deref(), Some("grace"));
        story.transcript();
        story.later(MINUTE).await;
        story.github.assign(REPO, 1, "ada", "owner");
        look(story).await;
        assert_eq!(story.owner().await.as_deref(), Some("ada"));
        let said = story.transcript();
        assert!(said.contains("belongs to ada"), "{said}");
    });
}

#[test]
fn a_look_finds_to_whom_an_issue_was_given_last_and_late_webhooks_change_nothing() {
    run_test(async |story| {
        story.alerted().await;
        story.later(MINUTE).await;
        story.github.assign(REPO, 1, "grace", "ada");
        let to_grace = story.github.lose_deliveries().remove(0);
        story.later(MINUTE).await;
        story.github.assign(REPO, 1, "linus", "ada");
        let to_linus = story.github.lose_deliveries().remove(0);
        story.later(MINUTE).await;
        story.github.comment(REPO, 1, "Hm.", "ada");
        look(story).await;
        assert_eq!(story.owner().await.as_deref(), Some("linus"), "GitHub lists when it was");
        let said = story.transcript();
        assert!(said.contains("Noted, ada: this line belongs to linus"), "{said}");
        for webhook in [&to_linus, &to_grace] {
            story.github.copy(webhook, 1);
            story.settle().await;
        }
        assert_eq!(story.owner().await.as_deref(), Some("linus"));
        story.assert_silent("it is known");
    });
}

#[test]
fn the_commit_of_a_later_closing_counts_though_nobody_heard_of_the_reopening() {
    run_test(async |story| {
        story.alerted().await;
        story.later(MINUTE).await;
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        story.transcript();
        story.later(MINUTE).await;
        story.github.reopen_issue(REPO, 1, "ada");
        story.github.lose_deliveries();
        story.later(MINUTE).await;
        let fix = story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README.md", "fixes #1\n")], "Fix it, fixes #1");
        story.push().await;
        story.github.close_issue_by(REPO, 1, "grace", &fix);
        story.settle().await;
        let said = story.transcript();
        assert!(said.contains("Thanks, grace: resolved as of <Fix it, fixes #1>"), "{said}");
        let commit = story.lines().await.remove(0).resolved_commit;
        assert_eq!(commit.as_ref().map(|it| it.as_str()), Some(fix.as_str()));
    });
}

#[test]
fn a_text_that_somebody_wrote_is_not_written_over_by_what_it_was_before() {
    run_test(async |story| {
        story.alerted().await;
        story.later(MINUTE).await;
        let body = story.github.issue(REPO, 1).body;
        story.github.edit_issue(REPO, 1, &format!("Seen in the till, too.\n\n{body}"));
        story.settle().await;
        // The status changes, and GitHub's answers are behind.
        story.github.set_read_lag(SignedDuration::from_secs(30));
        story.github.assign(REPO, 1, "grace", "ada");
        for _ in 0..12 {
            story.later(SignedDuration::from_secs(10)).await;
        }
        let issue = story.github.issue(REPO, 1);
        assert!(issue.body.starts_with("Seen in the till, too."), "{}", issue.body);
        assert!(issue.body.contains("It belongs to grace"), "{}", issue.body);
        assert!(issue.body.contains(CART_PATH));
        story.transcript();
    });
}

#[test]
fn an_issue_that_is_found_twice_is_the_same_one() {
    run_test(async |story| {
        story.alerted().await;
        story.later(MINUTE).await;
        story.github.assign(REPO, 1, "grace", "ada");
        story.settle().await;
        story.transcript();
        let line = story.lines().await.remove(0);
        let store = &story.services().store;
        let before = store::lines::acted_on(store, line.id).await.unwrap();
        store::lines::set_issue(store, line.id, Some(1)).await.unwrap();
        assert_eq!(store::lines::acted_on(store, line.id).await.unwrap(), before);
        store::lines::set_issue(store, line.id, Some(2)).await.unwrap();
        assert_eq!(store::lines::acted_on(store, line.id).await.unwrap().assignees, None);
    });
}

#[test]
fn a_closing_that_is_overtaken_while_its_commit_is_looked_for_resolves_nothing() {
    run_test(async |story| {
        story.alerted().await;
        let (store, line, now) = (&story.services().store, story.lines().await.remove(0), story.clock.now());
        let (closed_at, reopened_at) = (now, now + MINUTE);
        let said = Reply::Resolved { commit: None, by_person: true, by: "ada".into() };
        let what = comment(Purpose::Resolved { closed_at }, &said).unwrap();
        let reply = CommandReply {
            repository: line.repository,
            line: line.id,
            as_of: Some(closed_at),
            what: &what,
            mode: DeliveryMode::Singly,
        };
        let acted_on = async |at| store::lines::record_acted_on(store, line.id, Some(at), &IssueAction::Reopened).await;
        assert!(acted_on(closed_at).await.unwrap());
        assert!(acted_on(reopened_at).await.unwrap());
        let done = store::lines::resolve_once(store, reply, closed_at, AsOf { commit: None, person_at: None }, now)
            .await
            .unwrap();
        assert_eq!(done, CarriedOut::Overtaken);
        assert_eq!(story.lines().await[0].resolved_at, None);
        let done =
            store::lines::give_once(store, reply, &"grace".into(), now, &HandoverWrite::Nothing, now).await.unwrap();
        assert_eq!((done, story.owner().await), (CarriedOut::Overtaken, None));
    });
}

#[test]
fn a_label_whose_rule_is_there_without_a_reply_is_replied_to() {
    run_test(async |story| {
        story.alerted().await;
        story.later(MINUTE).await;
        story.github.add_label(REPO, 1, "library-code", "ada");
        let labelled = story.github.lose_deliveries().remove(0);
        story.github.copy(&labelled, 1);
        story.settle().await;
        assert!(story.transcript().contains("Done, ada"));
        // As a server leaves it that ends between both.
        let (store, rule) = (story.services().store.clone(), story.rules().await.remove(0));
        store::rules::end(&store, rule.repository, rule.made.id, "a test", story.clock.now()).await.unwrap();
        store::rules::lift_overruled(&store, rule.line.unwrap(), "library-code").await.unwrap();
        let new = NewRule {
            repository: rule.repository,
            rule: rule.made.rule,
            line: rule.line,
            label: rule.label,
            issue: rule.issue,
            origin: RuleSource::Label,
            commanded_at: rule.commanded_at,
            by: rule.by,
        };
        store::rules::insert(&store, &new, &[], story.clock.now()).await.unwrap();
        for said in [1, 0] {
            story.github.copy(&labelled, 1);
            story.settle().await;
            assert_eq!(story.transcript().matches("Done, ada").count(), said);
        }
        assert_eq!(story.rules().await.len(), 1);
    });
}
