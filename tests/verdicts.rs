//! Verdicts as a person asks for them in a terminal: `flawless blame` in a checkout.

use crate::harness::browser::squeezed;
use crate::harness::git_repo::{ADA, CART, GRACE, GitRepo, LINUS, example};
use crate::harness::story::run_test;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

fn checkout() -> (TempDir, GitRepo) {
    let folder = TempDir::new().expect("a folder");
    let repo = example(folder.path().join("shop"));
    (folder, repo)
}

fn app(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flawless"));
    command.args(arguments).current_dir(folder).env_remove("FLAWLESS_CONFIG").env("LOG_LEVEL", "error");
    command.output().expect("flawless starts")
}

#[track_caller]
fn says(folder: &Path, arguments: &[&str]) -> String {
    let output = app(folder, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[track_caller]
fn refuses(folder: &Path, arguments: &[&str]) -> String {
    let output = app(folder, arguments);
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).expect("text")
}

/// `path:line:function:code`, outermost first.
fn traceback(frames: &[(&str, u32, &str, &str)], error: &str) -> String {
    let frames: String = frames
        .iter()
        .map(|(path, line, function, code)| {
            format!("  File \"/srv/app/{path}\", line {line}, in {function}\n    {code}\n")
        })
        .collect();
    format!("Traceback (most recent call last):\n{frames}{error}\n")
}

#[track_caller]
fn verdict(repo: &GitRepo, frames: &[(&str, u32, &str, &str)], error: &str) -> String {
    let file = repo.path().join("../traceback.txt");
    std::fs::write(&file, traceback(frames, error)).expect("written");
    says(repo.path(), &["blame", "--traceback", "../traceback.txt"])
}

#[test]
fn flawless_blame_says_who_wrote_a_line_from_any_folder_of_a_checkout() {
    let (_folder, repo) = checkout();
    let head = repo.head();
    let text = says(&repo.path().join("shop"), &["blame", "cart.py:9"]);
    let first = format!("shop/cart.py:9 in Cart.total at {}\n    return self.wallet.sum(prices)\n", &head[..7]);
    assert!(text.starts_with(&first), "{text}");
    assert!(
        text.contains("Linus") && text.contains("wrote it on 2025-11-02 in ") && text.contains("(A cart)."),
        "{text}"
    );
    repo.rename(ADA, "2025-11-04T10:00:00Z", "shop/cart.py", "shop/basket.py");
    let moved = says(repo.path(), &["blame", "shop/basket.py:9"]);
    assert!(moved.contains("The file was called shop/cart.py then, and it was line 9."), "{moved}");
    let before = says(repo.path(), &["blame", &format!("shop/cart.py:9@{head}")]);
    assert!(before.starts_with(&first), "{before}");
}

#[test]
fn flawless_blame_names_commits_that_it_passed_over() {
    let (_folder, repo) = checkout();
    let tidy = CART.replace("'too much'", "\"too much\"").replace("'7'", "\"7\"");
    let tidied = repo.commit(ADA, "2025-11-05T10:00:00Z", &[("shop/cart.py", &tidy)], "Double quotes");
    let text = says(repo.path(), &["blame", "shop/cart.py:14"]);
    assert!(text.contains("Linus"), "{text}");
    let passed = format!("Commits passed over: {} (it only laid out the code anew).", &tidied[..7]);
    assert!(text.contains(&passed), "{text}");
}

#[test]
fn flawless_blame_says_what_is_wrong_with_what_it_was_asked() {
    let (folder, repo) = checkout();
    for (asked, answer) in [
        ("shop/cart.py", "is not FILE:LINE"),
        ("shop/cart.py:nine", "\"nine\" is no line number"),
        ("shop/none.py:1", "there is no text file shop/none.py in"),
        ("shop/cart.py:99", "has 23 lines in"),
        ("shop/cart.py:0", "no line 0"),
        ("shop/cart.py:1@never", "there is no commit, tag or branch called \"never\""),
    ] {
        let said = refuses(repo.path(), &["blame", asked]);
        assert!(said.contains(answer), "{asked}: {said}");
    }
    let outside = refuses(folder.path(), &["blame", "a.py:1"]);
    assert!(outside.contains("this folder is in no git checkout"), "{outside}");
    let none = refuses(repo.path(), &["blame", "--traceback", "none.txt"]);
    assert!(none.contains("none.txt can't be read"), "{none}");
}

#[test]
fn a_wrapper_and_a_helper_that_raises_are_passed_over() {
    let (_folder, repo) = checkout();
    let said = verdict(
        &repo,
        &[("shop/cart.py", 23, "main", "order('7')"), ("shop/tools.py", 3, "wrapped", "return func(*args, **kwargs)")],
        "KeyError: 'a'",
    );
    assert!(said.contains("- Blamed Grace Hopper (") && said.contains("shop/cart.py:23 in main"), "{said}");
    assert!(said.contains("Passed over: shop/tools.py:3 (passes its arguments on)."), "{said}");
    let said = verdict(
        &repo,
        &[("shop/cart.py", 14, "limit", "fail('too much')"), ("shop/tools.py", 8, "fail", "raise ValueError(message)")],
        "ValueError: too much",
    );
    assert!(said.contains("shop/cart.py:14 in limit"), "{said}");
    assert!(said.contains("Passed over: shop/tools.py:8 (only raises)."), "{said}");
}

#[test]
fn a_value_of_the_wrong_type_is_followed_to_whoever_made_it() {
    let (_folder, repo) = checkout();
    let said = verdict(
        &repo,
        &[
            ("shop/cart.py", 23, "main", "order('7')"),
            ("shop/cart.py", 19, "order", "return limit(amount)"),
            ("shop/cart.py", 13, "limit", "if amount > 100:"),
        ],
        "TypeError: '>' not supported between instances of 'str' and 'int'",
    );
    // `order` passes its own argument on, but the message does not speak of what happens there.
    assert!(said.contains("shop/cart.py:19 in order"), "{said}");
    assert!(said.contains("shop/cart.py:13 (was given amount as it is)"), "{said}");
    assert!(said.contains("Confidence: "), "{said}");
}

#[test]
fn a_missing_field_leads_to_the_constructor() {
    let (_folder, repo) = checkout();
    let said = verdict(
        &repo,
        &[("shop/cart.py", 9, "total", "return self.wallet.sum(prices)")],
        "AttributeError: 'Cart' object has no attribute 'wallet'",
    );
    assert!(said.contains("- Blamed Linus"), "{said}");
    let mended = "Probably to be mended at shop/cart.py:6 in Cart.__init__: the constructor should have set what the line asks for.";
    assert!(said.contains(mended), "{said}");
}

#[test]
fn arguments_that_do_not_fit_lead_to_the_signature_that_changed_later() {
    let (_folder, repo) = checkout();
    let wider = CART.replace("def limit(amount):", "def limit(amount, most):");
    repo.commit(ADA, "2025-11-06T10:00:00Z", &[("shop/cart.py", &wider)], "A limit to choose");
    let said = verdict(
        &repo,
        &[("shop/cart.py", 19, "order", "return limit(amount)")],
        "TypeError: limit() missing 1 required positional argument: 'most'",
    );
    assert!(said.contains("More likely at fault: shop/cart.py:12 in limit, by Ada Lovelace ("), "{said}");
    assert!(said.contains("it was changed after the call was written"), "{said}");
}

#[test]
fn a_fresh_change_is_told_to_who_made_it_and_the_alert_stays_with_the_line() {
    run_test(async |story| {
        let now = jiff::Timestamp::from_millisecond(story.clock.now().as_millis()).expect("a moment");
        let days_ago = |days: i64| (now - jiff::SignedDuration::from_hours(24 * days)).to_string();
        let old = "def decode(text):\n    return KEYS[text]\n";
        story.commit(LINUS, "2024-01-05T10:00:00Z", &[("shop/old.py", old)], "Decode");
        story.commit(LINUS, &days_ago(40), &[("shop/new.py", "NEW = 1\n")], "He is still there");
        let page = "def show(text):\n    return decode(text + '!')\n";
        story.commit(GRACE, &days_ago(3), &[("shop/page.py", page)], "Shout");
        story.install().await;
        let head = story.repo.head();
        let mut event = story.event_at(&head, "shop/old.py", "KEYS[text]", "decode", "web-1");
        let caller = story.event_at(&head, "shop/page.py", "decode(text", "show", "web-1");
        let frames = |event: &Value| event["exception"]["values"][0]["stacktrace"]["frames"].clone();
        event["exception"]["values"][0]["stacktrace"]["frames"] =
            json!([frames(&caller)[0], frames(&caller)[1], frames(&event)[1]]);
        story.report(&event).await;
        let text = squeezed(&story.unread_text());
        insta::assert_snapshot!(story.transcript(), @"
        mail to grace@example.com: [acme/shop] KeyError in decode (shop/old.py:2)
            You changed shop/page.py:2 in show, which leads to the failing line, less than 30 days before.
        acme/shop#1 opened: KeyError in decode (shop/old.py) [flawless]
        acme/shop#1 assigned to grace
        ");
        for sentence in [
            "You changed shop/page.py:2 in show, which leads to the failing line, less than 30 days before.",
            "in decode, shop/old.py:2",
            "Blamed Linus Torvalds (",
            "More likely at fault: shop/page.py:2 in show, by Grace Hopper (",
            "Confidence: high.",
        ] {
            assert!(text.contains(sentence), "{sentence:?} in\n{text}");
        }
        // The same line from another caller is the same line: no second alert.
        let alone = story.event_at(&head, "shop/old.py", "KEYS[text]", "decode", "web-2");
        story.report(&alone).await;
        story.assert_silent("it was told");
    });
}

#[test]
fn who_wrote_a_line_before_a_trivial_edit_comes_second() {
    run_test(async |story| {
        let before = "def total(sku):\n    tax = 1\n    return round(PRICES[sku], 2)\n";
        story.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/price.py", before)], "Price");
        let edited = before.replace("], 2)", "], 3)");
        story.commit(GRACE, "2026-01-07T10:00:00Z", &[("shop/price.py", &edited)], "Three digits");
        let commented = edited.replace("tax = 1", "tax = 1  # in percent");
        story.commit(LINUS, "2026-01-08T10:00:00Z", &[("shop/price.py", &commented)], "Say the unit");
        story.install().await;
        story.fails_at("shop/price.py", "return round(PRICES[sku], 3)", "total").await;
        let mail = squeezed(&story.unread_text());
        let told = story.transcript();
        assert!(told.starts_with("mail to grace@example.com:"), "{told}");
        let line = story.lines().await.into_iter().max_by_key(|line| line.id.0).expect("a line");
        let issue = squeezed(&story.github.issue("acme/shop", line.issue.expect("an issue")).body);
        for text in [&mail, &issue] {
            let (first, second) = (
                text.find("Blamed Grace Hopper"),
                text.find("Look next at who wrote it before: the line was Ada Lovelace ("),
            );
            assert!(first.is_some() && first < second, "{text}");
            assert!(text.contains("'s until Grace Hopper changed a number in it."), "{text}");
        }
        story.fails_at("shop/price.py", "tax = 1  # in percent", "total").await;
        let mail = squeezed(&story.unread_text());
        assert!(story.transcript().starts_with("mail to linus@example.com:"));
        assert!(
            mail.contains("the line was Ada Lovelace (") && mail.contains("'s until Linus Torvalds changed a comment"),
            "{mail}"
        );
    });
}

#[test]
fn what_became_of_a_line_on_the_default_branch_is_said() {
    let folder = TempDir::new().expect("a folder");
    let repo = GitRepo::init(folder.path().join("shop"));
    let text = "import os\n\n\ndef total(sku):\n    price = PRICES[sku]\n    log(price)\n    return price\n";
    let ran = repo.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/price.py", text), ("shop/other.py", text)], "Price");
    let said = |line: u32, code: &str| {
        let trace = traceback(&[("shop/price.py", line, "total", code)], "KeyError: 'x'");
        std::fs::write(folder.path().join("t.txt"), trace).expect("written");
        says(repo.path(), &["blame", "--traceback", "../t.txt", "--release", &ran])
    };
    let nothing = said(5, "price = PRICES[sku]");
    assert!(!nothing.contains(" since, "), "{nothing}");
    let removed = text.replace("    log(price)\n", "");
    let commit = repo.commit(GRACE, "2026-01-07T10:00:00Z", &[("shop/price.py", &removed)], "No log (#12)");
    let words =
        format!("has removed this line since, in {} by Grace Hopper, #12: it may be fixed already.", &commit[..7]);
    assert!(said(6, "log(price)").contains(&words));
    let commit = repo.rename(LINUS, "2026-01-08T10:00:00Z", "shop/price.py", "lib/price.py");
    let words = format!("has moved this file since, to lib/price.py, in {} by Linus Torvalds.", &commit[..7]);
    let moved = said(5, "price = PRICES[sku]");
    assert!(moved.contains(&words), "{moved}");
    std::fs::remove_file(repo.path().join("lib/price.py")).expect("there");
    let commit = repo.commit(ADA, "2026-01-09T10:00:00Z", &[], "No prices");
    let words = format!("has deleted this file since, in {} by Ada Lovelace: it may be fixed already.", &commit[..7]);
    let deleted = said(5, "price = PRICES[sku]");
    assert!(deleted.contains(&words), "{deleted}");
}
