//! Candidates: gathering the facts by which somebody is chosen, step by step, each only where the
//! steps before found nobody.

use super::Recipients;
use super::github_lookup::GitHubLookup;
use crate::services::{Failure, blocking};
use domain::blame::Author;
use domain::bots::{is_bot, is_bot_name, is_named_bot};
use domain::codeowners::{self, Owned, Owner, TooMuch};
use domain::commit::CommitId;
use domain::event::HookAccount;
use domain::person::{BlamedLine, Candidate, ChosenRecipient, Facts, GONE_AFTER, Owners, PullPeople, choose};
use domain::pull::{Pull, title_in, whole_pull};
use domain::routing::address_of;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use mirror::{Active, HeadFile, MirrorError, Mirrors, Provenance};
use store::repositories::RepositoryRow;

/// People of one step that are looked at, those who know most first: who comes after them hardly
/// knows the line.
const MOST_OF_A_STEP: usize = 5;
/// How long an address counts as refused: mailboxes fill up, move and are repaired.
const REFUSED_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What is being looked at.
pub(super) struct Candidates<'a> {
    pub(super) recipients: &'a Recipients,
    /// Not to be asked: `None`.
    mirrors: Option<&'a Mirrors>,
    pub(super) row: &'a RepositoryRow,
    pub(super) subject: &'a BlamedLine<'a>,
    pub(super) lookup: &'a GitHubLookup<'a>,
    /// From then on somebody who committed is still there.
    since: Timestamp,
    /// Of the commits that name people some came by their id alone, as a report named one.
    is_stray: bool,
}

/// Somebody as a step names them.
#[derive(Default)]
pub(super) struct Named<'n> {
    pub(super) author: Author,
    /// The account, where GitHub names it.
    pub(super) account: Option<&'n HookAccount>,
    /// A commit of theirs, by which GitHub knows their account.
    pub(super) commit: Option<&'n CommitId>,
    /// They were there then, commits or not.
    pub(super) seen_at: Option<Timestamp>,
}

impl<'a> Candidates<'a> {
    pub(super) async fn new(
        recipients: &'a Recipients,
        mirrors: Option<&'a Mirrors>,
        row: &'a RepositoryRow,
        subject: &'a BlamedLine<'a>,
        lookup: &'a GitHubLookup<'a>,
    ) -> Self {
        let mut it = Self {
            recipients,
            mirrors,
            row,
            subject,
            lookup,
            since: subject.failed_at - GONE_AFTER,
            is_stray: subject.is_stray,
        };
        // In a repository that nobody works on any more, nobody has left: whoever was there at the
        // end knows it best.
        if let Some(newest_at) = it.mirror(|mirrors, id| mirrors.newest_commit_at(id)).await.flatten() {
            it.since = it.since.min(newest_at - GONE_AFTER);
        }
        it
    }

    /// Who is told, and which pull request brought the line.
    pub(super) async fn gather(&self) -> Result<ChosenRecipient, Failure> {
        let mut facts = Facts { default_contact: self.row.settings.email.default_contact.clone(), ..Facts::default() };
        facts.handover = self.handover().await?;
        let handover = facts.handover.as_ref().map(|(handover, _)| handover.id);
        let pull = self.bringers(&mut facts).await?;
        self.further(&mut facts).await?;
        Ok(ChosenRecipient { person: choose(&facts), pull, handover, is_complete: false })
    }

    /// The steps after those who brought the line, until somebody is found.
    async fn further(&self, facts: &mut Facts) -> Result<(), Failure> {
        // No line of this repository failed.
        if choose(facts).is_found() || self.subject.path.is_empty() {
            return Ok(());
        }
        // Where git can't say who wrote the line, who wrote those around it would be a guess.
        if facts.author.is_some() {
            for active in self.of_function().await {
                facts.function.push(self.active(&active).await?);
                if choose(facts).is_found() {
                    return Ok(());
                }
            }
            for active in self.of_file().await {
                facts.file.push(self.active(&active).await?);
                if choose(facts).is_found() {
                    return Ok(());
                }
            }
        }
        self.owners(facts).await
    }

