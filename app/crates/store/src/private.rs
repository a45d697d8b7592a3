//! Files that are for their owner's eyes only: what is in the database is other people's.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// What SQLite keeps beside a database's file, by the ends of their names.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// How each database of SQLite's begins ([its format](https://sqlite.org/fileformat.html), 1.3).
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Sees that a database's file is there, and that only its owner can read it and what SQLite keeps
/// beside it, which gets the permissions of the file. A file that is none of SQLite's is refused
/// and left as it is: a wrong setting may name anything.
pub(crate) fn make_private_file(file: &Path) -> io::Result<()> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        make_folder(folder)?;
    }
    let opened = open_options().append(true).create(true).open(file)?;
    if !opened.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no file on a disk"));
    }
    if !is_database(file)? {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "file is not a database"));
    }
    for path in [file.to_owned()].into_iter().chain(BESIDE.iter().map(|end| beside(file, end))) {
        if path.exists() {
            tighten(&path)?;
        }
    }
    Ok(())
}

/// Whether a file is a database, or is to become one.
fn is_database(file: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    std::fs::File::open(file)?.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    Ok(start.is_empty() || start == MAGIC)
}

/// The file of this end beside a database's.
pub(crate) fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}

#[cfg(unix)]
pub(crate) fn open_options() -> std::fs::OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
pub(crate) fn open_options() -> std::fs::OpenOptions {
    std::fs::OpenOptions::new()
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

/// Takes the rights of others away, where they have any.
#[cfg(unix)]
fn tighten(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    match std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & 0o7700)) {
        // Somebody else's file, which is theirs to protect.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
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
    use crate::{Store, meta};
    use std::fs::{Permissions, metadata, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;

    #[tokio::test]
    async fn nobody_else_reads_the_database_nor_what_is_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new/a.db");
        let url = format!("sqlite://{}", file.display());
        let paths = [file.clone(), beside(&file, "-wal"), beside(&file, "-shm")];
        let modes = || paths.each_ref().map(|path| metadata(path).unwrap().permissions().mode() & 0o777);
        let store = Store::open(&url).await.unwrap();
        meta::by_name_or_insert(&store, "a", "b").await.unwrap();
        assert_eq!(modes(), [0o600; 3]);
        // Those of an older version, which are in use.
        for path in &paths {
            set_permissions(path, Permissions::from_mode(0o644)).unwrap();
        }
        let again = Store::open(&url).await.unwrap();
        meta::by_name_or_insert(&again, "a", "b").await.unwrap();
        assert_eq!(modes(), [0o600; 3]);
    }

    #[tokio::test]
    async fn what_is_no_database_is_left_as_it_is() {
        let mode = |path: &Path| metadata(path).unwrap().permissions().mode() & 0o777;
        let (device, before) = (Path::new("/dev/null"), mode(Path::new("/dev/null")));
        let error = Store::open("sqlite:///dev/null").await.unwrap_err();
        assert!(error.to_string().contains("no file on a disk"), "{error}");
        assert_eq!(mode(device), before);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hosts");
        std::fs::write(&file, "127.0.0.1 localhost, and other things that many programs have to read\n").unwrap();
        set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        let error = Store::open(&format!("sqlite://{}", file.display())).await.unwrap_err();
        assert!(error.to_string().contains("no database of SQLite's"), "{error}");
        let error = crate::ServerLock::take(&format!("sqlite://{}", file.display())).unwrap_err();
        assert!(error.to_string().contains("no database of SQLite's"), "{error}");
        assert_eq!(mode(&file), 0o644);
        let beside: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(beside, ["hosts"], "nothing is left beside it");
    }
}
