//! The outbox directory: messages as files, whole or not at all.

use super::error::MailError;
use domain::timestamp::Timestamp;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::fs;
use tokio::io::AsyncWriteExt as _;

/// What a file that is not whole yet is called at its end.
const UNFINISHED: &str = "part";

/// A directory that messages are written to.
#[derive(Clone, Debug)]
pub struct Outbox {
    directory: PathBuf,
}

/// Characters of the Message-ID that a file's name keeps; file systems allow 255 bytes.
const MOST_NAME_CHARS: usize = 120;
/// Digits of the date at the beginning of a mail's name.
const DATE_DIGITS: usize = 15;

impl Outbox {
    /// The outbox in this directory, which is made when it is first written to.
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Writes a file that appears whole or not at all, and is on the disk when this returns: what
    /// it holds counts as sent from then on. A second attempt writes the same file again.
    ///
    /// # Errors
    /// [`MailError::Outbox`].
    pub async fn write(&self, name: &str, bytes: &[u8]) -> Result<(), MailError> {
        let (path, part) = (self.directory.join(name), self.part());
        match self.write_through(&path, &part, bytes).await {
            Ok(()) => Ok(()),
            Err(error) => {
                // What is left over is swept at the next start.
                let _ = fs::remove_file(&part).await;
                Err(failed(&path, &error))
            }
        }
    }

