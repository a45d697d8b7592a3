//! What somebody did to an issue, as a command: closed, opened again, labelled or assigned.

use super::IssueWebhooks;
use crate::services::handovers::{as_write, part_of};
use crate::services::messages::comment;
use crate::services::{Failure, deleted_labels};
use domain::alert::Reply;
use domain::command::{LabelCommand, Scope};
use domain::commit::CommitId;
use domain::delivery::{DeliveryMode, Purpose};
use domain::event::{HookAccount, HookIssue, IssueAction};
use domain::handover::HandoverChange;
use domain::names::Login;
use domain::rule::{Rule, RuleKind, RuleSource};
use domain::settings::KnownError;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use store::deliveries::NewDelivery;
use store::handovers::HandoverWrite;
use store::lines::{AsOf, CarriedOut, CommandReply, Line};
use store::repositories::RepositoryRow;
use store::rules::{Ending, Insertion, NewRule, RuleRow};

/// How much earlier than the issue says it was closed GitHub may date the event of it: each is
/// written by itself, and both are in seconds.
const SAME_MOMENT: SignedDuration = SignedDuration::from_secs(2);

/// A command, and all that it is about.
pub(super) struct IssueCommand<'a> {
    /// What it is carried out with.
    pub(super) with: &'a IssueWebhooks,
    pub(super) row: &'a RepositoryRow,
    pub(super) line: &'a Line,
    /// The issue as it is now.
    pub(super) issue: &'a HookIssue,
    pub(super) sender: &'a HookAccount,
    /// When it was given, by GitHub's clock.
    pub(super) told_at: Timestamp,
    /// How old the issue was that was acted on before this, by the same.
    pub(super) acted_on: Timestamp,
    /// When to ask again what GitHub does not know yet; `None`: it had its time.
    pub(super) ask_again_at: Option<Timestamp>,
    pub(super) now: Timestamp,
}

