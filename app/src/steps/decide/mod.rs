//! Deciding: what a line's counts mean, who is told, and at which count to ask again.

mod batch;
mod edited_line;

use crate::services::github_app::GitHubApp;
use crate::services::messages::{comment, issue};
use crate::services::recipients::{By, Occasion, Recipients, mails};
use crate::services::{Ended, Failure, Wake};
use domain::alert::Reply;
use domain::attribution::Attribution;
use domain::commit::CommitId;
use domain::decision::{Send, Tally, Terms, decide_known, decide_unknown};
use domain::delivery::{DeliveryMode, Purpose};
use domain::ids::LineId;
use domain::job::Manner;
use domain::person::Step;
use domain::rule::{KnownMatch, Rules};
use domain::timestamp::Timestamp;
use mirror::Mirrors;
use store::Store;
use store::decisions::{Decision, LineUpdate};
use store::deliveries::NewDelivery;
use store::lines::Line;
use store::repositories::RepositoryRow;

/// Types of exceptions of one line that are told of, beside the first: a line that raises ever
/// other ones is no news.
const MOST_NEW_EXCEPTIONS: usize = 5;

/// New lines of a repository that are decided before they are written, while there is no storm:
/// other workers count those that are written, and by them a storm begins.
const UNWRITTEN: u64 = 4;

/// Decides about lines.
#[derive(Clone)]
pub struct Decide {
    /// The rows.
    pub store: Store,
    /// Says whether a line is an old one that was edited.
    pub mirrors: Mirrors,
    /// Says who is told.
    pub recipients: Recipients,
    /// Says whether there are issues.
    pub github_app: GitHubApp,
    /// What is to be sent waits for a worker.
    pub wake: Wake,
}

/// What is decided about, and by what.
#[derive(Clone, Copy)]
struct About<'a> {
    row: &'a RepositoryRow,
    line: &'a Line,
    rules: &'a Rules,
    /// What its latest report was attributed to.
    attribution: Option<&'a Attribution>,
    /// Until when it is decided about without the mirror.
    plain_until: Option<Timestamp>,
    /// New lines of its repository that were decided before it and are not written yet.
    unwritten: u64,
}

/// How far a decision came.
enum Reached {
    Decided(Box<Decision>),
    /// Those before it are to be written first.
    AfterOthers,
}

/// How a new line is told of.
enum Alerted {
    AsNew,
    /// As an old one that was edited.
    AsEdited,
    /// Those before it are to be written first.
    NotYet,
}

/// What is decided of a line, and what is sent because of it.
struct Outgoing {
    decided: LineUpdate,
    send: Vec<NewDelivery>,
    mode: DeliveryMode,
}

impl Outgoing {
    /// Whether the mirror is asked: reading it may be what ended the process, or panicked.
    fn reads_mirror(&self) -> bool {
        self.decided.plain_until.is_none()
    }
}

impl Decide {
    /// Decides about a line; in a lesser manner without looking into its repository, and so for as
    /// long as that is to be left alone.
    ///
    /// # Errors
    /// The database is out of reach: to be tried again.
    pub async fn decide(&self, id: LineId, manner: Manner, now: Timestamp) -> Result<(), Failure> {
        match self.decide_as(&[id], manner, now).await.pop() {
            Some(Ended::Over(result)) => result,
            Some(Ended::NotBegun | Ended::TakesLonger) | None => Err(Failure::Again { at: now }),
        }
    }

    /// What is decided of a line. `None`: nothing is written. Where it would begin a storm, lines
    /// that were decided before it and are not written yet go first.
    async fn decide_line(&self, about: &About<'_>, now: Timestamp) -> Result<Reached, Failure> {
        let About { row, line, rules, plain_until, .. } = *about;
        let known = rules.known_error(line.code_at());
        let mut decision = Outgoing {
            decided: LineUpdate { total: line.total, known: known.is_some(), plain_until, ..LineUpdate::default() },
            send: Vec::new(),
            mode: if row.is_shadow(now) { DeliveryMode::Shadow } else { DeliveryMode::Singly },
        };
        match known {
            Some(known) => self.of_known(about, known, &mut decision, now).await?,
            // Whoever calls it is told; nobody of the repository does. A line that is known by its
            // text alone was not looked up in the repository, where its caller may be.
            None if line.commit.is_some() && rules.library_code(line.code_at()).is_some() => {
                tracing::debug!(line = line.id.0, "library code that nothing here calls: counted, not told");
            }
            None if line.not_ours => {
                tracing::debug!(line = line.id.0, "vendored or generated code that nothing calls: counted, not told");
            }
            None if line.resolved_at.is_some() => self.of_resolved(about, &mut decision, now).await?,
            None => {
                if !self.of_open(about, &mut decision, now).await? {
                    return Ok(Reached::AfterOthers);
                }
            }
        }
        if !decision.send.is_empty() {
            log(row, line, decision.send.len());
        }
        let Outgoing { decided, send, mode } = decision;
        Ok(Reached::Decided(Box::new(Decision { line: line.id, repository: row.repository.id, decided, send, mode })))
    }