    async fn write_through(&self, path: &Path, part: &Path, bytes: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.directory).await?;
        let mut file = fs::File::create(part).await?;
        file.write_all(bytes).await?;
        // Writing goes on behind our back, and it is this that says how it ended: syncing does not,
        // and on a full disk half a message would take its name.
        file.flush().await?;
        file.sync_all().await?;
        fs::rename(part, path).await?;
        // The name, too: a file that is there without one is gone after a power cut.
        sync_directory(&self.directory).await
    }

    /// Writes a mail to `DATE-MESSAGEID.eml`, so that names sort by date and the same mail has the
    /// same name at every try.
    pub(super) async fn write_mail(&self, date: Timestamp, message_id: &str, bytes: &[u8]) -> Result<(), MailError> {
        let millis = date.max(Timestamp::UNIX_EPOCH).as_millis();
        self.write(&format!("{millis:0>DATE_DIGITS$}-{}.eml", file_name(message_id)), bytes).await
    }

    /// Deletes what a process left unfinished that was killed while it wrote: to be called as a
    /// server starts. How many there were.
    ///
    /// # Errors
    /// [`MailError::Outbox`].
    pub async fn sweep(&self) -> Result<usize, MailError> {
        self.delete_unfinished().await.map_err(|error| failed(&self.directory, &error))
    }

    async fn delete_unfinished(&self) -> io::Result<usize> {
        let mut files = match fs::read_dir(&self.directory).await {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let mut swept = 0;
        while let Some(file) = files.next_entry().await? {
            if is_unfinished(&file.path()) {
                fs::remove_file(file.path()).await?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    /// Deletes messages from before this moment, `most` at a time: mails by the date in their name,
    /// others by when they were written. How many there were.
    ///
    /// # Errors
    /// [`MailError::Outbox`].
    pub async fn delete_before(&self, before: Timestamp, most: usize) -> Result<usize, MailError> {
        self.delete_old(before, most).await.map_err(|error| failed(&self.directory, &error))
    }

    async fn delete_old(&self, before: Timestamp, most: usize) -> io::Result<usize> {
        let mut files = match fs::read_dir(&self.directory).await {
            Ok(files) if before > Timestamp::UNIX_EPOCH => files,
            Ok(_) => return Ok(0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let mut deleted = 0;
        while deleted < most
            && let Some(file) = files.next_entry().await?
        {
            if is_message(&file.path()) && written_at(&file).await.is_some_and(|at| at < before) {
                fs::remove_file(file.path()).await?;
                deleted += 1;
            }
        }
        Ok(deleted)
    }

    /// Sees that files can be made there.
    pub(super) async fn check(&self) -> Result<(), MailError> {
        let part = self.part();
        let tried = async {
            fs::create_dir_all(&self.directory).await?;
            fs::write(&part, b"").await?;
            fs::remove_file(&part).await
        };
        tried.await.map_err(|error| failed(&self.directory, &error))
    }

    /// A name that no other write uses meanwhile.
    fn part(&self) -> PathBuf {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        self.directory.join(format!(".{}-{}.{UNFINISHED}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)))
    }
}

/// Whether a file is a message of ours, by its name. What else is there is somebody's own.
fn is_message(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "eml" || end == "md")
}

/// When a message was written; `None` where nobody knows.
async fn written_at(file: &fs::DirEntry) -> Option<Timestamp> {
    let name = file.file_name();
    let digits = name.to_str().and_then(|name| name.split_once('-')).map_or("", |(date, _)| date);
    if digits.len() == DATE_DIGITS
        && let Ok(millis) = digits.parse()
    {
        return Some(Timestamp::from_millis(millis));
    }
    let modified = file.metadata().await.ok()?.modified().ok()?;
    let since = modified.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_millis(i64::try_from(since.as_millis()).ok()?))
}

/// Whether a file has the name of one that is being written.
fn is_unfinished(path: &Path) -> bool {
    let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    is_hidden && path.extension().is_some_and(|end| end == UNFINISHED)
}

/// Makes the names in a directory durable.
async fn sync_directory(directory: &Path) -> io::Result<()> {
    // Elsewhere a directory can't be opened, and its names are as durable as they are.
    if cfg!(unix) { fs::File::open(directory).await?.sync_all().await } else { Ok(()) }
}

fn failed(path: &Path, error: &io::Error) -> MailError {
    MailError::Outbox { path: path.display().to_string(), reason: error.to_string() }
}

/// The Message-ID as a part of a file's name, on every file system.
fn file_name(message_id: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@') { c } else { '_' };
    message_id.chars().map(safe).take(MOST_NAME_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_make_file_names() {
        assert_eq!(file_name("line-12.to-7@h.example"), "line-12.to-7@h.example");
        assert_eq!(file_name("../../etc/pass wd"), ".._.._etc_pass_wd");
        assert_eq!(file_name(&"x".repeat(500)).len(), 120);
    }

    #[tokio::test]
    async fn old_messages_are_deleted_some_at_a_time_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let outbox = Outbox::new(folder.path());
        let day = |day: i64| Timestamp::from_seconds(86_400 * day);
        assert_eq!(outbox.delete_before(day(9), 10).await.expect("nothing to do"), 0);
        for (at, id) in [(1, "a"), (2, "b"), (3, "c"), (20, "d")] {
            outbox.write_mail(day(at), id, b"x").await.expect("written");
        }
        outbox.write("issue-7.md", b"x").await.expect("written");
        std::fs::write(folder.path().join("000000000000001-notes.txt"), "mine").expect("written");
        assert_eq!(outbox.delete_before(Timestamp::MIN, 10).await.expect("nothing to do"), 0);
        assert_eq!(outbox.delete_before(day(9), 2).await.expect("deleted"), 2);
        assert_eq!(outbox.delete_before(day(9), 2).await.expect("deleted"), 1);
        let mut left: Vec<_> =
            std::fs::read_dir(folder.path()).expect("there").map(|it| it.expect("one").file_name()).collect();
        left.sort();
        assert_eq!(left, ["000000000000001-notes.txt", "000001728000000-d.eml", "issue-7.md"]);
        // By the system's clock it was written just now.
        assert_eq!(outbox.delete_before(Timestamp::MAX, 10).await.expect("deleted"), 2);
    }

    #[tokio::test]
    async fn what_a_killed_process_left_is_swept_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let outbox = Outbox::new(&folder.path().join("outbox"));
        assert_eq!(outbox.sweep().await.expect("nothing to do"), 0);
        outbox.write("issue-1.md", b"whole").await.expect("written");
        std::fs::write(folder.path().join("outbox/.71-0.part"), "hal").expect("written");
        assert_eq!(outbox.sweep().await.expect("swept"), 1);
        let left: Vec<_> = std::fs::read_dir(folder.path().join("outbox")).expect("a folder").flatten().collect();
        assert_eq!(left.len(), 1);
        assert_eq!(std::fs::read(left[0].path()).expect("a file"), b"whole");
    }

    /// A file system of 64 KiB at a folder, for as long as this lives.
    struct SmallDisk(PathBuf);

    impl SmallDisk {
        /// `None`: this user may not mount.
        fn mount(at: PathBuf) -> Option<Self> {
            std::fs::create_dir_all(&at).expect("a folder");
            let mut mount = std::process::Command::new("mount");
            let mounted = mount.args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(&at).output();
            mounted.is_ok_and(|output| output.status.success()).then_some(Self(at))
        }
    }

    impl Drop for SmallDisk {
        fn drop(&mut self) {
            let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
        }
    }

    #[tokio::test]
    async fn a_full_disk_leaves_no_half_message_under_a_whole_ones_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let Some(disk) = SmallDisk::mount(folder.path().join("disk")) else {
            println!("NOT MOUNTED: a full disk is tested where this user may mount one");
            return;
        };
        let outbox = Outbox::new(&disk.0);
        outbox.write("ballast", &[b'x'; 48 << 10]).await.expect("there is space");
        let message = [b'm'; 20 << 10];
        for _ in 0..20 {
            outbox.write("issue-1.md", &message).await.expect_err("the disk is full");
            assert!(!disk.0.join("issue-1.md").exists());
        }
        std::fs::remove_file(disk.0.join("ballast")).expect("there");
        outbox.write("issue-1.md", &message).await.expect("there is space again");
        assert_eq!(std::fs::read(disk.0.join("issue-1.md")).expect("there"), message);
    }

    #[tokio::test]
    async fn a_message_takes_the_place_of_another_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let outbox = Outbox::new(folder.path());
        outbox.write("issue-1.md", b"as it was").await.expect("written");
        // Who has it open goes on reading what it was: it is not written over.
        let open = folder.path().join("open");
        std::fs::hard_link(folder.path().join("issue-1.md"), &open).expect("linked");
        outbox.write("issue-1.md", b"as it is").await.expect("written again");
        assert_eq!(std::fs::read(&open).expect("there"), b"as it was");
        assert_eq!(std::fs::read(folder.path().join("issue-1.md")).expect("there"), b"as it is");
    }

    #[tokio::test]
    async fn what_could_not_be_written_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        // A folder is in the way of its name.
        std::fs::create_dir(folder.path().join("issue-1.md")).expect("made");
        Outbox::new(folder.path()).write("issue-1.md", b"text").await.expect_err("it can't be moved there");
        let left: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").flatten().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    /// A pipe takes what is written, and refuses to be synced: it stands for a disk that takes a
    /// message, and then can't keep it.
    #[cfg(unix)]
    #[tokio::test]
    async fn what_the_disk_does_not_confirm_is_not_sent() {
        let folder = tempfile::tempdir().expect("a folder");
        let outbox = Outbox::new(folder.path());
        let taken = outbox.part();
        let number = taken.file_stem().and_then(|stem| stem.to_str()?.rsplit_once('-')?.1.parse::<u64>().ok());
        let number = number.expect("it ends with its number");
        // Whichever name the next file has: other tests write theirs meanwhile.
        let name = |at: u64| folder.path().join(format!(".{}-{at}.{UNFINISHED}", std::process::id()));
        let pipes: Vec<PathBuf> = (number + 1..number + 300).map(name).collect();
        let made = std::process::Command::new("mkfifo").args(&pipes).status().expect("every Unix has it");
        assert!(made.success());
        let open = |pipe: &PathBuf| std::fs::File::options().read(true).write(true).open(pipe).expect("opened");
        let _readers: Vec<std::fs::File> = pipes.iter().map(open).collect();
        outbox.write("issue-1.md", b"text").await.expect_err("it is not on the disk");
        assert!(!folder.path().join("issue-1.md").exists(), "so it is not called sent");
    }

    /// Set in the process that writes as somebody who is not root, to whom every folder is open.
    #[cfg(unix)]
    const AS_NOBODY: &str = "FLAWLESS_TEST_AS_NOBODY";

    /// A folder that can be written and not be opened can't be synced either.
    #[cfg(unix)]
    #[tokio::test]
    async fn a_name_that_the_disk_does_not_confirm_is_not_sent() {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
        use std::os::unix::process::CommandExt as _;
        if let Some(folder) = std::env::var_os(AS_NOBODY) {
            let outbox = Outbox::new(Path::new(&folder));
            outbox.write("issue-1.md", b"text").await.expect_err("its name may be gone after a power cut");
            return;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let own = std::fs::metadata(folder.path()).expect("there").uid();
        let nobody = if own == 0 { 65_534 } else { own };
        chown(folder.path(), Some(nobody), None).expect("given away");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o300)).expect("closed");
        // A copy: what leads to this program may be closed to that user.
        let program = tempfile::Builder::new().permissions(std::fs::Permissions::from_mode(0o755)).tempdir();
        let program = program.expect("a folder");
        let copy = program.path().join("tests");
        std::fs::copy(std::env::current_exe().expect("it runs"), &copy).expect("copied");
        let name = "outbox::tests::a_name_that_the_disk_does_not_confirm_is_not_sent";
        let mut writes = std::process::Command::new(copy);
        writes.args(["--exact", name]).env(AS_NOBODY, folder.path()).uid(nobody).current_dir("/");
        let output = writes.output().expect("it starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }

    #[test]
    fn only_what_is_unfinished_is_swept() {
        for (name, unfinished) in [(".71-0.part", true), ("a.part", false), ("issue-1.md", false), (".hidden", false)] {
            assert_eq!(is_unfinished(Path::new(name)), unfinished, "{name}");
        }
    }
}
