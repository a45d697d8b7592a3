//! What is installed, as GitHub says when it is asked.
//!
//! Webhooks come late, twice and in any order, and carry what was so when they were made. So what
//! they tell of repositories and installations is a reason to ask, and never the answer: an old
//! word would rename back, show what was made public, or delete what is there again.

use super::Failure;
use super::repositories::{NamedByGitHub, Repositories};
use domain::timestamp::Timestamp;
use github::{GitHub, GitHubError, Installation};
use std::collections::HashSet;
use store::Store;
use store::repositories::RepositoryRow;

/// Compares what is watched with what is installed.
#[derive(Clone)]
pub struct Installed {
    /// The rows.
    pub store: Store,
    /// Begins and ends to watch repositories.
    pub repositories: Repositories,
}

/// Which installations are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Among {
    /// All of the App's, and those that it had.
    All,
    /// This one, whether GitHub has it or not.
    One(u64),
}

impl Among {
    fn has(self, installation: u64) -> bool {
        match self {
            Self::All => true,
            Self::One(one) => one == installation,
        }
    }
}

impl Installed {
    /// Watches what is installed, under the name and as public as GitHub says now, and notes what
    /// it does not name any more. An installation that can't be asked keeps what it has, and no
    /// other from being compared.
    ///
    /// Whether all could be asked.
    ///
    /// # Errors
    /// The database or GitHub is out of reach: to be tried again. What of it could be compared is.
    pub async fn compare(&self, github: &GitHub, among: Among, now: Timestamp) -> Result<bool, Failure> {
        let mut named: HashSet<u64> = HashSet::new();
        let mut unread: Vec<(u64, GitHubError)> = Vec::new();
        for installation in github.installations().await?.iter().filter(|it| among.has(it.id)) {
            match self.repositories_of(github, installation, now).await? {
                Ok(numbers) => named.extend(numbers),
                Err(error) => {
                    tracing::warn!(installation = installation.id, account = installation.account, %error, "not compared");
                    unread.push((installation.id, error));
                }
            }
        }
        for row in store::repositories::list(&self.store).await? {
            let Some(on_github) = &row.repository.github else { continue };
            let is_unread = unread.iter().any(|(installation, _)| *installation == on_github.installation);
            if among.has(on_github.installation) && !is_unread && !named.contains(&on_github.id) {
                self.repositories.not_named(&row, now).await?;
            }
        }
        let is_all = unread.is_empty();
        match unread.into_iter().find(|(_, error)| !error.is_permanent()) {
            Some((_, error)) => Err(error.into()),
            None => Ok(is_all),
        }
    }

    /// Watches an installation's repositories. GitHub's numbers of them, or why it does not say.
    async fn repositories_of(
        &self,
        github: &GitHub,
        installation: &Installation,
        now: Timestamp,
    ) -> Result<Result<Vec<u64>, GitHubError>, Failure> {
        if installation.suspended {
            store::repositories::set_suspended(&self.store, installation.id, now).await?;
            let rows = store::repositories::list(&self.store).await?;
            let theirs = rows.into_iter().filter_map(|row| row.repository.github);
            return Ok(Ok(theirs.filter(|it| it.installation == installation.id).map(|it| it.id).collect()));
        }
        let found = match github.repositories(installation.id).await {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        for one in &found {
            let named = NamedByGitHub { id: one.id, full_name: &one.full_name, public: Some(!one.private) };
            self.repositories.watch_on_github(installation.id, &named, now).await?;
        }
        Ok(Ok(found.into_iter().map(|one| one.id).collect()))
    }

    /// What became of something in a repository, where GitHub may have said that its name is not
    /// the right one: then GitHub is asked at once what it is called, by its number. Where that is
    /// news, it goes on at `again_at`, under the new name.
    ///
    /// # Errors
    /// Those that it had; it goes on ([`Failure::Again`]); the database or GitHub is out of reach.
    pub async fn under_new_name<T>(
        &self,
        github: &GitHub,
        row: &RepositoryRow,
        result: Result<T, Failure>,
        again_at: Timestamp,
    ) -> Result<T, Failure> {
        if !result.as_ref().is_err_and(Failure::is_of_a_name) {
            return result;
        }
        let Some(on_github) = &row.repository.github else { return result };
        tracing::info!(repository = %row.repository.full_name, "it is called otherwise on GitHub: names are compared");
        self.compare(github, Among::One(on_github.installation), again_at).await?;
        // One that GitHub does not name any more has no new name, however often it is asked.
        match store::repositories::by_id(&self.store, row.repository.id).await? {
            Some(now) if now.repository.full_name != row.repository.full_name && now.is_served() => {
                Err(Failure::Again { at: again_at })
            }
            _ => result,
        }
    }

    /// The watched repository that a webhook is about. Where the webhook calls it otherwise than it
    /// is known, GitHub is asked; only that it is public is believed at once, for messages say less
    /// then.
    ///
    /// # Errors
    /// The database or GitHub is out of reach: to be tried again.
    pub async fn heard_of(&self, github: &GitHub, told: &Told<'_>, now: Timestamp) -> Result<Heard, Failure> {
        let Some(row) = self.watched(told).await? else { return Ok(Heard::default()) };
        if told.is_as_known(&row) {
            return Ok(Heard { row: Some(row), is_in_doubt: false });
        }
        let ours = row.repository.github.as_ref().map(|on_github| on_github.installation);
        for installation in ours.into_iter().chain(told.installation.filter(|theirs| Some(*theirs) != ours)) {
            self.compare(github, Among::One(installation), now).await?;
        }
        let Some(row) = self.watched(told).await? else { return Ok(Heard { row: None, is_in_doubt: true }) };
        let is_in_doubt = !told.is_as_known(&row);
        if told.named.public == Some(true) && !row.repository.public {
            // What is listed may be a moment older.
            store::repositories::set_public(&self.store, row.repository.id).await?;
        }
        Ok(Heard { row: store::repositories::by_id(&self.store, row.repository.id).await?, is_in_doubt })
    }

    async fn watched(&self, told: &Told<'_>) -> Result<Option<RepositoryRow>, Failure> {
        let row = store::repositories::by_github_id(&self.store, told.named.id).await?;
        Ok(row.filter(|row| row.removed_at.is_none()))
    }
}

/// What a webhook tells of its repository.
pub struct Told<'a> {
    /// The repository.
    pub named: NamedByGitHub<'a>,
    /// The installation that it came through, where it says.
    pub installation: Option<u64>,
}

impl Told<'_> {
    /// Whether it is what is known. A name that is only spelt anew is news, too, and so is a word
    /// of what GitHub did not name.
    fn is_as_known(&self, row: &RepositoryRow) -> bool {
        let ours = row.repository.github.as_ref().map(|on_github| on_github.installation);
        let name = self.named.full_name;
        row.unnamed_since.is_none()
            && (name.is_empty() || name.as_str() == row.repository.full_name.as_str())
            && self.named.public.is_none_or(|public| public == row.repository.public)
            && self.installation.is_none_or(|theirs| Some(theirs) == ours)
    }
}

/// What is known of a webhook's repository once GitHub was asked.
#[derive(Default)]
pub struct Heard {
    /// The repository, where it is watched.
    pub row: Option<RepositoryRow>,
    /// GitHub's answer is not what the webhook tells: either is the older.
    pub is_in_doubt: bool,
}
