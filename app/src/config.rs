//! Configuration: `flawless.toml`, overridden by environment variables.

use domain::access::SignIn;
use domain::secret::Secret;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Every setting, by the name of its environment variable; in `flawless.toml` in lower case.
pub const NAMES: [&str; 21] = [
    "HOST",
    "PORT",
    "PUBLIC_URL",
    "DATABASE_URL",
    "DATA_DIR",
    "LOG_LEVEL",
    "LOG_FORMAT",
    "APP_ID",
    "PRIVATE_KEY",
    "PRIVATE_KEY_PATH",
    "WEBHOOK_SECRET",
    "GITHUB_CLIENT_ID",
    "GITHUB_CLIENT_SECRET",
    "GITHUB_API_URL",
    "GITHUB_SERVER_URL",
    "SMTP_URL",
    "MAIL_FROM",
    "ADMIN_TOKEN",
    "SECRET_KEY",
    "SHADOW_DAYS",
    "FLAWLESS_CONFIG",
];

/// What LOG_LEVEL says by itself.
const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// Longest shadow mode that a setting can ask for: a year is no trial any more.
const MOST_SHADOW_DAYS: u32 = 365;

/// The file that is read where it exists, unless `FLAWLESS_CONFIG` names another.
pub const FILE: &str = "flawless.toml";

/// A server's configuration. Every setting has a default that works on one machine.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// Address to listen on.
    pub host: String,
    /// Port to listen on; 0: any free one.
    pub port: u16,
    /// Address that people and SDKs reach the server by, without a slash at its end.
    pub public_url: Option<String>,
    /// `sqlite://…` or `postgres://…`.
    pub database_url: String,
    /// Where the database file, mirrors and outbox are.
    pub data_dir: PathBuf,
    /// `error`, `warn`, `info`, `debug`, `trace`, or a filter as `tracing` reads it.
    pub log_level: String,
    /// Lines of JSON instead of text.
    pub log_json: bool,
    /// The GitHub App, where one is configured.
    pub app: Option<AppConfig>,
    /// What GitHub signs webhooks with.
    pub webhook_secret: Option<Secret>,
    /// Client id and secret with which people sign in.
    pub sign_in: Option<SignIn>,
    /// REST API.
    pub github_api_url: String,
    /// Pages and git.
    pub github_server_url: String,
    /// Mail server, as lettre reads it.
    pub smtp_url: Option<String>,
    /// Sender of mails.
    pub mail_from: String,
    /// Admits to the pages.
    pub admin_token: Option<Secret>,
    /// What secrets in the database are encrypted with; else the key in the data directory.
    pub secret_key: Option<Secret>,
    /// Days that a repository which is new here spends in shadow mode.
    pub shadow_days: u32,
}

/// A GitHub App's credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct AppConfig {
    /// Its number.
    pub id: u64,
    /// Its private key, PEM.
    pub private_key: Secret,
}

/// Why a configuration can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// A LOG_LEVEL that `tracing` can't read.
    pub fn log_level(text: &str, why: impl Display) -> Self {
        Self(format!("LOG_LEVEL is {text:?}, which can't be read: {why}"))
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Secrets have no business in logs.
        f.debug_struct("Config").field("settings", &self.shown()).finish()
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Text(String),
    Number(i64),
}

