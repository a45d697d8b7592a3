//! Commits that come by their id alone, as a report names them: a forge gives away those of any
//! fork, and a fork's author writes into it what they want.

use crate::harness::browser::{Browser, Page, link_in, squeezed};
use crate::harness::fake_github::CommitAuthor;
use crate::harness::git_repo::{ADA, GRACE, isolated_git};
use crate::harness::scenes::MINUTE;
use crate::harness::story::{CART_PATH, REPO, Story, run_test};
use serde_json::{Value, json};

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

/// A failure at a line of a fork's commit, with local variables of its own.
async fn fails_in_fork(story: &mut Story, commit: &str, path: &str, code: &str, function: &str) {
    // A fetch is asked for that soon after the last one at the earliest.
    story.clock.advance(MINUTE);
    let event = with_variable(story.event_at(commit, path, code, function, "web-1"), "of the fork");
    story.report(&event).await;
}

fn with_variable(mut event: Value, value: &str) -> Value {
    event["exception"]["values"][0]["stacktrace"]["frames"][1]["vars"] = json!({ "sku": value });
    event
}

/// Everybody who was written to since the last look.
fn written_to(story: &Story) -> Vec<String> {
    story.mails().iter().map(|mail| mail.header("To").unwrap()).collect()
}

async fn sent(browser: &Browser, page: &Page, path: &str, more: &[(&str, &str)]) -> Page {
    let fields = page.fields();
    let kept = fields.iter().filter(|(name, _)| more.iter().all(|(other, _)| name != other));
    let kept = kept.map(|(name, value)| (name.as_str(), value.as_str())).chain(more.iter().copied());
    browser.post(path, &kept.collect::<Vec<_>>()).await
}

/// The usual failure, then one at a line of Grace's own fork that stands at the same place and
/// reads the same. Her mail's text.
async fn alerted_of_two_alike(story: &mut Story) -> String {
    story.commit(GRACE, DAY, &[("README.md", "A shop.\n")], "Describe it");
    story.alerted().await;
    let cart = story.repo.git(&["show", &format!("HEAD:{CART_PATH}")]);
    let fork = on_no_branch(story, || {
        story.repo.git(&["checkout", "--quiet", "--orphan", "fork"]);
        let id = story.repo.commit(GRACE, DAY, &[(CART_PATH, &format!("{cart}\n"))], "All of it");
        story.repo.git(&["checkout", "--quiet", "--detach"]);
        story.repo.delete_branch("fork");
        id
    });
    fails_in_fork(story, &fork, CART_PATH, "PRICES[sku]", "total").await;
    let lines = story.lines().await;
    assert_eq!((lines.len(), &lines[0].place), (2, &lines[1].place), "two lines at one place");
    let mail = story.unread_text();
    assert_eq!(written_to(story), ["\"Grace Hopper\" <grace@example.com>"], "she is somebody of the repository");
    story.transcript();
    mail
}

#[test]
fn a_link_opens_its_own_line_and_not_one_that_reads_the_same() {
    run_test(async |story| {
        let mail = alerted_of_two_alike(story).await;
        story.report(&with_variable(story.event(), "of a customer")).await;
        let (reader, link) = (Browser::new(story), link_in(&mail, "/view_traceback?"));
        let page = reader.get(&link).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.text.contains("of the fork") && !page.text.contains("of a customer"), "{}", page.seen());

        let lines = story.lines().await;
        let other = link.replace(&lines[1].id.to_string(), &lines[0].id.to_string());
        assert_ne!(other, link, "the link names its line");
        assert_eq!(reader.get(&other).await.status, 403, "another line is not what was signed");
        // Who is signed in reads by number or, as in a link that somebody wrote, by place.
        let admin = Browser::signed_in(story).await;
        let unsigned = |link: &str| {
            let kept = link.split('&').filter(|it| !it.starts_with("expires=") && !it.starts_with("signature="));
            kept.collect::<Vec<_>>().join("&")
        };
        assert!(admin.get(&unsigned(&other)).await.text.contains("of a customer"));
        assert!(admin.get(&unsigned(&link)).await.text.contains("of the fork"));
        let placed = unsigned(&link).split('&').filter(|it| !it.starts_with("line_id=")).collect::<Vec<_>>().join("&");
        assert!(admin.get(&placed).await.text.contains("of a customer"), "the one seen last");
    });
}

