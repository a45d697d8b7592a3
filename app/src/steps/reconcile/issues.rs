//! Comparing our lines with their issues: what a lost webhook would have told is told by the issue
//! itself.

use super::Reconcile;
use crate::services::{Failure, deleted_labels};
use domain::command::{COMMANDS, LabelCommand, OUR_LABEL, Obeyed};
use domain::delivery::Purpose;
use domain::event::{Event, HookAccount, HookIssue, HookRepository, IssueAction};
use domain::ids::LineId;
use domain::names::Login;
use domain::read_lag::ANSWERS_LAG_FOR;
use domain::repository::GitHubAddress;
use domain::timestamp::Timestamp;
use github::{FoundIssue, GitHub, IssueEvent};
use store::lines::{ActedOn, Line};
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
        address: &GitHubAddress,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let fact = store::meta::issues_looked(row.repository.id);
        let looked_at = store::meta::by_name(&self.store, &fact).await?.and_then(|text| text.parse().ok());
        let since = looked_at.map_or(row.created_at, Timestamp::from_millis);
        let rules = LabelRules {
            in_force: store::rules::in_force(&self.store, row.repository.id).await?,
            overruled: store::rules::overruled(&self.store, row.repository.id).await?,
        };
        for issue in github.changed_issues(address, OUR_LABEL.name, since).await? {
            self.compare(github, row, address, &issue, &rules, now).await?;
        }
        // A clock that is ahead and put right later must not have what comes until then passed
        // over.
        let looked = github.clock().map_or(now, |theirs| theirs.min(now));
        store::meta::set(&self.store, &fact, &looked.as_millis().to_string()).await?;
        self.wake.notify_one();
        Ok(())
    }

    /// Compares one issue with its line, and takes for a webhook what no webhook told.
    async fn compare(
        &self,
        github: &GitHub,
        row: &RepositoryRow,
        address: &GitHubAddress,
        issue: &FoundIssue,
        rules: &LabelRules,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let Some(line) = store::lines::by_issue(&self.store, row.repository.id, issue.number).await? else {
            return Ok(());
        };
        // We are about to open it again: that it is still closed is nothing that somebody did.
        if store::deliveries::is_reopening_pending(&self.store, line.id).await? {
            return Ok(());
        }
        let acted_on = store::lines::acted_on(&self.store, line.id).await?;
        // A list is behind at times: this is how the issue was before what was acted on already, or
        // may be, where it is of the same second. The next look sees more.
        let may_lag = |at: Timestamp| at == acted_on.as_of && now.is_within(ANSWERS_LAG_FOR, at);
        if issue.updated_at.is_some_and(|at| at < acted_on.as_of || may_lag(at)) {
            return Ok(());
        }
        let mut actions = untold(&line, issue, rules);
        let known = self.known_assignees(&line, &acted_on).await?;
        let new: Vec<&HookAccount> = issue.assignees.iter().filter(|account| !known.contains(&account.login)).collect();
        actions.extend(self.near_misses(row, &line, issue).await?);
        actions.extend(taken_away(&line, &acted_on, issue).filter(|_| new.is_empty()));
        let mut events = Vec::new();
        if !(actions.is_empty() && new.is_empty()) {
            events = self.events(github, address, issue.number).await?;
        }
        actions.extend(given(&new, &events));
        for action in actions {
            if let IssueAction::Unlabeled(label) = &action
                && deleted_labels::is_deleted(github, row, label).await?
            {
                deleted_labels::ask(&self.store, row, &line, label, now).await?;
                continue;
            }
            let event = events.iter().rfind(|event| is_same(&event.action, &action));
            tracing::info!(repository = %row.repository.full_name, number = issue.number, ?action, "no webhook told of this");
            // The same way as a webhook's, and once: until it is acted on, the next look finds the
            // same.
            let delivery = format!("look:{}:{}:{}:{action:?}", row.repository.id, issue.number, now.as_millis());
            store::hooks::insert(&self.store, &delivery, "issues", &told(address, action, issue, event), now).await?;
        }
        let assignees: Vec<Login> = issue.assignees.iter().map(|account| account.login.clone()).collect();
        if acted_on.assignees.as_ref() != Some(&assignees) {
            store::lines::record_assignees(&self.store, line.id, &assignees).await?;
        }
        Ok(())
    }

    /// What was done to an issue, by whom and when, as far as GitHub's list of events says it. What
    /// we did is no news.
    async fn events(&self, github: &GitHub, address: &GitHubAddress, number: u64) -> Result<Vec<IssueEvent>, Failure> {
        let mut events = match github.issue_events(address, number).await {
            Err(error) if !error.is_permanent() => return Err(error.into()),
            found => found.unwrap_or_default(),
        };
        let us = github.bot_login().await?;
        events.retain(|event| event.by.login != us);
        Ok(events)
    }

    /// Whose assignment is no news: those that were acted on, and the line's owner's. Where nothing
    /// is known of any, its author's and those of the lines that it was before somebody edited it,
    /// who had the issue then.
    async fn known_assignees(&self, line: &Line, acted_on: &ActedOn) -> Result<Vec<Login>, Failure> {
        let mut known: Vec<Login> = line.owner_login.iter().cloned().collect();
        if let Some(assignees) = &acted_on.assignees {
            known.extend(assignees.iter().cloned());
            return Ok(known);
        }
        known.extend(line.logins().cloned());
        let mut next = store::lines::predecessor(&self.store, line.id).await?;
        for _ in 0..MOST_EDITS {
            let Some(id) = next else { break };
            let Some(before) = store::lines::by_id(&self.store, id).await? else { break };
            known.extend(before.logins().cloned());
            next = store::lines::predecessor(&self.store, id).await?;
        }
        Ok(known)
    }

    /// Labels that are nearly commands, of which nobody was told yet.
    async fn near_misses(
        &self,
        row: &RepositoryRow,
        line: &Line,
        issue: &FoundIssue,
    ) -> Result<Vec<IssueAction>, Failure> {
        let mut missed = Vec::new();
        let is_ours = |label: &String| row.settings.issues.labels.iter().any(|ours| ours.eq_ignore_ascii_case(label));
        for label in issue.labels.iter().filter(|label| !is_ours(label) && LabelCommand::nearly(label).is_some()) {
            let purpose = Purpose::RefusedLabel(label.to_lowercase());
            if !store::lines::is_replied_to(&self.store, line.id, &purpose).await? {
                missed.push(IssueAction::Labeled(label.clone()));
            }
        }
        Ok(missed)
    }
}

