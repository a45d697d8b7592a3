//! Keeping a mirror and the settings in it up to date, which several steps need.

use super::{Failure, Services, blocking};
use domain::ids::RepositoryId;
use mirror::settings::parse;
use mirror::{MirrorError, Source};
use std::time::Duration;
use store::repositories::{Fetched, RepositoryRow};

/// How often the log says how far a fetch is.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);
/// Where a repository keeps its settings.
const SETTINGS_FILE: &str = ".github/flawless.yml";

impl Services {
    /// The token to clone a repository with; `None` for one that needs none.
    ///
    /// # Errors
    /// GitHub gives none.
    pub(super) async fn token(&self, row: &RepositoryRow) -> Result<Option<String>, Failure> {
        match (self.app.github(), &row.repository.forge) {
            (Some(github), Some(forge)) => Ok(Some(github.token(forge.installation).await?)),
            (None, Some(_)) => Err(Failure::retry("the repository is GitHub's, but no App is configured (APP_ID)")),
            (_, None) => Ok(None),
        }
    }

    /// Clones or fetches, reads the settings, and notes what was found.
    ///
    /// # Errors
    /// The repository, GitHub or the database is out of reach. The repository's row says so, too.
    pub(super) async fn bring_up_to_date(&self, row: &RepositoryRow, now_ms: i64) -> Result<(), Failure> {
        let result = self.fetch(row, now_ms).await;
        if let Err(failure) = &result {
            store::repositories::record_fetch_failed(&self.store, row.repository.id, &failure.to_string()).await?;
        }
        result
    }

    async fn fetch(&self, row: &RepositoryRow, now_ms: i64) -> Result<(), Failure> {
        let id = row.repository.id;
        let synced = match self.sync(row).await {
            Err(SyncFailure::Unauthorized) => {
                // A token can be revoked before it expires; a new one settles it, or the App has lost the repository.
                if let (Some(github), Some(forge)) = (self.app.github(), &row.repository.forge) {
                    github.forget_token(forge.installation).await;
                }
                self.sync(row).await
            }
            other => other,
        };
        let head = match synced {
            Ok(head) => head,
            Err(SyncFailure::Unauthorized) => {
                return Err(Failure::retry("the repository did not accept our token: does the App still see it?"));
            }
            Err(SyncFailure::Other(failure)) => return Err(failure),
        };
        let mirrors = self.mirrors.clone();
        let file = blocking(move || mirrors.head_file(id, SETTINGS_FILE)).await?;
        let blob = file.as_ref().map(|(blob, _)| blob.clone());
        let settings = (blob != row.settings_blob).then(|| {
            let parsed = match &file {
                Some((_, text)) => parse(text).map_err(|error| error.to_string()),
                None => Ok(domain::settings::Settings::default()),
            };
            (blob, parsed)
        });
        let moved = head.as_ref().map(|head| &head.commit) != row.repository.head.as_ref();
        let is_news = moved || settings.is_some();
        let (branch, head) = head.map(|head| (head.branch, head.commit)).unzip();
        let branch = branch.flatten();
        store::repositories::record_fetched(&self.store, id, now_ms, &Fetched { branch, head, settings }).await?;
        if is_news {
            self.epoch.turn();
        }
        Ok(())
    }

    async fn sync(&self, row: &RepositoryRow) -> Result<Option<mirror::Head>, SyncFailure> {
        let token = self.token(row).await.map_err(SyncFailure::Other)?;
        let source = Source { id: row.repository.id, url: row.repository.clone_url.clone(), token };
        let (mirrors, id) = (self.mirrors.clone(), source.id);
        let mut work = tokio::task::spawn_blocking(move || mirrors.sync(&source));
        let done = loop {
            match tokio::time::timeout(PROGRESS_EVERY, &mut work).await {
                Ok(done) => break done,
                // A first clone can take minutes, and silence looks like a server that hangs.
                Err(_) => self.log_progress(row, id),
            }
        };
        match done {
            Ok(Ok(synced)) => Ok(synced.head),
            Ok(Err(MirrorError::Unauthorized { .. })) => Err(SyncFailure::Unauthorized),
            Ok(Err(error)) => Err(SyncFailure::Other(error.into())),
            Err(panic) => Err(SyncFailure::Other(Failure::retry(format!("git work ended in a panic: {panic}")))),
        }
    }
}

impl Services {
    fn log_progress(&self, row: &RepositoryRow, id: RepositoryId) {
        let Some(progress) = self.mirrors.progress(id) else { return };
        tracing::info!(
            repository = %row.repository.full_name,
            phase = progress.phase,
            done = progress.done,
            total = progress.total,
            "the mirror is being brought up to date"
        );
    }
}

enum SyncFailure {
    Unauthorized,
    Other(Failure),
}
