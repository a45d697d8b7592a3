//! What the fake GitHub's API does to issues, each change with its webhooks.

use super::BOT;
use super::api::{Answered, Asked, error, invalid, plain};
use super::world::{Change, Comment, Gone, Issue, IssueChange, Repository, World};
use domain::timestamp::Timestamp;
use serde_json::{Value, json};

impl World {
    pub fn create_issue(&mut self, asked: &Asked<'_>, id: u64) -> Answered {
        let it = &self.repositories[&id];
        let title = asked.text("title").unwrap_or_default();
        if title.trim().is_empty() {
            return invalid("Issue", "title", "missing_field");
        }
        let assignees = asked.texts("assignees");
        if !assignees.iter().all(|login| assignable(it, login)) {
            return invalid("Issue", "assignees", "invalid");
        }
        let labels = asked.texts("labels");
        let names: Vec<&str> = labels.iter().map(String::as_str).collect();
        let number = self.new_issue(id, BOT, title, asked.text("body").unwrap_or_default(), &names, false);
        let body = asked.text("body").unwrap_or_default().to_owned();
        self.changed(id, number, Change::Opened { title: title.to_owned(), labels: labels.clone(), body });
        self.tell_issue(id, number, "opened", BOT, json!({}));
        for label in &labels {
            let label = self.label_json(&self.repositories[&id], label);
            self.tell_issue(id, number, "labeled", BOT, json!({ "label": label }));
        }
        for login in assignees {
            self.assigned(id, number, &login);
        }
        self.issue_answer(201, id, number)
    }

    /// Deletes a comment, which an App may where it wrote it.
    pub fn delete_comment(&mut self, asked: &Asked<'_>, id: u64) -> Answered {
        let comment = asked.number("comment_id");
        let issues = self.repositories[&id].issues.values();
        let found = issues.flat_map(|issue| issue.comments.iter().map(|it| (issue.number, it)));
        let Some((number, found)) = found.into_iter().find(|(_, it)| it.id == comment) else {
            return error(404, "Not Found");
        };
        if found.user != BOT {
            return error(403, "Must have admin rights to Repository.");
        }
        let body = found.body.clone();
        self.touch(id, number, |issue| issue.comments.retain(|it| it.id != comment));
        self.changed(id, number, Change::Deleted(body));
        plain(204, Value::Null)
    }

    pub fn on_issue(&mut self, asked: &Asked<'_>, id: u64) -> Answered {
        let number = asked.number("issue_number");
        let it = &self.repositories[&id];
        match it.gone.get(&number) {
            Some(Gone::Deleted) => return error(410, "This issue was deleted"),
            Some(&Gone::Transferred { repository, number }) => {
                return self.redirect(301, format!("/repositories/{repository}/issues/{number}"));
            }
            None => {}
        }
        let Some(issue) = it.issues.get(&number) else { return error(404, "Not Found") };
        match asked.operation {
            "issues/get" => match self.issue_before(id, issue, self.read_lag) {
                Some(issue) => plain(200, self.issue_json(it, &issue)),
                None => error(404, "Not Found"),
            },
            "issues/list-comments" => {
                let since = since(asked);
                let is_listed = |comment: &&Comment| comment.updated_at + self.list_lag <= self.now;
                let fresh = issue.comments.iter().filter(|comment| comment.updated_at >= since).filter(is_listed);
                let all = fresh.map(|comment| self.comment_json(it, number, comment)).collect();
                self.page(asked, all, None)
            }
            "issues/list-events" => {
                let then = self.now - self.event_lag;
                let known = self.events.get(&(id, number)).into_iter().flatten();
                let all = known.filter(|(at, _)| *at <= then).map(|(_, event)| event.clone()).collect();
                self.page(asked, all, None)
            }
            "issues/update" => self.update(asked, id, number),
            "issues/create-comment" => {
                let body = asked.text("body").unwrap_or_default();
                if body.trim().is_empty() {
                    return invalid("IssueComment", "body", "missing_field");
                }
                let comment = self.new_comment(id, number, BOT, body);
                self.changed(id, number, Change::Commented(body.to_owned()));
                let comments = &self.repositories[&id].issues[&number].comments;
                let comment: &Comment = comments.iter().find(|it| it.id == comment).expect("just made");
                plain(201, self.comment_json(&self.repositories[&id], number, comment))
            }
            "issues/add-labels" => {
                for label in asked.texts("labels") {
                    self.labeled(id, number, &label);
                }
                self.labels_answer(id, number)
            }
            "issues/remove-label" => {
                let label = &asked.params["name"];
                let Some(at) = issue.labels.iter().position(|it| it.eq_ignore_ascii_case(label)) else {
                    return error(404, "Label does not exist");
                };
                let json = self.label_json(it, label);
                self.touch(id, number, |issue| _ = issue.labels.remove(at));
                self.changed(id, number, Change::Unlabeled(label.clone()));
                self.tell_issue(id, number, "unlabeled", BOT, json!({ "label": json }));
                self.labels_answer(id, number)
            }
            "issues/add-assignees" => {
                for login in asked.texts("assignees") {
                    // Who can't be assigned is dropped without a word.
                    let it = &self.repositories[&id];
                    if assignable(it, &login) && !it.issues[&number].assignees.contains(&login) {
                        self.assigned(id, number, &login);
                    }
                }
                self.issue_answer(201, id, number)
            }
            other => self.not_faked(other),
        }
    }