/// A repository's rules that labels made, and that are news or are none.
struct LabelRules {
    in_force: Vec<RuleRow>,
    /// They ended by hand or by their last day, and their labels stayed.
    overruled: Vec<RuleRow>,
}

/// The labels of a line's issue that these rules were made by.
fn labels_of(rules: &[RuleRow], line: LineId) -> Vec<&str> {
    rules.iter().filter(|rule| rule.line == Some(line)).filter_map(|rule| rule.label.as_deref()).collect()
}

/// What was done to an issue, as far as our line does not know of it.
fn untold(line: &Line, issue: &FoundIssue, rules: &LabelRules) -> Vec<IssueAction> {
    let mut actions = Vec::new();
    let among = |labels: &[&str], label: &str| labels.iter().any(|known| known.eq_ignore_ascii_case(label));
    let bears = |label: &str| issue.labels.iter().any(|known| known.eq_ignore_ascii_case(label));
    let is_known_error = |label: &str| matches!(LabelCommand::from_label(label), Some(LabelCommand::KnownError(_)));
    let (in_force, overruled) = (labels_of(&rules.in_force, line.id), labels_of(&rules.overruled, line.id));
    let deleted: Vec<RuleRow> = rules.in_force.iter().filter(|rule| rule.is_label_deleted).cloned().collect();
    let deleted = labels_of(&deleted, line.id);
    // What somebody ended by hand stays ended, as long as nobody took the label off meanwhile.
    let known_label = issue.labels.iter().any(|label| is_known_error(label) && !among(&overruled, label));
    if issue.open {
        let silenced = in_force.iter().any(|label| is_known_error(label));
        if line.resolved_at.is_some() && !line.regressed || silenced {
            actions.push(IssueAction::Reopened);
        }
    } else if !line.known && (line.resolved_at.is_none() || known_label) {
        actions.push(IssueAction::Closed);
    }
    for command in COMMANDS {
        let label = command.label.name;
        let is_made = among(&in_force, label) || among(&overruled, label);
        // It is off because somebody deleted it, or was, and was put on again.
        let is_deleted = among(&deleted, label);
        let is_obeyed = command.obeyed == Obeyed::AtOnce;
        match bears(label) {
            false if is_made && !is_deleted => actions.push(IssueAction::Unlabeled(label.to_owned())),
            true if is_deleted && (is_obeyed || !issue.open) || is_obeyed && !is_made => {
                actions.push(IssueAction::Labeled(label.to_owned()));
            }
            _ => {}
        }
    }
    actions
}

/// To whom of these the issue was given last, who had it not before; the first of them where GitHub
/// does not say.
fn given(new: &[&HookAccount], events: &[IssueEvent]) -> Option<IssueAction> {
    let first = new.first()?;
    let is_new = |to: &HookAccount| new.iter().any(|account| account.login == to.login);
    let last = events.iter().rfind(|event| matches!(&event.action, IssueAction::Assigned(to) if is_new(to)));
    Some(last.map_or_else(|| IssueAction::Assigned((*first).clone()), |last| last.action.clone()))
}

/// The line's owner, who has the issue no more. Whose it became on a page was never assigned.
fn taken_away(line: &Line, acted_on: &ActedOn, issue: &FoundIssue) -> Option<IssueAction> {
    let has = |login: &Login| issue.assignees.iter().any(|account| account.login == *login);
    let owner = line.owner_login.as_ref()?;
    let was_assigned = acted_on.assignees.iter().flatten().any(|it| it == owner);
    (was_assigned && !has(owner)).then(|| IssueAction::Unassigned(HookAccount::unknown(owner.as_str())))
}

/// Whether both are the same thing done.
fn is_same(one: &IssueAction, other: &IssueAction) -> bool {
    match (one, other) {
        (IssueAction::Labeled(one), IssueAction::Labeled(other))
        | (IssueAction::Unlabeled(one), IssueAction::Unlabeled(other)) => one.eq_ignore_ascii_case(other),
        (IssueAction::Assigned(one), IssueAction::Assigned(other))
        | (IssueAction::Unassigned(one), IssueAction::Unassigned(other)) => one.login == other.login,
        _ => one == other,
    }
}

/// What was done, as a webhook would tell it; by whom and when, where that is known.
fn told(address: &GitHubAddress, action: IssueAction, issue: &FoundIssue, event: Option<&IssueEvent>) -> Event {
    Event::Issue {
        repository: HookRepository {
            id: address.id,
            full_name: address.name.clone(),
            installation: Some(address.installation),
            ..HookRepository::default()
        },
        action,
        issue: HookIssue {
            number: issue.number,
            open: issue.open,
            labels: issue.labels.clone(),
            assignees: issue.assignees.clone(),
            is_pull_request: false,
            updated_at: event.map_or(issue.updated_at, |event| Some(event.at)),
            closed_at: issue.closed_at,
        },
        sender: event.map_or_else(|| HookAccount::unknown(SOMEBODY), |event| event.by.clone()),
    }
}
