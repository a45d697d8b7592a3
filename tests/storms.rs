//! Storms: many new lines at once become one issue and one mail for each author, within GitHub's limits.

use crate::harness::story::{REPO, Story, run_test};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const ADA: &str = "Ada Lovelace <ada@example.com>";
const GRACE: &str = "Grace Hopper <grace@example.com>";
const LINUS: &str = "Linus <linus@example.com>";

/// A file of this many functions, each with a line of its own that fails.
fn functions(prefix: &str, count: usize) -> String {
    let mut text = String::new();
    for n in 0..count {
        writeln!(text, "def {prefix}{n}(x):\n    return x.{prefix}_{n}\n").unwrap();
    }
    text
}

/// Reports of every function of such a file, each from the head.
async fn fail_all(story: &mut Story, path: &str, prefix: &str, range: std::ops::Range<usize>) {
    let (key, project) = story.key().await;
    let head = story.repo.head();
    for n in range {
        let event = story.event_at(&head, path, &format!("x.{prefix}_{n}"), &format!("{prefix}{n}"), "web-1");
        assert_eq!(story.send_to(story.url(), &key, project, &event).await, 200);
    }
    story.settle().await;
}

fn opened(changes: &[String]) -> Vec<&String> {
    changes.iter().filter(|change| change.contains(" opened: ")).collect()
}

#[test]
fn three_hundred_new_lines_are_one_storm() {
    run_test(async |story| {
        story.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/a.py", &functions("a", 150))], "Add a");
        story.commit(GRACE, "2026-01-07T10:00:00Z", &[("shop/b.py", &functions("b", 149))], "Add b");
        story.commit(LINUS, "2026-01-08T10:00:00Z", &[("shop/c.py", &functions("c", 1))], "Add c");
        story.install().await;
        let (key, project) = story.key().await;
        let head = story.repo.head();
        let began = story.clock.now_ms();
        for (path, prefix, count) in [("shop/a.py", "a", 150), ("shop/b.py", "b", 149), ("shop/c.py", "c", 1)] {
            for n in 0..count {
                let event = story.event_at(&head, path, &format!("x.{prefix}_{n}"), &format!("{prefix}{n}"), "web-1");
                assert_eq!(story.send_to(story.url(), &key, project, &event).await, 200);
            }
        }
        story.settle().await;
        let changes = story.changes();
        // The storm's issue comes first of all that was not filed when the storm began.
        let storms: Vec<usize> = (0..changes.len()).filter(|&at| changes[at].contains(" opened: Storm")).collect();
        assert_eq!(storms, [0], "one storm, one issue: {:?}", &changes[..5]);
        // Mails wait for the fingerprint, but for those that were on their way when the storm began.
        story.later(2 * 60_000).await;
        let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for mail in story.mails() {
            told.entry(mail.to[0].clone()).or_default().push(mail.header("Subject").unwrap());
        }
        let storms = |who: &str| told[who].iter().filter(|subject| subject.contains("Storm: ")).count();
        assert_eq!((storms("ada@example.com"), storms("grace@example.com")), (1, 1), "{told:?}");
        assert_eq!(told["linus@example.com"].len(), 1, "who has one line gets its own mail: {told:?}");
        assert!(told["linus@example.com"][0].contains("in c0 (shop/c.py:2)"), "{told:?}");
        assert!(told.values().flatten().count() <= 20 + 3, "{told:?}");

        // Every line gets its own issue in the end, within the limits (the story's end checks the pace).
        let mut hours = 0;
        while story.lines().await.iter().any(|line| line.issue.is_none()) {
            story.later(60 * 60_000).await;
            hours += 1;
            assert!(hours < 6, "some lines never got their issues");
        }
        story.later(60 * 60_000).await;
        let issues = story.github.issues(REPO);
        assert_eq!(issues.len(), 301);
        let storm = issues.iter().find(|issue| issue.title.starts_with("Storm")).unwrap();
        assert_eq!(storm.title, "Storm: 300 lines began to fail at once");
        assert!(storm.body.contains("- Ada Lovelace: 150"), "{}", storm.body);
        assert!(storm.body.contains("- Grace Hopper: 149"), "{}", storm.body);
        assert!(storm.body.contains("The storm ended at"), "{}", storm.body);
        assert!(storm.assignees.is_empty());
        let numbers: Vec<String> =
            story.lines().await.iter().filter_map(|line| line.issue).map(|n| format!("| #{n} |")).collect();
        assert_eq!(numbers.iter().filter(|number| storm.body.contains(*number)).count(), 150, "its list is up to date");
        assert_eq!(story.github.requests_of("issues/create").len(), 301, "none was filed twice");
        assert_eq!(story.mails().len(), 0, "nobody hears again");
        assert!(story.clock.now_ms() - began < 6 * 3_600_000);
        story.changes();
    });
}

