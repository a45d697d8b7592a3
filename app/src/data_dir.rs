//! The data directory: there, writable, and what is in it for its owner's eyes only.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// DATA_DIR can't be used.
#[derive(Debug, thiserror::Error)]
#[error("DATA_DIR {folder}: {path} can't be {what}: {why}; {todo}")]
pub struct DataDirError {
    folder: PathBuf,
    path: PathBuf,
    what: &'static str,
    why: io::Error,
    todo: &'static str,
}

/// No server has kept data where a command looks for it.
#[derive(Debug, thiserror::Error)]
#[error(
    "there is no data of a server: {place} is not there; run this in the folder where the server was started, or name \
     its data by DATA_DIR=/path/to/data (and its database by DATABASE_URL, where that is set for the server)"
)]
pub struct NoData {
    place: PathBuf,
}

/// Sees that a server has kept data there, and makes nothing: this folder, and this file, where the
/// database is one.
///
/// # Errors
/// One of them is missing.
pub fn find(folder: &Path, database: Option<&Path>) -> Result<(), NoData> {
    let missing = [Some(folder).filter(|it| !it.is_dir()), database.filter(|it| !it.exists())];
    match missing.into_iter().flatten().next() {
        Some(missing) => Err(NoData { place: std::path::absolute(missing).unwrap_or_else(|_| missing.to_owned()) }),
        None => Ok(()),
    }
}

/// Makes a data directory with these folders in it, where they are missing, and sees that files can
/// be written there. Of what is there already, the folders and these files are taken away from the
/// eyes of others; the directory itself stays as it is, for it may be somebody's home.
///
/// # Errors
/// It is no folder, or nothing can be written there.
pub fn prepare(folder: &Path, folders: &[&Path], files: &[&Path]) -> Result<(), DataDirError> {
    let failed = |what, path: &Path| {
        let (folder, path) = (folder.to_owned(), path.to_owned());
        move |why: io::Error| DataDirError { folder, path, what, todo: todo(&why), why }
    };
    make(folder).map_err(failed("made", folder))?;
    let probe = folder.join(format!(".writable-{}", std::process::id()));
    // An empty file fits on a full disk.
    fs::write(&probe, b"x").and_then(|()| fs::remove_file(&probe)).map_err(|why| {
        // It may be there, empty.
        let _ = fs::remove_file(&probe);
        failed("written to", folder)(why)
    })?;
    for inner in folders {
        make(inner).map_err(failed("made", inner))?;
    }
    for path in folders.iter().chain(files) {
        tighten(path).map_err(failed("protected", path))?;
    }
    Ok(())
}

fn todo(why: &io::Error) -> &'static str {
    match why.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space on its disk",
        ErrorKind::PermissionDenied => "let this user write there, or name another folder",
        ErrorKind::ReadOnlyFilesystem => "its disk is mounted for reading only: name another folder",
        _ => "name a folder that is there or can be made, and that this user may write to",
    }
}

#[cfg(unix)]
fn make(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

/// Takes the rights of others away, where they have any.
#[cfg(unix)]
fn tighten(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = match fs::metadata(path) {
        Ok(there) => there.permissions().mode(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if mode & 0o077 == 0 {
        return Ok(());
    }
    match fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o7700)) {
        // Somebody else's, who lets us use it: theirs to protect.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        done => done,
    }
}

#[cfg(not(unix))]
fn tighten(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_is_there_is_taken_away_from_the_eyes_of_others() {
        let home = tempfile::tempdir().expect("a folder");
        let (data, outbox, key) =
            (home.path().join("data"), home.path().join("data/outbox"), home.path().join("data/secret.key"));
        fs::create_dir_all(&outbox).expect("made");
        fs::write(&key, "key").expect("written");
        let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
        open(&data, 0o755);
        open(&outbox, 0o755);
        open(&key, 0o644);
        let mirrors = data.join("mirrors");
        prepare(&data, &[&outbox, &mirrors], &[&key, &data.join("none")]).expect("prepared");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&outbox), mode(&mirrors), mode(&key)), (0o700, 0o700, 0o600));
        assert_eq!(mode(&data), 0o755, "it may be somebody's home");
        assert_eq!(fs::read_dir(&data).expect("read").count(), 3, "nothing else is left there");
    }

    #[test]
    fn one_that_cannot_be_used_is_named_with_what_to_do() {
        let error = prepare(Path::new("/proc/x"), &[], &[]).expect_err("no place for files").to_string();
        assert!(error.starts_with("DATA_DIR /proc/x: ") && error.contains("name a folder"), "{error}");
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join("file");
        fs::write(&file, "").expect("written");
        let error = prepare(&file, &[], &[]).expect_err("a file").to_string();
        assert!(error.contains("can't be made"), "{error}");
    }
}