    fn update(&mut self, asked: &Asked<'_>, id: u64, number: u64) -> Answered {
        let known = ["title", "body", "state", "state_reason"];
        let keys = asked.body.and_then(Value::as_object).into_iter().flat_map(|body| body.keys());
        if let Some(key) = keys.into_iter().find(|key| !known.contains(&key.as_str())) {
            return self.not_faked(&format!("issues/update with {key}"));
        }
        if self.has_no_duplicates && asked.text("state_reason") == Some("duplicate") {
            return invalid("Issue", "state_reason", "invalid");
        }
        let before = self.repositories[&id].issues[&number].clone();
        let texts = [asked.text("title"), asked.text("body")];
        let [title, body] = texts.map(|text| text.map(str::to_owned));
        if let Some(title) = title.filter(|it| *it != before.title) {
            self.touch(id, number, |issue| issue.title = title.clone());
            self.changed(id, number, Change::Retitled(title));
            let changes = json!({ "changes": { "title": { "from": before.title } } });
            self.tell_issue(id, number, "edited", BOT, changes);
        }
        if let Some(body) = body.filter(|it| *it != before.body) {
            self.touch(id, number, |issue| issue.body = body.clone());
            self.changed(id, number, Change::Rewritten { from: before.body.clone(), to: body });
            let changes = json!({ "changes": { "body": { "from": before.body } } });
            self.tell_issue(id, number, "edited", BOT, changes);
        }
        // The reason counts only where the state changes.
        let open = asked.text("state").map_or(before.open, |state| state == "open");
        if open != before.open {
            let default = if open { "reopened" } else { "completed" };
            let reason = Some(asked.text("state_reason").unwrap_or(default).to_owned());
            self.touch(id, number, |issue| (issue.open, issue.state_reason) = (open, reason.clone()));
            self.changed(id, number, if open { Change::Reopened } else { Change::Closed(reason) });
            self.tell_issue(id, number, if open { "reopened" } else { "closed" }, BOT, json!({}));
        }
        self.issue_answer(200, id, number)
    }

    fn labeled(&mut self, id: u64, number: u64, label: &str) {
        let it = self.repositories.get_mut(&id).expect("a repository");
        if it.issues[&number].labels.iter().any(|known| known.eq_ignore_ascii_case(label)) {
            return;
        }
        it.ensure_label(label);
        self.touch(id, number, |issue| issue.labels.push(label.to_owned()));
        self.changed(id, number, Change::Labeled(label.to_owned()));
        let json = self.label_json(&self.repositories[&id], label);
        self.tell_issue(id, number, "labeled", BOT, json!({ "label": json }));
    }

    fn assigned(&mut self, id: u64, number: u64, login: &str) {
        self.touch(id, number, |issue| issue.assignees.push(login.to_owned()));
        self.changed(id, number, Change::Assigned(login.to_owned()));
        let assignee = self.account_json(login);
        self.tell_issue(id, number, "assigned", BOT, json!({ "assignee": assignee }));
    }

    fn touch(&mut self, id: u64, number: u64, edit: impl FnOnce(&mut Issue)) {
        self.change_issue(id, number, edit).expect("an issue");
    }

    fn changed(&mut self, id: u64, number: u64, what: Change) {
        let repository = self.repositories[&id].full_name.clone();
        self.changes.push(IssueChange { repository, number, what });
    }

    fn issue_answer(&self, status: u16, id: u64, number: u64) -> Answered {
        let it = &self.repositories[&id];
        plain(status, self.issue_json(it, &it.issues[&number]))
    }

    fn labels_answer(&self, id: u64, number: u64) -> Answered {
        let it = &self.repositories[&id];
        plain(200, it.issues[&number].labels.iter().map(|name| self.label_json(it, name)).collect())
    }
}

/// Whether issues of the repository can be given to this login.
pub fn assignable(it: &Repository, login: &str) -> bool {
    it.assignable.iter().any(|known| known.eq_ignore_ascii_case(login))
}

fn since(asked: &Asked<'_>) -> Timestamp {
    let since = asked.query("since").and_then(|it| it.parse::<jiff::Timestamp>().ok());
    since.map_or(Timestamp::MIN, Timestamp::from)
}

/// Issues and pull requests as the query wants them; GitHub's defaults are open ones, newest first.
pub fn listed(known: Vec<Issue>, asked: &Asked<'_>) -> Vec<Issue> {
    let labels: Vec<&str> = asked.query("labels").unwrap_or_default().split(',').filter(|it| !it.is_empty()).collect();
    let state = asked.query("state").unwrap_or("open");
    let since = since(asked);
    let mut all: Vec<Issue> = known
        .into_iter()
        .filter(|issue| state == "all" || issue.open == (state == "open"))
        .filter(|issue| issue.updated_at >= since)
        .filter(|issue| labels.iter().all(|label| issue.labels.iter().any(|it| it.eq_ignore_ascii_case(label))))
        .collect();
    if asked.query("sort") == Some("updated") {
        all.sort_by_key(|issue| (issue.updated_at, issue.number));
    }
    if asked.query("direction") != Some("asc") {
        all.reverse();
    }
    all
}
