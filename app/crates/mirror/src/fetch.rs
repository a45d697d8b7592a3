//! Bringing one mirror's objects, refs and HEAD to what its source has.

use super::clone_source::Address;
use super::connection::{connect, moved};
use super::error::MirrorError;
use super::progress::{Meter, Watch};
use domain::url_text::without_secrets;
use gix::bstr::{BStr, ByteSlice};
use gix::protocol::handshake::Ref;
use gix::protocol::transport::client::blocking_io::Transport;
use gix::refs::transaction::{Change, LogChange, PreviousValue, RefEdit, RefLog};
use gix::refs::{FullName, Target};
use gix::remote::fetch::refmap::Mapping;
use gix::remote::fetch::{Prepare, Status, Tags, refs::update::Mode};
use gix::remote::{Direction, ref_map};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a mirror has of its source. Not `refs/*`: gix maps no ref for that, silently, and a forge's
/// `refs/pull/*` would be many times the branches.
const REFSPECS: [&str; 2] = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];

/// Where commits are held that no branch or tag reaches; never pruned.
pub(super) const PINNED: &str = "refs/pinned/";

/// Another process that moves the same refs (`flawless check` beside the server) makes us lose a
/// compare-and-swap; once more, with what is there then, is enough in practice, twice is to be
/// sure.
const ATTEMPTS: usize = 3;

/// gix rewrites each ref that it asked for, at a quarter of a millisecond each, though it stayed
/// where it is. From so many on it is quicker to ask for those that moved, in a conversation of
/// their own.
const MANY_REFS: usize = 500;

/// A conversation in which the source has said what it has.
type Prepared<'remote, 'repo> = Prepare<'remote, 'repo, Box<dyn Transport + Send>>;

/// How a fetch ended.
pub(super) enum Fetched {
    /// It is done; whether any ref or HEAD changed.
    Done(bool),
    /// What the mirror has could not be read to tell the source, and there is something to fetch:
    /// only a clone, which has nothing to tell, brings it. Why, in words.
    NotFrom(String),
}

/// One conversation to be had.
pub(super) struct Fetch<'a> {
    pub(super) address: &'a Address,
    pub(super) meter: &'a Arc<Meter>,
}

