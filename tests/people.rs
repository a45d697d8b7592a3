//! Who is told: bots, squashed pull requests, people who left or can't be reached, and GitHub being
//! down for all of it.

use crate::harness::browser::squeezed;
use crate::harness::fake_github::{CommitAuthor, Fault};
use crate::harness::git_repo::{ADA, GRACE, LINUS};
use crate::harness::smtp::Mode;
use crate::harness::story::{CART, CART_PATH, REPO, Story, run_test};
use domain::names::Login;
use jiff::SignedDuration;

const BOT: &str = "dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>";
/// Was there, long ago.
const ALAN: &str = "Alan Turing <alan@example.com>";
const OLD_PATH: &str = "shop/old.py";
const OLD: &str = "def decode(text):\n    return KEYS[text]\n";

/// A commit by Dependabot, whose account is a bot's, to the failing line.
fn bump(story: &mut Story, message: &str) -> String {
    story.github.add_account(49_699_333, "dependabot[bot]", "Bot");
    let text = CART.replace("PRICES[sku]", "PRICES[sku.strip()]");
    let sha = story.repo.commit(BOT, "2026-02-01T10:00:00Z", &[(CART_PATH, &text)], message);
    story.github.set_commit_author(REPO, &sha, CommitAuthor::Login("dependabot[bot]".to_owned()));
    sha
}

/// The failure of the line that Dependabot changed.
async fn fail_bumped(story: &mut Story) {
    story.cart_fails_at("PRICES[sku.strip()]").await;
}

/// Alan's file, of which nobody else ever changed anything.
fn add_old(story: &mut Story) {
    story.github.add_user(21, "alan");
    story.github.set_assignable(REPO, &["ada", "grace", "linus", "owner", "alan"]);
    story.commit(ALAN, "2024-01-05T10:00:00Z", &[(OLD_PATH, OLD)], "Decode");
    story.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/new.py", "NEW = 1\n")], "Go on");
}

async fn fail_old(story: &mut Story) {
    story.fails_at(OLD_PATH, "KEYS[text]", "decode").await;
}

#[track_caller]
fn assert_says(text: &str, sentences: &[&str]) {
    let text = squeezed(text);
    for sentence in sentences {
        assert!(text.contains(sentence), "{sentence:?} in\n{text}");
    }
}

#[test]
fn a_bots_commit_is_told_to_who_opened_its_pull_request_and_the_pull_request_is_shown() {
    run_test(async |story| {
        let sha = bump(story, "Bump prices");
        story.github.writes_as("grace", "Grace Hopper", "grace@example.com");
        let number = story.github.merge_pull(REPO, "grace", "owner", "Newer prices", &[&sha]);
        story.install().await;
        fail_bumped(story).await;
        let text = story.unread_text();
        insta::assert_snapshot!(story.transcript(), @"
        mail to grace@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You are told as somebody who opened pull request #1, which brought this line. Passed over:
            dependabot[bot] (a bot).
        acme/shop#2 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#2 assigned to grace
        ");
        let day = story.clock.now().date();
        let release = format!("It first failed in release {}", story.repo.head());
        let merged = format!("It came with pull request #{number}, Newer prices (merged on {day})");
        assert_says(
            &text,
            &[
                &format!(
                    "You are told as somebody who opened pull request #{number}, which brought this line. Passed over: dependabot[bot] (a bot)."
                ),
                "Last changed by dependabot[bot] on 2026-02-01",
                &merged,
                &release,
                "Blamed dependabot[bot] (",
                "Passed over as the one to tell: dependabot[bot] (a bot).",
                &format!("Told: Grace Hopper, who opened pull request #{number}, which brought this line."),
                &format!("The pull request: https://github.com/acme/shop/pull/{number}"),
            ],
        );
        let body = story.github.issue(REPO, 2).body;
        assert_says(
            &body,
            &[
                &format!(
                    "It came with pull request [#{number}](https://github.com/acme/shop/pull/{number}), Newer prices (merged on {day})."
                ),
                "Told: Grace Hopper, who opened pull request",
            ],
        );
        let path = format!(
            "/view_traceback?repo={REPO}&filename={CART_PATH}&function_name=total&line_number=9&text=amount%20%2B%3D%20PRICES%5Bsku.strip()%5D"
        );
        let page = story.page(&path).await;
        assert_says(
            &page,
            &["Newer prices (merged on", "Told: <strong>Grace Hopper</strong>", "opened pull request #"],
        );
    });
}

#[test]
fn a_bots_own_pull_request_is_told_to_who_merged_it_and_github_is_asked_once() {
    run_test(async |story| {
        let sha = bump(story, "Bump prices");
        story.github.merge_pull(REPO, "dependabot[bot]", "linus", "Bump prices", &[&sha]);
        story.github.shows_address("linus", "linus@home.example");
        story.install().await;
        fail_bumped(story).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to linus@home.example: [acme/shop] KeyError in total (shop/cart.py:9)
            You are told as somebody who merged pull request #1, which brought this line. Passed over:
            dependabot[bot] (a bot).
        acme/shop#2 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#2 assigned to linus
        ");
        // The same commit's other line.
        story.cart_fails_at("amount = 0").await;
        // It is another commit's.
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:7)
            You wrote this line.
        acme/shop#3 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#3 assigned to ada
        ");
        for operation in ["pulls/get", "repos/list-commits", "users/get-by-username"] {
            assert_eq!(story.github.requests_of(operation).len(), 1, "{operation}");
        }
        assert_eq!(story.github.requests_of("repos/list-pull-requests-associated-with-commit").len(), 2);
    });
}

