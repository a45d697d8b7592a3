//! Who is told of a line: gathering candidates, choosing one, and the mails that follow.

mod candidates;
mod github_lookup;
mod handover;
mod known;
mod mails;
mod real_address;
mod strangers;
mod whole_mirror;

use domain::timestamp::Timestamp;
pub use github_lookup::Cooldown;
pub use mails::{Occasion, mails};

use super::github_app::GitHubApp;
use super::mirror_sync::MirrorSync;
use super::{Failure, latest_report};
use candidates::Candidates;
use domain::attribution::Attribution;
use domain::blame::Author;
use domain::job::Job;
use domain::names::Login;
use domain::person::{BlamedLine, ChosenRecipient, Step};
use github::GitHubError;
use github_lookup::GitHubLookup;
use mirror::Mirrors;
use std::sync::Arc;
use store::Store;
use store::lines::Line;
use store::repositories::RepositoryRow;
use tokio::time::Instant;

/// Finds who is told.
#[derive(Clone)]
pub struct Recipients {
    /// The rows: handovers, accounts, and what GitHub said before.
    pub store: Store,
    /// Knows who commits what, and mends the mirror that can't say it.
    pub mirror_sync: MirrorSync,
    /// Knows people's accounts.
    pub github_app: GitHubApp,
    /// Until when GitHub is not asked.
    pub cooldown: Cooldown,
    /// The address of who runs this server, where it was said.
    pub operator: Option<Arc<str>>,
}

/// Who is told of a line.
#[derive(Debug, Default)]
pub struct Chosen {
    /// The person, and the pull request that brought the line.
    pub told: ChosenRecipient,
    /// Whom a person gave the line to instead, where an address of theirs is known.
    pub owner: Option<Author>,
    /// The account of the line's author, where its row does not have it yet.
    pub author_login: Option<Login>,
    /// What the line's latest report was attributed to.
    pub attribution: Option<Attribution>,
    /// Why GitHub could not say it all, where it could not.
    pub failure: Option<GitHubError>,
}

/// By which mirror somebody is looked for.
#[derive(Clone, Copy, Debug)]
pub enum By<'a> {
    /// One that is whole and has what failed: a new line waits for it for a while.
    WholeMirror,
    /// The mirror as it is: others wait behind what is being sent.
    MirrorAsItIs {
        /// Addresses that mails about the line did not get to.
        unreached: &'a [String],
    },
    /// None: reading it is what ended the process each time, or panicked.
    Nothing,
}

impl Chosen {
    /// Files that the report passed through, whose watchers are told, too.
    fn passed_through(&self) -> Vec<String> {
        let located = self.attribution.iter().flat_map(|found| found.located.values());
        located.map(|located| located.path.clone()).collect()
    }
}

impl Recipients {
    /// Finds who is told, and which pull request brought the line. Nothing is written but what
    /// GitHub answered, and how long it took: it may take walks through the history, and the next
    /// work of the repository comes after that of others.
    ///
    /// # Errors
    /// The database is out of reach. GitHub and the mirror never are a reason.
    pub async fn find(
        &self,
        row: &RepositoryRow,
        subject: &BlamedLine<'_>,
        now: Timestamp,
    ) -> Result<(ChosenRecipient, Option<GitHubError>), Failure> {
        self.find_in(Some(&self.mirror_sync.mirrors), row, subject, now).await
    }

    /// The same by these mirrors: without any, what they would say is missing, as where there is
    /// none of the repository.
    async fn find_in(
        &self,
        mirrors: Option<&Mirrors>,
        row: &RepositoryRow,
        subject: &BlamedLine<'_>,
        now: Timestamp,
    ) -> Result<(ChosenRecipient, Option<GitHubError>), Failure> {
        let begun_at = Instant::now();
        let lookup = GitHubLookup::new(self, row, now);
        let mut told = Candidates::new(self, mirrors, row, subject, &lookup).await.gather().await?;
        store::jobs::let_others_go_first(&self.store, row.repository.id, begun_at.elapsed(), now).await?;
        told.person.role.clone_from(&subject.role);
        let can_ask = lookup.can_ask();
        let failure = lookup.into_failure();
        if failure.as_ref().is_some_and(GitHubError::is_of_a_name) {
            // What it is called is found by its number; the line can do without meanwhile.
            store::jobs::enqueue(&self.store, Job::Reconcile, now, now).await?;
        }
        told.is_complete = can_ask && failure.is_none();
        Ok((told, failure))
    }