/// Whether a link whitelists and hands on nothing, and says so, before and after it is tried.
async fn assert_silences_nothing(story: &Story, mail: &str, to: &str) {
    let reader = Browser::new(story);
    let form = reader.get(&link_in(mail, "/add_known_error?")).await;
    let why = "a link alone whitelists nothing: sign in to do it";
    assert!(form.status == 200 && form.seen().contains(why), "{} {}", form.status, form.seen());
    for scope in ["line", "function", "file"] {
        let page = sent(&reader, &form, "/add_known_error", &[("scope", scope)]).await;
        assert!(page.status == 403 && page.seen().contains(why), "{scope}: {} {}", page.status, page.seen());
    }
    assert!(story.rules().await.is_empty());
    let form = reader.get(&link_in(mail, "/not_me?")).await;
    for who in [to, ""] {
        let page = sent(&reader, &form, "/not_me", &[("who", who)]).await;
        assert!(page.status == 403 && page.seen().contains("sign in to do it"), "{} {}", page.status, page.seen());
    }
    let id = story.repository().await.repository.id;
    assert!(store::handovers::of_repository(&story.services().store, id, 10).await.unwrap().is_empty());
}

#[test]
fn a_link_to_a_line_on_no_branch_silences_and_hands_on_nothing() {
    run_test(async |story| {
        let mail = alerted_of_two_alike(story).await;
        assert_silences_nothing(story, &mail, "ada@example.com").await;
        // One that reads like no other as yet: a rule would cover what comes.
        let fork = on_no_branch(story, || story.repo.commit(GRACE, DAY, &[(PATH, &text("count"))], "Count"));
        fails_in_fork(story, &fork, PATH, "items.count", "count").await;
        let mail = story.unread_text();
        assert_silences_nothing(story, &mail, "ada@example.com").await;
        // A new clone has nothing that came by its id, and for a while there is none.
        std::fs::remove_dir_all(story.mirror()).unwrap();
        assert_silences_nothing(story, &mail, "ada@example.com").await;
        story.commit(ADA, DAY, &[("README.md", "The shop.\n")], "Describe it better");
        story.push().await;
        assert_silences_nothing(story, &mail, "ada@example.com").await;
        // Who signs in may.
        let admin = Browser::signed_in(story).await;
        let form = admin.get(&link_in(&mail, "/add_known_error?")).await;
        assert_eq!(sent(&admin, &form, "/add_known_error", &[("scope", "line")]).await.status, 200);
        assert!(story.lines().await[2].known);
        story.settle().await;
        story.transcript();
    });
}

#[test]
fn a_file_that_only_a_fork_calls_so_is_not_silenced_by_its_link() {
    run_test(async |story| {
        story.install().await;
        story.commit(GRACE, DAY, &[("docs/example.py", &text("count"))], "An example");
        story.push().await;
        let fork = on_no_branch(story, || story.repo.rename(MALLORY, DAY, "docs/example.py", "payments/core.py"));
        fails_in_fork(story, &fork, "payments/core.py", "items.count", "count").await;
        let mail = story.unread_text();
        assert_eq!(written_to(story), ["\"Grace Hopper\" <grace@example.com>"], "she did write the line");
        assert_silences_nothing(story, &mail, "ada@example.com").await;
        story.transcript();
    });
}