#[test]
fn where_who_opened_a_bots_pull_request_cannot_be_told_it_is_who_merged_it() {
    run_test(async |story| {
        let sha = bump(story, "Bump prices");
        story.github.set_assignable(REPO, &["ada", "owner"]);
        story.github.merge_pull(REPO, "grace", "owner", "Newer prices", &[&sha]);
        story.install().await;
        fail_bumped(story).await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#2 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#2 assigned to owner
        ");
        assert_says(
            &story.github.issue(REPO, 2).body,
            &[
                "(a bot), grace (issues of this repository can't be assigned to them).",
                "Told: owner, who merged pull request",
            ],
        );
    });
}

#[test]
fn a_bot_without_a_pull_request_has_co_authors() {
    run_test(async |story| {
        bump(
            story,
            "Bump prices\n\nCo-authored-by: renovate[bot] <29139614+renovate[bot]@users.noreply.github.com>\nCo-authored-by: Linus Torvalds <linus@example.com>",
        );
        story.commit(LINUS, "2026-02-02T10:00:00Z", &[("shop/x.py", "X = 1\n")], "Go on");
        story.install().await;
        fail_bumped(story).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to linus@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You are told as somebody whom the commit names as co-author. Passed over: dependabot[bot] (a
            bot).
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        ");
    });
}

#[test]
fn a_bots_commit_that_a_person_committed_is_told_to_them() {
    run_test(async |story| {
        bump(story, "Bump prices");
        let author = format!("--author={BOT}");
        let amend = ["commit", "--amend", "--no-edit", "--quiet", &author, "--date=2026-02-01T10:00:00Z"];
        story.repo.write(".mailmap", "Grace Hopper <grace@example.com> <gh@old.example.com>\n");
        story.repo.git(&["add", "--all"]);
        story.repo.git_as("gh <gh@old.example.com>", "2026-02-01T11:00:00Z", &amend);
        story.install().await;
        fail_bumped(story).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to grace@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You are told as somebody who committed this line. Passed over: dependabot[bot] (a bot).
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        ");
    });
}

