//! An honest word where there is no line: in mail, issue, page, terminal and on the connect page.

use crate::harness::browser::{Browser, squeezed};
use crate::harness::git_repo::{ADA, GitRepo, example};
use crate::harness::story::{CART_PATH, Story, run_test};
use serde_json::{Value, json};
use std::process::Command;

const SETTINGS: &str = "email: { default_contact: oncall@example.com }\n";

/// Watches the repository, whose default contact is somebody.
async fn watched(story: &mut Story, settings: &str) {
    let settings = format!("{SETTINGS}{settings}");
    story.commit(ADA, "2026-01-06T10:00:00Z", &[(".github/flawless.yml", &settings)], "Configure");
    story.install().await;
}

/// An event of a client, with these frames.
fn event_of(story: &Story, platform: &str, sdk: &str, frames: Value) -> Value {
    let mut event = story.event();
    event["platform"] = json!(platform);
    event["sdk"] = json!({"name": sdk, "version": "1.0.0"});
    event["exception"]["values"] = json!([{"type": "Broken", "value": "it is", "stacktrace": {"frames": frames}}]);
    event
}

/// Reports it: mail, issue and page say the same, and nothing of how often verdicts are right.
async fn told(story: &mut Story, event: &Value) -> String {
    story.report(event).await;
    let mail = squeezed(&story.unread_text());
    let transcript = story.transcript();
    assert!(transcript.starts_with("mail to oncall@example.com:"), "{transcript}");
    let line = story.lines().await.into_iter().max_by_key(|line| line.id.0).expect("a line");
    let issue = story.github.issue(crate::harness::story::REPO, line.issue.expect("an issue")).body;
    let place = &line.place;
    let fields = [
        ("repo", "acme/shop".to_owned()),
        ("filename", place.path.clone()),
        ("function_name", place.function.clone()),
        ("line_number", place.line.to_string()),
        ("text", place.code.clone()),
    ];
    let path = format!("/view_traceback?{}", domain::links::query(&fields));
    let page = Browser::signed_in(story).await.get(&path).await.seen();
    for text in [&mail, &issue, &page] {
        assert!(!text.contains("Confidence") && !text.contains("Of 100"), "{text}");
        assert!(text.contains("What to do:"), "{text}");
    }
    for text in [&mail, &issue] {
        assert!(text.contains("https://flawless.test/why_no_line#"), "{text}");
    }
    assert!(issue.contains("### What was looked at") && page.contains("What was looked at"), "{issue}");
    mail
}

#[track_caller]
fn assert_says(text: &str, words: &[&str]) {
    for one in words {
        assert!(text.contains(one), "{one:?} in\n{text}");
    }
}

#[test]
fn each_client_hears_why_its_frames_led_to_no_line() {
    run_test(async |story| {
        watched(story, "").await;
        let cases = [
            (
                "javascript",
                "sentry.javascript.browser",
                json!([{"filename": "https://shop.example.com/app.min.js", "function": "Xp", "lineno": 1, "colno": 48213}]),
                "the frames are of a bundle without source maps (https://shop.example.com/app.min.js:1:48213).",
                "why_no_line#minified",
            ),
            (
                "java",
                "sentry.java.android",
                json!([{"module": "a.b.c", "filename": "SourceFile", "function": "d", "lineno": 3}]),
                "the names are obfuscated by R8 or ProGuard (a.b.c).",
                "why_no_line#obfuscated",
            ),
            (
                "java",
                "sentry.java",
                json!([{"module": "com.acme.Cart", "function": "total"}]),
                "compiled without line tables, so the frames have no lines (com.acme.Cart.total).",
                "why_no_line#no-line-numbers",
            ),
            (
                "native",
                "sentry.native",
                json!([{"function": "<redacted>", "instruction_addr": "0x1000"}]),
                "the program has no symbols, so the frames name no code (<redacted>).",
                "why_no_line#no-symbols",
            ),
            (
                "python",
                "sentry.python",
                json!([{"filename": "<string>", "abs_path": "/srv/<string>", "function": "<module>", "lineno": 1}]),
                "the code was evaluated, and never in a file (/srv/<string>:1).",
                "why_no_line#evaluated-code",
            ),
            (
                "python",
                "sentry.python",
                json!([{"filename": "flask/app.py", "abs_path": "/srv/lib/python3.12/site-packages/flask/app.py", "function": "run", "lineno": 9}]),
                "all frames are of packages and of the language's own library (flask).",
                "why_no_line#only-packages",
            ),
            (
                "python",
                "sentry.python",
                json!([{"filename": "cart.py", "abs_path": "/opt/billing/cart.py", "function": "run", "lineno": 900}]),
                "path_mappings: [{ from: /opt/billing/, to: shop/ }]",
                "why_no_line#unknown-paths",
            ),
            (
                "python",
                "sentry.python",
                json!([]),
                "the client sent no stack trace with the exception.",
                "why_no_line#no-frames",
            ),
        ];
        for (platform, sdk, frames, said, link) in cases {
            let event = event_of(story, platform, sdk, frames);
            let mail = told(story, &event).await;
            assert_says(
                &mail,
                &[
                    "You are the default contact: it is not known who wrote the code that failed (why: see below).",
                    "No line of the repository was found: ",
                    said,
                    link,
                    "Told: the default contact, because no author is known.",
                ],
            );
        }
    });
}

