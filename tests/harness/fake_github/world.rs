//! The state of the fake GitHub: accounts, installations, repositories, issues; and how the API
//! writes each of them.

use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt;

/// The whole state.
#[derive(Default)]
pub struct World {
    pub url: String,
    /// By its own clock, which is so far ahead of the story's.
    pub now: Timestamp,
    pub ahead: SignedDuration,
    /// What the story's clock said when it was looked at last.
    pub story: Timestamp,
    /// What answers say of the time, where it is not that.
    pub date: Option<Timestamp>,
    pub accounts: Vec<Account>,
    pub installations: BTreeMap<u64, Installation>,
    pub repositories: BTreeMap<u64, Repository>,
    pub tokens: HashMap<String, Token>,
    pub token_life: SignedDuration,
    /// How far lists of issues are behind the issues themselves.
    pub list_lag: SignedDuration,
    /// How far the answers about one issue are behind it.
    pub read_lag: SignedDuration,
    /// What was done to an issue, the oldest first, as GitHub lists it.
    pub events: HashMap<(u64, u64), Vec<(Timestamp, Value)>>,
    /// How far that list is behind.
    pub event_lag: SignedDuration,
    /// How issues were before each of their changes, by repository and number: until when, oldest
    /// first.
    pub history: HashMap<(u64, u64), Vec<(Timestamp, Issue)>>,
    pub faults: VecDeque<(String, super::Fault)>,
    /// What is done later than it was asked for, and when.
    pub late: Vec<(Timestamp, super::serve::Received)>,
    pub requests: Vec<super::Recorded>,
    pub violations: Vec<String>,
    pub changes: Vec<IssueChange>,
    pub queue: VecDeque<super::hooks::Delivery>,
    pub delivered: Vec<super::hooks::Delivery>,
    /// Addresses that answers pointed to: only those may be asked outside of the OpenAPI's paths.
    pub offered: HashSet<String>,
    pub next_id: u64,
    /// It knows no issue that is closed as a duplicate, as an older Enterprise Server.
    pub has_no_duplicates: bool,
    /// Permissions that nobody granted.
    pub withheld: Vec<String>,
    /// Accounts whose IP allow list does not have the bot's address.
    pub closed_to_us: HashSet<String>,
    pub people: super::sign_in::People,
    pub contacts: super::pulls::Contacts,
    /// Apps that were made by manifest and wait to be handed over, by code: until when.
    pub codes: HashMap<String, Timestamp>,
}

/// A person, bot or organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: u64,
    pub login: String,
    pub kind: String,
}

pub struct Token {
    pub installation: u64,
    /// What it may do was settled when it was minted.
    pub writes_issues: bool,
    pub expires_at: Timestamp,
}

pub struct Installation {
    pub id: u64,
    pub account: String,
    pub suspended: bool,
    pub repositories: BTreeSet<u64>,
}

pub struct Repository {
    pub id: u64,
    pub full_name: String,
    pub old_names: Vec<String>,
    pub private: bool,
    pub default_branch: String,
    pub labels: Vec<Label>,
    pub issues: BTreeMap<u64, Issue>,
    pub gone: BTreeMap<u64, Gone>,
    pub pulls: BTreeMap<u64, super::pulls::Pull>,
    pub authors: HashMap<String, CommitAuthor>,
    pub assignable: BTreeSet<String>,
    pub issues_enabled: bool,
    pub archived: bool,
    /// By law: whatever is asked there is a 451.
    pub blocked: bool,
    /// Labels that no new issue may have, and people whom no issue can be assigned to, though
    /// GitHub says that they can.
    pub refused: BTreeSet<String>,
    pub next_number: u64,
}

/// A label of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub name: String,
    pub color: String,
    pub description: String,
}

/// Why an issue's number answers no more.
#[derive(Clone, Debug)]
pub enum Gone {
    Deleted,
    Transferred { repository: u64, number: u64 },
}

/// How GitHub maps a commit's author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitAuthor {
    /// To this login.
    Login(String),
    /// To nobody, written `null`.
    Null,
    /// To nobody, written `{}`.
    Empty,
}

/// An issue or pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    pub id: u64,
    pub number: u64,
    pub title: String,
    pub body: String,
    pub open: bool,
    pub state_reason: Option<String>,
    pub labels: Vec<String>,
    pub assignees: Vec<String>,
    pub comments: Vec<Comment>,
    pub pull_request: bool,
    pub locked: bool,
    /// The commit by which it was closed last, where it was by one.
    pub closed_by: Option<String>,
    /// When it was closed, while it is.
    pub closed_at: Option<Timestamp>,
    pub user: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A comment under an issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    pub id: u64,
    pub user: String,
    pub body: String,
    pub updated_at: Timestamp,
}

