//! The Python client against the real server: an application fails for real, and the author of its
//! line is told.

use domain::timestamp::Timestamp;
use std::process::{Command, Output};

use serde_json::Value;

use crate::harness::git_repo::{GRACE, LINUS};
use crate::harness::story::{Story, run_test};
use domain::report::{Frame, Report};
use store::lines::Line;

/// Names a Python interpreter that has `flawless-client`; `newest/bin/python` in the folder of
/// `ingest-client/python/run-tests`.
const PYTHON: &str = "FLAWLESS_TEST_PYTHON_CLIENT";

const CHECKOUT_PATH: &str = "shop/checkout.py";
/// An application as somebody would write it. Line 23 is the one that fails.
const CHECKOUT: &str = r#"import sys

import flawless

flawless.init()

PRICES = {"apple": 120}


@flawless.wrap_class
class Checkout:
    def __init__(self, customer):
        self.customer = customer
        self.api_key = "-".join(["swordfish", "4711"])

    def pay(self, sku):
        flawless.add_information(order="A-17", note=f"paid with {self.api_key}")
        quantity = 3
        return self.price(sku) * quantity

    def price(self, sku):
        currency = "EUR"
        return PRICE[sku], currency


def main(times):
    for _ in range(times):
        try:
            Checkout("ann").pay("quince")
        except KeyError:
            print("no price")


main(int(sys.argv[1]))
"#;

const SITE_PATH: &str = "shop/site.py";
/// An application behind WSGI. It calls itself as a server would.
const SITE: &str = r#"import sys
from wsgiref.util import setup_testing_defaults

import flawless

flawless.init(release="unknown-to-git")


@flawless.wrap_function(error_threshold=3, reraise_exception=False)
def audit(basket):
    return sum(basket) / len(basket)


def site(environ, start_response):
    audit([])
    start_response("200 OK", [])
    return [b"thanks"]


for _ in range(int(sys.argv[1])):
    environ = {"PATH_INFO": "/pay", "QUERY_STRING": "step=2", "HTTP_HOST": "shop.example", "HTTP_COOKIE": "id=swordfish"}
    setup_testing_defaults(environ)
    print(b"".join(flawless.wsgi.Middleware(site)(environ, lambda *_: None)).decode())
"#;

/// Runs the application in the repository's work tree, with nothing but the DSN to tell it about
/// Flawless.
async fn run(story: &Story, path: &str, times: u32) -> Output {
    let python = std::env::var(PYTHON).unwrap_or_else(|_| {
        panic!("{PYTHON} names no Python that has flawless-client (see ingest-client/python/run-tests)")
    });
    let (key, project) = story.key().await;
    let dsn = format!("{}/{project}", story.url().replacen("http://", &format!("http://{key}@"), 1));
    let mut command = Command::new(&python);
    for name in ["FLAWLESS_RELEASE", "SENTRY_DSN", "SENTRY_RELEASE", "SENTRY_ENVIRONMENT", "PYTHONPATH"] {
        command.env_remove(name);
    }
    command.args([path, &times.to_string()]).current_dir(story.repo.path());
    command.envs([("FLAWLESS_DSN", dsn.as_str()), ("PYTHONDONTWRITEBYTECODE", "1"), ("NO_PROXY", "127.0.0.1")]);
    // Beside the server, which runs on this thread.
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    let output = output.unwrap_or_else(|error| panic!("{PYTHON}={python}: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "the client keeps quiet");
    output
}

async fn stored(story: &Story, line: &Line) -> Report {
    store::tracebacks::latest_of_line(&story.services().store, line.id, Timestamp::MAX).await.unwrap().unwrap().0.report
}

fn variable<'a>(frame: &'a Frame, name: &str) -> &'a str {
    frame.vars.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("{name} in {:?}", frame.vars))
}

