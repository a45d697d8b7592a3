//! Keeps stored secrets unreadable to whoever has the database alone: they are encrypted with a key
//! that is not in it.

use domain::counted::counted;
use domain::secret::Secret;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Name of the file with the key, in the data directory.
pub(crate) const KEY_FILE: &str = "secret.key";
/// A key from the environment is hashed to its length, so it may be any text; one shorter than this
/// could be guessed.
const SHORTEST_KEY: usize = 32;

/// Why a secret can't be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// SECRET_KEY.
    #[error("SECRET_KEY has {}: it has to have {SHORTEST_KEY} at least, random ones", counted(.0, "character", "characters"))]
    Short(usize),
    /// The file.
    #[error("the key of the stored secrets, {path}: {why}")]
    File {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Another key, or a damaged text.
    #[error("the stored secret can't be read with this key: was {KEY_FILE} lost, or SECRET_KEY changed?")]
    WrongKey,
    /// The system's source of randomness.
    #[error("the system gives no randomness")]
    Random,
}

/// Where the key is. It is read, or made, when it is first needed.
#[derive(Clone)]
pub struct Vault {
    given: Option<Secret>,
    file: PathBuf,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Vault {
    /// A vault with the key of SECRET_KEY, else with that of a file in the data directory.
    ///
    /// # Errors
    /// SECRET_KEY is too short.
    pub fn new(secret_key: Option<&Secret>, data_dir: &Path) -> Result<Self, VaultError> {
        if let Some(key) = secret_key.map(Secret::expose).filter(|key| key.chars().count() < SHORTEST_KEY) {
            return Err(VaultError::Short(key.chars().count()));
        }
        Ok(Self { given: secret_key.cloned(), file: data_dir.join(KEY_FILE) })
    }

    /// Encrypts a text for one purpose, in hexadecimal. Makes the key where there is none.
    ///
    /// # Errors
    /// The key can't be read or made.
    pub fn seal(&self, purpose: &str, text: &str) -> Result<String, VaultError> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| VaultError::Random)?;
        let mut bytes = text.as_bytes().to_vec();
        self.key(true)?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(purpose), &mut bytes)
            .map_err(|_| VaultError::Random)?;
        Ok(hex::encode(nonce) + &hex::encode(&bytes))
    }

    /// What was sealed for this purpose.
    ///
    /// # Errors
    /// The key is gone or another one, or the text is damaged.
    pub fn open(&self, purpose: &str, sealed: &str) -> Result<String, VaultError> {
        let bytes = hex::decode(sealed).map_err(|_| VaultError::WrongKey)?;
        let (nonce, text) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::WrongKey)?;
        let mut text = text.to_vec();
        let opened = self
            .key(false)?
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(purpose), &mut text)
            .map_err(|_| VaultError::WrongKey)?;
        String::from_utf8(opened.to_vec()).map_err(|_| VaultError::WrongKey)
    }

    fn key(&self, may_make: bool) -> Result<LessSafeKey, VaultError> {
        let text = match &self.given {
            Some(given) => given.expose().to_owned(),
            None => self.file_key(may_make)?,
        };
        let key = UnboundKey::new(&AES_256_GCM, &Sha256::digest(text.as_bytes())).map_err(|_| VaultError::WrongKey)?;
        Ok(LessSafeKey::new(key))
    }

    fn file_key(&self, may_make: bool) -> Result<String, VaultError> {
        let failed = |why: String| VaultError::File { path: self.file.clone(), why };
        match std::fs::read_to_string(&self.file) {
            Ok(text) if text.trim().len() >= SHORTEST_KEY => Ok(text.trim().to_owned()),
            Ok(_) => Err(failed("it is too short to be a key".to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound && may_make => self.make().map_err(failed),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// Writes a new key for its owner's eyes only. Where another process was quicker, its key is
    /// the one.
    fn make(&self) -> Result<String, String> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).map_err(|_| VaultError::Random.to_string())?;
        let text = hex::encode(bytes);
        if let Some(folder) = self.file.parent() {
            std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        }
        // Whole or not at all: another process must not take half a key for one.
        let unfinished = self.file.with_extension(format!("{}.tmp", &text[..8]));
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&unfinished).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::hard_link(&unfinished, &self.file)?;
            // The name, too: what is sealed with a key that is gone after a power cut is lost.
            match self.file.parent() {
                Some(folder) if cfg!(unix) => std::fs::File::open(folder)?.sync_all(),
                _ => Ok(()),
            }
        });
        let _ = std::fs::remove_file(&unfinished);
        match written {
            Ok(()) => Ok(text),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                self.file_key(false).map_err(|error| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("flawless-vault-{name}-{}", std::process::id()))
    }

    #[test]
    fn what_is_sealed_is_read_with_its_key_and_for_its_purpose_only() {
        let key = "0123456789abcdef0123456789abcdef";
        let vault = Vault::new(Some(&key.into()), Path::new("nowhere")).unwrap();
        let sealed = vault.seal("app", "-----BEGIN").unwrap();
        assert!(!sealed.contains("BEGIN") && sealed != vault.seal("app", "-----BEGIN").unwrap());
        assert_eq!(vault.open("app", &sealed).unwrap(), "-----BEGIN");
        let other = Vault::new(Some(&"another key of more than 32 letters".into()), Path::new("nowhere")).unwrap();
        for result in
            [other.open("app", &sealed), vault.open("other", &sealed), vault.open("app", "é"), vault.open("app", "00")]
        {
            assert!(matches!(result, Err(VaultError::WrongKey)));
        }
        assert!(matches!(Vault::new(Some(&"short".into()), Path::new("x")), Err(VaultError::Short(5))));
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_only_and_missed_when_it_is_gone() {
        let folder = folder("made");
        let vault = Vault::new(None, &folder).unwrap();
        let sealed = vault.seal("app", "secret").unwrap();
        assert_eq!(Vault::new(None, &folder).unwrap().open("app", &sealed).unwrap(), "secret");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(folder.join(KEY_FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::remove_file(folder.join(KEY_FILE)).unwrap();
        let error = vault.open("app", &sealed).unwrap_err();
        assert!(error.to_string().contains(KEY_FILE), "{error}");
        assert!(!folder.join(KEY_FILE).exists(), "no new key in the place of the one that is missed");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
