//! The exception that counts: members of groups, workers of pools, places that errors name.

use crate::harness::browser::squeezed;
use crate::harness::git_repo::{ADA, GRACE, LINUS};
use crate::harness::story::{Story, run_test};
use serde_json::{Value, json};

const DAY: &str = "2025-11-05T10:00:00Z";

/// Three files of one suffix: stock by Ada, price by Grace, gather by Linus; each fails at line 2.
async fn shop(story: &mut Story, suffix: &str) {
    for (author, name) in [(ADA, "stock"), (GRACE, "price"), (LINUS, "gather")] {
        let text = format!("# {name}\n{}\n", line_of(name));
        story.commit(author, DAY, &[(&format!("shop/{name}.{suffix}"), &text)], name);
    }
    story.install().await;
}

fn line_of(name: &str) -> String {
    format!("answer_{name} = {name}_of[sku]")
}

/// An exception whose innermost frame is in one of them.
fn failed(name: &str, suffix: &str, kind: &str, mechanism: Value) -> Value {
    json!({"type": kind, "value": format!("no {name}"), "mechanism": mechanism, "stacktrace": {"frames": [
        {"abs_path": "/usr/lib/runtime/loop.x", "function": "run", "lineno": 1},
        {"abs_path": format!("/srv/app/shop/{name}.{suffix}"), "function": name, "lineno": 2, "context_line": line_of(name)}]}})
}

fn member(name: &str, suffix: &str, word: &str, number: usize) -> Value {
    let mechanism = json!({"exception_id": number + 1, "parent_id": 0, "source": format!("{word}[{number}]")});
    failed(name, suffix, &format!("{name}Failed"), mechanism)
}

fn event(platform: &str, exceptions: &[Value]) -> Value {
    json!({"platform": platform, "level": "error", "server_name": "web-1", "exception": {"values": exceptions}})
}

#[test]
fn each_member_of_a_group_is_told_to_who_wrote_its_line() {
    for (platform, suffix, kind, word) in [
        ("python", "py", "ExceptionGroup", "exceptions"),
        ("node", "js", "AggregateError", "errors"),
        ("csharp", "cs", "System.AggregateException", "InnerExceptions"),
        ("go", "go", "*errors.joinError", "errors"),
    ] {
        run_test(async |story| {
            shop(story, suffix).await;
            let group = failed("gather", suffix, kind, json!({"exception_id": 0, "is_exception_group": true}));
            let members = [member("price", suffix, word, 1), member("stock", suffix, word, 0), group];
            let event = event(platform, &members);
            story.report(&event).await;
            let told = squeezed(&story.transcript_in_full());
            assert!(
                told.contains(&format!(
                    "mail to ada@example.com: [acme/shop] stockFailed in stock (shop/stock.{suffix}:2)"
                )),
                "{told}"
            );
            assert!(told.contains("stockFailed: no stock") && !told.contains(&format!("] {kind} in")), "{told}");
            assert!(
                told.contains(&format!(
                    "mail to grace@example.com: [acme/shop] priceFailed in price (shop/price.{suffix}:2)"
                )),
                "{told}"
            );
            assert!(!told.contains("linus"), "{told}");
            for number in [1, 2] {
                let said = format!("This is exception {number} of 2 that came together as one {kind}: each that has");
                assert!(told.contains(&said), "{told}");
            }
            // Its repeats are counted at each line.
            story.report(&event).await;
            story.report(&event).await;
            let mut totals: Vec<(String, u64)> = Vec::new();
            for line in story.lines().await {
                totals.push((line.place.path.clone(), line.total));
            }
            totals.sort();
            assert_eq!(totals, [(format!("shop/price.{suffix}"), 3), (format!("shop/stock.{suffix}"), 3)]);
            story.assert_silent("repeats");
        });
    }
}

#[test]
fn members_that_fail_at_one_line_are_one_alert_and_what_is_ignored_is_left_out() {
    run_test(async |story| {
        let settings = [(".github/flawless.yml", "ignored_exceptions: [stockFailed]\n")];
        story.commit(LINUS, DAY, &settings, "Settings");
        shop(story, "py").await;
        let group = failed("gather", "py", "ExceptionGroup", json!({"exception_id": 0, "is_exception_group": true}));
        let members = [
            member("price", "py", "exceptions", 2),
            member("price", "py", "exceptions", 1),
            member("stock", "py", "exceptions", 0),
            group,
        ];
        story.report(&event("python", &members)).await;
        let told = story.transcript();
        assert!(
            told.contains("mail to grace@example.com: [acme/shop] priceFailed in price (shop/price.py:2)"),
            "{told}"
        );
        assert!(!told.contains("ada@"), "{told}");
        assert_eq!(story.lines().await.len(), 1);
    });
}

