//! What many stories begin with or do: the first alert, failures of many functions, time that goes
//! by, a GitHub that asks to wait.

use super::browser::Browser;
use super::fake_github::Fault;
use super::git_repo::{ADA, GRACE};
use super::story::{CART, CART_PATH, REPO, Story};
use domain::timestamp::HOUR;
use jiff::SignedDuration;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::ops::Range;
use std::path::PathBuf;
use store::repositories::RepositoryRow;
use store::rules::RuleRow;

/// A minute.
pub const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// What people read of the usual failure.
const FIRST_ALERT: &str = "\
mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
    You wrote this line.
acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
acme/shop#1 assigned to ada
";

/// What people read when Grace edited the line of the usual failure, and it fails as before.
const EDITED_ALERT: &str = "\
mail to grace@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
    You wrote this line.
acme/shop#1 commented:
    This line was edited by Grace Hopper in <Lower>, and the same exception goes on in `total` in
    `shop/cart.py`, line 9. This issue goes on with the line as it is now: `amount +=
    PRICES[sku.lower()]` (it was `amount += PRICES[sku]`).
ASSIGNEDacme/shop#1 status:
    + | Releases | <Lower> |
";

/// As many new lines as are told of one by one: the next is a storm's.
const NEARLY_A_STORM: &str = "\
20 × mail to ada@example.com: [acme/shop] KeyError in aN (shop/a.py:N)
    You wrote this line.
20 × acme/shop#N opened: KeyError in aN (shop/a.py) [flawless]
20 × acme/shop#N assigned to ada
";

impl Story {
    /// Installs the App and lets the usual failure happen: Ada is told of it, by one mail and one
    /// issue. The mail's text.
    pub async fn alerted(&mut self) -> String {
        self.install().await;
        self.fails(1).await;
        let text = self.unread_text();
        self.assert_usual_alert();
        text
    }

    /// Looks at what is new, and fails where it is not just the usual failure's mail and issue.
    #[track_caller]
    pub fn assert_usual_alert(&self) {
        assert_eq!(self.transcript(), FIRST_ALERT);
    }

    /// The same, with something that follows it.
    #[track_caller]
    pub fn assert_usual_alert_and(&self, more: &str) {
        assert_eq!(self.transcript(), format!("{FIRST_ALERT}{more}"));
    }

    /// From now on the repository is served as a shallow clone, which can never be mirrored: its
    /// newest commit, and nothing before it.
    pub fn cut_off_history(&mut self) {
        let shallow = self.folder().join("shallow");
        let from = format!("file://{}", self.repo.path().display());
        self.repo.git(&["clone", "--quiet", "--depth=1", &from, &shallow.display().to_string()]);
        self.git.host.serve(REPO, shallow.join(".git"));
    }

    /// Grace edits the line of the usual failure, and it fails as before. The edited text's commit.
    pub async fn edited(&mut self) -> String {
        let sha = self.commit(GRACE, "2026-02-01T10:00:00Z", &[(CART_PATH, &cart_with(EDITED))], "Lower");
        self.push().await;
        self.cart_fails_at(EDITED).await;
        sha
    }

    /// Looks at what is new, and fails where it is not just that the issue goes on with the edited
    /// line, and whom it is assigned to now.
    #[track_caller]
    pub fn assert_edited_alert(&self, assignee: Option<&str>) {
        let assigned = assignee.map(|login| format!("acme/shop#1 assigned to {login}\n")).unwrap_or_default();
        assert_eq!(self.transcript(), EDITED_ALERT.replace("ASSIGNED", &assigned));
    }

    /// Installs the App, and lets 20 of so many functions in `shop/a.py` fail: each is told of, and
    /// the next begins a storm.
    pub async fn nearly_a_storm(&mut self, functions_in_all: usize) {
        let text = functions("a", functions_in_all);
        self.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/a.py", &text)], "Add a");
        self.install().await;
        self.functions_fail("shop/a.py", "a", 0..20).await;
        assert_eq!(self.transcript(), NEARLY_A_STORM);
    }

    /// The mails that nobody has seen yet are copies of one: mail programs show it once.
    #[track_caller]
    pub fn assert_copies_of_one_mail(&self) {
        let ids: HashSet<_> = self.mails().iter().map(|mail| mail.header("Message-ID")).collect();
        assert_eq!(ids.len(), 1, "{ids:?}");
    }

    /// The usual failure, so many times, and what follows.
    pub async fn fails(&mut self, times: usize) {
        for _ in 0..times {
            let event = self.event();
            self.report(&event).await;
        }
    }

    /// A failure at the line of the newest `path` that contains `code`, and what follows.
    pub async fn fails_at(&mut self, path: &str, code: &str, function: &str) {
        let event = self.event_at(&self.repo.head(), path, code, function, "web-1");
        self.report(&event).await;
    }