/// Something that the bot did to an issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueChange {
    pub repository: String,
    pub number: u64,
    pub what: Change,
}

/// What the bot did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Opened { title: String, labels: Vec<String>, body: String },
    Commented(String),
    Deleted(String),
    Retitled(String),
    Rewritten { from: String, to: String },
    Closed(Option<String>),
    Reopened,
    Labeled(String),
    Unlabeled(String),
    Assigned(String),
}

impl fmt::Display for IssueChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{} ", self.repository, self.number)?;
        match &self.what {
            Change::Opened { title, labels, .. } => write!(f, "opened: {title} [{}]", labels.join(", ")),
            Change::Commented(body) => write!(f, "commented: {body}"),
            Change::Deleted(body) => write!(f, "deleted a comment: {body}"),
            Change::Retitled(title) => write!(f, "retitled: {title}"),
            Change::Rewritten { to, .. } => write!(f, "rewritten: {to}"),
            Change::Closed(reason) => write!(f, "closed as {}", reason.as_deref().unwrap_or("nothing said")),
            Change::Reopened => write!(f, "reopened"),
            Change::Labeled(label) => write!(f, "labeled {label}"),
            Change::Unlabeled(label) => write!(f, "unlabeled {label}"),
            Change::Assigned(login) => write!(f, "assigned to {login}"),
        }
    }
}

/// What a name of a repository leads to.
pub enum Named {
    Here(u64),
    /// It has another name now.
    Renamed(u64),
    Nowhere,
}