impl Fetch<'_> {
    /// Fetches all branches and tags, deletes what the source deleted, follows its HEAD. `fresh` is
    /// for an empty mirror: its refs are packed into one file.
    ///
    /// # Errors
    /// Everything in [`MirrorError`] but `NoMirror`.
    pub(super) fn everything(&self, repo: &gix::Repository, fresh: bool) -> Result<Fetched, MirrorError> {
        self.with_attempts(|url, challenged| {
            let remote = remote(repo, url.clone(), &REFSPECS.map(str::to_owned))?;
            let prepared = self.prepare(&remote, challenged)?;
            let map = prepared.ref_map();
            let head = remote_head(&map.remote_refs);
            let ours = branches_and_tags(repo)?;
            // Before, not after: a branch `x` that became `x/y` would else block the whole
            // transaction.
            let pruned = prune(repo, &ours, &map.mappings)?;
            let news: Vec<&Mapping> = map.mappings.iter().filter(|it| is_news(repo, &ours, it)).collect();
            if news.is_empty() {
                return Ok(Fetched::Done(follow_head(repo, head)? || pruned));
            }
            let received = match narrowed(&map.mappings, &news).filter(|_| !fresh) {
                None => self.receive(prepared, fresh),
                Some(specs) => {
                    drop(prepared);
                    let remote = self::remote(repo, url, &specs)?;
                    self.receive(self.prepare(&remote, challenged)?, fresh)
                }
            };
            match received {
                Err(error) if !fresh && is_unreadable_history(&error) => {
                    Ok(Fetched::NotFrom(super::error::chain(&error)))
                }
                received => {
                    let moved = received?;
                    Ok(Fetched::Done(follow_head(repo, head)? || pruned || moved))
                }
            }
        })
    }

    /// Connects, and asks for the refs that `remote` is for, and for HEAD.
    fn prepare<'remote, 'repo>(
        &self,
        remote: &'remote gix::Remote<'repo>,
        challenged: &'remote AtomicBool,
    ) -> Result<Prepared<'remote, 'repo>, gix::Error> {
        self.meter.connecting();
        let connection = connect(remote, self.address, self.meter, challenged)?;
        let mut options = ref_map::Options::default();
        // HEAD is asked for to learn the default branch; it is mapped to no ref.
        options.extra_refspecs.push(head_refspec()?);
        connection.prepare_fetch(Watch::root(self.meter), options)
    }

    /// Receives what is missing. Returns whether any ref moved.
    fn receive(&self, prepared: Prepared<'_, '_>, fresh: bool) -> Result<bool, gix::Error> {
        let prepared = prepared.with_write_packed_refs_only(fresh);
        let outcome = prepared.receive(Watch::root(self.meter), self.meter.called_off())?;
        let (Status::NoPackReceived { update_refs, .. } | Status::Change { update_refs, .. }) = &outcome.status;
        let moves = |mode: &Mode| matches!(mode, Mode::FastForward | Mode::Forced | Mode::New);
        Ok(update_refs.updates.iter().any(|update| moves(&update.mode)))
    }

    /// Fetches one commit by its id and holds it, though no branch or tag may reach it any more.
    /// `false`: the source has no such commit, or does not give it away.
    ///
    /// # Errors
    /// Everything in [`MirrorError`] but `NoMirror`.
    pub(super) fn commit(&self, repo: &gix::Repository, id: gix::ObjectId) -> Result<bool, MirrorError> {
        let fetched = self.with_attempts(|url, challenged| {
            let remote = remote(repo, url, &[format!("+{id}:{PINNED}{id}")])?;
            self.meter.connecting();
            let connection = connect(&remote, self.address, self.meter, challenged)?;
            let prepared = connection.prepare_fetch(Watch::root(self.meter), ref_map::Options::default())?;
            prepared.receive(Watch::root(self.meter), self.meter.called_off())?;
            Ok(())
        });
        match fetched {
            Ok(()) => {
                // A tag that somebody made has an id as well.
                let found = repo.find_object(id).ok().and_then(|it| it.peel_to_kind(gix::object::Kind::Commit).ok());
                Ok(found.is_some())
            }
            // The words of git's server and of forges for an object that is not there or not given
            // away.
            Err(MirrorError::Unreachable { why, .. })
                if why.contains("not our ref") || why.contains("unadvertised") =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Runs a conversation again where that helps: after a lost race for a ref, and at a plain http
    /// repository's new address.
    fn with_attempts<T>(
        &self,
        talk: impl Fn(gix::Url, &AtomicBool) -> Result<T, gix::Error>,
    ) -> Result<T, MirrorError> {
        let mut url = self.address.url.clone();
        let mut attempt = 1;
        loop {
            let challenged = AtomicBool::new(false);
            let error = match talk(url.clone(), &challenged) {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let redirected = error.iter_errors().any(|cause| cause.to_string().contains("refusing to follow redirect"));
            let target = if redirected { moved(self.address)? } else { None };
            match target {
                Some(target) if url == self.address.url => {
                    url = gix::url::parse(target.as_str()).map_err(|error| MirrorError::InvalidUrl {
                        url: without_secrets(&target),
                        why: super::error::chain(&error),
                    })?;
                }
                _ if lost_a_race(&error) && attempt < ATTEMPTS => attempt += 1,
                _ => {
                    let challenged = challenged.load(Ordering::Relaxed);
                    return Err(MirrorError::network(&self.address.shown, &error, challenged, self.meter.called_off()));
                }
            }
        }
    }
}

/// The source, to be asked for these.
fn remote<'repo>(
    repo: &'repo gix::Repository,
    url: gix::Url,
    specs: &[String],
) -> Result<gix::Remote<'repo>, gix::Error> {
    let remote = repo.remote_at_without_url_rewrite(url)?;
    let specs = specs.iter().map(String::as_str);
    Ok(remote.with_refspecs(specs, Direction::Fetch).map_err(gix::Error::from_error)?.with_fetch_tags(Tags::None))
}

/// The refspec that only names HEAD.
fn head_refspec() -> Result<gix::refspec::RefSpec, gix::Error> {
    let parsed = gix::refspec::parse(BStr::new("HEAD"), gix::refspec::parse::Operation::Fetch);
    parsed.map(|spec| spec.to_owned()).map_err(gix::Error::from_error)
}

/// What the source's HEAD is: a branch (which may have no commit yet), a bare commit, or not said.
fn remote_head(refs: &[Ref]) -> Option<Target> {
    refs.iter().find_map(|found| match found {
        Ref::Symbolic { full_ref_name, target, .. } | Ref::Unborn { full_ref_name, target }
            if full_ref_name == "HEAD" =>
        {
            FullName::try_from(target.as_bstr()).ok().map(Target::Symbolic)
        }
        Ref::Direct { full_ref_name, object } if full_ref_name == "HEAD" => Some(Target::Object(*object)),
        _ => None,
    })
}

/// Points our HEAD where the source's points. Returns whether it moved.
fn follow_head(repo: &gix::Repository, target: Option<Target>) -> Result<bool, gix::Error> {
    let Some(target) = target else { return Ok(false) };
    let ours = repo.find_reference("HEAD").ok().map(|head| head.target().into_owned());
    let ours = ours.or_else(|| repo.head_name().ok().flatten().map(Target::Symbolic));
    if ours.as_ref() == Some(&target) {
        return Ok(false);
    }
    repo.edit_reference(RefEdit {
        change: Change::Update { log: LogChange::default(), expected: PreviousValue::Any, new: target },
        name: FullName::try_from("HEAD").map_err(gix::Error::from_error)?,
        deref: false,
    })?;
    Ok(true)
}

