//! Keeping a mirror and the settings in it up to date, which several steps need.

use super::fetches::{Fetches, is_for_later};
use super::github_app::GitHubApp;
use super::{Asked, AskedCommits, Epoch, Failure, blocking};
use domain::commit::CommitId;
use domain::ids::RepositoryId;
use domain::job::Job;
use domain::repository::GitHubAddress;
use domain::setting_sizes::LARGEST_SETTINGS;
use domain::settings::{SETTINGS_FILE, Settings};
use domain::timestamp::{DAY, Timestamp};
use github::{GitHub, GitHubError};
use jiff::SignedDuration;
use mirror::settings::parse;
use mirror::{Head, HeadFile, LastSync, MirrorError, Mirrors, Progress, Source};
use store::Store;
use store::repositories::{FetchPause, Fetched, RepositoryRow};

/// How long a report waits for a mirror that can't be cloned before it is told without one: an
/// outage of GitHub is mostly over by then, and an exception that nobody hears of for longer is
/// worse than one without an author.
pub const CLONE_PATIENCE: SignedDuration = SignedDuration::from_mins(30);
/// A commit that the mirror lacks has a fetch asked for, but not more often than this: it may never
/// have been pushed.
pub const FETCH_PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// How long a repository is left alone that GitHub refuses: the App may be let in again any time.
const REFUSED_PAUSE: SignedDuration = SignedDuration::from_mins(15);
/// How long a source is left alone that can't be mirrored: somebody may put another in its place,
/// and a push that is announced has it tried at once.
const UNMIRRORABLE_PAUSE: SignedDuration = DAY;

/// The blob of a settings file, and what it says or what is wrong with it.
type ReadSettings = (Option<String>, Result<Settings, String>);

/// Brings mirrors up to date.
#[derive(Clone)]
pub struct MirrorSync {
    /// The rows.
    pub store: Store,
    /// The mirrors.
    pub mirrors: Mirrors,
    /// How many of them are brought up to date at once.
    pub fetches: Fetches,
    /// Which commits were asked for by their ids.
    pub asked: AskedCommits,
    /// Gives the tokens to clone with.
    pub github_app: GitHubApp,
    /// To be turned when the code or the settings changed.
    pub epoch: Epoch,
}

/// When all names are compared because one is another repository's: many reports that wait for one
/// mirror ask for that together.
const COMPARED_AFTER: SignedDuration = SignedDuration::from_secs(30);

enum SyncFailure {
    Unauthorized,
    Other(Failure),
}

impl MirrorSync {
    /// Where to fetch a repository from, with the token that it needs.
    ///
    /// # Errors
    /// GitHub gives no token, or has another repository by that name.
    pub async fn source(&self, row: &RepositoryRow, now: Timestamp) -> Result<Source, Failure> {
        let token = match (self.github_app.github(), row.repository.github_address()) {
            (Some(github), Some(address)) => {
                self.is_not_anothers(&github, &address, now).await?;
                Some(github.token(address.installation).await?)
            }
            (None, Some(_)) => {
                return Err(Failure::retry("the repository is GitHub's, but no App is configured (APP_ID)"));
            }
            (_, None) => None,
        };
        Ok(Source { id: row.repository.id, url: row.repository.clone_url.clone(), token })
    }

