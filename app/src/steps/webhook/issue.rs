//! What is done to an issue of ours, as a command.

use super::judge_again;
use crate::steps::{Failure, Services, blocking};
use domain::alert::{Place, Reply};
use domain::command::{LabelCommand, OUR_LABEL, Scope};
use domain::event::{HookAccount, HookIssue, IssueAction};
use domain::handover::assignment;
use domain::ids::{HookId, LineId};
use domain::rule::{RuleKind, RuleSource};
use domain::settings::KnownError;
use github::{FoundIssue, IssueState};
use store::deliveries::{Channel, DeliveryMode, NewDelivery};
use store::lines::Line;
use store::repositories::RepositoryRow;
use store::rules::NewRule;

/// Acts on what somebody did to an issue, if the issue is ours and it was not us.
pub(super) async fn process(
    services: &Services,
    row: &RepositoryRow,
    hook: HookId,
    action: &IssueAction,
    issue: &HookIssue,
    sender: &HookAccount,
    now_ms: i64,
) -> Result<(), Failure> {
    if issue.is_pull_request || is_us(services, sender).await? {
        return Ok(());
    }
    let mut line = store::lines::by_issue(&services.store, row.repository.id, issue.number).await?;
    if line.is_none() && !issue.labels.iter().any(|label| label.eq_ignore_ascii_case(OUR_LABEL.name)) {
        return Ok(());
    }
    if *action == IssueAction::Gone {
        return match line {
            Some(line) => Ok(store::lines::record_issue_gone(&services.store, line.id).await?),
            None => Ok(()),
        };
    }
    // Webhooks come in any order, and some hours late. What was done counts as far as it still stands.
    let present = present(services, row, issue.number).await?;
    if line.is_none() {
        line = by_marker(services, row, issue.number, present.as_ref()).await?;
    }
    let Some(line) = line else { return Ok(()) };
    let issue = &present.map_or_else(|| issue.clone(), |present| as_told(&present));
    if !still_stands(action, issue) {
        return Ok(());
    }
    let at = At { services, row, line: &line, issue, by: &sender.login, sender, hook, now_ms };
    match action {
        IssueAction::Closed => at.closed().await,
        IssueAction::Reopened => at.reopened().await,
        IssueAction::Labeled(label) => at.labeled(label).await,
        IssueAction::Unlabeled(label) => at.unlabeled(label).await,
        IssueAction::Assigned(to) => at.assigned(to).await,
        IssueAction::Unassigned(from) => {
            if line.owner_login.as_deref() == Some(from.login.as_str()) {
                at.given_back().await?;
                store::lines::set_owner(&services.store, line.id, None).await?;
            }
            Ok(())
        }
        IssueAction::Gone => Ok(()),
    }
}