#[test]
fn twenty_new_lines_are_no_storm_and_the_next_ones_begin_one() {
    run_test(async |story| {
        story.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/a.py", &functions("a", 30))], "Add a");
        story.install().await;
        fail_all(story, "shop/a.py", "a", 0..20).await;
        assert_eq!(story.mails().len(), 20);
        assert_eq!(opened(&story.changes()).len(), 20);

        fail_all(story, "shop/a.py", "a", 20..22).await;
        let changes = story.changes();
        assert!(
            changes[0].contains("opened: Storm: 22 lines") || changes[0].contains("opened: Storm: 21 lines"),
            "{changes:?}"
        );
        assert_eq!(opened(&changes).len(), 3, "{changes:?}");
        assert_eq!(story.mails().len(), 0);
        story.later(2 * 60_000).await;
        let mails = story.mails();
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].header("Subject").unwrap(), "[acme/shop] Storm: 2 lines that concern you began to fail");
        assert!(mails[0].text().contains("shop/a.py:62 in a20"), "{}", mails[0].text());
        assert!(mails[0].text().contains("You wrote this line."));
        story.changes();

        // It goes on: the next mail waits for an hour, or for the storm's end.
        fail_all(story, "shop/a.py", "a", 22..24).await;
        story.later(5 * 60_000).await;
        assert_eq!(story.mails().len(), 0);
        story.later(6 * 60_000).await;
        assert_eq!(story.mails().len(), 1);
        story.later(10 * 60_000).await;
        let issues = story.github.issues(REPO);
        let storm = issues.iter().find(|issue| issue.title.starts_with("Storm")).unwrap();
        assert!(storm.body.contains("The storm ended at"), "{}", storm.body);
        story.changes();

        // Over: new lines are told of one by one again.
        fail_all(story, "shop/a.py", "a", 24..25).await;
        assert_eq!(opened(&story.changes()).len(), 1);
        assert_eq!(story.mails().len(), 1);
    });
}

#[test]
fn a_storm_of_a_repository_without_github_is_told_by_mail_and_in_a_file() {
    run_test(async |story| {
        story.unset("APP_ID");
        story.unset("PRIVATE_KEY");
        story.unset("WEBHOOK_SECRET");
        let settings = ("storm: { lines: 2, minutes: 5 }\n", ".github/flawless.yml");
        let files = [("shop/a.py", functions("a", 5)), (settings.1, settings.0.to_owned())];
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        story.commit(ADA, "2026-01-06T10:00:00Z", &files, "Add a");
        story.restart().await;
        let url = story.repo.path().display().to_string();
        let (key, project) = story.watch_plainly("plain/shop", &url).await;
        let head = story.repo.head();
        for n in 0..5 {
            let event = story.event_at(&head, "shop/a.py", &format!("x.a_{n}"), &format!("a{n}"), "web-1");
            assert_eq!(story.send_to(story.url(), &key, project, &event).await, 200);
        }
        story.settle().await;
        story.later(2 * 60_000).await;
        let mails = story.mails();
        assert!(mails.iter().any(|mail| mail.header("Subject").unwrap().contains("Storm: ")), "{}", mails.len());
        story.later(5 * 60_000).await;
        let outbox = story.folder().join("data/outbox");
        let storms: Vec<_> = std::fs::read_dir(&outbox)
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("storm-"))
            .collect();
        assert_eq!(storms.len(), 1);
        let text = std::fs::read_to_string(storms[0].path()).unwrap();
        assert!(
            text.starts_with("# Storm: 5 lines began to fail at once\n") && text.contains("The storm ended"),
            "{text}"
        );
        story.mails();
    });
}