    /// The commit's author, its pull request, and for a program the people behind both.
    async fn bringers(&self, facts: &mut Facts) -> Result<Option<Pull>, Failure> {
        let Some((commit, author)) = self.subject.commit.zip(self.subject.author) else { return Ok(None) };
        let owned = commit.clone();
        let from = self.mirror(move |mirrors, id| mirrors.provenance(id, &owned)).await.flatten().unwrap_or_default();
        let whole = whole_pull(&from.committer, &from.subject).filter(|_| self.lookup.is_on_github());
        let pull = match self.lookup.pull(commit).await? {
            Some(pull) => Some(pull),
            None => whole.map(|number| self.by_subject(number, &from)),
        };
        facts.is_whole_pull = whole.is_some();
        let by_author = Named { author: author.clone(), commit: Some(commit), ..Named::default() };
        let author = self.candidate(by_author).await?;
        let can_be_told = author.can_be_told();
        let is_nobody = author.is_nobody();
        // Mostly who opened a pull request is who wrote it, and there is nothing to ask about them.
        let opener = pull.as_ref().and_then(|pull| pull.author.as_ref());
        let is_by_another = opener.is_none_or(|opener| author.login.as_ref() != Some(&opener.login));
        facts.author = Some(author);
        let is_squash_of_another = whole.is_some() && is_by_another;
        if !can_be_told || is_squash_of_another {
            self.co_authors(&from, facts).await?;
        }
        if is_nobody && !is_bot(&from.committer) && !from.committer.email.is_empty() {
            let by_committer = Named { author: from.committed_by.clone(), ..Named::default() };
            facts.committer = Some(self.candidate(by_committer).await?);
        }
        if let Some(pull) = pull.as_ref().filter(|_| is_nobody || is_squash_of_another)
            && (can_be_told || !choose(facts).is_found())
        {
            self.people_of(pull, facts).await?;
        }
        Ok(pull)
    }

    async fn co_authors(&self, from: &Provenance, facts: &mut Facts) -> Result<(), Failure> {
        for co_author in from.co_authors.iter().take(MOST_OF_A_STEP) {
            let named = Named { author: co_author.clone(), ..Named::default() };
            facts.co_authors.push(self.candidate(named).await?);
        }
        Ok(())
    }

    /// The pull request as git alone names it.
    fn by_subject(&self, number: u64, from: &Provenance) -> Pull {
        Pull {
            number,
            title: title_in(&from.subject).unwrap_or_default().to_owned(),
            url: self.row.repository.pull_url(number).unwrap_or_default(),
            ..Pull::default()
        }
    }

    /// Who opened the pull request; who merged it only where a program's commit has nobody else.
    async fn people_of(&self, pull: &Pull, facts: &mut Facts) -> Result<(), Failure> {
        let named = |account| Named { account: Some(account), seen_at: pull.merged_at, ..Named::default() };
        let mut people = PullPeople { number: pull.number, ..PullPeople::default() };
        if let Some(account) = &pull.author {
            people.author = Some(self.candidate(named(account)).await?);
        }
        facts.pull = Some(people);
        let is_nobody = facts.author.as_ref().is_some_and(Candidate::is_nobody);
        // Whose commit it is by its author may have merged only what others wrote.
        let may_be_mergers = facts.is_whole_pull && facts.co_authors.iter().any(|it| !it.is_nobody());
        let needs_merger = if is_nobody { !choose(facts).is_found() } else { may_be_mergers };
        if !needs_merger {
            return Ok(());
        }
        let (opener, merger) = self.lookup.pull_people(pull.number).await?;
        let mut people = PullPeople { number: pull.number, ..PullPeople::default() };
        // Git names the pull request by its number alone.
        if let Some(account) = pull.author.as_ref().or(opener.as_ref()) {
            people.author = Some(self.candidate(named(account)).await?);
        }
        if let Some(account) = &merger {
            people.merger = Some(self.candidate(named(account)).await?);
        }
        facts.pull = Some(people);
        Ok(())
    }

