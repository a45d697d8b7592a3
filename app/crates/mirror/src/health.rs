//! Whether a mirror is whole: what is on the disk is compared with what was written there.
//!
//! Disks lose what they were given, and people copy and delete. A mirror that lacks something would
//! fail at each question and never be mended, as a fetch brings only what the source has beside it.

use super::error::{MirrorError, chain};
use super::head::head;
use super::largest::Largest;
use super::packs::{Look, age, look, names};
use super::{Inner, Mirrors};
use domain::ids::RepositoryId;
use gix::hash::Kind;
use gix::odb::pack;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How old a mirror gets that was cloned anew though its files were as they had been written,
/// before that is tried once more: what its source lacks, another clone lacks as well, and one of a
/// large repository takes minutes. By then the source may have been mended.
pub(super) const RENEWED_FOR: Duration = Duration::from_secs(3_600);

/// How a mirror stands before it is brought up to date.
pub(super) enum Standing {
    /// It can be fetched into.
    Whole(Box<gix::ThreadSafeRepository>),
    /// There is none, or it is not what was written: it is to be cloned.
    Damaged,
    /// It is what was written, and still can't be read: it is to be cloned, once.
    Lacking,
}

impl Mirrors {
    /// What is wrong with a mirror, in a sentence; `None`: nothing that shows at a short look (its
    /// packs' sizes, its HEAD with the tree of that commit), or there is no mirror, or it is being
    /// written. The next [`Mirrors::sync`] clones it anew.
    ///
    /// It is opened for this look alone: a handle that is open already may remember what is not
    /// there any more, and thousands of mirrors are not to stay open because they were looked at.
    ///
    /// # Errors
    /// [`MirrorError::Disk`].
    pub fn damage(&self, id: RepositoryId) -> Result<Option<String>, MirrorError> {
        let path = self.inner.directory.mirror(id);
        let Some(_busy) = self.inner.directory.try_lock(id)?.filter(|_| path.exists()) else { return Ok(None) };
        if let Some(why) = lacks(&path) {
            return Ok(Some(why));
        }
        if let Look::Damaged(why) = look(&path) {
            return Ok(Some(why));
        }
        match super::handles::open(&path, Largest::Received).and_then(|repo| read_head(&repo.to_thread_local())) {
            Err(MirrorError::Git { what, why }) => Ok(Some(format!("{what}: {why}"))),
            Err(error) => Err(error),
            Ok(()) => Ok(self.is_suspected(id).then(|| "something in it could not be read".to_owned())),
        }
    }

    /// Whether a question failed because of what the mirror's files hold, and nobody has looked
    /// into that yet: a [`Mirrors::sync`] does, and mends it.
    pub fn is_suspected(&self, id: RepositoryId) -> bool {
        self.inner.slot(id).suspected.load(Ordering::SeqCst)
    }
}

impl Inner {
    /// Opens a mirror to be brought up to date, if it is whole.
    pub(super) fn standing(&self, id: RepositoryId, path: &Path) -> Result<Standing, MirrorError> {
        if !path.exists() {
            return Ok(Standing::Damaged);
        }
        let slot = self.slot(id);
        let damage = match (lacks(path), look(path)) {
            (Some(why), _) | (None, Look::Damaged(why)) => Some(why),
            (None, Look::Same) if !slot.suspected.load(Ordering::SeqCst) => None,
            (None, Look::Same | Look::Unsure) => self.unreadable_pack(path)?,
        };
        let opened = match damage {
            Some(why) => Err(why),
            None => open_sound(path),
        };
        let repo = match opened {
            Ok(repo) => repo,
            Err(why) => {
                tracing::warn!(mirror = %path.display(), why, "the mirror is damaged: cloning anew");
                return Ok(Standing::Damaged);
            }
        };
        // It may lack what was deleted before that was noted: a second clone tells, but a third
        // would be the same.
        let is_renewed = slot.renewed.load(Ordering::SeqCst) && age(path) < RENEWED_FOR;
        if slot.suspected.load(Ordering::SeqCst) && !is_renewed {
            tracing::warn!(mirror = %path.display(), why = "it lacks objects", "the mirror is damaged: cloning anew");
            return Ok(Standing::Lacking);
        }
        slot.suspected.store(false, Ordering::SeqCst);
        Ok(Standing::Whole(Box::new(repo)))
    }

    /// Notes that a question failed by what is, or is not, in a mirror.
    pub(super) fn suspect(&self, id: RepositoryId) {
        self.slot(id).suspected.store(true, Ordering::SeqCst);
    }

    /// The first pack whose content is not what was written, or that has no index, in a sentence.
    /// Reads all packs: some hundred megabytes a second.
    fn unreadable_pack(&self, path: &Path) -> Result<Option<String>, MirrorError> {
        for name in names(path).into_iter().filter(|name| name.ends_with(".pack")) {
            let file = path.join("objects/pack").join(&name);
            match verified(&file, &self.stop) {
                Err(_) if self.stop.load(Ordering::Relaxed) => return Err(MirrorError::Interrupted),
                Err(error) => return Ok(Some(format!("{name} is not what was written: {}", chain(&error)))),
                Ok(()) => {}
            }
        }
        Ok(None)
    }
}

