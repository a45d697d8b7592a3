//! Asking GitHub about people while an alert waits: every answer is remembered, and no failure is
//! more than a gap.

use super::Recipients;
use crate::services::Failure;
use crate::services::refusals::WhyRefused;
use domain::blame::Author;
use domain::bots::{is_bot, is_bot_name};
use domain::commit::CommitId;
use domain::event::HookAccount;
use domain::names::Login;
use domain::pull::Pull;
use domain::refusal::RefusalReason;
use domain::repository::GitHubAddress;
use domain::timestamp::{DAY, HOUR, Timestamp};
use github::{GitHub, GitHubError};
use jiff::SignedDuration;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::accounts::KnownAccount;
use store::repositories::RepositoryRow;

/// How long an answer of GitHub's about an address is kept: accounts change their addresses
/// rarely.
const ACCOUNT_LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long any other answer is kept: who is in a team, and who may be assigned, changes by the
/// day.
const ANSWER_LIFE: SignedDuration = DAY;
/// How long a missing answer is kept: a pull request may be merged, and a permission
/// be granted.
const NONE_LIFE: SignedDuration = HOUR;
/// How long one question may take. The alert waits for it, and can do without.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long GitHub is not asked after it did not answer in that time.
const COOLDOWN: SignedDuration = SignedDuration::from_mins(1);

/// Until when GitHub is not asked about people, because it did not answer while an alert waited:
/// many alerts would wait one after another.
#[derive(Clone, Debug, Default)]
pub struct Cooldown(Arc<AtomicI64>);

impl Cooldown {
    /// What is left of it.
    fn left(&self, now: Timestamp) -> SignedDuration {
        let left = (Timestamp::from_millis(self.0.load(Ordering::Acquire)) - now).max(SignedDuration::ZERO);
        // More than there ever was: the clock was set back meanwhile.
        if left > COOLDOWN { SignedDuration::ZERO } else { left }
    }

    /// Begins it.
    fn until(&self, at: Timestamp) {
        self.0.store(at.as_millis(), Ordering::Release);
    }
}

/// GitHub did not answer.
struct NotKnown;

/// Who opened and who merged a pull request.
type PullAccounts = (Option<HookAccount>, Option<HookAccount>);

/// Whether a refusal is of the whole repository, whatever is asked there.
fn hides_the_repository(error: &GitHubError) -> bool {
    matches!(WhyRefused::of(error).reason, RefusalReason::AllowList | RefusalReason::Blocked)
}

/// A refusal of what every App may read where it is installed: it passes, or is the repository's,
/// and no answer.
fn as_passing(error: GitHubError) -> GitHubError {
    match error {
        error if error.is_refusal() => GitHubError::Transient { message: error.to_string(), retry_after: None },
        error => error,
    }
}

/// Asks whether a 404 was about what was asked for: of a repository that GitHub does not show,
/// maybe for a moment only, it says the same.
async fn shows_the_repository(github: &GitHub, address: &GitHubAddress) -> Result<(), GitHubError> {
    github.repository(address).await.map(drop).map_err(as_passing)
}

/// GitHub, as it is asked for the sake of one line.
pub(super) struct GitHubLookup<'a> {
    recipients: &'a Recipients,
    row: &'a RepositoryRow,
    github: Option<(GitHub, GitHubAddress)>,
    now: Timestamp,
    /// The first failure: from then on only what is remembered counts.
    failure: Mutex<Option<GitHubError>>,
}

impl<'a> GitHubLookup<'a> {
    pub(super) fn new(recipients: &'a Recipients, row: &'a RepositoryRow, now: Timestamp) -> Self {
        let github = recipients.github_app.github_of(&row.repository).filter(|_| row.is_served());
        let left = Some(recipients.cooldown.left(now)).filter(SignedDuration::is_positive);
        let failure = github.as_ref().and(left).map(|left| GitHubError::Transient {
            message: "it let an alert wait in vain a moment ago".to_owned(),
            retry_after: Some(left),
        });
        Self { recipients, row, github, now, failure: Mutex::new(failure) }
    }