    /// A line that was resolved: it is news that it is back.
    async fn of_resolved(&self, about: &About<'_>, decision: &mut Outgoing, now: Timestamp) -> Result<(), Failure> {
        let About { row, line, .. } = *about;
        // In shadow mode it stays to be told of: nobody but GitHub's issue knows that it was
        // resolved.
        if !line.regressed || decision.mode == DeliveryMode::Shadow {
            return Ok(());
        }
        decision.decided.regressed = true;
        decision.decided.alerted = true;
        decision.decided.next_at = decide_unknown(&tally(line, true), &Terms::of(&row.settings)).next_at;
        decision.send = self.regression(about, decision, now).await?;
        Ok(())
    }

    /// A line that a known error covers: it is told of as that says.
    async fn of_known(
        &self,
        about: &About<'_>,
        known: &KnownMatch,
        decision: &mut Outgoing,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let line = about.line;
        let found = decide_known(&tally(line, line.known_mailed), &known.entry);
        decision.decided.next_at = found.next_at;
        let purpose = match found.send {
            Send::KnownEvery(multiple) => Purpose::KnownEvery(multiple),
            Send::KnownMinimum => Purpose::KnownMinimum,
            Send::Nothing | Send::Alert => return Ok(()),
        };
        decision.decided.known_mailed = true;
        let header = known.entry.email_header.as_deref();
        let occasion = Occasion { purpose: &purpose, header, known: Some(&known.entry), operator: None };
        decision.send = self.mails(about, occasion, decision, now).await?;
        Ok(())
    }

    /// A line that nothing is known of. `false`: others are to be written first.
    async fn of_open(&self, about: &About<'_>, decision: &mut Outgoing, now: Timestamp) -> Result<bool, Failure> {
        let About { row, line, .. } = *about;
        let found = decide_unknown(&tally(line, line.alerted), &Terms::of(&row.settings));
        decision.decided.next_at = found.next_at;
        if found.send == Send::Alert {
            match self.alert(about, decision, now).await? {
                Alerted::AsNew => {}
                Alerted::AsEdited => return Ok(true),
                Alerted::NotYet => return Ok(false),
            }
        } else if let Some(count) = found.comment.filter(|_| line.issue.is_some()) {
            decision.send.push(self.count_comment(line, count).await?);
        }
        decision.send.extend(self.new_exceptions(line).await?);
        if let Some(why) = found.silent {
            tracing::debug!(line = line.id.0, why, "counted, not told");
        }
        Ok(true)
    }

    /// The alert of a new line, which may be an old one that was edited, whose issue goes on.
    async fn alert(&self, about: &About<'_>, decision: &mut Outgoing, now: Timestamp) -> Result<Alerted, Failure> {
        let About { row, line, .. } = *about;
        decision.decided.alerted = true;
        let operator = self.recipients.operator.as_deref();
        let occasion = Occasion { purpose: &Purpose::Alert, header: None, known: None, operator };
        decision.send = self.mails(about, occasion, decision, now).await?;
        let is_single = decision.mode == DeliveryMode::Singly;
        let mirrors = decision.reads_mirror().then_some(&self.mirrors);
        let edited = edited_line::edited_from(&self.store, mirrors, line, now).await?;
        if let Some(old) = edited.filter(|_| is_single) {
            let told = edited_line::told_of(&self.store, &old).await?;
            decision.send.retain(|mail| !told.contains(&mail.recipient.to_lowercase()));
            decision.send.push(carried_over(&old, line)?);
            decision.decided.carried_from = old.issue.map(|issue| (old.id, issue));
            return Ok(Alerted::AsEdited);
        }
        if self.github_app.has_issues(&row.repository) {
            decision.send.push(issue());
        }
        let Some(mode) = self.storm_mode(about, decision.mode, now).await? else { return Ok(Alerted::NotYet) };
        decision.mode = mode;
        Ok(Alerted::AsNew)
    }

    /// Looks for who is told of a line, to be recorded with it, and makes their mails.
    async fn mails(
        &self,
        about: &About<'_>,
        occasion: Occasion<'_>,
        decision: &mut Outgoing,
        now: Timestamp,
    ) -> Result<Vec<NewDelivery>, Failure> {
        let About { row, line, .. } = *about;
        let by = if decision.reads_mirror() { By::WholeMirror } else { By::Nothing };
        let mut chosen = self.recipients.find_of(row, line, about.attribution.cloned(), by, now).await?;
        let send = mails(row, line, &chosen, occasion)?;
        let person = &mut chosen.told.person;
        let operator = occasion.operator.filter(|_| person.step == Step::Nobody);
        if let (Some(operator), [mail]) = (operator, send.as_slice())
            && mail.recipient == operator
        {
            person.to_operator = true;
        }
        decision.decided.told = Some(chosen.told);
        decision.decided.author_login = chosen.author_login;
        Ok(send)
    }

