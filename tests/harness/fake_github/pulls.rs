//! Pull requests, teams and the addresses of accounts on the fake GitHub.

use super::FakeGitHub;
use super::api::{Answered, Asked, error, plain};
use super::world::{Repository, World, time};
use domain::timestamp::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A pull request, beside the issue of its number.
#[derive(Clone, Debug)]
pub struct Pull {
    pub merged_by: Option<String>,
    pub merged_at: Option<Timestamp>,
    pub base: String,
    /// What it brought.
    pub commits: Vec<String>,
}

/// What is known of people beyond their accounts.
#[derive(Default)]
pub struct Contacts {
    /// Members by `org/team`.
    pub teams: BTreeMap<String, Vec<String>>,
    /// Name and address of the commits of a login.
    pub writes_as: BTreeMap<String, (String, String)>,
    /// Addresses that accounts show to everybody.
    pub shown: BTreeMap<String, String>,
}

impl FakeGitHub {
    /// Somebody opens a pull request with these commits, and somebody merges it.
    pub fn merge_pull(&self, repository: &str, by: &str, merger: &str, title: &str, commits: &[&str]) -> u64 {
        let number = self.open_pull_request(repository, by, title, "", &[]);
        let mut world = self.world();
        let now = world.now;
        let pull = Pull {
            merged_by: Some(merger.to_owned()),
            merged_at: Some(now),
            base: "main".to_owned(),
            commits: commits.iter().map(|&sha| sha.to_owned()).collect(),
        };
        world.repository_mut(repository).pulls.insert(number, pull);
        number
    }

    /// Changes a pull request.
    pub fn change_pull(&self, repository: &str, number: u64, change: impl FnOnce(&mut Pull)) {
        change(self.world().repository_mut(repository).pulls.get_mut(&number).expect("a pull request"));
    }

    /// A team, which the App may see.
    pub fn add_team(&self, team: &str, members: &[&str]) {
        let members = members.iter().map(|&login| login.to_owned()).collect();
        self.world().contacts.teams.insert(team.to_owned(), members);
    }

    /// The name and address with which an account commits.
    pub fn writes_as(&self, login: &str, name: &str, email: &str) {
        self.world().contacts.writes_as.insert(login.to_owned(), (name.to_owned(), email.to_owned()));
    }

    /// The address that an account shows to everybody.
    pub fn shows_address(&self, login: &str, email: &str) {
        self.world().contacts.shown.insert(login.to_owned(), email.to_owned());
    }
}

impl World {
    fn pull_json(&self, it: &Repository, number: u64, pull: &Pull, whole: bool) -> Value {
        let issue = &it.issues[&number];
        let mut json = json!({
            "id": issue.id, "number": number, "title": issue.title, "user": self.account_json(&issue.user),
            "state": if pull.merged_at.is_some() { "closed" } else { "open" }, "draft": false,
            "html_url": format!("https://github.com/{}/pull/{number}", it.full_name),
            "merged_at": pull.merged_at.map(time), "merge_commit_sha": pull.commits.last(),
            "base": { "ref": pull.base }, "head": { "ref": "a-branch" },
        });
        // Only the answer about one pull request has this.
        if whole {
            json["merged_by"] = pull.merged_by.as_ref().map_or(Value::Null, |login| self.account_json(login));
            json["merged"] = Value::from(pull.merged_at.is_some());
        }
        json
    }

    pub fn pulls_of_commit(&mut self, asked: &Asked<'_>, id: u64) -> Answered {
        let it = &self.repositories[&id];
        let sha = &asked.params["commit_sha"];
        if !it.authors.contains_key(sha) {
            return error(422, &format!("No commit found for SHA: {sha}"));
        }
        let pulls = it.pulls.iter().filter(|(_, pull)| pull.commits.contains(sha));
        let all = pulls.map(|(number, pull)| self.pull_json(it, *number, pull, false)).collect();
        self.page(asked, all, None)
    }

    pub fn one_pull(&self, asked: &Asked<'_>, id: u64) -> Answered {
        let (it, number) = (&self.repositories[&id], asked.number("pull_number"));
        match it.pulls.get(&number) {
            Some(pull) => plain(200, self.pull_json(it, number, pull, true)),
            None => error(404, "Not Found"),
        }
    }

    /// The commits of one author, of which only name and address matter.
    pub fn commits_of(&mut self, asked: &Asked<'_>) -> Answered {
        let login = asked.query("author").unwrap_or_default();
        let written = self.contacts.writes_as.iter().filter(|(known, _)| known.eq_ignore_ascii_case(login));
        let all = written
            .map(|(login, (name, email))| {
                let person = json!({ "name": name, "email": email, "date": time(self.now) });
                let commit = json!({ "author": person, "committer": person, "message": "m" });
                json!({ "sha": "0".repeat(40), "commit": commit, "author": self.account_json(login), "parents": [] })
            })
            .collect();
        self.page(asked, all, None)
    }

    pub fn user(&self, asked: &Asked<'_>) -> Answered {
        let login = &asked.params["username"];
        let Some(account) = self.accounts.iter().find(|it| it.login.eq_ignore_ascii_case(login)) else {
            return error(404, "Not Found");
        };
        let mut json = self.account_json(&account.login);
        json["name"] = Value::Null;
        json["email"] =
            self.contacts.shown.get(&account.login).map_or(Value::Null, |email| Value::from(email.as_str()));
        plain(200, json)
    }

    pub fn team_members(&mut self, asked: &Asked<'_>) -> Answered {
        let team = format!("{}/{}", asked.params["org"], asked.params["team_slug"]);
        let Some(members) = self.contacts.teams.get(&team) else { return error(404, "Not Found") };
        let all = members.iter().map(|login| self.account_json(login)).collect();
        self.page(asked, all, None)
    }
}