#[test]
fn a_group_as_it_is_printed_is_told_to_each_as_well() {
    run_test(async |story| {
        shop(story, "py").await;
        let frame = |name: &str| format!("File \"/srv/app/shop/{name}.py\", line 2, in {name}");
        let text = format!(
            "  + Exception Group Traceback (most recent call last):\n  |   {}\n  |     {}\n  | ExceptionGroup: two (2 sub-exceptions)\n  \
             +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n    |   {}\n    |     {}\n    | \
             KeyError: 'a'\n    +---------------- 2 ----------------\n    | Traceback (most recent call last):\n    |   {}\n    |     {}\n    | \
             ValueError: b\n    +------------------------------------\n",
            frame("gather"),
            line_of("gather"),
            frame("stock"),
            line_of("stock"),
            frame("price"),
            line_of("price"),
        );
        let (key, project) = story.key().await;
        let url = format!("{}/api/{project}/traceback?key={key}", story.url());
        let answer = reqwest::Client::new().post(url).body(text).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        story.settle().await;
        let told = story.transcript();
        assert!(told.contains("mail to ada@example.com: [acme/shop] KeyError in stock"), "{told}");
        assert!(told.contains("mail to grace@example.com: [acme/shop] ValueError in price"), "{told}");
    });
}

#[test]
fn a_worker_s_line_is_told_and_not_the_line_that_waited() {
    run_test(async |story| {
        shop(story, "py").await;
        let worker = |name: &str| {
            format!(
                "\n\"\"\"\nTraceback (most recent call last):\n  File \"/usr/lib/python3.12/multiprocessing/pool.py\", line 125, in worker\n    \
                 result = (True, func(*args, **kwds))\n  File \"/srv/app/shop/{name}.py\", line 2, in {name}\n    {}\nKeyError: 'x'\n\"\"\"",
                line_of(name)
            )
        };
        let waiting = || failed("gather", "py", "KeyError", json!({}));
        for (name, kind, module) in [
            ("stock", "RemoteTraceback", "multiprocessing.pool"),
            ("price", "_RemoteTraceback", "concurrent.futures.process"),
        ] {
            let remote = json!({"type": kind, "module": module, "value": worker(name)});
            story.report(&event("python", &[remote, waiting()])).await;
        }
        let told = story.transcript_in_full();
        assert!(told.contains("Look next at shop/gather.py:2 in gather, by Linus"), "{told}");
        assert!(told.contains("mail to ada@example.com: [acme/shop] KeyError in stock (shop/stock.py:2)"), "{told}");
        assert!(told.contains("mail to grace@example.com: [acme/shop] KeyError in price (shop/price.py:2)"), "{told}");
        assert!(!told.contains("linus"), "{told}");
    });
}

#[test]
fn the_place_that_an_error_names_is_told_where_it_is_in_the_repository() {
    run_test(async |story| {
        let files = [("templates/cart/show.html.twig", "<b>\n{{ total }}\n"), ("config/prices.yml", "a: 1\nb: [\n")];
        story.commit(ADA, DAY, &files, "Templates");
        let files = [("lib/same/cart.html", "x\ny\n"), ("lib/other/cart.html", "x\ny\n")];
        story.commit(ADA, DAY, &files, "Two of a name");
        story.commit(GRACE, DAY, &[("shop/broken.py", "def f(:\n    pass\n")], "Broken");
        shop(story, "py").await;
        let saying = |kind: &str, message: &str| {
            let mut exception = failed("gather", "py", kind, json!({}));
            exception["value"] = json!(message);
            event("python", &[exception])
        };
        for (kind, message, expected) in [
            (
                "SyntaxError",
                "invalid syntax (broken.py, line 1)",
                "mail to grace@example.com: [acme/shop] SyntaxError in broken.py (shop/broken.py:1)",
            ),
            (
                "Twig\\Error\\RuntimeError",
                "Variable \"total\" does not exist in \"cart/show.html.twig\" at line 2.",
                "in show.html.twig (templates/cart/show.html.twig:2)",
            ),
            (
                "ParserError",
                "while parsing a flow node\n  in \"/srv/app/config/prices.yml\", line 2, column 5",
                "ParserError in prices.yml (config/prices.yml:2)",
            ),
        ] {
            story.report(&saying(kind, message)).await;
            let told = story.transcript();
            assert!(told.contains(expected), "{told}");
            assert!(!told.contains("linus"), "{told}");
        }
        // Of no file of the repository, of two, or of a line that the file does not have: as if it
        // had not been said.
        story.report(&saying("SyntaxError", "invalid syntax (gone.py, line 1)")).await;
        let told = story.unread_text();
        assert!(told.contains("shop/gather.py:2") && !told.contains("gone.py:1"), "{told}");
        let told = story.transcript();
        assert!(
            told.contains("mail to linus@example.com: [acme/shop] SyntaxError in gather (shop/gather.py:2)"),
            "{told}"
        );
        for message in ["In template cart.html, error at line 1", "in \"cart/show.html.twig\" at line 99"] {
            story.report(&saying("TemplateSyntaxError", message)).await;
            let told = story.transcript();
            assert!(!told.contains("mail to") && !told.contains("opened"), "{message}: it is the same line: {told}");
        }
    });
}
