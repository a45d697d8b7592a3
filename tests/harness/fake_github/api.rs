//! What the fake GitHub's API does, operation by operation, by the rules that GitHub documents.

use super::issues::{assignable, listed};
use super::world::{CommitAuthor, Label, Named, Repository, Token, World, time};
use super::{BOT, SLUG};
use serde_json::{Value, json};
use std::collections::HashMap;

/// GitHub's limit on bodies, titles and names of labels, in characters.
const LIMITS: [(&str, usize); 3] = [("body", 65_536), ("title", 256), ("name", 50)];

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    App,
    Installation(u64),
    /// Whoever the token says.
    Person(()),
}

/// A request that passed the contract.
pub struct Asked<'a> {
    pub operation: &'a str,
    pub method: &'a str,
    /// Path and query as sent.
    pub address: &'a str,
    pub params: &'a HashMap<String, String>,
    pub query: &'a [(String, String)],
    pub body: Option<&'a Value>,
    pub who: Who,
    /// What was sent as bearer.
    pub token: &'a str,
}

/// An answer, before any fault.
pub struct Answered {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Value,
}

/// Status and body.
pub fn plain(status: u16, body: Value) -> Answered {
    Answered { status, headers: Vec::new(), body }
}

/// An error as GitHub writes it.
pub fn error(status: u16, message: &str) -> Answered {
    plain(
        status,
        json!({ "message": message, "documentation_url": "https://docs.github.com/rest", "status": status.to_string() }),
    )
}

/// A refusal that names the field.
pub fn invalid(resource: &str, field: &str, code: &str) -> Answered {
    let errors = json!([{ "resource": resource, "field": field, "code": code }]);
    plain(
        422,
        json!({ "message": "Validation Failed", "errors": errors, "documentation_url": "https://docs.github.com/rest" }),
    )
}

impl Asked<'_> {
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.body?.get(name)?.as_str()
    }

    pub fn texts(&self, name: &str) -> Vec<String> {
        let list = self.body.and_then(|body| body.get(name)?.as_array()).into_iter().flatten();
        list.filter_map(|it| it.as_str().map(str::to_owned)).collect()
    }

    pub fn number(&self, name: &str) -> u64 {
        self.params[name].parse().unwrap_or(0)
    }
}

impl World {
    /// Does what is asked.
    pub fn answer(&mut self, asked: &Asked<'_>) -> Answered {
        let as_app = asked.operation == "apps/get-authenticated"
            || asked.operation == "apps/list-installations"
            || asked.operation == "apps/list-webhook-deliveries"
            || asked.operation == "apps/redeliver-webhook-delivery"
            || asked.operation == "apps/create-installation-access-token";
        match (as_app, asked.who) {
            (_, Who::Person(())) => {}
            (true, Who::Installation(_)) => return error(401, "A JSON web token could not be decoded"),
            (false, Who::App) => return error(403, "Resource not accessible by integration"),
            (false, Who::Installation(id)) => match self.installations.get(&id) {
                None => return error(401, "Bad credentials"),
                Some(it) if it.suspended => return error(403, "This installation has been suspended"),
                Some(_) => {}
            },
            (true, Who::App) => {}
        }
        if let Who::Person(_) = asked.who {
            let login = self.user_of(asked.token).unwrap_or_default();
            return self.answer_person(asked, &login);
        }
        if let Some(refused) = self.too_long(asked) {
            return refused;
        }
        match asked.operation {
            "apps/get-authenticated" => {
                let html_url = format!("https://github.com/apps/{SLUG}");
                let permissions = self.app_permissions();
                plain(
                    200,
                    json!({
                        "id": super::APP_ID, "slug": SLUG, "name": "Flawless (test)", "html_url": html_url,
                        "permissions": permissions, "events": super::EVENTS,
                    }),
                )
            }
            "apps/list-installations" => {
                let all = self.installations.values().map(|it| self.installation_json(it)).collect();
                self.page(asked, all, None)
            }
            "apps/list-webhook-deliveries" => {
                let all = self.deliveries();
                self.page(asked, all, None)
            }
            "apps/redeliver-webhook-delivery" => match self.deliver_again(asked.number("delivery_id")) {
                true => plain(202, json!({})),
                false => error(404, "Not Found"),
            },
            "apps/create-installation-access-token" => self.mint(asked.number("installation_id")),
            "apps/list-repos-accessible-to-installation" => {
                let Who::Installation(id) = asked.who else { return error(403, "Forbidden") };
                if let Some(closed) = self.closed(&self.installations[&id].account) {
                    return closed;
                }
                let ids = self.installations[&id].repositories.iter();
                let all = ids.map(|id| self.repository_json(&self.repositories[id])).collect();
                self.page(asked, all, Some("repositories"))
            }
            "rate-limit/get" => {
                let rate =
                    json!({ "limit": 5000, "remaining": 4987, "reset": self.now.as_seconds() + 3600, "used": 13 });
                plain(200, json!({ "resources": { "core": rate }, "rate": rate }))
            }
            "users/get-by-id" => {
                let id = asked.number("account_id");
                let login = self.accounts.iter().find(|it| it.id == id).map(|it| it.login.clone());
                login.map_or_else(|| error(404, "Not Found"), |login| plain(200, self.account_json(&login)))
            }
            "users/get-by-username" => self.user(asked),
            "teams/list-members-in-org" => self.team_members(asked),
            _ => self.in_repository(asked),
        }
    }

