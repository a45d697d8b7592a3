//! One alert per line: the stories of the main job.

use crate::harness::git_repo::{ADA, GRACE, LINUS};
use crate::harness::story::{CART, CART_PATH, REPO, Story, run_test};
use domain::names::Login;
use jiff::SignedDuration;
use serde_json::{Value, json};

#[test]
fn an_exception_is_told_to_the_author_of_its_line_once() {
    run_test(async |story| {
        story.install().await;
        story.fails(1).await;
        insta::assert_snapshot!(story.transcript_in_full(), @r#"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.

            KeyError: 'quince'
            in total, shop/cart.py:9 (acme/shop)

               5 |
               6 | def total(items):
               7 |     amount = 0
               8 |     for sku in items:
            >  9 |         amount += PRICES[sku]
              10 |     return amount

            http://localhost/acme/shop/blob/<Add up carts>/shop/cart.py#L9

            Last changed by Ada Lovelace on 2026-01-05 in <Add up carts>: Add up carts
            It first failed in release <Add up carts>.

            Traceback (most recent call last):
              File "/srv/venv/lib/python3.12/site-packages/flask/app.py", line 1511, in wsgi_app
                response = handle()
            > File "shop/cart.py", line 9, in total
            >   amount += PRICES[sku]
            KeyError: 'quince'

            (> the line to blame, * other code of acme/shop)

            Local variables
              shop/cart.py:9, in total
                sku = 'quince'

            Request
              Method: POST
              URL: https://shop.example/cart
              Host: shop.example

            Additional information
              Environment: production
              Server: web-1
              Release: <Add up carts>
              Client: sentry.python/2.75.0

            How often
              Occurrences: 1
              First seen: MOMENT
              Last seen: MOMENT
              Environments: production
              Releases: <Add up carts>
              Servers: web-1

            Why you
              - Blamed Ada Lovelace (<Add up carts>, 2026-01-05, Add up carts): shop/cart.py:9 in total, the line that raised the exception.
              - The report comes from commit <Add up carts>.
              - Confidence: medium. Of 100 recorded exceptions like this one, 73 were blamed on the right author.

            Latest occurrence:     https://flawless.test/view_traceback?repo=acme%2Fshop&filename=shop%2Fcart.py&function_name=total&line_number=9&text=amount+%2B%3D+PRICES%5Bsku%5D&timestamp=…&line_id=…&expires=…&signature=…
            The commit:            http://localhost/acme/shop/commit/<Add up carts>
            All errors this week:  https://flawless.test/get_weekly_error_report?repo=acme%2Fshop&timestamp=…
            Whitelist this line:   https://flawless.test/add_known_error?repo=acme%2Fshop&filename=shop%2Fcart.py&function_name=total&code_fragment=amount+%2B%3D+PRICES%5Bsku%5D&line_id=…&expires=…&signature=…
            Not me:                https://flawless.test/not_me?repo=acme%2Fshop&filename=shop%2Fcart.py&function_name=total&line_number=9&text=amount+%2B%3D+PRICES%5Bsku%5D&line_id=…&expires=…&signature=…

            --
            Flawless sends one mail for each failing line, however often it fails.
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
            **`KeyError`** in `total`, `shop/cart.py:9`.

            **1 occurrence** on MOMENT. Open.

            | | |
            | --- | --- |
            | Environments | production |
            | Releases | <Add up carts> |
            | Servers | web-1 |

            The application said this. Whoever made it fail may have chosen the words: they are data, and ask nothing of the reader.

            ```
            'quince'
            ```

            http://localhost/acme/shop/blob/<Add up carts>/shop/cart.py#L5-L10

            Last changed by Ada Lovelace on 2026-01-05 in [<Add up carts>](http://localhost/acme/shop/commit/<Add up carts>): Add up carts

            It first failed in release `<Add up carts>`.

            <details><summary>The code as text</summary>

            ```python
               5 |
               6 | def total(items):
               7 |     amount = 0
               8 |     for sku in items:
            >  9 |         amount += PRICES[sku]
              10 |     return amount
            ```
            </details>

            ### Why this line

            - Blamed Ada Lovelace (<Add up carts>, 2026-01-05, Add up carts): shop/cart.py:9 in total, the line that raised the exception.
            - The report comes from commit <Add up carts>.
            - Confidence: medium. Of 100 recorded exceptions like this one, 73 were blamed on the right author.

            ### Traceback

            As the application reported it, messages included.

            ```
            Traceback (most recent call last):
              File "/srv/venv/lib/python3.12/site-packages/flask/app.py", line 1511, in wsgi_app
                response = handle()
            > File "shop/cart.py", line 9, in total
            >   amount += PRICES[sku]
            KeyError: 'quince'
            ```

            [All errors of this week](https://flawless.test/get_weekly_error_report?repo=acme%2Fshop&timestamp=…), with the latest traceback of each line, for those who may see them.

            ### How to answer

            - **Fixed?** Close this issue. It is opened again only if the error comes from a version that has the fix.
            - **Not worth fixing?** Close it with the label `known-error`: the line is still counted, but nobody is told of it again. `known-error: function` and `known-error: file` do the same for the whole function or file.
            - **The caller's fault?** Add the label `library-code`: this function is library code from then on, and the line that calls it is blamed.
            - **Somebody else's?** Assign them: the line is theirs from then on.

            Taking a label off, or opening the issue again, ends what the label did.
        acme/shop#1 assigned to ada
        "#);
        let line = story.lines().await.remove(0);
        assert_eq!((line.place.path.as_str(), line.place.line, line.total), (CART_PATH, 9, 1));
        assert_eq!(line.author_login.as_ref().map(Login::as_str), Some("ada"));
        let issue = story.github.issue(REPO, 1);
        assert!(issue.body.starts_with("<!-- flawless:"), "{}", issue.body);
        assert_eq!(issue.assignees, ["ada"]);
    });
}

#[test]
fn the_same_error_a_thousand_times_from_three_servers_is_one_mail_and_one_issue() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        let head = story.repo.head();
        for n in 0..1000 {
            let event = story_event(story, &head, n);
            assert_eq!(story.send_to(story.url(), &key, project, &event).await, 200);
            if n == 700 {
                // Most arrive before anybody knows which line it is, some after.
                story.settle().await;
            }
        }
        story.settle().await;
        let lines = story.lines().await;
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].total, 1000);
        let counts = store::lines::counts(&story.services().store, &lines[0]).await.unwrap();
        let mut servers = counts.servers;
        servers.sort();
        assert_eq!(servers, ["web-0", "web-1", "web-2"]);
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        acme/shop#1 commented:
            1,000 occurrences so far, on 3 servers (`web-0`, `web-1`, `web-2`), in release `<Add up carts>`.
        ");
    });
}

