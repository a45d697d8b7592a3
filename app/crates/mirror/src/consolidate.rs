//! Keeping the number of packs small: each fetch adds one, and gix has no repack.

use super::error::MirrorError;
use gix::hash::Kind;
use gix::odb::pack;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// From this many packs on they are joined: an object is looked for in one pack after the other,
/// and an open store holds 1024 at most.
const MANY: usize = 50;

/// Packs above this many bytes stay as they are: joining reads every object once (about 10 MB a
/// second on one core).
const LARGE: u64 = 32 << 20;

/// `PACK`, version, number of objects: <https://git-scm.com/docs/pack-format>.
const HEADER: u64 = 12;

/// SHA-1 over all that comes before it.
const TRAILER: u64 = 20;

/// Joins the small packs of a mirror into one if there are many. Nothing is lost, not even commits
/// that no branch reaches any more (a fresh clone would lose the commits of forgotten deployments),
/// and nothing is fetched.
///
/// Entries are copied as they are: a delta names its base by the distance to it within its pack,
/// which copying a whole pack's body keeps. An object that was in two packs is then twice in one,
/// which readers of packs allow.
///
/// # Errors
/// [`MirrorError::Disk`] and [`MirrorError::Git`]; the packs are then as they were.
pub(super) fn consolidate(repo: &gix::Repository, stop: &AtomicBool) -> Result<bool, MirrorError> {
    let directory = repo.objects.store_ref().path().join("pack");
    let failed = |error: io::Error| MirrorError::disk(format!("joining packs in {}", directory.display()), &error);
    let mut packs = Vec::new();
    for entry in fs::read_dir(&directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.path().extension().is_some_and(|extension| extension == "pack") {
            packs.push((entry.metadata().map_err(failed)?.len(), entry.path()));
        }
    }
    if packs.len() < MANY {
        return Ok(false);
    }
    let small: Vec<PathBuf> = packs.into_iter().filter(|(size, _)| *size < LARGE).map(|(_, path)| path).collect();
    if small.len() < 2 {
        return Ok(false);
    }
    let joined = directory.join(".tmp-joined");
    let (objects, outcome) = join(&small, &joined)
        .map_err(failed)
        .and_then(|objects| Ok((objects, index(&joined, &directory, stop)?)))
        .inspect_err(|_| drop(fs::remove_file(&joined)))?;
    fs::remove_file(&joined).map_err(failed)?;
    if let Some(keep) = &outcome.keep_path {
        fs::remove_file(keep).map_err(failed)?;
    }
    if outcome.index.num_objects != objects {
        return Err(MirrorError::Git {
            what: format!("joining packs in {}", directory.display()),
            why: format!("{} objects arrived of {objects}", outcome.index.num_objects),
        });
    }
    for old in small.iter().filter(|old| outcome.data_path.as_ref() != Some(old)) {
        // The index first: a reader that finds an index without its pack is stuck, one that finds
        // neither looks elsewhere.
        for extension in ["idx", "pack", "rev", "keep"] {
            match fs::remove_file(old.with_extension(extension)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
    }
    Ok(true)
}

/// Writes one pack of all entries of `packs`. Returns how many there are.
fn join(packs: &[PathBuf], to: &Path) -> io::Result<u32> {
    let mut bodies = Vec::new();
    let mut objects = 0_u32;
    for path in packs {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        let mut header = [0_u8; HEADER as usize];
        file.read_exact(&mut header)?;
        let count = u32::from_be_bytes([header[8], header[9], header[10], header[11]]);
        let body = size.checked_sub(HEADER + TRAILER).filter(|_| header[..8] == *b"PACK\0\0\0\x02");
        let body = body.ok_or_else(|| io::Error::other(format!("{} is no version 2 pack", path.display())))?;
        objects = objects.checked_add(count).ok_or_else(|| io::Error::other("too many objects for one pack"))?;
        bodies.push(file.take(body));
    }
    let mut hasher = gix::hash::hasher(Kind::Sha1);
    let mut out = BufWriter::new(File::create(to)?);
    let mut header = b"PACK\0\0\0\x02".to_vec();
    header.extend(objects.to_be_bytes());
    hasher.update(&header);
    out.write_all(&header)?;
    let mut buffer = vec![0_u8; 1 << 16];
    for mut body in bodies {
        loop {
            let read = body.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hasher.update(&buffer[..read]);
            out.write_all(&buffer[..read])?;
        }
    }
    let trailer = hasher.try_finalize().map_err(io::Error::other)?;
    out.write_all(trailer.as_slice())?;
    out.flush().map(|()| objects)
}

/// Moves a pack into the store, with an index of it.
fn index(pack: &Path, directory: &Path, stop: &AtomicBool) -> Result<pack::bundle::write::Outcome, MirrorError> {
    let what = || format!("indexing {}", pack.display());
    let file = File::open(pack).map_err(|error| MirrorError::disk(what(), &error))?;
    pack::Bundle::write_to_directory(
        &mut BufReader::new(file),
        Some(directory),
        &mut gix::progress::Discard,
        stop,
        None::<gix::objs::find::Never>,
        Kind::Sha1,
        pack::bundle::write::Options::default(),
    )
    .map_err(|error| MirrorError::git(what(), &error))
}