    /// A text that GitHub would refuse; the bot should have known, so that it is a violation as
    /// well.
    fn too_long(&mut self, asked: &Asked<'_>) -> Option<Answered> {
        for (field, limit) in LIMITS {
            let length = asked.text(field).map_or(0, |text| text.chars().count());
            if length > limit {
                self.violations.push(format!("{}: {field} of {length} characters", asked.operation));
                return Some(error(422, &format!("{field} is too long (maximum is {limit} characters)")));
            }
        }
        None
    }

    fn mint(&mut self, installation: u64) -> Answered {
        match self.installations.get(&installation) {
            None => return error(404, "Not Found"),
            Some(it) if it.suspended => return error(403, "This installation has been suspended"),
            Some(_) => {}
        }
        // In the long form of 2026, dots and all.
        let token = format!("ghs_{}_eyJ0eXAi.eyJpc3Mi.c2ln-{}_x", super::APP_ID, self.new_id());
        let expires_at = self.now + self.token_life;
        let permissions = self.app_permissions();
        let writes_issues = permissions["issues"] == "write";
        self.tokens.insert(token.clone(), Token { installation, writes_issues, expires_at });
        plain(
            201,
            json!({ "token": token, "expires_at": time(expires_at), "permissions": permissions, "repository_selection": "selected" }),
        )
    }

    /// One page of a list, with `Link`. `key`: the list stands in an object under that name.
    pub fn page(&mut self, asked: &Asked<'_>, all: Vec<Value>, key: Option<&str>) -> Answered {
        let number = |name: &str, default: usize| asked.query(name).and_then(|it| it.parse().ok()).unwrap_or(default);
        // Webhooks' deliveries are not numbered by pages.
        let pages_by = if asked.operation == "apps/list-webhook-deliveries" { "cursor" } else { "page" };
        let (per_page, page) = (number("per_page", 30).clamp(1, 100), number(pages_by, 1).max(1));
        let total = all.len();
        let list: Vec<Value> = all.into_iter().skip((page - 1) * per_page).take(per_page).collect();
        let mut headers = Vec::new();
        if page * per_page < total {
            let mut next = self.permanent(asked);
            let others = asked.query.iter().filter(|(name, _)| name != pages_by);
            let query = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(others)
                .append_pair(pages_by, &(page + 1).to_string())
                .finish();
            next.push_str(&format!("?{query}"));
            self.offered.insert(next.clone());
            let link = format!("<{}{next}>; rel=\"next\", <{}{next}>; rel=\"last\"", self.url, self.url);
            headers.push(("link".to_owned(), link));
        }
        let list = Value::from(list);
        let body = match key {
            Some(key) => json!({ "total_count": total, key: list }),
            None => list,
        };
        Answered { status: 200, headers, body }
    }

    /// The path as GitHub writes it in `Link` and `Location`: by the repository's number.
    fn permanent(&self, asked: &Asked<'_>) -> String {
        let path = asked.address.split('?').next().unwrap_or_default();
        if path.starts_with("/repositories/") {
            return path.to_owned();
        }
        let (Some(owner), Some(name)) = (asked.params.get("owner"), asked.params.get("repo")) else {
            return path.to_owned();
        };
        let (Named::Here(id) | Named::Renamed(id)) = self.named(&format!("{owner}/{name}")) else {
            return path.to_owned();
        };
        let rest: String = path.split('/').skip(4).map(|piece| format!("/{piece}")).collect();
        format!("/repositories/{id}{rest}")
    }