    /// Why GitHub did not answer something, where it did not.
    pub(super) fn into_failure(self) -> Option<GitHubError> {
        self.failure.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether what is to be known can be: it is on GitHub, which can be asked, or it is
    /// not.
    pub(super) fn can_ask(&self) -> bool {
        self.github.is_some() || !self.is_on_github()
    }

    /// Whether the repository is on GitHub at all.
    pub(super) fn is_on_github(&self) -> bool {
        self.row.repository.github.is_some()
    }

    fn failed(&self, error: GitHubError) -> NotKnown {
        tracing::info!(repository = %self.row.repository.full_name, %error, "somebody is looked for without GitHub's answer");
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        NotKnown
    }

    /// GitHub, while it answers.
    fn answering(&self) -> Option<(&GitHub, &GitHubAddress)> {
        let is_down = self.failure.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        self.github.as_ref().filter(|_| !is_down).map(|(github, address)| (github, address))
    }

    /// Waits for an answer, but not for ever. What GitHub refuses for good is a `None`; `Err`: it
    /// is not known.
    async fn patiently<T>(
        &self,
        work: impl Future<Output = Result<Option<T>, GitHubError>>,
    ) -> Result<Option<T>, NotKnown> {
        match tokio::time::timeout(PATIENCE, work).await {
            Ok(Ok(answer)) => Ok(answer),
            // Of a repository that is hidden for now nothing is known.
            Ok(Err(error)) if hides_the_repository(&error) => Err(self.failed(error)),
            // A commit or account that is not there any more, or a permission that the App has not.
            Ok(Err(GitHubError::Gone(_) | GitHubError::Refused { .. })) => Ok(None),
            Ok(Err(error)) => Err(self.failed(error)),
            Err(_) => {
                self.recipients.cooldown.until(self.now + COOLDOWN);
                let message = format!("no answer within {} s", PATIENCE.as_secs());
                Err(self.failed(GitHubError::Transient { message, retry_after: None }))
            }
        }
    }

    /// The answer to a question: remembered, else asked for, else what was said long ago.
    async fn look_up<T: Serialize + DeserializeOwned + Send + Sync>(
        &self,
        question: &str,
        work: impl Future<Output = Result<Option<T>, GitHubError>>,
    ) -> Result<Option<T>, Failure> {
        if !self.is_on_github() {
            return Ok(None);
        }
        let id = self.row.repository.id;
        let known: Option<(Option<T>, Timestamp)> =
            store::look_ups::answer(&self.recipients.store, id, question).await?;
        let is_fresh = known.as_ref().is_some_and(|(answer, asked_at)| {
            self.now.is_within(if answer.is_some() { ANSWER_LIFE } else { NONE_LIFE }, *asked_at)
        });
        if !is_fresh
            && self.answering().is_some()
            && let Ok(answer) = self.patiently(work).await
        {
            store::look_ups::record(&self.recipients.store, id, question, &answer, self.now).await?;
            return Ok(answer);
        }
        Ok(known.and_then(|(answer, _)| answer))
    }

    /// The pull request that brought a commit.
    pub(super) async fn pull(&self, commit: &CommitId) -> Result<Option<Pull>, Failure> {
        let Some((github, address)) = self.answering() else {
            return self.look_up(&format!("pull of {commit}"), async { Ok(None) }).await;
        };
        let branch = self.row.repository.default_branch.as_deref();
        self.look_up(&format!("pull of {commit}"), github.pull_of_commit(address, commit, branch)).await
    }

    /// Who opened and who merged a pull request.
    pub(super) async fn pull_people(&self, number: u64) -> Result<PullAccounts, Failure> {
        let question = format!("people of pull {number}");
        let found: Option<PullAccounts> = match self.answering() {
            Some((github, address)) => self.look_up(&question, github.pull_people(address, number)).await?,
            None => self.look_up(&question, async { Ok(None) }).await?,
        };
        Ok(found.unwrap_or_default())
    }

    /// Whether issues can be assigned to a login; `None`: not known.
    pub(super) async fn is_assignable(&self, login: &Login) -> Result<Option<bool>, Failure> {
        let question = format!("assignable {}", login.key());
        match self.answering() {
            Some((github, address)) => {
                let work = async {
                    let may = github.is_assignable(address, login).await?;
                    if !may {
                        shows_the_repository(github, address).await?;
                    }
                    Ok(Some(may))
                };
                self.look_up(&question, work).await
            }
            None => self.look_up(&question, async { Ok(None) }).await,
        }
    }

    /// The name and address that a login commits with, or shows.
    pub(super) async fn author_of_login(&self, login: &Login) -> Result<Option<Author>, Failure> {
        let question = format!("address of {}", login.key());
        match self.answering() {
            Some((github, address)) => self.look_up(&question, github.author_of_login(address, login)).await,
            None => self.look_up(&question, async { Ok(None) }).await,
        }
    }

    /// The members of a team; `None`: they can't be read.
    pub(super) async fn team_members(&self, org: &Login, slug: &str) -> Result<Option<Vec<HookAccount>>, Failure> {
        let question = format!("members of {}/{}", org.key(), slug.to_lowercase());
        match self.answering() {
            Some((github, address)) => {
                self.look_up(&question, github.team_members(address.installation, org, slug)).await
            }
            None => self.look_up(&question, async { Ok(None) }).await,
        }
    }

    /// The account of a commit's author: in a noreply address, or as GitHub says of the commit;
    /// remembered by the address.
    pub(super) async fn account_of(&self, author: &Author, commit: Option<&CommitId>) -> Result<KnownAccount, Failure> {
        let (email, store) = (author.email.as_str(), &self.recipients.store);
        let known = store::accounts::by_email(store, email).await?;
        let is_fresh = known.as_ref().is_some_and(|(_, asked_at)| *asked_at >= self.now - ACCOUNT_LIFE);
        let known = known.map(|(account, _)| account);
        if let Some(known) = known.clone().filter(|_| is_fresh) {
            return Ok(known);
        }
        let noreply = author.noreply();
        let guess = KnownAccount { is_bot: is_bot(author), login: noreply.as_ref().map(|it| it.login.clone()) };
        if email.is_empty() || self.answering().is_none() {
            // Long ago is better than never; a plain repository has nobody to ask.
            return Ok(known.unwrap_or(if self.is_on_github() { guess } else { KnownAccount::default() }));
        }
        let number = noreply.and_then(|noreply| noreply.account);
        let Ok(found) = self.patiently(self.ask_for_account(number, commit, guess.login.is_some())).await else {
            return Ok(guess);
        };
        let account = match found {
            Some(it) => {
                KnownAccount { is_bot: it.kind == "Bot" || is_bot_name(it.login.as_str()), login: Some(it.login) }
            }
            None => guess,
        };
        if commit.is_some() || account.login.is_some() {
            store::accounts::record(store, email, &account, self.now).await?;
        }
        Ok(account)
    }

    /// An account by its number, for logins are renamed and then taken by others; else by a commit
    /// of theirs. Of whom there is a guess an issue is not kept waiting.
    async fn ask_for_account(
        &self,
        number: Option<u64>,
        commit: Option<&CommitId>,
        is_guessed: bool,
    ) -> Result<Option<HookAccount>, GitHubError> {
        let Some((github, address)) = self.answering() else { return Ok(None) };
        if let Some(number) = number
            && let Some(account) = github.user_by_id(address.installation, number).await?
        {
            return Ok(Some(account));
        }
        let Some(commit) = commit else { return Ok(None) };
        match github.commit_author(address, commit).await {
            // By 422 it says that it does not have the commit; others that speak GitHub's API say
            // it by 404, which of GitHub is a moment's answer, and waited out where it matters.
            Err(GitHubError::Gone(_)) if is_guessed => shows_the_repository(github, address).await.map(|()| None),
            other => other.map_err(as_passing),
        }
    }
}
