//! States in which the fake GitHub refuses what it is asked, each of which a story begins and ends.

use super::FakeGitHub;
use super::api::{Answered, Asked, error, plain};
use super::world::World;
use serde_json::json;

impl FakeGitHub {
    /// The App has not this permission any more: tokens that are there lose it, too.
    pub fn withhold(&self, permission: &str) {
        self.world().withheld.push(permission.to_owned());
    }

    /// Whoever owns the account grants it: for tokens that are minted from now on.
    pub fn give_back(&self, permission: &str) {
        self.world().withheld.retain(|name| name != permission);
    }

    /// Switches a repository's issues off or on, of which GitHub tells nobody.
    pub fn set_issues_enabled(&self, repository: &str, enabled: bool) {
        self.world().repository_mut(repository).issues_enabled = enabled;
    }

    /// Archives a repository, or takes it out of the archive.
    pub fn set_archived(&self, repository: &str, archived: bool, by: &str) {
        let mut world = self.world();
        let it = world.repository_mut(repository);
        it.archived = archived;
        let id = it.id;
        let action = if archived { "archived" } else { "unarchived" };
        world.tell(id, "repository", by, json!({ "action": action }));
    }

    /// Whether a repository is blocked by law.
    pub fn set_blocked(&self, repository: &str, blocked: bool) {
        self.world().repository_mut(repository).blocked = blocked;
    }

    /// Whether an account's IP allow list lacks the bot's address.
    pub fn set_closed_to_us(&self, account: &str, closed: bool) {
        let mut world = self.world();
        if closed {
            world.closed_to_us.insert(account.to_owned());
        } else {
            world.closed_to_us.remove(account);
        }
    }

    /// Whether an issue is locked.
    pub fn set_locked(&self, repository: &str, number: u64, locked: bool) {
        let mut world = self.world();
        world.repository_mut(repository).issues.get_mut(&number).expect("an issue").locked = locked;
    }

    /// From now on no new issue may have this label, or be assigned to this person.
    pub fn refuse(&self, repository: &str, name: &str) {
        self.world().repository_mut(repository).refused.insert(name.to_owned());
    }
}

impl World {
    /// What anybody is answered who asks an account that is closed to the bot.
    pub fn closed(&self, account: &str) -> Option<Answered> {
        self.closed_to_us.contains(account).then(|| {
            let message = format!(
                "Although you appear to have the correct authorization credentials, the `{account}` organization has an \
                 IP allow list enabled, and your IP address is not permitted to access this resource."
            );
            error(403, &message)
        })
    }

    /// What is refused in a repository, whatever it is.
    pub fn refused(&self, asked: &Asked<'_>, id: u64) -> Option<Answered> {
        let it = &self.repositories[&id];
        if let Some(closed) = it.full_name.split_once('/').and_then(|(owner, _)| self.closed(owner)) {
            return Some(closed);
        }
        if it.blocked {
            return Some(error(451, "Repository access blocked"));
        }
        let is_of_issues = asked.operation.starts_with("issues/");
        let may = self.tokens.get(asked.token).is_some_and(|token| token.writes_issues);
        if is_of_issues && (!may || self.withheld.iter().any(|name| name == "issues")) {
            return Some(error(403, "Resource not accessible by integration"));
        }
        if it.archived && asked.method != "GET" {
            return Some(error(403, "Repository was archived so is read-only."));
        }
        // Labels and who can be assigned are there all the same.
        let is_of_one = asked.params.contains_key("issue_number");
        if !it.issues_enabled && (is_of_one || matches!(asked.operation, "issues/create" | "issues/list-for-repo")) {
            return Some(error(410, "Issues are disabled for this repo"));
        }
        self.refused_for_one_thing(asked, id)
    }

    fn refused_for_one_thing(&self, asked: &Asked<'_>, id: u64) -> Option<Answered> {
        let it = &self.repositories[&id];
        let field = match asked.operation {
            "issues/create" => "labels",
            "issues/add-assignees" => "assignees",
            "issues/create-comment" => {
                let locked = it.issues.get(&asked.number("issue_number")).is_some_and(|issue| issue.locked);
                return locked.then(|| error(403, "Unable to create comment because issue is locked."));
            }
            _ => return None,
        };
        let value = asked.texts(field).into_iter().find(|value| it.refused.contains(value))?;
        let errors = json!([{ "value": value, "resource": "Issue", "field": field, "code": "invalid" }]);
        Some(plain(422, json!({ "message": "Validation Failed", "errors": errors })))
    }
}