impl Config {
    /// Reads `flawless.toml` (or the file that FLAWLESS_CONFIG names) and the environment.
    ///
    /// # Errors
    /// A file that is there and can't be read, a key that there is none of, or a value that a
    /// setting can't have.
    pub fn load() -> Result<Self, ConfigError> {
        let mut env = BTreeMap::new();
        for name in NAMES {
            if let Some(value) = std::env::var_os(name) {
                let value = value.into_string().map_err(|_| ConfigError(format!("{name} is no text in UTF-8")))?;
                env.insert((*name).to_owned(), value);
            }
        }
        match env.get("FLAWLESS_CONFIG").filter(|path| !path.trim().is_empty()).cloned() {
            Some(path) => {
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    ConfigError(format!("FLAWLESS_CONFIG names {path}, which can't be read: {error}"))
                })?;
                Self::from_parts(Some((&path, &text)), env)
            }
            None => Self::from_parts(own_file(Path::new(FILE))?.as_deref().map(|text| (FILE, text)), env),
        }
    }

    /// Puts a file (its path and text) and variables together; variables win. An empty variable
    /// counts as unset.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn from_parts(file: Option<(&str, &str)>, env: BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let mut settings: BTreeMap<String, String> = BTreeMap::new();
        if let Some((path, text)) = file {
            let table: BTreeMap<String, Value> =
                toml::from_str(text).map_err(|error| ConfigError(format!("{path}: {}", error.to_string().trim())))?;
            for (key, value) in table {
                let name = key.to_ascii_uppercase();
                if !NAMES.contains(&name.as_str()) {
                    return Err(ConfigError(format!("{path}: there is no setting {key:?}{}", nearest(&name))));
                }
                let value = match value {
                    Value::Text(text) => text,
                    Value::Number(number) => number.to_string(),
                };
                settings.insert(name, value);
            }
        }
        settings.extend(env);
        settings.retain(|_, value| !value.trim().is_empty());
        Self::from_settings(&settings)
    }

    fn from_settings(settings: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let get = |name: &str| settings.get(name).map(|value| value.trim().to_owned());
        let or = |name: &str, default: &str| get(name).unwrap_or_else(|| default.to_owned());
        let data_dir = PathBuf::from(or("DATA_DIR", "data"));
        let checked = |name: &str, default: &str| checked_url(name, &or(name, default));
        Ok(Self {
            host: or("HOST", "127.0.0.1"),
            port: number_of(&get, "PORT", u16::MAX)?.unwrap_or(3000),
            public_url: get("PUBLIC_URL").map(|url| checked_url("PUBLIC_URL", &url)).transpose()?,
            database_url: get("DATABASE_URL")
                .unwrap_or_else(|| format!("sqlite://{}", data_dir.join("flawless.db").display())),
            log_level: checked_log_level(&or("LOG_LEVEL", "info"))?,
            log_json: is_json(&or("LOG_FORMAT", "text"))?,
            app: app_of(&get)?,
            webhook_secret: get("WEBHOOK_SECRET").map(Secret::from),
            sign_in: sign_in_of(&get)?,
            github_api_url: checked("GITHUB_API_URL", "https://api.github.com")?,
            github_server_url: checked("GITHUB_SERVER_URL", "https://github.com")?,
            smtp_url: get("SMTP_URL"),
            mail_from: or("MAIL_FROM", "Flawless <flawless@localhost>"),
            admin_token: get("ADMIN_TOKEN").map(Secret::from),
            secret_key: get("SECRET_KEY").map(Secret::from),
            shadow_days: number_of(&get, "SHADOW_DAYS", MOST_SHADOW_DAYS)?.unwrap_or(0),
            data_dir,
        })
    }

    /// Where mails and issues go while no server for them is configured.
    pub fn outbox(&self) -> PathBuf {
        self.data_dir.join("outbox")
    }

    /// Where mirrors are.
    pub fn mirrors(&self) -> PathBuf {
        self.data_dir.join("mirrors")
    }

    /// Every setting and its value for people to read, secrets left out.
    pub fn shown(&self) -> Vec<(&'static str, String)> {
        let secret = |set: bool| if set { "set" } else { "not set" }.to_owned();
        vec![
            ("HOST", self.host.clone()),
            ("PORT", self.port.to_string()),
            ("PUBLIC_URL", self.public_url.clone().unwrap_or_default()),
            ("DATABASE_URL", without_password(&self.database_url)),
            ("DATA_DIR", self.data_dir.display().to_string()),
            ("LOG_LEVEL", self.log_level.clone()),
            ("LOG_FORMAT", if self.log_json { "json" } else { "text" }.to_owned()),
            ("APP_ID", self.app.as_ref().map(|app| app.id.to_string()).unwrap_or_default()),
            ("PRIVATE_KEY", secret(self.app.is_some())),
            ("WEBHOOK_SECRET", secret(self.webhook_secret.is_some())),
            ("GITHUB_CLIENT_ID", self.sign_in.as_ref().map(|app| app.client_id.clone()).unwrap_or_default()),
            ("GITHUB_CLIENT_SECRET", secret(self.sign_in.is_some())),
            ("GITHUB_API_URL", self.github_api_url.clone()),
            ("GITHUB_SERVER_URL", self.github_server_url.clone()),
            ("SMTP_URL", self.smtp_url.as_deref().map(without_password).unwrap_or_default()),
            ("MAIL_FROM", self.mail_from.clone()),
            ("SHADOW_DAYS", self.shadow_days.to_string()),
        ]
    }
}