#[test]
fn a_commit_that_github_made_for_a_bot_names_no_committer_to_tell() {
    run_test(async |story| {
        bump(story, "Bump prices");
        let author = format!("--author={BOT}");
        let amend = ["commit", "--amend", "--no-edit", "--quiet", &author, "--date=2026-02-01T10:00:00Z"];
        story.repo.git_as("GitHub <noreply@github.com>", "2026-02-01T11:00:00Z", &amend);
        story.install().await;
        fail_bumped(story).await;
        let told = squeezed(&story.transcript());
        assert!(told.contains("mail to ada@example.com: [acme/shop] KeyError in total"), "{told}");
        assert!(told.contains("who wrote more of this function than others who are still there"), "{told}");
    });
}

#[test]
fn a_squashed_pull_request_is_its_authors() {
    run_test(async |story| {
        let text = CART.replace("PRICES[sku]", "PRICES[sku.strip()]");
        story.repo.write(CART_PATH, &text);
        story.repo.git(&["add", "--all"]);
        let squash = ["commit", "--quiet", "--message", "Strip (#1)", "--author", LINUS];
        story.repo.git_as("GitHub <noreply@github.com>", "2026-02-01T10:00:00Z", &squash);
        let sha = story.repo.head();
        story.github.set_commit_author(REPO, &sha, CommitAuthor::Login("linus".to_owned()));
        assert_eq!(story.github.merge_pull(REPO, "grace", "linus", "Strip", &[&sha]), 1);
        story.github.writes_as("grace", "Grace Hopper", "grace@example.com");
        story.install().await;
        fail_bumped(story).await;
        let text = story.unread_text();
        insta::assert_snapshot!(story.transcript(), @"
        mail to grace@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You are told as somebody who opened pull request #1, which brought this line.
        acme/shop#2 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#2 assigned to grace
        ");
        assert_says(
            &text,
            &[
                "You are told as somebody who opened pull request #1, which brought this line.",
                "Last changed by Linus Torvalds",
                "Told: Grace Hopper, who opened pull request #1",
            ],
        );
    });
}

#[test]
fn one_who_left_is_passed_over_for_who_changed_the_file_in_the_last_year() {
    run_test(async |story| {
        add_old(story);
        let more = format!("{OLD}\n\ndef encode(text):\n    return text\n");
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[(OLD_PATH, &more)], "Encode");
        story.install().await;
        fail_old(story).await;
        let text = story.unread_text();
        insta::assert_snapshot!(story.transcript(), @"
        mail to grace@example.com: [acme/shop] KeyError in decode (shop/old.py:2)
            You are told as somebody who changed this file most often in the last year. Passed over: Alan
            Turing (no commit in this repository for a year).
        acme/shop#1 opened: KeyError in decode (shop/old.py) [flawless]
        acme/shop#1 assigned to grace
        ");
        assert_says(
            &text,
            &[
                "Last changed by Alan Turing on 2024-01-05",
                "You are told as somebody who changed this file most often in the last year. Passed over: Alan Turing (no commit in this repository for a year).",
            ],
        );
        let line = story.lines().await.remove(0);
        assert_eq!((line.author_name.as_deref(), line.owner_login), (Some("Alan Turing"), None), "still its author");
    });
}

#[test]
fn one_who_left_is_passed_over_first_for_who_wrote_most_of_the_function() {
    run_test(async |story| {
        story.github.add_user(21, "alan");
        story.github.set_assignable(REPO, &["ada", "grace", "linus", "owner", "alan"]);
        let first = "def decode(text):\n    return KEYS[text]\n";
        story.commit(ALAN, "2024-01-05T10:00:00Z", &[(OLD_PATH, first)], "Decode");
        let checked = "def decode(text):\n    if not text:\n        return None\n    return KEYS[text]\n";
        story.commit(GRACE, "2024-01-06T10:00:00Z", &[(OLD_PATH, checked)], "Decode nothing");
        // Linus changed the file lately, but none of the function.
        let more = format!("{checked}\n\ndef encode(text):\n    return text\n");
        story.commit(LINUS, "2026-02-01T10:00:00Z", &[(OLD_PATH, &more)], "Encode");
        story.commit(GRACE, "2026-02-02T10:00:00Z", &[("shop/new.py", "NEW = 1\n")], "Go on");
        story.install().await;
        fail_old(story).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to grace@example.com: [acme/shop] KeyError in decode (shop/old.py:4)
            You are told as somebody who wrote more of this function than others who are still there. Passed
            over: Alan Turing (no commit in this repository for a year).
        acme/shop#1 opened: KeyError in decode (shop/old.py) [flawless]
        acme/shop#1 assigned to grace
        ");
    });
}

#[test]
fn where_nobody_is_left_codeowners_name_somebody() {
    run_test(async |story| {
        add_old(story);
        let owners = "* @ada\n/shop/ @alan-gone @acme/secret @acme/old\n";
        story.commit(ADA, "2026-01-07T10:00:00Z", &[(".github/CODEOWNERS", owners)], "Own");
        story.github.add_team("acme/old", &["dependabot[bot]", "owner"]);
        story.github.shows_address("owner", "owner@example.com");
        story.install().await;
        fail_old(story).await;
        let text = story.unread_text();
        insta::assert_snapshot!(story.transcript(), @"
        mail to owner@example.com: [acme/shop] KeyError in decode (shop/old.py:2)
            You are told as somebody who is a member of @acme/old, which CODEOWNERS names for /shop/. Passed
            over: Alan Turing (no commit in this repository for a year).
        acme/shop#1 opened: KeyError in decode (shop/old.py) [flawless]
        acme/shop#1 assigned to owner
        ");
        assert_says(
            &text,
            &[
                "Alan Turing (no commit in this repository for a year), alan-gone (issues of this repository can't be assigned to them)",
                "Told: owner, who is a member of @acme/old, which CODEOWNERS names for /shop/.",
            ],
        );
    });
}

#[test]
fn owners_that_take_all_time_to_compare_are_not_read_and_that_is_said() {
    run_test(async |story| {
        let deep = format!("{}old.py", "a/".repeat(400));
        story.github.add_user(21, "alan");
        story.github.set_assignable(REPO, &["ada", "grace", "linus", "owner", "alan"]);
        story.commit(ALAN, "2024-01-05T10:00:00Z", &[(&deep, OLD)], "Decode");
        let line = format!("**/{}zz grace@example.com\n", "*/".repeat(200));
        let owners = line.repeat((3 << 20) / line.len());
        let settings = "email: { default_contact: oncall@example.com }\n";
        let files = [("CODEOWNERS", owners.as_str()), (".github/flawless.yml", settings)];
        story.commit(ADA, "2026-01-07T10:00:00Z", &files, "Own");
        story.install().await;
        story.fails_at(&deep, "KEYS[text]", "decode").await;
        let text = story.unread_text();
        assert!(story.transcript().contains("mail to oncall@example.com"));
        assert_says(&text, &["CODEOWNERS (it is too much to read)", "Told: the default contact"]);
    });
}

#[test]
fn where_the_owners_are_nobody_the_default_contact_is_told() {
    run_test(async |story| {
        add_old(story);
        let settings = "email: { default_contact: oncall@example.com }\n";
        let files = [("CODEOWNERS", "* @ada\n/shop/old.py @acme/secret\n"), (".github/flawless.yml", settings)];
        story.commit(ADA, "2026-01-07T10:00:00Z", &files, "Own");
        story.install().await;
        fail_old(story).await;
        let text = story.unread_text();
        insta::assert_snapshot!(story.transcript(), @"
        mail to oncall@example.com: [acme/shop] KeyError in decode (shop/old.py:2)
            You are the default contact: nobody else could be found for this line.
        acme/shop#1 opened: KeyError in decode (shop/old.py) [flawless]
        ");
        assert_says(
            &text,
            &[
                "You are the default contact: nobody else could be found for this line.",
                "@acme/secret (its members can't be read).",
                "Told: the default contact, because nobody else could be found.",
            ],
        );
        // And where there is no default contact, the author after all.
        story.commit(ADA, "2026-01-08T10:00:00Z", &[(".github/flawless.yml", "")], "Nobody is on call");
        story.commit(ALAN, "2024-01-06T10:00:00Z", &[("shop/older.py", OLD)], "Decode once more");
        story.push().await;
        story.fails_at("shop/older.py", "KEYS[text]", "decode").await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to alan@example.com: [acme/shop] KeyError in decode (shop/older.py:2)
            You wrote this line.
        acme/shop#2 opened: KeyError in decode (shop/older.py) [flawless]
        acme/shop#2 assigned to alan
        ");
    });
}

#[test]
fn one_who_cannot_be_assigned_is_passed_over_for_somebody_who_can() {
    run_test(async |story| {
        let text = CART.replace("PRICES[sku]", "PRICES[sku.strip()]");
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[(CART_PATH, &text)], "Strip");
        story.github.set_assignable(REPO, &["ada", "owner"]);
        story.install().await;
        fail_bumped(story).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You are told as somebody who wrote more of this function than others who are still there. Passed
            over: Grace Hopper (issues of this repository can't be assigned to them).
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        ");
        // Given by hand to its author, it is hers, and GitHub tells her.
        story.github.assign(REPO, 1, "grace", "owner");
        story.settle().await;
        let line = story.lines().await.remove(0);
        assert_eq!((line.owner_login.as_ref().map(Login::as_str), line.is_reassigned()), (Some("grace"), true));
        // A comment.
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Noted, owner: this line belongs to grace from now on, here and in the weekly report.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Open. It belongs to grace.
        ");
        // Reassigned by a person, it is theirs, and nobody else is looked for.
        story.github.assign(REPO, 1, "linus", "owner");
        story.settle().await;
        assert_eq!(story.lines().await[0].owner_login.as_ref().map(Login::as_str), Some("linus"));
        // A comment.
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Noted, owner: this line belongs to linus from now on, here and in the weekly report.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Open. It belongs to linus.
        ");
    });
}

#[test]
fn whose_address_is_refused_is_passed_over_at_once_and_next_time() {
    run_test(async |story| {
        let more = CART.replace("PRICES = {'apple': 120}", "PRICES = {'apple': 130}");
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[(CART_PATH, &more)], "Raise the price of apples");
        story.smtp.refuse("ada@example.com");
        story.install().await;
        let event = story.event();
        story.report(&event).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to grace@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You are told as somebody who changed this file most often in the last year. Passed over: Ada
            Lovelace (the mail server refuses their address).
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to grace
        ");
        let tried = story.smtp.attempts();
        story.cart_fails_at("amount = 0").await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to grace@example.com: [acme/shop] KeyError in total (shop/cart.py:7)
            You are told as somebody who changed this file most often in the last year. Passed over: Ada
            Lovelace (the mail server refuses their address).
        acme/shop#2 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#2 assigned to grace
        ");
        assert_eq!(story.smtp.attempts(), tried + 1, "it is not tried again");
    });
}

#[test]
fn a_mail_that_is_refused_for_what_it_says_keeps_none_of_others_from_its_address() {
    run_test(async |story| {
        story.expect_errors();
        story.install().await;
        story.smtp.set(Mode::ContentRefused);
        story.fails(1).await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        ");
        story.smtp.set(Mode::Accept);
        story.cart_fails_at("amount = 0").await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:7)
            You wrote this line.
        acme/shop#2 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#2 assigned to ada
        ");
    });
}

#[test]
fn github_being_down_stops_no_mail_and_the_issue_goes_to_whom_it_names_later() {
    run_test(async |story| {
        let sha = bump(story, "Bump prices\n\nCo-authored-by: Linus Torvalds <linus@example.com>");
        story.commit(LINUS, "2026-02-02T10:00:00Z", &[("shop/x.py", "X = 1\n")], "Go on");
        story.github.merge_pull(REPO, "grace", "owner", "Newer prices", &[&sha]);
        story.github.writes_as("grace", "Grace Hopper", "grace@example.com");
        story.install().await;
        for _ in 0..3 {
            let down = Fault::status(503, "Service Unavailable");
            story.github.fail_next("repos/list-pull-requests-associated-with-commit", down);
        }
        fail_bumped(story).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to linus@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You are told as somebody whom the commit names as co-author. Passed over: dependabot[bot] (a
            bot).
        ");
        assert_eq!(
            story.github.requests_of("repos/get-commit").len(),
            0,
            "once it does not answer, it is asked no more"
        );
        story.later(SignedDuration::from_mins(10)).await;
        insta::assert_snapshot!(story.transcript(), @"acme/shop#2 opened: KeyError in total (shop/cart.py) [flawless]");
        let told = "Told: Linus Torvalds, whom the commit names as co-author.";
        assert_says(&story.github.issue(REPO, 2).body, &[told]);
    });
}

#[test]
fn github_down_for_good_keeps_no_issue_back() {
    run_test(async |story| {
        story.install().await;
        story.github.withhold("pull_requests");
        for _ in 0..40 {
            let down = Fault::status(500, "Server Error");
            story.github.fail_next("issues/check-user-can-be-assigned", down);
        }
        story.fails(1).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.
        ");
        story.github.take_faults();
        story.later(SignedDuration::from_mins(20)).await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        ");
    });
}

#[test]
fn a_commit_that_github_does_not_show_for_a_moment_is_asked_for_again() {
    run_test(async |story| {
        story.install().await;
        story.github.fail_next("repos/get-commit", Fault::status(404, "Not Found"));
        story.fails(1).await;
        story.later(SignedDuration::from_mins(10)).await;
        story.assert_usual_alert();
    });
}

#[test]
fn of_a_repository_that_github_hides_for_a_moment_nobody_is_said_to_be_missing() {
    run_test(async |story| {
        story.install().await;
        for operation in ["issues/check-user-can-be-assigned", "repos/get"] {
            story.github.fail_next(operation, Fault::status(404, "Not Found"));
        }
        story.fails(1).await;
        story.later(SignedDuration::from_mins(10)).await;
        story.assert_usual_alert();
    });
}

#[test]
fn in_a_repository_that_sleeps_nobody_has_left() {
    run_test(async |story| {
        story.install().await;
        story.clock.advance(SignedDuration::from_hours(3 * 365 * 24));
        story.fails(1).await;
        story.assert_usual_alert();
    });
}

#[test]
fn a_plain_repository_has_git_and_nothing_else_to_ask() {
    run_test(async |story| {
        add_old(story);
        story.commit(ADA, "2026-01-07T10:00:00Z", &[("CODEOWNERS", "/shop/ @ada grace@example.com\n")], "Own");
        let url = story.repo.path().display().to_string();
        let (key, project) = story.watch_plainly("team/plain", &url).await;
        let event = story.event_at(&story.repo.head(), OLD_PATH, "KEYS[text]", "decode", "web-1");
        assert_eq!(story.send_to(story.url(), &key, project, &event).await, 200);
        story.settle().await;
        let text = story.unread_text();
        insta::assert_snapshot!(story.transcript(), @"
        mail to grace@example.com: [team/plain] KeyError in decode (shop/old.py:2)
            You are told as somebody whom CODEOWNERS names for /shop/. Passed over: Alan Turing (no commit
            in this repository for a year).
        ");
        assert_says(&text, &["Told: grace@example.com, whom CODEOWNERS names for /shop/."]);
    });
}

#[test]
fn github_that_lets_an_alert_wait_in_vain_is_not_asked_for_a_while() {
    run_test(async |story| {
        story.install().await;
        let hangs = Fault::Delay(std::time::Duration::from_secs(30));
        story.github.fail_next("repos/list-pull-requests-associated-with-commit", hangs);
        let event = story.event();
        story.report(&event).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.
        ");
        let asked = story.github.requests_of("repos/list-pull-requests-associated-with-commit").len();
        story.cart_fails_at("amount = 0").await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:7)
            You wrote this line.
        ");
        assert_eq!(story.github.requests_of("repos/list-pull-requests-associated-with-commit").len(), asked);
        story.later(SignedDuration::from_mins(5)).await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        acme/shop#2 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#2 assigned to ada
        ");
    });
}