/// Which of the files is gone that every mirror has, in a sentence. A reader can do without some.
fn lacks(path: &Path) -> Option<String> {
    let gone = ["HEAD", "config"].into_iter().find(|file| !path.join(file).exists())?;
    Some(format!("its {gone} is gone"))
}

/// Opens a mirror whose HEAD, branches and tags lead somewhere, or says in a sentence what is
/// wrong.
fn open_sound(path: &Path) -> Result<gix::ThreadSafeRepository, String> {
    let repo = super::handles::open(path, Largest::Received).map_err(|error| error.to_string())?;
    broken_ref(&repo.to_thread_local()).map_or(Ok(repo), Err)
}

/// Compares a pack and its index with the checksums at their ends, and with each other.
fn verified(file: &Path, stop: &AtomicBool) -> Result<(), gix::Error> {
    let data = pack::data::File::at(file, Kind::Sha1).map_err(gix::Error::from_error)?;
    let index = pack::index::File::at(file.with_extension("idx"), Kind::Sha1).map_err(gix::Error::from_error)?;
    data.verify_checksum(&mut gix::progress::Discard, stop).map_err(gix::Error::from_error)?;
    index.verify_checksum(&mut gix::progress::Discard, stop).map_err(gix::Error::from_error)?;
    if index.pack_checksum() != data.checksum() {
        return Err(gix::Error::from_error(io::Error::other("its index is another pack's")));
    }
    Ok(())
}

/// Reads the commit that HEAD leads to, if there is one, and its tree.
fn read_head(repo: &gix::Repository) -> Result<(), MirrorError> {
    let Some(head) = head(repo)? else { return Ok(()) };
    super::read::tree(repo, &head.commit).map(|_| ())
}