impl IssueCommand<'_> {
    /// Who gave it.
    fn by(&self) -> &Login {
        &self.sender.login
    }

    /// Acts on what was done.
    pub(super) async fn run(&self, action: &IssueAction) -> Result<(), Failure> {
        match action {
            IssueAction::Closed => self.closed().await,
            IssueAction::Reopened => self.reopened().await,
            IssueAction::Labeled(label) => self.labeled(label).await,
            IssueAction::Unlabeled(label) => self.unlabeled(label).await,
            IssueAction::Assigned(to) => self.assigned(to).await,
            IssueAction::Unassigned(from) => self.unassigned(from).await,
            IssueAction::Edited | IssueAction::Gone => Ok(()),
        }
    }

    /// Closed with a known-error label: whitelisted. Closed without: resolved as of the commit that
    /// closed it, else of the default branch's head.
    async fn closed(&self) -> Result<(), Failure> {
        let mut done = false;
        for label in &self.issue.labels {
            if let Some(command) = LabelCommand::from_label(label).filter(|it| it.waits_for_closing()) {
                // What somebody ended by hand stays ended while its label is on.
                if store::rules::overruled_by_label(&self.with.store, self.line.id, label).await?.is_some() {
                    continue;
                }
                self.carry_out(command).await?;
                done = true;
            }
        }
        if done {
            return Ok(());
        }
        let (store, line) = (&self.with.store, self.line.id);
        let closed_at = self.issue.closed_at.unwrap_or(self.told_at);
        // Resolved already: told by somebody else, or by a webhook that came twice in two ways. Not
        // as of this closing, where it was opened again since without a word.
        if self.line.resolved_at.is_some() && !store::lines::is_next_closing(store, line, closed_at).await? {
            return Ok(());
        }
        let purpose = Purpose::Resolved { closed_at };
        // A closing is acted on once, whoever tells of it, and however late: the line may have come
        // back since, and its issue be about to be opened.
        if store::lines::is_replied_to(store, line, &purpose).await? {
            return Ok(());
        }
        let (closing, by_person) = self.closing_commit(closed_at).await?;
        let commit = closing.or_else(|| self.row.repository.head.clone());
        let reply = comment(purpose, &Reply::Resolved { commit: commit.clone(), by_person, by: self.by().clone() })?;
        let person_at = by_person.then_some(closed_at.min(self.now));
        let as_of = AsOf { commit: commit.as_ref(), person_at };
        let done = store::lines::resolve_once(store, self.as_reply(&reply), closed_at, as_of, self.now).await?;
        self.with.epoch.turn();
        self.done(done)
    }

    /// What follows from what became of a command.
    fn done(&self, done: CarriedOut) -> Result<(), Failure> {
        match done {
            CarriedOut::Now => self.with.wake.notify_one(),
            CarriedOut::Before => {}
            CarriedOut::Overtaken => return Err(Failure::Again { at: self.now }),
        }
        Ok(())
    }

    /// The commit that closed the issue, where one did and the mirror has it: only what contains it
    /// has the fix. And whether a person closed it, as GitHub says.
    async fn closing_commit(&self, closed_at: Timestamp) -> Result<(Option<CommitId>, bool), Failure> {
        let not_known = (None, false);
        let Some((github, address)) = self.with.github_app.github_of(&self.row.repository) else {
            return Ok(not_known);
        };
        let number = self.issue.number;
        let commit = match github.last_closing(&address, number).await {
            Ok(Some(closing)) if closing.at.is_none_or(|at| at + SAME_MOMENT >= closed_at) => closing.commit,
            // This one is not listed yet.
            Ok(_) => match self.ask_again_at {
                Some(at) => return Err(Failure::Again { at }),
                None => return Ok(not_known),
            },
            // The default branch's head is nearly as good.
            Err(error) if error.is_permanent() => {
                tracing::info!(repository = %address, number, %error, "who closed an issue is not known");
                return Ok(not_known);
            }
            Err(error) => return Err(error.into()),
        };
        let Some(commit) = commit else { return Ok((None, true)) };
        match self.with.mirror_sync.finds_commit(self.row, &commit, self.now).await {
            Ok(is_there) => Ok((is_there.then_some(commit), false)),
            // Its fetch is refused for good, which is the repository's trouble, not the line's.
            Err(Failure::GiveUp(_)) => Ok(not_known),
            Err(failure) => Err(failure),
        }
    }

    /// Reopened: whatever its labels commanded until then ends, and so does its resolution.
    async fn reopened(&self) -> Result<(), Failure> {
        let ending = if self.sender.is_unknown() { Ending::FoundOpen } else { Ending::Reopened(self.told_at) };
        self.end_rules(ending).await?;
        store::lines::unresolve(&self.with.store, self.line.id, self.now).await?;
        self.with.epoch.turn();
        Ok(())
    }

    async fn labeled(&self, label: &str) -> Result<(), Failure> {
        match LabelCommand::from_label(label) {
            // On an open issue the label waits for the issue to be closed.
            _ if self.is_overruled(label).await? => Ok(()),
            Some(command) if command.waits_for_closing() && self.issue.open => Ok(()),
            Some(command) => {
                if command.waits_for_closing() {
                    // What was resolved by closing is now known instead.
                    store::lines::unresolve(&self.with.store, self.line.id, self.now).await?;
                }
                self.carry_out(command).await
            }
            None => self.refuse(label).await,
        }
    }

    /// Whether what the label commanded was ended while it was on, and this is an old word of that
    /// command: one of a later moment gives it anew.
    async fn is_overruled(&self, label: &str) -> Result<bool, Failure> {
        let store = &self.with.store;
        let Some(rule) = store::rules::overruled_by_label(store, self.line.id, label).await? else { return Ok(false) };
        if rule.commanded_at.is_some_and(|at| self.told_at <= at) {
            return Ok(true);
        }
        store::rules::lift_overruled(store, self.line.id, label).await?;
        Ok(false)
    }

    /// Says which label was meant, where one is nearly a command.
    async fn refuse(&self, label: &str) -> Result<(), Failure> {
        let Some(meant) = LabelCommand::nearly(label) else { return Ok(()) };
        let reply = Reply::Refused { label: label.to_owned(), meant: meant.to_owned(), by: self.by().clone() };
        self.send(Purpose::RefusedLabel(label.to_lowercase()), &reply).await
    }

    /// A label taken off: its rule ends. Taken off a closed issue, a line that was known is
    /// resolved from now on.
    async fn unlabeled(&self, label: &str) -> Result<(), Failure> {
        let Some(command) = LabelCommand::from_label(label) else { return Ok(()) };
        let rule = self.rule_of(label).await?;
        // Put on again, it counts as before: this is a late word of its being deleted.
        if rule.as_ref().is_some_and(|rule| rule.is_label_deleted) {
            return Ok(());
        }
        if rule.is_some() && self.is_deleted(label).await? {
            deleted_labels::ask(&self.with.store, self.row, self.line, label, self.now).await?;
            self.with.wake.notify_one();
            return Ok(());
        }
        let is_known = |label: &String| matches!(LabelCommand::from_label(label), Some(LabelCommand::KnownError(_)));
        let still_known = self.issue.labels.iter().any(is_known);
        let reopens = matches!(command, LabelCommand::KnownError(_)) && !self.issue.open && !still_known;
        // First: cut off in between, the command is carried out once more, and finds the rule still
        // in force.
        if reopens && rule.is_some() {
            store::lines::resolve_for_now(&self.with.store, self.line.id, self.now).await?;
            self.with.epoch.turn();
        }
        self.end_rules(Ending::TakenOff(label)).await
    }

    /// Whether the label is off because somebody deleted it in the repository.
    async fn is_deleted(&self, label: &str) -> Result<bool, Failure> {
        match self.with.github_app.github_of(&self.row.repository) {
            Some((github, _)) => deleted_labels::is_deleted(&github, self.row, label).await,
            None => Ok(false),
        }
    }

    /// The rule in force that a label of this line's issue made.
    async fn rule_of(&self, label: &str) -> Result<Option<RuleRow>, Failure> {
        let in_force = store::rules::in_force(&self.with.store, self.row.repository.id).await?;
        let is_its = |rule: &RuleRow| rule.label.as_deref().is_some_and(|made| made.eq_ignore_ascii_case(label));
        Ok(in_force.into_iter().find(|rule| rule.line == Some(self.line.id) && is_its(rule)))
    }

    /// Assigned by anybody but us: the line is theirs from then on.
    async fn assigned(&self, to: &HookAccount) -> Result<(), Failure> {
        let (store, line) = (&self.with.store, self.line.id);
        let given_at = store::lines::assigned_at(store, line).await?;
        // A look sees that it was done after what was acted on last, and not when: whoever tells of
        // it with its moment, or of another one, knows better.
        let at = if self.sender.is_unknown() { self.acted_on.max(given_at) } else { self.told_at };
        let owner = self.line.owner_login.as_ref().or_else(|| self.line.logins().next());
        if owner == Some(&to.login) {
            return Ok(store::lines::record_assigned_at(store, line, at).await?);
        }
        let purpose = Purpose::Reassigned { at, to: to.login.clone() };
        // An assignment is acted on once, and not after a later one: whose the line became then,
        // or on a page, counts.
        if store::lines::is_replied_to(store, line, &purpose).await? || given_at > at {
            return Ok(());
        }
        let handover = self.handover(to).await?;
        let reply = comment(purpose, &Reply::Reassigned { to: to.login.clone(), by: self.by().clone() })?;
        self.done(store::lines::give_once(store, self.as_reply(&reply), &to.login, at, &handover, self.now).await?)
    }

    /// What an assignment says of the author's next lines.
    async fn handover(&self, to: &HookAccount) -> Result<HandoverWrite, Failure> {
        let Some((part, account)) = part_of(&self.with.store, self.line).await? else {
            return Ok(HandoverWrite::Nothing);
        };
        let author = account.login.as_ref().or(self.line.author_login.as_ref());
        let change = HandoverChange::of_assignment(to, self.sender, author);
        let by_author = author == Some(self.by());
        Ok(as_write(self.line, part, change, self.by().as_str(), by_author))
    }

    /// Taken from whom it was given to.
    async fn unassigned(&self, from: &HookAccount) -> Result<(), Failure> {
        if self.line.owner_login.as_ref() != Some(&from.login) {
            return Ok(());
        }
        self.given_back().await?;
        Ok(store::lines::set_owner(&self.with.store, self.line.id, None).await?)
    }

    /// Taken from whom it was given to, while its author is still assigned: the author has it back.
    async fn given_back(&self) -> Result<(), Failure> {
        let Some((part, account)) = part_of(&self.with.store, self.line).await? else { return Ok(()) };
        let author = account.login.as_ref().or(self.line.author_login.as_ref());
        let has_author =
            author.is_some_and(|author| self.issue.assignees.iter().any(|assignee| assignee.login == *author));
        if has_author {
            let (by, by_author) = (self.by().as_str(), author == Some(self.by()));
            as_write(self.line, part, HandoverChange::GivenBack, by, by_author)
                .write(&self.with.store, self.now)
                .await?;
        }
        Ok(())
    }

    /// What a label commands, done and confirmed.
    async fn carry_out(&self, command: LabelCommand) -> Result<(), Failure> {
        let place = &self.line.place;
        let (kind, scope) = match command {
            LabelCommand::KnownError(scope) => (RuleKind::KnownError, scope),
            LabelCommand::LibraryCode => (RuleKind::LibraryCode, Scope::Function),
        };
        let said = KnownError {
            file: place.path.clone(),
            function: (scope != Scope::File).then(|| place.function.clone()),
            code: (scope == Scope::Line && !place.code.is_empty()).then(|| place.code.clone()),
            ..KnownError::default()
        };
        let reply = Reply::Done { command, place: place.clone(), by: self.by().clone() };
        self.make(Rule::new(kind, said), command.label(), &reply).await
    }

    async fn make(&self, rule: Rule, label: &str, reply: &Reply) -> Result<(), Failure> {
        let new = NewRule {
            repository: self.row.repository.id,
            rule,
            line: Some(self.line.id),
            label: Some(label.to_owned()),
            issue: Some(self.issue.number),
            origin: RuleSource::Label,
            commanded_at: Some(self.told_at),
            by: self.by().to_string(),
        };
        match self.with.rules.make(&new, self.now).await? {
            // Where it is in force, whoever made it may have been cut off before this.
            Insertion::Made(rule) | Insertion::InForce(rule) => self.send(Purpose::RuleMade(rule), reply).await,
            // Nobody limits labels.
            Insertion::TooMany => Ok(()),
        }
    }

    /// Ends rules of this issue's labels, and confirms each.
    async fn end_rules(&self, ending: Ending<'_>) -> Result<(), Failure> {
        let reply = |rule: &RuleRow| -> Result<_, Failure> {
            Ok((comment(Purpose::RuleEnded(rule.made.id), &self.rule_ended(rule))?, self.mode()))
        };
        self.with.rules.end_of_labels(self.line, ending, self.by().as_str(), reply, self.now).await?;
        self.with.wake.notify_one();
        Ok(())
    }

    fn rule_ended(&self, rule: &RuleRow) -> Reply {
        let place = rule.made.rule.pattern().place(self.line.place.line);
        Reply::RuleEnded { label: rule.label.clone().unwrap_or_default(), place, by: self.by().clone() }
    }

    /// One comment for each command, however often the webhook comes.
    async fn send(&self, purpose: Purpose, reply: &Reply) -> Result<(), Failure> {
        let delivery = comment(purpose, reply)?;
        let CommandReply { repository, line, what, mode, .. } = self.as_reply(&delivery);
        store::deliveries::insert(&self.with.store, repository, line, what, mode, self.now).await?;
        self.with.wake.notify_one();
        Ok(())
    }

    fn as_reply<'r>(&self, what: &'r NewDelivery) -> CommandReply<'r> {
        let as_of = self.issue.updated_at;
        CommandReply { repository: self.row.repository.id, line: self.line.id, as_of, what, mode: self.mode() }
    }

    fn mode(&self) -> DeliveryMode {
        if self.row.is_shadow(self.now) { DeliveryMode::Shadow } else { DeliveryMode::Singly }
    }
}