    /// A failure of the cart at the line that contains `code`, and what follows.
    pub async fn cart_fails_at(&mut self, code: &str) {
        self.fails_at(CART_PATH, code, "total").await;
    }

    /// Reports of functions of a file that [`functions`] made, each from the head. Nothing follows
    /// yet.
    pub async fn send_functions(&self, path: &str, prefix: &str, range: Range<usize>) {
        let (key, project) = self.key().await;
        let head = self.repo.head();
        for n in range {
            let event = self.event_at(&head, path, &format!("x.{prefix}_{n}"), &format!("{prefix}{n}"), "web-1");
            assert_eq!(self.send_to(self.url(), &key, project, &event).await, 200);
        }
    }

    /// The same, and what follows.
    pub async fn functions_fail(&mut self, path: &str, prefix: &str, range: Range<usize>) {
        self.send_functions(path, prefix, range).await;
        self.settle().await;
    }

    /// Fails where anybody could read anything new.
    #[track_caller]
    pub fn assert_silent(&self, why: &str) {
        assert_eq!(self.transcript(), "", "{why}");
    }

    /// The folder of the only mirror.
    pub fn mirror(&self) -> PathBuf {
        let mirrors = std::fs::read_dir(self.folder().join("data/mirrors")).unwrap();
        mirrors.map(|entry| entry.unwrap().path()).find(|path| path.join("objects").is_dir()).unwrap()
    }

    /// Does what is due by time alone at this moment, and lets happen what follows.
    pub async fn tick(&mut self) {
        self.worker().tick(self.clock.now()).await;
        self.settle().await;
    }

    /// Moves the clock, then does what is due by time alone, and lets happen what follows.
    pub async fn tick_after(&mut self, by: SignedDuration) {
        self.clock.advance(by);
        self.tick().await;
    }

    /// The hourly comparison with GitHub, which knows nothing of lost webhooks.
    pub async fn compare(&mut self) {
        self.github.fail_next("apps/list-webhook-deliveries", Fault::status(404, "Not Found"));
        self.tick_after(HOUR).await;
    }

    /// Whose the only line is, by a person's word.
    pub async fn owner(&self) -> Option<String> {
        self.lines().await.remove(0).owner_login.map(|login| login.as_str().to_owned())
    }

    /// Ends the only entry that people or labels made, on the whitelist's page.
    pub async fn end_the_only_rule(&self) {
        let admin = Browser::signed_in(self).await;
        let csrf = admin.get("/add_known_error?repo=acme/shop").await.hidden("csrf");
        let rules = self.rules().await;
        assert_eq!(rules.len(), 1, "{rules:#?}");
        let id = rules[0].made.id.0.to_string();
        admin.post("/rules/end", &[("csrf", csrf.as_str()), ("repo", REPO), ("rule", id.as_str())]).await;
        assert!(self.rules().await.is_empty());
    }

    /// The watched repository.
    pub async fn repository(&self) -> RepositoryRow {
        store::repositories::by_name(&self.services().store, &REPO.into())
            .await
            .unwrap()
            .expect("the repository is watched")
    }

    /// The rules in force that people made, oldest first.
    pub async fn rules(&self) -> Vec<RuleRow> {
        store::rules::in_force(&self.services().store, self.repository().await.repository.id).await.unwrap()
    }

    /// Nothing is sent from now on.
    pub async fn begin_shadow(&self) {
        self.services().shadow_mode().begin(&self.repository().await).await.unwrap();
    }

    /// What happens from now on is told again.
    pub async fn end_shadow(&self) {
        self.services().shadow_mode().end(&self.repository().await, self.clock.now()).await.unwrap();
    }
}

/// The failing line of the cart, as Grace edits it.
pub const EDITED: &str = "amount += PRICES[sku.lower()]";

/// The cart as somebody wrote its failing line anew.
pub fn cart_with(line: &str) -> String {
    CART.replace("amount += PRICES[sku]", line)
}

/// A file of this many functions, each with a line of its own that fails.
pub fn functions(prefix: &str, count: usize) -> String {
    let mut text = String::new();
    for n in 0..count {
        writeln!(text, "def {prefix}{n}(x):\n    return x.{prefix}_{n}\n").unwrap();
    }
    text
}

impl Fault {
    /// GitHub's secondary rate limit, to be waited for so many seconds.
    pub fn slow_down(seconds: u64) -> Self {
        let headers = vec![("retry-after", seconds.to_string())];
        let body = serde_json::json!({ "message": "You have exceeded a secondary rate limit." });
        Self::Status { status: 403, headers, body }
    }
}