#[test]
#[ignore = "needs Python; tests/run runs it"]
fn live_python_client_names_line_author_variables_and_every_occurrence() {
    run_test(async |story| {
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[(CHECKOUT_PATH, &CHECKOUT.replace("PRICE[", "prices["))], "Pay");
        let fixed = CHECKOUT.replace("PRICE[", "PRICES[");
        let head = story.commit(LINUS, "2026-03-01T10:00:00Z", &[(CHECKOUT_PATH, &fixed)], "Name the prices");
        story.install().await;

        let output = run(story, CHECKOUT_PATH, 41).await;
        assert_eq!(String::from_utf8_lossy(&output.stdout).matches("no price").count(), 41);
        story.settle().await;

        let lines = story.lines().await;
        assert_eq!(lines.len(), 1, "{lines:#?}");
        let line = &lines[0];
        assert_eq!((line.place.path.as_str(), line.place.line), (CHECKOUT_PATH, 23));
        assert!(line.place.function.ends_with("price"), "{}", line.place.function);
        assert_eq!(line.author_email.as_deref(), Some("linus@example.com"));
        // 10 one by one, 6 at the 16th, 16 at the 32nd, 9 at the end of the program.
        assert_eq!(line.total, 41);
        let counts = store::lines::counts(&story.services().store, line).await.unwrap();
        assert_eq!(counts.releases, [head], "the commit that is checked out");

        let report = stored(story, line).await;
        let raised = report.raised().unwrap();
        assert_eq!((raised.dotted_name().as_str(), raised.value.as_deref()), ("builtins.KeyError", Some("'quince'")));
        let functions: Vec<&str> = raised.frames.iter().map(Frame::function_name).collect();
        assert_eq!(functions, ["<module>", "main", "pay", "price"]);
        let [.., pay, price] = raised.frames.as_slice() else { panic!("{functions:?}") };
        assert_eq!((variable(pay, "quantity"), variable(pay, "sku")), ("3", "'quince'"));
        assert_eq!((variable(price, "currency"), variable(price, "self.customer")), ("'EUR'", "'ann'"));
        assert_eq!(variable(price, "self.api_key"), "[Filtered]");
        assert_eq!(report.additional["extra"]["order"], "A-17");
        assert_eq!(report.additional["extra"]["note"], "paid with [Filtered]");

        let text = story.unread_text();
        for word in ["KeyError", "quince", "self.customer", "'ann'", "currency", "A-17"] {
            assert!(text.contains(word), "{word} is in the mail:\n{text}");
        }
        assert!(!format!("{report:?}{text}").contains("swordfish-4711"), "{text}");
        insta::assert_snapshot!(story.transcript(), @"
        mail to linus@example.com: [acme/shop] KeyError in price (shop/checkout.py:23)
            You wrote this line.
        acme/shop#1 opened: KeyError in price (shop/checkout.py) [flawless]
        acme/shop#1 assigned to linus
        ");
    });
}

#[test]
#[ignore = "needs Python; tests/run runs it"]
fn live_python_client_brings_its_threshold_and_the_request() {
    run_test(async |story| {
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[(SITE_PATH, SITE)], "Audit baskets");
        story.install().await;

        let output = run(story, SITE_PATH, 2).await;
        assert_eq!(String::from_utf8_lossy(&output.stdout), "thanks\nthanks\n", "the exception ended in the wrapper");
        story.settle().await;
        let line = story.lines().await.remove(0);
        assert_eq!((line.place.path.as_str(), line.place.line, line.total), (SITE_PATH, 11, 2));
        story.assert_silent("below the report's own threshold");

        run(story, SITE_PATH, 1).await;
        story.settle().await;
        let line = story.lines().await.remove(0);
        assert_eq!((line.total, line.error_threshold), (3, Some(3)));
        let text = story.unread_text();
        insta::assert_snapshot!(story.transcript(), @"
        mail to grace@example.com: [acme/shop] ZeroDivisionError in audit (shop/site.py:11)
            You wrote this line.
        acme/shop#1 opened: ZeroDivisionError in audit (shop/site.py) [flawless]
        acme/shop#1 assigned to grace
        ");

        let request = stored(story, &line).await.request.unwrap();
        assert_eq!((request.method.as_deref(), request.url.as_deref()), (Some("GET"), Some("http://shop.example/pay")));
        assert_eq!(request.query.as_deref(), Some("step=2"));
        assert_eq!(request.headers.get("Cookie").map(String::as_str), Some("[Filtered]"));
        assert!(text.contains("http://shop.example/pay"), "{text}");
    });
}
