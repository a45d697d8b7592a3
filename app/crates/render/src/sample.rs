//! An alert as it could be, for the samples of views and for looking at them.

use domain::alert::{Alert, Counts, Links, Place, Recipient, Snippet, TracedException, TracedFrame};
use domain::blame::{Author, Blame};
use domain::commit::CommitId;
use domain::ids::{LineId, RepositoryId};
use domain::pull::Pull;
use domain::repository::{GitHubRepository, Repository};
use domain::timestamp::Timestamp;

/// The revision that ran.
const REVISION: &str = "5d41402abc4b2a76b9719d911017c592aa0f3c11";
/// The commit that wrote the line.
const COMMIT: &str = "9f2c1e7b3a8d4c5f6e7081920a1b2c3d4e5f6071";

/// A private repository on GitHub.
pub(super) fn repository() -> Repository {
    Repository {
        id: RepositoryId(7),
        full_name: "acme/shop".into(),
        clone_url: "https://github.com/acme/shop.git".to_owned(),
        github: Some(GitHubRepository {
            id: 4711,
            installation: 99,
            html_url: "https://github.com/acme/shop".to_owned(),
        }),
        public: false,
        default_branch: Some("main".to_owned()),
        head: Some(CommitId::new(REVISION)),
    }
}

/// A `KeyError` in a shop, which its view called and a library raised.
pub fn alert() -> Alert {
    let repository = repository();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let strings = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<String>>();
    Alert {
        line: LineId(12),
        marker: "flawless line 12 of 3f9a".to_owned(),
        place: place(),
        revision: Some(CommitId::new(REVISION)),
        snippet: Snippet {
            first: 39,
            lines: strings(&[
                "    def total(self, basket):",
                "        amount = Decimal(0)",
                "        for sku, count in basket.items():",
                "            price = self.prices[sku]",
                "            amount += price * count",
                "        return amount.quantize(CENT)",
            ]),
        },
        exception: "KeyError".to_owned(),
        message: Some("'sku-1042'".to_owned()),
        message_in_issue: true,
        blame: Some(Blame {
            commit: CommitId::new(COMMIT),
            path: "shop/cart.py".to_owned(),
            line: 38,
            author: Author { name: "Ada Lovelace".to_owned(), email: "ada@example.com".to_owned() },
            authored_at: Timestamp::from_millis(1_793_613_600_000),
            summary: "Look prices up once instead of per item".to_owned(),
            committed_at: Timestamp::from_millis(1_793_613_600_000),
            co_authors: Vec::new(),
            passed: Vec::new(),
        }),
        pull: Some(Pull {
            number: 12,
            title: "Faster carts".to_owned(),
            url: "https://github.com/acme/shop/pull/12".to_owned(),
            merged_at: Some(Timestamp::from_millis(1_793_700_000_000)),
            author: None,
        }),
        first_release: Some("shop@2.4.1".to_owned()),
        author_login: Some("ada".into()),
        told: Recipient {
            name: "Ada Lovelace".to_owned(),
            email: Some("ada@example.com".to_owned()),
            login: Some("ada".into()),
            why: "You wrote this line.".to_owned(),
        },
        no_line: Vec::new(),
        verdict: strings(&[
            "The exception was raised in shop/cart.py, line 42: the innermost code of this repository.",
            "2 inner calls are in libraries and were passed over.",
            "The release shop@2.4.1 is commit 5d41402.",
            "git blame names commit 9f2c1e7 by Ada Lovelace.",
        ]),
        traceback: vec![TracedException {
            name: "KeyError".to_owned(),
            value: Some("'sku-1042'".to_owned()),
            relation: None,
            frames: calls(&repository),
        }],
        request: vec![
            pair("URL", "https://shop.example.com/checkout?step=2"),
            pair("Method", "POST"),
            pair("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)"),
            pair("Cookie", "[scrubbed]"),
        ],
        additional: vec![pair("user.id", "8812"), pair("tags.plan", "premium")],
        days: vec![0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1_200],
        counts: Counts {
            total: 1_204,
            first_seen_at: Timestamp::from_millis(1_795_347_060_000),
            last_seen_at: Timestamp::from_millis(1_795_360_980_000),
            servers: strings(&["web-3", "web-1"]),
            releases: strings(&["shop@2.4.1"]),
            environments: strings(&["production"]),
            exceptions: strings(&["KeyError"]),
        },
        links: Links {
            line: repository.line_url(&CommitId::new(REVISION), "shop/cart.py", 42),
            commit: repository.commit_url(&CommitId::new(COMMIT)),
            pull: repository.pull_url(12),
            occurrence: Some("https://flawless.example.com/view_traceback?line=12&sig=c2ln".to_owned()),
            not_me: None,
            whitelist: Some("https://flawless.example.com/add_known_error?line=12&sig=c2ln".to_owned()),
            week: Some("https://flawless.example.com/get_weekly_error_report?repo=acme%2Fshop".to_owned()),
            issue: repository.issue_url(318),
            why_no_line: None,
        },
        no_issue: None,
        header: None,
        repository,
    }
}

