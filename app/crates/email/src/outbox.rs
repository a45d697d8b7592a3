//! Mails as files, for an installation without a mail server.

use super::error::MailError;
use domain::timestamp::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A directory that mails are written to.
#[derive(Debug)]
pub(super) struct Outbox {
    directory: PathBuf,
}

/// Characters of the Message-ID that a file's name keeps; file systems allow 255 bytes.
const MOST_NAME_CHARS: usize = 120;

impl Outbox {
    pub(super) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Writes a mail to `DATE-MESSAGEID.eml`, so that names sort by date and the same mail has the
    /// same name at every try. The file appears whole or not at all.
    pub(super) async fn write(&self, date: Timestamp, message_id: &str, bytes: &[u8]) -> Result<(), MailError> {
        let millis = date.max(Timestamp::UNIX_EPOCH).as_millis();
        let path = self.directory.join(format!("{millis:0>15}-{}.eml", file_name(message_id)));
        let part = self.part();
        let written = async {
            tokio::fs::create_dir_all(&self.directory).await?;
            let mut file = tokio::fs::File::create(&part).await?;
            tokio::io::AsyncWriteExt::write_all(&mut file, bytes).await?;
            // The mail counts as sent after this: it has to be on the disk.
            file.sync_all().await?;
            tokio::fs::rename(&part, &path).await
        };
        match written.await {
            Ok(()) => Ok(()),
            Err(error) => {
                // Nothing more can be done about a leftover here.
                let _ = tokio::fs::remove_file(&part).await;
                Err(MailError::Outbox { path: path.display().to_string(), reason: error.to_string() })
            }
        }
    }

    /// Sees that files can be made there.
    pub(super) async fn check(&self) -> Result<(), MailError> {
        let part = self.part();
        let tried = async {
            tokio::fs::create_dir_all(&self.directory).await?;
            tokio::fs::write(&part, b"").await?;
            tokio::fs::remove_file(&part).await
        };
        tried.await.map_err(|error| MailError::Outbox {
            path: self.directory.display().to_string(),
            reason: error.to_string(),
        })
    }

    /// A name that no other write uses meanwhile.
    fn part(&self) -> PathBuf {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        self.directory.join(format!(".{}-{}.part", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)))
    }
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
}
