//! Which packs a mirror has, as it was noted when they were written, and whether they are still
//! there.

use super::error::MirrorError;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// In a mirror's directory: a line for each file of its packs, with its size and when it was
/// written.
const MANIFEST: &str = "flawless-packs";

/// Where git would look for objects of another repository. A mirror never has any: they might be
/// gone tomorrow, or somebody else's.
const ALTERNATES: [&str; 2] = ["objects/info/alternates", "objects/info/http-alternates"];

/// What is noted of a file: its size, and when it was written, in nanoseconds since the epoch.
type Stamp = (u64, u128);

/// What is wrong with a mirror's files, as far as sizes and times tell.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// As they were written.
    Same,
    /// Nothing was noted of them, or some were written since.
    Unsure,
    /// A sentence that says what is missing.
    Damaged(String),
}

/// Refuses to read a mirror of whose packs a part is missing: a reader that has them mapped into
/// its memory would be killed by the system.
pub(super) fn refuse_damaged(path: &Path) -> Result<(), MirrorError> {
    match look(path) {
        Look::Damaged(why) => Err(MirrorError::Git { what: format!("looking at the mirror {}", path.display()), why }),
        Look::Same | Look::Unsure => Ok(()),
    }
}

/// Notes which packs a mirror has, after they were written.
pub(super) fn note_packs(path: &Path) -> Result<(), MirrorError> {
    let lines = pack_files(path).into_iter().map(|(name, (size, at))| format!("{name} {size} {at}\n"));
    let (file, new) = (path.join(MANIFEST), path.join(format!("{MANIFEST}.lock")));
    fs::write(&new, lines.collect::<String>())
        .and_then(|()| fs::rename(&new, &file))
        .map_err(|error| MirrorError::disk(format!("writing {}", file.display()), &error))
}

/// Compares what was noted with what is there.
pub(super) fn look(path: &Path) -> Look {
    if let Some(elsewhere) = ALTERNATES.iter().find(|file| path.join(file).exists()) {
        return if path.join(MANIFEST).exists() {
            Look::Damaged(format!("{elsewhere} has its objects read elsewhere"))
        } else {
            // A repository that is not ours may.
            Look::Unsure
        };
    }
    let Ok(noted) = fs::read_to_string(path.join(MANIFEST)) else { return Look::Unsure };
    let mut found = Look::Same;
    for line in noted.lines() {
        let mut words = line.split(' ');
        let (Some(name), Some(size), Some(at)) = (words.next(), words.next(), words.next()) else {
            return Look::Unsure;
        };
        match stamp(&path.join("objects/pack").join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Look::Damaged(format!("{name} is gone"));
            }
            Err(_) => found = Look::Unsure,
            Ok((now, _)) if now.to_string() != size => {
                return Look::Damaged(format!("{name} has {now} bytes instead of {size}"));
            }
            Ok((_, written)) if written.to_string() != at => found = Look::Unsure,
            Ok(_) => {}
        }
    }
    found
}

/// How old a mirror was when its packs were last noted. Its configuration is written once, when it
/// is cloned; no clock is asked.
pub(super) fn age(path: &Path) -> Duration {
    let written = |name: &str| fs::metadata(path.join(name)).and_then(|known| known.modified());
    let (Ok(cloned), Ok(noted)) = (written("config"), written(MANIFEST)) else { return Duration::ZERO };
    noted.duration_since(cloned).unwrap_or_default()
}

/// The names of a mirror's packs and their indices.
pub(super) fn names(path: &Path) -> Vec<String> {
    pack_files(path).into_keys().collect()
}

/// The packs of a mirror and their indices, by name.
fn pack_files(path: &Path) -> BTreeMap<String, Stamp> {
    let Ok(entries) = fs::read_dir(path.join("objects/pack")) else { return BTreeMap::new() };
    let files = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_pack = name.starts_with("pack-") && (name.ends_with(".pack") || name.ends_with(".idx"));
        Some((name, stamp(&entry.path()).ok()?)).filter(|_| is_pack)
    });
    files.collect()
}

fn stamp(file: &Path) -> io::Result<Stamp> {
    let known = fs::metadata(file)?;
    let at = known.modified()?.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ok((known.len(), at.as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_compared_with_what_is_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, packs) = (folder.path(), folder.path().join("objects/pack"));
        fs::create_dir_all(&packs).expect("a folder");
        assert_eq!(look(path), Look::Unsure, "nothing was noted");
        fs::write(packs.join("pack-1.pack"), "PACK").expect("a file");
        fs::write(packs.join("pack-1.idx"), "index").expect("a file");
        note_packs(path).expect("is noted");
        assert_eq!(look(path), Look::Same);
        fs::write(packs.join("pack-1.pack"), "KCAP").expect("a file");
        fs::File::open(packs.join("pack-1.pack"))
            .expect("a file")
            .set_modified(SystemTime::UNIX_EPOCH)
            .expect("a time");
        assert_eq!(look(path), Look::Unsure, "written since");
        assert_eq!(refuse_damaged(path), Ok(()));
        fs::write(packs.join("pack-1.pack"), "PA").expect("a file");
        assert_eq!(look(path), Look::Damaged("pack-1.pack has 2 bytes instead of 4".to_owned()));
        refuse_damaged(path).expect_err("who has it mapped into memory would be killed");
        fs::remove_file(packs.join("pack-1.idx")).expect("was there");
        assert_eq!(look(path), Look::Damaged("pack-1.idx is gone".to_owned()));
        fs::create_dir_all(path.join("objects/info")).expect("a folder");
        fs::write(path.join("objects/info/alternates"), "/elsewhere").expect("a file");
        assert!(matches!(look(path), Look::Damaged(why) if why.contains("elsewhere")));
    }
}
