//! What people do on the fake GitHub, each telling the bot by webhook as GitHub does.

use super::FakeGitHub;
use super::world::{Account, Comment, CommitAuthor, Gone, Installation, Issue, Named, Repository, World};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

impl FakeGitHub {
    /// A person with an account.
    pub fn add_user(&self, id: u64, login: &str) -> Account {
        self.add_account(id, login, "User")
    }

    /// An account of any kind: `User`, `Bot`, `Organization`.
    pub fn add_account(&self, id: u64, login: &str, kind: &str) -> Account {
        let account = Account { id, login: login.to_owned(), kind: kind.to_owned() };
        self.world().accounts.push(account.clone());
        account
    }

    /// An account under another login.
    pub fn rename_account(&self, id: u64, login: &str) {
        let mut world = self.world();
        world.accounts.iter_mut().find(|it| it.id == id).expect("an account").login = login.to_owned();
    }

    /// A repository with default branch `main`; its owner's account is made where it is missing.
    pub fn add_repository(&self, full_name: &str, private: bool) -> u64 {
        let mut world = self.world();
        let owner = full_name.split_once('/').expect("owner/name").0;
        if !world.accounts.iter().any(|it| it.login == owner) {
            let id = world.new_id();
            world.accounts.push(Account { id, login: owner.to_owned(), kind: "Organization".to_owned() });
        }
        let id = world.new_id();
        let repository = Repository {
            id,
            full_name: full_name.to_owned(),
            old_names: Vec::new(),
            private,
            default_branch: "main".to_owned(),
            labels: Vec::new(),
            issues: BTreeMap::new(),
            gone: BTreeMap::new(),
            pulls: BTreeMap::new(),
            authors: HashMap::new(),
            assignable: BTreeSet::new(),
            issues_enabled: true,
            archived: false,
            blocked: false,
            refused: BTreeSet::new(),
            next_number: 1,
        };
        world.repositories.insert(id, repository);
        id
    }

    /// Installs the App on an account, for these repositories.
    pub fn install(&self, account: &str, repositories: &[&str]) -> u64 {
        let mut world = self.world();
        let ids: BTreeSet<u64> = repositories.iter().map(|name| world.repository(name).id).collect();
        let id = world.new_id();
        let list: Vec<u64> = ids.iter().copied().collect();
        let installation = Installation { id, account: account.to_owned(), suspended: false, repositories: ids };
        world.installations.insert(id, installation);
        let listed = json!({ "repositories": world.listed(&list) });
        world.tell_installation(id, "installation", "created", account, listed);
        id
    }

    /// Gives the installation further repositories.
    pub fn grant(&self, installation: u64, repositories: &[&str]) {
        self.select(installation, repositories, true);
    }

    /// Takes repositories from the installation.
    pub fn revoke(&self, installation: u64, repositories: &[&str]) {
        self.select(installation, repositories, false);
    }

    fn select(&self, installation: u64, repositories: &[&str], given: bool) {
        let mut world = self.world();
        let ids: Vec<u64> = repositories.iter().map(|name| world.repository(name).id).collect();
        let it = world.installations.get_mut(&installation).expect("an installation");
        let by = it.account.clone();
        if given {
            it.repositories.extend(&ids);
        } else {
            it.repositories.retain(|id| !ids.contains(id));
        }
        let (listed, none) = (world.listed(&ids), json!([]));
        let (added, removed, action) = if given { (listed, none, "added") } else { (none, listed, "removed") };
        let more =
            json!({ "repository_selection": "selected", "repositories_added": added, "repositories_removed": removed });
        world.tell_installation(installation, "installation_repositories", action, &by, more);
    }

    /// Suspends or unsuspends the installation.
    pub fn suspend(&self, installation: u64, suspended: bool) {
        let mut world = self.world();
        let it = world.installations.get_mut(&installation).expect("an installation");
        it.suspended = suspended;
        let by = it.account.clone();
        let action = if suspended { "suspend" } else { "unsuspend" };
        world.tell_installation(installation, "installation", action, &by, json!({}));
    }

    /// Uninstalls the App.
    pub fn uninstall(&self, installation: u64) {
        let mut world = self.world();
        let it = &world.installations[&installation];
        let (by, ids) = (it.account.clone(), it.repositories.iter().copied().collect::<Vec<_>>());
        let listed = json!({ "repositories": world.listed(&ids) });
        world.tell_installation(installation, "installation", "deleted", &by, listed);
        world.installations.remove(&installation);
        world.tokens.retain(|_, token| token.installation != installation);
    }