    async fn active(&self, active: &Active) -> Result<Candidate, Failure> {
        self.candidate(Named { author: active.author.clone(), commit: Some(&active.commit), ..Named::default() }).await
    }

    /// What is known of somebody.
    pub(super) async fn candidate(&self, named: Named<'_>) -> Result<Candidate, Failure> {
        let mut it = self.identified(&named).await?;
        if it.is_bot {
            return Ok(it);
        }
        // Who stands in a file of the default branch is named by that.
        let is_appointed = named.seen_at == Some(Timestamp::MAX);
        it.is_stranger = self.is_stray
            && !is_appointed
            && self.is_named_by_stray(named.commit).await
            && self.is_stranger(&it).await?;
        if !it.is_stranger {
            self.find_real_address(&mut it).await?;
        }
        // Beside a plain repository an account reaches nobody.
        it.login = it.login.filter(|_| self.lookup.is_on_github());
        it.has_left = self.has_left(&named, &it.author).await;
        if let Some(login) = it.login.as_ref().filter(|_| self.row.settings.issues.assign) {
            it.is_assignable = self.lookup.is_assignable(login).await?;
        }
        if let Some(address) = address_of(&self.row.settings.email, &it.author) {
            it.can_be_mailed = true;
            let now = self.subject.failed_at;
            it.is_refused = self.subject.unreached.iter().any(|one| one.eq_ignore_ascii_case(&address))
                || store::refused_addresses::contains(&self.recipients.store, &address, now - REFUSED_LIFE).await?;
        }
        Ok(it)
    }

    /// Somebody with their address and account, as far as one leads to the other.
    async fn identified(&self, named: &Named<'_>) -> Result<Candidate, Failure> {
        let author = named.author.clone();
        let bots = &self.row.settings.bots;
        let is_program = is_bot(&author) || is_named_bot(bots, &author, named.account.map(|it| &it.login));
        let mut it = Candidate { is_bot: is_program, author, ..Candidate::default() };
        match named.account {
            Some(account) => {
                it.login = Some(account.login.clone());
                it.is_bot |= is_program_account(account);
                if it.author.email.is_empty() && !it.is_bot {
                    it.author = self.lookup.author_of_login(&account.login).await?.unwrap_or_default();
                }
            }
            None if !it.is_bot => {
                let account = self.lookup.account_of(&it.author, named.commit).await?;
                it.is_bot = account.is_bot || is_named_bot(bots, &it.author, account.login.as_ref());
                it.login = account.login;
            }
            None => {}
        }
        Ok(it)
    }

    /// Whether somebody committed nothing for so long that they are taken to be gone.
    async fn has_left(&self, named: &Named<'_>, author: &Author) -> bool {
        let was_seen = named.seen_at.is_some_and(|seen_at| seen_at >= self.since);
        if was_seen || author.email.is_empty() {
            return false;
        }
        let (author, since, commit) = (author.clone(), self.since, named.commit.cloned());
        let last = self.mirror(move |mirrors, id| {
            // One that lacks the commit by which somebody is named is behind, or lost it by a
            // forced push: it can't say what else of theirs it lacks.
            let is_here =
                commit.map(|commit| mirrors.commit(id, &commit)).transpose()?.is_none_or(|found| found.is_some());
            if is_here { mirrors.last_commit_of(id, &author, since).map(Some) } else { Ok(None) }
        });
        let last = last.await.flatten();
        matches!(last, Some(None))
    }

    async fn of_function(&self) -> Vec<Active> {
        let (Some(lines), Some(revision)) = (self.subject.function.clone(), self.subject.revision) else {
            return Vec::new();
        };
        let (revision, path, since) = (revision.clone(), self.subject.path.to_owned(), self.since);
        let found =
            self.mirror(move |mirrors, id| mirrors.active_authors_of_lines(id, &revision, &path, lines, since)).await;
        first_people(found.unwrap_or_default())
    }