/// A number that is not more than this.
fn number_of<N>(get: &impl Fn(&str) -> Option<String>, name: &str, most: N) -> Result<Option<N>, ConfigError>
where
    N: FromStr + PartialOrd + Display,
{
    let Some(text) = get(name) else { return Ok(None) };
    match text.parse() {
        Ok(number) if number <= most => Ok(Some(number)),
        _ => Err(ConfigError(format!("{name} is {text:?}: it has to be a number from 0 to {most}"))),
    }
}

fn is_json(format: &str) -> Result<bool, ConfigError> {
    match format {
        "text" | "pretty" => Ok(false),
        "json" => Ok(true),
        other => Err(ConfigError(format!("LOG_FORMAT is {other:?}: it has to be text or json"))),
    }
}

fn sign_in_of(get: &impl Fn(&str) -> Option<String>) -> Result<Option<SignIn>, ConfigError> {
    let without = |set: &str, missing: &str| Err(ConfigError(format!("{set} is set, but {missing} is not")));
    match (get("GITHUB_CLIENT_ID"), get("GITHUB_CLIENT_SECRET")) {
        (Some(client_id), Some(client_secret)) => Ok(Some(SignIn { client_id, client_secret: client_secret.into() })),
        (None, None) => Ok(None),
        (Some(_), None) => without("GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"),
        (None, Some(_)) => without("GITHUB_CLIENT_SECRET", "GITHUB_CLIENT_ID"),
    }
}

fn app_of(get: &impl Fn(&str) -> Option<String>) -> Result<Option<AppConfig>, ConfigError> {
    let Some(id) = get("APP_ID") else { return Ok(None) };
    let id = id.parse().map_err(|_| ConfigError(format!("APP_ID is {id:?}: it has to be the App's number")))?;
    let private_key = match (get("PRIVATE_KEY"), get("PRIVATE_KEY_PATH")) {
        (Some(key), _) => key,
        (None, Some(path)) => std::fs::read_to_string(Path::new(&path))
            .map_err(|error| ConfigError(format!("PRIVATE_KEY_PATH names {path}, which can't be read: {error}")))?,
        (None, None) => {
            return Err(ConfigError("APP_ID is set, but neither PRIVATE_KEY nor PRIVATE_KEY_PATH is".to_owned()));
        }
    };
    Ok(Some(AppConfig { id, private_key: private_key.into() }))
}

/// The text of the file beside which the server is started; `None` where there is no such file.
fn own_file(path: &Path) -> Result<Option<String>, ConfigError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        // Started without it, the server would be another one: with an empty database, or open to
        // nobody.
        Err(error) => Err(ConfigError(format!(
            "{} is there, but can't be read: {error}; make it readable or take it away",
            path.display()
        ))),
    }
}

/// A level, or a filter as `tracing` reads it, but that a part of the program by itself is refused:
/// a level that is misspelt would be one, and silence all others.
fn checked_log_level(text: &str) -> Result<String, ConfigError> {
    for part in text.split(',').map(str::trim) {
        // `tracing` reads 0 (nothing) to 5 (trace) as well, and passes over what is empty.
        let is_number = part.is_empty() || part.parse::<u8>().is_ok_and(|number| number <= 5);
        let is_level = is_number || LEVELS.iter().any(|level| level.eq_ignore_ascii_case(part));
        if !is_level && !part.contains(['=', '[']) {
            let near = LEVELS.iter().find(|level| strsim::damerau_levenshtein(level, &part.to_lowercase()) <= 2);
            let near = near.map_or_else(String::new, |level| format!("; did you mean {level}?"));
            return Err(ConfigError(format!(
                "LOG_LEVEL is {text:?}: {part:?} is no level ({}), nor a filter like sqlx=debug{near} (all of a part of the program is NAME=trace)",
                LEVELS.join(", ")
            )));
        }
    }
    Ok(text.to_owned())
}

