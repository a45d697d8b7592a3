//! When a mirror was last brought up to date, as its own directory says. Where several servers
//! share a database, each has a mirror of its own: what the database knows of one tells nothing of
//! the others.

use super::Mirrors;
use super::error::MirrorError;
use domain::ids::RepositoryId;
use domain::timestamp::Timestamp;
use std::fs;

/// In a mirror's directory: the two moments of a [`LastSync`], in milliseconds. A new clone begins
/// without them.
const NOTE: &str = "flawless-synced";

/// When a mirror was last brought up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastSync {
    /// When that began, by its own server's clock.
    pub began_at: Timestamp,
    /// The latest push that was known of then.
    pub pushed_at: Timestamp,
}

impl Mirrors {
    /// When the mirror was last brought up to date; `None` where there is none, or it does not say.
    pub fn last_sync(&self, id: RepositoryId) -> Option<LastSync> {
        let noted = fs::read_to_string(self.inner.directory.mirror(id).join(NOTE)).ok()?;
        let (began_at, pushed_at) = noted.trim().split_once(' ')?;
        let read = |millis: &str| millis.parse().ok().map(Timestamp::from_millis);
        Some(LastSync { began_at: read(began_at)?, pushed_at: read(pushed_at)? })
    }

    /// Notes that the mirror was brought up to date.
    ///
    /// # Errors
    /// [`MirrorError::Disk`].
    pub fn note_sync(&self, id: RepositoryId, last: LastSync) -> Result<(), MirrorError> {
        let path = self.inner.directory.mirror(id);
        let (file, new) = (path.join(NOTE), path.join(format!("{NOTE}.lock")));
        fs::write(&new, format!("{} {}\n", last.began_at.as_millis(), last.pushed_at.as_millis()))
            .and_then(|()| fs::rename(&new, &file))
            .map_err(|error| MirrorError::disk(format!("writing {}", file.display()), &error))
    }
}