#[test]
fn a_text_that_differs_names_the_commit_that_nobody_pushed() {
    run_test(async |story| {
        watched(story, "").await;
        let head = story.repo.head();
        for (release, words) in [
            (json!(null), "Besides, the report names no release."),
            (json!("shop@1.4.2"), "Besides, release shop@1.4.2 leads to no commit or tag of the repository."),
            (json!(head), "the text on the server is not the repository's (shop/cart.py:"),
        ] {
            let mut event = story.event_at(&head, CART_PATH, "PRICES[sku]", "total", "web-1");
            let frames = event.pointer_mut("/exception/values/0/stacktrace/frames").unwrap().as_array_mut().unwrap();
            let last = frames.last_mut().unwrap();
            last["context_line"] = json!(format!("    amount += prices_of(sku)  # {release}"));
            event["release"] = release;
            story.report(&event).await;
            let mail = squeezed(&story.unread_text());
            let _seen = story.transcript();
            assert_says(&mail, &["so git was not asked.", words]);
            assert!(!mail.contains("Confidence"), "{mail}");
        }
    });
}

#[test]
fn what_the_settings_leave_out_and_what_has_no_contact_is_said() {
    run_test(async |story| {
        story.commit(
            ADA,
            "2026-01-06T10:00:00Z",
            &[(".github/flawless.yml", "only_blame_filepaths_matching: [lib/]\n")],
            "Only the library",
        );
        story.install().await;
        story.fails(1).await;
        let issue = story.github.issue(crate::harness::story::REPO, 1).body;
        let _seen = story.transcript();
        assert_says(
            &squeezed(&issue.replace('\\', "")),
            &[
                "only_blame_filepaths_matching leaves out what is the repository's",
                "Told to nobody: no author is known, and the settings name no default contact.",
                "default_contact",
                "why_no_line#left-out",
            ],
        );
        assert!(!issue.contains("Confidence"), "{issue}");
    });
}

#[test]
fn a_test_report_without_a_line_says_why_in_the_same_words() {
    run_test(async |story| {
        watched(story, "only_blame_filepaths_matching: [nowhere/]\n").await;
        let browser = Browser::signed_in(story).await;
        let csrf = browser.get("/acme/shop/connect").await.hidden("csrf");
        browser.post("/acme/shop/connect/test", &[("csrf", &csrf)]).await;
        story.settle().await;
        let page = browser.get("/acme/shop/connect").await;
        assert_says(
            &page.seen(),
            &[
                "No line was blamed",
                "No line of the repository was found: only_blame_filepaths_matching leaves out",
                "What to do:",
            ],
        );
        assert!(page.text.contains("/why_no_line#left-out\""), "{}", page.text);
        assert!(!page.text.contains("Confidence"));
    });
}

#[test]
fn the_page_explains_each_reason_to_anybody() {
    run_test(async |story| {
        let page = Browser::new(story).open("/why_no_line").await;
        for reason in domain::no_line::Reason::ALL {
            assert!(page.contains(&format!("id=\"{}\"", reason.slug())), "{}", reason.slug());
        }
        assert!(page.contains("<code>--enable-source-maps</code>"), "{page}");
        let browser = Browser::signed_in(story).await;
        assert!(browser.open("/why_no_line").await.contains("Why was no line found?"));
    });
}

#[test]
fn flawless_blame_says_why_and_ends_with_3() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let repo: GitRepo = example(folder.path().join("shop"));
    let ended = |text: &str| {
        std::fs::write(folder.path().join("t.txt"), text).expect("written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_flawless"));
        command.args(["blame", "--traceback", "../t.txt"]).current_dir(repo.path()).env_remove("FLAWLESS_CONFIG");
        let output = command.env("LOG_LEVEL", "error").output().expect("flawless starts");
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    };
    let python = |path: &str, line: u32, code: &str| {
        format!("Traceback (most recent call last):\n  File \"{path}\", line {line}, in f\n    {code}\nKeyError: 'a'\n")
    };
    let (code, said) = ended(&python("/srv/app/shop/cart.py", 9, "return self.wallet.sum(prices)"));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("Confidence: ") && !said.contains("What to do"), "{said}");
    for (text, words) in [
        (
            python("/srv/app/shop/cart.py", 9, "return self.purse.sum(prices)"),
            "the text on the server is not the repository's",
        ),
        (python("<stdin>", 1, "f()"), "the code was evaluated"),
        (python("/srv/lib/python3.11/site-packages/flask/app.py", 3, "run()"), "all frames are of packages"),
        ("TypeError: x\n    at t (https://shop.example.com/app.min.js:1:48213)\n".to_owned(), "without source maps"),
    ] {
        let (code, said) = ended(&text);
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains(words) && said.contains("- What to do: ") && !said.contains("Confidence"), "{said}");
    }
}

#[test]
fn functions_of_one_name_in_classes_without_files_are_two_lines() {
    run_test(async |story| {
        watched(story, "").await;
        for class in ["Shop.Cart", "Shop.Invoice"] {
            let frames = json!([{"module": class, "function": "Total"}]);
            let event = event_of(story, "csharp", "sentry.dotnet", frames);
            story.report(&event).await;
        }
        story.settle().await;
        let mut places: Vec<_> =
            story.lines().await.into_iter().map(|line| (line.place.path, line.place.function)).collect();
        places.sort();
        let expected = ["Shop.Cart", "Shop.Invoice"].map(|class| (class.to_owned(), "Total".to_owned()));
        assert_eq!(places, expected);
        let told = story.transcript();
        for class in ["Shop.Cart", "Shop.Invoice"] {
            assert_says(&told, &[&format!("[acme/shop] Broken in Total ({class})")]);
        }
    });
}
