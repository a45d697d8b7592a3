//! The crate `github` against the fake GitHub: each call, and each way in which it can fail.

mod access;
mod failures;
mod issues;
mod people;
mod webhooks;

use crate::harness::fake_github::FakeGitHub;
use app::clock::Clock;
use domain::repository::GitHubAddress;
use domain::timestamp::Timestamp;
use github::{GitHub, NewIssue};

/// A Tuesday in 2023.
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// One repository, one installation, and the client that is tested.
struct World {
    fake: FakeGitHub,
    github: GitHub,
    clock: Clock,
    installation: u64,
    /// The repository's number.
    shop: u64,
}

/// `acme/shop` with alice, who can be assigned, and mallory, who can't.
async fn world() -> World {
    let clock = Clock::fixed(NOW);
    let fake = FakeGitHub::start(clock.clone()).await;
    fake.add_user(1, "alice");
    fake.add_user(2, "mallory");
    let shop = fake.add_repository("acme/shop", true);
    fake.set_assignable("acme/shop", &["alice"]);
    let installation = fake.install("acme", &["acme/shop"]);
    fake.lose_deliveries();
    let github = GitHub::new(fake.settings()).unwrap();
    World { fake, github, clock, installation, shop }
}

impl World {
    /// Where the repository is on GitHub, by the name that it began with.
    fn shop(&self) -> GitHubAddress {
        GitHubAddress { installation: self.installation, id: self.shop, name: "acme/shop".into() }
    }

    /// The same repository by another name.
    fn called(&self, name: &str) -> GitHubAddress {
        GitHubAddress { name: name.into(), ..self.shop() }
    }

    /// What the bot did to issues since the last look, a line each.
    fn changes(&self) -> Vec<String> {
        self.fake.take_issue_changes().iter().map(ToString::to_string).collect()
    }

    /// Files an issue with `marker` and the label `flawless`.
    async fn file(&self, marker: &str) -> u64 {
        let filed = self.github.create_issue(&self.shop(), &new_issue(marker)).await.unwrap();
        self.changes();
        filed.number
    }
}

fn new_issue(marker: &str) -> NewIssue {
    let body = format!("It failed.\n\n<!-- {marker} -->");
    NewIssue { title: "KeyError in shop/cart.py".to_owned(), body, labels: vec!["flawless".to_owned()] }
}