impl World {
    pub fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        1_000_000 + self.next_id
    }

    /// The account with this login; the ghost for unknown ones.
    pub fn account(&self, login: &str) -> Account {
        let known = self.accounts.iter().find(|it| it.login.eq_ignore_ascii_case(login));
        known.cloned().unwrap_or_else(|| Account { id: 10_137, login: "ghost".into(), kind: "User".into() })
    }

    pub fn named(&self, full_name: &str) -> Named {
        let same = |name: &String| name.eq_ignore_ascii_case(full_name);
        // A present name hides an old one: that is how strangers take names over.
        if let Some(it) = self.repositories.values().find(|it| same(&it.full_name)) {
            return Named::Here(it.id);
        }
        match self.repositories.values().find(|it| it.old_names.iter().any(same)) {
            Some(it) => Named::Renamed(it.id),
            None => Named::Nowhere,
        }
    }

    /// The repository that tests mean by this name.
    pub fn repository(&self, full_name: &str) -> &Repository {
        match self.named(full_name) {
            Named::Here(id) => &self.repositories[&id],
            _ => panic!("the fake GitHub has no repository {full_name}"),
        }
    }

    pub fn repository_mut(&mut self, full_name: &str) -> &mut Repository {
        let id = self.repository(full_name).id;
        self.repositories.get_mut(&id).expect("it is there")
    }

    /// Changes an issue, which is dated anew; how it was is kept for answers that lag behind.
    pub fn change_issue(&mut self, repository: u64, number: u64, edit: impl FnOnce(&mut Issue)) -> Option<()> {
        let now = self.now;
        let issue = self.repositories.get_mut(&repository)?.issues.get_mut(&number)?;
        self.history.entry((repository, number)).or_default().push((now, issue.clone()));
        edit(issue);
        issue.updated_at = now;
        issue.closed_at = if issue.open { None } else { issue.closed_at.or(Some(now)) };
        Some(())
    }

    /// An issue as it was so long ago; `None` before it was made.
    pub fn issue_before(&self, repository: u64, issue: &Issue, lag: SignedDuration) -> Option<Issue> {
        let then = self.now - lag;
        let history = self.history.get(&(repository, issue.number)).into_iter().flatten();
        let was = history.into_iter().find(|(until, _)| *until > then).map_or(issue, |(_, was)| was);
        (was.created_at <= then).then(|| was.clone())
    }

    pub fn account_json(&self, login: &str) -> Value {
        let account = self.account(login);
        json!({
            "login": account.login, "id": account.id, "node_id": format!("U_{}", account.id), "type": account.kind,
            "url": format!("{}/users/{}", self.url, account.login),
            "html_url": format!("https://github.com/{}", account.login), "site_admin": false,
        })
    }

    pub fn repository_json(&self, it: &Repository) -> Value {
        let (owner, name) = it.full_name.split_once('/').expect("owner/name");
        json!({
            "id": it.id, "node_id": format!("R_{}", it.id), "name": name, "full_name": it.full_name,
            "private": it.private, "visibility": if it.private { "private" } else { "public" },
            "owner": self.account_json(owner), "html_url": format!("https://github.com/{}", it.full_name),
            "url": format!("{}/repos/{}", self.url, it.full_name),
            "clone_url": format!("https://github.com/{}.git", it.full_name),
            "default_branch": it.default_branch, "has_issues": it.issues_enabled, "archived": it.archived, "fork": false,
        })
    }

    pub fn label_json(&self, repository: &Repository, name: &str) -> Value {
        let known = repository.labels.iter().find(|it| it.name.eq_ignore_ascii_case(name));
        let (name, color, description) =
            known.map_or((name, "ededed", ""), |it| (it.name.as_str(), it.color.as_str(), it.description.as_str()));
        json!({ "name": name, "color": color, "description": description, "default": false })
    }

    pub fn issue_json(&self, repository: &Repository, it: &Issue) -> Value {
        let page = if it.pull_request { "pull" } else { "issues" };
        let html_url = format!("https://github.com/{}/{page}/{}", repository.full_name, it.number);
        let labels: Vec<Value> = it.labels.iter().map(|name| self.label_json(repository, name)).collect();
        let assignees: Vec<Value> = it.assignees.iter().map(|login| self.account_json(login)).collect();
        let mut json = json!({
            "id": it.id, "node_id": format!("I_{}", it.id), "number": it.number, "title": it.title,
            "body": if it.body.is_empty() { Value::Null } else { Value::from(it.body.as_str()) },
            "state": if it.open { "open" } else { "closed" }, "state_reason": it.state_reason,
            "html_url": html_url, "url": format!("{}/repos/{}/issues/{}", self.url, repository.full_name, it.number),
            "repository_url": format!("{}/repos/{}", self.url, repository.full_name),
            "labels": labels, "assignee": assignees.first(), "assignees": assignees,
            "user": self.account_json(&it.user), "comments": it.comments.len(), "locked": it.locked, "milestone": null,
            "created_at": time(it.created_at), "updated_at": time(it.updated_at), "author_association": "NONE",
            "closed_at": it.closed_at.map(time),
        });
        if it.pull_request {
            let url = format!("{}/repos/{}/pulls/{}", self.url, repository.full_name, it.number);
            json["pull_request"] = json!({ "url": url, "html_url": html_url, "merged_at": null });
        }
        json
    }

    pub fn comment_json(&self, repository: &Repository, number: u64, it: &Comment) -> Value {
        let page = format!("https://github.com/{}/issues/{number}#issuecomment-{}", repository.full_name, it.id);
        json!({
            "id": it.id, "node_id": format!("IC_{}", it.id), "body": it.body, "user": self.account_json(&it.user),
            "html_url": page, "created_at": time(it.updated_at), "updated_at": time(it.updated_at),
        })
    }

    /// What the App was granted, here and in each installation.
    pub fn app_permissions(&self) -> Value {
        let mut all = json!({ "issues": "write", "contents": "read", "metadata": "read", "pull_requests": "read" });
        for name in &self.withheld {
            all.as_object_mut().expect("an object").remove(name);
        }
        all
    }

    pub fn installation_json(&self, it: &Installation) -> Value {
        let suspended_at = it.suspended.then(|| time(self.now));
        json!({
            "id": it.id, "account": self.account_json(&it.account), "app_id": super::APP_ID, "app_slug": super::SLUG,
            "repository_selection": "selected", "target_type": self.account(&it.account).kind,
            "permissions": self.app_permissions(),
            "events": super::EVENTS, "suspended_at": suspended_at,
        })
    }
}

impl Repository {
    /// Whether the label is new; unknown ones come into being in grey, as on GitHub.
    pub fn ensure_label(&mut self, name: &str) {
        if !self.labels.iter().any(|it| it.name.eq_ignore_ascii_case(name)) {
            self.labels.push(Label { name: name.to_owned(), color: "ededed".to_owned(), description: String::new() });
        }
    }
}

/// A time as GitHub writes it, to the second.
pub fn time(at: Timestamp) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ")
}

/// Puts further fields into a JSON object.
pub fn with(mut base: Value, more: Value) -> Value {
    let more: Map<String, Value> = more.as_object().cloned().unwrap_or_default();
    base.as_object_mut().expect("an object").extend(more);
    base
}
