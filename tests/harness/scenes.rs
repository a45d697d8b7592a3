//! What many stories begin with or do: the first alert, failures of many functions, time that goes
//! by, a GitHub that asks to wait.

use super::fake_github::Fault;
use super::story::{CART, CART_PATH, REPO, Story};
use jiff::SignedDuration;
use std::fmt::Write as _;
use std::ops::Range;
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

    /// From now on the repository is served as a shallow clone, which can never be mirrored: its
    /// newest commit, and nothing before it.
    pub fn cut_off_history(&mut self) {
        let shallow = self.folder().join("shallow");
        let from = format!("file://{}", self.repo.path().display());
        self.repo.git(&["clone", "--quiet", "--depth=1", &from, &shallow.display().to_string()]);
        self.git.host.serve(REPO, shallow.join(".git"));
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

    /// The watched repository.
    pub async fn repository(&self) -> RepositoryRow {
        store::repositories::by_name(&self.services().store, REPO).await.unwrap().expect("the repository is watched")
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