    /// Renames a repository, or transfers it to another owner: the old name redirects from now on.
    pub fn rename_repository(&self, from: &str, to: &str, by: &str) {
        let mut world = self.world();
        let it = world.repository_mut(from);
        let id = it.id;
        it.old_names.push(std::mem::replace(&mut it.full_name, to.to_owned()));
        let owner = |name: &str| name.split_once('/').map(|(owner, _)| owner.to_owned());
        let action = if owner(from) == owner(to) { "renamed" } else { "transferred" };
        let changes = json!({ "repository": { "name": { "from": from.split_once('/').map(|(_, name)| name) } } });
        world.tell(id, "repository", by, json!({ "action": action, "changes": changes }));
    }

    /// Shows a repository to the public, or hides it.
    pub fn set_private(&self, repository: &str, private: bool, by: &str) {
        let mut world = self.world();
        let it = world.repository_mut(repository);
        it.private = private;
        let id = it.id;
        let action = if private { "privatized" } else { "publicized" };
        world.tell(id, "repository", by, json!({ "action": action }));
    }

    /// Deletes a repository.
    pub fn delete_repository(&self, repository: &str, by: &str) {
        let mut world = self.world();
        let id = world.repository(repository).id;
        world.tell(id, "repository", by, json!({ "action": "deleted" }));
        world.repositories.remove(&id);
        world.installations.values_mut().for_each(|it| _ = it.repositories.remove(&id));
    }

    /// Who can be assigned in the repository.
    pub fn set_assignable(&self, repository: &str, logins: &[&str]) {
        self.world().repository_mut(repository).assignable = logins.iter().map(|&login| login.to_owned()).collect();
    }

    /// Whom GitHub maps a commit's author to.
    pub fn set_commit_author(&self, repository: &str, sha: &str, author: CommitAuthor) {
        self.world().repository_mut(repository).authors.insert(sha.to_owned(), author);
    }

    /// Somebody opens an issue.
    pub fn open_issue(&self, repository: &str, by: &str, title: &str, body: &str, labels: &[&str]) -> u64 {
        let mut world = self.world();
        let id = world.repository(repository).id;
        let number = world.new_issue(id, by, title, body, labels, false);
        world.tell_issue(id, number, "opened", by, json!({}));
        number
    }

    /// Somebody opens a pull request, which shares the issues' numbers and lists.
    pub fn open_pull_request(&self, repository: &str, by: &str, title: &str, body: &str, labels: &[&str]) -> u64 {
        let mut world = self.world();
        let id = world.repository(repository).id;
        world.new_issue(id, by, title, body, labels, true)
    }

    /// Somebody closes an issue.
    pub fn close_issue(&self, repository: &str, number: u64, by: &str) {
        self.act(repository, number, by, "closed", json!({}), |issue| {
            (issue.open, issue.state_reason, issue.closed_by) = (false, Some("completed".to_owned()), None);
        });
    }

    /// Somebody closes an issue because another one says the same.
    pub fn close_as_duplicate(&self, repository: &str, number: u64, by: &str) {
        self.act(repository, number, by, "closed", json!({}), |issue| {
            (issue.open, issue.state_reason) = (false, Some("duplicate".to_owned()));
        });
    }

    /// Somebody writes an issue's text anew.
    pub fn edit_issue(&self, repository: &str, number: u64, body: &str) {
        self.act(repository, number, "owner", "edited", json!({ "changes": {} }), |issue| issue.body = body.to_owned());
    }

    /// Somebody pushes a commit to the default branch that says "fixes #…".
    pub fn close_issue_by(&self, repository: &str, number: u64, by: &str, commit: &str) {
        self.act(repository, number, by, "closed", json!({}), |issue| {
            (issue.open, issue.state_reason) = (false, Some("completed".to_owned()));
            issue.closed_by = Some(commit.to_owned());
        });
    }

    /// Somebody opens an issue again.
    pub fn reopen_issue(&self, repository: &str, number: u64, by: &str) {
        self.act(repository, number, by, "reopened", json!({}), |issue| {
            (issue.open, issue.state_reason) = (true, Some("reopened".to_owned()));
        });
    }

    /// Somebody deletes a label of the repository, which takes it off all issues without a word.
    pub fn delete_label(&self, repository: &str, label: &str) {
        let mut world = self.world();
        let repository = world.repository_mut(repository);
        repository.labels.retain(|known| known.name != label);
        repository.issues.values_mut().for_each(|issue| issue.labels.retain(|known| known != label));
    }

    /// Somebody puts a label on an issue.
    pub fn add_label(&self, repository: &str, number: u64, label: &str, by: &str) {
        let more = {
            let mut world = self.world();
            world.repository_mut(repository).ensure_label(label);
            json!({ "label": world.label_json(world.repository(repository), label) })
        };
        self.act(repository, number, by, "labeled", more, |issue| issue.labels.push(label.to_owned()));
    }

    /// Somebody takes a label off an issue.
    pub fn remove_label(&self, repository: &str, number: u64, label: &str, by: &str) {
        let more = {
            let world = self.world();
            json!({ "label": world.label_json(world.repository(repository), label) })
        };
        self.act(repository, number, by, "unlabeled", more, |issue| issue.labels.retain(|it| it != label));
    }