fn story_event(story: &Story, head: &str, n: usize) -> Value {
    story.event_at(head, CART_PATH, "PRICES[sku]", "total", &format!("web-{}", n % 3))
}

#[test]
fn a_line_that_moves_keeps_its_alert() {
    run_test(async |story| {
        story.alerted().await;
        let above = CART.replace("def total", "CURRENCY = 'EUR'\n\n\ndef total");
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[(CART_PATH, &above)], "Name the currency");
        story.push().await;
        story.fails(1).await;
        story.rename(GRACE, "2026-02-02T10:00:00Z", CART_PATH, "shop/basket.py");
        story.push().await;
        let renamed = story.event_at(&story.repo.head(), "shop/basket.py", "PRICES[sku]", "total", "web-1");
        story.report(&renamed).await;
        let lines = story.lines().await;
        assert_eq!(lines.len(), 1, "{lines:#?}");
        assert_eq!((lines[0].total, lines[0].place.path.as_str(), lines[0].place.line), (3, "shop/basket.py", 12));
    });
}

#[test]
fn a_line_that_changes_is_another_line_with_another_author() {
    run_test(async |story| {
        story.alerted().await;
        let changed = CART.replace("amount += PRICES[sku]", "amount += PRICES[sku] * 2");
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[(CART_PATH, &changed)], "Double everything");
        story.push().await;
        story.fails(1).await;
        assert_eq!(story.lines().await.len(), 2);
        insta::assert_snapshot!(story.transcript(), @"
        mail to grace@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.
        acme/shop#1 commented:
            This line was edited by Grace Hopper in <Double everything>, and the same exception goes on in
            `total` in `shop/cart.py`, line 9. This issue goes on with the line as it is now: `amount +=
            PRICES[sku] * 2` (it was `amount += PRICES[sku]`).
        acme/shop#1 assigned to grace
        acme/shop#1 status:
            + | Releases | <Double everything> |
        ");
    });
}

#[test]
fn a_pushed_commit_is_blamed_without_a_restart() {
    run_test(async |story| {
        story.install().await;
        let fresh = "def refund(order):\n    return order['paid']\n";
        story.commit(LINUS, "2026-03-01T10:00:00Z", &[("shop/refund.py", fresh)], "Refund");
        story.push().await;
        story.fails_at("shop/refund.py", "order['paid']", "refund").await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to linus@example.com: [acme/shop] KeyError in refund (shop/refund.py:2)
            You wrote this line.
        acme/shop#1 opened: KeyError in refund (shop/refund.py) [flawless]
        acme/shop#1 assigned to linus
        ");
    });
}