#[test]
fn who_is_named_by_a_fork_alone_is_not_known_to_the_reader_of_a_mail() {
    run_test(async |story| {
        let mail = story.alerted().await;
        story.github.writes_as("mallory", "Mallory Marsh", "mallory@evil.example");
        let fork = on_no_branch(story, || story.repo.commit(MALLORY, DAY, &[(PATH, &text("count"))], "Count"));
        fails_in_fork(story, &fork, PATH, "items.count", "count").await;
        let line = &story.lines().await[1];
        assert_eq!(line.author_email.as_deref(), Some("mallory@evil.example"));
        store::lines::set_author_login(&story.services().store, line.id, &"mallory".into()).await.unwrap();
        let reader = Browser::new(story);
        let form = reader.get(&link_in(&mail, "/not_me?")).await;
        for who in ["mallory@evil.example", "mallory"] {
            let page = sent(&reader, &form, "/not_me", &[("who", who)]).await;
            let why = format!("Nobody called {who} is known");
            assert!(page.status == 403 && page.seen().contains(&why), "{} {}", page.status, page.seen());
        }
        story.transcript();
    });
}

#[test]
fn who_wrote_a_line_of_a_branch_is_told_in_whichever_revision_it_fails() {
    run_test(async |story| {
        story.install().await;
        // As histories have it that were taken over from elsewhere: by no address that could be
        // compared. The account is known by the commit.
        story.commit("Grace Hopper <grace>", DAY, &[(PATH, &text("count"))], "Count");
        let account = CommitAuthor::Login("grace".to_owned());
        story.github.set_commit_author(REPO, &story.repo.head(), account);
        story.push().await;
        let deployed = on_no_branch(story, || story.repo.commit(ADA, DAY, &[("README.md", "A shop.\n")], "Deployed"));
        fails_in_fork(story, &deployed, PATH, "items.count", "count").await;
        let told = story.lines().await[0].told.clone().unwrap().person;
        assert!(told.is_author(), "{told:?}");
        story.transcript();
    });
}

#[test]
fn where_the_mirror_cannot_say_whose_a_commit_is_nobody_it_names_is_told() {
    run_test(async |story| {
        story.install().await;
        let fork = on_no_branch(story, || story.repo.commit(MALLORY, DAY, &[(PATH, &text("count"))], "Count"));
        let mut event = story.event_at(&fork, PATH, "items.count", "count", "web-1");
        event["extra"] = json!({"flawless.error_threshold": 2});
        story.clock.advance(MINUTE);
        story.report(&event).await;
        assert_eq!(story.lines().await[0].author_email.as_deref(), Some("mallory@evil.example"));
        let heads = story.mirror().join("refs/heads");
        std::fs::create_dir_all(&heads).unwrap();
        std::fs::write(heads.join("broken"), "nothing\n").unwrap();
        story.report(&event).await;
        assert!(story.lines().await[0].told.is_some(), "it was told of");
        assert_eq!(written_to(story), [""; 0]);
        story.transcript();
    });
}

#[test]
fn a_forks_commit_is_known_as_one_before_all_of_it_has_arrived() {
    run_test(async |story| {
        story.install().await;
        let fork = on_no_branch(story, || story.repo.commit(MALLORY, DAY, &[(PATH, &text("count"))], "Count"));
        // What a server leaves that ends between its objects' arrival and the ref by which id they
        // came.
        let (mirror, source) = (story.mirror(), story.repo.git_dir().display().to_string());
        std::fs::write(mirror.join("flawless-wanted"), format!("{fork}\n")).unwrap();
        let fetch = ["fetch", "--quiet", "--no-write-fetch-head", &source, &fork];
        assert!(isolated_git().arg("-C").arg(&mirror).args(fetch).status().unwrap().success());
        let event = story.event_at(&fork, PATH, "items.count", "count", "web-1");
        story.report(&event).await;
        assert!(story.lines().await[0].is_stray, "so that no link silences it");
        assert_eq!(written_to(story), [""; 0]);
        story.push().await;
        assert!(mirror.join("refs/pinned").join(&fork).is_file(), "it is noted for good");
        assert!(!mirror.join("flawless-wanted").exists());
        story.transcript();
    });
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