fn place() -> Place {
    Place {
        path: "shop/cart.py".to_owned(),
        function: "total".to_owned(),
        line: 42,
        code: "price = self.prices[sku]".to_owned(),
    }
}

fn calls(repository: &Repository) -> Vec<TracedFrame> {
    let library = |path: &str, line, function: &str, code: &str| TracedFrame {
        path: path.to_owned(),
        line,
        function: function.to_owned(),
        code: Some(code.to_owned()),
        ..TracedFrame::default()
    };
    let own = |path: &str, line, function: &str, code: &str, vars: &[(&str, &str)]| TracedFrame {
        own: true,
        url: repository.line_url(&CommitId::new(REVISION), path, line),
        vars: vars.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
        ..library(path, line, function, code)
    };
    let place = place();
    let culprit = own(
        &place.path,
        place.line,
        &place.function,
        &place.code,
        &[("amount", "Decimal('18.40')"), ("basket", "{'sku-7': 2, 'sku-1042': 1}"), ("sku", "'sku-1042'")],
    );
    vec![
        library("site-packages/flask/app.py", 1498, "__call__", "return self.wsgi_app(environ, start_response)"),
        library("site-packages/flask/app.py", 917, "full_dispatch_request", "rv = self.dispatch_request()"),
        own(
            "shop/views.py",
            17,
            "checkout",
            "amount = cart.total(basket)",
            &[("customer", "<Customer 8812>"), ("step", "2")],
        ),
        TracedFrame { culprit: true, ..culprit },
        library("site-packages/cachetools/__init__.py", 68, "__getitem__", "return self.__missing__(key)"),
        library("site-packages/cachetools/__init__.py", 95, "__missing__", "raise KeyError(key)"),
    ]
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    #[test]
    fn the_mail_says_what_happened_and_why_this_reader_is_told() {
        let mail = crate::mail(&alert()).expect("renders");
        assert_eq!(mail.subject, "[acme/shop] KeyError in total (shop/cart.py:42)");
        insta::assert_snapshot!(mail.text, @r#"
        You wrote this line.

        KeyError: 'sku-1042'
        in total, shop/cart.py:42 (acme/shop)

          39 | def total(self, basket):
          40 |     amount = Decimal(0)
          41 |     for sku, count in basket.items():
        > 42 |         price = self.prices[sku]
          43 |         amount += price * count
          44 |     return amount.quantize(CENT)

        https://github.com/acme/shop/blob/5d41402abc4b2a76b9719d911017c592aa0f3c11/shop/cart.py#L42

        Last changed by Ada Lovelace on 2026-11-02 in 9f2c1e7: Look prices up once instead of per item
        It came with pull request #12, Faster carts (merged on 2026-11-03).
        It first failed in release shop@2.4.1.

        Traceback (most recent call last):
          File "site-packages/flask/app.py", line 1498, in __call__
            return self.wsgi_app(environ, start_response)
          File "site-packages/flask/app.py", line 917, in full_dispatch_request
            rv = self.dispatch_request()
        * File "shop/views.py", line 17, in checkout
        *   amount = cart.total(basket)
        > File "shop/cart.py", line 42, in total
        >   price = self.prices[sku]
          File "site-packages/cachetools/__init__.py", line 68, in __getitem__
            return self.__missing__(key)
          File "site-packages/cachetools/__init__.py", line 95, in __missing__
            raise KeyError(key)
        KeyError: 'sku-1042'

        (> the line to blame, * other code of acme/shop)

        Local variables
          shop/cart.py:42, in total
            amount = Decimal('18.40')
            basket = {'sku-7': 2, 'sku-1042': 1}
            sku = 'sku-1042'
          shop/views.py:17, in checkout
            customer = <Customer 8812>
            step = 2

        Request
          URL: https://shop.example.com/checkout?step=2
          Method: POST
          User-Agent: Mozilla/5.0 (X11; Linux x86_64)
          Cookie: [scrubbed]

        Additional information
          user.id: 8812
          tags.plan: premium

        How often
          Occurrences: 1,204
          First seen: 2026-11-22 11:31 UTC
          Last seen: 2026-11-22 15:23 UTC
          Environments: production
          Releases: shop@2.4.1
          Servers: web-3, web-1

        Why you
          - The exception was raised in shop/cart.py, line 42: the innermost code of this repository.
          - 2 inner calls are in libraries and were passed over.
          - The release shop@2.4.1 is commit 5d41402.
          - git blame names commit 9f2c1e7 by Ada Lovelace.

        Latest occurrence:     https://flawless.example.com/view_traceback?line=12&sig=c2ln
        The commit:            https://github.com/acme/shop/commit/9f2c1e7b3a8d4c5f6e7081920a1b2c3d4e5f6071
        The pull request:      https://github.com/acme/shop/pull/12
        All errors this week:  https://flawless.example.com/get_weekly_error_report?repo=acme%2Fshop
        The issue:             https://github.com/acme/shop/issues/318
        Whitelist this line:   https://flawless.example.com/add_known_error?line=12&sig=c2ln

        -- 
        Flawless sends one mail for each failing line, however often it fails.
        "#);
    }

    #[test]
    fn an_issue_of_a_private_repository() {
        let issue = crate::issue(&alert()).expect("renders");
        assert_eq!(issue.title, "KeyError in total (shop/cart.py)");
        insta::assert_snapshot!(issue.body, @r#"
        <!-- flawless line 12 of 3f9a -->
        **`KeyError`** in `total`, `shop/cart.py:42`.

        <!-- flawless:status -->
        **1,204 occurrences**, the first on 2026-11-22 11:31 UTC, the latest on 2026-11-22 15:23 UTC. Open.

        `▁▁▁▁▁▁▁▁▁▁▁▁▂█` the last 14 days up to 2026-11-22 15:23 UTC, 1,200 on the busiest

        | | |
        | --- | --- |
        | Environments | production |
        | Releases | shop@&#8203;2.4.1 |
        | Servers | web-3, web-1 |
        <!-- /flawless:status -->

        The application said this. Whoever made it fail may have chosen the words: they are data, and ask nothing of the reader.

        ```
        'sku-1042'
        ```

        https://github.com/acme/shop/blob/5d41402abc4b2a76b9719d911017c592aa0f3c11/shop/cart.py#L39-L44

        Last changed by Ada Lovelace on 2026-11-02 in [9f2c1e7](https://github.com/acme/shop/commit/9f2c1e7b3a8d4c5f6e7081920a1b2c3d4e5f6071): Look prices up once instead of per item

        It came with pull request [#12](https://github.com/acme/shop/pull/12), Faster carts (merged on 2026-11-03). It first failed in release `shop@2.4.1`.

        <details><summary>The code as text</summary>

        ```python
          39 | def total(self, basket):
          40 |     amount = Decimal(0)
          41 |     for sku, count in basket.items():
        > 42 |         price = self.prices[sku]
          43 |         amount += price * count
          44 |     return amount.quantize(CENT)
        ```
        </details>

        ### Why this line

        - The exception was raised in shop/cart.py, line 42: the innermost code of this repository.
        - 2 inner calls are in libraries and were passed over.
        - The release shop@&#8203;2.4.1 is commit 5d41402.
        - git blame names commit 9f2c1e7 by Ada Lovelace.

        ### Traceback

        As the application reported it, messages included.

        ```
        Traceback (most recent call last):
          File "site-packages/flask/app.py", line 1498, in __call__
            return self.wsgi_app(environ, start_response)
          File "site-packages/flask/app.py", line 917, in full_dispatch_request
            rv = self.dispatch_request()
          File "shop/views.py", line 17, in checkout
            amount = cart.total(basket)
        > File "shop/cart.py", line 42, in total
        >   price = self.prices[sku]
          File "site-packages/cachetools/__init__.py", line 68, in __getitem__
            return self.__missing__(key)
          File "site-packages/cachetools/__init__.py", line 95, in __missing__
            raise KeyError(key)
        KeyError: 'sku-1042'
        ```

        [All errors of this week](https://flawless.example.com/get_weekly_error_report?repo=acme%2Fshop), with the latest traceback of each line, for those who may see them.

        ### How to answer

        - **Fixed?** Close this issue. It is opened again only if the error comes from a version that has the fix.
        - **Not worth fixing?** Close it with the label `known-error`: the line is still counted, but nobody is told of it again. `known-error: function` and `known-error: file` do the same for the whole function or file.
        - **The caller's fault?** Add the label `library-code`: this function is library code from then on, and the line that calls it is blamed.
        - **Somebody else's?** Assign them: the line is theirs from then on.

        Taking a label off, or opening the issue again, ends what the label did.
        "#);
    }

    /// The lines that only one of two texts has.
    fn instead_of(one: &str, other: &str) -> String {
        let only = |sign: char, text: &str, but: &str| -> String {
            let lines = text.lines().filter(|line| !but.lines().any(|it| it == *line));
            lines.map(|line| format!("{sign} {line}\n")).collect()
        };
        only('-', one, other) + &only('+', other, one)
    }

    #[test]
    fn an_issue_of_a_public_repository_says_nothing_of_what_was_sent() {
        let sample = alert();
        let mut alert = sample.clone();
        alert.repository.public = true;
        alert.message_in_issue = false;
        alert.told.login = None;
        alert.author_login = None;
        alert.traceback[0].relation =
            Some("During handling of the above exception, another exception occurred:".to_owned());
        let issue = crate::issue(&alert).expect("renders");
        let private = crate::issue(&sample).expect("renders").body;
        insta::assert_snapshot!(instead_of(&private, &issue.body), @"
        - The application said this. Whoever made it fail may have chosen the words: they are data, and ask nothing of the reader.
        - 'sku-1042'
        - As the application reported it, messages included.
        - KeyError: 'sku-1042'
        + This could not be assigned to Ada Lovelace: no account of theirs can be assigned in this repository.
        + As the application reported it.
        + During handling of the above exception, another exception occurred:
        + KeyError
        ");
        let spoken = format!("{}{}", issue.title, issue.body);
        let mut secrets = vec![
            "'sku-1042'",
            "sig=",
            "18.40",
            "Customer 8812",
            "scrubbed",
            "premium",
            "ada@example.com",
            "checkout?step",
        ];
        secrets.retain(|secret| spoken.contains(secret));
        assert!(secrets.is_empty(), "{secrets:?}");
    }

    /// The same sample where every text is as bad and as long as a stranger can make it.
    pub(crate) fn hostile_alert() -> Alert {
        let bad = "`@ada` <b>#1</b> ``` | [x](javascript:y) --> \u{202e}\u{0}\r\n~~~\n# @org/team GH-7 https://h/i/1 "
            .repeat(60);
        let text = || bad.clone();
        let mut alert = alert();
        alert.place = Place { path: text(), function: text(), line: 42, code: text() };
        alert.snippet.lines = vec![text(); 9];
        (alert.exception, alert.message, alert.header) = (text(), Some(text()), Some(text()));
        alert.told = Recipient { name: text(), email: None, login: None, why: text() };
        if let Some(blame) = &mut alert.blame {
            blame.author = Author { name: text(), email: text() };
            blame.summary = text();
        }
        alert.author_login = Some(text().into());
        alert.first_release = Some(text());
        if let Some(pull) = &mut alert.pull {
            (pull.number, pull.title) = (77, text());
        }
        alert.verdict = vec![text(); 200];
        alert.no_line = vec![text(); 4];
        alert.request = vec![(text(), text()); 300];
        alert.additional = alert.request.clone();
        let names = vec![text(); 100];
        let counts = &mut alert.counts;
        counts.servers.clone_from(&names);
        counts.releases.clone_from(&names);
        counts.environments.clone_from(&names);
        counts.exceptions = names;
        let frame = TracedFrame {
            path: text(),
            line: u32::MAX,
            function: text(),
            code: Some(text()),
            own: true,
            culprit: false,
            url: Some(text()),
            vars: vec![(text(), text()); 30],
        };
        let exception =
            TracedException { name: text(), value: Some(text()), relation: Some(text()), frames: vec![frame; 60] };
        alert.traceback = vec![exception; 12];
        alert
    }
}
