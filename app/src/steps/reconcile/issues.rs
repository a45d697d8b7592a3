//! Comparing our lines with their issues: what a lost webhook would have told is told by the issue
//! itself.

use super::Reconcile;
use crate::services::Failure;
use domain::command::{COMMANDS, LabelCommand, OUR_LABEL, Obeyed};
use domain::event::{Event, HookAccount, HookIssue, HookRepository, IssueAction};
use domain::names::Login;
use domain::repository::GitHubRepository;
use domain::timestamp::Timestamp;
use github::{Account, FoundIssue, GitHub};
use store::lines::Line;
use store::repositories::RepositoryRow;
use store::rules::RuleRow;

/// Edits of a line that its issue went on through, back to which it is remembered who had it.
const MOST_EDITS: usize = 20;
/// Who did it, where only its result is known.
const SOMEBODY: &str = "somebody on GitHub";

impl Reconcile {
    /// Looks at the issues of ours that changed since the last look, and has done what nobody told.
    ///
    /// # Errors
    /// GitHub or the database is out of reach: to be tried again.
    pub(super) async fn issues(
        &self,
        github: &GitHub,
        row: &RepositoryRow,
        on_github: &GitHubRepository,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let fact = store::meta::issues_looked(row.repository.id);
        let looked_at = store::meta::by_name(&self.store, &fact).await?.and_then(|text| text.parse().ok());
        let (name, since) = (&row.repository.full_name, looked_at.map_or(row.created_at, Timestamp::from_millis));
        let rules = store::rules::in_force(&self.store, row.repository.id).await?;
        for issue in github.changed_issues(on_github.installation, name, OUR_LABEL.name, since).await? {
            self.compare(row, on_github, &issue, &rules, now).await?;
        }
        store::meta::set(&self.store, &fact, &now.as_millis().to_string()).await?;
        self.wake.notify_one();
        Ok(())
    }

    /// Compares one issue with its line, and takes for a webhook what no webhook told.
    async fn compare(
        &self,
        row: &RepositoryRow,
        on_github: &GitHubRepository,
        issue: &FoundIssue,
        rules: &[RuleRow],
        now: Timestamp,
    ) -> Result<(), Failure> {
        let Some(line) = store::lines::by_issue(&self.store, row.repository.id, issue.number).await? else {
            return Ok(());
        };
        // We are about to open it again: that it is still closed is nothing that somebody did.
        if store::deliveries::is_reopening_pending(&self.store, line.id).await? {
            return Ok(());
        }
        let owners = self.owners(&line).await?;
        for action in untold(&line, &owners, issue, rules) {
            tracing::info!(repository = %row.repository.full_name, number = issue.number, ?action, "no webhook told of this");
            // The same way as a webhook's, and once: until it is acted on, the next look finds the
            // same.
            let delivery = format!("look:{}:{}:{}:{action:?}", row.repository.id, issue.number, now.as_millis());
            store::hooks::insert(&self.store, &delivery, "issues", &event(row, on_github, action, issue), now).await?;
        }
        Ok(())
    }

    /// Whose assignment is no news: the line's owner's, else its author's and those of the lines
    /// that it was before somebody edited it, who had the issue then.
    async fn owners(&self, line: &Line) -> Result<Vec<Login>, Failure> {
        if let Some(owner) = &line.owner_login {
            return Ok(vec![owner.clone()]);
        }
        let mut owners: Vec<Login> = line.logins().cloned().collect();
        let mut next = store::lines::predecessor(&self.store, line.id).await?;
        for _ in 0..MOST_EDITS {
            let Some(id) = next else { break };
            let Some(before) = store::lines::by_id(&self.store, id).await? else { break };
            owners.extend(before.logins().cloned());
            next = store::lines::predecessor(&self.store, id).await?;
        }
        Ok(owners)
    }
}

/// What was done to an issue, as far as our line does not know of it.
fn untold(line: &Line, owners: &[Login], issue: &FoundIssue, rules: &[RuleRow]) -> Vec<IssueAction> {
    let mut actions = Vec::new();
    let bears = |label: &str| issue.labels.iter().any(|known| known.eq_ignore_ascii_case(label));
    let ours = |rule: &&RuleRow| rule.line == Some(line.id) && rule.label.is_some();
    let in_force = |label: &str| {
        rules.iter().filter(ours).any(|rule| rule.label.as_deref().is_some_and(|it| it.eq_ignore_ascii_case(label)))
    };
    let known_label =
        issue.labels.iter().any(|it| matches!(LabelCommand::from_label(it), Some(LabelCommand::KnownError(_))));
    if issue.open {
        let silenced = rules.iter().filter(ours).any(|rule| {
            let command = rule.label.as_deref().and_then(LabelCommand::from_label);
            matches!(command, Some(LabelCommand::KnownError(_)))
        });
        if line.resolved_at.is_some() && !line.regressed || silenced {
            actions.push(IssueAction::Reopened);
        }
    } else if !line.known && (line.resolved_at.is_none() || known_label) {
        actions.push(IssueAction::Closed);
    }
    for command in COMMANDS {
        let label = command.label.name;
        if in_force(label) && !bears(label) {
            actions.push(IssueAction::Unlabeled(label.to_owned()));
        }
        if command.obeyed == Obeyed::AtOnce && bears(label) && !in_force(label) {
            actions.push(IssueAction::Labeled(label.to_owned()));
        }
    }
    let is_theirs = |account: &Account| owners.contains(&account.login);
    if let Some(other) = issue.assignees.first().filter(|_| !issue.assignees.iter().any(is_theirs)) {
        actions.push(IssueAction::Assigned(account(other)));
    }
    actions
}

fn account(of: &Account) -> HookAccount {
    HookAccount { id: of.id, login: of.login.clone(), kind: "User".to_owned() }
}

fn event(row: &RepositoryRow, on_github: &GitHubRepository, action: IssueAction, issue: &FoundIssue) -> Event {
    Event::Issue {
        repository: HookRepository {
            id: on_github.id,
            full_name: row.repository.full_name.clone(),
            installation: Some(on_github.installation),
            ..HookRepository::default()
        },
        action,
        issue: HookIssue {
            number: issue.number,
            open: issue.open,
            labels: issue.labels.clone(),
            assignees: issue.assignees.iter().map(account).collect(),
            is_pull_request: false,
            updated_at: issue.updated_at,
            closed_at: issue.closed_at,
        },
        sender: HookAccount { id: 0, login: SOMEBODY.into(), kind: "User".to_owned() },
    }
}