    async fn of_file(&self) -> Vec<Active> {
        let (path, since) = (self.subject.path.to_owned(), self.since);
        let found = self.mirror(move |mirrors, id| mirrors.active_authors_of_file(id, &path, since)).await;
        first_people(found.unwrap_or_default())
    }

    /// CODEOWNERS, until somebody of them is found.
    async fn owners(&self, facts: &mut Facts) -> Result<(), Failure> {
        let owned = match self.owned().await {
            Some(Ok(owned)) => owned,
            Some(Err(why)) => {
                facts.owners.unread = Some(why);
                return Ok(());
            }
            None => return Ok(()),
        };
        facts.owners = Owners { pattern: owned.pattern.clone(), ..Owners::default() };
        for owner in owned.owners.iter().take(MOST_OF_A_STEP) {
            self.owner(owner, facts).await?;
            if choose(facts).is_found() {
                break;
            }
        }
        Ok(())
    }

    /// Whom the repository's CODEOWNERS names for the file, or why it is not read. Its patterns are
    /// compared where it is read: they may take as long.
    async fn owned(&self) -> Option<Result<Owned, String>> {
        let path = self.subject.path.to_owned();
        let found = self.mirror(move |mirrors, id| {
            for place in codeowners::PLACES {
                match mirrors.head_file_of(id, place, codeowners::MOST_BYTES)? {
                    HeadFile::Missing => {}
                    HeadFile::Unread { why, .. } => return Ok(Some(Err(why))),
                    HeadFile::Text { text, .. } => {
                        let owned = codeowners::owners_of(&text, &path);
                        return Ok(owned.map_err(|TooMuch| "it is too much to read".to_owned()).transpose());
                    }
                }
            }
            Ok(None)
        });
        found.await.flatten()
    }

    /// An owner; of a team its members, until somebody is found.
    async fn owner(&self, owner: &Owner, facts: &mut Facts) -> Result<(), Failure> {
        // Whom the file names is there, commits or not.
        let appointed = |author: Author| Named { author, seen_at: Some(Timestamp::MAX), ..Named::default() };
        match owner {
            Owner::Email(email) => {
                let author = Author { name: String::new(), email: email.clone() };
                facts.owners.people.push((owner.name(), self.candidate(appointed(author)).await?));
            }
            Owner::User(login) => {
                let account = HookAccount { login: login.clone(), ..HookAccount::default() };
                let named = Named { account: Some(&account), ..appointed(Author::default()) };
                facts.owners.people.push((owner.name(), self.candidate(named).await?));
            }
            Owner::Team { org, slug } => match self.lookup.team_members(org, slug).await? {
                None => facts.owners.unreadable.push(owner.name()),
                Some(members) => {
                    for member in members.iter().take(MOST_OF_A_STEP) {
                        let named = Named { account: Some(member), ..appointed(Author::default()) };
                        facts.owners.people.push((owner.name(), self.candidate(named).await?));
                        if choose(facts).is_found() {
                            break;
                        }
                    }
                }
            },
        }
        Ok(())
    }

    /// Asks the mirror. Where it can't be read, the alert goes out without what it would have said.
    pub(super) async fn mirror<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Mirrors, domain::ids::RepositoryId) -> Result<T, MirrorError> + Send + 'static,
    ) -> Option<T> {
        let id = self.row.repository.id;
        let mirrors = self.mirrors.filter(|mirrors| mirrors.exists(id))?.clone();
        match blocking(move || question(&mirrors, id)).await {
            Ok(answer) => Some(answer),
            Err(failure) => {
                tracing::warn!(repository = %self.row.repository.full_name, %failure, "somebody is looked for without the mirror");
                None
            }
        }
    }
}

fn is_program_account(account: &HookAccount) -> bool {
    account.kind == "Bot" || is_bot_name(account.login.as_str())
}

/// Those of a step that are asked about, programs left out.
fn first_people(all: Vec<Active>) -> Vec<Active> {
    all.into_iter().filter(|it| !is_bot(&it.author)).take(MOST_OF_A_STEP).collect()
}