    /// Somebody assigns an issue to somebody.
    pub fn assign(&self, repository: &str, number: u64, login: &str, by: &str) {
        let more = json!({ "assignee": self.world().account_json(login) });
        self.act(repository, number, by, "assigned", more, |issue| issue.assignees.push(login.to_owned()));
    }

    /// Somebody takes an issue from somebody.
    pub fn unassign(&self, repository: &str, number: u64, login: &str, by: &str) {
        let more = json!({ "assignee": self.world().account_json(login) });
        self.act(repository, number, by, "unassigned", more, |issue| issue.assignees.retain(|it| it != login));
    }

    /// Somebody comments.
    pub fn comment(&self, repository: &str, number: u64, body: &str, by: &str) -> u64 {
        let mut world = self.world();
        let id = world.repository(repository).id;
        world.new_comment(id, number, by, body)
    }

    /// Somebody deletes an issue: from now on it answers 410.
    pub fn delete_issue(&self, repository: &str, number: u64, by: &str) {
        self.act(repository, number, by, "deleted", json!({}), |_| {});
        let mut world = self.world();
        let it = world.repository_mut(repository);
        it.issues.remove(&number);
        it.gone.insert(number, Gone::Deleted);
    }

    /// Somebody transfers an issue to another repository: from now on it answers 301. Returns its
    /// new number.
    pub fn transfer_issue(&self, repository: &str, number: u64, to: &str, by: &str) -> u64 {
        self.act(repository, number, by, "transferred", json!({ "changes": {} }), |_| {});
        let mut world = self.world();
        let target = world.repository(to).id;
        let issue = world.repository_mut(repository).issues.remove(&number).expect("an issue");
        let new = world.new_issue(target, &issue.user, &issue.title, &issue.body, &[], false);
        world.repository_mut(repository).gone.insert(number, Gone::Transferred { repository: target, number: new });
        new
    }

    /// Somebody pushes. The commits are listed nowhere: the bot has to fetch.
    pub fn push(&self, repository: &str, git_ref: &str, before: &str, after: &str, by: &str) {
        let mut world = self.world();
        let id = world.repository(repository).id;
        let zero = |sha: &str| sha.chars().all(|c| c == '0');
        let fields = json!({
            "ref": git_ref, "before": before, "after": after, "created": zero(before), "deleted": zero(after),
            "forced": false, "base_ref": null, "commits": [], "head_commit": null,
            "pusher": { "name": by, "email": null },
        });
        world.tell(id, "push", by, fields);
    }

    fn act(&self, repository: &str, number: u64, by: &str, action: &str, more: Value, edit: impl FnOnce(&mut Issue)) {
        let mut world = self.world();
        let id = world.repository(repository).id;
        world.change_issue(id, number, edit).unwrap_or_else(|| panic!("{repository} has no issue #{number}"));
        world.tell_issue(id, number, action, by, more);
    }
}

impl World {
    /// Opens an issue without telling anybody.
    pub fn new_issue(
        &mut self,
        repository: u64,
        by: &str,
        title: &str,
        body: &str,
        labels: &[&str],
        pull: bool,
    ) -> u64 {
        let (id, now) = (self.new_id(), self.now);
        let it = self.repositories.get_mut(&repository).expect("a repository");
        let number = it.next_number;
        it.next_number += 1;
        labels.iter().for_each(|label| it.ensure_label(label));
        let issue = Issue {
            id,
            number,
            title: title.to_owned(),
            body: body.to_owned(),
            open: true,
            state_reason: None,
            labels: labels.iter().map(|&label| label.to_owned()).collect(),
            assignees: Vec::new(),
            comments: Vec::new(),
            pull_request: pull,
            locked: false,
            closed_by: None,
            closed_at: None,
            user: by.to_owned(),
            created_at: now,
            updated_at: now,
        };
        it.issues.insert(number, issue);
        number
    }

    /// Comments, and tells the bot.
    pub fn new_comment(&mut self, repository: u64, number: u64, by: &str, body: &str) -> u64 {
        let (id, now) = (self.new_id(), self.now);
        let comment = Comment { id, user: by.to_owned(), body: body.to_owned(), updated_at: now };
        self.change_issue(repository, number, |issue| issue.comments.push(comment.clone())).expect("an issue");
        let it = &self.repositories[&repository];
        let fields = json!({
            "action": "created",
            "issue": self.issue_json(it, &it.issues[&number]),
            "comment": self.comment_json(it, number, &comment),
        });
        self.tell(repository, "issue_comment", by, fields);
        id
    }

    /// Whether an installation sees what a name leads to.
    pub fn sees(&self, installation: u64, named: &Named) -> bool {
        let (Named::Here(id) | Named::Renamed(id)) = named else { return false };
        self.installations.get(&installation).is_some_and(|it| it.repositories.contains(id))
    }
}