/// The issue as it is now; `None` where GitHub does not say, and the webhook has to be believed.
async fn present(services: &Services, row: &RepositoryRow, number: u64) -> Result<Option<FoundIssue>, Failure> {
    let (Some(github), Some(forge)) = (services.app.github(), &row.repository.forge) else { return Ok(None) };
    match github.issue(forge.installation, &row.repository.full_name, number).await {
        Ok(IssueState::Present(issue)) => Ok(Some(issue)),
        Ok(_) => Ok(None),
        Err(error) if error.is_permanent() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The line whose marker the issue bears: it was closed or labelled before its number was noted.
async fn by_marker(
    services: &Services,
    row: &RepositoryRow,
    number: u64,
    present: Option<&FoundIssue>,
) -> Result<Option<Line>, Failure> {
    let Some(present) = present else { return Ok(None) };
    let begin = format!("flawless:{}:", services.installation);
    let Some((_, rest)) = present.body.split_once(&begin) else { return Ok(None) };
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let Some(id) = digits.parse().ok().map(LineId) else { return Ok(None) };
    match store::lines::by_id(&services.store, id).await? {
        Some(line) if line.repository == row.repository.id && line.issue.is_none() => {
            store::lines::set_issue(&services.store, id, Some(number)).await?;
            Ok(store::lines::by_id(&services.store, id).await?)
        }
        _ => Ok(None),
    }
}

fn as_told(issue: &FoundIssue) -> HookIssue {
    let account = |it: &github::Account| HookAccount { id: it.id, login: it.login.clone(), kind: String::new() };
    HookIssue {
        number: issue.number,
        open: issue.open,
        labels: issue.labels.clone(),
        assignees: issue.assignees.iter().map(account).collect(),
        is_pull_request: false,
    }
}

/// Whether what was done to the issue has not been taken back since.
fn still_stands(action: &IssueAction, issue: &HookIssue) -> bool {
    let bears = |label: &str| issue.labels.iter().any(|known| known.eq_ignore_ascii_case(label));
    let has = |account: &HookAccount| issue.assignees.iter().any(|known| known.login == account.login);
    match action {
        IssueAction::Closed => !issue.open,
        IssueAction::Reopened => issue.open,
        IssueAction::Labeled(label) => bears(label),
        IssueAction::Unlabeled(label) => !bears(label),
        IssueAction::Assigned(to) => has(to),
        IssueAction::Unassigned(from) => !has(from),
        IssueAction::Gone => true,
    }
}

/// Our own actions come back as webhooks, sent by `SLUG[bot]`.
async fn is_us(services: &Services, sender: &HookAccount) -> Result<bool, Failure> {
    match services.app.github() {
        Some(github) => Ok(sender.login == github.bot_login().await?),
        None => Ok(false),
    }
}

struct At<'a> {
    services: &'a Services,
    row: &'a RepositoryRow,
    line: &'a Line,
    issue: &'a HookIssue,
    by: &'a str,
    sender: &'a HookAccount,
    hook: HookId,
    now_ms: i64,
}

impl At<'_> {
    /// Closed with a known-error label: whitelisted. Closed without: resolved as of the default branch's head.
    async fn closed(&self) -> Result<(), Failure> {
        let mut obeyed = false;
        for label in &self.issue.labels {
            if let Some(command) = LabelCommand::from_label(label).filter(|command| command.waits_for_closing()) {
                self.carry_out(command).await?;
                obeyed = true;
            }
        }
        // Resolved already: told by somebody else, or by a webhook that came twice in two ways.
        if obeyed || self.line.resolved_at_ms.is_some() {
            return Ok(());
        }
        let commit = self.closing_commit().await?.or_else(|| self.row.repository.head.clone());
        store::lines::resolve(&self.services.store, self.line.id, commit.as_deref(), self.now_ms).await?;
        self.services.epoch.turn();
        self.reply("resolved", &Reply::Resolved { commit, by: self.by.to_owned() }).await
    }

    /// The commit that closed the issue, where one did and the mirror has it: only what contains it has the fix.
    async fn closing_commit(&self) -> Result<Option<String>, Failure> {
        let (Some(github), Some(forge)) = (self.services.app.github(), &self.row.repository.forge) else {
            return Ok(None);
        };
        let name = &self.row.repository.full_name;
        let commit = match github.closing_commit(forge.installation, name, self.issue.number).await {
            Ok(commit) => commit,
            // The default branch's head is nearly as good.
            Err(error) if error.is_permanent() => {
                tracing::info!(repository = %name, number = self.issue.number, %error, "who closed an issue is not known");
                None
            }
            Err(error) => return Err(error.into()),
        };
        let Some(commit) = commit else { return Ok(None) };
        let (mirrors, id) = (self.services.mirrors.clone(), self.row.repository.id);
        let there = async |commit: &String| {
            let (mirrors, commit) = (mirrors.clone(), commit.clone());
            blocking(move || mirrors.resolve(id, &commit)).await
        };
        // Its push may still be on its way.
        if there(&commit).await.unwrap_or(None).is_none() {
            self.services.bring_up_to_date(self.row, self.now_ms).await?;
        }
        there(&commit).await
    }

    /// Reopened: whatever its labels commanded ends, and so does its resolution.
    async fn reopened(&self) -> Result<(), Failure> {
        self.end_rules(None).await?;
        store::lines::unresolve(&self.services.store, self.line.id, self.now_ms).await?;
        self.services.epoch.turn();
        Ok(())
    }

    async fn labeled(&self, label: &str) -> Result<(), Failure> {
        match LabelCommand::from_label(label) {
            // On an open issue the label waits for the issue to be closed.
            Some(command) if command.waits_for_closing() && self.issue.open => Ok(()),
            Some(command) => {
                if command.waits_for_closing() {
                    // What was resolved by closing is now known instead.
                    store::lines::unresolve(&self.services.store, self.line.id, self.now_ms).await?;
                }
                self.carry_out(command).await
            }
            None => match LabelCommand::nearly(label) {
                Some(meant) => {
                    let reply =
                        Reply::Refused { label: label.to_owned(), meant: meant.to_owned(), by: self.by.to_owned() };
                    self.send(&format!("refused:{}", label.to_lowercase()), &reply).await
                }
                None => Ok(()),
            },
        }
    }

    /// A label taken off a closed issue: its rule ends, and the next report brings the line back.
    async fn unlabeled(&self, label: &str) -> Result<(), Failure> {
        let command = LabelCommand::from_label(label);
        if command.is_none() {
            return Ok(());
        }
        let still_known = self
            .issue
            .labels
            .iter()
            .any(|label| matches!(LabelCommand::from_label(label), Some(LabelCommand::KnownError(_))));
        let in_force = store::rules::in_force(&self.services.store, self.row.repository.id).await?;
        let ends = in_force.iter().any(|rule| {
            rule.line == Some(self.line.id)
                && rule.label.as_deref().is_some_and(|made| made.eq_ignore_ascii_case(label))
        });
        // First: cut off in between, the command is obeyed once more, and finds the rule still in force.
        if ends && !self.issue.open && !still_known && matches!(command, Some(LabelCommand::KnownError(_))) {
            store::lines::resolve(&self.services.store, self.line.id, None, self.now_ms).await?;
            self.services.epoch.turn();
        }
        self.end_rules(Some(label)).await
    }

    /// Assigned by a person: the line is theirs from then on.
    async fn assigned(&self, to: &HookAccount) -> Result<(), Failure> {
        let owner = self.line.owner_login.as_deref().or_else(|| self.line.logins().next());
        if owner == Some(to.login.as_str()) {
            return Ok(());
        }
        // First: cut off in between, the command is obeyed once more, and finds that the line is not theirs yet.
        if let Some((part, account)) = self.services.part_of(self.line).await? {
            let is_bot = |account: &HookAccount| account.kind == "Bot";
            let author = account.login.as_deref().or(self.line.author_login.as_deref());
            let meaning = assignment((&to.login, is_bot(to)), (self.by, is_bot(self.sender)), author);
            let by_author = author.is_some_and(|author| author.eq_ignore_ascii_case(self.by));
            self.services.remember_handover(self.line, part, meaning, (self.by, by_author), self.now_ms).await?;
        }
        store::lines::set_owner(&self.services.store, self.line.id, Some(&to.login)).await?;
        self.reply("reassigned", &Reply::Reassigned { to: to.login.clone(), by: self.by.to_owned() }).await
    }

    /// Taken from whom it was given to, while its author is still assigned: the author has it back.
    async fn given_back(&self) -> Result<(), Failure> {
        let Some((part, account)) = self.services.part_of(self.line).await? else { return Ok(()) };
        let author = account.login.as_deref().or(self.line.author_login.as_deref());
        let has_author = author.is_some_and(|author| {
            self.issue.assignees.iter().any(|assignee| assignee.login.eq_ignore_ascii_case(author))
        });
        if has_author {
            store::handovers::record_given_back(
                &self.services.store,
                self.line.repository,
                &part,
                (self.line.id, self.by),
                self.now_ms,
            )
            .await?;
        }
        Ok(())
    }

    /// What a label commands, done and confirmed.
    async fn carry_out(&self, command: LabelCommand) -> Result<(), Failure> {
        let place = &self.line.place;
        let (kind, scope) = match command {
            LabelCommand::KnownError(scope) => (RuleKind::KnownError, scope),
            LabelCommand::LibraryCode => (RuleKind::BuildingBlock, Scope::Function),
        };
        let entry = KnownError {
            file: place.path.clone(),
            function: (scope != Scope::File).then(|| place.function.clone()),
            code: (scope == Scope::Line && !place.code.is_empty()).then(|| place.code.clone()),
            ..KnownError::default()
        };
        let reply = Reply::Done { command, place: place.clone(), by: self.by.to_owned() };
        self.make(kind, entry, command.label(), &reply).await
    }

    async fn make(&self, kind: RuleKind, entry: KnownError, label: &str, reply: &Reply) -> Result<(), Failure> {
        let new = NewRule {
            repository: self.row.repository.id,
            kind,
            entry,
            line: Some(self.line.id),
            label: Some(label.to_owned()),
            issue: Some(self.issue.number),
            origin: RuleSource::Label,
            by: self.by.to_owned(),
        };
        match super::make_rule(self.services, &new, self.now_ms).await? {
            Some(rule) => self.send(&format!("made:{rule}"), reply).await,
            None => Ok(()),
        }
    }

    /// Ends the rules of one label of this issue, or of all.
    async fn end_rules(&self, label: Option<&str>) -> Result<(), Failure> {
        let id = self.row.repository.id;
        let ended =
            store::rules::end_of_label(&self.services.store, id, self.line.id, label, self.by, self.now_ms).await?;
        for rule in &ended {
            judge_again(self.services, id, &rule.made.entry.file, self.now_ms).await?;
            let entry = &rule.made.entry;
            let reply = Reply::RuleEnded {
                label: rule.label.clone().unwrap_or_default(),
                place: Place {
                    path: entry.file.clone(),
                    function: entry.function.clone().unwrap_or_default(),
                    line: self.line.place.line,
                    code: entry.code.clone().unwrap_or_default(),
                },
                by: self.by.to_owned(),
            };
            self.send(&format!("ended:{}", rule.made.id), &reply).await?;
        }
        Ok(())
    }

    async fn reply(&self, what: &str, reply: &Reply) -> Result<(), Failure> {
        self.send(&format!("{what}:{}", self.hook), reply).await
    }

    /// One comment for each command, however often the webhook comes.
    async fn send(&self, purpose: &str, reply: &Reply) -> Result<(), Failure> {
        let content = serde_json::to_string(reply).map_err(|error| Failure::GiveUp(error.to_string()))?;
        let delivery =
            NewDelivery { channel: Channel::Comment, purpose: purpose.to_owned(), recipient: String::new(), content };
        let mode = if self.row.is_shadow(self.now_ms) { DeliveryMode::Shadow } else { DeliveryMode::Singly };
        let id = self.row.repository.id;
        store::deliveries::insert(&self.services.store, id, self.line.id, (&delivery, mode), self.now_ms).await?;
        self.services.wake.notify_one();
        Ok(())
    }
}