    /// Code of another repository is not fetched, whatever its name: what it is called now is asked
    /// for soon. Where the API does not say, git may be well all the same; not where GitHub asks to
    /// wait, which takes long.
    async fn is_not_anothers(&self, github: &GitHub, address: &GitHubAddress, now: Timestamp) -> Result<(), Failure> {
        match github.has_its_name(address).await {
            Err(error) if error.is_of_a_name() => {
                store::jobs::enqueue(&self.store, Job::Reconcile, now + COMPARED_AFTER, now).await?;
                Err(error.into())
            }
            Err(error @ GitHubError::RateLimited { .. }) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Clones or fetches, reads the settings, and notes what was found.
    ///
    /// # Errors
    /// The repository, GitHub or the database is out of reach, which the repository's row says,
    /// too; or others are being fetched.
    pub async fn bring_up_to_date(&self, row: &RepositoryRow, now: Timestamp) -> Result<(), Failure> {
        let result = self.fetch(row, now).await;
        if let Some(failure) = result.as_ref().err().filter(|failure| !is_for_later(failure)) {
            let (id, why) = (row.repository.id, failure.to_string());
            store::repositories::record_fetch_failed(&self.store, id, &why, pause_after(failure, now)).await?;
        }
        result
    }

    /// Whether the mirror has a commit, or a fetch brings it: its push may still be on its way.
    ///
    /// # Errors
    /// The repository, GitHub or the database is out of reach.
    pub async fn finds_commit(&self, row: &RepositoryRow, commit: &CommitId, now: Timestamp) -> Result<bool, Failure> {
        if !self.has_commit(row.repository.id, commit).await.unwrap_or(false) {
            self.bring_up_to_date(row, now).await?;
        }
        self.has_commit(row.repository.id, commit).await
    }

    /// Fetches one commit that no branch or tag reaches, unless it is here, or was asked for after
    /// `since`.
    ///
    /// # Errors
    /// It was asked for a moment ago: it comes once it may be asked for again. The repository or
    /// GitHub is out of reach, or others are being fetched.
    pub async fn fetch_commit(
        &self,
        row: &RepositoryRow,
        commit: &CommitId,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let id = row.repository.id;
        if self.has_commit(id, commit).await? {
            return Ok(());
        }
        if let Some(asked) = self.asked.last(id, commit).filter(|asked| asked.at <= now) {
            if asked.is_answered && asked.at > since {
                return Ok(());
            }
            let pause = FETCH_PAUSE - (now - asked.at);
            if pause.is_positive() {
                let why = "it comes from a commit that is not here yet, and that was asked for a moment ago";
                return Err(Failure::Retry { cause: why.into(), after: Some(pause) });
            }
        }
        let (source, wanted) = (self.source(row, now).await?, commit.clone());
        let work = move |mirrors: &Mirrors| mirrors.fetch_commit(&source, &wanted);
        let fetched = self.fetches.run(&self.mirrors, id, work, |progress| log_progress(row, progress)).await?;
        // One that came may be missing again: a new clone begins without it.
        if !matches!(fetched, Ok(true)) {
            self.asked.note(id, commit.clone(), Asked { at: now, is_answered: fetched.is_ok() });
        }
        fetched?;
        Ok(())
    }

    /// Whether a mirror has a commit.
    ///
    /// # Errors
    /// There is no mirror, or it can't be read.
    pub async fn has_commit(&self, id: RepositoryId, commit: &CommitId) -> Result<bool, Failure> {
        let (mirrors, commit) = (self.mirrors.clone(), commit.clone());
        blocking(move || Ok(mirrors.commit(id, &commit)?.is_some())).await
    }

    /// Whether what is known of the repository was found by another server, or a fetch that was not
    /// noted: by a mirror of its own that was brought up to date since this one was. That its
    /// default branch is at another commit here tells it, and pushes that were announced since.
    pub async fn is_behind(&self, row: &RepositoryRow) -> bool {
        let (mirrors, id) = (self.mirrors.clone(), row.repository.id);
        if mirrors.last_sync(id).is_none_or(|last| last.pushed_at != row.pushed_at) {
            return true;
        }
        let head = blocking(move || mirrors.head(id)).await;
        !head.is_ok_and(|head| head.map(|head| head.commit) == row.repository.head)
    }
    async fn fetch(&self, row: &RepositoryRow, now: Timestamp) -> Result<(), Failure> {
        // Whatever the clock says: it begins after the pushes that are announced, and after the
        // last fetch. What it finds would else be taken for what an older one found.
        let began_at = now.max(row.pushed_at).max(row.fetched_at);
        let head = self.sync_with_fresh_token(row, now).await?;
        let last = LastSync { began_at: now, pushed_at: row.pushed_at };
        if let Err(error) = self.mirrors.note_sync(row.repository.id, last) {
            // The next report that needs it has it fetched again.
            tracing::warn!(repository = %row.repository.full_name, %error, "when the mirror was fetched could not be noted");
        }
        let settings = self.changed_settings(row).await?;
        let moved = head.as_ref().map(|head| &head.commit) != row.repository.head.as_ref();
        let is_news = moved || settings.is_some();
        let (branch, head) = head.map(|head| (head.branch, head.commit)).unzip();
        let branch = branch.flatten();
        store::repositories::record_fetched(
            &self.store,
            row.repository.id,
            began_at,
            &Fetched { branch, head, settings },
        )
        .await?;
        if is_news {
            self.epoch.turn();
        }
        Ok(())
    }

    /// What the repository's settings file holds, where it is another one than before: its blob,
    /// and its text read.
    async fn changed_settings(&self, row: &RepositoryRow) -> Result<Option<ReadSettings>, Failure> {
        let (mirrors, id) = (self.mirrors.clone(), row.repository.id);
        let file = blocking(move || mirrors.head_file_of(id, SETTINGS_FILE, LARGEST_SETTINGS)).await?;
        let (blob, text) = match file {
            HeadFile::Missing => (None, None),
            HeadFile::Unread { blob, why } => (Some(blob), Some(Err(why))),
            HeadFile::Text { blob, text } => (Some(blob), Some(Ok(text))),
        };
        if blob == row.settings_blob {
            return Ok(None);
        }
        let parsed = match text {
            Some(text) => text.and_then(|text| parse(&text).map_err(|error| error.to_string())),
            None => Ok(Settings::default()),
        };
        Ok(Some((blob, parsed)))
    }

    /// Fetches. A token can be revoked before it expires: a new one settles it, or the App has lost
    /// the repository.
    async fn sync_with_fresh_token(&self, row: &RepositoryRow, now: Timestamp) -> Result<Option<Head>, Failure> {
        let mut synced = self.sync(row, now).await;
        if matches!(synced, Err(SyncFailure::Unauthorized)) {
            if let Some((github, address)) = self.github_app.github_of(&row.repository) {
                github.forget_token(address.installation).await;
            }
            synced = self.sync(row, now).await;
        }
        synced.map_err(|failure| match failure {
            SyncFailure::Unauthorized => {
                Failure::retry("the repository did not accept our token: does the App still see it?")
            }
            SyncFailure::Other(failure) => failure,
        })
    }

    async fn sync(&self, row: &RepositoryRow, now: Timestamp) -> Result<Option<Head>, SyncFailure> {
        let source = self.source(row, now).await.map_err(SyncFailure::Other)?;
        let id = source.id;
        let work = move |mirrors: &Mirrors| mirrors.sync(&source);
        match self.fetches.run(&self.mirrors, id, work, |progress| log_progress(row, progress)).await {
            Ok(Ok(synced)) => Ok(synced.head),
            Ok(Err(MirrorError::Unauthorized { .. })) => Err(SyncFailure::Unauthorized),
            Ok(Err(error)) => Err(SyncFailure::Other(error.into())),
            Err(failure) => Err(SyncFailure::Other(failure)),
        }
    }
}

/// A first clone can take minutes, and silence looks like a server that hangs.
fn log_progress(row: &RepositoryRow, progress: &Progress) {
    tracing::info!(
        repository = %row.repository.full_name,
        phase = progress.phase,
        done = progress.done,
        total = progress.total,
        "the mirror is being brought up to date"
    );
}

/// How long no fetch is due by time alone after this failure; `None`: its job comes again by
/// itself.
fn pause_after(failure: &Failure, now: Timestamp) -> Option<FetchPause> {
    let unmirrorable = is_unmirrorable(failure);
    let pause = if unmirrorable { UNMIRRORABLE_PAUSE } else { REFUSED_PAUSE };
    matches!(failure, Failure::GiveUp(_)).then(|| FetchPause { until: now + pause, unmirrorable })
}

/// Whether a fetch failed because the source itself can't be mirrored, whoever asks for it.
pub fn is_unmirrorable(failure: &Failure) -> bool {
    let Failure::GiveUp(cause) = failure else { return false };
    cause.downcast_ref::<MirrorError>().is_some_and(MirrorError::is_permanent)
}
