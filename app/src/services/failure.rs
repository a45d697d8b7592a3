//! Why work did not get to its end, and what becomes of it then.

use super::Panic;
use domain::job::back_off;
use domain::timestamp::Timestamp;
use github::GitHubError;
use jiff::SignedDuration;
use mirror::MirrorError;
use render::RenderError;
use std::error::Error;
use store::StoreError;
use tokio::task::JoinError;

/// What was wrong: an error of another's, or a sentence of ours.
pub type Cause = Box<dyn Error + Send + Sync>;

/// Why a step did not get to its end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It may go well later.
    #[error("{cause}")]
    Retry {
        /// What is wrong.
        #[source]
        cause: Cause,
        /// The server's own word on how long to wait.
        after: Option<SignedDuration>,
    },
    /// It will never go well.
    #[error("{0}")]
    GiveUp(#[source] Cause),
    /// It panicked: a fault of the program. Tried again, but not for ever.
    #[error("it panicked: {0}")]
    Panicked(String),
    /// The job is another worker's by now, who does it: nothing of it is to be written or sent.
    #[error("the job is another worker's by now")]
    NotOurs,
    /// Nothing failed: there is more to do, from that moment on.
    #[error("there is more to do")]
    Again {
        /// When.
        at: Timestamp,
    },
}

impl Failure {
    /// To be tried again, when the usual pause is over.
    pub fn retry(cause: impl Into<Cause>) -> Self {
        Self::Retry { cause: cause.into(), after: None }
    }

    /// A task that did not get to its end, by what it was at.
    pub fn ended(what: &str, ended: JoinError) -> Self {
        match ended.try_into_panic() {
            Ok(payload) => Self::Panicked(format!("{what}: {}", Panic::of(&*payload))),
            // The server is stopping.
            Err(cancelled) => Self::retry(format!("{what}: {cancelled}")),
        }
    }

    /// GitHub has another name for the repository, or the name for another repository: with the
    /// right one it would go well.
    pub fn is_of_a_name(&self) -> bool {
        let Self::Retry { cause, .. } = self else { return false };
        cause.downcast_ref().is_some_and(GitHubError::is_of_a_name)
    }

    /// Not to be tried again.
    pub fn give_up(cause: impl Into<Cause>) -> Self {
        Self::GiveUp(cause.into())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Content { .. } => Self::give_up(error),
            StoreError::LeaseLost => Self::NotOurs,
            _ => Self::retry(error),
        }
    }
}

impl From<RenderError> for Failure {
    fn from(error: RenderError) -> Self {
        Self::give_up(error)
    }
}

impl From<MirrorError> for Failure {
    fn from(error: MirrorError) -> Self {
        if error.is_permanent() { Self::give_up(error) } else { Self::retry(error) }
    }
}

impl From<GitHubError> for Failure {
    fn from(error: GitHubError) -> Self {
        // Once the new name is known, the same request goes to the right place.
        if error.is_permanent() && !error.is_of_a_name() {
            return Self::give_up(error);
        }
        let after = error.retry_after();
        Self::Retry { after, cause: error.into() }
    }
}

/// Work that is tried until it goes well: where its failures are written down.
pub(crate) trait Attempt {
    /// What goes wrong when a failure can't be written down.
    type Error;

    /// How often it was begun, this time included.
    fn number(&self) -> u32;

    /// It will never go well.
    async fn give_up(&self, cause: &Cause) -> Result<(), Self::Error>;

    /// It is to be tried again at that moment.
    async fn postpone(&self, cause: &Cause, due_at: Timestamp) -> Result<(), Self::Error>;
}

/// How an attempt ended, once that is written down.
pub(crate) enum Settled<T> {
    /// It went well.
    Done(T),
    /// It will never go well.
    GivenUp,
    /// It is tried again later, after the pause that the other side named, if it did.
    Postponed {
        /// What is wrong.
        cause: Cause,
        /// The other side's word on how long to wait.
        after: Option<SignedDuration>,
        /// When.
        due_at: Timestamp,
    },
    /// It goes on at that moment.
    Again(Timestamp),
    /// It panicked; nothing is written down but by the worker whose job it was in.
    Panicked(String),
    /// It is another worker's; nothing is written down.
    NotOurs,
}

/// Has what came of an attempt written down, with the back-off that all attempts have.
///
/// # Errors
/// The attempt's own, where that can't be written down.
pub(crate) async fn settle<T, A: Attempt>(
    attempt: &A,
    result: Result<T, Failure>,
    now: Timestamp,
) -> Result<Settled<T>, A::Error> {
    match result {
        Ok(done) => Ok(Settled::Done(done)),
        Err(Failure::GiveUp(cause)) => attempt.give_up(&cause).await.map(|()| Settled::GivenUp),
        Err(Failure::Retry { cause, after }) => {
            let due_at = now + back_off(attempt.number(), after);
            attempt.postpone(&cause, due_at).await?;
            Ok(Settled::Postponed { cause, after, due_at })
        }
        Err(Failure::Again { at }) => Ok(Settled::Again(at)),
        Err(Failure::Panicked(why)) => Ok(Settled::Panicked(why)),
        Err(Failure::NotOurs) => Ok(Settled::NotOurs),
    }
}

impl<T> Settled<T> {
    /// What was done, for who has nothing to add: nothing where it was given up, and a failure
    /// where there is more to do.
    ///
    /// # Errors
    /// It is to be tried again, or goes on later.
    pub(crate) fn done(self) -> Result<Option<T>, Failure> {
        match self {
            Self::Done(done) => Ok(Some(done)),
            Self::GivenUp => Ok(None),
            Self::Postponed { cause, after, .. } => Err(Failure::Retry { cause, after }),
            Self::Again(at) => Err(Failure::Again { at }),
            Self::Panicked(why) => Err(Failure::Panicked(why)),
            Self::NotOurs => Err(Failure::NotOurs),
        }
    }
}

/// The attempt after as many as the row counts.
pub(crate) fn attempt_after(attempts: u64) -> u32 {
    u32::try_from(attempts + 1).unwrap_or(u32::MAX)
}