    pub fn redirect(&mut self, status: u16, target: String) -> Answered {
        let location = format!("{}{target}", self.url);
        self.offered.insert(target);
        let mut answer = error(status, if status == 301 { "Moved Permanently" } else { "Temporary Redirect" });
        answer.body["url"] = Value::from(location.as_str());
        answer.headers.push(("location".to_owned(), location));
        answer
    }

    fn in_repository(&mut self, asked: &Asked<'_>) -> Answered {
        let Who::Installation(installation) = asked.who else { return error(403, "Forbidden") };
        let named = self.named(&format!("{}/{}", asked.params["owner"], asked.params["repo"]));
        if !self.sees(installation, &named) {
            return error(404, "Not Found");
        }
        let id = match named {
            Named::Here(id) => id,
            _ => {
                let query = asked.address.split_once('?').map_or(String::new(), |(_, query)| format!("?{query}"));
                let target = self.permanent(asked) + &query;
                return self.redirect(if asked.method == "GET" { 301 } else { 307 }, target);
            }
        };
        if let Some(refused) = self.refused(asked, id) {
            return refused;
        }
        if asked.params.contains_key("issue_number") {
            return self.on_issue(asked, id);
        }
        let it = &self.repositories[&id];
        match asked.operation {
            "repos/get" => plain(200, self.repository_json(it)),
            "repos/get-commit" => self.commit(it, &asked.params["ref"]),
            "repos/list-pull-requests-associated-with-commit" | "pulls/get"
                if self.withheld.iter().any(|name| name == "pull_requests") =>
            {
                error(403, "Resource not accessible by integration")
            }
            "repos/list-pull-requests-associated-with-commit" => self.pulls_of_commit(asked, id),
            "pulls/get" => self.one_pull(asked, id),
            "repos/list-commits" => self.commits_of(asked),
            "issues/check-user-can-be-assigned" => {
                let login = &asked.params["assignee"];
                if assignable(it, login) { plain(204, Value::Null) } else { error(404, "Not Found") }
            }
            "issues/list-for-repo" => {
                let known = it.issues.values().filter_map(|issue| self.issue_before(id, issue, self.list_lag));
                let all = listed(known.collect(), asked).iter().map(|issue| self.issue_json(it, issue)).collect();
                self.page(asked, all, None)
            }
            "issues/create" => self.create_issue(asked, id),
            "issues/delete-comment" => self.delete_comment(asked, id),
            "issues/list-labels-for-repo" => {
                let all = it.labels.iter().map(|label| self.label_json(it, &label.name)).collect();
                self.page(asked, all, None)
            }
            "issues/create-label" => self.create_label(asked, id),
            other => self.not_faked(other),
        }
    }

    pub fn not_faked(&mut self, what: &str) -> Answered {
        self.violations.push(format!("{what}: not faked"));
        error(501, "not faked")
    }

    fn commit(&self, it: &Repository, sha: &str) -> Answered {
        let author = match it.authors.get(sha) {
            None => return error(422, &format!("No commit found for SHA: {sha}")),
            Some(CommitAuthor::Login(login)) => self.account_json(login),
            Some(CommitAuthor::Null) => Value::Null,
            Some(CommitAuthor::Empty) => json!({}),
        };
        let commit = json!({ "author": { "name": "A", "email": "a@example.com" }, "message": "m" });
        plain(
            200,
            json!({ "sha": sha, "author": author, "committer": author, "commit": commit, "files": [], "parents": [] }),
        )
    }

    fn create_label(&mut self, asked: &Asked<'_>, id: u64) -> Answered {
        let text = |name: &str| asked.text(name).unwrap_or_default().to_owned();
        let label = Label { name: text("name"), color: text("color"), description: text("description") };
        let hex =
            label.color.is_empty() || (label.color.len() == 6 && label.color.chars().all(|c| c.is_ascii_hexdigit()));
        if label.name.trim().is_empty() || !hex || label.description.chars().count() > 100 {
            return invalid("Label", "name", "invalid");
        }
        let it = self.repositories.get_mut(&id).expect("a repository");
        if it.labels.iter().any(|known| known.name.eq_ignore_ascii_case(&label.name)) {
            return invalid("Label", "name", "already_exists");
        }
        it.labels.push(label.clone());
        let json = self.label_json(&self.repositories[&id], &label.name);
        self.tell(id, "label", BOT, json!({ "action": "created", "label": json }));
        plain(201, json)
    }
}