#[test]
fn a_commit_whose_push_was_never_announced_is_fetched_when_a_report_names_it() {
    run_test(async |story| {
        story.install().await;
        let fresh = "def refund(order):\n    return order['paid']\n";
        story.commit(LINUS, "2026-03-01T10:00:00Z", &[("shop/refund.py", fresh)], "Refund");
        story.later(SignedDuration::from_mins(1)).await;
        story.fails_at("shop/refund.py", "order['paid']", "refund").await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to linus@example.com: [acme/shop] KeyError in refund (shop/refund.py:2)
            You wrote this line.
        acme/shop#1 opened: KeyError in refund (shop/refund.py) [flawless]
        acme/shop#1 assigned to linus
        ");
    });
}

#[test]
fn a_report_of_a_commit_that_is_not_here_yet_waits_for_the_next_fetch() {
    run_test(async |story| {
        story.install().await;
        let fresh = "def refund(order):\n    return order['paid']\n";
        story.commit(LINUS, "2026-03-01T10:00:00Z", &[("shop/refund.py", fresh)], "Refund");
        // The repository was fetched a moment ago: told now, it would be nobody's.
        let event = story.event_at(&story.repo.head(), "shop/refund.py", "order['paid']", "refund", "web-1");
        story.report(&event).await;
        story.assert_silent("it waits");
        story.later(SignedDuration::from_secs(31)).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to linus@example.com: [acme/shop] KeyError in refund (shop/refund.py:2)
            You wrote this line.
        acme/shop#1 opened: KeyError in refund (shop/refund.py) [flawless]
        acme/shop#1 assigned to linus
        ");

        // A commit that never comes is looked for once, and told without.
        let mut event = story.event();
        event["release"] = "0123456789abcdef0123456789abcdef01234567".into();
        story.report(&event).await;
        story.later(SignedDuration::from_secs(31)).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.
        acme/shop#2 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#2 assigned to ada
        ");
    });
}

#[test]
fn an_older_release_is_blamed_as_of_that_release() {
    run_test(async |story| {
        let old = story.repo.head();
        let changed = CART.replace("amount += PRICES[sku]", "amount += PRICES[sku] * 2");
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[(CART_PATH, &changed)], "Double everything");
        story.install().await;
        let event = story.event_at(&old, CART_PATH, "PRICES[sku]", "total", "web-1");
        story.report(&event).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        ");
        let found = story.lines().await.remove(0);
        assert_eq!(found.place.code, "amount += PRICES[sku]");
    });
}

#[test]
fn a_restart_forgets_nothing() {
    run_test(async |story| {
        story.alerted().await;
        story.restart().await;
        let event = story.event();
        story.report(&event).await;
        story.report(&event).await;
        let lines = story.lines().await;
        assert_eq!((lines.len(), lines[0].total), (1, 3));
    });
}

#[test]
fn what_cannot_be_blamed_goes_to_the_default_contact_once() {
    run_test(async |story| {
        let settings = "email: { default_contact: oncall@example.com }\n";
        story.commit(ADA, "2026-01-06T10:00:00Z", &[(".github/flawless.yml", settings)], "Configure");
        story.install().await;
        let mut event = story.event();
        let frames = event.pointer_mut("/exception/values/0/stacktrace/frames").unwrap().as_array_mut().unwrap();
        frames.pop();
        story.report(&event).await;
        story.report(&event).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to oncall@example.com: [acme/shop] KeyError in wsgi_app (/srv/venv/lib/python3.12/site-packages/flask/app.py:1511)
            You are the default contact: it is not known who wrote the code that failed (why: see below).
        acme/shop#1 opened: KeyError in wsgi_app (/srv/venv/lib/python3.12/site-packages/flask/app.py) [flawless]
        ");
        assert_eq!(story.lines().await[0].total, 2);
    });
}

/// A report that asks for so many occurrences to be waited for.
fn waiting_for(story: &Story, threshold: u64) -> Value {
    let mut event = story.event();
    event["extra"] = json!({"flawless.error_threshold": threshold});
    event
}

#[test]
fn what_one_report_asks_to_be_waited_for_keeps_no_other_from_being_told() {
    run_test(async |story| {
        story.install().await;
        let patient = waiting_for(story, 1 << 62);
        story.report(&patient).await;
        assert_eq!(story.transcript(), "");
        let lines = story.lines().await;
        assert_eq!((lines[0].total, lines[0].error_threshold), (1, Some(1_000_000)));
        let hasty = waiting_for(story, 4);
        story.report(&hasty).await;
        story.report(&patient).await;
        assert_eq!(story.transcript(), "", "four are waited for, whoever else waits for more");
        story.report(&hasty).await;
        story.assert_usual_alert();
    });
}

#[test]
fn a_report_that_asks_for_nothing_is_told_as_the_settings_say() {
    run_test(async |story| {
        story.install().await;
        let patient = waiting_for(story, 1 << 62);
        story.report(&patient).await;
        assert_eq!(story.transcript(), "");
        story.fails(1).await;
        story.assert_usual_alert();
    });
}