/// Our branches and tags, with where each points.
fn branches_and_tags(repo: &gix::Repository) -> Result<HashMap<FullName, Target>, gix::Error> {
    let mut found = HashMap::new();
    for prefix in ["refs/heads/", "refs/tags/"] {
        for reference in repo.references()?.prefixed(BStr::new(prefix))? {
            let reference = reference?;
            found.insert(reference.name().to_owned(), reference.target().into_owned());
        }
    }
    Ok(found)
}

/// Deletes the branches and tags that the source no longer has. Returns whether there were any.
fn prune(repo: &gix::Repository, ours: &HashMap<FullName, Target>, theirs: &[Mapping]) -> Result<bool, gix::Error> {
    let wanted: HashSet<&BStr> = theirs.iter().filter_map(|it| it.local.as_ref()).map(|it| it.as_bstr()).collect();
    let gone = ours.iter().filter(|(name, _)| !wanted.contains(name.as_bstr()));
    let edits: Vec<RefEdit> = gone
        .map(|(name, target)| RefEdit {
            change: Change::Delete {
                expected: PreviousValue::MustExistAndMatch(target.clone()),
                log: RefLog::AndReference,
            },
            name: name.clone(),
            deref: false,
        })
        .collect();
    let found = !edits.is_empty();
    if found {
        repo.edit_references(edits)?;
    }
    Ok(found)
}

/// Whether the source has a branch or tag elsewhere than we do, or its HEAD at a commit that is not
/// here.
fn is_news(repo: &gix::Repository, ours: &HashMap<FullName, Target>, theirs: &Mapping) -> bool {
    let id = theirs.remote.as_id();
    let Some(name) = &theirs.local else { return id.is_some_and(|id| !repo.has_object(id)) };
    let ours = FullName::try_from(name.as_bstr()).ok().and_then(|name| ours.get(&name));
    match ours {
        None => true,
        Some(Target::Object(ours)) => id != Some(ours),
        Some(Target::Symbolic(ours)) => theirs.remote.as_target() != Some(ours.as_bstr()),
    }
}

/// What to ask for where few of many refs are news; `None`: ask for all.
fn narrowed(all: &[Mapping], news: &[&Mapping]) -> Option<Vec<String>> {
    if all.len() <= MANY_REFS || news.len() > MANY_REFS {
        return None;
    }
    // HEAD, which has no name of ours, is asked for in any case.
    let names = news.iter().filter_map(|it| it.local.as_ref());
    let specs: Option<Vec<String>> =
        names.map(|name| name.to_str().ok().map(|name| format!("+{name}:{name}"))).collect();
    specs.filter(|specs| !specs.is_empty())
}

/// Whether a fetch failed by a commit, ours or one that came, of whose author or committer gix can
/// make nothing, though git takes it. An empty mirror has none to read.
fn is_unreadable_history(error: &gix::Error) -> bool {
    // Where gix looks for a committer by itself, it has no class of error for one that is odd.
    let is_signature = |text: String| text.contains("actor signature") || text.contains("object parsing failed");
    error.is_corrupted() || error.iter_errors().any(|cause| is_signature(cause.to_string()))
}

/// Whether somebody else moved a ref between our look at it and our write, or the source lost one
/// between two looks at it. gix has no error type for it; the first were seen when 48 fetches raced
/// for one mirror.
fn lost_a_race(error: &gix::Error) -> bool {
    error.iter_errors().any(|cause| {
        let text = cause.to_string();
        text.contains("changed to")
            || text.contains("to delete must exist")
            || text.contains("should have content")
            || text.contains("None of the refspec(s)")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;
    use domain::ids::RepositoryId;
    use git_fixture::{ADA, GitRepo};

    #[test]
    fn what_is_too_large_to_be_received_is_said_to_be_so_for_good() {
        let folder = tempfile::tempdir().expect("a folder");
        let theirs = GitRepo::init(folder.path().join("work"));
        theirs.commit(ADA, "2026-02-03T04:05:06Z", &[("a.txt", &"many words ".repeat(1_000))], "One");
        let url = theirs.path().display().to_string();
        let address = Address::parse(&Source { id: RepositoryId(1), url, token: None }).expect("a folder");
        let fetched = |limit: &str| {
            let ours = gix::ThreadSafeRepository::init_opts(
                folder.path().join(limit),
                gix::create::Kind::Bare,
                gix::create::Options::default(),
                gix::open::Options::isolated().config_overrides([format!("gitoxide.objects.allocLimit={limit}")]),
            );
            let ours = ours.expect("a repository").to_thread_local();
            let fetch = Fetch { address: &address, meter: &Arc::new(Meter::default()) };
            fetch.everything(&ours, true).map(|_| ())
        };
        assert_eq!(fetched("100000"), Ok(()));
        let error = fetched("10000").expect_err("it has 11,000 bytes");
        assert!(matches!(error, MirrorError::TooLarge { .. }) && error.is_permanent(), "{error}");
    }
}
