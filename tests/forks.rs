//! Commits that come by their id alone, as a report names them: a forge gives away those of any
//! fork, and a fork's author writes into it what they want.

use crate::harness::browser::squeezed;
use crate::harness::git_repo::ADA;
use crate::harness::scenes::MINUTE;
use crate::harness::story::{REPO, Story, run_test};

/// Nobody of the repository's.
const MALLORY: &str = "Mallory Marsh <mallory@evil.example>";
/// The same, under the name of somebody of it.
const FALSE_ADA: &str = "Ada Lovelace <ada@evil.example>";
/// A program of nobody's, which names somebody else.
const PROGRAM: &str = "friend[bot] <bot@evil.example>";
const DAY: &str = "2026-02-01T10:00:00Z";
/// A file of the fork's.
const PATH: &str = "shop/more.py";

fn text(name: &str) -> String {
    format!("def {name}(items):\n    return items.{name}\n")
}

/// A commit that the source has, and gives away by its id, but that no branch or tag reaches.
fn on_no_branch(story: &Story, commit: impl FnOnce() -> String) -> String {
    story.repo.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    story.repo.git(&["checkout", "--quiet", "--detach"]);
    let id = commit();
    story.repo.switch("main");
    id
}

/// A failure at a line of a fork's commit.
async fn fails_in_fork(story: &mut Story, commit: &str, path: &str, code: &str, function: &str) {
    // A fetch is asked for that soon after the last one at the earliest.
    story.clock.advance(MINUTE);
    let event = story.event_at(commit, path, code, function, "web-1");
    story.report(&event).await;
}

/// Everybody who was written to since the last look.
fn written_to(story: &Story) -> Vec<String> {
    story.mails().iter().map(|mail| mail.header("To").unwrap()).collect()
}

#[test]
fn who_is_named_by_a_fork_alone_is_not_written_to() {
    run_test(async |story| {
        story.install().await;
        let name = |person: &str, name: &str, message: &str| {
            on_no_branch(story, || story.repo.commit(person, DAY, &[(PATH, &text(name))], message))
        };
        let forks = [
            (name(MALLORY, "one", "One"), "one"),
            (name(FALSE_ADA, "two", "Two"), "two"),
            (name(PROGRAM, "three", "Three\n\nCo-authored-by: Ada Lovelace <ada@evil.example>"), "three"),
        ];
        for (fork, name) in &forks {
            fails_in_fork(story, fork, PATH, &format!("items.{name}"), name).await;
            assert_eq!(written_to(story), [""; 0], "{name}");
        }
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 opened: KeyError in one (shop/more.py) [flawless]
        acme/shop#2 opened: KeyError in two (shop/more.py) [flawless]
        acme/shop#3 opened: KeyError in three (shop/more.py) [flawless]
        ");
        let issue = squeezed(&story.github.issue(REPO, 1).body);
        let why = "no commit of theirs is on a branch or tag of this repository";
        assert!(issue.contains(&format!("Mallory Marsh ({why})")), "{issue}");
        // Who is next is told.
        let settings = "email: { default_contact: oncall@example.com }\n";
        story.commit(ADA, DAY, &[(".github/flawless.yml", settings)], "Settings");
        story.push().await;
        let fork = on_no_branch(story, || story.repo.commit(FALSE_ADA, DAY, &[(PATH, &text("four"))], "Four"));
        fails_in_fork(story, &fork, PATH, "items.four", "four").await;
        assert_eq!(written_to(story), ["oncall@example.com"]);
        story.transcript();
    });
}

#[test]
fn a_functions_authors_in_a_fork_are_not_written_to() {
    run_test(async |story| {
        story.install().await;
        // The failing line is one of the repository's, of somebody who left; all around it is not.
        story.commit("Old Hand <old@example.com>", "2020-01-01T10:00:00Z", &[(PATH, &text("count"))], "Count");
        story.push().await;
        let around = "def count(items):\n    first = items[0]\n    last = items[-1]\n    return items.count\n";
        let fork = on_no_branch(story, || story.repo.commit(FALSE_ADA, DAY, &[(PATH, around)], "Around it"));
        fails_in_fork(story, &fork, PATH, "items.count", "count").await;
        let to = written_to(story);
        assert!(to.iter().all(|to| !to.contains("evil.example")), "{to:?}");
        story.transcript();
    });
}

#[test]
fn what_was_deployed_before_a_forced_push_is_its_authors() {
    run_test(async |story| {
        story.install().await;
        let deployed = on_no_branch(story, || story.repo.commit(ADA, DAY, &[(PATH, &text("count"))], "Count"));
        fails_in_fork(story, &deployed, PATH, "items.count", "count").await;
        assert_eq!(written_to(story), ["\"Ada Lovelace\" <ada@example.com>"]);
        // By another address of the same account.
        story.github.writes_as("ada", "Ada Lovelace", "ada@example.com");
        let person = "Ada Lovelace <11+ada@users.noreply.github.com>";
        let deployed = on_no_branch(story, || story.repo.commit(person, DAY, &[(PATH, &text("first"))], "First"));
        fails_in_fork(story, &deployed, PATH, "items.first", "first").await;
        let told = story.lines().await[1].told.clone().unwrap().person;
        assert!(told.is_author(), "{told:?}");
        story.transcript();
    });
}
