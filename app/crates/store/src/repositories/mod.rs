//! Watched repositories, and what is known of their mirrors, settings and labels.

mod delete_with_counts;
mod find;
mod mirror;
mod overwritten;
mod refusals;
mod watch;

use crate::StoreError;
use crate::columns::{from_json, get, get_commit_opt, get_time, get_time_opt};
pub use delete_with_counts::delete;
use domain::ids::RepositoryId;
use domain::names::RepositoryName;
use domain::refusal::Refusal;
use domain::repository::{GitHubRepository, Repository};
use domain::settings::Settings;
use domain::timestamp::Timestamp;
pub(crate) use find::installation_in;
pub use find::{by_former_name, by_github_id, by_id, by_name, list, numbers, removed_by_name};
pub use mirror::{Fetched, record_fetch_failed, record_fetched, record_labelled, record_push, set_labels_due};
pub(crate) use overwritten::overwrite_in;
pub use refusals::{add_refused_labels, keep_newest_comments, record_refused, record_taken, set_look_at};
use sqlx::any::AnyRow;
pub use watch::{set_public, set_suspended, set_unnamed, unwatch, watch};

/// A repository to be watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRepository {
    /// `owner/name`.
    pub full_name: RepositoryName,
    /// Where to clone from.
    pub clone_url: String,
    /// GitHub's side; `None` for a plain git repository.
    pub github: Option<GitHubRepository>,
    /// Visible to the public.
    pub public: bool,
}

/// How long fetches rest after one that was refused for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchPause {
    /// None is due by time alone before then.
    pub until: Timestamp,
    /// The source itself can't be mirrored, whoever asks for it.
    pub unmirrorable: bool,
}

/// A repository's row: what the mirror, the settings and the pages need beside the repository
/// itself.
#[derive(Clone, Debug, PartialEq)]
pub struct RepositoryRow {
    /// The repository.
    pub repository: Repository,
    /// Goes up when the head of the default branch moves.
    pub code_generation: i64,
    /// Goes up when a rule is made or ends.
    pub rules_generation: i64,
    /// When a push was last announced; the epoch: never.
    pub pushed_at: Timestamp,
    /// When the last successful fetch began; the epoch: never cloned.
    pub fetched_at: Timestamp,
    /// The last fetch was refused for good.
    pub fetch_pause: Option<FetchPause>,
    /// Why the last fetch failed.
    pub fetch_error: Option<String>,
    /// The settings in force.
    pub settings: Settings,
    /// What is wrong with the settings file as it is now.
    pub settings_error: Option<String>,
    /// git's id of the settings file that was read last.
    pub settings_blob: Option<String>,
    /// When its labels were made; the epoch: not yet.
    pub labelled_at: Timestamp,
    /// What GitHub refuses there now.
    pub refusal: Option<Refusal>,
    /// Labels of the settings that GitHub refuses: issues go without them.
    pub refused_labels: Vec<String>,
    /// Since when the installation is suspended.
    pub suspended_at: Option<Timestamp>,
    /// Since when GitHub does not name it any more among what is installed.
    pub unnamed_since: Option<Timestamp>,
    /// Since when it is no longer watched.
    pub removed_at: Option<Timestamp>,
    /// When it was first watched.
    pub created_at: Timestamp,
    /// Until when nothing is sent, unless its file says otherwise.
    pub shadow_until: Option<Timestamp>,
}

impl RepositoryRow {
    /// Whether everything is worked out and shown, and nothing sent. The repository's file has the
    /// last word.
    pub fn is_shadow(&self, now: Timestamp) -> bool {
        self.settings.shadow.unwrap_or_else(|| self.shadow_until.is_some_and(|until| now < until))
    }

    /// Whether anything is fetched and written for it: its installation is there, and not
    /// suspended.
    pub fn is_served(&self) -> bool {
        self.suspended_at.is_none() && self.unnamed_since.is_none()
    }

    /// Whether the last fetch was refused for good, and lately: another one would be, too.
    pub fn is_fetch_paused(&self, now: Timestamp) -> bool {
        self.fetch_pause.is_some_and(|pause| now < pause.until)
    }

    /// Why the source itself can't be mirrored, where that was found lately.
    pub fn why_unmirrorable(&self, now: Timestamp) -> Option<&str> {
        self.fetch_pause.filter(|pause| pause.unmirrorable && now < pause.until)?;
        self.fetch_error.as_deref()
    }
}

/// The columns of a [`RepositoryRow`], for [`read`].
fn columns() -> String {
    format!(
        "id, full_name, clone_url, github_id, installation, html_url, public, default_branch, head,
         code_generation, rules_generation, pushed_at_ms, fetched_at_ms, fetch_paused_until_ms, unmirrorable, fetch_error,
         settings, settings_error, settings_blob, labelled_at_ms, {}, refused_labels, suspended_at_ms, unnamed_since_ms,
         removed_at_ms, shadow_until_ms, created_at_ms",
        refusals::COLUMNS
    )
}

fn read(row: &AnyRow) -> Result<RepositoryRow, StoreError> {
    let github = match (get::<Option<i64>>(row, "github_id")?, get::<Option<i64>>(row, "installation")?) {
        (Some(id), Some(installation)) => Some(GitHubRepository {
            id: id.unsigned_abs(),
            installation: installation.unsigned_abs(),
            html_url: get::<Option<String>>(row, "html_url")?.unwrap_or_default(),
        }),
        _ => None,
    };
    let settings = match get::<Option<String>>(row, "settings")? {
        Some(text) => from_json("repositories.settings", &text)?,
        None => Settings::default(),
    };
    let refused_labels = match get::<Option<String>>(row, "refused_labels")? {
        Some(text) => from_json("repositories.refused_labels", &text)?,
        None => Vec::new(),
    };
    let unmirrorable = get::<i64>(row, "unmirrorable")? != 0;
    let fetch_pause = get_time_opt(row, "fetch_paused_until_ms")?.map(|until| FetchPause { until, unmirrorable });
    Ok(RepositoryRow {
        repository: Repository {
            id: RepositoryId(get(row, "id")?),
            full_name: RepositoryName::new(get::<String>(row, "full_name")?),
            clone_url: get(row, "clone_url")?,
            github,
            public: get::<i64>(row, "public")? != 0,
            default_branch: get(row, "default_branch")?,
            head: get_commit_opt(row, "head")?,
        },
        code_generation: get(row, "code_generation")?,
        rules_generation: get(row, "rules_generation")?,
        pushed_at: get_time(row, "pushed_at_ms")?,
        fetched_at: get_time(row, "fetched_at_ms")?,
        fetch_pause,
        fetch_error: get(row, "fetch_error")?,
        settings,
        settings_error: get(row, "settings_error")?,
        settings_blob: get(row, "settings_blob")?,
        labelled_at: get_time(row, "labelled_at_ms")?,
        refusal: refusals::read(row)?,
        refused_labels,
        suspended_at: get_time_opt(row, "suspended_at_ms")?,
        unnamed_since: get_time_opt(row, "unnamed_since_ms")?,
        removed_at: get_time_opt(row, "removed_at_ms")?,
        created_at: get_time(row, "created_at_ms")?,
        shadow_until: get_time_opt(row, "shadow_until_ms")?,
    })
}