fn checked_url(name: &str, text: &str) -> Result<String, ConfigError> {
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err(ConfigError(format!("{name} is {text:?}: it has to be an address like https://flawless.example.com"))),
    }
}

/// A URL with its password struck out.
fn without_password(text: &str) -> String {
    match url::Url::parse(text) {
        Ok(mut url) if url.password().is_some() => match url.set_password(Some("…")) {
            Ok(()) => url.to_string(),
            Err(()) => "(not shown)".to_owned(),
        },
        _ => text.to_owned(),
    }
}

/// `; did you mean "port"?` for a name that is nearly one of ours.
fn nearest(name: &str) -> String {
    /// Letters that may be wrong in a typing error.
    const SLIP: usize = 3;
    NAMES
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .filter(|(distance, _)| *distance <= SLIP)
        .min()
        .map_or_else(String::new, |(_, known)| format!("; did you mean {:?}?", known.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn nothing_configured_works_on_one_machine() {
        let config = Config::from_parts(None, env(&[])).expect("defaults");
        assert_eq!((config.host.as_str(), config.port), ("127.0.0.1", 3000));
        assert_eq!(config.database_url, "sqlite://data/flawless.db");
        assert!(config.app.is_none());
    }

    #[test]
    fn variables_win_over_the_file_and_empty_ones_do_not_count() {
        let file = "port = 4000\nhost = \"0.0.0.0\"\n";
        let config = Config::from_parts(Some((FILE, file)), env(&[("PORT", "5000"), ("HOST", "")])).expect("fits");
        assert_eq!((config.host.as_str(), config.port), ("127.0.0.1", 5000));
    }

    #[test]
    fn what_is_wrong_is_said_with_the_nearest_name() {
        let said = |file: Option<&str>, pairs: &[(&str, &str)]| {
            Config::from_parts(file.map(|text| ("my.toml", text)), env(pairs)).expect_err("refused").to_string()
        };
        assert!(said(Some("prot = 1"), &[]).contains("did you mean \"port\"?"));
        assert!(said(None, &[("PORT", "http")]).contains("0 to 65535"));
        assert!(said(None, &[("SHADOW_DAYS", "400")]).contains("0 to 365"));
        assert!(said(None, &[("GITHUB_CLIENT_ID", "Iv1")]).contains("GITHUB_CLIENT_SECRET is not"));
        assert!(said(None, &[("LOG_LEVEL", "inof")]).contains("did you mean info?"));
        assert!(said(None, &[("LOG_LEVEL", "info,verbose")]).contains("\"verbose\" is no level"));
        assert!(said(None, &[("APP_ID", "1")]).contains("PRIVATE_KEY"));
        assert!(said(None, &[("PUBLIC_URL", "flawless.example")]).contains("PUBLIC_URL"));
        assert!(said(Some("port = "), &[]).contains("my.toml"));
    }

    #[test]
    fn levels_and_filters_are_taken() {
        for text in ["info", "WARN", "info,sqlx=debug", "off", "app[step{job=1}]=trace"] {
            let config = Config::from_parts(None, env(&[("LOG_LEVEL", text)])).expect("fits");
            assert_eq!(config.log_level, text);
        }
    }

    #[test]
    fn a_file_that_is_there_and_cannot_be_read_is_no_missing_one() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(own_file(&folder.path().join("flawless.toml")), Ok(None));
        let refused = own_file(folder.path()).expect_err("a folder is no file").to_string();
        assert!(refused.contains("is there, but can't be read"), "{refused}");
        std::fs::write(folder.path().join("latin.toml"), b"host = \"caf\xe9\"").expect("written");
        assert!(own_file(&folder.path().join("latin.toml")).is_err());
    }

    #[test]
    fn secrets_are_not_shown() {
        let config = Config::from_parts(
            None,
            env(&[
                ("DATABASE_URL", "postgres://ada:secret@db/flawless"),
                ("SMTP_URL", "smtp://ada:secret@mail:587"),
                ("WEBHOOK_SECRET", "secret"),
                ("ADMIN_TOKEN", "secret"),
            ]),
        )
        .expect("fits");
        assert!(!format!("{config:?}").contains("secret"));
    }
}
