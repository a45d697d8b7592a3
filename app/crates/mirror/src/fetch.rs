//! Bringing one mirror's objects, refs and HEAD to what its source has.

use super::clone_source::Address;
use super::connection::{connect, moved};
use super::error::MirrorError;
use super::progress::{Meter, Watch};
use domain::url_text::without_secrets;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::protocol::handshake::Ref;
use gix::refs::transaction::{Change, LogChange, PreviousValue, RefEdit, RefLog};
use gix::refs::{FullName, Target};
use gix::remote::fetch::{Status, Tags, refs::update::Mode};
use gix::remote::{Direction, ref_map};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a mirror has of its source. Not `refs/*`: gix maps no ref for that, silently, and a forge's
/// `refs/pull/*` would be many times the branches.
const REFSPECS: [&str; 2] = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];

/// Where commits are held that no branch or tag reaches; never pruned.
const PINNED: &str = "refs/pinned/";

/// Another process that moves the same refs (`flawless check` beside the server) makes us lose a
/// compare-and-swap; once more, with what is there then, is enough in practice, twice is to be
/// sure.
const ATTEMPTS: usize = 3;

/// One conversation to be had.
pub(super) struct Fetch<'a> {
    pub(super) address: &'a Address,
    pub(super) meter: &'a Arc<Meter>,
}

impl Fetch<'_> {
    /// Fetches all branches and tags, deletes what the source deleted, follows its HEAD. `fresh` is
    /// for an empty mirror: its refs are packed into one file. Returns whether any ref or HEAD
    /// changed.
    ///
    /// # Errors
    /// Everything in [`MirrorError`] but `NoMirror`.
    pub(super) fn everything(&self, repo: &gix::Repository, fresh: bool) -> Result<bool, MirrorError> {
        self.with_attempts(|url, challenged| {
            let remote = repo
                .remote_at_without_url_rewrite(url)?
                .with_refspecs(REFSPECS, Direction::Fetch)
                .map_err(gix::Error::from_error)?
                .with_fetch_tags(Tags::None);
            self.meter.phase("connecting");
            let connection = connect(&remote, self.address, self.meter, challenged)?;
            let mut options = ref_map::Options::default();
            // HEAD is asked for to learn the default branch; it is mapped to no ref.
            options.extra_refspecs.push(head_refspec()?);
            let prepared = connection.prepare_fetch(Watch::root(self.meter), options)?;
            let map = prepared.ref_map();
            let head = remote_head(&map.remote_refs);
            let wanted: HashSet<BString> = map.mappings.iter().filter_map(|mapping| mapping.local.clone()).collect();
            // Before, not after: a branch `x` that became `x/y` would else block the whole
            // transaction.
            let pruned = prune(repo, &wanted)?;
            let outcome = prepared
                .with_write_packed_refs_only(fresh)
                .receive(Watch::root(self.meter), self.meter.called_off())?;
            let updates = match &outcome.status {
                Status::NoPackReceived { update_refs, .. } | Status::Change { update_refs, .. } => update_refs,
            };
            let moved = updates
                .updates
                .iter()
                .any(|update| matches!(update.mode, Mode::FastForward | Mode::Forced | Mode::New));
            Ok(follow_head(repo, head)? || pruned || moved)
        })
    }

    /// Fetches one commit by its id and holds it, though no branch or tag may reach it any more.
    /// `false`: the source has no such commit, or does not give it away.
    ///
    /// # Errors
    /// Everything in [`MirrorError`] but `NoMirror`.
    pub(super) fn commit(&self, repo: &gix::Repository, id: gix::ObjectId) -> Result<bool, MirrorError> {
        let fetched = self.with_attempts(|url, challenged| {
            let remote = repo
                .remote_at_without_url_rewrite(url)?
                .with_refspecs([format!("+{id}:{PINNED}{id}").as_str()], Direction::Fetch)
                .map_err(gix::Error::from_error)?
                .with_fetch_tags(Tags::None);
            self.meter.phase("connecting");
            let connection = connect(&remote, self.address, self.meter, challenged)?;
            let prepared = connection.prepare_fetch(Watch::root(self.meter), ref_map::Options::default())?;
            prepared.receive(Watch::root(self.meter), self.meter.called_off())?;
            Ok(())
        });
        match fetched {
            Ok(()) => Ok(repo.find_commit(id).is_ok()),
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

/// Deletes the branches and tags that the source no longer has. Returns whether there were any.
fn prune(repo: &gix::Repository, wanted: &HashSet<BString>) -> Result<bool, gix::Error> {
    let mut stale = Vec::new();
    for prefix in ["refs/heads/", "refs/tags/"] {
        for reference in repo.references()?.prefixed(BStr::new(prefix))? {
            let reference = reference?;
            if !wanted.contains(reference.name().as_bstr()) {
                stale.push(RefEdit {
                    change: Change::Delete {
                        expected: PreviousValue::MustExistAndMatch(reference.target().into_owned()),
                        log: RefLog::AndReference,
                    },
                    name: reference.name().to_owned(),
                    deref: false,
                });
            }
        }
    }
    let found = !stale.is_empty();
    if found {
        repo.edit_references(stale)?;
    }
    Ok(found)
}

/// Whether somebody else moved a ref between our look at it and our write. gix has no error type
/// for it; both sentences were seen when 48 fetches raced for one mirror.
fn lost_a_race(error: &gix::Error) -> bool {
    error.iter_errors().any(|cause| {
        let text = cause.to_string();
        text.contains("changed to") || text.contains("to delete must exist") || text.contains("should have content")
    })
}