    async fn count_comment(&self, line: &Line, count: u64) -> Result<NewDelivery, Failure> {
        let counts = store::lines::counts(&self.store, line).await?;
        let reply = Reply::Count { total: line.total, servers: counts.servers, releases: counts.releases };
        comment(Purpose::Count(count), &reply)
    }

    /// Comments on other exceptions that a line raised since its alert.
    async fn new_exceptions(&self, line: &Line) -> Result<Vec<NewDelivery>, Failure> {
        let mut send = Vec::new();
        if !line.alerted || line.issue.is_none() {
            return Ok(send);
        }
        for exception in store::lines::exceptions_since_alert(&self.store, line.id, MOST_NEW_EXCEPTIONS).await? {
            let purpose = Purpose::NewException(exception.clone());
            let release = store::lines::counts(&self.store, line).await?.releases.into_iter().next();
            send.push(comment(purpose, &Reply::NewException { exception, release })?);
        }
        Ok(send)
    }

    async fn regression(
        &self,
        about: &About<'_>,
        decision: &mut Outgoing,
        now: Timestamp,
    ) -> Result<Vec<NewDelivery>, Failure> {
        let About { row, line, .. } = *about;
        let purpose = Purpose::Regression(line.regressions + 1);
        let release = line.regressed_release.as_deref().or(line.regressed_revision.as_ref().map(CommitId::as_str));
        let header = match release {
            Some(release) => format!("This line was resolved, and release {release} brought it back."),
            None => "This line was resolved, and it is back.".to_owned(),
        };
        let occasion = Occasion { purpose: &purpose, header: Some(&header), known: None, operator: None };
        let mut send = self.mails(about, occasion, decision, now).await?;
        if self.github_app.has_issues(&row.repository) {
            send.push(comment(purpose, &regressed(line))?);
        }
        Ok(send)
    }

    /// How a new line is told of: by itself, or as one of a storm's, which it may begin. `None`:
    /// those of its repository that were decided before it are to be written first.
    async fn storm_mode(
        &self,
        about: &About<'_>,
        mode: DeliveryMode,
        now: Timestamp,
    ) -> Result<Option<DeliveryMode>, Failure> {
        let (row, id) = (about.row, about.row.repository.id);
        if mode == DeliveryMode::Shadow {
            return Ok(Some(mode));
        }
        if let Some(storm) = store::storms::open_of(&self.store, id).await? {
            return Ok(Some(DeliveryMode::Storm(storm)));
        }
        if row.settings.storm.lines == 0 {
            return Ok(Some(mode));
        }
        // What a storm begins with is what is written by then.
        if about.unwritten >= UNWRITTEN {
            return Ok(None);
        }
        let since = now - row.settings.storm.window();
        let before = store::lines::count_alerted_since(&self.store, id, since).await? + about.unwritten;
        if !row.settings.storm.is_storm(before) {
            return Ok(Some(mode));
        }
        if about.unwritten > 0 {
            return Ok(None);
        }
        tracing::warn!(repository = %row.repository.full_name, lines = before + 1, "so many new lines at once are a storm");
        Ok(Some(DeliveryMode::Storm(store::storms::insert(&self.store, id, since, now).await?)))
    }
}

fn log(row: &RepositoryRow, line: &Line, messages: usize) {
    tracing::info!(
        repository = %row.repository.full_name,
        path = %line.place.path,
        line = line.place.line,
        total = line.total,
        messages,
        "telling of a line"
    );
}

fn tally(line: &Line, alerted: bool) -> Tally {
    Tally {
        total: line.total,
        decided: line.decided_total,
        alerted,
        error_threshold: line.error_threshold,
        by_settings: line.threshold_by_settings,
        written_at: line.written_at,
    }
}

fn carried_over(old: &Line, line: &Line) -> Result<NewDelivery, Failure> {
    let reply = Reply::CarriedOver {
        from: old.place.clone(),
        to: line.place.clone(),
        commit: line.commit.clone(),
        author: line.author_name.clone(),
    };
    comment(Purpose::CarriedOver(old.id), &reply)
}

fn regressed(line: &Line) -> Reply {
    Reply::Regressed {
        release: line.regressed_release.clone(),
        revision: line.regressed_revision.clone(),
        resolved: line.resolved_commit.clone(),
        total: line.total,
    }
}