#[test]
fn a_storm_survives_lost_answers_and_a_restart() {
    run_test(async |story| {
        use crate::harness::fake_github::Fault;
        story.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/a.py", &functions("a", 30))], "Add a");
        story.install().await;
        fail_all(story, "shop/a.py", "a", 0..20).await;
        story.changes();
        story.mails();
        story.github.fail_next("issues/create", Fault::AfterWork(502));
        fail_all(story, "shop/a.py", "a", 20..30).await;
        story.restart().await;
        story.later(3 * 60_000).await;
        story.later(20 * 60_000).await;
        let storms = story.github.issues(REPO).iter().filter(|issue| issue.title.starts_with("Storm")).count();
        assert_eq!(storms, 1, "found again by its marker");
        assert_eq!(story.github.issues(REPO).len(), 31);
        story.changes();
        assert_eq!(story.mails().len(), 1);
    });
}

#[test]
fn what_is_new_goes_before_counts_and_what_github_asks_is_obeyed() {
    run_test(async |story| {
        use crate::harness::fake_github::Fault;
        story.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/a.py", &functions("a", 3))], "Add a");
        story.install().await;
        fail_all(story, "shop/a.py", "a", 0..1).await;
        story.changes();
        story.mails();
        // GitHub asks to be left alone: counts, then a new line, wait together.
        let limited = Fault::Status {
            status: 403,
            headers: vec![("retry-after", "120".to_owned())],
            body: serde_json::json!({ "message": "You have exceeded a secondary rate limit." }),
        };
        story.github.fail_next("issues/create-comment", limited);
        for _ in 0..10 {
            fail_all(story, "shop/a.py", "a", 0..1).await;
        }
        fail_all(story, "shop/a.py", "a", 1..2).await;
        assert_eq!(story.changes(), [""; 0], "nothing is written during the pause");
        story.later(100_000).await;
        assert_eq!(story.changes(), [""; 0]);
        story.later(20_000).await;
        let changes = story.changes();
        assert!(changes[0].contains("opened: "), "{changes:?}");
        assert!(changes.last().unwrap().contains("commented: "), "{changes:?}");
        assert_eq!(changes.len(), 3, "{changes:?}");
        story.mails();
    });
}

#[test]
fn a_storm_whose_issue_github_refuses_for_good_leaves_nothing_behind() {
    run_test(async |story| {
        use crate::harness::fake_github::Fault;
        story.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/a.py", &functions("a", 22))], "Add a");
        story.install().await;
        fail_all(story, "shop/a.py", "a", 0..20).await;
        story.changes();
        story.mails();
        story.github.fail_next("issues/create", Fault::status(410, "Issues has been disabled in this repository."));
        fail_all(story, "shop/a.py", "a", 20..22).await;
        story.later(2 * 60_000).await;
        story.later(30 * 60_000).await;
        assert!(!story.github.issues(REPO).iter().any(|issue| issue.title.starts_with("Storm")));
        assert_eq!((story.changes().len(), story.mails().len()), (4, 1), "the lines' own issues");
        // The story's end looks whether any job is left.
    });
}

#[test]
fn where_a_storms_mail_is_refused_somebody_else_gets_the_next() {
    run_test(async |story| {
        let text = functions("a", 30);
        story.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/a.py", &text)], "Add a");
        story.commit(GRACE, "2026-02-06T10:00:00Z", &[("shop/a.py", &format!("# All of a.\n{text}"))], "Say so");
        story.install().await;
        fail_all(story, "shop/a.py", "a", 0..20).await;
        fail_all(story, "shop/a.py", "a", 20..26).await;
        assert!(story.mails().iter().all(|mail| mail.to == ["ada@example.com"]));
        story.changes();
        // Ada leaves while the storm's mail waits.
        story.smtp.refuse("ada@example.com");
        story.later(2 * 60_000).await;
        assert_eq!(story.mails().len(), 0);
        story.later(60 * 60_000).await;
        let mails = story.mails();
        assert_eq!(mails.iter().flat_map(|mail| mail.to.clone()).collect::<Vec<_>>(), ["grace@example.com"]);
        assert_eq!(mails[0].header("Subject").unwrap(), "[acme/shop] Storm: 6 lines that concern you began to fail");
        let text = mails[0].text().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("Passed over: Ada Lovelace (the mail server refuses their address)."), "{text}");
        story.later(60 * 60_000).await;
        story.changes();
    });
}