    /// Finds who is told of a line, whose latest report was attributed to this, by this mirror; by
    /// none while reading that is to be left alone. Nothing of it is written with the line.
    ///
    /// # Errors
    /// The database is out of reach, or what [`By::WholeMirror`] waits for. GitHub never is a
    /// reason.
    pub async fn find_of(
        &self,
        row: &RepositoryRow,
        line: &Line,
        attribution: Option<Attribution>,
        by: By<'_>,
        now: Timestamp,
    ) -> Result<Chosen, Failure> {
        let author = line.author();
        let mut subject = subject_of(line, author.as_ref(), attribution.as_ref());
        let (mut told, failure) = match by {
            _ if line.plain_until(now).is_some() => self.find_in(None, row, &subject, now).await?,
            By::WholeMirror => self.find_by_whole_mirror(row, &subject, now).await?,
            By::MirrorAsItIs { unreached } => {
                subject.unreached = unreached;
                self.find(row, &subject, now).await?
            }
            By::Nothing => self.find_in(None, row, &subject, now).await?,
        };
        // Its alert went to who runs this server, and comes no second time.
        let was_theirs = line.told.as_ref().is_some_and(|before| before.person.to_operator);
        told.person.to_operator = was_theirs && told.person.step == Step::Nobody;
        let author_login = self.author_login(line, &subject).await?;
        let owner = self.owner_of(row, line, &told, now).await?;
        Ok(Chosen { told, owner, author_login, attribution, failure })
    }

    /// Finds who is told of a line as [`Self::find_of`], and records it with the line.
    ///
    /// # Errors
    /// As [`Self::find_of`].
    pub async fn find_and_record(
        &self,
        row: &RepositoryRow,
        line: &Line,
        by: By<'_>,
        now: Timestamp,
    ) -> Result<Chosen, Failure> {
        let attribution = latest_report(&self.store, line.id).await?.attribution;
        let chosen = self.find_of(row, line, attribution, by, now).await?;
        store::lines::set_told(&self.store, line.id, &chosen.told).await?;
        if let Some(login) = &chosen.author_login {
            store::lines::set_author_login(&self.store, line.id, login).await?;
        }
        Ok(chosen)
    }

    /// Who was told of a line, if that was chosen with all that there was to know; else they are
    /// found and recorded.
    ///
    /// # Errors
    /// As [`Self::find_of`].
    pub async fn told_of(
        &self,
        row: &RepositoryRow,
        line: &Line,
        by: By<'_>,
        now: Timestamp,
    ) -> Result<Chosen, Failure> {
        match line.told.clone().filter(|told| told.is_complete && told.person.step != Step::Nobody) {
            Some(told) => {
                let attribution = latest_report(&self.store, line.id).await?.attribution;
                let owner = self.owner_of(row, line, &told, now).await?;
                Ok(Chosen { told, owner, author_login: None, attribution, failure: None })
            }
            None => self.find_and_record(row, line, by, now).await,
        }
    }

    /// Whom a person gave a line to who is not told of it anyhow: GitHub tells them of the issue,
    /// and a mail of what comes later, as it would its author.
    async fn owner_of(
        &self,
        row: &RepositoryRow,
        line: &Line,
        told: &ChosenRecipient,
        now: Timestamp,
    ) -> Result<Option<Author>, Failure> {
        let line = &Line { told: Some(told.clone()), ..line.clone() };
        match line.owner_login.as_ref().filter(|_| line.is_reassigned()) {
            Some(login) => GitHubLookup::new(self, row, now).author_of_login(login).await,
            None => Ok(None),
        }
    }

    /// The account of a line's author, where its row does not have it and it is known by now.
    async fn author_login(&self, line: &Line, subject: &BlamedLine<'_>) -> Result<Option<Login>, Failure> {
        let missing = subject.role.is_none() && line.author_login.is_none();
        let Some(author) = subject.author.filter(|_| missing) else { return Ok(None) };
        let known = store::accounts::by_email(&self.store, &author.email).await?;
        Ok(known.and_then(|(account, _)| account.login))
    }
}

/// The line that somebody is looked for, as its row and its latest fingerprint have it.
pub(super) fn subject_of<'a>(
    line: &'a Line,
    author: Option<&'a Author>,
    found: Option<&'a Attribution>,
) -> BlamedLine<'a> {
    let subject = match found {
        // The line's own row names who wrote it, whatever its latest fingerprint was blamed on.
        Some(found) if found.blame.is_some() || author.is_none() => BlamedLine::of(found, line.last_seen_at),
        _ => BlamedLine {
            commit: line.commit.as_ref(),
            author,
            path: &line.place.path,
            failed_at: line.last_seen_at,
            ..BlamedLine::default()
        },
    };
    BlamedLine { first_failed_at: line.first_seen_at, is_stray: subject.is_stray || line.is_stray, ..subject }
}