/// What is wrong with the branches, tags and HEAD of a mirror, in a sentence: a fetch that begins
/// from a broken one says that it has what it has not.
fn broken_ref(repo: &gix::Repository) -> Option<String> {
    if let Err(error) = read_head(repo) {
        return Some(error.to_string());
    }
    let unreadable = |error: gix::Error| format!("its branches and tags can't be read: {}", chain(&error));
    let references = match repo.references() {
        Ok(references) => references,
        Err(error) => return Some(unreadable(error)),
    };
    let all = match references.all() {
        Ok(all) => all,
        Err(error) => return Some(unreadable(error)),
    };
    for reference in all {
        match reference {
            Err(error) => return Some(unreadable(error)),
            Ok(reference) => {
                let missing = reference.target().try_id().is_some_and(|id| !repo.has_object(id));
                if missing {
                    return Some(format!("{} leads to a commit that is not there", reference.name().as_bstr()));
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;
    use git_fixture::{ADA, GitRepo};
    use std::fs;
    use std::path::PathBuf;
    use std::time::SystemTime;

    const ID: RepositoryId = RepositoryId(7);

    fn repository(folder: &Path, name: &str) -> GitRepo {
        let repo = GitRepo::init(folder.join(name));
        repo.commit(ADA, "2026-02-03T04:05:06Z", &[("a.txt", &format!("{name}\n").repeat(100))], "One");
        repo
    }

    /// Mirrors of which one is of a repository with a commit; where they are, and its source.
    fn mirrored(folder: &Path) -> (Mirrors, PathBuf, Source) {
        let url = repository(folder, "work").path().display().to_string();
        let (source, root) = (Source { id: ID, url, token: None }, folder.join("mirrors"));
        let mirrors = Mirrors::open(root.clone()).expect("a folder");
        assert!(mirrors.sync(&source).expect("a repository").cloned);
        (mirrors, root.join("7.git"), source)
    }

    #[test]
    fn a_pack_and_its_index_are_compared_with_their_checksums_and_with_each_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let packed = |name: &str| {
            let repo = repository(folder.path(), name);
            repo.git(&["repack", "-adq"]);
            let mut files = fs::read_dir(repo.git_dir().join("objects/pack")).expect("packs").flatten();
            let is_pack = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "pack");
            files.find_map(|file| Some(file.path()).filter(is_pack)).expect("a pack")
        };
        let (pack, other) = (packed("one"), packed("two"));
        let index = pack.with_extension("idx");
        let wrong = |file: &Path, bytes: &[u8]| {
            let right = fs::read(file).expect("it is there");
            let put =
                |bytes: &[u8]| fs::remove_file(file).and_then(|()| fs::write(file, bytes)).expect("it is written");
            put(bytes);
            let said = verified(&pack, &AtomicBool::new(false)).map_err(|error| chain(&error));
            put(&right);
            said.expect_err("it is not what was written")
        };
        let rotten = |file: &Path| {
            let mut bytes = fs::read(file).expect("it is there");
            // In an index: one of the checksums of its objects.
            let at = bytes.len() - 60;
            bytes[at] ^= 1;
            bytes
        };
        assert!(verified(&pack, &AtomicBool::new(false)).is_ok());
        wrong(&pack, &rotten(&pack));
        wrong(&index, &rotten(&index));
        let anothers = wrong(&index, &fs::read(other.with_extension("idx")).expect("it is there"));
        assert!(anothers.contains("its index is another pack's"), "{anothers}");
    }

    #[test]
    fn a_branch_that_leads_nowhere_has_its_mirror_cloned_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mirrors, mirror, source) = mirrored(folder.path());
        fs::create_dir_all(mirror.join("refs/heads")).expect("a folder");
        fs::write(mirror.join("refs/heads/other"), format!("{}\n", "1".repeat(40))).expect("a file");
        assert_eq!(mirrors.damage(ID), Ok(None), "a short look does not see it");
        assert!(mirrors.sync(&source).expect("it is whole").cloned);
        assert!(!mirrors.sync(&source).expect("it is whole").cloned);
    }

    #[test]
    fn what_was_looked_into_is_not_suspected_any_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mirrors, _, source) = mirrored(folder.path());
        // The first time, it may lack what was deleted before its packs were noted.
        for is_cloned in [true, false] {
            mirrors.inner.suspect(ID);
            assert_eq!(mirrors.sync(&source).expect("a repository").cloned, is_cloned);
            assert!(!mirrors.is_suspected(ID), "nothing is wrong with it");
        }
    }

    #[test]
    fn a_mirror_whose_reading_panicked_is_suspected() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mirrors, ..) = mirrored(folder.path());
        mirrors.ask(ID, |_| Ok(())).expect("it can be read");
        assert!(!mirrors.is_suspected(ID));
        let panics = || mirrors.ask(ID, |_| -> Result<(), MirrorError> { panic!("what it holds is nonsense") });
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).expect_err("it panicked");
        assert!(mirrors.is_suspected(ID));
    }

    /// The same repository elsewhere: nobody listens there.
    fn nowhere() -> Source {
        Source { id: ID, url: "git://127.0.0.1:1/shop.git".to_owned(), token: None }
    }

    /// Mirrors, one of two commits with a pack each, its source, and the first one's pack.
    fn in_two_packs(folder: &Path) -> (Mirrors, Source, PathBuf) {
        let repo = GitRepo::init(folder.join("work"));
        let source = Source { id: ID, url: repo.git_dir().display().to_string(), token: None };
        let mirrors = Mirrors::open(folder.join("mirrors")).expect("a folder");
        repo.commit(ADA, "2026-02-03T04:05:06Z", &[("a.py", "one\n")], "One");
        assert!(mirrors.sync(&source).expect("a clone").cloned);
        let first = names(&folder.join("mirrors/7.git")).into_iter().find(|name| name.ends_with(".pack"));
        repo.commit(ADA, "2026-02-03T04:05:07Z", &[("b.py", "two\n")], "Two");
        assert!(mirrors.sync(&source).expect("a fetch").changed);
        let first = folder.join("mirrors/7.git/objects/pack").join(first.expect("a pack"));
        (mirrors, source, first)
    }

    #[test]
    fn what_is_damaged_stays_so_where_it_could_not_be_cloned_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mirrors, source, first) = in_two_packs(folder.path());
        // HEAD and its tree are in the second one.
        fs::remove_file(&first).expect("a pack");
        // A process that another test starts holds the mirror's lock, too, until it is what it is
        // to be; and a mirror that is at work is not looked at.
        let said = || {
            (0..100).find_map(|_| {
                std::thread::sleep(Duration::from_millis(10));
                mirrors.damage(ID).expect("a look")
            })
        };
        assert!(said().is_some());
        assert!(mirrors.sync(&nowhere()).is_err());
        assert!(said().is_some(), "no clone took its place");
        assert!(mirrors.sync(&source).expect("a clone").cloned);
        assert_eq!(mirrors.damage(ID), Ok(None));
    }

    #[test]
    fn a_clone_that_failed_uses_up_no_try_and_a_while_later_there_is_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mirrors, source, _) = in_two_packs(folder.path());
        let sync = || {
            mirrors.inner.suspect(ID);
            mirrors.sync(&source).expect("a clone or a fetch").cloned
        };
        mirrors.inner.suspect(ID);
        assert!(mirrors.sync(&nowhere()).is_err());
        assert!(mirrors.is_suspected(ID));
        assert_eq!([sync(), sync(), sync()], [true, false, false]);
        let config = fs::File::options().append(true).open(folder.path().join("mirrors/7.git/config")).expect("a file");
        let made: SystemTime = config.metadata().and_then(|known| known.modified()).expect("a time");
        config.set_modified(made - RENEWED_FOR).expect("a time");
        assert_eq!([sync(), sync()], [true, false]);
    }
}
